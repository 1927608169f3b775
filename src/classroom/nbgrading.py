"""The edition for nbgrader: an exercise becomes a cell to fill, a locked cell with its check, and one with a point."""

import re
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from classroom import notebooks, scoring, student

CONFIG = f"""c = get_config()
c.CourseDirectory.course_id = "medlessons"
c.ClearSolutions.code_stub = {{"python": "{student.STUB}"}}
c.Execute.timeout = {scoring.LONGEST_TRAINING}  # seconds a cell: autograding runs the trainings, too
c.Execute.iopub_timeout = {scoring.LONGEST_STOP}  # seconds for an output to arrive, on a busy computer
"""
# A check gives the reference back in place of a wrong answer. Run again, it would call that one right.
CHECK_ONCE = """# After a change, run the cell above first.
if {name} is not globals().get("checked_{name}"):
    checked_{name} = {check}"""
# The point is given in a cell of its own: nbgrader gives none to a cell that writes to stderr, as a warning does.
# Students do not see the assertion: "Run all" would stop at the first exercise that they leave out.
POINT = """# nbgrader gives the point of exercise {number} here.
### BEGIN HIDDEN TESTS
from medlessons.checks import exercise

assert exercise.results()["{number}"]["state"] == "done"
### END HIDDEN TESTS"""


def edition(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a lesson as ``nbgrader generate_assignment`` takes it: with solutions, which nbgrader leaves out."""
    numbers = {check: number for number, (_title, check) in scoring.exercises_of(notebook.cells).items()}
    graded = student.edition(notebook, student.WORK)
    graded.cells = [
        part
        for cell, solved in zip(graded.cells, notebook.cells, strict=True)
        for part in (_parts(solved.source, numbers) if student.END in solved.source else [cell])
    ]
    return graded


def _parts(source: str, numbers: dict[str, str]) -> list[nbformat.NotebookNode]:
    """Return the three cells of an exercise: the solution, the check, the point."""
    solution, end, check = source.rpartition(student.END)
    number = numbers[scoring.CHECK.search(check)[1]]
    check = re.sub(r"^#.*\n", "", check.strip(), flags=re.MULTILINE)
    name = number.replace(".", "-")
    return [
        _part(f"solution-{name}", solution + end, solution=True, locked=False),
        _part(f"check-{name}", CHECK_ONCE.format(name=check.split()[0], check=check)),
        _part(f"point-{name}", POINT.format(number=number), grade=True, points=1),
    ]


def _part(name: str, source: str, **metadata: object) -> nbformat.NotebookNode:
    """Return a cell with the metadata of nbgrader (schema 3), read-only unless told otherwise."""
    plain = {"grade_id": name, "grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3}
    return new_code_cell(source, id=name, metadata={"nbgrader": {**plain, **metadata}})


def write(lesson: notebooks.Lesson, course: Path) -> Path:
    """Write a lesson into ``source/`` of an nbgrader course, with a configuration if it has none; return its file."""
    config, path = course / "nbgrader_config.py", course / "source" / lesson.path.stem / lesson.path.name
    if not config.exists():
        notebooks.place(CONFIG, config)
    notebooks.place(nbformat.writes(edition(notebooks.read(lesson.path))) + "\n", path)
    return path
