"""Searching: the trials of a search, one after the other, and the best of them. Imports torch."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from windtunnel.core.canonical import plain
from windtunnel.core.recipe import Finetuned, Finetuning, Recipe
from windtunnel.errors import RecipeError
from windtunnel.recipes import space as spaces
from windtunnel.recipes.judging import measured, standing
from windtunnel.recipes.order import validation_batches
from windtunnel.recipes.search import Halving, Search
from windtunnel.seeding import integer

Try = Callable[[spaces.Trial], float]


@dataclass(frozen=True)
class Tried:
    """A trial after its training.

    Args:
        of: place of its recipe.
        arguments: what was tried.
        epochs: those of its rung; None for all of the recipe's.
        figure: on the validation split; the larger the better, 0 for a trial that failed.
        failed: why it could not be trained, e.g. because it diverged.
    """

    of: int
    arguments: spaces.Trial
    epochs: int | None
    figure: float
    failed: str = ""

    def told(self) -> dict[str, Any]:
        """The trial in the notes."""
        epochs = {} if self.epochs is None else {"epochs": self.epochs}
        outcome = {"failed": self.failed} if self.failed else {"figure": self.figure}
        return {"of": self.of, "arguments": plain(self.arguments), **epochs, **outcome}


def carry_out(search: Search, work: Finetuning) -> Finetuned:
    """What the best trial left, with notes of all.

    Raises:
        RecipeError: no trial can be trained.
    """
    searched = _Search(search, work)
    searched.run()
    if searched.best is None:
        raise RecipeError(f"Every trial of the search failed. The last said: {searched.tried[-1].failed}")
    best, done = searched.best
    notes = {
        "selected_by": search.select,
        "budget": {"trials_of_each_recipe": search.count, "fine_tunings": len(searched.tried)},
        "trials": [each.told() for each in searched.tried],
        "chosen": best.told(),
        "val_accuracy": searched.accuracy(done),
    }
    return dataclasses.replace(done, notes={**({"of": done.notes} if done.notes else {}), **notes})


class _Search:
    """Trials so far, and what the best of those with all their epochs left; of equals the first."""

    def __init__(self, search: Search, work: Finetuning) -> None:
        self.search, self.work = search, work
        self.tried: list[Tried] = []
        self.best: tuple[Tried, Finetuned] | None = None
        halving, many = search.halving, search.count * len(search.of)
        self.planned = many if halving is None else sum(halving.trials(many))

    def run(self) -> None:
        """Make every trial."""
        if self.search.sampler == "tpe":
            for place in range(len(self.search.of)):
                self._estimate(place)
            return
        trials = [(place, trial) for place in range(len(self.search.of)) for trial in self.search.trials_of(place, self.work.seed)]
        if self.search.halving is not None:
            self._halve(self.search.halving, trials)
            return
        self._announce(trials)
        for place, trial in trials:
            self._try(place, trial)

    def _announce(self, trials: Sequence[tuple[int, spaces.Trial]], epochs: Sequence[int | None] = ()) -> None:
        """Tell of trials that none of them hangs on another, so that they can be made as one."""
        members = []
        for (place, trial), few in zip(trials, epochs or [None] * len(trials), strict=True):
            with contextlib.suppress(RecipeError, ValueError):  # `_try` says why
                members.append((self._recipe(place, trial, few), self.work.seed))
        self.work.announce(members)

    def _recipe(self, place: int, trial: spaces.Trial, epochs: int | None) -> Recipe:
        return spaces.changed(self.search.of[place], trial if epochs is None else {**trial, "epochs": epochs})

    def _halve(self, halving: Halving, trials: list[tuple[int, spaces.Trial]]) -> None:
        """Compare all for few epochs, and the best of them for more."""
        for rung, count in enumerate(halving.trials(len(trials))):
            if rung:
                best = sorted(self.tried[-len(trials) :], key=lambda each: -each.figure)[:count]
                trials = [(each.of, each.arguments) for each in best]
            last = rung == halving.rungs - 1
            epochs = [None if last else halving.epochs(_epochs(self.search.of[place]))[rung] for place, _ in trials]
            self._announce(trials, epochs)
            for (place, trial), few in zip(trials, epochs, strict=True):
                self._try(place, trial, few)

    def _try(self, place: int, trial: spaces.Trial, epochs: int | None = None) -> float:
        """Carry out a trial; its figure."""
        try:
            done = self.work.member(self._recipe(place, trial, epochs), self.work.seed)
            tried = Tried(place, trial, epochs, self._figure(done))
            if epochs is None and (self.best is None or tried.figure > self.best[0].figure):
                self.best = tried, done
        except (RecipeError, ValueError) as error:  # divergence, or values that only together are refused
            tried = Tried(place, trial, epochs, 0.0, str(error))
        self.tried.append(tried)
        self.work.progress(len(self.tried), self.planned)
        return tried.figure

    def accuracy(self, done: Finetuned) -> float:
        """On the validation split; what is known is not measured again: a head would have to wait for the backbone."""
        known = done.val_accuracy
        return measured(done.network, self.work.val, self.work.device).accuracy if known is None else known

    def _figure(self, done: Finetuned) -> float:
        if self.search.select != "robust-val":
            return self.accuracy(done)
        batches = validation_batches(self.work.val, self.work.device)()
        right = standing(done.network, batches, self.search.threats, integer(self.work.seed, "robust-validation"))
        return right / len(self.work.val)

    def _estimate(self, place: int) -> None:
        """Trials drawn by the tree-structured Parzen estimator, each after the figures of those before it."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=integer(self.work.seed, "tpe", place) % 2**32)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for _ in range(self.search.count):
            asked = study.ask()
            study.tell(asked, self._try(place, {path: _suggested(asked, path, self.search.space[path]) for path in sorted(self.search.space)}))


def _epochs(recipe: Recipe) -> int:
    """Epochs of a recipe, which halving requires to have some."""
    epochs: int = recipe.epochs  # type: ignore[attr-defined]  # the search was refused otherwise
    return epochs


def _suggested(asked: Any, path: str, values: Any) -> Any:
    """What the estimator suggests for one argument."""
    if not spaces.is_range(values):
        return values[asked.suggest_categorical(path, list(range(len(values))))]
    suggest = asked.suggest_int if spaces.whole(values) else asked.suggest_float
    return suggest(path, values["low"], values["high"], log=bool(values.get("log")))
