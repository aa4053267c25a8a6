"""Adapters: small bottlenecks between the blocks of a network that stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Scope
from windtunnel.core.recipe import Material
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count

if TYPE_CHECKING:
    from torch import nn

    from windtunnel.core.network import Network


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Adapters(Scope):
    """A bottleneck follows each block and adds to what comes out of it; the bottlenecks and the normalisation layers move.

    The victim keeps them: they cannot be folded into the weights. Where an earlier stage put some in, these train on.

    Args:
        width: of the bottleneck.
    Raises:
        RecipeError: the network has no blocks, they answer with something else than features, or it has adapters of another width.
    Source:
        Houlsby et al. 2019, arXiv 1902.00751, section 2.1: down, GELU, up, and a skip connection, started near the identity by normal
        weights of standard deviation 0.01 cut off at two of them; width 64 as the best of one size for all tasks (section 3.2).
        Deviation: one adapter behind each block, so that it suits any network, instead of two inside each layer of a transformer.
    """

    use: ClassVar[str] = "adapters"
    stays: ClassVar[bool] = True

    width: Count = 64

    def check(self, material: Material) -> None:
        """The network must have blocks, behind which they lie."""
        if not material.blocks:
            raise RecipeError(f"adapters lie behind blocks, numbered modules of one kind, and {material.model} has none; use the scope `lora`.")

    def insert(self, network: Network, seed: int) -> None:
        """Put an adapter behind each block."""
        from windtunnel.recipes.scopes.bottleneck import insert

        insert(network, self.width, seed)

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Of adapters and normalisation layers."""
        from windtunnel.recipes.scopes.bottleneck import inserted
        from windtunnel.recipes.scopes.by_kind import normalisations

        return [*inserted(network), *normalisations(network.backbone)]
