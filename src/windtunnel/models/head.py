"""Splitting a classifier before its last linear layer, and proving that the split is right. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from windtunnel.errors import ModelError

# Two samples, so that a network which squeezes or mixes the batch is noticed.
PROBES = 2


@dataclass(frozen=True)
class Split:
    """The two halves of a classifier.

    Args:
        backbone: the network with the identity in the place of its last layer; (batch, features).
        features: number of features.
        head: the layer that was there; None if the network came without one.
        layer: name of that layer within the network; empty if there was none.
    """

    backbone: nn.Module
    features: int
    head: nn.Linear | None
    layer: str


class Logits(nn.Module):
    """A network whose answer is an object with `.logits`, as a network that answers with them.

    Args:
        network: the network.
        reverse: it wants its channels in the other order: blue, green, red.
    """

    def __init__(self, network: nn.Module, *, reverse: bool = False) -> None:
        super().__init__()
        self.network = network
        self.reverse = reverse

    def forward(self, inputs: Tensor) -> Tensor:
        """The logits, (batch, classes)."""
        logits: Tensor = self.network(inputs.flip(1) if self.reverse else inputs).logits
        return logits


def split_head(network: nn.Module, size: tuple[int, int, int], *, name: str = "the network") -> Split:
    """Cut a classifier before the linear layer that makes its logits; the network given becomes the backbone.

    The layer is found by running the network: it is the last linear layer whose output *is* the answer. So no table of
    attribute names is needed, and a network that does anything after it (a scale, a mean of two heads) is not cut wrongly.

    Args:
        network: preprocessed inputs to logits; changed in place and put into evaluation mode.
        size: (channel, height, width) of the probe.
        name: shown in messages.
    Raises:
        ModelError: inputs of that size are refused, the answer is not (batch, classes), or no linear layer makes it.
    """
    return cut(network, probe(size), name=name)


def cut(network: nn.Module, inputs: Tensor, *, name: str = "the network") -> Split:
    """`split_head` with inputs of the caller's own, PROBES of them."""
    network.eval()
    logits, layer = output_layer(network, inputs, name=name)
    if not layer:
        return _without_head(network, inputs, name)
    found = network.get_submodule(layer)
    assert isinstance(found, nn.Linear)
    replace_layer(network, layer, nn.Identity().eval())
    features = _answer(network, inputs, name)
    head = plain_linear(found)
    with torch.no_grad():
        same = features.shape == (PROBES, found.in_features) and torch.allclose(head(features), logits, rtol=1e-4, atol=1e-5)
    if not same:
        raise ModelError(
            f"{name} cannot be split before its last linear layer {layer!r}: that layer on the features does not give the network's own logits. "
            "Use a network that ends in one plain nn.Linear."
        )
    return Split(network, found.in_features, head, layer)


def output_layer(network: nn.Module, inputs: Tensor, *, name: str = "the network") -> tuple[Tensor, str]:
    """The logits of `inputs`, and the name of the linear layer that made them; an empty name if none did."""
    calls: list[tuple[str, Tensor]] = []

    def note(layer: str) -> torch.utils.hooks.RemovableHandle:
        return network.get_submodule(layer).register_forward_hook(lambda _module, _inputs, output: calls.append((layer, output)))

    handles = [note(layer) for layer, part in network.named_modules() if isinstance(part, nn.Linear)]
    try:
        logits = _answer(network, inputs, name)
    finally:
        for handle in handles:
            handle.remove()
    made = [layer for layer, output in calls if output.shape == logits.shape and torch.equal(output, logits)]
    return logits, made[-1] if made else ""


def replace_layer(network: nn.Module, layer: str, new: nn.Module) -> None:
    """Put `new` in the place of a layer, under every name it is registered by."""
    old = network.get_submodule(layer)
    names = [name for name, part in network.named_modules(remove_duplicate=False) if part is old]
    for name in names:
        parent, _, leaf = name.rpartition(".")
        setattr(network.get_submodule(parent), leaf, new)


def blank_linear(features: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    """A linear layer whose tensors are still to be written; initialising them would draw from the global generator."""
    return nn.Linear(features, outputs, bias=bias, device="meta").to_empty(device="cpu")


def probe(size: tuple[int, int, int]) -> Tensor:
    """Fixed normally distributed inputs, (2, *size), as normalised images roughly are."""
    return torch.randn(PROBES, *size, generator=torch.Generator().manual_seed(0))


def _answer(network: nn.Module, inputs: Tensor, name: str) -> Tensor:
    shape = tuple(inputs.shape)
    try:
        with torch.no_grad():
            answer = network(inputs)
    except (RuntimeError, ValueError, AssertionError, IndexError, TypeError) as error:
        raise ModelError(f"{name} does not take inputs of shape {shape}: {error} Check `size` and the number of channels.") from error
    if not isinstance(answer, Tensor) or answer.ndim != 2 or len(answer) != len(inputs):
        found = f"shape {tuple(answer.shape)}" if isinstance(answer, Tensor) else f"a {type(answer).__name__}"
        raise ModelError(f"{name} answers inputs of shape {shape} with {found}; expected a tensor ({len(inputs)}, classes).")
    return answer


def _without_head(network: nn.Module, inputs: Tensor, name: str) -> Split:
    # timm's networks can give up any other classifier (none, convolutional, two distilled heads) and answer with pooled features.
    reset = getattr(network, "reset_classifier", None)
    if not callable(reset):
        kinds = [type(part).__name__ for part in network.modules() if not list(part.children())]
        raise ModelError(
            f"The logits of {name} do not come from a linear layer (its last layers are {', '.join(kinds[-3:])}), "
            "so there is no place for a new head. Choose a network that ends in one nn.Linear."
        )
    reset(0)
    return Split(network, _answer(network, inputs, name).shape[1], None, "")


def plain_linear(layer: nn.Linear) -> nn.Linear:
    """The layer's tensors in an `nn.Linear` with a bias and nothing else, whatever subclass it was."""
    head = blank_linear(layer.in_features, layer.out_features)
    with torch.no_grad():
        head.weight.copy_(layer.weight)
        if layer.bias is None:
            head.bias.zero_()
        else:
            head.bias.copy_(layer.bias)
    return head.eval()
