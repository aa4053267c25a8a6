"""Measures: what else an entry is told by: corruption errors, flips, areas under curves, median distances, worst groups, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from windtunnel.core.configured import parse_fraction
from windtunnel.core.outcome import Floats
from windtunnel.core.sequences import TESTED, is_noise
from windtunnel.metrics.bootstrap import resamples
from windtunnel.metrics.corruption_error import ALEXNET, ALEXNET_CLEAN, mean_corruption_error, relative_corruption_error
from windtunnel.metrics.curve import areas, median_distance
from windtunnel.metrics.flips import flip_probability, mean_flip_rate
from windtunnel.metrics.intervals import pooled
from windtunnel.reporting.figures import Unavailable, cell, cut
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.groups import WorstGroups
from windtunnel.reporting.manifest import BenchmarkFacts, ThreatFacts
from windtunnel.sets import CORRUPTION_SETS

NORMALISER = "alexnet"
SEQUENCES = "imagenet-p"
WORST_GROUP = "worst-group accuracy"
SEVERITIES = ("1", "2", "3", "4", "5")
Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """One measure of one entry.

    Args:
        model, recipe, benchmark: what it belongs to.
        name: e.g. "mCE by alexnet", "flips of rotate", "area under pgd", "median L2 distance by fmn", "passes of pgd",
            "worst-group accuracy under shortcut".
        value, low, high: the figure with its 95 % interval; None where it was not computed; `high` is None where it exceeds what was searched.
        text: as shown.
        reason: why there is none.
        higher_is_better: which way is good; None for costs.
    """

    model: str
    recipe: str
    benchmark: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    reason: str
    higher_is_better: bool | None


def measures(folder: RunFolder) -> tuple[Measure, ...]:
    """Every measure of every entry, in the order of the suite."""
    manifest = folder.manifest
    groups = {
        (benchmark.name, threat.name): WorstGroups(folder, benchmark, threat)
        for benchmark in manifest.benchmarks
        for threat in benchmark.threats
        if threat.grouped
    }
    return tuple(
        measure
        for model in manifest.models
        for recipe in manifest.recipes
        for benchmark in manifest.benchmarks
        for measure in _Entry(folder, benchmark, model, recipe, groups).measures()
    )


class _Entry:
    """One entry under one benchmark."""

    def __init__(self, folder: RunFolder, benchmark: BenchmarkFacts, model: str, recipe: str, groups: Mapping[tuple[str, str], WorstGroups]) -> None:
        self.folder, self.benchmark, self.model, self.recipe, self.groups = folder, benchmark, model, recipe, groups

    def measures(self) -> Iterator[Measure]:
        """What the benchmark's threats allow."""
        for threat in self.benchmark.family("attack"):
            if len([level for level in threat.levels if level != "0"]) > 1:
                yield self._measure(f"area under {threat.name}", partial(self._area, threat), better=True)
            yield self._measure(f"median {threat.norm} distance by {threat.name}", partial(self._median, threat), better=True)
            yield self._measure(f"passes of {threat.name} a sample", partial(self._spent, threat), better=None)
        for threat in self.benchmark.threats:
            if threat.grouped:
                yield self._measure(f"{WORST_GROUP} under {threat.name}", partial(self._worst_group, threat), better=True)
        sequences = tuple(threat for threat in self.benchmark.threats if threat.use == SEQUENCES)
        for threat in sequences:
            yield self._measure(f"flips of {threat.name}", partial(self._flip_probability, threat), better=False)
        normaliser = self.folder.manifest.source.get("normaliser")
        corruptions = self.benchmark.family("corruption")
        if normaliser and sequences:
            yield self._measure(f"mFR by {normaliser}", lambda: self._flip_rate(str(normaliser), sequences), better=False)
        if normaliser and corruptions:
            yield self._measure(f"mCE by {normaliser}", lambda: self._errors(str(normaliser), corruptions, relative=False), better=False)
            yield self._measure(f"relative mCE by {normaliser}", lambda: self._errors(str(normaliser), corruptions, relative=True), better=False)

    def _measure(self, name: str, compute: Callable[[], tuple[float, float, float, str]], *, better: bool | None) -> Measure:
        place = (self.model, self.recipe, self.benchmark.name, name)
        try:
            value, low, high, text = compute()
        except (Unavailable, ValueError) as error:
            return Measure(*place, None, None, None, "failed", str(error), better)
        finite = [number if math.isfinite(number) else None for number in (value, low, high)]
        return Measure(*place, finite[0], finite[1], finite[2], text, "", better)

    def _stack(self, threat: str, levels: tuple[str, ...], what: str, model: str = "", recipe: str = "") -> Table:
        """(seed, level, sample) of one column of the outcomes, the samples in their fixed order.

        Raises:
            Unavailable: a cell is missing or failed, or seeds saw different samples.
        """
        found = []
        for seed in self.folder.manifest.seeds:
            record = cell(self.folder, self.benchmark.name, threat, model or self.model, recipe or self.recipe, seed)
            slices = [cut(self.folder, record, level) for level in levels]
            found.append(np.stack([getattr(each, what) for each in slices]).astype(np.float64))
        if len({each.shape for each in found}) > 1:
            raise Unavailable(f"{threat} was evaluated on other samples under another seed")
        return np.stack(found)

    def _curve(self, threat: ThreatFacts, what: str) -> tuple[list[float], Table]:
        """Radii from 0 on, and (seed, radius, sample)."""
        levels = tuple(level for level in threat.levels if level != "0")
        clean, attacked = self._stack("clean", ("0",), what), self._stack(threat.name, levels, what)
        if clean.shape[2] != attacked.shape[2]:
            raise Unavailable(f"{threat.name} was evaluated on other samples than the unchanged ones")
        return [0.0, *(float(parse_fraction(level)) for level in levels)], np.concatenate([clean, attacked], axis=1)

    def _area(self, threat: ThreatFacts) -> tuple[float, float, float, str]:
        radii, correct = self._curve(threat, "correct")
        found = pooled(np.stack([areas(seed > 0, radii) for seed in correct]), seeds=self.folder.manifest.seeds, draws=len(radii) - 1)
        return found.value, found.low, found.high, f"{100 * found.value:.1f} ({100 * found.low:.1f}–{100 * found.high:.1f}) %"

    def _median(self, threat: ThreatFacts) -> tuple[float, float, float, str]:
        _, correct = self._curve(threat, "correct")
        _, distance = self._curve(threat, "distance")
        smallest = np.where(correct > 0, np.inf, np.where(np.arange(correct.shape[1])[None, :, None] == 0, 0.0, distance)).min(1)
        found = median_distance(np.median(smallest, axis=0))
        largest = threat.levels[-1]
        shown = [f"{number:.4g}" if math.isfinite(number) else f"> {largest}" for number in (found.value, found.low, found.high)]
        return found.value, found.low, found.high, f"{shown[0]} ({shown[1]} to {shown[2]})"

    def _spent(self, threat: ThreatFacts) -> tuple[float, float, float, str]:
        records = [cell(self.folder, self.benchmark.name, threat.name, self.model, self.recipe, seed) for seed in self.folder.manifest.seeds]
        count = self.benchmark.samples * len(records)
        passes = sum(int(record.cost.get("forward", 0)) + int(record.cost.get("backward", 0)) for record in records) / count
        queries = sum(int(record.cost.get("queries", 0)) for record in records) / count
        return passes, passes, passes, f"{passes:,.0f}" + (f", {queries:,.0f} of them queries" if queries else "")

    def _worst_group(self, threat: ThreatFacts) -> tuple[float, float, float, str]:
        found = self.groups[self.benchmark.name, threat.name].estimate(self.model, self.recipe)
        return found.value, found.low, found.high, f"{100 * found.value:.1f} ({100 * found.low:.1f}–{100 * found.high:.1f}) %"

    def _errors(self, normaliser: str, corruptions: tuple[ThreatFacts, ...], *, relative: bool) -> tuple[float, float, float, str]:
        names = [threat.use for threat in corruptions]
        incomplete = [threat.name for threat in corruptions if set(threat.levels) - {"0"} != set(SEVERITIES)]
        if incomplete:
            raise Unavailable(f"a corruption error is a mean over all five severities, and {incomplete[0]} was not evaluated at all of them")
        errors, clean = self._error_rates(corruptions, self.model, self.recipe)
        if normaliser == NORMALISER:
            if sorted(names) != sorted(CORRUPTION_SETS["common"]):
                raise Unavailable("AlexNet's errors are known of the 15 common corruptions; the benchmark must have these, each once, and no others")
            reference = np.array([ALEXNET[name] for name in names])[:, None].repeat(errors.shape[1], 1)
            reference_clean = np.full(errors.shape[1], ALEXNET_CLEAN)
        else:
            reference, reference_clean = self._error_rates(corruptions, *_entry(normaliser))

        def figure(rows: npt.NDArray[np.int64]) -> Floats:
            own, other = errors[:, rows].mean(-1).T, reference[:, rows].mean(-1).T
            if not relative:
                return mean_corruption_error(own, other)
            return relative_corruption_error(own, clean[rows].mean(-1), other, reference_clean[rows].mean(-1))

        return _bootstrapped("mCE", figure, errors)

    def _error_rates(self, corruptions: tuple[ThreatFacts, ...], model: str, recipe: str) -> tuple[Table, Table]:
        """Errors under each corruption, (corruption, sample), and on the unchanged samples, (sample,): means over seeds and severities."""
        found = [1 - self._stack(threat.name, SEVERITIES, "correct", model, recipe).mean((0, 1)) for threat in corruptions]
        return np.stack(found), 1 - self._stack("clean", ("0",), "correct", model, recipe).mean((0, 1))

    def _flip_probability(self, threat: ThreatFacts) -> tuple[float, float, float, str]:
        found = pooled(self._flips(threat, self.model, self.recipe), seeds=self.folder.manifest.seeds, draws=len(threat.levels) - 1)
        return found.value, found.low, found.high, f"{100 * found.value:.2f} ({100 * found.low:.2f}–{100 * found.high:.2f}) %"

    def _flip_rate(self, normaliser: str, sequences: tuple[ThreatFacts, ...]) -> tuple[float, float, float, str]:
        given = [threat.arguments or {} for threat in sequences]
        if sorted(str(each.get("perturbation")) for each in given) != sorted(TESTED) or len({each.get("difficulty") for each in given}) > 1:
            raise Unavailable(f"a mean flip rate is over {', '.join(TESTED)}, each once, all at one difficulty, and no others")
        if normaliser == NORMALISER:
            raise Unavailable('AlexNet\'s flip probabilities are not in the published code; divide by an entry, "torchvision/alexnet + pretrained"')
        flips, reference = (
            [self._flips(threat, *entry).mean(0) for threat in sequences] for entry in ((self.model, self.recipe), _entry(normaliser))
        )
        if len({len(each) for each in flips}) > 1:
            raise Unavailable("the perturbations were evaluated on different sequences")
        own, other = np.stack(flips), np.stack(reference)
        return _bootstrapped("mFR", lambda rows: mean_flip_rate(own[:, rows].mean(-1).T, other[:, rows].mean(-1).T), own)

    def _flips(self, threat: ThreatFacts, model: str, recipe: str) -> Table:
        """The share of compared frames between which the answer flips, (seed, sequence)."""
        given = threat.arguments or {}
        noise, difficulty = is_noise(str(given["perturbation"])), int(given["difficulty"])
        answers = self._stack(threat.name, threat.levels, "predicted", model, recipe)
        return np.stack([flip_probability(seed, noise=noise, difficulty=difficulty) for seed in answers])


def _entry(normaliser: str) -> tuple[str, str]:
    """Model and recipe of an entry named "MODEL + RECIPE"."""
    model, _, recipe = (part.strip() for part in normaliser.partition("+"))
    return model, recipe


def _bootstrapped(name: str, figure: Callable[[npt.NDArray[np.int64]], Floats], values: Table) -> tuple[float, float, float, str]:
    """A figure of all samples with its interval over resamples of them, as a percentage.

    Args:
        name: keys the draws.
        figure: rows of samples, (draw, sample), to one number for each draw.
        values: what it is a figure of, (condition, sample).
    """
    value = float(figure(np.arange(values.shape[1])[None, :])[0])
    draws = np.concatenate([figure(piece) for piece in resamples(name, values.shape[1], values.size)])
    low, high = np.quantile(draws, [0.025, 0.975]).tolist()
    return value, low, high, f"{100 * value:.1f} ({100 * low:.1f}–{100 * high:.1f}) %"
