"""Randomness is a function of what it is for, and of nothing else."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.seeding import digest, generator, generators, integer, reseed, scoped, uniforms

parts = st.lists(st.integers() | st.text(alphabet=st.characters(codec="utf-8"), max_size=5), max_size=4)


@settings(deadline=None)
@given(parts, parts)
def test_a_digest_tells_all_parts_and_their_borders_apart(one: list[int | str], other: list[int | str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


def test_numbers_and_the_texts_of_numbers_are_different_parts() -> None:
    assert digest(1) != digest("1")
    assert digest("a", "b") != digest("ab")
    assert digest("a", "") != digest("a")


def test_the_streams_are_pinned_so_that_old_records_stay_reproducible() -> None:
    written_out = hashlib.sha256(b"int:1:0str:3:fogstr:2:s1").digest()
    assert digest(0, "fog", "s1") == written_out
    assert integer(0, "fog", "s1") == int.from_bytes(written_out[:8], "little") >> 1
    # >>> key = numpy.frombuffer(written_out[:16], dtype=numpy.uint64)
    # >>> numpy.random.Generator(numpy.random.Philox(key=key)).integers(0, 1000, 5)
    assert generator(0, "fog", "s1").integers(0, 1000, 5).tolist() == [595, 759, 895, 124, 509]


def test_a_sample_draws_the_same_in_any_company() -> None:
    alone = [generators(3, "fog", [name])[0].standard_normal(4) for name in ("a", "b", "c")]
    together = [draws.standard_normal(4) for draws in generators(3, "fog", ["c", "a", "b"])]
    np.testing.assert_array_equal(alone, [together[1], together[2], together[0]])


def test_seed_purpose_and_sample_each_change_the_draws() -> None:
    first = [generator(*key).standard_normal() for key in [(0, "fog", "a"), (1, "fog", "a"), (0, "jpeg", "a"), (0, "fog", "b")]]
    assert len(set(first)) == 4


@settings(deadline=None)
@given(parts)
def test_integers_fit_63_bits(key: list[int | str]) -> None:
    assert 0 <= integer(*key) < 2**63


def _draw() -> tuple[float, float, float]:
    import torch

    return random.random(), float(np.random.random()), float(torch.rand(()))


def test_a_scope_keys_the_global_generators_and_restores_them() -> None:
    import torch

    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = [_draw(), _draw()]
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    assert _draw() == expected[0]
    with scoped(0, "a"):
        inside = _draw()
    assert _draw() == expected[1]
    with scoped(0, "a"):
        assert _draw() == inside
        reseed(0, "a")
        assert _draw() == inside
        reseed(0, "b")
        assert _draw() != inside


def test_a_scope_restores_after_an_error_too() -> None:
    random.seed(5)
    state = random.getstate()

    def fail() -> None:
        with scoped(0, "x"):
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert random.getstate() == state


def test_a_few_numbers_a_sample_are_uniform_keyed_and_the_same_in_any_company() -> None:
    ids = [f"s{row}" for row in range(4000)]
    found = uniforms(3, "flip", ids, 3)
    assert found.shape == (4000, 3)
    assert found.min() >= 0
    assert found.max() < 1
    assert np.histogram(found, 10, (0, 1))[0] == pytest.approx(1200, abs=150)
    assert abs(np.corrcoef(found.T) - np.eye(3)).max() < 0.06
    assert np.array_equal(uniforms(3, "flip", ["s7", "s2"], 2), found[[7, 2], :2]), "more numbers begin with the same ones"
    for other in (uniforms(4, "flip", ids, 3), uniforms(3, "crop", ids, 3)):
        assert abs(np.corrcoef(found[:, 0], other[:, 0])[0, 1]) < 0.06
    assert uniforms(3, "flip", ids[:2], 0).shape == (2, 0)
    assert uniforms(3, "flip", [], 2).shape == (0, 2)


def test_the_uniform_numbers_are_pinned() -> None:
    start = hashlib.sha256(b"str:8:uniformsint:1:0str:4:flip").digest()
    word = int.from_bytes(hashlib.shake_256(start + b"s1").digest(8), "little")
    assert uniforms(0, "flip", ["s1"], 1)[0, 0] == (word >> 11) / 2**53
