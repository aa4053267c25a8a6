"""Opening a Hugging Face data set, from the hub or from files, under old and new releases of `datasets`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from windtunnel.errors import DataError, MissingPackageError


def open_splits(name: str, *, config: str | None, revision: str | None, cache: str | None) -> Mapping[str, Any]:
    """Every split of a data set, by the name it has there. No code that comes with data is ever run.

    Args:
        name: name on the hub, a folder (data files, or what `save_to_disk` wrote) or a .parquet file.
        config: configuration of the data set, where it has several.
        revision: commit, tag or branch on the hub.
        cache: folder for downloads and converted data; None for the library's own.
    Raises:
        MissingPackageError: `datasets` is not installed.
        DataError: nothing of that name, no network, damaged files, or data that needs code.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingPackageError("The source 'huggingface' needs datasets: pip install 'windtunnel[vision]'") from error
    place = local_place(name)
    try:
        if place is None:
            _refuse_code(name, revision)
            found = datasets.load_dataset(name, config, revision=revision, cache_dir=cache, **_no_code())
        elif place.suffix == ".parquet":
            found = datasets.load_dataset("parquet", data_files=str(place), cache_dir=cache)
        elif (place / "dataset_info.json").is_file() or (place / "dataset_dict.json").is_file():
            found = datasets.load_from_disk(str(place))
        else:
            found = datasets.load_dataset(str(place), config, cache_dir=cache, **_no_code())
    except _failures() as error:
        raise DataError(_absent(name, place, error)) from error
    return found if isinstance(found, datasets.DatasetDict) else {"train": found}


def local_place(name: str) -> Path | None:
    """The folder or .parquet file that `name` stands for; None for a name on the hub.

    Raises:
        DataError: a path that leads nowhere, another kind of file, or a folder that wants its code to be run.
    """
    place = Path(name).expanduser()
    if not name.startswith(("/", ".", "~")) and not place.exists():
        return None
    if not place.exists():
        raise DataError(
            f"The Hugging Face data set {name!r} does not exist (looked at {place.absolute()}). Give a folder, a .parquet file or a name on the hub."
        )
    if place.is_file() and place.suffix != ".parquet":
        raise DataError(f"{place} is neither a folder nor a .parquet file. Give one of the two, or a name on the hub.")
    if (place / f"{place.resolve().name}.py").is_file():
        raise DataError(
            f"{place} holds the loading script {place.resolve().name}.py. Code that comes with data is not run; save the data as Parquet."
        )
    return place


def _no_code() -> dict[str, bool]:
    """The argument that forbids loading scripts, for the releases that have one; later ones refuse by themselves."""
    from datasets import load_dataset

    return {"trust_remote_code": False} if "trust_remote_code" in inspect.signature(load_dataset).parameters else {}


def _refuse_code(name: str, revision: str | None) -> None:
    """Look for a loading script before a release that would run it unasked (datasets before 2.16) gets to see it."""
    import datasets

    release = tuple(int(part) for part in datasets.__version__.split(".")[:2])
    if release >= (2, 16):
        return
    from huggingface_hub import HfApi

    script = f"{name.rpartition('/')[2]}.py"
    if any(entry.rfilename == script for entry in HfApi().dataset_info(name, revision=revision).siblings or ()):
        raise DataError(
            f"The Hugging Face data set {name!r} is loaded by a script of its own. Code that comes with data is not run; "
            "name a `revision` that holds Parquet, such as refs/convert/parquet."
        )


def _failures() -> tuple[type[Exception], ...]:
    """What releases from 2.14 to 5 raise for data that is absent, damaged or described wrongly."""
    import datasets
    from datasets import builder
    from datasets.utils import info_utils
    from huggingface_hub.utils import HfHubHTTPError  # type: ignore[attr-defined]  # there in every release, re-exported

    # The first is the base of all in newer releases; older ones have a class here and a class there.
    names = ("DatasetsError", "DatasetBuildError", "ChecksumVerificationException", "SplitsVerificationException")
    homes = (getattr(datasets, "exceptions", builder), builder, info_utils)
    own = [getattr(home, name) for home in homes for name in names if hasattr(home, name)]
    # RuntimeError: "scripts are no longer supported"; ValueError: unknown configurations. The bases of the hub's own error
    # are those of whichever HTTP library its release is built on.
    return (OSError, RuntimeError, ValueError, LookupError, *HfHubHTTPError.__bases__, *own)


def _absent(name: str, place: Path | None, error: BaseException) -> str:
    causes = [error, error.__cause__] if error.__cause__ is not None else [error]
    reason = "; ".join(str(cause).strip().partition("\n")[0].rstrip(".") or type(cause).__name__ for cause in causes)
    if place is not None:
        return (
            f"The Hugging Face data set at {place} could not be loaded: {reason}. Expected Parquet or image files in folders; look for damaged ones."
        )
    return (
        f"The Hugging Face data set {name!r} could not be loaded: {reason}. Check the name, `config` and `revision`, the network, "
        "and for a private data set your login; or download it where there is a network and give the folder as `name`."
    )
