"""Minibatches made ahead: in order, with their errors, and no thread is left behind."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from windtunnel import make_recipe
from windtunnel.core.dataset import Indices, Pixels
from windtunnel.recipes.ahead import DEPTH, ahead


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "minibatches"]


def test_everything_comes_in_order_and_the_thread_ends() -> None:
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead(iter([]))) == []
    assert running() == []


def test_items_are_made_in_another_thread_while_one_is_used_but_not_many() -> None:
    made: list[str] = []

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(threading.current_thread().name)
            yield number

    found = ahead(items())
    assert next(found) == 0
    deadline = time.monotonic() + 5
    while len(made) < DEPTH + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert DEPTH + 1 <= len(made) <= DEPTH + 2
    assert set(made) == {"minibatches"}
    found.close()
    assert running() == []


def test_what_the_source_raises_is_raised_after_what_came_before_it() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise KeyError("the file is gone")

    seen = []

    def read() -> None:
        for item in ahead(items()):
            seen.append(item)

    with pytest.raises(KeyError, match="the file is gone"):
        read()
    assert seen == [0, 1, 2]
    assert running() == []


@pytest.mark.parametrize("raises", [False, True])
def test_the_thread_ends_when_the_consumer_stops_early_or_raises(raises) -> None:
    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    def use() -> None:
        for item in ahead(endless()):
            if item == 5:
                if raises:
                    raise ArithmeticError("the step failed")
                return

    if raises:
        with pytest.raises(ArithmeticError, match="the step failed"):
            use()
    else:
        use()
    assert running() == []


@dataclasses.dataclass(frozen=True)
class Decoded:
    """Images that are not at hand, as those of files; says in which threads they were read."""

    pixels: Pixels
    readers: set[str]

    def __getitem__(self, indices: Indices) -> Pixels:
        self.readers.add(threading.current_thread().name)
        return self.pixels[indices]


def test_training_is_the_same_to_the_byte_whether_minibatches_are_made_ahead_or_not(work) -> None:
    recipe = make_recipe("full", epochs=3, batch=16, dropout=0.3)
    plain = recipe.finetune(work())
    material, readers = work(), set()
    slow = dataclasses.replace(material.train, store=Decoded(np.asarray(material.train.pixels()), readers))
    done = recipe.finetune(dataclasses.replace(material, train=slow))
    assert readers == {"minibatches"}
    assert all(torch.equal(done.last[name], plain.last[name]) for name in plain.last)
    assert done.curves == plain.curves
    assert running() == []
