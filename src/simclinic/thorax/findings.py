"""Findings: what is drawn into a chest, how often, and what a report makes of it.

Names, order and prevalence are those of lesson 3's published subset of ChestX-ray14, the later release of ChestX-ray8
(Wang et al. 2017, doi:10.1109/CVPR.2017.369). The signs are those of the Fleischner Society's glossary (Hansell et al.
2008, doi:10.1148/radiol.2462070712).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from simclinic.errors import LessonError

FINDINGS = (
    "Cardiomegaly",
    "Emphysema",
    "Effusion",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Atelectasis",
    "Pneumothorax",
    "Pleural_Thickening",
    "Pneumonia",
    "Fibrosis",
    "Edema",
    "Consolidation",
)
PNEUMONIAS = ("COVID-19", "Bacterial", "Viral")
SIDES = ("right", "left", "both")

# Prevalence in the published training subset of lesson 3, in the order above.
PREVALENCE = dict(
    zip(
        FINDINGS,
        (0.02, 0.013, 0.128, 0.002, 0.175, 0.045, 0.054, 0.106, 0.038, 0.021, 0.01, 0.014, 0.016, 0.033),
        strict=True,
    )
)

# Correlation of the hidden severities of pairs that are read together, or hardly ever: tetrachoric correlations of the
# published labels (5,422 images of lesson 3's subsets), where at least eight pairs were seen or expected.
COOCCURRENCE = {
    ("Cardiomegaly", "Effusion"): 0.35,
    ("Cardiomegaly", "Edema"): 0.15,
    ("Cardiomegaly", "Consolidation"): 0.15,
    ("Cardiomegaly", "Nodule"): -0.15,
    ("Cardiomegaly", "Pneumothorax"): -0.2,
    ("Emphysema", "Pneumothorax"): 0.5,
    ("Emphysema", "Mass"): 0.15,
    ("Emphysema", "Pleural_Thickening"): 0.25,
    ("Effusion", "Infiltration"): 0.3,
    ("Effusion", "Mass"): 0.25,
    ("Effusion", "Atelectasis"): 0.3,
    ("Effusion", "Pneumothorax"): 0.15,
    ("Effusion", "Pleural_Thickening"): 0.2,
    ("Effusion", "Pneumonia"): 0.1,
    ("Effusion", "Fibrosis"): -0.15,
    ("Effusion", "Edema"): 0.1,
    ("Effusion", "Consolidation"): 0.3,
    ("Hernia", "Atelectasis"): 0.15,
    ("Infiltration", "Atelectasis"): 0.15,
    ("Infiltration", "Pneumothorax"): -0.1,
    ("Infiltration", "Pneumonia"): 0.25,
    ("Infiltration", "Edema"): 0.35,
    ("Infiltration", "Consolidation"): 0.15,
    ("Mass", "Nodule"): 0.3,
    ("Mass", "Pneumothorax"): 0.1,
    ("Mass", "Pleural_Thickening"): 0.25,
    ("Mass", "Consolidation"): 0.2,
    ("Nodule", "Pleural_Thickening"): 0.1,
    ("Nodule", "Fibrosis"): 0.15,
    ("Atelectasis", "Pneumothorax"): 0.15,
    ("Atelectasis", "Edema"): -0.15,
    ("Atelectasis", "Consolidation"): 0.3,
    ("Pneumothorax", "Pleural_Thickening"): 0.2,
    ("Pleural_Thickening", "Fibrosis"): 0.25,
    ("Pleural_Thickening", "Consolidation"): 0.1,
    ("Pneumonia", "Edema"): 0.6,
    ("Pneumonia", "Consolidation"): 0.15,
}


@dataclass(frozen=True)
class Finding:
    """One finding of one patient.

    Attributes
    ----------
    name : str
        One of FINDINGS or PNEUMONIAS.
    severity : float
        0 (just visible) to 1 (severe).
    side : str, optional
        ``"right"``, ``"left"`` or ``"both"``; drawn from the seed where it is None.
    seed : int
        Place and shape of the lesion.
    """

    name: str
    severity: float = 0.6
    side: str | None = None
    seed: int = 0

    def __post_init__(self):
        if self.name not in FINDINGS + PNEUMONIAS:
            raise LessonError(
                f"There is no finding named {self.name!r}; choose one of {', '.join(FINDINGS + PNEUMONIAS)}."
            )
        if not 0 <= self.severity <= 1:
            raise LessonError(f"The severity of {self.name} is {self.severity!r}, but it must lie between 0 and 1.")
        if self.side is not None and self.side not in SIDES:
            raise LessonError(f"The side of {self.name} is {self.side!r}, but it must be one of {', '.join(SIDES)}.")


def draw_findings(
    rng: np.random.Generator,
    prevalence: Mapping[str, float] | None = None,
    cooccurrence: Mapping[tuple[str, str], float] | None = None,
) -> tuple[Finding, ...]:
    """Draw the findings of one patient, with realistic co-occurrence.

    A hidden severity is drawn for each finding from a normal distribution with the correlations ``cooccurrence``; the
    finding is present where the hidden severity exceeds the quantile that gives its prevalence (a Gaussian copula).
    Prevalences are therefore exactly as asked, whatever the correlations.

    Parameters
    ----------
    rng : numpy.random.Generator
    prevalence : mapping, optional
        Finding -> probability (0 to 1). Findings that it leaves out do not occur. Default: PREVALENCE.
    cooccurrence : mapping, optional
        Pair of findings -> correlation (-1 to 1). Default: COOCCURRENCE. Give ``{}`` for independent findings.

    Returns
    -------
    tuple of Finding
        In the order of FINDINGS; empty for a healthy patient.

    Raises
    ------
    LessonError
        On an unknown name, a prevalence outside 0..1, or correlations that cannot hold together.
    """
    prevalence = PREVALENCE if prevalence is None else prevalence
    cooccurrence = COOCCURRENCE if cooccurrence is None else cooccurrence
    names = tuple(prevalence)
    unknown = [name for name in names if name not in FINDINGS + PNEUMONIAS]
    if unknown:
        raise LessonError(f"prevalence names {unknown[0]!r}; choose among {', '.join(FINDINGS + PNEUMONIAS)}.")
    hidden = _correlated(rng, names, cooccurrence)
    present = []
    for name, value in zip(names, hidden, strict=True):
        p = prevalence[name]
        if not 0 <= p <= 1:
            raise LessonError(f"The prevalence of {name} is {p!r}, but it must lie between 0 and 1.")
        severity, seed = float(rng.beta(2, 1.6)), int(rng.integers(2**31))
        if value < p:
            present.append(Finding(name, severity, None, seed))
    return tuple(present)


def _correlated(rng, names: Sequence[str], cooccurrence) -> np.ndarray:
    """Return one uniform number per name; small ones come together where ``cooccurrence`` says so."""
    correlation = np.eye(len(names))
    place = {name: i for i, name in enumerate(names)}
    for (first, second), r in cooccurrence.items():
        if first in place and second in place:
            correlation[place[first], place[second]] = correlation[place[second], place[first]] = r
    try:
        factor = np.linalg.cholesky(correlation)
    except np.linalg.LinAlgError as error:
        raise LessonError("These correlations cannot hold together; make some of them smaller.") from error
    return ndtr(factor @ rng.standard_normal(len(names)))


def mined_labels(
    truth: np.ndarray, rng: np.random.Generator, error_rate: float | tuple[float, float] = 0.1
) -> np.ndarray:
    """Return the labels as a program would read them from reports: some are wrong. The truth is left as it is.

    Parameters
    ----------
    truth : array of 0 and 1, any shape
    rng : numpy.random.Generator
    error_rate : float or (float, float)
        Chance that a label is flipped, 0 to 1. A pair gives two chances: that a present finding is missed, and that
        an absent one is named.

    Returns
    -------
    array of the shape and type of ``truth``

    Raises
    ------
    LessonError
        If a rate is outside 0..1 or the truth holds anything but 0 and 1.
    """
    truth = np.asarray(truth)
    missed, invented = (error_rate, error_rate) if np.isscalar(error_rate) else error_rate
    if not (0 <= missed <= 1 and 0 <= invented <= 1):
        raise LessonError(f"error_rate is {error_rate!r}, but it must lie between 0 and 1.")
    if not np.isin(truth, (0, 1)).all():
        raise LessonError("truth must hold only 0 (absent) and 1 (present).")
    flip = rng.random(truth.shape) < np.where(truth == 1, missed, invented)
    return np.where(flip, 1 - truth, truth).astype(truth.dtype)
