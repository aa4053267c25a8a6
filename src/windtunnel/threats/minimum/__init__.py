"""Minimum-norm attacks: the smallest change that is enough."""
