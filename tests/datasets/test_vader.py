"""The source distribution of vaderSentiment: what its lines mean, what is refused, and how it is fetched."""

import pytest
from support.rated import packed, rated, write_archive

from windtunnel.datasets import vader
from windtunnel.datasets.vader import Sentence
from windtunnel.errors import DataError


def test_a_line_is_an_id_a_mean_rating_and_a_text():
    content = "12_3\t-0.9\tNo picture, &amp; &lt;no&gt; sound at AT&amp;amp;T \r\n7\t2.26666666667\tAn affecting clich\u00e9 \u2013 or two.\r\n"
    first, second = vader.parse(content, "somewhere")
    assert first == Sentence("12_3", -0.9, "No picture, & <no> sound at AT&T")
    assert second == Sentence("7", 2.26666666667, "An affecting clich\u00e9 \u2013 or two.")
    assert (first.document, second.document) == ("12", "7")


@pytest.mark.parametrize(
    "line", ["1\t2.5", "1\tgood\tA film.", "A film.", "1\t2.5\tA\tfilm."], ids=["no text", "no number", "no tabs", "one tab too many"]
)
def test_a_line_of_another_form_is_named_with_its_number(line):
    with pytest.raises(DataError, match=r"somewhere, line 2: found .*; expected an id, a mean rating and a text, separated by tabs"):
        vader.parse(f"1\t0.5\tA film.\n{line}\n", "somewhere")


@pytest.mark.parametrize("rating", ["4.1", "-5", "nan", "inf"])
def test_a_rating_off_the_scale_is_named(rating):
    with pytest.raises(DataError, match=rf"line 1: the rating is {rating}; expected a number from -4 to 4"):
        vader.parse(f"1\t{rating}\tA film.", "somewhere")


def test_every_domain_is_read_from_its_own_file(tmp_path):
    digests = write_archive(tmp_path, product=rated(3, 4), tweet="1\t1.5\tYay. \u00a31000!")
    archive = tmp_path / vader.ARCHIVE
    assert len(vader.read_domain(archive, "movie", digests)) == 40
    assert [sentence.name for sentence in vader.read_domain(archive, "product", digests)][3:5] == ["1_4", "2_1"]
    assert vader.read_domain(archive, "tweet", digests) == [Sentence("1", 1.5, "Yay. \u00a31000!")]
    assert [path.name for path in tmp_path.iterdir()] == [vader.ARCHIVE]


def test_another_archive_is_refused_before_it_is_opened(tmp_path):
    (tmp_path / vader.ARCHIVE).write_bytes(packed({"../../outside": b"", vader.INNER: b"no archive"}))
    with pytest.raises(DataError, match=rf"has the sha256 \w+; expected 5d7c06e0\w+. Remove .*{vader.ARCHIVE}. Run `python -m pip download"):
        vader.read_domain(tmp_path / vader.ARCHIVE, "movie")


def test_another_archive_inside_is_refused(tmp_path):
    digests = write_archive(tmp_path)
    with pytest.raises(DataError, match=r"hutto_ICWSM_2014.tar.gz in .* has the sha256 \w+; expected d5bb07d8"):
        vader.read_domain(tmp_path / vader.ARCHIVE, "movie", vader.Digests(digests.archive, vader.PUBLISHED.inner))


def test_a_folder_in_place_of_the_archive_is_named(tmp_path):
    (tmp_path / vader.ARCHIVE).mkdir()
    with pytest.raises(DataError, match=rf"{vader.ARCHIVE} cannot be read: Is a directory. Run"):
        vader.read_domain(vader.fetch(tmp_path), "movie")


def test_what_is_there_is_not_fetched_again(tmp_path):
    write_archive(tmp_path)
    before = (tmp_path / vader.ARCHIVE).stat()
    assert vader.fetch(tmp_path) == tmp_path / vader.ARCHIVE
    assert (tmp_path / vader.ARCHIVE).stat() == before


def test_without_an_index_the_file_the_command_and_the_place_are_named(tmp_path, monkeypatch):
    empty = tmp_path / "index"
    empty.mkdir()
    for name, value in {"CONFIG_FILE": "/dev/null", "INDEX_URL": empty.as_uri(), "EXTRA_INDEX_URL": "", "FIND_LINKS": ""}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    place = tmp_path / "data"
    told = r"pip download --no-deps --no-binary :all: vaderSentiment==3.3.2` where there is a package index, and put vaderSentiment-3.3.2.tar.gz into"
    with pytest.raises(DataError, match=rf"vaderSentiment-3.3.2.tar.gz is missing and could not be fetched: .*vaderSentiment==3.3.2.*{told} {place}"):
        vader.fetch(place)
    assert list(place.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"is missing and could not be fetched: Not a directory \(.*file/data\)"):
        vader.fetch(tmp_path / "file" / "data")
