"""One thread for the numerical libraries, set before any of them is imported: tests run beside each other."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("windtunnel", deadline=None, derandomize=True)
settings.load_profile("windtunnel")
