"""The zoo: its networks are timm's, small, pre-trained, and their pre-training transfers."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest
import torch
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

from windtunnel.errors import UnknownNameError
from windtunnel.models import zoo

NAMES = sorted(zoo.ZOO)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Batches this small gain nothing from threads, and lose much to them where cores are shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def noise() -> Tensor:
    return torch.rand(5, 1, 32, 32, generator=torch.Generator().manual_seed(0))


@cache
def digits() -> tuple[Tensor, Tensor]:
    source = load_digits()
    images = torch.from_numpy(source.images).float()[:, None] / 16
    return F.interpolate(images, size=(32, 32), mode="bilinear"), torch.from_numpy(source.target).long()


def linear_probe_accuracy(net: nn.Module, name: str) -> float:
    """Train a zero-initialised linear layer on the frozen pooled features and score it on held-out digits."""
    expected = zoo.preprocessing(name)
    images, labels = digits()
    with torch.no_grad():
        maps = net.forward_features((images - expected.mean[0]) / expected.std[0])
        features = net.forward_head(maps, pre_logits=True)
    train, test = train_test_split(range(len(labels)), test_size=0.3, stratify=labels, random_state=0)
    head = nn.Linear(features.shape[1], 10)
    nn.init.zeros_(head.weight)
    optimiser = torch.optim.AdamW(head.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(30):
        for part in torch.randperm(len(train), generator=generator).split(128):
            rows = torch.as_tensor(train)[part]
            optimiser.zero_grad()
            F.cross_entropy(head(features[rows]), labels[rows]).backward()
            optimiser.step()
    return (head(features[test]).argmax(1) == labels[test]).float().mean().item()


def test_importing_the_zoo_loads_no_torch() -> None:
    code = "import sys, windtunnel.models.zoo; print({'torch', 'timm', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_unknown_name_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownNameError, match="Choose from: micro-resnet, micro-vit"):
        zoo.build("windtunnel/micro-mlp")


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        zoo.ZOO["other"] = zoo.ZOO["micro-vit"]  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES)
class TestEveryNetwork:
    def test_its_weights_take_less_than_two_megabytes(self, name: str) -> None:
        assert 100_000 < zoo.weights_path(name).stat().st_size <= 2_000_000

    def test_a_model_card_lies_beside_its_weights(self, name: str) -> None:
        assert "Licence" in zoo.weights_path(name).with_suffix(".md").read_text()

    def test_the_stored_state_is_exactly_the_networks(self, name: str) -> None:
        stored = load_file(zoo.weights_path(name))
        net = zoo.build(name)
        assert stored.keys() == net.state_dict().keys()
        for key, value in net.state_dict().items():
            assert value.is_contiguous()
            assert torch.equal(value, stored[key].to(value.dtype)), key
            assert torch.isfinite(value).all(), key

    def test_parameters_are_float32_and_the_mode_is_evaluation(self, name: str) -> None:
        net = zoo.build("windtunnel/" + name)
        assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}
        assert not any(module.training for module in net.modules())

    def test_it_has_timms_interface(self, name: str, noise: Tensor) -> None:
        net = zoo.build(name)
        features = net.forward_head(net.forward_features(noise), pre_logits=True)
        assert net(noise).shape == (5, len(zoo.CLASSES))
        assert features.shape == (5, net.num_features)
        assert torch.allclose(net.get_classifier()(features), net(noise), atol=1e-5)
        net.reset_classifier(3)
        assert net(noise).shape == (5, 3)

    def test_a_logit_does_not_depend_on_the_rest_of_the_batch(self, name: str, noise: Tensor) -> None:
        net = zoo.build(name)
        assert torch.allclose(net(noise)[:1], net(noise[:1]), atol=1e-5)

    def test_gradients_reach_every_pixel(self, name: str, noise: Tensor) -> None:
        noise.requires_grad_()
        (gradient,) = torch.autograd.grad(zoo.build(name)(noise).logsumexp(1).sum(), noise)
        assert (gradient != 0).all()

    def test_copies_and_pickles_compute_the_same(self, name: str, noise: Tensor) -> None:
        net = zoo.build(name)
        for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            assert torch.equal(twin(noise), net(noise))

    def test_a_random_start_follows_torchs_seed_and_is_not_the_pretrained_one(self, name: str, noise: Tensor) -> None:
        torch.manual_seed(1)
        first = zoo.build(name, pretrained=False)(noise)
        torch.manual_seed(1)
        assert torch.equal(first, zoo.build(name, pretrained=False)(noise))
        assert not torch.allclose(first, zoo.build(name)(noise), atol=1e-2)

    def test_a_linear_probe_on_digits_gains_from_the_pretraining(self, name: str) -> None:
        pretrained = linear_probe_accuracy(zoo.build(name), name)
        torch.manual_seed(0)
        random = linear_probe_accuracy(zoo.build(name, pretrained=False), name)
        assert pretrained > 0.93
        assert pretrained > random + 0.15
