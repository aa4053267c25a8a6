"""One perturbation of a user's own texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from windtunnel.builtins import THREATS
from windtunnel.core.texts import Texts
from windtunnel.errors import DataError, UnknownNameError, suggest
from windtunnel.sets import TEXT_SETS
from windtunnel.threats.text.perturbation import Perturbation


def perturb_text(texts: Sequence[str], name: str, severity: int, seed: int = 0, ids: Sequence[str | int] | None = None) -> list[str]:
    """Perturbed copies of texts, as the threat `name` would make them.

    Args:
        texts: one string each; empty ones stay empty.
        name: of a perturbation, e.g. "keyboard-typos".
        severity: from 1 to 5; 0 leaves the texts as they are.
        seed: keys the draws, with the name and each text's id.
        ids: one per text; 0, 1, 2, ... if left out.
    Raises:
        DataError: not a sequence of strings, a severity outside 0 to 5, or not one distinct id per text.
        UnknownNameError: no perturbation of that name.
    """
    perturbation = load(name)()
    given = _as_list(texts)
    if isinstance(severity, bool) or not isinstance(severity, int | np.integer) or not 0 <= severity <= 5:
        raise DataError(f"perturb_text: severity {severity!r} is not one of 0 (unchanged), 1, 2, 3, 4, 5.")
    names = [str(name) for name in (range(len(given)) if ids is None else ids)]
    if len(names) != len(given) or len(set(names)) != len(names):
        raise DataError(f"perturb_text: {len(given)} texts need as many distinct ids; found {len(names)}, {len(set(names))} of them distinct.")
    if severity == 0 or not given:
        return given
    return [row[0] for row in perturbation.rewritten(Texts.of(given), names, int(severity), seed)]


def load(name: str) -> type[Perturbation]:
    """The perturbation of a name.

    Raises:
        UnknownNameError: no such perturbation.
    """
    if name in THREATS:
        found = THREATS.load(name)
        if issubclass(found, Perturbation):
            return found
    raise UnknownNameError(f"Unknown perturbation {name!r}. {suggest(name, perturbation_names(), limit=100)}")


def perturbation_names() -> tuple[str, ...]:
    """Every perturbation that comes with windtunnel, in the order of the table."""
    known = {name for members in TEXT_SETS.values() for name in members}
    return tuple(name for name in THREATS.targets() if name in known)


def _as_list(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise DataError("perturb_text: texts are one string; expected a list of them ([text] for a single one).")
    given = list(texts)
    wrong = next((place for place, text in enumerate(given) if not isinstance(text, str)), None)
    if wrong is not None:
        raise DataError(f"perturb_text: text {wrong} is a {type(given[wrong]).__name__}; expected a string.")
    return given
