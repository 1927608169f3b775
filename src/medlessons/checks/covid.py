"""The checks of lesson 4, and the reference solutions that they compare with."""

from collections.abc import Callable
from functools import partial
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from medlessons.checks import network
from medlessons.checks.exercise import Mistake, call, first_true, grade, same
from medlessons.checks.numbers import Exercise
from medlessons.wording import _

if TYPE_CHECKING:
    import keras

# The tables are laid out by hand: a sentence, and what it is said of.
# fmt: off

# --- 4.1

def split_by_patient(patients: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return an array of True (test set) and False, one per image; all images of a patient are on the same side.

    Parameters
    ----------
    patients : array of str, shape (images,)
        The name of the patient of each image.
    share : float
        How large a part of the patients the test set gets, from 0 to 1.
    rng : numpy.random.Generator
    """
    names = np.unique(patients)
    chosen = rng.choice(names, size=round(share * len(names)), replace=False)
    return np.isin(patients, chosen)


IMAGES = np.array([10] * 4 + [1, 2, 3] * 13)  # of each of 43 patients
PATIENTS = np.random.default_rng(6).permutation(np.repeat([f"P{number:02d}" for number in range(43)], IMAGES))
NAMES, WHOSE = np.unique(PATIENTS, return_inverse=True)

SPLIT_KINDS = {
    _("it returns two things: return one array, True where the image belongs to the test set."):
        lambda test: isinstance(test, tuple | list) and len(test) == 2,
    _("it returns an object of the type {found}: return a NumPy array."):
        lambda test: not isinstance(test, np.ndarray | pd.Series) and type(test).__name__,
    _("it returns texts: return True or False for each image, as np.isin(patients, ...) does."):
        lambda test: any(isinstance(value, str) for value in np.ravel(test)),
    _("it asks of each drawn patient: ask of each image, np.isin(patients, drawn)."):
        lambda test: test.dtype == bool and test.shape == (9,),
    _("it returns one value per patient: return one per image, in the order of the images."):
        lambda test: test.dtype == bool and test.shape == NAMES.shape,
    _("it returns 0 and 1 as numbers of the type {found}. As an index they would pick the rows 0 and 1: make True and "
      "False of them, with == 1."):
        lambda test: test.dtype != bool and test.shape == PATIENTS.shape and np.isin(test, (0, 1)).all() and test.dtype,
    _("it returns row numbers: return True or False for each image."): lambda test: test.dtype.kind in "iu",
    _("its values are of the type {found}: return True or False."): lambda test: test.dtype != bool and test.dtype,
    _("the result has the shape {found}; expected was (118,), one value per image."):
        lambda test: test.shape != PATIENTS.shape and test.shape,
}
SPLIT_SIDES = {  # tests of how many images of each patient are in the test set
    _("only one image of each drawn patient is in the test set: take all the images of a drawn patient."):
        lambda images: (images < IMAGES).any(where=images > 0) and images.max() == 1,
    _("{found} patients have images on both sides: draw patients, not images."):
        lambda images: ((images > 0) & (images < IMAGES)).sum(),
}
SPLIT_NUMBERS = {  # of patients in the test sets: if 9 are wanted, and if 17 are; and how many images are there
    _("it is the wrong way round: True means test set, and here it marks the training set."):
        lambda few, many, images: set(few) == {43 - 9} and set(many) == {43 - 17},
    _("it takes nobody: multiply the share by the number of patients, then round; join names with |, not with &."):
        lambda few, many, images: set(few) == {0},
    _("it takes {found} patients whatever share is asked for: use the argument share."):
        lambda few, many, images: len({*few, *many}) == 1 and str(few[0]),
}
WHY_ANOTHER_NUMBER = {
    _("Round to the nearest whole number: round(share * number_of_patients)."):
        lambda came, wanted, far: set(came - wanted) in ({1}, {-1}),
    _("Was a patient drawn twice? Draw from np.unique(patients), each name once, without replacement: replace=False."):
        lambda came, wanted, far: max(came) <= wanted and len(set(came)) > 1,
    _("The share of the images is met: share is a share of the patients."): lambda came, wanted, far: far < 0.1,
    _("Draw round(share * number_of_patients) of them."): lambda came, wanted, far: True,
}
SPLIT_CHANCE = {  # tests of who was drawn, a row per split, and of the first split made once more
    _("it always takes the first or the last patients: draw them at random, with rng."):
        lambda drawn, again: (drawn == drawn[0]).all() and any(
            row[:9].all() or row[-9:].all() for row in (drawn[0], drawn[0, np.searchsorted(NAMES, pd.unique(PATIENTS))])
        ),
    _("every call draws the same patients: use the generator rng that is given, not one of your own."):
        lambda drawn, again: (drawn == drawn[0]).all(),
    _("the same generator gives another split each time: draw with rng only, or nobody can repeat your split."):
        lambda drawn, again: (drawn[0] != again).any(),
    _("patient {found} was never drawn in 60 splits: everybody should have the same chance."):
        lambda drawn, again: next(iter(NAMES[~drawn.any(axis=0)]), None),
    _("patients with many images are drawn more often: draw from np.unique(patients), each name once."):
        lambda drawn, again: drawn[:, IMAGES == 10].mean() > 0.4,  # a fair draw gives 0.2
}


def _wrong_split(function: Callable) -> str | None:
    """Name what is wrong with how a function draws 60 small test sets and 5 large ones, if anything is."""

    def images_in_test(share: float, seeds: int) -> np.ndarray:
        splits = [call(function, PATIENTS, share, np.random.default_rng(seed)) for seed in range(seeds)]
        return np.stack([np.bincount(WHOSE, weights=split, minlength=len(NAMES)) for split in splits])

    first = call(function, PATIENTS, 0.2, np.random.default_rng(0))
    mistake = first_true(SPLIT_KINDS, first) or first_true(SPLIT_SIDES, np.bincount(WHOSE, weights=first))
    if mistake:
        return mistake
    small, large = images_in_test(0.2, 60), images_in_test(0.4, 5)
    few, many = (small > 0).sum(axis=1), (large > 0).sum(axis=1)
    for share, came, images, wanted in ((0.2, few, small, 9), (0.4, many, large, 17)):
        if set(came) != {wanted}:
            far = np.abs(images.sum(axis=1) / len(PATIENTS) - share).max()
            sentence = _("{share:.0%} of 43 patients are {wanted}, but {number} are in the test set. {why}")
            return first_true(SPLIT_NUMBERS, few, many, images) or sentence.format(
                share=share, wanted=wanted, number=came[came != wanted][0],
                why=first_true(WHY_ANOTHER_NUMBER, came, wanted, far),
            )
    again = np.bincount(WHOSE, weights=first) > 0
    return first_true(SPLIT_SIDES, np.vstack([small, large])) or first_true(SPLIT_CHANCE, small > 0, again)


check_split = partial(grade, "4.1", _("Split by patient"), split_by_patient, _wrong_split)


# --- 4.2

def _score(model: Any, learned: tuple, judged: tuple) -> float:
    """Train on numbers and labels, and return the share of right answers on others."""
    return np.mean(model.fit(*learned).predict(judged[0]) == judged[1])


def _rows(data: tuple, rows: np.ndarray) -> tuple:
    numbers, label = data
    return numbers[rows], label[rows]


def _joined(data: tuple, others: tuple) -> tuple:
    return np.concatenate([data[0], others[0]]), np.concatenate([data[1], others[1]])


def _fold_scores(model: Any, data: tuple, folds: list) -> np.ndarray:
    return np.array([_score(model, _rows(data, train), _rows(data, judged)) for train, judged in folds])


def _by_folds(model: Any, data: tuple, folds: list) -> float:
    return np.average(_fold_scores(model, data, folds), weights=[len(judged) for _train, judged in folds])


def _mean_of_folds(*given: Any) -> float:
    return _fold_scores(*given).mean()


def _by_all(model: Any, data: tuple, folds: list, others: tuple) -> float:
    return _score(model, data, others)


def inside_and_outside(
    model: Any, numbers: np.ndarray, label: np.ndarray, folds: list, outside_numbers: np.ndarray,
    outside_label: np.ndarray, *, inside: Callable = _by_folds, outside: Callable = _by_all,
) -> tuple[float, float]:
    """Return how often a model is right on patients like those it learned from, and on patients of other hospitals.

    Parameters
    ----------
    model : object
        With ``fit`` and ``predict``, as scikit-learn has them.
    numbers, outside_numbers : array, shape (images, columns)
    label, outside_label : array of int, shape (images,)
    folds : list of (array, array)
        The rows to train on and the rows to judge.

    Returns
    -------
    (float, float)
        Accuracies from 0 to 1: by cross-validation in the set, and trained on the whole set, tested outside.
    """
    data, others = (numbers, label), (outside_numbers, outside_label)
    return inside(model, data, folds), outside(model, data, folds, others)


INSIDE = {  # what is wrong inside, whatever outside is
    _("inside is judged on images that the model was trained on, so memory counts: judge each fold by a model that was "
      "trained on the others."): [
        lambda model, data, folds: _score(model, data, data),
        *(lambda model, data, folds, mean=mean, part=part: mean(model, data, [[fold[part]] * 2 for fold in folds])
          for mean in (_by_folds, _mean_of_folds) for part in (0, 1)),
        lambda model, data, folds: np.mean([_score(model, data, _rows(data, judged)) for _train, judged in folds]),
    ],
    _("the two parts of a fold are exchanged: the first are the rows to train on, the second those to judge."):
        [lambda model, data, folds: _by_folds(model, data, [fold[::-1] for fold in folds])],
    _("inside is that of one fold only: judge all of them, so that each image is judged once."):
        [lambda *given, place=place: _fold_scores(*given)[place] for place in (-1, 0)],
    _("inside is the mean of the accuracies of the folds, which are not equally large: count the right answers of all "
      "images."): [_mean_of_folds],
    _("inside counts the right answers of the last fold only: add up in the loop, with +=."):
        [lambda model, data, folds: _fold_scores(model, data, folds)[-1] * len(folds[-1][1]) / len(data[1])],
    _("inside compares the answers in the order of the folds with the labels in the order of the rows: write "
      "answers[judged] = ..."): [lambda model, data, folds: np.mean(np.concatenate(
          [model.fit(*_rows(data, train)).predict(data[0][judged]) for train, judged in folds]) == data[1])],
    _("the right answers are divided by the number of folds: divide them by the number of images."):
        [lambda model, data, folds: _by_folds(model, data, folds) * len(data[1]) / len(folds)],
    _("inside is the sum over the folds: divide by their number."): [lambda *given: _fold_scores(*given).sum()],
    _("inside counts the wrong answers: an accuracy is the share of right ones."):
        [lambda *given: 1 - _by_folds(*given)],
}
OUTSIDE = {  # what is wrong outside, whatever inside is
    _("outside is judged by the model of the last fold, which lacks a part of the set: train on the whole set first."):
        [lambda model, data, folds, others: _score(model, _rows(data, folds[-1][0]), others)],
    _("outside is the mean over the models of the folds: train one model on the whole set, and test that."): [
        lambda model, data, folds, others: np.mean([_score(model, _rows(data, fold[0]), others) for fold in folds]),
    ],
    _("outside, the model has learned from the outside images themselves: it may not see them before the test."): [
        lambda model, data, folds, others: _score(model, others, others),
        lambda model, data, folds, others: _by_folds(model, others, folds),
        lambda model, data, folds, others: _score(model, _joined(data, others), others),
    ],
    _("outside counts the wrong answers: an accuracy is the share of right ones."):
        [lambda *given: 1 - _by_all(*given)],
}

def _two_sets(seed: int, outside: int) -> tuple:
    """Return a case: 205 images in five uneven folds, and some outside where the labels are harder to tell."""
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(seed)
    label, outside_label = rng.integers(3, size=205), rng.integers(3, size=outside)
    numbers = rng.normal(size=(205, 4)) + 1.2 * np.eye(3, 4)[label]
    outside_numbers = rng.normal(size=(outside, 4)) + 0.8 * np.eye(3, 4)[outside_label]
    rows = np.split(rng.permutation(205), (25, 60, 101, 150))
    folds = [(np.concatenate(rows[:fold] + rows[fold + 1 :]), rows[fold]) for fold in range(5)]
    return KNeighborsClassifier(3), numbers, label, folds, outside_numbers, outside_label


def _inside_then_outside(function: Callable, *given: Any) -> Any:
    """Return what a student's function makes of a case, unless one of the two numbers shows a classic mistake."""
    model, numbers, label, folds, *others = given
    pair = function(*given)
    if isinstance(pair, dict | set):
        kind = type(pair).__name__
        raise Mistake(_("it returns an object of the type {kind}: return two numbers, inside and outside.").format(
            kind=kind))
    if not isinstance(pair, tuple | list | np.ndarray | pd.Series) or len(pair) != 2:
        return pair
    here = model, (numbers, label), folds
    there = *here, tuple(others)
    for value, right, mistakes, data in zip(pair, (_by_folds, _by_all), (INSIDE, OUTSIDE), (here, there), strict=True):
        if not same(value, right(*data)):
            for sentence, ways in mistakes.items():
                if any(same(value, way(*data)) for way in ways):
                    raise Mistake(sentence)
    return pair


check_experiment = Exercise(
    "4.2", _("Inside and outside"), inside_and_outside, answer=_inside_then_outside,
    cases={_("inside and outside came out as {value}; expected was {expected}."):
        [_two_sets(19, 205), _two_sets(1, 247)]},
    mistakes={
        _("the two are exchanged: return inside first, then outside."): {"then": lambda pair: pair[::-1]},
        _("inside or outside is divided by the number of the other images: divide each by the number of its own."): [
            lambda *case: np.multiply(inside_and_outside(*case), (len(case[2]) / len(case[5]), 1)),
            lambda *case: np.multiply(inside_and_outside(*case), (1, len(case[5]) / len(case[2]))),
        ],
        _("these are counts of right answers: divide each by the number of its images."):
            lambda *case: np.multiply(inside_and_outside(*case), (len(case[2]), len(case[5]))),
    },
)


# --- 4.3

BACKBONES = ("xception", "resnet50v2", "vgg16")
MEANS = np.array([103.939, 116.779, 123.68], dtype="float32")  # of blue, green and red over the images of ImageNet


def preprocess(
    gray: np.ndarray, backbone: str, *,
    others: Callable = lambda rgb: rgb / 127.5 - 1, vgg: Callable = lambda rgb: rgb - MEANS,
) -> np.ndarray:
    """Return three channels, scaled as a backbone wants them.

    VGG16 was trained with blue, green, red minus their means, Xception and ResNet50V2 with values from -1 to 1.

    Parameters
    ----------
    gray : array of gray levels 0 to 255, shape (images, height, width, 1)
    backbone : str
        One of `BACKBONES`.
    """
    return (vgg if backbone == "vgg16" else others)(np.repeat(np.asarray(gray, dtype="float32"), 3, axis=-1))


CHANNELS = {  # what the shape says that a batch of the shape (2, 4, 5, 1) became
    (2, 4, 5, 1): _("there is one channel only: these backbones want three, so repeat it along the last axis."),
    (2, 3, 4, 5): _("the channels come first: in Keras they are the last axis."),
    (2, 4, 5, 1, 3): _("there is an axis too many: concatenate or repeat along the last axis, do not stack."),
    (4, 5, 3): _("only one image is left: keep all of them."),
}


def _three_channels(function: Callable, gray: np.ndarray, backbone: str) -> np.ndarray:
    from keras import ops

    batch = ops.convert_to_numpy(function(gray, backbone))
    if batch.shape != (2, 4, 5, 3):
        other = _("the shape (2, 4, 5, 1) became {shape}; expected was (2, 4, 5, 3): repeat along the last axis.")
        raise Mistake(CHANNELS.get(batch.shape) or other.format(shape=batch.shape))
    if batch.dtype.kind != "f" and gray.dtype.kind == "f":
        raise Mistake(_("the result holds whole numbers: return floats."))
    return batch


def _in_either(*scales: Callable) -> list[dict[str, Callable]]:
    return [{which: scale} for scale in scales for which in ("others", "vgg")]


def _standardized(**axes: Any) -> Callable:
    return lambda rgb: (rgb - rgb.mean(**axes)) / rgb.std(**axes)


def _from_own_range(whole: bool, from_zero: bool, doubled: bool) -> Callable:
    def scale(rgb):
        axes = {} if whole else {"axis": (1, 2, 3), "keepdims": True}
        low = 0 if from_zero else rgb.min(**axes)
        share = (rgb - low) / (rgb.max(**axes) - low)
        return 2 * share - 1 if doubled else share

    return scale


GRAY = np.random.default_rng(7).uniform(20, 200, (2, 4, 5, 1)).round(1).astype("float32")
check_preprocess = Exercise(
    "4.3", _("What each backbone wants"), preprocess,
    answer=_three_channels, atol=1e-3,
    cases={
        _("{backbone}: of the gray levels {gray} it makes {value}; {expected} was expected."):
            [(GRAY, backbone) for backbone in BACKBONES],
        _("whole gray levels (uint8) give another result than the same gray levels as floats, or stop the function: "
          "uint8 holds 0 to 255 only, and begins again at 0. Begin with gray.astype(\"float32\")."):
            [(GRAY.astype("uint8"), backbone) for backbone in BACKBONES],
    },
    mistakes={
        _("the fractions of the gray levels are lost, 100.9 became 100: convert to floats, gray.astype(\"float32\"), "
          "not to whole numbers."):
            [lambda gray, backbone, cut=cut: preprocess(cut(gray), backbone) for cut in (np.trunc, np.round)],
        _("{backbone}: these are gray levels / 255, from 0 to 1. It was trained with another range."):
            _in_either(lambda rgb: rgb / 255),
        _("{backbone}: these are the gray levels as they were, from 0 to 255: scale them."): _in_either(np.array),
        _("{backbone}: the images are standardized by their own mean and deviation: use the numbers of the training."):
            _in_either(_standardized(), _standardized(axis=(1, 2, 3), keepdims=True)),
        _("{backbone}: it is standardized as for the networks of PyTorch: these backbones come from Keras."):
            _in_either(lambda rgb: (rgb / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
        _("{backbone}: it is scaled by its own darkest or brightest pixel: the same gray must always give the same "
          "number."):
            _in_either(*(_from_own_range(*choice) for choice in product((True, False), repeat=3))),
        _("{backbone}: it divides by 127 or 128: gray levels end at 255, so divide by 127.5 and subtract 1."):
            [{"others": lambda rgb, by=by: rgb / by - 1} for by in (127, 128)],
        _("{backbone}: these are values from -1 to 0: divide by 127.5, not by 255, and subtract 1."):
            {"others": lambda rgb: rgb / 255 - 1},
        _("{backbone}: blue, green, red minus their means is for VGG16: this one wants values from -1 to 1."):
            {"others": lambda rgb: rgb - MEANS},
        _("{backbone}: values from -1 to 1 are for the others: VGG16 wants blue, green, red minus their means."):
            {"vgg": lambda rgb: rgb / 127.5 - 1},
        _("{backbone}: the means are in another order: VGG16 wants blue first, 103.939, then green, then red."):
            [{"vgg": lambda rgb, order=order: rgb - MEANS[list(order)]} for order in list(permutations(range(3)))[1:]],
        _("{backbone}: one mean is subtracted from all channels: each channel has its own."):
            {"vgg": lambda rgb: rgb - MEANS.mean()},
        _("{backbone}: the means are added: subtract them."): {"vgg": lambda rgb: rgb + MEANS},
        _("{backbone}: the means are subtracted, but it divides as well: VGG16 wants no division."): [
            *({"vgg": lambda rgb, by=by: (rgb - MEANS) / by} for by in (127.5, 255)),
            *({"vgg": lambda rgb, by=by: rgb / by - MEANS} for by in (127.5, 255)),
            {"vgg": lambda rgb: rgb / 127.5 - 1 - MEANS},
        ],
    },
)


# --- 4.4

def with_head(base: "keras.Model", classes: int) -> "keras.Model":
    """Return a network that ends in the probabilities of `classes`: `base`, frozen, with the published head."""
    import keras

    _images, base, *head = network.layers_of(head_reference(base, classes))
    images = keras.Input(base.input_shape[1:])
    values = base(images, training=False)
    for layer in head:
        values = layer(values)
    return keras.Model(images, values)


def head_reference(base: "keras.Model", classes: int) -> dict[str, Any]:
    """Freeze the base; return it and the layers of the published head, as `network` compares them."""
    from keras import layers

    base.trainable = False
    return {
        "input": layers.InputLayer(base.input_shape[1:]),
        "base": base,
        "pooling": layers.AveragePooling2D(2, padding="same"),
        "flatten": layers.Flatten(),
        "dense": layers.Dense(20, "relu"),
        "dropout": layers.Dropout(0.2),
        "output": layers.Dense(classes, "softmax"),
    }


def head_mistakes() -> dict[str, dict[str, Any]]:
    """Return the classic mistakes: the sentence, and what is changed in a small base with a head for 4 classes."""
    from keras import layers

    part = _base_layers()
    for layer in part[:-1]:
        layer.trainable = False
    return {
        _("the base is missing in the network: its maps go into the head."): {"base": None},
        _("the base is not frozen: set base.trainable = False."): {"base": _base_layers()},
        _("only a part of the base is frozen: set base.trainable = False."): {"base": part},
        _("it takes the mean of each whole map, and the places are lost: use "
          'layers.AveragePooling2D(2, padding="same"), then layers.Flatten.'):
            {"pooling": layers.GlobalAveragePooling2D()},
        _("it pools with the maximum: use layers.AveragePooling2D, which takes the mean."):
            {"pooling": layers.MaxPooling2D(2, padding="same")},
        _("Flatten is missing: the dense layers want one row of numbers per image."): {"flatten": None},
        _("the maps are flattened without pooling, so the head has about four times the weights: put "
          'layers.AveragePooling2D(2, padding="same") before.'): {"pooling": None},
        _("the Dropout layer is missing."): {"dropout": None},
        _("the pooling drops the last row and the last column of maps with an odd edge, here 3 x 3: write "
          'padding="same".'): {"pooling": layers.AveragePooling2D(2)},
        _("Dropout(0.8) drops 80 %: the number is the share that is dropped, not the share that stays."):
            {"dropout": layers.Dropout(0.8)},
        _("the last layer has no activation: softmax makes probabilities of its numbers."): {"output": layers.Dense(4)},
        _("a sigmoid judges each class alone, and the outputs do not add up to 1: use softmax."):
            {"output": layers.Dense(4, "sigmoid")},
        _("the whole network is frozen, the head as well: freeze the base only."):
            {"dense": layers.Dense(20, "relu", trainable=False), "output": layers.Dense(4, "softmax", trainable=False)},
    }


def _base_layers() -> list["keras.Layer"]:
    """Return the layers of a small base; dropout drops nothing, unless somebody says training=True."""
    from keras import layers

    return [
        layers.Conv2D(4, 3, strides=2, dtype="float32"),
        layers.BatchNormalization(dtype="float32"),
        layers.ReLU(dtype="float32"),
        layers.Dropout(0.5, dtype="float32"),
        layers.Conv2D(6, 1, dtype="float32"),
        layers.BatchNormalization(dtype="float32"),
    ]


def _small_base(edge: int) -> "keras.Model":
    """Return a network that makes 6 maps of 3 x 3 of an image of 7 x 7, or of 4 x 4 of 9 x 9."""
    import keras

    maps = images = keras.Input((edge, edge, 3), dtype="float32")
    for layer in _base_layers():
        maps = layer(maps)
    return keras.Model(images, maps, dtype="float32")


def _wrong_head(function: Callable) -> str | None:
    calls = [(_small_base(7), 4), (_small_base(9), 3)]
    otherwise = _("it works for one base only: use base.input_shape and classes as the function gets them.")
    predict = partial(_mistake_in_prediction, calls[0][0])
    return network.find_mistake(function, calls, head_reference, head_mistakes, otherwise, predict)


check_head = partial(grade, "4.4", _("Freeze, and add a head"), with_head, _wrong_head)


def _mistake_in_prediction(base: "keras.Model", model: "keras.Model") -> str | None:
    """Name what is wrong with a network of the right layers: the weights of its base, or what it predicts."""
    from keras import ops

    if not all(map(same, base.get_weights(), model.get_weights())):
        return _("another base is in the network, with weights of its own: use the base that the function is given.")
    images = np.random.default_rng(9).normal(size=(3, 7, 7, 3)).astype("float32")
    first, again = (ops.convert_to_numpy(model(images)) for _time in range(2))
    if not same(first, again, atol=1e-3):
        return _(
            "two predictions of the same images differ: a layer was called with training=True, so it drops numbers in "
            "prediction as well. Call the base with training=False."
        )
    if np.ptp(first, axis=0).max() < 1e-6:
        return _("every image gets the same probabilities: leave the initial weights of the dense layers as they are.")
    return None


# --- 4.5

def _between(centre: float, half: float, divisor: float) -> tuple[float, float]:
    return (centre - half) / divisor, (centre + half) / divisor


def wilson(
    right: int, cases: int, *, z: float = 1.96, shift: float = 1, in_root: float = 1, ends: Callable = _between
) -> tuple[float, float]:
    """Return the ends of Wilson's 95 % interval (https://doi.org/10.1214/ss/1009213286).

    Parameters
    ----------
    right, cases : int
        How many of how many are right.
    """
    share = right / cases
    centre = share + shift * z**2 / (2 * cases)
    half = z * np.sqrt(share * (1 - share) / cases + in_root * z**2 / (4 * cases**2))
    return ends(centre, half, 1 + z**2 / cases)


_wald = partial(wilson, shift=0, in_root=0, ends=lambda centre, half, divisor: (centre - half, centre + half))


check_wilson = Exercise(
    "4.5", _("An interval for 73 of 75"), wilson, atol=1e-3,
    cases={
        _("for {right} of {cases} it gives {value}; expected were {expected}."): [(73, 75), (75, 75), (0, 10), (36, 75)]
    },
    mistakes={
        _("this is the textbook's plus-minus formula (Wald): it leaves 0 to 1, and 75 of 75 has no width at all."):
            [_wald, lambda right, cases: np.clip(_wald(right, cases), 0, 1)],
        _("z is another number: for 95 % it is 1.96."): [{"z": z} for z in (1.645, 2.576, 0.95, 1, 2)],
        _("this is the exact interval of Clopper and Pearson: Wilson's is asked for."): 
            lambda right, cases: tuple(binomtest(right, cases).proportion_ci()),
        _("these are counts: use the share, right / cases."):
            lambda right, cases: cases * np.array(wilson(right, cases)),
        _("low and high are exchanged: the lower end comes first."): {"then": lambda ends: ends[::-1]},
        _("p is the number of right answers: it is their share, right / cases."):
            lambda right, cases: (np.nan, np.nan) if right else wilson(right, cases),  # the root of a negative number
        _("this is the interval of the errors: use the right ones."): lambda right, cases: wilson(cases - right, cases),
        _("right // cases cuts off to a whole number: write right / cases."):
            lambda right, cases: wilson(right // cases * cases, cases),
        _("the number of cases is fixed at 75: use the argument cases."): lambda right, cases: wilson(right, 75),
        _("these are centre and half width: return centre - half width and centre + half width."):
            {"ends": lambda centre, half, divisor: (centre / divisor, half / divisor)},
        _("z is squared: z**2 / cases, z**2 / (2 * cases) and z**2 / (4 * cases**2)."): [
            {"shift": 1 / 1.96}, {"in_root": 1 / 1.96},
            {"ends": lambda centre, half, divisor: _between(centre, half, 1 + (divisor - 1) / 1.96)},
        ],
        _("it is not divided by 1 + z**2 / cases."):
            [{"ends": lambda centre, half, divisor, by=by: _between(centre, half, divisor**by)} for by in (0, -1)],
        _("only the centre is divided by 1 + z**2 / cases: divide the half width as well."):
            {"ends": lambda centre, half, divisor: _between(centre / divisor, half, 1)},
        _("only the half width is divided by 1 + z**2 / cases: divide the centre as well. Are parentheses missing?"):
            {"ends": lambda centre, half, divisor: _between(centre, half / divisor, 1)},
        _("the centre is wrong: z**2 / (2 * cases) is missing."): {"shift": 0},
        _("the centre is the bare share: it is share + z**2 / (2 * cases), divided by 1 + z**2 / cases."):
            lambda right, cases: wilson(right, cases, ends=lambda _c, half, d: _between(right / cases, half / d, 1)),
        _("only z**2 / (2 * cases) is divided by 1 + z**2 / cases: divide the whole centre. Are parentheses missing?"):
            lambda right, cases: wilson(right, cases, ends=lambda centre, half, d: _between(
                right / cases * (1 - 1 / d) + centre / d, half / d, 1)),
        _("in the root z**2 / (4 * cases**2) is missing."): {"in_root": 0},
        _("in the root cases is squared: z**2 / (4 * cases**2)."):
            lambda right, cases: wilson(right, cases, in_root=cases),
        _("in the root share * (1 - share) is divided by cases."):
            lambda right, cases: wilson(right, cases, ends=lambda centre, half, d: _between(
                centre, 1.96 * np.sqrt(right / cases * (1 - right / cases) + 1.96**2 / (4 * cases**2)), d)),
        _("there is one square root, over the whole sum, p(1 - p) / n + z**2 / (4 n**2)."): [
            lambda right, cases, a=a, b=b: wilson(right, cases, ends=lambda centre, _half, d: _between(
                centre, 1.96 * ((right / cases * (1 - right / cases)) ** 0.5 / cases**a + (1.96 / 2 / cases) ** b), d))
            for a, b in ((1, 2), (0.5, 1))
        ],
        _("the square root is missing."): {"ends": lambda centre, half, d: _between(centre, half**2 / 1.96, d)},
        _("the factor z before the root is missing."):
            {"ends": lambda centre, half, d: _between(centre, half / 1.96, d)},
        _("parentheses are missing: z**2 / 2 * cases multiplies by cases. Write z**2 / (2 * cases), and in the root "
          "z**2 / (4 * cases**2)."): [
            lambda right, cases: wilson(right, cases, shift=cases**2),
            lambda right, cases: wilson(right, cases, in_root=cases**4),
            lambda right, cases: wilson(right, cases, shift=cases**2, in_root=cases**4),
        ],
        _("parentheses are missing: / 1 + z**2 / cases divides by 1 only. Write / (1 + z**2 / cases)."):
            {"ends": lambda centre, half, divisor: np.array(_between(centre, half, 1)) + divisor - 1},
    },
)
