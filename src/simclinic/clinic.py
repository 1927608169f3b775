"""A simulated clinic: who comes, to which hospital, for which view, with what; and the truth about each image.

A table of the clinic is a list of dicts, one row per image. They hold all that the image depends on, as numbers and
text, so that a table read from a CSV file leads back to its patients: ``seed``, ``age`` and ``sex`` (the body),
``visit`` (pose and noise), ``hospital`` (the style of its images), ``view``, and ``findings`` (JSON). :func:`truth`
makes the image of a row, and the masks of its lesions.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache

import numpy as np

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
) -> list[dict]:
    """Draw the patients of a data set, and to which hospital each of them goes.

    Parameters
    ----------
    seeds : iterable of int
        One per patient: the same seed is the same person.
    rng : numpy.random.Generator
    hospitals : sequence of int
        Their numbers; each has its own style (:func:`style_of`).
    ages : (float, float), optional
        Youngest and oldest (years). Unless given, adults as :func:`thorax.draw_patient` draws them.

    Returns
    -------
    list of dict
        One row per patient: ``patient``, ``view`` ("PA", or "AP" if bedridden), ``age`` (whole years), ``sex``,
        ``source`` (name of the hospital), ``seed``, ``hospital``.
    """
    rows = []
    for seed in seeds:
        body = thorax.draw_patient(seed)
        age = round(body.age if ages is None else rng.uniform(*ages))
        hospital = int(rng.choice(hospitals))
        view = "AP" if rng.random() < BEDRIDDEN else "PA"
        row = {"patient": body.id, "view": view, "age": age, "sex": body.sex, "source": name_of(hospital)}
        rows.append({**row, "seed": int(seed), "hospital": hospital})
    return rows


def draw_visits(patients: Sequence[Mapping], counts: Sequence[int]) -> list[dict]:
    """Return each patient's visits, one after the other.

    Parameters
    ----------
    patients : sequence of mappings
        From :func:`draw_patients`.
    counts : sequence of int
        How often each of them comes.

    Returns
    -------
    list of dict
        One row per image, with the number of the ``visit``: 0, 1, ...
    """
    return [{**row, "visit": visit} for row, count in zip(patients, counts, strict=True) for visit in range(count)]


def name_images(table: Iterable[Mapping]) -> list[dict]:
    """Return the table with a ``path`` for each image: ``images/patient_visit_view.png``."""
    return [{**row, "path": "images/{patient}_{visit}_{view}.png".format(**row)} for row in table]


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
    table: Iterable[Mapping],
    rng: np.random.Generator,
    prevalence: Mapping[str, float] | None = None,
    healthy: float = 0.0,
) -> list[dict]:
    """Return the table of visits with ``findings`` in each row. A later visit resembles the one before.

    Parameters
    ----------
    table : iterable of mappings
        From :func:`draw_visits`: the visits of a patient follow one another.
    rng : numpy.random.Generator
    prevalence : mapping, optional
        Finding -> probability, as in :func:`thorax.draw_findings`.
    healthy : float
        Share of the patients who have no finding at all, 0 to 1.

    Returns
    -------
    list of dict
        ``findings`` holds JSON, a list of findings for each image.
    """
    rows, before, well = [], (), False
    for row in table:
        if row["visit"] == 0:
            well = rng.random() < healthy
            before = () if well else thorax.draw_findings(rng, prevalence)
        elif not well:
            before = _next_visit(before, thorax.draw_findings(rng, prevalence), rng)
        rows.append({**row, "findings": to_json(before)})
    return rows


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


def fix_prevalence(table: Sequence[Mapping], prevalence: Mapping[str, float], rng: np.random.Generator) -> list[dict]:
    """Return the table with exactly the prevalence that is asked for.

    A finding that is too rare is given to further images, one that is too frequent is taken from some, at random.
    Chance alone would leave a small set without a hernia.

    Parameters
    ----------
    table : sequence of mappings
        From :func:`draw_findings`.
    prevalence : mapping
        Finding -> share of the images, 0 to 1.
    rng : numpy.random.Generator

    Returns
    -------
    list of dict
    """
    images = [{finding.name: finding for finding in from_json(row["findings"])} for row in table]
    for name, share in prevalence.items():
        have = [number for number, present in enumerate(images) if name in present]
        lack = [number for number, present in enumerate(images) if name not in present]
        more = round(share * len(images)) - len(have)
        for number in rng.permutation(lack)[: max(more, 0)]:
            images[number][name] = Finding(name, float(rng.beta(2, 1.6)), seed=int(rng.integers(2**31)))
        for number in rng.permutation(have)[: max(-more, 0)]:
            del images[number][name]
    return [{**row, "findings": to_json(present.values())} for row, present in zip(table, images, strict=True)]


def to_json(findings: Iterable[Finding]) -> str:
    """Return findings as text for one cell of a CSV file; :func:`from_json` reads it without loss."""
    return json.dumps([asdict(finding) for finding in findings])


def from_json(text: str) -> tuple[Finding, ...]:
    """Return the findings that :func:`to_json` wrote."""
    return tuple(Finding(**fields) for fields in json.loads(text))


# ---------------------------------------------------------------------------------------------------------
# What is known, and what the reports say


def labels(findings: Iterable[Finding], names: Sequence[str] = FINDINGS) -> np.ndarray:
    """Return which of some findings are present.

    Parameters
    ----------
    findings : iterable of Finding
    names : sequence of str

    Returns
    -------
    uint8 array, shape (names,)
        0 (absent) or 1 (present).
    """
    present = {finding.name for finding in findings}
    return np.array([name in present for name in names], np.uint8)


def true_labels(column: Iterable[str], names: Sequence[str] = FINDINGS) -> np.ndarray:
    """Return which findings were drawn into each image.

    Parameters
    ----------
    column : iterable of str
        The ``findings`` of each row of a table.
    names : sequence of str

    Returns
    -------
    int array, shape (images, names)
        0 (absent) or 1 (present).
    """
    found = [labels(from_json(text), names) for text in column]
    return np.reshape(found, (len(found), len(names))).astype(int)


def mined_labels(true: np.ndarray, rng: np.random.Generator, error_rate: float) -> np.ndarray:
    """Return labels as a program reads them from reports, as often wrong in one direction as in the other.

    Parameters
    ----------
    true : array of 0 and 1, shape (images, findings)
    rng : numpy.random.Generator
    error_rate : float
        Share of the present findings that are missed, 0 to 1. As many absent ones are named, so that a finding is as
        frequent as it truly is.

    Returns
    -------
    array of the shape and type of ``true``
    """
    mined = []
    for column, share in zip(true.T, true.mean(axis=0), strict=True):
        invented = error_rate * share / (1 - share) if share < 0.5 else error_rate
        mined.append(thorax.mined_labels(column, rng, (error_rate, invented)))
    return np.stack(mined, axis=1)


def truth(row: Mapping, size: int, masks: bool = True) -> Radiograph:
    """Return what is known about one row of a table: its image, patient, findings, and where they are.

    Parameters
    ----------
    row : mapping
        With ``seed``, ``age``, ``sex``, ``view``, ``visit``, ``hospital`` and ``findings``: a row of a table of this
        module, or of an embedded image table, such as ``table.loc[7]``.
    size : int
        Pixels of an edge of the image and of the masks. At the size of the file, ``image`` is the file.
    masks : bool
        Whether to work out where the lesions (finding -> bool array), the lungs and the heart are.

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


# ---------------------------------------------------------------------------------------------------------
# For pretraining, and for knowing when the simulator has changed


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


def probes() -> np.ndarray:
    """Return a few small images: when they change, so do the images of the embedded sets.

    Returns
    -------
    uint8 array, shape (findings, 48, 48)
        Each finding is shown alone, in each of the views in turn, by another hospital. A comment in the simulator
        changes nothing here; another shape, texture or style does.
    """
    shown = []
    for number, name in enumerate((*FINDINGS, *PNEUMONIAS)):
        view = thorax.VIEWS[number % len(thorax.VIEWS)]
        body = thorax.draw_patient(number, age=5.0 if number % 8 == 7 else None)
        style = style_of(number + 1)
        shown.append(thorax.radiograph(body, view, 48, findings=[Finding(name, 0.7, seed=number)], style=style).image)
    return np.stack(shown)
