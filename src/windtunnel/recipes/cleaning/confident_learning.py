"""Confident learning: wrong labels found by how a classifier that never saw a sample contradicts its label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.cleaning import Cleaned, Cleaning
from windtunnel.core.configured import STRICT
from windtunnel.core.recipe import Material
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Rate

if TYPE_CHECKING:
    from windtunnel.core.recipe import Finetuning

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ConfidentLearning(Cleaning):
    """Samples whose labels are probably wrong are dropped, given another label, or listed.

    A linear probe on frozen features says for each sample how probable each class is, fitted to the other folds only. From these
    probabilities follows how often each class carries the label of each other one, and so how many of which samples are wrong.

    Args:
        prune: which they are. "noise-rate": for each pair of classes, so many as are wrong, those where the other class wins by most;
            "class": for each class, so many as are wrong, those whose own label is least probable; "both": whom both name.
        then: "drop" them, "relabel" them with the most probable class, or "list" them in the record only.
        folds: of the cross-validation.
        decay: strength of the probe's L2 penalty, on standardised features: of decay / 2 * the sum of squared weights, beside the mean loss.
    Source:
        Northcutt et al. 2021, arXiv 1911.00068, section 3: equations 1 and 2 (thresholds and confident joint), 3 (its calibration), and
        the methods 3 (class), 4 (noise rate) and 5 (both) of section 3.2.
    Deviation: the classifier is a linear probe on frozen features instead of the network itself trained once for each fold, which would
        cost as many fine-tunings; and of each class the sample whose label is the most probable always stays.
    """

    use: ClassVar[str] = "confident-learning"
    reads_features: ClassVar[bool] = True

    prune: Literal["noise-rate", "class", "both"] = "noise-rate"
    then: Literal["drop", "relabel", "list"] = "drop"
    folds: Annotated[int, Field(ge=2)] = 5
    decay: Rate = 0.1  # ours: on digits with no, 20 % and 40 % wrong labels, 0.03 to 0.3 find nine in ten of them, and 96 % and more are such

    def check(self, material: Material) -> None:
        """Every class needs two samples, or the probe has never seen it when it is asked."""
        if any(count == 1 for count in material.classes):
            raise RecipeError(
                f"Confident learning needs two training samples of each class at least, and {material.data} has a class of one. "
                "Leave the cleaning out."
            )

    def clean(self, work: Finetuning) -> Cleaned:
        """Probabilities, confident joint, suspects; see `Cleaning`."""
        from windtunnel.recipes.cleaning.probing import out_of_sample

        data = work.train
        chances = out_of_sample(work.features(data), data.labels, data.ids, len(data.classes), self.folds, self.decay, work.seed)
        counts = joint(data.labels, chances)
        wrong = self.suspects(data.labels, chances, counts)
        suspected = tuple(np.asarray(data.ids)[wrong].tolist())
        noise = 1 - float(np.trace(counts)) / max(1, len(data))
        if self.then == "drop":
            data = data.take(np.flatnonzero(~wrong))
        elif self.then == "relabel":
            data = replace(data, labels=np.where(wrong, chances.argmax(1), data.labels))
        return Cleaned(data, suspected, {"estimated noise": round(noise, 4)})

    def suspects(self, labels: Labels, chances: Floats, counts: Floats) -> Rows:
        """Which samples are probably wrong, (n,).

        Args:
            labels: as given, (n,).
            chances: of each class for each sample, (n, class), out of sample.
            counts: the calibrated joint, (class, class).
        """
        methods = {"noise-rate": (by_noise_rate,), "class": (by_class,), "both": (by_noise_rate, by_class)}[self.prune]
        found: Rows = np.logical_and.reduce([method(labels, chances, counts) for method in methods])
        own = chances[np.arange(len(labels)), labels]
        for label in np.unique(labels):
            held = np.flatnonzero(labels == label)
            found[held[own[held].argmax()]] = False
        return found


def confident_joint(labels: Labels, chances: Floats) -> npt.NDArray[np.int64]:
    """How many samples of each label, in rows, are confidently of each class, in columns, (class, class).

    A sample counts for the most probable of the classes that are at least as probable for it as for those who carry their label on average.

    Source:
        Northcutt et al. 2021, equations 1 and 2.
    """
    classes = chances.shape[1]
    thresholds = np.array([chances[labels == each, each].mean() if (labels == each).any() else np.inf for each in range(classes)])
    above = np.where(chances >= thresholds, chances, -1.0)
    counted = above.max(1) >= 0
    found = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(found, (labels[counted], above.argmax(1)[counted]), 1)
    return found


def joint(labels: Labels, chances: Floats) -> Floats:
    """The confident joint with each row scaled to as many samples as carry its label; a row of nobody is on the diagonal.

    Source:
        Northcutt et al. 2021, equation 3, times the number of samples.
    """
    found = confident_joint(labels, chances).astype(np.float64)
    empty = found.sum(1) == 0
    found[empty, empty] = 1
    held = np.bincount(labels, minlength=len(found))
    scaled: Floats = found / found.sum(1, keepdims=True) * held[:, None]
    return scaled


def by_class(labels: Labels, chances: Floats, counts: Floats) -> Rows:
    """For each class, as many as are wrong of those whose own label is least probable (method 3)."""
    found = np.zeros(len(labels), dtype=np.bool_)
    for label in range(len(counts)):
        held = np.flatnonzero(labels == label)
        wrong = round(counts[label].sum() - counts[label, label])
        found[held[np.argsort(chances[held, label], kind="stable")[:wrong]]] = True
    return found


def by_noise_rate(labels: Labels, chances: Floats, counts: Floats) -> Rows:
    """For each pair of classes, as many as are wrong of those where the other class wins by most (method 4)."""
    found = np.zeros(len(labels), dtype=np.bool_)
    for label in range(len(counts)):
        held = np.flatnonzero(labels == label)
        for other in range(len(counts)):
            if other != label:
                margin = chances[held, other] - chances[held, label]
                found[held[np.argsort(-margin, kind="stable")[: round(counts[label, other])]]] = True
    return found
