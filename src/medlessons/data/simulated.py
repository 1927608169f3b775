"""Embedded image sets: tables of the simulated clinic, drawn to files once, and read back with the way to the truth."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from medlessons import files
from medlessons.data import image_table, places
from simclinic import clinic, render


def made(folder: Path, tables: Mapping[str, pd.DataFrame], size: int) -> Path:
    """Return a folder with the images of some tables, drawn unless they are there, whole and up to date.

    Parameters
    ----------
    folder : Path
        Gets a CSV file for each table, and the images where their column ``path`` says. An image that stands in several
        tables is drawn once.
    tables : mapping
        Name -> table of the clinic (:mod:`simclinic.clinic`), with the labels of the task.
    size : int
        Pixels of an edge.

    Returns
    -------
    Path
        ``folder``.
    """
    return places.made(folder, recipe(tables), partial(_make, tables, size))


def recipe(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return a checksum of what the images follow from: the tables, the styles of their hospitals, the simulator."""
    text = [table.to_csv(index=False, lineterminator="\n") for table in tables.values()]
    hospitals = sorted({number for table in tables.values() for number in table["hospital"]})
    text += [repr(clinic.style_of(number)) for number in hospitals]
    return files.md5("\n".join(text).encode() + clinic.probes())


def _make(tables: Mapping[str, pd.DataFrame], size: int, folder: Path) -> None:
    every = pd.concat(tables.values()).drop_duplicates("path")
    render.write(every, folder, size, clinic.draw_image)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)


def read(folder: Path, name: str, labels: tuple[str, ...]) -> pd.DataFrame:
    """Return the image table ``name`` of a folder that :func:`made` made, with the columns ``labels``."""
    table = pd.read_csv(folder / f"{name}.csv", keep_default_na=False)
    table["path"] = [str(folder / path) for path in table["path"]]
    return image_table.tidy(table, labels, "simulated data")
