"""Checkpoint files: tensors out of safetensors or `.pt`, and into a network, without ever running what a file says."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windtunnel.errors import ModelError, suggest

if TYPE_CHECKING:
    from torch import Tensor, nn

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")


def read_tensors(path: Path, *, entry: str | None = None, prefix: str = "") -> dict[str, Tensor]:
    """The tensors of a checkpoint file by name.

    Args:
        path: a `.safetensors`, `.pt`, `.pth` or `.bin` file.
        entry: key of the state dict in a file that holds more, e.g. "state_dict".
        prefix: start of the names that is taken off, e.g. "module."; names without it are left out.
    Raises:
        ModelError: no such file, damaged, not a state dict, or a pickle that would have to be executed.
    """
    if not path.is_file():
        raise ModelError(f"There is no checkpoint file {path}. Check the path; it is relative to the folder the command runs in.")
    content = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    tensors = _state(content, path, entry)
    if not prefix:
        return tensors
    kept = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
    if not kept:
        raise ModelError(f"No tensor in {path} has a name that starts with {prefix!r}; the first is {next(iter(tensors))!r}.")
    return kept


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path, *, optional: Iterable[str] = ()) -> None:
    """Copy tensors into a network; names and shapes must match exactly.

    Args:
        network: changed in place.
        tensors: by name.
        path: shown in messages.
        optional: names that may be missing from the file if all of them are.
    Raises:
        ModelError: names that are missing or left over, or shapes that differ; the first of each are listed.
    """
    expected = network.state_dict()
    spare = set(optional) if not set(optional) & set(tensors) else set()
    # Counters of batches are absent from old checkpoints and take no part in evaluation; torch's strict loading spares them, too.
    missing = [key for key in expected if key not in tensors and key not in spare and not key.endswith(".num_batches_tracked")]
    unexpected = [key for key in tensors if key not in expected]
    if missing or unexpected:
        raise ModelError(_mismatch(path, expected, tensors, missing, unexpected))
    for key, tensor in tensors.items():
        if tensor.shape != expected[key].shape:
            raise ModelError(
                f"{path}: tensor {key!r} has shape {tuple(tensor.shape)}, but the architecture wants {tuple(expected[key].shape)}. "
                "Check `architecture` and its arguments."
            )
    network.load_state_dict(dict(tensors), strict=False)


def _mismatch(path: Path, expected: Mapping[str, Any], tensors: Mapping[str, Any], missing: list[str], unexpected: list[str]) -> str:
    lines = [f"{path} does not fit its architecture: {len(missing)} tensors are missing and {len(unexpected)} are unexpected."]
    lines += [f"missing: {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}."] if missing else []
    lines += [f"unexpected: {', '.join(unexpected[:5])}{' ...' if len(unexpected) > 5 else ''}."] if unexpected else []
    prefix = common_prefix(expected, tensors)
    lines.append(f"All names would fit with `prefix: {prefix}`." if prefix else "Check `architecture`.")
    return " ".join(lines)


def common_prefix(expected: Iterable[str], found: Iterable[str]) -> str:
    """The start, ending in a dot, whose removal makes the found names the expected ones; empty if there is none."""
    wanted = set(expected)
    names = list(found)
    for name in names:
        for target in wanted:
            start = name.removesuffix(target)
            if start != name and start.endswith(".") and wanted <= {other.removeprefix(start) for other in names if other.startswith(start)}:
                return start
    return ""


def _safetensors(path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ModelError(f"{path} is not a complete safetensors file: {error}. Copy or download it again.") from error


def _pickled(path: Path) -> object:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(_refusal(path, str(error))) from error
    except (RuntimeError, EOFError, ValueError, OSError, KeyError) as error:
        if "TorchScript" in str(error):
            raise ModelError(_refusal(path, "a TorchScript program")) from error
        raise ModelError(f"{path} is not a complete PyTorch checkpoint: {' '.join(str(error).split())} Copy or download it again.") from error


def _refusal(path: Path, reason: str) -> str:
    """Why a pickle is refused; torch names the first global that it would have had to import."""
    found = reason.split("GLOBAL ", 1)[1].split()[0] if "GLOBAL " in reason else " ".join(reason.split())[:200]
    return (
        f"{path} is refused: it holds more than tensors ({found}), and reading that would run code from the file. "
        "If you trust it, convert it once where it was made: "
        "safetensors.torch.save_file(model.state_dict(), 'weights.safetensors'), and name the result here."
    )


def _state(content: object, path: Path, entry: str | None) -> dict[str, Tensor]:
    import torch

    if entry is not None:
        if not isinstance(content, Mapping) or entry not in content:
            keys = [str(key) for key in content] if isinstance(content, Mapping) else []
            raise ModelError(f"{path} has no entry {entry!r}. {suggest(entry, keys)}")
        content = content[entry]
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{path} holds a {type(content).__name__}, not a state dict (tensors by name).")
    nested = [str(key) for key, value in content.items() if isinstance(value, Mapping) and any(isinstance(t, torch.Tensor) for t in value.values())]
    others = [str(key) for key, value in content.items() if not isinstance(value, torch.Tensor)]
    if nested:
        raise ModelError(f"{path} holds a state dict inside another; say which with `entry: {nested[0]}`. Its entries: {', '.join(nested)}.")
    if others:
        raise ModelError(f"{path} holds values that are not tensors ({', '.join(others[:5])}); save the state dict alone.")
    return {str(key): value for key, value in content.items()}
