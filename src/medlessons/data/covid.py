"""COVID-19, normal, or another infection? (lesson 4): simulated patients, the published ones, or an instructor's own.

The published lesson puts adults with COVID-19 from many hospitals (``collections/covid_chestxray.py``) beside children
from one hospital (``collections/kermany.py``): the label can be read from the age, or from the machine. The embedded
set has the same fault, and beside it sets without. The format is described in data/README.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from medlessons import settings
from medlessons.data import image_table, places, simulated, text
from medlessons.data.collections import covid_chestxray, kermany
from medlessons.errors import LessonError
from simclinic import clinic

NAME = "covid"
LESSONS = (4,)
LABELS = ("COVID-19", "normal", "other infection")
IMAGES = {"COVID-19": 175, "normal": 100, "other infection": 100}  # as in the published lesson
FRONTAL = ("PA", "AP", "AP Supine")
NO_INFECTION = "^(?:todo|unknown|ards)?$|lipoid|aspiration"  # of the findings of the adults' collection, without spaces
FETCH = f"fetch the published set with `medlessons data fetch {NAME}`"

# Embedded: label, what is drawn, images, patients.
GROUPS = (
    ("COVID-19", "COVID-19", 175, 110),
    ("normal", None, 100, 90),
    ("other infection", "Bacterial", 50, 40),
    ("other infection", "Viral", 50, 40),
)
PARTS = ("published", "unconfounded", "outside")
SEEDS = {"published": 60_000, "unconfounded": 62_000, "outside": 64_000}  # of the first patient
MILDEST = 0.6  # severity of an infection, of 0 to 1
CHILDREN = (1.0, 5.0)  # years, as published
CHILDRENS_HOSPITAL, HOSPITALS, OTHER_HOSPITALS = range(51, 52), range(52, 72), range(72, 82)
SIZE = {"quick": 128, "full": 237}  # pixels of an embedded image
METADATA = "metadata"  # the table of an embedded set


def load(source: str | None = None) -> pd.DataFrame:
    """Return the image table of the lesson, with the fault of the published one.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Simulated or published patients; what the environment says unless given.

    Returns
    -------
    DataFrame
        One row an image, 175 / 100 / 100 of the three labels (fewer where fewer are there): ``path``, ``patient``,
        ``view`` ("PA", "AP" or "AP Supine"), ``label``, ``age`` (years), ``sex``, ``source`` (hospital or place); of
        simulated patients also ``seed``, ``visit``, ``hospital`` and ``findings``, for :func:`clinic.truth`. ``attrs``
        as in :func:`image_table.tidy`.

    Raises
    ------
    LessonError
        If files are missing or one of the labels is; the message says what to do.
    """
    if places.choose(source) == "embedded":
        return load_simulated("published")
    own = own_folder()
    return read_own(own) if own.is_dir() else _read_published(LABELS)


def load_simulated(part: str) -> pd.DataFrame:
    """Return simulated patients, whatever the source of the lesson is.

    Parameters
    ----------
    part : {"published", "unconfounded", "outside"}
        "published": children from one hospital, but for the adults with COVID-19, who come from twenty.
        "unconfounded": the same numbers, and with each label as many children as adults, from the same twenty
        hospitals. "outside": such patients from ten hospitals that no other part has, to test on.

    Returns
    -------
    DataFrame
        As :func:`load` describes it.
    """
    if part not in PARTS:
        raise LessonError(f"There is no part {part!r}; choose one of {', '.join(PARTS)}.")
    return simulated.read(_prepare(part), METADATA, ("label",))


def load_outside(source: str | None = None) -> pd.DataFrame:
    """Return patients to test on for whom age and hospital say less about the label.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Embedded: part "outside" of :func:`load_simulated`. Real: the other pneumonias, and the normal images, of the
        collection from which the COVID-19 images come; these patients are not in :func:`load`. Beside own images this
        collection need not be there: then these are the simulated patients, as ``attrs["name"]`` tells.

    Returns
    -------
    DataFrame
        As :func:`load` describes it. The real one has no COVID-19.
    """
    alone = own_folder().is_dir() and not covid_chestxray.folder().is_dir()
    if places.choose(source) == "embedded" or alone:
        return load_simulated("outside")
    return _read_published(("normal", "other infection"), outside=True)


# ---------------------------------------------------------------------------------------------------------
# Embedded


def embedded_folder(part: str) -> Path:
    """Return the folder of one embedded part."""
    return settings.embedded_dir() / NAME / f"{part}-{settings.sized(**SIZE)}px"


def embedded() -> tuple[Path, str]:
    """Return the folder of the lesson's embedded set, and what it is made from."""
    return embedded_folder("published"), _recipe("published")


def prepare() -> Path:
    """Make the embedded radiographs unless they are there, whole and up to date; return their folder."""
    for part in PARTS:
        _prepare(part)
    return embedded_folder("published").parent


def _prepare(part: str) -> Path:
    size = settings.sized(**SIZE)
    return simulated.made(embedded_folder(part), _recipe(part), lambda: {METADATA: _draw_table(part)}, size)


def _recipe(part: str) -> str:
    crowds = [_crowds(part, label) for label in LABELS]
    return simulated.recipe(NAME, settings.sized(**SIZE), SEEDS[part], GROUPS, MILDEST, crowds)


def _draw_table(part: str) -> pd.DataFrame:
    """Return who comes to which hospital with what: the table of one part, before its images are drawn."""
    rng = np.random.default_rng(SEEDS[part])
    table, seed = [], SEEDS[part]
    for label, finding, images, patients in GROUPS:
        crowds = _crowds(part, label)
        for number, (hospitals, ages) in enumerate(crowds):
            count = patients // len(crowds)
            share = (images + number) // len(crowds)  # of 175 images, 87 and 88
            people = clinic.draw_patients(range(seed, seed + count), rng, hospitals, ages)
            table += [{**row, "label": label} for row in _draw_group(people, share, finding, rng)]
            seed += count
    shuffled = [table[number] for number in rng.permutation(len(table))]
    return pd.DataFrame(clinic.name_images(shuffled))


def _crowds(part: str, label: str) -> list[tuple[range, tuple[float, float] | None]]:
    """Return from which hospitals, and of which age, the patients with a label are: equal shares of each."""
    if part == "published":
        return [(HOSPITALS, None)] if label == "COVID-19" else [(CHILDRENS_HOSPITAL, CHILDREN)]
    hospitals = HOSPITALS if part == "unconfounded" else OTHER_HOSPITALS
    return [(hospitals, None), (hospitals, CHILDREN)]


def _draw_group(people: list[dict], images: int, finding: str | None, rng: np.random.Generator) -> list[dict]:
    """Return the images of patients who all have the same finding, or none."""
    again = rng.integers(len(people), size=images - len(people))
    table = clinic.draw_visits(people, 1 + np.bincount(again, minlength=len(people)))
    if finding is None:
        return [{**row, "findings": clinic.to_json(())} for row in table]
    table = clinic.fix_prevalence(clinic.draw_findings(table, rng, {finding: 1.0}), {finding: 1.0}, rng)
    return [{**row, "findings": _make_severe(row["findings"])} for row in table]


def _make_severe(text: str) -> str:
    """Return the findings of an image, none of them mild: what hardly shows is seldom published."""
    kept = (replace(finding, severity=MILDEST + (1 - MILDEST) * finding.severity) for finding in clinic.from_json(text))
    return clinic.to_json(kept)


# ---------------------------------------------------------------------------------------------------------
# Published and own


def own_folder() -> Path:
    """Return where an instructor's own images are expected, in one folder a label."""
    return settings.real_dir() / NAME


def read_own(folder: Path) -> pd.DataFrame:
    """Return the image table of own images (:func:`image_table.own_folders`)."""
    return image_table.own_folders(folder, LABELS, FETCH)


def _read_published(labels: Sequence[str], outside: bool = False) -> pd.DataFrame:
    tables = [read_adults(covid_chestxray.folder(), outside)]
    if not outside:
        tables.append(read_children(kermany.folder()))
    table = pd.concat(tables, ignore_index=True)
    table.attrs["left_out"] = {
        reason: sum(one.attrs["left_out"].get(reason, 0) for one in tables)
        for one in tables
        for reason in one.attrs["left_out"]
    }
    table.attrs["unreadable"] = {path: why for one in tables for path, why in one.attrs["unreadable"].items()}
    image_table.check_labels(table, labels, settings.real_dir(), FETCH)
    return image_table.tidy(table, ("label",), "published data")


def read_adults(folder: Path, outside: bool = False) -> pd.DataFrame:
    """Return the frontal images with COVID-19 of the COVID-19 image data collection; with ``outside``, the others."""
    rows = covid_chestxray.read(folder)
    finding = rows["finding"].map(text.key)
    covid = finding.str.contains("covid|sarscov2")
    rows["label"] = np.where(covid, "COVID-19", np.where(finding == "nofinding", "normal", "other infection"))
    infection = ~finding.str.contains(NO_INFECTION)
    wanted = infection & ~rows["patient"].isin(rows.loc[covid, "patient"]) if outside else covid
    view = rows.loc[wanted, "view"]
    reasons = {
        "CT slice, not a radiograph": view.eq("CT"),
        "a lateral radiograph": view.eq("L"),
        "the view is not known": view.eq(""),
    }
    if outside:
        reasons["no infection, or none that is known"] = ~infection
    return _keep(rows[wanted & rows["view"].isin(FRONTAL)], rows, reasons, folder)


def read_children(folder: Path) -> pd.DataFrame:
    """Return as many normal images and images with pneumonia of the Guangzhou children as the published lesson has."""
    rows = kermany.read(folder)
    rows["label"] = np.where(rows["finding"] == "normal", "normal", "other infection")
    return _keep(rows, rows, {}, folder)


def _keep(table: pd.DataFrame, rows: pd.DataFrame, reasons: dict[str, pd.Series], folder: Path) -> pd.DataFrame:
    """Return the images that can be read, whole patients of them, up to the numbers of the published lesson."""
    table.attrs["left_out"] = {reason: int(which.sum()) for reason, which in reasons.items()} | rows.attrs["left_out"]
    table = image_table.drop_unreadable(table, Path(folder).absolute())
    rng = np.random.default_rng(0)
    patients = rng.permutation(table["patient"].unique())
    order = table["patient"].map({patient: number for number, patient in enumerate(patients)})
    shuffled = table.loc[order.sort_values(kind="stable").index]
    place = shuffled.groupby("label").cumcount()
    kept = shuffled[place < shuffled["label"].map(IMAGES)].sort_index()
    kept.attrs["left_out"]["more than the published lesson has"] = len(table) - len(kept)
    return kept
