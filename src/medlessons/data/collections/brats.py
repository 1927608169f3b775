"""Scans in the layout of the BraTS challenges: a file per sequence, ``NAME_flair.nii.gz`` or ``NAME-t2f.nii.gz``.

https://www.synapse.org/brats. These data must not be passed on, and no program fetches them: a folder of them that a
person has is read. Their labels have other numbers, which :func:`medlessons.data.scans.read_scan` exchanges.
"""

import os
import re
from pathlib import Path

import pandas as pd

from medlessons.data import scans
from medlessons.data.collections import decathlon
from medlessons.errors import LessonError
from medlessons.wording import _

VISIT = re.compile(r"(BraTS-\w+-\d+)-\d{3}", re.IGNORECASE)  # from 2023 on a patient may come twice


def read(folder: Path) -> pd.DataFrame:
    """Return all scans below a folder that have labels.

    Parameters
    ----------
    folder : Path
        With a folder per patient, at any depth.

    Returns
    -------
    DataFrame
        ``path`` (of the FLAIR file: the others are beside it), ``label_path``, ``patient`` and ``source`` (name of the
        folder). ``attrs["left_out"]`` counts scans without labels. No scan is opened.

    Raises
    ------
    LessonError
        If there is no scan with labels, or one of the four sequences of a scan is missing.
    """
    folder = Path(os.path.abspath(folder))
    rows, unlabeled = [], 0
    for path in sorted(folder.rglob("*")):
        year = scans.brats_year(path)
        if year is None:
            continue
        *sequences, label = scans.brats_files(path, year)
        for file in sequences:
            if not file.is_file():
                said = _("{file}: this file is not there, though {other} is. Add it, or leave the patient out.")
                raise LessonError(said.format(file=file, other=path.name))
        name = scans.stem(path)[: -len(scans.BRATS[year][0])]
        patient = VISIT.fullmatch(name)
        if label.is_file():
            rows.append((str(path), str(label), patient[1] if patient else name, folder.name))
        else:
            unlabeled += 1
    if not rows:
        said = _("{folder}: there is no {dataset}, and no scan with labels such as {image} with {label}. {step}")
        names = {"image": "NAME_flair.nii.gz", "label": "NAME_seg.nii.gz"}
        raise LessonError(said.format(folder=folder, dataset=scans.DATASET, **names, step=decathlon.FETCH))
    table = pd.DataFrame(rows, columns=["path", "label_path", "patient", "source"])
    table.attrs["left_out"] = {"no labels are there": unlabeled}
    return table
