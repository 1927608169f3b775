"""Do the outputs mean what they say, and are they worth acting on? Calibration, and the net benefit of a decision."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from medlessons.errors import LessonError
from medlessons.evaluation import checked, wilson_interval

SMALLEST = 1e-6  # outputs of exactly 0 or 1 have no finite log-odds


def log_odds(probability: Sequence[float]) -> np.ndarray:
    """Return log(p / (1 - p)) of each probability; those nearer to 0 or 1 than a millionth are moved there."""
    return logit(np.clip(np.asarray(probability, dtype=float), SMALLEST, 1 - SMALLEST))


def scale_odds(probability: Sequence[float], factor: float) -> np.ndarray:
    """Return the probabilities after their odds were multiplied.

    A loss that counts a positive case ``w`` times teaches a network odds that are ``w`` times too high; ``1 / w``
    undoes it (Elkan 2001, "The foundations of cost-sensitive learning"). A new prevalence changes the odds by the
    ratio of the new to the old odds of the prevalence (Saerens and others 2002,
    https://doi.org/10.1162/089976602753284446).

    Parameters
    ----------
    probability : sequence of float, shape (cases,)
        From 0 to 1.
    factor : float
        Above 0.

    Returns
    -------
    array of float, shape (cases,)

    Raises
    ------
    LessonError
        If the factor is not above 0.

    Examples
    --------
    >>> scale_odds([0.5, 0.9], 1 / 9).round(2).tolist()
    [0.1, 0.5]
    """
    if not factor > 0:
        raise LessonError(f"Odds cannot be multiplied by {factor}: the factor must be above 0.")
    return expit(log_odds(probability) + np.log(factor))


def fit_platt(truth: Sequence[int], probability: Sequence[float]) -> tuple[float, float]:
    """Fit Platt scaling: the straight line on the log-odds that makes the labels most likely.

    No penalty, and Platt's smoothed targets, (positives + 1) / (positives + 2) and 1 / (negatives + 2) in place of
    1 and 0, which keep a few positives from being trusted too much (Platt 1999, "Probabilistic outputs for support
    vector machines").

    Parameters
    ----------
    truth : sequence of 0 and 1, shape (cases,)
    probability : sequence of float, shape (cases,)
        Outputs from 0 to 1; those of patients that neither the network nor the test has seen.

    Returns
    -------
    slope, intercept : float
        For :func:`apply_platt`.

    Raises
    ------
    LessonError
        If only one class is there.
    """
    truth, probability = checked(truth, probability)
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        raise LessonError(f"There are {positives} positives and {negatives} negatives; a fit needs both.")
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    return _logistic_line(log_odds(probability), np.where(truth == 1, high, low))


def apply_platt(probability: Sequence[float], slope: float, intercept: float) -> np.ndarray:
    """Return the calibrated probabilities.

    Parameters
    ----------
    probability : sequence of float, shape (cases,)
        Outputs from 0 to 1.
    slope, intercept : float
        From :func:`fit_platt`.

    Returns
    -------
    array of float, shape (cases,)
    """
    return expit(slope * log_odds(probability) + intercept)


def _logistic_line(x: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept of a logistic regression without penalty; targets may lie between 0 and 1."""
    from sklearn.linear_model import LogisticRegression  # here, since only a fit needs it

    # A target of 0.9 is a case that counts 0.9 times as positive and 0.1 times as negative.
    fit = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    both = np.r_[x, x][:, None]
    fit.fit(both, np.repeat([1, 0], len(x)), sample_weight=np.r_[target, 1 - target])
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def reliability(truth: Sequence[int], probability: Sequence[float], bins: int = 10) -> pd.DataFrame:
    """Compare outputs with frequencies, in bins that hold equally many cases.

    Parameters
    ----------
    truth : sequence of 0 and 1, shape (cases,)
    probability : sequence of float, shape (cases,)
        From 0 to 1.
    bins : int
        How many; fewer come back where many outputs are equal.

    Returns
    -------
    DataFrame
        One row per bin: ``output`` (mean), ``positives``, ``cases``, ``frequency`` (share of positives), and its
        95 % Wilson interval ``low``, ``high``.
    """
    truth, probability = checked(truth, probability)
    group = pd.qcut(probability, bins, labels=False, duplicates="drop")
    table = pd.DataFrame({"output": probability, "truth": truth}).groupby(group)
    table = table.agg(output=("output", "mean"), positives=("truth", "sum"), cases=("truth", "size"))
    table["frequency"] = table["positives"] / table["cases"]
    limits = [wilson_interval(int(row.positives), int(row.cases)) for row in table.itertuples()]
    return table.assign(low=[low for low, _ in limits], high=[high for _, high in limits])


def expected_calibration_error(truth: Sequence[int], probability: Sequence[float], edges: Sequence[float]) -> float:
    """Return the mean distance between output and frequency over bins with given edges, weighted by their cases.

    Parameters
    ----------
    truth : sequence of 0 and 1, shape (cases,)
    probability : sequence of float, shape (cases,)
        From 0 to 1.
    edges : sequence of float
        Edges of the bins, rising from 0 to 1. Another choice of bins gives another figure (Nixon and others 2019,
        https://arxiv.org/abs/1904.01685).

    Returns
    -------
    float
        0 (perfect) to 1.
    """
    truth, probability = checked(truth, probability)
    which = np.clip(np.digitize(probability, edges) - 1, 0, len(edges) - 2)
    gaps = pd.DataFrame({"gap": probability - truth}).groupby(which)["gap"].sum().abs()
    return float(gaps.sum() / len(truth))


def calibration_summary(truth: Sequence[int], probability: Sequence[float]) -> pd.Series:
    """Return how well outputs fit as probabilities.

    Parameters
    ----------
    truth : sequence of 0 and 1, shape (cases,)
    probability : sequence of float, shape (cases,)
        From 0 to 1.

    Returns
    -------
    Series
        ``mean output`` and ``prevalence`` (should agree); ``intercept``, what must be added to the log-odds to make
        them agree (0 is right), and ``slope`` of a logistic regression of the labels on the log-odds (1 is right;
        below 1 the outputs are too extreme; Van Calster and others 2019,
        https://doi.org/10.1186/s12916-019-1466-7); ``Brier``, the mean squared distance of output and label, and
        ``Brier of prevalence``, that of always saying the prevalence.

    Raises
    ------
    LessonError
        If only one class is there.
    """
    truth, probability = checked(truth, probability)
    share, odds = truth.mean(), log_odds(probability)
    if share in (0, 1):
        raise LessonError("All labels are the same: neither slope nor intercept can be fitted.")
    return pd.Series(
        {
            "mean output": probability.mean(),
            "prevalence": share,
            "intercept": brentq(lambda shift: expit(odds + shift).mean() - share, -30, 30),
            "slope": _logistic_line(odds, truth.astype(float))[0],
            "Brier": np.mean((probability - truth) ** 2),
            "Brier of prevalence": share * (1 - share),
        }
    )


def net_benefit(truth: Sequence[int], probability: Sequence[float], threshold: float) -> float:
    """Return the net benefit of acting on all cases at or above a threshold.

    True positives per case, minus false positives per case times the odds of the threshold: who acts at 10 % takes
    one ill person found for nine alarmed in vain (Vickers and others 2019,
    https://doi.org/10.1186/s41512-019-0064-7).

    Parameters
    ----------
    truth : sequence of 0 and 1, shape (cases,)
    probability : sequence of float, shape (cases,)
        From 0 to 1.
    threshold : float
        Above 0 and below 1.

    Returns
    -------
    float
        In true positives per case; acting on nobody has 0.

    Raises
    ------
    LessonError
        If the threshold does not lie between 0 and 1.

    Examples
    --------
    >>> net_benefit([1, 0, 0, 0], [0.9, 0.8, 0.1, 0.1], threshold=0.5)
    0.0
    """
    truth, probability = checked(truth, probability)
    if not 0 < threshold < 1:
        raise LessonError(f"The threshold is {threshold}, but it must lie between 0 and 1.")
    called = probability >= threshold
    price = threshold / (1 - threshold)
    return float((np.sum(called & (truth == 1)) - price * np.sum(called & (truth == 0))) / len(truth))


def decision_curve(
    truth: Sequence[int], outputs: Mapping[str, Sequence[float]], thresholds: Sequence[float]
) -> pd.DataFrame:
    """Return the net benefit of several models, of acting on all and of acting on nobody, for a row of thresholds.

    Parameters
    ----------
    truth : sequence of 0 and 1, shape (cases,)
    outputs : mapping
        Name of a model -> its outputs from 0 to 1, shape (cases,).
    thresholds : sequence of float
        Above 0 and below 1.

    Returns
    -------
    DataFrame
        One row per threshold; one column per model, ``act on all`` and ``act on nobody``: :func:`net_benefit`.
    """
    everybody = {"act on all": np.ones(len(truth)), "act on nobody": np.zeros(len(truth))}
    rows = {
        name: [net_benefit(truth, probability, threshold) for threshold in thresholds]
        for name, probability in {**outputs, **everybody}.items()
    }
    return pd.DataFrame(rows, index=pd.Index(thresholds, name="threshold"))
