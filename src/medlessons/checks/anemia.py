"""The checks of lesson 1, and the reference solutions that they compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from medlessons import blood_counts
from medlessons.checks import network
from medlessons.checks.exercise import SPLIT, Mistake, call, first_true, grade, same
from medlessons.checks.numbers import Exercise
from medlessons.wording import _

if TYPE_CHECKING:  # importing Keras takes seconds, and seven of the eight checks do not need it
    import keras

# The tables are laid out by hand: a sentence, and what it is said of.
# fmt: off

# --- 1.1

def identity_errors(
    count: Mapping[str, float] | pd.Series, *,
    expect: Callable = lambda rbc, hgb, hct: (10 * hct / rbc, 10 * hgb / rbc, 100 * hgb / hct),
    compare: Callable = lambda given, expected: np.abs((given - expected) / expected) * 100,
) -> np.ndarray:
    """Return how far MCV, MCH and MCHC lie from what RBC, HGB and HCT say they must be, in percent.

    Parameters
    ----------
    count : mapping
        RBC in millions per microliter, HGB in g/dl, HCT in percent, MCV in fl, MCH in pg, MCHC in g/dl.
    """
    given, expected = [count["MCV"], count["MCH"], count["MCHC"]], expect(count["RBC"], count["HGB"], count["HCT"])
    return compare(np.array(given), np.array(expected))


def _blood_count(*values: float) -> pd.Series:
    return pd.Series(values, ["RBC", "HGB", "HCT", "MCV", "MCH", "MCHC"])


check_identity_errors = Exercise(
    "1.1", _("Check a blood count by arithmetic"), identity_errors,
    cases={  # no two ratios of RBC, HGB and HCT are alike
        _("it gives {value}, expected was {expected}."): [(_blood_count(5.0, 12.0, 40.0, 72.0, 28.5, 31.2),)],
        _("it is right for one blood count, but not for another: compute everything from `count`."):
            [(_blood_count(4.0, 10.0, 38.0, 87.3, 18.0, 30.0),)],
    },
    mistakes={
        _("the errors have a sign: take the absolute value, since too low is as wrong as too high."):
            [{"compare": lambda given, expected, cut=cut: cut((given - expected) / expected * 100)}
             for cut in (np.array, np.negative, lambda errors: np.maximum(errors, 0))],
        _("this is the difference itself: divide by the expected value to get a relative error."):
            [{"compare": lambda given, expected, by=by: by * np.abs(given - expected)} for by in (1, 100)],
        _("the difference is divided by the given value: divide by the value expected from the identity."):
            {"compare": lambda given, expected: np.abs(given - expected) / given * 100},
        _("these are the expected values: compare them with MCV, MCH and MCHC."):
            {"compare": lambda given, expected: expected},
        _("these are the given values in percent of the expected ones: how far are they from 100 %?"):
            {"compare": lambda given, expected: given / expected * 100},
        _("a factor is wrong or missing: it is 10 for MCV and MCH, 100 for MCHC."): [
            {"expect": lambda rbc, hgb, hct, by=by: np.multiply(by, (hct / rbc, hgb / rbc, hgb / hct))}
            for by in product((1, 10, 100), repeat=3) if by != (10, 10, 100)
        ],
        _("something is divided by the wrong measurement: MCV is HCT / RBC, MCH is HGB / RBC, MCHC is HGB / HCT."): [
            {"expect": lambda rbc, hgb, hct: (10 * rbc / hct, 10 * rbc / hgb, 100 * hct / hgb)},
            {"expect": lambda rbc, hgb, hct: (10 * hct / rbc, 10 * hgb / rbc, 100 * hct / hgb)},
            {"expect": lambda rbc, hgb, hct: (10 * hct / rbc, 10 * hgb / rbc, 100 * hgb / rbc)},
            {"expect": lambda rbc, hgb, hct: (10 * hct / rbc, 10 * hgb / hct, 100 * hgb / hct)},
        ],
        _("brackets are missing: (given - expected) / expected."):
            {"compare": lambda given, expected: np.abs(given - 1) * 100},
    },
)


# --- 1.2

def neuron(
    inputs: np.ndarray, weights: np.ndarray, bias: float, *, activation: Callable = lambda z: max(0.0, z)
) -> float:
    """Return the output of one ReLU neuron: max(0, w.x + b).

    Parameters
    ----------
    inputs, weights : arrays of shape (inputs,)
    bias : float
    """
    return activation(float(np.dot(weights, inputs) + bias))


check_neuron = Exercise(
    "1.2", _("A neuron by hand"), neuron,
    cases={
        _("it gives {value}, expected was {expected}."):
            [(np.array([2.0, 3.0, 1.0]), np.array([1.5, -0.5, 1.0]), 1.25)],  # 3.75
        _("a w·x + b below zero (here -1.5): it gives {value}, expected was {expected}."):
            [(np.array([2.0, 3.0, 1.0]), np.array([-1.5, 0.5, -1.0]), 1.0)],
        _("it is wrong for two inputs with w·x + b = 16.25: ReLU has no upper end, a neuron any number of inputs."):
            [(np.array([20.0, 30.0]), np.array([1.5, -0.5]), 1.25)],
    },
    mistakes={
        _("the bias is missing: add b to the weighted sum."): lambda x, w, b: max(0, w @ x),
        _("the bias is subtracted, it should be added."): lambda x, w, b: max(0, w @ x - b),
        _("ReLU acts once, on the sum, not on each product."): lambda x, w, b: np.maximum(w * x, 0).sum() + b,
        _("this is the sigmoid of w·x + b, but the task asks for ReLU: max(0, z)."): {"activation": expit},
        _("the products are not added up: w·x is one number, the sum of weight times input."):
            lambda x, w, b: np.maximum(w * x + b, 0),
        _("the products are averaged: add them up."): lambda x, w, b: np.mean(w * x) + b,
        _("ReLU takes the larger one of 0 and its input: use max, not min."): {"activation": lambda z: min(0, z)},
        _("a w·x + b below zero (here -1.5) must become 0: max(0, z) is a ReLU. (np.max(z, 0) takes 0 for an axis.)"):
            {"activation": lambda z: z},
        _("a w·x + b below zero (here -1.5): the bias comes after the ReLU: add it before."):
            lambda x, w, b: max(0, w @ x) + b,
        _("a negative w·x + b must become 0, not positive: use max(0, z), not abs(z)."): {"activation": abs},
        _("this is 0 or 1 here: ReLU has no upper end, it passes a positive w·x + b on as it is."):
            {"activation": lambda z: float(z > 0)},
        _("the bias is added for each input: add it once."): lambda x, w, b: max(0, w @ x + len(x) * b),
        _("the last input is left out: range(n) already ends before n."): lambda x, w, b: max(0, w[:-1] @ x[:-1] + b),
        _("only the first product counts: a `return` in a loop ends it."): lambda x, w, b: max(0, w[0] * x[0] + b),
        _("the sums are multiplied: multiply each input by its own weight, then add up."):
            lambda x, w, b: max(0, x.sum() * w.sum() + b),
    },
)


# --- 1.3

RARE = "Macrocytic anemia"


def split(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training rows and test rows (a fifth): stratified by diagnosis, equal rows on one side.

    Parameters
    ----------
    table : DataFrame with a column ``Diagnosis``
    seed : int
    """
    groups = table.groupby(list(table.columns), sort=False).ngroup()
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    train, test = next(folds.split(table, table["Diagnosis"], groups))
    return table.iloc[train], table.iloc[test]


def _table_with_duplicates() -> pd.DataFrame:
    """Return 220 rows in a shuffled order that they keep the names of, 80 of them in pairs, 20 of a rare diagnosis."""
    rng = np.random.default_rng(0)
    frequent = pd.DataFrame({"HGB": rng.normal(14, 1, 160).round(3), "Diagnosis": "Healthy"})
    rare = pd.DataFrame({"HGB": rng.normal(10, 1, 20).round(3), "Diagnosis": RARE})
    rows = pd.concat([frequent, rare])
    return pd.concat([rows, rows.iloc[:40]], ignore_index=True).sample(frac=1, random_state=0)


TABLE = _table_with_duplicates()
PARTS = {  # tests of what a split of the table returns
    _("the test set is larger than the training set: are the two swapped?"):
        lambda parts: len(parts[0]) < len(parts[1]),
    _("the folds give positions of rows, and .loc takes them for names of rows: use table.iloc."):
        lambda parts: len(parts[0].merge(parts[1])) and not len(pd.merge(*(TABLE.iloc[part.index] for part in parts))),
    _("equal rows are on both sides: the test set asks what the network has seen. Use groups."):
        lambda parts: len(parts[0].merge(parts[1])),
    _("the test set holds {found:.0%} of the rows, a fifth was asked for."):
        lambda parts: not 0.15 < len(parts[1]) / len(TABLE) < 0.25 and max(len(parts[1]) / len(TABLE), 1e-9),
}
SEEDS = {  # tests of the test rows of 20 seeds, of those of the first seed once more, and of the rare rows in each
    _("the same seed gives another split each time: pass the seed as random_state."):
        lambda tests, again, rare: not tests[0].index.equals(again.index),
    _("another seed gives the same split: pass the seed as random_state, with shuffle=True."):
        lambda tests, again, rare: all(test.index.equals(tests[0].index) for test in tests),
    _("over 20 seeds, {found[0]} to {found[1]} of the 20 rows of the rare diagnosis are in the test set; it should be "
      "about 4 each time: stratify."):
        lambda tests, again, rare: (min(rare) < 3 or max(rare) > 5) and (min(rare), max(rare)),
}


def _wrong_split(function: Callable) -> str | None:
    parts = call(function, TABLE, 0)
    mistake = first_true(SPLIT, parts, TABLE) or first_true(PARTS, parts)
    if mistake:
        return mistake
    tests = [function(TABLE.copy(), seed)[1] for seed in range(20)]
    return first_true(SEEDS, tests, parts[1], [(test["Diagnosis"] == RARE).sum() for test in tests])


check_split = partial(grade, "1.3", _("A split without leakage"), split, _wrong_split)


# --- 1.4

def scale(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardize both parts with the mean and the standard deviation of the training rows.

    Parameters
    ----------
    train, test : arrays of shape (rows, parameters)
    """
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test)


def _scaled(train: np.ndarray, test: np.ndarray, *, center: Callable = np.mean, width: Callable = np.std) -> np.ndarray:
    """Return the test rows as `scale` scales them, or with a mistake."""
    return (test - center(train, axis=0)) / width(train, axis=0)


def _scaled_test_rows(function: Callable, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the test rows that a student's function scales, if it returns two parts in this order."""
    parts = function(train, test)
    if not isinstance(parts, tuple | list) or len(parts) != 2:
        raise Mistake(_("it should return two arrays: the scaled training rows and the scaled test rows."))
    for width in (np.std, partial(np.std, ddof=1)):  # divided by n, as StandardScaler does, or by n - 1
        first, second = (_scaled(train, rows, width=width) for rows in (train, test))
        if same(parts[0], second) and same(parts[1], first):
            raise Mistake(_("the two arrays are swapped: return the training rows first."))
        if same(parts[1], second) and not same(parts[0], first):
            raise Mistake(_("the training rows are not scaled as the test rows are."))
        if same(parts[1], second):
            return _scaled(train, test)
    return parts[1]


check_scale = Exercise(
    "1.4", _("Scaling without leakage"), scale,
    formula=_scaled, answer=_scaled_test_rows,
    cases={
        _("the test rows: it gives {value}, expected was {expected}."):
            [(np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0], [6.0, 60.0]]), np.array([[4.0, 50.0], [8.0, 90.0]]))],
    },
    mistakes={
        _("the scaler has seen the test rows: fit it on the training rows only."):
            lambda train, test: _scaled(np.vstack([train, test]), test),
        _("the test rows are scaled by their own mean: use the mean and deviation of the training rows."):
            lambda train, test: _scaled(test, test),
        _("the test rows are not scaled."): lambda train, test: test,
        _("the test rows: the mean is not subtracted."): {"center": lambda train, axis: 0},
        _("the test rows: the values are not divided by the standard deviation."): {"width": lambda train, axis: 1},
        _("the test rows: the values are divided by the variance: take its square root, the standard deviation."):
            {"width": np.var},
        _("this scales to 0..1 (MinMaxScaler); the task asks for mean 0 and deviation 1."): [
            {"center": np.min, "width": np.ptp},
            lambda train, test: _scaled(test, test, center=np.min, width=np.ptp),
        ],
        _("all columns share one mean, or one deviation: each parameter needs its own (axis=0)."):
            [lambda train, test: (test - train.mean()) / train.std(), {"width": lambda train, axis: train.std()}],
        _("each row is scaled by itself (axis=1): each column needs its own mean and deviation (axis=0)."):
            lambda train, test: _scaled(test.T, test.T).T,
        _("brackets are missing: (values - mean) / deviation."):
            lambda train, test: test - train.mean(axis=0) / train.std(axis=0),
    },
)


# --- 1.5

def build(inputs: int, optimizer: str = "adam") -> keras.Model:
    """Return the compiled network of the lesson: 64 and 32 ReLU units, then a softmax over nine diagnoses."""
    import keras

    model = keras.Sequential(network.layers_of(build_reference(inputs)))
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def build_reference(inputs: int, optimizer: str = "adam") -> dict[str, Any]:
    """Return the layers of the network of the lesson, and what it is compiled with, as `network` compares them."""
    from keras import layers

    return {
        "input": layers.InputLayer((inputs,)),
        "first": layers.Dense(64, "relu"),
        "second": layers.Dense(32, "relu"),
        "output": layers.Dense(9, "softmax"),
        **{"loss": "categorical_crossentropy", "optimizer": optimizer, "metrics": ["accuracy"]},
    }


def build_mistakes() -> dict[str, dict[str, Any]]:
    """Return the classic mistakes: the sentence, and what is changed in the network of the lesson."""
    from keras import layers, losses

    return {
        _("asked for 5 inputs, it has 14: use `inputs`, as in keras.Input((inputs,))."):
            {"input": layers.InputLayer((14,))},
        _("the output layer is missing: nine units, one for each diagnosis."): {"output": None},
        _("a hidden layer is missing; expected were 64, 32 and 9 units."): {"second": None},
        _("the two hidden layers are swapped: first 64 units, then 32."):
            {"first": layers.Dense(32, "relu"), "second": layers.Dense(64, "relu")},
        _("the outputs are raw numbers (logits). One diagnosis out of nine needs softmax."):
            {"output": layers.Dense(9)},
        _("sigmoids are independent, and do not add up to 1. One diagnosis out of nine needs softmax."):
            {"output": layers.Dense(9, "sigmoid")},
        _("a hidden layer has no activation: without ReLU, two layers can do no more than one."):
            {"first": layers.Dense(64)},
        _("the network is not compiled: call model.compile(optimizer, loss=..., metrics=[...]) before you return it."):
            {"loss": None},
        _("the loss is binary cross-entropy, for yes-or-no answers; use the categorical one."):
            {"loss": "binary_crossentropy"},
        _("the loss does not take one-hot labels (sparse losses take class numbers): use categorical_crossentropy."):
            {"loss": "sparse_categorical_crossentropy"},
        _("from_logits=True expects raw outputs, but softmax has made probabilities of them: leave it out."):
            {"loss": losses.CategoricalCrossentropy(from_logits=True)},
        _('the metrics are missing; the lesson draws the accuracy: write metrics=["accuracy"].'): {"metrics": []},
    }


def _more_metrics(model: keras.Model) -> str | None:
    if len(model.get_compile_config()["metrics"]) > 1:
        return _('the lesson draws the accuracy alone: write metrics=["accuracy"].')
    return None


check_build = partial(grade, "1.5", _("Build the network"), build, partial(
    network.find_mistake, calls=[(5,), (5, "sgd")], reference_of=build_reference, mistakes=build_mistakes,
    otherwise=_("the optimizer is always the same: pass `optimizer` to compile."), afterwards=_more_metrics,
))


# --- 1.6

def macro_recall(
    matrix: np.ndarray, *, cases: Callable = lambda matrix: matrix.sum(axis=1), average: Callable = np.mean
) -> float:
    """Return the mean recall of the classes.

    Parameters
    ----------
    matrix : array of shape (classes, classes)
        A confusion matrix with true classes in its rows.
    """
    matrix = np.asarray(matrix, dtype=float)
    return average(np.diag(matrix) / cases(matrix))


check_macro_recall = Exercise(
    "1.6", _("Macro recall"), macro_recall,
    cases={
        _("it gives {value}, expected was {expected}."): [(np.array([[80, 15, 5], [4, 13, 3], [6, 1, 3]]),)],
        _("it works for three classes only: take the number of classes from the matrix."):
            [(np.array([[1, 1], [0, 4]]),)],
        _("it goes wrong where a class is never found: its recall is 0, and belongs to the mean."):
            [(np.array([[0, 2], [1, 3]]),)],
    },
    mistakes={
        _("this is the accuracy: frequent classes count more. Average the recalls of the classes."):
            lambda matrix: np.trace(matrix) / matrix.sum(),
        _("this is the mean precision: recall divides by the true cases, the sum of a row."):
            {"cases": partial(np.sum, axis=0)},
        _("these are the recalls of the classes: return their mean."): {"average": np.array},
        _("this is the median of the recalls: return their mean."): {"average": np.median},
        _("the hits are averaged as they are: divide each by the true cases of its class."):
            {"cases": lambda matrix: 1},
        _("this is the mean of all fields: recall takes the diagonal."):
            lambda matrix: np.mean(matrix / matrix.sum(axis=1, keepdims=True)),
        _("this is the macro F1: the task asks for the recall alone."):
            {"cases": lambda matrix: (matrix.sum(axis=0) + matrix.sum(axis=1)) / 2},
        _("the recalls are added up, but not divided by the number of classes."): {"average": np.sum},
        _("the diagonal is divided by all cases: divide each by the cases of its own class."): {"cases": np.sum},
        _("the sum is divided by 9: divide by the number of classes in the matrix."):
            {"average": lambda recalls: recalls.sum() / 9},
        _("the hits are divided by the misses: divide by all true cases of the class, the hits among them."):
            {"cases": lambda matrix: (matrix.sum(axis=1) - np.diag(matrix)).clip(1)},
        _("the sum is divided by the number of classes minus 1."):
            {"average": lambda recalls: recalls.sum() / (len(recalls) - 1)},
        _("the first or the last class is left out: count from 0, and write range(n), which ends before n."):
            [{"average": lambda recalls, part=part, less=less: recalls[part].sum() / (len(recalls) - less)}
             for part in np.s_[1:, :-1] for less in (0, 1)],
        _("this is the recall of one class alone: add up in the loop, with +=, and return after it."):
            [{"average": lambda recalls, at=at: recalls[at]} for at in (0, -1)],
        _("a recall is no whole number: divide with /, not with //."):
            {"average": lambda recalls: np.floor(recalls).mean()},
    },
)


# --- 1.7

def gate(
    count: pd.Series, limits: pd.DataFrame, tolerance: float, *,
    possible: Callable = lambda count, lowest, highest: count.between(lowest, highest).all(),
    agree: Callable = lambda errors, tolerance: (errors <= tolerance).all(),
    both: Callable = lambda one, other: one and other,
) -> bool:
    """Return whether a blood count may go to a model.

    Parameters
    ----------
    count : Series, shape (14,)
        The measurements; NaN where one is missing.
    limits : DataFrame, shape (14, 2)
        ``lowest`` and ``highest`` of each measurement, which are still possible.
    tolerance : float
        How large the errors of MCV, MCH and MCHC may be, in percent.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # an empty tube has no red cells to divide by
        errors = identity_errors(count)
    return bool(both(possible(count, limits["lowest"], limits["highest"]), agree(errors, tolerance)))


def _count(**changes: float) -> pd.Series:
    """Return a sound blood count whose identities hold within 0.2 %, with changes."""
    values = (7, 30, 60, 2.1, 4.2, 5.0, 15.0, 45.0, 90.0, 30.0, 33.3, 250, 12, 0.24)
    return pd.Series(dict(zip(blood_counts.MEASUREMENTS, values, strict=True)) | changes, dtype=float)


ALL_IMPOSSIBLE = {
    "WBC": 600, "LYMp": 150, "NEUTp": 150, "LYMn": 500, "NEUTn": 500, "RBC": 0.1, "HGB": 1.9, "HCT": 4, "MCV": 400,
    "MCH": 190, "MCHC": 47.5, "PLT": 9000, "PDW": 90, "PCT": 9,
}
LIMITS = blood_counts.COLUMNS[["lowest", "highest"]]
NARROW = LIMITS.assign(highest=LIMITS["highest"].where(LIMITS.index != "PLT", 200))  # 250 platelets are too many here

check_gate = Exercise(
    "1.7", _("A gate before the model"), gate, together=True,
    cases={
        _("a good blood count must pass, but it is refused: each value is possible, and the errors are below 1 %."):
            [(_count(), LIMITS, 3)],
        _("an error of 12.5 % may pass at a tolerance of 12.5, but the count is refused: each must be at most that."):
            [(_count(HGB=16, HCT=40, MCV=90, MCH=32, MCHC=40), LIMITS, 12.5)],
        _("an empty tube, with 0 everywhere, passes: a value below `lowest` must be refused."):
            [(_count() * 0, LIMITS, 3)],
        _("a count without its PDW (NaN) passes: a missing value must be refused."): [(_count(PDW=np.nan), LIMITS, 3)],
        _("250,000 platelets pass (cells per µL): a value above `highest` must be refused."):
            [(_count(PLT=250_000.0), LIMITS, 3)],
        _("0.007 white cells pass (another unit): a value below `lowest` must be refused."):
            [(_count(WBC=0.007), LIMITS, 3)],
        _("a value that equals a limit is still possible, but the count is refused."):
            [(_count(WBC=500.0), LIMITS, 3), (_count(WBC=0.1), LIMITS, 3)],
        _("a hemoglobin in mmol/L (9.3 for 15 g/dL) passes: the errors of MCH and MCHC are above the tolerance."):
            [(_count(HGB=9.3), LIMITS, 3)],
        _("a count passes in which MCV, MCH or MCHC alone is off by 4 or 5 %: each of the three errors must be small."):
            [(_count(MCV=86.5), LIMITS, 3), (_count(MCH=31.5), LIMITS, 3), (_count(MCHC=35.0), LIMITS, 3)],
        _("an MCH of 30 that should be 5 passes, or three errors at once: each must be at most `tolerance`."):
            [(_count(HGB=2.5), LIMITS, 3), (_count(HGB=10.0, RBC=8.0), LIMITS, 3)],
        _("14 impossible values pass, because they agree with each other: ask the limits, too."):
            [(_count(**ALL_IMPOSSIBLE), LIMITS, 3)],
        _("errors of 11 and 13 % must pass if the tolerance is 20, and all must if it is infinite: use `tolerance`."):
            [(_count(MCV=100.0, MCH=34.0), LIMITS, 20), (_count(MCV=100.0), LIMITS, 20), (_count(), LIMITS, np.inf)],
        _("250 platelets pass where `limits` ends at 200: use the limits that are given."): [(_count(), NARROW, 3)],
    },
    mistakes={
        _("this is the other way round: True lets a blood count through to the model."): 
            {"then": lambda passes: not passes},
        _("a missing value passes: nan is neither below nor above a limit. Ask whether each value is between them."):
            {"possible": lambda count, low, high: not ((count < low) | (count > high)).any()},
        _("one possible value, or one identity that holds, is enough for it: use all, not any."): [
            {"possible": lambda count, low, high: count.between(low, high).any()},
            {"agree": lambda errors, tolerance: (errors <= tolerance).any()},
            *({"possible": lambda count, low, high: count.between(low, high).any(), "agree": agree}
              for agree in (lambda e, t: (e <= t).any(), lambda e, t: True)),
        ],
        _("only the first measurement is asked: a `return` in a loop ends it, so return True after the loop."):
            {"possible": lambda count, low, high: low.iloc[0] <= count.iloc[0] <= high.iloc[0]},
        _("the identities are not asked: each of the three errors must be at most `tolerance`."):
            {"agree": lambda errors, tolerance: True},
        _("the limits are not asked: the identities alone do not see platelets, white cells, or a missing value."):
            [{"possible": lambda *three: True, "agree": agree}
             for agree in (lambda e, t: (e <= t).all(), lambda e, t: not (e > t).any())],
        _("it asks for the limits or the identities; a blood count needs both: write `and`."):
            {"both": lambda one, other: one or other},
        _("the tolerance is always the same: use `tolerance`."):
            {"agree": lambda errors, tolerance: (errors <= 3).all()},
        _("the errors are in percent, and so is `tolerance`: compare them as they are."):
            [{"agree": lambda errors, tolerance: (errors <= tolerance / 100).all()},
             {"agree": lambda errors, tolerance: (errors / 100 <= tolerance).all()},
             {"agree": lambda errors, tolerance: (errors * 100 <= tolerance).all()}],
        _("the comparison is the wrong way round: an error must be at most `tolerance`."):
            {"agree": lambda errors, tolerance: (errors >= tolerance).all()},
    },
)


# --- 1.8

def count_parameters(
    sizes: Sequence[int], *, weights: Callable = lambda before, after: before * after,
    biases: Callable = lambda before, after: after,
) -> int:
    """Return how many weights and biases dense layers have.

    Parameters
    ----------
    sizes : sequence of int
        The number of inputs, then the units of each layer.
    """
    return sum(weights(before, after) + biases(before, after) for before, after in pairwise(sizes))


check_count_parameters = Exercise(
    "1.8", _("Count the parameters"), count_parameters,
    cases={
        _("for [{sizes}]: it gives {value}, expected was {expected}."): [([7, 5, 3, 2],)],
        _("it must work for any number of layers: try [14, 9]."): [([14, 9],)],
    },
    mistakes={
        _("the biases are missing: each unit has one more number, its bias."): {"biases": lambda before, after: 0},
        _("the biases are counted for each input: a layer has one bias for each of its own units."):
            {"biases": lambda before, after: before},
        _("the last layer is missing: the output units have weights and biases, too."):
            lambda sizes: count_parameters(sizes[:-1]),
        _("the inputs have no biases: they are given, not computed."): lambda sizes: count_parameters(sizes) + sizes[0],
        _("sizes are added, but each unit is linked to every unit before it: multiply."):
            {"weights": lambda before, after: before},
        _("there is one bias for each unit, not one for each layer or for all."):
            [{"biases": lambda before, after: 1}, lambda sizes: count_parameters(sizes) - sum(sizes[1:]) + 1],
        _("the first layer is missing: the inputs have weights to it."): lambda sizes: count_parameters(sizes[1:]),
        _("this is one layer alone: add up in the loop, with +=, and return after it."):
            [lambda sizes, part=part: count_parameters(sizes[part]) for part in np.s_[:2, -2:]],
        _("the sizes are multiplied with each other: each layer has weights to the next one only."):
            lambda sizes: int(np.prod(sizes)),
        _("the biases are counted for both layers of each pair: a layer has one bias for each of its own units."):
            [{"biases": lambda before, after, more=more: before + after + more} for more in (0, 1)],
        _("the output units have biases, too."): lambda sizes: count_parameters(sizes) - sizes[-1],
        _("this is the number of units: count the weights between them, and the biases."):
            [{"weights": lambda before, after: 0}, sum],
    },
)
