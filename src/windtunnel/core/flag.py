"""Flag: why a number may not mean what it seems to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """A reason for suspicion that travels with a number into every table.

    Args:
        name: short and stable, e.g. "zero-gradients".
        message: what was seen, and what it usually means.
    """

    name: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Plain data for JSON."""
        return {"name": self.name, "message": self.message}
