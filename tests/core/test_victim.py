from types import SimpleNamespace

import pytest
import torch
from support.victims import convolutional, images, linear
from torch import nn

from windtunnel.core.victim import Victim
from windtunnel.errors import VictimError


def test_logits_are_those_of_the_module():
    module, inputs = convolutional(), images(5)
    with torch.no_grad():
        assert torch.equal(Victim(module).logits(inputs), module(inputs))


def test_forward_and_backward_passes_are_counted_by_sample():
    victim = Victim(convolutional())
    victim.logits(images(5))
    inputs = images(3).requires_grad_(True)
    victim.network(inputs).sum().backward()
    assert (victim.meter.forward, victim.meter.backward) == (8, 3)
    assert inputs.grad is not None


def test_counting_leaves_gradients_as_they_are():
    module = linear()
    inputs = images(4)
    found, expected = inputs.clone().requires_grad_(True), inputs.clone().requires_grad_(True)
    Victim(module).network(found)[:, 1].sum().backward()
    module(expected)[:, 1].sum().backward()
    assert torch.equal(found.grad, expected.grad)


class Sizes(nn.Module):
    """A layer that notes the sizes of the batches that come by."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(inputs))
        return inputs


def test_convolutions_meet_few_sizes_of_batches_and_nobody_notices():
    torch.manual_seed(0)
    sizes, inner = Sizes(), nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(108, 4))
    victim = Victim(nn.Sequential(sizes, inner).eval())
    for count in (1, 3, 5, 8, 9, 17, 100):
        inputs = images(count)
        torch.testing.assert_close(victim.logits(inputs), inner(inputs).detach())
        expected = torch.autograd.grad(inner(inputs.requires_grad_(True))[:, 0].sum(), inputs)[0]
        torch.testing.assert_close(victim.gradient(inputs, lambda logits: logits[:, 0])[2], expected)
    assert set(sizes.seen) == {1, 4, 8, 16, 24, 104}
    assert (victim.meter.forward, victim.meter.backward) == (2 * 143, 143)


def test_networks_without_convolutions_are_given_their_batches_as_they_are():
    sizes = Sizes()
    Victim(nn.Sequential(sizes, nn.Flatten(), nn.Linear(64, 3)).eval()).logits(images(5))
    assert sizes.seen == [5]


def test_parameters_are_frozen_inside_the_block_alone_and_each_is_as_it_was_afterwards():
    module = convolutional()
    parameters = list(module.parameters())
    parameters[0].requires_grad_(False)
    before = [parameter.requires_grad for parameter in parameters]
    victim = Victim(module)

    def fail() -> None:
        with victim.frozen():
            assert not any(parameter.requires_grad for parameter in parameters)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [parameter.requires_grad for parameter in parameters] == before
    assert True in before


@pytest.mark.parametrize("part", ["whole", "one layer"])
def test_training_mode_is_refused_even_of_a_single_layer(part):
    module = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 3)).eval()
    module.train() if part == "whole" else module[1].train()
    with pytest.raises(VictimError, match=r"net is in training mode: dropout .* Call \.eval\(\)"):
        Victim(module, name="net")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_are_refused(value):
    with pytest.raises(VictimError, match="NaN or infinite logits"):
        Victim.of(lambda inputs: torch.full((len(inputs), 3), value)).logits(images(2))


@pytest.mark.parametrize("answer", [torch.zeros(2), torch.zeros(3, 2), torch.zeros(2, 2, 2)])
def test_logits_of_another_shape_are_refused(answer):
    with pytest.raises(VictimError, match=r"answered with shape .* for 2 inputs; expected \(2, classes\)"):
        Victim.of(lambda inputs: answer).logits(images(2))


def test_functions_modules_victims_and_hugging_face_outputs_are_all_victims():
    inputs, module = images(2), convolutional()
    with torch.no_grad():
        expected = module(inputs)
    victim = Victim(module)
    assert Victim.of(victim) is victim
    assert torch.equal(Victim.of(module).logits(inputs), expected)
    assert torch.equal(Victim.of(lambda given: module(given)).logits(inputs), expected)
    assert torch.equal(Victim.of(lambda given: SimpleNamespace(logits=module(given))).logits(inputs), expected)
    with pytest.raises(VictimError, match="A str is not a classifier; give a Victim"):
        Victim.of("resnet50")
