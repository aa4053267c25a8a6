"""The fingerprint moves with whatever can move a number, and with nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from windtunnel.core.dataset import Dataset
from windtunnel.datasets.content import read_contents
from windtunnel.datasets.fingerprint import fingerprint

PIXELS = np.random.default_rng(0).integers(0, 256, (300, 3, 5, 3), dtype=np.uint8)
BASE = Dataset("base", ("a", "b"), tuple(f"x/{row}" for row in range(300)), np.arange(300) % 2, PIXELS)


def other_pixel():
    pixels = PIXELS.copy()
    pixels[299, 2, 4, 2] ^= 1
    return {"test": replace(BASE, store=pixels)}


def other_label():
    labels = BASE.labels.copy()
    labels[200] = 1 - labels[200]
    return {"test": replace(BASE, labels=labels)}


CHANGES = {
    "a pixel": other_pixel,
    "a label": other_label,
    "an id": lambda: {"test": replace(BASE, ids=("y", *BASE.ids[1:]))},
    "a class name": lambda: {"test": replace(BASE, classes=("a", "c"))},
    "the shape": lambda: {"test": replace(BASE, store=PIXELS.transpose(0, 2, 1, 3).copy().reshape(300, 5, 3, 3))},
    "the same bytes in another shape": lambda: {"test": replace(BASE, store=PIXELS.reshape(300, 5, 3, 3))},
    "the split": lambda: {"val": BASE},
    "the border between splits": lambda: {"val": BASE.take(range(10)), "test": BASE.take(range(10, 300))},
    "one sample fewer": lambda: {"test": BASE.take(range(299))},
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_changes_with(change):
    assert fingerprint(CHANGES[change]()) != fingerprint({"test": BASE})


def test_it_does_not_change_with_the_name_the_store_the_order_of_splits_or_the_way_of_reading():
    first, second = BASE.take(range(100)), BASE.take(range(100, 300))
    base = fingerprint({"train": first, "test": second})
    renamed = replace(second, name="other", store=np.asarray(second.pixels()))
    assert fingerprint({"test": renamed, "train": first}) == base
    assert fingerprint({"train": first, "test": second}, read_contents(BASE)) == base
