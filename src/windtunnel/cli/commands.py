"""The commands, each one function call."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from windtunnel.cli.options import CatalogFolder, Quiet, RunFolder, RunnerName, RunsFolder, StoreFolder, SuiteName, Workers

app = typer.Typer(
    name="windtunnel",
    help="Which way of fine-tuning a pre-trained model leaves it most robust, and can you trust the number?\n\n"
    "A first try: windtunnel run quickstart. Your own: windtunnel init, then edit suites/my-first.yaml.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

RUNS = Path("runs")


@app.command()
def run(
    suite: SuiteName,
    catalog: CatalogFolder = None,
    store: StoreFolder = None,
    runs: RunsFolder = RUNS,
    runner: RunnerName = "laptop",
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Fine-tune, attack, corrupt, rank and report; what the store holds is not computed again.

    Exits 0 when all cells are done, 3 when some cell failed (the others still ran), 2 on a mistake.
    """
    from windtunnel.cli.running import run_suite

    raise typer.Exit(run_suite(suite, catalog, store, runs, runner, workers, quiet))


@app.command()
def evaluate(
    model: Annotated[str, typer.Option(help='A model: "timm/resnet18.a1_in1k", "./my.safetensors", "my_package:make".', show_default=False)],
    benchmark: Annotated[str, typer.Option(help="A benchmark's name (windtunnel list benchmarks) or a path.", show_default=False)],
    recipe: Annotated[str, typer.Option(help="What is done to the model first; by default nothing.")] = "pretrained",
    data: Annotated[str, typer.Option(help="A data set's name or a folder of class folders, if not the benchmark's own.", show_default=False)] = "",
    samples: Annotated[
        int | None, typer.Option(min=1, help="Evaluate on so many samples only; shown under another name.", show_default=False)
    ] = None,
    architecture: Annotated[str, typer.Option(help="Of a checkpoint on disk, e.g. timm/resnet18.", show_default=False)] = "",
    catalog: CatalogFolder = None,
    store: StoreFolder = None,
    runs: RunsFolder = RUNS,
    runner: RunnerName = "laptop",
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """How robust is this model? One model through one benchmark, without writing a file.

    windtunnel evaluate --model timm/resnet18.a1_in1k --benchmark imagenet-linf --samples 200

    Exits 0 when all cells are done, 3 when some cell failed, 2 on a mistake.
    """
    from windtunnel.catalog import Catalog
    from windtunnel.cli.running import evaluate_model
    from windtunnel.datasets.reference import named_or_folder
    from windtunnel.specs import single

    arguments = {"architecture": architecture} if architecture else None
    own = named_or_folder(data) if data else None
    suite = single(model, benchmark, Catalog(catalog), recipe=recipe, data=own, samples=samples, arguments=arguments)
    raise typer.Exit(evaluate_model(suite, catalog, store, runs, runner, workers, quiet))


@app.command()
def plan(suite: SuiteName, catalog: CatalogFolder = None, store: StoreFolder = None, workers: Workers = None) -> None:
    """Show every cell of a suite, what the store already holds, and an estimate of the effort. Computes nothing."""
    from windtunnel.cli.showing import show_plan

    show_plan(suite, catalog, store, workers)


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(help="Suites, benchmarks or runners, by name or path.", show_default=False)],
    catalog: CatalogFolder = None,
) -> None:
    """Check files and report all their problems at once, as file:line:column."""
    from windtunnel.cli.showing import validate_files

    validate_files(files, catalog)


@app.command("list")
def list_names(
    what: Annotated[str, typer.Argument(help="suites, benchmarks, runners, models, recipes, threats, datasets or metrics.")] = "",
    catalog: CatalogFolder = None,
) -> None:
    """List what suites can be made of."""
    from windtunnel.cli.listing import list_catalogue

    list_catalogue(what, catalog)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A threat, recipe, data set, metric, model family, suite, benchmark or runner.", show_default=False)],
    catalog: CatalogFolder = None,
) -> None:
    """Explain a name: its documentation, arguments and defaults, or a file's content."""
    from windtunnel.cli.showing import show_name

    show_name(name, catalog)


@app.command()
def report(run: RunFolder, runs: RunsFolder = RUNS) -> None:
    """Write a run's report anew from its records and print the leaderboard."""
    from windtunnel.cli.reporting import write_report

    write_report(run, runs)


@app.command()
def compare(
    run: RunFolder,
    runs: RunsFolder = RUNS,
    column: Annotated[str, typer.Option(help="Which figure of the leaderboard (default: the headline).", show_default=False)] = "",
) -> None:
    """Compare all pairs of a run's entries on the same samples, with corrected p-values."""
    from windtunnel.cli.reporting import print_comparison

    print_comparison(run, runs, column)


@app.command()
def gate(
    run: RunFolder,
    baseline: Annotated[str, typer.Option(help="A run, a published folder, or FOLDER#MODEL/RECIPE for one entry.", show_default=False)],
    max_drop: Annotated[str, typer.Option(help='Largest drop that passes, e.g. "2pp" or "0.02".')] = "2pp",
    summary: Annotated[Path | None, typer.Option(help="Write the Markdown summary to this file, too.", show_default=False)] = None,
    runs: RunsFolder = RUNS,
) -> None:
    """Fail a CI job when robustness dropped, by a paired test on the same samples.

    Exits 0 pass, 1 regression, 2 cannot judge (missing cell, other samples, other version).
    """
    from windtunnel.cli.reporting import judge

    raise typer.Exit(judge(run, baseline, max_drop, summary, runs))


@app.command()
def publish(
    run: RunFolder,
    to: Annotated[Path, typer.Option(help="The folder to make, e.g. reports/NAME.", show_default=False)],
    runs: RunsFolder = RUNS,
    force: Annotated[bool, typer.Option(help="Replace what another suite published there.")] = False,
    allow_failed: Annotated[bool, typer.Option(help="Publish although cells failed; they are shown as failed.")] = False,
) -> None:
    """Publish a run: its records, leaderboard.json and index.html, in one folder that can be committed."""
    from windtunnel.cli.reporting import publish_run

    publish_run(run, to, runs, force, allow_failed)


@app.command()
def rebuild(folders: Annotated[list[Path], typer.Argument(help="Published folders.", show_default=False)]) -> None:
    """Rebuild published pages from their committed records, byte for byte."""
    from windtunnel.cli.reporting import rebuild_pages

    rebuild_pages(folders)


@app.command()
def verify(run: RunFolder, runs: RunsFolder = RUNS, store: StoreFolder = None) -> None:
    """Check that a run's records, outcomes and figures belong together and that the store agrees. Exits 1 if not."""
    from windtunnel.cli.reporting import verify_run

    raise typer.Exit(verify_run(run, runs, store))


@app.command()
def fetch(suite: SuiteName, catalog: CatalogFolder = None, store: StoreFolder = None) -> None:
    """Get the data and weights that a suite needs, and check them, before a run without network."""
    from windtunnel.cli.running import fetch_sources

    fetch_sources(suite, catalog, store)


@app.command()
def materialize(
    data: Annotated[str, typer.Argument(help="A data set's name, a folder of class folders, or a table of texts.", show_default=False)],
    to: Annotated[Path, typer.Option(help="The folder to make.", show_default=False)],
    corruptions: Annotated[str, typer.Option(help="Sets (common, quick, ...) and corruptions, by commas; for texts, perturbations.")] = "common",
    severities: Annotated[str, typer.Option(help="Severities from 1 to 5, by commas.")] = "1,2,3,4,5",
    split: Annotated[str, typer.Option(help="Which split is copied.")] = "test",
    samples: Annotated[int | None, typer.Option(min=1, help="Copy a stratified subset of this size only.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, help="Keys the draws and the subset; a benchmark with this seed sees the same images.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Write a corrupted copy of a data set to disk, with a manifest: PNG files in the layout of ImageNet-C, or JSONL tables of texts.

    windtunnel materialize digits --to digits-c --corruptions common,webp --severities 1,3,5
    """
    from windtunnel.cli.copying import copy_corrupted

    copy_corrupted(data, to, corruptions, severities, split, samples, seed, quiet)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Where to write suites/ and benchmarks/.")] = Path()) -> None:
    """Write a small suite and benchmark of your own to start from; nothing is overwritten."""
    from windtunnel.cli.starter import write_starter

    write_starter(folder)


@app.command()
def doctor(store: StoreFolder = None) -> None:
    """Tell what is installed, which device would be used and where the store is."""
    from windtunnel.cli.showing import examine

    examine(store)
