"""The student edition of the lessons: stubs instead of solutions, in the marks and metadata of nbgrader."""

import copy
import os
import re
import tomllib
from pathlib import Path
from urllib.parse import quote

import nbformat

from classroom import notebooks, what_came_out
from medlessons import settings
from medlessons.errors import LessonError
from medlessons.wording import _

FOLDER = notebooks.NOTEBOOKS / "student"
WORK = settings.REPOSITORY / "work"  # where students work; git ignores it
STUB = "...  # your code here"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"  # the marks of nbgrader
NO_PARTNER = _("Cell {number}: {mark!r} has no partner. Write {begin!r} before the solution and {end!r} after it.")
START = re.compile(r"^try:\n    from medlessons\.start import start\n.*?(?=^start\()", re.MULTILINE | re.DOTALL)
LAUNCH = '''
try:
    from medlessons.start import start
except ModuleNotFoundError:
    if not {"COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"} & set(os.environ):
        raise SystemExit(f"""This notebook needs helpers and trained weights, and this kernel lacks them. In a terminal:
    git clone --depth 1 --branch {VERSION} {FROM} && cd medlessons && make lab
Or, to stay in this kernel, run this line in a cell, then restart the kernel:
    %pip install -e "git+{FROM}@{VERSION}#egg=medlessons"
If you have started `make lab` already, choose the kernel of .venv.""") from None
    if not os.path.exists("medlessons"):
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", "--branch", VERSION, FROM], check=True)
    sys.path.insert(0, os.path.abspath("medlessons/src"))
    from medlessons.start import raise_packages, start

    raise_packages()
'''
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


def _launch() -> str:
    address, tag = home()
    return f'import os, subprocess, sys\n\nFROM, VERSION = "{address}", "{tag}"{LAUNCH}'


def home() -> tuple[str, str]:
    """Return the address of the repository, and the tag of this version, as pyproject.toml has them."""
    project = tomllib.loads((settings.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"], f"v{project['version']}"


def buttons(name: str) -> str:
    """Return the buttons that open a student edition without an installation, as Markdown; `name` is of its file."""
    address, tag = home()
    project = address.removeprefix("https://github.com/")
    notebook = f"{project}/blob/{tag}/notebooks/student/{name}"
    where = quote(f"lab/tree/notebooks/student/{name}", safe="")
    links = {
        ("Colab", "https://colab.research.google.com/assets/colab-badge.svg"): (
            f"https://colab.research.google.com/github/{notebook}"
        ),
        ("Kaggle", "https://kaggle.com/static/images/open-in-kaggle.svg"): (
            f"https://kaggle.com/kernels/welcome?src=https://github.com/{notebook}"
        ),
        ("Codespaces", "https://github.com/codespaces/badge.svg"): f"https://codespaces.new/{project}",
        (
            "Binder",
            "https://mybinder.org/badge_logo.svg",
        ): f"https://mybinder.org/v2/gh/{project}/{tag}?urlpath={where}",
    }
    return "\n".join(f"[![Open in {place}]({image})]({link})" for (place, image), link in links.items())


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


def handed_out(lesson: notebooks.Lesson) -> nbformat.NotebookNode:
    """Return the student edition of a lesson as it is handed out.

    Below its title are launch buttons. Its first code cell starts on Colab and Kaggle, too, and says what to do where
    the notebook has come alone.
    """
    notebook = edition(notebooks.read(lesson.path))
    title, text = notebook.cells[0].source.split("\n", 1)
    notebook.cells[0].source = f"{title}\n\n{buttons(lesson.path.name)}\n{text}"
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = START.sub(lambda found: _launch(), first.source)
    return notebook


def write(lesson: notebooks.Lesson) -> Path:
    """Write the student edition of a lesson to notebooks/student/, and return its file."""
    path = FOLDER / lesson.path.name
    notebooks.place(nbformat.writes(handed_out(lesson)) + "\n", path)
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
