"""Write the table of docs/perturbations.md from the code: `python tools/perturbations.py`."""

from __future__ import annotations

from pathlib import Path

import windtunnel as wt
from windtunnel.builtins import THREATS
from windtunnel.sets import TEXT_SETS
from windtunnel.threats.text.perturb import perturbation_names
from windtunnel.threats.text.perturbation import Perturbation

PAGE = Path(__file__).parents[1] / "docs" / "perturbations.md"
BEGIN, END = "<!-- table -->\n", "<!-- /table -->\n"

SENTENCE = "I do not think that Anna's 1994 film of the town centre is in color, but it's great."
SEVERITY = 3
HIDDEN = {ord(character): f"[U+{ord(character):04X}]" for character in "\u200b\u200c\u200d\u2060"}


def table() -> str:
    """The sets, and a row for each perturbation: what its severities are, what it keeps, and what it makes of a sentence."""
    lines = ["| set | members |", "|---|---|"]
    lines += [f"| `{name}` | {', '.join(f'`{member}`' for member in members)} |" for name, members in TEXT_SETS.items()]
    lines += ["", f"> {SENTENCE}", "", f"| perturbation | severities 1 to 5 | keeps | the sentence at severity {SEVERITY} |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {_severities(name)} | {_kept(name)} | {_after(name)} |" for name in perturbation_names()]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page with its table written anew."""
    head, _, rest = PAGE.read_text().partition(BEGIN)
    return head + BEGIN + table() + END + rest.partition(END)[2]


def _kind(name: str) -> type[Perturbation]:
    found = THREATS.load(name)
    assert issubclass(found, Perturbation)
    return found


def _severities(name: str) -> str:
    kind = _kind(name)
    return f"{', '.join(map(str, kind.percent))} % of {kind.unit}" if kind.percent else f"1, 2, 3, 4, 5 {kind.unit}"


def _kept(name: str) -> str:
    return ", ".join(word for word in ("digits", "words", "ascii", "negations") if getattr(_kind(name), f"keeps_{word}")).replace("ascii", "ASCII")


def _after(name: str) -> str:
    [text] = wt.perturb_text([SENTENCE], name, SEVERITY)
    return text.translate(HIDDEN).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
