"""Blood counts and nine diagnoses (lesson 1): the embedded set, the published one, or an instructor's own.

The published set is "Anemia Types Classification", https://www.kaggle.com/datasets/ehababoelnaga/anemia-types-classification
(file ``diagnosed_cbc_data_v4.csv``). A file is known by its checksum; any other file in the same schema is
read as "own data" after every cell has been checked. The format is described in data/README.md.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from classroom.fetching import archives, download
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
    "fetch",
    "load",
    "prepare",
    "repair",
    "status",
    "validate",
]

NAME = "anemia"
LESSONS = (1,)
KAGGLE = "ehababoelnaga/anemia-types-classification"
SOURCE = download.Source(
    title="Anemia Types Classification: 1,281 blood counts",
    page=f"https://www.kaggle.com/datasets/{KAGGLE}",
    licence="no licence found: use it yourself, do not pass it on",
    citation="the page; no paper is known",
    size=124_308,
)
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
    return _read_real(real_folder())


def embedded_folder() -> Path:
    """Return the folder of the embedded file."""
    return settings.embedded_dir() / NAME


def real_folder() -> Path:
    """Return the folder where the published file, or an instructor's own, is expected."""
    return settings.real_dir() / NAME


def prepare() -> Path:
    """Make the embedded file unless it is there and whole; return its folder.

    Raises
    ------
    LessonError
        If the file cannot be written, or the installed libraries draw other patients than those of the lessons.
    """
    return places.made(embedded_folder(), EMBEDDED_MD5, _write)


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


def _read_real(folder: Path) -> pd.DataFrame:
    path = folder / FILE
    with files.explain_os_errors(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise LessonError(
                f"{path}: the published blood counts are not there. Fetch them with `medlessons data fetch {NAME}`, "
                "or use the simulated ones with MEDLESSONS_SOURCE=embedded."
            ) from error
    return blood_file.check(content, path.name)


def fetch(origin: str | Path | None = None, progress: bool = True) -> Path:
    """Bring the published file, or an instructor's own, to where `load` expects it.

    Parameters
    ----------
    origin : str or Path, optional
        A URL, a CSV file of any name, or a folder or archive that holds ``diagnosed_cbc_data_v4.csv``; Kaggle unless
        given.
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    Path
        The folder where the file stands now. It is put there only after it has passed every check.

    Raises
    ------
    LessonError
        If the download fails, a check fails, the file cannot be written, or a sound one is there already.
    """

    def retrieve(workplace: Path) -> Path:
        if origin is None:
            return download.retrieve_from_kaggle(KAGGLE, workplace)
        place = download.retrieve(origin, workplace, progress)
        with download.doubted(place, workplace):
            place = archives.unpack(place, workplace / "unpacked", progress)
            if place.is_dir():
                return place
            blood_file.check(place.read_bytes(), place.name)  # here, so that a message has the name that it came with
        single = workplace / "single"
        single.mkdir()
        shutil.copy2(place, single / FILE)
        return single

    return places.fetched(retrieve, layouts())


def layouts() -> list[places.Layout]:
    """Return how the real file lies in its folder."""
    return [places.Layout(real_folder(), (FILE,), _read_real)]


def sources() -> list[download.Source]:
    """Return what is to be said before the published file is fetched; nothing if a sound one is there."""
    return [] if places.is_sound(layouts()[0]) else [SOURCE]


def status() -> list[places.Status]:
    """Say what is there of the embedded and of the real file."""
    real = real_folder() / FILE
    return [
        places.status_of_embedded(NAME, embedded_folder(), EMBEDDED_MD5),
        places.status_of_real(NAME, real, lambda: _read_real(real.parent)),
    ]
