"""Memory of a tree of processes, from /proc."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Memory:
    """Bytes held by one or several processes.

    Args:
        proportional: a page shared by n processes counts 1/n in each.
        resident: it counts in full in each.
    """

    proportional: int
    resident: int

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.proportional + other.proportional, self.resident + other.resident)

    def max(self, other: Memory) -> Memory:
        """The larger of each."""
        return Memory(max(self.proportional, other.proportional), max(self.resident, other.resident))


def tree(root: int) -> set[int]:
    """A process and all its living descendants."""
    children = defaultdict(list)
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (parent := _parent(folder)) is not None:
            children[parent].append(int(folder.name))
    found, waiting = set(), [root]
    while waiting:
        process = waiting.pop()
        found.add(process)
        waiting += children[process]
    return found


def memory_of(processes: Iterable[int]) -> Memory:
    """The sum over those that are still there."""
    return sum((_memory(PROC / str(process)) for process in processes), Memory(0, 0))


def _parent(folder: Path) -> int | None:
    try:
        # The name in brackets before it may hold anything, spaces and brackets too.
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _memory(folder: Path) -> Memory:
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return Memory(0, 0)  # it ended, or is ending, under us
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return Memory(1024 * kilobytes.get("Pss", 0), 1024 * kilobytes.get("Rss", 0))
