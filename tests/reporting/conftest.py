"""Synthetic runs shared by the tests of reporting."""

from __future__ import annotations

import pytest
from support.runs import MODELS, Plot, write_run

from windtunnel.reporting.folder import RunFolder

SMALL = {"models": MODELS, "recipes": ("linear-probe", "full", "pgd-at"), "seeds": (0, 1), "samples": 60}
BROKEN = (MODELS[1], "full", 1, "digits-linf", "apgd")


@pytest.fixture(scope="session")
def small():
    """Arguments of a small run."""
    return SMALL


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run in which every cell is done."""
    return RunFolder.load(write_run(tmp_path_factory.mktemp("runs") / "done", Plot(**SMALL)))


@pytest.fixture(scope="session")
def broken(tmp_path_factory):
    """A run in which one attack failed."""
    return RunFolder.load(write_run(tmp_path_factory.mktemp("runs") / "broken", Plot(**SMALL, fail=[BROKEN])))
