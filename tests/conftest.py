"""One thread for the numerical libraries, set before any of them is imported: tests run beside each other."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
