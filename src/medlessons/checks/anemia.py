"""The checks of lesson 1, and the reference solutions that they compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from medlessons.checks import network
from medlessons.checks.exercise import judge, name_mistake, same
from medlessons.wording import _, say

if TYPE_CHECKING:  # importing Keras takes seconds, and five of the seven checks do not need it
    import keras

# ---------------------------------------------------------------------------------------------------------
# 1.1


def identity_errors(count: Mapping[str, float] | pd.Series) -> np.ndarray:
    """Return how far MCV, MCH and MCHC lie from what RBC, HGB and HCT say they must be, in percent."""
    expected = np.array(
        [count["HCT"] / count["RBC"] * 10, count["HGB"] / count["RBC"] * 10, count["HGB"] / count["HCT"] * 100]
    )
    given = np.array([count["MCV"], count["MCH"], count["MCHC"]])
    return np.abs((given - expected) / expected) * 100


def check_identity_errors(student: Callable) -> Callable:
    """Check exercise 1.1; return the student's function or the reference."""
    count = pd.Series({"RBC": 4.0, "HGB": 12.0, "HCT": 36.0, "MCV": 81.0, "MCH": 36.0, "MCHC": 32.0})
    other = pd.Series({"RBC": 5.0, "HGB": 10.0, "HCT": 40.0, "MCV": 88.0, "MCH": 18.0, "MCHC": 30.0})
    right = identity_errors(count)  # 10, 20 and 4 percent
    given, expected = np.array([81.0, 36.0, 32.0]), np.array([90.0, 30.0, 100 / 3])

    def errors(by):
        return np.abs(given - by) / by * 100

    mistakes = {
        "this is a fraction: multiply by 100 to get percent.": right / 100,
        "the errors have a sign: take the absolute value, since too low is as wrong as too high.": (
            (given - expected) / expected * 100
        ),
        "the errors have a sign, and the wrong one: take the absolute value.": (expected - given) / expected * 100,
        "this is the difference itself: divide by the expected value to get a relative error.": np.abs(
            given - expected
        ),
        "the difference is divided by the given value: divide by the value expected from the identity.": (
            np.abs(given - expected) / given * 100
        ),
        "these are the expected values: compare them with MCV, MCH and MCHC.": expected,
        "these are the given values in percent of the expected ones: how far are they from 100 %?": (
            given / expected * 100
        ),
        "the factors are missing: 10 for MCV and MCH, 100 for MCHC.": errors(expected / [10, 10, 100]),
        "MCHC has the factor 100, not 10.": errors(expected / [1, 1, 10]),
        "this is their mean: return the three errors.": right.mean(),
    }

    def find_mistake(function):
        value = function(count.copy())
        if same(value, right):
            if same(function(other.copy()), identity_errors(other)):
                return None
            return "it is right for one blood count, but not for another: compute everything from `count`."
        if same(np.sort(np.ravel(value)), np.sort(right)):
            return "the three errors are right, but in another order: MCV, MCH, MCHC."
        return name_mistake(value, right, mistakes)

    return judge("1.1", "Check a blood count by arithmetic", student, identity_errors, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.2


def neuron(inputs: np.ndarray, weights: np.ndarray, bias: float) -> float:
    """Return the output of one ReLU neuron: max(0, w.x + b). Arrays have the shape (inputs,)."""
    return max(0.0, float(np.dot(weights, inputs) + bias))


def check_neuron(student: Callable) -> Callable:
    """Check exercise 1.2; return the student's function or the reference."""
    inputs, weights, bias = np.array([2.0, 3.0, 1.0]), np.array([1.5, -0.5, 1.0]), 1.25
    products = weights * inputs  # 3, -1.5, 1
    right = products.sum() + bias  # 3.75
    above_zero = {
        "the bias is missing: add b to the weighted sum.": products.sum(),
        "the bias is subtracted, it should be added.": products.sum() - bias,
        "ReLU acts once, on the sum, not on each product.": np.maximum(products, 0).sum() + bias,
        "this is the sigmoid of w·x + b, but the task asks for ReLU: max(0, z).": expit(right),
        "this is the hyperbolic tangent of w·x + b, but the task asks for ReLU: max(0, z).": np.tanh(right),
        "the products are not added up: w·x is one number, the sum of weight times input.": np.maximum(
            products + bias, 0
        ),
        "inputs and weights are added; multiply each input by its weight.": np.sum(weights + inputs) + bias,
        "the products are averaged: add them up.": products.mean() + bias,
        "ReLU takes the larger one of 0 and its input: use max, not min.": 0,
    }
    below_zero = {
        "ReLU is missing: a negative w·x + b must become 0.": -1.5,
        "the bias comes after the ReLU: add it before.": 1.0,
        "a negative w·x + b must become 0, not positive: use max(0, z), not abs(z).": 1.5,
        "a negative w·x + b must become 0, and not a small negative number: that is a leaky ReLU.": -0.015,
    }

    def find_mistake(function):
        value, negative = function(inputs, weights, bias), function(inputs, -weights, 1.0)  # 1 - 2.5
        if not same(value, right):
            return name_mistake(value, right, above_zero)
        if not same(negative, 0):
            return say(
                "a w·x + b below zero (here -1.5): {mistake}",
                mistake=name_mistake(negative, 0, below_zero),
            )
        if not same(function(10 * inputs[:2], weights[:2], bias), 16.25):
            return (
                "it is wrong for two inputs with w·x + b = 16.25: ReLU has no upper end, a neuron any number of inputs."
            )
        return None

    return judge("1.2", "A neuron by hand", student, neuron, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.3


RARE = "Macrocytic anemia"


def split(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training rows and test rows (a fifth): stratified by ``Diagnosis``, equal rows on one side."""
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


def check_split(student: Callable) -> Callable:
    """Check exercise 1.3; return the student's function or the reference."""
    table = _table_with_duplicates()

    def find_mistake(function):
        parts = function(table.copy(), 0)
        mistake = _wrong_parts(parts, table)
        if mistake:
            return mistake
        tests = {seed: function(table.copy(), seed)[1] for seed in range(20)}
        if not tests[0].index.equals(parts[1].index):
            return "the same seed gives another split each time: pass the seed as random_state."
        if all(test.index.equals(tests[0].index) for test in tests.values()):
            return "another seed gives the same split: pass the seed as random_state, with shuffle=True."
        rare = [int((test["Diagnosis"] == RARE).sum()) for test in tests.values()]
        if min(rare) < 3 or max(rare) > 5:
            return say(
                "over 20 seeds, {low} to {high} of the 20 rows of the rare diagnosis are in the test set; it should be "
                "about 4 each time: stratify.",
                low=min(rare),
                high=max(rare),
            )
        return None

    return judge("1.3", "A split without leakage", student, split, find_mistake)


def _wrong_parts(parts: Any, table: pd.DataFrame) -> str | None:
    """Return what is wrong with one split of the table, if anything is."""
    if isinstance(parts, pd.DataFrame) or not hasattr(parts, "__len__") or len(parts) != 2:
        return "it should return two tables: the training rows and the test rows."
    if not all(isinstance(part, pd.DataFrame) for part in parts):
        return "these are row numbers, not rows: use table.iloc[numbers] to get the two tables."
    train, test = parts
    for part in parts:
        lost = [column for column in table.columns if column not in part]
        if lost:
            return say("the column {column} is lost: return whole rows.", column=lost[0])
        if part.index.equals(pd.RangeIndex(len(part))):
            return (
                "the rows have new numbers: leave reset_index out, since the lesson finds the labels by these numbers."
            )
    if len(train) < len(test):
        return "the test set is larger than the training set: are the two swapped?"
    if set(train.index) & set(test.index):
        return "the same row stands on both sides."
    if set(train.index) | set(test.index) != set(table.index):
        return "rows are lost: every row belongs to the training or to the test set, with its index kept."
    if len(train.merge(test)):
        by_place = table.iloc[train.index], table.iloc[test.index]
        if not len(by_place[0].merge(by_place[1])):
            return "the folds give positions of rows, and .loc takes them for names of rows: use table.iloc."
        return "equal rows stand on both sides: the test set asks what the network has seen. Use groups."
    if not 0.15 < len(test) / len(table) < 0.25:
        return say("the test set holds {share:.0%} of the rows, a fifth was asked for.", share=len(test) / len(table))
    return None


# ---------------------------------------------------------------------------------------------------------
# 1.4


def scale(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardize both parts, shape (rows, parameters), with mean and standard deviation of the training rows."""
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test)


def check_scale(student: Callable) -> Callable:
    """Check exercise 1.4; return the student's function or the reference."""
    train = np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0], [6.0, 60.0]])
    test = np.array([[4.0, 50.0], [8.0, 90.0]])
    both = np.vstack([train, test])
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    quartiles = np.quantile(train, [0.25, 0.5, 0.75], axis=0)
    right = (test - mean) / deviation
    mistakes = {
        "the scaler has seen the test rows: fit it on the training rows only.": (test - both.mean(0)) / both.std(0),
        "the test rows are scaled by their own mean: use the mean and deviation of the training rows.": (
            (test - test.mean(0)) / test.std(0)
        ),
        "the test rows are divided by their own deviation: use the one of the training rows.": (test - mean)
        / test.std(0),
        "the test rows lose their own mean: subtract the one of the training rows.": (test - test.mean(0)) / deviation,
        "the test rows are not scaled.": test,
        "the mean is not subtracted.": test / deviation,
        "the values are not divided by the standard deviation.": test - mean,
        "the values are divided by the variance: take its square root, the standard deviation.": (
            (test - mean) / deviation**2
        ),
        "this scales to 0..1 (MinMaxScaler); the task asks for mean 0 and deviation 1.": (
            (test - train.min(axis=0)) / np.ptp(train, axis=0)
        ),
        "each part is scaled to 0..1 by itself; fit one StandardScaler on the training rows.": (
            (test - test.min(axis=0)) / np.ptp(test, axis=0)
        ),
        "this uses median and quartiles (RobustScaler); the task asks for mean and standard deviation.": (
            (test - quartiles[1]) / (quartiles[2] - quartiles[0])
        ),
        "all columns share one mean: each parameter needs its own (axis=0).": (test - train.mean()) / train.std(),
        "each row is scaled by itself (axis=1): each column needs its own mean and deviation (axis=0).": (
            (test - test.mean(axis=1, keepdims=True)) / test.std(axis=1, keepdims=True)
        ),
        "the deviation is divided by n - 1; StandardScaler, which the lesson uses, divides by n.": (
            (test - mean) / train.std(axis=0, ddof=1)
        ),
    }

    def find_mistake(function):
        scaled = function(train.copy(), test.copy())
        if not isinstance(scaled, tuple | list) or len(scaled) != 2:
            return "it should return two arrays: the scaled training rows and the scaled test rows."
        scaled_train, scaled_test = scaled
        if same(scaled_train, right) and same(scaled_test, (train - mean) / deviation):
            return "the two arrays are swapped: return the training rows first."
        if not same(scaled_test, right):
            return say("the test rows: {mistake}", mistake=name_mistake(scaled_test, right, mistakes))
        if not same(scaled_train, (train - mean) / deviation):
            return "the training rows are not scaled as the test rows are."
        return None

    return judge("1.4", "Scaling without leakage", student, scale, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.5


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

    def output(activation: str | None = None) -> dict[str, Any]:
        return {"output": layers.Dense(9, activation)}

    return {
        _("asked for 5 inputs, it has 14: use `inputs`, as in keras.Input((inputs,))."): {
            "input": layers.InputLayer((14,))
        },
        _("the output layer is missing: nine units, one for each diagnosis."): {"output": None},
        _("a hidden layer is missing; expected were 64, 32 and 9 units."): {"second": None},
        _("the two hidden layers are swapped: first 64 units, then 32."): {
            "first": layers.Dense(32, "relu"),
            "second": layers.Dense(64, "relu"),
        },
        _("the output layer has 8 units; there are 9 diagnoses."): {"output": layers.Dense(8, "softmax")},
        _("the outputs are raw numbers (logits). One diagnosis out of nine needs softmax."): output(),
        _("sigmoids are independent, and do not add up to 1. One diagnosis out of nine needs softmax."): (
            output("sigmoid")
        ),
        _("the outputs: ReLU gives numbers above 1, and often 0. One diagnosis out of nine needs softmax."): (
            output("relu")
        ),
        _("the outputs: tanh gives negative numbers. One diagnosis out of nine needs softmax."): output("tanh"),
        _("a hidden layer has no activation: without ReLU, two layers can do no more than one."): {
            "first": layers.Dense(64)
        },
        _("the second hidden layer has no activation: without ReLU, two layers can do no more than one."): {
            "second": layers.Dense(32)
        },
        _(
            "the network is not compiled: call model.compile(optimizer, loss=..., metrics=[...]) before you return it."
        ): {"loss": None},
        _("the loss is binary cross-entropy, for yes-or-no answers; use the categorical one."): {
            "loss": "binary_crossentropy"
        },
        _("the loss is the mean squared error, made for numbers; use categorical cross-entropy."): {"loss": "mse"},
        _("the loss is the mean absolute error, made for numbers; use categorical cross-entropy."): {"loss": "mae"},
        _("the loss does not take one-hot labels (sparse losses take class numbers): use categorical_crossentropy."): {
            "loss": "sparse_categorical_crossentropy"
        },
        _("from_logits=True expects raw outputs, but softmax has made probabilities of them: leave it out."): {
            "loss": losses.CategoricalCrossentropy(from_logits=True)
        },
        _('the metrics are missing; the lesson draws the accuracy: write metrics=["accuracy"].'): {"metrics": []},
    }


def check_build(student: Callable) -> Callable:
    """Check exercise 1.5: layers, activations and loss; return the student's function or the reference."""

    def find_mistake(function):
        calls, otherwise = [(5,), (5, "sgd")], _("the optimizer is always the same: pass `optimizer` to compile.")
        return network.find_mistake(function, calls, build_reference, build_mistakes, otherwise, _more_metrics)

    return judge("1.5", "Build the network", student, build, find_mistake)


def _more_metrics(model: keras.Model) -> str | None:
    if len(model.get_compile_config()["metrics"]) > 1:
        return _('the lesson draws the accuracy alone: write metrics=["accuracy"].')
    return None


# ---------------------------------------------------------------------------------------------------------
# 1.6


def count_parameters(sizes: Sequence[int]) -> int:
    """Return how many weights and biases dense layers have; `sizes` starts with the number of inputs."""
    return sum(before * after + after for before, after in pairwise(sizes))


def check_count_parameters(student: Callable) -> Callable:
    """Check exercise 1.6; return the student's function or the reference."""
    sizes = [5, 4, 3, 2]
    pairs = list(pairwise(sizes))
    mistakes = {
        "the biases are missing: each unit has one more number, its bias.": sum(a * b for a, b in pairs),
        "the biases are counted for each input: a layer has one bias for each of its own units.": sum(
            a * b + a for a, b in pairs
        ),
        "the last layer is missing: the output units have weights and biases, too.": count_parameters(sizes[:-1]),
        "the inputs have no biases: they are given, not computed.": count_parameters(sizes) + sizes[0],
        "sizes are added, but each unit is linked to every unit before it: multiply.": sum(a + b for a, b in pairs),
        "there is one bias for each unit, not one for each layer.": sum(a * b + 1 for a, b in pairs),
        "the first layer is missing: the inputs have weights to it.": count_parameters(sizes[1:]),
        "these are the counts of the layers: add them up.": [a * b + b for a, b in pairs],
        "the output units have biases, too.": count_parameters(sizes) - sizes[-1],
        "this is the number of units: count the weights between them, and the biases.": sum(sizes[1:]),
        "this is the answer for [14, 64, 32, 9] only: compute it from `sizes`.": 3337,
    }

    def find_mistake(function):
        value = function(list(sizes))
        if same(value, count_parameters(sizes)):
            return None if same(function([14, 9]), 135) else "it must work for any number of layers: try [14, 9]."
        return say(
            "for {sizes}: {mistake}", sizes=sizes, mistake=name_mistake(value, count_parameters(sizes), mistakes)
        )

    return judge("1.6", "Count the parameters", student, count_parameters, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.7


def macro_recall(matrix: np.ndarray) -> float:
    """Return the mean recall of the classes; `matrix` is a confusion matrix with true classes in its rows."""
    matrix = np.asarray(matrix, dtype=float)
    return float(np.mean(np.diag(matrix) / matrix.sum(axis=1)))


def check_macro_recall(student: Callable) -> Callable:
    """Check exercise 1.7; return the student's function or the reference."""
    matrix = np.array([[80, 15, 5], [4, 16, 0], [6, 1, 3]])
    right = np.diag(matrix)
    recall = right / matrix.sum(axis=1)
    mistakes = {
        "this is the accuracy: frequent classes count more. Average the recalls of the classes.": right.sum()
        / matrix.sum(),
        "this is the mean precision: recall divides by the true cases, the sum of a row.": np.mean(
            right / matrix.sum(axis=0)
        ),
        "these are the recalls of the classes: return their mean.": recall,
        "this is the median of the recalls: return their mean.": np.median(recall),
        "this is the lowest recall: return the mean of all.": recall.min(),
        "this is in percent: return a number from 0 to 1.": 100 * recall.mean(),
        "this is the share that is missed: recall is the share that is found.": 1 - recall.mean(),
        "this is the macro F1: the task asks for the recall alone.": np.mean(
            2 * right / (matrix.sum(axis=0) + matrix.sum(axis=1))
        ),
        "the recalls are added up, but not divided by the number of classes.": recall.sum(),
        "the diagonal is divided by all cases: divide each by the cases of its own class.": np.mean(
            right / matrix.sum()
        ),
    }

    def find_mistake(function):
        value = function(matrix.copy())
        if not same(value, recall.mean()):
            return name_mistake(value, recall.mean(), mistakes)
        if not same(function(np.array([[1, 1], [0, 4]])), 0.75):
            return "it works for three classes only: take the number of classes from the matrix."
        return None

    return judge("1.7", "Macro recall", student, macro_recall, find_mistake)
