"""The checks of lesson 1, and the reference solutions that they compare with."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from medlessons.checks.exercise import first_match, judge, same

# ---------------------------------------------------------------------------------------------------------
# 1.1


def neuron(inputs: np.ndarray, weights: np.ndarray, bias: float) -> float:
    """Return the output of one ReLU neuron: max(0, w.x + b). Arrays have the shape (inputs,)."""
    return max(0.0, float(np.dot(weights, inputs) + bias))


def check_neuron(student: Callable) -> Callable:
    """Check exercise 1.1; return the student's function or the reference."""
    inputs, weights, bias = np.array([2.0, 3.0, 1.0]), np.array([1.5, -0.5, 1.0]), 1.25
    products = weights * inputs  # 3, -1.5, 1
    right = products.sum() + bias  # 3.75

    def find_mistake(function):
        value, negative = function(inputs, weights, bias), function(inputs, -weights, 1.0)  # 1 - 2.5
        mistakes = {
            "the bias is missing: add b to the weighted sum.": products.sum(),
            "the bias is subtracted, it should be added.": products.sum() - bias,
            "ReLU acts once, on the sum, not on each product.": np.maximum(products, 0).sum() + bias,
            "this is the sigmoid of w·x + b, but the task asks for ReLU: max(0, z).": 1 / (1 + np.exp(-right)),
            "the products are not added up: w·x is one number, the sum of weight times input.": np.maximum(
                products + bias, 0
            ),
            "inputs and weights are added; multiply each input by its weight.": np.sum(weights + inputs) + bias,
            "ReLU takes the larger one of 0 and its input: use max, not min.": 0,
        }
        wrong_below_zero = {
            "ReLU is missing: a negative w·x + b must become 0.": -1.5,
            "the bias comes after the ReLU: add it before.": 1.0,
            "a negative w·x + b must become 0, not positive: use max(0, z), not abs(z).": 1.5,
        }
        if not same(value, right):
            return first_match(value, mistakes) or f"the neuron gives {value}, expected was {right}."
        if not same(negative, 0):
            unknown = f"for w·x + b = -1.5 the neuron gives {negative}, expected was 0."
            return first_match(negative, wrong_below_zero) or unknown
        return None

    return judge("1.1", "A neuron by hand", student, neuron, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.2


def split(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training rows and test rows (a fifth): stratified by ``Diagnosis``, equal rows on one side."""
    groups = table.groupby(list(table.columns), sort=False).ngroup()
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    train, test = next(folds.split(table, table["Diagnosis"], groups))
    return table.iloc[train], table.iloc[test]


def _table_with_duplicates() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frequent = pd.DataFrame({"HGB": rng.normal(14, 1, 160).round(3), "Diagnosis": "Healthy"})
    rare = pd.DataFrame({"HGB": rng.normal(10, 1, 20).round(3), "Diagnosis": "Macrocytic anemia"})
    rows = pd.concat([frequent, rare])
    return pd.concat([rows, rows.iloc[:40]], ignore_index=True)


def check_split(student: Callable) -> Callable:
    """Check exercise 1.2; return the student's function or the reference."""
    table = _table_with_duplicates()

    def find_mistake(function):
        parts = function(table.copy(), 0)
        if isinstance(parts, pd.DataFrame) or not hasattr(parts, "__len__") or len(parts) != 2:
            return "it should return two tables: the training rows and the test rows."
        if not all(isinstance(part, pd.DataFrame) for part in parts):
            return "these are row numbers, not rows: use table.iloc[numbers] to get the two tables."
        train, test = parts
        if len(train) < len(test):
            return "the test set is larger than the training set: are the two swapped?"
        if set(train.index) & set(test.index):
            return "the same row stands on both sides."
        if set(train.index) | set(test.index) != set(table.index):
            return "rows are lost: every row belongs to the training or to the test set, with its index kept."
        if len(train.merge(test)):
            return "equal rows stand on both sides: the test set asks what the network has seen. Use groups."
        if not 0.15 < len(test) / len(table) < 0.25:
            return f"the test set holds {len(test) / len(table):.0%} of the rows, a fifth was asked for."
        rare = (test["Diagnosis"] == "Macrocytic anemia").sum()
        if rare not in (3, 4, 5):
            return f"{rare} of the 20 rows of the rare diagnosis are in the test set, about 4 belong there: stratify."
        if test.index.equals(function(table.copy(), 1)[1].index):
            return "another seed gives the same split: hand the seed on as random_state, with shuffle=True."
        return None

    return judge("1.2", "A split without leakage", student, split, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.3


def scale(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardise both parts, shape (rows, parameters), with mean and standard deviation of the training rows."""
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test)


def check_scale(student: Callable) -> Callable:
    """Check exercise 1.3; return the student's function or the reference."""
    train = np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0], [6.0, 60.0]])
    test = np.array([[4.0, 50.0], [8.0, 90.0]])
    both = np.vstack([train, test])

    def standard(values, by, ddof=0):
        return (values - by.mean(axis=0)) / by.std(axis=0, ddof=ddof)

    mistakes = {
        "the scaler has seen the test rows: fit it on the training rows only.": standard(test, both),
        "the test rows are scaled by their own mean: use the mean and deviation of the training rows.": standard(
            test, test
        ),
        "the test rows are not scaled.": test,
        "the mean is not subtracted.": test / train.std(axis=0),
        "the values are not divided by the standard deviation.": test - train.mean(axis=0),
        "this scales to 0..1 (MinMaxScaler); the task asks for mean 0 and deviation 1.": (
            (test - train.min(axis=0)) / np.ptp(train, axis=0)
        ),
        "each part is scaled to 0..1 by itself; fit one StandardScaler on the training rows.": (
            (test - test.min(axis=0)) / np.ptp(test, axis=0)
        ),
        "all columns share one mean: each parameter needs its own (axis=0).": (test - train.mean()) / train.std(),
        "the deviation is divided by n - 1; StandardScaler, which the lesson uses, divides by n.": standard(
            test, train, ddof=1
        ),
    }

    def find_mistake(function):
        scaled = function(train.copy(), test.copy())
        if not isinstance(scaled, tuple | list) or len(scaled) != 2:
            return "it should return two arrays: the scaled training rows and the scaled test rows."
        scaled_train, scaled_test = scaled
        if same(scaled_train, standard(test, train)) and same(scaled_test, standard(train, train)):
            return "the two arrays are swapped: return the training rows first."
        if not same(scaled_test, standard(test, train)):
            return first_match(scaled_test, mistakes) or "the scaled test rows are not as expected."
        if not same(scaled_train, standard(train, train)):
            return "the training rows are not scaled as the test rows are."
        return None

    return judge("1.3", "Scaling without leakage", student, scale, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.4


def count_parameters(sizes: Sequence[int]) -> int:
    """Return how many weights and biases dense layers have; `sizes` starts with the number of inputs."""
    return sum(before * after + after for before, after in pairwise(sizes))


def check_count_parameters(student: Callable) -> Callable:
    """Check exercise 1.4; return the student's function or the reference."""
    sizes = [5, 4, 3, 2]
    pairs = list(pairwise(sizes))

    def find_mistake(function):
        value = function(sizes)
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
            "this is the answer for [14, 64, 32, 9] only: compute it from `sizes`.": 3337,
        }
        if same(value, count_parameters(sizes)):
            return None if same(function([14, 9]), 135) else "it must work for any number of layers: try [14, 9]."
        return first_match(value, mistakes) or f"for {sizes} it gives {value}, expected was {count_parameters(sizes)}."

    return judge("1.4", "Count the parameters", student, count_parameters, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.5


def macro_recall(matrix: np.ndarray) -> float:
    """Return the mean recall of the classes; `matrix` is a confusion matrix with true classes in its rows."""
    matrix = np.asarray(matrix, dtype=float)
    return float(np.mean(np.diag(matrix) / matrix.sum(axis=1)))


def check_macro_recall(student: Callable) -> Callable:
    """Check exercise 1.5; return the student's function or the reference."""
    matrix = np.array([[80, 15, 5], [4, 16, 0], [6, 1, 3]])
    right = np.diag(matrix)
    recall = right / matrix.sum(axis=1)

    def find_mistake(function):
        value = function(matrix.copy())
        mistakes = {
            "this is the accuracy: frequent classes count more. Average the recalls of the classes.": right.sum()
            / matrix.sum(),
            "this is the mean precision: recall divides by the true cases, the sum of a row.": np.mean(
                right / matrix.sum(axis=0)
            ),
            "these are the recalls of the classes: return their mean.": recall,
            "this is the median of the recalls: return their mean.": np.median(recall),
            "this is in percent: return a number from 0 to 1.": 100 * recall.mean(),
            "this is the macro F1: the task asks for the recall alone.": np.mean(
                2 * right / (matrix.sum(axis=0) + matrix.sum(axis=1))
            ),
            "the recalls are added up, but not divided by the number of classes.": recall.sum(),
            "the diagonal is divided by all cases: divide each by the cases of its own class.": np.mean(
                right / matrix.sum()
            ),
        }
        if same(value, recall.mean()):
            return None
        return first_match(value, mistakes) or f"it gives {value}, expected was {recall.mean():.4f}."

    return judge("1.5", "Macro recall", student, macro_recall, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 1.6


def identity_errors(count: Mapping[str, float]) -> np.ndarray:
    """Return how far MCV, MCH and MCHC lie from what RBC, HGB and HCT say they must be, in percent."""
    expected = np.array(
        [count["HCT"] / count["RBC"] * 10, count["HGB"] / count["RBC"] * 10, count["HGB"] / count["HCT"] * 100]
    )
    given = np.array([count["MCV"], count["MCH"], count["MCHC"]])
    return np.abs(given - expected) / expected * 100


def check_identity_errors(student: Callable) -> Callable:
    """Check exercise 1.6; return the student's function or the reference."""
    count = {"RBC": 4.0, "HGB": 12.0, "HCT": 36.0, "MCV": 81.0, "MCH": 36.0, "MCHC": 32.0}
    right = identity_errors(count)  # 10, 20 and 4 percent
    given, expected = np.array([81.0, 36.0, 32.0]), np.array([90.0, 30.0, 100 / 3])

    def errors(by):
        return np.abs(given - by) / by * 100

    def find_mistake(function):
        value = function(dict(count))
        mistakes = {
            "this is a fraction: multiply by 100 to get percent.": right / 100,
            "the errors have a sign: take the absolute value, since too low is as wrong as too high.": (
                (given - expected) / expected * 100
            ),
            "this is the difference itself: divide by the expected value to get a relative error.": np.abs(
                given - expected
            ),
            "the difference is divided by the given value: divide by the value expected from the identity.": np.abs(
                given - expected
            )
            / given
            * 100,
            "these are the expected values: compare them with MCV, MCH and MCHC.": expected,
            "the factors are missing: 10 for MCV and MCH, 100 for MCHC.": errors(expected / [10, 10, 100]),
            "MCHC has the factor 100, not 10.": errors(expected / [1, 1, 10]),
            "this is their mean: return the three errors.": right.mean(),
        }
        if same(value, right):
            return None
        if same(np.sort(np.ravel(value)), np.sort(right)):
            return "the three errors are right, but in another order: MCV, MCH, MCHC."
        return first_match(value, mistakes) or f"it gives {value}, expected was {right.round(2)}."

    return judge("1.6", "Check a blood count by arithmetic", student, identity_errors, find_mistake)
