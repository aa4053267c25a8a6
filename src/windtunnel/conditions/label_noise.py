"""Label noise: a share of the labels of each class is wrong."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from windtunnel.core.condition import Condition, Labels, other_class, shuffled_classes
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset
from windtunnel.errors import DataError, suggest
from windtunnel.seeding import generators


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LabelNoise(Condition):
    """A share of each class carries the label of another; the inputs stay.

    Args:
        rate: share of each class whose labels are wrong, above 0 and below 1.
        kind: "symmetric": each wrong label is drawn uniformly among the other classes; "class-dependent": it is the class that `mapping`
            names, or the next one in their order (the last one's is the first), as between classes that are easily mistaken.
        mapping: class name -> the class that its samples are mistaken for; classes that it does not name keep their labels.
    Source:
        Han et al. 2018, arXiv 1804.06872, section 4: symmetry flipping at rates 0.2 and 0.5, pair flipping at 0.45.
        Deviation: their flips are drawn sample by sample; here the exact share of each class, rounded, is wrong.
    """

    use: ClassVar[str] = "label-noise"

    rate: Annotated[float, Field(gt=0, lt=1)] = 0.2
    kind: Literal["symmetric", "class-dependent"] = "symmetric"
    mapping: dict[str, str] = field(default_factory=dict, hash=False)

    @model_validator(mode="after")
    def _check(self) -> LabelNoise:
        if self.mapping and self.kind == "symmetric":
            raise ValueError("a mapping says which class is mistaken for which; it needs the kind class-dependent")
        same = [name for name, other in self.mapping.items() if name == other]
        if same:
            raise ValueError(f"the mapping leads from {same[0]!r} to itself, which is no noise; leave it out")
        return self

    @property
    def title(self) -> str:
        """Rate, and kind where it is not symmetric."""
        return f"{self.use} {100 * self.rate:g} %" + ("" if self.kind == "symmetric" else f", {self.kind}")

    def check(self, labels: Labels, classes: tuple[str, ...]) -> None:
        """Two classes at least, and a mapping between classes that exist; see `Condition`."""
        if len(classes) < 2:
            raise DataError("Label noise needs two classes at least; there is one.")
        for name in [part for pair in self.mapping.items() for part in pair]:
            if name not in classes:
                raise DataError(f"The mapping of label noise names the class {name!r}, which the data lacks. {suggest(name, classes)}")

    def change(self, data: Dataset, seed: int) -> Dataset:
        """Wrong labels; see `Condition`."""
        draws, labels = generators(seed, self.use, data.ids), data.labels.copy()
        for label, rows in shuffled_classes(data, self.use, seed).items():
            for row in rows[: round(self.rate * len(rows))]:
                if self.kind == "symmetric":
                    labels[row] = other_class(draws[row], label, len(data.classes))
                else:
                    labels[row] = self._mistaken(label, data.classes)
        return replace(data, labels=labels)

    def _mistaken(self, label: int, classes: tuple[str, ...]) -> int:
        """The class that one is mistaken for, perhaps itself."""
        if not self.mapping:
            return (label + 1) % len(classes)
        return classes.index(self.mapping.get(classes[label], classes[label]))
