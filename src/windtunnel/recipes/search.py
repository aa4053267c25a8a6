"""Search: a recipe's arguments, or the recipe, chosen by trying."""

from __future__ import annotations

import contextlib
import importlib.util
import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT, Configured
from windtunnel.core.modality import TEXT
from windtunnel.core.named import Paths
from windtunnel.core.recipe import Finetuned, Finetuning, Recipe
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes import space as spaces
from windtunnel.recipes.arguments import Count
from windtunnel.recipes.members import common_modalities, stays
from windtunnel.recipes.parts import Recipes, Threats
from windtunnel.recipes.selection.threats import common_modalities as common_to_threats
from windtunnel.recipes.supervised import Supervised
from windtunnel.seeding import integer

if TYPE_CHECKING:
    from windtunnel.core.network import Network


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Halving(Configured):
    """Successive halving: all trials for few epochs, the best of them for more.

    Args:
        rungs: how often trials are compared; in the last, those that are left have all the epochs of the recipe.
        factor: by which epochs grow, and trials shrink, from one rung to the next.
    Source:
        Jamieson and Talwalkar 2016, arXiv 1502.07943, figure 3; the factor 3 as in Li et al. 2018, arXiv 1603.06560. Deviation: each rung
        trains anew, since the schedule of the rate depends on the number of epochs.
    """

    use: ClassVar[str] = "halving"

    rungs: Annotated[int, Field(ge=2)] = 2
    factor: Annotated[int, Field(ge=2)] = 3

    def epochs(self, most: int) -> tuple[int, ...]:
        """Epochs of each rung, for a recipe that has `most`."""
        return tuple(max(1, round(most / self.factor ** (self.rungs - 1 - rung))) for rung in range(self.rungs))

    def trials(self, count: int) -> tuple[int, ...]:
        """How many of `count` trials there are in each rung."""
        return tuple(math.ceil(count / self.factor**rung) for rung in range(self.rungs))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Search(Recipe):
    """Try arguments of a recipe, or recipes, and keep the victim that does best on the validation split.

    Every trial is a fine-tuning with the seed of the search. Each of several recipes has the same number of trials. What was tried, how it
    did and what was chosen is noted.

    Args:
        of: the recipe; with several, the recipe is searched, too.
        space: path of an argument ("lr", "loss.gamma", or a preset's short name) -> a list of values, or a range {low, high, log}. A range
            whose bounds are whole numbers holds whole numbers. With several recipes, all must have the argument.
        sampler: "grid" for every combination of the lists; "random"; "tpe" for the tree-structured Parzen estimator of optuna, whose first
            ten trials are random.
        trials: for each recipe; with a grid, that of its combinations if left out.
        halving: compares trials of few epochs first.
        select: "id-val" by accuracy; "robust-val" by accuracy under the worst of `threats`; "oracle" like "id-val", and says that the suite,
            whose `selection` must be "oracle", puts the test split in the place of the validation split.
        threats: what "robust-val" looks at, each at its largest level; none that a benchmark of the suite has.
    Raises:
        RecipeError: settings that do not go together.
    Source:
        Random search: Bergstra and Bengio 2012. TPE: Bergstra et al. 2011. A stated budget that is equal for all: Gulrajani and Lopez-Paz
        2020, arXiv 2007.01434, section 3, whose "training-domain validation" and "oracle" are "id-val" and "oracle" here.
    """

    use: ClassVar[str] = "search"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({TEXT: MappingProxyType({"of": (Supervised.suited(TEXT),)})})

    of: Recipes = (Supervised(),)
    space: Annotated[dict[str, Any], Paths("of")] = field(default_factory=dict)
    sampler: Literal["grid", "random", "tpe"] = "grid"
    trials: Count | None = None
    halving: Halving | None = None
    select: Literal["id-val", "robust-val", "oracle"] = "id-val"
    threats: Threats = ()

    @field_validator("space")
    @classmethod
    def _lists(cls, space: dict[str, Any]) -> dict[str, Any]:
        return {path: tuple(values) if isinstance(values, list) else values for path, values in space.items()}

    def __post_init__(self) -> None:
        found = [(("space", *loc), message, value) for loc, message, value in spaces.problems(self.space, self.of)]
        if not self.space and (len(self.of) < 2 or self.sampler != "grid"):
            found = [(("space",), "there is nothing to search; give a list of values, or a range, for at least one argument", self.space)]
        if found:
            raise spaces.refuse(self.use, found)
        for wrong in (self._wrong_budget(), self._wrong_selection(), self._wrong_recipes()):
            if wrong:
                raise RecipeError(wrong)

    def _wrong_budget(self) -> str:
        ranges = [path for path, values in self.space.items() if spaces.is_range(values)]
        if self.sampler == "grid" and ranges:
            return f"A grid needs a list of values for {', '.join(ranges)}; write one, or use `sampler: random`."
        if self.sampler != "grid" and self.trials is None:
            return f"`sampler: {self.sampler}` needs a number of `trials`, the budget that is the same for all."
        if self.sampler == "grid" and self.trials is not None and self.trials < len(spaces.grid(self.space)):
            return f"The grid has {len(spaces.grid(self.space))} combinations, more than trials: {self.trials}. Take values out, or allow more."
        if self.sampler == "tpe" and importlib.util.find_spec("optuna") is None:
            return "`sampler: tpe` needs the package optuna, which is not installed: pip install 'optuna>=4'. The other samplers do without."
        return self._wrong_halving()

    def _wrong_halving(self) -> str:
        if self.halving is None:
            return ""
        if self.sampler == "tpe":
            return "halving compares trials that are there all at once, and tpe draws each after the last; use `sampler: random`."
        if "epochs" in self.space or any(not hasattr(recipe, "epochs") for recipe in self.of):
            return "halving sets the epochs of its recipes, which must have some, and which `space` must leave alone."
        return ""

    def _wrong_selection(self) -> str:
        if (self.select == "robust-val") != bool(self.threats):
            return "`select: robust-val` and a list of threats go together: accuracy under these is what trials are judged by."
        return ""

    def _wrong_recipes(self) -> str:
        if any(not recipe.trains for recipe in self.of):
            return "A search chooses among trainings, and one of its recipes trains nothing; leave it out."
        structural = any(path.split(".")[0] in ("scope", "stages", "of") for path in self.space)
        if any(stays(recipe) for recipe in self.of) and (len(self.of) > 1 or structural):
            return "A recipe that leaves modules of its own in the network can be searched alone, and not its scope or stages."
        return ""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of all its recipes and threats."""
        return tuple(each for each in common_modalities(self.of) if each in common_to_threats(self.threats))

    def restricting(self) -> Mapping[str, Any]:
        """What restricts its recipes."""
        return {name: value for recipe in self.of for name, value in recipe.restricting().items()}

    def watched(self) -> Iterator[Threat[Any]]:
        """The threats it selects by."""
        yield from self.threats

    @property
    def needs_oracle(self) -> bool:
        """Whether it says that it looks at test data."""
        return self.select == "oracle"

    def packages(self) -> tuple[str, ...]:
        """Those of every recipe that it may try, and of its sampler."""
        listed = [{path: value} for path, values in self.space.items() if not spaces.is_range(values) for value in values]
        tried = [name for recipe in self.of for trial in listed for name in spaces.changed(recipe, trial).packages()]
        return tuple(dict.fromkeys((*super().packages(), *tried, *(["optuna"] if self.sampler == "tpe" else []))))

    def members(self, seed: int) -> Iterator[tuple[Recipe, int]]:
        """Trials that do not hang on the figures of others, and that the recipe takes."""
        if self.halving is not None or self.sampler == "tpe":
            return
        for place, recipe in enumerate(self.of):
            for trial in self.trials_of(place, seed):
                with contextlib.suppress(RecipeError, ValueError):
                    yield spaces.changed(recipe, trial), seed

    def trials_of(self, place: int, seed: int) -> list[spaces.Trial]:
        """What is tried of a recipe, where that does not hang on figures."""
        if self.sampler == "grid":
            return spaces.grid(self.space)
        return [spaces.drawn(self.space, integer(seed, place), number) for number in range(self.count)]

    @property
    def count(self) -> int:
        """Trials of each recipe."""
        return len(spaces.grid(self.space)) if self.sampler == "grid" else self.trials or 0

    def passes(self, samples: int) -> float:
        """Those of all trials, drawn arguments as in the recipe itself."""
        trials = [recipe for base in self.of for recipe in self._expected(base)]
        if self.halving is None:
            return sum(recipe.passes(samples) for recipe in trials)
        shares = [float(self.halving.factor) ** -(self.halving.rungs - 1 - rung) for rung in range(self.halving.rungs)]
        left = self.halving.trials(len(trials))
        return sum(share * count / len(trials) for share, count in zip(shares, left, strict=True)) * sum(each.passes(samples) for each in trials)

    def _expected(self, base: Recipe) -> list[Recipe]:
        if self.sampler != "grid":
            return [base] * self.count
        return [spaces.changed(base, trial) for trial in spaces.grid(self.space)]

    def rebuild(self, network: Network) -> None:
        """As its first recipe; those that leave modules in the network are searched alone."""
        self.of[0].rebuild(network)

    def finetune(self, work: Finetuning) -> Finetuned:
        """Carry out the trials and keep the best."""
        from windtunnel.recipes.searching import carry_out

        return carry_out(self, work)
