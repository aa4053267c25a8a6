"""A folder of images per class."""

import numpy as np
import pytest
from PIL import Image

from windtunnel.datasets.folder import Folder
from windtunnel.errors import DataError


def write_images(folder, count, seed, side=12):
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    for row in range(count):
        Image.fromarray(pixels[row]).save(folder / f"{row:03d}.png")
    return pixels


@pytest.fixture
def classes(tmp_path):
    """path/class/image."""
    for seed, name in enumerate(["cat", "dog"]):
        write_images(tmp_path / name, 20, seed)
    return tmp_path


@pytest.fixture
def official(tmp_path):
    """path/split/class/image."""
    for seed, split in enumerate(["train", "test"]):
        for label, name in enumerate(["cat", "dog"]):
            write_images(tmp_path / split / name, 10, 2 * seed + label)
    return tmp_path


def load(path, **arguments):
    return Folder(path=str(path), size=12, **arguments).load()


def test_one_folder_per_class_is_split(classes):
    loaded = load(classes)
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 24, "val": 6, "test": 10}
    assert loaded["test"].classes == ("cat", "dog")
    assert loaded.audit.balance == {"cat": 20, "dog": 20}
    expected = {0: "cat", 1: "dog"}
    assert all(name.startswith(expected[label]) for name, label in zip(loaded["test"].ids, loaded["test"].labels.tolist(), strict=True))


def test_ids_are_relative_paths_and_pixels_those_of_the_files(classes):
    test = load(classes)["test"]
    for row, name in enumerate(test.ids):
        assert np.array_equal(test.pixels([row])[0], np.asarray(Image.open(classes / name)))


def test_splits_that_are_there_are_kept(official):
    loaded = load(official)
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 16, "val": 4, "test": 20}
    assert all(name.startswith("test/") for name in loaded["test"].ids)
    assert all(name.startswith("train/") for name in loaded["val"].ids)


def test_the_place_of_the_folder_does_not_move_the_fingerprint(classes, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere") / "copy"
    classes.rename(other)
    try:
        moved = load(other).fingerprint
    finally:
        other.rename(classes)
    assert load(classes).fingerprint == moved


def test_images_of_any_size_come_out_square_in_the_asked_channels(classes):
    write_images(classes / "cat", 20, 0, side=31)
    assert Folder(path=str(classes), size=16, channels=1).load()["test"].pixels().shape == (10, 16, 16, 1)


def test_files_that_go_with_images_and_hidden_ones_are_left_out(classes):
    for name in ("README.md", "cat/Thumbs.db", "cat/.DS_Store", ".git", "dog/LICENSE"):
        (classes / name).write_text("no image")
    (classes / ".cache").mkdir()
    assert load(classes).audit.found == 40


@pytest.mark.parametrize("name", ["notes.txt", "broken.jpg", "archive.zip"])
def test_a_file_that_is_no_image_is_an_error_and_never_skipped(classes, name):
    (classes / "cat" / name).write_text("no image")
    with pytest.raises(DataError, match=rf"cat/{name}: the image cannot be read"):
        load(classes)


def test_a_truncated_image_is_named(classes):
    path = classes / "dog" / "007.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"dog/007.png: the image cannot be read \(.*truncated.*Replace the file or remove it"):
        load(classes)


def test_a_link_out_of_the_folder_is_refused(classes, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    write_images(outside, 1, 9)
    (classes / "cat" / "link.png").symlink_to(outside / "000.png")
    with pytest.raises(DataError, match=r"cat/link.png leads out of its folder, to .*000.png; everything must lie below"):
        load(classes)
    (classes / "cat" / "link.png").unlink()
    (classes / "bird").symlink_to(outside)
    with pytest.raises(DataError, match=r"bird leads out of its folder"):
        load(classes)


def test_a_link_within_the_folder_is_an_image_like_others(classes):
    (classes / "cat" / "link.png").symlink_to("000.png")
    assert load(classes).audit.duplicates == ("cat/link.png",)


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DataError, match=r"The folder '.*nowhere' does not exist .*path/class/image"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / "cat" / "more").mkdir(), r"cat/more is a folder inside a class folder; expected path/class/image"),
        (lambda root: (root / "bird").mkdir(), r"The class folder .*bird holds no image; add some, or remove"),
        (lambda root: (root / "loose.png").write_bytes(b""), r"loose.png lies outside every class folder"),
    ],
)
def test_another_layout_is_an_error_that_says_which_is_expected(classes, spoil, message):
    spoil(classes)
    with pytest.raises(DataError, match=message):
        load(classes)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match="holds no class folder; expected path/class/image"):
        load(tmp_path)


def test_a_class_of_test_that_train_lacks_is_an_error(official):
    write_images(official / "test" / "dig", 2, 7)
    with pytest.raises(DataError, match=r"test/dig is a class that train does not have. Did you mean 'dog'"):
        load(official)


def test_an_equal_image_in_another_class_is_a_conflict(classes):
    (classes / "dog" / "same.png").write_bytes((classes / "cat" / "003.png").read_bytes())
    assert load(classes).audit.conflicts == ("cat/003.png", "dog/same.png")


def test_a_stamp_notices_a_new_a_changed_and_a_removed_file(classes):
    source = Folder(path=str(classes), size=12)
    stamps = [source.stamp(), source.stamp()]
    write_images(classes / "cat", 1, 99)
    stamps.append(source.stamp())
    (classes / "dog" / "019.png").rename(classes / "dog" / "020.png")
    stamps.append(source.stamp())
    assert stamps[0] == stamps[1]
    assert len(set(stamps)) == 3
    assert Folder(path=str(classes / "nowhere")).stamp() != stamps[0]


def test_the_title_is_the_name_that_was_given_or_the_folders_own(classes):
    assert Folder(path="some/birds").title == "birds"
    assert load(classes, name="pets")["test"].name == "pets[test]"
