"""The sequences of ImageNet-P, from a small copy in the published layout to the answers for each frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from support.sequences import grey, write_greys, write_video

from windtunnel.builtins import DATASETS, THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.sequences import FRAMES, TESTED
from windtunnel.core.victim import Victim
from windtunnel.errors import DataError

IDS = ("n01440764/a.mp4", "n01443537/b.mp4")


def threat(root, perturbation="rotate", **arguments):
    return THREATS.load("imagenet-p")(perturbation=perturbation, path=str(root), partial=True, **arguments)


def first_frames(made) -> Batch:
    """What the threat is called with: the data that it names."""
    return DATASETS.load("imagenet-p")(**made.elsewhere_options).load()["test"].batch()


def by_brightness(threshold: int) -> Victim:
    """Two classes: dark and bright."""
    return Victim.of(lambda inputs: torch.stack([threshold / 255 - inputs.mean((1, 2, 3)), inputs.mean((1, 2, 3)) - threshold / 255], 1))


def test_the_sequences_are_as_long_as_they_were_published_and_ten_are_tested():
    assert len(TESTED) == 10
    assert set(FRAMES) - set(TESTED) == {"speckle_noise", "gaussian_blur", "spatter", "shear"}  # for validation
    assert {name: number for name, number in FRAMES.items() if number != 31} == {"translate": 41}
    with pytest.raises(ValidationError, match="Did you mean 'rotate'"):
        THREATS.load("imagenet-p")(perturbation="rotat")


def test_each_level_is_one_frame_of_the_sequence_that_the_id_names(tmp_path):
    write_greys(tmp_path, "rotate")
    made = threat(tmp_path)
    batch = first_frames(made)
    assert batch.ids == IDS
    assert batch.labels.tolist() == [0, 1]
    assert batch.inputs.shape == (2, 3, 224, 224)
    assert (made.elsewhere, made.levels[0], made.levels[-1]) == ("imagenet-p[test]", 1, 31)
    for number in (1, 2, 17, 31):
        seen = made.perturb(by_brightness(0), batch, made.levels[number - 1], 0)
        wanted = torch.tensor([6.0 * number, 6.0 * number + 1]) / 255
        assert (seen.mean((1, 2, 3)) - wanted).abs().max() < 0.008  # colour goes through YUV and back


def test_the_answer_to_every_frame_is_kept_and_flips_once_where_it_passes_the_threshold(tmp_path):
    write_greys(tmp_path, "translate")
    made = threat(tmp_path, "translate")
    found = made(by_brightness(100), first_frames(made))
    numbers = np.arange(1, 42)[:, None]
    np.testing.assert_array_equal(found.predicted, (6 * numbers + [[0, 1]] > 100).astype(int))
    assert (found.distance[0] == 0).all()
    assert (np.diff(found.distance, axis=0) > 0).all()


def test_batches_and_order_change_no_frame(tmp_path):
    write_greys(tmp_path, "tilt")
    made = threat(tmp_path, "tilt")
    batch = first_frames(made)
    whole = made(by_brightness(100), batch, keep=True).perturbed
    assert torch.equal(made(by_brightness(100), batch, micro_batch=1, keep=True).perturbed, whole)
    assert torch.equal(made(by_brightness(100), batch.take([1, 0]), keep=True).perturbed, whole[[1, 0]])


def test_harder_noise_lies_in_a_folder_of_its_own_and_other_sequences_are_the_same(tmp_path):
    write_greys(tmp_path, "shot_noise", "shot_noise_3")
    write_greys(tmp_path, "snow")
    assert len(first_frames(threat(tmp_path, "shot_noise", difficulty=3))) == 2
    assert len(first_frames(threat(tmp_path, "snow", difficulty=3))) == 2
    with pytest.raises(DataError, match=r"imagenet-p was not found at .*shot_noise"):
        first_frames(threat(tmp_path, "shot_noise"))


def test_sequences_of_another_length_damaged_or_missing_are_refused_by_name(tmp_path):
    name = "n01440764/a.mp4"
    made = threat(tmp_path, "scale")
    for count, said in ((30, "a.mp4: the sequence has no frame 31; expected 31 of them"), (32, "a.mp4: the sequence has more than 31 frames")):
        write_video(tmp_path / "scale" / name, [grey(number) for number in range(1, count + 1)])
        with pytest.raises(DataError, match=said):
            made(by_brightness(100), first_frames(made))
    batch = first_frames(made)
    (tmp_path / "scale" / name).write_bytes(b"no video")
    with pytest.raises(DataError, match=r"a\.mp4: it cannot be read as a video"):
        made(by_brightness(100), batch)
    (tmp_path / "scale" / name).unlink()
    with pytest.raises(DataError, match=r"imagenet-p lacks .*a\.mp4\. Get it from zenodo"):
        made(by_brightness(100), batch)
    with pytest.raises(DataError, match="leads out of its folder"):
        made(by_brightness(100), Batch(batch.inputs, batch.labels, ("../../other.mp4",)))


def test_an_incomplete_copy_is_refused_unless_it_is_meant(tmp_path):
    write_greys(tmp_path, "rotate")
    with pytest.raises(DataError, match="has 2 classes; expected 1000"):
        DATASETS.load("imagenet-p")(perturbation="rotate", path=str(tmp_path)).load()
