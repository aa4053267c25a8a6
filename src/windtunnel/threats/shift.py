"""Shift: the same classes, met in other data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import ANY
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim

OWN = ("folder", "table", "text-table")
"""Sources of one's own files, which are nowhere in particular."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Shift(Threat[Any]):
    """Natural distribution shift: the batch it is called with comes from `data`, and is left as it is.

    Args:
        data: the other data and its split, e.g. "mnist5k[test]"; its classes must be the victim's or some of them.
        options: arguments of the data set, e.g. {corruption: fog} for "cifar10-c[test]".
    """

    use: ClassVar[str] = "shift"
    version: ClassVar[int] = 2
    family: ClassVar[Family] = "shift"
    adaptive: ClassVar[bool] = False
    modality: ClassVar[str] = ANY
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    data: Annotated[str, StringConstraints(min_length=1)]
    options: dict[str, str | int | bool | float | list[str]] = field(default_factory=dict, hash=False)

    def describe(self) -> dict[str, Any]:
        """What enters a key: not where one's own files lie, for their fingerprint says what is in them."""
        described = super().describe()
        if self.data.partition("[")[0] not in OWN:
            return described
        options = {key: value for key, value in described["arguments"]["options"].items() if key != "path"}
        return {**described, "arguments": {**described["arguments"], "options": options}}

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The one level 1: shifted."""
        return (Fraction(1),)

    @property
    def elsewhere(self) -> str:
        """The other data."""
        return self.data

    @property
    def elsewhere_options(self) -> Mapping[str, Any]:
        """Arguments of the other data."""
        return self.options

    def passes(self) -> float:
        """Nothing beyond the evaluation itself."""
        return 0

    def perturb(self, victim: Victim, batch: Batch[Any], level: Fraction, seed: int) -> Any:
        """The inputs, which are the shifted ones already."""
        return batch.inputs
