"""Radiographs load from the embedded, the published and an own set; what is left out is counted and named."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from PIL import Image

from medlessons import datasets, settings, splits
from medlessons.datasets import download, orientation
from medlessons.errors import LessonError

COLUMNS = ["path", "patient", "view", "label", "age", "sex", "source"]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "real"))
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", str(tmp_path / "embedded"))
    monkeypatch.delenv("MEDLESSONS_SOURCE", raising=False)
    small = replace(settings.PROFILES["quick"], orientation_patients=6, orientation_render_size=32)
    monkeypatch.setitem(settings.PROFILES, "quick", small)
    monkeypatch.setattr(orientation, "OTHER_PATIENTS", 6)


def write_image(path, level=100, size=(40, 50)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, level, np.uint8)).save(path)


def collection(folder, rows):
    """Write a small collection: rows of (patient, view, file name, is the file there)."""
    for _, _, name, there in rows:
        if there:
            write_image(folder / "images" / name)
    table = pd.DataFrame([(p, v, n, "images", 50, "F") for p, v, n, _ in rows])
    table.columns = ["patientid", "view", "filename", "folder", "age", "sex"]
    table.to_csv(folder / "metadata.csv", index=False)
    return folder


@pytest.fixture
def real(tmp_path):
    return collection(
        tmp_path / "real" / "covid-chestxray-dataset",
        [
            ("1", "PA", "a.png", True),
            ("1", "L", "b.jpg", True),
            ("2", "AP Supine", "c.png", True),
            ("3", "AP", "d.png", True),
            ("4", "Axial", "e.png", True),
            ("4", "Coronal", "f.png", True),
            ("5", "", "g.png", True),
            ("5", "?", "h.png", True),
            ("6", "PA", "gone.png", False),
        ],
    )


# ---------------------------------------------------------------------------------------------------------
# Embedded


def test_the_embedded_set_is_made_once_and_read_as_a_table(capsys):
    table = orientation.load()
    assert list(table.columns) == COLUMNS and table.attrs == {"name": "simulated data", "left_out": {}}
    assert table["patient"].nunique() == 6 and set(table["label"]) == set(orientation.LABELS)
    assert Image.open(table["path"][0]).size == (32, 32)
    stamp = orientation.embedded_path("lesson").stat().st_mtime_ns
    assert orientation.load().equals(table) and orientation.embedded_path("lesson").stat().st_mtime_ns == stamp


def test_one_image_in_eleven_is_lateral_and_visits_share_the_hospital():
    rows = orientation.requests(20_000, 300, orientation.HOSPITALS)
    assert (rows["label"] == "lateral").mean() == pytest.approx(1 / 11, abs=0.002)
    assert set(rows.groupby("patient").size()) == {1, 2, 3}
    assert rows.groupby("patient")["source"].nunique().max() == 1
    assert rows["path"].is_unique


def test_patients_from_elsewhere_are_other_ones_in_other_hospitals():
    here, there = orientation.load(), orientation.load_external()
    assert not set(here["patient"]) & set(there["patient"])
    assert not set(here["source"]) & set(there["source"])


def test_a_missing_file_or_a_changed_recipe_is_made_again():
    table = orientation.load()
    (orientation.embedded_path("lesson") / orientation.RECIPE).write_text("older")
    with open(table["path"][1], "wb") as file:
        file.write(b"damaged")
    assert orientation.load().equals(table)
    assert Image.open(table["path"][1]).size == (32, 32)


def test_nothing_half_made_remains(monkeypatch, tmp_path):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(orientation.thorax, "render_set", stop)
    with pytest.raises(KeyboardInterrupt):
        orientation.prepare()
    assert not [path for path in (tmp_path / "embedded").rglob("*") if path.suffix != ".lock" and path.is_file()]


def test_two_runs_at_once_wait_for_each_other():
    with ThreadPoolExecutor(4) as pool:
        tables = list(pool.map(lambda _: orientation.load("embedded"), range(4)))
    assert all(table.equals(tables[0]) for table in tables)


def test_a_run_that_never_ends_is_named(monkeypatch):
    monkeypatch.setattr(orientation, "LONGEST_WAIT", 0)
    folder = orientation.embedded_path("lesson")
    folder.parent.mkdir(parents=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")), pytest.raises(LessonError, match="__main__"):
        orientation.prepare()


# ---------------------------------------------------------------------------------------------------------
# Published


def test_the_published_set_is_read_and_what_is_left_out_is_counted(real):
    write_image(real / "images" / "nobody.png")
    (real / "images" / "d.png").write_text("no image")
    table = orientation.load("real")
    assert list(table.columns) == COLUMNS
    assert list(table["view"]) == ["PA", "L", "AP Supine"]
    assert list(table["label"]) == ["frontal", "lateral", "frontal"]
    assert list(table["patient"]) == ["1", "1", "2"]
    assert table.attrs["left_out"] == {
        "CT slice, not a radiograph": 2,
        "the view is not known": 2,
        "a row without its file": 1,
        "a file without a row": 1,
        "the file cannot be read": 1,
    }
    assert splits.shared_patients({"a": table[:1], "b": table[1:]}) == ["1"]


def test_a_second_row_of_the_same_file_is_left_out_and_counted(real):
    rows = pd.read_csv(real / "metadata.csv", keep_default_na=False)
    again = rows.iloc[[0, 8]].assign(folder="images/../images")  # of the second, the file is not there at all
    pd.concat([rows, again]).to_csv(real / "metadata.csv", index=False)
    table = orientation.load("real")
    assert table["path"].is_unique and len(table) == 4
    assert table.attrs["left_out"]["a further row of the same file"] == 1


@pytest.mark.parametrize("folder", ["..", "images/../../elsewhere", "{elsewhere}"])
def test_a_row_that_leads_out_of_the_published_set_is_refused(real, tmp_path, folder):
    write_image(tmp_path / "real" / "elsewhere" / "a.png")
    rows = pd.read_csv(real / "metadata.csv", keep_default_na=False)
    rows.loc[1, "folder"] = folder.format(elsewhere=tmp_path / "real" / "elsewhere")
    rows.to_csv(real / "metadata.csv", index=False)
    with pytest.raises(LessonError, match=r"metadata\.csv, line 3, columns folder and filename: .*outside of the coll"):
        orientation.load("real")


def test_elsewhere_is_the_published_set_if_the_source_is_real(real, monkeypatch):
    monkeypatch.setenv("MEDLESSONS_SOURCE", "real")
    assert orientation.load_external().equals(orientation.load())


@pytest.mark.parametrize(
    "damage, says",
    [
        (lambda folder: (folder / "metadata.csv").unlink(), "medlessons data fetch orientation"),
        (lambda folder: (folder / "metadata.csv").write_text(""), "not a readable CSV"),
        (lambda folder: (folder / "metadata.csv").write_text("view,filename,folder\n"), "patientid is missing"),
        (
            lambda folder: (folder / "metadata.csv").write_text("patientid,view,filename,folder\n,PA,a.png,images\n"),
            "line 2, column patientid",
        ),
        (lambda folder: (folder / "images" / "b.jpg").unlink(), "no lateral radiograph"),
        (lambda folder: (folder / "images" / "b.jpg").write_bytes(b"cut"), "no lateral radiograph"),
    ],
)
def test_what_is_wrong_with_the_published_set_is_named(real, damage, says):
    damage(real)
    with pytest.raises(LessonError, match=says):
        orientation.load("real")


def test_an_unknown_source():
    with pytest.raises(LessonError, match="'imagined'"):
        orientation.load("imagined")


# ---------------------------------------------------------------------------------------------------------
# Own folders


def test_own_folders_are_read(tmp_path):
    own = tmp_path / "real" / "orientation"
    for name in ("frontal/7_1.png", "frontal/7_2.png", "lateral/7_3.PNG", "lateral/8.png"):
        write_image(own / name)
    (own / "lateral" / "notes.txt").write_text("not an image by its name")
    table = orientation.load("real")
    assert list(table["patient"]) == ["7", "7", "7", "8"]
    assert list(table["label"]) == ["frontal", "frontal", "lateral", "lateral"]
    assert table.attrs["name"] == "own data"


@pytest.mark.parametrize("label, other", [("frontal", "lateral"), ("lateral", "frontal")])
def test_a_folder_with_one_class_only_is_refused(tmp_path, label, other):
    write_image(tmp_path / "real" / "orientation" / label / "1.png")
    with pytest.raises(LessonError, match=f"no {other} radiograph .1 {label}."):
        orientation.load("real")


def test_a_folder_of_dicom_files_says_to_convert_them(tmp_path):
    path = tmp_path / "real" / "orientation" / "frontal" / "IM0001"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(128) + b"DICM")
    with pytest.raises(LessonError, match=r"DICOM files\. Convert them to PNG first"):
        orientation.load("real")


# ---------------------------------------------------------------------------------------------------------
# Fetching and status


def test_fetch_takes_a_folder_or_a_zip(real, tmp_path, monkeypatch):
    archive = tmp_path / "master.zip"
    with zipfile.ZipFile(archive, "w") as members:
        for path in real.rglob("*"):
            members.write(path, "covid-chestxray-dataset-master" / path.relative_to(real))
    for number, origin in enumerate((real, archive)):
        monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / f"goal{number}"))
        goal = orientation.fetch(origin)
        assert goal == tmp_path / f"goal{number}" / "covid-chestxray-dataset"
        assert len(orientation.load("real")) == 4
        with pytest.raises(LessonError, match="something already"):
            orientation.fetch(origin)


def test_fetch_places_nothing_that_cannot_be_read(real, tmp_path, monkeypatch):
    (real / "images" / "b.jpg").unlink()
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "goal"))
    with pytest.raises(LessonError, match="no lateral"):
        orientation.fetch(real)
    assert not (tmp_path / "goal" / "covid-chestxray-dataset").exists()


def test_fetch_refuses_another_table(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n")
    with pytest.raises(LessonError, match=r"other\.csv: this is not the published collection.*--from"):
        orientation.fetch(tmp_path / "other.csv")


def test_fetch_from_nothing_does_not_download():
    with pytest.raises(LessonError, match="--from is empty"):
        orientation.fetch("")


def test_fetch_unpacks_beside_its_goal(real, tmp_path, monkeypatch):
    used = []
    bring = download.bring
    monkeypatch.setattr(download, "bring", lambda *args: used.append(args[1]) or bring(*args))
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "goal"))
    orientation.fetch(real)
    assert used[0].parent == tmp_path / "goal" and not used[0].exists()


def statuses():
    return {line.source: line for line in orientation.status()}


def test_status(real):
    before = statuses()
    assert not before["embedded"].present and before["embedded"].note == "not there"
    assert before["real"].present and before["real"].rows == 8 and before["real"].verified
    orientation.prepare()
    assert statuses()["embedded"].verified
    assert [line for line in datasets.status() if line.name == "orientation"]


@pytest.mark.parametrize("own", [False, True])
def test_status_does_not_take_a_text_for_an_image(real, tmp_path, own):
    folder = real / "images"
    if own:
        folder = tmp_path / "real" / "orientation" / "frontal"
        write_image(folder / "a.png")
    (folder / "x.png").write_text("no image")
    line = statuses()["real"]
    assert not line.verified and "1 of the files are no images, such as x.png" in line.note


def test_status_without_any_image(tmp_path):
    (tmp_path / "real" / "orientation").mkdir(parents=True)
    line = statuses()["real"]
    assert not line.verified and line.note == "own data, but no image"


@pytest.mark.parametrize("damage", ["recipe", "image", "table"])
def test_status_does_not_verify_embedded_images_that_will_be_made_again(damage):
    path = orientation.load()["path"][0]
    folder = orientation.embedded_path("lesson")
    if damage == "recipe":
        (folder / "recipe.md5").write_text("older")
    elif damage == "image":
        Path(path).unlink()
    else:
        (folder / "metadata.csv").write_text("")
    line = statuses()["embedded"]
    assert line.present and not line.verified and "made again" in line.note
    orientation.prepare()
    assert statuses()["embedded"].verified
