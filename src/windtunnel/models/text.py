"""Language models of transformers, cut before their last layer: the features that their own classifier would read. Imports torch.

A checkpoint with a whole classifier, or one whose pooled output was trained, keeps all of it but the last linear layer (BERT's pooler, the
dense layer of a fine-tuned RoBERTa). Where weights leave parts of that classifier untrained (RoBERTa, DistilBERT and others saved after
pre-training), and for decoders, which classify every token, the hidden states are read as the architecture's own classifier reads them. Which
token that is, is not looked up in a table but measured: by which hidden states the logits have a gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from windtunnel.core.model import Model, Pooling, Tokenization
from windtunnel.core.network import tensors_sha256
from windtunnel.core.reader import Reader
from windtunnel.core.texts import Texts
from windtunnel.errors import ModelError
from windtunnel.models.head import Split, cut, output_layer, plain_linear, replace_layer
from windtunnel.models.tokenizer import Tokenizer, checked_tokenizer, open_tokenizer
from windtunnel.provenance import versions

PROBE = ("one good day after the other came and went and nobody knew", "two dull films were shown to us at night in an old hall")


@dataclass(frozen=True)
class Loaded:
    """A sequence classifier as transformers loads it.

    Args:
        network: token numbers to an object with `.logits`.
        place: folder or repository that its tokenizer is in.
        revision: of the repository.
        untrained: names of tensors that did not come with the weights.
    """

    network: Any
    place: str
    revision: str | None = None
    untrained: frozenset[str] = frozenset()


def text_model(loaded: Loaded, title: str, length: int | None) -> Model:
    """The model: tokenizer, network up to its features, and the head that came with it.

    Args:
        title: the model's name as a suite writes it.
        length: tokens after which a sample is cut off; None for what the network takes, within reason.
    Raises:
        ModelError: no fitting tokenizer, weights with holes, or a classifier of which nothing tells what it reads.
    """
    network = loaded.network.float().eval()
    tokenizer = open_tokenizer(loaded.place, title, revision=loaded.revision, length=length, network=network)
    if network.config.pad_token_id is None:
        network.config.pad_token_id = tokenizer.pad
    ids = _probe(tokenizer)
    trained = {name: tensor for name, tensor in network.state_dict().items() if name not in loaded.untrained}
    _, layer = output_layer(_Logits(network), ids, name=title)
    last = {name for name in loaded.untrained if f"network.{name}".rpartition(".")[0] == layer}
    pooling: Pooling
    if layer and last == loaded.untrained:
        split, pooling = cut(_Logits(network), ids, name=title), "classifier"
    else:
        split, pooling = _hidden(network, ids, loaded.untrained, title)
    tokenization = Tokenization(tokenizer.sha256, versions(("tokenizers",))["tokenizers"], tokenizer.length, pooling)
    return Model(
        name=title,
        backbone=Reader(tokenizer, split.backbone, tokenizer.pad).eval(),
        features=split.features,
        head=None if last else split.head,
        preprocessing=tokenization,
        weights_sha256=tensors_sha256(trained),
    )


def as_reader(network: Any, fast: Any) -> Reader:
    """A classifier of texts from a network of transformers and its fast tokenizer.

    Raises:
        ModelError: the tokenizer is slow, or does not belong to the network.
    """
    title = type(network).__name__
    tokenizer = checked_tokenizer(fast, title, length=None, network=network)
    if network.config.pad_token_id is None:
        network.config.pad_token_id = tokenizer.pad
    reader = Reader(tokenizer, _Logits(network), tokenizer.pad)
    reader.training = reader.network.training = network.training  # not .train(), which would switch the user's own layers
    return reader


class _Logits(nn.Module):
    """A sequence classifier as a network of token numbers alone, for the probe, and of named tokens."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, **tokens: Tensor) -> Tensor:
        logits: Tensor = self.network(input_ids=input_ids, **({"attention_mask": torch.ones_like(input_ids)} | tokens)).logits
        return logits


class _Pooled(nn.Module):
    """Hidden states of a network, read at one token or averaged over all that are no padding."""

    def __init__(self, network: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.network = network
        self.pooling = pooling

    def forward(self, input_ids: Tensor, **tokens: Tensor) -> Tensor:
        tokens = {"attention_mask": torch.ones_like(input_ids)} | tokens
        hidden: Tensor = self.network(input_ids=input_ids, **tokens)[0]
        mask = tokens["attention_mask"]
        if self.pooling == "mean":
            return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        place = mask.sum(1) - 1 if self.pooling == "last" else torch.zeros_like(mask[:, 0])
        return hidden[torch.arange(len(hidden), device=hidden.device), place]


def _probe(tokenizer: Tokenizer) -> Tensor:
    """Two rows of as many tokens, (2, length)."""
    rows = [list(tokens["input_ids"]) for tokens in Tokenizer(tokenizer.fast, min(8, tokenizer.length))(Texts.of(PROBE))]
    return torch.tensor([row[: min(map(len, rows))] for row in rows])


def _hidden(network: Any, ids: Tensor, untrained: frozenset[str], title: str) -> tuple[Split, Pooling]:
    """The network without its classifier, how that reads hidden states, and its last layer if that is all there is to it."""
    base, prefix = network.base_model, f"{network.base_model_prefix}."
    seen: list[Any] = []
    handle = base.register_forward_hook(lambda _module, _inputs, output: seen.append(output[0]))
    try:
        logits = _Logits(network)(ids)
    finally:
        handle.remove()
    hidden = seen[0]
    pooling = _reading(logits, hidden, title)
    idle = _idle(network, hidden, sorted(name for name in untrained if name.startswith(prefix)))
    holes = [name for name, unused in idle.items() if not unused]
    if holes:
        raise ModelError(f"The weights of {title} leave parts of the network untrained: {', '.join(holes[:5])}. Use a complete checkpoint.")
    for part in sorted({name.removeprefix(prefix).rpartition(".")[0] for name in idle}):
        replace_layer(base, part, nn.Identity())
    split = _split(network, _Pooled(base, pooling), ids, logits, untrained)
    if split.head is None and not untrained:
        raise ModelError(f"{title} ends in a classifier that is no linear layer on what it reads; there is no place for a new head.")
    return split, pooling


def _reading(logits: Tensor, hidden: Tensor, title: str) -> Pooling:
    """Which hidden states the logits depend on."""
    slope = torch.autograd.grad(logits.sum(), hidden, retain_graph=True, allow_unused=True)[0]
    read = torch.zeros(hidden.shape[1]) if slope is None else slope.abs().amax((0, 2))
    places = read.nonzero().flatten().tolist()
    if places == [0]:
        return "first"
    if places == [len(read) - 1]:
        return "last"
    if len(places) == len(read):
        return "mean"
    raise ModelError(f"{title} classifies by the hidden states of tokens {places} of {len(read)}; expected the first, the last or all of them.")


def _idle(network: nn.Module, hidden: Tensor, names: list[str]) -> Mapping[str, bool]:
    """Of some parameters, whether the hidden states do without them."""
    parameters = dict(network.named_parameters())
    known = [name for name in names if name in parameters]
    slopes = torch.autograd.grad(hidden.sum(), [parameters[name] for name in known], retain_graph=True, allow_unused=True) if known else ()
    return {name: slope is None for name, slope in zip(known, slopes, strict=True)}


def _split(network: nn.Module, backbone: nn.Module, ids: Tensor, logits: Tensor, untrained: frozenset[str]) -> Split:
    """The features, with the linear layer of the classifier that gives the logits on them, if it has one that was trained."""
    with torch.no_grad():
        features = backbone(ids)
        for name, part in network.named_modules():
            if isinstance(part, nn.Linear) and (part.in_features, part.out_features) == (features.shape[1], logits.shape[1]):
                trained = f"{name}.weight" not in untrained
                if trained and torch.allclose(part(features), logits, rtol=1e-4, atol=1e-5):
                    return Split(backbone, features.shape[1], plain_linear(part), name)
    return Split(backbone, features.shape[1], None, "")
