"""Frontal or lateral? (lesson 2): simulated radiographs, the published ones, or an instructor's own.

The published images are those of :mod:`~medlessons.data.collections.covid_chestxray`. The second task of the lesson,
PA or AP, needs the frontal ones alone, and the column ``view``. The format is described in data/README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from medlessons import settings
from medlessons.data import image_table, places, simulated
from medlessons.data.collections import covid_chestxray
from simclinic import clinic

NAME = "orientation"
LESSONS = (2,)
LABELS = ("frontal", "lateral")
PROJECTIONS = ("PA", "AP")
LABEL_OF_VIEW = {"PA": "frontal", "AP": "frontal", "AP Supine": "frontal", "L": "lateral"}
FETCH = f"fetch the published set with `medlessons data fetch {NAME}`"

# The embedded sets: one hospital to learn from, as in many studies, and ten others for patients from elsewhere.
SIZE = {"quick": 128, "full": 256}  # pixels of an image
PATIENTS = {"quick": 300, "full": 1105}  # in full about as many images as in the published lesson
PATIENTS_ELSEWHERE = {"quick": 100, "full": 100}
SEEDS = {"lesson": 20_000, "elsewhere": 40_000}  # of the first patient
HOSPITALS = {"lesson": range(3, 4), "elsewhere": range(21, 31)}
HEALTHY = 0.5  # share of the patients
LATERALS = 1 / 11  # of all images, as in the published set
METADATA = "metadata"  # the table of an embedded set


def load(source: str | None = None) -> pd.DataFrame:
    """Return the image table of the lesson.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Simulated or published patients; what the environment says unless given.

    Returns
    -------
    DataFrame
        One row an image: ``path``, ``patient``, ``view`` ("PA", "AP", "AP Supine" or "L"; empty in own data), ``label``
        ("frontal" or "lateral"), ``age`` (years), ``sex`` ("F" or "M"), ``source`` (hospital or place); of simulated
        patients also ``seed``, ``visit``, ``hospital`` and ``findings``, for :func:`clinic.truth`. ``attrs["name"]`` is
        "simulated data", "published data" or "own data"; ``attrs["left_out"]`` maps each reason why images were left
        out to their number.

    Raises
    ------
    LessonError
        If files are missing or one of the two labels is; the message says what to do.
    """
    if places.choose(source) == "embedded":
        return simulated.read(_prepare("lesson"), METADATA, ("label",))
    own = own_folder()
    return read_own(own) if own.is_dir() else read_published(covid_chestxray.folder())


def load_external(source: str | None = None) -> pd.DataFrame:
    """Return radiographs for a network that was trained on simulated ones only, from elsewhere than its training.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Embedded: simulated patients of ten hospitals that no other set has. Real: what :func:`load` returns.

    Returns
    -------
    DataFrame
        As :func:`load` describes it.
    """
    if places.choose(source) == "embedded":
        return simulated.read(_prepare("elsewhere"), METADATA, ("label",))
    return load("real")


def frontals(table: pd.DataFrame) -> pd.DataFrame:
    """Return the frontal rows of an image table for the second task, PA or AP.

    Parameters
    ----------
    table : DataFrame
        As :func:`load` returns it.

    Returns
    -------
    DataFrame
        Its ``label`` is "PA" or "AP"; "AP Supine" (lying) is AP, too. Own images in two folders do not say which: then
        these are the simulated patients, as ``attrs["name"]`` tells.
    """
    chosen = table["view"].str[:2].isin(PROJECTIONS)
    if not chosen.any():
        return frontals(load("embedded"))
    rows = table[chosen].reset_index(drop=True)
    return rows.assign(label=rows["view"].str[:2])


# ---------------------------------------------------------------------------------------------------------
# Embedded


def embedded_folder(part: str) -> Path:
    """Return the folder of one embedded set: "lesson" or "elsewhere"."""
    return settings.embedded_dir() / NAME / f"{part}-{settings.sized(**SIZE)}px"


def embedded() -> tuple[Path, str]:
    """Return the folder of the lesson's embedded set, and what it is made from."""
    return embedded_folder("lesson"), _recipe("lesson")


def prepare() -> Path:
    """Make the embedded radiographs unless they are there, whole and up to date; return their folder."""
    for part in SEEDS:
        _prepare(part)
    return embedded_folder("lesson").parent


def _prepare(part: str) -> Path:
    size = settings.sized(**SIZE)
    return simulated.made(embedded_folder(part), _recipe(part), lambda: {METADATA: _draw_table(part)}, size)


def _recipe(part: str) -> str:
    constants = (_patients(part), SEEDS[part], HOSPITALS[part], HEALTHY, LATERALS)
    return simulated.recipe(NAME, settings.sized(**SIZE), *constants)


def _patients(part: str) -> int:
    return settings.sized(**(PATIENTS if part == "lesson" else PATIENTS_ELSEWHERE))


def _draw_table(part: str) -> pd.DataFrame:
    """Return who comes to which hospital for which view: the table of one embedded set, before its images are drawn."""
    count, seed = _patients(part), SEEDS[part]
    rng = np.random.default_rng(seed)
    patients = clinic.draw_patients(range(seed, seed + count), rng, HOSPITALS[part])
    table = clinic.draw_visits(patients, rng.integers(1, 4, count))
    table = clinic.draw_findings(table, rng, healthy=HEALTHY)
    for number in rng.permutation(len(table))[: round(LATERALS * len(table))]:
        table[number]["view"] = "L"
    table = [{**row, "label": LABEL_OF_VIEW[row["view"]]} for row in table]
    return pd.DataFrame(clinic.name_images(table))


# ---------------------------------------------------------------------------------------------------------
# Published and own


def own_folder() -> Path:
    """Return where an instructor's own images are expected, in the folders ``frontal`` and ``lateral``."""
    return settings.real_dir() / NAME


def read_own(folder: Path) -> pd.DataFrame:
    """Return the image table of own images (:func:`image_table.own_folders`)."""
    return image_table.own_folders(folder, LABELS, FETCH)


def read_published(folder: Path) -> pd.DataFrame:
    """Return the image table of the published collection; CT slices and unknown views are left out and counted."""
    rows = covid_chestxray.read(folder)
    rows["label"] = rows["view"].map(LABEL_OF_VIEW)
    table = rows[rows["label"].notna()]
    table.attrs["left_out"] = {
        "CT slice, not a radiograph": int(rows["view"].eq("CT").sum()),
        "the view is not known": int(rows["view"].eq("").sum()),
        **rows.attrs["left_out"],
    }
    table = image_table.drop_unreadable(table, Path(folder).absolute())
    image_table.check_labels(table, LABELS, folder, FETCH)
    return image_table.tidy(table, ("label",), "published data")
