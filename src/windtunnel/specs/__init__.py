"""Suites, benchmarks and runners as users write them: YAML to nouns, all problems of a file at once. Never imports torch."""

from windtunnel.specs.benchmark import load_benchmark
from windtunnel.specs.recipes import load_preset, load_recipe
from windtunnel.specs.runner import load_runner
from windtunnel.specs.single import single
from windtunnel.specs.suite import load_suite
from windtunnel.specs.tables import BUILTIN, Tables

__all__ = ["BUILTIN", "Tables", "load_benchmark", "load_preset", "load_recipe", "load_runner", "load_suite", "single"]
