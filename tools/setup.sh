#!/bin/sh
# Build .venv from requirements.lock without resolving anything: with uv where it is or can be had, with plain pip otherwise.
set -eu
python=${PYTHON:-python3}

"$python" - <<'CHECK' || exit 1
import sys
if sys.version_info < (3, 11):
    sys.exit(f"windtunnel needs Python 3.11 or newer; this is {sys.version.split()[0]}. Name another: make PYTHON=python3.12 ...")
CHECK

[ -x .venv/bin/python ] || "$python" -m venv .venv
uv=$(command -v uv || true)
if [ -z "$uv" ] && .venv/bin/python -m pip install --quiet --target .venv/uv uv; then
    uv=.venv/uv/bin/uv
fi
if [ -n "$uv" ]; then
    "$uv" pip install --quiet --compile-bytecode --python .venv/bin/python --no-deps --require-hashes -r requirements.lock
    "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
else
    echo "uv cannot be had; installing with pip, which takes longer"
    .venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
    .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
fi
