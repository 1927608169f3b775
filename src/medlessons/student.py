"""The student edition of the lessons, and the score of the notebooks that students hand in."""

import copy
import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import nbformat
from nbconvert.preprocessors import ClearOutputPreprocessor
from nbgrader.preprocessors import ClearSolutions

from medlessons import lessons

FOLDER = lessons.NOTEBOOKS / "student"
STUB = "...  # your code here"
# Appended when a notebook is scored, so that it does not matter what the student did to the last cell.
LAST_CELL = """
import json
from medlessons.checks.exercise import results
print(json.dumps(results()))
"""


def edition(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the student edition of a lesson: stubs instead of solutions, and no outputs."""
    clear = ClearSolutions(code_stub={"python": STUB}, enforce_metadata=False)
    stripped, resources = clear.preprocess(copy.deepcopy(notebook), {})
    stripped, _ = ClearOutputPreprocessor().preprocess(stripped, resources)
    return lessons.tidy(stripped)


def write(lesson: lessons.Lesson, folder: Path = FOLDER) -> Path:
    """Write the student edition of a lesson and return its file."""
    path = folder / lesson.path.name
    lessons.place(nbformat.writes(edition(lessons.read(lesson.path))) + "\n", path)
    return path


def score(path: Path) -> dict[str, dict[str, str]]:
    """Execute a notebook that a student handed in, and return the state of its exercises.

    A cell that fails does not end the run. This executes the student's code on your computer: use a machine, or
    a container, that you would let a student use.

    Raises
    ------
    LessonError
        If the file is missing or is no notebook.
    """
    notebook = lessons.read(path)
    notebook.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
    lessons.execute_notebook(notebook, path.parent, path.name, allow_errors=True)
    return json.loads("".join(output.text for output in notebook.cells[-1].outputs if output.get("name") == "stdout"))


def write_scores(paths: Iterable[Path], file: TextIO) -> None:
    """Write a CSV of one row a notebook and exercise: notebook, number, exercise, state, remark."""
    rows = csv.writer(file)
    rows.writerow(["notebook", "number", "exercise", "state", "remark"])
    for path in paths:
        for number, result in score(path).items():
            rows.writerow([path.name, number, result["exercise"], result["state"], result["remark"]])
