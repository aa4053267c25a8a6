"""From labels as data sets write them to indices into class names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from windtunnel.errors import DataError, suggest


def class_names(labels: Iterable[str]) -> tuple[str, ...]:
    """The distinct labels in order: by value if all are whole numbers, else alphabetically."""
    names = set(labels)
    return tuple(sorted(names, key=int) if all(_is_whole(name) for name in names) else sorted(names))


def class_index(label: str, classes: Sequence[str]) -> int:
    """The class that `label` stands for: its name, or its number where no class is itself named by a number.

    Raises:
        DataError: neither; the message has no place in it, which the caller adds.
    """
    if label in classes:
        return classes.index(label)
    numbered = not any(_is_whole(name) for name in classes)
    if numbered and _is_whole(label) and int(label) < len(classes):
        return int(label)
    choices = f"a name, or a number from 0 to {len(classes) - 1}" if numbered else "a name"
    raise DataError(f"the label {label!r} is outside the label map of {len(classes)} classes; expected {choices}. {suggest(label, classes)}".rstrip())


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit()
