"""How good are the predictions: AUROC, counts of a confusion matrix, and how sure we can be of both."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest, rankdata

from medlessons.errors import LessonError

LEAST_CASES = 10  # of either class: below, a bootstrap interval of the AUROC is too narrow to be shown


def auroc(truth: Sequence[int], score: Sequence[float]) -> float:
    """Return the area under the ROC curve.

    It is the probability that a positive case drawn at random gets a higher score than a negative one; ties count
    half (Hanley and McNeil 1982, https://doi.org/10.1148/radiology.143.1.7063747).

    Parameters
    ----------
    truth : sequence of 0 and 1, shape (cases,)
    score : sequence of float, shape (cases,)
        Higher means more positive; any range.

    Returns
    -------
    float
        0.5 is guessing, 1 is perfect.

    Raises
    ------
    LessonError
        If the lengths differ, a score is not a number, or only one class is there.

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    truth, score = checked(truth, score)
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if positives == 0 or negatives == 0:
        raise LessonError(
            f"AUROC compares positive with negative cases, but there are {positives} and {negatives}. "
            "Take a test set that has both."
        )
    ranks = rankdata(score)[truth == 1].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def cluster_bootstrap_ci(
    statistic: Callable[[np.ndarray, np.ndarray], float],
    truth: Sequence[int],
    score: Sequence[float],
    patients: Sequence,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the confidence interval of a cluster bootstrap: all images of a patient are one cluster.

    Patients, not images, are drawn with replacement: images of the same person resemble each other, and drawing them
    one by one pretends to more evidence than there is (Field and Welsh 2007,
    https://doi.org/10.1111/j.1467-9868.2007.00593.x).

    Parameters
    ----------
    statistic : callable
        Takes truth and score, returns a number, such as :func:`auroc` or :func:`accuracy`. Draws on which it is
        NaN or raises LessonError (only one class) are left out.
    truth, score : sequences, shape (cases,)
    patients : sequence, shape (cases,)
        Who each case belongs to.
    level : float
        Between 0 and 1.
    repeats : int
    seed : int

    Returns
    -------
    low, high : float

    Raises
    ------
    LessonError
        If the lengths differ, or no draw of patients gives a number.

    Examples
    --------
    >>> low, high = cluster_bootstrap_ci(accuracy, [1, 1, 0, 0], [1, 1, 0, 1], ["a", "a", "b", "c"])
    >>> round(low, 2), round(high, 2)
    (0.0, 1.0)
    """
    truth, score = checked(truth, score)
    if len(patients) != len(truth):
        raise LessonError(f"There are {len(truth)} cases but {len(patients)} patients' names.")
    members = list(pd.Series(np.arange(len(truth))).groupby(np.asarray(patients, dtype=str)).indices.values())
    rng = np.random.default_rng(seed)
    values, reason = np.full(repeats, np.nan), "it is NaN"
    for repeat in range(repeats):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        try:
            values[repeat] = statistic(truth[rows], score[rows])
        except LessonError as error:  # for instance, this draw has one class only
            reason = str(error)
    if np.isnan(values).all():
        raise LessonError(f"No draw of patients gives a number, so there is no interval. The last one: {reason}")
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def draw_weights(patients: Sequence, repeats: int = 1000, seed: int = 0) -> np.ndarray:
    """Draw patients with replacement, many times, and return how often each image counts in each draw.

    A bootstrap needs no copies of rows: a patient who was drawn twice has a weight of 2 on each image. (Give each image
    a name of its own, and images are drawn.)

    Parameters
    ----------
    patients : sequence, shape (images,)
        Who each image belongs to.
    repeats, seed : int
        How many draws, and the start of their random numbers.

    Returns
    -------
    array of int, shape (repeats, images)
    """
    codes, unique = pd.factorize(np.asarray(patients, dtype=str), sort=True)
    shares = np.full(len(unique), 1 / len(unique))
    return np.random.default_rng(seed).multinomial(len(unique), shares, size=repeats)[:, codes]


def auroc_difference(
    truth: Sequence[int], one: Sequence[float], other: Sequence[float], weights: np.ndarray, level: float = 0.95
) -> tuple[float, float, float]:
    """Return how much higher the AUROC of one model is than that of another on the same cases, with its interval.

    Both are judged on the same draws, so what makes a draw easy or hard for both cancels out. Two separate intervals
    that overlap do not say this.

    Parameters
    ----------
    truth : sequence of 0 and 1, shape (cases,)
    one, other : sequences of float, shape (cases,)
        The scores of two models.
    weights : array of int, shape (repeats, cases)
        From :func:`draw_weights`.
    level : float
        Between 0 and 1.

    Returns
    -------
    difference, low, high : float
    """
    both = [weighted_auroc(*checked(truth, score), weights) for score in (one, other)]
    low, high = np.nanquantile(both[0] - both[1], [(1 - level) / 2, (1 + level) / 2])
    return auroc(truth, one) - auroc(truth, other), float(low), float(high)


def auroc_table(
    labels: pd.DataFrame,
    scores: pd.DataFrame,
    patients: Sequence,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the AUROC of each finding with its bootstrap interval by patient.

    All findings share the draws. A draw of patients gives each patient a weight, how often it was drawn, and the
    AUROC is worked out from these weights on images sorted once: the same figures as with
    :func:`cluster_bootstrap_ci`, in a fraction of the time.

    Parameters
    ----------
    labels : DataFrame of 0 and 1, shape (images, findings)
    scores : DataFrame of float, shape (images, findings)
        With the columns of ``labels``, in any order: columns are compared by name, never by place.
    patients : sequence, shape (images,)
        Who each image belongs to.
    level : float
        Between 0 and 1.
    repeats, seed : int
        How many draws, and the start of their random numbers.

    Returns
    -------
    DataFrame
        One row per finding: ``positives`` (images), ``AUROC``, ``low``, ``high``. The AUROC is NaN where all labels are
        the same; the interval is NaN below ten positive or ten negative images, where it would be too narrow (in
        simulations with 3 positives a 95 % interval held the truth in 80 %, with 15 in 91 %).

    Raises
    ------
    LessonError
        If columns or lengths differ, a label is neither 0 nor 1, or a score is not a number.
    """
    if sorted(labels.columns) != sorted(scores.columns):
        other = set(labels.columns) ^ set(scores.columns)
        raise LessonError(
            f"Labels and scores are of different findings; only one of them has {', '.join(sorted(other))}."
        )
    if len(patients) != len(labels):
        raise LessonError(f"There are {len(labels)} images but {len(patients)} patients' names.")
    weights = np.vstack([np.ones((1, len(labels)), int), draw_weights(patients, repeats, seed)])  # first: each once
    rows = {}
    for name in labels.columns:
        truth, score = checked(labels[name], scores[name])
        values = weighted_auroc(truth, score, weights)
        enough = min(truth.sum(), (1 - truth).sum()) >= LEAST_CASES
        low, high = np.nanquantile(values[1:], [(1 - level) / 2, (1 + level) / 2]) if enough else (np.nan, np.nan)
        rows[name] = (int(truth.sum()), values[0], low, high)
    return pd.DataFrame.from_dict(rows, "index", columns=["positives", "AUROC", "low", "high"])


def weighted_auroc(truth: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the AUROC for each of many weightings of the same cases, which are sorted once.

    Parameters
    ----------
    truth : array of 0 and 1, shape (cases,)
    score : array of float, shape (cases,)
    weights : array of int, shape (repeats, cases)
        How often each case counts, such as :func:`draw_weights` returns.

    Returns
    -------
    array of float, shape (repeats,)
        NaN where one class has no weight.
    """
    order = np.argsort(score, kind="stable")
    score, truth = score[order], truth[order]
    counted = weights.T[order].astype(np.float32)  # one row per case, so that sums run along the memory
    negatives = np.vstack([np.zeros((1, len(weights))), np.cumsum(counted * (truth == 0)[:, None], axis=0)])
    positive = score[truth == 1]
    lower, not_higher = np.searchsorted(score, positive), np.searchsorted(score, positive, side="right")
    right_pairs = (negatives[lower] + negatives[not_higher]) / 2  # a tie counts half
    counted = counted[truth == 1]
    with np.errstate(invalid="ignore"):
        return (counted * right_pairs).sum(axis=0) / (counted.sum(axis=0) * negatives[-1])


def accuracy(truth: Sequence[int], predicted: Sequence[int]) -> float:
    """Return the share of cases whose predicted class is the true one.

    Parameters
    ----------
    truth, predicted : sequences of 0 and 1, shape (cases,)

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    LessonError
        If the lengths differ or a value is neither 0 nor 1.
    """
    truth, predicted = _checked_classes(truth, predicted)
    return _share(np.sum(truth == predicted), len(truth))


def operating_point(truth: Sequence[int], predicted: Sequence[int]) -> pd.Series:
    """Return what a confusion matrix of two classes says.

    Parameters
    ----------
    truth, predicted : sequences of 0 and 1, shape (cases,)

    Returns
    -------
    Series
        ``accuracy``; ``sensitivity`` (recall: positives found), ``specificity`` (negatives left alone), ``precision``
        (positive predictive value: alarms that are right), each from 0 to 1 and NaN if there is no such case.

    Raises
    ------
    LessonError
        If the lengths differ or a value is neither 0 nor 1.
    """
    truth, predicted = _checked_classes(truth, predicted)
    found = int(np.sum((truth == 1) & (predicted == 1)))
    quiet = int(np.sum((truth == 0) & (predicted == 0)))
    return pd.Series(
        {
            "accuracy": _share(found + quiet, len(truth)),
            "sensitivity": _share(found, np.sum(truth == 1)),
            "specificity": _share(quiet, np.sum(truth == 0)),
            "precision": _share(found, np.sum(predicted == 1)),
        }
    )


def rates(truth: Sequence[int], called: Sequence[int], level: float = 0.95) -> pd.DataFrame:
    """Return the rates of a confusion matrix, each with what it is a share of and its Wilson interval.

    Parameters
    ----------
    truth, called : sequences of 0 and 1, shape (cases,)
        The label, and whether the model called the case positive.
    level : float
        Between 0 and 1.

    Returns
    -------
    DataFrame
        Rows ``sensitivity``, ``specificity``, ``PPV``, ``NPV``, ``accuracy``, ``prevalence``; columns ``cases`` (those
        counted), ``of``, ``rate``, ``low``, ``high`` (NaN where there is no such case). The intervals take the cases
        as independent: with several images per patient they are too narrow.

    Raises
    ------
    LessonError
        If the lengths differ or a value is neither 0 nor 1.
    """
    truth, called = _checked_classes(truth, called)
    tp, tn = int(np.sum((truth == 1) & (called == 1))), int(np.sum((truth == 0) & (called == 0)))
    positives, alarms, cases = int(truth.sum()), int(called.sum()), len(truth)
    counts = {
        "sensitivity": (tp, positives),
        "specificity": (tn, cases - positives),
        "PPV": (tp, alarms),
        "NPV": (tn, cases - alarms),
        "accuracy": (tp + tn, cases),
        "prevalence": (positives, cases),
    }
    table = pd.DataFrame.from_dict(counts, "index", columns=["cases", "of"])
    limits = [wilson_interval(part, whole, level) if whole else (np.nan, np.nan) for part, whole in counts.values()]
    return table.assign(rate=table["cases"] / table["of"], low=[a for a, _ in limits], high=[b for _, b in limits])


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else np.nan


def wilson_interval(successes: int, cases: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval for a share of independent cases.

    Unlike the plus-minus formula of textbooks it never leaves 0 to 1, and it stays wide when all of a few cases are
    right (Brown, Cai and DasGupta 2001, https://doi.org/10.1214/ss/1009213286).

    Parameters
    ----------
    successes, cases : int
        0 <= successes <= cases, and cases above 0.
    level : float
        Between 0 and 1.

    Returns
    -------
    low, high : float

    Raises
    ------
    LessonError
        If ``successes`` of ``cases`` is not a share.

    Examples
    --------
    >>> low, high = wilson_interval(73, 75)
    >>> round(low, 3), round(high, 3)
    (0.908, 0.993)
    """
    if not 0 <= successes <= cases or cases == 0:
        raise LessonError(f"{successes} of {cases} is not a share: expected are 0 <= successes <= cases, cases > 0.")
    interval = binomtest(successes, cases).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def checked(truth: Sequence[int], score: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return truth as an array of 0 and 1 and score as one of float, both of shape (cases,), or raise LessonError."""
    truth, score = _one_each(truth, "true labels"), _one_each(score, "predictions").astype(float)
    if len(truth) != len(score):
        raise LessonError(f"There are {len(truth)} true labels but {len(score)} predictions.")
    if not _zero_or_one(truth):
        raise LessonError("A true label must be 0 or 1.")
    if np.isnan(score).any():
        raise LessonError(f"Prediction {int(np.isnan(score).argmax())} is not a number (NaN).")
    return truth.astype(int), score


def _checked_classes(truth: Sequence[int], predicted: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    truth, predicted = checked(truth, predicted)
    if not _zero_or_one(predicted):
        raise LessonError("A predicted class must be 0 or 1. Compare the scores with a threshold first.")
    return truth, predicted


def _zero_or_one(values: np.ndarray) -> bool:
    return bool(((values == 0) | (values == 1)).all())  # np.isin takes several times as long


def _one_each(values: Sequence, what: str) -> np.ndarray:
    """Return one value per case; a network with one output gives them as a column, shape (cases, 1)."""
    values = np.asarray(values)
    if values.ndim == 0 or values.size != len(values):
        raise LessonError(f"The {what} have the shape {values.shape}; expected is one value per case.")
    return values.ravel()
