"""The exercises of lesson 6: milliliters, patches, standardizing, Dice and its loss, windows, regions."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from medlessons import losses, segmentation, volumes
from medlessons.checks import network
from medlessons.checks.exercise import Mistake, first_true, grade
from medlessons.checks.numbers import Exercise
from medlessons.wording import _

if TYPE_CHECKING:  # importing Keras takes seconds
    import keras

# The tables are laid out by hand: a sentence, and what it is said of.
# fmt: off


# --- 6.1

LABEL = np.random.default_rng(0).choice(4, (6, 5, 4), p=[0.6, 0.2, 0.1, 0.1]).astype(np.uint8)


def _volume(mask, spacing, *, size=np.prod, count=np.count_nonzero, unit=1000):
    return float(count(mask) * size(spacing) / unit)


check_volume_ml = Exercise(
    "6.1", _("Milliliters"), volumes.volume_ml,
    formula=_volume,
    cases={
        _("with voxels of {spacing} mm it gives {value} ml; expected were {expected} ml."):
            [(LABEL > 0, (3.0, 3.0, 4.5)), (LABEL == 2, (1.0, 0.5, 2.0))],
        _("it works for a mask, but not for labels from 0 to 3: count every voxel that is not 0 once."):
            [(LABEL, (3.0, 3.0, 4.5))],
    },
    mistakes={
        _("these are cubic millimeters: 1 ml has 1,000 of them."): {"unit": 1},
        _("this is the number of voxels: each has a volume, the product of its three edges."):
            {"size": lambda spacing: 1, "unit": 1},
        _("the size of a voxel is left out: multiply by the product of its three edges."): {"size": lambda spacing: 1},
        _("1 ml has 1,000 mm3: divide by 1,000."): [{"unit": unit} for unit in (1e-3, 10, 100, 1e4, 1e6, 1e9)],
        _("the size of a voxel is written into the function: take the spacing that is given."):
            {"size": lambda spacing: 3.0 * 3.0 * 4.5},
        _("the mask is not used: this is the volume of one voxel."): {"count": lambda mask: 1},
        _("len counts along one axis only: count the voxels of the mask."): {"count": len},
        _("the edges of a voxel are added up: its volume is their product."): {"size": np.sum},
        _("only two edges of a voxel are used: all three belong to its volume."):
            [{"size": lambda spacing: spacing[0] * spacing[1]}, {"size": lambda spacing: spacing[0] * spacing[2]}],
        _("the voxel is taken for a cube: multiply its three edges."):
            [{"size": lambda spacing, edge=edge: spacing[edge] ** 3} for edge in (0, 2)],
        _("all voxels are counted: only those of the mask belong to the volume."): {"count": np.size},
        _("the background is counted: the mask is where it is not 0."): {"count": lambda mask: np.sum(mask == 0)},
        _("the numbers of the labels are added up, so that label 3 counts thrice: count voxels that are not 0."):
            {"count": lambda mask: np.sum(mask, dtype=float)},
        _("only label 1 is counted: every voxel that is not 0 belongs to the volume."):
            {"count": lambda mask: np.sum(mask == 1)},
        _("the slices are not all there: sum over all three axes."): {"count": lambda mask: np.count_nonzero(mask[0])},
    },
)


# --- 6.2

SCAN, PATCH, WHOLE = (6, 5, 5), (4, 2, 3), (4, 2, 3, 2)  # WHOLE: with its two channels
LAST = np.subtract(SCAN, PATCH)
NUMBERED = np.arange(1, np.prod(SCAN) + 1).reshape(SCAN)  # every voxel has a number of its own
NUMBERS = np.stack([NUMBERED, NUMBERED + 1000], axis=-1)  # and one in each channel
KEPT = _("the patch has the shape {found}; expected was {wanted}: the size, then the channels.")
PAIRS = {  # tests of many draws (patch and label), of an image and a label that are voxels' numbers
    _("it should return two arrays: the patch and its label."): lambda draws: any(len(draw) != 2 for draw in draws),
    _("the two are exchanged: the patch of the image comes first, then its label."):
        lambda draws: all(np.ndim(first) == 3 and np.ndim(second) == 4 for first, second in draws),
    _("the channels were moved to the front: leave them last, as they are in the image."):
        lambda draws: _shapes(draws) == {(2, *PATCH)},
    _("the channels are lost: cut all of them, image[x:..., y:..., z:...] keeps the last axis."):
        lambda draws: _shapes(draws) == {PATCH},
    _("the axes of the size are in another order: it goes along x, y and z."):
        lambda draws: _shapes(draws) != {WHOLE} and all(sorted(shape) == sorted(WHOLE) for shape in _shapes(draws)),
    _("some patches are cut off at the edge: the last corner is the shape of the scan minus the size."):
        lambda draws: _shapes(draws) > {WHOLE},
    KEPT: lambda draws: next(iter(_shapes(draws) - {WHOLE}), None),
    _("the label of the patch has another shape than the patch: cut both from the same corner."):
        lambda draws: any(np.shape(label) != PATCH for _patch, label in draws),
    _("the label comes from another corner than the patch: draw the corner once and use it for both."):
        lambda draws: any((patch[..., 0] != label).any() for patch, label in draws),
    _("the values are not those of the scan: cut the patch, and leave its values as they are."):
        lambda draws: any((patch != NUMBERS[_around(patch)]).any() for patch, _label in draws),
}
CORNERS = {  # tests of the corners of many draws, with generators of their own (n, 3), and of draws that are repeated
    _("every patch is the same: draw the corner with the generator rng that is given."):
        lambda corners, again: (corners == corners[0]).all(),
    _("the generator rng is not used: with the same seed the same patches are asked for."):
        lambda corners, again: (corners[: len(again)] != again).any(),
    _("one number is drawn for all axes: draw one for each."):
        lambda corners, again: (np.minimum(corners[:, :1], LAST) == corners).all(),
    _("along {found} the corner is always 0: draw it there, too."):
        lambda corners, again: _axes(corners.max(axis=0) == 0),
    _("along {found} the last corner is never drawn: rng.integers leaves its end out, so add 1."):
        lambda corners, again: _axes(corners.max(axis=0) < LAST),
    _("along {found} the corner 0 is never drawn: start from 0."):
        lambda corners, again: _axes(corners.min(axis=0) > 0),
    _("some corners are never drawn: all from 0 to the shape of the scan minus the size are possible."):
        lambda corners, again: len(np.unique(corners, axis=0)) < np.prod(LAST + 1),
}


def _shapes(draws: list) -> set[tuple]:
    return {np.shape(patch) for patch, _label in draws}


def _axes(wrong: np.ndarray) -> str:
    """Name the axes for which something is true, such as ``x and z``."""
    return _(" and ").join(name for name, found in zip("xyz", wrong, strict=True) if found)


def _corner(patch: np.ndarray) -> np.ndarray:
    """Return where a patch was cut: the place of its first voxel's number."""
    first = int(np.clip(patch[0, 0, 0, 0] - 1, 0, NUMBERED.size - 1))
    return np.minimum(np.unravel_index(first, SCAN), LAST)


def _around(patch: np.ndarray) -> tuple[slice, ...]:
    return tuple(slice(start, start + length) for start, length in zip(_corner(patch), PATCH, strict=True))


def _wrong_patches(function: Callable) -> str | None:
    image, label = NUMBERS.copy(), NUMBERED.copy()

    def draw(seed: int):
        return tuple(function(image, label, PATCH, np.random.default_rng(seed)))

    draws = [draw(seed) for seed in range(600)]
    mistake = first_true(PAIRS, draws, wanted=WHOLE)
    if mistake:
        return mistake
    corners, again = ([_corner(patch) for patch, _label in few] for few in (draws, map(draw, range(20))))
    mistake = first_true(CORNERS, np.array(corners), np.array(again))
    if not mistake and any(np.shares_memory(cut, whole) for cut, whole in zip(draws[0], (image, label), strict=True)):
        mistake = _("the patch is a view: whoever changes it changes the scan. Return copies.")
    return mistake


check_sub_volume = partial(grade, "6.2", _("A patch at random"), volumes.sub_volume, _wrong_patches)


# --- 6.3

HEAD = np.zeros((5, 6, 4), bool)
HEAD[1:4, 1:5, :3] = True
NOISE = np.random.default_rng(1)
HEADS = NOISE.normal([400, 90, 700, 250], [60, 20, 90, 40], (5, 6, 4, 4)).astype(np.float32)
HEADS *= 1 + 0.2 * np.arange(4)[:, None]  # uneven from slice to slice
HEADS[~HEAD] = np.abs(NOISE.normal(0, 15, (np.sum(~HEAD), 4)))  # noise in the air
MISSING = HEADS * [1, 0, 1, 1] + [0, 7, 0, 0]  # a channel that is the same everywhere


def _standardize(image, head, *, mean=np.mean, deviation=np.std, air=0.0):
    """Standardize inside the head; mistakes change what is subtracted, the divisor, and what becomes of the air."""
    image = np.asarray(image, float)
    spread = deviation(image[head], axis=0)
    standardized = (image - mean(image[head], axis=0)) / np.where(spread > 0, spread, 1)
    return np.where(head[..., None], standardized, standardized if air is None else air)


def _everywhere(image, head, axis=(0, 1, 2), inside=True):
    """Standardize over some axes (None: over all numbers), with the air."""
    image = np.asarray(image, float)
    standardized = (image - image.mean(axis, keepdims=True)) / image.std(axis, keepdims=True)
    return np.where(head[..., None], standardized, 0) if inside else standardized


def _of_slices(image, head):
    """Standardize each slice by itself, inside the head."""
    slices = [_standardize(image[:, :, [z]], head[:, :, [z]]) for z in range(3)]
    return np.concatenate([*slices, np.zeros((*image.shape[:2], 1, 4))], axis=2)


check_standardize = Exercise(
    "6.3", _("Standardize inside the head"), volumes.standardize,
    formula=_standardize,
    rtol=1e-4, atol=1e-4,
    cases={
        _("the values are not those expected: each channel gets a mean of 0 and a standard deviation of 1 over the "
          "voxels of the head, and the air stays 0."): [(HEADS, HEAD)],
        _("it works for one head, but not for another: take the head that is given, not where the image is not 0."):
            [(HEADS * HEAD[..., None], HEAD & (np.arange(6)[:, None] > 1))],
        _("a channel that is the same everywhere in the head is divided by 0: make it 0 there."): [(MISSING, HEAD)],
    },
    mistakes={
        _("the air is part of the mean and the standard deviation: take both inside the head."):
            [_everywhere, lambda image, head: _everywhere(image, head, inside=False)],
        _("the air is no longer 0: only the voxels of the head are standardized."): [
            {"air": None},
            {"air": None, "mean": lambda values, axis: values.mean(), "deviation": lambda values, axis: values.std()},
            {"air": None, "deviation": lambda values, axis: np.ones(4)},
        ],
        _("one mean and one standard deviation were taken for all channels: take them per channel, axis=0."): [
            {"mean": lambda values, axis: values.mean(), "deviation": lambda values, axis: values.std()},
            lambda image, head: _everywhere(image, head, None),
            lambda image, head: _everywhere(image, head, None, inside=False),
        ],
        _("the mean was taken over all voxels, with the air: take it inside the head."):
            lambda image, head: _standardize(image, head, mean=lambda values, axis: image.mean((0, 1, 2), dtype=float)),
        _("the standard deviation was taken over all voxels, with the air: take it inside the head."):
            lambda image, head: _standardize(image, head, deviation=lambda *_given: image.std((0, 1, 2), dtype=float)),
        _("the values are those of the scan: subtract the mean, and divide by the standard deviation."):
            {"mean": lambda values, axis: 0, "deviation": lambda values, axis: np.ones(4)},
        _("this is scaling by the largest value, or by a fixed one, not standardizing."): [
            {"mean": lambda values, axis: 0, "deviation": np.max},
            {"mean": lambda values, axis: 0, "deviation": lambda values, axis: np.full(4, 255)},
        ],
        _("one mean was taken for all channels: take it per channel, axis=0."):
            {"mean": lambda values, axis: values.mean()},
        _("one standard deviation was taken for all channels: take it per channel, axis=0."):
            {"deviation": lambda values, axis: values.std()},
        _("the mean is not subtracted."): {"mean": lambda values, axis: 0},
        _("it is not divided by the standard deviation."): {"deviation": lambda values, axis: np.ones(4)},
        _("it is divided by the variance, the square of the standard deviation."): {"deviation": np.var},
        _("each slice is standardized by itself: take one mean for the whole volume."): [
            _of_slices,
            lambda image, head: _everywhere(image, head, (0, 1)),
            lambda image, head: _everywhere(image, head, (0, 1), inside=False),
        ],
        _("mean and standard deviation were taken over the channels of each voxel: take them over the voxels."): [
            lambda image, head: _everywhere(image, head, 3),
            lambda image, head: _everywhere(image, head, 3, inside=False),
        ],
        _("the values lie between 0 and 1: that is scaling by minimum and maximum, not standardizing."):
            {"mean": np.min, "deviation": np.ptp},
        _("ddof=1 is the standard deviation of a sample: take that of numpy, without it."):
            {"deviation": lambda values, axis: values.std(axis, ddof=1)},
        _("everything but the head is standardized: the mask is the wrong way round."):
            lambda image, head: _standardize(image, ~head),
    },
)


# --- 6.4

EMPTY = np.zeros((4, 3, 2), bool)
ONE, OTHER = np.random.default_rng(2).random((2, 4, 3, 2)) < [[[[0.4]]], [[[0.6]]]]


def _dice(
    truth, predicted, *, above=lambda t, p: 2 * (t & p).sum(), below=lambda t, p: t.sum() + p.sum(), empty=np.nan
):
    """Compute the Dice coefficient; mistakes change what stands above and below the line, and 0 by 0."""
    over, under = above(truth, predicted), below(truth, predicted)
    return float(over / under) if under else empty


def _shared(truth, predicted):
    return (truth & predicted).sum()


check_dice = Exercise(
    "6.4", _("The Dice coefficient"), segmentation.dice,
    formula=_dice,
    cases={
        _("it gives {value}; expected was {expected}."): [
            (ONE, OTHER),
            (np.array([[1, 1], [0, 0]], bool), np.eye(2, dtype=bool)),  # the published ones, without their epsilon
            (np.array([[1, 1], [0, 1]], bool), np.eye(2, dtype=bool)),
        ],
        _("it works, but not where only one of the masks is empty: nothing is shared, so 0 is asked for."): [
            (ONE, EMPTY),
            (EMPTY, ONE),
        ],
        _("it works, but not where both masks are empty: there is nothing to overlap, so np.nan is asked for."): [
            (EMPTY, EMPTY)
        ],
    },
    mistakes={
        _("this is intersection over union, the Jaccard index: Dice is twice the intersection by the sum of both."):
            {"above": _shared, "below": lambda t, p: (t | p).sum()},
        _("the factor 2 is missing."): {"above": _shared},
        _("twice the intersection is divided by the union: divide by the sum of both sizes. (The + of two boolean "
          "arrays is “or”: add their sums.)"): {"below": lambda t, p: (t | p).sum()},
        _("this is the share of equal voxels, the accuracy; the background counts in it."):
            {"above": lambda t, p: (t == p).sum(), "below": lambda t, p: t.size},
        _("this is the sensitivity: it is divided by the true voxels only."):
            {"above": _shared, "below": lambda t, p: t.sum()},
        _("this is the precision: it is divided by the predicted voxels only."):
            {"above": _shared, "below": lambda t, p: p.sum()},
        _("this is the number of voxels that both have: divide twice that by the sum of both."):
            {"above": _shared, "below": lambda t, p: 1},
        _("above the line stands the union, |: take the intersection, &."): {"above": lambda t, p: 2 * (t | p).sum()},
        _("this is 1 minus the Dice coefficient, a loss."): {"then": lambda value: 1 - value},
        _("this is the Dice coefficient of the background."): lambda truth, predicted: _dice(~truth, ~predicted),
        _("truth and prediction are multiplied below the line: add their sizes."):
            {"below": lambda t, p: t.sum() * p.sum()},
        _("it is divided by the number of all voxels: divide by the sum of both sizes."):
            {"below": lambda t, p: t.size + p.size},
        _("an epsilon of 1 changes the result: a published lesson adds it; here none is asked for."):
            {"above": lambda t, p: 2 * _shared(t, p) + 1, "below": lambda t, p: t.sum() + p.sum() + 1},
        _("two empty masks give 0, as if all were wrong: test for them, np.nan is asked for (and no epsilon)."):
            {"empty": 0.0},
        _("two empty masks give a perfect 1: test for them, np.nan is asked for (and no epsilon)."): {"empty": 1.0},
    },
    rtol=1e-4,  # a small epsilon is seen where both masks are empty
)


# --- 6.5

def _soft_dice(
    truth, predicted, epsilon, *, axes=(0, 1, 2, 3), twice=2, power=2, above=1, below=1, gather=np.sum, mean=np.mean,
    below_the_line=lambda shared, true, guessed: true + guessed,
):
    """Compute the soft Dice loss with NumPy; mistakes change its parts."""
    parts = (np.asarray(part, float) for part in (truth * predicted, truth**power, predicted**power))
    shared, true, guessed = (gather(part, axis=axes) for part in parts)
    ratio = (twice * shared + above * epsilon) / (below_the_line(shared, true, guessed) + below * epsilon)
    return 1 - mean(ratio)


def _plane(*rows):
    """Return a plane of one class as a batch of shape (1, x, y, 1, 1)."""
    return np.array(rows, float)[None, ..., None, None]


def _classes(*planes):
    return np.concatenate(planes, axis=-1)


TOP, MOST = _plane([1, 1], [0, 0]), _plane([1, 1], [0, 1])
DIAGONAL, SURER = _plane([1, 0], [0, 1]), _plane([1, 0.8], [0, 1])
# The sixth published case is printed without its arrays; these have the same sums: 1 of 2 + 3, and 2 of 3 + 4 voxels.
TWO = _classes(_plane([1, 1, 0, 0], [0, 0, 0, 0]), _plane([1, 1, 1, 0], [0, 0, 0, 0]))
THREE = _classes(_plane([0, 1, 1, 1], [0, 0, 0, 0]), _plane([0, 1, 1, 1], [1, 0, 0, 0]))
PUBLISHED = (  # truth and prediction
    (TOP, DIAGONAL),
    (TOP, 0.5 * DIAGONAL),
    (MOST, DIAGONAL),
    (MOST, SURER),
    (_classes(TOP, MOST), _classes(0.5 * DIAGONAL, SURER)),
    (TWO, THREE),
)
UNSURE = np.random.default_rng(3).dirichlet([1, 0.5, 0.5], (2, 3, 4, 2))  # of two scans
SURE = np.eye(3)[np.random.default_rng(4).integers(3, size=(2, 3, 4, 2))]
SURE[1, ..., 1:], SURE[1, ..., 0] = 0, 1  # the second scan holds background only
SURE, UNSURE = (np.pad(part, [(0, 0)] * 4 + [(0, 1)]) for part in (SURE, UNSURE))  # and the fourth class is nowhere


def _loss(function: Callable, truth, predicted, epsilon):
    from keras import ops

    tensors = [ops.convert_to_tensor(values, dtype="float32") for values in (truth, predicted)]
    loss = np.asarray(ops.convert_to_numpy(function(*tensors, epsilon)))
    if loss.shape:
        message = _("the loss has the shape {shape}: one number is asked for, the mean over the classes.")
        raise Mistake(message.format(shape=loss.shape))
    return loss


SOFT_DICE = Exercise(
    "6.5", _("The soft Dice loss"), losses.soft_dice_loss,
    formula=_soft_dice, answer=_loss,
    together=True,
    rtol=1e-4, atol=1e-5,
    cases={
        _("in one of the published cases it gives {value}; expected was {expected}."):
            [(*arrays, 1.0) for arrays in PUBLISHED],
        _("for two scans and four classes it gives {value}; expected was {expected}."): [(SURE, UNSURE, 1.0)],
        _("it works with epsilon 1, but not with another one: take the argument."): [(SURE, UNSURE, 1e-5)],
    },
    mistakes={
        _("the classes are pooled: sum over batch and space, axis=(0, 1, 2, 3), and keep the last axis."):
            {"axes": (0, 1, 2, 3, 4)},
        _("squares are missing below the line."): {"power": 1},
        _("epsilon is added below the line only: add it above, too."): {"above": 0},
        _("epsilon is added to the quotient: add it above and below the line."): [
            lambda truth, predicted, epsilon: _soft_dice(truth, predicted, epsilon, above=0, below=0) - epsilon,
            lambda truth, predicted, epsilon: _soft_dice(truth, predicted, epsilon, above=0, below=0) + epsilon,
        ],
        _("epsilon is multiplied by 2: it stands outside of the brackets."): [{"above": 2}, {"above": 2, "below": 2}],
        _("epsilon is added above the line only: add it below, too."): {"below": 0},
        _("this is the soft Dice coefficient: the loss is 1 minus it."): {"then": lambda loss: 1 - loss},
        _("the loss is minus the coefficient: take 1 minus it, so that 0 is perfect."): {"then": lambda loss: loss - 1},
        _("the factor 2 is missing."): {"twice": 1},
        _("each scan has a loss of its own: sum over the batch, too, axis=(0, 1, 2, 3)."): {"axes": (1, 2, 3)},
        _("the classes of each scan are pooled: sum over batch and space, axis=(0, 1, 2, 3)."): {"axes": (1, 2, 3, 4)},
        _("it sums over y, z and the classes and keeps the slices, as in the published lesson: then a slice without "
          "tumor costs 1. Sum over batch and space, axis=(0, 1, 2, 3)."): {"axes": (2, 3, 4)},
        _("the batch is summed with two axes of space only: z belongs to it, axis=(0, 1, 2, 3)."): {"axes": (0, 1, 2)},
        _("the classes are added up: take their mean."):
            [{"mean": np.sum}, {"mean": lambda ratio: ratio.sum() - ratio.size + 1}],  # 1 minus their sum, and the sum
        _("these are means over the voxels: with sums, epsilon is small beside them."): {"gather": np.mean},
        _("the sums are squared: square each voxel, then add up."):
            {"below_the_line": lambda shared, true, guessed: true**2 + guessed**2, "power": 1},
        _("the first class is left out: take the mean over all classes."): [
            {"mean": lambda ratio: ratio[1:].sum() / max(ratio.size - 1, 1)},
            {"mean": lambda ratio: ratio[ratio.size > 1 :].mean()},
        ],
        _("this is the cross-entropy: it stands beside the Dice loss, but here the Dice loss is asked for."): [
            lambda truth, predicted, epsilon: -np.mean(truth * np.log(predicted + epsilon)),
            lambda truth, predicted, epsilon: -np.mean(np.sum(truth * np.log(predicted + epsilon), axis=-1)),
        ],
        _("the prediction is rounded: then a small change changes nothing, and nothing is learned."):
            lambda truth, predicted, epsilon: _soft_dice(truth, np.round(predicted), epsilon),
        _("this is the soft intersection over union: subtract nothing below the line, and take the factor 2."):
            {"twice": 1, "below_the_line": lambda shared, true, guessed: true + guessed - shared},
        _("truth and prediction are multiplied below the line: add their squares."):
            {"below_the_line": lambda shared, true, guessed: true * guessed},
        _("epsilon 1 is written into the function: take the argument."):
            lambda truth, predicted, epsilon: _soft_dice(truth, predicted, 1.0),
        _("epsilon 0.00001 is written into the function: take the argument."):
            lambda truth, predicted, epsilon: _soft_dice(truth, predicted, 1e-5),
        _("epsilon is not used: a class that is nowhere would be 0 by 0."): {"above": 0, "below": 0},
    },
)


def _cannot_train(function: Callable) -> str | None:
    """Train a tiny network for one step. Nothing in it is random, so the lesson's random numbers stay as they are."""
    import keras

    model = keras.Sequential([keras.Input((2, 2, 2, 1)), keras.layers.Dense(3, "softmax", kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(1.0), loss=lambda truth, predicted: function(truth, predicted, 1.0))
    inputs, truth = np.arange(8.0).reshape(1, 2, 2, 2, 1), np.eye(3)[np.arange(8) % 3].reshape(1, 2, 2, 2, 3)
    try:
        model.train_on_batch(inputs, truth)
        weights = model.get_weights()[0]
    except Exception:
        weights = np.zeros(3)
    if not weights.any():
        return _(
            "it is right for numbers, but no network can be trained with it: use keras.ops in place of numpy, and "
            "nothing that has no gradient."
        )
    return None


check_soft_dice_loss = partial(
    grade, SOFT_DICE.number, SOFT_DICE.title, losses.soft_dice_loss,
    lambda function: SOFT_DICE.find_mistake(function) or _cannot_train(function),
)


# --- 6.6

def conv3d_parameters(
    channels_in: int, channels_out: int, kernel: Sequence[int] = (3, 3, 3), *,
    voxels: Callable = np.prod, biases: Callable = lambda given, made: made,
) -> int:
    """Return the number of weights and biases of a three-dimensional convolution."""
    return int(voxels(kernel) * channels_in * channels_out + biases(channels_in, channels_out))


check_conv3d_parameters = Exercise(
    "6.6", _("Count the parameters"), conv3d_parameters,
    cases={
        _("from {channels_in} to {channels_out} channels with a kernel {kernel} it gives {value}; expected were "
          "{expected}."): [(4, 8, (3, 3, 3)), (32, 16, (3, 3, 1)), (8, 4, (1, 1, 1))],
        _("it works, but not with a kernel of {kernel}: multiply its three edges."): [(8, 16, (5, 3, 1))],
    },
    together=True,
    mistakes={
        _("the biases are missing: each channel that is made has one."): [
            {"biases": lambda given, made: 0},
            lambda given, made, kernel: int(np.prod(kernel)) * made,
            lambda given, made, kernel: int(np.prod(kernel)) * (given + made),
            lambda given, made, kernel: given * made,
        ],
        _("there is one bias for each channel that is made, not one for all."): {"biases": lambda given, made: 1},
        _("there is one bias for each channel that is made, not for each that comes in."):
            [{"biases": lambda given, made: given}, {"biases": lambda given, made: given + made}],
        _("the biases are subtracted: add them."): {"biases": lambda given, made: -made},
        _("each pair of channels got a bias: there is one for each channel that is made."):
            {"biases": lambda given, made: given * made},
        _("the size of the kernel is forgotten: each pair of channels has a weight for each of its voxels."):
            {"voxels": lambda kernel: 1},
        _("this is a kernel of two dimensions: its third edge belongs to it."):
            {"voxels": lambda kernel: np.prod(kernel[:2])},
        _("the edges of the kernel are added up: multiply them."): {"voxels": np.sum},
        _("the kernel is taken for a cube with its first edge: multiply its three edges."):
            {"voxels": lambda kernel: kernel[0] ** 3},
        _("a kernel of 3 x 3 x 3, 27 weights, is written into the function: take the argument."):
            {"voxels": lambda kernel: 27},
        _("the channels that come in are forgotten: a kernel reaches through all of them."):
            lambda given, made, kernel: conv3d_parameters(1, made, kernel),
        _("this is one kernel: there is one for each channel that is made."):
            lambda given, made, kernel: conv3d_parameters(given, 1, kernel),
        _("channels are added up: each channel that is made has weights for each that comes in, multiply."):
            lambda given, made, kernel: int(np.prod(kernel)) * (given + made) + made,
        _("the biases are multiplied by the kernel: they have no size."):
            lambda given, made, kernel: int(np.prod(kernel)) * (given * made + made),
        _("the biases are counted twice."): {"biases": lambda given, made: 2 * made},
        _("these are the parameters with batch normalization: count the convolution alone."):
            [{"biases": lambda given, made: 3 * made}, {"biases": lambda given, made: 5 * made}],
    },
)


# --- 6.7

def convolve(maps: "keras.KerasTensor", count: int, kernel: Sequence[int]) -> "keras.KerasTensor":
    """Return `count` maps: a convolution without bias that keeps the size, batch normalization, ReLU."""
    for layer in network.layers_of(convolve_reference(4, count, kernel))[1:]:
        maps = layer(maps)
    return maps


def convolve_reference(channels: int, count: int, kernel: Sequence[int]) -> dict[str, Any]:
    """Return the layers of one step of the U-Net, as `network` compares them."""
    from keras import layers

    return {
        "input": layers.InputLayer((None, None, None, channels)),
        "convolution": layers.Conv3D(count, kernel, padding="same", use_bias=False),
        "normalization": layers.BatchNormalization(momentum=0.95),
        "activation": layers.ReLU(),
    }


def convolve_mistakes() -> dict[str, dict[str, Any]]:
    """Return the classic mistakes: the sentence, and what is changed in a step of 5 maps, kernel (3, 3, 1)."""
    from keras import layers

    def convolution(count: int = 5, kernel: Sequence[int] = (3, 3, 1), **settings) -> dict[str, Any]:
        return {"convolution": layers.Conv3D(count, kernel, **{"padding": "same", "use_bias": False} | settings)}

    return {
        _("the maps shrink at the edge: padding='same' keeps the size, so that up and down fit together."):
            convolution(padding="valid"),
        _("the convolution has a bias: batch normalization would subtract it, so write use_bias=False."):
            convolution(use_bias=True),
        _("the kernel is always 3 x 3 x 3: use the argument."): convolution(kernel=3),
        _("count and the maps that come in are exchanged: the first argument of Conv3D is how many maps come out."):
            convolution(count=2),
        _("batch normalization is missing, between the convolution and ReLU."): {"normalization": None},
        _("ReLU comes before the normalization: here it is convolution, normalization, ReLU."):
            {"normalization": layers.ReLU(), "activation": layers.BatchNormalization()},
        _("the convolution has an activation of its own: ReLU comes once, after the normalization."):
            convolution(activation="relu"),
        _("this is layer normalization: use layers.BatchNormalization."):
            {"normalization": layers.LayerNormalization()},
        _("ReLU is missing at the end: without it, two convolutions are no more than one."): {"activation": None},
    }


def _wrong_step(function: Callable) -> str | None:
    return network.find_mistake(
        lambda channels, *more: network.model_of(function, (None, None, None, channels), *more),
        [(2, 5, (3, 3, 1)), (4, 6, (3, 3, 3))], convolve_reference, convolve_mistakes,
        _("it always builds the same step: use count and kernel as the function gets them."),
    )


check_convolve = partial(grade, "6.7", _("One step of the network"), convolve, _wrong_step)


# --- 6.8

def predict_volume(predict: Callable, image: np.ndarray, size: Sequence[int], step: Sequence[int]) -> np.ndarray:
    """Return the mean prediction of all windows that hold a voxel, shape (x, y, z, classes).

    Parameters
    ----------
    predict : callable
        Takes windows, shape (windows, *size, channels), and returns probabilities, shape (windows, *size, classes).
    image : array, shape (x, y, z, channels)
        At least as large as a window.
    size, step : three int
        Of a window, and from one window to the next; the last window ends at the edge.
    """
    return volumes.predict_volume(predict, image, size, step, weights="flat")


def _small_network(batch):
    """Stand for a network: two probabilities that depend on the image and on the place in the window."""
    batch = np.asarray(batch)
    if batch.ndim == 4:
        raise Mistake(_("the network takes a batch: give it window[None], and take the first of what comes out."))
    if batch.shape[1:] not in ((4, 3, 2, 1), (3, 3, 2, 1)):
        raise Mistake(
            _(
                "a window has the shape {shape}, which is not the size asked for: the last window along each axis ends "
                "at the edge, so it starts at the length minus the size."
            ).format(shape=batch.shape[1:-1])
        )
    ramp = sum(np.meshgrid(*(np.linspace(-1, 1, n) for n in batch.shape[1:4]), indexing="ij"))[..., None]
    tumor = 1 / (1 + np.exp(-batch - ramp))
    return np.concatenate([1 - tumor, tumor], axis=-1)


def _to_the_edge(length: int, size: int, step: int) -> list[int]:
    return [*range(0, length - size, step), length - size]


def _by_steps(length: int, size: int, step: int) -> range:
    return range(0, length - size + 1, step)


def _short(length: int, size: int, step: int) -> range:
    return range(0, length - size, step)


def _slide(predict, image, size, step, *, starts=_to_the_edge, gather=lambda seen: np.nanmean(seen, axis=0), unseen=0):
    """Predict in windows; mistakes change where they start, and how what they say becomes one number."""
    axes = [starts(*along) for along in zip(image.shape, size, step, strict=False)]
    seen = [np.full((*image.shape[:3], 2), np.nan)]  # a volume per window, NaN outside of it
    for corner in product(*axes):
        part = tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))
        seen.append(np.full_like(seen[0], np.nan))
        seen[-1][part] = predict(image[part][None])[0]
    seen = np.stack(seen)
    result, covered = np.full(seen.shape[1:], float(unseen)), ~np.isnan(seen).all(axis=0)
    result[covered] = gather(seen[:, covered])
    return result


def _last_seen(seen: np.ndarray) -> np.ndarray:
    """Return what the last window that holds a voxel says."""
    return seen[len(seen) - 1 - (~np.isnan(seen))[::-1].argmax(axis=0), np.arange(seen.shape[1])]


_NUMBERS = np.random.default_rng(5).normal(0, 2, (8, 6, 5, 1))

check_predict_volume = Exercise(
    "6.8", _("Predict a whole volume"), predict_volume,
    formula=_slide,
    rtol=1e-4, atol=1e-5,
    cases={
        _("the probabilities are not those expected: each voxel gets the mean of all windows that hold it."): [
            (_small_network, _NUMBERS[..., :4, :], (4, 3, 2), (2, 3, 1)),
            (_small_network, _NUMBERS, (4, 3, 2), (3, 2, 2)),
        ],
        _("it works for one size and step, but not for others: take the arguments."):
            [(_small_network, _NUMBERS[:5, :4], (3, 3, 2), (1, 1, 1))],
        _("it works, but not for a volume of the size of one window."):
            [(_small_network, _NUMBERS[:4, :3, :2], (4, 3, 2), (2, 2, 2))],
    },
    mistakes={
        _("the last slices are missing: where the steps do not reach the edge, add a window that ends there."):
            [{"starts": _by_steps}, {"starts": _by_steps, "unseen": np.nan}],
        _("the windows are added up: divide by how many windows hold the voxel."):
            {"gather": lambda seen: np.nansum(seen, axis=0)},
        _("the windows overwrite each other: add them up, and divide by how many hold the voxel."):
            {"gather": _last_seen},
        _("the probabilities were written into an array of whole numbers, where .99999 becomes 0: collect them in an "
          "array of float."): [
            {"gather": lambda seen: np.nanmean(np.floor(seen), axis=0)},
            {"gather": lambda seen: _last_seen(np.floor(seen))},
        ],
        _("the probabilities are rounded: return them as they are."): [
            {"then": np.round},
            {"then": lambda mean: (mean > 0.5).astype(float)},
            {"then": lambda mean: np.floor(255 * mean)},
        ],
        _("the sum is divided by the number of all windows: divide by how many hold the voxel."):
            {"gather": lambda seen: np.nan_to_num(seen).mean(axis=0)},
        _("the step is not used: the windows lie side by side."):
            lambda predict, image, size, step: _slide(predict, image, size, size),
        _("the step is not used: the windows move by one voxel."):
            lambda predict, image, size, step: _slide(predict, image, size, (1, 1, 1)),
        _("the last window is missing where the steps reach the edge exactly: range leaves its end out, add 1."):
            [{"starts": _short}, {"starts": _short, "unseen": np.nan}],
        _("these are labels: return the probabilities, without argmax."): {"then": lambda mean: mean.argmax(axis=-1)},
        _("only the probability of one class comes back: return all of them."): [
            {"then": lambda mean: mean[..., 1]},
            {"then": lambda mean: mean[..., :1]},
            {"then": lambda mean: mean[..., 1:]},
        ],
        _("these are Gaussian weights, a good idea, but here all windows that hold a voxel count the same."):
            lambda predict, image, size, step: volumes.predict_volume(predict, image, size, step),
        _("only the first window is predicted: move it over the whole volume."): lambda predict, image, size, step: (
            np.pad(
                predict(image[: size[0], : size[1], : size[2]][None])[0],
                [*((0, n - s) for n, s in zip(image.shape, size, strict=False)), (0, 0)],
            )
        ),
        _("the batch axis is still there: return the volume alone."): {"then": lambda mean: mean[None]},
    },
)


# --- 6.9

def _stacked(masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the masks of the three regions, of shape (3, x, y, z)."""
    if not isinstance(masks, Mapping):
        raise Mistake(_("a dictionary is asked for, from the name of a region to its mask."))
    for name in volumes.REGIONS:
        if name not in masks:
            message = _("the region “{name}” is missing; the names are {names}.")
            raise Mistake(message.format(name=name, names=", ".join(volumes.REGIONS)))
    return np.stack([np.asarray(masks[name]) for name in volumes.REGIONS])


def _regions(label, *, whole=(1, 2, 3), core=(2, 3), enhancing=(3,)):
    return np.stack([np.isin(label, labels) for labels in (whole, core, enhancing)]).astype(int)


check_regions = Exercise(
    "6.9", _("Three regions"), volumes.regions,
    formula=_regions,
    answer=lambda function, label: _stacked(function(label)),
    cases={
        _("the masks are not those expected: the whole tumor is labels 1, 2 and 3, the core is 2 and 3, the enhancing"
          " tumor is 3."): [(LABEL,)],
        _("it works, but not for a healthy head: its three masks are empty."): [(np.zeros((3, 3, 3), np.uint8),)],
    },
    mistakes={
        _("these are the numbers of BraTS, where 1 is necrosis, 2 edema and 4 enhancing; in the Decathlon 1 is edema,"
          " 2 non-enhancing and 3 enhancing."):
            [{"whole": (1, 2, 4), "core": (1, 4), "enhancing": (4,)}, {"core": (1, 4), "enhancing": (4,)}],
        _("these are the numbers of BraTS from 2023 on, where 1 is necrosis and 2 edema: here 1 is edema."):
            {"core": (1, 3)},
        _("the whole tumor is edema alone: it holds all three labels."): {"whole": (1,)},
        _("the core is the non-enhancing tumor alone: the enhancing tumor belongs to it."): {"core": (2,)},
        _("the regions hold one another: here each label is in one region only."): {"whole": (1,), "core": (2,)},
        _("label 2 is not enhancing, 3 is (a published network has them the wrong way round)."): [
            {"enhancing": (2,)},
            {"enhancing": (2,), "core": (2,)},
            {"enhancing": (2,), "core": (3,)},
            {"enhancing": (2,), "core": (3,), "whole": (1,)},
        ],
        _("edema belongs to the whole tumor, not to its core."):
            [{"core": (1, 2)}, {"core": (1, 2, 3)}, {"core": (1,)}],
        _("the core belongs to the whole tumor, too."): [{"whole": (1, 3)}, {"whole": (1, 2)}, {"whole": (2, 3)}],
        _("the enhancing tumor is label 3 alone."): [{"enhancing": (2, 3)}, {"enhancing": (1,)}],
        _("the core is the enhancing tumor alone: the non-enhancing tumor belongs to it."): {"core": (3,)},
        _("the background is in it: label 0 is no tumor."):
            [{"whole": (0, 1, 2, 3)}, lambda label: 1 - _regions(label), {"whole": (0,)}, {"core": (0, 1, 2)}],
        _("the order of the names is turned: the whole tumor is the largest region."):
            {"then": lambda masks: masks[::-1]},
        _("these are labels: a mask holds True and False."):
            [lambda label: _regions(label) * label, lambda label: np.stack([label] * 3)],
        _("these are numbers of voxels: a mask of the voxels is asked for."):
            {"then": lambda masks: masks.sum(axis=(1, 2, 3))},
    },
)
