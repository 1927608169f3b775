"""The score of handed-in notebooks: one bad notebook does not end the batch."""

import csv
import io

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from medlessons import lessons, student
from medlessons.errors import LessonError

GOOD = """from medlessons import checks
import numpy as np
def neuron(inputs, weights, bias):
    return max(0.0, sum(inputs * weights) + bias)
neuron = checks.check_neuron(neuron)"""


def hand_in(path, code):
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), path)
    return path


def scores(paths, **options):
    text = io.StringIO()
    student.write_scores(paths, text, **options)
    assert "\r" not in text.getvalue()
    return list(csv.DictReader(io.StringIO(text.getvalue())))


def test_the_student_edition_and_its_score(folder):
    (lesson,) = lessons.find(folder=folder)
    stub = student.write(lesson, folder / "student")
    assert student.STUB in stub.read_text(encoding="utf-8")
    answers = io.StringIO()
    student.write_scores([lesson.path, stub], answers)
    rows = list(csv.DictReader(io.StringIO(answers.getvalue())))
    assert [row["state"] for row in rows] == ["done", "not done"]
    assert rows[0]["exercise"] == "A neuron by hand"


def test_notebooks_of_the_same_name_are_told_apart_and_bad_ones_get_a_row(tmp_path):
    says = {
        "import os\nos._exit(1)": "Python ended",
        "from medlessons.checks import exercise\nexercise.results = None": "could not be read",
        "from medlessons.checks import exercise\nexercise.results = lambda: [1]": "could not be read",
    }
    paths = [hand_in(tmp_path / str(number) / "01.ipynb", code) for number, code in enumerate(says)]
    (tmp_path / "broken.ipynb").write_text("{")
    paths += [tmp_path / "broken.ipynb", hand_in(tmp_path / "good" / "01.ipynb", GOOD)]
    rows = scores(paths)
    assert [row["notebook"] for row in rows] == [str(path) for path in paths]
    for row, reason in zip(rows[:-1], [*says.values(), "no notebook"], strict=True):
        assert (row["number"], row["exercise"], row["state"]) == ("", "", "could not be run")
        assert reason in row["remark"] and row["notebook"] in row["remark"]
    assert rows[-1]["state"] == "done" and rows[-1]["number"]


def test_what_a_student_does_to_print_does_not_matter(tmp_path):
    rebound = "\nimport builtins, io, sys\nprint = builtins.print = display = None\nsys.stdout = io.StringIO()"
    (row,) = scores([hand_in(tmp_path / "01.ipynb", GOOD + rebound)])
    assert (row["number"], row["state"]) == ("1.1", "done")


def test_a_notebook_that_checks_nothing_gets_a_row(tmp_path):
    nbformat.write(new_notebook(), tmp_path / "empty.ipynb")
    rows = scores([tmp_path / "empty.ipynb", hand_in(tmp_path / "02.ipynb", GOOD.partition("\nneuron =")[0])])
    assert [(row["number"], row["state"]) for row in rows] == [("", "no exercise was checked")] * 2


def test_an_endless_loop_does_not_hang_the_marking(tmp_path):
    (row,) = scores([hand_in(tmp_path / "01.ipynb", "while True: pass")], timeout=1)
    assert row["state"] == "could not be run" and "longer than 1 s" in row["remark"]


def test_a_missing_notebook_is_named_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(student, "score", lambda *arguments: pytest.fail("a notebook was run"))
    present = hand_in(tmp_path / "01.ipynb", "1")
    with pytest.raises(LessonError, match=r"absent\.ipynb: there is no such notebook"):
        scores([present, tmp_path / "absent.ipynb"])
