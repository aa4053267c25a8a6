"""Training conditions on the way from a plan to a run's folder: keys, what is trained on, and what is kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.members import equal
from support.small import Stripes, Tiny
from support.toy_suite import benchmark, suite

from windtunnel import api
from windtunnel.builtins import RECIPES
from windtunnel.conditions.few_shot import FewShot
from windtunnel.conditions.label_noise import LabelNoise
from windtunnel.conditions.missing import Missing
from windtunnel.conditions.shortcut import Shortcut
from windtunnel.core.network import Network
from windtunnel.core.runner import Runner
from windtunnel.core.suite import Headline
from windtunnel.errors import DataError, RecipeError, UnknownNameError
from windtunnel.execution.facts import DataFacts, Facts, ModelFacts, remember
from windtunnel.execution.plan import plan
from windtunnel.execution.run import run
from windtunnel.execution.store import Store
from windtunnel.execution.verify import verify
from windtunnel.execution.work import Finetune
from windtunnel.execution.workbench import Workbench
from windtunnel.reporting.report import Report
from windtunnel.threats.gradient.transfer import MIFGSM
from windtunnel.threats.shortcut import Shortcut as Marks

NOISY = LabelNoise(rate=0.4)
CONDITIONS = {"clean": None, "noisy": NOISY, "holes": Missing(share=0.5)}


@pytest.fixture(scope="module")
def facts(tmp_path_factory) -> Facts:
    store = Store(tmp_path_factory.mktemp("store"))
    remember(store, Stripes(), DataFacts.of(Stripes().load()), 0)
    remember(store, Tiny(), ModelFacts.of(Tiny().load()), 0)
    return Facts(store)


def keys(facts, **changes) -> dict[str, str]:
    return {str(cell.labels): cell.key for cell in plan(suite(**changes), facts).cells}


def finetunings(facts, **changes) -> dict[str, Finetune]:
    return {str(work.cell.labels): work for work in plan(suite(**changes), facts).work if isinstance(work, Finetune)}


def test_the_data_as_it_is_has_the_keys_it_had_before_there_were_conditions(facts) -> None:
    before, after = keys(facts), keys(facts, conditions=CONDITIONS)
    assert {name: after[name] for name in before} == before
    cell = plan(suite(), facts).cells[0]
    assert set(cell.content) == {"model", "recipe", "data", "seed", "precision", "threads", "libraries"}
    assert len(after) == 3 * len(before)
    assert len(set(after.values())) == len(after)


def test_the_condition_with_all_its_arguments_is_in_the_key_of_its_cells_alone(facts) -> None:
    before = finetunings(facts, conditions=CONDITIONS)
    assert before["tiny · full @ noisy · seed 1"].cell.content["condition"] == NOISY.describe()
    after = keys(facts, conditions={**CONDITIONS, "noisy": LabelNoise(rate=0.4, validation="clean")})
    changed = {name for name, key in keys(facts, conditions=CONDITIONS).items() if after[name] != key}
    assert changed == {name for name in after if "@ noisy" in name}
    assert keys(facts, conditions={"other": NOISY})["tiny · full @ other · seed 0"] == before["tiny · full @ noisy · seed 0"].cell.key


def test_the_samples_in_the_key_are_those_before_the_condition(facts) -> None:
    found = finetunings(facts, conditions={"clean": None, "few": FewShot(per_class=3)})
    clean, few = (found[name].cell.content["data"] for name in ("tiny · full · seed 0", "tiny · full @ few · seed 0"))
    assert clean == few


def test_recipes_that_do_not_train_are_there_once(facts) -> None:
    names = finetunings(
        facts, recipes={"pretrained": RECIPES.load("pretrained")(), "probe": suite().recipes["probe"]}, conditions={"noisy": NOISY}, seeds=(0,)
    )
    assert list(names) == ["tiny · pretrained · seed 0", "tiny · probe @ noisy · seed 0"]


def test_effort_counts_the_samples_that_are_left(facts) -> None:
    found = finetunings(facts, conditions={"clean": None, "few": FewShot(per_class=2)})
    clean, few = (found[name].cell.passes for name in ("tiny · full · seed 0", "tiny · full @ few · seed 0"))
    assert few == pytest.approx(clean * 6 / 60)


def test_data_that_a_condition_cannot_act_on_is_refused_by_the_plan(facts) -> None:
    with pytest.raises(DataError, match=r"The condition 'many' does not fit stripes\[train\]: few-shot asks for 21 .* 'up' has 20 to train on"):
        plan(suite(conditions={"many": FewShot(per_class=21)}), facts)


def test_a_surrogate_is_an_entry_under_its_condition(facts) -> None:
    threat = MIFGSM(eps="8/255", surrogate="tiny + full @ noisy")
    conditioned = suite(conditions={"noisy": NOISY}, benchmarks=(benchmark(threats={"mi": threat}),))
    assert conditioned.surrogate(threat) == ("tiny", "full @ noisy")
    assert plan(conditioned, facts).complete
    with pytest.raises(RecipeError, match=r"one of its recipes \(probe @ noisy, full @ noisy\)"):
        conditioned.surrogate(MIFGSM(eps="8/255", surrogate="tiny + full"))


@pytest.fixture
def bench(tmp_path) -> Workbench:
    return Workbench(Store(tmp_path / "store"), device="cpu")


def test_training_and_validation_data_are_bad_by_the_cells_own_seed(facts, bench) -> None:
    found = finetunings(facts, conditions={"noisy": NOISY})
    work = [found[f"tiny · full @ noisy · seed {seed}"] for seed in (0, 1)]
    (train, val), (other, _) = (bench._training_data(each) for each in work)
    whole = Stripes().load()
    np.testing.assert_array_equal(train.labels, NOISY.apply(whole["train"], "train", 0).labels)
    np.testing.assert_array_equal(val.labels, NOISY.apply(whole["val"], "val", 0).labels)
    assert (train.labels != other.labels).any()
    assert (val.labels != whole["val"].labels).sum() == 12


def test_the_test_split_of_an_oracle_stays_as_it_is(facts, bench) -> None:
    work = finetunings(facts, conditions={"noisy": NOISY}, selection="oracle")["tiny · full @ noisy · seed 0"]
    train, selects = bench._training_data(work)
    assert (train.labels != Stripes().load()["train"].labels).any()
    test = bench.splits(work.data)["test"]
    assert selects.ids == test.ids
    np.testing.assert_array_equal(selects.labels, test.labels)


@pytest.mark.parametrize("condition", [Missing(share=0.5), Shortcut()])
def test_features_of_changed_inputs_are_never_those_of_the_data_as_it_is(facts, bench, condition) -> None:
    found = finetunings(facts, conditions={"clean": None, "bad": condition})
    seen = []
    for name in ("probe", "probe @ bad"):
        for seed in (0, 1):
            work = found[f"tiny · {name} · seed {seed}"]
            train, _ = bench._training_data(work)
            model = work.model.load()
            seen.append(bench._features(model.weights_sha256, Network(model, 1), train, work.cell.content).numpy())
    np.testing.assert_array_equal(seen[0], seen[1])
    for one, other in ((0, 2), (0, 3), (2, 3)):
        assert (seen[one] != seen[other]).any()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    place = tmp_path_factory.mktemp("conditions")
    toy = benchmark(threats={"marks": Marks(classes=3, size=3)}, samples=None, headline=Headline("mean", "marks", None, "mean accuracy of marks"))
    crossed = suite(
        data=Stripes(noise=0.5, count=240),
        benchmarks=(toy,),
        recipes={"probe": suite().recipes["probe"], "pretrained": RECIPES.load("pretrained")()},
        conditions={"clean": None, "shortcut": Shortcut(correlation=1.0, size=3), "few": FewShot(per_class=1)},
    )
    store = Store(place / "store")
    return run(crossed, store=store, runs=place / "runs", runner=Runner(workers=2, device="cpu")), store


def test_the_whole_way_leaves_conditions_and_groups_in_the_folder(done) -> None:
    finished, store = done
    # The tiny network comes without a classifier, so that there is nothing for `pretrained` to keep.
    assert (finished.computed, finished.failed) == (18, 6)
    assert verify(finished.folder, store).problems == ()
    manifest = json.loads((finished.folder / "manifest.json").read_text())
    assert manifest["recipes"] == ["probe", "probe @ shortcut", "probe @ few", "pretrained"]
    assert [each["name"] for each in manifest["conditions"]] == ["clean", "shortcut", "few"]
    assert manifest["conditions"][0] == {"name": "clean", "condition": None, "entries": {"probe": "probe"}}
    assert manifest["conditions"][2]["condition"] == FewShot(per_class=1).describe()
    assert manifest["conditions"][2]["entries"] == {"probe": "probe @ few"}
    folder = Report(finished.folder).folder
    marks = [folder.outcomes.slice(folder.cell("tiny", "probe", seed, "toy-threats", "marks").key, "1") for seed in (0, 1)]
    np.testing.assert_array_equal(marks[0].groups, marks[1].groups)
    np.testing.assert_array_equal(marks[0].groups // 2, marks[0].labels)
    clean = folder.outcomes.slice(folder.cell("tiny", "probe", 0, "toy-threats", "clean").key, "0")
    assert clean.groups is None


def test_whoever_learned_the_shortcut_is_wrong_where_it_leads_astray(done) -> None:
    board = Report(done[0].folder).leaderboard
    worst = {each.recipe: each for each in board.measures if each.name == "worst-group accuracy under marks"}
    assert worst["probe @ shortcut"].value < worst["probe"].value
    assert worst["probe"].low <= worst["probe"].value <= worst["probe"].high
    assert worst["pretrained"].reason
    page = Report(done[0].folder).html()
    assert 'id="conditions"' in page


@pytest.mark.parametrize("given", [NOISY, {"use": "label-noise", "rate": 0.4}])
def test_python_fine_tunes_under_the_same_condition(facts, bench, given) -> None:
    work = finetunings(facts, conditions={"noisy": NOISY})["tiny · full @ noisy · seed 1"]
    bench.finetune(work, lambda done, total: None)
    stored = bench._load(work, work.cell.key).module.state_dict()
    found = api.finetune(Tiny(), work.recipe, Stripes(), seed=1, condition=given, device="cpu").module.state_dict()
    plain = api.finetune(Tiny(), work.recipe, Stripes(), seed=1, condition="clean", device="cpu").module.state_dict()
    assert equal(dict(stored), dict(found))
    assert not equal(dict(stored), dict(plain))


def test_python_refuses_a_condition_that_there_is_not() -> None:
    with pytest.raises(UnknownNameError, match="Unknown condition 'label-nose'"):
        api.finetune(Tiny(), "full", Stripes(), condition="label-nose")
    with pytest.raises(DataError, match=r"A condition needs a name: .*found only rate"):
        api.finetune(Tiny(), "full", Stripes(), condition={"rate": 0.4})
