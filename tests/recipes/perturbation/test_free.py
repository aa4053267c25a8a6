"""Free adversarial training: its passes, and the perturbation that is kept."""

from __future__ import annotations

import pytest
import torch
from support.composing import Plain, equal, material, trained
from torch.nn.functional import cross_entropy

import windtunnel as wt
from windtunnel.core.network import Network
from windtunnel.recipes.perturbation.free import Free


def counted(recipe, **arguments):
    """Samples that went forward and backward through the backbone while it was trained, and the epochs."""
    work, counts = material(), {"forward": 0, "backward": 0}
    entry = work.model.backbone[0]

    def back(slope):
        counts["backward"] += len(slope)

    def forth(module, inputs, output):
        if output.requires_grad:
            counts["forward"] += len(output)
            output.register_hook(back)

    entry.register_forward_hook(forth)
    done = wt.make_recipe(recipe, "image", batch=16, select="accurate", **arguments).finetune(work)
    return counts, len(done.curves)


def test_it_takes_the_passes_of_an_ordinary_training_of_as_many_epochs():
    ordinary, epochs = counted("full", epochs=8)
    free, fewer = counted("free-at", epochs=8, replays=4)
    assert free == ordinary == {"forward": 8 * 60, "backward": 8 * 60}
    assert (epochs, fewer) == (8, 2)


def by_hand(images, labels, *, eps, replays, lr):
    """One minibatch, replayed with plain gradient descent."""
    network = Network(Plain().load(), 3).train()
    kept = torch.zeros_like(images)
    for _ in range(replays):
        noise = kept.clone().requires_grad_()
        network.zero_grad()
        cross_entropy(network((images + noise).clamp(0, 1)), labels).backward()
        kept = (kept + eps * noise.grad.sign()).clamp(-eps, eps)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter -= lr * parameter.grad
    return network.state_dict()


def test_weights_and_perturbation_step_by_the_same_gradients():
    """Plain steps: of Nesterov's momentum the first is 1.9 times as long, so one replay fixes the weights, and two the perturbation."""
    batch = material(Plain()).train.batch()
    given = {"epochs": 1, "batch": 100, "optimizer": "sgd", "lr": 0.1, "warmup": 0, "schedule": "constant", "weight_decay": 0, "eps": "24/255"}
    one = trained("free-at", Plain(), **given, replays=1).last
    wanted = by_hand(batch.inputs, batch.labels, eps=24 / 255, replays=1, lr=0.19)
    for name, tensor in wanted.items():
        torch.testing.assert_close(one[name], tensor, rtol=1e-4, atol=1e-6)


def test_the_kept_perturbation_is_that_of_the_signs_of_the_gradients():
    """With a rate of nearly nothing the weights stand, and two steps of the perturbation can be followed by hand."""
    from windtunnel.core.part import Fitting, Minibatch

    work, eps = material(Plain()), 24 / 255
    network, batch = Network(work.model, 3).train(), work.train.batch()
    fitting = Fitting(network, work.train, work.val, 0, work.device, "full", 1, 1, {}, lambda: iter(()), torch.Tensor.backward)
    hooks = Free(eps="24/255").begin(fitting)
    dark = (batch.inputs - 0.29).clamp_min(0.01)  # so that perturbed images are cut at 0
    kept = torch.zeros_like(dark)
    for _ in range(2):
        minibatch = hooks.perturb(Minibatch(dark, batch.labels, batch.ids))
        cross_entropy(network(minibatch.inputs), minibatch.labels).backward()
        hooks.stepped()
        noise = kept.clone().requires_grad_()
        cross_entropy(network((dark + noise).clamp(0, 1)), batch.labels).backward()
        kept = (kept + eps * noise.grad.sign()).clamp(-eps, eps)
        assert torch.equal(fitting.state["free-at"], kept)
    smaller = hooks.perturb(Minibatch(dark[:5], batch.labels[:5], batch.ids[:5]))
    assert torch.equal(smaller.inputs.detach(), (dark[:5] + kept[:5]).clamp(0, 1)), "the next minibatch goes on with it"


def test_replays_change_what_is_learned():
    states = [trained("free-at", epochs=4, eps="24/255", replays=replays).last for replays in (1, 2, 4)]
    assert not equal(states[0], states[1])
    assert not equal(states[1], states[2])


@pytest.mark.parametrize(("replays", "epochs"), [(1, 6), (4, 2), (8, 1), (100, 1)])
def test_epochs_are_divided_and_never_none(replays, epochs):
    assert len(trained("free-at", epochs=6, replays=replays).curves) == epochs
