"""Blood counts and nine diagnoses (lesson 1): the embedded set, the published one, or an instructor's own.

The published set is "Anemia Types Classification", https://www.kaggle.com/datasets/ehababoelnaga/anemia-types-classification
(file ``diagnosed_cbc_data_v4.csv``). A file is known by its checksum; any other file in the same schema is
read as "own data" after every cell has been checked. The format is described in data/README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from medlessons import files, settings
from medlessons.blood_counts import COLUMNS, DIAGNOSES, EXAMPLES, MEASUREMENTS, repair, validate
from medlessons.data import blood_file, places
from medlessons.data.blood_file import FILE
from medlessons.errors import LessonError
from simclinic import blood

__all__ = [
    "COLUMNS",
    "DIAGNOSES",
    "EXAMPLES",
    "MEASUREMENTS",
    "load",
    "prepare",
    "repair",
    "validate",
]

NAME = "anemia"
LESSONS = (1,)
EMBEDDED_MD5 = "2856fbba9a7a3ae33561bec92b540733"


def load(source: str | None = None) -> pd.DataFrame:
    """Return the blood counts.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Simulated or published patients; what the environment says unless given.

    Returns
    -------
    DataFrame, shape (rows, 15)
        The 14 measurements in the published order and units, and `Diagnosis`. ``attrs["name"]`` is "simulated data",
        "published data" or "own data".

    Raises
    ------
    LessonError
        If the file is missing, damaged, or not in the schema; the message says where and what to do.
    """
    if places.choose(source) == "embedded":
        return blood_file.read((prepare() / FILE).read_bytes(), "simulated data")
    return read_real(real_folder())


def real_folder() -> Path:
    """Return the folder where the published file, or an instructor's own, is expected."""
    return settings.real_dir() / NAME


def embedded() -> tuple[Path, str]:
    """Return the folder of the embedded file, and what it is made from."""
    return settings.embedded_dir() / NAME, EMBEDDED_MD5


def prepare() -> Path:
    """Make the embedded file unless it is there and whole; return its folder.

    Raises
    ------
    LessonError
        If the file cannot be written, or the installed libraries draw other patients than those of the lessons.
    """
    return places.made(*embedded(), _write)


def _write(folder: Path) -> None:
    content = embedded_csv()
    if files.md5(content) != EMBEDDED_MD5:
        raise LessonError(
            f"{FILE}: this NumPy {np.__version__} draws other numbers than the lessons were made with. Install the "
            "versions of requirements.txt: `python -m pip install -r requirements.txt`."
        )
    (folder / FILE).write_bytes(content)


def embedded_csv() -> bytes:
    """Return the content of the embedded file."""
    return pd.DataFrame(blood.draw()).to_csv(index=False, lineterminator="\n").encode()


def read_real(folder: Path) -> pd.DataFrame:
    """Return the blood counts of a folder with the published file, or an instructor's own (:func:`load`)."""
    path = folder / FILE
    with files.explain_os_errors(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise LessonError(
                f"{path}: the published blood counts are not there. Fetch them with `medlessons data fetch {NAME}`, "
                "or use the simulated ones with MEDLESSONS_SOURCE=embedded."
            ) from error
    return blood_file.check(content, str(path))
