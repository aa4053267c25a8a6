"""A folder that timm saved: config.json with an "architecture", and a file of tensors beside it. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm

from windtunnel.errors import ModelError
from windtunnel.models.built import Built, closest
from windtunnel.models.checkpoint import fill, read_tensors
from windtunnel.models.timm import create, preprocessing

FILES = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")

# Arguments of timm's factory that read files or fetch; a folder must not be able to ask for them.
FORBIDDEN = frozenset({"model_name", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir", "pretrained_strict"})


def build(folder: Path, config: Mapping[str, Any], title: str, *, size: int | None = None) -> Built:
    """The network that a timm folder describes, with its tensors.

    Args:
        folder: holds config.json and the tensors.
        config: content of config.json.
        title: shown in messages.
        size: height and width of the input, if not the folder's.
    Raises:
        ModelError: an unknown architecture, arguments a folder may not give, no tensors, or tensors that do not fit.
    """
    architecture = str(config["architecture"])
    if not timm.is_model(architecture):
        raise ModelError(f"{folder}/config.json names {architecture!r}, which timm does not have. {closest(architecture, timm.list_models())}")
    # Older folders keep the record of the weights at the top level.
    record = config.get("pretrained_cfg", config)
    arguments = dict(config.get("model_args") or {})
    refused = sorted(FORBIDDEN & set(arguments))
    if refused:
        raise ModelError(f"{folder}/config.json sets {', '.join(refused)} in model_args, which a checkpoint may not; remove it.")
    classes = config.get("num_classes", record.get("num_classes"))
    if classes is not None:
        arguments["num_classes"] = classes
    known = {key: record[key] for key in ("input_size", "mean", "std", "interpolation", "fixed_input_size") if key in record}
    network = create(title, architecture, {**arguments, "pretrained_cfg_overlay": known}, pretrained=False)
    path = _tensors_file(folder)
    fill(network, read_tensors(path), path)
    return Built(network, preprocessing(network, title, size, arguments.get("in_chans")))


def _tensors_file(folder: Path) -> Path:
    for name in FILES:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(f"{folder} has a config.json but none of {', '.join(FILES)}.")
