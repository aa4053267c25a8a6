"""Records: written as plain data, read back equal, and refused where they are not what they should be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.core import canonical
from windtunnel.core.cell import Labels
from windtunnel.core.record import SCHEMA, Record, sort_key
from windtunnel.errors import RecordError

RECORD = Record(
    key="ab" * 32,
    kind="evaluate",
    status="done",
    labels=Labels("net", "full", 0, "linf", "pgd", "attack"),
    content={"seed": 0, "threat": {"use": "pgd", "arguments": {"eps": ["8/255"]}}},
    levels=("2/255", "8/255"),
    estimates={"8/255": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100, "seeds": []}}},
    curves=({"stage": "full", "epoch": 1, "train_loss": 0.7, "val_accuracy": 0.9},),
    facts={"classes": ["0", "1"]},
    cost={"forward": 100, "backward": 50, "queries": 0},
    flags=({"name": "zero-gradients", "message": "seen"},),
    examples=({"id": "a", "level": "8/255", "label": 1, "before": 1, "after": 0, "images": ["", ""]},),
)

words = st.text(max_size=5)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(words, plain, max_size=3)
records = st.builds(
    Record,
    key=words,
    kind=st.sampled_from(["finetune", "evaluate"]),
    status=st.sampled_from(["done", "failed"]),
    labels=st.builds(Labels, words, words, st.integers(0, 9), words, words, words),
    content=mappings,
    levels=st.lists(words, max_size=3).map(tuple),
    estimates=st.dictionaries(words, st.dictionaries(words, mappings, max_size=2), max_size=2),
    curves=st.lists(mappings, max_size=2).map(tuple),
    facts=mappings,
    cost=st.dictionaries(words, st.floats(0, 1e9), max_size=2),
    flags=st.lists(st.dictionaries(words, words, max_size=2), max_size=2).map(tuple),
    examples=st.lists(mappings, max_size=2).map(tuple),
    error=words,
)


@settings(deadline=None, max_examples=50)
@given(records)
def test_a_record_reads_back_equal_from_its_json(record: Record) -> None:
    assert Record.from_dict(json.loads(canonical.dumps(record.as_dict()))) == record


def test_every_field_is_written_with_the_schema() -> None:
    assert set(RECORD.as_dict()) == {"schema", *Record.__dataclass_fields__}
    assert RECORD.as_dict()["schema"] == SCHEMA


@pytest.mark.parametrize("schema", [None, 0, SCHEMA + 1, str(SCHEMA)])
def test_another_schema_is_refused(schema: Any) -> None:
    with pytest.raises(RecordError, match=rf"A record has schema {schema!r}; this version of windtunnel reads schema {SCHEMA}\."):
        Record.from_dict({**RECORD.as_dict(), "schema": schema})


@pytest.mark.parametrize("name", ["key", "kind", "status", "labels", "levels", "curves", "flags", "examples"])
def test_a_missing_field_is_refused(name: str) -> None:
    data = {key: value for key, value in RECORD.as_dict().items() if key != name}
    with pytest.raises(RecordError, match=rf"A record lacks or has unexpected fields: .*{name}"):
        Record.from_dict(data)


def test_an_unexpected_field_is_refused() -> None:
    with pytest.raises(RecordError, match=r"unexpected fields: .*extra"):
        Record.from_dict({**RECORD.as_dict(), "extra": 1})
    labels = {**RECORD.as_dict()["labels"], "extra": 1}
    with pytest.raises(RecordError, match=r"unexpected fields: .*extra"):
        Record.from_dict({**RECORD.as_dict(), "labels": labels})


@settings(deadline=None, max_examples=50)
@given(st.lists(records, max_size=5), st.randoms())
def test_the_order_of_records_is_that_of_their_names_not_of_their_making(made: list[Record], draws) -> None:
    shuffled = list(made)
    draws.shuffle(shuffled)
    assert [sort_key(each) for each in sorted(shuffled, key=sort_key)] == [sort_key(each) for each in sorted(made, key=sort_key)]


def test_a_fine_tuning_goes_before_what_is_done_to_its_victim() -> None:
    finetuned = Record(key="ff", kind="finetune", status="done", labels=Labels("net", "full", 0))
    assert sorted([RECORD, finetuned], key=sort_key) == [finetuned, RECORD]
