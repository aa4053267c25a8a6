"""Corrupted copies on disk are the images that a benchmark sees, complete or not there at all."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from support.small import Stripes

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.dataset import to_pixels
from windtunnel.core.victim import Victim
from windtunnel.errors import DataError, StoreError, UnknownNameError
from windtunnel.execution import materialize as module
from windtunnel.execution.materialize import materialize, members


def test_the_files_are_what_the_threat_makes_in_the_layout_of_imagenet_c(tmp_path):
    seen = []
    made = materialize(
        Stripes(), tmp_path / "copy", corruptions=["gaussian-noise", "jpeg"], severities=[2, 5], samples=12, seed=3,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    manifest = json.loads((made / "manifest.json").read_text())
    assert sorted(path.name for path in made.iterdir()) == ["gaussian_noise", "jpeg_compression", "manifest.json"]
    assert len(list(made.rglob("*.png"))) == 2 * 2 * 12 == seen[-1][0] == seen[-1][1]
    assert manifest["data"]["images"] == 12
    assert manifest["corruptions"]["gaussian_noise"]["arguments"]["severities"] == [2, 5]
    part = Stripes().load()["test"]
    for place, name in manifest["ids"].items():
        row = part.ids.index(name)
        assert place.split("/")[0] == part.classes[part.labels[row]]
        batch = part.batch([row])
        changed = THREATS.load("gaussian-noise")(severities=5)(
            Victim.of(lambda inputs: inputs.flatten(1)), Batch(batch.inputs, batch.labels, batch.ids), seed=3, keep=True
        )
        with Image.open(made / "gaussian_noise" / "5" / place) as image:
            np.testing.assert_array_equal(np.asarray(image), to_pixels(changed.perturbed)[0, ..., 0])


def test_the_same_command_writes_the_same_pixels(tmp_path):
    first, second = (materialize(Stripes(), tmp_path / name, corruptions=["fog"], severities=[3]) for name in ("a", "b"))
    digests = [json.loads((place / "manifest.json").read_text())["sha256"] for place in (first, second)]
    assert digests[0] == digests[1]
    assert list(digests[0]) == ["fog/3"]


def test_names_stand_for_sets_and_corruptions_each_once():
    assert members(["quick", "fog", "webp"])[-1] == "webp"
    assert len(members(["quick", "fog", "webp"])) == 7
    with pytest.raises(UnknownNameError, match=r"Unknown corruption 'comon'. Did you mean 'common'"):
        members(["comon"])


def test_what_is_there_is_never_mixed_with_or_lost(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="holds something already"):
        materialize(Stripes(), tmp_path / "full", corruptions=["fog"])
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert (materialize(Stripes(), tmp_path / "empty", corruptions=["fog"], severities=[1]) / "manifest.json").is_file()


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(path, pixels):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_save", full)
    with pytest.raises(StoreError, match=r"cannot be written: No space left on device. Nothing was left behind"):
        materialize(Stripes(), tmp_path / "copy", corruptions=["fog"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "said"), [({"severities": [6]}, "found 6"), ({"severities": []}, "found none"), ({"samples": 999}, "fewer than the 999")]
)
def test_mistakes_are_told(changes, said, tmp_path):
    with pytest.raises((DataError, ValueError), match=said if "6" not in said else "6|5"):
        materialize(Stripes(), tmp_path / "copy", **{"corruptions": ["fog"], **changes})
    assert list(tmp_path.iterdir()) == []
