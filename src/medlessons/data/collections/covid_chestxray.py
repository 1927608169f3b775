"""The COVID-19 image data collection: radiographs and CT slices from publications and hospitals.

https://github.com/ieee8023/covid-chestxray-dataset (Cohen et al. 2020, https://arxiv.org/abs/2006.11988): a table
``metadata.csv`` and a folder ``images``. The licence differs by image and stands in the table.
"""

import os
from pathlib import Path

import pandas as pd

from medlessons import settings
from medlessons.data import image_table, text
from medlessons.errors import LessonError

NAME = "covid-chestxray-dataset"
FETCH = "medlessons data fetch covid_chestxray"
METADATA = "metadata.csv"
COLUMNS = ("patientid", "view", "folder", "filename")


def folder() -> Path:
    """Return where the collection is expected."""
    return settings.real_dir() / NAME


def read(folder: Path) -> pd.DataFrame:
    """Return the rows of the collection that have a file.

    Parameters
    ----------
    folder : Path
        With ``metadata.csv`` and ``images/``.

    Returns
    -------
    DataFrame
        ``path``, ``patient``, ``view`` ("PA", "AP", "AP Supine", "L", "CT", or empty if it is not known, as
        :func:`image_table.view_of` reads them), ``finding`` as published ("Pneumonia/Viral/COVID-19", ...), ``age``,
        ``sex``, ``source`` (place). ``attrs["left_out"]`` counts rows without their file, further rows of the same
        file, and files without a row. No image is opened.

    Raises
    ------
    LessonError
        If the table or a column is missing, or a row names a file outside of the folder.
    """
    folder = Path(os.path.abspath(folder))
    rows = _read_metadata(folder / METADATA)
    names = zip(rows["folder"], rows["filename"], strict=True)
    rows["path"] = [os.path.abspath(folder / (where or "images") / name) for where, name in names]
    files = [str(path) for path in image_table.image_files(folder / "images")]
    by_stem = {os.path.splitext(path)[0]: path for path in files}  # some rows lack the extension
    rows["path"] = [by_stem.get(path, path) for path in rows["path"]]
    _refuse_paths_outside(rows, folder / METADATA)
    there = rows["path"].map(os.path.isfile)
    twice = rows["path"].duplicated() & there
    table = rows[there & ~twice].rename(columns={"patientid": "patient", "location": "source"})
    table.attrs["left_out"] = {
        "a row without its file": int((~there).sum()),
        "a further row of the same file": int(twice.sum()),
        "a file without a row": len(set(files) - set(rows["path"])),
    }
    if "finding" not in table:
        table["finding"] = ""
    return table.reset_index(drop=True)


def _read_metadata(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise LessonError(
            f"{path}: the published radiographs are not there. Fetch them with `{FETCH}`, "
            "or use the simulated ones with MEDLESSONS_SOURCE=embedded."
        )
    rows = text.read_csv(path, f"Fetch it again with `{FETCH}`.").rename(columns=str.lower)  # at first it was Patientid
    missing = [column for column in COLUMNS if column not in rows.columns]
    if missing:
        raise LessonError(
            f"{path}, line 1: the column {missing[0]} is missing; needed are {', '.join(COLUMNS)}. "
            f"Fetch the file again with `{FETCH}`."
        )
    nameless = rows.index[rows["patientid"] == ""]
    if len(nameless):
        raise LessonError(
            f"{path}, line {nameless[0] + 2}, column patientid: it is empty. Without it the images cannot be split "
            "by patient: fill it in, or remove the row."
        )
    modality = rows["modality"] if "modality" in rows else [""] * len(rows)
    views = [image_table.view_of(*cells) for cells in zip(rows["view"], modality, strict=True)]
    return rows.assign(patientid=text.patient_names(rows["patientid"]), view=views)


def _refuse_paths_outside(rows: pd.DataFrame, path: Path) -> None:
    """Refuse a row whose file lies outside of the collection: an absolute path, or one with too many ``..``."""
    for index, name in rows["path"].items():
        if not Path(name).is_relative_to(path.parent):
            raise LessonError(
                f"{path}, line {index + 2}, columns folder and filename: they lead to {name}, outside of the "
                "collection. Correct them, or remove the row."
            )
