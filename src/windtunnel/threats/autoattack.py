"""AutoAttack: the published ensemble, each member on the samples that the ones before it left standing."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.flag import Flag
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor

    from windtunnel.threats.library.adapter import Survivors

Member = Literal["apgd-ce", "apgd-t", "fab-t", "square"]
MEMBERS: tuple[Member, ...] = get_args(Member)

# The published standard version, arXiv 2003.01690, section 5. Not arguments: with other values it is not AutoAttack.
STEPS = 100
TARGETS = 9
QUERIES = 5000
RHO = 0.75


def _published_order(members: tuple[Member, ...]) -> tuple[Member, ...]:
    if not members:
        raise ValueError(f"the list is empty; choose from {', '.join(MEMBERS)}")
    return tuple(member for member in MEMBERS if member in members)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AutoAttack(Attack):
    """APGD on cross-entropy, targeted APGD on the DLR loss, targeted FAB, and Square.

    100 steps each, nine target classes (all others where there are fewer), 5000 queries.

    Args:
        norm: "Linf" or "L2".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        variant: "standard", the one the paper compares by.
        members: which attacks of the ensemble run, always in the published order; leaving one out is flagged.
    Source:
        Croce and Hein 2020, arXiv 2003.01690, section 5.
    Deviations:
        With fewer than four classes the targeted DLR loss does not exist, and in L2 Square needs images that it can tile; a member
        that cannot run is left out and flagged. Draws are keyed by sample, so that batches do not share a seed's noise.
    """

    use: ClassVar[str] = "autoattack"

    norm: Literal["Linf", "L2"] = "Linf"
    variant: Literal["standard"] = "standard"
    members: Annotated[tuple[Member, ...], AfterValidator(_published_order)] = MEMBERS

    def passes(self) -> float:
        """For a sample that nothing breaks: a bound that few samples reach."""
        rounds = {
            "apgd-ce": 2 * (STEPS + 1),
            "apgd-t": TARGETS * 2 * (STEPS + 1),
            "fab-t": TARGETS * (3 * STEPS + 2),
            "square": QUERIES + 1,
        }
        checks = {"apgd-t": TARGETS, "fab-t": TARGETS}
        return 1.0 + sum(rounds[member] + checks.get(member, 1) for member in self.members)

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        """A flag for every member of the published ensemble that does not run."""
        found = []
        missing = [member for member in MEMBERS if member not in self.members]
        if missing:
            found.append(Flag("partial-ensemble", f"AutoAttack ran without {', '.join(missing)}, as configured: weaker than the published one."))
        if "apgd-t" in self.members and "apgd-t" not in self._able(classes, shape):
            message = f"With {classes} classes the targeted DLR loss does not exist (it needs four): AutoAttack ran without apgd-t."
            found.append(Flag("too-few-classes", message))
        if "square" in self.members and "square" not in self._able(classes, shape):
            message = f"Square in L2 cannot tile images of {shape[-2]} x {shape[-1]}: AutoAttack ran without it."
            found.append(Flag("image-too-small", message))
        return tuple(found)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """What broke each sample; the clean input where nothing did."""
        from windtunnel.threats.library.adapter import Survivors

        survivors = Survivors(victim, batch, self.norm, float(level))
        # Classes from the likeliest down; the first is the label, for only rightly classified samples are attacked.
        ranking = victim.logits(batch.inputs).argsort(dim=1, descending=True)
        for member in self._able(ranking.shape[1], tuple(batch.inputs.shape[1:])):
            self._run(member, survivors, ranking, seed)
        return survivors.perturbed

    def _able(self, classes: int, shape: tuple[int, ...]) -> tuple[Member, ...]:
        """The configured members that exist for so many classes and such images."""
        lacking = set()
        if classes < 4:
            lacking.add("apgd-t")
        if not _square_fits(self.norm, *shape[-2:]):
            lacking.add("square")
        return tuple(member for member in self.members if member not in lacking)

    def _run(self, member: Member, survivors: Survivors, ranking: Tensor, seed: int) -> None:
        from windtunnel.threats.library import ensemble

        purpose = f"{self.use}/{member}"
        targets = min(TARGETS, ranking.shape[1] - 1)
        for place in range(1, targets + 1 if member in ("apgd-t", "fab-t") else 2):
            if not len(survivors):
                return
            key = f"{purpose}/{place}"
            if member == "apgd-ce":
                found = ensemble.apgd(survivors, seed, key, loss="ce", steps=STEPS, rho=RHO)
            elif member == "apgd-t":
                aims = ranking[survivors.rows, place]
                found = ensemble.apgd(survivors, seed, key, loss="dlr", steps=STEPS, rho=RHO, targets=aims)
            elif member == "fab-t":
                found = ensemble.fab(survivors, seed, key, steps=STEPS, place=place)
            else:
                found = ensemble.square(survivors, seed, key, queries=QUERIES)
            survivors.offer(found)


def _square_fits(norm: str, height: int, width: int) -> bool:
    """Whether torchattacks' Square can lay out its windows: in L2 they are tiles of a fifth of the height, and odd squares."""
    if norm == "Linf":
        return True
    tile = height // 5
    if tile == 0 or width < tile:
        return False
    start = (height - 5 * tile) // 2
    ends = [start + side // tile * tile for side in (height, width)]
    largest = max(round((0.8 * height * width) ** 0.5), 3)  # 0.8 is the share of the image that the first square covers
    largest += largest % 2 == 0
    return largest <= min(height, width) and (tile == 1 or (ends[0] <= height and ends[1] <= width))
