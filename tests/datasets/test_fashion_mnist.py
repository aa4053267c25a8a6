"""Fashion-MNIST from idx files, and everything that can be wrong with such a file."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from support.idx_files import arrays, idx_bytes, write_mnist_like

from windtunnel.datasets.fashion_mnist import SYSTEM_FOLDERS, FashionMnist
from windtunnel.datasets.idx import read_idx
from windtunnel.errors import DataError


@pytest.mark.parametrize("compress", [False, True])
def test_official_splits_are_kept_and_val_is_cut_from_train(tmp_path, compress):
    loaded = FashionMnist(path=str(write_mnist_like(tmp_path, compress=compress))).load()
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 80, "val": 20, "test": 40}
    pixels, labels = arrays(40, seed=1)
    assert np.array_equal(loaded["test"].pixels()[:, 2:30, 2:30, 0], pixels)
    assert np.array_equal(loaded["test"].labels, labels)
    assert loaded["test"].ids[:2] == ("fashion-mnist/test/00000", "fashion-mnist/test/00001")


def test_a_torchvision_download_is_found_below_its_root(tmp_path):
    direct = FashionMnist(path=str(write_mnist_like(tmp_path / "FashionMNIST" / "raw"))).load()
    assert FashionMnist(path=str(tmp_path)).load().fingerprint == direct.fingerprint


def test_compression_does_not_move_the_fingerprint(tmp_path):
    plain = FashionMnist(path=str(write_mnist_like(tmp_path / "plain"))).load()
    packed = FashionMnist(path=str(write_mnist_like(tmp_path / "packed", compress=True))).load()
    assert plain.fingerprint == packed.fingerprint


def test_what_also_occurs_in_test_leaves_train(tmp_path):
    write_mnist_like(tmp_path)
    pixels, _ = arrays(100, seed=0)
    pixels[30] = arrays(40, seed=1)[0][0]  # both of class 0
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
    loaded = FashionMnist(path=str(tmp_path)).load()
    assert loaded.audit.duplicates == ("fashion-mnist/train/00030",)
    assert len(loaded["test"]) == 40


def test_a_stamp_changes_when_a_file_does(tmp_path):
    source = FashionMnist(path=str(write_mnist_like(tmp_path)))
    before = source.stamp()
    assert source.stamp() == before
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(b"")
    assert source.stamp() != before


def test_missing_data_say_where_was_looked_and_how_to_get_it(tmp_path):
    with pytest.raises(DataError, match=r"looked in .*nowhere, .*FashionMNIST/raw. Get the data with `apt-get install dataset-fashion-mnist`"):
        FashionMnist(path=str(tmp_path / "nowhere")).load()


def test_one_missing_file_of_the_four_is_named(tmp_path):
    write_mnist_like(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte is missing, compressed \(.gz\) or not"):
        FashionMnist(path=str(tmp_path)).load()


def spoil(content):
    return {
        "truncated": (content[:-1], "announces 100 x 28 x 28 values, 78400 bytes, and holds 78399 bytes"),
        "too long": (content + b"\0", "78400 bytes, and holds more"),
        "without header": (content[:9], "has 9 bytes, less than an idx header"),
        "of labels": (idx_bytes(np.zeros(100, np.uint8)) + bytes(99), "magic number 2049; expected 2051"),
        "of floats": (content[:2] + b"\x0d" + content[3:], "magic number 3331; expected 2051"),
        "of other pictures": (idx_bytes(np.zeros((100, 32, 30), np.uint8)), "images of 30 x 32; expected 28 x 28"),
        "of fewer pictures": (idx_bytes(arrays(99, 0)[0]), "holds 99 images and .*train-labels-idx1-ubyte 100 labels"),
    }


@pytest.mark.parametrize("way", spoil(b""))
def test_a_wrong_file_is_named_with_what_was_found_and_what_to_do(tmp_path, way):
    path = write_mnist_like(tmp_path) / "train-images-idx3-ubyte"
    content, message = spoil(path.read_bytes())[way]
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"train-images-idx3-ubyte .*{message}.*apt-get install"):
        FashionMnist(path=str(tmp_path)).load()


def test_a_label_outside_the_map_is_named_with_its_row(tmp_path):
    labels = arrays(100, 0)[1]
    labels[17] = 10
    (write_mnist_like(tmp_path) / "train-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte, row 17: the label 10 is outside the label map of 10 classes"):
        FashionMnist(path=str(tmp_path)).load()


@pytest.mark.parametrize(
    "content",
    [gzip.compress(idx_bytes(np.zeros(500, np.uint8)), mtime=0)[:-12], b"no gzip at all", b"\x1f\x8b\x08\0" + bytes(40)],
    ids=["truncated", "no gzip", "a header alone"],
)
def test_a_damaged_compressed_file_is_named(tmp_path, content):
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"labels.gz cannot be read: .*; it is damaged or truncated. Fetch it."):
        read_idx(path, 1, "Fetch it.")


@pytest.mark.skipif(not Path(SYSTEM_FOLDERS[0]).is_dir(), reason="the system has no package with the data")
def test_without_a_path_the_package_of_the_system_is_found():
    loaded = FashionMnist().load()
    assert loaded.audit.found == 70_000
    assert 9_990 <= len(loaded["test"]) <= 10_000  # the official split, less the images that contradict others
