"""The checks of lesson 4, and the reference solutions that they compare with."""

import contextlib
import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from medlessons.checks import network
from medlessons.checks.exercise import judge, plain
from medlessons.wording import _, say

if TYPE_CHECKING:
    import keras


def _near(value: Any, expected: Any) -> bool:
    """Tell whether numbers agree in shape and, within one thousandth, in value; texts are no numbers."""
    try:
        value, expected = np.asarray(value), np.asarray(expected)
    except ValueError:  # not all of the same length
        return False
    if value.dtype.kind not in "fiub":
        return False
    return value.shape == expected.shape and np.allclose(value, expected, rtol=0, atol=1e-3)


# ---------------------------------------------------------------------------------------------------------
# 4.1


def split_by_patient(patients: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return an array of True (test set) and False, one an image; `share` of the patients are in the test set.

    `patients` holds the name of the patient of each image. All the images of a patient lie on the same side.
    """
    names = np.unique(patients)
    chosen = rng.choice(names, size=round(share * len(names)), replace=False)
    return np.isin(patients, chosen)


def _names_of_images() -> np.ndarray:
    """Return the patients of 43 patients' images in mixed order: four of them have ten images, the others up to 3."""
    counts = [10] * 4 + [1, 2, 3] * 13
    names = np.repeat([say("P{number:02d}", number=number) for number in range(len(counts))], counts)
    return np.random.default_rng(6).permutation(names)


def check_split(student: Callable) -> Callable:
    """Check exercise 4.1; return the student's function or the reference."""
    patients = _names_of_images()

    def find_mistake(function):
        given = patients.copy()
        first = function(given, 0.2, np.random.default_rng(0))
        if not np.array_equal(given, patients):
            return "it changes the array patients itself (shuffle works in place): the names no longer fit the images."
        mistake = _kind_mistake(first, patients) or _sides_mistake(np.asarray(first), patients)
        if mistake:
            return mistake
        small = [np.asarray(function(patients.copy(), 0.2, np.random.default_rng(seed))) for seed in range(60)]
        large = [np.asarray(function(patients.copy(), 0.4, np.random.default_rng(seed))) for seed in range(5)]
        return (
            _number_mistake(small, large, patients)
            or next(filter(None, (_sides_mistake(test, patients) for test in small + large)), None)
            or _chance_mistake(small, np.asarray(first), patients)
        )

    return judge("4.1", "Split by patient", student, split_by_patient, find_mistake)


def _kind_mistake(test: Any, patients: np.ndarray) -> str | None:
    """Name what is wrong with the kind of object that a split is, if anything is."""
    if isinstance(test, tuple | list) and len(test) == 2:
        return "it returns two things: return one array, True where the image belongs to the test set."
    if isinstance(test, set):
        return "it returns a set of patients: return True or False for each image, as np.isin(patients, ...) does."
    if not isinstance(test, np.ndarray | pd.Series):
        return say("it returns an object of the type {kind}: return a NumPy array.", kind=type(test).__name__)
    test = np.asarray(test)
    if test.dtype.kind in "US" or any(isinstance(value, str) for value in test.ravel()):
        return "it returns names of patients: return True or False for each image, as np.isin(patients, ...) does."
    if test.shape == (len(np.unique(patients)),) and test.dtype == bool:
        return "it returns one value a patient: return one an image, in the order of the images."
    if test.dtype != bool and test.shape == patients.shape and set(test.tolist()) <= {0, 1}:
        return say(
            "it returns 0 and 1 as numbers of the type {kind}. As an index they would pick the rows 0 and 1: make True "
            "and False of them, with == 1.",
            kind=test.dtype.name,
        )
    if test.dtype.kind in "iu":
        return "it returns row numbers: return True or False for each image."
    if test.dtype != bool:
        return say("its values are of the type {kind}: return True or False.", kind=test.dtype.name)
    if test.shape != patients.shape:
        return say(
            "the result has the shape {shape}; expected was {expected}, one value an image.",
            shape=test.shape,
            expected=patients.shape,
        )
    return None


def _in_test(test: np.ndarray, patients: np.ndarray) -> set[str]:
    return set(patients[test].tolist())


def _sides_mistake(test: np.ndarray, patients: np.ndarray) -> str | None:
    """Name what is wrong if a patient has images on both sides."""
    shared = _in_test(test, patients) & _in_test(~test, patients)
    if not shared:
        return None
    if np.unique(patients[test], return_counts=True)[1].max() == 1:
        return "only one image of each drawn patient is in the test set: take all the images of a drawn patient."
    return say("{count} patients have images on both sides: draw patients, not images.", count=len(shared))


def _number_mistake(small: list[np.ndarray], large: list[np.ndarray], patients: np.ndarray) -> str | None:
    """Name what is wrong with the number of patients in the test sets, if anything is."""
    everybody = len(np.unique(patients))
    few = [len(_in_test(test, patients)) for test in small]
    many = [len(_in_test(test, patients)) for test in large]
    wanted, wanted_of_many = round(0.2 * everybody), round(0.4 * everybody)
    if set(few) == {wanted} and set(many) == {wanted_of_many}:
        return None
    if set(few) == {everybody - wanted} and set(many) == {everybody - wanted_of_many}:
        return "it is the wrong way round: True means test set, and here it marks the training set."
    if set(few) == set(many) and len(set(few)) == 1:
        return say("it takes {number} patients whatever share is asked for: use the argument share.", number=few[0])
    if set(few) != {wanted}:
        share, came, tests = 0.2, few, small
    else:
        share, came, tests, wanted = 0.4, many, large, wanted_of_many
    return say(
        "{share:.0%} of {everybody} patients are {wanted}, but {number} are in the test set. {why}",
        share=share,
        everybody=everybody,
        wanted=wanted,
        number=next(number for number in came if number != wanted),
        why=_why_another_number(came, wanted, [np.mean(test) - share for test in tests]),
    )


def _why_another_number(came: list[int], wanted: int, images: list[float]) -> str:
    """Guess why not `wanted` patients came; `images` tells how far the shares of the images are from the one asked."""
    if set(came) in ({wanted - 1}, {wanted + 1}):
        return "Round to the nearest whole number: round(share * number_of_patients)."
    if max(came) <= wanted and len(set(came)) > 1:
        return "Was a patient drawn twice? Draw without replacement: replace=False."
    if np.abs(images).max() < 0.1:
        return "The share of the images is met: share is a share of the patients."
    return "Draw round(share * number_of_patients) of them."


def _chance_mistake(splits: list[np.ndarray], again: np.ndarray, patients: np.ndarray) -> str | None:
    """Name what is wrong with how patients are drawn, if anything is; `again` is the first split, made once more."""
    drawn = [_in_test(test, patients) for test in splits]
    if all(one == drawn[0] for one in drawn):
        for names in (np.unique(patients), pd.unique(patients)):
            if drawn[0] in (set(names[: len(drawn[0])]), set(names[-len(drawn[0]) :])):
                return "it always takes the first or the last patients: draw them at random, with rng."
        return "every call draws the same patients: use the generator rng that is given, not one of your own."
    if not np.array_equal(splits[0], again):
        return "the same generator gives another split each time: draw with rng only, or nobody can repeat your split."
    times = {name: sum(name in one for one in drawn) for name in np.unique(patients)}
    never = [name for name, number in times.items() if number == 0]
    if never:
        return say("patient {name} was never drawn in 60 splits: everybody should have the same chance.", name=never[0])
    names, counts = np.unique(patients, return_counts=True)
    if np.mean([times[name] for name in names[counts == 10]]) > 24:  # of 60; a fair draw gives 12
        return "patients with many images are drawn more often: draw from np.unique(patients), each name once."
    return None


# ---------------------------------------------------------------------------------------------------------
# 4.2

BACKBONES = ("xception", "resnet50v2", "vgg16")
MEANS = (103.939, 116.779, 123.68)  # of blue, green and red over the images of ImageNet


def preprocess(gray: np.ndarray, backbone: str) -> np.ndarray:
    """Return three channels of gray levels 0 to 255, shape (images, height, width, 1), scaled as `backbone` wants them.

    VGG16 was trained with blue, green, red minus their means, Xception and ResNet50V2 with values from -1 to 1.
    """
    channels = np.repeat(np.asarray(gray, dtype="float32"), 3, axis=-1)
    if backbone == "vgg16":
        return channels - np.array(MEANS, dtype="float32")
    return channels / 127.5 - 1


def check_preprocess(student: Callable) -> Callable:
    """Check exercise 4.2; return the student's function or the reference."""
    whole = np.random.default_rng(7).integers(20, 200, (2, 4, 5, 1)).astype("uint8")
    gray = whole.astype("float32")

    def find_mistake(function):
        given = {backbone: gray.copy() for backbone in BACKBONES}
        batches = {backbone: function(given[backbone], backbone) for backbone in BACKBONES}
        mistake = next(filter(None, map(_channels_mistake, batches.values())), None) or _scale_mistake(batches, gray)
        if mistake:
            return mistake
        if any(not np.array_equal(given[backbone], gray) for backbone in BACKBONES):
            return (
                "it changes the batch that it is given, so a second call would scale it twice: work on a copy, such as "
                "np.repeat(gray, 3, axis=-1)."
            )
        if any(not _near(_array(function(whole.copy(), name)), preprocess(whole, name)) for name in BACKBONES):
            return (
                "whole gray levels (uint8) give another result than the same gray levels as floats: uint8 starts again "
                'at 0 behind 255. Begin with gray.astype("float32").'
            )
        return None

    return judge("4.2", "What each backbone wants", student, preprocess, find_mistake)


def _array(batch: Any) -> np.ndarray:
    from keras import ops

    return np.asarray(ops.convert_to_numpy(batch)) if ops.is_tensor(batch) else np.asarray(batch)


def _channels_mistake(batch: Any) -> str | None:
    """Name what is wrong with the shape of what became of two images of 4 x 5 pixels, if anything is."""
    batch = _array(batch)
    if batch.shape == (2, 4, 5, 3):
        return None if batch.dtype.kind == "f" else "the result holds whole numbers: return floats."
    wrong = {
        (2, 4, 5, 1): "there is one channel only: these backbones want three, so repeat it along the last axis.",
        (2, 3, 4, 5): "the channels come first: in Keras they are the last axis.",
        (6, 4, 5, 1): "there are three times as many images: repeat along the last axis (axis=-1), the channels.",
        (2, 12, 5, 1): "the images became three times as high: repeat along the last axis (axis=-1), the channels.",
        (2, 4, 15, 1): "the images became three times as wide: repeat along the last axis (axis=-1), the channels.",
        (2, 4, 5, 1, 3): "there is an axis too many: concatenate or repeat along the last axis, do not stack.",
        (4, 5, 3): "only one image is left: keep all of them.",
    }
    return wrong.get(batch.shape) or say(
        "a batch of the shape (2, 4, 5, 1) became {shape}; expected was (2, 4, 5, 3).", shape=batch.shape
    )


def _scale_mistake(batches: Mapping[str, Any], gray: np.ndarray) -> str | None:
    """Name what is wrong with the numbers of the three batches, if anything is."""
    wrong = [name for name in BACKBONES if not _near(_array(batches[name]), preprocess(gray, name))]
    if not wrong:
        return None
    batch = _array(batches[wrong[0]])
    if all(_near(_array(batches[name]), _three(gray / 255)) for name in BACKBONES):
        return "every backbone gets gray levels / 255, as in the published lesson. None of the three was trained so."
    found = next((sentence for sentence, other in _other_scales(gray, wrong[0]) if _near(batch, other)), None)
    return say(
        "{backbone}: {mistake}",
        backbone=wrong[0],
        mistake=found
        or say(
            "gray level {gray:g} became {value}; expected was {expected}.",
            gray=gray[0, 0, 0, 0],
            value=plain(batch[0, 0, 0]),
            expected=plain(preprocess(gray, wrong[0])[0, 0, 0]),
        ),
    )


def _three(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray, 3, axis=-1)


def _other_scales(gray: np.ndarray, backbone: str) -> list[tuple[str, np.ndarray]]:
    """Return what classic mistakes make of a batch, each with the sentence that names it."""
    gray, means, image = _three(gray.astype(float)), np.array(MEANS), {"axis": (1, 2, 3), "keepdims": True}
    both = [
        ("these are gray levels / 255, from 0 to 1. It was trained with another range.", gray / 255),
        ("these are the gray levels as they were, from 0 to 255: scale them.", gray),
        (
            "each image is standardised by its own mean and standard deviation: use the fixed numbers of the training.",
            (gray - gray.mean(**image)) / gray.std(**image),
        ),
        (
            "the batch is standardised by its own mean and standard deviation: use the fixed numbers of the training.",
            (gray - gray.mean()) / gray.std(),
        ),
        (
            "it is standardised as for the networks of PyTorch: these backbones come from Keras.",
            (gray / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
        ),
    ]
    own_range = "it is scaled by its own darkest or brightest pixel: the same gray must always give the same number."
    low, high = gray.min(**image), gray.max(**image)
    for dark, bright in ((low, high), (gray.min(), gray.max()), (0, high), (0, gray.max())):
        share = (gray - dark) / (bright - dark)
        both += [(own_range, share), (own_range, 2 * share - 1)]
    if backbone != "vgg16":
        return [
            *both,
            ("it divides by 128: gray levels end at 255, so divide by 127.5 and subtract 1.", gray / 128 - 1),
            ("these are values from 0 to 2: subtract 1.", gray / 127.5),
            ("these are values from -0.5 to 0.5: divide by 127.5, not by 255, and subtract 1.", gray / 255 - 0.5),
            ("these are values from -1 to 0: divide by 127.5, not by 255, and subtract 1.", gray / 255 - 1),
            ("it subtracts 1 before it divides: first divide by 127.5.", (gray - 1) / 127.5),
            ("blue, green, red minus their means is for VGG16: this one wants values from -1 to 1.", gray - means),
        ]
    no_division = "the means are subtracted, but it divides as well: VGG16 wants no division."
    return [
        *both,
        (
            "values from -1 to 1 are for the others: VGG16 wants blue, green, red minus their means.",
            gray / 127.5 - 1,
        ),
        ("the means are in the order red, green, blue: VGG16 wants blue first, 103.939.", gray - means[::-1]),
        ("one mean is subtracted from all channels: each channel has its own.", gray - means.mean()),
        ("the means are added: subtract them.", gray + means),
        (no_division, (gray - means) / 255),
        (no_division, gray / 255 - means),
        (no_division, (gray - means[::-1]) / 255),
        (no_division, gray / 255 - means[::-1]),
        (no_division, (gray - means) / 127.5 - 1),
        (no_division, gray / 127.5 - 1 - means),
    ]


# ---------------------------------------------------------------------------------------------------------
# 4.3


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
        _(
            "it takes the mean of each whole map, and the places are lost: use "
            'layers.AveragePooling2D(2, padding="same"), then layers.Flatten.'
        ): {"pooling": layers.GlobalAveragePooling2D()},
        _(
            "it takes the maximum of each whole map, and the places are lost: use "
            'layers.AveragePooling2D(2, padding="same"), then layers.Flatten.'
        ): {"pooling": layers.GlobalMaxPooling2D()},
        _("it pools with the maximum: use layers.AveragePooling2D, which takes the mean."): {
            "pooling": layers.MaxPooling2D(2, padding="same")
        },
        _("Flatten is missing: the dense layers want one row of numbers per image."): {"flatten": None},
        _(
            "the maps are flattened without pooling, so the head has about four times the weights: put "
            'layers.AveragePooling2D(2, padding="same") before.'
        ): {"pooling": None},
        _("the Dropout layer is missing."): {"dropout": None},
        _("the pooling is not that of 2 x 2 places: write layers.AveragePooling2D(2, padding='same')."): {
            "pooling": layers.AveragePooling2D(3, padding="same")
        },
        _(
            "the pooling drops the last row and the last column of maps with an odd edge, here 3 x 3: write "
            'padding="same".'
        ): {"pooling": layers.AveragePooling2D(2)},
        _("Dropout(0.8) drops 80 %: the number is the share that is dropped, not the share that stays."): {
            "dropout": layers.Dropout(0.8)
        },
        _("the Dropout layer drops 0.5; asked for was 0.2."): {"dropout": layers.Dropout(0.5)},
        _("with classes = 4 the network has 3 outputs: use the argument classes."): {
            "output": layers.Dense(3, "softmax")
        },
        _("the last layer has no activation: softmax makes probabilities of its numbers."): {"output": layers.Dense(4)},
        _("a sigmoid judges each class alone, and the outputs do not add up to 1: use softmax."): {
            "output": layers.Dense(4, "sigmoid")
        },
        _("the whole network is frozen, the head as well: freeze the base only."): {
            "dense": layers.Dense(20, "relu", trainable=False),
            "output": layers.Dense(4, "softmax", trainable=False),
        },
        _("a part of the head is frozen: freeze the base only."): {"dense": layers.Dense(20, "relu", trainable=False)},
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


def check_head(student: Callable) -> Callable:
    """Check exercise 4.3; return the student's function or the reference."""

    def find_mistake(function):
        calls = [(_small_base(7), 4), (_small_base(9), 3)]
        otherwise = _("it works for one base only: use base.input_shape and classes as the function gets them.")
        predict = partial(_mistake_in_prediction, calls[0][0])
        try:
            return network.find_mistake(function, calls, head_reference, head_mistakes, otherwise, predict)
        except TypeError as error:
            if "pool_size" not in str(error):
                raise
            return _('the pooling has no size: write layers.AveragePooling2D(2, padding="same").')

    return judge("4.3", "Freeze, and add a head", student, with_head, find_mistake)


def _mistake_in_prediction(base: "keras.Model", model: "keras.Model") -> str | None:
    """Name what is wrong with a network of the right layers: the weights of its base, or what it predicts."""
    from keras import ops

    if not all(map(_near, base.get_weights(), model.get_weights())):
        return _("another base is in the network, with weights of its own: use the base that the function is given.")
    images = np.random.default_rng(9).normal(size=(3, 7, 7, 3)).astype("float32")
    first, again = (ops.convert_to_numpy(model(images)) for _time in range(2))
    if not _near(first, again):
        return _(
            "two predictions of the same images differ: a layer was called with training=True, so it drops numbers in "
            "prediction as well. Call the base with training=False."
        )
    if np.ptp(first, axis=0).max() < 1e-6:
        return _("every image gets the same probabilities: leave the initial weights of the dense layers as they are.")
    return None


# ---------------------------------------------------------------------------------------------------------
# 4.4

START = 0.001
EPOCHS = 80


def plateau() -> "keras.callbacks.ReduceLROnPlateau":
    """Return a callback that takes a fifth of the learning rate when the validation loss stands still."""
    import keras

    return keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=5, cooldown=5)


def check_plateau(student: Callable) -> Callable:
    """Check exercise 4.4; return the student's function or the reference."""

    def find_mistake(function):
        callback = function()
        return (
            _no_plateau(callback)
            or _mistake_in_monitor(callback)
            or _mistake_in_numbers(callback)
            or _mistake_in_rates(callback, _rates(callback))
        )

    return judge("4.4", "A callback that acts", student, plateau, find_mistake)


def _no_plateau(callback: Any) -> str | None:
    import keras

    if isinstance(callback, list | tuple):
        return "it returns a list: return the callback itself. The list is made where fit is called."
    if callback is keras.callbacks.ReduceLROnPlateau:
        return "it returns the class: call it, with its settings in parentheses."
    if isinstance(callback, keras.callbacks.EarlyStopping):
        return "EarlyStopping ends the training; here it should go on, at a lower rate: use ReduceLROnPlateau."
    if isinstance(callback, keras.callbacks.LearningRateScheduler | keras.optimizers.schedules.LearningRateSchedule):
        return "this follows a plan made before, and does not look at the validation loss: use ReduceLROnPlateau."
    if not isinstance(callback, keras.callbacks.ReduceLROnPlateau):
        return say("it returns {kind}; expected was a ReduceLROnPlateau.", kind=type(callback).__name__)
    return None


def _mistake_in_monitor(callback: "keras.callbacks.ReduceLROnPlateau") -> str | None:
    monitor = callback.monitor
    if monitor == "loss":
        return "it watches the loss of the training images, which falls on and on: watch val_loss."
    if monitor in ("acc", "val_acc"):
        return say("Keras has no {monitor} any more, so the callback never acts: watch val_loss.", monitor=monitor)
    if monitor != "val_loss":
        return say("it watches {monitor}; asked for was the validation loss, val_loss.", monitor=monitor)
    if callback.mode == "max":
        return 'mode="max" waits for a rising loss: a loss should fall, so leave mode out.'
    return None


def _mistake_in_numbers(callback: "keras.callbacks.ReduceLROnPlateau") -> str | None:
    if np.isclose(callback.factor, 0.8):
        return "factor is what the rate is multiplied by: 0.8 takes away a fifth, 0.2 leaves a fifth."
    if not np.isclose(callback.factor, 0.2):
        return say("factor is {factor:g}; asked for was 0.2.", factor=callback.factor)
    if callback.patience >= EPOCHS:
        return say(
            "patience is {patience}, longer than the training of {epochs} epochs, so it never acts: 5 were asked for.",
            patience=callback.patience,
            epochs=EPOCHS,
        )
    if callback.patience != 5:
        return say("patience is {patience}; asked for were 5 epochs.", patience=callback.patience)
    if callback.cooldown != 5:
        return say("cooldown is {cooldown}; asked for were 5 epochs.", cooldown=callback.cooldown)
    return None


def _rates(callback: "keras.callbacks.ReduceLROnPlateau") -> np.ndarray:
    """Return the learning rate behind each epoch of a made-up training: its losses fall, then val_loss stands still."""
    import keras

    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.SGD(START), "mse")
    rates = []
    with contextlib.redirect_stdout(io.StringIO()):  # verbose=1 is no mistake
        callback.set_model(network)
        callback.on_train_begin()
        for epoch in range(50):  # long enough for two reductions
            callback.on_epoch_end(epoch, {"loss": 1 - epoch / 100, "val_loss": 1 - min(epoch, 20) / 40})
            rates.append(float(network.optimizer.learning_rate))
    return np.array(rates)


def _mistake_in_rates(callback: "keras.callbacks.ReduceLROnPlateau", rates: np.ndarray) -> str | None:
    """Name what is wrong with the rates that the callback made, if anything is."""
    if np.allclose(rates, START) and callback.min_lr > 0:
        return say(
            "it never acts: min_lr={lowest} is not below the rate of the start, {start}. That is the fault of the "
            "published lesson: leave min_lr out.",
            lowest=_decimal(callback.min_lr),
            start=_decimal(START),
        )
    if rates[20] < 0.9 * START:
        return say(
            "it acts while the loss still falls: to min_delta={delta:g} small steps are standing still. Leave it out.",
            delta=abs(callback.min_delta),
        )
    lowest = START * 0.2**2
    if rates.min() > 1.001 * lowest and np.isclose(rates.min(), callback.min_lr):
        return say(
            "the rate stops at {end}, since min_lr does not let it go lower: two reductions should reach {lowest}. "
            "Leave min_lr out.",
            end=_decimal(rates[-1]),
            lowest=_decimal(lowest),
        )
    if not np.allclose(np.maximum(rates, lowest), np.maximum(_rates(plateau()), lowest), rtol=1e-3):
        return "it does not act when it should: 5 epochs after the last step down of the validation loss."
    return None


def _decimal(number: float) -> str:
    """Return a small number as readers write it: 0.0002, not 2e-04."""
    return np.format_float_positional(number, precision=7, trim="-")


# ---------------------------------------------------------------------------------------------------------
# 4.5


def wilson(right: int, cases: int) -> tuple[float, float]:
    """Return the ends of Wilson's 95 % interval for `right` of `cases` (https://doi.org/10.1214/ss/1009213286)."""
    centre, half_width, divisor = _parts(right, cases)
    return (centre - half_width) / divisor, (centre + half_width) / divisor


def _parts(right: int, cases: int, z: float = 1.96) -> tuple[float, float, float]:
    """Return centre and half width of Wilson's interval, and what both are divided by."""
    share = right / cases
    centre = share + z**2 / (2 * cases)
    half_width = z * np.sqrt(share * (1 - share) / cases + z**2 / (4 * cases**2))
    return centre, half_width, 1 + z**2 / cases


COUNTS = ((73, 75), (75, 75), (0, 10), (36, 75))


def check_wilson(student: Callable) -> Callable:
    """Check exercise 4.5; return the student's function or the reference."""

    def find_mistake(function):
        values = [function(right, cases) for right, cases in COUNTS]
        if _near(values, [wilson(*counts) for counts in COUNTS]):
            return None
        for sentence, mistake in _other_intervals():
            if _near(values, [mistake(*counts) for counts in COUNTS]):
                return sentence
        return _no_interval(values) or _first_wrong(values)

    return judge("4.5", "An interval for 73 of 75", student, wilson, find_mistake)


def _no_interval(values: list[Any]) -> str | None:
    """Name what is wrong if the results are not pairs of numbers."""
    for value in values:
        if np.asarray(value).dtype.kind in "US":
            return "this is a text: return two numbers, without quotation marks and f-strings."
        if np.ndim(value) == 0:
            return "it returns one thing: return both ends of the interval, low and high."
        if np.shape(value) != (2,):
            return say(
                "the result has the shape {shape}; expected were two numbers, low and high.", shape=np.shape(value)
            )
        if np.isnan(np.asarray(value, dtype=float)).any():
            return "an end is not a number (nan): is there a root of a negative number, or a division by 0?"
    return None


def _first_wrong(values: list[Any]) -> str:
    for (right, cases), value in zip(COUNTS, values, strict=True):
        if not _near(value, wilson(right, cases)):
            break
    return say(
        "for {right} of {cases} it gives {value}; expected were {low:.3f} and {high:.3f}.",
        right=right,
        cases=cases,
        value=plain(value),
        low=wilson(right, cases)[0],
        high=wilson(right, cases)[1],
    )


def _ends(centre: float, half_width: float) -> tuple[float, float]:
    return centre - half_width, centre + half_width


def _with_z(z: float) -> Callable:
    def interval(right, cases):
        centre, half_width, divisor = _parts(right, cases, z)
        return _ends(centre / divisor, half_width / divisor)

    return interval


def _wald(right: int, cases: int) -> tuple[float, float]:
    share = right / cases
    return _ends(share, 1.96 * np.sqrt(share * (1 - share) / cases))


def _agresti(right: int, cases: int, more: float = 1.96**2) -> tuple[float, float]:
    return _wald(right + more / 2, cases + more)


def _by_scipy(method: str) -> Callable:
    return lambda right, cases: tuple(binomtest(right, cases).proportion_ci(method=method))


def _changed(change: Callable) -> Callable:
    """Return a function of the counts that computes `change` of centre, half width and divisor."""
    return lambda right, cases: change(*_parts(right, cases))


def _other_intervals() -> list[tuple[str, Callable]]:
    """Return classic mistakes: the sentence, and a function that makes the mistake."""
    return [
        (
            "this is the textbook's plus-minus formula (Wald): it leaves 0 to 1, and 75 of 75 has no width at all.",
            _wald,
        ),
        (
            "this is the textbook's plus-minus formula (Wald), cut off at 0 and 1: 75 of 75 still has no width at all.",
            lambda right, cases: np.clip(_wald(right, cases), 0, 1),
        ),
        ("this is the interval of Agresti and Coull: its centre is Wilson's, but it is wider.", _agresti),
        (
            "this is the interval of Agresti and Coull, cut off at 0 and 1: its centre is Wilson's, but it is wider.",
            lambda right, cases: np.clip(_agresti(right, cases), 0, 1),
        ),
        (
            "this is plus four (two right and two wrong cases more), not Wilson's formula.",
            lambda right, cases: _agresti(right, cases, 4),
        ),
        ("this is a 90 % interval, z = 1.645: 95 % needs z = 1.96.", _with_z(1.645)),
        ("this is a 99 % interval, z = 2.576: 95 % needs z = 1.96.", _with_z(2.576)),
        ("z is 1, one standard error: 95 % needs z = 1.96.", _with_z(1)),
        ("z is 2: take 1.96.", _with_z(2)),
        ("z is 0.95 here. 95 % is the level; its z is 1.96.", _with_z(0.95)),
        ("this is Wilson's interval with continuity correction: leave the correction out.", _by_scipy("wilsoncc")),
        ("this is the exact interval of Clopper and Pearson: Wilson's is asked for.", _by_scipy("exact")),
        (
            "these are counts: use the share, right / cases.",
            lambda right, cases: cases * np.array(wilson(right, cases)),
        ),
        (
            "these are percentages: return shares from 0 to 1.",
            lambda right, cases: 100 * np.array(wilson(right, cases)),
        ),
        ("low and high are exchanged: the lower end comes first.", lambda right, cases: wilson(right, cases)[::-1]),
        (
            "it is rounded to two digits: return all of them, and round only what you print.",
            lambda r, n: np.round(wilson(r, n), 2),
        ),
        ("this is the interval of the errors: use the right ones.", lambda r, n: wilson(n - r, n)),
        ("right // cases cuts off to a whole number: write right / cases.", lambda r, n: wilson(r // n * n, n)),
        ("the number of cases is fixed at 75: use the argument cases.", lambda r, n: wilson(r, 75)),
        (
            "this is the half width only: return both ends, centre - half width and centre + half width.",
            _changed(lambda centre, half, divisor: half / divisor),
        ),
        (
            "this is the centre only: return both ends, centre - half width and centre + half width.",
            _changed(lambda centre, half, divisor: centre / divisor),
        ),
        ("this is half of a Wald interval: return both ends of Wilson's.", lambda r, n: np.ptp(_wald(r, n)) / 2),
        (
            "these are centre and half width: return centre - half width and centre + half width.",
            _changed(lambda centre, half, divisor: (centre / divisor, half / divisor)),
        ),
        ("it is not divided by 1 + z**2 / cases.", _changed(lambda centre, half, divisor: _ends(centre, half))),
        (
            "only the centre is divided by 1 + z**2 / cases: divide the half width as well.",
            _changed(lambda centre, half, divisor: _ends(centre / divisor, half)),
        ),
        (
            "only the half width is divided by 1 + z**2 / cases: divide the centre as well. Are parentheses missing?",
            _changed(lambda centre, half, divisor: _ends(centre, half / divisor)),
        ),
        (
            "the centre is wrong: z**2 / (2 * cases) is missing.",
            lambda r, n: _ends(r / n / _parts(r, n)[2], _parts(r, n)[1] / _parts(r, n)[2]),
        ),
        (
            "the centre is the bare share: it is share + z**2 / (2 * cases), divided by 1 + z**2 / cases.",
            lambda r, n: _ends(r / n, _parts(r, n)[1] / _parts(r, n)[2]),
        ),
        (
            "in the root z**2 / (4 * cases**2) is missing.",
            lambda r, n: _ends(_parts(r, n)[0] / _parts(r, n)[2], np.ptp(_wald(r, n)) / 2 / _parts(r, n)[2]),
        ),
    ]
