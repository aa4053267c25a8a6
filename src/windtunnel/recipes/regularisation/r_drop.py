"""R-Drop: two passes with other dropout must agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.batch import joined
from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Fitting, Hooks, Minibatch, Regularisation
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RDrop(Regularisation):
    """Every sample goes through the network twice; the loss is the mean of both, and `alpha` times how far their predictions are apart.

    Apart is the mean of the two Kullback-Leibler divergences, of the first to the second and back.

    Args:
        alpha: weight of the divergence; with 0 each sample is trained on under two draws of dropout.
    Raises:
        RecipeError: nothing in the network draws, so that both passes are the same.
    Source:
        Liang et al. 2021, arXiv 2106.14448, section 2.1 (equations 1 to 4). Deviation: the mean of the two losses, as in the authors' code
        (dropreg/R-Drop), where the paper adds them up.
    """

    use: ClassVar[str] = "r-drop"

    alpha: Weight = 1.0

    def passes(self) -> float:
        """Forward and backward once more."""
        return 2.0

    def begin(self, fitting: Fitting) -> Hooks:
        """The second pass and the divergence."""
        return _Twice(self.alpha, fitting)


class _Twice(Hooks):
    def __init__(self, alpha: float, fitting: Fitting) -> None:
        self.alpha, self.fitting = alpha, fitting

    def objective(self, minibatch: Minibatch, inner: Callable[[Minibatch], Tensor]) -> Tensor:
        if not self.fitting.past:  # only now have all parts set what they set
            self._refuse_sameness()
        return inner(twice(minibatch))

    def penalty(self, minibatch: Minibatch, answer: Answer) -> Tensor | None:
        from windtunnel.recipes.divergence import kullback_leibler

        if not self.alpha:
            return None
        first, second = answer.logits.chunk(2)
        return self.alpha / 2 * (kullback_leibler(first, second) + kullback_leibler(second, first)).mean()

    def _refuse_sameness(self) -> None:
        from windtunnel.recipes.regularisation.rates import rate_name

        named = [(module, rate_name(module)) for module in self.fitting.network.modules()]
        found = [getattr(module, name) for module, name in named if name is not None]
        if not any(found):
            raise RecipeError(
                f"R-Drop asks two passes to agree that draw at random, and nothing in this network does ({len(found)} dropout layers of rate 0). "
                "Give the recipe `dropout: 0.1`, or `regularise` by `dropout` or `stochastic-depth`, too."
            )


def twice(minibatch: Minibatch) -> Minibatch:
    """All samples, and after them all of them again."""
    import torch

    def both(rows: Any) -> Any:
        return None if rows is None else joined((rows, rows))

    partner = minibatch.partner
    return Minibatch(
        both(minibatch.inputs),
        both(minibatch.labels),
        minibatch.ids * 2,
        both(minibatch.clean),
        both(minibatch.perturbed),
        tuple(both(view) for view in minibatch.views),
        both(minibatch.other),
        both(minibatch.share),
        None if partner is None else torch.cat([partner, partner + len(minibatch)]),
    )
