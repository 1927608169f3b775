"""The score of handed-in notebooks: one bad notebook does not end the batch."""

import csv
import io
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from classroom import notebooks, scoring, student
from medlessons.errors import LessonError

GOOD = """from medlessons import checks
import numpy as np
def neuron(inputs, weights, bias):
    return max(0.0, sum(inputs * weights) + bias)
neuron = checks.anemia.check_neuron(neuron)"""


def hand_in(path, *sources):
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook_of(*sources), path)
    return path


def notebook_of(*sources):
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def scores(paths, **options):
    text = io.StringIO()
    scoring.write_scores(paths, text, **options)
    assert "\r" not in text.getvalue()
    return list(csv.DictReader(io.StringIO(text.getvalue())))


def test_the_student_edition_and_its_score(folder):
    (lesson,) = notebooks.find(folder=folder)
    stub = student.write(lesson, folder / "student")
    assert student.STUB in stub.read_text(encoding="utf-8")
    answers = io.StringIO()
    scoring.write_scores([lesson.path, stub], answers)
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
    rows = scores(paths, whole=True)
    assert [row["notebook"] for row in rows] == [str(path) for path in paths]
    for row, reason in zip(rows[:-1], [*says.values(), "no notebook"], strict=True):
        assert (row["number"], row["exercise"], row["state"]) == ("", "", "could not be run")
        assert reason in row["remark"] and row["notebook"] in row["remark"]
    assert rows[-1]["state"] == "done" and rows[-1]["number"]


def test_what_a_student_does_to_print_does_not_matter(tmp_path):
    rebound = "\nimport builtins, io, sys\nprint = builtins.print = display = None\nsys.stdout = io.StringIO()"
    (row,) = scores([hand_in(tmp_path / "01.ipynb", GOOD + rebound)])
    assert (row["number"], row["state"]) == ("1.2", "done")


def test_a_notebook_that_checks_nothing_gets_a_row(tmp_path):
    nbformat.write(new_notebook(), tmp_path / "empty.ipynb")
    rows = scores([tmp_path / "empty.ipynb", hand_in(tmp_path / "02.ipynb", GOOD.partition("\nneuron =")[0])])
    assert [(row["number"], row["state"]) for row in rows] == [("", "no exercise was checked")] * 2


def test_an_endless_loop_does_not_hang_the_marking(tmp_path):
    (row,) = scores([hand_in(tmp_path / "01.ipynb", "while True: pass", GOOD)], whole=True, timeout=1)
    assert row["state"] == "could not be run" and "longer than 1 s" in row["remark"]


def test_a_missing_notebook_is_named_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "score", lambda *arguments: pytest.fail("a notebook was run"))
    present = hand_in(tmp_path / "01.ipynb", "1")
    with pytest.raises(LessonError, match=r"absent\.ipynb: there is no such notebook"):
        scores([present, tmp_path / "absent.ipynb"])


def test_what_no_exercise_needs_is_not_executed_and_its_stored_error_is_told(tmp_path):
    path = hand_in(tmp_path / "01.ipynb", GOOD, "1 / 0", "import time\ntime.sleep(60)")
    notebook = notebooks.read(path)
    notebook.cells[1].outputs = [new_output("error", ename="ZeroDivisionError", evalue="division by zero")]
    nbformat.write(notebook, path)
    done, stopped = scores([path], timeout=20)
    assert (done["number"], done["state"]) == ("1.2", "done")
    assert (stopped["number"], stopped["state"]) == ("", "stopped")
    assert stopped["remark"].endswith("code cell 2 (1 / 0): ZeroDivisionError: division by zero (as handed in)")


def test_a_cell_that_stops_gets_a_row(tmp_path):
    broken = hand_in(tmp_path / "1.ipynb", "def neuron(:", GOOD, "later()")
    needs_it = hand_in(tmp_path / "2.ipynb", "factor = 1 / 0", GOOD.replace("return max", "return factor * max"))
    first, stopped, mistake, cause = scores([broken, needs_it], whole=True)
    assert first["state"] == "done" and mistake["state"] == "mistake"
    assert stopped["remark"].startswith("2 stopped with an error, first code cell 1 (def neuron(:): SyntaxError")
    assert "code cell 1 (factor = 1 / 0): ZeroDivisionError" in cause["remark"]
    assert scores([needs_it]) == [mistake, cause], "the part of the notebook tells the same as the whole"


EXERCISE = "def half(x):\n    return scaled(x) / 2\nhalf = checks.anemia.check_half(half)"


@pytest.mark.parametrize(
    "earlier",
    [
        ["def scaled(x):\n    return x"],
        ["def scaled(x):\n    return factor * x", "factor = 3"],  # bound after the function that reads it
        ["sizes = []", "sizes.append(1)", "def scaled(x):\n    return sizes[0]"],
        ["sizes = [0]", "fill(sizes)", "sizes[0] = 1", "scaled = sizes.pop"],
        ["for scaled in functions:\n    pass", "import math\nfunctions = [math.floor]"],
        ["try:\n    from math import floor as scaled\nexcept ImportError:\n    pass"],
        ["%run helpers.py"],
        ["from helpers import *"],
    ],
)
def test_the_exercises_keep_what_they_need(earlier):
    others = ["model = train()", "print(model, sizes)", "sizes_of = model.fit(other)"]
    needed = scoring.needed(notebook_of(*others, *earlier, *others, EXERCISE, *others))
    assert needed == [""] * 3 + earlier + [""] * 3 + [EXERCISE] + [""] * 3


def test_imports_and_the_opening_are_kept():
    notebook = notebook_of("start(lesson=1)", "import keras\nmodel = keras.Sequential()\nmodel.fit(x)", EXERCISE)
    notebook.cells.insert(1, new_markdown_cell("## 1. The data"))
    assert scoring.needed(notebook) == ["start(lesson=1)", "import keras", EXERCISE]


@pytest.mark.parametrize("lesson", notebooks.find(), ids=lambda lesson: lesson.path.stem)
def test_no_exercise_of_a_lesson_needs_a_training(lesson):
    needed = "\n".join(scoring.needed(notebooks.read(lesson.path)))
    assert scoring.EXERCISE.search(needed)
    assert ".fit(" not in "".join(re.findall(r"^\w.*", needed, re.MULTILINE)), "a training is called"
