"""FreeLB: word embeddings that climb in several steps, each of which adds to the gradient that is descended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.part import Fitting, Hooks, Minibatch, Perturbation
from windtunnel.recipes.arguments import Count, Rate, Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FreeLB(Perturbation):
    """The mean loss over the points of an ascent in the word embeddings, from a random start; all of them under the same dropout.

    Args:
        steps: points of the ascent.
        step: length of a step, in the L2 norm over all words of a text.
        start: the start is uniform, for each value within this over the square root of their number; 0 starts at the text itself.
        norm: largest L2 norm of the move of a text; None leaves it free.
    Source:
        Zhu et al. 2020, arXiv 1909.11764, section 3.2 (algorithm 1) and 3.3; the numbers are the authors' for SST-2 with ALBERT
        (zhuchen03/FreeLB, huggingface-transformers/launch/run_glue.sh).
    """

    use: ClassVar[str] = "freelb"
    modality: ClassVar[str] = TEXT

    steps: Count = 3
    step: Rate = 0.1
    start: Weight = 1.0
    norm: Rate | None = 0.6

    def passes(self) -> float:
        """Forward and backward in every step but the last, which is the recipe's own."""
        return 2.0 * (self.steps - 1)

    def begin(self, fitting: Fitting) -> Hooks:
        """The ascent around each objective."""
        return _Ascending(self, fitting)


class _Ascending(Hooks):
    def __init__(self, settings: FreeLB, fitting: Fitting) -> None:
        from windtunnel.recipes.perturbation.embeddings import Embeddings

        self.settings, self.fitting = settings, fitting
        self.embeddings = Embeddings(fitting.network, settings.use)

    def objective(self, minibatch: Minibatch, inner: Callable[[Minibatch], Tensor]) -> Tensor:
        import torch

        from windtunnel.recipes.perturbation.embeddings import same_draws

        moves: list[Tensor] = []
        steps, first = self.settings.steps, self._begin()
        total = torch.zeros((), device=self.fitting.device)
        for _ in range(steps - 1):
            with same_draws(self.fitting.device), self.embeddings.moved(moves, first):
                loss = inner(minibatch) / steps
            self.fitting.backward(loss)
            total += loss.detach()
            moves = [self._climb(move) for move in moves]
        with self.embeddings.moved(moves, first):
            return total + inner(minibatch) / steps

    def _begin(self) -> Callable[[Tensor, Tensor], Tensor]:
        """Starts from a generator of their own, so that dropout draws as it would without them."""
        import torch

        generator = torch.Generator(self.fitting.device).manual_seed(self.fitting.number(f"freelb-{self.fitting.step}"))

        def start(embedded: Tensor, mask: Tensor) -> Tensor:
            reach = self.settings.start / (mask.sum((1, 2), keepdim=True) * embedded.shape[2]).sqrt()
            return (torch.rand(embedded.shape, generator=generator, device=embedded.device) * 2 - 1).to(embedded.dtype) * reach

        return start

    def _climb(self, move: Tensor) -> Tensor:
        """The next point: a step along the slope of each text, back into the ball."""
        from windtunnel.core.ball import project, steepest

        if move.grad is None:
            return move
        further = move.detach() + self.settings.step * steepest("L2", move.grad)
        return (further if self.settings.norm is None else project("L2", further, self.settings.norm)).requires_grad_()
