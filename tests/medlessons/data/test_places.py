"""Data are made or fetched whole or not at all, once, whoever asks at the same time; what is there is said."""

import errno
import os
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from classroom.fetching import download
from medlessons.data import places
from medlessons.errors import LessonError


def make(folder):
    (folder / "images").mkdir()
    (folder / "images" / "a.png").write_bytes(b"drawn")
    (folder / "table.csv").write_text("path\nimages/a.png\n")


# ---------------------------------------------------------------------------------------------------------
# Made


@pytest.fixture
def goal(tmp_path):
    return tmp_path / "embedded" / "toy" / "64px"


def leftovers(goal):
    return [path for path in goal.parent.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_what_is_whole_is_not_made_again(goal):
    calls = []
    for _ in range(2):
        assert places.made(goal, "recipe", lambda folder: (calls.append(1), make(folder))) == goal
    assert len(calls) == 1 and (goal / "images" / "a.png").read_bytes() == b"drawn"


@pytest.mark.parametrize(
    "damage",
    [
        lambda goal: (goal / "images" / "a.png").unlink(),
        lambda goal: (goal / "images" / "a.png").write_bytes(b"drawm"),  # as long as before
        lambda goal: (goal / places.CONTENTS).write_text("another recipe"),
        lambda goal: (goal / places.CONTENTS).write_text(""),
        lambda goal: (goal / places.CONTENTS).write_text("recipe\nno list"),
        lambda goal: (goal / "images" / "a.png").write_bytes(b"half"),
        lambda goal: (goal / places.CONTENTS).unlink(),
        lambda goal: (places.remove(goal), goal.write_text("a file stands here")),
    ],
)
def test_what_is_damaged_or_out_of_date_is_made_again(goal, damage):
    places.made(goal, "recipe", make)
    damage(goal)
    assert not places.is_whole(goal, "recipe")
    places.made(goal, "recipe", make)
    assert places.is_whole(goal, "recipe") and not places.is_whole(goal, "another recipe")


@pytest.mark.parametrize(
    "trouble, seen, says",
    [
        (OSError(errno.ENOSPC, "No space left on device"), LessonError, "the disk is full"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_nothing_half_made_remains(goal, trouble, seen, says):
    def stop(folder):
        make(folder)
        raise trouble

    with pytest.raises(seen, match=says):
        places.made(goal, "recipe", stop)
    assert not goal.exists() and not leftovers(goal)


def test_runs_at_once_wait_for_each_other(goal):
    calls = []
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: places.made(goal, "recipe", lambda f: (calls.append(1), make(f))), range(8)))
    assert len(calls) == 1


def test_what_is_there_is_neither_read_nor_locked(goal, monkeypatch):
    places.made(goal, "recipe", make)
    for name in ("table.csv", "images/a.png"):
        os.utime(goal / name, (1, 1))
    monkeypatch.setattr(places.files, "sha256", lambda path: pytest.fail(f"{path} is read"))
    monkeypatch.setattr(places, "_alone", lambda *_: pytest.fail("waits for a lock"))
    places.made(goal, "recipe", make)


def test_a_copy_is_read_once_and_damage_of_old_files_is_found_by_reading_all(goal, monkeypatch):
    places.made(goal, "recipe", make)
    os.utime(goal / places.CONTENTS, (1, 1))  # as if the files had been copied after it
    assert places.is_whole(goal, "recipe")
    (goal / "images" / "a.png").write_bytes(b"drawm")
    os.utime(goal / "images" / "a.png", (1, 1))
    assert places.is_whole(goal, "recipe") and not places.is_whole(goal, "recipe", thorough=True)


HOLDS = """
import sys, time
from pathlib import Path
from medlessons.data import places
places.made(Path(sys.argv[1]), "recipe", lambda folder: (print("making", flush=True), time.sleep(60)))
"""


def test_a_run_that_never_ends_is_named_with_its_process(goal, monkeypatch, capsys):
    monkeypatch.setattr(places, "LONGEST_WAIT", 0.1)
    run = subprocess.Popen([sys.executable, "-c", HOLDS, goal], stdout=subprocess.PIPE, text=True)
    try:
        assert run.stdout.readline() == "making\n"
        says = rf"64px: process {run.pid} \(for 0 min \d+ s\) is still busy with it"
        with pytest.raises(LessonError, match=says):
            places.made(goal, "recipe", make)
    finally:
        run.kill()
        run.wait()
        run.stdout.close()
    assert f"process {run.pid} (for 0 min" in capsys.readouterr().err
    places.made(goal, "recipe", make)
    assert places.is_whole(goal, "recipe") and not goal.with_name(".64px.pid").exists()


UNGUARDED = """
import sys
from pathlib import Path
import pandas as pd
from medlessons.data import simulated
from simclinic import clinic
import numpy as np
rng = np.random.default_rng(0)
rows = clinic.draw_visits(clinic.draw_patients(range(100), rng, (1,)), [1] * 100)
table = pd.DataFrame(clinic.name_images(rows)).assign(findings="[]", label="frontal")
simulated.made(Path(sys.argv[1]), "recipe", lambda: {"table": table}, 32)
"""


def test_an_unguarded_script_is_told_and_ends_well(goal, tmp_path):
    """Its worker processes import it, and ask for the files that it is making."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    run = subprocess.run([sys.executable, script, goal], capture_output=True, text=True, timeout=100)
    assert run.returncode == 0 and len(list(goal.rglob("*.png"))) == 100
    assert "if __name__ == '__main__':" in run.stderr


def test_an_unknown_source():
    assert [places.choose(), places.choose("real")] == ["embedded", "real"]
    with pytest.raises(LessonError, match='source is \'imagined\', but it must be "embedded" or "real"'):
        places.choose("imagined")


# ---------------------------------------------------------------------------------------------------------
# Fetched


@pytest.fixture
def published(tmp_path):
    folder = tmp_path / "downloads" / "toy-master"
    folder.mkdir(parents=True)
    make(folder)
    (folder / "scripts").mkdir()
    return folder


def check(folder):
    path = folder / "images" / "a.png"
    if not path.is_file() or path.read_bytes() != b"drawn":
        raise LessonError(f"{path}: damaged")


@pytest.fixture
def layout(tmp_path):
    return places.Layout(tmp_path / "real" / "toy", ("table.csv", "images"), check)


def test_a_folder_is_left_where_it_is_and_only_what_is_needed_comes_along(published, layout):
    assert places.fetched(lambda workplace: published, [layout]) == layout.goal
    assert sorted(path.name for path in layout.goal.iterdir()) == ["images", "manifest.csv", "table.csv"]
    assert (published / "images" / "a.png").is_file()


def test_what_cannot_be_written_to_becomes_a_copy_that_can(published, layout):
    (published / "images" / "a.png").chmod(0o400)
    (published / "images").chmod(0o500)
    places.fetched(lambda workplace: published, [layout])
    assert os.access(layout.goal / "images" / "a.png", os.W_OK)
    assert (layout.goal / "images").stat().st_mode & 0o200
    (published / "images").chmod(0o700)
    places.take_away(layout.goal)
    assert not layout.goal.exists()


def test_a_copy_needs_space(published, layout, monkeypatch):
    monkeypatch.setattr(places.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 3}))
    with pytest.raises(LessonError, match=r"the copy: it needs 2\d bytes, but the disk of .* has 3 bytes left"):
        places.fetched(lambda workplace: published, [layout])
    assert not layout.goal.exists()


def test_what_was_unpacked_is_moved_not_copied(published, layout, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "toy.zip", "w") as archive:
        for path in published.rglob("*"):
            archive.write(path, path.relative_to(published.parent))
    monkeypatch.setattr(places, "_copy", None)
    used = []

    def retrieve(workplace):
        used.append(workplace)
        return download.retrieve(tmp_path / "toy.zip", workplace)

    places.fetched(retrieve, [layout])
    check(layout.goal)
    assert used[0].parent == layout.goal.parent and not used[0].exists()


def test_what_fails_its_check_is_not_placed(published, layout):
    (published / "images" / "a.png").write_bytes(b"cut")
    with pytest.raises(LessonError, match="damaged"):
        places.fetched(lambda workplace: published, [layout])
    assert [path.name for path in layout.goal.parent.iterdir()] == [".toy.lock"]


def test_a_whole_set_is_never_replaced_and_a_damaged_one_is_kept_aside(published, layout, capsys):
    places.fetched(lambda workplace: published, [layout])
    (layout.goal / "images" / "a.png").write_bytes(b"mine")
    places.fetched(lambda workplace: published, [layout])
    assert (layout.goal.with_name("toy.1") / "images" / "a.png").read_bytes() == b"mine"
    assert "did not pass its check. It is now toy.1" in capsys.readouterr().err
    with pytest.raises(LessonError, match="something already, and it is whole"):
        places.fetched(lambda workplace: pytest.fail("nothing may be downloaded"), [layout])
    other = places.Layout(layout.goal.with_name("other"), ("other.csv",), check)
    with pytest.raises(LessonError, match="toy: there is something already, and it is whole"):
        places.fetched(lambda workplace: published, [layout, other])


def test_the_first_layout_that_fits_is_taken(published, layout, tmp_path):
    own = places.Layout(tmp_path / "real" / "own", ("images",), check)
    assert places.fetched(lambda workplace: published, [layout, own]) == layout.goal
    (published / "table.csv").unlink()
    assert places.fetched(lambda workplace: published, [layout, own]) == own.goal
    (published / "images").rename(published / "pictures")
    (own.goal / "images" / "a.png").unlink()
    with pytest.raises(LessonError, match=r"toy-master: this is not the data set\. .*table.csv, images; or images"):
        places.fetched(lambda workplace: published, [layout, own])


def test_two_fetches_at_once_both_end_well(published, layout):
    calls = []

    def retrieve(workplace):
        calls.append(workplace)
        time.sleep(0.3)
        return published

    with ThreadPoolExecutor(2) as pool:
        goals = list(pool.map(lambda _: places.fetched(retrieve, [layout]), range(2)))
    assert goals == [layout.goal] * 2 and len(calls) == 1


@pytest.mark.parametrize("is_full", [True, False])
def test_a_whole_download_is_kept_if_only_the_disk_is_full(layout, tmp_path, monkeypatch, is_full):
    def retrieve(workplace):
        (workplace / download.DOWNLOADS).mkdir()
        path = workplace / download.DOWNLOADS / "toy.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("other.csv", "x" * 100)
        return path

    if is_full:
        monkeypatch.setattr(download.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    with pytest.raises(LessonError, match="toy.zip: it needs" if is_full else "this is not the data set"):
        places.fetched(retrieve, [layout])
    assert (download.workspace_of(layout.goal) / "downloads" / "toy.zip").exists() == is_full


def test_what_a_killed_run_left_is_removed(published, layout, goal):
    for place in (layout.goal, goal):
        for name in (f".{place.name}.abc123", f".{place.name}.removed"):
            (place.parent / name / "deep").mkdir(parents=True)
    places.fetched(lambda workplace: published, [layout])
    places.made(goal, "recipe", make)
    for place in (layout.goal, goal):
        assert sorted(path.name for path in place.parent.iterdir()) == [f".{place.name}.lock", place.name]


KILLED = """
import sys, time
from pathlib import Path
from medlessons.data import places
goal, published = map(Path, sys.argv[1:])

def slow_check(folder):
    if not (folder / "images" / "a.png").is_file():
        raise places.LessonError("not there")
    print("checking", flush=True)
    time.sleep(60)

places.fetched(lambda workplace: published, [places.Layout(goal, ("table.csv", "images"), slow_check)])
"""


def test_a_fetch_that_is_killed_places_nothing_and_the_next_one_ends_well(published, layout):
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, layout.goal, published], stdout=subprocess.PIPE, env={**os.environ}, text=True
    )
    assert run.stdout.readline() == "checking\n"
    run.kill()
    run.wait()
    assert not layout.goal.exists() and len(list(layout.goal.parent.iterdir())) > 1
    places.fetched(lambda workplace: published, [layout])
    assert sorted(path.name for path in layout.goal.parent.iterdir()) == [".toy.lock", "toy"]


# ---------------------------------------------------------------------------------------------------------
# Status


def test_status_of_what_is_made(goal):
    line = places.status_of_embedded("toy", goal, "recipe")
    assert (line.present, line.note) == (False, "not there")
    places.made(goal, "recipe", make)
    line = places.status_of_embedded("toy", goal, "recipe")
    assert (line.present, line.rows, line.verified, line.note) == (True, 1, True, "simulated data")
    line = places.status_of_embedded("toy", goal, "newer")
    assert line.present and not line.verified and "made again" in line.note


def test_status_of_what_was_fetched(tmp_path):
    table = pd.DataFrame({"path": ["a", "b"]})
    table.attrs["name"] = "own data"
    assert not places.status_of_real("toy", tmp_path / "real", lambda: table).present
    line = places.status_of_real("toy", tmp_path, lambda: table)
    assert (line.rows, line.verified, line.note) == (2, True, "own data")
    table.attrs["wrong"] = "one is missing"
    line = places.status_of_real("toy", tmp_path, lambda: table)
    assert (line.verified, line.note) == (False, "own data, but one is missing")
    line = places.status_of_real("toy", tmp_path, lambda: check(tmp_path))
    assert line.present and not line.verified and "damaged" in line.note and line.rows == 0
