"""The 19 published corruptions against the package imagecorruptions, at 224 pixels on one core."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from perf.peers import imagecorruptions
from perf.report import Figure, Section
from perf.timing import Job, Ratio, interleave, ratio
from windtunnel.builtins import THREATS
from windtunnel.core.dataset import Pixels
from windtunnel.seeding import generators
from windtunnel.sets import CORRUPTION_SETS
from windtunnel.threats.corruptions.corruption import Corruption

NAMES = (*CORRUPTION_SETS["common"], *CORRUPTION_SETS["extra"])
DETERMINISTIC = ("defocus-blur", "zoom-blur", "brightness", "contrast", "pixelate", "jpeg", "gaussian-blur", "saturate")
OTHER_CONSTANTS = "elastic-transform"
SIDE = 224
TIMED = 16
COMPARED = 200
ORDERED = 20
TIE = 1.01
ROUNDS = 5
SEVERITY = 3

TEXT = """\
{timed} crops of {side} x {side} pixels of scikit-learn's two photographs at severity {severity}, through `distort` with fresh generators and through
the functions of imagecorruptions 1.1.2, whose source is repaired where NumPy, SciPy, scikit-image and setuptools have moved on (unrepaired, it
does not import). One thread on both sides, {rounds} interleaved rounds; `frost` lays the photographs that come with the package on both sides.

What comes out is compared on {compared} crops at severity {severity}: the largest difference in grey levels where nothing is random; elsewhere the
mean of the change, its difference in per cent of the root mean square of the change, and the variance of the change, its difference in per cent.
Beside them stands the standard error that {compared} random pairs leave. The severity order is that of the mean squared change on {ordered} crops;
less than 1 % apart counts as a tie. `elastic-transform` has the constants of the published ImageNet-C generator, which imagecorruptions replaced by
its own, so that its change is not compared.

| corruption | times faster | ms an image | what comes out | severity order |
|---|---|---|---|---|
{rows}
"""


@dataclass(frozen=True)
class Agreement:
    """How far two corruptions of the same images lie apart.

    Args:
        levels: largest difference in grey levels.
        mean, variance: of the change, their differences in per cent.
        mean_error, variance_error: standard errors of those.
    """

    levels: float
    mean: float
    variance: float
    mean_error: float
    variance_error: float


def measure(rounds: int = ROUNDS, compared: int = COMPARED) -> Section:
    """Speed and agreement of all 19."""
    import cv2

    cv2.setNumThreads(1)
    images = crops(compared)
    faster: dict[str, Ratio] = {}
    agreed: dict[str, Agreement] = {}
    ordered: dict[str, bool] = {}
    rows = []
    for name in NAMES:
        found = interleave(
            [Job("ours", partial(_timed, ours, name, images[:TIMED])), Job("theirs", partial(_timed, theirs, name, images[:TIMED]))], rounds
        )
        faster[name] = ratio(found["theirs"], found["ours"])
        agreed[name] = agreement(images, ours(name, images), theirs(name, images))
        ordered[name] = order(ours, name, images[:ORDERED]) == order(theirs, name, images[:ORDERED])
        rows.append(
            f"| {name} | {faster[name].medians:.2f} ({faster[name].low:.2f} to {faster[name].high:.2f}) | {found['ours'].median * 1000 / TIMED:.2f} "
            f"| {_agreement(name, agreed[name])} | {'the same' if ordered[name] else 'another'} |"
        )
    text = TEXT.format(timed=TIMED, side=SIDE, severity=SEVERITY, rounds=rounds, compared=compared, ordered=ORDERED, rows="\n".join(rows))
    return Section("corruptions", _figures(faster, agreed, ordered), text)


@cache
def photographs() -> tuple[Pixels, Pixels]:
    """The two photographs that scikit-learn brings along."""
    from sklearn.datasets import load_sample_images

    first, second = load_sample_images().images
    return first, second


def crops(count: int) -> Pixels:
    """Pieces of two photographs at random places, (count, 224, 224, 3)."""
    draw = np.random.default_rng(0)
    found = []
    for number in range(count):
        whole = photographs()[number % 2]
        top, left = (int(draw.integers(side - SIDE + 1)) for side in whole.shape[:2])
        found.append(whole[top : top + SIDE, left : left + SIDE])
    return np.stack(found)


def ours(name: str, images: Pixels, severity: int = SEVERITY) -> Pixels:
    """Corrupted by windtunnel."""
    arguments = {"texture": "published"} if name == "frost" else {}
    corruption = THREATS.load(name)(**arguments)
    assert isinstance(corruption, Corruption)
    return corruption.distort(images, severity, generators(0, name, [str(number) for number in range(len(images))]))


def theirs(name: str, images: Pixels, severity: int = SEVERITY) -> Pixels:
    """Corrupted by imagecorruptions."""
    function: Callable[[Image.Image, int], npt.ArrayLike] = getattr(
        imagecorruptions(), {"jpeg": "jpeg_compression"}.get(name, name.replace("-", "_"))
    )
    np.random.seed(0)
    return np.stack([np.asarray(function(Image.fromarray(image), severity)).astype(np.uint8) for image in images])


def _timed(corrupt: Callable[[str, Pixels], Pixels], name: str, images: Pixels, _: None) -> Pixels:
    return corrupt(name, images)


def agreement(images: Pixels, first: Pixels, second: Pixels) -> Agreement:
    """Compare two corrupted copies of `images`, the second being the measure."""
    one, two = (corrupted.astype(np.float64) - images for corrupted in (first, second))
    means = one.mean((1, 2, 3)) - two.mean((1, 2, 3))
    squares = (one**2).mean((1, 2, 3)) - (two**2).mean((1, 2, 3))
    size, variance, root = math.sqrt((two**2).mean()), two.var(), math.sqrt(len(images))
    return Agreement(
        levels=float(np.abs(one - two).max()),
        mean=100 * float(means.mean()) / size,
        variance=100 * (one.var() / variance - 1),
        mean_error=100 * float(means.std()) / root / size,
        variance_error=100 * float((squares - 2 * two.mean() * means).std()) / root / variance,
    )


def order(corrupt: Callable[[str, Pixels, int], Pixels], name: str, images: Pixels) -> set[tuple[int, int]]:
    """Pairs of severities of which the second changes images more, by more than a hundredth of the mean squared change."""
    damage = {severity: ((corrupt(name, images, severity).astype(np.float64) - images) ** 2).mean() for severity in range(1, 6)}
    return {(low, high) for low in damage for high in damage if damage[high] > TIE * damage[low]}


def _agreement(name: str, found: Agreement) -> str:
    if name in DETERMINISTIC:
        return f"{found.levels:.0f} grey levels apart at most"
    if name == OTHER_CONSTANTS:
        return "other constants"
    return f"mean {found.mean:+.2f} % (± {found.mean_error:.2f}), variance {found.variance:+.2f} % (± {found.variance_error:.2f})"


def _figures(faster: dict[str, Ratio], agreed: dict[str, Agreement], ordered: dict[str, bool]) -> tuple[Figure, ...]:
    mean = math.exp(sum(math.log(each.medians) for each in faster.values()) / len(faster))
    slowest = min(faster, key=lambda name: faster[name].medians)
    apart = max(DETERMINISTIC, key=lambda name: agreed[name].levels)
    drawn = [name for name in NAMES if name not in DETERMINISTIC and name != OTHER_CONSTANTS]
    away = max(drawn, key=lambda name: max(abs(agreed[name].mean), abs(agreed[name].variance)))
    furthest = max(abs(agreed[away].mean), abs(agreed[away].variance))
    disordered = [name for name, same in ordered.items() if not same and name != OTHER_CONSTANTS]
    return (
        Figure("corruptions: times faster than imagecorruptions, geometric mean of 19", "at least 3", f"{mean:.2f}", mean >= 3),
        Figure(
            "corruptions: times faster, the slowest of 19",
            "at least 1",
            f"{slowest}: {faster[slowest].medians:.2f} ({faster[slowest].low:.2f} to {faster[slowest].high:.2f})",
            faster[slowest].medians >= 1,
        ),
        Figure(
            f"corruptions: the {len(DETERMINISTIC)} deterministic ones, largest difference",
            "at most 1 grey level",
            f"{agreed[apart].levels:.0f}",
            agreed[apart].levels <= 1,
        ),
        Figure(
            f"corruptions: the {len(drawn)} random ones, largest difference of mean or variance of the change",
            "at most 2 %",
            f"{away}: {furthest:.2f} %, its standard errors {agreed[away].mean_error:.2f} and {agreed[away].variance_error:.2f}",
            furthest <= 2,
        ),
        Figure("corruptions: severities in the same order", "all", "all" if not disordered else f"all but {', '.join(disordered)}", not disordered),
    )
