"""SMART: predictions that hardly change when word embeddings do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.part import Answer, Fitting, Hooks, Minibatch, Perturbation
from windtunnel.recipes.arguments import Count, Rate, Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Smart(Perturbation):
    """Smoothness-inducing adversarial regularisation: the loss on the texts, and the divergence of the predictions on moved embeddings.

    The divergence is symmetric, KL(p || q) + KL(q || p), at the moves within a small cube at which it is largest. Dropout draws anew in each
    pass, so that what it changes is held down, too.

    Args:
        strength: weight of the divergence, the paper's lambda; 0 trains without it.
        eps: largest move of any value of an embedding.
        noise: standard deviation of the start.
        steps: steps of the search.
        step: length of one, for the value with the steepest slope of a text.
    Source:
        Jiang et al. 2020, arXiv 1911.03437, section 3.1 and algorithm 1, with the numbers of section 4.2 but for `eps`.
    Deviation:
        The Bregman proximal point part (section 3.2) is left out; `average: ema` or `regularise: l2-sp` hold a training back, too. `eps` is the
        length of a step; in the paper's 1e-5 single precision hardly sees that predictions differ.
    """

    use: ClassVar[str] = "smart"
    modality: ClassVar[str] = TEXT

    strength: Weight = 1.0
    eps: Rate = 1e-3
    noise: Rate = 1e-5
    steps: Count = 1
    step: Rate = 1e-3

    def passes(self) -> float:
        """Forward and backward in every step, and on what is found."""
        return 2.0 * (self.steps + 1) if self.strength else 0.0

    def begin(self, fitting: Fitting) -> Hooks:
        """The divergence."""
        return _Smooth(self, fitting) if self.strength else Hooks()


class _Smooth(Hooks):
    def __init__(self, settings: Smart, fitting: Fitting) -> None:
        from windtunnel.recipes.perturbation.embeddings import Embeddings

        self.settings, self.fitting = settings, fitting
        self.embeddings = Embeddings(fitting.network, settings.use)

    def penalty(self, minibatch: Minibatch, answer: Answer) -> Tensor:
        import torch

        alone, reference = replace(minibatch, views=()), answer.logits.detach()
        moves: list[Tensor] = []
        for _ in range(self.settings.steps):
            with self.embeddings.moved(moves, self._noise):
                far = _apart(reference, self.fitting.answer(alone).logits).sum()
            slopes = torch.autograd.grad(far, moves)
            moves = [self._climb(move, slope) for move, slope in zip(moves, slopes, strict=True)]
        with self.embeddings.moved(moves, self._noise):
            return self.settings.strength * _apart(answer.logits, self.fitting.answer(alone).logits).mean()

    def _noise(self, embedded: Tensor, mask: Tensor) -> Tensor:
        import torch

        return self.settings.noise * torch.randn_like(embedded)

    def _climb(self, move: Tensor, slope: Tensor) -> Tensor:
        from windtunnel.core.ball import TINY, column, lengths

        along = slope / column(lengths("Linf", slope).clamp_min(TINY), slope)
        return (move.detach() + self.settings.step * along).clamp(-self.settings.eps, self.settings.eps)


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """The symmetric divergence of two predictions, (batch,)."""
    from windtunnel.recipes.divergence import kullback_leibler

    return kullback_leibler(one, other) + kullback_leibler(other, one)
