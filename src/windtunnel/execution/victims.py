"""Victims as they are kept: the tensors that fine-tuning changed; all others are those of the model. Imports torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from windtunnel.core.network import Network, tensors_sha256
from windtunnel.core.recipe import Finetuned
from windtunnel.errors import StoreError
from windtunnel.execution.recording import RECORD
from windtunnel.execution.store import Entry

BEST, LAST = "best.safetensors", "last.safetensors"

State = dict[str, Tensor]
Marks = Mapping[str, str]
"""Name of a tensor in a network's state -> digest of what it was in the model."""


def marks(backbone: nn.Module) -> Marks:
    """Those of a backbone, before a recipe changes it."""
    return {f"backbone.{name}": _digest(tensor) for name, tensor in backbone.state_dict().items()}


def files(done: Finetuned, before: Marks) -> dict[str, bytes]:
    """What is kept of the chosen state, and of the last one what differs from it."""
    best = {name: tensor for name, tensor in done.best.items() if before.get(name) != _digest(tensor)}
    last = {name: tensor for name, tensor in done.last.items() if not _same(tensor, done.best.get(name))}
    return {BEST: save_tensors(best), LAST: save_tensors(last)}


def classes(entry: Entry) -> int:
    """How many logits a kept victim has."""
    return len(load_tensors(entry.bytes(BEST))["head.weight"])


def put_in(network: Network, entry: Entry) -> tuple[State, State]:
    """Give a network, fresh from its model, the chosen state; that state and the last one.

    Raises:
        StoreError: the state is not the one that was kept, because the model's own tensors are others by now.
    """
    network.load_state_dict(load_tensors(entry.bytes(BEST)), strict=False)
    best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    facts: Any = entry.json(RECORD)["facts"]
    if tensors_sha256(best) != facts["victim_sha256"]:
        raise StoreError(f"The weights that the victim {entry.key[:12]} was made from have changed meanwhile; run again to make it anew.")
    return best, {**best, **load_tensors(entry.bytes(LAST))}


def _digest(tensor: Tensor) -> str:
    plain = tensor.detach().cpu().contiguous()
    hasher = hashlib.sha256(f"{plain.dtype}|{tuple(plain.shape)}|".encode())
    hasher.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()


def _same(tensor: Tensor, other: Tensor | None) -> bool:
    return other is not None and tensor.dtype == other.dtype and torch.equal(tensor, other)
