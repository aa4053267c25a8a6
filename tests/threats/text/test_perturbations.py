"""What every text perturbation of the table promises."""

import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sentences import RICH, TEXTS
from support.words import batch, victim

from windtunnel.builtins import THREATS
from windtunnel.core.texts import Texts
from windtunnel.seeding import generator
from windtunnel.sets import TEXT_SETS
from windtunnel.threats.text.additions import Additions
from windtunnel.threats.text.edits import Edits, edited
from windtunnel.threats.text.perturb import perturbation_names
from windtunnel.threats.text.perturbation import Perturbation, valid
from windtunnel.threats.text.swaps import Swaps
from windtunnel.threats.text.vocabulary import is_negation

NAMES = perturbation_names()
TOPICS = [members for name, members in TEXT_SETS.items() if name not in ("common", "quick")]
EDITS = [name for name in NAMES if issubclass(THREATS.load(name), Edits)]
SEVERITIES = range(1, 6)


def make(name):
    return THREATS.load(name)()


def rewrite(name, text, severity=3, seed=0):
    return make(name).rewritten(Texts.of([text]), ["a"], severity, seed).rows[0][0]


def digits(text):
    return [character for character in text if character.isdecimal()]


def negations(text):
    return [word.strip("\"“”‘’'`()[]{}<>*_.,;:!?…-–—").upper().lower() for word in text.split() if is_negation(word)]


def test_every_perturbation_of_the_table_is_in_one_topic_and_the_other_sets_are_selections():
    ours = [name for name, target in THREATS.targets().items() if "/" not in name and issubclass(THREATS.load(name), Perturbation)]
    assert sorted(name for members in TOPICS for name in members) == sorted(ours) == sorted(NAMES)
    assert {*TEXT_SETS["common"], *TEXT_SETS["quick"]} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS, severity=st.sampled_from(SEVERITIES), seed=st.integers(0, 3))
def test_promises_are_kept(name, text, severity, seed):
    kind, before, after = THREATS.load(name), valid(text), rewrite(name, text, severity, seed)
    after.encode()
    assert bool(before.strip()) <= bool(after.strip())
    assert bool(before) == bool(after)
    if kind.keeps_digits:
        assert digits(after) == digits(before)
    if kind.keeps_words:
        assert len(after.split()) == len(before.split())
    if kind.keeps_ascii and before.isascii():
        assert after.isascii()
    if kind.keeps_negations:
        assert negations(after) == negations(before)


@pytest.mark.parametrize("name", EDITS)
@settings(max_examples=100, deadline=None)
@given(text=TEXTS, severity=st.sampled_from(SEVERITIES))
def test_a_text_changes_if_and_only_if_it_has_a_place_to_change(name, text, severity):
    places = make(name).places(valid(text))
    assert (rewrite(name, text, severity) != valid(text)) == bool(places)
    assert all(0 <= start <= stop <= len(valid(text)) for start, stop in places)
    assert all(stop <= start for (_, stop), (start, _) in pairwise(places))


@pytest.mark.parametrize("name", EDITS)
@settings(max_examples=50, deadline=None)
@given(text=TEXTS | st.just(RICH))
def test_the_edits_of_a_severity_are_among_those_of_every_higher_one(name, text):
    threat, text = make(name), valid(text)
    edits = [threat.changes(text, severity, generator("test")) for severity in SEVERITIES]
    for fewer, more in pairwise(edits):
        assert set(fewer) <= set(more)
    assert all(text[start:stop] != new for start, stop, new in edits[-1])
    assert [edited(text, each) for each in edits] == [threat.rewrite(text, severity, generator("test")) for severity in SEVERITIES]


@pytest.mark.parametrize("name", EDITS)
def test_a_severity_changes_its_share_of_the_places_rounded_up(name):
    threat = make(name)
    assert list(threat.percent) == sorted(threat.percent)
    places = threat.places(RICH)
    things = {RICH[start:stop] for start, stop in places} if isinstance(threat, Swaps) else places
    assert len(things) >= 2
    for severity in SEVERITIES:
        changes = threat.changes(RICH, severity, generator("test"))
        changed = {RICH[start:stop] for start, stop, _ in changes} if isinstance(threat, Swaps) else changes
        assert (len(changed) - 1) * 100 < threat.percent[severity - 1] * len(things) <= len(changed) * 100


@pytest.mark.parametrize("name", [name for name in NAMES if name not in EDITS])
def test_additions_leave_the_text_whole_and_keep_those_of_lower_severities(name):
    threat = make(name)
    assert isinstance(threat, Additions)
    versions = [rewrite(name, RICH, severity) for severity in SEVERITIES]
    added = [each.removesuffix(RICH) if threat.before else each.removeprefix(RICH) for each in versions]
    assert all(each != whole for each, whole in zip(added, versions, strict=True))
    assert all(more.startswith(fewer) for fewer, more in pairwise(added))
    assert [sum(choice in each for choice in threat.choices()) for each in added] == list(SEVERITIES)


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_perturbed_alike_alone_in_company_and_in_any_order(name):
    texts = [RICH, *RICH.split(", "), "", "x"]
    ids = [f"s{row}" for row in range(len(texts))]
    whole = make(name).rewritten(Texts.of(texts), ids, 4, 7).rows
    backwards = make(name).rewritten(Texts.of(texts[::-1]), ids[::-1], 4, 7).rows
    alone = [make(name).rewritten(Texts.of([text]), [each], 4, 7).rows[0] for text, each in zip(texts, ids, strict=True)]
    assert list(whole) == list(backwards[::-1]) == alone


@pytest.mark.parametrize("name", NAMES)
def test_every_perturbation_goes_through_the_threat_byte_by_byte_alike(name):
    seen = batch(RICH, "good", "a great film , nothing less", "nothing")
    threat = THREATS.load(name)(severities=(1, 5))
    whole = threat(victim(), seen, seed=2, keep=True)
    assert whole.perturbed == threat.rewritten(seen.inputs, seen.ids, 5, 2)
    assert threat(victim(), seen, seed=2, micro_batch=1, keep=True).perturbed == whole.perturbed
    order = [3, 0, 2]
    assert threat(victim(), seen.take(order), seed=2, keep=True).perturbed == whole.perturbed[order]
    assert whole.distance[-1][0] > 0


@pytest.mark.parametrize("name", NAMES)
def test_draws_depend_on_seed_id_and_number(name):
    versions = {make(name).rewritten(Texts.of([RICH]), [each], 1, seed, number).rows[0][0] for each, seed, number in DRAWS}
    assert len(versions) > 1
    apart = [{make(name).rewritten(Texts.of([RICH]), [f"{row}"], 1, row, row).rows[0][0] for row in rows} for rows in ([0] * 9, range(9))]
    assert len(apart[0]) == 1 < len(apart[1])


DRAWS = [("a", 0, 0), ("b", 0, 0), ("a", 1, 0), ("a", 0, 1), ("c", 0, 0), ("a", 2, 0), ("a", 0, 2)]


@pytest.mark.parametrize("name", NAMES)
def test_only_open_fields_are_changed(name):
    texts = Texts(((RICH, RICH), (RICH, "")), ("premise", "hypothesis"), ("hypothesis",))
    found = make(name).rewritten(texts, ["a", "b"], 5, 0)
    assert [row[0] for row in found.rows] == [RICH, RICH]
    assert found.rows[0][1] != RICH
    assert found.rows[1][1] == ""
    assert (found.fields, found.open) == (texts.fields, texts.open)


@pytest.mark.parametrize("name", NAMES)
def test_the_steps_of_our_code_grow_no_faster_than_the_text(name):
    short, long = (steps(name, f"{RICH} " * times) for times in (4, 16))
    assert short > 0
    assert long < 5 * short


def steps(name, text):
    """Lines of the perturbations' modules that are executed."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if "threats/text/" not in frame.f_code.co_filename.replace("\\", "/"):
            return None
        count += event == "line"
        return trace

    rewrite(name, text)  # the word lists are read once
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        rewrite(name, text, 5)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    ("given", "expected"),
    [("plain", "plain"), ("\ud83d\ude00", "😀"), ("a\ud800b", "a\ufffdb"), ("\udc00\ud800", "\ufffd\ufffd"), ("é\u0301\x00", "é\u0301\x00")],
)
def test_surrogates_are_joined_or_replaced(given, expected):
    assert valid(given) == expected


def test_an_edit_at_one_place_leaves_the_rest():
    assert edited("abcdef", []) == "abcdef"
    assert edited("abcdef", [(0, 1, "X"), (2, 2, "-"), (4, 6, "")]) == "Xb-cd"
