"""Hugging Face data sets, from local copies in every format the library writes, and from a hub that is not there."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from support.hub import hub

from windtunnel.datasets.huggingface import HuggingFace
from windtunnel.errors import DataError

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def quiet():
    datasets.utils.logging.disable_progress_bar()


def table(count, seed, names=("cat", "dog"), label=None):
    """A data set of PNG images in memory, the classes in turn."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 7, 7, 3), dtype=np.uint8)
    values = label or [row % 2 for row in range(count)]
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(names)) if names else datasets.Value("int64")}
    return datasets.Dataset.from_dict({"image": [Image.fromarray(image) for image in pixels], "label": values}, features=datasets.Features(features))


@pytest.fixture
def parquet(tmp_path):
    """A folder of Parquet files, as a data set lies on the hub."""
    folder = tmp_path / "pets"
    (folder / "data").mkdir(parents=True)
    table(40, 0).to_parquet(folder / "data" / "train-00000-of-00001.parquet")
    table(20, 1).to_parquet(folder / "data" / "test-00000-of-00001.parquet")
    return folder


@pytest.fixture
def load(tmp_path):
    return lambda name, **arguments: HuggingFace(name=str(name), cache=str(tmp_path / "cache"), **arguments).load()


def sizes(loaded):
    return {split: len(part) for split, part in loaded.splits.items()}


def test_a_folder_of_parquet_files_keeps_its_test_split(parquet, load):
    loaded = load(parquet)
    assert sizes(loaded) == {"train": 32, "val": 8, "test": 20}
    test = loaded["test"]
    assert test.classes == ("cat", "dog")
    assert test.ids[0] == "pets/test/000000"
    assert np.array_equal(test.pixels(), np.random.default_rng(1).integers(0, 256, (20, 7, 7, 3), dtype=np.uint8))
    assert test.labels.tolist() == [0, 1] * 10


def test_a_validation_split_is_found_under_its_usual_names(parquet, load):
    table(6, 2).to_parquet(parquet / "data" / "validation-00000-of-00001.parquet")
    assert sizes(load(parquet)) == {"train": 40, "val": 6, "test": 20}


def test_one_parquet_file_and_what_save_to_disk_wrote_are_cut_three_ways(tmp_path, load):
    table(40, 0).to_parquet(tmp_path / "pets.parquet")
    table(40, 0).save_to_disk(str(tmp_path / "saved" / "pets"))
    one, saved = load(tmp_path / "pets.parquet"), load(tmp_path / "saved" / "pets")
    assert sizes(one) == sizes(saved) == {"train": 24, "val": 6, "test": 10}
    assert one.fingerprint == saved.fingerprint


def test_a_saved_dictionary_of_splits_keeps_them(tmp_path, load):
    datasets.DatasetDict({"train": table(40, 0), "test": table(20, 1)}).save_to_disk(str(tmp_path / "pets"))
    assert sizes(load(tmp_path / "pets")) == {"train": 32, "val": 8, "test": 20}


def test_images_in_class_folders_are_read(tmp_path, load):
    for seed, split in enumerate(["train", "test"]):
        for label, name in enumerate(["cat", "dog"]):
            folder = tmp_path / "pets" / split / name
            folder.mkdir(parents=True)
            for row in range(10):
                pixels = np.random.default_rng([seed, label, row]).integers(0, 256, (7, 7), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{row}.png")
    loaded = load(tmp_path / "pets", size=14)
    assert sizes(loaded) == {"train": 16, "val": 4, "test": 20}
    assert loaded["test"].classes == ("cat", "dog")
    assert loaded["test"].pixels([0]).shape == (1, 14, 14, 1)


def test_splits_and_columns_may_be_named(parquet, load):
    for name in ("train", "test"):
        path = parquet / "data" / f"{name}-00000-of-00001.parquet"
        datasets.Dataset.from_parquet(str(path), cache_dir=str(parquet.parent / "other")).rename_columns(
            {"image": "img", "label": "fine"}
        ).to_parquet(path)
    loaded = load(parquet, image="img", label="fine", train="test", test="train")
    assert sizes(loaded) == {"train": 16, "val": 4, "test": 40}


def test_in_a_column_with_a_label_map_numbers_are_indices_whatever_the_classes_are_called(tmp_path, load):
    table(40, 0, names=("1", "0")).to_parquet(tmp_path / "swapped.parquet")
    loaded = load(tmp_path / "swapped.parquet")
    assert loaded["test"].classes == ("1", "0")
    assert [int(name[-6:]) % 2 for name in loaded["test"].ids] == loaded["test"].labels.tolist()


def test_numbers_without_a_map_become_classes(tmp_path, load):
    table(40, 0, names=(), label=[3, 10] * 20).to_parquet(tmp_path / "numbers.parquet")
    assert load(tmp_path / "numbers.parquet")["test"].classes == ("3", "10")


def test_a_hidden_label_is_outside_the_map(tmp_path, load):
    table(40, 0, names=(), label=[0, 1] * 20).cast_column("label", datasets.ClassLabel(names=["cat", "dog"])).to_parquet(tmp_path / "a.parquet")
    folder = tmp_path / "pets"
    folder.mkdir()
    (tmp_path / "a.parquet").rename(folder / "train.parquet")
    table(10, 1, label=[-1] * 10).to_parquet(folder / "test.parquet")
    with pytest.raises(DataError, match="pets, test, row 0: the label -1 is outside the label map of 2 classes"):
        load(folder)


def test_an_unreadable_or_missing_image_is_named_by_its_row(tmp_path, load):
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])})
    whole = table(10, 0).cast_column("image", datasets.Image(decode=False))["image"]
    for content, message in (({"bytes": b"no image", "path": None}, "cannot be read"), (None, "there is no image in this row")):
        cells = [*list(whole)[:4], content, *list(whole)[5:]]
        path = tmp_path / f"{message[:5].strip()}.parquet"
        datasets.Dataset.from_dict({"image": cells, "label": [0, 1] * 5}, features=features).to_parquet(path)
        with pytest.raises(DataError, match=rf"{path.stem}, train, row 4: .*{message}"):
            load(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test": "tset"}, "pets has no split 'tset'. Did you mean 'test'"),
        ({"image": "img"}, "pets has no column 'img'.* Choose from: image, label"),
        ({"image": "label"}, "the column 'label' holds .*; expected images"),
    ],
)
def test_a_wrong_name_gets_a_suggestion(parquet, load, arguments, message):
    with pytest.raises(DataError, match=message):
        load(parquet, **arguments)


def test_a_damaged_file_is_an_error_that_names_the_place(tmp_path, load):
    (tmp_path / "pets.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match=r"data set at .*pets.parquet could not be loaded: .*look for damaged ones"):
        load(tmp_path / "pets.parquet")


def test_a_path_that_leads_nowhere_and_other_files_are_named(tmp_path, load):
    with pytest.raises(DataError, match=r"'.*nowhere' does not exist .*Give a folder, a .parquet file or a name on the hub"):
        load(tmp_path / "nowhere")
    (tmp_path / "pets.zip").write_bytes(b"")
    with pytest.raises(DataError, match=r"neither a folder nor a .parquet file"):
        load(tmp_path / "pets.zip")


def test_a_loading_script_is_never_run(tmp_path, load):
    (tmp_path / "pets").mkdir()
    trace = tmp_path / "trace"
    (tmp_path / "pets" / "pets.py").write_text(f"open({str(trace)!r}, 'w')")
    with pytest.raises(DataError, match=r"holds the loading script pets.py. Code that comes with data is not run"):
        load(tmp_path / "pets")
    assert not trace.exists()


def test_a_stamp_notices_a_changed_file(parquet):
    source = HuggingFace(name=str(parquet))
    before = source.stamp()
    (parquet / "data" / "test-00000-of-00001.parquet").unlink()
    assert source.stamp() != before
    assert HuggingFace(name="someone/pets").stamp() != HuggingFace(name="someone/pets", revision="abc").stamp()


LOAD = """
import sys
from windtunnel.datasets.huggingface import HuggingFace
from windtunnel.errors import DataError
try:
    loaded = HuggingFace(name=sys.argv[1], cache=sys.argv[2]).load()
    print({split: len(part) for split, part in loaded.splits.items()}, loaded["test"].ids[0])
except DataError as error:
    print(error)
"""


def load_elsewhere(name, folder, **environment):
    """Load in a process of its own, for the library reads its environment once, when it is imported."""
    settings = {"HF_HOME": str(folder), "PATH": "", "PYTHONPATH": ":".join(filter(None, sys.path)), **environment}
    done = subprocess.run([sys.executable, "-c", LOAD, name, str(folder)], env=settings, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_name_on_the_hub_is_fetched_and_one_that_is_not_there_is_an_error(parquet, tmp_path):
    files = {f"data/{path.name}": path.read_bytes() for path in (parquet / "data").iterdir()}
    with hub(files) as address:
        fetched = load_elsewhere("someone/pets", tmp_path, HF_ENDPOINT=address)
        absent = load_elsewhere("someone/birds", tmp_path, HF_ENDPOINT=address)
    assert fetched == "{'train': 32, 'val': 8, 'test': 20} someone/pets/test/000000\n"
    assert "The Hugging Face data set 'someone/birds' could not be loaded: " in absent


def test_a_loading_script_on_the_hub_is_never_run(tmp_path):
    trace = tmp_path / "trace"
    with hub({"pets.py": f"open({str(trace)!r}, 'w')".encode()}) as address:
        assert "The Hugging Face data set 'someone/pets'" in load_elsewhere("someone/pets", tmp_path, HF_ENDPOINT=address)
    assert not trace.exists()


def test_a_hub_that_cannot_be_reached_is_an_error_that_names_the_data(tmp_path):
    told = load_elsewhere("someone/pets", tmp_path, HF_HUB_OFFLINE="1")
    assert "The Hugging Face data set 'someone/pets' could not be loaded: " in told
    assert "Check the name, `config` and `revision`, the network" in told
