"""Fourteen findings on a frontal radiograph (lesson 3): simulated patients, or those of ChestX-ray8.

The embedded set has the sizes, the prevalence and the visits of the published lesson's subset of
:mod:`~medlessons.data.collections.chestxray8`, and its fault: 198 of its 200 validation images are training images.
The format is described in data/README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from medlessons import settings, splits
from medlessons.data import image_table, places, simulated
from medlessons.data.collections import chestxray8
from medlessons.errors import LessonError
from simclinic import clinic, thorax
from simclinic.thorax import FINDINGS

NAME = "findings"
LESSONS = (3,)
PARTS = ("train", "valid", "test")
SIZE = {"quick": 128, "full": 320}  # pixels of an embedded image

# The published subset: how many patients have 1, 2, 3, ... images.
VISITS = {"train": (869, 51, 5, 2, 0, 1), "new": (2,), "test": (364, 20, 4, 1)}
LEAKED_PATIENTS = 197  # of the training patients, with 198 images, who are in the validation set, too
TEST_PREVALENCE = dict(
    zip(
        FINDINGS,
        (0.119, 0.133, 0.126, 0.119, 0.14, 0.143, 0.129, 0.143, 0.131, 0.138, 0.119, 0.145, 0.119, 0.126),
        strict=True,
    )
)
CONSENSUS = ("Consolidation", "Edema", "Effusion", "Cardiomegaly", "Atelectasis")
"""Findings whose labels in the test set are those of four radiologists: the embedded ones are true there."""

ERROR_RATE = 0.1  # of mined labels: Wang et al. 2017 report a precision of 0.90 and a recall of 0.91 for theirs
SEEDS = {"train": 50_000, "new": 52_000, "test": 54_000}  # of the first patient
HOSPITALS = range(31, 43)
SHARES = {"train": 0.7, "valid": 0.1, "test": 0.2}  # of real patients where the NIH's own lists are not there


def load(part: str, source: str | None = None) -> pd.DataFrame:
    """Return one part of the images of the lesson.

    Parameters
    ----------
    part : {"train", "valid", "test"}
    source : {"embedded", "real"}, optional
        Simulated or published patients; what the environment says unless given.

    Returns
    -------
    DataFrame
        One row an image: ``path``, ``patient``, ``view`` ("PA" or "AP"; empty in a published subset), one 0/1 column a
        finding in the order of the lesson, ``age`` (years), ``sex``, ``source``; of simulated patients also ``seed``,
        ``visit``, ``hospital`` and ``findings``, for :func:`true_labels` and :func:`clinic.truth`. Labels are mined
        from reports: some are wrong. ``attrs`` as in :func:`image_table.tidy`.

    Raises
    ------
    LessonError
        If the part is unknown, files are missing, or a table is wrong; the message says what to do.

    Notes
    -----
    Embedded, and where the tables of the published lesson lie beside the images, 198 of the 200 validation images are
    training images. The NIH's own lists divide the release; its part for training and validation, and any other set of
    real images, is divided here by patient.
    """
    if part not in PARTS:
        raise LessonError(f"There is no part {part!r}; choose one of {', '.join(PARTS)}.")
    if places.choose(source) == "embedded":
        return simulated.read(prepare(), part, FINDINGS)
    return read_published(chestxray8.folder(), part)


def true_labels(table: pd.DataFrame) -> pd.DataFrame:
    """Return which findings are truly on each image of an embedded table: 0/1 columns, with the index of the table."""
    _refuse_real(table)
    return pd.DataFrame(clinic.true_labels(table["findings"]), table.index, list(FINDINGS))


def boxes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the boxes around the lesions of some images.

    Parameters
    ----------
    table : DataFrame
        Rows that :func:`load` returned. Simulated lesions are drawn once more for it, some twenty images a second.

    Returns
    -------
    DataFrame
        One row a lesion: ``row`` (index in the table), ``path``, ``finding``, and ``left``, ``top``, ``width``,
        ``height`` as shares of the image (0 to 1). A simulated box holds all pixels that the finding changes; of the
        published images, about a thousand have boxes of radiologists.
    """
    if "findings" in table:
        rows = [(index, row["path"], *box) for index, row in table.iterrows() for box in _boxes_of(row)]
        return pd.DataFrame(rows, columns=["row", "path", "finding", "left", "top", "width", "height"])
    known = chestxray8.read_boxes(chestxray8.folder())
    known["image"] = known["image"].map(chestxray8.stem)
    stems = table["path"].map(lambda path: chestxray8.stem(Path(path).name))
    names = pd.DataFrame({"row": table.index, "path": table["path"], "image": stems})
    return names.merge(known, on="image").drop(columns="image")


def _boxes_of(row: pd.Series, size: int = 128) -> list[tuple]:
    boxes = []
    for name, mask in clinic.truth(row, size).masks.items():
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(down):
            left, top = across[0], down[0]
            shares = np.array((left, top, across[-1] + 1 - left, down[-1] + 1 - top)) / size
            boxes.append((name, *shares.tolist()))
    return boxes


def _refuse_real(table: pd.DataFrame) -> None:
    if "findings" not in table:
        raise LessonError(
            "The truth is known of simulated patients only: load them with findings.load(part, 'embedded'), whatever "
            "the source of the lesson is."
        )


# ---------------------------------------------------------------------------------------------------------
# Embedded


def embedded_folder() -> Path:
    """Return the folder of the embedded set."""
    return settings.embedded_dir() / NAME / f"{settings.sized(**SIZE)}px"


def embedded() -> tuple[Path, str]:
    """Return the folder of the embedded set, and what it is made from."""
    return embedded_folder(), _recipe()


def prepare() -> Path:
    """Make the embedded radiographs unless they are there, whole and up to date; return their folder."""
    return simulated.made(embedded_folder(), _recipe(), _draw_tables, settings.sized(**SIZE))


def _recipe() -> str:
    constants = (VISITS, LEAKED_PATIENTS, thorax.PREVALENCE, TEST_PREVALENCE, CONSENSUS, ERROR_RATE, SEEDS, HOSPITALS)
    return simulated.recipe(NAME, settings.sized(**SIZE), *constants)


def _draw_tables() -> dict[str, pd.DataFrame]:
    """Return the table of each part, before its images are drawn."""
    train, new = (_draw_group(group, thorax.PREVALENCE) for group in ("train", "new"))
    test = _draw_group("test", TEST_PREVALENCE)
    test[list(CONSENSUS)] = clinic.true_labels(test["findings"], CONSENSUS)
    return {"train": train, "valid": _leak(train, new), "test": test}


def _draw_group(group: str, prevalence: dict[str, float]) -> pd.DataFrame:
    """Return the images of one group of patients, with mined labels."""
    seed, visits = SEEDS[group], VISITS[group]
    rng = np.random.default_rng(seed)
    counts = rng.permutation(np.repeat(np.arange(1, len(visits) + 1), visits))
    patients = clinic.draw_patients(range(seed, seed + len(counts)), rng, HOSPITALS)
    table = clinic.draw_findings(clinic.draw_visits(patients, counts), rng, prevalence)
    table = pd.DataFrame(clinic.name_images(clinic.fix_prevalence(table, prevalence, rng)))
    table[list(FINDINGS)] = clinic.mined_labels(clinic.true_labels(table["findings"]), rng, ERROR_RATE)
    return table


def _leak(train: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return the validation set: one image each of some training patients, two of one of them, and the new patients."""
    rng = np.random.default_rng(SEEDS["new"] + 1)
    images = train.groupby("patient", sort=False).size()
    chosen = rng.permutation(images.index[images > 1])[:1].tolist()
    chosen += rng.permutation(images.index[images == 1])[: LEAKED_PATIENTS - 1].tolist()
    leaked = train[train["patient"].isin(chosen)].groupby("patient", sort=False).head(2)
    every = pd.concat([leaked, new])
    return every.iloc[rng.permutation(len(every))].reset_index(drop=True)


# ---------------------------------------------------------------------------------------------------------
# Published


def check(folder: Path) -> None:
    """Read all parts of a folder of published images; its table, where there are no images yet."""
    if not chestxray8.image_paths(folder):
        chestxray8.read_labels(chestxray8.find_table(folder))
        return
    for part in PARTS:
        read_published(folder, part)


def read_published(folder: Path, part: str) -> pd.DataFrame:
    """Return one part of the published images (:func:`load`)."""
    if all((folder / name).is_file() for name in chestxray8.COURSE.values()):
        return _read(folder, folder / chestxray8.COURSE[part]).drop(columns="list")
    table, shares = _read(folder), SHARES
    if set(table["list"]) >= set(chestxray8.LISTS):
        unlisted = int((table["list"] == "").sum())
        table = table[table["list"] == ("test" if part == "test" else "train_val")]
        table.attrs["left_out"] = table.attrs["left_out"] | ({"in neither list": unlisted} if unlisted else {})
        shares = {name: share for name, share in SHARES.items() if name != "test"}
    table = table.drop(columns="list").reset_index(drop=True)
    if part not in shares:
        return table
    total = sum(shares.values())
    shares = {name: share / total for name, share in shares.items()}
    parts = splits.by_patient(table, shares, stratify=FINDINGS)
    if not all(map(len, parts.values())):  # too few images of each finding
        parts = splits.by_patient(table, shares, stratify="source")
    if not all(map(len, parts.values())):
        raise LessonError(
            f"{folder}: the {len(table)} images of {table['patient'].nunique()} patients are too few for the parts "
            f"{', '.join(shares)}. Unpack more archives of images into this folder."
        )
    return parts[part].reset_index(drop=True)


def _read(folder: Path, table: Path | None = None) -> pd.DataFrame:
    rows = image_table.drop_unreadable(chestxray8.read(folder, table), Path(folder).absolute())
    return image_table.tidy(rows, (*FINDINGS, "list"), "published data")
