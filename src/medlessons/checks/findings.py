"""The checks of lesson 3, and the reference solutions that they compare with."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from medlessons import losses
from medlessons.checks import network
from medlessons.checks.exercise import Mistake, call, first_true, grade, same
from medlessons.checks.numbers import Exercise
from medlessons.wording import _

if TYPE_CHECKING:
    import keras

# The tables are laid out by hand: a sentence, and what it is said of.
# fmt: off

# --- 3.1

def check_for_leakage(df1: pd.DataFrame, df2: pd.DataFrame, patient_col: str) -> bool:
    """Return whether any patient has images in both tables.

    Parameters
    ----------
    df1, df2 : DataFrame
        One row per image.
    patient_col : str
        The column that names the patients.
    """
    return bool(set(df1[patient_col]) & set(df2[patient_col]))


def _visits(patients: Sequence[int], start: int) -> pd.DataFrame:
    images = [f"{start + row:08}.png" for row in range(len(patients))]
    return pd.DataFrame({"Image": images, "who": patients}, index=range(start, start + len(patients)))


check_leakage = Exercise(
    "3.1", _("Find the leak"), check_for_leakage, together=True,
    cases={
        _("patient 2 has one image in each table, and it is not found: compare the patients, not the images, their "
          "file names or their row numbers."): [(_visits([0, 1, 2], 10), _visits([5, 6, 2], 20), "who")],
        _("a shared patient is found only if it is in the same row of both tables: compare sets of patients."):
            [(_visits([0, 1, 2], 10), _visits([2, 3, 4], 20), "who")],
        _("it reports a leak although no patient is shared: the two tables only have the same row numbers."):
            [(_visits([0, 1, 2], 10), _visits([3, 4, 5], 10), "who"), (_visits([3, 4], 10), _visits([8, 9], 3), "who")],
        _("it reports a leak because a patient has several images in one table. That is no leak: look for patients "
          "in both tables."): [(_visits([1, 1, 2], 10), _visits([3, 3, 4], 20), "who")],
        _("a shared patient is not found in tables of different length: compare sets of patients."):
            [(_visits(*one), _visits(*other), "who") for one, other in (
                (([1, 2, 3], 10), ([9, 3], 20)), (([2, 0, 1], 10), ([5, 2], 20)),
                (([1, 2, 3], 10), ([3, 2], 20)), (([1], 10), ([0, 1], 20)),
            )],
    },
    mistakes={
        _("the answers are the wrong way round: True means that a patient is on both sides."):
            {"then": lambda leak: not leak},
        _("it always answers True. Is it a union (|), which is never empty? Is the result compared with None, which an "
          "empty set is not? Does set(table) take the names of its columns?"): lambda df1, df2, patient_col: True,
        _("`in` looks among the row numbers of a Series, not among its values: make sets of patients."):
            lambda df1, df2, patient_col: any(patient in df2[patient_col] for patient in df1[patient_col]),
        _("only the first patient is looked up: a `return` in a loop ends it, so return False after the loop."):
            lambda df1, df2, patient_col: df1[patient_col].iloc[0] in set(df2[patient_col]),
        _("it asks whether all the patients of the first table are in the second: one is enough for a leak."):
            lambda df1, df2, patient_col: set(df1[patient_col]) <= set(df2[patient_col]),
        _("one shared patient is a leak: the number of shared patients is above 0, not above 1."):
            lambda df1, df2, patient_col: len(set(df1[patient_col]) & set(df2[patient_col])) > 1,
        _("it always answers False."): lambda df1, df2, patient_col: False,
    },
)


# --- 3.2

def _frequencies(
    labels: np.ndarray, *, share: Callable = lambda y: y.mean(axis=0), rest: Callable = lambda y, share: share(1 - y)
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares as `losses.class_frequencies` does; mistakes change the keyword arguments."""
    return share(labels), rest(labels, share)


def _others(labels: np.ndarray, share: Callable) -> np.ndarray:
    return 1 - share(labels)


def _two_arrays(function: Callable, labels: np.ndarray) -> Any:
    value = function(labels)
    if not (isinstance(value, tuple | list | np.ndarray) and len(value) == 2):
        raise Mistake(_("it should return two arrays: the positive and the negative frequencies."))
    return value


check_class_freqs = Exercise(
    "3.2", _("Class frequencies"), losses.class_frequencies,
    formula=_frequencies, answer=_two_arrays,
    cases={
        _("it gives {value}, expected were the frequencies {expected}, first the positive ones."):
            [(np.array([[1, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1], [1, 0, 1]]),)],
        _("it works for one size only."):
            [(np.array([[1, 0, 0, 1, 0, 0], [0, 1, 1, 0, 1, 1], [1, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1]]),)],
    },
    mistakes={
        _("the two are swapped: the positive frequencies come first."): {"then": lambda both: both[::-1]},
        _("these are shares of each image, one per row: the frequency of a finding runs over the images, axis=0."):
            {"share": lambda y: y.mean(axis=1)},
        _("these are counts: divide by the number of images."):
            {"share": lambda y: y.sum(axis=0)},
        _("the sums are divided by the number of findings: divide by the number of images."):
            [{"share": lambda y: y.sum(axis=0) / y.shape[1], **rest} for rest in ({}, {"rest": _others})],
        _("the sums are divided by all positive labels, so they add up to 1 over the findings. An image can have "
          "several findings: divide by the number of images."):
            [{"share": lambda y: y.sum(axis=0) / y.sum(), **rest} for rest in ({}, {"rest": _others})],
        _("this is one number for all findings together: keep them apart with axis=0."):
            {"share": np.mean},
        _("the second array is the same as the first: it should hold the share of the images without the finding."):
            {"then": lambda both: (both[0], both[0])},
        _("the sums are divided by the number of all labels: divide by the number of images, which is len(labels)."):
            [{"share": lambda y: y.sum(axis=0) / y.size, **rest} for rest in ({}, {"rest": _others})],
        _("the sums are divided by the number of images minus 1: a share is divided by the number of all images."):
            [{"share": lambda y: y.sum(axis=0) / (len(y) - 1), **rest} for rest in ({}, {"rest": _others})],
        _("these are odds, positive by negative images: divide both by the number of all images."):
            {"share": lambda y: y.sum(axis=0) / np.maximum((1 - y).sum(axis=0), 1)},
        _("the sign of the second array is wrong: it should be 1 minus the first."):
            [{"then": lambda both: (both[0], -both[0])}, {"then": lambda both: (both[0], -both[1])}],
        _("the second array is 1 divided by the first: it should be 1 minus the first."):
            {"rest": lambda y, share: 1 / share(y)},
    },
)


# --- 3.3

def _weighted_loss(
    pos: np.ndarray, neg: np.ndarray, epsilon: float, true: np.ndarray, predicted: np.ndarray, *,
    logs: Callable = lambda p, epsilon: (np.log(p + epsilon), np.log(1 - p + epsilon)),
    present: Callable = lambda true: (true, 1 - true), reduce: Callable = lambda loss: loss.mean(axis=0).sum(),
) -> float:
    """Compute the weighted loss as `losses.weighted_loss` does, with NumPy; mistakes change the keyword arguments."""
    (yes, no), (log_yes, log_no) = present(true), logs(predicted, epsilon)
    return reduce(-(pos * yes * log_yes + neg * no * log_no))


def _loss_of(function: Callable, pos, neg, epsilon: float, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return what the loss of a student's function gives; the usual epsilon is left to the function."""
    from keras import ops

    loss = function(pos, neg) if epsilon == losses.EPSILON else function(pos, neg, epsilon)
    if not callable(loss):
        raise Mistake(_("it should return a function of y_true and y_pred, not a number: define it inside."))
    return np.asarray(ops.convert_to_numpy(loss(ops.convert_to_tensor(true), ops.convert_to_tensor(predicted))))


_TRUE = np.array([[1.0, 1, 1], [1, 1, 0], [0, 1, 0], [1, 0, 1]])
_PREDICTED = np.array([[0.9, 0.2, 0.6], [0.7, 0.4, 0.1], [0.3, 0.8, 0.5], [0.6, 0.1, 0.7]])
_WEIGHTS = np.array([0.25, 0.25, 0.5]), np.array([0.75, 0.75, 0.5])

check_weighted_loss = Exercise(
    "3.3", _("The weighted loss"), losses.weighted_loss,
    formula=_weighted_loss, answer=_loss_of, together=True, rtol=1e-4, atol=1e-6,
    cases={
        _("with epsilon 1 and all predictions 0.7 the loss is {value}; expected was {expected}."):
            [(*_WEIGHTS, 1.0, _TRUE, np.full(_TRUE.shape, 0.7))],  # the published one
        _("for uneven predictions the loss is {value}; expected was {expected}."):
            [(*_WEIGHTS, losses.EPSILON, _TRUE, _PREDICTED), (*_WEIGHTS, 1.0, _TRUE, _PREDICTED)],
        _("it is right for three findings, but not for two: take the number of findings from the arrays."):
            [(np.array([0.9, 0.1]), np.array([0.1, 0.9]), losses.EPSILON, _TRUE[:, :2], _PREDICTED[:, :2])],
    },
    mistakes={
        _("the weights are swapped: pos_weights belong to the images with the finding."):
            lambda pos, neg, *rest: _weighted_loss(neg, pos, *rest),
        _("this is the mean over the findings: they should be added up."): {"reduce": np.mean},
        _("this is the sum over the images: take their mean, or a larger batch would have a larger loss."):
            {"reduce": np.sum},
        _("this is the mean over the findings of the sum over the images: exchange the two."):
            {"reduce": lambda loss: loss.sum(axis=0).mean()},
        _("the weights are not used."): lambda pos, neg, *rest: _weighted_loss(1, 1, *rest),
        _("the weights go along the images: they belong to the findings, the last axis."): (
            lambda pos, neg, epsilon, true, predicted: _weighted_loss(
                *(np.resize(weights, (len(true), 1)) for weights in (pos, neg)), epsilon, true, predicted
            )
        ),
        _("the minus sign is missing: a loss gets smaller when the predictions get better."): {"then": np.negative},
        _("epsilon stands outside of the logarithm: it should keep the logarithm away from 0."):
            [{"logs": lambda p, epsilon: (np.log(p) + epsilon, np.log(1 - p) + epsilon)},
             lambda pos, neg, epsilon, *rest: _weighted_loss(pos, neg, 0, *rest) - 2 * epsilon * len(pos)],
        _("epsilon is not used: it keeps the logarithm away from 0."):
            {"logs": lambda p, epsilon: (np.log(p), np.log(1 - p))},
        _("in the second logarithm epsilon is subtracted: it is log(1 - y_pred + epsilon)."):
            {"logs": lambda p, epsilon: (np.log(p + epsilon), np.log(1 - (p + epsilon)))},
        _("only the images with the finding count: add the term of the images without it."):
            lambda pos, neg, *rest: _weighted_loss(pos, 0, *rest),
        _("only the images without the finding count: add the term of the images with it."):
            lambda pos, neg, *rest: _weighted_loss(0, neg, *rest),
        _("the minus sign is before the first term only: it belongs before the sum of both, in brackets."):
            lambda pos, neg, *rest: _weighted_loss(pos, -neg, *rest),
        _("y_true and y_pred are exchanged: the logarithm is that of the prediction, y_pred."):
            lambda pos, neg, epsilon, true, predicted: _weighted_loss(pos, neg, epsilon, predicted, true),
        _("both logarithms are log(y_pred + epsilon): the second one is log(1 - y_pred + epsilon)."):
            {"logs": lambda p, epsilon: (np.log(p + epsilon), np.log(p + epsilon))},
        _("both terms have the factor y_true: the second one has 1 - y_true, the images without the finding."):
            {"present": lambda true: (true, true)},
        _("the second term lacks its factor 1 - y_true: it counts the images without the finding only."):
            {"present": lambda true: (true, 1)},
        _("only one finding counts: add up in the loop, with +=, and return after it."):
            [{"reduce": lambda loss, at=at: loss.mean(axis=0)[at]} for at in (0, -1)],
    },
)


# --- 3.4

def call_findings(
    scores: np.ndarray, train_labels: np.ndarray, *,
    threshold: Callable = lambda scores, labels: labels.mean(axis=0), above: Callable = np.greater,
) -> np.ndarray:
    """Return where an output is above the frequency of its finding in training, an array of bool.

    Parameters
    ----------
    scores : array, shape (images, findings)
        Outputs of a network that was trained with the plain loss, from 0 to 1.
    train_labels : array of 0 and 1, shape (training images, findings)
    """
    return above(scores, threshold(scores, train_labels))


def _case(frequencies: Sequence[float], images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs around the frequencies (eighths) of findings, the first ones equal to them, and 40 labels."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(40)[:, None] < 40 * np.array(frequencies)).astype(int)
    scores = np.round(rng.uniform(0, np.minimum(1, 2.5 * np.array(frequencies)), (images, len(frequencies))), 3)
    return np.vstack([labels.mean(axis=0), scores[1:]]), labels


check_call_findings = Exercise(
    "3.4", _("Move the threshold"), call_findings, together=True,
    cases={
        _("the calls are not as expected: True where an output is above the frequency of its finding in training."):
            [_case((0.125, 0.25, 0.625, 0.375), 12, 0)],
        _("it works for one size only: take the numbers of images and findings from the arrays."):
            [_case((0.25, 0.125, 0.375), 9, 1)],
    },
    mistakes={
        _("an output that equals the frequency is not above it: write >, not >=."): {"above": np.greater_equal},
        _("the mean runs along the findings, axis=1: a frequency runs over the images, axis=0."):
            {"threshold": lambda scores, labels: labels.mean(axis=1)},
        _("both arrays of exercise 3.2 are taken for the threshold: take the first, the positive frequencies."):
            {"threshold": lambda scores, labels: np.array(losses.class_frequencies(labels))},
        _("this says where the findings are: return the answers of the comparison, without np.where."):
            {"then": lambda calls: np.array(np.nonzero(calls))},
        _("the threshold is 0.5 for every finding: no output of a rare finding gets there. Take its frequency."):
            {"threshold": lambda scores, labels: 0.5},
        _("all findings have the same threshold, made of all labels together: take one per finding, with axis=0."): [
            {"threshold": lambda scores, labels: labels.mean()},
            {"threshold": lambda scores, labels: labels.mean(axis=0).max()},
        ],
        _("the threshold is made of the outputs: then the answer for a patient depends on the others who came. Take "
          "the training labels."): [
            {"threshold": lambda scores, labels: scores.mean(axis=0)},
            {"threshold": lambda scores, labels: scores.mean()},
        ],
        _("the threshold is the frequency of the negatives: take that of the positives."):
            {"threshold": lambda scores, labels: 1 - labels.mean(axis=0)},
        _("no finding is called in any image: the threshold is above every output. It is a share, the number of "
          "positives divided by the number of training images."): [
            lambda scores, labels: np.zeros(scores.shape, bool),
            {"threshold": lambda scores, labels: labels.sum(axis=0)},
            {"threshold": lambda scores, labels: labels.sum(axis=0) / len(scores)},
            {"threshold": lambda scores, labels: labels.sum(axis=0) / labels.shape[1]},
            {"threshold": lambda scores, labels: labels.mean(axis=0) * 100},
        ],
        _("the threshold is the median of the labels, which is 0 for a rare finding: take their mean."):
            {"threshold": lambda scores, labels: np.median(labels, axis=0)},
        _("the answers are the wrong way round: a finding is called where its output is above the threshold."):
            [{"then": np.logical_not}, {"above": np.less}],
        _("these are numbers and no answers: compare with >, and return True or False."): [
            lambda scores, labels: scores - labels.mean(axis=0),
            lambda scores, labels: scores * (scores > labels.mean(axis=0)),
        ],
    },
)


# --- 3.5

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
    """Return the classic mistakes: the sentence, and what is changed in the links of a block, or the first of them."""
    from keras import layers

    def each(layers_of: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Change all the links, each with layers of its own."""
        return {f"{name} {link}": layer for link in range(LINKS) for name, layer in layers_of().items()}

    return {
        _("batch normalization is missing: it comes first, before ReLU and convolution."):
            each(lambda: {"norm": None, "second norm": None}),
        _("the 1 x 1 convolution is missing: it makes 4 * growth_rate maps for the 3 x 3 convolution to read."):
            each(lambda: {"1 x 1": None, "second norm": None, "second relu": None}),
        _("the second normalization and its ReLU are missing: they come between the two convolutions."):
            each(lambda: {"second norm": None, "second relu": None}),
        _("the convolutions have a bias. The batch normalization after them makes it useless: use_bias=False."):
            {"1 x 1 0": layers.Conv2D(20, 1)},
        _("the 1 x 1 convolution should make 4 * growth_rate maps; here it makes growth_rate."):
            {"1 x 1 0": layers.Conv2D(5, 1, use_bias=False)},
        _("the kernels are swapped: 1 x 1 for the 4 * growth_rate maps, 3 x 3 for the new ones."): each(lambda: {
            "1 x 1": layers.Conv2D(20, 3, padding="same", use_bias=False),
            "3 x 3": layers.Conv2D(5, 1, use_bias=False),
        }),
        _("ReLU comes before the normalization: normalize first."): each(lambda: {
            **{name: layers.ReLU() for name in ("norm", "second norm")},
            **{name: layers.BatchNormalization() for name in ("relu", "second relu")},
        }),
        _("the ReLU comes after a convolution: DenseNet puts it before, after the normalization."):
            {"relu 0": None, "1 x 1 0": layers.Conv2D(20, 1, use_bias=False, activation="relu")},
        _("ReLU is missing: without it two convolutions in a row are one."):
            each(lambda: {"relu": None, "second relu": None}),
        _("a ReLU is missing: there is one before each convolution."): {"relu 0": None},
    }


def _mistake_in_order(model: "keras.Model") -> str | None:
    from keras import ops

    images = np.random.default_rng(0).normal(size=(1, 8, 8, MAPS)).astype("float32")
    if same(ops.convert_to_numpy(model(images))[..., :MAPS], images):
        return None
    return _("the new maps come first: the maps that came in stay in front, Concatenate()([maps, new]).")


def _mistake_in_shape(height: int, width: int, maps: int) -> str | None:
    """Name what is wrong with the shape of a block's output, if anything is."""
    if (height, width) != (8, 8):
        sentence = _("maps of (8, 8) became maps of {now}: padding='same' keeps their size, and a block does not pool.")
        return sentence.format(now=(height, width))
    other = _("{maps} maps come out; expected were 21: those that came in, and 5 more from each of 3 layers.")
    return NUMBERS_OF_MAPS.get(maps, other.format(maps=maps))


NUMBERS_OF_MAPS = {  # that come out, and why
    MAPS + LINKS * GROWTH: None,
    GROWTH: _("only the last new maps come out: join them to all the maps that came before, with Concatenate."),
    MAPS: _("the number of maps has not grown: were they added? A dense block joins them, with Concatenate."),
    LINKS * GROWTH: _("the maps that came in are missing at the end: the first link starts with them."),
    MAPS + GROWTH: _("only the maps of one layer are new: repeat the chain, and join each time with all maps so far, "
                     "not with those that came in."),
    MAPS + 4 * LINKS * GROWTH: _("4 * growth_rate maps come out of each layer: the 3 x 3 convolution makes growth_rate "
                                 "maps of them."),
}


def _wrong_block(function: Callable) -> str | None:
    model = network.model_of(function, (8, 8, MAPS), LINKS, GROWTH)
    if not model.count_params():
        return _("the maps come back as they were: add the layers, and return the new tensor.")
    return _mistake_in_shape(*model.output.shape[1:]) or network.find_mistake(
        lambda: model, [()], block_reference, block_mistakes, afterwards=_mistake_in_order
    )


check_dense_block = partial(grade, "3.5", _("Build a dense block"), dense_block, _wrong_block)


# --- 3.6

def draw_patients(patients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the row numbers of one bootstrap draw: all the rows of each patient, as often as he was drawn.

    Parameters
    ----------
    patients : array of str, shape (images,)
        As many patients as there are, are drawn with replacement.
    rng : numpy.random.Generator
    """
    names = np.unique(patients)
    drawn = rng.choice(names, size=len(names))
    return np.concatenate([np.flatnonzero(patients == name) for name in drawn])


PATIENTS = np.repeat([f"P{number}" for number in range(8)], [1, 7, 2, 1, 5, 3, 1, 4])
PATIENTS = np.random.default_rng(8).permutation(PATIENTS)
NAMES, FIRST, WHOSE = np.unique(PATIENTS, return_index=True, return_inverse=True)
ROWS = {  # tests of 60 draws
    _("it should return one array of row numbers."): lambda draws: any(draw.ndim != 1 for draw in draws),
    _("it returns names of patients; the numbers of their rows are asked for."):
        lambda draws: draws[0].dtype.kind in "US",
    _("it returns True or False for each row: a patient who is drawn twice must come twice."):
        lambda draws: draws[0].dtype == bool,
    _("row numbers are whole numbers."): lambda draws: draws[0].dtype.kind not in "iu",
    _("a row number is too large: rows are counted from 0."): lambda draws: any(draw.max() > 23 for draw in draws),
}
DRAWS = {  # tests of how often each row comes (a line per draw), and each patient: his first row
    _("the images of one patient are left: collect the rows of all who are drawn, and join them at the end."):
        lambda rows, each: (np.stack([rows[:, who == WHOSE].any(axis=1) for who in range(8)]).sum(axis=0) == 1).all(),
    _("only the first 8 rows come: these are numbers of patients. Ask for the rows of each: patients == name."):
        lambda rows, each: not rows[:, 8:].any(),
    _("one image of each drawn patient is left: take all of them."):
        lambda rows, each: (rows != each[:, WHOSE]).any() and rows.sum(axis=1).max() <= 8,
    _("images are drawn, not patients: the images of one patient must come together, equally often."):
        lambda rows, each: (rows != each[:, WHOSE]).any(),
    _("every draw holds everybody once: draw with replacement."): lambda rows, each: (rows == 1).all(),
    _("every draw is the same: use the generator rng that is given, not one of your own."):
        lambda rows, each: (rows == rows[0]).all(),
    _("nobody comes twice: a patient who is drawn twice counts twice (isin keeps each one once)."):
        lambda rows, each: each.max() == 1,
    _("{found} patients were drawn in one draw; draw as many as there are: 8."):
        lambda rows, each: next((str(number) for number in each.sum(axis=1) if number != 8), None),
    _("patient {found} is never drawn: rng.integers counts from 0, and ends before its upper end."):
        lambda rows, each: next(iter(NAMES[~each.any(axis=0)]), None),
    _("patients with many images are drawn more often: draw from np.unique(patients), where each one is once."):
        lambda rows, each: each.sum(axis=0)[np.bincount(WHOSE).argmax()] > 1.6 * len(rows),
}


def _wrong_draws(function: Callable) -> str | None:
    draws = [np.asarray(call(function, PATIENTS, np.random.default_rng(seed))) for seed in range(60)]
    mistake = first_true(ROWS, draws)
    if mistake:
        return mistake
    if not np.array_equal(draws[0], np.asarray(call(function, PATIENTS, np.random.default_rng(0)))):
        return _("two draws with the same generator differ: draw with rng, not with np.random.")
    rows = np.stack([np.bincount(draw, minlength=len(PATIENTS)) for draw in draws])
    return first_true(DRAWS, rows, rows[:, FIRST])


check_draw_patients = partial(grade, "3.6", _("Draw patients"), draw_patients, _wrong_draws)


# --- 3.7

def _positive(values: np.ndarray) -> np.ndarray:
    return np.maximum(values, 0)


def grad_cam_map(
    maps: np.ndarray, gradients: np.ndarray, *, weigh: Callable = lambda gradients: gradients.mean(axis=(0, 1)),
    keep: Callable = _positive,
) -> np.ndarray:
    """Return the Grad-CAM map (height, width). Selvaraju et al. 2017, https://doi.org/10.1109/ICCV.2017.74.

    Parameters
    ----------
    maps, gradients : arrays of shape (height, width, channels)
        The feature maps, and the gradients of a score by them.
    """
    return keep(maps @ weigh(gradients))


_rng = np.random.default_rng(5)
check_grad_cam = Exercise(
    "3.7", _("Grad-CAM"), grad_cam_map,
    cases={
        _("the numbers are not as expected: mean gradient of each map, weighted sum of the maps, ReLU."):
            [(np.maximum(_rng.normal(size=(3, 4, 5)), 0), _rng.normal([1.0, -1.0, 0.5, -0.5, 0.1], 1, (3, 4, 5)))],
    },
    mistakes={
        _("the weighted maps are not added up: there is one number for each place."):
            lambda maps, gradients: np.maximum(maps * gradients.mean(axis=(0, 1)), 0),
        _("negative values are left: ReLU keeps what speaks for the finding only."): {"keep": np.array},
        _("the gradients are added up over the places: their mean is asked for."):
            {"weigh": partial(np.sum, axis=(0, 1))},
        _("the absolute value is taken: what speaks against the finding would shine as well. Use ReLU."):
            {"keep": np.abs},
        _("the maps and the gradients are exchanged: average the gradients, and add up the maps."):
            lambda maps, gradients: grad_cam_map(gradients, maps),
        _("maps and gradients are multiplied place by place: Grad-CAM averages the gradients first."): [
            lambda maps, gradients: np.maximum((maps * gradients).sum(axis=-1), 0),
            lambda maps, gradients: np.maximum((maps * gradients).mean(axis=-1), 0),
        ],
        _("the weighted maps are averaged: Grad-CAM adds them up."): {"then": lambda heat: heat / 5},
        _("gradients, weights or weighted maps became positive before the sum: ReLU comes at the end."): [
            {"weigh": lambda gradients, when=when, made=made: when(gradients, made)} for made in (np.abs, _positive)
            for when in (lambda g, made: made(g).mean(axis=(0, 1)), lambda g, made: made(g.mean(axis=(0, 1))))
        ],
        _("the mean is taken over the maps (the last axis): take it over the places, axis=(0, 1)."): [
            lambda maps, gradients: np.maximum(maps.mean(axis=-1) * gradients.mean(axis=-1), 0),
            lambda maps, gradients: np.maximum(maps.sum(axis=-1) * gradients.mean(axis=-1), 0),
        ],
        _("the mean is taken over everything, places and maps: each map has a weight of its own, axis=(0, 1)."):
            {"weigh": lambda gradients: np.full(gradients.shape[-1], gradients.mean())},
        _("np.max looks for the largest number along an axis: np.maximum(..., 0) is ReLU."):
            {"keep": lambda heat: heat.max(axis=0)},
        _("the gradients are averaged over one axis of the places only: axis=(0, 1)."): [
            *(lambda maps, gradients, axis=axis: np.maximum((maps * gradients.mean(axis, keepdims=True)).sum(-1), 0)
              for axis in (0, 1)),
        ],
        _("only what is negative is kept: ReLU is the maximum with 0."): {"keep": lambda heat: np.minimum(heat, 0)},
        _("the maps are added up without weights."): {"weigh": lambda gradients: np.ones(gradients.shape[-1])},
        _("the map is scaled by its maximum: that is for drawing, and fails where the maximum is 0."):
            [{"then": lambda heat: heat / heat.max()}, {"keep": lambda heat: (heat - heat.min()) / np.ptp(heat)}],
    },
)
