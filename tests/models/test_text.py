"""Language models of transformers, from folders that save_pretrained makes."""

from __future__ import annotations

import json

import pytest
import torch
from support import language

from windtunnel.core.network import Network
from windtunnel.core.reader import groups
from windtunnel.core.texts import Texts
from windtunnel.errors import ModelError, VictimError
from windtunnel.model_names import source
from windtunnel.models.local import LocalModel
from windtunnel.models.packaged import ZooModel
from windtunnel.models.transformers import TransformersModel

TEXTS = Texts.of(["a good film", "the plot was dull and the acting was very very bad", "lovely music", "not one good day"])

# What each architecture's classifier reads of a network saved after pre-training.
READS = {"bert": "classifier", "roberta": "first", "distilbert": "first", "deberta-v2": "first", "modernbert": "first", "gpt2": "last"}


@pytest.mark.parametrize("kind", language.CONFIGS)
def test_a_saved_classifier_answers_as_the_library_does_whatever_is_padded_beside_it(kind, tmp_path):
    network = language.save(tmp_path, kind, whole=True, num_labels=3)
    model = TransformersModel(name=str(tmp_path)).load()
    assert model.head is not None
    with torch.no_grad():
        found = model.head(model.backbone(TEXTS))
    names = ("token_type_ids",) if kind in ("bert", "deberta-v2") else ()
    fast = language.tokenizer(decoder=kind == "gpt2")
    for row, text in enumerate(TEXTS):
        given = fast(*text, return_tensors="pt")
        with torch.no_grad():
            alone = network(**{name: given[name] for name in ("input_ids", "attention_mask", *names)}).logits
        assert torch.allclose(found[row], alone[0], atol=1e-5)


@pytest.mark.parametrize("kind", language.CONFIGS)
def test_without_a_head_features_are_what_the_architectures_classifier_reads(kind, tmp_path):
    network = language.save(tmp_path, kind)
    model = TransformersModel(name=str(tmp_path)).load()
    assert model.head is None
    assert model.preprocessing.pooling == READS[kind]
    given = language.tokenizer(decoder=kind == "gpt2")("a good film", return_tensors="pt")
    with torch.no_grad():
        out = network(input_ids=given["input_ids"])
        expected = out.pooler_output[0] if kind == "bert" else out.last_hidden_state[0, -1 if READS[kind] == "last" else 0]
        assert torch.allclose(model.backbone(TEXTS)[0], expected, atol=1e-5)


def test_mean_pooling_leaves_padding_out(tmp_path):
    network = language.save(tmp_path, "modernbert", classifier_pooling="mean")
    model = TransformersModel(name=str(tmp_path)).load()
    assert model.preprocessing.pooling == "mean"
    given = language.tokenizer()("lovely music", return_tensors="pt")
    with torch.no_grad():
        expected = network(input_ids=given["input_ids"]).last_hidden_state[0].mean(0)
        assert torch.allclose(model.backbone(TEXTS)[2], expected, atol=1e-5)


def test_an_untrained_pooler_is_left_out_and_the_digest_does_not_know_the_folder(tmp_path):
    digests = []
    for name in ("one", "two"):
        network = language.save(tmp_path / name)
        tensors = {key: tensor for key, tensor in network.state_dict().items() if not key.startswith("pooler")}
        network.save_pretrained(tmp_path / name, state_dict=tensors)
        model = TransformersModel(name=str(tmp_path / name)).load()
        assert model.preprocessing.pooling == "first"
        assert not any("pooler" in key for key in model.backbone.state_dict())
        digests.append(model.weights_sha256)
    assert digests[0] == digests[1]


def test_weights_with_holes_are_refused(tmp_path):
    network = language.save(tmp_path)
    tensors = {key: tensor for key, tensor in network.state_dict().items() if "layer.1.attention" not in key}
    network.save_pretrained(tmp_path, state_dict=tensors)
    with pytest.raises(ModelError, match=r"leave parts of the network untrained: bert.encoder.layer.1.attention"):
        TransformersModel(name=str(tmp_path)).load()


def test_a_pair_is_read_with_the_sides_told_apart(tmp_path):
    network = language.save(tmp_path, whole=True)
    model = TransformersModel(name=str(tmp_path)).load()
    given = language.tokenizer()("a good film", "it was dull", return_tensors="pt")
    assert given["token_type_ids"].tolist() == [[0] * 5 + [1] * 4]
    pairs = Texts.of([("a good film", "it was dull"), ("a", "b")])
    with torch.no_grad():
        assert torch.allclose(model.head(model.backbone(pairs))[0], network(**given).logits[0], atol=1e-5)
        with pytest.raises(VictimError, match=r"3 fields .first, second, third.; a language model takes one or a pair"):
            model.backbone(Texts.of([("a", "b", "c")]))


def test_the_length_is_declared_and_changes_the_identity_only_through_the_preprocessing(tmp_path):
    language.save(tmp_path)
    long = Texts.of([" ".join(["good"] * 50_000)])
    full, short = (TransformersModel(name=str(tmp_path), length=length) for length in (None, 6))
    assert (full.load().preprocessing.length, short.load().preprocessing.length) == (40, 6)
    assert full.identity() == short.identity()
    assert full.load().backbone.lengths(long) == [40]
    with torch.no_grad():
        assert torch.allclose(short.load().backbone(long), short.load().backbone(Texts.of(["good good good good"])))
    with pytest.raises(ModelError, match=r"takes at most 40 tokens; `length: 41` is more"):
        TransformersModel(name=str(tmp_path), length=41).load()


def test_positions_counted_from_the_padding_token_on_shorten_the_length(tmp_path):
    language.save(tmp_path, "roberta")
    model = TransformersModel(name=str(tmp_path)).load()
    assert model.preprocessing.length == 39
    with torch.no_grad():
        assert model.backbone(Texts.of([" ".join(["good"] * 100)])).shape == (1, 16)


def test_a_tokenizer_of_another_network_is_refused(tmp_path):
    language.save(tmp_path)
    language.tokenizer(words=(*language.WORDS, "xylophone", "zebra")).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=rf"tokens up to number {language.VOCABULARY + 1}, and the network knows {language.VOCABULARY}"):
        TransformersModel(name=str(tmp_path)).load()


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    language.save(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(ModelError, match=r"has no tokenizer: one was made up that knows no words. .*save it into the same folder"):
        TransformersModel(name=str(tmp_path)).load()


def test_arguments_of_images_are_refused_for_texts(tmp_path):
    language.save(tmp_path)
    with pytest.raises(ModelError, match="is a text model, which has no `size` and no `mean`"):
        TransformersModel(name=str(tmp_path), size=32, mean=(0.5,)).load()
    with pytest.raises(ModelError, match="takes texts, which have no `size`"):
        source("windtunnel/minilm-l6", {"size": 32})
    with pytest.raises(ModelError, match="takes images, which have no `length`"):
        source("windtunnel/micro-vit", {"length": 32})


def test_a_folder_by_its_path_is_the_same_model(tmp_path):
    language.save(tmp_path)
    local = LocalModel(name=str(tmp_path), length=12)
    assert local.load().preprocessing.length == 12
    assert local.load().weights_sha256 == TransformersModel(name=str(tmp_path)).load().weights_sha256
    assert "length" not in json.dumps(local.identity())


def test_a_text_network_refuses_images_and_an_image_network_texts(tmp_path):
    language.save(tmp_path)
    with pytest.raises(VictimError, match="takes texts, and was given a Tensor"):
        Network(TransformersModel(name=str(tmp_path)).load(), 2)(torch.rand(1, 3, 8, 8))
    with pytest.raises(VictimError, match="takes images, and was given Texts"):
        Network(ZooModel(name="micro-resnet").load(), 2)(TEXTS)


def test_groups_hold_every_row_once_with_little_padding():
    lengths = [(17 * place) % 61 + 3 for place in range(200)]
    found = groups(lengths)
    assert sorted(row for rows in found for row in rows) == list(range(200))
    padded = sum(len(rows) * max(lengths[row] for row in rows) for rows in found)
    assert padded <= 1.125 * sum(lengths) + 8 * 61
    assert min(len(rows) for rows in found[:-1]) >= 8
    assert len(groups([5] * 100)) == 1
    assert [len(rows) for rows in groups([5] * 100, 32)] == [25] * 4
    assert sorted(row for rows in groups(lengths, 9) for row in rows) == list(range(200))
