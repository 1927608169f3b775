"""Images are read once; afterwards the list is believed, and a file that changed is named."""

import os

import numpy as np
import pytest

from medlessons.data import manifest
from medlessons.errors import LessonError

NAMES = ["a.png", "deep/b.png", "c.png"]


@pytest.fixture
def folder(tmp_path, write_image):
    for level, name in enumerate(NAMES[:2]):
        write_image(tmp_path / "set" / name, level)
    (tmp_path / "set" / "c.png").write_text("no image")
    return tmp_path / "set"


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that are decoded."""
    seen = []
    read = manifest.images.read
    monkeypatch.setattr(manifest.images, "read", lambda path: (seen.append(path.name), read(path)))
    return seen


def test_each_image_is_read_once(folder, opened):
    first = manifest.verify(folder, NAMES)
    assert sorted(opened) == ["a.png", "b.png", "c.png"]
    assert first["a.png"] == first["deep/b.png"] == "" and first["c.png"].startswith("this is not an image")
    assert manifest.verify(folder, NAMES[::-1]) == first and len(opened) == 3


def test_what_was_laid_by_hand_is_not_written_to(folder):
    before = sorted(folder.rglob("*"))
    manifest.verify(folder, NAMES)
    assert sorted(folder.rglob("*")) == before


def test_what_was_fetched_is_listed_where_it_lies(folder, opened):
    (folder / manifest.FILE).touch()
    manifest.verify(folder, NAMES)
    moved = folder.rename(folder.with_name("moved"))
    del opened[:]
    manifest.verify(moved, NAMES)
    assert not opened, "the list moved with the images"


@pytest.mark.parametrize("own", [False, True])
def test_a_changed_image_is_named_or_read_again(folder, write_image, own):
    manifest.verify(folder, NAMES)
    write_image(folder / "a.png", 200)
    if own:
        assert manifest.verify(folder, NAMES, own=True)["a.png"] == ""
        return
    with pytest.raises(LessonError, match=r"a\.png: this image has changed since it was first read\. Bring back"):
        manifest.verify(folder, NAMES)
    manifest.place_of(folder).unlink()
    assert manifest.verify(folder, NAMES)["a.png"] == ""


def test_another_time_alone_is_no_change(folder, opened):
    manifest.verify(folder, NAMES)
    os.utime(folder / "a.png", (1, 1))
    assert manifest.verify(folder, NAMES)["a.png"] == "" and opened.count("a.png") == 2


def test_a_damaged_image_that_was_mended_is_welcome(folder, write_image):
    manifest.verify(folder, NAMES)
    write_image(folder / "c.png")
    assert set(manifest.verify(folder, NAMES).values()) == {""}


@pytest.mark.parametrize("content", ["", "path,size\n", "path,size,time,sha256,error\na.png,?,1,0,\n", "\0"])
def test_a_damaged_list_is_made_anew(folder, opened, content):
    manifest.verify(folder, NAMES)
    manifest.place_of(folder).write_text(content)
    assert len(manifest.verify(folder, NAMES)) == 3 and len(opened) == 6


def test_times_are_kept_to_the_nanosecond(folder):
    os.utime(folder / "a.png", ns=(2**60 + 1, 2**60 + 1))
    manifest.verify(folder, NAMES)
    assert manifest.read(folder).at["a.png", "time"] == np.int64(2**60 + 1)
