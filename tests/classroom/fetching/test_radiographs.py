"""Radiographs of lessons 2 and 4 are fetched: what a task lacks, one collection, or an instructor's own."""

import shutil
import zipfile

import pandas as pd
import pytest

from classroom.fetching import download, placing, table
from medlessons.data import covid, orientation
from medlessons.errors import LessonError


@pytest.fixture
def real(tmp_path, write_image):
    """A small published collection."""
    folder = tmp_path / "real" / "covid-chestxray-dataset"
    views = {"a.png": "PA", "b.jpg": "L", "c.png": "AP Supine", "d.png": "AP", "e.png": "Axial", "f.png": "?"}
    for name in views:
        write_image(folder / "images" / name)
    rows = pd.DataFrame({"patientid": list("112344"), "view": views.values(), "filename": views.keys()})
    rows.assign(folder="images", age=50, sex="F").to_csv(folder / "metadata.csv", index=False)
    return folder


def test_own_images_come_before_published_ones(real, tmp_path, write_image):
    for label in orientation.LABELS:
        write_image(tmp_path / "mine" / label / f"{label}_1.png")
    assert placing.fetch("orientation", tmp_path / "mine") == [tmp_path / "real" / "orientation"]
    table = orientation.load("real")
    assert table.attrs["name"] == "own data" and list(table["label"]) == list(orientation.LABELS)


def test_fetch_takes_a_folder_or_a_zip_of_the_published_set(real, tmp_path, monkeypatch):
    archive = tmp_path / "master.zip"
    with zipfile.ZipFile(archive, "w") as members:
        for path in real.rglob("*"):
            members.write(path, "covid-chestxray-dataset-master" / path.relative_to(real))
    for number, origin in enumerate((real, real / "metadata.csv", archive)):
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


@pytest.fixture
def adults(tmp_path, write_image):
    folder = tmp_path / "real" / "covid-chestxray-dataset"
    rows = [
        ("1", "PA", "COVID-19"),
        ("2", "AP Supine", "Pneumonia/Viral/COVID-19"),
        ("2", "L", "COVID-19, ARDS"),
        ("2", "Axial", "COVID-19"),
        ("3", "PA", "SARS"),
        ("4", "PA", "No Finding"),
        ("5", "PA", "todo"),
        ("1", "PA", "Streptococcus"),
    ]
    table = pd.DataFrame(rows, columns=["patientid", "view", "finding"])
    table["filename"] = [f"{number}.png" for number in table.index]
    for name in table["filename"]:
        write_image(folder / "images" / name)
    table.assign(folder="images", age=50, sex="F").to_csv(folder / "metadata.csv", index=False)
    return folder


@pytest.fixture
def children(tmp_path, write_image):
    folder = tmp_path / "real" / "chest_xray"
    for name in ("NORMAL/IM-0001-0001.jpeg", "NORMAL/IM-0002-0001.jpeg", "PNEUMONIA/person1_virus_6.jpeg"):
        write_image(folder / "train" / name)
    return folder


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
