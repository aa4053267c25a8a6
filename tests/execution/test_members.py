"""Recipes made of recipes: shared trainings are computed once, and nobody can tell by whom."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic.dataclasses import dataclass
from safetensors.torch import load
from support.members import equal
from support.small import Stripes, Tiny

from windtunnel import api
from windtunnel.core.configured import STRICT
from windtunnel.core.network import tensors_sha256
from windtunnel.core.record import Record
from windtunnel.core.runner import Runner
from windtunnel.core.suite import Benchmark, Headline, Suite
from windtunnel.errors import RecipeError, StoreError
from windtunnel.execution.facts import Facts
from windtunnel.execution.local import Failure, _Schedule
from windtunnel.execution.plan import plan
from windtunnel.execution.progress import Silent
from windtunnel.execution.recording import RECORD
from windtunnel.execution.run import OUTCOMES, RECORDS, Done, run
from windtunnel.execution.store import Store
from windtunnel.execution.verify import verify
from windtunnel.execution.victims import BEST, LAST
from windtunnel.execution.work import Finetune
from windtunnel.execution.workbench import Workbench
from windtunnel.recipes.pretrained import Pretrained
from windtunnel.recipes.scopes.whole import Full, Head
from windtunnel.recipes.search import Search
from windtunnel.recipes.selection.threats import UnderThreats
from windtunnel.recipes.soup import Soup
from windtunnel.recipes.supervised import Supervised
from windtunnel.recipes.wise_ft import WiseFt
from windtunnel.reporting.report import Report
from windtunnel.threats.corruptions.contrast import Contrast

FULL = Supervised(epochs=3, batch=16)
PROBE = Supervised(scope=Head(), epochs=10, lr=1e-2, batch=30)
RECIPES = {
    "wise": WiseFt(of=FULL, start=PROBE),
    "half": WiseFt(of=FULL, start=PROBE, alpha=0.25),
    "soup": Soup(of=[FULL, replace(FULL, head_seed=5)], seeds=1, how="uniform"),
    "search": Search(of=[FULL], space={"lr": [1e-4, 1e-3]}),
    "full": FULL,
    "probe": PROBE,
}


def suite(**changes) -> Suite:
    headline = Headline("mean", "corruption", None, "mean accuracy under corruption")
    benchmark = Benchmark("toy", 1, None, "test", 24, 0, {"contrast": Contrast(severities=[3])}, ("accuracy",), headline)
    whole = Suite("members", {"tiny": Tiny()}, Stripes(), RECIPES, (benchmark,), (0, 1), "id-val", 1, None, {"suite": "members"})
    return replace(whole, **changes)


def go(suite: Suite, place: Path, workers: int = 2) -> Done:
    return run(suite, store=Store(place / "store"), runs=place / "runs", runner=Runner(workers=workers, device="cpu"))


def contents(done: Done) -> tuple[bytes, bytes]:
    return (done.folder / RECORDS).read_bytes(), (done.folder / OUTCOMES).read_bytes()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Adding(Full):
    """Leaves a module of its own behind the backbone."""

    inserts = stays = True

    def insert(self, network, seed):
        layer = torch.nn.Linear(24, 24)
        with torch.no_grad():
            layer.weight.copy_(torch.eye(24))
            layer.bias.zero_()
        network.backbone.add_module("added", layer)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("two-workers")


@pytest.fixture(scope="module")
def first(place) -> Done:
    return go(suite(), place)


@pytest.fixture(scope="module")
def records(first) -> dict[tuple[str, int], Record]:
    found = [Record.from_dict(json.loads(line)) for line in (first.folder / RECORDS).read_text().splitlines()]
    return {(record.labels.recipe, record.labels.seed): record for record in found if record.kind == "finetune"}


def finetunings(place: Path) -> list[dict]:
    store = Store(place / "store")
    entries = [store.read(key) for key in store.addresses()]
    found = [entry.json(RECORD) for entry in entries if entry is not None and (entry.folder / RECORD).is_file()]
    return [record for record in found if record["kind"] == "finetune"]


def test_shared_trainings_are_computed_once_under_the_keys_of_their_own_cells(place, first, records):
    """Beside the twelve cells: of each seed one soup member with another head, and one trial with another rate."""
    assert (first.computed, first.failed) == (2 * 6 * 3, 0)
    assert len(finetunings(place)) == 2 * 6 + 2 * 2
    keys = {record["key"] for record in finetunings(place)}
    assert {record.key for record in records.values()} <= keys


def test_a_member_is_the_cell_of_a_later_suite(place, first, tmp_path):
    later = suite(name="later", recipes={"slow": replace(FULL, lr=1e-4)}, benchmarks=())
    done = go(later, place)
    assert (done.computed, done.held) == (0, 2)
    found, work = bench(tmp_path, replace(FULL, lr=1e-4))
    found.finetune(work, lambda done, total: None)
    alone, member = (each.read(work.cell.key) for each in (found.store, Store(place / "store")))
    assert alone.bytes(BEST) == member.bytes(BEST)
    bodies = [{name: value for name, value in entry.json(RECORD).items() if name != "labels"} for entry in (alone, member)]
    assert bodies[0] == bodies[1], "but for what suites call it, which they say anew, its record is that of a cell computed for itself"


def test_one_worker_in_another_order_leaves_the_same_bytes(first, place, tmp_path):
    """Members first, and not the recipes that are made of them."""
    assert go(suite(recipes=dict(reversed(RECIPES.items()))), tmp_path, workers=1).computed == first.computed
    again = go(suite(), tmp_path)
    assert (again.computed, again.held) == (0, 36)
    assert contents(again) == contents(first)


def test_everything_verifies(place, first):
    assert not verify(first.folder, Store(place / "store")).problems


def test_notes_and_flags_stand_in_the_record_and_the_report(first, records):
    soup = records["soup", 0]
    assert [flag["name"] for flag in soup.flags] == ["members-share-no-start"]
    assert len(soup.facts["notes"]["members"]) == 2
    assert records["wise", 0].estimates[""]["val-accuracy"]["value"] == records["wise", 0].facts["notes"]["val_accuracy"]
    assert records["wise", 0].facts["notes"]["val_accuracy_of_ends"]["of"] == records["full", 0].estimates[""]["val-accuracy"]["value"]
    assert [trial["arguments"] for trial in records["search", 0].facts["notes"]["trials"]] == [{"lr": 1e-4}, {"lr": 1e-3}]
    report = Report(first.folder)
    flags = {entry.recipe: {flag.name for figure in entry.figures.values() for flag in figure.flags} for entry in report.leaderboard.entries}
    assert {recipe for recipe, found in flags.items() if "members-share-no-start" in found} == {"soup"}
    report.write()
    page = (first.folder / "report.html").read_text()
    assert "members-share-no-start" in page
    assert "how they came about" in page
    assert "trials_of_each_recipe" in page


def bench(place: Path, recipe, seed: int = 0) -> tuple[Workbench, Finetune]:
    store = Store(place)
    found = Workbench(store, "cpu")
    for source in (Stripes(), Tiny()):
        found.prepare(source)
    [work] = plan(suite(recipes={"it": recipe}, seeds=(seed,), benchmarks=()), Facts(store)).work
    return found, work


def test_a_member_that_is_read_is_the_one_that_was_computed(tmp_path):
    found, work = bench(tmp_path, RECIPES["wise"])
    computed = found._member(work, FULL, 0)
    again = found._member(work, FULL, 0)
    assert len(list(found.store.addresses())) == 3, "facts of data and model, and the member"
    assert equal(computed.best, again.best)
    assert equal(computed.best, dict(again.network.state_dict()))
    assert not again.network.training
    assert (computed.curves, computed.best_epoch) == (again.curves, again.best_epoch)
    assert len(again.curves) == 3


def test_a_recipe_that_trains_nothing_can_be_an_end(tmp_path):
    """Its key is that of its own cell, too; the model here has no classifier, which is said."""
    found, work = bench(tmp_path, WiseFt(of=FULL, start=Pretrained()))
    with pytest.raises(RecipeError, match="comes without a classifier of its own"):
        found.finetune(work, lambda done, total: None)


@pytest.mark.parametrize(
    "recipe", [Soup(of=[replace(FULL, scope=Adding())], seeds=2), Search(of=[replace(FULL, scope=Adding())], space={"lr": [1e-3]})]
)
def test_a_victim_with_modules_of_its_own_comes_out_of_the_store(tmp_path, recipe):
    found, work = bench(tmp_path, recipe)
    found.finetune(work, lambda done, total: None)
    state = load(found.store.read(work.cell.key).bytes(BEST))
    victim = found._load(work, work.cell.key)
    assert "backbone.added.weight" in state
    assert equal(state, dict(victim.module.state_dict()))


def test_settings_of_a_head_are_trained_as_one_and_leave_the_entries_of_each_alone(tmp_path):
    search = Search(of=[PROBE], space={"lr": [1e-3, 1e-2], "weight_decay": [0.0, 0.1]})
    found, work = bench(tmp_path / "search", search)
    found._announced(work, list(search.members(0)))
    made = {key: found.store.read(key) for key in found.store.addresses()}
    found.finetune(work, lambda done, total: None)
    chosen = found.store.read(work.cell.key).json(RECORD)["facts"]["notes"]["chosen"]["arguments"]
    for recipe, _ in search.members(0):
        alone, alone_work = bench(tmp_path / "alone", recipe)
        alone.finetune(alone_work, lambda done, total: None)
        entry, member = alone.store.read(alone_work.cell.key), made[alone_work.cell.key]
        assert all(entry.bytes(name) == member.bytes(name) for name in (BEST, LAST))
        bodies = [{name: value for name, value in each.json(RECORD).items() if name != "labels"} for each in (entry, member)]
        assert bodies[0] == bodies[1]
        if chosen == {"lr": recipe.lr, "weight_decay": recipe.weight_decay}:
            assert entry.bytes(BEST) == found.store.read(work.cell.key).bytes(BEST)


def test_of_a_victim_only_what_its_fine_tuning_changed_is_kept(tmp_path):
    for recipe, kept in ((PROBE, {"head.weight", "head.bias"}), (FULL, None)):
        found, work = bench(tmp_path, recipe)
        found.finetune(work, lambda done, total: None)
        entry = found.store.read(work.cell.key)
        whole = found._load(work, work.cell.key).module.state_dict()
        assert set(load(entry.bytes(BEST))) == (kept or set(whole))
        assert tensors_sha256(whole) == entry.json(RECORD)["facts"]["victim_sha256"]
        done = recipe.finetune(found._begin(work, *found._training_data(work)).material)
        _, best, last = found._network(work, entry)
        assert equal(done.best, best)
        assert equal(done.last, last)


def test_a_victim_whose_model_has_changed_is_refused(tmp_path):
    found, work = bench(tmp_path, PROBE)
    found.finetune(work, lambda done, total: None)
    with pytest.raises(StoreError, match="have changed meanwhile; run again"):
        found._load(replace(work, model=Tiny(name="other")), work.cell.key)


def test_python_carries_out_members_in_memory_and_gets_the_same_network(tmp_path):
    recipe = Soup(of=[FULL], seeds=2)
    found, work = bench(tmp_path, recipe)
    found.finetune(work, lambda done, total: None)
    stored = dict(found._load(work, work.cell.key).module.state_dict())
    seen = []
    victim = api.finetune(Tiny(), recipe, Stripes(), device="cpu", progress=lambda done, total: seen.append((done, total)))
    assert equal(stored, dict(victim.module.state_dict()))
    assert seen == [(1, 2), (2, 2)]


def test_a_plan_refuses_to_select_by_what_is_reported(tmp_path):
    watching = replace(FULL, select=UnderThreats(threats=[{"use": "contrast", "severities": [5]}]))
    for recipe in (watching, WiseFt(of=watching), Search(of=[FULL], space={"lr": [1e-3]}, select="robust-val", threats=["contrast"])):
        with pytest.raises(RecipeError, match="odd: It is selected by accuracy under contrast, which the benchmark 'toy' reports on"):
            plan(suite(recipes={"odd": recipe}), Facts(Store(tmp_path)))


def schedule(place: Path, recipes, seeds=(0,)) -> tuple[_Schedule, list[Finetune]]:
    store = Store(place)
    for source in (Stripes(), Tiny()):
        Workbench(store, "cpu").prepare(source)
    work = plan(suite(recipes=recipes, seeds=seeds, benchmarks=()), Facts(store)).work
    return _Schedule(work), list(work)


def test_members_that_are_cells_are_made_before_what_is_made_of_them(tmp_path):
    order, (wise, full, probe) = schedule(tmp_path, {name: RECIPES[name] for name in ("wise", "full", "probe")})
    assert set(wise.cell.needs) == {full.cell.key, probe.cell.key}
    assert [order.take(Silent()), order.take(Silent()), order.take(Silent())] == [full, probe, None]
    order.finish(full, None)
    assert order.take(Silent()) is None
    order.finish(probe, Failure("diverged"))
    assert order.take(Silent()) is wise, "it finds out itself what a failed member means"


def test_of_what_shares_a_member_one_goes_first_and_another_seed_beside_it(tmp_path):
    order, (wise, wise_1, half, half_1) = schedule(tmp_path, {name: RECIPES[name] for name in ("wise", "half")}, (0, 1))
    assert [order.take(Silent()), order.take(Silent()), order.take(Silent())] == [wise, wise_1, None]
    order.finish(wise, None)
    assert [order.take(Silent()), order.take(Silent())] == [half, None]
    order.finish(wise_1, None)
    assert order.take(Silent()) is half_1


def test_members_of_members_are_known_before(tmp_path):
    _, (search,) = schedule(tmp_path / "search", {"it": Search(of=[RECIPES["wise"]], space={"alpha": [0.0, 1.0]})})
    _, ends = schedule(tmp_path / "ends", {"full": FULL, "probe": PROBE})
    assert {end.cell.key for end in ends} < set(search.cell.needs)
    assert len(search.cell.needs) == 4


def test_the_effort_of_members_is_planned(tmp_path):
    cells = plan(suite(seeds=(0,)), Facts(Store(tmp_path))).cells
    passes = {cell.labels.recipe: cell.passes for cell in cells if cell.kind == "finetune"}
    assert passes["wise"] == passes["full"] + passes["probe"]
    assert passes["search"] == 2 * passes["full"]
    assert passes["soup"] > 2 * passes["full"]
