"""The score of the notebooks that students hand in: which exercises are done, without the trainings between them."""

import ast
import asyncio
import csv
import functools
import glob
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from tqdm import tqdm
from traitlets.config import Config

from classroom import confinement, notebooks
from medlessons import data, settings
from medlessons.errors import LessonError
from medlessons.wording import _

LONGEST_CELL = 120  # seconds, where nothing is trained
LONGEST_TRAINING = 1200
LONGEST_STOP = 30  # seconds that a cell may take to stop when it is told to
LONGEST_NOTEBOOK = 3600
LARGEST_NOTEBOOK = 100 << 20  # bytes
LARGEST_BESIDE = 1 << 20  # bytes of a file beside a notebook, such as a module or a table, that it gets to see
LONGEST_REMARK = 300  # letters
COLUMNS = ("number", "exercise", "state", "remark")
CHECK = re.compile(r"\bchecks\.\w+\.(check_\w+)\(")
VERDICT = re.compile(r"^Exercise (\d+\.\d+), (.+?): ", re.MULTILINE)  # as a lesson prints it: number and title
NOT_PLAIN = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f-\x9f]")  # colors of a terminal; control characters
TIMING = re.compile(
    r"^%%(?:timeit|time|prun|capture)\b.*\n?|^([ \t]*)%(?:timeit|time|prun)\b[ \t]*(?:-\w+[ \t]*\d*[ \t]+)*", re.M
)
UNREADABLE = "could not be run"
UNKNOWN = _("{reason}. Open it and run all of its cells; `medlessons doctor` looks at this computer.")
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SOCKETS = Config(ConnectionFileMixin={"transport": "ipc"} if os.name == "posix" else {})  # they need no network
RESULTS = "application/vnd.medlessons.results+json"
# Executed first: from then on each cell sends the results that are known, so that they outlive whatever ends the
# notebook. They are not printed, so that it does not matter what the student does to print or sys.stdout.
FIRST_CELL = f"""
def _send_results(_, shell=get_ipython(), modules=__import__("sys").modules):
    if "medlessons.checks.exercise" in modules:
        shell.display_pub.publish({{"{RESULTS}": modules["medlessons.checks.exercise"].results()}})
get_ipython().events.register("post_run_cell", _send_results)
"""


def score(path: Path, whole: bool = False, timeout: float | None = None) -> list[dict[str, str]]:
    """Execute what the exercises of a handed-in notebook need, and return their states.

    If a name is missing that stands in the cells that were left out, the whole notebook is executed. A cell that fails
    or takes too long does not end the run. This executes the student's code, in the current folder and with all that
    this process may do; :func:`write_scores` keeps it on a shorter lead.

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
        For each exercise of the lesson ``number``, ``exercise`` (its title), ``state`` and ``remark``. One more with
        ``state`` and ``remark`` alone if cells stopped with an error (those left out count as they were handed in).

    Raises
    ------
    LessonError
        If the file is no notebook.
    """
    cells = read(path)
    exercises = exercises_of(cells)
    checks = [check for _title, check in exercises.values()]
    code = [cell for cell in cells if cell.cell_type == "code"]
    sources, results = [cell.source for cell in code], {}
    end_of_time = time.monotonic() + LONGEST_NOTEBOOK
    for part in [sources] if whole else [needed(cells, checks), sources]:
        limit = timeout or (LONGEST_TRAINING if part is sources else LONGEST_CELL)
        errors, end = _execute(part, path.name, (limit, end_of_time), results)
        left_out = [place for place, source in enumerate(sources) if source != part[place]]
        for place in left_out:  # a name that is not needed, as in the default of an argument
            errors[place] = "" if errors[place].startswith("NameError") else errors[place]
        unchecked = [check for number, (_title, check) in exercises.items() if number not in results]
        if end is not None or not _lacks([sources[place] for place in left_out], errors, results, unchecked):
            break
    for place in left_out:
        errors[place] = errors[place] or code[place].metadata["as handed in"]
    for place, source in enumerate(sources):
        where = _("code cell {number} ({line})").format(number=place + 1, line=notebooks.first_line(source))
        errors[place] = errors[place] and f"{where}: {errors[place]}"
    return _rows(exercises, results, list(zip(sources, errors, strict=True)), "" if end is None else errors[end])


def _rows(
    exercises: dict[str, tuple[str, str]], results: dict[str, dict], cells: list[tuple[str, str]], end: str
) -> list[dict[str, str]]:
    """Return a row per exercise, and what is to be said of the whole; of each code cell, source and error are given."""
    rows = []
    for number in {**exercises, **results}:
        title, check = exercises.get(number, ("", ""))
        why = next((error for source, error in cells if error and f"{check}(" in source), end)
        not_called = _("{check} was not called: was its cell deleted, turned into text, or changed?")
        missing = {"exercise": title, "state": "not checked", "remark": why or not_called.format(check=check)}
        rows.append({"number": number, **results.get(number, missing)})
    stopped = [error for _source, error in cells if error]
    if not rows:
        remark = _("Look whether the functions were renamed, or the cells with the checks removed.")
        rows.append({"state": "no exercise was checked", "remark": remark})
    if stopped:
        remark = _("{count} stopped with an error, first {error}").format(count=len(stopped), error=stopped[0])
        rows.append({"state": "stopped", "remark": remark})
    return rows


def _execute(
    sources: list[str], label: str, limits: tuple[float, float], results: dict[str, dict]
) -> tuple[list[str], int | None]:
    """Execute code cells, and put into `results` what the checks find.

    `limits` are the seconds that a cell may take, and when the time of the notebook is over (of ``time.monotonic``).
    Returns the error of each cell (empty if it has none), and the number of the cell that was the end of it all, if so.
    """

    def keep(message):  # errors alone: whatever else a cell sends would fill the memory
        sent = message["content"].get("data", {}).get(RESULTS)
        if isinstance(sent, dict):
            results.update((number, result) for number, result in sent.items() if isinstance(result, dict))
        return message["msg_type"] == "error"

    seconds, end_of_time = limits
    cells, ended = [new_code_cell(source) for source in sources], ""
    notebook = new_notebook(cells=[new_code_cell(FIRST_CELL), *cells])
    too_long = _("it took longer than {seconds:g} s, or the notebook than {hours:g} h; look for an endless loop.")
    too_long = too_long.format(seconds=seconds, hours=LONGEST_NOTEBOOK / 3600)
    try:
        notebooks.execute_notebook(
            notebook,
            Path.cwd(),
            label,
            keep,
            config=SOCKETS,
            allow_errors=True,
            timeout_func=lambda cell: max(1, min(seconds, end_of_time - time.monotonic())),
            interrupt_on_timeout=True,
            error_on_timeout={"ename": "", "evalue": "", "traceback": []},
            iopub_timeout=LONGEST_STOP,
            raise_on_iopub_timeout=True,
        )
    except CellTimeoutError:
        ended = too_long
    except DeadKernelError:
        ended = _("Python ended here, by the code or for lack of memory.")
    errors = [next((f"{output.ename}: {output.evalue}" for output in cell.outputs), "") for cell in cells]
    errors = [too_long if error.startswith("KeyboardInterrupt") else error for error in errors]
    if not ended:
        return errors, None
    last = max((place for place, cell in enumerate(cells) if cell.execution_count), default=0)
    errors[last] = ended
    return errors, last


# ---------------------------------------------------------------------------------------------------------
# A class


def write_scores(
    paths: Iterable[Path], file: TextIO, whole: bool = False, timeout: float | None = None, jobs: int = 1
) -> None:
    """Write a CSV of one row per notebook and exercise: notebook, number, exercise, state, remark.

    Each notebook runs in a process of its own, as :mod:`classroom.confinement` describes it. One that cannot be run
    gets one row, without a number, that says so.

    Parameters
    ----------
    paths : iterable of Path
        Notebooks, folders of notebooks, and patterns such as ``handed_in/*.ipynb``, which not every shell expands.
    file : text file
        Open for writing.
    whole, timeout
        As in :func:`score`.
    jobs : int
        How many notebooks run at once.

    Raises
    ------
    LessonError
        If one of the files is missing; then none is run.
    """
    paths = [path for given in paths for path in _found(given)]
    refused, lessons = {}, set()
    for path in dict.fromkeys(paths):
        try:
            lessons |= {int(number.partition(".")[0]) for number in exercises_of(read(path))}
        except LessonError as error:
            refused[path] = [{"state": UNREADABLE, "remark": str(error)}]
    if settings.source() == "embedded":  # the notebooks themselves cannot write
        data.prepare(lessons)
    asyncio.run(_write(paths, file, refused, (whole, timeout), jobs))


async def _write(paths, file, refused, options, jobs) -> None:
    gate = asyncio.Semaphore(jobs)

    async def rows_of(path: Path) -> list[dict[str, str]]:
        async with gate:
            return refused.get(path) or await _score_apart(path, *options)

    tasks = [asyncio.create_task(rows_of(path)) for path in paths]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["notebook", *COLUMNS])
    for path, task in zip(paths, tqdm(tasks, unit="notebook"), strict=True):
        for row in await task:
            writer.writerow([_plain(str(text)) for text in (path, *(row.get(column, "") for column in COLUMNS))])
        file.flush()  # a class takes minutes: what is known can be read


async def _score_apart(path: Path, whole: bool, timeout: float | None) -> list[dict[str, str]]:
    """Return the rows of a notebook as a process of its own finds them (the end of this file)."""
    words = ["-m", "classroom.scoring", json.dumps([str(path.absolute()), whole, timeout])]
    try:
        printed, complaint = await confinement.run(words, LONGEST_NOTEBOOK + LONGEST_CELL)
        return json.loads(printed)
    except TimeoutError:
        reason = _("It took longer than {hours:g} h").format(hours=LONGEST_NOTEBOOK / 3600)
    except ValueError:  # the process ended before it printed
        reason = complaint
    return [{"state": UNREADABLE, "remark": UNKNOWN.format(reason=reason)}]


def score_here(path: Path, whole: bool, timeout: float | None) -> list[dict[str, str]]:
    """Score a notebook in the current folder, with the small files that lie beside it; never raises an error."""
    for beside in path.parent.iterdir():
        if beside.is_file() and beside.suffix != ".ipynb" and beside.stat().st_size <= LARGEST_BESIDE:
            shutil.copy(beside, beside.name)
    try:
        return score(path, whole, timeout)
    except Exception as error:  # whatever it is: the notebook gets its row
        return [{"state": UNREADABLE, "remark": UNKNOWN.format(reason=f"{type(error).__name__}: {error}")}]


def _found(given: Path) -> list[Path]:
    if given.is_dir():
        found = [path for path in sorted(given.rglob("*.ipynb")) if path.parent.name != ".ipynb_checkpoints"]
    else:
        names = [given] if given.is_file() else sorted(map(Path, glob.glob(str(given))))
        found = [path for path in names if path.is_file()]
    if not found:
        raise LessonError(_("{path}: there is no such notebook. No notebook was run.").format(path=given))
    return found


def _plain(text: str) -> str:
    """Return a text as one line of letters that can be written, cut to what somebody reads."""
    text = " ".join(NOT_PLAIN.sub(" ", text).split()).encode(errors="replace").decode()
    return text if len(text) <= LONGEST_REMARK else text[: LONGEST_REMARK - 4] + " ..."


# ---------------------------------------------------------------------------------------------------------
# What was handed in


def read(path: Path) -> list[nbformat.NotebookNode]:
    """Return the cells of a handed-in notebook: whatever an editor made of it, as long as it looks like one.

    Raises
    ------
    LessonError
        If the file is no notebook.
    """
    if path.stat().st_size > LARGEST_NOTEBOOK:
        says = _("{path}: it is larger than {size} MB. Ask for it with its outputs cleared.")
        raise LessonError(says.format(path=path, size=LARGEST_NOTEBOOK >> 20))
    content = path.read_bytes()
    if not content.strip():
        raise LessonError(_("{path}: the file is empty. Ask for it again.").format(path=path))
    try:
        try:
            book = json.loads(content, strict=False)  # UTF-8, UTF-16 or UTF-32, with a byte order mark or without
        except UnicodeDecodeError:
            book = json.loads(content.decode("cp1252", errors="replace"), strict=False)
        sheets = book.get("worksheets") or [book]  # notebooks before 2015 have sheets
        return [_cell(cell) for sheet in sheets for cell in sheet["cells"] if isinstance(cell, dict)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        says = _("{path}: this is no notebook that can be read ({reason}). Ask for it again.")
        if b"\n<<<<<<< " in content:
            says = _("{path}: marks of a git merge (<<<<<<<) stand in it. Choose one of the versions between them.")
        raise LessonError(says.format(path=path, reason=error)) from error


def _cell(raw: dict) -> nbformat.NotebookNode:
    source = raw.get("source", raw.get("input")) or ""
    source = "".join(map(str, source)) if isinstance(source, list) else str(source)
    source = source.encode(errors="replace").decode()
    if raw.get("cell_type", "code") != "code":
        return new_markdown_cell(source)
    outputs = raw.get("outputs") if isinstance(raw.get("outputs"), list) else []
    errors = [output for output in outputs if isinstance(output, dict) and output.get("output_type") == "error"]
    remarks = [_("{error} (as handed in)").format(error=f"{one.get('ename')}: {one.get('evalue')}") for one in errors]
    return new_code_cell(source, metadata={"as handed in": next(iter(remarks), "")})


def exercises_of(cells: list[nbformat.NotebookNode]) -> dict[str, tuple[str, str]]:
    """Return the exercises of the lesson that these cells come from: number -> title and name of the check.

    It is the lesson that has most of its checks in common with them; if none has any, there are no exercises.
    """
    text = "\n".join(cell.source for cell in cells)
    found, exercises = 0, {}
    for lesson, its_exercises in _exercises().items():
        common = sum(f"{check}(" in text for _title, check in its_exercises.values()) + (f"lesson={lesson})" in text)
        if common > found:
            found, exercises = common, its_exercises
    return exercises


@functools.cache
def _exercises() -> dict[int, dict[str, tuple[str, str]]]:
    """Return the exercises of each lesson, as its stored outputs name them."""
    known = {}
    for lesson in notebooks.find():
        known[lesson.number] = {}
        for cell in notebooks.read(lesson.path).cells:
            printed = "".join(output.get("text", "") for output in cell.get("outputs", []))
            check, verdict = CHECK.search(cell.source), VERDICT.search(printed)
            if check and verdict:
                known[lesson.number][verdict[1]] = (verdict[2], check[1])
    return known


# ---------------------------------------------------------------------------------------------------------
# What the exercises need


def needed(cells: list[nbformat.NotebookNode], checks: Iterable[str] = ()) -> list[str]:
    """Return the source of each code cell, shortened to what the exercises of the notebook need as a rule.

    That is the cells before the first section, the exercises, and of the others the imports, functions and classes.

    Parameters
    ----------
    cells : list of NotebookNode
    checks : iterable of str
        Names of functions: a cell that calls one is an exercise, too, whatever the student calls their module.

    Returns
    -------
    list of str
        One per code cell; empty where nothing of it is needed.
    """
    sections = [place for place, cell in enumerate(cells) if cell.source.startswith("## ")]
    opening = [cell for cell in cells[: (sections or [0])[0]] if cell.cell_type == "code"]
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    return [
        source
        if place < len(opening) or CHECK.search(source) or any(f"{check}(" in source for check in checks)
        else _definitions(source)
        for place, source in enumerate(sources)
    ]


def _definitions(source: str) -> str:
    """Return of a cell what trains nothing: imports, functions, classes, and what magics and the shell do."""
    try:
        tree = _parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source  # no Python: it shows its error
    return "\n".join(ast.unparse(statement) for statement in tree.body if _defines(statement))


def _defines(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Try):  # an import that may fail
        return any(map(_defines, statement.body))
    magic = isinstance(statement, ast.Expr) and ast.unparse(statement).startswith("get_ipython().")
    return magic or isinstance(statement, DEFINITIONS)


def _lacks(left_out: list[str], errors: list[str], results: dict[str, dict], unchecked: list[str]) -> bool:
    """Tell whether the code that was left out gives a name that was missing, or calls a check that was not called."""
    said = "\n".join([*errors, *(str(result.get("remark")) for result in results.values())])
    missing = set(re.findall(r"NameError: name '(\w+)'", said))
    called = any(f"{check}(" in source for check in unchecked for source in left_out)
    return called or any(missing & _assigned(source) for source in left_out)


def _assigned(source: str) -> set[str]:
    names = (node for node in ast.walk(_parsed(source)) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _parsed(source: str) -> ast.Module:
    return ast.parse(TransformerManager().transform_cell(TIMING.sub(r"\1", source)))


if __name__ == "__main__":  # the process of one notebook, in a folder of its own
    given, *options = json.loads(sys.argv[1])
    confinement.limit()
    print(json.dumps(score_here(Path(given), *options)))
