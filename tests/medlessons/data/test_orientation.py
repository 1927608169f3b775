"""Radiographs of lesson 2 come from the embedded, the published and an own set, with view and label."""

import pytest
from PIL import Image

import simclinic
from medlessons import images, splits
from medlessons.data import orientation
from medlessons.errors import LessonError
from simclinic import clinic

COLUMNS = ["path", "patient", "view", "label", "age", "sex", "source"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for figures, value in ((orientation.SIZE, 32), (orientation.PATIENTS, 6), (orientation.PATIENTS_ELSEWHERE, 6)):
        monkeypatch.setitem(figures, "quick", value)


def test_embedded_images_are_made_and_lead_back_to_their_patients():
    table = orientation.load()
    assert list(table.columns) == [*COLUMNS, "seed", "visit", "hospital", "findings"]
    assert table.attrs == {"name": "simulated data", "left_out": {}, "unreadable": {}}
    assert table["patient"].nunique() == 6 and set(table["label"]) == set(orientation.LABELS)
    row = table.loc[table["label"].eq("lateral").idxmax()]
    assert row["view"] == "L" and (images.read(row["path"]) == clinic.truth(row, 32).image).all()


def test_one_image_in_eleven_is_lateral_and_both_frontal_views_are_frequent(monkeypatch):
    monkeypatch.setitem(orientation.PATIENTS, "quick", 300)
    rows = orientation._draw_table("lesson")
    assert (rows["label"] == "lateral").mean() == pytest.approx(1 / 11, abs=0.002)
    assert set(rows.groupby("patient").size()) == {1, 2, 3}
    frontal = rows[rows["label"] == "frontal"]
    assert (frontal["view"] == "AP").mean() == pytest.approx(0.4, abs=0.08), "the second task: PA or AP"


def test_patients_from_elsewhere_are_other_ones_in_other_hospitals():
    here, there = orientation.load(), orientation.load_external()
    assert not set(here["patient"]) & set(there["patient"])
    assert not set(here["source"]) & set(there["source"])


def test_frontals_are_labelled_pa_or_ap_also_lying_ones(chest_collection):
    table = orientation.read_published(chest_collection)
    rows = orientation.frontals(table)
    assert rows["label"].tolist() == ["PA", "AP", "AP"]
    assert rows["view"].tolist() == ["PA", "AP Supine", "AP"]
    assert rows.index.tolist() == [0, 1, 2] and rows.attrs["name"] == table.attrs["name"]


def test_own_images_do_not_say_which_frontal_view_so_these_are_simulated():
    own = orientation.load().assign(view="")
    own.attrs["name"] = "own data"
    rows = orientation.frontals(own)
    assert rows.attrs["name"] == "simulated data" and set(rows["label"]) == set(orientation.PROJECTIONS)


def test_another_simulator_makes_other_images(monkeypatch):
    path = orientation.load()["path"][0]
    stamp = orientation.embedded_folder("lesson").stat().st_mtime_ns
    orientation.load()
    assert orientation.embedded_folder("lesson").stat().st_mtime_ns == stamp
    monkeypatch.setattr(simclinic, "VERSION", simclinic.VERSION + 1)
    orientation.load()
    assert orientation.embedded_folder("lesson").stat().st_mtime_ns > stamp and Image.open(path).size == (32, 32)


def test_the_published_set_is_read_and_what_is_left_out_is_counted(chest_collection):
    (chest_collection / "images" / "d.png").write_text("no image")
    table = orientation.load("real")
    assert list(table.columns) == COLUMNS
    assert list(table["view"]) == ["PA", "L", "AP Supine"]
    assert list(table["label"]) == ["frontal", "lateral", "frontal"]
    assert table.attrs["left_out"] == {
        "CT slice, not a radiograph": 1,
        "the view is not known": 1,
        "the file cannot be read": 1,
    }
    assert splits.shared_patients({"a": table[:1], "b": table[1:]}) == ["1"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"cut")])
def test_without_laterals_there_is_nothing_to_tell_apart(chest_collection, damage):
    damage(chest_collection / "images" / "b.jpg")
    with pytest.raises(LessonError, match=r"no lateral radiograph .*medlessons data fetch"):
        orientation.load("real")


def test_elsewhere_is_the_published_set_if_the_source_is_real(chest_collection, monkeypatch):
    monkeypatch.setenv("MEDLESSONS_SOURCE", "real")
    assert orientation.load_external().equals(orientation.load())


def test_own_images_come_before_published_ones(chest_collection, tmp_path, write_image):
    for label in orientation.LABELS:
        write_image(tmp_path / "real" / "orientation" / label / f"{label}_1.png")
    table = orientation.load("real")
    assert table.attrs["name"] == "own data" and list(table["label"]) == list(orientation.LABELS)
