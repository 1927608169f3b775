"""The checks of lesson 2, and the reference solutions that they compare with."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from medlessons import splits
from medlessons.checks.exercise import first_match, judge, same

# ---------------------------------------------------------------------------------------------------------
# 2.1


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the weighted sums under a kernel that slides over an image, without padding.

    An image of shape (h, w) and a kernel of shape (a, b) give an array of shape (h - a + 1, w - b + 1).
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum(axis=(2, 3))


def check_convolve(student: Callable) -> Callable:
    """Check exercise 2.1; return the student's function or the reference."""
    rng = np.random.default_rng(1)
    image, kernel = rng.integers(0, 9, (6, 8)).astype(float), rng.integers(-4, 5, (2, 3)).astype(float)
    expected = convolve(image, kernel)
    mistakes = {
        "the kernel is turned over. Mathematicians do that; networks slide it as it is.": convolve(
            image, kernel[::-1, ::-1]
        ),
        "the last row and the last column are missing: there are h - a + 1 positions, not h - a.": expected[:-1, :-1],
        "this is the mean of the products, but the sum is asked for.": expected / kernel.size,
        "rows and columns of the result are swapped.": expected.T,
        "the kernel is not used: this is the sum of the pixels under it.": convolve(image, np.ones_like(kernel)),
        "negative sums became 0. That is ReLU, which comes after the convolution.": np.maximum(expected, 0),
    }

    def find_mistake(function):
        value = function(image.copy(), kernel.copy())
        if not same(value, expected):
            return first_match(value, mistakes) or (
                f"the result has the shape {np.shape(value)}, expected was {expected.shape}: count the positions where "
                "the whole kernel lies on the image, without padding."
                if np.shape(value) != expected.shape
                else "the numbers are not as expected: multiply pixel by pixel with the kernel, and add up."
            )
        square = np.arange(25.0).reshape(5, 5)
        if not same(function(square, np.ones((3, 3))), convolve(square, np.ones((3, 3)))):
            return "it works for one size of the kernel only: take the size from kernel.shape."
        return None

    return judge("2.1", "Convolution by hand", student, convolve, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 2.2


def split_patients(table: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test rows; the test set holds `share` of the patients, drawn at random."""
    patients = np.array(sorted(table["patient"].unique()))
    np.random.default_rng(seed).shuffle(patients)
    chosen = patients[: round(share * len(patients))]
    in_test = table["patient"].isin(chosen)
    return table[~in_test], table[in_test]


def _small_table() -> pd.DataFrame:
    visits = np.random.default_rng(3).integers(1, 6, 40)
    patients = [f"P{number:02d}" for number, count in enumerate(visits) for _ in range(count)]
    return pd.DataFrame({"patient": patients, "path": [f"{row}.png" for row in range(len(patients))]})


def check_split_patients(student: Callable) -> Callable:
    """Check exercise 2.2; return the student's function or the reference."""
    table = _small_table()

    def find_mistake(function):
        parts = function(table.copy(), 0.25, 0)
        if not (isinstance(parts, tuple) and len(parts) == 2 and all(isinstance(p, pd.DataFrame) for p in parts)):
            return "it should return two tables: the training rows and the test rows."
        train, test = parts
        shared = splits.shared_patients({"train": train, "test": test})
        if set(train.index) & set(test.index):
            return "the same image stands on both sides."
        if shared:
            return f"{len(shared)} patients have images on both sides: draw patients, not images."
        patients = table["patient"].nunique()
        if len(train) + len(test) == patients:
            return "only one image a patient is left: keep all of them, on the side of their patient."
        if len(train) + len(test) < len(table):
            return "images are lost: every row of the table belongs to one side."
        share = test["patient"].nunique() / patients
        if np.isclose(share, 0.75):
            return "training and test set are swapped: the test set should have the given share."
        if not np.isclose(share, 0.25):
            return f"the test set holds {share:.0%} of the patients, 25 % were asked for."
        others = [set(function(table.copy(), 0.25, seed)[1]["patient"]) for seed in (1, 2)]
        if all(other == set(test["patient"]) for other in others):
            return "every seed gives the same patients: shuffle them. The first ones in a table often share a hospital."
        if set(function(table.copy(), 0.25, 0)[1]["patient"]) != set(test["patient"]):
            return "the same seed gives another split each time: use np.random.default_rng(seed)."
        return None

    return judge("2.2", "A split by patient", student, split_patients, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 2.3


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Return how many batches it takes to see every image once; the last batch may be smaller."""
    return math.ceil(images / batch_size)


def check_steps_per_epoch(student: Callable) -> Callable:
    """Check exercise 2.3; return the student's function or the reference."""

    def find_mistake(function):
        uneven, even, few = function(1549, 50), function(1500, 50), function(20, 50)
        if same(uneven, 30):
            return "the rest is dropped: 49 of the 1,549 images would never be seen in an epoch. Round up."
        if same(uneven, 1549 / 50):
            return "a step is a whole batch: the number must be whole. Round up."
        if same(uneven, 31) and same(even, 31):
            return "an empty batch is added: 1,500 images make exactly 30 batches of 50."
        if same(uneven, 50):
            return "this is the batch size: how many batches of that size are needed?"
        if same(few, 0):
            return "20 images make one small batch of a size of 50, not none."
        if same([uneven, even, few], [31, 30, 1]):
            return None
        return f"1,549 images in batches of 50 give {uneven} steps; expected were 31."

    return judge("2.3", "Steps per epoch", student, steps_per_epoch, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 2.4


def count_weights(size: int, channels: int, filters: tuple[int, int], dense: int) -> int:
    """Return the parameters of conv - pool - conv - pool - flatten - dense - one output.

    Kernels are 2 x 2 without padding, pooling halves and rounds down. `size` is the edge of the square image.
    """
    total = 0
    for count in filters:
        total += 2 * 2 * channels * count + count
        size, channels = (size - 1) // 2, count
    total += size * size * channels * dense + dense
    return total + dense + 1


def _count(size, channels, filters, dense, *, bias=1, shrink=1, pools=2, whole=True, all_channels=True, output=1):
    """Count as `count_weights` does, with a mistake."""
    total = 0
    for number, count in enumerate(filters):
        total += 4 * (channels if all_channels else 1) * count + bias * count
        size, channels = size - shrink, count
        if number < pools:
            size = size // 2 if whole else size / 2
    return total + size * size * channels * dense + bias * dense + output * (dense + bias)


def check_count_weights(student: Callable) -> Callable:
    """Check exercise 2.4; return the student's function or the reference."""
    question = (20, 3, (4, 6), 10)
    mistakes = {
        "the biases are missing: one for each filter, each dense unit and the output.": _count(*question, bias=0),
        "the maps are too large: without padding a 2 x 2 kernel takes one row and one column away, and pooling rounds "
        "down.": _count(*question, shrink=0),
        "there are no half pixels: round down after each pooling.": _count(*question, whole=False),
        "the second pooling is missing.": _count(*question, pools=1),
        "no pooling is counted: each one halves both edges.": _count(*question, pools=0),
        "a kernel spans all the channels before it: each filter has 2 x 2 x channels weights.": _count(
            *question, all_channels=False
        ),
        "the output unit is missing: one weight for each dense unit, and a bias.": _count(*question, output=0),
        "the last layer has two outputs here; the lesson's network has one.": _count(*question, output=2),
    }

    def find_mistake(function):
        value = function(*question)
        expected = count_weights(*question)
        if not same(value, expected):
            return first_match(value, mistakes) or f"for {question} it gives {value}, expected was {expected}."
        if not same(function(33, 1, (3, 5), 7), count_weights(33, 1, (3, 5), 7)):
            return "it is right for one network, but not for others: use all four numbers that it is given."
        return None

    return judge("2.4", "Count 130 million parameters", student, count_weights, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 2.5


def sensitivity_specificity(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Return the share of laterals (1) that are found, and the share of frontals (0) that are left alone."""
    return float(np.mean(predicted[truth == 1] == 1)), float(np.mean(predicted[truth == 0] == 0))


def check_sensitivity_specificity(student: Callable) -> Callable:
    """Check exercise 2.5; return the student's function or the reference."""
    truth, predicted = np.repeat([1, 1, 0, 0], [6, 2, 3, 19]), np.repeat([1, 0, 1, 0], [6, 2, 3, 19])
    sensitivity, specificity = 6 / 8, 19 / 22
    mistakes = {
        "the two are swapped: sensitivity looks at the laterals (1), specificity at the frontals (0).": (
            specificity,
            sensitivity,
        ),
        "these are shares of the predictions (precision and negative predictive value). Divide by the number of "
        "images that truly are lateral, or frontal.": (6 / 9, 19 / 21),
        "the first number is the precision: divide the laterals found by the true laterals, not by the alarms.": (
            6 / 9,
            specificity,
        ),
        "these are shares of all images: divide by the true laterals, and by the true frontals.": (6 / 30, 19 / 30),
        "these are counts: divide by the true laterals, and by the true frontals.": (6, 19),
        "these are percentages, a share from 0 to 1 is asked for.": (100 * sensitivity, 100 * specificity),
        "these are the errors: 1 minus sensitivity and 1 minus specificity.": (1 - sensitivity, 1 - specificity),
        "both numbers are the accuracy.": (25 / 30, 25 / 30),
    }

    def find_mistake(function):
        value = function(truth.copy(), predicted.copy())
        if same(value, (sensitivity, specificity)):
            return None
        return first_match(value, mistakes) or (
            f"it gives {value}; expected were two numbers, {sensitivity:.2f} and {specificity:.2f}."
        )

    return judge("2.5", "Sensitivity and specificity", student, sensitivity_specificity, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 2.6


def turn_upside_down(images: np.ndarray) -> np.ndarray:
    """Return the batch, shape (images, height, width, 1), as if every film hung upside down: turned by 180 degrees."""
    return images[:, ::-1, ::-1]


def check_turn_upside_down(student: Callable) -> Callable:
    """Check exercise 2.6; return the student's function or the reference."""
    batch = np.random.default_rng(4).random((3, 5, 5, 1))
    mistakes = {
        "this is a mirror image: the head is down, but the heart has changed its side. A film that hangs upside "
        "down is turned, so rows and columns both run backwards.": batch[:, ::-1],
        "left and right are swapped, but the head is still up.": batch[:, :, ::-1],
        "the order of the images is reversed: the first axis counts the images, leave it alone.": batch[::-1],
        "the order of the images is reversed and each is mirrored: leave the first axis alone.": batch[::-1, ::-1],
        "everything is reversed, the order of the images too: leave the first axis alone.": batch[::-1, ::-1, ::-1],
        "the images are turned by a quarter; upside down is a half turn.": np.rot90(batch, 1, axes=(1, 2)),
        "the images are turned by a quarter; upside down is a half turn, twice that.": np.rot90(batch, 3, axes=(1, 2)),
        "the gray levels are inverted; the image should be turned.": 1 - batch,
        "the batch is as it was.": batch,
    }

    def find_mistake(function):
        value = function(batch.copy())
        if same(value, turn_upside_down(batch)):
            return None
        return first_match(value, mistakes) or (
            f"the result, of shape {np.shape(value)}, is not the batch {batch.shape} turned by 180 degrees."
        )

    return judge("2.6", "Upside down", student, turn_upside_down, find_mistake)
