"""WiSE-FT: the line between two networks, its ends, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from support.members import equal, with_members

from windtunnel import make_recipe
from windtunnel.core.part import Scope
from windtunnel.errors import RecipeError
from windtunnel.recipes.blending import interpolated
from windtunnel.recipes.judging import measured
from windtunnel.recipes.scopes.whole import Head
from windtunnel.recipes.supervised import Supervised
from windtunnel.recipes.wise_ft import WiseFt

QUICK = Supervised(epochs=4, batch=16)
PROBE = Supervised(scope=Head(), epochs=20, lr=1e-2)


def wise(alpha: float) -> WiseFt:
    return WiseFt(of=QUICK, start=PROBE, alpha=alpha)


@pytest.mark.parametrize(("alpha", "end"), [(0, PROBE), (1, QUICK)])
def test_the_ends_of_the_line_are_the_ends_bit_for_bit(work, alpha, end):
    material, _ = with_members(work)
    assert equal(wise(alpha).finetune(material).best, end.finetune(work()).best)


def test_between_them_every_weight_and_statistic_lies_on_the_line(work):
    material, _ = with_members(work)
    found = wise(0.25).finetune(material).best
    start, end = PROBE.finetune(work()).best, QUICK.finetune(work()).best
    for name, tensor in found.items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, 0.75 * start[name] + 0.25 * end[name])
        else:
            assert torch.equal(tensor, start[name])
    assert not torch.equal(start["backbone.1.running_mean"], found["backbone.1.running_mean"])


def test_the_network_holds_the_state_and_the_notes_its_figures(work):
    material, carried = with_members(work)
    done = wise(0.5).finetune(material)
    assert equal(done.best, dict(done.network.state_dict()))
    assert not done.network.training
    assert done.notes["val_accuracy"] == measured(done.network, material.val, material.device).accuracy > 0.8
    assert set(done.notes["val_accuracy_of_ends"]) == {"start", "of"}
    assert carried == [(PROBE, 0), (QUICK, 0)]


def test_the_preset_goes_from_the_probe_to_lp_ft_of_the_catalogue():
    for modality in ("image", "text"):
        recipe = make_recipe("wise-ft", modality)
        assert recipe.of == make_recipe("lp-ft", modality) == WiseFt.suited(modality).of
        assert recipe.start == make_recipe("linear-probe", modality) == WiseFt.suited(modality).start
        assert recipe.passes(10) == recipe.of.passes(10) + recipe.start.passes(10)


def test_a_nested_recipe_takes_a_name_a_preset_with_short_names_or_a_change():
    assert make_recipe("wise-ft", of="lp-ft").of == make_recipe("lp-ft")
    assert make_recipe("wise-ft", of={"use": "pgd-at", "eps": "4/255"}).of == make_recipe("pgd-at", eps="4/255")
    assert make_recipe("wise-ft", of={"epochs": 3}).of == make_recipe("lp-ft", epochs=3)


def test_it_trains_on_what_both_ends_train_on():
    with pytest.raises(RecipeError, match="adversarial trains on image inputs"):
        make_recipe("wise-ft", "text", of=make_recipe("pgd-at"))


class Leaving(Scope):
    """Leaves modules in the network."""

    inserts = stays = True

    def parameters(self, network, epoch, epochs):
        return []


def test_ends_of_other_structure_are_refused_before_anything_is_trained():
    other = dataclasses.replace(QUICK, scope=Leaving())
    with pytest.raises(RecipeError, match="one structure"):
        WiseFt(of=other, start=PROBE)


def test_tensors_of_other_shapes_are_named():
    with pytest.raises(RecipeError, match=r"head.weight is \[3, 4\] and \[2, 4\]"):
        interpolated({"head.weight": torch.zeros(3, 4)}, {"head.weight": torch.zeros(2, 4)}, 0.5)
    with pytest.raises(RecipeError, match=r"b is none and \[1\]"):
        interpolated({"a": torch.zeros(1)}, {"a": torch.zeros(1), "b": torch.zeros(1)}, 0.5)


@pytest.mark.parametrize("alpha", [-0.1, 1.1])
def test_an_alpha_beyond_the_ends_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        WiseFt(alpha=alpha)


def test_alone_it_says_that_nobody_carries_out_members(work):
    with pytest.raises(RecipeError, match="nobody who could carry out"):
        wise(0.5).finetune(work())
