"""The edition for nbgrader: what its cells are, and that nbgrader itself generates, grades and exports it."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from classroom import __main__ as command
from classroom import nbgrading, notebooks, scoring, student
from medlessons import checks
from medlessons.checks import exercise

LESSONS = notebooks.find()


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.path.stem for lesson in LESSONS])
def test_an_exercise_is_a_solution_a_check_and_a_point(lesson):
    book = notebooks.read(lesson.path)
    numbers = list(scoring.exercises_of(book.cells))
    edition = nbgrading.edition(book)
    nbformat.validate(edition)
    marked = [cell for cell in edition.cells if "nbgrader" in cell.metadata]
    assert [cell.metadata.nbgrader.grade_id for cell in marked] == [
        f"{part}-{number.replace('.', '-')}" for number in numbers for part in ("solution", "check", "point")
    ]
    for solution, check, point in zip(marked[::3], marked[1::3], marked[2::3], strict=True):
        assert solution.source.endswith(student.END) and not solution.metadata.nbgrader.locked
        assert scoring.CHECK.search(check.source) and check.metadata.nbgrader.locked
        assert point.metadata.nbgrader.points == 1 and point.metadata.nbgrader.locked
    assert scoring.exercises_of(edition.cells) == scoring.exercises_of(book.cells)  # `score` reads it, too


def test_a_configuration_that_is_there_stays(tmp_path, capsys):
    assert command.main(["student", "--lesson", "5", "--nbgrader", str(tmp_path)]) == 0
    (written,) = tmp_path.glob("source/*/*.ipynb")
    assert str(written) in capsys.readouterr().out
    config = tmp_path / "nbgrader_config.py"
    assert student.STUB in config.read_text()
    config.write_text("mine")
    command.main(["student", "--lesson", "5", "--nbgrader", str(tmp_path)])
    assert config.read_text() == "mine"


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.path.stem for lesson in LESSONS])
def test_a_check_that_runs_again_does_not_take_its_own_reference_for_an_answer(lesson, monkeypatch):
    monkeypatch.setattr(exercise, "_results", {})
    for cell in nbgrading.edition(notebooks.read(lesson.path)).cells:
        if cell.id.startswith("check"):
            check = cell.source.partition("\nprint(")[0]
            answers = {check.split()[check.split().index("if") + 1]: lambda *given: None, "checks": checks}
            for _again in range(2):
                exec(check, answers)
    assert {result["state"] for result in exercise.results().values()} == {"not done"}


@pytest.mark.slow
def test_nbgrader_generates_grades_and_exports_it(tmp_path):
    pytest.importorskip("nbgrader")
    (lesson,) = notebooks.find("5")
    name = lesson.path.stem
    source = nbgrading.write(lesson, tmp_path)
    solved = {cell.id: cell.source for cell in notebooks.read(source).cells if cell.id.startswith("solution")}
    nbgrader(tmp_path, "generate_assignment", name)
    released = tmp_path / "release" / name / f"{name}.ipynb"
    assert not {"SOLUTION", "HIDDEN", "assert"} & set(released.read_text().split())
    book = notebooks.read(released)
    answers = {  # two right ones, of which one warns; a wrong one; one that stops
        "solution-5-1": solved["solution-5-1"].replace(
            "    ###", "    import warnings; warnings.warn('slow')\n    ###", 1
        ),
        "solution-5-2": solved["solution-5-2"],
        "solution-5-3": solved["solution-5-3"].replace("return", "return 1 -"),
        "solution-5-4": "this is no Python",
    }
    for cell in book.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    handed_in = tmp_path / "submitted" / "zoe" / name / f"{name}.ipynb"
    handed_in.parent.mkdir(parents=True)
    nbformat.write(book, handed_in)
    nbgrader(tmp_path, "autograde", name)
    nbgrader(tmp_path, "export", "--to", str(tmp_path / "grades.csv"))
    with open(tmp_path / "grades.csv") as file:
        (row,) = csv.DictReader(file)
    assert (row["student_id"], row["score"], row["max_score"]) == ("zoe", "2.0", "7.0")


def nbgrader(course: Path, *arguments: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it calls alembic
    command = [sys.executable, "-m", "nbgrader", *arguments]
    run = subprocess.run(
        command, cwd=course, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
