"""The checks of lesson 3, and the reference solutions that they compare with."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from medlessons import losses
from medlessons.checks import network
from medlessons.checks.exercise import first_match, judge, same
from medlessons.wording import _, say

# ---------------------------------------------------------------------------------------------------------
# 3.1


def check_for_leakage(df1: pd.DataFrame, df2: pd.DataFrame, patient_col: str) -> bool:
    """Return whether any patient (column `patient_col`) has images in both tables."""
    return bool(set(df1[patient_col]) & set(df2[patient_col]))


def _visits(patients: Sequence[int], start: int) -> pd.DataFrame:
    images = [str(start + row).zfill(8) + ".png" for row in range(len(patients))]
    return pd.DataFrame({"Image": images, "who": patients}, index=range(start, start + len(patients)))


def check_leakage(student: Callable) -> Callable:
    """Check exercise 3.1; return the student's function or the reference."""
    cases = [
        # df1, df2, whether a patient is on both sides, what a wrong answer means
        (
            _visits([0, 1, 2], 10),
            _visits([5, 6, 2], 20),
            True,
            "patient 2 has one image in each table, and it is not found: compare the patients, not the images, their "
            "file names or their row numbers.",
        ),
        (
            _visits([0, 1, 2], 10),
            _visits([2, 3, 4], 20),
            True,
            "a shared patient is found only if it stands in the same row of both tables: compare sets of patients.",
        ),
        (
            _visits([0, 1, 2], 10),
            _visits([3, 4, 5], 10),
            False,
            "it reports a leak although no patient is shared: the two tables only have the same row numbers.",
        ),
        (
            _visits([1, 1, 2], 10),
            _visits([3, 3, 4], 20),
            False,
            "it reports a leak because a patient has several images in one table. That is no leak: look for patients "
            "in both tables.",
        ),
        (
            _visits([1, 2, 3], 10),
            _visits([9, 3], 20),
            True,
            "a shared patient is not found in tables of different length: compare sets of patients.",
        ),
    ]

    def find_mistake(function):
        answers = [function(df1.copy(), df2.copy(), "who") for df1, df2, _, _ in cases]
        truth = [leak for _, _, leak, _ in cases]
        if not all(isinstance(answer, (bool, np.bool_)) for answer in answers):
            odd = next(answer for answer in answers if not isinstance(answer, (bool, np.bool_)))
            return say(
                "it returns {answer!r}, which is of the type {kind}; True or False is asked for.",
                answer=odd,
                kind=type(odd).__name__,
            )
        if [not answer for answer in answers] == truth:
            return "the answers are the wrong way round: True means that a patient is on both sides."
        if len(set(answers)) == 1:
            return say("it always answers {answer}.", answer=answers[0])
        return next((case[3] for case, answer in zip(cases, answers, strict=True) if answer != case[2]), None)

    return judge("3.1", "Find the leak", student, check_for_leakage, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 3.2


def check_class_freqs(student: Callable) -> Callable:
    """Check exercise 3.2; return the student's function or the reference."""
    labels = np.array([[1, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1], [1, 0, 1]])
    positive, negative = losses.class_frequencies(labels)
    by_row = labels.mean(axis=1)
    mistakes = {
        "the two are swapped: the positive frequencies come first.": (negative, positive),
        "these are counts: divide by the number of images.": (labels.sum(axis=0), (1 - labels).sum(axis=0)),
        "these are percentages, a share from 0 to 1 is asked for.": (100 * positive, 100 * negative),
        "the sums are divided by the number of findings: divide by the number of images.": (
            labels.sum(axis=0) / labels.shape[1],
            (1 - labels).sum(axis=0) / labels.shape[1],
        ),
        "the sums are divided by all positive labels, so they add up to 1 over the findings. An image can have several "
        "findings: divide by the number of images.": (
            labels.sum(axis=0) / labels.sum(),
            (1 - labels).sum(axis=0) / (1 - labels).sum(),
        ),
        "this is one number for all findings together: keep them apart with axis=0.": (
            labels.mean(),
            1 - labels.mean(),
        ),
        "the second array is the same as the first: it should hold the share of the images without the finding.": (
            positive,
            positive,
        ),
    }

    def find_mistake(function):
        value = function(labels.copy())
        if not (isinstance(value, (tuple, list, np.ndarray)) and len(value) == 2):
            return "it should return two arrays: the positive and the negative frequencies."
        if same(value[0], by_row):
            return "these are shares of each image, one a row: the frequency of a finding runs over the images, axis=0."
        if same(value, (positive, negative)):
            other = np.tile(labels, (1, 2))[:4]
            return None if same(function(other), losses.class_frequencies(other)) else "it works for one size only."
        return first_match(value, mistakes) or say(
            "expected were the frequencies {positive} and {negative}, it gives {value}.",
            positive=positive.round(2).tolist(),
            negative=negative.round(2).tolist(),
            value=value,
        )

    return judge("3.2", "Class frequencies", student, losses.class_frequencies, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 3.3


def _weighted(pos, neg, epsilon, true, predicted, **mistake) -> float:
    """Compute the weighted loss as `losses.weighted_loss` does, or with one mistake (NumPy)."""
    if mistake.get("swapped"):
        pos, neg = neg, pos
    if mistake.get("by_image"):
        pos, neg = (np.resize(weights, len(true))[:, None] for weights in (pos, neg))
    if mistake.get("no_weights"):
        pos = neg = np.ones(true.shape[1])
    with np.errstate(all="ignore"):
        if mistake.get("outside"):
            yes, no = np.log(predicted) + epsilon, np.log(1 - predicted) + epsilon
        elif mistake.get("no_epsilon"):
            yes, no = np.log(predicted), np.log(1 - predicted)
        elif mistake.get("minus_epsilon"):
            yes, no = np.log(predicted + epsilon), np.log(1 - (predicted + epsilon))
        else:
            yes, no = np.log(predicted + epsilon), np.log(1 - predicted + epsilon)
    yes, no = yes / np.log(mistake.get("base", np.e)), no / np.log(mistake.get("base", np.e))
    gain = pos * true * yes * (not mistake.get("only_negative")) + neg * (1 - true) * no * (
        not mistake.get("only_positive")
    )
    loss = mistake.get("sign", -1) * gain
    over_images, over_findings = mistake.get("images", np.mean), mistake.get("findings", np.sum)
    return float(over_findings(over_images(loss, axis=0)))


def check_weighted_loss(student: Callable) -> Callable:
    """Check exercise 3.3; return the student's function or the reference. Its first case is the published one."""
    true = np.array([[1.0, 1, 1], [1, 1, 0], [0, 1, 0], [1, 0, 1]])
    pos, neg = np.array([0.25, 0.25, 0.5]), np.array([0.75, 0.75, 0.5])
    uneven = np.array([[0.9, 0.2, 0.6], [0.7, 0.4, 0.1], [0.3, 0.8, 0.5], [0.6, 0.1, 0.7]])
    cases = [
        (pos, neg, 1.0, true, np.full(true.shape, 0.7)),
        (pos, neg, 1e-7, true, uneven),
        (pos, neg, 1.0, true, uneven),
        (np.array([0.9, 0.1]), np.array([0.1, 0.9]), 1e-7, true[:, :2], uneven[:, :2]),
    ]
    mistakes = {
        "the weights are swapped: pos_weights belong to the images with the finding.": {"swapped": True},
        "this is the mean over the findings: they should be added up.": {"findings": np.mean},
        "this is the sum over the images: take their mean, or a larger batch would have a larger loss.": {
            "images": np.sum
        },
        "this is the mean over the findings of the sum over the images: exchange the two.": {
            "images": np.sum,
            "findings": np.mean,
        },
        "the weights are not used.": {"no_weights": True},
        "the weights go along the images: they belong to the findings, the last axis.": {"by_image": True},
        "the minus sign is missing: a loss gets smaller when the predictions get better.": {"sign": 1},
        "epsilon stands outside of the logarithm: it should keep the logarithm away from 0.": {"outside": True},
        "epsilon is not used: log(0) is minus infinity.": {"no_epsilon": True},
        "in the second logarithm epsilon is subtracted: it is log(1 - y_pred + epsilon).": {"minus_epsilon": True},
        "only the images with the finding count: add the term of the images without it.": {"only_positive": True},
        "only the images without the finding count: add the term of the images with it.": {"only_negative": True},
        "this is the logarithm to base 2: take the natural one.": {"base": 2},
        "this is the logarithm to base 10: take the natural one.": {"base": 10},
    }

    def find_mistake(function):
        from keras import ops

        values = []
        for p, n, epsilon, y, guess in cases:
            loss = function(p, n, epsilon) if epsilon != 1e-7 else function(p, n)
            if not callable(loss):
                return "it should return a function of y_true and y_pred, not a number: define it inside."
            values.append(
                np.asarray(ops.convert_to_numpy(loss(ops.convert_to_tensor(y), ops.convert_to_tensor(guess))))
            )
        if any(value.ndim for value in values):
            return say("the loss has the shape {shape}; one number is asked for.", shape=values[0].shape)
        expected = [_weighted(*case) for case in cases]
        if np.allclose(values, expected, rtol=1e-4, atol=1e-6):
            return None
        for sentence, mistake in mistakes.items():
            wrong = [_weighted(*case, **mistake) for case in cases]
            if np.allclose(values, wrong, rtol=1e-4, atol=1e-6, equal_nan=True):
                return sentence
        if np.allclose(values[:2], expected[:2], rtol=1e-4) and not np.allclose(values, expected, rtol=1e-4):
            return "it is right for three findings, but not for two: take the number of findings from the arrays."
        return say(
            "with epsilon 1 and all predictions 0.7 the loss is {value:.4f}; expected was {expected:.4f}.",
            value=float(values[0]),
            expected=expected[0],
        )

    return judge("3.3", "The weighted loss", student, losses.weighted_loss, find_mistake)


# ---------------------------------------------------------------------------------------------------------
# 3.4


MAPS, LINKS, GROWTH = 6, 3, 5  # of the block that the check asks for


def dense_block(maps, blocks: int, growth_rate: int):
    """Return `maps` with `blocks` times `growth_rate` new maps after them (a Keras tensor).

    Each time: BN, ReLU, 1 x 1 convolution to 4 * growth_rate maps, BN, ReLU, 3 x 3 convolution to growth_rate maps, and
    the result is joined to all that came before (Huang et al. 2017, https://doi.org/10.1109/CVPR.2017.243).
    """
    from keras import layers

    for _link in range(blocks):
        new = layers.ReLU()(layers.BatchNormalization()(maps))
        new = layers.Conv2D(4 * growth_rate, 1, use_bias=False)(new)
        new = layers.ReLU()(layers.BatchNormalization()(new))
        new = layers.Conv2D(growth_rate, 3, padding="same", use_bias=False)(new)
        maps = layers.Concatenate()([maps, new])
    return maps


def block_reference() -> dict[str, Any]:
    """Return the layers of a block of three links, as `network` compares them."""
    from keras import layers

    reference = {"input": layers.InputLayer((8, 8, MAPS))}
    for number in range(LINKS):
        reference |= {
            f"norm {number}": layers.BatchNormalization(),
            f"relu {number}": layers.ReLU(),
            f"1 x 1 {number}": layers.Conv2D(4 * GROWTH, 1, use_bias=False),
            f"second norm {number}": layers.BatchNormalization(),
            f"second relu {number}": layers.ReLU(),
            f"3 x 3 {number}": layers.Conv2D(GROWTH, 3, padding="same", use_bias=False),
            f"join {number}": layers.Concatenate(),
        }
    return reference


def block_mistakes() -> dict[str, dict[str, Any]]:
    """Return the classic mistakes: the sentence, and what is changed in the first link of a block."""
    from keras import layers

    return {
        _("the 1 x 1 convolution is missing: it makes 4 * growth_rate maps for the 3 x 3 convolution to read."): {
            **{"1 x 1 0": None, "second norm 0": None, "second relu 0": None}
        },
        _("batch normalization is missing: it comes first, before ReLU and convolution."): {
            **{"norm 0": None, "relu 0": None, "second norm 0": None, "second relu 0": None}
        },
        _("the convolutions have a bias. The batch normalization after them makes it useless: use_bias=False."): {
            "1 x 1 0": layers.Conv2D(20, 1)
        },
        _("the 1 x 1 convolution should make 4 * growth_rate maps; here it makes growth_rate."): {
            "1 x 1 0": layers.Conv2D(5, 1, use_bias=False)
        },
        _("the ReLU comes after a convolution: DenseNet puts it before, after the normalization."): {
            "relu 0": None,
            "1 x 1 0": layers.Conv2D(20, 1, use_bias=False, activation="relu"),
        },
        _("ReLU is missing: without it two convolutions in a row are one."): {
            **{f"{name} {number}": None for name in ("relu", "second relu") for number in range(LINKS)}
        },
        _("a ReLU is missing: there is one before each convolution."): {"relu 0": None},
    }


def check_dense_block(student: Callable) -> Callable:
    """Check exercise 3.4; return the student's function or the reference."""

    def find_mistake(function):
        import keras

        inputs = keras.Input((8, 8, MAPS))
        model = keras.Model(inputs, function(inputs, LINKS, GROWTH))
        if model.output is inputs or not model.count_params():
            return _("the maps come back as they were: add the layers, and return the new tensor.")
        mistake = _mistake_in_shape(*model.output.shape[1:])
        return mistake or network.find_mistake(lambda: model, [()], block_reference, block_mistakes)

    return judge("3.4", "Build a dense block", student, dense_block, find_mistake)


def _mistake_in_shape(height: int, width: int, maps: int) -> str | None:
    """Name what is wrong with the shape of a block's output, if anything is."""
    if (height, width) != (8, 8):
        return _(
            "maps of (8, 8) became maps of {after}: padding='same' keeps their size, and a block does not pool."
        ).format(after=(height, width))
    mistakes = {
        MAPS + LINKS * GROWTH: None,
        GROWTH: _("only the last new maps come out: join them to all the maps that came before, with Concatenate."),
        MAPS: _("the number of maps has not grown: were they added? A dense block joins them, with Concatenate."),
        LINKS * GROWTH: _("the maps that came in are missing at the end: the first link starts with them."),
        MAPS + GROWTH: _("only one of the 3 layers is there: repeat it."),
        MAPS + 4 * LINKS * GROWTH: _(
            "4 * growth_rate maps come out of each layer: the 3 x 3 convolution makes growth_rate maps of them."
        ),
    }
    other = _("{maps} maps come out; expected were 21: those that came in, and 5 more from each of 3 layers.")
    return mistakes.get(maps, other.format(maps=maps))


# ---------------------------------------------------------------------------------------------------------
# 3.5


def draw_patients(patients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the row numbers of one bootstrap draw by patient.

    As many patients as there are, drawn with replacement; all the rows of each, as often as it was drawn.
    """
    names = np.unique(patients)
    drawn = rng.choice(names, size=len(names))
    return np.concatenate([np.flatnonzero(patients == name) for name in drawn])


def check_draw_patients(student: Callable) -> Callable:
    """Check exercise 3.5; return the student's function or the reference."""
    counts = np.array([1, 7, 2, 1, 5, 3, 1, 4])
    patients = np.repeat(["P" + str(number) for number in range(len(counts))], counts)
    patients = patients[np.random.default_rng(8).permutation(len(patients))]

    def find_mistake(function):
        draws = [np.asarray(function(patients.copy(), np.random.default_rng(seed))) for seed in range(60)]
        if any(draw.ndim != 1 for draw in draws):
            return "it should return one array of row numbers."
        if draws[0].dtype.kind in "US":
            return "it returns names of patients; the numbers of their rows are asked for."
        if draws[0].dtype == bool:
            return "it returns True or False for each row: a patient who is drawn twice must come twice."
        if draws[0].dtype.kind not in "iu":
            return "row numbers are whole numbers."
        return _draw_mistake(draws, patients)

    return judge("3.5", "Draw patients", student, draw_patients, find_mistake)


def _draw_mistake(draws: list[np.ndarray], patients: np.ndarray) -> str | None:
    """Name what is wrong with many bootstrap draws of row numbers, if anything is."""
    everybody = len(np.unique(patients))
    times = [np.bincount(draw, minlength=len(patients)) for draw in draws]
    if any(len(count) > len(patients) for count in times):
        return "a row number is too large: rows are counted from 0."
    uneven = [any(len(set(count[patients == name])) > 1 for name in np.unique(patients)) for count in times]
    if any(uneven):
        one_row = all(len(draw) <= everybody for draw in draws)
        if one_row:
            return "one image of each drawn patient is left: take all of them."
        return "images are drawn, not patients: the images of one patient must come together, equally often."
    if all(np.array_equal(np.sort(draw), np.sort(draws[0])) for draw in draws):
        if len(draws[0]) == len(patients) and times[0].max() == 1:
            return "every draw holds everybody once: draw with replacement."
        return "every draw is the same: use the generator rng that is given, not one of your own."
    each = [[count[patients == name][0] for name in np.unique(patients)] for count in times]
    if max(map(max, each)) == 1:
        return "nobody comes twice: a patient who is drawn twice counts twice (isin keeps each one once)."
    drawn = {sum(one) for one in each}
    if drawn != {everybody}:
        return say(
            "{drawn} patients were drawn in one draw; draw as many as there are: {everybody}.",
            drawn=next(iter(drawn - {everybody})),
            everybody=everybody,
        )
    return None


# ---------------------------------------------------------------------------------------------------------
# 3.6


def grad_cam_map(maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Return the Grad-CAM map (height, width) of feature maps and of the gradients of a score by them.

    Both have the shape (height, width, channels). Selvaraju et al. 2017, https://doi.org/10.1109/ICCV.2017.74.
    """
    weights = gradients.mean(axis=(0, 1))
    return np.maximum(maps @ weights, 0)


def check_grad_cam(student: Callable) -> Callable:
    """Check exercise 3.6; return the student's function or the reference."""
    rng = np.random.default_rng(5)
    maps = np.maximum(rng.normal(size=(3, 4, 5)), 0)
    offset = np.array([1.0, -1.0, 0.5, -0.5, 0.1])  # some maps speak for the finding, some against it
    gradients = rng.normal(size=(3, 4, 5)) + offset
    expected = grad_cam_map(maps, gradients)
    mean, total = gradients.mean(axis=(0, 1)), gradients.sum(axis=(0, 1))
    mistakes = {
        "negative values are left: ReLU keeps what speaks for the finding only.": maps @ mean,
        "the gradients are added up over the places: their mean is asked for.": np.maximum(maps @ total, 0),
        "the gradients are added up over the places, and ReLU is missing.": maps @ total,
        "the absolute value is taken: what speaks against the finding would shine as well. Use ReLU.": np.abs(
            maps @ mean
        ),
        "the maps and the gradients are exchanged: average the gradients, and add up the maps.": np.maximum(
            gradients @ maps.mean(axis=(0, 1)), 0
        ),
        "maps and gradients are multiplied place by place: Grad-CAM averages the gradients first.": np.maximum(
            (maps * gradients).sum(axis=-1), 0
        ),
        "the weighted maps are averaged: Grad-CAM adds them up.": np.maximum((maps * mean).mean(axis=-1), 0),
        "the gradients are cut off at 0 before the mean: ReLU comes at the end.": np.maximum(
            maps @ np.maximum(gradients, 0).mean(axis=(0, 1)), 0
        ),
        "the weights became positive before the sum: ReLU comes at the end.": maps @ np.maximum(mean, 0),
        "the maps are added up without weights.": np.maximum(maps.sum(axis=-1), 0),
        "the map is divided by its maximum: that is for drawing, and fails where the maximum is 0.": expected
        / expected.max(),
    }

    def find_mistake(function):
        value = function(maps.copy(), gradients.copy())
        if same(value, expected):
            return None
        found = first_match(value, mistakes)
        if found:
            return found
        if np.shape(value) != expected.shape:
            return say(
                "the result has the shape {shape}; expected was {expected}, one number for each place.",
                shape=np.shape(value),
                expected=expected.shape,
            )
        return "the numbers are not as expected: mean gradient of each map, weighted sum of the maps, ReLU."

    return judge("3.6", "Grad-CAM", student, grad_cam_map, find_mistake)
