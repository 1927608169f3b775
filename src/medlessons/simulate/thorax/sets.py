"""Many radiographs at once: all cores, a progress bar, the same files whatever the number of workers."""

import multiprocessing
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from medlessons.errors import LessonError
from medlessons.simulate.thorax.anatomy import Patient, draw_patient
from medlessons.simulate.thorax.imaging import Radiograph, radiograph

OPTIONS = ("view", "findings", "visit", "style", "faults")
WORTH_A_WORKER = 50  # images; below that, starting a process takes longer than the work


def render(row: Mapping, size: int) -> Radiograph:
    """Return the radiograph that one row of a table asks for (columns as in :func:`render_set`)."""
    patient = row["patient"]
    if not isinstance(patient, Patient):
        patient = draw_patient(patient)
    return radiograph(patient, size=size, **{key: row[key] for key in OPTIONS if key in row})


def _save(row: Mapping, folder: Path, size: int) -> None:
    path = folder / row["path"]
    image = Image.fromarray(render(row, size).image)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        image.save(temporary, format="PNG", compress_level=1)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def render_set(
    table: Iterable[Mapping], folder: str | Path, size: int, *, workers: int | None = None, progress: bool = True
) -> None:
    """Render many rows to PNG files, with all cores and a progress bar.

    Parameters
    ----------
    table : DataFrame or iterable of mappings
        One row an image: ``path`` (below ``folder``), ``patient`` (a Patient or a seed) and any of ``view``,
        ``findings``, ``visit``, ``style``, ``faults``, as in :func:`radiograph`. Other columns are ignored.
    folder : path
    size : int
        Pixels of an edge.
    workers : int, optional
        Processes; by default one per core, fewer for a small set. The files do not depend on it. Where no process
        can be started (a console without a script, some sandboxes) the work is done in this one.
    progress : bool
        Whether to show the bar.

    Raises
    ------
    LessonError
        If a row lacks its path or patient, if two rows have the same path, or if an image cannot be drawn as asked.
    """
    rows = table.to_dict("records") if hasattr(table, "to_dict") else list(table)
    _check(rows)
    workers = min(workers or os.cpu_count() or 1, max(1, len(rows) // WORTH_A_WORKER))
    job = partial(_save, folder=Path(folder), size=size)
    with tqdm(total=len(rows), desc="radiographs", disable=not progress) as bar:
        done = _in_parallel(job, rows, workers, bar) if workers > 1 else 0
        for row in rows[done:]:
            job(row)
            bar.update()


def _in_parallel(job, rows: list[Mapping], workers: int, bar) -> int:
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


def _check(rows: list[Mapping]) -> None:
    seen = set()
    for number, row in enumerate(rows):
        for column in ("path", "patient"):
            if column not in row:
                raise LessonError(f"Row {number} has no {column!r}; each row needs a path and a patient (or its seed).")
        if row["path"] in seen:
            raise LessonError(
                f"Row {number} has the path {row['path']!r} of an earlier row; each path must be its own."
            )
        seen.add(row["path"])
