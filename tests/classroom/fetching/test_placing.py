"""A data set comes to its place whole, checked, by one renaming; whoever asks at the same time."""

import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from classroom.fetching import archives, download, placing, table
from medlessons.data import manifest, places
from medlessons.errors import LessonError


@pytest.fixture
def published(tmp_path):
    folder = tmp_path / "downloads" / "toy-master"
    (folder / "images").mkdir(parents=True)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "images" / "a.png")
    (folder / "table.csv").write_text("path\nimages/a.png\n")
    (folder / "scripts").mkdir()
    return folder


def check(folder):
    path = folder / "images" / "a.png"
    if not path.is_file() or b"PNG" not in path.read_bytes():
        raise LessonError(f"{path}: damaged")


LISTED = table.Collection("toy", "toy", {}, ())
TOY = table.Collection("toy", "toy", {"toy": check}, ("table.csv", "images"))


def bring(origin, *others, name="toy"):
    return placing.bring([TOY, *others], name, origin)


def test_a_folder_is_left_where_it_is_and_only_what_is_needed_comes_along(published):
    assert bring(published) == TOY.folder
    assert sorted(path.name for path in TOY.folder.iterdir()) == ["images", "manifest.csv", "table.csv"]
    assert (published / "images" / "a.png").is_file()


def test_what_cannot_be_written_to_becomes_a_copy_that_can(published):
    (published / "images" / "a.png").chmod(0o400)
    (published / "images").chmod(0o500)
    bring(published)
    assert os.access(TOY.folder / "images" / "a.png", os.W_OK)
    assert (TOY.folder / "images").stat().st_mode & 0o200
    (published / "images").chmod(0o700)
    placing.take_away(TOY.folder)
    assert not TOY.folder.exists()


def test_a_copy_needs_space(published, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 3}))
    with pytest.raises(LessonError, match=r"the copy: it needs \d+ bytes, but the disk of .* has 3 bytes left"):
        bring(published)
    assert not TOY.folder.exists()


def packed(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder.parent))
    return path


def test_what_was_unpacked_is_moved_not_copied(published, tmp_path, monkeypatch):
    monkeypatch.setattr(placing, "_copy", None)
    assert bring(packed(published, tmp_path / "toy.zip")) == TOY.folder
    check(TOY.folder)
    assert not places.workspace_of(TOY.folder).exists()


def test_messages_name_what_the_user_gave(published, tmp_path):
    (published / "images" / "a.png").write_bytes(b"cut")
    for origin in (published, packed(published, tmp_path / "toy.zip")):
        with pytest.raises(LessonError, match=rf"^{origin}.*/images/a\.png: damaged"):
            bring(origin)


def test_what_fails_its_check_is_not_placed(published):
    (published / "images" / "a.png").write_bytes(b"cut")
    with pytest.raises(LessonError, match="damaged"):
        bring(published)
    assert [path.name for path in TOY.folder.parent.iterdir()] == [".toy.lock"]


def test_a_whole_set_is_never_replaced_and_a_damaged_one_is_kept_aside(published, capsys):
    bring(published)
    (TOY.folder / "images" / "a.png").write_bytes(b"mine")
    bring(published)
    assert (TOY.folder.with_name("toy.1") / "images" / "a.png").read_bytes() == b"mine"
    assert "did not pass its check. It is now toy.1" in capsys.readouterr().err
    with pytest.raises(LessonError, match="toy: there is something already, and it is whole"):
        bring(published)


def test_the_first_collection_that_fits_is_taken(published, tmp_path):
    own = table.Collection("own", "own", {"toy": check}, ("images",))
    assert bring(published, own) == TOY.folder
    (published / "table.csv").unlink()
    assert bring(published, own) == own.folder
    (published / "images").rename(published / "pictures")
    (own.folder / "images" / "a.png").unlink()
    with pytest.raises(LessonError, match=r"toy-master: this is not the data set\. .*table.csv, images; or images"):
        bring(published, own)


@pytest.mark.parametrize("is_full", [True, False])
def test_a_whole_download_is_kept_if_only_the_disk_is_full(tmp_path, monkeypatch, is_full):
    def get(remote, folder):
        folder.mkdir()
        with zipfile.ZipFile(folder / "toy.zip", "w") as archive:
            archive.writestr("other.csv", "x" * 100)
        return folder / "toy.zip"

    monkeypatch.setattr(download, "get", get)
    if is_full:
        monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    with pytest.raises(LessonError, match="toy.zip: it needs" if is_full else "this is not the data set"):
        bring("https://h/toy.zip")
    assert (places.workspace_of(TOY.folder) / "downloads" / "toy.zip").exists() == is_full


KILLED = """
import sys, time
from classroom.fetching import placing, table
from medlessons.errors import LessonError

def slow_check(folder):
    if not (folder / "images" / "a.png").is_file():
        raise LessonError("not there")
    print("checking", flush=True)
    time.sleep(60)

placing.bring([table.Collection("toy", "toy", {"toy": slow_check}, ("table.csv", "images"))], "toy", sys.argv[1])
"""


def test_a_fetch_that_is_killed_places_nothing_and_the_next_one_ends_well(published):
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, published], stdout=subprocess.PIPE, env={**os.environ}, text=True
    )
    assert run.stdout.readline() == "checking\n"
    run.kill()
    run.wait()
    assert not TOY.folder.exists() and len(list(TOY.folder.parent.iterdir())) > 1
    bring(published)
    assert sorted(path.name for path in TOY.folder.parent.iterdir()) == [".toy.lock", "toy"]


def test_of_what_was_fetched_every_file_is_listed_and_can_be_read_again(write_image):
    folder = TOY.folder
    for level, name in enumerate(("a.png", "deep/b.png")):
        write_image(folder / name, level)
    (folder / "table.csv").write_text("a,b")
    placing.read_all(folder)
    assert list(manifest.read(folder).index) == ["a.png", "deep/b.png", "table.csv"] and placing.verify(LISTED) == []
    write_image(folder / "a.png", 200)
    (folder / "table.csv").write_text("a,c")
    (folder / "deep" / "b.png").unlink()
    faults = placing.verify(LISTED)
    assert [fault.split("/")[-1] for fault in faults] == [
        "a.png: it has changed since it was fetched.",
        "b.png: it cannot be read (No such file or directory).",
        "table.csv: it has changed since it was fetched.",
    ]
