"""WiSE-FT: the weights on the line between a start and a fine-tuned network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.recipe import Finetuned, Finetuning, Recipe
from windtunnel.errors import RecipeError
from windtunnel.recipes.members import common_modalities, stays
from windtunnel.recipes.parts import OneRecipe
from windtunnel.recipes.scopes.whole import Full, Head
from windtunnel.recipes.stage import Stage
from windtunnel.recipes.supervised import Supervised

if TYPE_CHECKING:
    from windtunnel.core.network import Network


FROM_PROBE = (Stage(name="probe", scope=Head(), epochs=100, lr=1e-2), Stage(scope=Full()))
"""The stages of LP-FT."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WiseFt(Recipe):
    """Interpolate every weight between a network that has hardly left the pre-trained one and a fine-tuned one; nothing else is trained.

    Both ends are recipes of their own, carried out with the same seed, and computed once for all values of alpha. The preset `wise-ft`
    goes from the linear probe to LP-FT, which begins there.

    Args:
        of: the fine-tuned end.
        start: the other end; `pretrained` where the model has a classifier for the data's classes.
        alpha: share of the fine-tuned end, from 0 (the start) to 1.
    Raises:
        RecipeError: ends that are not of one structure.
    Source:
        Wortsman et al. 2022, arXiv 2109.01903, equation 1; alpha 0.5 where nothing tells better (section 3). Every entry of the state is
        interpolated, batch statistics too, as in the reference implementation, so that alpha 0 and 1 are the ends themselves.
        Deviation: the published start is a zero-shot classifier made from texts. A network without one has the linear probe in its
        place: the pre-trained backbone as it is, under a head trained on its frozen features; and LP-FT, which begins with it, in that
        of fine-tuning from the zero-shot classifier.
    """

    use: ClassVar[str] = "interpolation"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {TEXT: MappingProxyType({"of": Supervised.suited(TEXT, stages=FROM_PROBE)})}
    )

    of: OneRecipe = Supervised(stages=FROM_PROBE)
    start: OneRecipe = Supervised(scope=Head(), epochs=100, lr=1e-2)
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.5

    def __post_init__(self) -> None:
        if stays(self.of) != stays(self.start):
            raise RecipeError(
                "An interpolation needs networks of one structure, and only one end leaves modules of its own in the network; use another scope."
            )

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of both ends."""
        return common_modalities((self.of, self.start))

    def restricting(self) -> Mapping[str, Any]:
        """What restricts its ends."""
        return {**self.start.restricting(), **self.of.restricting()}

    def members(self, seed: int) -> Iterator[tuple[Recipe, int]]:
        """Both ends."""
        yield self.start, seed
        yield self.of, seed

    def passes(self, samples: int) -> float:
        """Those of both ends."""
        return self.of.passes(samples) + self.start.passes(samples)

    def rebuild(self, network: Network) -> None:
        """As the fine-tuned end."""
        self.of.rebuild(network)

    def finetune(self, work: Finetuning) -> Finetuned:
        """Carry out both ends and interpolate.

        Raises:
            RecipeError: their networks have other tensors.
        """
        from windtunnel.recipes.blending import interpolated
        from windtunnel.recipes.judging import measured

        start, end = work.member(self.start, work.seed), work.member(self.of, work.seed)
        state = interpolated(start.best, end.best, self.alpha)
        ends = {name: measured(done.network, work.val, work.device).accuracy for name, done in (("start", start), ("of", end))}
        network = end.network
        network.load_state_dict(state)
        notes = {"alpha": self.alpha, "val_accuracy": measured(network, work.val, work.device).accuracy, "val_accuracy_of_ends": ends}
        return Finetuned(network, state, state, 0, (), notes, (*start.flags, *end.flags))
