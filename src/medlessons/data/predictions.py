"""What a network said about patients it had not seen (lesson 5): fourteen outputs beside fourteen labels per image.

The embedded table holds the outputs of this repository's DenseNet-121 (``models/chestxray8.npz``) on simulated
patients; ``python scripts/predict.py`` writes it, and must be run again when weights or simulator change. Real tables
are those of the published lesson, or of a whole hospital's test set. The format is described in data/README.md.
"""

import gzip
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from medlessons import settings
from medlessons.data import places, text
from medlessons.errors import LessonError
from simclinic import clinic
from simclinic.thorax import FINDINGS

NAME = "predictions"
LESSONS = (5,)
PARTS = ("calibration", "test")
EMBEDDED = "chestxray8_predictions.csv.gz"  # in models/: the weights and what they say belong together
COURSE = {"calibration": "train_preds.csv", "test": "valid_preds.csv"}
HOSPITAL = "nih_test_predictions.csv"
NEXT_STEP = "Fetch it again, or write it again as CSV."
ABOUT_PATIENTS = ("view", "age", "sex", "hospital")

# Embedded: number of images -> number of patients; as in the published table, a few patients have very many images.
VISITS = {1: 701, 2: 200, 3: 84, 4: 40, 5: 25, 6: 15, 8: 10, 10: 6, 15: 4, 24: 3}
SEEDS = {"calibration": 70_000, "test": 72_000}  # of the first patient; no lesson and no training has seen them
HOSPITALS = range(83, 91)
ERROR_RATE = 0.1  # of mined labels, as in lesson 3


def load(part: str, source: str | None = None) -> pd.DataFrame:
    """Return one part of a prediction table.

    Parameters
    ----------
    part : {"calibration", "test"}
        No patient is in both.
    source : {"embedded", "real"}, optional
        Simulated or published patients; what the environment says unless given.

    Returns
    -------
    DataFrame
        One row per image: ``image``, ``patient``, for each finding its label (0 or 1, mined from reports) and
        ``<finding>_pred`` (0 to 1); where they are known ``view``, ``age`` (years), ``sex``, ``hospital``. Of simulated
        patients also ``<finding>_true`` (what was drawn) and ``<finding>_size`` (share of the image's pixels that the
        lesion changes, in percent; NaN where it is absent); of the hospital ``radiologist_<finding>`` (NaN but for 935
        images). ``attrs["name"]`` says whose patients they are,
        ``attrs["weights"]`` how the loss of the network weighed a positive image: "full" ((1 - frequency) / frequency),
        "square root" of that, or "none".

    Raises
    ------
    LessonError
        If the part is unknown, a file is missing, or a table is wrong; the message names column and row.
    """
    if part not in PARTS:
        raise LessonError(f"There is no part {part!r}; choose one of {', '.join(PARTS)}.")
    if places.choose(source) == "embedded":
        table = read(settings.models_dir() / EMBEDDED)
        table.attrs |= {"name": "simulated patients", "weights": "square root"}  # as scripts/pretrain.py weighs
        return table[table["part"] == part].drop(columns="part").reset_index(drop=True)
    return _load_real(real_folder(), part)


def real_folder() -> Path:
    """Return where published prediction tables are expected."""
    return settings.real_dir() / NAME


def check(folder: Path) -> None:
    """Read both parts of a folder with published tables. Raises LessonError if one is missing or wrong."""
    for part in PARTS:
        _load_real(folder, part)


def _load_real(folder: Path, part: str) -> pd.DataFrame:
    if (folder / HOSPITAL).is_file():  # a whole hospital shows what a thousand images cannot
        table = read(folder / HOSPITAL)
        people = np.random.default_rng(0).permutation(table["patient"].unique())
        chosen = table["patient"].isin(people[: len(people) // 2])
        table = table[chosen if part == "calibration" else ~chosen].reset_index(drop=True)
        table.attrs |= {"name": "published predictions of a whole hospital's test set", "weights": "none"}
        return table
    path = folder / COURSE[part]
    if not path.is_file():
        raise LessonError(
            f"{path} is not there. Lay the published tables {' and '.join(COURSE.values())}, or {HOSPITAL}, into this "
            "folder (data/README.md says where they are published), or set MEDLESSONS_SOURCE=embedded."
        )
    table = read(path)
    table.attrs |= {"name": "published predictions of a course", "weights": "full"}
    return table


def read(path: Path) -> pd.DataFrame:
    """Read and check a prediction table; columns are matched by name, in any order.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``Image``, ``PatientId``, each finding and ``<finding>_pred``.

    Returns
    -------
    DataFrame
        As in :func:`load`, with all further columns that the file has of those named there.

    Raises
    ------
    LessonError
        If a column is missing or of another finding, a label is neither 0 nor 1, an output lies outside 0 to 1, an
        image comes twice, or a patient is not named. Rows are counted as in the file: the heading is row 1.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise LessonError(f"{path} cannot be read: {error}. {NEXT_STEP}") from error
    table = text.table_of(content, str(path), NEXT_STEP)
    _check_columns(path, table)
    table = table.rename(columns={"Image": "image", "PatientId": "patient"})
    table["patient"] = text.patient_names(table["patient"])
    _check_rows(path, table)
    numeric = [column for column in table if column.startswith((*FINDINGS, "radiologist_")) or column == "age"]
    table[numeric] = table[numeric].apply(pd.to_numeric, errors="coerce")
    outputs = [f"{name}_pred" for name in FINDINGS]
    more = [f"{name}_{kind}" for kind in ("true", "size") for name in FINDINGS]
    more += [column for column in table if column.startswith("radiologist_")]
    known = [column for column in ("part", *ABOUT_PATIENTS, *more) if column in table]
    return table[["image", "patient", *FINDINGS, *outputs, *known]]


def _check_columns(path: Path, table: pd.DataFrame) -> None:
    wanted = ["Image", "PatientId", *FINDINGS, *(f"{name}_pred" for name in FINDINGS)]
    missing = [column for column in wanted if column not in table]
    if missing:
        raise LessonError(f"{path}: the column {missing[0]!r} is missing. Expected are {', '.join(wanted)}.")
    other = [column for column in table if column.endswith("_pred") and column not in wanted]
    if other:
        raise LessonError(
            f"{path}: the column {other[0]!r} is of another finding than the fourteen ({', '.join(FINDINGS)}). "
            "Rename or remove it."
        )


def _check_rows(path: Path, table: pd.DataFrame) -> None:
    def refuse(bad: pd.Series, column: str, expected: str) -> None:
        if bad.any():
            row = int(bad.to_numpy().argmax())
            found = table[column].iloc[row]
            raise LessonError(f"{path}, row {row + 2}, column {column!r}: found {found!r}, expected was {expected}.")

    if table.empty:
        raise LessonError(f"{path}: there is no row under the heading. {NEXT_STEP}")
    refuse(table["patient"] == "", "patient", "the name or number of a patient")
    refuse(table["image"].duplicated(), "image", "each image once")
    for name in FINDINGS:
        label, output = (pd.to_numeric(table[column], errors="coerce") for column in (name, f"{name}_pred"))
        refuse(~label.isin([0, 1]), name, "0 or 1")
        refuse(~output.between(0, 1), f"{name}_pred", "an output from 0 to 1")


def outputs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the fourteen outputs of a table, each column under the name of its finding."""
    return pd.DataFrame({name: table[f"{name}_pred"] for name in FINDINGS})


def true_labels(table: pd.DataFrame) -> pd.DataFrame:
    """Return which findings are truly there, each column under the name of its finding; simulated patients only."""
    if f"{FINDINGS[0]}_true" not in table:
        raise LessonError(
            "The truth is known of simulated patients only: load them with predictions.load(part, 'embedded')."
        )
    return pd.DataFrame({name: table[f"{name}_true"] for name in FINDINGS})


@cache
def draw_patients(part: str) -> pd.DataFrame:
    """Draw the simulated patients of a part again: the rows of the clinic behind the embedded table, in its order.

    With the mined labels under the names of the findings; ``clinic.truth`` makes the image of a row.
    """
    rng = np.random.default_rng(SEEDS[part])
    counts = rng.permutation(np.repeat(list(VISITS), list(VISITS.values())))
    patients = clinic.draw_patients(range(SEEDS[part], SEEDS[part] + len(counts)), rng, HOSPITALS)
    table = pd.DataFrame(clinic.name_images(clinic.draw_findings(clinic.draw_visits(patients, counts), rng)))
    table[list(FINDINGS)] = clinic.mined_labels(clinic.true_labels(table["findings"]), rng, ERROR_RATE)
    return table


def odds_factors(table: pd.DataFrame) -> pd.Series:
    """Return for each finding by what its odds must be multiplied to become those of these patients.

    Two factors, both known without any fit: the inverse of the weight that a positive image had in the loss, and the
    odds of the prevalence here by those among the training images (:func:`medlessons.calibration.scale_odds`).

    Parameters
    ----------
    table : DataFrame
        Calibration patients, as :func:`load` returned them; their labels give the prevalence.

    Returns
    -------
    Series
        One factor per finding, above 0.
    """
    here = table[list(FINDINGS)].mean()
    how = table.attrs["weights"]
    if how == "none":  # the mean output is the prevalence already
        return pd.Series(1.0, index=here.index)
    there = here if how == "full" else (1 - clinic.TRAINING_HEALTHY) * pd.Series(clinic.TRAINING_PREVALENCE)[here.index]
    weight = (1 - there) / there if how == "full" else np.sqrt((1 - there) / there)
    return here / (1 - here) / (there / (1 - there)) / weight
