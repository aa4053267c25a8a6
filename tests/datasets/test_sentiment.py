"""sentiment-4 on a small copy in the same form; the published file under the marker `network`."""

import numpy as np
import pytest
from support.rated import rated, write_archive

from windtunnel.core.dataset import SPLITS
from windtunnel.datasets.sentiment import GRADED, Sentiment, grades, official_split
from windtunnel.datasets.vader import FILES, parse


def source(folder, digests, **arguments):
    """sentiment-4 from the small archive in `folder`."""

    class Small(Sentiment):
        pass

    Small.digests = digests
    return Small(path=str(folder), **arguments)


@pytest.fixture
def small(tmp_path):
    """Makes sources from a small archive with 40 snippets, 40 tweets, 12 reviews and 20 articles."""
    digests = write_archive(tmp_path, product=rated(12, 7), editorial=rated(20, 10))
    return lambda **arguments: source(tmp_path, digests, **arguments)


def test_ratings_are_cut_at_the_edges_that_are_declared():
    ratings = [-4, -2.01, -2, -0.51, -0.5, 0, 0.5, 0.51, 2, 2.01, 4]
    assert [GRADED[grade] for grade in grades(ratings, 0.5, 2)] == [
        *["very negative"] * 2, *["negative"] * 2, *["neutral"] * 3, *["positive"] * 2, *["very positive"] * 2,
    ]  # fmt: skip


def test_five_classes_keep_every_sentence(small):
    loaded = small(classes=5).load()
    assert loaded.any.classes == GRADED
    assert loaded.audit.found == 40
    assert dict(loaded.audit.balance) == dict.fromkeys(GRADED, 8)
    assert np.bincount(loaded["test"].labels).tolist() == [2] * 5
    assert len(loaded["train"]) + len(loaded["val"]) == 30
    assert len(loaded["train"]) == pytest.approx(0.8 * 30, abs=1)


def test_two_classes_leave_the_neutral_band_out_and_count_it(small):
    loaded = small().load()
    assert loaded.any.classes == ("negative", "positive")
    assert loaded.audit.found == 40
    assert len(loaded.audit.excluded) == len(loaded.audit.as_dict()["excluded"]) == 8
    assert dict(loaded.audit.balance) == {"negative": 16, "positive": 16}
    for part in loaded.splits.values():
        for (text,), label in zip(part.texts(), part.labels, strict=True):
            assert (float(text.split()[-1].rstrip(".")) > 0) == label


def test_the_neutral_band_is_an_argument(small):
    assert len(small(neutral=0.1).load().audit.excluded) == 0
    assert len(small(neutral=1.5).load().audit.excluded) == 24


@pytest.mark.parametrize("domain", ["product", "editorial"])
@pytest.mark.parametrize("classes", [2, 5])
def test_no_document_is_in_two_splits(small, domain, classes):
    splits = small(domain=domain, classes=classes).load().splits
    held = [{name.rpartition("/")[2].partition("_")[0] for name in part.ids} for part in splits.values()]
    assert sum(map(len, held)) == len(set().union(*held)) == {"product": 12, "editorial": 20}[domain]


def test_the_test_split_is_the_same_whatever_the_arguments(small):
    graded = small(classes=5).load()
    for arguments in ({"seed": 1}, {"fractions": (0.4, 0.4, 0.2)}, {}):
        other = small(classes=5, **arguments).load()
        assert other["test"].ids == graded["test"].ids
        assert (other["val"].ids == graded["val"].ids) == (not arguments)
    assert set(small().load()["test"].ids) == {
        name for name, label in zip(graded["test"].ids, graded["test"].labels, strict=True) if GRADED[label] != "neutral"
    }


def doubled(change):
    """40 sentences, and each of them once more in other case and white space, its rating changed."""
    once = [line.split("\t") for line in rated(40, 1).split("\r\n")]
    again = [[str(40 + int(name)), str(change(float(rating))), f" {text.upper()}".replace(" ", "  ")] for name, rating, text in once]
    return "\n".join("\t".join(fields) for fields in [*once, *again])


def test_near_equal_sentences_stay_once_and_rather_in_test(tmp_path):
    content = doubled(lambda rating: rating)
    loaded = source(tmp_path, write_archive(tmp_path, movie=content), classes=5).load()
    sentences = parse(content, "movie")
    tested = {int(sentences[row].name) for row in official_split(sentences)["test"]}
    kept = {split: {int(name.rpartition("/")[2]) for name in part.ids} for split, part in loaded.splits.items()}
    assert len(loaded.audit.duplicates) == 40
    assert not loaded.audit.conflicts
    for number in range(1, 41):
        pair = {number, number + 40}
        assert len(pair & set().union(*kept.values())) == 1
        assert len(pair & kept["test"]) == bool(pair & tested)


def test_near_equal_sentences_with_different_labels_all_go(tmp_path):
    content = doubled(lambda rating: rating if abs(rating) > 2 else 0)
    loaded = source(tmp_path, write_archive(tmp_path, movie=content), classes=5).load()
    assert dict(loaded.audit.balance) == {"very negative": 8, "negative": 0, "neutral": 8, "positive": 0, "very positive": 8}
    assert (len(loaded.audit.conflicts), len(loaded.audit.duplicates)) == (32, 24)


def test_another_copy_of_the_file_is_another_stamp(small, tmp_path):
    before = small().stamp()
    assert small().stamp() == before != small(domain="tweet").stamp()
    (tmp_path / "vaderSentiment-3.3.2.tar.gz").unlink()
    assert small().stamp() != before


def test_domains_share_their_classes_and_no_id(small):
    loaded = [small(domain=domain).load() for domain in FILES]
    assert len({one.any.classes for one in loaded}) == 1
    ids = [name for one in loaded for part in one.splits.values() for name in part.ids]
    assert len(set(ids)) == len(ids)


def test_a_strong_rating_is_no_neutral_one():
    with pytest.raises(ValueError, match=r"`strong` is 0.2 and `neutral` is 0.5; it must be at least as large"):
        Sentiment(strong=0.2)


@pytest.mark.parametrize("wrong", [{"domain": "film"}, {"classes": 3}, {"neutral": 4}, {"neutral": -1}])
def test_other_domains_classes_and_bands_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Sentiment(**wrong)


@pytest.mark.network
@pytest.mark.parametrize(
    ("domain", "found", "test"),
    [("movie", 10605, [1265, 1245]), ("product", 3708, [307, 428]), ("tweet", 4200, [265, 574]), ("editorial", 5190, [413, 269])],
)
def test_the_published_file_is_fetched_and_read(tmp_path_factory, domain, found, test):
    loaded = Sentiment(domain=domain, path=str(tmp_path_factory.getbasetemp() / "sentiment-4")).load()
    assert loaded.audit.found == found
    assert list(loaded.splits) == list(SPLITS)
    assert np.bincount(loaded["test"].labels).tolist() == test
    assert not any("\u00c3" in text or "&amp;" in text for part in loaded.splits.values() for (text,) in part.texts())
