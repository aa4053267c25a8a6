"""What the blocks of a backbone give, seen in passing, and a frozen copy of the one that it was at the start. Imports torch."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import Tensor, nn

from windtunnel.core.network import Network
from windtunnel.core.part import Fitting
from windtunnel.core.reader import Reader
from windtunnel.errors import RecipeError
from windtunnel.recipes.scopes.blocks import blocks


@dataclass
class Layers:
    """Some modules of a backbone, of which it is noted what they give.

    Args:
        modules: in the order in which the backbone runs them.
    """

    modules: tuple[nn.Module, ...]
    _seen: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, backbone: nn.Module, names: Sequence[str]) -> Layers:
        """Those of a backbone, by their names."""
        return cls(tuple(backbone.get_submodule(name) for name in names))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, what they give is noted."""
        handles = [module.register_forward_hook(lambda _module, _inputs, output: self._seen.append(output)) for module in self.modules]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            self._seen.clear()

    def taken(self) -> list[Tensor]:
        """What they gave in the last pass; to be asked for after each."""
        seen, self._seen[:] = self._seen[-len(self.modules) :] if self.modules else [], []
        return seen


def block_names(network: Network) -> tuple[str, ...]:
    """The names of the blocks within the backbone; none where there are none, or where they see a batch piece by piece, as on texts."""
    if isinstance(network.backbone, Reader):
        return ()
    try:
        return blocks(network).names
    except RecipeError:
        return ()


def copy_of_start(fitting: Fitting) -> nn.Module:
    """The backbone as it was before anything moved, frozen, in evaluation mode.

    Raises:
        RecipeError: it has been given further modules since.
    """
    backbone = fitting.network.backbone
    start = {name.removeprefix("backbone."): tensor for name, tensor in fitting.start.items() if name.startswith("backbone.")}
    added = sorted(set(backbone.state_dict()) - set(start))
    if added:
        raise RecipeError(
            f"The backbone cannot be compared with the pre-trained one: modules were put into it ({', '.join(added[:3])}, ...). "
            "Use another scope, or another regularisation."
        )
    frozen = copy.deepcopy(backbone)
    frozen.load_state_dict(start)
    return frozen.eval().requires_grad_(False)
