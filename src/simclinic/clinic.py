"""A simulated clinic: who comes, to which hospital, for which view, with what; and the truth about each image.

A table of the clinic has one row an image. Its columns hold all that the image depends on, as numbers and text, so
that a table read from a CSV file leads back to its patients: ``seed``, ``age`` and ``sex`` (the body), ``visit`` (pose
and noise), ``hospital`` (the style of its images), ``view``, and ``findings`` (JSON). :func:`draw` makes the image of a
row, :func:`truth` the same image with the masks of its lesions.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pandas as pd

from simclinic import thorax
from simclinic.thorax import FINDINGS, PNEUMONIAS, Finding, Radiograph, Style

SIMULATION_COLUMNS = ("seed", "visit", "hospital", "findings")
"""Columns that only simulated patients have; with ``age``, ``sex`` and ``view`` they determine the image."""

LASTING = 0.7  # chance that a finding is still there at the next visit
BEDRIDDEN = 0.4  # chance that a patient's frontal images are taken in bed (AP)
TRAINING_SEEDS = (10**7, 10**8)  # of the bodies for pretraining: far from those of the lessons
TRAINING_CHILDREN = 0.15  # lesson 4 shows many
TRAINING_HEALTHY = 0.25
TRAINING_PREVALENCE = {name: max(0.07, share) for name, share in thorax.PREVALENCE.items()}

# ---------------------------------------------------------------------------------------------------------
# Who comes


def draw_patients(
    seeds: Iterable[int],
    rng: np.random.Generator,
    hospitals: Sequence[int],
    ages: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Draw the patients of a data set, and to which hospital each of them goes.

    Parameters
    ----------
    seeds : iterable of int
        One a patient: the same seed is the same person.
    rng : numpy.random.Generator
    hospitals : sequence of int
        Their numbers; each has its own style (:func:`style_of`).
    ages : (float, float), optional
        Youngest and oldest (years). Unless given, adults as :func:`thorax.draw_patient` draws them.

    Returns
    -------
    DataFrame
        One row a patient: ``patient``, ``view`` ("PA", or "AP" if bedridden), ``age`` (whole years), ``sex``,
        ``source`` (name of the hospital), ``seed``, ``hospital``.
    """
    rows = []
    for seed in seeds:
        body = thorax.draw_patient(seed)
        age = round(body.age if ages is None else rng.uniform(*ages))
        hospital = int(rng.choice(hospitals))
        view = "AP" if rng.random() < BEDRIDDEN else "PA"
        rows.append((body.id, view, age, body.sex, name_of(hospital), int(seed), hospital))
    return pd.DataFrame(rows, columns=["patient", "view", "age", "sex", "source", "seed", "hospital"])


def draw_visits(patients: pd.DataFrame, counts: Sequence[int]) -> pd.DataFrame:
    """Return one row an image: each patient as often as ``counts`` says, with the number of the ``visit``."""
    table = patients.loc[np.repeat(patients.index, counts)].reset_index(drop=True)
    return table.assign(visit=table.groupby("patient", sort=False).cumcount())


def name_images(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a ``path`` for each image: ``images/patient_visit_view.png``."""
    names = table["patient"] + "_" + table["visit"].astype(str) + "_" + table["view"] + ".png"
    return table.assign(path="images/" + names)


def name_of(hospital: int) -> str:
    """Return the name of a hospital, as the column ``source`` has it."""
    return f"hospital {hospital:02d}"


@cache
def style_of(hospital: int) -> Style:
    """Return how a hospital takes and shows its images."""
    return replace(thorax.draw_style(np.random.default_rng(hospital)), name=name_of(hospital))


# ---------------------------------------------------------------------------------------------------------
# With what


def draw_findings(
    table: pd.DataFrame,
    rng: np.random.Generator,
    prevalence: Mapping[str, float] | None = None,
    healthy: float = 0.0,
) -> pd.DataFrame:
    """Return the table of visits with a column ``findings``. A later visit resembles the one before.

    Parameters
    ----------
    table : DataFrame
        From :func:`draw_visits`: the visits of a patient follow one another.
    rng : numpy.random.Generator
    prevalence : mapping, optional
        Finding -> probability, as in :func:`thorax.draw_findings`.
    healthy : float
        Share of the patients who have no finding at all, 0 to 1.

    Returns
    -------
    DataFrame
        ``findings`` holds JSON, a list of findings for each image.
    """
    column, before, well = [], (), False
    for visit in table["visit"]:
        if visit == 0:
            well = rng.random() < healthy
            before = () if well else thorax.draw_findings(rng, prevalence)
        elif not well:
            before = _next_visit(before, thorax.draw_findings(rng, prevalence), rng)
        column.append(before)
    return table.assign(findings=[to_json(present) for present in column])


def _next_visit(before: Sequence[Finding], fresh: Sequence[Finding], rng: np.random.Generator) -> tuple[Finding, ...]:
    """Return what is left of the findings after some weeks, better or worse, and what came new."""
    kept = {}
    for finding in before:
        change = rng.normal(0, 0.15)
        if rng.random() < LASTING:
            kept[finding.name] = replace(finding, severity=float(np.clip(finding.severity + change, 0, 1)))
    for finding in fresh:
        if rng.random() > LASTING:
            kept.setdefault(finding.name, finding)
    return tuple(kept[name] for name in (*FINDINGS, *PNEUMONIAS) if name in kept)


def fix_prevalence(table: pd.DataFrame, prevalence: Mapping[str, float], rng: np.random.Generator) -> pd.DataFrame:
    """Return the table with exactly the prevalence that is asked for.

    A finding that is too rare is given to further images, one that is too frequent is taken from some, at random.
    Chance alone would leave a small set without a hernia.
    """
    images = [{finding.name: finding for finding in from_json(text)} for text in table["findings"]]
    for name, share in prevalence.items():
        have = [number for number, present in enumerate(images) if name in present]
        lack = [number for number, present in enumerate(images) if name not in present]
        more = round(share * len(images)) - len(have)
        for number in rng.permutation(lack)[: max(more, 0)]:
            images[number][name] = Finding(name, float(rng.beta(2, 1.6)), seed=int(rng.integers(2**31)))
        for number in rng.permutation(have)[: max(-more, 0)]:
            del images[number][name]
    return table.assign(findings=[to_json(tuple(present.values())) for present in images])


def to_json(findings: Iterable[Finding]) -> str:
    """Return findings as text for one cell of a CSV file; :func:`from_json` reads it without loss."""
    return json.dumps([asdict(finding) for finding in findings])


def from_json(text: str) -> tuple[Finding, ...]:
    """Return the findings that :func:`to_json` wrote."""
    return tuple(Finding(**fields) for fields in json.loads(text))


# ---------------------------------------------------------------------------------------------------------
# What is known, and what the reports say


def labels(findings: Iterable[Finding], names: Sequence[str] = FINDINGS) -> np.ndarray:
    """Return 0 (absent) or 1 (present) for each of ``names``: uint8, shape (names,)."""
    present = {finding.name for finding in findings}
    return np.array([name in present for name in names], np.uint8)


def true_labels(table: pd.DataFrame, names: Sequence[str] = FINDINGS) -> pd.DataFrame:
    """Return which findings were drawn into each image: 0/1 columns ``names``, with the index of the table."""
    found = [labels(from_json(text), names) for text in table["findings"]]
    return pd.DataFrame(np.reshape(found, (len(table), len(names))).astype(int), table.index, list(names))


def mined_labels(true: pd.DataFrame, rng: np.random.Generator, error_rate: float) -> pd.DataFrame:
    """Return labels as a program reads them from reports, as often wrong in one direction as in the other.

    Parameters
    ----------
    true : DataFrame of 0/1 columns
    rng : numpy.random.Generator
    error_rate : float
        Share of the present findings that are missed, 0 to 1. As many absent ones are named, so that a finding is as
        frequent as it truly is.

    Returns
    -------
    DataFrame of the shape of ``true``
    """
    mined = {}
    for name, column in true.items():
        share = column.mean()
        invented = error_rate * share / (1 - share) if share < 0.5 else error_rate
        mined[name] = thorax.mined_labels(column.to_numpy(), rng, (error_rate, invented))
    return pd.DataFrame(mined, true.index)


def draw(row: Mapping, size: int, masks: bool = False) -> Radiograph:
    """Return the radiograph of one row of a table.

    Parameters
    ----------
    row : mapping
        With ``seed``, ``age``, ``sex``, ``view``, ``visit``, ``hospital`` and ``findings``: a row of an embedded image
        table, or of a table of this module.
    size : int
        Pixels of an edge.
    masks : bool
        Whether to work out where the lesions, the lungs and the heart are.

    Returns
    -------
    Radiograph
    """
    return thorax.radiograph(
        thorax.draw_patient(int(row["seed"]), age=float(row["age"]), sex=row["sex"]),
        row["view"],
        size,
        findings=from_json(row["findings"]),
        visit=int(row["visit"]),
        style=style_of(int(row["hospital"])),
        masks=masks,
    )


def draw_image(row: Mapping, size: int) -> np.ndarray:
    """Return the image of one row, uint8 of shape (size, size): what :func:`render.write` asks for."""
    return draw(row, size).image


def truth(row: Mapping, size: int) -> Radiograph:
    """Return what is known about one row of an embedded image table: its patient, findings, and where they are.

    Parameters
    ----------
    row : mapping
        As in :func:`draw`, such as ``table.loc[7]``.
    size : int
        Pixels of an edge of the image and of the masks.

    Returns
    -------
    Radiograph
        With ``masks`` (finding -> bool array), ``lungs`` and ``heart``. At the size of the file, ``image`` is the file.
    """
    return draw(row, size, masks=True)


# ---------------------------------------------------------------------------------------------------------
# For pretraining, and for knowing when files are out of date


def draw_training_case(
    seed: int,
    epoch: int,
    number: int,
    *,
    views: Mapping[str, float] | None = None,
    prevalence: Mapping[str, float] = TRAINING_PREVALENCE,
) -> dict:
    """Draw one patient to train a network with: another one for each number in each epoch, each from another hospital.

    Parameters
    ----------
    seed, epoch, number : int
        Not negative. They alone decide who comes, so that several processes or machines can share an epoch.
    views : mapping, optional
        View -> share, adding up to 1; unless given, PA 0.6 and AP 0.4.
    prevalence : mapping
        Finding -> probability among patients who are not healthy. Rare findings are more frequent than in a hospital.

    Returns
    -------
    dict
        ``patient``, ``view``, ``findings``, ``style``, ``visit``: the arguments of :func:`thorax.radiograph`, as in
        ``thorax.radiograph(**case, size=128)``. :func:`labels` turns the findings into 0 and 1.
    """
    views = views or {"PA": 0.6, "AP": 0.4}
    rng = np.random.default_rng([seed, epoch, number])
    age = float(rng.uniform(1, 16)) if rng.random() < TRAINING_CHILDREN else None
    return {
        "patient": thorax.draw_patient(int(rng.integers(*TRAINING_SEEDS)), age=age),
        "view": str(rng.choice(list(views), p=list(views.values()))),
        "findings": () if rng.random() < TRAINING_HEALTHY else thorax.draw_findings(rng, prevalence),
        "style": thorax.draw_style(rng),
        "visit": int(rng.integers(3)),
    }


@cache
def probes() -> bytes:
    """Return a few small images, as bytes: when they change, so do the images of the embedded sets.

    Each finding is shown alone, in each of the views in turn, by another hospital. A comment in the simulator changes
    nothing here; another shape, texture or style does.
    """
    shown = []
    for number, name in enumerate((*FINDINGS, *PNEUMONIAS)):
        view = thorax.VIEWS[number % len(thorax.VIEWS)]
        body = thorax.draw_patient(number, age=5.0 if number % 8 == 7 else None)
        style = style_of(number + 1)
        shown.append(thorax.radiograph(body, view, 48, findings=[Finding(name, 0.7, seed=number)], style=style).image)
    return np.stack(shown).tobytes()
