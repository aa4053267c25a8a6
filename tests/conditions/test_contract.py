"""What every condition in the name table promises."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from windtunnel.builtins import CONDITIONS
from windtunnel.core.dataset import Dataset
from windtunnel.core.modality import ANY

NAMES = tuple(CONDITIONS._builtin)
FITTING = {"imbalance": {"ratio": 20}}
"""Where the default is too much for fifty samples of a class."""
VARIANTS = [(name, FITTING.get(name, {})) for name in NAMES] + [
    ("label-noise", {"kind": "class-dependent"}),
    ("label-noise", {"kind": "class-dependent", "mapping": {"a": "c", "j": "b"}}),
    ("imbalance", {"ratio": 5, "profile": "step"}),
    ("missing", {"patch": 3}),
    ("near-duplicates", {"conflicting": True}),
]


def content(data: Dataset) -> tuple[object, ...]:
    stored = data.stored()
    inputs = stored.tobytes() if isinstance(stored, np.ndarray) else stored.rows
    return data.ids, data.labels.tolist(), inputs, None if data.groups is None else data.groups.tolist()


def test_no_condition_needs_torch() -> None:
    code = (
        f"import sys; from windtunnel.builtins import CONDITIONS\nfor name in {NAMES!r}:\n    CONDITIONS.load(name)().describe()\n"
        "assert not {'torch', 'PIL', 'scipy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_arguments_are_recorded_and_can_be_read_back(name, arguments) -> None:
    made = CONDITIONS.load(name)(**arguments)
    assert made.use == name
    assert type(made)(**made.arguments()) == made
    assert hash(type(made)(**made.arguments())) == hash(made)
    assert made.title.startswith(name)
    assert made.describe() == {"use": name, "version": made.version, "arguments": made.arguments()}
    with pytest.raises(ValidationError, match="colour"):
        CONDITIONS.load(name)(colour="red")


@pytest.mark.parametrize("modality", ["images", "texts"])
@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_training_data_changes_with_the_seed_alone_and_without_global_randomness(name, arguments, modality, request) -> None:
    data = request.getfixturevalue(modality)
    made = CONDITIONS.load(name)(**arguments)
    assert made.modality in (ANY, modality.removesuffix("s"))
    before, states = content(data), (np.random.get_state()[1].copy(), random.getstate())
    first, again, other = (content(made.apply(data, "train", seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != before
    assert first != other
    assert content(data) == before, "what is given is left alone"
    np.testing.assert_array_equal(np.random.get_state()[1], states[0])
    assert random.getstate() == states[1]


@pytest.mark.parametrize("modality", ["images", "texts"])
@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_the_order_of_the_rows_does_not_matter(name, arguments, modality, request) -> None:
    data = request.getfixturevalue(modality)
    made = CONDITIONS.load(name)(**arguments)
    turned = data.take(np.random.default_rng(1).permutation(len(data)))

    def by_id(found: Dataset) -> dict[str, object]:
        stored = found.stored()
        return {name: (int(label), stored[[row]].tobytes() if modality == "images" else stored.rows[row]) for row, (name, label) in
                enumerate(zip(found.ids, found.labels, strict=True))}  # fmt: skip

    assert by_id(made.apply(data, "train", 3)) == by_id(made.apply(turned, "train", 3))


@pytest.mark.parametrize("name", NAMES)
def test_the_validation_split_is_as_bad_unless_it_is_to_stay_clean(name, images) -> None:
    same, clean = (CONDITIONS.load(name)(validation=how, **FITTING.get(name, {})) for how in ("same", "clean"))
    assert content(same.apply(images, "val", 0)) != content(images)
    assert clean.apply(images, "val", 0) is images
    assert content(clean.apply(images, "train", 0)) == content(same.apply(images, "train", 0)) != content(images)
    assert same.describe() != clean.describe()


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_as_many_samples_are_left_as_the_plan_is_told(name, arguments, images) -> None:
    made = CONDITIONS.load(name)(**arguments)
    assert len(made.apply(images, "train", 0)) == made.kept(images.labels)


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_closed_fields_of_texts_stay_and_no_text_becomes_empty(name, arguments, texts) -> None:
    found = CONDITIONS.load(name)(**arguments).apply(texts, "train", 0)
    assert {row[1] for row in found.texts()} <= {row[1] for row in texts.texts()}
    assert all(row[0].strip() for row in found.texts())


@pytest.mark.parametrize(("name", "arguments"), VARIANTS)
def test_images_are_the_same_whenever_and_however_they_are_read(name, arguments, images) -> None:
    found = CONDITIONS.load(name)(**arguments).apply(images, "train", 0)
    whole = found.pixels()
    assert whole.shape[1:] == (6, 7, 3)
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(found.pixels([7, 3]), whole[[7, 3]])
    np.testing.assert_array_equal(found.take([7, 3]).pixels(), whole[[7, 3]])
    assert found.take([]).pixels().shape == (0, 6, 7, 3)
