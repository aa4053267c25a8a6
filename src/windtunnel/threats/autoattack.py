"""AutoAttack: the published ensemble, each member on the samples that the ones before it left standing."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal, get_args

from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.flag import Flag
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor

    from windtunnel.threats.standing import Standing

Variant = Literal["standard", "rand"]
Member = Literal["apgd-ce", "apgd-dlr", "apgd-t", "fab-t", "square"]

MEMBERS: Final[Mapping[Variant, tuple[Member, ...]]] = MappingProxyType(
    {"standard": ("apgd-ce", "apgd-t", "fab-t", "square"), "rand": ("apgd-ce", "apgd-dlr")}
)
"""In the published order."""

# The published versions, arXiv 2003.01690, section 5, its code's `rand`, and its code's L1. Not arguments: with other values it is not
# AutoAttack.
STEPS = 100
TARGETS = 9
L1_RESTARTS = 5  # of APGD on cross-entropy, in the standard version
L1_TARGETS = 5  # of APGD; those of FAB are nine as ever
QUERIES = 5000
RHO = 0.75
SHARE = 0.8
SPAN = 10000  # the share of Square's windows falls as for 10,000 queries, of which half are spent
EOT = 20


def _distinct(members: tuple[Member, ...]) -> tuple[Member, ...]:
    if not members:
        raise ValueError(f"the list is empty; choose from {', '.join(get_args(Member))}")
    return tuple(member for member in get_args(Member) if member in members)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AutoAttack(Attack):
    """Standard: APGD on cross-entropy, targeted APGD on the DLR loss, targeted FAB, and Square. Rand: APGD on both losses, averaged.

    100 steps each, nine target classes (all others where there are fewer), 5000 queries; `rand` averages 20 gradients in each step.
    In L1 the standard version takes five attempts on cross-entropy and has five target classes for APGD, whose first steps go to three
    times and twice the radius; `rand` keeps to the radius.

    Args:
        norm: "Linf", "L2" or "L1".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        variant: "standard", the one the paper compares by, or "rand" for victims that draw at random.
        members: which attacks of the ensemble run, always in the published order; leaving one out is flagged. All if left out.
    Source:
        Croce and Hein 2020, arXiv 2003.01690, section 5; L1: Croce and Hein 2021, arXiv 2103.01208, with the numbers of the authors' code
        (fra31/auto-attack, autoattack.py).
    Deviations:
        With too few classes for the DLR loss (three untargeted, four targeted) the margin takes its place, flagged. A sample leaves
        at the first point that breaks it, which changes no verdict. Draws are keyed by sample, so that batches share no noise.
    """

    use: ClassVar[str] = "autoattack"
    version: ClassVar[int] = 2

    norm: Literal["Linf", "L2", "L1"] = "Linf"
    variant: Variant = "standard"
    members: Annotated[tuple[Member, ...], AfterValidator(_distinct)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = [member for member in self.members or () if member not in MEMBERS[self.variant]]
        if wrong:
            raise ValueError(f"autoattack: {', '.join(wrong)} is no member of its variant {self.variant!r}: {', '.join(MEMBERS[self.variant])}")

    @property
    def running(self) -> tuple[Member, ...]:
        """The members that run."""
        return MEMBERS[self.variant] if self.members is None else self.members

    @property
    def eot(self) -> int:
        """Gradients averaged in each step."""
        return EOT if self.variant == "rand" else 1

    @property
    def sparse(self) -> bool:
        """Whether APGD runs as in the standard version for L1."""
        return self.norm == "L1" and self.variant == "standard"

    @property
    def restarts(self) -> int:
        """Attempts of untargeted APGD."""
        return L1_RESTARTS if self.sparse else 1

    @property
    def targets(self) -> int:
        """Classes that APGD aims at; all others where there are fewer."""
        return L1_TARGETS if self.sparse else TARGETS

    def passes(self) -> float:
        """For a sample that nothing breaks: a bound that few samples reach."""
        attempt = 2 * STEPS * self.eot + (3 if self.sparse else 1)
        rounds: dict[Member, float] = {
            "apgd-ce": self.restarts * attempt,
            "apgd-dlr": self.restarts * attempt,
            "apgd-t": self.targets * attempt,
            "fab-t": TARGETS * (3 * STEPS + 2),
            "square": QUERIES,
        }
        return 1.0 + sum(rounds[member] for member in self.running)

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        """A flag for every member of the published ensemble that does not run, or not as published."""
        found = []
        missing = [member for member in MEMBERS[self.variant] if member not in self.running]
        if missing:
            found.append(Flag("partial-ensemble", f"AutoAttack ran without {', '.join(missing)}, as configured: weaker than the published one."))
        replaced = [member for member, least in (("apgd-dlr", 3), ("apgd-t", 4)) if member in self.running and classes < least]
        if replaced:
            message = f"With {classes} classes the DLR loss of {', '.join(replaced)} does not exist: AutoAttack used the margin there instead."
            found.append(Flag("too-few-classes", message))
        return tuple(found)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """What broke each sample; where nothing did, the best point of the last member that has one."""
        from windtunnel.threats.standing import Standing

        standing = Standing(victim, batch, self.norm, float(level))
        # Classes from the likeliest down; the first is the label, for only rightly classified samples are attacked.
        ranking = victim.logits(batch.inputs).argsort(dim=1, descending=True, stable=True)
        for member in self.running:
            if len(standing):
                self._run(member, standing, ranking, seed)
        return standing.perturbed

    def _run(self, member: Member, standing: Standing, ranking: Tensor, seed: int) -> None:
        if member == "fab-t":
            self._fab(standing, ranking)
        elif member == "square":
            from windtunnel.threats.query.square_search import search

            draws, starts = (standing.draws(seed, f"{self.use}/{member}/{purpose}") for purpose in ("squares", "start"))
            standing.leave(search(standing, draws, starts, QUERIES, SHARE, span=SPAN))
        else:
            self._apgd(member, standing, ranking, seed)

    def _apgd(self, member: Member, standing: Standing, ranking: Tensor, seed: int) -> None:
        from windtunnel.threats.gradient.auto_pgd import attempt
        from windtunnel.threats.losses import aimed, untargeted

        loss = "ce" if member == "apgd-ce" else "dlr"
        # Attempts are numbered from 0, targets by their place in the ranking.
        for number in range(1, min(self.targets, ranking.shape[1] - 1) + 1) if member == "apgd-t" else range(self.restarts):
            if not len(standing):
                return
            objective = aimed(loss, ranking[:, number]) if member == "apgd-t" else untargeted(loss)
            draws = standing.draws(seed, f"{self.use}/{member}/{number}")
            standing.leave(attempt(standing, draws, objective, steps=STEPS, rho=RHO, eot=self.eot, wider=self.sparse))

    def _fab(self, standing: Standing, ranking: Tensor) -> None:
        import torch

        from windtunnel.threats.minimum.boundary import Boundary
        from windtunnel.threats.minimum.nearest import Nearest

        for place in range(1, min(TARGETS, ranking.shape[1] - 1) + 1):
            if not len(standing):
                return
            nearest = Nearest(standing.inputs, self.norm)
            rows = torch.arange(len(standing), device=standing.rows.device)
            Boundary(STEPS).search(standing.victim, nearest, rows, standing.labels, ranking[standing.rows, place], enough=standing.eps)
            standing.fell(nearest.within(standing.eps) & standing.valid(nearest.points), nearest.points)
