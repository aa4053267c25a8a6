"""Blind text perturbations: typos, other spellings, disguises and additions that nobody aimed at the victim, in five severities."""
