"""The fast tokenizer that belongs to a language model: texts to the numbers of tokens. Imports transformers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from windtunnel.core.texts import Texts
from windtunnel.errors import ModelError, VictimError
from windtunnel.models.hub import first_line, quiet

if TYPE_CHECKING:
    from torch import nn

LONGEST = 512
"""Tokens a sample is cut off at where nothing is said and the network takes more; what BERT takes, ours for longer ones."""


ADVICE = "It belongs to the weights and is not guessed: save it into the same folder (tokenizer.save_pretrained)."


class Tokenizer:
    """Texts to tokens, cut off at a length.

    Args:
        fast: a fast tokenizer of transformers.
        length: tokens after which a sample is cut off; of a pair, the longer side is cut first.
    """

    def __init__(self, fast: Any, length: int) -> None:
        self.fast = fast
        self.length = length

    def __call__(self, texts: Texts) -> list[Mapping[str, Sequence[int]]]:
        """What the network takes of each sample.

        Raises:
            VictimError: samples of more than two fields.
        """
        if len(texts.fields) > 2:
            raise VictimError(f"The texts have {len(texts.fields)} fields ({', '.join(texts.fields)}); a language model takes one or a pair.")
        columns = [list(column) for column in zip(*texts.rows, strict=True)]
        found = self.fast(*columns, truncation=True, max_length=self.length, return_attention_mask=False)
        names = [name for name in ("input_ids", "token_type_ids") if name in found]
        # A text of which a tokenizer leaves nothing is read as one token of padding.
        rows = [{name: found[name][row] for name in names} for row in range(len(texts))]
        return [tokens if tokens["input_ids"] else {name: [self.pad if name == "input_ids" else 0] for name in names} for tokens in rows]

    def truncated(self, texts: Texts) -> int:
        """How many samples are cut off."""
        columns = [list(column) for column in zip(*texts.rows, strict=True)]
        found = self.fast(*columns, truncation=False, return_attention_mask=False, verbose=False)["input_ids"] if len(texts) else []
        return sum(len(tokens) > self.length for tokens in found)

    @property
    def pad(self) -> int:
        """The token that fills up; decoders without one of their own take the one that ends a text."""
        number: int = self.fast.pad_token_id if self.fast.pad_token_id is not None else self.fast.eos_token_id or 0
        return number

    @property
    def sha256(self) -> str:
        """Digest over vocabulary and rules; how it would cut off and pad by itself is left out."""
        backend = self.fast.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        return hashlib.sha256(backend.to_str().encode()).hexdigest()


def open_tokenizer(place: str, title: str, *, revision: str | None, length: int | None, network: nn.Module) -> Tokenizer:
    """The tokenizer in a folder or repository, checked against the network it is to feed.

    Args:
        length: tokens after which a sample is cut off; what the network takes, at most LONGEST, if left out.
    Raises:
        ModelError: none there, a slow one, one that makes tokens the network does not know, or a length beyond what it takes.
    """
    from transformers import AutoTokenizer

    try:
        with quiet():
            fast = AutoTokenizer.from_pretrained(place, revision=revision, use_fast=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise ModelError(f"{title} has no usable tokenizer: {first_line(error)} {ADVICE}") from error
    if not set(fast.get_vocab()) - set(fast.all_special_tokens):
        # What transformers makes of a folder that holds none.
        raise ModelError(f"{title} has no tokenizer: one was made up that knows no words. {ADVICE}")
    return checked_tokenizer(fast, title, length=length, network=network)


def checked_tokenizer(fast: Any, title: str, *, length: int | None, network: nn.Module) -> Tokenizer:
    """A tokenizer of transformers as ours, checked against the network it is to feed.

    Args:
        length: tokens after which a sample is cut off; what the network takes, at most LONGEST, if left out.
    Raises:
        ModelError: a slow one, one that makes tokens the network does not know, or a length beyond what it takes.
    """
    if not fast.is_fast:
        raise ModelError(f"{title} has a slow tokenizer only; save a fast one beside the weights (tokenizer.json).")
    _check_vocabulary(fast, network, title)
    longest = _longest(fast, network)
    if length is not None and length > longest:
        raise ModelError(f"{title} takes at most {longest} tokens; `length: {length}` is more.")
    return Tokenizer(fast, length or min(longest, LONGEST))


def _check_vocabulary(fast: Any, network: Any, title: str) -> None:
    rows = network.get_input_embeddings().num_embeddings
    largest = max(fast.get_vocab().values(), default=-1)
    if not 0 <= largest < rows:
        raise ModelError(
            f"The tokenizer of {title} makes tokens up to number {largest}, and the network knows {rows}: they do not belong together. "
            "Save the tokenizer that the weights were trained with."
        )


def _longest(fast: Any, network: Any) -> int:
    """Tokens that network and tokenizer take; networks that count positions from the padding token on have fewer."""
    from torch import nn

    positions: int = getattr(network.config, "max_position_embeddings", None) or LONGEST
    tables = (part for part in network.modules() if isinstance(part, nn.Embedding) and part.num_embeddings == positions)
    offset = next((part.padding_idx + 1 for part in tables if part.padding_idx is not None), 0)
    return min(positions - offset, int(fast.model_max_length))
