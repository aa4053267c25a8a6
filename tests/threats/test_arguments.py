from fractions import Fraction

import pytest
from pydantic import ValidationError

from windtunnel.errors import BudgetError
from windtunnel.threats.clean import Clean
from windtunnel.threats.corruptions.fog import Fog
from windtunnel.threats.gradient.apgd import APGD
from windtunnel.threats.gradient.fgsm import FGSM
from windtunnel.threats.gradient.pgd import PGD
from windtunnel.threats.minimum.cw import CW
from windtunnel.threats.shift import Shift


def test_radii_are_exact_ascending_and_distinct():
    assert PGD(eps=["8/255", 0.5, "2/255", "8/255"]).levels == (Fraction(2, 255), Fraction(8, 255), Fraction(1, 2))


def test_arguments_are_recorded_with_their_defaults_as_plain_values():
    assert PGD(eps="4/255", step="1/255").arguments() == {
        "norm": "Linf",
        "eps": ["4/255"],
        "loss": "ce",
        "steps": 40,
        "step": "1/255",
        "random_start": True,
        "restarts": 1,
        "eot": 1,
        "stop_when_broken": True,
    }


@pytest.mark.parametrize(
    ("threat", "arguments", "message"),
    [
        (FGSM, {"norm": "L1"}, "Input should be 'Linf' or 'L2'"),
        (CW, {"norm": "Linf"}, "Input should be 'L2'"),
        (PGD, {"norm": "L0"}, "Input should be 'Linf', 'L2' or 'L1'"),
        (PGD, {"steps": 0}, "greater than 0"),
        (PGD, {"restarts": 0}, "greater than 0"),
        (PGD, {"step": "-1/255"}, "is negative"),
        (PGD, {"eps": []}, "the list is empty"),
        (APGD, {"rho": 1.5}, "less than or equal to 1"),
        (APGD, {"loss": "mse"}, "'ce', 'dlr' or 'margin'"),
        (CW, {"c": 0}, "greater than 0"),
        (CW, {"kappa": -1}, "greater than or equal to 0"),
        (Fog, {"severities": []}, "the list is empty; give at least one severity"),
        (Fog, {"severities": [0, 1]}, "greater than or equal to 1"),
        (Fog, {"severities": 6}, "less than or equal to 5"),
        (Fog, {"scale": "tiny"}, "'auto', 'imagenet' or 'cifar'"),
        (Shift, {}, "data"),
        (Shift, {"data": ""}, "at least 1 character"),
        (Clean, {"eps": 1}, "eps"),
    ],
)
def test_wrong_arguments_are_refused(threat, arguments, message):
    with pytest.raises(ValidationError, match=message):
        threat(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"eps": 8}, r'Did you mean "8/255"\?'),
        ({"eps": ["1/255", "256/255"]}, "larger than the whole input range"),
        ({"step": 0}, "a step of length 0 goes nowhere"),
        ({"restarts": 3, "random_start": False}, "3 restarts without random_start are 3 times the same"),
    ],
)
def test_arguments_that_make_no_sense_together_are_refused(arguments, message):
    with pytest.raises(BudgetError, match=message):
        PGD(**arguments)


def test_severities_may_be_one_number_and_are_kept_ascending():
    assert Fog(severities=3).levels == (Fraction(3),)
    assert Fog(severities=[5, 1, 1]).severities == (1, 5)
    assert Fog().severities == (1, 2, 3, 4, 5)


def test_l2_radii_may_be_larger_than_1():
    assert APGD(norm="L2", eps=3).levels == (Fraction(3),)
