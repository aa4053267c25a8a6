import copy

import pytest
import timm
import torch
from support.victims import answered, images
from torch import nn

from windtunnel.core.folding import folded
from windtunnel.core.victim import Victim
from windtunnel.threats.gradient.apgd import APGD


def lively(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with batch statistics and affine values as training leaves them, in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor, low in ((part.running_mean, -0.5), (part.running_var, 0.5), (part.weight.data, 0.5), (part.bias.data, -0.5)):
                tensor.copy_(low + torch.rand(tensor.shape, generator=generator))
    return module.eval().requires_grad_(False)


def plain() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 6, 3, stride=2), nn.BatchNorm2d(6))
    return lively(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)))


class Twice(nn.Module):
    """A convolution whose answer goes on beside its batch normalisation as well."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm, self.head = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Linear(4, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        found = self.conv(inputs)
        return self.head((self.norm(found) + found).mean((2, 3)))


class Reused(nn.Module):
    """One convolution with two batch normalisations after it, one at each call."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.first, self.second, self.head = nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1), nn.BatchNorm2d(1), nn.Linear(1, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(self.conv(self.first(self.conv(inputs)))).mean((2, 3)))


def norms(victim: Victim) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in victim.module.modules())


def fold(module: nn.Module, size: int = 8) -> tuple[Victim, Victim]:
    victim = Victim(module)
    return victim, folded(victim, images(4, (1, size, size)), torch.zeros(4, dtype=torch.long))


@pytest.mark.parametrize(
    ("build", "size"),
    [
        (plain, 8),
        (lambda: lively(timm.create_model("test_resnet.r160_in1k", num_classes=3, in_chans=1)), 32),
        (lambda: lively(timm.create_model("test_efficientnet.r160_in1k", num_classes=3, in_chans=1)), 32),
    ],
    ids=["plain", "resnet", "normalisations that hold their activation"],
)
def test_a_folded_twin_has_no_normalisation_left_and_gives_the_same_answers_and_gradients(build, size):
    module = build()
    before = copy.deepcopy(module.state_dict())
    victim, twin = fold(module, size)
    assert norms(victim) > 0
    assert norms(twin) == 0
    inputs = images(6, (1, size, size), seed=2)
    (one, _, slope), (other, _, same) = (each.gradient(inputs, lambda logits: logits[:, 0]) for each in (victim, twin))
    torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(same, slope, rtol=1e-3, atol=1e-5 * float(slope.abs().max()))
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_a_twin_shares_the_other_tensors_and_the_meter():
    victim, twin = fold(plain())
    assert twin.module[-1].weight is victim.module[-1].weight
    before = victim.meter.forward
    twin.logits(images(5, (1, 8, 8)))
    assert victim.meter.forward == before + 5


@pytest.mark.parametrize("build", [Twice, Reused])
def test_what_cannot_be_folded_keeps_its_victim(build):
    victim, twin = fold(lively(build()))
    assert twin is victim


def test_a_victim_without_normalisation_costs_no_pass():
    victim, twin = fold(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3)).eval())
    assert twin is victim
    assert victim.meter.forward == 0


def test_a_layer_that_answers_at_random_keeps_its_victim():
    class Noise(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs + torch.rand_like(inputs)

    victim, twin = fold(nn.Sequential(Noise().eval(), *plain()).eval())
    assert twin is victim


def test_attacks_reach_the_same_verdicts_through_a_twin(monkeypatch):
    module, inputs = plain(), images(40, (1, 8, 8))
    module[-1].bias -= module(inputs).mean(0)  # so that all classes occur
    batch = answered(module, inputs)
    threat = APGD(eps="1/10", steps=30)
    through = threat(Victim(module), batch)
    monkeypatch.setattr("windtunnel.core.evaluation.LONG", float("inf"))
    direct = threat(Victim(module), batch)
    assert 0 < through.correct.sum() < 40
    assert (through.correct == direct.correct).all()
    assert through.cost.forward > direct.cost.forward  # the comparison of the two is counted
