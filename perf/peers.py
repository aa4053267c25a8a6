"""Packages to compare with that no longer import as they are."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

REPAIRS = (
    (
        "from pkg_resources import resource_filename",
        "from os.path import dirname, join\nresource_filename = lambda name, path: join(dirname(__file__), path)",
    ),
    ("scipy.ndimage.interpolation", "scipy.ndimage"),
    ("multichannel=True", "channel_axis=-1"),
    ("np.float_)", "np.float64)"),
)
"""What NumPy, SciPy, scikit-image and setuptools have renamed or dropped since imagecorruptions 1.1.2."""


@cache
def imagecorruptions() -> ModuleType:
    """The module `imagecorruptions.corruptions` with those names repaired and nothing else; it draws from NumPy's global generator.

    Raises:
        ImportError: the package is not installed.
        ValueError: it is another version, in which something to repair is not found.
    """
    found = importlib.util.find_spec("imagecorruptions")
    if found is None or found.origin is None:
        raise ImportError("imagecorruptions is not installed. Run: pip install --no-deps imagecorruptions")
    path = Path(found.origin).parent / "corruptions.py"
    source = path.read_text(encoding="utf-8")
    for old, new in REPAIRS:
        if old not in source:
            raise ValueError(f"{path} does not say {old!r}; it is not version 1.1.2")
        source = source.replace(old, new)
    module = ModuleType("imagecorruptions.corruptions")
    module.__file__ = str(path)
    exec(compile(source, str(path), "exec"), vars(module))
    return module
