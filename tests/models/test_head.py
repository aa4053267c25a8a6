"""A classifier is cut before the layer that makes its logits, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from windtunnel.errors import ModelError
from windtunnel.models.head import Split, probe, split_head

SIZE = (1, 4, 4)


class Net(nn.Module):
    """A body, two linear layers registered in the wrong order, and a way to answer."""

    def __init__(self, answer: str = "logits") -> None:
        super().__init__()
        self.fc = nn.Linear(8, 3)
        self.body = nn.Linear(16, 8)
        self.answer = answer

    def forward(self, inputs: Tensor) -> Tensor | tuple[Tensor]:
        logits: Tensor = self.fc(torch.relu(self.body(inputs.flatten(1))))
        if self.answer == "scaled":
            return logits * 2
        if self.answer == "tuple":
            return (logits,)
        return logits[0] if self.answer == "one" else logits


def split(network: nn.Module) -> Split:
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return split_head(network, SIZE, name="test/net")


def test_the_head_on_the_backbones_features_gives_the_networks_own_logits() -> None:
    network = Net()
    parts = split(network)
    inputs = torch.rand(7, *SIZE)
    assert parts.head is not None
    again = Net()
    again.load_state_dict({**network.state_dict(), "fc.weight": parts.head.weight, "fc.bias": parts.head.bias}, strict=True)
    assert torch.equal(parts.head(parts.backbone(inputs)), again(inputs))
    assert (parts.features, parts.layer, parts.head.out_features) == (8, "fc", 3)


def test_the_layer_is_found_by_what_it_computes_and_not_by_the_order_of_registration() -> None:
    assert list(dict(Net().named_children())) == ["fc", "body"]
    assert split(Net()).layer == "fc"


def test_the_backbone_is_in_evaluation_mode() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, 3)).train()
    assert not any(part.training for part in split(network).backbone.modules())


def test_a_head_without_bias_gets_one_of_zeros() -> None:
    head = split(nn.Sequential(nn.Flatten(), nn.Linear(16, 3, bias=False))).head
    assert head is not None
    assert head.bias.tolist() == [0, 0, 0]


def test_a_head_registered_twice_is_replaced_under_both_names() -> None:
    network = Net()
    network.alias = network.fc
    parts = split(network)
    assert isinstance(parts.backbone.fc, nn.Identity)
    assert isinstance(parts.backbone.alias, nn.Identity)


def test_a_network_that_changes_the_layers_answer_is_refused() -> None:
    with pytest.raises(ModelError, match="test/net do not come from a linear layer"):
        split(Net("scaled"))


def test_a_convolutional_head_is_refused_with_what_was_found() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 4), nn.Flatten())
    with pytest.raises(ModelError, match=r"last layers are Conv2d, Flatten.*Choose a network that ends in one nn\.Linear"):
        split(network)


def test_a_layer_used_twice_is_refused_because_one_cut_cannot_serve_both() -> None:
    layer = nn.Linear(16, 16)
    with pytest.raises(ModelError, match="cannot be split before its last linear layer"):
        split(nn.Sequential(nn.Flatten(), layer, nn.ReLU(), layer))


@pytest.mark.parametrize(("answer", "found"), [("tuple", "a tuple"), ("one", r"shape \(3,\)")])
def test_another_answer_than_a_batch_of_logits_is_refused(answer: str, found: str) -> None:
    with pytest.raises(ModelError, match=rf"with {found}; expected a tensor \(2, classes\)"):
        split(Net(answer))


def test_a_size_the_network_refuses_is_reported_with_the_librarys_reason() -> None:
    with pytest.raises(ModelError, match=r"does not take inputs of shape \(2, 1, 5, 5\): mat1 and mat2.*Check `size`"):
        split_head(Net(), (1, 5, 5), name="test/net")


def test_no_hook_stays_behind() -> None:
    backbone = split(Net()).backbone
    assert all(not part._forward_hooks for part in backbone.modules())


def test_the_probe_is_always_the_same_and_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert torch.equal(probe(SIZE), probe(SIZE))
    assert torch.equal(before, torch.get_rng_state())
