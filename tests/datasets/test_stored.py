"""Published test sets from small copies on disk, in the layout that they are published in."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from windtunnel.builtins import DATASETS
from windtunnel.core.classes import groups, imagenet_ids
from windtunnel.datasets.corrupted_arrays import CIFAR10, CIFAR100
from windtunnel.errors import DataError

IDS = imagenet_ids()
FOLDERS = {
    "imagenet": ("n01440764", "n01443537"),
    "imagenet-a": ("n01498041", "n01531178"),
    "imagenet-r": ("n01443537", "n01484850"),
    "imagenet-sketch": ("n01440764", "n01443537"),
    "imagenet-v2": ("0", "2", "10"),
}


def picture(path, width=300, height=260, seed=0, border=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if border is not None:
        pixels[[0, -1]] = border
        pixels[:, [0, -1]] = border
    Image.fromarray(pixels).save(path)


def source(name, path, **arguments):
    return DATASETS.load(name)(path=str(path), **arguments)


@pytest.mark.parametrize("name", FOLDERS)
def test_class_folders_become_classes_that_a_victim_of_imagenet_knows(name, tmp_path):
    for number, folder in enumerate(FOLDERS[name]):
        for row in range(2):
            picture(tmp_path / folder / f"b{row}.png", seed=10 * number + row)
    found = source(name, tmp_path, partial=True).load()["test"]
    assert len(found) == 2 * len(FOLDERS[name])
    wanted = ("n01440764", "n01484850", "n01530575") if name == "imagenet-v2" else FOLDERS[name]  # tench, great white shark, brambling
    assert found.classes == wanted
    assert groups(IDS, found.classes) == tuple((IDS.index(each),) for each in found.classes)
    assert found.pixels([0]).shape == (1, 224, 224, 3)


def test_the_shorter_side_is_brought_to_256_and_the_middle_cut_out(tmp_path):
    picture(tmp_path / "n01440764" / "a.png", 400, 256)
    pixels = source("imagenet", tmp_path, partial=True).load()["test"].pixels([0])[0]
    with Image.open(tmp_path / "n01440764" / "a.png") as whole:
        np.testing.assert_array_equal(pixels, np.asarray(whole)[16:240, 88:312])


def test_an_incomplete_copy_is_refused_unless_it_is_meant(tmp_path):
    picture(tmp_path / "n01440764" / "a.png")
    with pytest.raises(DataError, match=r"imagenet at .* has 1 classes; expected 1000\..*partial: true"):
        source("imagenet", tmp_path).load()


def test_a_set_that_is_not_there_says_where_to_get_it_and_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WINDTUNNEL_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"imagenet-r was not found at .*imagenet-r\. Get it from the authors .*set WINDTUNNEL_DATA"):
        DATASETS.load("imagenet-r")().load()


def test_a_folder_that_is_no_class_is_refused(tmp_path):
    picture(tmp_path / "cats" / "a.png")
    with pytest.raises(DataError, match="cats is no class of ImageNet"):
        source("imagenet-a", tmp_path, partial=True).load()
    with pytest.raises(DataError, match="cats is no class of ImageNet-V2"):
        source("imagenet-v2", tmp_path, partial=True).load()


def test_a_changed_file_changes_stamp_and_fingerprint(tmp_path):
    picture(tmp_path / "n01440764" / "a.png")
    data = source("imagenet", tmp_path, partial=True)
    before = data.stamp(), data.load().fingerprint
    picture(tmp_path / "n01440764" / "a.png", 310)
    assert data.stamp() != before[0]
    assert data.load().fingerprint != before[1]


def test_a_corrupted_copy_of_imagenet_holds_the_severities_asked_for(tmp_path):
    for severity in range(1, 6):
        for folder in ("n01440764", "n01443537"):
            picture(tmp_path / "fog" / str(severity) / folder / "a.png", 224, 224, seed=severity)
    data = source("imagenet-c", tmp_path, corruption="fog", severities=(2, 4), partial=True)
    assert data.title == "imagenet-c/fog"
    found = data.load()["test"]
    assert found.ids == ("fog/2/n01440764/a.png", "fog/4/n01440764/a.png", "fog/2/n01443537/a.png", "fog/4/n01443537/a.png")
    assert found.labels.tolist() == [0, 0, 1, 1]
    with Image.open(tmp_path / "fog/2/n01440764/a.png") as stored:
        np.testing.assert_array_equal(found.pixels([0])[0], np.asarray(stored))
    with pytest.raises(DataError, match=r"no corruption 'frog'. Did you mean 'fog'\?"):
        source("imagenet-c", tmp_path, corruption="frog").load()


def test_a_class_of_objectnet_stands_for_all_classes_that_it_covers(tmp_path):
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/folder_to_objectnet_label.json").write_text(json.dumps({"alarm_clock": "Alarm clock", "basket": "Basket", "nut": "Nut"}))
    covered = {"Alarm clock": "analog clock; digital clock", "Basket": "shopping basket"}
    (tmp_path / "mappings/objectnet_to_imagenet_1k.json").write_text(json.dumps(covered))
    for folder in ("alarm_clock", "basket", "nut"):
        picture(tmp_path / "images" / folder / "a.png", 258, 258, border=(255, 0, 0))
    found = source("objectnet", tmp_path, partial=True).load()["test"]
    assert found.classes == ("n02708093|n03196217", "n04204238")  # a nut is no class of ImageNet's
    assert groups(IDS, found.classes) == ((409, 530), (790,))
    with Image.open(tmp_path / "images/alarm_clock/a.png") as stored:
        np.testing.assert_array_equal(found.pixels([0])[0], np.asarray(stored)[17:241, 17:241])
    (tmp_path / "mappings/objectnet_to_imagenet_1k.json").write_text(json.dumps({"Basket": "shopping bag of mine"}))
    with pytest.raises(DataError, match="'shopping bag of mine', which is no class of ImageNet"):
        source("objectnet", tmp_path, partial=True).load()


def cifar(folder, rows=4, name="fog", labels=None):
    folder.mkdir(exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (5 * rows, 32, 32, 3), dtype=np.uint8)
    np.save(folder / f"{name}.npy", pixels)
    np.save(folder / "labels.npy", np.tile(np.arange(rows), 5) if labels is None else labels)
    return pixels


def test_arrays_of_cifar_c_are_cut_into_severities(tmp_path):
    pixels = cifar(tmp_path)
    cifar(tmp_path, name="frost")
    found = source("cifar10-c", tmp_path, corruption="fog", severities=(3, 5), partial=True).load()["test"]
    assert found.classes == CIFAR10
    assert found.labels.tolist() == [0, 1, 2, 3] * 2
    np.testing.assert_array_equal(found.pixels([1, 6]), pixels[[2 * 4 + 1, 4 * 4 + 2]])
    assert len(source("cifar10-c", tmp_path, partial=True).load()["test"]) == 40
    assert (len(CIFAR100), CIFAR100[0], CIFAR100[99]) == (100, "apple", "worm")
    assert source("cifar100-c", tmp_path, corruption="fog", partial=True).load()["test"].classes == CIFAR100


def test_damaged_arrays_are_refused(tmp_path):
    cifar(tmp_path)
    with pytest.raises(DataError, match="4 images a severity; expected 10000"):
        source("cifar10-c", tmp_path).load()
    cifar(tmp_path, labels=np.full(20, 11))
    with pytest.raises(DataError, match=r"labels.npy, row 0: the label 11 is outside the label map of 10 classes"):
        source("cifar10-c", tmp_path, partial=True).load()
    np.save(tmp_path / "fog.npy", np.zeros((20, 32, 32, 3)))
    with pytest.raises(DataError, match=r"fog.npy holds float64 .*; expected uint8"):
        source("cifar10-c", tmp_path, partial=True).load()
    np.save(tmp_path / "fog.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(DataError, match=r"fog.npy cannot be read as an array"):
        source("cifar10-c", tmp_path, partial=True).load()


def test_mnist_c_is_padded_as_the_shipped_networks_expect(tmp_path):
    (tmp_path / "spatter").mkdir()
    pixels = np.random.default_rng(0).integers(1, 256, (6, 28, 28, 1), dtype=np.uint8)
    np.save(tmp_path / "spatter/test_images.npy", pixels)
    np.save(tmp_path / "spatter/test_labels.npy", np.arange(6))
    found = source("mnist-c", tmp_path, corruption="spatter", partial=True).load()["test"]
    np.testing.assert_array_equal(found.pixels()[:, 2:30, 2:30], pixels)
    assert found.pixels()[:, :2].max() == 0
    with pytest.raises(DataError, match="6 images of spatter; expected 10000"):
        source("mnist-c", tmp_path).load()
