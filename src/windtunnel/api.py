"""The Python interface: what the command line does, and single fine-tunings and evaluations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windtunnel.builtins import CONDITIONS, DATASETS, THREATS
from windtunnel.catalog import Catalog, default_store
from windtunnel.core.batch import Batch
from windtunnel.core.budget import Budget
from windtunnel.core.canonical import fraction_text
from windtunnel.core.classes import output_names
from windtunnel.core.condition import CLEAN, Condition
from windtunnel.core.dataset import Dataset, DataSource, Splits
from windtunnel.core.modality import ANY, IMAGE
from windtunnel.core.model import Model, ModelSource
from windtunnel.core.outcome import Outcome
from windtunnel.core.recipe import Finetuning, Recipe
from windtunnel.core.suite import Benchmark, DataRef
from windtunnel.core.texts import Texts
from windtunnel.core.threat import MICRO_BATCH, Threat
from windtunnel.core.victim import Victim
from windtunnel.datasets.reference import parse_reference
from windtunnel.errors import BudgetError, DataError, ModelError, WindtunnelError

if TYPE_CHECKING:
    from torch import Tensor

    from windtunnel.core.runner import Runner
    from windtunnel.execution.progress import Progress
    from windtunnel.reporting.report import Report


def run(
    suite: str | Path,
    *,
    catalog: str | Path | None = None,
    store: str | Path | None = None,
    runs: str | Path = "runs",
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> Report:
    """Carry out a suite and report on it; what the store holds is not computed again.

    Args:
        suite: a name of the catalogue, or a path to a YAML file.
        catalog: a folder with suites/, benchmarks/ and runners/ to look in first.
        store: where results are kept; the user's cache folder if left out.
        runs: where the run's folder is written.
        runner: where and how cells run.
        progress: told about the run as it goes.
    Raises:
        WindtunnelError: the suite, its data or its models cannot be used. A failing cell raises nothing: it is in the report.
    """
    from windtunnel.execution.run import run as carry_out
    from windtunnel.execution.store import Store
    from windtunnel.reporting.report import Report
    from windtunnel.specs import load_suite

    found = Catalog(Path(catalog) if catalog else None)
    place = Store(Path(store) if store else default_store())
    done = carry_out(load_suite(str(suite), found), store=place, runs=Path(runs), runner=runner, progress=progress)
    report = Report(done.folder)
    report.write()
    return report


def load_data(name: str, split: str = "test", **arguments: Any) -> Batch[Any]:
    """One split of a data set as a batch on the CPU.

    Args:
        name: a data set's name, or "digits[val]" with its split.
        split: "train", "val" or "test".
        arguments: of the data set, e.g. `path` for "folder".
    """
    use, named = parse_reference(name)
    return _splits(use, arguments)[named or split].batch()


def make_recipe(name: str, modality: str = IMAGE, *, catalog: str | Path | None = None, **arguments: Any) -> Recipe:
    """A recipe by name, with any of its parts overridden.

    Args:
        name: of a preset ("lp-ft"; `windtunnel list recipes`) or of a class ("finetune").
        modality: "image" or "text", whose defaults it takes.
        catalog: a folder with recipes/ to look in first.
        arguments: what is to be otherwise: numbers, and parts as names ("mixup"), mappings (`{"use": "focal", "gamma": 2}`; without `use`,
            changes to the part that is there) or objects.
    Raises:
        WindtunnelError: no such recipe, or one that cannot be trained on such inputs.
        ValueError: arguments that it does not take.
    """
    from windtunnel.specs import load_recipe

    return load_recipe(name, modality, Catalog(Path(catalog) if catalog else None), arguments)


def finetune(
    model: str | ModelSource,
    recipe: str | Recipe,
    data: str | DataSource,
    *,
    seed: int = 0,
    condition: str | Mapping[str, Any] | Condition | None = None,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    **arguments: Any,
) -> Victim:
    """Fine-tune a model and freeze it; with the recipe "pretrained", freeze it as it is.

    Args:
        model: e.g. "windtunnel/micro-resnet", "timm/resnet18.a1_in1k".
        recipe: e.g. "lp-ft", or a recipe object.
        data: a data set's name or source; its training and validation splits are used.
        seed: keys everything random.
        condition: how the training data is bad: "label-noise", `{"use": "label-noise", "rate": 0.4}` or an object; not if left out.
        device: "auto", "cpu", "cuda" or "mps".
        progress: called with (epochs done, epochs in all).
        arguments: what is to be other than in a recipe given by name, e.g. `epochs=5`; see `make_recipe`.
    """
    from windtunnel.core.network import Network
    from windtunnel.execution.facts import material
    from windtunnel.execution.workbench import features, pick_device
    from windtunnel.model_names import source
    from windtunnel.recipes.carrying import Members
    from windtunnel.recipes.scopes.blocks import structure

    splits = _splits(data, {}) if isinstance(data, str) else data.load()
    modality = splits.any.modality.name
    how = make_recipe(recipe, modality, **arguments) if isinstance(recipe, str) else recipe
    how.check_modality(modality)
    place = pick_device(device)
    origin = source(model) if isinstance(model, str) else model

    under = _condition(condition, modality)
    kept: dict[tuple[str, int], Tensor] = {}

    def fresh(recipe: Recipe, seed: int) -> Finetuning:
        loaded = _loaded(origin, splits.name, modality)
        loaded.backbone.to(place)

        def frozen(part: Dataset) -> Tensor:
            key = part.name, seed if under is not None else 0  # a condition draws by the seed
            if key not in kept:
                kept[key] = features(Network(loaded, 1).to(place), part, place)
            return kept[key]

        empty = splits.any.take(())
        train, val = (splits["train"], splits["val"]) if recipe.trains else (empty, empty)
        if recipe.trains:
            if under is not None:
                train, val = under.apply(train, "train", seed), under.apply(val, "val", seed)
            layers, blocks = structure(loaded.backbone)
            recipe.check(material(loaded.name, splits.name, layers, blocks, train.labels.tolist(), len(train.classes), len(val)))
        return Finetuning(loaded, train, val, seed, place, frozen)

    work = Members(fresh).fitted(fresh(how, seed))
    done = how.finetune(work if progress is None else dataclasses.replace(work, progress=progress))
    classes = splits.any.classes
    names = output_names(done.network.head.out_features, classes)
    return Victim(done.network, classes=names, name=f"{origin.name} {how.use}").on(classes)


def _condition(given: str | Mapping[str, Any] | Condition | None, modality: str) -> Condition | None:
    """A condition that changes such inputs."""
    if given is None or given == CLEAN:
        return None
    made = given
    if not isinstance(made, Condition):
        arguments = {"use": made} if isinstance(made, str) else dict(made)
        if "use" not in arguments:
            raise DataError(f"A condition needs a name: {{'use': 'label-noise', ...}}; found only {', '.join(arguments) or 'nothing'}.")
        made = CONDITIONS.load(arguments.pop("use"))(**arguments)
    if made.modality not in (modality, ANY):
        raise DataError(f"{made.use} changes {made.modality} inputs, and the data holds {modality}s; choose another condition.")
    return made


def _loaded(source: ModelSource, data: str, modality: str) -> Model:
    """A fresh model, which must take what the data holds."""
    loaded = source.load()
    if loaded.preprocessing.modality != modality:
        raise ModelError(f"{loaded.name} takes {loaded.preprocessing.modality} inputs, and {data} holds {modality}s; choose a model for them.")
    return loaded


def evaluate(
    victim: Any,
    inputs: Tensor | Texts | Sequence[str] | Sequence[Sequence[str]],
    labels: Tensor | Sequence[int],
    *,
    threat: str | Threat = "autoattack",
    budget: Budget | None = None,
    seed: int = 0,
    ids: Sequence[str] | None = None,
    micro_batch: int = MICRO_BATCH,
    surrogate: Any = None,
    **arguments: Any,
) -> Outcome:
    """Put a classifier through a threat.

    Args:
        victim: a Victim, an `nn.Module` in evaluation mode, a Hugging Face model of images, one of texts with its tokenizer as
            (model, tokenizer), or a function from inputs to logits.
        inputs: images as float in [0, 1], (n, channel, height, width), normalisation belonging inside the victim; or texts: `Texts`, a list
            of strings, or of tuples of strings where a sample has several fields.
        labels: class indices, (n,).
        threat: a name or a threat object.
        budget: norm, radius, steps and queries for a threat given by name.
        seed: keys the draws, with each sample's id.
        ids: stable sample names; "0", "1", ... if left out.
        micro_batch: samples at once.
        surrogate: another classifier, whose gradients a transfer attack follows.
        arguments: further arguments of a threat given by name, e.g. `severities=[3]`.
    """
    import torch

    given: Any = inputs if isinstance(inputs, Texts | torch.Tensor) else Texts.of(inputs)
    batch = Batch(given, torch.as_tensor(labels), tuple(ids) if ids is not None else tuple(str(row) for row in range(len(given))))
    other = None if surrogate is None else _victim(surrogate, name="surrogate")
    if other is not None:
        arguments.setdefault("surrogate", other.name)
    made = threat if isinstance(threat, Threat) else _threat(threat, budget, arguments)
    return made(_victim(victim), batch, seed=seed, micro_batch=micro_batch, keep=True, surrogate=other)


def assert_robust(
    victim: Any,
    *,
    benchmark: str,
    at_least: Mapping[str, float],
    catalog: str | Path | None = None,
    data: Batch[Any] | None = None,
) -> dict[str, float]:
    """Fail a test unless a classifier is robust enough.

    Args:
        victim: as for `evaluate`.
        benchmark: a name of the catalogue, or a path.
        at_least: least accuracy by figure: "clean", "worst-case" (a sample counts if it stands under all threats), or a threat's name.
        catalog: a folder to look in first.
        data: samples to use instead of the benchmark's own.
    Returns:
        Every figure that was asked for.
    Raises:
        AssertionError: a figure is below its bound; the message lists all of them.
        WindtunnelError: the benchmark is unknown, or a figure it does not have was asked for.
    """
    from windtunnel.specs import load_benchmark

    found = load_benchmark(benchmark, Catalog(Path(catalog) if catalog else None))
    figures = _figures(_victim(victim), found, data)
    unknown = sorted(set(at_least) - set(figures))
    if unknown:
        raise WindtunnelError(f"The benchmark {found.name} has no figure {unknown[0]!r}. Choose from: {', '.join(figures)}.")
    lines = [f"{name}: {figures[name]:.3f}, required at least {bound:.3f}" for name, bound in at_least.items()]
    short = [name for name, bound in at_least.items() if figures[name] < bound]
    if short:
        raise AssertionError(f"Not robust enough on {found.name} ({', '.join(short)}):\n" + "\n".join(lines))
    return {name: figures[name] for name in at_least}


def _victim(thing: Any, name: str = "victim") -> Victim:
    """Whatever may be given as a classifier."""
    if isinstance(thing, tuple) and len(thing) == 2:
        from windtunnel.models.text import as_reader

        thing = as_reader(*thing)
    return Victim.of(thing, name=name)


def _figures(victim: Victim, benchmark: Benchmark, data: Batch[Any] | None) -> dict[str, float]:
    """Accuracy by figure; the worst case is taken per sample over all threats on the benchmark's own data."""
    own = data if data is not None else _benchmark_batch(benchmark, benchmark.data)
    clean = THREATS.load("clean")()(victim, own, seed=benchmark.seed)
    figures = {"clean": float(clean.correct[-1].mean())}
    standing = clean.correct[-1].copy()
    for name, threat in benchmark.threats.items():
        batch = own if threat.elsewhere is None else _benchmark_batch(benchmark, _data_named(threat))
        outcome = threat(victim, batch, seed=benchmark.seed)
        figures[name] = float(outcome.correct[-1].mean())
        if threat.elsewhere is None:
            standing &= outcome.correct.all(0)
    return {**figures, "worst-case": float(standing.mean())}


def _data_named(threat: Threat) -> DataRef:
    use, split = parse_reference(threat.elsewhere or "")
    return DataRef(DATASETS.load(use)(**threat.elsewhere_options), split or "test")


def _benchmark_batch(benchmark: Benchmark, data: DataRef | None) -> Batch[Any]:
    from windtunnel.datasets.splitting import stratified_subset

    if data is None:
        raise DataError(f"The benchmark {benchmark.name} is about its suite's own data; give the samples with data=...")
    part = data.source.load()[data.split]
    if benchmark.samples is not None and benchmark.samples < len(part):
        part = part.take(stratified_subset(part.labels, part.ids, benchmark.samples, benchmark.seed))
    return part.batch()


def _splits(use: str, arguments: Mapping[str, Any]) -> Splits:
    return DATASETS.load(use)(**arguments).load()


def _threat(name: str, budget: Budget | None, arguments: Mapping[str, Any]) -> Threat:
    """A threat by name, given what of the budget it has arguments for.

    Raises:
        BudgetError: the budget says something that the threat cannot heed.
    """
    kind = THREATS.load(name)
    fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # every threat is a dataclass
    wanted: dict[str, Fraction | str | int] = {}
    if budget is not None:
        wanted = {key: value for key, value in vars(budget).items() if value is not None and not key.startswith("_")}
        foreign = sorted(set(wanted) - fields)
        if foreign:
            raise BudgetError(f"{name} has no {' and no '.join(foreign)}; its arguments are {', '.join(sorted(fields))}. It was given {budget}.")
    try:
        return kind(**{**wanted, **arguments})
    except (TypeError, ValueError) as error:
        shown = {key: fraction_text(value) if isinstance(value, Fraction) else value for key, value in {**wanted, **arguments}.items()}
        raise WindtunnelError(f"{name} cannot be made from {shown}: {error}") from error
