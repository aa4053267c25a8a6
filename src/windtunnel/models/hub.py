"""Fetched weights: one clear error when they cannot be had, the revision that a local cache holds, and silence meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from windtunnel.errors import MissingPackageError, ModelError


@contextmanager
def fetching(title: str, origin: str, advice: str) -> Iterator[None]:
    """Turn a failed download within the block into a ModelError.

    Args:
        title: the model's name as a suite writes it.
        origin: where its weights come from, e.g. "the Hugging Face hub (timm/resnet18.a1_in1k)".
        advice: what to do next.
    Raises:
        ModelError: no network, no such file, no access, a full disk.
    """
    try:
        yield
    except OSError as error:  # every error of the hub's client, of urllib and of a disk is one
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"The weights of {title} are fetched from {origin}, and that failed: {_short(reason)} {advice}") from error


def cached_revision(repository: str, revision: str | None = None) -> str | None:
    """The commit that the local Hugging Face cache holds for a revision of a repository; None if it holds none.

    Nothing is fetched. A name that is no repository has no revision either.
    """
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import constants

    wanted = revision or "main"
    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    reference = folder / "refs" / wanted
    if ".." not in wanted and reference.is_file():
        return reference.read_text().strip()
    return wanted if (folder / "snapshots" / wanted).is_dir() else None


def require(package: str, title: str) -> None:
    """Raise MissingPackageError if a package that a model needs is not installed."""
    if find_spec(package) is None:
        raise MissingPackageError(f"{title} needs the package {package}, which is not installed. Run: pip install 'windtunnel[vision]'")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing bars and reports over the command's own display."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def first_line(error: Exception) -> str:
    """What an error says first, as a sentence."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if text.endswith(".") else f"{text}."


def _short(reason: str, limit: int = 300) -> str:
    text = reason if len(reason) <= limit else f"{reason[:limit]}..."
    return text if text.endswith((".", "!", "?")) else f"{text}."
