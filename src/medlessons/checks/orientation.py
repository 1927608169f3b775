"""The checks of lesson 2, and the reference solutions that they compare with."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from medlessons.checks import network
from medlessons.checks.exercise import SPLIT, call, first_true, grade
from medlessons.checks.numbers import Exercise
from medlessons.wording import _

if TYPE_CHECKING:  # importing Keras takes seconds, and only one of the exercises needs it
    import keras

# The tables are laid out by hand: a sentence, and what it is said of.
# fmt: off

# --- 2.1

def sensitivity_specificity(
    truth: np.ndarray, predicted: np.ndarray, *,
    rates: Callable = lambda found, missed, alarms, quiet: (found / (found + missed), quiet / (quiet + alarms)),
) -> tuple[float, float]:
    """Return the share of laterals (1) that are found, and the share of frontals (0) that are left alone.

    Parameters
    ----------
    truth, predicted : arrays of 0 and 1, shape (images,)
    """
    return rates(*(int(np.sum((truth == t) & (predicted == p))) for t, p in ((1, 1), (1, 0), (0, 1), (0, 0))))


OTHER_RATES = {
    _("precision"): lambda found, missed, alarms, quiet: found / (found + alarms),
    _("negative predictive value"): lambda found, missed, alarms, quiet: quiet / (quiet + missed),
    _("share of missed laterals"): lambda found, missed, alarms, quiet: missed / (found + missed),
    _("share of false alarms"): lambda found, missed, alarms, quiet: alarms / (alarms + quiet),
    _("accuracy"): lambda found, missed, alarms, quiet: (found + quiet) / (found + missed + alarms + quiet),
}
check_sensitivity_specificity = Exercise(
    "2.1", _("Sensitivity and specificity"), sensitivity_specificity,
    cases={
        _("it gives {value}; expected were two numbers, 0.75 and 0.86."):
            [(np.repeat([1, 1, 0, 0], [6, 2, 3, 19]), np.repeat([1, 0, 1, 0], [6, 2, 3, 19]))],
    },
    mistakes={
        _("the two are swapped: sensitivity looks at the laterals (1), specificity at the frontals (0)."):
            {"then": lambda both: both[::-1]},
        _("these are shares of the predictions (precision and negative predictive value). Divide by the number of "
          "images that truly are lateral, or frontal."):
            {"rates": lambda found, missed, alarms, quiet: (found / (found + alarms), quiet / (quiet + missed))},
        _("confusion_matrix(truth, predicted).ravel() gives tn, fp, fn, tp, in this order."):
            {"rates": lambda found, missed, alarms, quiet: (quiet / (quiet + missed), found / (found + alarms))},
        **{_("the first number is the {other}: divide the laterals found by all true laterals.").format(other=other):
            {"rates": lambda *four, rate=rate: (rate(*four), four[3] / (four[3] + four[2]))}
           for other, rate in OTHER_RATES.items()},
        **{_("the second number is the {other}: specificity is the share of the true frontals that are left alone, and "
             "1 minus the share of false alarms.").format(other=other):
            {"rates": lambda *four, rate=rate: (four[0] / (four[0] + four[1]), rate(*four))}
           for other, rate in OTHER_RATES.items()},
        _("these are shares of all images: divide by the true laterals, and by the true frontals."):
            lambda truth, predicted: (np.mean(truth & predicted), np.mean(truth + predicted == 0)),
        _("the second number is the sensitivity again: recall_score needs pos_label=0 for the frontals."):
            {"then": lambda both: (both[0], both[0])},
        _("these are odds: divide the hits by hits and misses, (found + missed), in brackets."):
            [{"rates": lambda found, missed, alarms, quiet: (found / missed, quiet / alarms)},
             {"rates": lambda found, missed, alarms, quiet: (1 + missed, 1 + alarms)}],
        _("these are counts: divide by the true laterals, and by the true frontals."):
            {"rates": lambda found, missed, alarms, quiet: (found, quiet)},
        _("~ makes -1 of the number 0, and -2 of 1: write predicted == 0."):
            {"then": lambda both: (both[0], both[1] - 2)},
        _("both numbers are the accuracy."): lambda truth, predicted: [np.mean(truth == predicted)] * 2,
    },
)


# --- 2.2

def convolve(
    image: np.ndarray, kernel: np.ndarray, *, weigh: Callable = np.multiply,
    combine: Callable = lambda products: products.sum(axis=(2, 3)),
) -> np.ndarray:
    """Return the weighted sums under a kernel that slides over an image, without padding.

    Parameters
    ----------
    image : array of shape (h, w)
    kernel : array of shape (a, b)

    Returns
    -------
    array of shape (h - a + 1, w - b + 1)
    """
    return combine(weigh(np.lib.stride_tricks.sliding_window_view(image, kernel.shape), kernel))


_rng = np.random.default_rng(1)
check_convolve = Exercise(
    "2.2", _("Convolution by hand"), convolve,
    cases={
        _("the numbers are not as expected: multiply pixel by pixel with the kernel, and add up."):
            [(_rng.integers(0, 9, (6, 8)).astype(float), _rng.integers(-4, 5, (2, 3)) + 0.25)],
        _("it works for one size of the kernel only: take the size from kernel.shape."):
            [(np.arange(25.0).reshape(5, 5), np.ones((3, 3)))],
    },
    mistakes={
        _("the kernel is turned over. Mathematicians do that; networks slide it as it is."):
            lambda image, kernel: convolve(image, kernel[::-1, ::-1]),
        _("the image is padded: count only the positions where the whole kernel lies on it."): [
            lambda image, kernel: convolve(np.pad(image, ((0, 1), (1, 1))), kernel),
            lambda image, kernel: convolve(np.pad(image, ((1, 0), (1, 1))), kernel),
            lambda image, kernel: convolve(np.pad(image, ((1, 1), (2, 2))), kernel),
        ],
        _("the last row and the last column are missing: there are h - a + 1 positions, not h - a."):
            {"then": lambda sums: sums[:-1, :-1]},
        _("the first row and the first column are missing: positions count from 0."):
            {"then": lambda sums: sums[1:, 1:]},
        _("this is the mean of the products, but the sum is asked for."):
            {"combine": lambda products: products.mean(axis=(2, 3))},
        _("this is a matrix product: multiply pixel by pixel, with *."): [
            {"weigh": lambda windows, kernel: windows @ kernel.T},
            {"weigh": lambda windows, kernel: windows.swapaxes(2, 3) @ kernel},
        ],
        _("the kernel jumps: move it by one pixel, and count all the positions."):
            [{"then": lambda sums, by=by: sums[:: by[0], :: by[1]]} for by in ((2, 3), (2, 2))],
        _("what is under the kernel has another size: take kernel.shape[0] rows, and kernel.shape[1] columns."):
            [lambda image, kernel, a=a, b=b: image[:a, :b] * kernel for a, b in ((2, 2), (3, 3), (3, 2))],
        _("rows and columns of the kernel are swapped."): lambda image, kernel: convolve(image, kernel.T),
        _("the products are not all added up: there is one sum for each position, over both axes of the kernel."):
            [{"combine": lambda products, axis=axis: products.sum(axis=axis)} for axis in ((), 2, 3)],
        _("only the first row is filled: `return` belongs after the loops."):
            {"then": lambda sums: np.vstack([sums[:1], np.zeros_like(sums[1:])])},
        _("only one weight of the kernel counts: add up the products, with +=."): [
            {"combine": lambda products: products[..., -1, -1]}, {"combine": lambda products: products[..., 0, 0]},
        ],
        _("each sum has the earlier ones in it: begin with 0 at each position."):
            {"then": lambda sums: np.cumsum(sums).reshape(sums.shape)},
        _("negative sums became 0. That is ReLU, which comes after the convolution."):
            {"then": lambda sums: np.maximum(sums, 0)},
        _("this is the largest product under the kernel, but their sum is asked for."):
            {"combine": lambda products: products.max(axis=(2, 3))},
    },
)


# --- 2.3

def count_weights(
    size: int, channels: int, filters: tuple[int, int], dense: int, *, kernel: int = 2 * 2,
    edge: Callable = lambda size: ((size - 1) // 2 - 1) // 2,
) -> int:
    """Return the parameters of conv - pool - conv - pool - flatten - dense - one output.

    Parameters
    ----------
    size, channels : int
        Of the square image.
    filters : pair of int
        Of the two convolutions, with kernels of 2 x 2 without padding; pooling halves and rounds down.
    dense : int
        The units of the dense layer.
    """
    first, second = filters
    convolutions = (kernel * channels + 1) * first + (kernel * first + 1) * second
    return convolutions + (edge(size) ** 2 * second + 1) * dense + dense + 1


def _without(missing: Callable) -> Callable:
    """Return a count without those parameters that `missing` counts; a map has `pixels` when Flatten gets it."""
    return lambda size, channels, filters, dense: (
        count_weights(size, channels, filters, dense) - missing(((size - 3) // 4) ** 2, channels, *filters, dense)
    )


check_count_weights = Exercise(
    "2.3", _("Count 130 million parameters"), count_weights,
    cases={
        _("for size {size}, {channels} channels, filters ({filters[0]}, {filters[1]}) and {dense} dense units it gives "
          "{value}, expected was {expected}."): [(22, 3, (5, 9), 17)],  # no two mistakes give the same count
        _("it is right for one network, but not for others: use all that it is given, and round down, with //."):
            [(33, 1, (3, 5), 7)],
    },
    mistakes={
        _("the biases are missing: one for each filter, each dense unit and the output."):
            _without(lambda pixels, channels, first, second, dense: first + second + dense + 1),
        _("the biases of the convolutions are missing: one for each filter."):
            _without(lambda pixels, channels, first, second, dense: first + second),
        _("the biases of the dense layer are missing: one for each unit."):
            _without(lambda pixels, channels, first, second, dense: dense),
        _("the bias of the output is missing."): {"then": lambda count: count - 1},
        _("dense + 1 parameters are missing: the output unit has so many (a weight for each dense unit, and a bias), "
          "and so many biases have the two last layers."):
            _without(lambda pixels, channels, first, second, dense: dense + 1),
        _("the maps are too large: without padding a 2 x 2 kernel takes one row and one column away, and pooling "
          "rounds down."): [
            {"edge": lambda size: size // 2 // 2}, {"edge": lambda size: -(-(-(-(size - 1) // 2) - 1) // 2)},
        ],
        _("both poolings come at the end: pool after each convolution."): {"edge": lambda size: (size - 2) // 2 // 2},
        _("there is one bias for each filter and each unit, not one for each layer."):
            _without(lambda pixels, channels, first, second, dense: first + second + dense - 3),
        _("a map has edge x edge numbers, not edge."):
            _without(lambda pixels, channels, first, second, dense: (pixels - pixels**0.5) * second * dense),
        _("Flatten gets the maps of the second convolution, filters[1] of them."):
            _without(lambda pixels, channels, first, second, dense: pixels * (second - first) * dense),
        _("the two numbers of filters are swapped."):
            lambda size, channels, filters, dense: count_weights(size, channels, filters[::-1], dense),
        _("a kernel of 2 x 2 has four weights for each channel."): [{"kernel": 2}, {"kernel": 1}],
        _("the maps are too small: a 2 x 2 kernel takes one row and one column away, not two, and it does so before "
          "the pooling."):
            {"edge": lambda size: ((size - 2) // 2 - 2) // 2},
        _("there are no half pixels: round down after each pooling."): {"edge": lambda size: ((size - 1) / 2 - 1) / 2},
        _("the second pooling is missing."): {"edge": lambda size: (size - 1) // 2 - 1},
        _("no pooling is counted: each one halves both edges."): {"edge": lambda size: size - 2},
        _("a kernel spans all the channels before it: each filter has 2 x 2 x channels weights."):
            _without(lambda pixels, channels, first, second, dense:
                     4 * (channels - 1) * first + 4 * (first - 1) * second),
        _("the second convolution sees the maps of the first one, not the colors of the image."):
            _without(lambda pixels, channels, first, second, dense: 4 * (first - channels) * second),
        _("the kernels are 2 x 2, not 3 x 3."): {"kernel": 9, "edge": lambda size: ((size - 2) // 2 - 2) // 2},
        _("Flatten writes all the maps in one row: edge x edge x filters numbers, not those of one map."):
            _without(lambda pixels, channels, first, second, dense: pixels * (second - 1) * dense),
        _("the dense layer after Flatten is missing."):
            _without(lambda pixels, channels, first, second, dense: (pixels * second + 1) * dense),
        _("the last layer has two outputs here; the lesson's network has one."):
            _without(lambda pixels, channels, first, second, dense: -dense - 1),
    },
)


# --- 2.4

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
    from keras import layers, losses

    def first(filters: int = 3, **settings) -> dict[str, Any]:
        return {"first": layers.Conv2D(filters, **{"kernel_size": 2, "activation": "relu"} | settings)}

    return {
        _("it takes the mean of each map. That comes later: use layers.Flatten here."):
            {"flatten": layers.GlobalAveragePooling2D()},
        _("it pools with the mean: the published network takes the maximum, layers.MaxPooling2D."):
            {"first pooling": layers.AveragePooling2D(2)},
        _("it has a Lambda layer, which cannot be loaded safely from a file: use layers.Rescaling."):
            {"scaling": layers.Lambda(lambda images: images / 255)},
        _("the Rescaling layer is missing: put layers.Rescaling(1 / 255) after the input."): {"scaling": None},
        _("it multiplies by 255: gray levels from 0 to 255 need 1 / 255."): {"scaling": layers.Rescaling(255)},
        _("Flatten is missing: a dense layer then looks at each place alone, and there are many answers."):
            {"flatten": None},
        _("softmax of a single unit is always 1, whatever the image: one output needs a sigmoid."):
            {"output": layers.Dense(1, "softmax")},
        _("the last layer has 2 units; one, the probability of lateral, was asked for."):
            {"output": layers.Dense(2, "softmax")},
        _("the last layer has no activation: a sigmoid makes a probability of its number."):
            {"output": layers.Dense(1)},
        _("the numbers of filters are swapped: filters[0] belongs to the first convolution."):
            {**first(5), "second": layers.Conv2D(3, 2, activation="relu")},
        _("the convolutions have padding: leave this setting out."): first(padding="same"),
        _("it is not compiled: call network.compile(...) before you return it. (compile itself returns nothing.)"):
            {"loss": None},
        _("the loss is for several outputs. One probability needs binary_crossentropy."):
            {"loss": "categorical_crossentropy"},
        _("from_logits=True expects numbers before the sigmoid, but this network has a sigmoid: leave it out."):
            {"loss": losses.BinaryCrossentropy(from_logits=True)},
        _('"acc" is recorded under this name, and the learning curves look for "accuracy": write it in full.'):
            {"metrics": ["acc"]},
        _('the accuracy is not recorded: add metrics=["accuracy"] to compile, the learning curves need it.'):
            {"metrics": []},
    }


check_build_network = partial(grade, "2.4", _("Write the network"), build_network, partial(
    network.find_mistake, calls=[(20, (3, 5)), (24, (4, 6))], reference_of=network_reference, mistakes=network_mistakes,
    otherwise=_("it always builds the same network: use size and filters as the function gets them."),
))


# --- 2.5


def split_patients(table: pd.DataFrame, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training and test rows, all images of a patient on the same side.

    Parameters
    ----------
    table : DataFrame with a column ``patient``, one row per image
    share : float
        How large a part of the patients, drawn at random, the test set gets, from 0 to 1.
    seed : int
    """
    patients = np.array(sorted(table["patient"].unique()))
    np.random.default_rng(seed).shuffle(patients)
    in_test = table["patient"].isin(patients[: round(share * len(patients))])
    return table[~in_test], table[in_test]


VISITS = np.repeat(range(40), np.random.default_rng(3).integers(1, 6, 40))
TABLE = pd.DataFrame(
    {"patient": [f"P{who:02d}" for who in VISITS], "path": [f"{row}.png" for row in range(len(VISITS))]}
)
PARTS = {  # tests of the training rows, of the test rows, and of the share that was asked for
    _("{found} patients have images on both sides: draw patients, not images."):
        lambda train, test, share: len(set(train["patient"]) & set(test["patient"])),
    _("some images are twice on the same side: was a patient drawn twice? Draw without replacement."):
        lambda train, test, share: pd.concat([train, test])["path"].duplicated().any(),
    _("training and test set are swapped: the test set should have the given share."):
        lambda train, test, share: share != 0.5 and train["patient"].nunique() / 40 == share,
    _("the test set holds {found:.0%} of the patients, {share:.0%} were asked for: was a patient drawn twice, the "
      "share of the images taken, or a coin tossed?"):
        lambda train, test, share: (have := test["patient"].nunique() / 40) != share and max(have, 1e-9),
}
SEEDS = {  # tests of the patients in the test sets of the same seed twice, and of two others
    _("every seed gives the same patients: shuffle them. The first ones in a table often share a hospital."):
        lambda first, again, second, third: first == second == third,
    _("the same seed gives another split each time: use np.random.default_rng(seed)."):
        lambda first, again, second, third: first != again,
}


def _wrong_parts(parts: Any, share: float) -> str | None:
    return first_true(SPLIT, parts, TABLE) or first_true(PARTS, *parts, share, share=share)


def _wrong_split(function: Callable) -> str | None:
    quarter = call(function, TABLE, 0.25, 0)
    mistake = _wrong_parts(quarter, 0.25)
    if mistake:
        return mistake
    half = call(function, TABLE, 0.5, 0)
    if len(half[1]) == len(quarter[1]):
        return _("the test set gets the same share, whatever is asked for: use the argument share.")
    return _wrong_parts(half, 0.5) or first_true(
        SEEDS, *({*call(function, TABLE, 0.25, seed)[1]["patient"]} for seed in (0, 0, 1, 2))
    )


check_split_patients = partial(grade, "2.5", _("A split by patient"), split_patients, _wrong_split)


# --- 2.6

def turn_upside_down(images: np.ndarray) -> np.ndarray:
    """Return the batch, shape (images, height, width, 1), as if every film hung upside down: turned by 180 degrees."""
    return images[:, ::-1, ::-1]


check_turn_upside_down = Exercise(
    "2.6", _("Upside down"), turn_upside_down,
    cases={
        _("the result, of shape {shape}, is not the batch (3, 5, 5, 1) turned by 180 degrees."): [
            (np.random.default_rng(4).random((3, 5, 5, 1)),)
        ]
    },
    mistakes={
        _("this is a mirror image: the head is down, but the heart has changed its side. A film that hangs upside down "
          "is turned, so rows and columns both run backwards."): lambda images: images[:, ::-1],
        _("left and right are swapped, but the head is still up."): lambda images: images[:, :, ::-1],
        _("the order of the images is reversed: the first axis counts the images, leave it alone."):
            lambda images: images[::-1],
        _("the order of the images is reversed and each is mirrored: leave the first axis alone."):
            lambda images: images[::-1, ::-1],
        _("everything is reversed, the order of the images too: leave the first axis alone."): np.flip,
        _("the images are turned by a quarter; upside down is a half turn."):
            [lambda images, turns=turns: np.rot90(images, turns, axes=(1, 2)) for turns in (1, 3)],
        _("np.rot90 turns the first two axes, images and rows: say axes=(1, 2)."):
            [lambda images, turns=turns: np.rot90(images, turns) for turns in (1, 3)],
        _("the first row and column are lost: the slice ::-1 has no end."):
            {"then": lambda turned: turned[:, :-1, :-1]},
        _("rows and columns are swapped: that is a mirror image along the diagonal."):
            lambda images: images.swapaxes(1, 2),
        _("the gray levels are inverted; the image should be turned."):
            [lambda images, top=top: top - images for top in (0, 1, 255)],
        _("the batch is as it was."): lambda images: images,
    },
)
