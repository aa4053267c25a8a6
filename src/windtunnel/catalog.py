"""Catalogue: where suites, benchmarks and runners are found by name."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Literal, get_args

from windtunnel.errors import CatalogError, suggest

Kind = Literal["benchmarks", "suites", "recipes", "runners"]
KINDS: tuple[Kind, ...] = get_args(Kind)

VARIABLE = "WINDTUNNEL_CATALOG"
"""Environment variable that names a catalogue's folder where no --catalog is given."""

STORE_VARIABLE = "WINDTUNNEL_STORE"
"""Environment variable that names the store's folder where no --store is given."""

_SUFFIXES = (".yaml", ".yml")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Catalog:
    """Folders that hold `benchmarks/`, `suites/` and `runners/`; what an earlier one holds goes before a later one's.

    They are: the folder given, the working directory if it holds one of the three, and what came with the package.

    Args:
        folder: a catalogue's folder; if left out, the one that the environment variable WINDTUNNEL_CATALOG names, if any.
    Raises:
        CatalogError: the folder does not exist or holds none of the three.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._here = _working_directory()
        named = [] if folder is None else [Path(folder)]
        if folder is None and os.environ.get(VARIABLE):
            named = [Path(os.environ[VARIABLE])]
        for each in named:
            if not _holds_any(each):
                wanted = ", ".join(f"{kind}/" for kind in KINDS)
                raise CatalogError(f"{each} is no catalogue: it should be a folder that holds {wanted} or some of them.")
        implicit = [each for each in (self._here, _shipped()) if each is not None and _holds_any(each)]
        # As it was written, for a command that is to find the same files again.
        self.given: str | None = None if folder is None else str(folder)
        self.roots: tuple[Path, ...] = tuple(dict.fromkeys(each.resolve() for each in (*named, *implicit)))

    def names(self, kind: Kind) -> tuple[str, ...]:
        """All names of one kind, sorted."""
        return tuple(sorted(self._files(kind)))

    def find(self, kind: Kind, name: str | Path, *, beside: Path | None = None) -> Path:
        """The file of a name ("quickstart"), or of a path to a .yaml file.

        Args:
            name: anything with a slash or ending in .yaml is a path.
            beside: a file next to which a relative path is meant; the working directory if left out.
        Raises:
            CatalogError: no such name or file; the message says where was searched and what is near.
        """
        text = str(name)
        if isinstance(name, Path) or _is_path(text):
            return self._path(kind, Path(text).expanduser(), beside)
        files = self._files(kind)
        if _NAME.fullmatch(text) and text in files:
            return files[text]
        noun = kind.removesuffix("s")
        searched = ", ".join(self.show(root / kind) for root in self.roots) or "no folder at all"
        raise CatalogError(f"There is no {noun} {text!r}. {suggest(text, files)} Searched in: {searched}. A path to a .yaml file works, too.")

    def show(self, path: Path) -> str:
        """A path as users read it: relative to the working directory where it lies below it."""
        if self._here is not None and path.is_relative_to(self._here):
            return str(path.relative_to(self._here))
        return str(path)

    def _files(self, kind: Kind) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for root in self.roots:
            folder = root / kind
            # Sorted, so that x.yaml goes before x.yml on every file system.
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path.suffix in _SUFFIXES and _NAME.fullmatch(path.stem) and path.is_file():
                    files.setdefault(path.stem, path)
        return files

    def _path(self, kind: Kind, path: Path, beside: Path | None) -> Path:
        base = beside.parent if beside is not None else self._here
        whole = path if base is None else base / path
        noun = kind.removesuffix("s")
        if path.suffix not in _SUFFIXES:
            raise CatalogError(f"{path} is neither the name of a {noun} nor a .yaml file. {suggest(path.name, self._files(kind))}")
        if not whole.is_file():
            raise CatalogError(f"There is no file {self.show(whole)}. {suggest(path.stem, self._files(kind))}")
        return whole.resolve()


def _is_path(text: str) -> bool:
    separators = [os.sep] if os.altsep is None else [os.sep, os.altsep]
    return text.endswith(_SUFFIXES) or any(separator in text for separator in separators)


def _holds_any(folder: Path) -> bool:
    return any((folder / kind).is_dir() for kind in KINDS)


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted under us; named folders still work
        return None


def _shipped() -> Path:
    """What came with the package: inside the wheel, or the root of the checkout that it is installed from."""
    package = Path(__file__).resolve().parent
    inside = package / "catalogue"
    return inside if inside.is_dir() else package.parents[1]


def default_store() -> Path:
    """Where results are kept unless said otherwise: WINDTUNNEL_STORE, else the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get(STORE_VARIABLE)
    return Path(named).expanduser() if named else user_cache_path("windtunnel") / "store"


def nltk_folders() -> tuple[Path, ...]:
    """Where NLTK's data is looked for, as NLTK itself does: NLTK_DATA, the user's folder, the interpreter's, the system's; then our cache."""
    from platformdirs import user_cache_path

    named = [Path(each).expanduser() for each in os.environ.get("NLTK_DATA", "").split(os.pathsep) if each]
    below = [Path(sys.prefix), Path(sys.prefix, "share"), Path(sys.prefix, "lib")]
    system = [Path("/usr/share"), Path("/usr/local/share"), Path("/usr/lib"), Path("/usr/local/lib")]
    return (*named, *(each / "nltk_data" for each in (Path.home(), *below, *system, user_cache_path("windtunnel"))))


def wordnet_cache() -> Path:
    """Where WordNet is kept once it is fetched from a package index."""
    from platformdirs import user_cache_path

    return user_cache_path("windtunnel") / "wordnet-3.0"


def textattack_cache() -> Path:
    """Where textattack keeps what it has downloaded: TA_CACHE_DIR, else its folder in the user's cache."""
    return Path(os.environ.get("TA_CACHE_DIR") or "~/.cache/textattack").expanduser()


def tensorflow_hub_cache() -> Path:
    """Where TensorFlow Hub keeps its modules: TFHUB_CACHE_DIR, else a folder for temporary files."""
    return Path(os.environ.get("TFHUB_CACHE_DIR") or Path(tempfile.gettempdir(), "tfhub_modules"))
