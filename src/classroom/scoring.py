"""The score of the notebooks that students hand in: which exercises are done, without the trainings between them."""

import ast
import csv
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from classroom import notebooks
from medlessons.errors import LessonError

LONGEST_CELL = 120  # seconds, where nothing is trained
LONGEST_TRAINING = 1200
COLUMNS = ("number", "exercise", "state", "remark")
EXERCISE = re.compile(r"\bchecks\.\w+\.check_\w+\(")
SHOWING = {"print", "display", "show"}  # calls that change nothing
# Appended when a notebook is scored, so that it does not matter what the student did to the last cell. The results
# are displayed, not printed, so that it does not matter either what the student did to print or sys.stdout.
LAST_CELL = """
from IPython.display import display
from medlessons.checks.exercise import results
display({"application/json": results()}, raw=True)
"""


def score(path: Path, whole: bool = False, timeout: float | None = None) -> list[dict[str, str]]:
    """Execute what the exercises of a handed-in notebook need, and return their states.

    A cell that fails does not end the run. This executes the student's code on your computer: use a machine, or
    a container, that you would let a student use.

    Parameters
    ----------
    path : Path
    whole : bool
        Execute every cell, also those that no exercise needs, such as trainings.
    timeout : float, optional
        Seconds that one cell may take; two minutes unless given, and twenty with ``whole``.

    Returns
    -------
    list of dict
        For each exercise ``number``, ``exercise`` (its title), ``state`` and ``remark``. One more, without a number, if
        cells stopped with an error (those that are left out are judged by the outputs that they were handed in with),
        or if no exercise was checked.

    Raises
    ------
    LessonError
        If the file is missing or is no notebook, a cell takes too long or ends Python, or the results do not come.
    """
    timeout = timeout or (LONGEST_TRAINING if whole else LONGEST_CELL)
    notebook = notebooks.read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    sources = [cell.source for cell in code]
    as_handed_in = [_error(cell) for cell in code]
    if not whole:
        for cell, source in zip(code, needed(notebook), strict=True):
            cell.source = source
    notebook.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
    try:
        notebooks.execute_notebook(notebook, path.parent, path.name, allow_errors=True, timeout=timeout)
    except CellTimeoutError as error:
        raise LessonError(f"{path}: a cell took longer than {timeout:g} s; look for an endless loop.") from error
    except DeadKernelError as error:
        raise LessonError(f"{path}: Python ended while a cell ran, by its code or for lack of memory.") from error
    stopped = []
    for number, (cell, source, earlier) in enumerate(zip(code, sources, as_handed_in, strict=True), start=1):
        error = _error(cell) or (cell.source != source and earlier and f"{earlier} (as handed in)")
        stopped += [f"code cell {number} ({notebooks.first_line(source)}): {error}"] if error else []
    rows = [{"number": number, **result} for number, result in _results(notebook, path).items()]
    if not rows:
        remark = "Look whether the functions were renamed, or the cells with the checks removed."
        rows.append({"number": "", "exercise": "", "state": "no exercise was checked", "remark": remark})
    if stopped:
        remark = f"{len(stopped)} stopped with an error, first {stopped[0]}"
        rows.append({"number": "", "exercise": "", "state": "stopped", "remark": remark})
    return rows


def _error(cell: nbformat.NotebookNode) -> str | None:
    return next((f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error"), None)


def _results(notebook: nbformat.NotebookNode, path: Path) -> dict[str, dict[str, str]]:
    displayed = [output.data for output in notebook.cells[-1].outputs if output.output_type == "display_data"]
    try:
        results = displayed[0]["application/json"]
        return {number: {key: result[key] for key in COLUMNS[1:]} for number, result in results.items()}
    except (IndexError, TypeError, KeyError, AttributeError) as error:
        raise LessonError(
            f"{path}: the state of the exercises could not be read at its end. "
            "Open the notebook and run all of its cells to see why."
        ) from error


def write_scores(paths: Iterable[Path], file: TextIO, whole: bool = False, timeout: float | None = None) -> None:
    """Write a CSV of one row a notebook and exercise: notebook, number, exercise, state, remark.

    A notebook that cannot be run gets one row, without a number, that says so.

    Parameters
    ----------
    paths : iterable of Path
    file : text file
        Open for writing.
    whole, timeout
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
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["notebook", *COLUMNS])
    for path in paths:
        try:
            rows = score(path, whole, timeout)
        except LessonError as error:
            rows = [{"number": "", "exercise": "", "state": "could not be run", "remark": str(error)}]
        for row in rows:
            writer.writerow([path, *(row[column] for column in COLUMNS)])
        file.flush()  # a class takes minutes: what is known can be read


# ---------------------------------------------------------------------------------------------------------
# What the exercises need


@dataclass
class _Cell:
    """What is known of a code cell from its text."""

    source: str
    imports: str = ""  # its import statements alone
    binds: set[str] = field(default_factory=set)  # names that it assigns or defines
    changes: set[str] = field(default_factory=set)  # names that it may change: used in a call, or assigned into
    reads: set[str] = field(default_factory=set)  # names that it needs from other cells
    opaque: bool = False  # nothing is known: no Python, or a magic, or a star import


def needed(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the source of each code cell, shortened to what the exercises of the notebook need.

    Needed are the cells before the first section, the exercises, and every cell before an exercise that binds, or may
    change, a name that is needed. Of the other cells only the import statements are left.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    list of str
        One a code cell; empty where nothing of it is needed.
    """
    cells, opening, in_opening = [], set(), True
    for cell in notebook.cells:
        if cell.cell_type == "code":
            opening |= {len(cells)} if in_opening else set()
            cells.append(_examine(cell.source))
        elif cell.source.startswith("## "):
            in_opening = False
    exercises = [number for number, cell in enumerate(cells) if EXERCISE.search(cell.source)]
    kept = set(exercises) | {number for number, cell in enumerate(cells) if cell.opaque}
    kept |= set() if in_opening else opening
    for last in exercises:
        kept |= _before(cells, last)
    return [cell.source if number in kept else cell.imports for number, cell in enumerate(cells)]


def _before(cells: list[_Cell], last: int) -> set[int]:
    """Return which cells before the exercise `last` it needs, directly or through other cells."""
    bound = set().union(*(cell.binds for cell in cells))  # others are imported, and imports are left in any case
    found, names = set(), cells[last].reads & bound
    while True:
        more = {n for n in range(last) if n not in found and names & (cells[n].binds | cells[n].changes)}
        if not more:
            return found
        found |= more
        names = names.union(*(cells[n].reads for n in more)) & bound


def _examine(source: str) -> _Cell:
    python = TransformerManager().transform_cell(source)
    try:
        tree, table = ast.parse(python), symtable.symtable(python, "cell", "exec")
    except (SyntaxError, ValueError):
        return _Cell(source, opaque=True)
    imports = [statement for statement in tree.body if isinstance(statement, (ast.Import, ast.ImportFrom))]
    star = any(name.name == "*" for statement in imports for name in statement.names)
    if star or "get_ipython()" in python:
        return _Cell(source, opaque=True)
    plain = {(name.asname or name.name).partition(".")[0] for statement in imports for name in statement.names}
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return _Cell(
        source,
        imports="\n".join(map(ast.unparse, imports)),
        binds={
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_assigned() or (symbol.is_imported() and symbol.get_name() not in plain)
        },
        changes=set(_changed(tree)),
        reads=set(_globals(table)) - functions,
    )


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield the names that a piece of code reads from its module, in functions and outside."""
    module = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (module or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


def _changed(node: ast.AST) -> Iterator[str]:
    """Yield the names that a piece of code may change in place: what a call works on, and what is assigned into."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return  # runs later, if ever
    if isinstance(node, ast.Call):
        if (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in SHOWING:
            return
        yield from _names(node)
    if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
        yield from _names(node.value)
    for child in ast.iter_child_nodes(node):
        yield from _changed(child)


def _names(node: ast.AST) -> Iterator[str]:
    yield from (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
