"""Radiographs of lessons 2 and 4 are fetched: what a task lacks, one collection, or an instructor's own."""

import shutil
import zipfile

import pytest

from classroom.fetching import download, placing, table
from medlessons.data import covid, orientation
from medlessons.errors import LessonError


def test_own_images_come_before_published_ones(chest_collection, tmp_path, write_image):
    for label in orientation.LABELS:
        write_image(tmp_path / "mine" / label / f"{label}_1.png")
    assert placing.fetch("orientation", tmp_path / "mine") == [tmp_path / "real" / "orientation"]
    table = orientation.load("real")
    assert table.attrs["name"] == "own data" and list(table["label"]) == list(orientation.LABELS)


def test_fetch_takes_a_folder_or_a_zip_of_the_published_set(chest_collection, tmp_path, monkeypatch):
    archive = tmp_path / "master.zip"
    with zipfile.ZipFile(archive, "w") as members:
        for path in chest_collection.rglob("*"):
            members.write(path, "covid-chestxray-dataset-master" / path.relative_to(chest_collection))
    for number, origin in enumerate((chest_collection, chest_collection / "metadata.csv", archive)):
        monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / f"goal{number}"))
        (goal,) = placing.fetch("orientation", origin)
        assert goal == tmp_path / f"goal{number}" / "covid-chestxray-dataset"
        assert (goal / "manifest.csv").read_text().count("\n") == 8, "its table and images are listed"
        assert len(orientation.load("real")) == 4
        with pytest.raises(LessonError, match="something already"):
            placing.fetch("orientation", origin)


def test_fetch_refuses_another_table_and_an_empty_origin(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n")
    with pytest.raises(LessonError, match=r"other\.csv: this is not the data set.*metadata\.csv, images.*--from"):
        placing.fetch("orientation", tmp_path / "other.csv")
    with pytest.raises(LessonError, match="--from is empty"):
        placing.fetch("orientation", "")


def test_fetch_brings_either_collection_or_own_images(adults, children, tmp_path, monkeypatch, write_image):
    for label in covid.LABELS:
        write_image(tmp_path / "mine" / label / f"{label}_1.png")
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "goal"))
    for origin in (adults, children.parent / "chest_xray"):
        assert placing.fetch("covid", origin) == [tmp_path / "goal" / origin.name]
    assert len(covid.load("real")) == 5 and (tmp_path / "goal" / "chest_xray" / "manifest.csv").is_file()
    placing.fetch("covid", tmp_path / "mine")
    assert covid.load("real").attrs["name"] == "own data"


def test_fetch_downloads_what_is_missing(adults, children, tmp_path, monkeypatch):
    asked = []

    def get(remote, folder):
        asked.append(remote)
        return children

    monkeypatch.setattr(download, "get", get)
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "goal"))
    shutil.copytree(adults, tmp_path / "goal" / adults.name)
    for name in ("covid", "kermany", "covid", "covid_chestxray"):
        folders = [one.folder for one in table.named(name) if one.is_published]
        assert placing.fetch(name) == folders
    assert [remote.name for remote in asked] == ["ChestXRay2017.zip"] and asked[0].known_hash.startswith(
        "sha256:13efc055"
    )
