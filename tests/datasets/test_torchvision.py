"""Data sets of torchvision, read from small files in its own formats."""

import numpy as np
import pytest
from PIL import Image
from support.idx_files import arrays, write_mnist_like

from windtunnel.datasets.torchvision import Torchvision
from windtunnel.errors import DataError


def load(root, name="FashionMNIST", **arguments):
    return Torchvision(name=name, root=str(root), download=False, **arguments).load()


@pytest.fixture
def garments(tmp_path):
    write_mnist_like(tmp_path / "FashionMNIST" / "raw")
    return tmp_path


def test_train_and_test_are_the_official_ones(garments):
    loaded = load(garments)
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 80, "val": 20, "test": 40}
    pixels, labels = arrays(40, seed=1)
    assert np.array_equal(loaded["test"].pixels()[..., 0], pixels)
    assert np.array_equal(loaded["test"].labels, labels)
    assert loaded["test"].classes[:2] == ("T-shirt/top", "Trouser")
    assert loaded["test"].ids[0] == "FashionMNIST/test/000000"


def test_images_are_brought_to_the_asked_size_and_channels(garments):
    assert load(garments, size=32, channels=3)["val"].pixels([0, 1]).shape == (2, 32, 32, 3)


def write_eurosat(root, sizes):
    """A data set of torchvision that has no splits and keeps image files."""
    for label, name in enumerate(["Forest", "River"]):
        folder = root / "eurosat" / "2750" / name
        folder.mkdir(parents=True)
        for row, size in enumerate(sizes):
            pixels = np.random.default_rng([label, row]).integers(0, 256, (size, size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{name}_{row}.png")  # listed in the order of text: 0, 1, 10, ..., 19, 2


def test_data_without_splits_is_cut_three_ways(tmp_path):
    write_eurosat(tmp_path, [10] * 20)
    loaded = load(tmp_path, "EuroSAT")
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 24, "val": 6, "test": 10}
    assert loaded["test"].classes == ("Forest", "River")
    assert loaded["test"].pixels().shape == (10, 10, 10, 3)


def test_images_of_several_sizes_need_the_argument_that_brings_them_to_one(tmp_path):
    write_eurosat(tmp_path, [10] * 19 + [12])
    with pytest.raises(DataError, match=r"EuroSAT, train, row 11: the image is 12 x 12 and the first one 10 x 10 .*give `size`"):
        load(tmp_path, "EuroSAT")
    assert load(tmp_path, "EuroSAT", size=10).audit.found == 40


def test_a_damaged_image_is_named_by_its_row(tmp_path):
    write_eurosat(tmp_path, [10] * 20)
    (tmp_path / "eurosat" / "2750" / "River" / "River_0.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"torchvision's EuroSAT, train, row 20: the image cannot be read"):
        load(tmp_path, "EuroSAT")


def test_splits_named_by_text_are_found(tmp_path):
    root = tmp_path / "rendered-sst2"
    for split, folder in (("train", "train"), ("val", "valid"), ("test", "test")):
        for label, name in enumerate(["negative", "positive"]):
            (root / folder / name).mkdir(parents=True)
            for row in range(4):
                pixels = np.random.default_rng([len(split), label, row, ord(split[0])]).integers(0, 256, (6, 6, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / folder / name / f"{row}.png")
    loaded = load(tmp_path, "RenderedSST2")
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 8, "val": 8, "test": 8}
    assert loaded["val"].classes == ("negative", "positive")


def test_a_class_that_takes_a_variant_by_option_keeps_train_and_test(tmp_path):
    raw = tmp_path / "EMNIST" / "raw"
    write_mnist_like(raw)
    for stem, theirs in (("train", "train"), ("t10k", "test")):
        for kind in ("images-idx3", "labels-idx1"):
            (raw / f"{stem}-{kind}-ubyte").rename(raw / f"emnist-digits-{theirs}-{kind}-ubyte")
    loaded = load(tmp_path, "EMNIST", options={"split": "digits"})
    assert len(loaded["test"]) == 40
    assert loaded["test"].classes == tuple("0123456789")


def test_missing_data_are_named_with_what_to_do(tmp_path):
    message = r"torchvision's CIFAR10 could not be loaded from .*: Dataset not found or corrupted.*set `download: true`, or put them there"
    with pytest.raises(DataError, match=message):
        load(tmp_path, "CIFAR10")


def test_a_truncated_file_is_an_error(garments):
    path = garments / "FashionMNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"torchvision's FashionMNIST could not be loaded from .*Remove files that are damaged"):
        load(garments)


def test_a_label_outside_the_map_is_named(garments):
    path = garments / "FashionMNIST" / "raw" / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + bytes([77]))
    with pytest.raises(DataError, match=r"sample 'FashionMNIST/test/000039' has label 77, outside the 10 classes"):
        load(garments)


def test_unknown_names_get_a_suggestion_and_folders_their_own_source(tmp_path):
    with pytest.raises(DataError, match=r"torchvision has no data set 'CIFAR01'. Did you mean 'CIFAR10'"):
        load(tmp_path, "CIFAR01")
    with pytest.raises(DataError, match="use the source 'folder'"):
        load(tmp_path, "ImageFolder")


def test_an_option_the_class_does_not_know_is_an_error(garments):
    with pytest.raises(DataError, match="unexpected keyword argument 'colour'"):
        load(garments, options={"colour": "red"})


def test_data_that_is_no_classification_is_refused(tmp_path):
    folder = tmp_path / "VOCdevkit" / "VOC2012"
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    (folder / "ImageSets" / "Main" / "train.txt").write_text("one\n")
    Image.fromarray(np.zeros((6, 6, 3), np.uint8)).save(folder / "JPEGImages" / "one.jpg")
    (folder / "Annotations" / "one.xml").write_text("<annotation><folder>VOC</folder></annotation>")
    with pytest.raises(DataError, match=r"VOCDetection is no classification data set: a target is \{.*expected a class number"):
        load(tmp_path, "VOCDetection")


def test_a_stamp_needs_no_data_and_changes_with_them(garments):
    source = Torchvision(name="FashionMNIST", root=str(garments))
    before = source.stamp()
    (garments / "FashionMNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    assert source.stamp() not in (before, Torchvision(name="FashionMNIST", root=str(garments / "nowhere")).stamp())
