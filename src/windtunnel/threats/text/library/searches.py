"""Searches: an attack of textattack on many texts at once, with what it would find and ask on each alone. Imports torch."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from windtunnel.core.attempt import Attempt, Status
from windtunnel.threats.text.attack import ASKED
from windtunnel.threats.text.library.lanes import Lane, Lanes, OutOfTimeError

Row = tuple[str, ...]
Ask = Callable[[list[Row]], Tensor]


@dataclass(frozen=True)
class Limits:
    """What a search on one text may spend.

    Args:
        queries: counted as textattack does, which counts a text that it asks about again; None for no bound.
        seconds: of the search itself, the victim's time not counted.
    """

    queries: int | None = None
    seconds: float = 600.0


@dataclass(frozen=True)
class Target:
    """A text to attack.

    Args:
        fields: names and texts, in order.
        label: true class index.
        key: of the search's draws, as in `windtunnel.seeding`.
    """

    fields: tuple[tuple[str, str], ...]
    label: int
    key: tuple[str | int, ...]


@dataclass(frozen=True)
class Found:
    """What came of the attack on one text: its fields, and how it went."""

    row: Row
    attempt: Attempt


def search(attack: Any, ask: Ask, targets: Sequence[Target], limits: Limits, asked: int = ASKED) -> list[Found]:
    """Attack many texts.

    Every text has a search, a goal function, a count of queries and caches of its own, as it would have alone. What all searches
    want to know next goes through the victim together: equal texts once, long ones beside long ones.

    Args:
        attack: a `textattack.Attack`; its model is asked for gradients only.
        ask: texts to logits (text, class).
        asked: texts in one forward pass at most.
    """
    searches = [_Search(attack, target, limits.queries) for target in targets]
    lanes = [Lane(each, each.target.key, limits.seconds) for each in searches]
    with Lanes(lanes) as together:
        together.run(lambda questions: _answer(ask, questions, asked))
    return [each.found(lane.result, lane.error, limits) for each, lane in zip(searches, lanes, strict=True)]


def _answer(ask: Ask, questions: Sequence[Sequence[Row]], asked: int) -> list[Tensor]:
    """The logits of each question's texts, (text, class)."""
    rows = sorted(dict.fromkeys(row for question in questions for row in question), key=lambda row: sum(map(len, row)))
    parts = [ask(rows[start : start + asked]).detach().cpu() for start in range(0, len(rows), asked)]
    logits = torch.cat(parts)
    places = {row: place for place, row in enumerate(rows)}
    return [logits[[places[row] for row in question]] for question in questions]


class _Asking:
    """A model wrapper of textattack whose answers come from elsewhere; all else is that of another wrapper."""

    def __init__(self, wrapper: Any, ask: Callable[[list[Row]], Tensor]) -> None:
        self._wrapper, self._ask = wrapper, ask

    def __call__(self, inputs: Sequence[str | Row]) -> Tensor:
        return self._ask([(each,) if isinstance(each, str) else tuple(each) for each in inputs])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapper, name)


class _Search:
    """The attack on one text."""

    def __init__(self, attack: Any, target: Target, queries: int | None) -> None:
        self.attack, self.target = attack, target
        self.goal = copy.copy(attack.goal_function)
        self.goal.num_queries = 0
        self.goal.batch_size = 1 << 30  # a step's texts are one question
        if queries is not None:
            self.goal.query_budget = queries

    def __call__(self, ask: Callable[[list[Row]], Tensor]) -> Any:
        from textattack import Attack
        from textattack.shared import AttackedText

        shared = self.attack
        self.goal.model = _Asking(shared.goal_function.model, ask)
        constraints = [*shared.pre_transformation_constraints, *shared.constraints]
        own = Attack(self.goal, constraints, shared.transformation, copy.copy(shared.search_method))
        return own.attack(AttackedText(OrderedDict(self.target.fields)), self.target.label)

    def found(self, result: Any, error: BaseException | None, limits: Limits) -> Found:
        """The perturbed text, or the text as it was where the search did not get that far."""
        from textattack.attack_results import SkippedAttackResult, SuccessfulAttackResult

        before, queries = tuple(text for _, text in self.target.fields), self.goal.num_queries
        spent = limits.queries is not None and queries >= limits.queries
        if error is not None and not spent:
            why = f"took more than {limits.seconds:g} s" if isinstance(error, OutOfTimeError) else f"{type(error).__name__}: {error}"
            return Found(before, Attempt("unfinished", queries, why))
        if error is not None:  # some searches expect an answer where none is left
            return Found(before, Attempt("out of budget", queries))
        if isinstance(result, SkippedAttackResult):
            return Found(before, Attempt("skipped", queries))
        text = result.perturbed_result.attacked_text
        after = tuple(text._text_input.values())
        status: Status = "succeeded" if isinstance(result, SuccessfulAttackResult) else "out of budget" if spent else "failed"
        return Found(after, Attempt(status, queries, similarity=_similarity(self.attack, result.original_result.attacked_text, text)))


def _similarity(attack: Any, before: Any, after: Any) -> float | None:
    """Of two whole texts by the first sentence encoder among the attack's constraints; None if there is none, or nothing was changed.

    Not the score that the constraint leaves with a text: that may be of a window of words, against the step before, or 1 for a text
    that is shorter than the window and was not looked at.
    """
    from textattack.constraints.semantics.sentence_encoders import SentenceEncoder

    encoder = next((each for each in attack.constraints if isinstance(each, SentenceEncoder)), None)
    if encoder is None or before.text == after.text:
        return None
    first, second = torch.as_tensor(encoder.encode([before.text, after.text]))
    return float(encoder.sim_metric(first[None], second[None]))
