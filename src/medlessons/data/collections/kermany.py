"""Radiographs of children with and without pneumonia, from one hospital in Guangzhou.

Kermany et al. 2018, https://doi.org/10.1016/j.cell.2018.02.010; Mendeley Data, https://doi.org/10.17632/rscbjbr9sj.2,
CC BY 4.0. A folder ``chest_xray`` with ``train`` and ``test``, each with ``NORMAL`` and ``PNEUMONIA`` (Kaggle's copy
has ``val``, too). Patients and germs stand in the names of the files: ``person23_bacteria_78.jpeg``, or in version 3 of
the collection ``BACTERIA-1008087-0001.jpeg``.
"""

import os
import re
from pathlib import Path

import pandas as pd

from medlessons import settings
from medlessons.data import image_table, text
from medlessons.errors import LessonError

NAME = "chest_xray"
PARTS = ("train", "test", "val")
FOLDERS = ("NORMAL", "PNEUMONIA")
HOSPITAL = "Guangzhou Women and Children's Medical Center"
FINDINGS = {"bacteria": "bacterial pneumonia", "virus": "viral pneumonia"}

# The same number may stand with bacteria and with a virus. Whether that is one child is not said: taken for one, it
# cannot be on both sides of a split.
_PERSON = re.compile(r"(?P<patient>person\d+)_(?P<germ>bacteria|virus)_\d+", re.IGNORECASE)
_NORMAL = re.compile(r"(?P<patient>(?:NORMAL2-)?IM-\d+)(?:-\d+)+", re.IGNORECASE)
_VERSION_3 = re.compile(r"(?P<patient>(?P<germ>BACTERIA|VIRUS|NORMAL)-\d+)-\d+", re.IGNORECASE)


def folder() -> Path:
    """Return where the collection is expected."""
    return settings.real_dir() / NAME


def read(folder: Path) -> pd.DataFrame:
    """Return all images of the collection.

    Parameters
    ----------
    folder : Path
        ``chest_xray``.

    Returns
    -------
    DataFrame
        ``path``, ``patient`` (from the file's name), ``view`` ("AP", as published), ``finding`` ("normal", "bacterial
        pneumonia" or "viral pneumonia"), ``source``, ``part`` ("train", "test" or "val"). The age of a child, one to
        five years, is not given. ``attrs["left_out"]`` counts files whose name gives no patient. No image is opened.

    Raises
    ------
    LessonError
        If a folder is missing or holds no image.
    """
    folder = Path(os.path.abspath(folder))
    rows, strange = [], 0
    for part in PARTS:
        for kind in FOLDERS:
            for path in _files(folder / part, kind):
                known = (_PERSON if kind == "PNEUMONIA" else _NORMAL).fullmatch(path.stem)
                known = known or _VERSION_3.fullmatch(path.stem)
                finding = FINDINGS.get(known["germ"].lower()) if known and kind == "PNEUMONIA" else "normal"
                if known and finding:
                    rows.append((str(path), known["patient"], "AP", finding, HOSPITAL, part))
                else:
                    strange += 1
    table = pd.DataFrame(rows, columns=["path", "patient", "view", "finding", "source", "part"])
    table["patient"] = text.patient_names(table["patient"])
    for kind in FOLDERS:
        if not (table["finding"].eq("normal") == (kind == "NORMAL")).any():
            name = "IM-0115-0001.jpeg" if kind == "NORMAL" else "person23_bacteria_78.jpeg"
            raise LessonError(
                f"{folder}: there is no radiograph of a child such as train/{kind}/{name}. Fetch the published images "
                "with `medlessons data fetch covid`, or use the simulated ones with MEDLESSONS_SOURCE=embedded."
            )
    table.attrs["left_out"] = {"a copy, or a file whose name gives no patient": strange}
    return table


def _files(folder: Path, kind: str) -> list[Path]:
    return [path for place in image_table.label_folders(folder, (kind,)) for path in image_table.image_files(place)]
