"""Embedded image sets: tables of the simulated clinic, drawn to files once, and read back with the way to the truth."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import simclinic
from medlessons import files
from medlessons.data import image_table, places, rendering
from simclinic import clinic


def made(folder: Path, recipe: str, draw: Callable[[], Mapping[str, pd.DataFrame]], size: int) -> Path:
    """Return a folder with the images of some tables, drawn unless they are there and up to date.

    Parameters
    ----------
    folder : Path
        Gets a CSV file for each table, and the images where their column ``path`` says. An image that stands in several
        tables is drawn once.
    recipe : str
        As :func:`recipe` returns it.
    draw : callable
        Returns name -> table of the clinic (:mod:`simclinic.clinic`), with the labels of the task. Called only if the
        files have to be made.
    size : int
        Pixels of an edge.

    Returns
    -------
    Path
        ``folder``.
    """
    return places.made(folder, recipe, partial(_make, draw, size))


def recipe(name: str, size: int, *constants: object) -> str:
    """Return what the files of a set follow from, in one line.

    Parameters
    ----------
    name : str
        Of the task.
    size : int
        Pixels of an edge.
    *constants : object
        What the task draws its patients with, such as seeds and prevalence: anything whose ``repr`` says all of it.

    Returns
    -------
    str
        Another one after a change of the constants, or of ``simclinic.VERSION``.
    """
    return f"{name}, {size} px, simulator {simclinic.VERSION}, {files.md5(repr(constants).encode())}"


def _make(draw: Callable[[], Mapping[str, pd.DataFrame]], size: int, folder: Path) -> None:
    tables = draw()
    every = pd.concat(tables.values()).drop_duplicates("path")
    rendering.write(every.to_dict("records"), folder, size, draw_image)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)


def draw_image(row: Mapping, size: int) -> np.ndarray:
    """Return the image of a row of a table, uint8 of shape (size, size)."""
    return clinic.truth(row, size, masks=False).image


def read(folder: Path, name: str, labels: tuple[str, ...]) -> pd.DataFrame:
    """Return one image table of a folder that :func:`made` made.

    Parameters
    ----------
    folder : Path
    name : str
        Of the table.
    labels : tuple of str
        Its columns with labels.

    Returns
    -------
    DataFrame
        As :func:`image_table.tidy` describes it.
    """
    table = pd.read_csv(folder / f"{name}.csv", keep_default_na=False)
    table["path"] = [str(folder / path) for path in table["path"]]
    return image_table.tidy(table, labels, "simulated data")
