"""Resource: something that a threat reads besides the samples, e.g. a dictionary or a language model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from windtunnel.errors import ResourceError


@dataclass(frozen=True)
class Resource:
    """Something that is installed, or not.

    Args:
        is_: what it is, as a message names it.
        found: whether it is installed.
        remedy: how to get it, in a sentence.
        get: downloads it to where it is looked for; None where only the user can install it.
    """

    is_: str
    found: Callable[[], bool]
    remedy: str
    get: Callable[[], None] | None = None

    def missed_by(self, name: str) -> str:
        """What to tell somebody who wants something of that name, and lacks this."""
        return f"{name} needs {self.is_}, which is not installed. {self.remedy}"

    def fetch(self) -> None:
        """Get it, if it is not there.

        Raises:
            ResourceError: it cannot be had, with the reason and the remedy.
        """
        if self.found():
            return
        if self.get is None:
            raise ResourceError(f"{self.is_} has to be installed by hand. {self.remedy}")
        try:
            self.get()
        except Exception as error:  # each way of downloading has errors of its own
            said = str(error).strip().splitlines() or [""]
            raise ResourceError(f"{self.is_} could not be fetched ({type(error).__name__}: {said[0]}). {self.remedy}") from error
        if not self.found():
            raise ResourceError(f"{self.is_} was fetched, but is not where it is looked for. {self.remedy}")
