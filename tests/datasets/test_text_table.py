"""Tables of texts: formats, pairs, what is missing, and what is refused."""

import csv
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from windtunnel.datasets.text_table import TextTable
from windtunnel.errors import DataError

ROWS = [{"text": f"{word} film {place}", "label": label} for place in range(12) for word, label in (("good", "pos"), ("bad", "neg"))]


def write(path, rows):
    """A table of the rows in the format of the path's ending."""
    columns = list(rows[0])
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        parquet.write_table(pa.table({name: [row.get(name) for row in rows] for name in columns}), path)
    else:
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream, delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writerows([columns, *([row.get(name) for name in columns] for row in rows)])
    return str(path)


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_data(ending, tmp_path):
    source = TextTable(path=write(tmp_path / f"films.{ending}", ROWS))
    loaded = source.load()
    assert source.modality == loaded.any.modality.name == "text"
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 14, "val": 4, "test": 6}
    assert loaded.any.classes == ("neg", "pos")
    texts = {text: label for part in loaded.splits.values() for (text,), label in zip(part.texts(), part.labels.tolist(), strict=True)}
    assert texts == {row["text"]: int(row["label"] == "pos") for row in ROWS}


def test_a_pair_of_columns_says_which_side_is_open(tmp_path):
    rows = [{"premise": f"p{row}", "hypothesis": f"h{row}", "label": row % 3} for row in range(30)]
    path = write(tmp_path / "pairs.csv", rows)
    loaded = TextTable(path=path, text=["premise", "hypothesis"], open="hypothesis", classes=["yes", "maybe", "no"]).load()
    texts = loaded["test"].texts()
    assert (texts.fields, texts.open) == (("premise", "hypothesis"), ("hypothesis",))
    assert loaded.any.classes == ("yes", "maybe", "no")
    with pytest.raises(DataError, match="no field 'conclusion' to change; the texts have premise, hypothesis"):
        TextTable(path=path, text=["premise", "hypothesis"], open="conclusion").load()


MISSING = [
    {"text": "  ", "label": "pos"},
    {"text": None, "label": "neg"},
    {"text": "no label", "label": None},
    {"text": "a blank label", "label": " "},
    {"text": None, "label": None},
]


@pytest.mark.parametrize(("ending", "first"), [("csv", 2), ("tsv", 2), ("jsonl", 1), ("parquet", 1)])
def test_rows_without_text_or_label_are_counted_and_left_out_in_every_format(ending, first, tmp_path):
    """A row is called by its line in the file, or by its number in one without lines; that of a header is line 1."""
    loaded = TextTable(path=write(tmp_path / f"films.{ending}", [ROWS[0], *MISSING, *ROWS[1:]])).load()
    assert loaded.audit.missing == tuple(f"{first + 1 + place:06d}" for place in range(len(MISSING)))
    assert (loaded.audit.found, sum(loaded.audit.balance.values())) == (len(ROWS) + len(MISSING), len(ROWS))
    kept = {text for part in loaded.splits.values() for text in part.texts().plain()}
    assert kept == {row["text"] for row in ROWS}


def test_lines_without_keys_and_labels_that_are_no_number_count_as_missing(tmp_path):
    lines = [json.dumps(row) for row in ROWS]
    (tmp_path / "films.jsonl").write_text("\n".join([*lines, "{}", "", '{"label": "pos"}', '{"text": "x"}', '{"text": "x", "label": NaN}']))
    audit = TextTable(path=str(tmp_path / "films.jsonl")).load().audit
    assert audit.missing == ("000025", "000027", "000028", "000029")
    labels = pa.table({"text": [row["text"] for row in ROWS], "label": [float("nan"), *(place % 2 for place in range(len(ROWS) - 1))]})
    parquet.write_table(labels, tmp_path / "films.parquet")
    loaded = TextTable(path=str(tmp_path / "films.parquet")).load()
    assert (loaded.any.classes, loaded.audit.missing) == (("0", "1"), ("000001",))


def test_a_table_that_lacks_most_of_a_column_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"16 of the 24 rows of train have no text or no label. Name other columns"):
        TextTable(path=write(tmp_path / "blank.csv", [*ROWS[:8], *({"text": "", "label": "pos"} for _ in range(16))])).load()


def test_equal_texts_are_removed_and_those_in_test_stay(tmp_path):
    rows = [{**row, "split": "train" if place < 16 else "test"} for place, row in enumerate(ROWS)]
    rows += [{**rows[20], "split": "train"}, {**rows[0], "label": "neg", "split": "train"}]
    loaded = TextTable(path=write(tmp_path / "films.csv", rows), split="split").load()
    assert loaded.audit.duplicates == ("000026",)
    assert set(loaded.audit.conflicts) == {"000002", "000027"}
    assert "000022" in loaded["test"].ids


def test_the_fingerprint_changes_with_a_letter_and_with_the_open_side(tmp_path):
    path = tmp_path / "films.csv"
    first = TextTable(path=write(path, ROWS))
    before, stamp = first.load().fingerprint, first.stamp()
    assert before == first.load().fingerprint
    write(path, [{"text": "Good film 0", "label": "pos"}, *ROWS[1:], {"text": "x", "label": "pos"}])
    assert (first.load().fingerprint == before, first.stamp() == stamp) == (False, False)
    pairs = write(tmp_path / "pairs.csv", [{**row, "other": "o"} for row in ROWS])
    sides = {TextTable(path=pairs, text=["text", "other"], open=side).load().fingerprint for side in (["text"], ["other"], [])}
    assert len(sides) == 3


@pytest.mark.parametrize(
    ("rows", "arguments", "message"),
    [
        (ROWS, {"text": "review"}, "no column 'review'"),
        (ROWS, {"classes": ["bad", "good"]}, r"row 2: the label 'pos' is outside the label map of 2 classes; expected a name, or a number"),
        ([{**row, "label": "pos"} for row in ROWS], {}, r"labels of 1 class .pos.; a classifier needs at least two"),
        (ROWS, {"split": "label"}, "row 2: 'pos' is not a split"),
    ],
)
def test_what_does_not_fit_is_refused(rows, arguments, message, tmp_path):
    with pytest.raises(DataError, match=message):
        TextTable(path=write(tmp_path / "films.csv", rows), **arguments).load()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "text,label\n", "is not one of .csv, .tsv, .jsonl, .parquet"),
        ("a.csv", "text,label\n", "has no rows; expected one for each text"),
        ("a.jsonl", "[1]\n", "row 1: a list; expected an object"),
        ("a.jsonl", '{"text": \n', "cannot be read as JSON in UTF-8"),
        ("a.jsonl", '{"text": "\\ud800", "label": "a"}\n{"text": "x", "label": "b"}\n', "row 1: a text holds a lone surrogate"),
    ],
)
def test_a_damaged_table_is_refused(name, content, message, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        TextTable(path=str(tmp_path / name)).load()
