"""Perturbed tables on disk hold the texts that a benchmark sees, and are read again as a table of texts."""

from __future__ import annotations

import hashlib
import json

import pytest

from windtunnel.datasets.text_table import TextTable
from windtunnel.errors import DataError, UnknownNameError
from windtunnel.execution.materialize import materialize, members
from windtunnel.threats.text.perturb import load


@pytest.fixture
def films(tmp_path):
    lines = [{"text": f"{word} film number {row}", "label": label} for row in range(12) for word, label in (("good", "pos"), ("bad", "neg"))]
    (tmp_path / "films.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return TextTable(path=str(tmp_path / "films.jsonl"))


def test_the_lines_are_what_the_threat_makes_and_are_read_again_as_a_table(films, tmp_path):
    seen = []
    made = materialize(
        films,
        tmp_path / "copy",
        corruptions=["keyboard-typos", "upper-case"],
        severities=[1, 5],
        seed=3,
        progress=lambda *counts: seen.append(counts),
    )
    part, manifest = films.load()["test"], json.loads((made / "manifest.json").read_text())
    assert seen[-1] == (4 * len(part), 4 * len(part))
    assert sorted(path.relative_to(made).as_posix() for path in made.rglob("*.jsonl")) == sorted(f"{name}.jsonl" for name in manifest["sha256"])
    for name in ("keyboard-typos", "upper-case"):
        for severity in (1, 5):
            path = made / name / f"{severity}.jsonl"
            expected = load(name)().rewritten(part.texts(), part.ids, severity, 3)
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            assert [(line["id"], line["text"]) for line in lines] == list(zip(part.ids, expected.plain(), strict=True))
            assert [line["label"] for line in lines] == [part.classes[label] for label in part.labels]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == manifest["sha256"][f"{name}/{severity}"]
            again = TextTable(path=str(path), split="split").load()
            assert sorted(again["test"].texts().plain()) == sorted(expected.plain())
            assert set(again.splits) == {"test"}
    assert (made / "upper-case" / "5.jsonl").read_text() != (made / "upper-case" / "1.jsonl").read_text()


def test_the_closed_side_of_a_pair_is_copied_as_it_was(tmp_path):
    rows = [{"premise": f"the film was good {row}", "hypothesis": f"they liked it {row}", "label": row % 2} for row in range(20)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pairs = TextTable(path=str(tmp_path / "pairs.jsonl"), text=["premise", "hypothesis"], open="hypothesis")
    made = materialize(pairs, tmp_path / "copy", corruptions=["upper-case"], severities=[5])
    for line in map(json.loads, (made / "upper-case" / "5.jsonl").read_text().splitlines()):
        assert (line["premise"].islower(), line["hypothesis"].isupper()) == (True, True)


def test_corruptions_of_images_and_columns_that_collide_are_refused(films, tmp_path):
    assert "keyboard-typos" in members(["typos"], "text")
    with pytest.raises(UnknownNameError, match="Unknown perturbation 'gaussian-noise'"):
        materialize(films, tmp_path / "copy", corruptions=["gaussian-noise"])
    (tmp_path / "odd.jsonl").write_text("".join(json.dumps({"id": f"good {row}", "label": row % 2}) + "\n" for row in range(20)))
    with pytest.raises(DataError, match=r"calls a column of texts 'id'; the copy needs id, label, split for itself\. Rename the column"):
        materialize(TextTable(path=str(tmp_path / "odd.jsonl"), text="id"), tmp_path / "copy", corruptions=["upper-case"])
    assert not list(tmp_path.glob("*copy*"))
