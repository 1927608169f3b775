"""The exercises of lesson 5: counts, rates, Bayes' rule, AUROC by pairs, an interval, odds, net benefit."""

import numpy as np

from medlessons.checks.numbers import Exercise
from medlessons.wording import _

# The tables are laid out by hand: a sentence, and what it is said of.
# fmt: off

# The fourteen rows of the published lesson: two scores lie on the threshold of 0.5.
TRUTH = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
SCORE = np.array([0.8, 0.7, 0.4, 0.3, 0.2, 0.5, 0.6, 0.7, 0.8, 0.1, 0.2, 0.3, 0.4, 0.0])


# --- 5.1

def count_outcomes(
    truth: np.ndarray, score: np.ndarray, threshold: float, *,
    reaches=np.greater_equal, ill=1,
) -> tuple[int, int, int, int]:
    """Return TP, FP, TN, FN of outputs at or above a threshold."""
    called, ill = reaches(score, threshold), truth == ill
    return tuple(int(np.sum(group)) for group in (called & ill, called & ~ill, ~called & ~ill, ~called & ill))


check_count_outcomes = Exercise(
    "5.1", _("Count the outcomes"), count_outcomes,
    cases={
        _("it gives {value}; expected were the four counts {expected}, in the order TP, FP, TN, FN."):
            [(TRUTH, SCORE, 0.5), (TRUTH, SCORE, 0.35)],
    },
    mistakes={
        _("an output at the threshold is positive: take >=, not >."): {"reaches": np.greater},
        _("the order is TP, FP, TN, FN; false positives and false negatives are exchanged."):
            {"then": lambda counts: [counts[0], counts[3], counts[2], counts[1]]},
        _("the order is TP, FP, TN, FN; here it is TP, TN, FP, FN."):
            {"then": lambda counts: [counts[0], counts[2], counts[1], counts[3]]},
        _("the order is TP, FP, TN, FN; here the negatives come first."):
            {"then": lambda counts: [counts[2], counts[3], counts[0], counts[1]]},
        _("true and false negatives are exchanged: a true negative is well and not called."):
            {"then": lambda counts: [counts[0], counts[1], counts[3], counts[2]]},
        _("the threshold was applied to the labels; it belongs to the scores."):
            lambda truth, score, threshold: count_outcomes(truth, truth, threshold),
        _("truth and score are exchanged: the label says who is ill, the score who is called."):
            lambda truth, score, threshold: count_outcomes(score, truth, threshold),
        _("these are shares: return counts, without dividing by the number of images."):
            {"then": lambda counts: np.divide(counts, sum(counts))},
        _("the threshold 0.5 is written into the function: take the argument."):
            lambda truth, score, threshold: count_outcomes(truth, score, 0.5),
        _("ill and well are exchanged: 1 is the label of the ill."): {"ill": 0},
        _("outputs below the threshold are called (or the order is FN, TN, FP, TP): called are those at or above it."):
            {"reaches": np.less},
    },
)


# --- 5.2

def rates(tp: int, fp: int, tn: int, fn: int) -> tuple[float, float, float, float]:
    """Return sensitivity, specificity, PPV and NPV; nan where there is no such case."""
    pairs = ((tp, tp + fn), (tn, tn + fp), (tp, tp + fp), (tn, tn + fn))
    return tuple(part / whole if whole else np.nan for part, whole in pairs)


check_rates = Exercise(
    "5.2", _("The four rates"), rates,
    formula=lambda tp, fp, tn, fn: np.array(rates(tp, fp, tn, fn)),
    cases={
        _("for TP {tp}, FP {fp}, TN {tn}, FN {fn} it gives {value}; expected were {expected}."):
            [(2, 4, 3, 5), (9, 1, 30, 2)],
        _("it works, but not where nobody was called: then there is no PPV, and np.nan is asked for."): [(0, 0, 10, 2)],
        _("it works, but not where nobody is ill: then there is no sensitivity, and np.nan is asked for."):
            [(0, 3, 9, 0)],
        _("it works, but not where nobody is well: then there is no specificity, and np.nan is asked for."):
            [(3, 0, 0, 2)],
        _("it works, but not where everybody is called: then there is no NPV, and np.nan is asked for."):
            [(5, 3, 0, 0)],
    },
    mistakes={
        _("sensitivity and PPV are exchanged: sensitivity is a share of the ill (TP + FN)."):
            {"then": lambda rate: rate[[2, 1, 0, 3]]},
        _("specificity and NPV are exchanged: specificity is a share of the well (TN + FP)."):
            {"then": lambda rate: rate[[0, 3, 2, 1]]},
        _("both pairs are exchanged: the first two are shares of the ill and of the well."):
            {"then": lambda rate: rate[[2, 3, 0, 1]]},
        _("sensitivity and specificity are exchanged."): {"then": lambda rate: rate[[1, 0, 2, 3]]},
        _("PPV and NPV are exchanged."): {"then": lambda rate: rate[[0, 1, 3, 2]]},
        _("the second number is the share of false alarms: specificity is 1 minus it."):
            {"then": lambda rate: [rate[0], 1 - rate[1], *rate[2:]]},
        _("the first number is the share of the ill who are missed: sensitivity is 1 minus it."):
            {"then": lambda rate: [1 - rate[0], *rate[1:]]},
        _("the third number is the share of false alarms among the alarms: PPV is 1 minus it."):
            {"then": lambda rate: [*rate[:2], 1 - rate[2], rate[3]]},
        _("the fourth number is the share of the ill among those not called: NPV is 1 minus it."):
            {"then": lambda rate: [*rate[:3], 1 - rate[3]]},
        _("each count was divided by all cases: sensitivity is a share of the ill only."):
            lambda tp, fp, tn, fn: np.array([tp, tn, tp, tn]) / (tp + fp + tn + fn),
    },
)


# --- 5.3

def ppv_at(
    sensitivity: float, specificity: float, prevalence: float, *,
    well=lambda prevalence: 1 - prevalence, alarms=lambda specificity: 1 - specificity,
) -> float:
    """Return the positive predictive value by Bayes' rule."""
    true_alarms = sensitivity * prevalence
    return true_alarms / (true_alarms + alarms(specificity) * well(prevalence))


check_ppv_at = Exercise(
    "5.3", _("PPV from a prevalence"), ppv_at,
    cases={
        _("for a sensitivity of {sensitivity}, a specificity of {specificity} and a prevalence of {prevalence} it "
          "gives {value}; expected was {expected}."): [(0.75, 0.783, 0.02), (0.9, 0.95, 0.3)],
    },
    mistakes={
        _("the prevalence is not used, or the false alarms are taken from the ill: the ill are prevalence, the well "
          "are 1 - prevalence."):
            lambda sensitivity, specificity, prevalence: sensitivity / (sensitivity + 1 - specificity),
        _("the well who are called are 1 - specificity of the well, not specificity."): {"alarms": lambda share: share},
        _("this is the NPV: the share of the well among those who are not called."): (
            lambda sensitivity, specificity, prevalence: (
                specificity * (1 - prevalence) / (specificity * (1 - prevalence) + (1 - sensitivity) * prevalence)
            )
        ),
        _("the false alarms are taken from everybody: they come from the well, 1 - prevalence."):
            {"well": lambda prevalence: 1},
        _("this is the share of true alarms among all people: divide by all who are called."):
            lambda sensitivity, specificity, prevalence: sensitivity * prevalence,
        _("these are odds: true alarms by false alarms. Divide by the sum of both."):
            {"then": lambda ppv: ppv / (1 - ppv)},
        _("brackets are missing: the true alarms are divided by the sum of true and false ones."): (
            lambda sensitivity, specificity, prevalence: (
                sensitivity * prevalence / sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
            )
        ),
        _("sensitivity and specificity are exchanged."):
            lambda sensitivity, specificity, prevalence: ppv_at(specificity, sensitivity, prevalence),
        _("the false alarms are 1 - specificity of the well, not 1 - sensitivity."):
            lambda sensitivity, specificity, prevalence: ppv_at(sensitivity, sensitivity, prevalence),
        _("the ill who are called are sensitivity * prevalence, not all of the ill."):
            lambda sensitivity, specificity, prevalence: ppv_at(1, specificity, prevalence),
        _("this is the share of all who are called: divide the true alarms by it."): (
            lambda sensitivity, specificity, prevalence: sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
        ),
    },
)


# --- 5.4

def auroc_by_pairs(truth: np.ndarray, score: np.ndarray, *, tie=0.5, combine=np.mean) -> float:
    """Return the share of pairs in which the positive case has the higher score; ties count half."""
    difference = score[truth == 1][:, None] - score[truth == 0][None, :]
    return float(combine((difference > 0) + tie * (difference == 0)))


check_auroc_by_pairs = Exercise(
    "5.4", _("AUROC by pairs"), auroc_by_pairs,
    cases={
        _("it gives {value}; expected was {expected}: compare each positive with each negative."):
            [(TRUTH, SCORE), (np.array([0, 1, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.4, 0.9]))],
    },
    mistakes={
        _("a tie counts 0: it should count half."): {"tie": 0},
        _("a tie counts 1: it should count half."): {"tie": 1},
        _("the pairs are the wrong way round: a pair is right if the positive has the higher score."):
            {"then": lambda area: 1 - area},
        _("this is the accuracy at 0.5: no threshold is needed here."):
            lambda truth, score: np.mean((score >= 0.5) == truth),
        _("this is the number of right pairs: their mean is asked for."): {"combine": np.sum},
        _("the sum is divided by the number of cases: divide by the number of pairs."):
            lambda truth, score: auroc_by_pairs(truth, score, combine=np.sum) / len(truth),
        _("each positive is compared with the mean of the negatives: compare it with each of them."):
            lambda truth, score: np.mean(score[truth == 1] > score[truth == 0].mean()),
        _("ties are left out of the pairs: they count half."): lambda truth, score: (
            (lower := auroc_by_pairs(truth, score, tie=0)) / (1 - auroc_by_pairs(truth, score, tie=1) + lower)
        ),
        _("this is the mean difference of the scores: ask only which one is higher."):
            lambda truth, score: np.mean(score[truth == 1]) - np.mean(score[truth == 0]),
    },
)


# --- 5.5

def interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Return the limits of the middle `level` of the values; nan is left out."""
    outside = (1 - level) / 2
    return tuple(np.nanquantile(values, [outside, 1 - outside]).tolist())


_DRAWS = np.random.default_rng(5).beta(18, 3, 400)
_WITH_NAN = np.where(np.arange(400) % 40 == 7, np.nan, _DRAWS)

check_interval = Exercise(
    "5.5", _("An interval"), interval,
    cases={
        _("for a level of {level} it gives {value}; expected was {expected}."): [(_DRAWS, 0.95), (_DRAWS, 0.8)],
        _("it works, but not where some values are nan: leave them out."): [(_WITH_NAN, 0.95)],
    },
    mistakes={
        _("too much is left outside: 1 - level is shared by both sides, so half of it lies on each."):
            lambda values, level: np.nanquantile(values, [1 - level, level]),
        _("the quantiles 0.05 and 0.95 hold 90 %, whatever the level is."):
            lambda values, level: np.nanquantile(values, [0.05, 0.95]),
        _("the level 0.95 is written into the function: take the argument."):
            lambda values, level: interval(values, 0.95),
        _("this is mean and standard deviation times 1.96: it can pass 1, and does not use the level."):
            lambda values, level: np.nanmean(values) + np.array([-1.96, 1.96]) * np.nanstd(values),
        _("these are the smallest and the largest value: take the quantiles of the middle part."):
            lambda values, level: np.array([np.nanmin(values), np.nanmax(values)]),
        _("np.percentile takes 2.5 and 97.5; 0.025 and 0.975 are for np.quantile."):
            lambda values, level: np.nanpercentile(values, [(1 - level) / 2, (1 + level) / 2]),
        _("the limits are the wrong way round: the lower one comes first."): {"then": lambda limits: limits[::-1]},
        _("the lower limit leaves out half of 1 - level, and so must the upper one: its quantile is (1 + level) / 2."):
            lambda values, level: np.nanquantile(values, [(1 - level) / 2, level]),
        _("nothing is left out below: half of 1 - level lies on each side."):
            lambda values, level: np.nanquantile(values, [0, level]),
        _("these are the shares that lie below the limits: take the values there, with np.nanquantile."):
            lambda values, level: np.array([(1 - level) / 2, (1 + level) / 2]),
        _("only the width is returned: return both limits."): {"then": lambda limits: limits[1] - limits[0]},
    },
)


# --- 5.6

def undo_weights(
    probability: float, frequency: float, *,
    factor=lambda frequency: frequency / (1 - frequency),
) -> float:
    """Return the probability behind an output that was trained with the weight (1 - frequency) / frequency."""
    odds = probability / (1 - probability) * factor(frequency)
    return odds / (1 + odds)


check_undo_weights = Exercise(
    "5.6", _("Undo the weights"), undo_weights,
    cases={
        _("for an output of {probability} and a frequency of {frequency} it gives {value}; expected was {expected}."):
            [(0.9, 0.02), (0.3, 0.1)],
        _("it works for single numbers, but not for arrays: leave out float() and if."):
            [(np.array([0.2, 0.5, 0.9]), 0.05)],
    },
    mistakes={
        _("the probability was multiplied by the frequency: it is the odds that the weight has changed."):
            lambda probability, frequency: probability * frequency,
        _("the weight was put in once more instead of taken out: divide the odds by it."):
            {"factor": lambda frequency: (1 - frequency) / frequency},
        _("these are odds: turn them back into a probability, odds / (1 + odds)."):
            {"then": lambda probability: probability / (1 - probability)},
        _("the probability was divided by the weight: divide the odds p / (1 - p)."):
            lambda probability, frequency: probability * frequency / (1 - frequency),
        _("the odds were multiplied by the frequency: the weight is (1 - frequency) / frequency."):
            {"factor": lambda frequency: frequency},
        _("the odds were multiplied by 1 - frequency: the weight is (1 - frequency) / frequency."):
            {"factor": lambda frequency: 1 - frequency},
        _("the output comes back as it was: nothing is undone."): {"factor": lambda frequency: 1},
        _("these are the odds of the output: divide them by the weight, and turn them back."):
            lambda probability, frequency: probability / (1 - probability),
        _("the odds were divided by the frequency: the weight is (1 - frequency) / frequency."):
            {"factor": lambda frequency: 1 / frequency},
        _("this is 1 / (1 + odds), the probability of the opposite: odds / (1 + odds) is asked for."):
            {"then": lambda probability: 1 - probability},
        _("the probability was taken for the odds: they are p / (1 - p)."): lambda probability, frequency: (
            probability * frequency / (1 - frequency) / (1 + probability * frequency / (1 - frequency))
        ),
    },
)


# --- 5.7

def net_benefit(
    truth: np.ndarray, probability: np.ndarray, threshold: float, *,
    price=lambda t: t / (1 - t), reaches=np.greater_equal, people=lambda called: len(called),
) -> float:
    """Return the net benefit per person of acting at or above a threshold."""
    called = reaches(probability, threshold)
    gain = np.sum(called & (truth == 1)) - price(threshold) * np.sum(called & (truth == 0))
    return float(gain / people(called))


check_net_benefit = Exercise(
    "5.7", _("Net benefit"), net_benefit,
    cases={
        _("at a threshold of {threshold} it gives {value}; expected was {expected}."):
            [(TRUTH, SCORE, 0.2), (TRUTH, SCORE, 0.6), (np.repeat([1, 0], [114, 886]), np.ones(1000), 0.1)],
    },
    mistakes={
        _("the price is upside down: it is threshold / (1 - threshold)."): {"price": lambda t: (1 - t) / t},
        _("the price is the threshold itself: take its odds, threshold / (1 - threshold)."): {"price": lambda t: t},
        _("false positives count as much as true ones: multiply them by the price."): {"price": lambda t: 1},
        _("the price is 1 - threshold: take threshold / (1 - threshold)."): {"price": lambda t: 1 - t},
        _("false positives are not subtracted."): {"price": lambda t: 0},
        _("false positives are added: they are the price, and are subtracted."): {"price": lambda t: -t / (1 - t)},
        _("it is divided by those who are called: divide by the number of all people."):
            {"people": lambda called: max(int(called.sum()), 1)},
        _("this is the sum over all people: divide by their number."): {"people": lambda called: 1},
        _("these are rates among the ill and among the well: divide both counts by the number of all people."): (
            lambda truth, probability, threshold: (
                np.mean(probability[truth == 1] >= threshold)
                - threshold / (1 - threshold) * np.mean(probability[truth == 0] >= threshold)
            )
        ),
        _("the threshold 0.5 is written into the function: take the argument."): lambda truth, probability, threshold: (
            net_benefit(truth, probability, threshold, reaches=lambda score, _given: score >= 0.5)
        ),
        _("those below the threshold are acted on: it should be those at or above it."): {"reaches": np.less},
        _("true and false positives are exchanged."):
            lambda truth, probability, threshold: net_benefit(1 - truth, probability, threshold),
        _("the price was put on both counts: a true positive counts 1."): lambda truth, probability, threshold: (
            threshold / (1 - threshold) * net_benefit(truth, probability, threshold, price=lambda t: 1)
        ),
        _("a probability at the threshold is acted on: take >=, not >."): {"reaches": np.greater},
    },
)
