"""AdvProp: perturbed inputs as further training data, normalised by batch norms of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Fitting, Hooks, Minibatch
from windtunnel.core.recipe import Material
from windtunnel.errors import RecipeError
from windtunnel.recipes.perturbation.opposed import Opposed, found_by

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AdvProp(Opposed):
    """The loss on clean inputs through the network's own batch norms, and that on perturbed ones through auxiliary ones.

    The auxiliary batch norms start as copies; they also serve the attack, and only the network's own ones are left in it.

    Args:
        threat: what perturbs; as published pgd of 5 steps of 1/255 at 4/255 with `stop_when_broken: false`.
        judge: the threat under which an epoch is judged; plain accuracy judges if left out, which is what the method is for.
    Raises:
        RecipeError: a threat that changes nothing, or a network without batch norms.
    Source:
        Xie et al. 2020, arXiv 1911.09665, section 4 (algorithm 1, equation 3) and section 5.1.
    Deviation:
        The attack sees the network in evaluation mode, with the running statistics of the auxiliary batch norms.
    """

    use: ClassVar[str] = "advprop"

    def check(self, material: Material) -> None:
        """The network must have batch norms."""
        if not any("BatchNorm" in kind for kind in material.layers.values()):
            raise lacking(material.model, material.layers.values())

    def passes(self) -> float:
        """The threat, and forward and backward on what it finds."""
        return 2.0 + self.threat.passes()

    def judged_under(self) -> Any:
        """The judge, if there is one."""
        return self.judge

    def begin(self, fitting: Fitting) -> Hooks:
        """Perturbed inputs beside each minibatch, and a second loss."""
        return _Split(self, fitting)


def lacking(name: str, kinds: Iterable[str]) -> RecipeError:
    """What to say of a network without batch norms, by the kinds of its modules."""
    held = ", ".join(sorted({kind for kind in kinds if "Norm" in kind})) or "no normalisation"
    return RecipeError(
        f"advprop gives perturbed inputs batch norms of their own, and {name} has none; it has {held}. "
        "Choose a convolutional network with batch norm, or `adversarial` training."
    )


class _Split(Hooks):
    def __init__(self, settings: AdvProp, fitting: Fitting) -> None:
        from windtunnel.recipes.perturbation.auxiliary import Auxiliary

        self.settings, self.fitting = settings, fitting
        self.norms = Auxiliary(fitting)

    def parameters(self) -> Sequence[nn.Parameter]:
        return self.norms.parameters()

    def perturb(self, minibatch: Minibatch) -> Minibatch:
        with self.norms.inside():
            return replace(minibatch, perturbed=found_by(self.settings.threat, self.fitting, minibatch))

    def objective(self, minibatch: Minibatch, inner: Callable[[Minibatch], Tensor]) -> Tensor:
        # The gradient is taken while the auxiliary norms are in: checkpointed blocks are computed again in the backward pass.
        with self.norms.inside():
            other = inner(replace(minibatch, inputs=minibatch.perturbed, clean=minibatch.inputs, perturbed=None))
            self.fitting.backward(other)
        return inner(replace(minibatch, perturbed=None)) + other.detach()
