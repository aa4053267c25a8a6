"""What comes out, to be read: every result over many draws is among those listed, and each of them comes up."""

import pytest

from windtunnel.builtins import THREATS
from windtunnel.seeding import generator
from windtunnel.threats.text.contractions import long_forms, short_forms
from windtunnel.threats.text.keyboard import neighbours
from windtunnel.threats.text.names import capitalised, names, people
from windtunnel.threats.text.perturb import perturb_text
from windtunnel.threats.text.recognition import homophones, shapes
from windtunnel.threats.text.spelling import american, british
from windtunnel.threats.text.vocabulary import is_negation, lines

DRAWS = 200


def outcomes(name, text, severity=1, **arguments):
    threat = THREATS.load(name)(**arguments)
    return {threat.rewrite(text, severity, generator("test", row)) for row in range(DRAWS)}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("keyboard-typos", "P", {"O", "L"}),
        ("keyboard-typos", "s", set("aqwedxz") - {"q"}),
        ("letter-swaps", "great!", {"gerat!", "graet!"}),
        ("letter-swaps", "too also 1234 been", {"too aslo 1234 been"}),
        ("letter-deletions", "it was", {"it ws"}),
        ("letter-repeats", "so", {"soo", "sooo"}),
        ("letter-repeats", "xe\u0301a\u0301b", {"xe\u0301a\u0301b"}),
        ("ocr-errors", "Burn", {"8urn", "Rurn", "Bnrn", "Bvrn", "Bum"}),
        ("homophones", "Their, knot", {"There, knot", "They're, knot"}),
        ("upper-case", "don't 3D", {"DON'T 3D"}),
        ("lower-case", "IMAX is 3-D", {"imax is 3-D", "IMAX is 3-d"}),
        ("random-case", "aB1", {"AB1", "ab1"}),
        ("lower-case-names", "In Rome. In Mr. Li's Rome", {"In rome. In Mr. Li's Rome", "In Rome. In mr. Li's Rome", "In Rome. In Mr. li's Rome",
          "In Rome. In Mr. Li's rome"}),
        ("dropped-punctuation", "so, 3.5 !?", {"so 3.5 !?", "so, 3.5 "}),
        ("doubled-punctuation", "no?!", {"no?!?!", "no?!?!?!"}),
        ("added-punctuation", "so it", {"so. it", "so, it", "so; it", "so: it", "so- it"}),
        ("joined-words", "it is so", {"itis so", "it isso"}),
        ("split-words", "great it", {"gr eat it", "gre at it"}),
        ("homoglyphs", "1a", {"1\u0430"}),
        ("zero-width", "ab", {"a\u200bb", "a\u200cb", "a\u200db", "a\u2060b"}),
        ("leetspeak", "Ex", {"3x"}),
        ("contractions", "Do not go. It is what it is.", {"Don't go. It is what it is.", "Do not go. It's what it is."}),
        ("expansions", "WON'T, it's been, I'm, rock 'n' roll", {"WILL NOT, it's been, I'm, rock 'n' roll", "WON'T, it's been, I am, rock 'n' roll"}),
        ("british-spelling", "Colorful CENTER", {"Colourful CENTER", "Colorful CENTRE"}),
        ("american-spelling", "we organised", {"we organized"}),
        ("number-swaps", "5 of 5", {f"{other} of {other}" for other in "12346789"}),
        ("number-swaps", "00", {f"{other:02d}" for other in range(1, 100)}),
        ("word-dropout", "it is a film", {"it a film", "it is film", "it is a"}),
        ("word-dropout", "so not funny", {"so not funny"}),
        ("word-shuffling", "a b c", {"a c b", "b a c", "b c a", "c a b", "c b a"}),
        ("word-shuffling", "a b not c d e", {"b a not c d e", "a b not c e d"}),
        ("fillers", "not a good film it is", {f"not a good film{gap}" for each in lines("fillers")
          for gap in (f", {each}, it is", f" it, {each}, is")}),
    ],
)  # fmt: skip
def test_what_may_come_out(name, text, expected):
    found = outcomes(name, text)
    assert found <= expected
    assert len(found) >= min(len(expected), 30)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keyboard-typos", "90 % — 日本語"),
        ("letter-swaps", "all too see 1234"),
        ("letter-deletions", "it is so"),
        ("ocr-errors", "kkk xxx"),
        ("homophones", "no, I do not"),
        ("lower-case", "it was 5"),
        ("lower-case-names", "Rome is old. Berlin is not: Paris \"Oslo\""),
        ("dropped-punctuation", "3.5 a.m"),
        ("dropped-punctuation", "..."),
        ("joined-words", " alone "),
        ("homoglyphs", "Кино 90"),
        ("expansions", "the dog's bone; it's been; y'all; fish n' chips"),
        ("contractions", "that is. it is"),
        ("name-swaps", "The man was French. Don't ask him In May"),
        ("name-swaps", "They Never said Don't or O'Clock"),
        ("number-swaps", "1234567890123456 none"),
        ("word-dropout", "alone"),
        ("word-dropout", "it 1990s 3d not good"),
        ("fillers", "not a good film"),
        ("word-shuffling", "very very, not good 3d film"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_left_alone(name, text):
    assert outcomes(name, text, 5) == {text}


def test_names_are_swapped_by_their_kind_and_everywhere_alike():
    for found in outcomes("name-swaps", "Maria met Kowalski. Kowalski's Maria", 5):
        given, surname = found.split()[0], found.split()[2].rstrip(".")
        assert found == f"{given} met {surname}. {surname}'s {given}"
        assert (given in names("given-names"), surname in names("surnames")) == (True, True)
        assert {given, surname}.isdisjoint({"Maria", "Kowalski"})


def test_hidden_characters_are_the_text_when_taken_away():
    [text] = perturb_text(["a wonderful film"], "zero-width", 5)
    assert text != "a wonderful film"
    assert "".join(character for character in text if character.isascii()) == "a wonderful film"


@pytest.mark.parametrize("text", ["I do not go", "They are here", "We will not stay", "IT IS SO", "let us see"])
def test_contracting_and_expanding_undo_each_other(text):
    [short] = perturb_text([text], "contractions", 5)
    assert short != text
    assert perturb_text([short], "expansions", 5) == [text]


@pytest.mark.parametrize("text", ["the colors of the Center", "REALIZED catalogs", "marvelous"])
def test_the_two_spellings_undo_each_other(text):
    [there] = perturb_text([text], "british-spelling", 5)
    assert there != text
    assert perturb_text([there], "american-spelling", 5) == [text]


def test_every_spelling_has_one_counterpart_and_is_on_one_side():
    assert len(american()) == len(british()) > 500
    assert set(american()).isdisjoint(british())


def test_words_that_sound_alike_are_listed_mutually_and_negate_nothing():
    assert all(word in homophones()[other] for word, others in homophones().items() for other in others)
    assert not any(map(is_negation, homophones()))


def test_no_shape_is_its_own_double_and_contractions_have_one_meaning():
    assert all(shape not in others for shape, others in shapes().items())
    assert all(long_forms()[short] == phrase for phrase, short in short_forms().items())
    assert long_forms()["they've"] == "they have"


@pytest.mark.parametrize("name", ["distractors", "hashtags", "fillers"])
def test_what_is_added_has_no_digit_and_no_negation(name):
    words = [word for line in lines(name) for word in line.split()]
    assert len(words) > 10
    assert not any(is_negation(word) or any(map(str.isdecimal, word)) for word in words)


@pytest.mark.parametrize("layout", ["qwerty", "qwertz", "azerty"])
def test_neighbouring_is_mutual_and_no_key_is_its_own_neighbour(layout):
    table = neighbours(layout)
    assert len(table) == 26
    assert all(letter in table[other] and letter != other for letter, others in table.items() for other in others)


def test_layouts_differ():
    assert neighbours("qwerty")["g"] == "bfhtvy"
    assert neighbours("qwertz")["g"] == "bfhtvz"
    assert neighbours("azerty")["q"] == "aswz"
    assert outcomes("keyboard-typos", "y", layout="qwertz") == set("asx")


def test_names_are_capitals_that_begin_no_sentence():
    text = 'Yesterday Anna saw "Rain" in New York. John came to Mr. Smith\'s; IBM too'
    assert [text[slice(*span)] for span in capitalised(text)] == ["Anna", "New", "York", "Mr", "Smith"]
    assert [text[slice(*span)] for span in people(text)] == ["Anna", "New", "York", "John", "Smith"]


@pytest.mark.parametrize(
    ("token", "negation"),
    [
        *((token, True) for token in ("not", "(Never)", "don't", "don’t,", "n't", "cannot", "nothıng")),
        *((token, False) for token in ("knot", "note", "ant", "", "...")),
    ],
)
def test_negations_are_told_from_other_words(token, negation):
    assert is_negation(token) == negation
