"""Write docs/evidence.md, published directions against the published reports of the recipes: `python tools/evidence.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from windtunnel.core.estimate import Estimate
from windtunnel.core.record import Record
from windtunnel.metrics.paired import compare
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Entry, Leaderboard, comparable

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "evidence.md"

INTRODUCTION = """\
# Evidence

Methods are published with a direction: this one is better than that one, there. A recipe that is implemented right should show such directions on
small data, too, where they hold at all. This page is written by `python tools/evidence.py` from the records of the published reports; a test holds
it to that. Every difference is paired, on the same samples and the same training seeds, in percentage points, with its 95 % interval over samples
and seeds. The intervals are not corrected for their number.

*Shows*: the interval lies on the published side of zero. *Opposite*: it lies on the other side. *Open*: it holds zero, so that this data does
not tell.
"""


REMARKS = {
    "recipes-text": """\
Where a direction fails, and why. MiniLM was trained for the similarity of sentences; its frozen features tell little of sentiment, so that
the linear probe is far behind in distribution, too, and an average with it loses whatever the domain. What is published for linear probes
supposes features that are good under shift. Micro-bert is the other way round: two epochs at the published rate move so small a network too
little for a new head to be learned, so that whoever begins with a probe is ahead everywhere; there the fine-tuned end of WiSE-FT is
the best point of its curve under shift, by little.
""",
    "recipes-fashion": """\
Where a direction fails, and why. EfficientNet-Lite0 has batch normalisation with the statistics of photographs at their size. A linear probe is
fitted under these. Full fine-tuning normalises by batches of garments at 32 pixels instead, and interpolation takes statistics of them anew:
under either the probe's head fits its features no longer, so that LP-FT begins far from where its probe ended, and the two ends of WiSE-FT
lie in no common basin. Methods that start from a probe suppose that its features stay what they are; `last-block`, which
leaves most statistics alone, is the best entry of this network. Micro-resnet was pre-trained on the training images of these garments: its
features are those of the task already, and a probe of them is ahead of full fine-tuning on 800 images in distribution, too.
Attacks break nearly all of EfficientNet-Lite0 at the radius of the figure; its robust accuracies are close to the floor.
""",
    "robust-overfitting": """\
The training loss under attack falls on, but robust accuracy on the test split stays where it was: this data and this small a network do not
show what Rice et al. saw on CIFAR-10 with larger ones, whose robust test accuracy falls after the rate does.
""",
}
"""What is to be said of a suite where directions do not show."""

CEILING = 97
"""Per cent of clean accuracy above which little is left to tell entries apart by."""


@dataclass(frozen=True)
class Claim:
    """A published direction.

    Args:
        text: what was published.
        source: where.
        left, right: recipes; the left one should be ahead. Several on the right stand for their mean.
        family, benchmark: the figure; the benchmark may be a beginning.
    """

    text: str
    source: str
    left: str
    right: tuple[str, ...]
    family: str
    benchmark: str = ""


KUMAR = "Kumar et al. 2022, arXiv 2202.10054"
WORTSMAN = "Wortsman et al. 2022, arXiv 2109.01903"
MADRY = "Madry et al. 2018, arXiv 1706.06083"
AUGMIX = "Hendrycks et al. 2020, arXiv 1912.02781"
RICE = "Rice et al. 2020, arXiv 2002.11569"
ZHANG = "Zhang et al. 2019, arXiv 1901.08573"

IN_DISTRIBUTION = (
    Claim("LP-FT is ahead of full fine-tuning in distribution, too (+1)", KUMAR, "lp-ft", ("full",), "clean"),
    Claim("Full fine-tuning beats linear probing in distribution", KUMAR, "full", ("linear-probe",), "clean"),
    Claim("WiSE-FT's curve is concave in distribution: its middle lies above the mean of its ends", WORTSMAN, "wise-ft alpha=0.5",
          ("lp-ft", "linear-probe"), "clean"),
)  # fmt: skip
COMMON = (
    Claim("LP-FT beats full fine-tuning under shift (about +10 points over 10 sets)", KUMAR, "lp-ft", ("full",), "shift"),
    Claim("Linear probing beats full fine-tuning under shift", KUMAR, "linear-probe", ("full",), "shift"),
    *IN_DISTRIBUTION,
    Claim("WiSE-FT at 0.5 beats its fine-tuned end under shift by several points", WORTSMAN, "wise-ft alpha=0.5", ("lp-ft",), "shift"),
    Claim("WiSE-FT's curve is concave under shift", WORTSMAN, "wise-ft alpha=0.5", ("lp-ft", "linear-probe"), "shift"),
)  # fmt: skip
VISION = (
    *COMMON,
    Claim("TRADES: a larger beta costs clean accuracy", f"{ZHANG}, table 4", "trades beta 1", ("trades beta 6",), "clean"),
    Claim("TRADES: a larger beta gains robust accuracy", f"{ZHANG}, table 4", "trades beta 6", ("trades beta 1",), "headline", "digits-linf"),
    Claim("Adversarial training gains robust accuracy over full fine-tuning", MADRY, "pgd-at", ("full",), "attack"),
    Claim("AugMix lowers the corruption error (ResNet-50 mCE 76.7 to 65.3)", AUGMIX, "augmix", ("full",), "corruption"),
)  # fmt: skip
FASHION = (
    *IN_DISTRIBUTION,
    Claim("AugMix lowers the corruption error (ResNet-50 mCE 76.7 to 65.3)", AUGMIX, "augmix", ("full",), "corruption"),
    Claim("Training on Gaussian noise lowers the corruption error (ResNet-50 mCE 76.7 to 64.5)", "Rusak et al. 2020, arXiv 2001.06057",
          "noise-training", ("full",), "corruption"),
    Claim("Adversarial training gains robust accuracy over full fine-tuning", MADRY, "pgd-at", ("full",), "attack"),
    Claim("Adversarial training costs clean accuracy", "Tsipras et al. 2019, arXiv 1805.12152", "full", ("pgd-at",), "clean"),
    Claim("SAM gains accuracy in distribution", "Foret et al. 2021, arXiv 2010.01412", "sam", ("full",), "clean"),
)  # fmt: skip
OVERFITTING = (
    Claim("Robust accuracy overfits: the best epoch of adversarial training stands better than its last", RICE, "pgd-at best", ("pgd-at last",),
          "attack"),
    Claim("Clean accuracy goes on to grow: the last epoch is ahead of the most robust one", RICE, "pgd-at last", ("pgd-at best",), "clean"),
)  # fmt: skip
SUITES = {"recipes-vision": VISION, "recipes-text": COMMON, "recipes-fashion": FASHION, "robust-overfitting": OVERFITTING}


def evidence() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for suite, claims in SUITES.items():
        folder = ROOT / "reports" / suite
        if folder.is_dir():
            parts += _suite(RunFolder.load(folder), suite, claims)
    return "\n".join(parts).rstrip() + "\n"


def _suite(run: RunFolder, name: str, claims: Sequence[Claim]) -> Iterator[str]:
    board, manifest = Leaderboard.of(run), run.manifest
    yield f"## {name}\n"
    yield f"[The report](../reports/{name}/leaderboard.md): {len(manifest.recipes)} recipes, {len(manifest.seeds)} seeds.\n"
    yield f"| published | {' | '.join(manifest.models)} |"
    yield "|---|" + "---|" * len(manifest.models)
    for claim in claims:
        found = [_difference(board, claim, model, tuple(manifest.seeds)) for model in manifest.models]
        if any(found):
            yield f"| {claim.text} ({claim.source}) | {' | '.join('–' if each is None else _points(each) for each in found)} |"
    yield ""
    yield from _ceiling(board)
    yield from _soups(run)
    yield from _overfitting(run)
    yield from (REMARKS[name],) if name in REMARKS else ()


def _difference(board: Leaderboard, claim: Claim, model: str, seeds: tuple[int, ...]) -> Estimate | None:
    column = next(
        (
            each.name
            for each in board.columns
            if _wanted(each.family, headline=each.headline, claim=claim) and each.benchmark.startswith(claim.benchmark)
        ),
        None,
    )
    entries = [_entry(board, model, recipe) for recipe in (claim.left, *claim.right)]
    if column is None or any(each is None for each in entries):
        return None
    tables = [each.figures[column].table for each in entries if each is not None]
    held = [each for each in tables if each is not None]
    if len(held) < len(entries) or not all(comparable(held[0], each) for each in held[1:]):
        return None
    right = np.mean([each.values for each in held[1:]], axis=0)
    return compare(held[0].values, right, draws=held[0].draws * (len(held) - 1), seeds=seeds).difference


def _wanted(family: str, *, headline: bool, claim: Claim) -> bool:
    return headline if claim.family == "headline" else family == claim.family and (claim.family != "clean" or not claim.benchmark)


def _entry(board: Leaderboard, model: str, recipe: str) -> Entry | None:
    return next((each for each in board.entries if (each.model, each.recipe) == (model, recipe)), None)


def _points(found: Estimate) -> str:
    """In percentage points, with the verdict."""
    verdict = "**shows**" if found.low > 0 else "**opposite**" if found.high < 0 else "open"
    return f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}] {verdict}"


def _finetunings(run: RunFolder, holds: Callable[[str], bool]) -> Iterator[Record]:
    for model in run.manifest.models:
        for recipe in run.manifest.recipes:
            for seed in run.manifest.seeds:
                record = run.finetuning(model, recipe, seed)
                if holds(recipe) and record is not None and record.status == "done":
                    yield record


def _ceiling(board: Leaderboard) -> Iterator[str]:
    """How much room clean accuracy leaves for differences."""
    column = next(each.name for each in board.columns if each.family == "clean")
    found = [figure.value for each in board.entries if (figure := each.figures[column].estimate) is not None]
    lowest, highest = 100 * min(found), 100 * max(found)
    if highest < CEILING:
        return
    yield f"Clean accuracy lies between {lowest:.1f} and {highest:.1f} % over all entries. Where nearly all of it is at the top, directions in"
    yield "distribution stay open for want of errors to tell entries apart by, not for want of an effect elsewhere.\n"


def _soups(run: RunFolder) -> Iterator[str]:
    """Greedy soups against their best members, on the selection split."""
    records = list(_finetunings(run, lambda recipe: recipe == "greedy-soup"))
    if not records:
        return
    gains = []
    for record in records:
        notes = record.facts["notes"]
        gains.append(notes["val_accuracy"] - max(member["val_accuracy"] for member in notes["members"]))
    worse = sum(gain < 0 for gain in gains)
    yield f"A greedy soup is never worse than its best member on the selection split (Wortsman et al. 2022, arXiv 2203.05482): of {len(gains)}"
    yield f"soups {worse} were worse; on average a soup gained {100 * float(np.mean(gains)):.2f} points there.\n"


def _overfitting(run: RunFolder) -> Iterator[str]:
    """Robust validation accuracy of the last epoch against that of the best."""
    drops = []
    for record in _finetunings(run, lambda recipe: recipe == "pgd-at"):
        robust = [epoch["val_robust_accuracy"] for epoch in record.curves]
        drops.append(max(robust) - robust[-1])
    if drops:
        yield f"Robust accuracy overfits ({RICE}): in the last epoch of `pgd-at` it is below that of the best epoch by"
        yield f"{100 * float(np.mean(drops)):.1f} points on average over {len(drops)} trainings, on the validation split under the training threat."
        yield "The largest of several figures lies above the last by chance, too, and the epochs are few: this does not show it.\n"


if __name__ == "__main__":
    PAGE.write_text(evidence())
    print(f"wrote {PAGE}")
