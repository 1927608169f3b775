"""ChestX-ray8 of the NIH Clinical Center, in its later release with fourteen findings: 112,120 frontal radiographs.

https://nihcc.app.box.com/v/ChestXray-NIHCC (Wang et al. 2017, https://doi.org/10.1109/CVPR.2017.369). The NIH asks to
name this link, the paper and the NIH Clinical Center; use is not restricted. A folder holds one of two forms:

- the release: ``Data_Entry_2017*.csv`` (or Kaggle's ``sample_labels.csv``), and where they were fetched
  ``train_val_list.txt``, ``test_list.txt`` and ``BBox_List_2017.csv``;
- a subset: ``labels.csv`` with ``Image``, ``PatientId`` and one 0/1 column a finding; or the three tables of the
  published lesson, ``train-small.csv``, ``valid-small.csv`` and ``test.csv``.

The images lie in folders whose names begin with ``images``, or in a folder ``images`` within these.
"""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from medlessons import settings
from medlessons.data import image_table, text
from medlessons.errors import LessonError
from simclinic.thorax import FINDINGS

NAME = "chestxray8"
PAGE = "https://nihcc.app.box.com/v/ChestXray-NIHCC"
FETCH_AGAIN = f"Fetch it again from {PAGE}."
TABLES = ("Data_Entry_2017*.csv", "sample_labels.csv", "labels.csv")  # the first that is there is read
COURSE = {"train": "train-small.csv", "valid": "valid-small.csv", "test": "test.csv"}
LISTS = {"train_val": "train_val_list*.txt", "test": "test_list*.txt"}  # a copy on Kaggle adds _NIH
BOXES = "BBox_List_2017.csv"
HOSPITAL = "NIH Clinical Center"
NO_FINDING = "No Finding"
BOX_PIXELS = 1024  # edge of the images that the boxes were drawn on
LABELS = {text.key(name): name for name in (*FINDINGS, NO_FINDING)}
OLDEST = 120  # years: a few published ages are typing errors, such as 414

RELEASE_COLUMNS = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender", "View Position")
SUBSET_COLUMNS = ("Image", "PatientId", *FINDINGS)


def folder() -> Path:
    """Return where the collection is expected."""
    return settings.real_dir() / NAME


def find_table(folder: Path) -> Path:
    """Return the path of the table of a folder. Raises LessonError if there is none."""
    for pattern in TABLES:
        found = sorted(folder.glob(pattern))
        if found:
            return found[-1]  # the newest version of the release
    raise LessonError(
        f"{folder}: there is no table of ChestX-ray8. Expected is one of {', '.join(TABLES)}, beside the images. Fetch "
        "them with `medlessons data fetch chestxray8 --subset 1` (2 GB), or use the simulated patients with "
        "MEDLESSONS_SOURCE=embedded."
    )


def read(folder: Path, table: Path | None = None) -> pd.DataFrame:
    """Return the rows of the collection that have a file.

    Parameters
    ----------
    folder : Path
    table : Path, optional
        Its table; the one that :func:`find_table` finds unless given.

    Returns
    -------
    DataFrame
        ``path``, ``patient``, ``view`` ("PA", "AP", or empty in a subset), the fourteen findings as 0/1 columns in the
        order of lesson 3, ``age``, ``sex``, ``source``, and ``list`` ("train_val" or "test" if the official lists are
        there, else empty). ``attrs["left_out"]`` counts rows without their file and files without a row. No image is
        opened.

    Raises
    ------
    LessonError
        If the table, a column, a label or a patient is missing or wrong, or no row has its file.
    """
    folder = Path(os.path.abspath(folder))
    source = table or find_table(folder)
    rows = read_labels(source)
    paths = image_paths(folder)
    stems, lists = rows["image"].map(stem), _lists(folder)
    rows["path"] = stems.map(paths)
    rows["list"] = [lists.get(name, "") for name in stems]
    there = rows["path"].notna()
    if not there.any():
        raise LessonError(
            f"{folder}: none of the {len(rows):,} images of {source.name} is there. Expected are files such as "
            f"images/{rows['image'].iloc[0]}; unpack the archives of images into this folder."
        )
    kept = rows[there].reset_index(drop=True)
    kept.attrs["left_out"] = {
        "a row without its file": int((~there).sum()),
        "a file without a row": len(paths.keys() - set(stems)),
    }
    return kept


def read_labels(path: Path) -> pd.DataFrame:
    """Return the rows of one table of the collection, whichever form it has.

    Parameters
    ----------
    path : Path

    Returns
    -------
    DataFrame
        ``image`` (name of the file), ``patient``, ``view``, the fourteen findings as 0/1 columns, ``age``, ``sex``,
        ``source``.

    Raises
    ------
    LessonError
        If the file is no table of either form; the message names the column and the line.
    """
    rows = text.read_csv(path, FETCH_AGAIN)
    rows = rows.rename(columns={"Patient Sex": "Patient Gender"})  # so in Data_Entry_2017_v2020.csv
    release = "Image Index" in rows.columns
    missing = [name for name in (RELEASE_COLUMNS if release else SUBSET_COLUMNS) if name not in rows.columns]
    if missing:
        raise LessonError(
            f"{path}, line 1: the column {missing[0]!r} is missing. Expected is the table of the release "
            f"({', '.join(RELEASE_COLUMNS)}) or of a subset (Image, PatientId and one column a finding)."
        )
    table = _from_release(rows, path) if release else _from_subset(rows, path)
    for column, name in (("image", "image"), ("patient", "patient")):
        empty = table.index[table[column] == ""]
        if len(empty):
            raise LessonError(f"{path}, line {empty[0] + 2}: the {name} is empty. Fill it in, or remove the row.")
    twice = table.index[table["image"].duplicated()]
    if len(twice):
        raise LessonError(
            f"{path}, line {twice[0] + 2}: {table.at[twice[0], 'image']} stands in an earlier row, too. Remove one of "
            "them."
        )
    return table.assign(patient=text.patient_names(table["patient"]), source=HOSPITAL)


def _from_release(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    kinds = rows["Finding Labels"].unique()  # some hundreds, of 112,120 rows
    found = {kind: [LABELS.get(text.key(name), name) for name in kind.split("|")] for kind in kinds}
    for kind, names in found.items():
        unknown = [name for name in names if name not in LABELS.values()]
        if unknown:
            line = rows.index[rows["Finding Labels"] == kind][0] + 2
            raise LessonError(
                f"{path}, line {line}, column Finding Labels: {unknown[0]!r} is not one of the fourteen findings. "
                f"Expected are {', '.join(FINDINGS)}, separated by |, or {NO_FINDING}."
            )
    present = {kind: [name in names for name in FINDINGS] for kind, names in found.items()}
    labels = np.array([present[kind] for kind in rows["Finding Labels"]], int).reshape(-1, len(FINDINGS))
    age = pd.to_numeric(rows["Patient Age"].str.extract(r"^0*(\d+)Y?$")[0], errors="coerce")  # 58, or 058Y
    table = pd.DataFrame(
        {
            "image": rows["Image Index"],
            "patient": rows["Patient ID"],
            "view": rows["View Position"].map(image_table.view_of),
            "age": age.where(age <= OLDEST),
            "sex": rows["Patient Gender"],
        }
    )
    return table.join(pd.DataFrame(labels, columns=FINDINGS))


def _from_subset(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    labels = rows[list(FINDINGS)].apply(pd.to_numeric, errors="coerce")
    wrong = ~labels.isin((0, 1))
    if wrong.any(axis=None):
        line, column = wrong.stack().idxmax()
        raise LessonError(
            f"{path}, line {line + 2}, column {column}: {rows.at[line, column]!r} is neither 0 (absent) nor 1 "
            "(present). Correct it, or remove the row."
        )
    table = pd.DataFrame({"image": rows["Image"], "patient": rows["PatientId"], "view": "", "age": np.nan, "sex": ""})
    return table.join(labels.astype(int))


def read_boxes(folder: Path) -> pd.DataFrame:
    """Return where radiologists drew lesions.

    Parameters
    ----------
    folder : Path
        With ``BBox_List_2017.csv``.

    Returns
    -------
    DataFrame
        ``image``, ``finding``, and ``left``, ``top``, ``width``, ``height`` as shares of the image (0 to 1), whatever
        its size. Empty if the folder has no such file.

    Raises
    ------
    LessonError
        If a line has no known finding, or four numbers that make no box.
    """
    path = folder / BOXES
    columns = ["image", "finding", "left", "top", "width", "height"]
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    lines = text.decode(path.read_bytes(), str(path), FETCH_AGAIN).splitlines()
    # The header has another number of commas than the lines, and differs between copies of the file.
    cells = [[cell.strip() for cell in re.sub(r"[\[\]\"]", "", line).split(",")] for line in lines[1:]]
    rows = {number: (row + [""] * 6)[:6] for number, row in enumerate(cells) if any(row)}
    table = pd.DataFrame.from_dict(rows, "index", columns=columns)
    names = LABELS | {"infiltrate": "Infiltration"}
    table["finding"] = [names.get(text.key(name), name) for name in table["finding"]]
    table[columns[2:]] = table[columns[2:]].apply(pd.to_numeric, errors="coerce") / BOX_PIXELS
    right, bottom = table["left"] + table["width"], table["top"] + table["height"]
    sound = table["finding"].isin(FINDINGS) & (table[columns[2:]] >= 0).all(axis=1) & (right <= 1.01) & (bottom <= 1.01)
    if not sound.all():
        raise LessonError(
            f"{path}, line {table.index[~sound][0] + 2}: this is no box. Expected are an image, a finding, and left, "
            f"top, width and height in pixels of {BOX_PIXELS}. Fetch the file again from {PAGE}."
        )
    return table


def image_paths(folder: Path) -> dict[str, str]:
    """Return :func:`stem` -> path of all images of a folder; one look at each folder, since there are 112,120."""
    paths = {}
    for pattern in ("images*", "images*/images*"):
        for place in sorted(folder.glob(pattern)):
            if place.is_dir():
                with os.scandir(place) as entries:
                    paths |= {stem(entry.name): entry.path for entry in entries if _is_image(entry.name)}
    return paths


def stem(name: str) -> str:
    """Return the name of an image without its extension: a copy may have other ones (.jpg, .PNG) than its table."""
    return name.rsplit(".", 1)[0].lower()


def _is_image(name: str) -> bool:
    return name.lower().endswith((".png", ".jpg", ".jpeg")) and not name.startswith(".")  # macOS adds ._*


def _lists(folder: Path) -> dict[str, str]:
    """Return :func:`stem` -> "train_val" or "test", as the NIH divided the images; empty without its lists."""
    lists = {}
    for part, name in LISTS.items():
        for path in folder.glob(name):
            names = text.decode(path.read_bytes(), str(path), FETCH_AGAIN).split() if path.stat().st_size else []
            lists |= dict.fromkeys(map(stem, names), part)
    return lists
