"""Adapters: their formula, where they sit, that nothing else moves, and that a stored victim has them."""

from __future__ import annotations

import copy
import json

import pyarrow.parquet as pq
import pytest
import torch
from support import language
from support.composed import equal, interrupted, largest_gap
from support.small import Stripes
from torch import nn

from windtunnel.core.model import Model, Preprocessing
from windtunnel.core.network import Network, tensors_sha256
from windtunnel.core.recipe import Finetuning
from windtunnel.core.runner import Runner
from windtunnel.core.suite import Benchmark, Headline, Suite
from windtunnel.core.texts import Texts
from windtunnel.errors import RecipeError
from windtunnel.execution.run import OUTCOMES, RECORDS, run
from windtunnel.execution.store import Store
from windtunnel.execution.workbench import features
from windtunnel.model_names import source
from windtunnel.models.transformers import TransformersModel
from windtunnel.recipes.scopes.adapters import Adapters
from windtunnel.recipes.scopes.bottleneck import Bottleneck, insert
from windtunnel.recipes.supervised import Supervised
from windtunnel.seeding import generator
from windtunnel.threats.corruptions.noise import GaussianNoise

CPU = torch.device("cpu")
IMAGES = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def network(name: str = "micro-vit", classes: int = 3) -> Network:
    return Network(source(f"windtunnel/{name}").load(), classes)


def material(name: str = "micro-vit", seed: int = 0) -> Finetuning:
    splits, model = Stripes(count=30).load(), source(f"windtunnel/{name}").load()
    return Finetuning(model, splits["train"], splits["val"], seed, CPU, lambda data: features(Network(model, 1), data, CPU))


def recipe(**arguments) -> Supervised:
    return Supervised(**{"scope": {"use": "adapters", "width": 8}, "epochs": 3, "batch": 15, "lr": 3e-3, "select": "last"} | arguments)


@pytest.mark.parametrize(("shape", "last"), [((5, 7, 6), True), ((5, 6), True), ((5, 6, 3, 4), False)])
def test_a_bottleneck_adds_up_of_gelu_of_down_at_each_place(shape, last):
    adapter = Bottleneck(6, 2, last=last, random=generator("test"))
    adapter.up.bias.data.fill_(0.5)
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    rows = inputs if last else inputs.permute(0, 2, 3, 1)
    hidden = rows @ adapter.down.weight.T + adapter.down.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    added = hidden @ adapter.up.weight.T + 0.5
    torch.testing.assert_close(adapter(inputs), inputs + (added if last else added.permute(0, 3, 1, 2)))


def test_first_weights_are_normal_of_deviation_one_hundredth_cut_at_two_and_keyed():
    first, again, other = (Bottleneck(200, 64, last=True, random=generator("key", seed)).down.weight.detach() for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert float(first.abs().max()) <= 0.02
    # Standard deviation of a normal distribution cut off at two of them.
    assert float(first.std()) == pytest.approx(0.01 * 0.8796, rel=0.02)


@pytest.mark.parametrize(("name", "sizes"), [("micro-vit", [96] * 4), ("micro-resnet", [16, 24, 64, 128])])
def test_one_adapter_follows_each_block_and_begins_near_the_identity(name, sizes):
    plain, adapted = network(name), network(name)
    insert(adapted, 8, 0)
    assert [adapter.down.in_features for adapter in adapted.adapters] == sizes
    assert not any(module.training for module in adapted.modules())
    with torch.no_grad():
        before, after = plain.features(IMAGES), adapted.features(IMAGES)
    assert not torch.equal(before, after)
    assert float((before - after).norm() / before.norm()) < 0.05


def test_a_block_answers_through_its_adapter_once():
    """Also where the block is a container that runs whatever is in it."""
    adapted = network("micro-resnet")
    block = adapted.backbone.layer1
    plain = copy.deepcopy(block)
    insert(adapted, 8, 0)
    inputs = torch.rand(2, 16, 8, 8)
    torch.testing.assert_close(block(inputs), adapted.adapters[0](plain(inputs)))


def test_only_adapters_and_normalisation_layers_move():
    done = recipe().finetune(material())
    fresh = network()
    insert(fresh, 8, 0)
    before = fresh.state_dict()
    moved = {name for name, value in done.last.items() if not torch.equal(value, before[name])}
    assert moved == {name for name in before if "norm" in name or name.startswith(("adapters.", "head."))}


def test_a_run_repeated_gives_the_same_bytes_another_seed_others_and_it_learns():
    first, second, other = (recipe(epochs=8).finetune(material(seed=seed)) for seed in (0, 0, 1))
    assert equal(first.last, second.last)
    assert not equal(first.last, other.last)
    assert first.curves[-1].val_accuracy > 0.8


def test_a_state_loads_into_a_network_that_is_rebuilt_and_answers_alike():
    made = recipe()
    done = made.finetune(material())
    again = network()
    with pytest.raises(RuntimeError, match="adapters"):
        again.load_state_dict(done.best)
    made.rebuild(again)
    again.load_state_dict(done.best)
    with torch.no_grad():
        assert torch.equal(again(IMAGES), done.network(IMAGES))


def test_a_copy_of_a_network_has_adapters_of_its_own():
    adapted = network()
    insert(adapted, 8, 0)
    other = copy.deepcopy(adapted)
    with torch.no_grad():
        for parameter in other.adapters.parameters():
            parameter.add_(0.5)
        before = network()
        insert(before, 8, 0)
        assert torch.equal(adapted(IMAGES), before(IMAGES))
        assert not torch.equal(other(IMAGES), adapted(IMAGES))


def test_two_stages_share_their_adapters():
    both = recipe(stages=({"epochs": 1}, {"epochs": 1, "lr": 1e-3})).finetune(material())
    assert len(both.network.adapters) == 4
    again = network()
    recipe(stages=({"epochs": 1}, {"epochs": 1})).rebuild(again)
    again.load_state_dict(both.last)


@pytest.mark.parametrize("second", [{}, {"scope": "full"}])
def test_a_training_with_adapters_goes_on_after_an_interruption_in_a_later_stage(second):
    """The progress of the first stage ends before its third epoch, so that it is the second stage that is interrupted."""
    made = recipe(stages=({"epochs": 2}, {"epochs": 4, "name": "second", **second}))
    assert equal(interrupted(made, material, after=3).last, made.finetune(material()).last)


def test_adapters_of_another_width_in_a_later_stage_are_refused():
    with pytest.raises(RecipeError, match="width 8 already; this stage asks for 4"):
        recipe(stages=({"epochs": 1}, {"epochs": 1, "scope": {"use": "adapters", "width": 4}})).finetune(material())


def test_checkpointing_and_parts_of_a_batch_change_adapters_by_rounding_only():
    plain, saved, parts = (recipe(optimizer="sgd", **extra).finetune(material()).last for extra in ({}, {"checkpointing": True}, {"accumulate": 3}))
    assert largest_gap(plain, saved) < 1e-5
    assert largest_gap(plain, parts) < 1e-5


@pytest.mark.parametrize("kind", ["bert", "distilbert", "gpt2"])
def test_language_models_take_them_too(kind, tmp_path):
    language.save(tmp_path, kind)
    adapted = Network(TransformersModel(name=str(tmp_path)).load(), 2)
    texts = Texts.of(["a lovely film", "the plot was dull and the music too"])
    with torch.no_grad():
        before = adapted(texts)
        Adapters(width=4).insert(adapted, 0)
        assert [adapter.down.in_features for adapter in adapted.adapters] == [16, 16]
        assert not torch.equal(adapted(texts), before)


class Wordy(nn.Module):
    """Blocks that answer with mappings."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(64, 64)

        def forward(self, inputs):
            return {"out": self.inner(inputs["out"])}

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(self.Block() for _ in range(2))

    def forward(self, inputs):
        held = {"out": inputs.flatten(1)}
        for block in self.blocks:
            held = block(held)
        return held["out"]


def test_blocks_that_answer_with_something_else_are_refused():
    model = Model("wordy", Wordy().eval(), 64, None, Preprocessing((1, 8, 8), (0.5,), (0.25,)), "")
    with pytest.raises(RecipeError, match=r"block blocks\.0 does not answer with features"):
        insert(Network(model, 2), 4, 0)


def test_a_victim_that_was_stored_is_loaded_with_its_adapters_and_answers_alike(tmp_path):
    """Through the store: fine-tuned by one process, rebuilt for the evaluations."""
    headline = Headline("worst-case", "noise", None, "worst-case accuracy of noise")
    benchmark = Benchmark("few", 1, None, "test", None, 0, {"noise": GaussianNoise(severities=[3])}, ("accuracy",), headline)
    crossed = {"vit": source("windtunnel/micro-vit")}, Stripes(count=30), {"adapters": recipe(select="best")}, (benchmark,)
    suite = Suite("adapted", *crossed, (0,), "id-val", 1, None, {"suite": "adapted"})
    done = run(suite, store=Store(tmp_path / "store"), runs=tmp_path / "runs", runner=Runner(workers=1, device="cpu"))
    assert (done.computed, done.failed) == (3, 0)
    here = recipe(select="best").finetune(material())
    records = [json.loads(line) for line in (done.folder / RECORDS).read_text().splitlines()]
    assert [each["facts"]["victim_sha256"] for each in records if each["kind"] == "finetune"] == [tensors_sha256(here.best)]
    clean = {row["sample"]: row["confidence"] for row in pq.read_table(done.folder / OUTCOMES).to_pylist() if row["level"] == "0"}
    test = Stripes(count=30).load()["test"]
    with torch.no_grad():
        ours = here.network(test.batch([test.ids.index(name) for name in clean]).inputs).softmax(1).max(1).values
    torch.testing.assert_close(torch.tensor(list(clean.values())), ours, rtol=1e-5, atol=1e-6)
