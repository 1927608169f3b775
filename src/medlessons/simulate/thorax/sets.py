"""Many radiographs at once: all cores, a progress bar, the same files whatever the number of workers."""

import multiprocessing
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from medlessons.simulate.thorax.anatomy import draw_patient
from medlessons.simulate.thorax.imaging import Radiograph, radiograph

REQUEST = ("view", "findings", "visit", "style", "faults")


def render(row: Mapping, size: int) -> Radiograph:
    """Return the radiograph that one row of a table asks for (see :func:`render_set`)."""
    patient = row["patient"]
    if not hasattr(patient, "seed"):
        patient = draw_patient(int(patient))
    return radiograph(patient, size=size, **{key: row[key] for key in REQUEST if key in row})


def _save(row: Mapping, folder: Path, size: int) -> None:
    path = folder / row["path"]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        Image.fromarray(render(row, size).image).save(temporary, format="PNG", compress_level=1)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def render_set(
    table: Iterable[Mapping],
    folder: str | Path,
    size: int,
    *,
    workers: int | None = None,
    progress: bool = True,
) -> None:
    """Render many rows to PNG files, with all cores and a progress bar.

    Parameters
    ----------
    table : DataFrame or iterable of mappings
        One row an image: ``path`` (below ``folder``), ``patient`` (a Patient or a seed) and, where they differ from
        the defaults of :func:`radiograph`, ``view``, ``findings``, ``visit``, ``style``, ``faults``.
    folder : path
    size : int
        Pixels of an edge.
    workers : int, optional
        Processes; by default one per core. The files do not depend on it.
    progress : bool
    """
    rows = table.to_dict("records") if hasattr(table, "to_dict") else list(table)
    folder = Path(folder)
    workers = min(workers or os.cpu_count() or 1, max(1, len(rows) // 50))
    job = partial(_save, folder=folder, size=size)
    with tqdm(total=len(rows), desc="radiographs", disable=not progress) as bar:
        if workers == 1:
            for row in rows:
                job(row)
                bar.update()
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            for _ in pool.map(job, rows, chunksize=16):
                bar.update()
