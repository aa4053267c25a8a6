"""Training that behaves: parts of a batch, memory, precision, clipping, divergence, early stopping, optimisers and schedules."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import ClassVar

import pytest
import torch
from pydantic.dataclasses import dataclass
from support.toy_suite import benchmark, suite
from torch import Tensor, nn

from windtunnel import make_recipe
from windtunnel.core.cell import Cell
from windtunnel.core.configured import STRICT
from windtunnel.core.model import Model, Preprocessing
from windtunnel.core.network import Network
from windtunnel.core.part import Answer, Criterion, Fitting, Hooks, Loss, Minibatch, Regularisation
from windtunnel.core.recipe import Epoch, Finetuned, Finetuning
from windtunnel.core.runner import Runner
from windtunnel.errors import RecipeError
from windtunnel.execution.partial import Partial
from windtunnel.execution.run import run
from windtunnel.execution.store import Store
from windtunnel.execution.workbench import features
from windtunnel.recipes.optimizer import schedule
from windtunnel.seeding import scoped

ONE_STEP = {"epochs": 1, "batch": 10_000, "schedule": "constant", "warmup": 0}


def smooth(work, seed: int = 0, **data) -> Finetuning:
    """Material with a network without batch norm, whose answer to a sample does not depend on the others."""
    with scoped("smooth"):
        backbone = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.AdaptiveAvgPool2d(2), nn.Flatten()).eval()
    model = Model("smooth", backbone, 24, None, Preprocessing((1, 8, 8), (0.5,), (0.25,)), "0")
    cpu = torch.device("cpu")
    return dataclasses.replace(work(seed, **data), model=model, features=lambda part: features(Network(model, 1), part, cpu))


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def close(first: Finetuned, second: Finetuned) -> None:
    for name, tensor in first.last.items():
        torch.testing.assert_close(tensor, second.last[name], rtol=1e-4, atol=1e-6, msg=name)


def accuracy(done: Finetuned, work: Finetuning) -> float:
    batch = work.val.batch()
    return float((done.network(batch.inputs).argmax(1) == batch.labels).double().mean())


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Hungry(Loss):
    """Cross-entropy in a memory that holds so many samples only."""

    use: ClassVar[str] = "hungry"

    room: int = 1000

    def begin(self, fitting: Fitting) -> Criterion:
        def losses(answer: Answer, minibatch: Minibatch) -> Tensor:
            if len(minibatch) > self.room:
                raise torch.OutOfMemoryError("no room")
            return nn.functional.cross_entropy(answer.logits, minibatch.labels, reduction="none")

        return losses


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_a_batch_worked_through_in_parts_is_the_whole_batch_to_rounding(optimizer, count, work) -> None:
    """Batches of 15, so that the parts are of unequal size; weight decay, clipping and a penalty count once."""
    given = {"epochs": 3, "batch": 16, "optimizer": optimizer, "lr": 1e-2, "clip": 0.5, "regularise": {"use": "l2-sp", "strength": 0.5}}
    whole = make_recipe("full", **given).finetune(smooth(work))
    parts = make_recipe("full", **given, accumulate=count).finetune(smooth(work))
    close(parts, whole)
    assert [epoch.train_loss for epoch in parts.curves] == pytest.approx([epoch.train_loss for epoch in whole.curves], rel=1e-5)
    assert parts.notes == whole.notes == {}, "nothing had to be done that was not asked for"


@pytest.mark.parametrize(("room", "parts"), [(8, 2), (5, 4), (1, 16)])
def test_a_batch_that_memory_does_not_hold_is_worked_through_in_as_many_parts_as_it_takes(room, parts, work) -> None:
    given = {"epochs": 2, "batch": 16, "dropout": 0.4}
    small = make_recipe("full", **given, loss=Hungry(room=room)).finetune(smooth(work))
    asked = make_recipe("full", **given, loss=Hungry(), accumulate=parts).finetune(smooth(work))
    assert equal(small.last, asked.last)
    assert small.curves == asked.curves
    assert small.notes == {"memory": {"full": f"worked through in {parts} parts"}}
    assert asked.notes == {}


def test_memory_that_does_not_hold_one_sample_is_an_error(work) -> None:
    with pytest.raises(torch.OutOfMemoryError, match="no room"):
        make_recipe("full", epochs=1, batch=16, loss=Hungry(room=0)).finetune(smooth(work))


def test_what_memory_forced_is_remembered_over_an_interruption(work, tmp_path) -> None:
    recipe = make_recipe("finetune", batch=16, loss=Hungry(room=5), stages=[{"name": "first", "epochs": 1}, {"name": "second", "epochs": 2}])
    whole = recipe.finetune(smooth(work))
    assert whole.notes == {"memory": {"first": "worked through in 4 parts", "second": "worked through in 4 parts"}}

    def stopping(epoch: Epoch) -> None:
        if epoch == whole.curves[2]:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        recipe.finetune(dataclasses.replace(smooth(work), watch=stopping, checkpoint=Partial(Store(tmp_path), "cell", every=0)))
    resumed = recipe.finetune(dataclasses.replace(smooth(work), checkpoint=Partial(Store(tmp_path), "cell", every=0)))
    assert equal(resumed.last, whole.last)
    assert resumed.notes == whole.notes


def test_bfloat16_trains_and_is_part_of_the_key(work) -> None:
    given = {"epochs": 12, "batch": 16}
    plain, half = make_recipe("full", **given), make_recipe("full", **given, precision="bfloat16")
    assert plain.describe() != half.describe()
    done = half.finetune(work())
    assert accuracy(done, work()) > 0.8
    assert {tensor.dtype for tensor in done.last.values() if tensor.is_floating_point()} == {torch.float32}
    assert not equal(done.last, plain.finetune(work()).last)
    assert equal(done.last, half.finetune(work()).last)
    assert done.curves[-1].train_loss == pytest.approx(plain.finetune(work()).curves[-1].train_loss, rel=0.05)


def test_float16_trains_without_scaling_on_a_cpu(work) -> None:
    assert accuracy(make_recipe("full", epochs=12, batch=16, precision="float16").finetune(work()), work()) > 0.8


@pytest.mark.gpu
@pytest.mark.parametrize("extra", [{}, {"clip": 0.5}, {"accumulate": 2}, {"regularise": "sam"}])
def test_float16_trains_on_a_gpu(extra, work) -> None:
    material = dataclasses.replace(work(), device=torch.device("cuda"))
    material.model.backbone.to("cuda")
    done = make_recipe("full", epochs=12, batch=16, precision="float16", **extra).finetune(material)
    done.network.cpu()
    assert accuracy(done, work()) > 0.8


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Typed(Loss):
    """Cross-entropy that insists on whole numbers of 32 bits."""

    use: ClassVar[str] = "typed"

    def begin(self, fitting: Fitting) -> Criterion:
        def losses(answer: Answer, minibatch: Minibatch) -> Tensor:
            assert answer.logits.dtype == torch.float32
            assert answer.features.dtype == torch.bfloat16
            return nn.functional.cross_entropy(answer.logits, minibatch.labels, reduction="none")

        return losses


def test_in_mixed_precision_losses_see_logits_in_full(work) -> None:
    recipe = make_recipe("full", epochs=1, batch=16, precision="bfloat16")
    assert equal(dataclasses.replace(recipe, loss=Typed()).finetune(smooth(work)).last, recipe.finetune(smooth(work)).last)


def one_step(work, **arguments) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """The head before and after one step over the whole training split, and its gradient."""
    material = smooth(work)
    network = Network(smooth(work).model, 3)
    before = {name: tensor.detach().clone() for name, tensor in network.head.named_parameters()}
    batch = material.train.batch()
    nn.functional.cross_entropy(network.head(network.features(batch.inputs).detach()), batch.labels).backward()
    gradient = {name: tensor.grad for name, tensor in network.head.named_parameters()}
    done = make_recipe("linear-probe", **{**ONE_STEP, **arguments}).finetune(material)
    return before, {name: done.last[f"head.{name}"] for name in before}, gradient


def test_sgd_steps_with_nesterov_momentum_and_weight_decay_in_the_gradient(work) -> None:
    before, after, gradient = one_step(work, optimizer="sgd", lr=0.1, weight_decay=0.5)
    for name, start in before.items():
        decayed = gradient[name] + 0.5 * start
        torch.testing.assert_close(after[name], start - 0.1 * (decayed + 0.9 * decayed), msg=name)


def test_adamw_steps_by_the_sign_at_first_and_decays_apart_from_it(work) -> None:
    before, after, gradient = one_step(work, optimizer="adamw", lr=0.1, weight_decay=0.5)
    for name, start in before.items():
        wanted = start * (1 - 0.1 * 0.5) - 0.1 * gradient[name] / (gradient[name].abs() + 1e-8)
        torch.testing.assert_close(after[name], wanted, msg=name)


def test_clipping_scales_the_whole_gradient_down_to_its_norm(work) -> None:
    before, after, gradient = one_step(work, optimizer="sgd", lr=0.1, weight_decay=0, clip=0.01)
    norm = torch.stack([each.square().sum() for each in gradient.values()]).sum().sqrt()
    assert norm > 0.01
    for name, start in before.items():
        torch.testing.assert_close(after[name], start - 0.1 * 1.9 * gradient[name] * 0.01 / (norm + 1e-6), msg=name)
    assert equal(one_step(work, optimizer="sgd", lr=0.1, clip=float(2 * norm))[1], one_step(work, optimizer="sgd", lr=0.1)[1])


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"schedule": "constant", "warmup": 0}, [1, 1, 1, 1, 1, 1, 1, 1]),
        ({"schedule": "linear", "warmup": 0}, [1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]),
        ({"schedule": "linear", "warmup": 0.5}, [1 / 4, 2 / 4, 3 / 4, 1, 1, 3 / 4, 2 / 4, 1 / 4]),
        ({"schedule": "cosine", "warmup": 0.5}, [1 / 4, 2 / 4, 3 / 4, 1, 1, 0.853553, 0.5, 0.146447]),
    ],
)
def test_schedules_rise_and_fall_as_they_say(arguments, wanted) -> None:
    factor = schedule(make_recipe("full", **arguments), 8)
    assert [factor(step) for step in range(8)] == pytest.approx(wanted, abs=1e-6)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rates(Regularisation):
    """Notes the learning rate of every step in the head's bias, which it sets to it."""

    use: ClassVar[str] = "rates"

    def begin(self, fitting: Fitting) -> Hooks:
        return _Noting(fitting)


class _Noting(Hooks):
    def __init__(self, fitting: Fitting) -> None:
        self.fitting = fitting
        fitting.state["factors"] = torch.zeros(fitting.epochs * fitting.steps)

    def paced(self, factor: float) -> float:
        self.fitting.state["factors"][self.fitting.past] = factor
        return factor

    def epoch_ended(self) -> None:
        with torch.no_grad():
            self.fitting.network.head.bias[:] = self.fitting.state["factors"][self.fitting.past]


def test_the_schedule_runs_over_all_steps_of_the_stage(work) -> None:
    """60 samples in batches of 20 for four epochs: the last of twelve steps is made at a twelfth of the rate."""
    done = dataclasses.replace(make_recipe("full", epochs=4, batch=20, schedule="linear", warmup=0), regularise=(Rates(),)).finetune(work())
    assert done.last["head.bias"].tolist() == pytest.approx([1 / 12] * 3)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Diverging(Loss):
    """Cross-entropy that becomes something else in an epoch."""

    use: ClassVar[str] = "diverging"

    epoch: int = 2
    factor: float = float("nan")

    def begin(self, fitting: Fitting) -> Criterion:
        def losses(answer: Answer, minibatch: Minibatch) -> Tensor:
            found = nn.functional.cross_entropy(answer.logits, minibatch.labels, reduction="none")
            return found * self.factor if fitting.epoch == self.epoch else found

        return losses


@pytest.mark.parametrize(("factor", "said"), [(float("nan"), "nan"), (float("inf"), "(inf|nan)"), (1e6, r"\d.*e\+0\d")])
def test_a_loss_that_is_no_number_or_huge_stops_the_training_and_names_the_epoch(factor, said, work) -> None:
    with pytest.raises(RecipeError, match=rf"loss became {said} in epoch 2 of stage 'full'\. Try a smaller lr than 0.001"):
        make_recipe("full", epochs=3, batch=16, loss=Diverging(factor=factor)).finetune(work())


def test_weights_that_the_very_last_step_ruins_are_noticed(work) -> None:
    """The loss of that step is still the one before it."""
    with pytest.raises(RecipeError, match="Weights became infinite or NaN in epoch 1"):
        make_recipe("full", **{**ONE_STEP, "lr": 1e38}, optimizer="sgd", loss=Diverging(epoch=1, factor=1e3), select="last").finetune(work())


@pytest.mark.parametrize("stop", [1, 2, 4])
def test_early_stopping_goes_on_counting_after_an_interruption(stop, work, tmp_path) -> None:
    recipe = make_recipe("full", epochs=40, patience=3, lr=5e-3)
    whole = recipe.finetune(work())
    assert stop < len(whole.curves) == whole.best_epoch + 3 < 40
    seen: list[Epoch] = []

    def stopping(epoch: Epoch) -> None:
        seen.append(epoch)
        if len(seen) == stop + 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        recipe.finetune(dataclasses.replace(work(), watch=stopping, checkpoint=Partial(Store(tmp_path), "cell", every=0)))
    resumed = recipe.finetune(dataclasses.replace(work(), checkpoint=Partial(Store(tmp_path), "cell", every=0)))
    assert resumed.curves == whole.curves
    assert equal(resumed.best, whole.best)


def test_whoever_watches_sees_every_epoch_before_it_is_counted(work) -> None:
    told: list[object] = []
    watching = dataclasses.replace(work(), watch=told.append, progress=lambda done, total: told.append((done, total)))
    done = make_recipe("lp-ft", epochs=2, probe_epochs=1, batch=16).finetune(watching)
    probe, first, second = done.curves
    assert told == [probe, (1, 1), first, (1, 2), second, (2, 2)]


class Listening:
    """Hears the curves of a run."""

    def __init__(self) -> None:
        self.curves: dict[str, list[Epoch]] = {}

    def learned(self, cell: Cell, epoch: Epoch) -> None:
        self.curves.setdefault(cell.labels.recipe, []).append(epoch)

    def note(self, text: str) -> None: ...
    def planned(self, todo: Sequence[Cell], held: int) -> None: ...
    def started(self, cell: Cell) -> None: ...
    def advanced(self, cell: Cell, done: int, total: int) -> None: ...
    def finished(self, cell: Cell, seconds: float, error: str) -> None: ...


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> tuple[dict[str, dict], dict[str, list[Epoch]]]:
    """Records of a run by recipe, one of which diverges, and the curves that were heard meanwhile."""
    place, listening = tmp_path_factory.mktemp("run"), Listening()
    exploding = make_recipe("full", lr=1e30, optimizer="sgd", epochs=2, batch=16, warmup=0)
    toy = suite(recipes={**suite().recipes, "exploding": exploding}, seeds=(0,), benchmarks=(benchmark(threats={}),))
    done = run(toy, store=Store(place / "store"), runs=place / "runs", runner=Runner(workers=1, device="cpu"), progress=listening)
    records = [json.loads(line) for line in (done.folder / "records.jsonl").read_text().splitlines()]
    return {record["labels"]["recipe"]: record for record in records if record["kind"] == "finetune"}, listening.curves


def test_a_cell_that_diverges_fails_with_the_epoch_in_its_record(ran) -> None:
    record = ran[0]["exploding"]
    assert record["status"] == "failed"
    assert "in epoch 1 of stage 'full'" in record["error"]
    assert "smaller lr" in record["error"]


def test_whoever_watches_a_run_sees_the_curves_of_its_cells_as_they_grow(ran) -> None:
    records, heard = ran
    assert {name: [dataclasses.asdict(epoch) for epoch in curve] for name, curve in heard.items()} == {
        name: record["curves"] for name, record in records.items() if record["status"] == "done"
    }
