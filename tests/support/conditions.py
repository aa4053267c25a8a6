"""A training condition of a third party, for texts only."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.condition import Condition
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset
from windtunnel.core.modality import TEXT


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Shouted(Condition):
    """Every text in capitals."""

    use: ClassVar[str] = "shouted"
    modality: ClassVar[str] = TEXT

    @property
    def title(self) -> str:
        return self.use

    def change(self, data: Dataset, seed: int) -> Dataset:
        return replace(data, store=data.texts().rewrite(lambda row, text: text.upper()))
