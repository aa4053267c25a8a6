"""Lengths of time in words; apart from `terminal`, so that commands that draw nothing load no drawing library."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds as people say them: "40 s", "3 min", "2 h 10 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
