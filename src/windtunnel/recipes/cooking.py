"""Cooking: a soup out of its members. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from windtunnel.core.flag import Flag
from windtunnel.core.recipe import Finetuned, Finetuning
from windtunnel.recipes.blending import Blender, check_alike
from windtunnel.recipes.judging import measured
from windtunnel.recipes.soup import Soup
from windtunnel.recipes.training import State


@dataclass(frozen=True, eq=False)
class Member:
    """A member after its training.

    Args:
        of: place of its recipe.
        seed: of its training.
        state: what it left.
        accuracy: on the validation split.
    """

    of: int
    seed: int
    state: State
    accuracy: float


def cook(recipe: Soup, work: Finetuning) -> Finetuned:
    """The soup of a recipe.

    Raises:
        RecipeError: members that cannot be trained, or not averaged.
    """
    planned = list(recipe.members(work.seed))
    members: list[Member] = []
    flags: dict[str, Flag] = {}
    for number, (member, seed) in enumerate(planned):
        done = work.member(member, seed)
        members.append(Member(number // recipe.seeds, seed, done.best, measured(done.network, work.val, work.device).accuracy))
        flags.update({flag.name: flag for flag in done.flags})
        work.progress(len(members), len(planned))
    check_alike([member.state for member in members])
    blender = Blender(done.network, work)
    ranked = sorted(members, key=lambda member: -member.accuracy)
    chosen = greedy(blender, ranked) if recipe.how == "greedy" else members
    state = blender.blend([member.state for member in chosen])
    told = [_told(blender, ranked[0], each, chosen) for each in members]
    notes = {"val_accuracy": blender.judge(state).accuracy, "members": told}  # judged last, so that the network holds the soup
    flags.update({flag.name: flag for flag in recipe.flags()})
    return Finetuned(blender.network, state, state, 0, (), notes, tuple(flags.values()))


def greedy(blender: Blender, ranked: Sequence[Member]) -> list[Member]:
    """The members of a greedy soup: each from the best on that does not lower the soup's accuracy."""
    chosen, accuracy = [ranked[0]], ranked[0].accuracy
    for member in ranked[1:]:
        found = blender.judge(blender.blend([each.state for each in (*chosen, member)])).accuracy
        if found >= accuracy:
            chosen, accuracy = [*chosen, member], found
    return chosen


def _told(blender: Blender, best: Member, member: Member, chosen: Sequence[Member]) -> dict[str, Any]:
    """A member in the notes; its barrier is that to the best member."""
    barrier = {} if member is best else {"barrier": asdict(blender.barrier(best.state, member.state))}
    return {"of": member.of, "seed": member.seed, "val_accuracy": member.accuracy, "in_soup": member in chosen, **barrier}
