"""Details: the further metrics that benchmarks ask for, on clean samples."""

from __future__ import annotations

from dataclasses import dataclass

from windtunnel.builtins import METRICS
from windtunnel.core.estimate import Estimate
from windtunnel.metrics.intervals import averaged
from windtunnel.reporting.figures import per_seed
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.outcomes import Slice


@dataclass(frozen=True)
class Detail:
    """One metric of one entry on the clean samples of one benchmark.

    Args:
        model, recipe, benchmark, metric: what it belongs to.
        estimate: the mean over seeds; None where it could not be computed.
        reason: why there is none.
        higher_is_better: which way is good.
    """

    model: str
    recipe: str
    benchmark: str
    metric: str
    estimate: Estimate | None
    reason: str
    higher_is_better: bool


def details(folder: RunFolder) -> tuple[Detail, ...]:
    """Every metric but accuracy, which has columns of its own."""
    manifest = folder.manifest
    found = []
    for benchmark in manifest.benchmarks:
        for name in benchmark.metrics:
            if name == "accuracy":
                continue
            metric = METRICS.load(name)()

            def measure(cut: Slice, metric: object = metric) -> Estimate:
                assert callable(metric)
                estimate: Estimate = metric(cut.labels, cut.predicted, cut.confidence, len(manifest.data.classes))
                return estimate

            for model in manifest.models:
                for recipe in manifest.recipes:
                    result = per_seed(folder, benchmark.name, "clean", "0", measure, model, recipe)
                    estimate = None if isinstance(result, str) else averaged(result)
                    reason = result if isinstance(result, str) else ""
                    found.append(Detail(model, recipe, benchmark.name, name, estimate, reason, metric.higher_is_better))
    return tuple(found)
