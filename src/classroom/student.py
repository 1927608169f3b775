"""The student edition of the lessons: stubs instead of solutions, in the marks and metadata of nbgrader."""

import copy
import os
import re
from pathlib import Path

import nbformat

from classroom import launch, notebooks, what_came_out
from medlessons import settings
from medlessons.errors import LessonError
from medlessons.wording import _

FOLDER = notebooks.NOTEBOOKS / "student"
WORK = settings.REPOSITORY / "work"  # where students work; git ignores it
STUB = "...  # your code here"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"  # the marks of nbgrader
NO_PARTNER = _("Cell {number}: {mark!r} has no partner. Write {begin!r} before the solution and {end!r} after it.")
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")  # to a file beside the notebook: no address, no place on the page


def edition(notebook: nbformat.NotebookNode, folder: Path = FOLDER) -> nbformat.NotebookNode:
    """Return the student edition of a lesson: stubs, no outputs, folded answers, and links that are right in `folder`.

    A solution stands between ``### BEGIN SOLUTION`` and ``### END SOLUTION``. A code cell that nbgrader's metadata call
    a solution, and that has no such marks, becomes a stub as a whole.

    Raises
    ------
    LessonError
        If a mark lacks its partner.
    """
    stripped = copy.deepcopy(notebook)
    for number, cell in enumerate(stripped.cells):
        if cell.cell_type == "markdown":
            source = what_came_out.folded(cell.source) if what_came_out.is_block(cell) else cell.source
            cell.source = _with_links_from(source, folder)
        elif cell.cell_type == "code":
            cell.source = _with_stub(cell.source, number, cell.metadata.get("nbgrader", {}).get("solution", False))
            cell.outputs, cell.execution_count = [], None
    return notebooks.tidy(stripped)


def _with_links_from(markdown: str, folder: Path) -> str:
    return LINK.sub(lambda link: Path(os.path.relpath(notebooks.NOTEBOOKS / link[1], folder)).as_posix(), markdown)


def _with_stub(source: str, number: int, is_solution: bool) -> str:
    lines, inside = [], False
    for line in source.split("\n"):
        if BEGIN in line or END in line:
            if inside is (BEGIN in line):
                raise LessonError(NO_PARTNER.format(number=number, mark=line.strip(), begin=BEGIN, end=END))
            inside = not inside
            if inside:
                lines.append(line[: len(line) - len(line.lstrip())] + STUB)
        elif not inside:
            lines.append(line)
    if inside:
        raise LessonError(NO_PARTNER.format(number=number, mark=BEGIN, begin=BEGIN, end=END))
    return STUB if is_solution and BEGIN not in source else "\n".join(lines)


def handed_out(lesson: notebooks.Lesson, folder: Path = FOLDER) -> nbformat.NotebookNode:
    """Return the student edition of a lesson as it is handed out.

    Below its title are launch buttons. Its first code cell starts on Colab and Kaggle, too, and says what to do where
    the notebook has come alone.
    """
    notebook = edition(notebooks.read(lesson.path), folder)
    title, text = notebook.cells[0].source.split("\n", 1)
    notebook.cells[0].source = f"{title}\n\n{launch.buttons(lesson.path.name)}\n{text}"
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = launch.first_cell(lesson.number)
    return notebook


def write(lesson: notebooks.Lesson, folder: Path = FOLDER) -> Path:
    """Write the student edition of a lesson, as it is handed out, to a folder, and return its file."""
    path = folder / lesson.path.name
    notebooks.place(nbformat.writes(handed_out(lesson, folder)) + "\n", path)
    return path


def lay_out(folder: Path = WORK) -> dict[Path, bool]:
    """Put the student edition of each lesson into a folder to work in. A file that is there stays as it is.

    Returns
    -------
    dict
        File -> whether it is new.
    """
    laid = {}
    for lesson in notebooks.find():
        path = folder / lesson.path.name
        laid[path] = not path.exists()
        if laid[path]:
            notebooks.place(nbformat.writes(edition(notebooks.read(lesson.path), folder)) + "\n", path)
    return laid
