"""LoRA and IA3: small adapters inside layers, which are folded into the weights at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Scope
from windtunnel.core.recipe import Material
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count, Rate, Share

if TYPE_CHECKING:
    from torch import nn

    from windtunnel.core.network import Network

LINEAR = ("Linear", "Conv1D", "NonDynamicallyQuantizableLinear")
CONVOLUTION = ("Conv2d",)

KEYS_AND_VALUES = ("key", "value", "k_proj", "v_proj", "k_lin", "v_lin", "qkv", "c_attn", "query_key_value")
"""What the layers of attention that make keys and values are called in transformers and timm; some make queries, too."""

SECOND = ("fc2", "lin2", "linear2", "down_proj", "mlp.c_proj", "output.dense", "dense_4h_to_h")
"""What the second layer of a feed-forward block is called there."""


class Injected(Scope):
    """Adapters of the library peft, inside layers."""

    inserts: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch", "peft")

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Of the adapters alone."""
        from windtunnel.recipes.scopes.injected import adapters

        return adapters(network)

    def merge(self, network: Network) -> None:
        """Fold the adapters into the weights; the network is then as any other."""
        from windtunnel.recipes.scopes.injected import fold

        fold(network)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LoRA(Injected):
    """A product of two narrow matrices is added to the weight of each layer, and only these move.

    Args:
        rank: width between the two matrices.
        alpha: the product counts alpha / rank times.
        dropout: share of a layer's inputs dropped ahead of the product.
        layers: names of the layers, or their last parts; all linear layers of the backbone if left out.
        convolutions: whether convolutions get them, too.
    Source:
        Hu et al. 2022, arXiv 2106.09685, section 4.1. Deviation: by default all linear layers, as Dettmers et al. 2023, arXiv 2305.14314,
        section 4, found to be needed; the paper adapts queries and values.
    """

    use: ClassVar[str] = "lora"

    rank: Count = 8
    alpha: Rate = 16.0
    dropout: Share = 0.0
    layers: tuple[str, ...] = ()
    convolutions: bool = False

    def check(self, material: Material) -> None:
        """The network must have such layers."""
        self._targets(material.layers, material.model)

    def insert(self, network: Network, seed: int) -> None:
        """The matrices; the second is zero, so that nothing changes at first."""
        from peft import LoraConfig

        from windtunnel.recipes.scopes.blocks import layers_of
        from windtunnel.recipes.scopes.injected import inject

        targets = self._targets(layers_of(network.backbone), "The network")
        inject(network, LoraConfig(r=self.rank, lora_alpha=self.alpha, lora_dropout=self.dropout, target_modules=targets), seed)  # type: ignore[arg-type]  # a whole alpha is asked for, any is taken

    def _targets(self, layers: Mapping[str, str], model: str) -> list[str]:
        wanted = (*LINEAR, *(CONVOLUTION if self.convolutions else ()))
        return found(layers, model, "lora", wanted, self.layers)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class IA3(Injected):
    """Keys, values and the inputs of the second feed-forward layers are scaled, a factor for each of their features, and only these move.

    Args:
        keys_and_values: names of layers, or their last parts, whose outputs are scaled; by default those that make keys and values.
        second: the same of layers whose inputs are scaled; by default the second ones of feed-forward blocks.
    Source:
        Liu et al. 2022, arXiv 2205.05638, section 3.3. Deviation: where one layer makes queries, keys and values, all three are scaled.
    """

    use: ClassVar[str] = "ia3"

    keys_and_values: tuple[str, ...] = ()
    second: tuple[str, ...] = ()

    def check(self, material: Material) -> None:
        """The network must have such layers."""
        self._targets(material.layers, material.model)

    def insert(self, network: Network, seed: int) -> None:
        """The factors; all one, so that nothing changes at first."""
        from peft import IA3Config

        from windtunnel.recipes.scopes.blocks import layers_of
        from windtunnel.recipes.scopes.injected import inject

        outputs, inputs = self._targets(layers_of(network.backbone), "The network")
        inject(network, IA3Config(target_modules=[*outputs, *inputs], feedforward_modules=inputs), seed)

    def _targets(self, layers: Mapping[str, str], model: str) -> tuple[list[str], list[str]]:
        outputs = found(layers, model, "ia3", LINEAR, self.keys_and_values or KEYS_AND_VALUES)
        inputs = found(layers, model, "ia3", LINEAR, self.second or SECOND)
        # A layer that closes the attention may be called like one that closes a feed-forward block: BERT has both in "output.dense".
        return outputs, [name for name in inputs if self.second or "attention" not in name]


def found(layers: Mapping[str, str], model: str, scope: str, wanted: Sequence[str], names: Sequence[str]) -> list[str]:
    """Layers of some kinds, those of some names if any are given.

    Raises:
        RecipeError: there are none.
    """
    fit = [name for name, kind in layers.items() if kind in wanted]
    called = [name for name in fit if not names or any(name == each or name.endswith(f".{each}") for each in names)]
    if called:
        return called
    if not fit:
        has = ", ".join(sorted(set(layers.values())))
        advice = " `convolutions: true` lets lora adapt its convolutions." if scope == "lora" and set(CONVOLUTION) & set(layers.values()) else ""
        raise RecipeError(f"{scope} adapts linear layers, and {model} has none; its layers are {has}.{advice}")
    shown = ", ".join(dict.fromkeys(name.rpartition(".")[2] for name in fit))
    raise RecipeError(f"{scope}: {model} has no linear layer called {' or '.join(names)}; its linear layers are called {shown}.")
