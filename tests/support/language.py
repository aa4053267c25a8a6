"""Tiny language models with a word-level tokenizer, saved as transformers saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    GPT2Config,
    ModernBertConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

from windtunnel.models.hub import quiet

WORDS = (
    "a", "the", "this", "film", "movie", "story", "was", "is", "it", "and", "but", "not", "very", "really", "quite", "so", "good", "great", "fine",
    "lovely", "bad", "dull", "awful", "poor", "acting", "plot", "music", "actor", "end", "i", "we", "saw", "felt", "made",
    "one", "two", "day", "after",
)  # fmt: skip
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
VOCABULARY = len(SPECIAL) + len(WORDS)
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
BERT_LIKE = {**SMALL, "vocab_size": VOCABULARY, "max_position_embeddings": 40, "pad_token_id": 0}

CONFIGS: dict[str, Any] = {
    "bert": lambda: BertConfig(**BERT_LIKE),
    "roberta": lambda: RobertaConfig(**BERT_LIKE | {"bos_token_id": 2, "eos_token_id": 3}),
    "distilbert": lambda: DistilBertConfig(vocab_size=VOCABULARY, max_position_embeddings=40, dim=16, n_layers=2, n_heads=2, hidden_dim=32),
    "deberta-v2": lambda: DebertaV2Config(**BERT_LIKE, relative_attention=True, pos_att_type=["p2c", "c2p"], pooler_hidden_size=16),
    "modernbert": lambda: ModernBertConfig(**BERT_LIKE, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3),
    "gpt2": lambda: GPT2Config(vocab_size=VOCABULARY, n_positions=40, n_embd=16, n_layer=2, n_head=2, bos_token_id=3, eos_token_id=3),
}
"""A configuration of each architecture."""


def tokenizer(*, decoder: bool = False, words: tuple[str, ...] = WORDS) -> PreTrainedTokenizerFast:
    """White space parts words; encoders get marks at both ends, decoders nothing and have no token to pad with."""
    core = Tokenizer(models.WordLevel({word: number for number, word in enumerate((*SPECIAL, *words))}, "[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    if decoder:
        return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="[UNK]", eos_token="[SEP]")
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="[UNK]", **named, model_input_names=["input_ids", "token_type_ids", "attention_mask"]
    )


def save(folder: Path, kind: str = "bert", *, whole: bool = False, seed: int = 0, **config: Any) -> Any:
    """Write a random network and its tokenizer into `folder`.

    Args:
        kind: one of CONFIGS.
        whole: a classifier with its head; else what pre-training leaves, without one.
        config: further settings of the network.
    Returns:
        The network, in evaluation mode.
    """
    settings = CONFIGS[kind]()
    settings.update(config)
    torch.manual_seed(seed)
    with quiet():
        network = (AutoModelForSequenceClassification if whole else AutoModel).from_config(settings).eval()
        network.save_pretrained(folder)
        tokenizer(decoder=kind == "gpt2").save_pretrained(folder)
    return network
