"""The exception tree: every mistake a user can make is one of these, and prints without a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class WindtunnelError(Exception):
    """Base of all errors meant for the user; the message says where, what, expected and what to do."""


class UnknownNameError(WindtunnelError):
    """A name that is in no table and no catalogue."""


class CatalogError(WindtunnelError):
    """A suite, benchmark or runner file that cannot be found or read."""


class DataError(WindtunnelError):
    """Data that is missing, truncated, unreadable or contradicts its description."""


class ModelError(WindtunnelError):
    """A network or its weights that cannot be found, read or used."""


class RecipeError(WindtunnelError):
    """A fine-tuning recipe that cannot be carried out as written."""


class BudgetError(WindtunnelError):
    """A budget that makes no sense, or a perturbation that left its budget."""


class VictimError(WindtunnelError):
    """A classifier that cannot be evaluated: training mode, NaN logits, wrong shape."""


class StoreError(WindtunnelError):
    """The store cannot be read or written."""


class RecordError(WindtunnelError):
    """A run's folder or a record that is missing, damaged or of another schema."""


class MissingPackageError(WindtunnelError):
    """An optional package is needed for what was asked."""


class ResourceError(WindtunnelError):
    """Something that an attack reads (WordNet, word vectors, a language model) is not installed."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file: where, the offending line, and what to do.

    Args:
        file: path as the user wrote it.
        line: 1-based line number; 0 when the file as a whole is meant.
        column: 1-based column number.
        message: what was found and what was expected.
        excerpt: the offending line of the file.
    """

    file: str
    line: int
    column: int
    message: str
    excerpt: str = ""

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}:{self.column}: {self.message}"
        if not self.excerpt.strip():
            return head
        return f"{head}\n    {self.excerpt.rstrip()}\n    {' ' * (self.column - 1)}^"


class SpecError(WindtunnelError):
    """All problems found in a user's file, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column, p.message)))
        count = len(self.problems)
        lines = "\n".join(str(problem) for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''}\n{lines}")


def suggest(name: str, choices: Iterable[str], *, limit: int = 20) -> str:
    """A did-you-mean sentence, and the list of choices where there are fewer than `limit`.

    What is meant is what the name begins with or is the beginning of ("epsilon", "eps"), else what it looks like.
    """
    names = sorted(choices)
    begun = [each for each in names if min(len(each), len(name)) > 2 and (name.startswith(each) or each.startswith(name))]
    close = sorted(begun, key=lambda each: abs(len(each) - len(name)))[:1] or difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    parts = [f"Did you mean {close[0]!r}?"] if close else []
    if names and len(names) < limit:
        parts.append(f"Choose from: {', '.join(names)}.")
    return " ".join(parts)
