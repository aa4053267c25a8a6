"""FreeLB and SMART: moves of word embeddings, against the same network fed with moved embeddings by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from support.composing import LENGTH, PLAIN_STEP, agree, close, equal, material
from support.telling import reading
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import windtunnel as wt
from windtunnel.core.network import Network
from windtunnel.core.reader import MANY, groups
from windtunnel.errors import RecipeError
from windtunnel.recipes.order import order_by_length
from windtunnel.recipes.perturbation.freelb import FreeLB
from windtunnel.recipes.perturbation.smart import Smart
from windtunnel.recipes.supervised import Supervised
from windtunnel.seeding import integer, reseed, scoped

CALM = {"dropout": 0.0, "attention_dropout": 0.0}
SMALL = {"freelb": {"perturb": {"step": 0.005, "start": 0.01, "norm": 0.01}}, "smart": {"perturb": {"eps": 0.01, "step": 0.01}}}


class Group:
    """Texts of like length as the network reads them, and the network's answer to moved embeddings."""

    def __init__(self, network: Network, tokens: list[list[int]], labels: Tensor) -> None:
        longest = max(map(len, tokens))
        self.ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in tokens])
        self.mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in tokens])
        self.network, self.labels = network, labels
        self.base: nn.Module = network.backbone.network.network

    @property
    def words(self) -> Tensor:
        return self.base.get_input_embeddings()(self.ids)

    def logits(self, move: Tensor) -> Tensor:
        return self.network.head(self.base(inputs_embeds=self.words + move, attention_mask=self.mask)[0][:, 0])


def one_step(tmp_path, recipe: str, **perturb) -> dict[str, Tensor]:
    """The gradient of a recipe's first step on all texts."""
    before = dict(Network(reading(tmp_path, **CALM).model, 2).named_parameters())
    done = wt.make_recipe(recipe, "text", **PLAIN_STEP, perturb=perturb).finetune(reading(tmp_path, **CALM))
    return {name: (value.detach() - done.last[name]) / LENGTH for name, value in before.items()}


def by_hand(tmp_path, loss: Callable[[list[Group], int], Tensor]) -> dict[str, Tensor]:
    """The gradient of a loss of all groups."""
    work = reading(tmp_path, **CALM)
    network, texts = Network(work.model, 2).train(), work.train.texts()
    tokens = [list(each["input_ids"]) for each in work.model.backbone.tokenize(texts)]
    rows = order_by_length([len(each) for each in tokens], 10_000, 0, 1)[0]
    pieces = groups([len(tokens[row]) for row in rows], MANY)
    labels = torch.from_numpy(work.train.labels)
    held = [Group(network, [tokens[rows[place]] for place in piece], labels[rows[piece]]) for piece in pieces]
    assert len(held) > 1
    assert any(int((group.mask == 0).sum()) for group in held), "something is padded"
    loss(held, len(rows)).backward()
    return {name: parameter.grad for name, parameter in network.named_parameters() if parameter.grad is not None}


def test_freelb_descends_the_mean_gradient_of_its_ascent(tmp_path):
    steps, step, begin, norm = 3, 0.05, 0.2, 0.12

    def loss(held, count):
        generator = torch.Generator().manual_seed(integer(0, "freelb-0", "full", 1))
        total = torch.zeros(())
        for group in held:
            mask = group.mask[..., None].float()
            move = (torch.rand(group.words.shape, generator=generator) * 2 - 1) * begin / (mask.sum(1, keepdim=True) * 16).sqrt() * mask
            for _ in range(steps):
                move = move.detach().requires_grad_()
                each = cross_entropy(group.logits(move), group.labels, reduction="none")
                total = total + each.sum() / count / steps
                slope = torch.autograd.grad(each.sum(), move, retain_graph=True)[0]
                further = move.detach() + step * slope / slope.flatten(1).norm(dim=1)[:, None, None]
                move = further * (norm / further.flatten(1).norm(dim=1)).clamp(max=1)[:, None, None]
        return total

    found = one_step(tmp_path, "freelb", steps=steps, step=step, start=begin, norm=norm)
    wanted = by_hand(tmp_path, loss)
    agree({name: found[name] for name in wanted}, wanted)


def test_smart_adds_the_symmetric_divergence_at_the_moves_it_finds(tmp_path):
    strength, eps, noise, step = 3.0, 0.02, 0.01, 0.05

    def apart(one, other):
        p, q = one.softmax(1), other.softmax(1)
        return ((p - q) * (p.log() - q.log())).sum(1)

    def loss(held, count):
        with scoped("smart-test"):
            reseed(0, "step", "full", 1, 0)
            starts = [noise * torch.randn_like(group.words) * group.mask[..., None] for group in held]
        total = torch.zeros(())
        for group, start in zip(held, starts, strict=True):
            clean = group.logits(torch.zeros_like(start))
            move = start.detach().requires_grad_()
            slope = torch.autograd.grad(apart(clean.detach(), group.logits(move)).sum(), move)[0]
            move = (move.detach() + step * slope / slope.flatten(1).abs().amax(1)[:, None, None]).clamp(-eps, eps)
            total = total + (cross_entropy(clean, group.labels, reduction="none") + strength * apart(clean, group.logits(move))).sum() / count
        return total

    found = one_step(tmp_path, "smart", strength=strength, eps=eps, noise=noise, step=step)
    wanted = by_hand(tmp_path, loss)
    agree({name: found[name] for name in wanted}, wanted)


def tuned(tmp_path, recipe, seed=0, config=CALM, **arguments):
    return wt.make_recipe(recipe, "text", **{"epochs": 2, "batch": 16, "lr": 3e-3, **arguments}).finetune(reading(tmp_path, seed=seed, **config))


def test_freelb_of_one_step_from_no_noise_and_smart_of_no_strength_are_ordinary_fine_tuning(tmp_path):
    plain = tuned(tmp_path, "full", config={}).last
    assert equal(tuned(tmp_path, "freelb", config={}, perturb={"steps": 1, "start": 0}).last, plain)
    assert equal(tuned(tmp_path, "smart", config={}, perturb={"strength": 0}).last, plain)
    for recipe in SMALL:
        assert not close(tuned(tmp_path, recipe, config={}, **SMALL[recipe]).last, plain)


def test_freelb_keeps_its_dropout_through_the_ascent(tmp_path):
    """Steps of no length from no noise: if dropout drew anew, the mean of three gradients would be another."""
    plain = tuned(tmp_path, "full", config={}, epochs=1, optimizer="sgd", lr=0.1).last
    still = tuned(tmp_path, "freelb", config={}, epochs=1, optimizer="sgd", lr=0.1, perturb={"start": 0, "step": 1e-12}).last
    assert close(still, plain, 1e-6)
    assert not close(tuned(tmp_path, "full", config=CALM, epochs=1, optimizer="sgd", lr=0.1).last, plain, 1e-6), "there is dropout"


@pytest.mark.parametrize("recipe", SMALL)
def test_it_learns_and_repeats_byte_for_byte(recipe, tmp_path):
    done = tuned(tmp_path, recipe, epochs=14, **SMALL[recipe])
    assert max(epoch.val_accuracy for epoch in done.curves) > 0.8
    assert equal(done.last, tuned(tmp_path, recipe, epochs=14, **SMALL[recipe]).last)


@pytest.mark.parametrize("recipe", SMALL)
def test_a_batch_in_parts_agrees_to_rounding(recipe, tmp_path):
    """From nearly no noise, which is drawn for each part: only gradients decide."""
    quiet = {"freelb": {"start": 0, "step": 0.01}, "smart": {"noise": 1e-3, "eps": 1e-3, "step": 1e-12}}[recipe]
    whole, parts = (tuned(tmp_path, recipe, epochs=1, optimizer="sgd", lr=0.05, accumulate=count, perturb=quiet).last for count in (1, 3))
    assert close(whole, parts, 1e-5)


@pytest.mark.parametrize("kind", ["bert", "roberta", "gpt2", "modernbert", "deberta-v2"])
def test_the_word_embeddings_of_every_architecture_are_found(kind, tmp_path):
    arguments = {"epochs": 1, "batch": 16, "optimizer": "sgd", "lr": 0.1}
    plain = wt.make_recipe("full", "text", **arguments).finetune(reading(tmp_path, kind)).last
    for recipe in SMALL:
        moved = wt.make_recipe(recipe, "text", **arguments).finetune(reading(tmp_path, kind)).last
        assert not equal(moved, plain)


def test_images_are_refused():
    for part in (FreeLB(), Smart()):
        with pytest.raises(RecipeError, match=rf"{part.use} moves word embeddings, and this network names none"):
            Supervised(perturb=part).finetune(material())
    with pytest.raises(RecipeError, match="trains on text inputs, and the data holds images"):
        wt.make_recipe("freelb", "image")
