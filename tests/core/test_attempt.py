"""Attempt: what counts where attack and victim disagree."""

from __future__ import annotations

import numpy as np

from windtunnel.core.attempt import Attempt, settled, unfinished


def test_the_victims_verdict_goes_before_what_the_attack_says():
    told = {(0, 0): Attempt("succeeded", 3), (0, 1): Attempt("succeeded", 4), (0, 2): Attempt("out of budget", 5), (0, 3): Attempt("failed", 6)}
    right, stands = np.array([False, True, True, True]), np.array([[False, True, True, False]])
    assert [(each.status, each.queries) for each in settled(told, right, stands)[0]] == [
        ("skipped", 3),
        ("failed", 4),
        ("out of budget", 5),
        ("succeeded", 6),
    ]


def test_what_fell_at_a_smaller_level_keeps_its_queries_at_larger_ones():
    told = {(0, 0): Attempt("succeeded", 3, similarity=0.9), (0, 1): Attempt("failed", 4), (1, 1): Attempt("succeeded", 8)}
    found = settled(told, np.array([True, True]), np.array([[False, True], [False, False]]))
    assert found[1] == (Attempt("succeeded", 3, similarity=0.9), Attempt("succeeded", 8))


def test_samples_of_which_nothing_is_known_are_flagged():
    attempts = ((Attempt("failed", 2), Attempt("unfinished", 1, "took more than 5 s")),)
    assert "50.0%" in unfinished(attempts)[0].message
    assert unfinished(((Attempt("failed", 2),),)) == ()
