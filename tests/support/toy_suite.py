"""A suite of seconds over the tiny data and network, and threats that misbehave."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from fractions import Fraction
from typing import ClassVar

from pydantic.dataclasses import dataclass
from support.small import Stripes, Tiny

from windtunnel import make_recipe
from windtunnel.core.configured import STRICT
from windtunnel.core.suite import Benchmark, Headline, Suite
from windtunnel.core.threat import Threat
from windtunnel.threats.corruptions.contrast import Contrast
from windtunnel.threats.corruptions.noise import GaussianNoise
from windtunnel.threats.gradient.pgd import PGD


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Misbehaving(Threat):
    """Does to its worker what `how` says, on its first sample."""

    use: ClassVar[str] = "misbehaving"
    family = "attack"
    adaptive = True

    how: str = "raise"

    @property
    def levels(self):
        return (Fraction(1, 255),)

    def passes(self):
        return 1.0

    def perturb(self, victim, batch, level, seed):
        if self.how == "die":
            os._exit(9)
        if self.how == "sleep":
            time.sleep(600)
        if self.how == "exceed":
            return (batch.inputs + float(level) + 0.001).clamp(0, 1)
        raise RuntimeError("no such luck")


HEADLINE = Headline("worst-case", "pgd", Fraction(8, 255), "worst-case accuracy of pgd at 8/255")


def benchmark(**changes) -> Benchmark:
    whole = Benchmark(
        name="toy-threats",
        version=1,
        data=None,
        split="test",
        samples=24,
        seed=0,
        threats={
            "pgd": PGD(eps=["2/255", "8/255"], steps=4),
            "noise": GaussianNoise(severities=[1, 5]),
            "contrast": Contrast(severities=[3]),
        },
        metrics=("accuracy",),
        headline=HEADLINE,
    )
    return replace(whole, **changes)


def suite(**changes) -> Suite:
    whole = Suite(
        name="toy",
        models={"tiny": Tiny()},
        data=Stripes(),
        recipes={"probe": make_recipe("linear-probe", epochs=5, batch=20), "full": make_recipe("full", epochs=3, batch=16)},
        benchmarks=(benchmark(),),
        seeds=(0, 1),
        selection="id-val",
        threads=1,
        samples=None,
        source={"suite": "toy"},
    )
    return replace(whole, **changes)
