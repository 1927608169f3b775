"""What every data set of the lessons promises, whatever it is made of."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from medlessons import data, settings
from medlessons.data import anemia, brain, covid, findings, orientation
from medlessons.errors import LessonError
from simclinic import clinic

LOADERS = {
    "anemia": {"load": anemia.load},
    "orientation": {"load": orientation.load, "load_external": orientation.load_external},
    "findings": {f"load {part}": partial(findings.load, part) for part in findings.PARTS},
    "covid": {"load": covid.load, "load_outside": covid.load_outside},
    "brain": {"load": brain.load},
}
LABELS = {"orientation": ["label"], "findings": list(findings.FINDINGS), "covid": ["label"]}
CASES = [(name, how) for name, loaders in LOADERS.items() for how in loaders]
IMAGES = [case for case in CASES if case[0] in LABELS]


def test_every_data_set_is_held_to_this():
    assert LOADERS.keys() == data.REGISTRY.keys()


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path_factory):
    """Few and small images, made once for all tests."""
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", str(tmp_path_factory.getbasetemp() / "contract"))
    for task in (orientation, findings, covid):
        monkeypatch.setitem(task.SIZE, "quick", 32)
    monkeypatch.setitem(brain.HEADS, "quick", 2)
    for figures in (orientation.PATIENTS, orientation.PATIENTS_ELSEWHERE):
        monkeypatch.setitem(figures, "quick", 6)
    parts, request = findings._draw_tables(), covid._draw_table
    monkeypatch.setattr(findings, "_draw_tables", lambda: {part: table.head(6) for part, table in parts.items()})
    monkeypatch.setattr(covid, "_draw_table", lambda part: request(part).head(6))


# ---------------------------------------------------------------------------------------------------------
# Embedded


@pytest.mark.parametrize("name, how", CASES)
def test_embedded_is_the_default_and_the_same_every_time(name, how):
    load = LOADERS[name][how]
    first = load()
    assert first.attrs["name"] == "simulated data" and len(first) > 0
    assert first.equals(load("embedded"))
    shutil.rmtree(settings.embedded_dir() / name)
    assert first.equals(load("embedded")), "made again, it is the same"


@pytest.mark.parametrize("name, how", IMAGES)
def test_image_tables_have_the_same_columns_and_kinds(name, how):
    table, labels = LOADERS[name][how](), LABELS[name]
    assert list(table.columns) == [
        "path",
        "patient",
        "view",
        *labels,
        "age",
        "sex",
        "source",
        *clinic.SIMULATION_COLUMNS,
    ]
    assert table.attrs.keys() == {"name", "left_out", "unreadable"}
    assert list(table.index) == list(range(len(table)))
    assert all(Path(path).is_absolute() and Path(path).is_file() for path in table["path"])
    for column in ("path", "patient", "view", "sex", "source"):
        assert table[column].map(type).eq(str).all(), column
    assert table["age"].dtype == float
    if labels == ["label"]:
        assert set(table["label"]) <= set(data.REGISTRY[name].LABELS)
    else:
        assert (table[labels].dtypes == "int64").all() and table[labels].isin((0, 1)).all(axis=None)


@pytest.mark.parametrize("name, how", IMAGES)
def test_every_embedded_image_leads_back_to_its_patient(name, how):
    row = LOADERS[name][how]().iloc[-1]
    known = clinic.truth(row, 32)
    assert known.patient.id == row["patient"] and known.view == row["view"] and known.style.name == row["source"]


# ---------------------------------------------------------------------------------------------------------
# Real


@pytest.mark.parametrize("name, how", CASES)
def test_what_is_not_there_is_named_with_the_next_step(name, how):
    with pytest.raises(LessonError) as error:
        LOADERS[name][how]("real")
    said = str(error.value)
    assert str(settings.real_dir()) in said
    assert "medlessons data fetch" in said and "MEDLESSONS_SOURCE=embedded" in said


@pytest.mark.parametrize("name, how", CASES)
def test_an_unknown_source_is_named(name, how, monkeypatch):
    with pytest.raises(LessonError, match="source is 'imagined', but it must be"):
        LOADERS[name][how]("imagined")
    monkeypatch.setenv("MEDLESSONS_SOURCE", "real")
    with pytest.raises(LessonError, match="medlessons data fetch"):
        LOADERS[name][how]()


# ---------------------------------------------------------------------------------------------------------
# Both


@pytest.mark.parametrize("name", ["orientation", "covid"])
def test_own_images_in_one_folder_a_label_are_welcome(name, write_image):
    task = data.REGISTRY[name]
    for label in task.LABELS:
        write_image(settings.real_dir() / name / label / f"{label}_1.png")
    table = task.load("real")
    assert table.attrs["name"] == "own data" and sorted(table["label"]) == sorted(task.LABELS)
    assert list(table.columns) == ["path", "patient", "view", "label", "age", "sex", "source"]
