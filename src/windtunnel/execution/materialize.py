"""Materialize: a corrupted copy of a data set on disk, with a manifest that says how it came about; images are laid out as ImageNet-C is."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from windtunnel.builtins import THREATS
from windtunnel.core import canonical
from windtunnel.core.dataset import Dataset, DataSource, Pixels
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.threat import Threat
from windtunnel.datasets.splitting import stratified_subset
from windtunnel.errors import DataError, StoreError, UnknownNameError, suggest
from windtunnel.execution.store import sync_folder, write_synced
from windtunnel.execution.text_copies import write_texts
from windtunnel.provenance import collect
from windtunnel.seeding import generators
from windtunnel.sets import CORRUPTION_SETS, TEXT_SETS
from windtunnel.threats.corrupt import corruption_names
from windtunnel.threats.corruptions.corruption import Corruption
from windtunnel.threats.corruptions.pictures import picture
from windtunnel.threats.text.perturb import perturbation_names
from windtunnel.threats.text.perturbation import Perturbation

MANIFEST = "manifest.json"
PIECE = 64
"""Images held at once."""

PUBLISHED = {"jpeg": "jpeg_compression"}
"""Folders of ImageNet-C that are not called as the corruption is here."""


def materialize(
    data: DataSource,
    to: Path,
    *,
    corruptions: Sequence[str] = ("common",),
    severities: Sequence[int] = (1, 2, 3, 4, 5),
    split: str = "test",
    samples: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Write corrupted copies and `to`/manifest.json.

    Images become PNG files, `to`/corruption/severity/class/image.png; texts become tables, `to`/perturbation/severity.jsonl, that a
    `text-table` with `split: split` reads. They are the samples that a benchmark with the same seed evaluates on. The folder appears when
    all is written, and not before.

    Args:
        data: where the images or texts come from.
        to: a folder that does not exist yet, or is empty.
        corruptions: names of corruptions, for texts of perturbations, and of sets of them ("common", "quick", ...).
        severities: of 1 to 5.
        split: which split is copied.
        samples: size of a stratified subset; None for all.
        seed: keys the draws and the subset.
        progress: called with (samples written, samples in all).
    Raises:
        UnknownNameError: no corruption or set of that name.
        DataError: a severity outside 1 to 5, a folder that holds something, too few samples, or data that cannot be read.
        StoreError: the folder cannot be written; nothing is left of it.
    """
    wrong = [severity for severity in severities if severity not in range(1, 6)]
    if wrong or not severities:
        raise DataError(f"materialize: severities are of 1 to 5; found {wrong[0] if wrong else 'none'}.")
    chosen: list[Threat[Any]] = [THREATS.load(name)(severities=tuple(severities)) for name in members(corruptions, data.modality)]  # type: ignore[call-arg]  # a corruption has severities
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise DataError(f"{to} holds something already; name a folder that does not exist yet, so that no two copies are mixed.")
    splits = data.load()
    part = _subset(splits[split], samples, seed)
    temporary = to.with_name(f".{to.name}.part")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        about: dict[str, object] = {"texts": len(part)} if data.modality == TEXT else {"images": len(part)}
        if data.modality == TEXT:
            names = part.ids
            digests = write_texts(temporary, part, split, [made for made in chosen if isinstance(made, Perturbation)], seed, progress)
        else:
            names = _places(part)
            digests = _write(temporary, part, names, [each for each in chosen if isinstance(each, Corruption)], seed, progress)
        manifest = {
            "schema": 1,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "data": {"name": splits.name, "split": split, "fingerprint": splits.fingerprint, "classes": list(part.classes), **about},
            "seed": seed,
            "corruptions": {(each.use if data.modality == TEXT else folder_name(each.use)): each.describe() for each in chosen},
            "ids": dict(zip(names, part.ids, strict=True)),
            "sha256": digests,
            "provenance": collect(to.parent).as_dict(),
        }
        write_synced(temporary / MANIFEST, (json.dumps(canonical.plain(manifest), indent=1, sort_keys=True) + "\n").encode())
        if to.exists():
            to.rmdir()
        temporary.rename(to)
        sync_folder(to.parent)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise StoreError(f"{to} cannot be written: {error.strerror or error}. Nothing was left behind.") from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return to


def members(names: Sequence[str], modality: str = IMAGE) -> tuple[str, ...]:
    """The corruptions that names of sets and of corruptions stand for, each once; of texts, the perturbations.

    Raises:
        UnknownNameError: neither a set nor a corruption.
    """
    sets, known, noun = (TEXT_SETS, perturbation_names(), "perturbation") if modality == TEXT else (CORRUPTION_SETS, corruption_names(), "corruption")
    found: dict[str, None] = {}
    for name in names:
        if name in sets:
            found.update(dict.fromkeys(sets[name]))
        elif name in known:
            found[name] = None
        else:
            raise UnknownNameError(f"Unknown {noun} {name!r}. {suggest(name, [*sets, *known], limit=100)}")
    return tuple(found)


def folder_name(corruption: str) -> str:
    """The folder of a corruption, as ImageNet-C calls it."""
    return PUBLISHED.get(corruption, corruption.replace("-", "_"))


def _subset(part: Dataset, samples: int | None, seed: int) -> Dataset:
    if samples is None:
        return part
    if samples > len(part):
        raise DataError(f"{part.name} has {len(part)} samples, fewer than the {samples} asked for.")
    return part.take(stratified_subset(part.labels, part.ids, samples, seed))


def _places(part: Dataset) -> tuple[str, ...]:
    """Class folder and file of each image, by its id as far as a file's name can hold it."""
    found: list[str] = []
    taken: set[str] = set()
    for row, (name, label) in enumerate(zip(part.ids, part.labels, strict=True)):
        stem = _safe(Path(name).stem if "/" in name else name)
        place = f"{_safe(part.classes[label])}/{stem}.png"
        if place in taken:
            place = f"{_safe(part.classes[label])}/{stem}-{row}.png"
        taken.add(place)
        found.append(place)
    return tuple(found)


def _safe(text: str) -> str:
    return re.sub(r"[^\w.|+ -]+", "_", text).strip(". ") or "_"


def _write(
    root: Path, part: Dataset, places: Sequence[str], chosen: Sequence[Corruption], seed: int, progress: Callable[[int, int], None]
) -> Mapping[str, str]:
    """Write every copy; one digest over the pixels of each corruption and severity."""
    hashers = {(each.use, severity): hashlib.sha256() for each in chosen for severity in each.severities}
    done, total = 0, len(part) * len(hashers)
    for start in range(0, len(part), PIECE):
        rows = range(start, min(start + PIECE, len(part)))
        pixels, ids = part.pixels(rows), part.ids[rows.start : rows.stop]
        for corruption in chosen:
            for severity in corruption.severities:
                copies = corruption.distort(pixels, severity, generators(seed, corruption.use, ids))
                hashers[corruption.use, severity].update(copies.tobytes())
                for row, copy in zip(rows, copies, strict=True):
                    _save(root / folder_name(corruption.use) / str(severity) / places[row], copy)
                done += len(copies)
                progress(done, total)
    return {f"{folder_name(name)}/{severity}": hasher.hexdigest() for (name, severity), hasher in hashers.items()}


def _save(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(pixels).save(path, "PNG")
