"""windtunnel/micro-bert: small, complete, in single precision, and pre-trained."""

import itertools
from pathlib import Path

import pytest
import torch

from windtunnel.core.texts import Texts
from windtunnel.models import language
from windtunnel.models.packaged import ZooModel

ALIKE = (("terrible", "horrible"), ("gorgeous", "beautiful"), ("funny", "amusing"), ("dull", "boring"), ("angry", "anger"), ("glad", "happy"))
SENTENCES = Texts.of(["A gorgeous, moving film.", "Dull from the first scene to the last, and far too long for what little it has to say."])


def embeddings(model):
    """Token -> unit vector."""
    tokenizer, network = model.backbone.tokenize.fast, model.backbone.network
    table = next(tensor for name, tensor in network.state_dict().items() if name.endswith("word_embeddings.weight"))
    words = [word for pair in ALIKE for word in pair]
    return dict(zip(words, torch.nn.functional.normalize(table[tokenizer.convert_tokens_to_ids(words)]), strict=True))


def contrast(vectors):
    """How much more alike words of one meaning are than others, as cosines."""
    near = [float(vectors[first] @ vectors[second]) for first, second in ALIKE]
    far = [float(vectors[first] @ vectors[second]) for (first, _), (_, second) in itertools.permutations(ALIKE, 2)]
    return sum(near) / len(near) - sum(far) / len(far)


def test_it_takes_at_most_six_megabytes_and_has_a_card():
    folder = language.FOLDERS["micro-bert"]()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 6_000_000
    assert "never" in Path(f"{folder}.md").read_text()


def test_everything_but_a_head_comes_with_the_weights():
    model = ZooModel(name="micro-bert").load()
    assert (model.features, model.head, model.preprocessing.pooling, model.preprocessing.length) == (128, None, "classifier", 128)
    assert {parameter.dtype for parameter in model.backbone.parameters()} == {torch.float32}


def test_a_text_has_the_same_features_alone_and_beside_a_longer_one():
    model = ZooModel(name="micro-bert").load()
    with torch.no_grad():
        assert torch.allclose(model.backbone(SENTENCES)[:1], model.backbone(SENTENCES[:1]), atol=1e-5)


def test_words_of_one_meaning_are_close_and_only_after_pre_training():
    assert contrast(embeddings(ZooModel(name="micro-bert").load())) > 0.1
    assert abs(contrast(embeddings(ZooModel(name="micro-bert", pretrained=False).load()))) < 0.1


def test_transformers_itself_computes_in_single_precision():
    from transformers import AutoModel

    assert AutoModel.from_pretrained(str(language.FOLDERS["micro-bert"]())).dtype == torch.float32


@pytest.mark.network
@pytest.mark.slow
def test_fine_tuned_on_movie_snippets_it_is_right_in_seven_of_ten_and_beats_a_random_start_by_five_points():
    from windtunnel.api import finetune
    from windtunnel.datasets.sentiment import Sentiment

    source = Sentiment()
    batch = source.load()["test"].batch()
    found = {}
    for pretrained in (True, False):
        victim = finetune(ZooModel(name="micro-bert", pretrained=pretrained), "full", source, device="cpu")
        answers = torch.cat([victim.logits(part.inputs).argmax(1) for part in batch.chunks(250)])
        found[pretrained] = float((answers == batch.labels).float().mean())
    assert found[True] >= 0.7
    assert found[True] >= found[False] + 0.05
