"""The user's own package index, as a place to fetch published archives of known content from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def download(release: str, archive: str, sha256: str, folder: Path) -> str:
    """Let pip put a source distribution into an empty folder.

    pip asks a source distribution for its metadata, for which it runs the package's build script, and it has no option against
    that. So it is told the digest, and checks it before it opens the file: what runs is a script of known content.

    Args:
        release: name and version, "name==1.0".
        archive: the file that must be there afterwards.
        sha256: what the file must have, hexadecimal.
    Returns:
        What went wrong; empty if nothing did.
    """
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{release} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-input", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
    place = ["--dest", str(folder), "--requirement", str(wanted)]
    done = subprocess.run([*command, *place], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0 and (folder / archive).is_file():
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["pip said nothing"]
    error = next((line for line in lines if line.startswith("ERROR: ")), lines[-1])
    return error.removeprefix("ERROR: ").rstrip(".")
