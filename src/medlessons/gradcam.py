"""Class activation maps (Grad-CAM), and how well they hit a known lesion.

Grad-CAM (Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74) asks how much each map of the last convolution changes the
score of a class: the gradient, averaged over the map, is its weight; the weighted sum of the maps, without what is
negative, is the heat map.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm import tqdm

from medlessons import models
from medlessons.errors import LessonError

if TYPE_CHECKING:
    import keras

BATCH = 16  # images at once


def grad_cam(network: "keras.Model", images: np.ndarray, classes: Sequence[int] | None = None) -> np.ndarray:
    """Return the heat maps of all classes, from one forward pass of the network.

    The gradient is that of the logit: the sigmoid or softmax at the end is left out, since its gradient vanishes just
    where the network is sure.

    Parameters
    ----------
    network : keras.Model
        Functional or Sequential; its backbone may be one nested layer. It must have one input and one output of shape
        (images, classes), and maps with an area of more than one place at its last layer with four axes. A sigmoid or
        softmax at its end is recognized by what it does, however it is written.
    images : array, shape (images, height, width, channels)
        As the network wants them.
    classes : sequence of int, optional
        Which outputs; all unless given.

    Returns
    -------
    array of float32, shape (images, classes, rows, columns)
        0 and above, in units of the logit; not normalized. A map is 0 everywhere where no place speaks for the class:
        that is an answer, and it is documented here because division by its maximum would give NaN.

    Raises
    ------
    LessonError
        If there is no image or it has another shape than the network wants, if the network cannot be cut (:func:`cut`),
        if a gradient is not a number, or if the maps do not depend on the image at all; or as
        :func:`medlessons.models.check_images` does.

    Warns
    -----
    UserWarning
        As :func:`medlessons.models.check_images` does.
    """
    if np.ndim(images) != 4 or len(images) == 0:
        raise LessonError(f"Grad-CAM wants images of shape (images, height, width, channels), not {np.shape(images)}.")
    models.check_images(network, images)
    features, classifier = cut(network)
    compute = _of_batches(network, features)
    wants, have = network.input_shape[1:], np.shape(images)[1:]
    if len(wants) != 3 or any(pair[0] not in (None, pair[1]) for pair in zip(wants, have, strict=True)):
        raise LessonError(f"{network.name} wants images of shape {wants}, not {have}.")
    outputs = classifier.output_shape[-1]
    wanted = range(outputs) if classes is None else list(classes)
    for number in wanted:
        if not 0 <= number < outputs:
            raise LessonError(f"There is no class {number}: the network has {outputs} outputs, from 0 on.")
    found = []
    starts = range(0, len(images), BATCH)
    for at in tqdm(starts, desc="Grad-CAM", unit="batch", file=sys.stderr, disable=len(starts) < 3):
        maps = compute(np.asarray(images[at : at + BATCH], np.float32))
        _refuse_one_place(network, maps.shape)  # known only now, if a network takes images of any size
        gradients = _gradients(classifier, maps, wanted)
        if not gradients.any():
            raise LessonError("No score depends on the last maps: every gradient is 0, so that there is no heat map.")
        weights = gradients.mean(axis=(2, 3))  # (images, classes, maps)
        found.append(np.maximum(np.einsum("ick,ihwk->ichw", weights, np.array(maps, np.float32)), 0))
    heat = np.concatenate(found).astype(np.float32)
    if not np.isfinite(heat).all():
        raise LessonError(
            "A heat map is not a number (NaN). Look at the weights: the network is broken, or not trained."
        )
    return heat


def _of_batches(network: "keras.Model", features: "keras.Model") -> Callable:
    """Return the first part of a network as a function; that of a deep network is traced once and kept.

    The layers, and so the weights, are those of the network, whenever it was cut.
    """
    if len(network.layers) < models.DEEP:
        return lambda batch: features(batch, training=False)
    if not hasattr(network, "traced_features"):
        object.__setattr__(network, "traced_features", models.traced(features))  # past Keras, as the contract
    return lambda batch: network.traced_features(batch.astype(network.inputs[0].dtype))


def cut(network: "keras.Model") -> tuple["keras.Model", "keras.Model"]:
    """Cut a network after its last maps, into a part that computes features and a part that classifies.

    The place is found by type and shape, not by name: the last layer with an output of four axes that is no pooling. Of
    DenseNet this is the last ReLU (1,024 maps), not the last convolution (32 maps).

    Parameters
    ----------
    network : keras.Model
        As for :func:`grad_cam`.

    Returns
    -------
    features : keras.Model
        Image -> maps, shape (images, rows, columns, maps).
    classifier : keras.Model
        Maps -> logits, shape (images, classes): without the sigmoid or softmax at the end.

    Raises
    ------
    LessonError
        If the network is no graph of layers from one input to one output of shape (images, classes), has no maps or
        only maps of 1 x 1, or computes its scores from more than its last maps.
    """
    import keras

    layers = keras.layers
    pools = (layers.MaxPooling2D, layers.AveragePooling2D, layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D)
    if not _is_graph(network):
        raise LessonError(
            f"Grad-CAM wants a Functional or Sequential network that is built, with one input and one output, and "
            f"{network.name} is none: write it with keras.Input, not as a subclass of keras.Model."
        )
    if len(network.output_shape) != 2:
        raise LessonError(
            f"Grad-CAM wants an output of shape (images, classes), but that of {network.name} is "
            f"{network.output_shape}. If these are maps, as for segmentation, put GlobalAveragePooling2D after them."
        )
    image, calls = keras.Input(network.input_shape[1:], dtype=network.inputs[0].dtype), []
    scores = _replay(network, image, calls)
    maps = [output for layer, _, output in calls if len(output.shape) == 4 and not isinstance(layer, pools)]
    if not maps:
        raise LessonError(
            f"{network.name} has no layer that gives maps, shape (images, rows, columns, maps). Grad-CAM is for "
            "convolutional networks."
        )
    _refuse_one_place(network, maps[-1].shape)
    classifier = _model(maps[-1], _logits(calls, scores))
    if classifier is None:
        raise LessonError(f"{network.name} computes its scores from more than its last maps: Grad-CAM cannot cut it.")
    return keras.Model(image, maps[-1]), classifier


def _is_graph(network: "keras.Model") -> bool:
    """Say whether a network is a graph of layers from one input to one output, and is built."""
    ends = getattr(network, "inputs", None), getattr(network, "outputs", None)
    return network.built and all(tensors is not None and len(tensors) == 1 for tensors in ends)


def _refuse_one_place(network: "keras.Model", shape: Sequence[int | None]) -> None:
    if tuple(shape[1:3]) == (1, 1):
        raise LessonError(
            f"The last maps of {network.name} are 1 x 1, so that they cannot say where. Give larger images; or, where "
            "the pooling keeps its axes (keepdims), build its head with GlobalAveragePooling2D() and Dense."
        )


def _model(start, end) -> "keras.Model | None":
    """Return the part of a graph between two tensors; None if the end needs more than the start."""
    import keras

    try:
        return keras.Model(start, end)
    except ValueError:
        return None


def _logits(calls: list, scores):
    """Return what goes into the sigmoid or softmax at the end of a network; its scores, if there is none.

    It is looked for as far back as the rest is still a softmax: that may be written out in several operations.
    """
    found = scores
    for layer, before, output in reversed(calls):
        if getattr(layer, "weights", None):
            return _without_activation(layer, before) if _ends_squashed(layer, output, scores) else found
        whole = _model(before, scores)
        if whole is not None and _squashes(whole, scores.shape[-1]):
            found = before
    return found


def _ends_squashed(layer: "keras.Layer", output, scores) -> bool:
    """Say whether the activation of a layer, with all that follows, is a sigmoid or softmax."""
    activation = getattr(layer, "activation", None)
    rest = (lambda x: x) if output is scores else _model(output, scores)
    return None not in (activation, rest) and _squashes(lambda x: rest(activation(x)), scores.shape[-1])


def _without_activation(layer: "keras.Layer", before):
    linear = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    logits = linear(before)
    linear.set_weights(layer.get_weights())
    return logits


def _squashes(function: Callable, width: int) -> bool:
    """Say whether a function of (images, width) is a sigmoid or softmax, or the logarithm of one."""
    import keras

    probe = np.linspace(-3, 3, 2 * width, dtype=np.float32).reshape(2, width)
    try:
        found = np.array(function(probe), np.float32)
    except Exception:  # any layer may stand here, and want another shape
        return False
    known = (keras.ops.sigmoid, keras.ops.softmax, keras.ops.log_sigmoid, keras.ops.log_softmax)
    return any(np.allclose(found, np.array(one(probe)), atol=0.01) for one in known if found.shape == probe.shape)


def _replay(network: "keras.Model", tensor, calls: list):
    """Apply a network layer by layer, also inside of nested networks, so that all of it is one graph.

    Each call is noted in ``calls``: the layer or operation, its first input, its output. The output of the last one is
    returned.
    """
    import keras

    def call(layer, *inputs, **options):
        tensors = [one for one in keras.tree.flatten((inputs, options)) if isinstance(one, keras.KerasTensor)]
        if isinstance(layer, keras.Model) and _is_graph(layer):
            return _replay(layer, tensors[0], calls)
        output = layer(*inputs, **options)
        if isinstance(output, keras.KerasTensor):  # not a list of several
            calls.append((layer, tensors[0], output))
        return output

    graph = keras.Model(network.inputs[0], network.outputs[0])  # makes a Sequential network functional, too
    keras.models.clone_model(graph, tensor, clone_function=lambda layer: layer, call_function=call)
    return calls[-1][2]


def _gradients(classifier: "keras.Model", maps, classes: Sequence[int]) -> np.ndarray:
    """Return the gradient of each class's score: float32, shape (images, classes, rows, columns, maps)."""
    import tensorflow as tf

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(maps)
        logits = classifier(maps, training=False)
        scores = [logits[:, number] for number in classes]
    if logits.shape[1] > 1 and np.allclose(np.array(logits, np.float32).sum(axis=1), 1, atol=1e-3):
        raise LessonError(
            "The scores add up to 1: there is a softmax in the network that cannot be cut off. Make it a layer of its "
            "own, the last one."
        )
    return np.stack([tape.gradient(score, maps) for score in scores], axis=1).astype(np.float32)


def pointing_game(heat: np.ndarray, mask: np.ndarray) -> float:
    """Return whether the center of the strongest cell of a map is inside of the lesion (Zhang et al. 2018).

    The strongest cell is looked for in the map as it is. Brought to the size of the image first, a strongest cell at
    the border becomes a plateau, whose first pixel lies at the very edge.

    Parameters
    ----------
    heat : array, shape (rows, columns)
        Its cells divide the image evenly.
    mask : array of bool, shape (height, width)
        Where the lesion is.

    Returns
    -------
    float
        1 or 0; 0 also where the map points nowhere (it is 0 everywhere). Where several cells are equally strong, the
        share of them whose center is inside. The average over many images is the hit rate
        (doi:10.1007/s11263-017-1059-x).

    Raises
    ------
    LessonError
        If the mask is empty: there is nothing to hit.

    Examples
    --------
    >>> heat = np.array([[0, 0, 0], [0, 0, 2], [0, 0, 0]])
    >>> mask = np.zeros((3, 3), bool)
    >>> mask[1, 2] = True
    >>> pointing_game(heat, mask), pointing_game(heat, ~mask)
    (1.0, 0.0)
    """
    mask = _pair(heat, mask)[1]
    heat = np.asarray(heat)
    if heat.max() <= 0:
        return 0.0
    strongest = np.argwhere(heat == heat.max())
    rows, columns = ((strongest + 0.5) * mask.shape / heat.shape).astype(int).T
    return float(mask[rows, columns].mean())


def energy_inside(heat: np.ndarray, mask: np.ndarray) -> float:
    """Return which share of the heat lies inside the lesion (Wang et al. 2020, doi:10.1109/CVPRW50498.2020.00020).

    Parameters
    ----------
    heat, mask
        As for :func:`pointing_game`.

    Returns
    -------
    float
        0 to 1; 0 where there is no heat at all. A map of equal heat everywhere has the lesion's share of the area.

    Raises
    ------
    LessonError
        As :func:`pointing_game` does.

    Examples
    --------
    >>> mask = np.array([[True, False], [False, False]])
    >>> energy_inside(np.array([[6, 1], [1, 0]]), mask)
    0.75
    """
    heat, mask = _pair(heat, mask)
    return float(heat[mask].sum() / heat.sum()) if heat.sum() > 0 else 0.0


def _pair(heat: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the map at the size of the mask (bilinear interpolation), without what is negative, and the mask."""
    mask = np.asarray(mask, bool)
    if np.ndim(heat) != 2 or mask.ndim != 2 or not mask.any():
        raise LessonError(
            f"One map and one mask with a lesion are compared; their shapes are {np.shape(heat)} and {mask.shape}, "
            f"and {int(mask.sum())} pixels are inside."
        )
    image = Image.fromarray(np.asarray(heat, np.float32)).resize(mask.shape[::-1], Image.Resampling.BILINEAR)
    return np.maximum(np.asarray(image, float), 0), mask
