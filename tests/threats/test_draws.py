import random

import numpy as np
import pytest
import torch

from windtunnel.errors import VictimError
from windtunnel.seeding import generators
from windtunnel.threats.library.draws import KeyedDraws

IDS = tuple(f"s{row}" for row in range(64))
LIKE = torch.empty(64, 1, 4, 4)

PER_SAMPLE = {
    "rand": lambda like: torch.rand(like.shape),
    "rand of separate sizes": lambda like: torch.rand(*like.shape),
    "rand of a size keyword": lambda like: torch.rand(size=list(like.shape), dtype=torch.float64),
    "randn": lambda like: torch.randn(like.shape),
    "randint": lambda like: torch.randint(10, like.shape),
    "randint from": lambda like: torch.randint(-5, 6, tuple(like.shape)),
    "randint by keywords": lambda like: torch.randint(low=-5, high=6, size=tuple(like.shape)),
    "rand_like": torch.rand_like,
    "randn_like": torch.randn_like,
    "randint_like": lambda like: torch.randint_like(like, 3, 9),
    "uniform_": lambda like: torch.empty_like(like).uniform_(-3, 3),
    "normal_": lambda like: torch.empty_like(like).normal_(1, 2),
    "random_": lambda like: torch.empty_like(like).random_(0, 7),
    "random_ without ends": lambda like: torch.empty_like(like).random_(),
    "bernoulli_": lambda like: torch.empty_like(like).bernoulli_(0.3),
    "bernoulli": lambda like: torch.bernoulli(torch.full_like(like, 0.3)),
    "normal": lambda like: torch.normal(torch.zeros_like(like), 2.0),
    "normal of a size": lambda like: torch.normal(1.0, 2.0, tuple(like.shape)),
    "exponential_": lambda like: torch.empty_like(like).exponential_(2.0),
}
SHARED = {
    "a window's place": lambda: torch.rand([1]),
    "a sign per channel": lambda: torch.rand(3, 1, 1),
    "a permutation": lambda: torch.randperm(9),
    "a number": lambda: torch.randint(0, 1000, (5,)),
}


def draw(function, rows, seed=0, purpose="test"):
    with KeyedDraws([IDS[row] for row in rows], seed, purpose):
        return [function(LIKE[: len(rows)]) for _ in range(2)]


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_a_sample_gets_the_same_draws_in_batches_of_1_7_and_64_and_in_any_order(name):
    whole = draw(PER_SAMPLE[name], range(64))
    assert not torch.equal(whole[0], whole[1])  # the stream goes on
    assert not torch.equal(whole[0][0], whole[0][1])  # another sample, another stream
    for rows in ([5], list(range(7)), list(reversed(range(64)))):
        for found, expected in zip(draw(PER_SAMPLE[name], rows), whole, strict=True):
            assert torch.equal(found, expected[rows])


@pytest.mark.parametrize("name", SHARED)
def test_other_draws_are_shared_by_every_batch(name):
    def function(like):
        return SHARED[name]()

    first, second = draw(function, range(64)), draw(function, [3, 1])
    assert all(torch.equal(left, right) for left, right in zip(first, second, strict=True))
    assert not torch.equal(first[0], first[1])


def test_another_seed_and_another_purpose_draw_otherwise():
    function = PER_SAMPLE["rand"]
    first = draw(function, [0])[0]
    assert not torch.equal(first, draw(function, [0], seed=1)[0])
    assert not torch.equal(first, draw(function, [0], purpose="other")[0])


def test_draws_are_those_of_the_projects_generators():
    (stream,) = generators(3, "test", ["s2"])
    expected = stream.random((1, 4, 4), dtype=np.float32)
    np.testing.assert_array_equal(draw(PER_SAMPLE["rand"], [2], seed=3)[0][0], expected)


@pytest.mark.parametrize(
    ("name", "low", "high", "mean"),
    [
        ("rand", 0, 1, 0.5),
        ("uniform_", -3, 3, 0),
        ("randint", 0, 9, 4.5),
        ("randint from", -5, 5, 0),
        ("randint_like", 3, 8, 5.5),
        ("random_", 0, 6, 3),
        ("bernoulli_", 0, 1, 0.3),
        ("bernoulli", 0, 1, 0.3),
        ("normal", -12, 12, 0),
        ("normal of a size", -12, 14, 1),
        ("normal_", -12, 14, 1),
        ("exponential_", 0, 12, 0.5),
    ],
)
def test_draws_have_the_range_and_the_mean_that_torch_documents(name, low, high, mean):
    values = draw(PER_SAMPLE[name], range(64))[0].double()
    assert values.min() >= low
    assert values.max() <= high
    assert abs(float(values.mean()) - mean) < 5 * float(values.std()) / values.numel() ** 0.5


def test_types_devices_and_gradients_are_as_asked_for():
    with KeyedDraws(IDS[:2], 0, "test"):
        assert torch.rand(2, 1, 2, 2).dtype == torch.get_default_dtype()
        assert torch.rand(2, 1, 2, 2, dtype=torch.float64, requires_grad=True).requires_grad
        assert torch.randint(3, (2,)).dtype == torch.int64
        assert torch.rand_like(torch.empty(2, 1, 2, 2, dtype=torch.float16)).dtype == torch.float16
        assert torch.rand(3, device="meta").device.type == "meta"


def test_an_explicit_generator_is_left_alone():
    with KeyedDraws(IDS[:2], 0, "test"):
        found = torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(5))
    assert torch.equal(found, torch.rand(2, 1, 2, 2, generator=torch.Generator().manual_seed(5)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: torch.multinomial(torch.ones(4), 2),
        lambda: torch.nn.functional.dropout(torch.ones(4), 0.5),
        lambda: torch.empty(3).cauchy_(),
        lambda: torch.poisson(torch.ones(3)),
        lambda: torch.nn.init.normal_(torch.empty(3)),
        lambda: torch.rand(3, out=torch.empty(3)),
    ],
)
def test_draws_without_a_keyed_counterpart_are_refused(call):
    before = torch.get_rng_state()
    with pytest.raises(VictimError, match=r"which would draw from the global generator|has no keyed counterpart"), KeyedDraws(IDS[:2], 0, "test"):
        call()
    assert torch.equal(torch.get_rng_state(), before)


def test_global_generators_are_untouched():
    torch_state, numpy_state, python_state = torch.get_rng_state(), np.random.get_state(), random.getstate()
    for function in PER_SAMPLE.values():
        draw(function, range(3))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert all(np.array_equal(left, right) for left, right in zip(np.random.get_state(), numpy_state, strict=True))
    assert random.getstate() == python_state


def test_draws_are_torchs_own_again_afterwards():
    draw(PER_SAMPLE["rand"], [0])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = torch.rand(1, 1, 4, 4)
    assert torch.equal(found, torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(0)))
