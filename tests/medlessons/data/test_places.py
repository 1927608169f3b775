"""Data are made whole or not at all, once, whoever asks at the same time."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from medlessons.data import places
from medlessons.errors import LessonError


def make(folder):
    (folder / "images").mkdir()
    (folder / "images" / "a.png").write_bytes(b"drawn")
    (folder / "table.csv").write_text("path\nimages/a.png\n")


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


def test_what_is_made_is_named_and_only_then(goal, capsys):
    for says in (f"Made once, then kept: {goal.parent.name}/{goal.name}\n", ""):
        places.made(goal, "recipe", make)
        assert capsys.readouterr().err == says


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
    monkeypatch.setattr(places, "alone", lambda *_: pytest.fail("waits for a lock"))
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


def test_what_a_killed_run_left_is_removed_but_for_downloads(goal):
    for name in (".64px.abc123", ".64px.removed", ".64px.fetch"):
        (goal.parent / name / "deep").mkdir(parents=True)
    places.made(goal, "recipe", make)
    assert sorted(path.name for path in goal.parent.iterdir()) == [".64px.fetch", ".64px.lock", "64px"]
