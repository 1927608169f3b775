"""Many images at once: all cores, a progress bar, the same files whatever the number of workers."""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from medlessons.errors import LessonError

WORTH_A_WORKER = 50  # images; below that, starting a process takes longer than the work


def write(
    rows: Sequence[Mapping],
    folder: Path,
    size: int,
    draw: Callable[[Mapping, int], np.ndarray],
    workers: int | None = None,
) -> None:
    """Draw many rows to PNG files, with all cores and a progress bar.

    Parameters
    ----------
    rows : sequence of mappings
        One per image: ``path`` (below ``folder``), and what ``draw`` needs.
    folder : path
    size : int
        Pixels of an edge.
    draw : callable
        ``draw(row, size)`` returns the image, uint8 of shape (size, size). A function of a module: each worker imports
        it anew.
    workers : int, optional
        Processes; one per core unless given, fewer for a small set. The files do not depend on it. Where no process
        can be started (a console without a script, some sandboxes) the work is done in this one.

    Raises
    ------
    LessonError
        If a row lacks its path, or two rows have the same path.
    """
    _check_paths(rows)
    workers = min(workers or os.cpu_count() or 1, max(1, len(rows) // WORTH_A_WORKER))
    for_each(rows, partial(_save, folder=Path(folder), size=size, draw=draw), "drawing images", workers)


def for_each(rows: Sequence, job: Callable[[object], None], title: str, workers: int) -> None:
    """Do a job for each of some rows, with a progress bar, in several processes.

    Parameters
    ----------
    rows : sequence
    job : callable
        ``job(row)``: a function of a module, or a ``partial`` of one, since each worker imports it anew.
    title : str
        Of the bar.
    workers : int
        Processes. Where none can be started the work is done in this one.
    """
    with tqdm(total=len(rows), desc=title, unit="image") as bar:
        done = _in_parallel(job, rows, workers, bar) if workers > 1 else 0
        for row in rows[done:]:
            job(row)
            bar.update()


def _save(row: Mapping, folder: Path, size: int, draw: Callable) -> None:
    path = folder / row["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw(row, size)).save(path, format="PNG", compress_level=1)


def _in_parallel(job: Callable, rows: Sequence[Mapping], workers: int, bar: tqdm) -> int:
    """Do what can be done in other processes; return how many rows are done."""
    done = 0
    try:
        # A fresh interpreter per worker: a fork of a process that runs TensorFlow or Jupyter can hang.
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            for _ in pool.map(job, rows, chunksize=8):
                done += 1
                bar.update()
    except (BrokenProcessPool, PermissionError):
        pass
    return done


def _check_paths(rows: Sequence[Mapping]) -> None:
    seen = set()
    for number, row in enumerate(rows):
        if "path" not in row:
            raise LessonError(f"Row {number} has no 'path': each row needs the name of the file to write.")
        if row["path"] in seen:
            raise LessonError(
                f"Row {number} has the path {row['path']!r} of an earlier row; each path must be its own."
            )
        seen.add(row["path"])
