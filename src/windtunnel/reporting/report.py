"""Report: a run's leaderboard and page, computed from its folder alone."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from windtunnel.reporting import files, writers
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Leaderboard

PAGE, JSON, CSV, MARKDOWN = "report.html", "leaderboard.json", "leaderboard.csv", "leaderboard.md"


class Report:
    """What a run found.

    Args:
        folder: a run's folder or a published one.
    Raises:
        RecordError: the folder cannot be read.
    """

    def __init__(self, folder: Path | str | RunFolder) -> None:
        self.folder = folder if isinstance(folder, RunFolder) else RunFolder.load(folder)

    @property
    def path(self) -> Path:
        """The folder that it is computed from."""
        return self.folder.path

    @cached_property
    def leaderboard(self) -> Leaderboard:
        """Every entry with its figures, ranked."""
        return Leaderboard.of(self.folder)

    def html(self) -> str:
        """The whole report as one page that needs no network."""
        from windtunnel.reporting.html import render

        return render(self.folder, self.leaderboard)

    def write(self) -> Path:
        """Write leaderboard.json, .csv, .md and report.html into the folder; the page's path.

        Raises:
            RecordError: the folder cannot be written.
        """
        manifest = self.folder.manifest
        files.write(self.path / JSON, writers.as_json(self.leaderboard, manifest))
        files.write(self.path / CSV, writers.as_csv(self.leaderboard))
        files.write(self.path / MARKDOWN, writers.as_markdown(self.leaderboard, manifest))
        return files.write(self.path / PAGE, self.html())

    def _repr_html_(self) -> str:
        """The leaderboard in a notebook."""
        from windtunnel.reporting.html import fragment

        return fragment(self.leaderboard)

    def __repr__(self) -> str:
        return f"Report({str(self.path)!r})"
