"""Soups: what is averaged, what is chosen, what lies between the members, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from support.members import equal, with_members
from torch.nn.functional import cross_entropy

from windtunnel import make_recipe
from windtunnel.core.network import Network
from windtunnel.core.part import Scope
from windtunnel.errors import RecipeError
from windtunnel.recipes.blending import Blender, mean
from windtunnel.recipes.cooking import Member, greedy
from windtunnel.recipes.judging import measured
from windtunnel.recipes.pretrained import Pretrained
from windtunnel.recipes.scopes.whole import Full, Head
from windtunnel.recipes.soup import Soup
from windtunnel.recipes.supervised import Supervised

CPU = torch.device("cpu")
QUICK = Supervised(epochs=3, batch=16)


def members(soup, work, seed=0):
    """The states of a soup's members, trained by themselves."""
    return [recipe.finetune(work(each)).best for recipe, each in soup.members(seed)]


def test_the_uniform_soup_is_the_mean_of_its_members(work):
    soup = Soup(of=[QUICK], seeds=3, how="uniform")
    material, carried = with_members(work)
    found = soup.finetune(material).best
    states = members(soup, work)
    for name, tensor in found.items():
        if "running" not in name and tensor.is_floating_point():
            torch.testing.assert_close(tensor, torch.stack([state[name] for state in states]).mean(0), rtol=1e-6, atol=1e-7)
    assert len(carried) == 3
    assert not equal(states[0], states[1])


def test_batch_statistics_are_computed_anew_and_not_averaged(work):
    soup = Soup(of=[QUICK], seeds=2, how="uniform")
    material, _ = with_members(work)
    found, states = soup.finetune(material).best, members(soup, work)
    network = Network(work().model, 3)
    network.load_state_dict(found)
    seen = network.backbone[0](network.preprocess(work().train.batch().inputs))
    torch.testing.assert_close(found["backbone.1.running_mean"], seen.mean((0, 2, 3)).detach(), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found["backbone.1.running_mean"], (states[0]["backbone.1.running_mean"] + states[1]["backbone.1.running_mean"]) / 2)


def test_members_start_from_one_head_and_differ_in_their_order():
    first, *others = Soup(of=[QUICK], seeds=3).members(7)
    assert first == (QUICK, 7), "the first member is the cell that a suite has for the recipe"
    assert all(recipe == dataclasses.replace(QUICK, head_seed=7) for recipe, _ in others)
    assert len({seed for _, seed in (first, *others)}) == 3
    assert list(Soup(of=[QUICK], seeds=3, how="uniform").members(7)) == [first, *others], "soups share their members"


def test_the_head_of_the_soups_seed_reaches_into_nested_recipes():
    *_, (recipe, _) = Soup(of=[make_recipe("wise-ft")], seeds=2).members(5)
    assert (recipe.of.head_seed, recipe.start.head_seed) == (5, 5)
    *_, (recipe, _) = Soup(of=[make_recipe("lp-ft")], seeds=2).members(5)
    assert recipe.head_seed == 5


@pytest.mark.parametrize("noise", [0.15, 0.8])
def test_the_greedy_soup_is_never_worse_than_its_best_member_on_validation(work, noise):
    material, _ = with_members(work, noise=noise)
    done = Soup(of=[QUICK, dataclasses.replace(QUICK, lr=0.03)], seeds=2).finetune(material)
    accuracies = [member["val_accuracy"] for member in done.notes["members"]]
    assert len(accuracies) == 4
    assert done.notes["val_accuracy"] >= max(accuracies)
    assert measured(done.network, material.val, CPU).accuracy == done.notes["val_accuracy"]
    assert equal(done.best, dict(done.network.state_dict()))


def test_a_member_that_lowers_the_soup_is_left_out_and_alone_the_best_stays_itself(work):
    material, _ = with_members(work)
    good = make_recipe("full", epochs=8, batch=16).finetune(work()).best
    ruined = {name: -20 * tensor if name == "head.weight" else tensor for name, tensor in good.items()}
    blender = Blender(Network(work().model, 3), material)
    ranked = [Member(0, seed, state, blender.judge(state).accuracy) for seed, state in ((0, good), (1, ruined))]
    assert ranked[0].accuracy > 0.8 > ranked[1].accuracy
    assert greedy(blender, ranked) == ranked[:1]
    assert blender.blend([good]) is good
    assert greedy(blender, [ranked[0], ranked[0]]) == [ranked[0], ranked[0]], "one that does not lower it is taken"


def test_the_barrier_is_the_largest_fall_below_the_line_and_rise_above_it(work):
    """Heads on one backbone: the segment's logits are a mixture of those of the ends, computed here by hand."""
    material, _ = with_members(work, noise=0.6)
    first = Supervised(scope=Head(), epochs=5).finetune(work(0, noise=0.6)).best
    second = {**first, "head.weight": -first["head.weight"], "head.bias": -first["head.bias"]}
    network = Network(work().model, 3)
    network.load_state_dict(first)
    batch = material.val.batch()
    logits = network(batch.inputs).detach()
    figures = {}
    for point in (0, 0.25, 0.5, 0.75, 1):
        mixed = (1 - 2 * point) * logits
        figures[point] = float((mixed.argmax(1) == batch.labels).float().mean()), float(cross_entropy(mixed, batch.labels))
    line = {point: [(1 - point) * figures[0][place] + point * figures[1][place] for place in (0, 1)] for point in figures}
    found = Blender(network, material).barrier(first, second)
    assert found.accuracy == pytest.approx(max(0, *(line[point][0] - figures[point][0] for point in figures)), abs=1e-6)
    assert found.loss == pytest.approx(max(0, *(figures[point][1] - line[point][1] for point in figures)), abs=1e-5)
    assert found.accuracy > 0.1
    assert found.loss == 0, "cross-entropy is convex in the weights of a head"


def test_a_soup_of_probes_leaves_the_backbone_byte_for_byte(work):
    material, _ = with_members(work)
    found = Soup(of=[Supervised(scope=Head(), epochs=3)], seeds=3, how="uniform").finetune(material).best
    start = Network(work().model, 3).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in start.items() if name.startswith("backbone."))


def test_between_copies_there_is_no_barrier(work):
    material, _ = with_members(work)
    state = QUICK.finetune(work()).best
    found = Blender(Network(work().model, 3), material).barrier(state, state)
    assert found.accuracy == 0
    assert found.loss == pytest.approx(0, abs=1e-6)


def test_barriers_to_the_best_member_are_noted(work):
    material, _ = with_members(work)
    noted = Soup(of=[QUICK], seeds=3).finetune(material).notes["members"]
    best = max(noted, key=lambda member: member["val_accuracy"])
    assert [set(member["barrier"]) for member in noted if member is not best] == [{"accuracy", "loss"}] * 2
    assert "barrier" not in best
    assert best["in_soup"]


class Inserting(Full):
    """Claims to add modules."""

    inserts = True


@pytest.mark.parametrize(
    ("of", "flagged"),
    [
        ([QUICK], False),
        ([QUICK, dataclasses.replace(QUICK, lr=0.1)], False),
        ([make_recipe("lp-ft")], False),
        ([QUICK, make_recipe("lp-ft")], True),
        ([QUICK, dataclasses.replace(QUICK, head_seed=3)], True),
        ([dataclasses.replace(QUICK, scope=Inserting())], True),
    ],
)
def test_members_that_share_no_start_are_flagged(of, flagged):
    assert [flag.name for flag in Soup(of=of, seeds=2).flags()] == ["members-share-no-start"] * flagged


def test_the_flag_is_among_those_of_what_it_leaves(work):
    material, _ = with_members(work)
    done = Soup(of=[QUICK, dataclasses.replace(QUICK, head_seed=3)], seeds=1).finetune(material)
    assert [flag.name for flag in done.flags] == ["members-share-no-start"]


class Leaving(Scope):
    """Leaves modules in the network."""

    inserts = stays = True

    def parameters(self, network, epoch, epochs):
        return []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"of": [QUICK], "seeds": 1}, "One member alone is no soup"),
        ({"of": [Pretrained()]}, "trains nothing"),
        ({"of": [QUICK, dataclasses.replace(QUICK, scope=Leaving())]}, "one structure"),
    ],
)
def test_what_cannot_be_averaged_is_refused(arguments, message):
    with pytest.raises(RecipeError, match=message):
        Soup(**arguments)


def test_the_mean_is_weighted_and_keeps_counters():
    states = [{"a": torch.tensor([1.0, 2.0]), "n": torch.tensor(3)}, {"a": torch.tensor([5.0, 6.0]), "n": torch.tensor(9)}]
    found = mean(states, [0.25, 0.75])
    assert found["a"].tolist() == [4.0, 5.0]
    assert found["n"] == 3


def test_a_soup_learns_repeats_and_costs_its_members(work):
    soup = Soup(of=[QUICK], seeds=2, how="uniform")
    first, second = (soup.finetune(with_members(work, seed=3)[0]) for _ in range(2))
    assert equal(first.best, second.best)
    assert first.notes == second.notes
    assert first.notes["val_accuracy"] > 0.8
    assert soup.passes(10) > 2 * QUICK.passes(10)
    assert np.isfinite([member["barrier"]["loss"] for member in first.notes["members"] if "barrier" in member]).all()
