"""CW: the Carlini-Wagner attack, which looks for the smallest L2 change that is enough."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT, Radii
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor

Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CW(Attack):
    """The Carlini-Wagner L2 attack.

    It has no budget of its own: it minimises the distance. To be comparable with attacks that have one, it is held to `eps`: a
    sample whose nearest misclassified point lies further away counts as not broken, and is given back unchanged.

    Args:
        norm: "L2".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        c: first weight of misclassification against distance.
        kappa: by how much the wrong logit must win.
        steps: steps of Adam in each search.
        lr: its learning rate at the start of a search, in the space of the hyperbolic tangent; it falls to 0 along a cosine.
        searches: values of `c` tried, by bisection.
    Source:
        Carlini and Wagner 2017, arXiv 1608.04644, sections V and VI.
    Deviations:
        The search over `c` is the paper's; its 10,000 steps of 0.01 are replaced by 200 that start ten times longer and shorten.
        torchattacks' implementation is not used: there black and white pixels never move, the loss is wrong for negative logits, and
        one sample's progress stops the others of its batch.
    """

    use: ClassVar[str] = "cw"
    version: ClassVar[int] = 2
    minimal: ClassVar[bool] = True

    norm: Literal["L2"] = "L2"
    eps: Radii = (Fraction(1, 2),)
    c: Positive = 1.0
    kappa: Annotated[float, Field(ge=0)] = 0.0
    steps: PositiveInt = 200
    lr: Positive = 0.1  # ours: a black pixel starts 7.3 away from grey in that space, out of reach for 200 steps of 0.01
    searches: PositiveInt = 5

    def passes(self) -> float:
        """Forward and backward in every step of every search."""
        return 2.0 * self.steps * self.searches

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The nearest misclassified points found, where they lie within the budget; the inputs elsewhere."""
        from windtunnel.threats.minimum.carlini import search
        from windtunnel.threats.minimum.nearest import Nearest

        nearest = Nearest(batch.inputs, self.norm)
        search(victim, nearest, batch.labels, c=self.c, kappa=self.kappa, steps=self.steps, lr=self.lr, searches=self.searches)
        return nearest.found(float(level))
