"""The checks of lesson 5 accept right answers, however they are written, and name classic mistakes."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import rankdata
from sklearn.metrics import confusion_matrix, roc_auc_score

from medlessons.checks import evaluation as ex
from tests.medlessons.checks.answers import three_tests


def counts_by_confusion_matrix(truth, score, threshold):
    (tn, fp), (fn, tp) = confusion_matrix(truth, score >= threshold, labels=[0, 1])
    return [tp, fp, tn, fn]


def counts_by_loop(truth, score, threshold):
    tp = fp = tn = fn = 0
    for y, p in zip(truth, score, strict=True):
        if p >= threshold:
            tp, fp = tp + (y == 1), fp + (y == 0)
        else:
            tn, fn = tn + (y == 0), fn + (y == 1)
    return np.array([tp, fp, tn, fn])


def counts_by_pandas(truth, score, threshold):
    table = pd.Series(truth * 2 + (score >= threshold)).value_counts().reindex([3, 1, 0, 2], fill_value=0)
    return tuple(table)


def rates_by_numpy(tp, fp, tn, fn):
    with np.errstate(invalid="ignore"):
        return np.array([tp, tn, tp, tn]) / np.array([tp + fn, tn + fp, tp + fp, tn + fn])


def rates_with_ifs(tp, fp, tn, fn):
    sensitivity = float("nan") if tp + fn == 0 else tp / (tp + fn)
    specificity = float("nan") if tn + fp == 0 else tn / (tn + fp)
    ppv = float("nan") if tp + fp == 0 else tp / (tp + fp)
    npv = float("nan") if tn + fn == 0 else tn / (tn + fn)
    return sensitivity, specificity, ppv, npv


def rates_with_try(tp, fp, tn, fn):
    found = []
    for part, other in ((tp, fn), (tn, fp), (tp, fp), (tn, fn)):
        try:
            found.append(part / (part + other))
        except ZeroDivisionError:
            found.append(np.nan)
    return found


def ppv_in_people(sensitivity, specificity, prevalence):
    ill = 1000 * prevalence
    called_ill, called_well = ill * sensitivity, (1000 - ill) * (1 - specificity)
    return called_ill / (called_ill + called_well)


def ppv_by_odds(sensitivity, specificity, prevalence):
    odds = prevalence / (1 - prevalence) * sensitivity / (1 - specificity)
    return odds / (odds + 1)


def ppv_by_complement(sensitivity, specificity, prevalence):
    return 1 - (1 - specificity) * (1 - prevalence) / (sensitivity * prevalence + (1 - specificity) * (1 - prevalence))


def pairs_by_loop(truth, score):
    total = pairs = 0
    for p in score[truth == 1]:
        for n in score[truth == 0]:
            total, pairs = total + (1 if p > n else 0.5 if p == n else 0), pairs + 1
    return total / pairs


def pairs_by_ranks(truth, score):
    positives = truth.sum()
    ranks = rankdata(score)[truth == 1].sum()
    return (ranks - positives * (positives + 1) / 2) / (positives * (len(truth) - positives))


def interval_by_percentile(values, level):
    values = values[~np.isnan(values)]
    return np.percentile(values, [50 - 50 * level, 50 + 50 * level])


def interval_by_pandas(values, level):
    series = pd.Series(values)
    return series.quantile((1 - level) / 2), series.quantile((1 + level) / 2)


def interval_one_by_one(values, level):
    return [np.nanquantile(values, 0.5 - level / 2), np.nanquantile(values, 0.5 + level / 2)]


def benefit_by_mask(truth, probability, threshold):
    called = truth[probability >= threshold]
    return called.sum() / len(truth) - (1 - called).sum() / len(truth) * threshold / (1 - threshold)


def benefit_by_sum(truth, probability, threshold):
    gain = np.where(truth == 1, 1, -threshold / (1 - threshold))
    return np.mean(gain * (probability >= threshold))


def benefit_by_rates(truth, probability, threshold):
    called = probability >= threshold
    share = truth.mean()
    return called[truth == 1].mean() * share - called[truth == 0].mean() * (1 - share) * threshold / (1 - threshold)


RIGHT = {
    "check_count_outcomes": [counts_by_confusion_matrix, counts_by_loop, counts_by_pandas],
    "check_rates": [rates_by_numpy, rates_with_ifs, rates_with_try],
    "check_ppv_at": [ppv_in_people, ppv_by_odds, ppv_by_complement],
    "check_auroc_by_pairs": [pairs_by_loop, pairs_by_ranks, lambda truth, score: roc_auc_score(truth, score)],
    "check_interval": [interval_by_percentile, interval_by_pandas, interval_one_by_one],
    "check_undo_weights": [
        lambda p, f: expit(logit(p) - np.log((1 - f) / f)),
        lambda p, f: p * f / (p * f + (1 - p) * (1 - f)),
        lambda p, f: 1 / (1 + (1 - p) / p * (1 - f) / f),
    ],
    "check_net_benefit": [benefit_by_mask, benefit_by_sum, benefit_by_rates],
}


def without_care(tp, fp, tn, fn):
    return tp / (tp + fn), tn / (tn + fp), tp / (tp + fp), tn / (tn + fn)


def with_zero(tp, fp, tn, fn):
    return tuple(
        part / whole if whole else 0 for part, whole in ((tp, tp + fn), (tn, tn + fp), (tp, tp + fp), (tn, tn + fn))
    )


def one_number(value, frequency):
    odds = float(value) / (1 - float(value)) * frequency / (1 - frequency)
    return odds / (1 + odds)


WRONG = {
    "check_rates": [
        (without_care, "np.nan is asked for"),
        (with_zero, "np.nan is asked for"),
        (lambda tp, fp, tn, fn: tp / max(tp + fn, 1), "expected were"),
    ],
    "check_interval": [
        (lambda values, level: np.quantile(values, [(1 - level) / 2, (1 + level) / 2]), "nan"),
        (lambda values, level: np.nanquantile(values, (1 - level) / 2), "only one of the results"),
    ],
    "check_undo_weights": [
        (one_number, "not for arrays"),
    ],
    "check_count_outcomes": [
        (lambda truth, score, threshold: np.sum(score >= threshold), "four counts"),
    ],
    "check_ppv_at": [
        (lambda *given: "0.066", "these are texts"),
    ],
    "check_auroc_by_pairs": [
        (lambda truth, score: None, "not done yet"),
    ],
    "check_net_benefit": [
        (lambda truth, probability, threshold: 1 / 0, "stopped with ZeroDivisionError"),
    ],
}
EXERCISES = {getattr(ex, name): [*((student, None) for student in RIGHT[name]), *WRONG.get(name, [])] for name in RIGHT}

test_named, test_left_out, test_enough = three_tests(EXERCISES)
