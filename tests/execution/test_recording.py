"""Recording: what is written of outcomes, and read again."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from windtunnel.core.attempt import Attempt
from windtunnel.core.cell import Cell, Labels
from windtunnel.core.outcome import Cost, Outcome
from windtunnel.execution.recording import OUTCOMES, evaluated, files, joined
from windtunnel.reporting.outcomes import read

ATTEMPTS = (Attempt("skipped"), Attempt("succeeded", 7, similarity=0.75), Attempt("out of budget", 9))


def outcome(attempts=()):
    return Outcome(
        ids=("a", "b", "c"),
        labels=np.array([0, 1, 1]),
        levels=(Fraction(1),),
        clean_predicted=np.array([1, 1, 1]),
        predicted=np.array([[1, 0, 1]]),
        confidence=np.full((1, 3), 0.5),
        distance=np.array([[0.0, 2.0, 0.0]]),
        cost=Cost(3),
        attempts=attempts,
    )


def cell(name):
    return Cell("evaluate", Labels("m", "r", 0, "b", name), {"threat": name}, 0.0)


def written(name, attempts=()):
    return files(*evaluated(cell(name), outcome(attempts), ("no", "yes")))[OUTCOMES]


@pytest.mark.parametrize("order", [("quiet", "told"), ("told", "quiet")])
def test_how_attempts_went_is_kept_for_attacks_that_tell_and_for_no_other(order, tmp_path):
    parts = {"quiet": written("quiet"), "told": written("told", (ATTEMPTS,))}
    (tmp_path / OUTCOMES).write_bytes(joined([parts[name] for name in order]))
    found = read(tmp_path / OUTCOMES)
    told, quiet = (found.slice(cell(name).key, "1") for name in ("told", "quiet"))
    assert quiet.attempts is None
    assert told.attempts.status == ("skipped", "succeeded", "out of budget")
    assert told.attempts.queries.tolist() == [0, 7, 9]
    assert told.attempts.similarity.tolist() == pytest.approx([np.nan, 0.75, np.nan], nan_ok=True)
    assert told.distance.tolist() == quiet.distance.tolist() == [0, 2, 0]


def test_a_file_in_which_no_attack_tells_has_no_such_columns(tmp_path):
    (tmp_path / OUTCOMES).write_bytes(joined([written("one"), written("other")]))
    import pyarrow.parquet as pq

    assert pq.read_schema(tmp_path / OUTCOMES).names == ["key", "level", "sample", "label", "predicted", "confidence", "distance"]
    assert read(tmp_path / OUTCOMES).slice(cell("other").key, "1").attempts is None
