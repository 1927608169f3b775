"""The student edition of the lessons, and the score of the notebooks that students hand in."""

import copy
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.preprocessors import ClearOutputPreprocessor
from nbgrader.preprocessors import ClearSolutions

from medlessons import lessons
from medlessons.errors import LessonError

FOLDER = lessons.NOTEBOOKS / "student"
STUB = "...  # your code here"
LONGEST_CELL = 600  # seconds
RESULT = ("exercise", "state", "remark")
# Appended when a notebook is scored, so that it does not matter what the student did to the last cell. The results
# are displayed, not printed, so that it does not matter either what the student did to print or sys.stdout.
LAST_CELL = """
from IPython.display import display
from medlessons.checks.exercise import results
display({"application/json": results()}, raw=True)
"""
NOTHING_CHECKED = {
    "exercise": "",
    "state": "no exercise was checked",
    "remark": "Look whether the functions were renamed, or the cells with the checks removed.",
}


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


def score(path: Path, timeout: float | None = LONGEST_CELL) -> dict[str, dict[str, str]]:
    """Execute a notebook that a student handed in, and return the state of its exercises.

    A cell that fails does not end the run. This executes the student's code on your computer: use a machine, or
    a container, that you would let a student use.

    Parameters
    ----------
    path : Path
    timeout : float, optional
        Seconds that one cell may take; no limit if None.

    Returns
    -------
    dict
        Number of each exercise -> its ``exercise`` (title), ``state`` and ``remark``; empty if none was checked.

    Raises
    ------
    LessonError
        If the file is missing or is no notebook, a cell takes too long or ends Python, or the results do not come.
    """
    notebook = lessons.read(path)
    notebook.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
    try:
        lessons.execute_notebook(notebook, path.parent, path.name, allow_errors=True, timeout=timeout)
    except CellTimeoutError as error:
        raise LessonError(f"{path}: a cell took longer than {timeout:g} s; look for an endless loop.") from error
    except DeadKernelError as error:
        raise LessonError(f"{path}: Python ended while a cell ran, by its code or for lack of memory.") from error
    displayed = [output.data for output in notebook.cells[-1].outputs if output.output_type == "display_data"]
    try:
        results = displayed[0]["application/json"]
        return {number: {key: result[key] for key in RESULT} for number, result in results.items()}
    except (IndexError, TypeError, KeyError, AttributeError) as error:
        raise LessonError(
            f"{path}: the state of the exercises could not be read at its end. "
            "Open the notebook and run all of its cells to see why."
        ) from error


def write_scores(paths: Iterable[Path], file: TextIO, timeout: float | None = LONGEST_CELL) -> None:
    """Write a CSV of one row a notebook and exercise: notebook, number, exercise, state, remark.

    A notebook that cannot be run, or that checks no exercise, gets one row, without a number, that says so.

    Parameters
    ----------
    paths : iterable of Path
    file : text file
        Open for writing.
    timeout : float, optional
        As in :func:`score`.

    Raises
    ------
    LessonError
        If one of the files is missing; then none is run.
    """
    paths = list(paths)
    for path in paths:
        if not path.is_file():
            raise LessonError(f"{path}: there is no such notebook. No notebook was run.")
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["notebook", "number", *RESULT])
    for path in paths:
        try:
            results = score(path, timeout) or {"": NOTHING_CHECKED}
        except LessonError as error:
            results = {"": {"exercise": "", "state": "could not be run", "remark": str(error)}}
        for number, result in results.items():
            rows.writerow([path, number, *(result[key] for key in RESULT)])
