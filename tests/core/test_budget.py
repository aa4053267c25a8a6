from fractions import Fraction

import pytest
import torch
from pydantic import ValidationError

from windtunnel.core.budget import Budget, check_radius, distances, tolerance
from windtunnel.errors import BudgetError


def test_distances_are_the_norms_of_each_sample_over_all_its_values():
    inputs = torch.zeros(2, 1, 2, 2)
    changed = torch.tensor([[[[0.5, 0.0], [-0.25, 0.0]]], [[[0.0, 0.0], [0.0, 0.0]]]])
    expected = {"Linf": [0.5, 0], "L2": [(0.25 + 0.0625) ** 0.5, 0], "L1": [0.75, 0], "L0": [2, 0]}
    for norm, values in expected.items():
        found = distances(norm, inputs, changed)
        assert found.dtype == torch.float64
        assert found.tolist() == values


@pytest.mark.parametrize("text", ["8/255", " 8 / 255 ", Fraction(8, 255)])
def test_a_radius_is_exact_however_it_is_written(text):
    assert Budget(eps=text).eps == Fraction(8, 255)
    assert str(Budget(eps=text)) == "Linf 8/255"


def test_decimal_radii_are_exact_too():
    assert Budget(norm="L2", eps=0.5).eps == Fraction(1, 2)
    assert Budget(norm="L2", eps="0.1").eps == Fraction(1, 10)


def test_a_radius_in_eight_bit_units_is_refused_with_what_was_meant():
    with pytest.raises(BudgetError, match=r'Linf radius of 8 is larger than .* Did you mean "8/255"\?'):
        Budget(eps=8)
    with pytest.raises(BudgetError, match=r"larger than the whole input range \[0, 1\]\.$"):
        check_radius("Linf", Fraction(3, 2))
    check_radius("L2", Fraction(3))


@pytest.mark.parametrize("eps", [-1, "-8/255", "8/0", "eight", None, True, float("nan"), [1]])
def test_what_is_no_radius_is_refused(eps):
    with pytest.raises(ValidationError, match=r"is not a number|is negative"):
        Budget(eps=eps)


def test_unknown_norms_and_arguments_are_refused():
    with pytest.raises(ValidationError, match="Linf"):
        Budget(norm="linf")
    with pytest.raises(ValidationError, match="radius"):
        Budget(radius=1)


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_the_tolerance_covers_rounding_and_nothing_that_matters(norm):
    inputs = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    size = inputs[0].numel()
    change = torch.rand(inputs.shape, generator=torch.Generator().manual_seed(1)) - 0.5
    exact = distances(norm, torch.zeros_like(inputs), change)
    rounded = distances(norm, inputs, inputs + change)
    allowed = tolerance(norm, float(exact.max()), size)
    assert float((rounded - exact).abs().max()) <= allowed
    assert allowed < 1e-3 * float(exact.min())


def test_a_count_of_pixels_has_no_tolerance():
    assert tolerance("L0", 5, 100) == 0
