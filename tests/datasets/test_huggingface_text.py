"""Text data of the Hugging Face hub, from local copies laid out as the well-known sets are, and from a stand-in for the hub."""

import subprocess
import sys

import pytest
from support.hub import NAME, hub

from windtunnel.datasets.huggingface_text import HuggingFaceText
from windtunnel.errors import DataError

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def quiet():
    datasets.utils.logging.disable_progress_bar()


def write(folder, split, columns, names=("negative", "positive")):
    """One split as Parquet, as it lies on the hub; labels in turn unless they are given."""
    count = len(next(iter(columns.values())))
    given = {"label": [row % len(names) for row in range(count)], **columns}
    features = {name: datasets.ClassLabel(names=list(names)) if name == "label" else datasets.Value("string") for name in given}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    target = folder / "data" / f"{split}-00000-of-00001.parquet"
    datasets.Dataset.from_dict(given, features=datasets.Features(features)).to_parquet(target)
    return target


@pytest.fixture
def load(tmp_path):
    return lambda folder, **arguments: HuggingFaceText(name=str(folder), cache=str(tmp_path / "cache"), **arguments).load()


def sentences(split, count):
    return [f"{split} sentence {row}" for row in range(count)]


def test_hidden_labels_of_a_test_split_are_refused_and_another_split_serves(tmp_path, load):
    """As in SST-2."""
    folder = tmp_path / "sst2"
    write(folder, "train", {"sentence": sentences("train", 40)})
    write(folder, "validation", {"sentence": sentences("validation", 20)})
    write(folder, "test", {"sentence": sentences("test", 20), "label": [-1] * 20})
    with pytest.raises(DataError, match="20 of the 20 rows of test have no text or no label"):
        load(folder, text="sentence")
    loaded = load(folder, text="sentence", test="validation")
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 32, "val": 8, "test": 20}
    assert loaded["test"].texts().plain() == sentences("validation", 20)
    assert loaded["test"].classes == ("negative", "positive")
    assert loaded["test"].labels.tolist() == [0, 1] * 10


def test_pairs_have_two_fields_and_say_which_is_open(tmp_path, load):
    """As in MNLI."""
    folder = tmp_path / "mnli"
    names = ("entailment", "neutral", "contradiction")
    for split, count in (("train", 30), ("validation", 12)):
        write(folder, split, {"premise": sentences(split, count), "hypothesis": ["so it is"] * count}, names)
    loaded = load(folder, text=["premise", "hypothesis"], open="hypothesis", test="validation")
    texts = loaded["test"].texts()
    assert (texts.fields, texts.open, texts.rows[1]) == (("premise", "hypothesis"), ("hypothesis",), ("validation sentence 1", "so it is"))


def test_rows_without_text_or_label_are_counted(tmp_path, load):
    """As may be in Rotten Tomatoes, AG News and IMDB, which come with a test split of their own."""
    write(tmp_path / "films", "train", {"text": [*sentences("train", 38), None, " "]})
    write(tmp_path / "films", "test", {"text": sentences("test", 12), "label": [None, -1, *[0, 1] * 5]})
    loaded = load(tmp_path / "films")
    assert loaded.audit.missing == ("films/train/000038", "films/train/000039", "films/test/000000", "films/test/000001")
    assert loaded.audit.found == 52
    assert loaded["test"].texts().plain() == sentences("test", 12)[2:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": "review"}, "no column 'review'"),
        ({"text": "label"}, "the column 'label' holds ClassLabel.*; expected texts. Name their column in `text`"),
        ({"open": "title"}, "no field 'title' to change"),
    ],
)
def test_columns_that_do_not_fit_are_refused(arguments, message, tmp_path, load):
    write(tmp_path / "films", "train", {"text": sentences("train", 8)})
    with pytest.raises(DataError, match=message):
        load(tmp_path / "films", **arguments)


def test_a_single_class_is_refused(tmp_path, load):
    write(tmp_path / "films", "train", {"text": sentences("train", 8)}, names=("only",))
    with pytest.raises(DataError, match=r"labels of 1 class .only.; a classifier needs at least two"):
        load(tmp_path / "films")


def test_a_name_on_the_hub_is_fetched(tmp_path):
    files = {}
    for split in ("train", "test"):
        path = write(tmp_path / "films", split, {"text": sentences(split, 20)})
        files[f"data/{path.name}"] = path.read_bytes()
    program = (
        "from windtunnel.datasets.huggingface_text import HuggingFaceText\n"
        f"loaded = HuggingFaceText(name={NAME!r}).load()\n"
        "print(len(loaded['test']), loaded['test'].texts().plain()[3])\n"
    )
    with hub(files) as address:
        environment = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "20 test sentence 3\n", done.stderr
