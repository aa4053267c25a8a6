"""Casing: a word in the capitals of another."""

from __future__ import annotations


def alike(model: str, new: str) -> str:
    """`new` in the case of `model`: all capitals, a capital first letter, or as it is."""
    if len(model) > 1 and model.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if model[:1].isupper() else new
