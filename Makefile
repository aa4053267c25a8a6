# Two commands: `make quickstart` and `make test`. Each sets up .venv first, from nothing but python3, pip and make.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup quickstart test test-all check format perf reports lock clean

help:  ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready  ## build .venv from requirements.lock

.venv/.ready: requirements.lock pyproject.toml tools/setup.sh
	PYTHON="$(PYTHON)" sh tools/setup.sh
	touch $@

quickstart: setup  ## fine-tune, attack, corrupt, rank and report, images and then texts: the main job, in a few minutes
	$(BIN)/windtunnel run quickstart
	$(BIN)/windtunnel run quickstart-text

test: setup  ## the default tests, offline
	$(BIN)/python -m pytest -n auto --dist loadfile

test-all: setup  ## the slow tests, too
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not gpu and not network"

check: setup  ## format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

perf: setup  ## measure speed and memory against what a user would use instead
	$(BIN)/python -m perf

reports: setup  ## rebuild the published pages from their committed records
	$(BIN)/windtunnel rebuild $(wildcard reports/*/)

lock: setup  ## resolve requirements.lock anew
	$(if $(UV),$(UV),.venv/uv/bin/uv) pip compile pyproject.toml --universal --python-version 3.11 --all-extras --group dev \
	  --generate-hashes --custom-compile-command "make lock" -o requirements.lock

clean:  ## remove .venv and caches; the store and runs/ stay
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
