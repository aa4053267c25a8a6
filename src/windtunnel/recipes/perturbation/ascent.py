"""The search of TRADES: the inputs within a ball on which predictions differ most from those on clean ones. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from windtunnel.core.ball import normal_draws, project, steepest
from windtunnel.core.part import Fitting, Minibatch
from windtunnel.recipes.divergence import kullback_leibler
from windtunnel.recipes.judging import judged

if TYPE_CHECKING:
    from windtunnel.recipes.perturbation.trades import Trades


def most_divergent(settings: Trades, fitting: Fitting, minibatch: Minibatch) -> Tensor:
    """Projected gradient steps up the divergence, from a little noise around each image.

    Shapes:
        as the minibatch's inputs, in [0, 1].
    """
    inputs: Tensor = minibatch.inputs
    eps, step = float(settings.eps), float(settings.step)
    draws = fitting.draws(settings.use, minibatch.ids)
    points = inputs + settings.noise * normal_draws(draws, inputs.shape[1:], inputs)
    with judged(fitting.network) as victim:
        reference = victim.logits(inputs)
        for _ in range(settings.steps):
            _, _, gradient = victim.gradient(points, lambda logits: kullback_leibler(reference, logits))
            change = points + step * steepest(settings.norm, gradient) - inputs
            points = (inputs + project(settings.norm, change, eps)).clamp(0, 1)
    return points
