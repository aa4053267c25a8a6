"""Attacks of the package torchattacks: all of them, as they are there, behind our verification."""

from __future__ import annotations

import inspect
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
import torchattacks
from pydantic import ValidationError
from support.victims import answered, convolutional, images

from windtunnel.builtins import THREATS
from windtunnel.core.victim import Victim
from windtunnel.errors import BudgetError, MissingPackageError, VictimError
from windtunnel.threats.library import torchattacks as library
from windtunnel.threats.library.torchattacks import KINDS, OURS

RADII = {"Linf": "0.1", "L2": "1.5", "L1": "20", "L0": "30"}
QUICK = {
    "Square": {"n_queries": 40},
    "SPSA": {"nb_sample": 16},
}
SLOW = ("AutoAttack",)
COLOUR = ("TIFGSM", "PIFGSM", "PIFGSMPP")  # the package has filters for three channels
FAST = [name for name in KINDS if name not in SLOW]
DETERMINISTIC = {
    "FGSM": {}, "BIM": {}, "PGD": {"random_start": False}, "MIFGSM": {}, "NIFGSM": {}, "SINIFGSM": {}, "PGDL2": {"random_start": False},
    "DeepFool": {}, "CW": {}, "EADL1": {}, "JSMA": {}, "UPGD": {},
}  # fmt: skip


def made(name, **arguments):
    return THREATS.load(f"torchattacks/{name}")(**{"eps": RADII[KINDS[name].norm], **QUICK.get(name, {}), **arguments})


def material(name, count=6):
    module = convolutional(10, 3) if name in COLOUR else convolutional()
    return module, answered(module, images(count, (3, 8, 8)) if name in COLOUR else images(count))


def test_every_attack_of_the_package_is_there():
    assert set(torchattacks.__all__) == {*KINDS, "VANILA", "MultiAttack", "LGV"}
    assert {name.removeprefix("torchattacks/") for name in THREATS if name.startswith("torchattacks/")} == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_its_parameters_and_defaults_are_those_of_the_constructor(name):
    taken = {key: value.default for key, value in inspect.signature(getattr(torchattacks, name).__init__).parameters.items()}
    radius = KINDS[name].radius
    for key, value in taken.items():
        if key not in ("self", "model", "norm", radius, *OURS):
            found = getattr(made(name) if key not in QUICK.get(name, {}) else THREATS.load(f"torchattacks/{name}")(eps=1), key)
            assert (float(found) if isinstance(found, Fraction) else found) == value
    if radius:
        assert [float(level) for level in THREATS.load(f"torchattacks/{name}")().eps] == [taken[radius]]
    with pytest.raises(ValidationError, match="colour"):
        made(name, colour="red")


@pytest.mark.parametrize("name", FAST)
def test_results_keep_the_budget_and_repeat_byte_for_byte(name):
    module, batch = material(name)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = (made(name)(Victim(module), batch, seed=3, keep=True) for _ in range(2))
    assert torch.equal(first.perturbed, second.perturbed)
    assert first.distance.max() <= float(Fraction(RADII[KINDS[name].norm])) + 1e-4
    assert not torch.equal(first.perturbed, batch.inputs) or name == "Pixle"
    assert (first.cost.queries > 0) == KINDS[name].black_box
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_it_makes_what_the_package_makes(name):
    module, batch = material(name)
    given = {**QUICK.get(name, {}), **DETERMINISTIC[name]}
    radius = KINDS[name].radius
    ours = made(name, **given, **({} if radius else {"eps": "1000"}))(Victim(module), batch, keep=True)
    level = {radius: float(Fraction(RADII[KINDS[name].norm]))} if radius else {}
    with warnings.catch_warnings(action="ignore"):
        theirs = getattr(torchattacks, name)(module, **given, **level)(batch.inputs, batch.labels)
    torch.testing.assert_close(ours.perturbed, theirs.detach(), rtol=0, atol=1e-4 if name.startswith("EAD") else 2e-6)


@pytest.mark.parametrize("name", ["PGD", "FFGSM", "RFGSM", "EOTPGD", "UPGD", "PGDL2", "TPGD"])
def test_starts_belong_to_samples_so_that_verdicts_do_not_depend_on_the_batch(name):
    module, batch = material(name, 12)
    whole = made(name)(Victim(module), batch, seed=3)
    parts = made(name)(Victim(module), batch, seed=3, micro_batch=5)
    np.testing.assert_array_equal(whole.correct, parts.correct)


def test_a_victim_without_gradient_makes_gradient_attacks_blind_and_not_fail():
    module, batch = material("PGD")
    out = made("PGD", random_start=False)(Victim.of(lambda inputs: module(inputs.detach())), batch, keep=True)
    assert torch.equal(out.perturbed, batch.inputs)
    assert "zero-gradients" in [flag.name for flag in out.flags]


def test_what_is_weaker_than_its_name_says_so():
    module, batch = material("CW")
    assert "not-the-published-method" in [flag.name for flag in made("CW")(Victim(module), batch).flags]
    assert "not-the-published-method" in [flag.name for flag in made("APGD")(Victim(module), batch).flags]
    assert made("APGD", steps=100).cautions(10, (1, 8, 8)) == ()
    assert [flag.name for flag in made("AutoAttack").cautions(10, (1, 8, 8))] == ["not-the-published-method"]


def test_code_of_the_package_that_fails_is_named():
    module, batch = material("PGD")
    with pytest.raises(VictimError, match=r"torchattacks/TIFGSM cannot attack victim with inputs of shape \(1, 8, 8\); the package says"):
        made("TIFGSM")(Victim(module), batch)


def test_radii_are_required_where_the_attack_has_none_and_are_checked_everywhere():
    with pytest.raises(ValidationError, match="eps"):
        THREATS.load("torchattacks/DeepFool")()
    with pytest.raises(BudgetError, match="8"):
        made("PGD", eps=8)
    with pytest.raises(ValidationError, match="norm"):
        made("PGD", norm="L2")
    assert made("Square", norm="L2", eps=1).measured_norm == "L2"


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    library._constructors.cache_clear()
    library._parameters.cache_clear()
    library._attack.cache_clear()
    monkeypatch.setattr(library.importlib.util, "find_spec", lambda name: None)
    try:
        with pytest.raises(MissingPackageError, match=r"windtunnel\[vision\]"):
            THREATS.load("torchattacks/PGD")
    finally:
        monkeypatch.undo()
        library._constructors.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_the_slow_ones_work_too(name):
    module, batch = material(name, 3)
    out = made(name)(Victim(module), batch)
    assert out.correct.mean() < 1
