"""All of the network, or none of it but the new head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Scope

if TYPE_CHECKING:
    from torch import nn

    from windtunnel.core.network import Network


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Full(Scope):
    """Every parameter moves.

    Source:
        The common practice; the baseline of Kumar et al. 2022, arXiv 2202.10054, section 2.
    """

    use: ClassVar[str] = "full"

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """All of the backbone."""
        return list(network.backbone.parameters())


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Head(Scope):
    """Only the new linear head moves: linear probing.

    Where nothing else of the recipe looks at the inputs, the backbone runs once and its features are kept.

    Source:
        Alain and Bengio 2016, arXiv 1610.01644; as a fine-tuning baseline Kumar et al. 2022, arXiv 2202.10054.
    """

    use: ClassVar[str] = "head"

    @property
    def keeps_backbone(self) -> bool:
        """Yes."""
        return True

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Nothing of the backbone."""
        return []
