"""Training curves: how each victim came about, one small drawing per entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from windtunnel.core.record import Record
from windtunnel.reporting.charts import Label, Line, Mark, Panel, Rule, Style, path, percent_ticks, short
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Entry
from windtunnel.reporting.scales import Scale, Tick
from windtunnel.reporting.texts import percent

# Units of the drawing. Accuracy above, loss in a strip below, epochs shared.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP = 250, 200, 34, 8, 14
_MIDDLE, _STRIP, _FLOOR = 116, 132, 172


def training_panels(folder: RunFolder, entries: Sequence[Entry], looks: dict[str, Style]) -> tuple[Panel, ...]:
    """A panel per entry that has curves."""
    found = []
    for entry in entries:
        records = [folder.finetuning(entry.model, entry.recipe, seed) for seed in folder.manifest.seeds]
        known = [record for record in records if record is not None and record.curves]
        if known:
            missing = len(records) - len(known)
            found.append(_panel(entry, known, looks[entry.name], missing))
    return tuple(found)


def _panel(entry: Entry, records: Sequence[Record], look: Style, missing: int) -> Panel:
    steps = max(len(record.curves) for record in records)
    highest = max((float(epoch["train_loss"]) for record in records for epoch in record.curves), default=1.0) or 1.0
    x = Scale(1, max(2, steps), _LEFT + 4, _WIDTH - _RIGHT - 4)
    y, loss = Scale(0, 1, _MIDDLE, _TOP), Scale(0, highest, _FLOOR, _STRIP)
    lines = [line for record in records for line in _lines(record, x, y, loss, look)]
    marks = [mark for record in records for mark in _chosen(record, x, y, look)]
    rules, labels = _stages(records[0].curves, x)
    last = [record.curves[-1] for record in records]
    mean = sum(float(epoch["val_accuracy"]) for epoch in last) / len(last)
    return Panel(
        title=entry.recipe,
        subtitle=entry.model,
        description=f"Validation accuracy and training loss of {entry.name} over {steps} epochs; {percent(mean)} % after the last.",
        width=_WIDTH,
        height=_HEIGHT,
        frame=(_LEFT, _TOP, _WIDTH - _RIGHT, _FLOOR),
        x_ticks=tuple(Tick(x(step), str(step)) for step in sorted({1, (1 + steps) // 2, steps})),
        y_ticks=(*percent_ticks(y, (0, 0.5, 1)), Tick(loss(highest), f"{highest:.2g}")),
        x_label="epoch",
        lines=tuple(lines),
        marks=tuple(marks),
        rules=(Rule(_LEFT, (_MIDDLE + _STRIP) / 2, _WIDTH - _RIGHT, (_MIDDLE + _STRIP) / 2), *rules),
        labels=(*labels, Label(_LEFT + 4, _FLOOR - 4, "loss")),
        failed=(f"{missing} of {missing + len(records)} seeds",) if missing else (),
    )


def _lines(record: Record, x: Scale, y: Scale, loss: Scale, look: Style) -> list[Line]:
    curves = record.curves
    seed = record.labels.seed
    places = [x(step) for step in range(1, len(curves) + 1)]
    clean = [(place, y(float(epoch["val_accuracy"]))) for place, epoch in zip(places, curves, strict=True)]
    titles = [f"seed {seed}, {epoch['stage']} epoch {epoch['epoch']}: {percent(float(epoch['val_accuracy']))} %" for epoch in curves]
    points = tuple(Mark(place, height, look, title) for (place, height), title in zip(clean, titles, strict=True))
    robust = [
        (place, y(float(epoch["val_robust_accuracy"])))
        for place, epoch in zip(places, curves, strict=True)
        if epoch.get("val_robust_accuracy") is not None
    ]
    falling = [(place, loss(float(epoch["train_loss"]))) for place, epoch in zip(places, curves, strict=True)]
    found = [Line(path(clean), "", look, points), Line(path(falling), "", look, faint=True)]
    return [*found, Line(path(robust), "", look, dashed=True)] if robust else found


def _chosen(record: Record, x: Scale, y: Scale, look: Style) -> list[Mark]:
    """The checkpoint that selection chose: the best epoch counts within the last stage."""
    best, stage = record.facts.get("best_epoch"), record.curves[-1]["stage"]
    for step, epoch in enumerate(record.curves, start=1):
        if epoch["stage"] == stage and epoch["epoch"] == best:
            accuracy = float(epoch["val_accuracy"])
            return [Mark(x(step), y(accuracy), look, f"seed {record.labels.seed}: epoch {best} was chosen, {percent(accuracy)} %")]
    return []


def _stages(curves: Sequence[Mapping[str, Any]], x: Scale) -> tuple[list[Rule], list[Label]]:
    """A line where a stage begins, and its name."""
    starts = [step for step, epoch in enumerate(curves) if step == 0 or epoch["stage"] != curves[step - 1]["stage"]]
    if len(starts) < 2:
        return [], []
    rules = [Rule(x(step + 0.5), _TOP, x(step + 0.5), _FLOOR) for step in starts[1:]]
    labels = [Label(x(step + 0.5) + 3 if step else _LEFT + 4, _TOP - 4, short(str(curves[step]["stage"]), 10)) for step in starts]
    return rules, labels
