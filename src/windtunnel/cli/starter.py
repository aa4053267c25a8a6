"""`init`: a suite and a benchmark to start from."""

from __future__ import annotations

from pathlib import Path

import typer

from windtunnel.errors import CatalogError

SUITE = """\
# A suite crosses models, recipes, seeds and benchmarks. Check it with `windtunnel validate suites/my-first.yaml`,
# see what it would compute with `windtunnel plan my-first`, compute it with `windtunnel run my-first`.
suite: my-first
models: [windtunnel/micro-resnet]        # or timm/..., torchvision/..., transformers/..., ./checkpoint, module:attribute
data: digits                             # or {use: folder, path: photos, size: 224}; see `windtunnel list datasets`
recipes:
  - linear-probe                         # `windtunnel show linear-probe` tells its arguments
  - {use: full, epochs: 8}
  - {use: full, name: full-smoothed, epochs: 8, label_smoothing: 0.1}
benchmarks: [my-threats]
seeds: [0, 1]
"""

BENCHMARK = """\
# A benchmark is a versioned set of threats. Raise its version whenever a change in it changes a number.
benchmark: my-threats
version: 1
task: image-classification
data: suite[test]                        # the test split of the suite's own data
samples: 100                             # a stratified, seeded subset
threats:
  - {use: pgd, norm: Linf, eps: [2/255, 8/255], steps: 10}
  - {use: corruptions, set: quick, severities: [3]}
headline: worst-case accuracy of pgd at 8/255
"""


def write_starter(folder: Path) -> None:
    """Write the two files below `folder`.

    Raises:
        CatalogError: one of them is there already, or the folder cannot be written.
    """
    files = {folder / "suites" / "my-first.yaml": SUITE, folder / "benchmarks" / "my-threats.yaml": BENCHMARK}
    for path in files:
        if path.exists():
            raise CatalogError(f"{path} exists already; nothing was written. Name another folder: windtunnel init FOLDER.")
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as error:
            raise CatalogError(f"{path} cannot be written: {error.strerror or error}.") from error
        typer.echo(f"wrote {path}")
    inside = "" if folder == Path() else f"cd {folder} && "
    typer.echo(f"Next: {inside}windtunnel plan my-first, then windtunnel run my-first")
