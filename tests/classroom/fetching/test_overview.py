"""What is there of each data set is said in one line for each source."""

import errno

import numpy as np
import pytest

from classroom import fetching
from classroom.fetching import overview
from medlessons import data, settings
from medlessons.data import anemia, orientation
from medlessons.data.collections import chestxray8


def line_of(name, source="real"):
    return next(line for line in fetching.status() if (line.name, line.source) == (name, source))


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """The embedded sets of images are a folder and a word."""
    for task in data.REGISTRY.values():
        monkeypatch.setattr(task, "embedded", lambda name=task.NAME: (tmp_path / "embedded" / name, "recipe"))


def test_each_set_has_a_line_for_each_source():
    *lines, embedded, real = fetching.status()
    assert [(line.name, line.source) for line in lines] == [(n, s) for n in data.REGISTRY for s in ("embedded", "real")]
    assert (embedded.name, embedded.source, embedded.rows) == (
        "predictions",
        "embedded",
        4000,
    )  # part of the repository
    assert (real.name, real.source, real.present) == ("predictions", "real", False)
    assert {(line.present, line.verified, line.rows, line.note) for line in lines} == {(False, False, 0, "not there")}
    assert [line.name for line in fetching.status({1, 3})] == ["anemia", "anemia", "findings", "findings"]


def test_what_is_made(tmp_path, monkeypatch):
    folder = tmp_path / "embedded" / "covid"
    data.places.made(folder, "recipe", lambda to: (to / "table.csv").write_text("path\na.png\n"))
    line = line_of("covid", "embedded")
    assert (line.present, line.rows, line.verified, line.note) == (True, 1, True, "simulated data")
    monkeypatch.setattr(data.covid, "embedded", lambda: (folder, "newer"))
    line = line_of("covid", "embedded")
    assert line.present and not line.verified and "made again" in line.note


def test_blood_counts_are_read(sound, monkeypatch):
    place = anemia.real_folder() / anemia.FILE
    place.parent.mkdir(parents=True)
    assert line_of("anemia").note == "diagnosed_cbc_data_v4.csv is missing"
    sound.to_csv(place, index=False)
    line = line_of("anemia")
    assert (line.note, line.rows, line.verified) == ("own data", len(sound), True)
    place.write_text("")
    assert line_of("anemia").present and "the file is empty" in line_of("anemia").note

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(type(place), "exists", refuse)
    assert "no permission" in overview._real("anemia").note


def test_images_are_counted_and_believed_once_they_were_read(write_image, monkeypatch):
    folder = settings.real_dir() / "covid-chestxray-dataset"
    for name in ("a.png", "b.png"):
        write_image(folder / "images" / name)
    assert line_of("orientation").note == "metadata.csv is missing" and not line_of("orientation").verified
    (folder / "metadata.csv").write_text("")
    line = line_of("orientation")
    assert (line.rows, line.verified, line.note) == (2, True, "published data")
    (folder / "images" / "b.png").write_text("no image")
    (folder / "images" / "._a.png").write_text("a ghost")
    assert "1 of the files are no images, such as b.png" in line_of("orientation").note
    assert not line_of("orientation").verified
    data.manifest.verify(folder, ["images/a.png"])
    monkeypatch.setattr(overview.images, "is_image", lambda path: path.name == "b.png")
    assert line_of("orientation").verified, "what was read is not opened again"


def test_own_images_come_first(write_image):
    for label in orientation.LABELS:
        (settings.real_dir() / "orientation" / label).mkdir(parents=True)
    assert line_of("orientation").note == "own data, but no image"
    write_image(settings.real_dir() / "orientation" / "frontal" / "1.png")
    assert (line_of("orientation").note, line_of("orientation").rows) == ("own data", 1)


def test_all_forms_of_the_release_are_counted(write_image):
    folder = chestxray8.folder()
    for name in ("images_001/images/a.png", "images-224/images-224/b.png"):
        write_image(folder / name)
    (folder / "labels.csv").write_text("")
    assert line_of("findings").rows == 2 and np.all(line_of("findings").verified)
