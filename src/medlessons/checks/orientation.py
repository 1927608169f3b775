"""The checks of lesson 2, and the reference solutions that they compare with."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from medlessons import splits
from medlessons.checks import network
from medlessons.checks.exercise import first_match, judge, same
from medlessons.wording import _, say

if TYPE_CHECKING:  # importing Keras takes seconds, and only one of the exercises needs it
    import keras

# ---------------------------------------------------------------------------------------------------------
# 2.1


def sensitivity_specificity(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Return the share of laterals (1) that are found, and the share of frontals (0) that are left alone."""
    return float(np.mean(predicted[truth == 1] == 1)), float(np.mean(predicted[truth == 0] == 0))


def check_sensitivity_specificity(student: Callable) -> Callable:
    """Check exercise 2.1; return the student's function or the reference."""
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
        "the second number is the precision: specificity is the share of the true frontals that are left alone.": (
            sensitivity,
            6 / 9,
        ),
        "the second number is the share of false alarms: specificity is 1 minus it.": (sensitivity, 1 - specificity),
        "the second number is the accuracy: leave the laterals out of the specificity.": (sensitivity, 25 / 30),
        "these are shares of all images: divide by the true laterals, and by the true frontals.": (6 / 30, 19 / 30),
        "these are counts: divide by the true laterals, and by the true frontals.": (6, 19),
        "these are percentages, a share from 0 to 1 is asked for.": (100 * sensitivity, 100 * specificity),
        "these are the errors: 1 minus sensitivity and 1 minus specificity.": (1 - sensitivity, 1 - specificity),
        "both numbers are the accuracy.": (25 / 30, 25 / 30),
        "only the sensitivity is returned: return both numbers, with a comma between them.": sensitivity,
        "these numbers are rounded: return them as they are.": (round(sensitivity, 1), round(specificity, 1)),
        "the numbers are rounded: return them as they are.": (round(sensitivity, 2), round(specificity, 2)),
    }

    def find_mistake(function):
        value = function(truth.copy(), predicted.copy())
        if same(value, (sensitivity, specificity)):
            return None
        return first_match(value, mistakes) or say(
            "it gives {value}; expected were two numbers, {sensitivity:.2f} and {specificity:.2f}.",
            value=_plain(value),
            sensitivity=sensitivity,
            specificity=specificity,
        )

    return judge("2.1", "Sensitivity and specificity", student, sensitivity_specificity, find_mistake)


def _plain(value: Any) -> str:
    """Return numbers as a reader writes them, not as ``np.float64(0.75)``."""
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return str(value)
    return ", ".join(say("{number:g}", number=number) for number in numbers.ravel()[:6]) or "nothing"


# ---------------------------------------------------------------------------------------------------------
# 2.2


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the weighted sums under a kernel that slides over an image, without padding.

    An image of shape (h, w) and a kernel of shape (a, b) give an array of shape (h - a + 1, w - b + 1).
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum(axis=(2, 3))


def check_convolve(student: Callable) -> Callable:
    """Check exercise 2.2; return the student's function or the reference."""
    rng = np.random.default_rng(1)
    image, kernel = rng.integers(0, 9, (6, 8)).astype(float), rng.integers(-4, 5, (2, 3)) + 0.25
    expected = convolve(image, kernel)
    mistakes = {
        "the kernel is turned over. Mathematicians do that; networks slide it as it is.": convolve(
            image, kernel[::-1, ::-1]
        ),
        "the kernel stands on its head: its rows run backwards.": convolve(image, kernel[::-1]),
        "the kernel is mirrored: its columns run backwards.": convolve(image, kernel[:, ::-1]),
        "the last row and the last column are missing: there are h - a + 1 positions, not h - a.": expected[:-1, :-1],
        "the first row and the first column are missing: positions count from 0.": expected[1:, 1:],
        "this is the mean of the products, but the sum is asked for.": expected / kernel.size,
        "rows and columns of the result are swapped.": expected.T,
        "the kernel is not used: this is the sum of the pixels under it.": convolve(image, np.ones_like(kernel)),
        "negative sums became 0. That is ReLU, which comes after the convolution.": np.maximum(expected, 0),
        "negative sums lost their sign: leave them negative.": np.abs(expected),
        "the fractions are cut off: make the result with np.zeros, whose numbers are decimal.": np.trunc(expected),
        "this is the largest product under the kernel, but their sum is asked for.": (
            np.lib.stride_tricks.sliding_window_view(image, kernel.shape) * kernel
        ).max(axis=(2, 3)),
    }

    def find_mistake(function):
        value = function(image.copy(), kernel.copy())
        if not same(value, expected):
            if np.shape(value) == expected.shape:
                return first_match(value, mistakes) or (
                    "the numbers are not as expected: multiply pixel by pixel with the kernel, and add up."
                )
            return first_match(value, mistakes) or say(
                "the result has the shape {shape}, expected was {expected}: count the positions where the whole kernel "
                "lies on the image, without padding.",
                shape=np.shape(value),
                expected=expected.shape,
            )
        square = np.arange(25.0).reshape(5, 5)
        if not same(function(square.copy(), np.ones((3, 3))), convolve(square, np.ones((3, 3)))):
            return "it works for one size of the kernel only: take the size from kernel.shape."
        return None

    return judge("2.2", "Convolution by hand", student, convolve, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 2.3


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


def _count(
    size,
    channels,
    filters,
    dense,
    *,
    filter_bias=1,
    dense_bias=1,
    output_bias=1,
    edge=2,
    shrink=1,
    pools=2,
    whole=True,
    depth="all",
    many=True,
    maps=True,
    hidden=True,
    output=1,
):
    """Count as `count_weights` does, with a mistake."""
    total, colors = 0, channels
    for number, count in enumerate(filters):
        seen = {"all": channels, "one": 1, "first": colors}[depth]
        total += (edge * edge * seen + filter_bias) * (count if many else 1)
        size, channels = size - shrink, count
        if number < pools:
            size = size // 2 if whole else size / 2
    if hidden:
        total += size * size * (channels if maps else 1) * dense + dense_bias * dense
    return total + output * (dense + output_bias)


def check_count_weights(student: Callable) -> Callable:
    """Check exercise 2.3; return the student's function or the reference."""
    question = (20, 3, (4, 6), 17)  # no two mistakes give the same count
    mistakes = {
        "the biases are missing: one for each filter, each dense unit and the output.": _count(
            *question, filter_bias=0, dense_bias=0, output_bias=0
        ),
        "the biases of the convolutions are missing: one for each filter.": _count(*question, filter_bias=0),
        "the biases of the dense layer are missing: one for each unit.": _count(*question, dense_bias=0),
        "the bias of the output is missing.": _count(*question, output_bias=0),
        "dense + 1 parameters are missing: the output unit has so many (a weight for each dense unit, and a bias), and "
        "so many biases have the two last layers.": _count(*question, output=0),
        "the maps are too large: without padding a 2 x 2 kernel takes one row and one column away, and pooling rounds "
        "down.": _count(*question, shrink=0),
        "a 2 x 2 kernel takes one row and one column away, not two.": _count(*question, shrink=2),
        "there are no half pixels: round down after each pooling.": _count(*question, whole=False),
        "the second pooling is missing.": _count(*question, pools=1),
        "no pooling is counted: each one halves both edges.": _count(*question, pools=0),
        "a kernel spans all the channels before it: each filter has 2 x 2 x channels weights.": _count(
            *question, depth="one"
        ),
        "the second convolution sees the maps of the first one, not the colors of the image.": _count(
            *question, depth="first"
        ),
        "each convolution is counted as one filter: multiply by the number of filters.": _count(*question, many=False),
        "the kernels are 2 x 2, not 3 x 3.": _count(*question, edge=3, shrink=2),
        "Flatten writes all the maps in one row: edge x edge x filters numbers, not those of one map.": _count(
            *question, maps=False
        ),
        "the dense layer behind Flatten is missing.": _count(*question, hidden=False),
        "the last layer has two outputs here; the lesson's network has one.": _count(*question, output=2),
    }

    def find_mistake(function):
        value = function(*question)
        expected = count_weights(*question)
        if not same(value, expected):
            return first_match(value, mistakes) or say(
                "for size {size}, {channels} channels, filters {filters} and {dense} dense units it gives {value}, "
                "expected was {expected}.",
                size=question[0],
                channels=question[1],
                filters=question[2],
                dense=question[3],
                value=_plain(value),
                expected=expected,
            )
        if not same(function(33, 1, (3, 5), 7), count_weights(33, 1, (3, 5), 7)):
            return "it is right for one network, but not for others: use all four numbers that it is given."
        return None

    return judge("2.3", "Count 130 million parameters", student, count_weights, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 2.4


def build_network(size: int, filters: tuple[int, int]) -> "keras.Model":
    """Return the published network for gray images of the edge `size`, compiled; `filters` of its two convolutions."""
    import keras

    model = keras.Sequential(network.layers_of(network_reference(size, filters)))
    model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def network_reference(size: int, filters: tuple[int, int]) -> dict[str, Any]:
    """Return the layers of the published network, and what it is compiled with, as `network` compares them."""
    from keras import layers

    return {
        "input": layers.InputLayer((size, size, 1)),
        "scaling": layers.Rescaling(1 / 255),
        "first": layers.Conv2D(filters[0], 2, activation="relu"),
        "first pooling": layers.MaxPooling2D(),
        "first dropout": layers.Dropout(0.3),
        "second": layers.Conv2D(filters[1], 2, activation="relu"),
        "second pooling": layers.MaxPooling2D(),
        "second dropout": layers.Dropout(0.3),
        "flatten": layers.Flatten(),
        "dense": layers.Dense(256, "relu"),
        "output": layers.Dense(1, "sigmoid"),
        **{"loss": "binary_crossentropy", "optimizer": "adam", "metrics": ["accuracy"]},
    }


def network_mistakes() -> dict[str, dict[str, Any]]:
    """Return the classic mistakes: the sentence, and what is changed in a network of 3 and 5 filters."""
    from keras import layers, losses, optimizers

    def first(filters: int = 3, **settings) -> dict[str, Any]:
        return {"first": layers.Conv2D(filters, **{"kernel_size": 2, "activation": "relu"} | settings)}

    return {
        _("expected was an input of the shape (size, size, 1): rows, columns, one gray channel."): {
            "input": layers.InputLayer((20, 20, 3))
        },
        _("it takes the mean of each map. That comes later: use layers.Flatten here."): {
            "flatten": layers.GlobalAveragePooling2D()
        },
        _("it takes the maximum of each map: use layers.Flatten here."): {"flatten": layers.GlobalMaxPooling2D()},
        _("it pools with the mean: the published network takes the maximum, layers.MaxPooling2D."): {
            "first pooling": layers.AveragePooling2D(2)
        },
        _("it drops whole maps: use layers.Dropout, which drops single numbers."): {
            "first dropout": layers.SpatialDropout2D(0.3)
        },
        _("it has a Lambda layer, which cannot be loaded safely from a file: use layers.Rescaling."): {
            "scaling": layers.Lambda(lambda images: images / 255)
        },
        _("it does not scale the gray levels: put layers.Rescaling(1 / 255) after the input."): {"scaling": None},
        _("it multiplies by 255: gray levels from 0 to 255 need 1 / 255."): {"scaling": layers.Rescaling(255)},
        _("Flatten is missing: a dense layer then looks at each place alone, and there are many answers."): {
            "flatten": None
        },
        _("softmax of a single unit is always 1, whatever the image: one output needs a sigmoid."): {
            "output": layers.Dense(1, "softmax")
        },
        _("the last layer has 2 units; one, the probability of lateral, was asked for."): {
            "output": layers.Dense(2, "softmax")
        },
        _("the last layer has no activation: a sigmoid makes a probability of its number."): {
            "output": layers.Dense(1)
        },
        _("the last layer has the activation relu: only a sigmoid gives a probability from 0 to 1."): {
            "output": layers.Dense(1, "relu")
        },
        _("the numbers of filters are swapped: filters[0] belongs to the first convolution."): {
            **first(5),
            "second": layers.Conv2D(3, 2, activation="relu"),
        },
        _("with filters (3, 5) the first convolution has 64 filters: use both numbers."): first(64),
        _("the convolutions have padding: leave this setting out."): first(padding="same"),
        _("a layer has no bias: your count of exercise 2.3 has one for each filter."): first(use_bias=False),
        _("the pooling is not that of 2 x 2 pixels: leave all its settings out."): {
            "first pooling": layers.MaxPooling2D(3)
        },
        _("it is not compiled: call network.compile(...) before you return it. (compile itself returns nothing.)"): {
            "loss": None
        },
        _("the loss is for several outputs. One probability needs binary_crossentropy."): {
            "loss": "categorical_crossentropy"
        },
        _("the loss is for class numbers and several outputs. One probability needs binary_crossentropy."): {
            "loss": "sparse_categorical_crossentropy"
        },
        _("from_logits=True expects numbers before the sigmoid, but this network has a sigmoid: leave it out."): {
            "loss": losses.BinaryCrossentropy(from_logits=True)
        },
        _('Adam has another learning rate than its default of 0.001: write compile("adam", ...).'): {
            "optimizer": optimizers.Adam(0.1)
        },
        _('the accuracy is not recorded: add metrics=["accuracy"] to compile, the learning curves need it.'): {
            "metrics": []
        },
    }


def check_build_network(student: Callable) -> Callable:
    """Check exercise 2.4; return the student's function or the reference."""

    def find_mistake(function):
        calls = [(20, (3, 5)), (24, (4, 6))]
        otherwise = _("it always builds the same network: use size and filters as the function gets them.")
        return network.find_mistake(function, calls, network_reference, network_mistakes, otherwise)

    return judge("2.4", "Write the network", student, build_network, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 2.5


def split_patients(table: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test rows; the test set holds `share` of the patients, drawn at random."""
    patients = np.array(sorted(table["patient"].unique()))
    np.random.default_rng(seed).shuffle(patients)
    chosen = patients[: round(share * len(patients))]
    in_test = table["patient"].isin(chosen)
    return table[~in_test], table[in_test]


def _small_table() -> pd.DataFrame:
    visits = np.random.default_rng(3).integers(1, 6, 40)
    patients = [say("P{number:02d}", number=number) for number, count in enumerate(visits) for _ in range(count)]
    paths = [say("{row}.png", row=row) for row in range(len(patients))]
    return pd.DataFrame({"patient": patients, "path": paths})


def check_split_patients(student: Callable) -> Callable:
    """Check exercise 2.5; return the student's function or the reference."""
    table = _small_table()

    def find_mistake(function):
        parts = function(table.copy(), 0.25, 0)
        if not _two_tables(parts):
            return "it should return two tables: the training rows and the test rows."
        mistake = _mistake_in_rows(table, *parts) or _mistake_in_share(table, parts[1], 0.25)
        if mistake:
            return mistake
        half = function(table.copy(), 0.5, 0)
        if _two_tables(half) and len(half[1]) == len(parts[1]):
            return "the test set gets the same share, whatever is asked for: use the argument share."
        mistake = _mistake_in_rows(table, *half) or _mistake_in_share(table, half[1], 0.5)
        if mistake:
            return mistake
        mine = set(parts[1]["patient"])
        if all(set(function(table.copy(), 0.25, seed)[1]["patient"]) == mine for seed in (1, 2)):
            return "every seed gives the same patients: shuffle them. The first ones in a table often share a hospital."
        if set(function(table.copy(), 0.25, 0)[1]["patient"]) != mine:
            return "the same seed gives another split each time: use np.random.default_rng(seed)."
        return None

    return judge("2.5", "A split by patient", student, split_patients, find_mistake)


def _two_tables(parts: Any) -> bool:
    return (
        isinstance(parts, (tuple, list)) and len(parts) == 2 and all(isinstance(part, pd.DataFrame) for part in parts)
    )


def _mistake_in_rows(table: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame) -> str | None:
    for part in (train, test):
        missing = [column for column in table.columns if column not in part]
        if missing:
            return say("the column {column} is lost: keep all columns of the table.", column=missing[0])
    if set(train["path"]) & set(test["path"]):
        return "the same image stands on both sides."
    shared = splits.shared_patients({"train": train, "test": test})
    if shared:
        return say("{count} patients have images on both sides: draw patients, not images.", count=len(shared))
    rows = pd.concat([train, test])
    if rows["path"].duplicated().any():
        return "some images stand twice on the same side: was a patient drawn twice? Draw without replacement."
    if len(rows) == table["patient"].nunique():
        return "only one image a patient is left: keep all of them, on the side of their patient."
    if len(rows) < len(table):
        return "images are lost: every row of the table belongs to one side."
    if not rows["path"].eq(table["path"].reindex(rows.index)).all():
        return "the rows got new numbers (reset_index): keep the old ones, the next cells find the images by them."
    return None


def _mistake_in_share(table: pd.DataFrame, test: pd.DataFrame, share: float) -> str | None:
    patients = table["patient"].nunique()
    have = test["patient"].nunique() / patients
    if np.isclose(have, share):
        return None
    if np.isclose(have, 1 - share):
        return "training and test set are swapped: the test set should have the given share."
    return say(
        "the test set holds {have:.0%} of the patients, {share:.0%} were asked for. Was a patient drawn twice, or the "
        "share of the images taken?",
        have=have,
        share=share,
    )


# ---------------------------------------------------------------------------------------------------------
# 2.6


def turn_upside_down(images: np.ndarray) -> np.ndarray:
    """Return the batch, shape (images, height, width, 1), as if every film hung upside down: turned by 180 degrees."""
    return images[:, ::-1, ::-1]


def check_turn_upside_down(student: Callable) -> Callable:
    """Check exercise 2.6; return the student's function or the reference."""
    batch = np.random.default_rng(4).random((3, 5, 5, 1))
    turned = turn_upside_down(batch)
    mistakes = {
        "this is a mirror image: the head is down, but the heart has changed its side. A film that hangs upside "
        "down is turned, so rows and columns both run backwards.": batch[:, ::-1],
        "left and right are swapped, but the head is still up.": batch[:, :, ::-1],
        "the order of the images is reversed: the first axis counts the images, leave it alone.": batch[::-1],
        "the order of the images is reversed and each is mirrored: leave the first axis alone.": batch[::-1, ::-1],
        "everything is reversed, the order of the images too: leave the first axis alone.": batch[::-1, ::-1, ::-1],
        "the images are turned by a quarter; upside down is a half turn.": np.rot90(batch, 1, axes=(1, 2)),
        "the images are turned by a quarter; upside down is a half turn, twice that.": np.rot90(batch, 3, axes=(1, 2)),
        "rows and columns are swapped: that is a mirror image along the diagonal.": batch.swapaxes(1, 2),
        "the gray levels are inverted; the image should be turned.": 1 - batch,
        "the gray levels are inverted, too; only turn the image.": 1 - turned,
        "the batch is as it was.": batch,
        "the last axis is gone: keep the shape (images, height, width, 1).": turned[..., 0],
        "only the first image is left: keep all of them.": turned[:1],
        "only the first image is left, without its axis: keep all of them.": turned[0],
    }

    def find_mistake(function):
        value = function(batch.copy())
        if same(value, turned):
            return None
        return first_match(value, mistakes) or say(
            "the result, of shape {shape}, is not the batch {batch} turned by 180 degrees.",
            shape=np.shape(value),
            batch=batch.shape,
        )

    return judge("2.6", "Upside down", student, turn_upside_down, find_mistake)
