"""A table of image paths and labels."""

import numpy as np
import pandas
import pytest
from PIL import Image

from windtunnel.datasets.table import Table
from windtunnel.errors import DataError

COUNT = 40


@pytest.fixture
def rows(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, 9, 9, 3), dtype=np.uint8)
    (tmp_path / "images").mkdir()
    for row in range(COUNT):
        Image.fromarray(pixels[row]).save(tmp_path / "images" / f"{row}.png")
    return pandas.DataFrame({"image": [f"images/{row}.png" for row in range(COUNT)], "label": ["cat", "dog"] * (COUNT // 2)})


def write(folder, rows, kind="csv"):
    path = folder / f"table.{kind}"
    rows.to_csv(path, index=False) if kind == "csv" else rows.to_parquet(path)
    return path


def load(folder, rows, kind="csv", **arguments):
    return Table(path=str(write(folder, rows, kind)), size=9, **arguments).load()


def test_csv_and_parquet_give_the_same_data(tmp_path, rows):
    csv, parquet = load(tmp_path, rows), load(tmp_path, rows, "parquet")
    assert csv.fingerprint == parquet.fingerprint
    assert {split: len(part) for split, part in csv.splits.items()} == {"train": 24, "val": 6, "test": 10}
    test = csv["test"]
    assert test.classes == ("cat", "dog")
    for row, name in enumerate(test.ids):
        assert np.array_equal(test.pixels([row])[0], np.asarray(Image.open(tmp_path / name)))
        assert test.labels[row] == int(name.removeprefix("images/").removesuffix(".png")) % 2


def test_a_split_column_is_followed(tmp_path, rows):
    rows["part"] = ["train"] * 20 + ["val"] * 8 + ["test"] * 12
    loaded = load(tmp_path, rows, split="part")
    assert {split: len(part) for split, part in loaded.splits.items()} == {"train": 20, "val": 8, "test": 12}


def test_columns_may_have_other_names_and_a_byte_order_mark_does_not_hurt(tmp_path, rows):
    path = tmp_path / "table.csv"
    rows.rename(columns={"image": "file", "label": "kind"}).to_csv(path, index=False, encoding="utf-8-sig")
    assert Table(path=str(path), image="file", label="kind", size=9).load().audit.found == COUNT


def test_numbers_as_labels_are_ordered_by_value(tmp_path, rows):
    rows["label"] = [2, 10] * (COUNT // 2)
    assert load(tmp_path, rows)["test"].classes == ("2", "10")
    assert load(tmp_path, rows, "parquet")["test"].classes == ("2", "10")


def test_a_label_map_gives_order_and_numbers_their_names(tmp_path, rows):
    named = load(tmp_path, rows, classes=("dog", "cat"))
    assert named["test"].classes == ("dog", "cat")
    rows["label"] = [1, 0] * (COUNT // 2)
    assert load(tmp_path, rows, classes=("dog", "cat")).fingerprint == named.fingerprint


@pytest.mark.parametrize(("kind", "row"), [("csv", 7), ("parquet", 6)])
def test_a_label_outside_the_map_is_named_with_its_row(tmp_path, rows, kind, row):
    rows.loc[5, "label"] = "dgo"
    with pytest.raises(DataError, match=rf"table.{kind}, row {row}: the label 'dgo' is outside the label map of 2 classes.* Did you mean 'dog'"):
        load(tmp_path, rows, kind, classes=("cat", "dog"))
    rows["label"] = [0, 2] * (COUNT // 2)
    with pytest.raises(DataError, match="the label '2' is outside the label map of 2 classes; expected a name, or a number from 0 to 1"):
        load(tmp_path, rows, kind, classes=("cat", "dog"))


def test_a_label_only_test_has_is_outside_the_map(tmp_path, rows):
    rows["part"] = ["train"] * 30 + ["test"] * 10
    rows.loc[35, "label"] = "bird"
    with pytest.raises(DataError, match="row 37: the label 'bird' is outside the label map"):
        load(tmp_path, rows, split="part")


def test_missing_images_are_counted_and_the_first_are_named(tmp_path, rows):
    for row in range(3, 10):
        (tmp_path / "images" / f"{row}.png").unlink()
    with pytest.raises(DataError, match=r"7 of 40 image files are missing: images/3.png \(row 5\), .*images/7.png \(row 9\) and 2 more"):
        load(tmp_path, rows)


@pytest.mark.parametrize("path", ["../outside.png", "/etc/hostname", "images/../../outside.png"])
def test_a_path_out_of_the_folder_is_refused(tmp_path, rows, path):
    folder = tmp_path / "inner"
    (tmp_path / "images").rename(tmp_path / "kept")
    folder.mkdir()
    (tmp_path / "kept").rename(folder / "images")
    rows.loc[0, "image"] = path
    with pytest.raises(DataError, match=r"row 2: .* leads out of its folder"):
        load(folder, rows)


def test_a_link_out_of_the_folder_is_refused(tmp_path, rows, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(outside)
    (tmp_path / "images" / "3.png").unlink()
    (tmp_path / "images" / "3.png").symlink_to(outside)
    with pytest.raises(DataError, match=r"row 5: .*images/3.png leads out of its folder"):
        load(tmp_path, rows)


def test_a_damaged_image_is_named(tmp_path, rows):
    (tmp_path / "images" / "4.png").write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"images/4.png: the image cannot be read"):
        load(tmp_path, rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.rename(columns={"label": "labels"}), r"has no column 'label'. Did you mean 'labels'"),
        (lambda rows: rows.assign(label=[None, *rows["label"][1:]]), r"row 2: the column 'label' is empty"),
        (lambda rows: rows.assign(image=["images/1.png"] * COUNT), r"row 3: images/1.png is listed already in row 2"),
        (lambda rows: rows[:0], r"has no rows; expected one for each image"),
    ],
)
def test_a_table_with_something_missing_or_twice_is_an_error(tmp_path, rows, change, message):
    with pytest.raises(DataError, match=message):
        load(tmp_path, change(rows))


def test_an_unknown_split_is_named(tmp_path, rows):
    rows["part"] = ["train"] * 39 + ["tets"]
    with pytest.raises(DataError, match=r"row 41: 'tets' is not a split. Did you mean 'test'"):
        load(tmp_path, rows, split="part")


def test_damaged_tables_and_other_formats_are_named(tmp_path, rows):
    path = write(tmp_path, rows, "parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"table.parquet cannot be read as Parquet .*truncated"):
        Table(path=str(path)).load()
    (tmp_path / "table.csv").write_text("image,label\nimages/0.png,cat\nimages/1.png")
    with pytest.raises(DataError, match=r"table.csv, row 3: 1 values for 2 columns"):
        Table(path=str(tmp_path / "table.csv")).load()
    (tmp_path / "table.csv").write_bytes(b"image,label\n\xff\xfe,cat\n")
    with pytest.raises(DataError, match=r"table.csv cannot be read as CSV in UTF-8"):
        Table(path=str(tmp_path / "table.csv")).load()
    (tmp_path / "table.tsv").write_text("image\tlabel\n")
    with pytest.raises(DataError, match=r"neither a .csv nor a .parquet file"):
        Table(path=str(tmp_path / "table.tsv")).load()
    with pytest.raises(DataError, match=r"The table '.*nowhere.csv' does not exist"):
        Table(path=str(tmp_path / "nowhere.csv")).load()


def test_a_stamp_notices_the_table_and_the_images_and_nothing_beside_them(tmp_path, rows):
    source = Table(path=str(write(tmp_path, rows)), size=9)
    before = source.stamp()
    (tmp_path / "unrelated").write_text("x")
    assert source.stamp() == before
    Image.fromarray(np.zeros((30, 9, 3), np.uint8)).save(tmp_path / "images" / "3.png")
    changed = source.stamp()
    assert changed != before
    write(tmp_path, rows[:30])
    assert source.stamp() not in (before, changed)
