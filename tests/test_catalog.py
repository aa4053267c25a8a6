"""Where suites, benchmarks and runners are found, and what is said where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from windtunnel.catalog import KINDS, Catalog
from windtunnel.errors import CatalogError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("WINDTUNNEL_CATALOG", raising=False)
    return here


def put(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x: 1\n")
    return root


def test_in_an_empty_folder_what_ships_is_found() -> None:
    assert "quickstart" in Catalog().names("suites")
    assert Catalog().find("suites", "quickstart").name == "quickstart.yaml"
    assert all(Catalog().names(kind) for kind in KINDS)


def test_the_working_directory_goes_before_what_ships(empty_folder: Path) -> None:
    put(empty_folder, "suites/quickstart.yaml", "suites/mine.yaml")
    assert Catalog().find("suites", "quickstart") == empty_folder / "suites" / "quickstart.yaml"
    assert {"mine", "quickstart", "digits-standard"} <= set(Catalog().names("suites"))


def test_a_given_folder_goes_before_the_working_directory(empty_folder: Path, tmp_path: Path) -> None:
    put(empty_folder, "suites/mine.yaml")
    given = put(tmp_path / "given", "suites/mine.yaml")
    assert Catalog(given).find("suites", "mine") == given / "suites" / "mine.yaml"
    assert Catalog("../given").find("suites", "mine") == given / "suites" / "mine.yaml"


def test_the_environment_names_a_folder_unless_one_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, given = put(tmp_path / "named", "suites/a.yaml"), put(tmp_path / "given", "suites/b.yaml")
    monkeypatch.setenv("WINDTUNNEL_CATALOG", str(named))
    assert Catalog().find("suites", "a") == named / "suites" / "a.yaml"
    assert "a" not in Catalog(given).names("suites")


@pytest.mark.parametrize("content", [None, "other/x.yaml"])
def test_a_folder_without_any_of_the_four_is_refused(tmp_path: Path, content: str | None) -> None:
    if content:
        put(tmp_path / "given", content)
    with pytest.raises(CatalogError, match=r"given is no catalogue: it should be a folder that holds benchmarks/, suites/, recipes/, runners/"):
        Catalog(tmp_path / "given")


def test_an_unknown_name_gets_a_suggestion_and_the_places_searched(empty_folder: Path) -> None:
    put(empty_folder, "suites/mine.yaml")
    with pytest.raises(CatalogError, match=r"There is no suite 'quickstrat'\. Did you mean 'quickstart'\?.*Searched in: suites, /"):
        Catalog().find("suites", "quickstrat")


def test_a_path_is_taken_as_it_is(empty_folder: Path) -> None:
    put(empty_folder, "own/a.yaml", "own/b.yml")
    assert Catalog().find("suites", "own/a.yaml") == empty_folder / "own" / "a.yaml"
    assert Catalog().find("suites", "./own/b.yml") == empty_folder / "own" / "b.yml"
    assert Catalog().find("suites", Path("own/a.yaml")) == empty_folder / "own" / "a.yaml"


def test_a_relative_path_in_a_file_starts_at_that_file(empty_folder: Path) -> None:
    put(empty_folder, "suites/mine.yaml", "extra/b.yaml")
    found = Catalog().find("benchmarks", "../extra/b.yaml", beside=empty_folder / "suites" / "mine.yaml")
    assert found == empty_folder / "extra" / "b.yaml"


def test_a_missing_file_is_named_as_it_was_looked_for() -> None:
    with pytest.raises(CatalogError, match=r"There is no file own/quickstrat\.yaml\. Did you mean 'quickstart'\?"):
        Catalog().find("suites", "own/quickstrat.yaml")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", "suites/../../secret"])
def test_a_name_may_not_leave_its_folder(empty_folder: Path, name: str) -> None:
    put(empty_folder.parent, "secret.yaml", "secret")
    put(empty_folder, "suites/mine.yaml")
    with pytest.raises(CatalogError, match=r"is neither the name of a suite nor a \.yaml file"):
        Catalog().find("suites", name)


@pytest.mark.parametrize("name", ["", "..", ".", ".hidden", "a b", "mine\n", "mine\0", "*"])
def test_what_cannot_be_a_name_is_no_name(empty_folder: Path, name: str) -> None:
    put(empty_folder, "suites/mine.yaml", "suites/.hidden.yaml")
    with pytest.raises(CatalogError, match=r"There is no suite"):
        Catalog().find("suites", name)


def test_names_are_those_of_yaml_files_only(empty_folder: Path, tmp_path: Path) -> None:
    given = put(tmp_path / "given", "runners/a.yaml", "runners/b.yml", "runners/README.md", "runners/.c.yaml", "runners/d.yaml/e.yaml")
    shipped = set(Catalog().names("runners"))
    assert set(Catalog(given).names("runners")) - shipped == {"a", "b"}


def test_a_yaml_goes_before_a_yml_of_the_same_name(tmp_path: Path) -> None:
    given = put(tmp_path / "given", "runners/a.yml", "runners/a.yaml")
    assert Catalog(given).find("runners", "a").suffix == ".yaml"


def test_paths_are_shown_from_the_working_directory_where_they_lie_in_it(empty_folder: Path, tmp_path: Path) -> None:
    assert Catalog().show(empty_folder / "suites" / "a.yaml") == str(Path("suites") / "a.yaml")
    assert Catalog().show(tmp_path / "a.yaml") == str(tmp_path / "a.yaml")


@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be removed there")
def test_a_working_directory_that_was_removed_is_no_hindrance(empty_folder: Path) -> None:
    empty_folder.rmdir()
    assert "quickstart" in Catalog().names("suites")
