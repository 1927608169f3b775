"""Finds the lessons, executes them, and stores their outputs."""

import asyncio
import base64
import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor
from tqdm import tqdm

from medlessons import settings
from medlessons.errors import LessonError
from medlessons.files import atomic_write
from medlessons.wording import _

NOTEBOOKS = settings.REPOSITORY / "notebooks"
DOCS = settings.REPOSITORY / "docs"
PICTURE_TAG = "picture"  # the cell with this tag draws the picture of its lesson in the README
_running = set()  # what executes a notebook now, in all threads


@dataclass(frozen=True)
class Lesson:
    """One notebook: its number, its title (the first heading) and its file."""

    number: int
    title: str
    path: Path


@dataclass
class Run:
    """What came of executing a lesson."""

    lesson: Lesson
    notebook: nbformat.NotebookNode
    cells: int = 0
    began: float = 0.0  # of time.perf_counter
    seconds: float = 0.0
    fault: str | None = None


def find(selection: str | None = None, folder: Path = NOTEBOOKS) -> list[Lesson]:
    """Return the lessons in their order.

    Of two files with one number, such as a lesson and a copy, it takes the one with the shorter name, and says so.

    Parameters
    ----------
    selection : str, optional
        Numbers separated by commas, such as ``"1"`` or ``"1,2"``; all lessons unless given.
    folder : Path
        Where the notebooks stand.

    Raises
    ------
    LessonError
        If a number has no lesson, or the folder has none.
    """
    lessons = [_lesson(path) for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]
    if not lessons:
        says = _("{folder}: there are no lessons. Install from a clone of the repository: pip install --no-deps -e .")
        raise LessonError(says.format(folder=folder))
    by_number = {}
    for lesson in sorted(lessons, key=lambda lesson: len(lesson.path.name)):
        taken = by_number.setdefault(lesson.number, lesson)
        if taken is not lesson:
            says = _("medlessons: lesson {number} is {taken}; {other} has its number, and is left alone.")
            print(says.format(number=taken.number, taken=taken.path.name, other=lesson.path.name), file=sys.stderr)
    try:
        numbers = [int(number) for number in selection.split(",")] if selection else by_number
        return [by_number[number] for number in sorted(set(numbers))]
    except (KeyError, ValueError):
        numbers = ", ".join(map(str, sorted(by_number)))
        says = _("There is no lesson {selection!r}; there are {numbers}. Try LESSON=1.")
        raise LessonError(says.format(selection=selection, numbers=numbers)) from None


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook. Raises LessonError if it is missing or no notebook."""
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise LessonError(_("{path}: there is no such notebook.").format(path=path)) from None
    except Exception as error:
        says = _("{path}: this is no notebook that can be read ({reason}).")
        raise LessonError(says.format(path=path, reason=error)) from error


def _lesson(path: Path) -> Lesson:
    texts = [cell.source for cell in read(path).cells[:1]]
    heading = re.search(r"^# (.+)$", "".join(texts), re.MULTILINE)
    return Lesson(int(path.name[:2]), heading[1] if heading else path.stem, path)


def execute_all(lessons: list[Lesson], jobs: int = 1) -> Iterator[Run]:
    """Execute lessons, some at once, and yield what came of each, in their order. Ctrl-C and an error end them all."""
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        futures = [pool.submit(execute, lesson) for lesson in lessons]
        try:
            for future in futures:
                while wait([future], timeout=1).not_done:  # Windows hears Ctrl-C between two waits only
                    pass
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in futures):  # also those that are only about to start
                for client in tuple(_running):
                    client.stop()
                time.sleep(0.1)


def execute(lesson: Lesson) -> Run:
    """Execute a lesson in this Python. The file is not changed.

    Returns
    -------
    Run
        The executed notebook, its cells and seconds. ``fault`` names the cell that failed, if one did.
    """
    run = Run(lesson, read(lesson.path))
    run.cells = sum(cell.cell_type == "code" for cell in run.notebook.cells)
    run.began = time.perf_counter()
    try:
        execute_notebook(run.notebook, lesson.path.parent, f"Lesson {lesson.number}")
    except CellExecutionError as error:
        where = _("{lesson}, cell {cell}").format(lesson=lesson.path.name, cell=_failed(run.notebook))
        run.fault = f"{where}: {error.ename}: {error.evalue}"
    except DeadKernelError:
        ended = _("{lesson}: Python was ended from outside, most likely for lack of memory.")
        run.fault = ended.format(lesson=lesson.path.name)
    run.seconds = time.perf_counter() - run.began
    says = _("Lesson {number}: {cells} cells in {seconds:.0f} s")
    tqdm.write(run.fault or says.format(number=lesson.number, cells=run.cells, seconds=run.seconds), file=sys.stderr)
    return run


def execute_notebook(
    notebook: nbformat.NotebookNode,
    folder: Path,
    label: str,
    keep: Callable[[dict], bool] | None = None,
    **options: object,
) -> None:
    """Execute a notebook in place, in this Python, with one progress bar over its cells.

    Parameters
    ----------
    notebook : NotebookNode
        Its outputs are replaced.
    folder : Path
        Where it runs.
    label : str
        What stands in front of the bar.
    keep : callable, optional
        Takes each message that a cell sends, and says whether it becomes an output of the cell; all do unless given.
    **options
        Of nbclient's ``NotebookClient``, such as ``allow_errors`` and ``timeout``.

    Raises
    ------
    CellExecutionError
        If a cell fails and ``allow_errors`` is not given.
    CellTimeoutError
        If a cell takes longer than ``timeout`` seconds.
    DeadKernelError
        If Python ends before the notebook does.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:  # what a run that fails does not reach must not show stored results
        cell.outputs, cell.execution_count = [], None
    with tqdm(total=len(code), desc=label, unit="cell", file=sys.stderr, leave=False) as bar:

        def show_cell(cell, cell_index):
            if cell.cell_type == "code":
                bar.set_postfix_str(first_line(cell.source))

        def advance(cell, cell_index, execute_reply):
            bar.update()

        client = _Client(
            notebook,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=show_cell,
            on_cell_executed=advance,
            **options,
        )
        client.keep = keep
        _running.add(client)
        try:
            # TensorFlow's chatter would tear the progress bar, and what goes past the notebook the table of scores
            asyncio.run(client.async_execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        except BaseException:
            if client.stopped:
                raise KeyboardInterrupt from None
            raise
        finally:
            _running.discard(client)


class _Client(NotebookClient):
    """Ctrl-C and SIGTERM end the run. nbclient alone ends the kernel only, and takes that for a kernel that died."""

    stopped = False
    task = None
    keep = None

    def create_kernel_manager(self):
        manager = super().create_kernel_manager()
        manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[])  # the kernel of this Python, not of another one
        return manager

    async def async_start_new_kernel(self, **kwargs):
        self.loop, self.task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows; a thread of its own
                self.loop.add_signal_handler(number, self.stop)
        if self.stopped:
            raise asyncio.CancelledError
        await super().async_start_new_kernel(**kwargs)

    def stop(self):
        """End the run, from whatever thread."""
        if self.task and not self.stopped:
            self.loop.call_soon_threadsafe(self.task.cancel)
        self.stopped = True

    def output(self, outs, msg, display_id, cell_index):
        if self.keep is None or self.keep(msg):
            return super().output(outs, msg, display_id, cell_index)
        return None


def _failed(notebook: nbformat.NotebookNode) -> str:
    """Return number and first line of the last cell that was executed."""
    executed = [cell for cell in notebook.cells if cell.get("execution_count")]
    return f"{executed[-1].execution_count} ({first_line(executed[-1].source)})" if executed else "1"


def first_line(source: str) -> str:
    """Return the first line of a cell that says something, cut to what fits after a progress bar."""
    lines = [line for line in source.splitlines() if line.strip()]
    return lines[0][:40] if lines else ""


def store(run: Run) -> None:
    """Write an executed lesson over its tracked notebook, without anything that differs from run to run."""
    if run.fault:
        raise LessonError(_("{fault} The stored outputs are unchanged.").format(fault=run.fault))
    place(nbformat.writes(tidy(run.notebook)) + "\n", run.lesson.path)
    for drawn in picture(run.notebook):
        place(drawn, DOCS / f"{run.lesson.path.stem}.png")


def place(content: str | bytes, path: Path) -> None:
    """Write a file whole or not at all. Raises LessonError if the disk is full or the folder cannot be written."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def picture(notebook: nbformat.NotebookNode) -> list[bytes]:
    """Return the picture (PNG) that stands for a lesson in the README, in a list; none if no cell carries the tag."""
    return [
        base64.b64decode(output.data["image/png"])
        for cell in notebook.cells
        if PICTURE_TAG in cell.metadata.get("tags", [])
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]


def tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leave out progress, times, and the name of the machine's Python, so that only real changes show in git.

    How a printed text is cut into pieces depends on time, so pieces that follow each other become one.
    """
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    CoalesceStreamsPreprocessor().preprocess(notebook, {})
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    return notebook
