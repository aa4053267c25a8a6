"""Effort: what is assumed of models that never ran here."""

from __future__ import annotations

import pytest

from windtunnel.core.cell import Cell, Labels
from windtunnel.execution.effort import SECONDS_PER_PASS, note_speeds, seconds_of
from windtunnel.execution.facts import ModelFacts
from windtunnel.execution.store import Store

TEXT = ModelFacts("0", 384, 22_000_000, {"modality": "text"})
IMAGE = ModelFacts("0", 64, 22_000_000, {"modality": "image"})


def cells(model):
    return [Cell("evaluate", Labels(model, "full", 0, "b", f"t{place}"), {"place": place}, 500.0) for place in range(2)]


def test_a_language_model_is_assumed_to_cost_by_its_parameters(tmp_path):
    store = Store(tmp_path)
    text = seconds_of(cells("m"), store, 2, {"m": TEXT})
    assert text.seconds == pytest.approx(1000 * 0.0066 / 2)
    assert not text.measured
    assert seconds_of(cells("m"), store, 2, {"m": IMAGE}).seconds == seconds_of(cells("m"), store, 2).seconds == 1000 * SECONDS_PER_PASS / 2


def test_what_was_measured_goes_before_what_is_assumed(tmp_path):
    store = Store(tmp_path)
    for cell in cells("m"):
        store.write(cell.key, {"x": b""}, 2.0)
    note_speeds(cells("m"), store)
    found = seconds_of(cells("m"), store, 1, {"m": TEXT})
    assert (found.seconds, found.measured) == (pytest.approx(4.0), True)
