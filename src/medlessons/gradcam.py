"""Class activation maps (Grad-CAM), and how well they hit a known lesion.

Grad-CAM (Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74) asks how much each map of the last convolution changes the
score of a class: the gradient, averaged over the map, is its weight; the weighted sum of the maps, without what is
negative, is the heat map.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

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
        (images, classes), and maps with an area of more than one place at its last layer with four axes.
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
        If there is no image, if the network has no maps, if a gradient is not a number, or if the maps do not depend on
        the image at all.
    """
    from keras import ops

    if np.ndim(images) != 4 or len(images) == 0:
        raise LessonError(f"Grad-CAM wants images of shape (images, height, width, channels), not {np.shape(images)}.")
    see, judge = cut(network)
    wanted = range(judge.output_shape[-1]) if classes is None else list(classes)
    out_of_range = [number for number in wanted if not 0 <= number < judge.output_shape[-1]]
    if out_of_range:
        raise LessonError(
            f"There is no class {out_of_range[0]}: the network has {judge.output_shape[-1]} outputs, from 0 on."
        )
    found = []
    for at in range(0, len(images), BATCH):
        maps = see(np.asarray(images[at : at + BATCH], np.float32), training=False)
        slopes = gradients(judge, maps, wanted)
        if not slopes.any():
            raise LessonError("No score depends on the last maps: every gradient is 0, so that there is no heat map.")
        maps = ops.convert_to_numpy(ops.cast(maps, "float32"))
        weights = slopes.mean(axis=(2, 3))  # (images, classes, maps)
        found.append(np.maximum(np.einsum("ick,ihwk->ichw", weights, maps), 0))
    heat = np.concatenate(found).astype(np.float32)
    if not np.isfinite(heat).all():
        raise LessonError(
            "A heat map is not a number (NaN). Look at the weights: the network is broken, or not trained."
        )
    return heat


def cut(network: "keras.Model") -> tuple["keras.Model", "keras.Model"]:
    """Cut a network behind its last maps, into the part that sees and the part that judges.

    The place is found by type and shape, not by name: the last layer with an output of four axes that is no pooling. Of
    DenseNet this is the last ReLU (1,024 maps), not the last convolution (32 maps).

    Parameters
    ----------
    network : keras.Model
        As for :func:`grad_cam`.

    Returns
    -------
    see : keras.Model
        Image -> maps, shape (images, rows, columns, maps).
    judge : keras.Model
        Maps -> logits, shape (images, classes): without the sigmoid or softmax at the end.

    Raises
    ------
    LessonError
        If the network has no such maps, is not built, or has several inputs or outputs.
    """
    import keras

    layers = keras.layers
    pools = (layers.MaxPooling2D, layers.AveragePooling2D, layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D)
    if not network.built or len(network.inputs) != 1 or len(network.outputs) != 1:
        raise LessonError("Grad-CAM wants a network that is built, with one input and one output.")
    image = keras.Input(network.inputs[0].shape[1:], dtype=network.inputs[0].dtype)
    calls = []
    _unfold(network, image, calls)
    seen = [out for layer, _, out in calls if len(out.shape) == 4 and not isinstance(layer, pools)]
    if not seen:
        raise LessonError(
            f"{network.name} has no layer that gives maps, shape (images, rows, columns, maps). Grad-CAM is for "
            "convolutional networks."
        )
    last, before, scores = calls[-1]
    if isinstance(last, (layers.Activation, layers.Softmax)):
        scores = before
    elif getattr(last, "activation", None) in (keras.activations.sigmoid, keras.activations.softmax):
        linear = type(last).from_config({**last.get_config(), "activation": "linear"})
        scores = linear(before)
        linear.set_weights(last.get_weights())
    return keras.Model(image, seen[-1]), keras.Model(seen[-1], scores)


def _unfold(network: "keras.Model", tensor, calls: list):
    """Apply the layers of a network, those of nested networks too; note each layer with its input and its output."""
    import keras

    def call(layer, *inputs, **options):
        if isinstance(layer, keras.Model):
            return _unfold(layer, inputs[0], calls)
        out = layer(*inputs, **options)
        if not isinstance(layer, keras.layers.InputLayer):
            calls.append((layer, inputs[0], out))
        return out

    if isinstance(network, keras.Sequential):
        for layer in network.layers:
            tensor = call(layer, tensor)
        return tensor
    inputs = keras.tree.pack_sequence_as(network.input, [tensor])  # models differ in whether their input is in a list
    first = len(calls)
    keras.models.clone_model(network, inputs, clone_function=lambda layer: layer, call_function=call)
    last = network.outputs[0]._keras_history.operation
    if isinstance(last, keras.Model):
        return calls[-1][2]
    return next(out for layer, _, out in reversed(calls[first:]) if layer is last)


def gradients(judge: "keras.Model", maps, classes: Sequence[int]) -> np.ndarray:
    """Return the gradient of each class's score by the maps, with whatever backend Keras runs on.

    Parameters
    ----------
    judge : keras.Model
        Maps -> scores, such as the second part of :func:`cut`.
    maps : tensor, shape (images, rows, columns, maps)
    classes : sequence of int

    Returns
    -------
    array of float32, shape (images, classes, rows, columns, maps)
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(persistent=True) as tape:
            tape.watch(maps)
            scores = judge(maps, training=False)
            each = [scores[:, number] for number in classes]
        slopes = [tape.gradient(score, maps) for score in each]
    elif backend == "torch":
        import torch

        maps = maps.detach().requires_grad_()
        scores = judge(maps, training=False)
        slopes = [torch.autograd.grad(scores[:, number].sum(), maps, retain_graph=True)[0] for number in classes]
    else:
        import jax

        slopes = [jax.grad(lambda maps, n=number: judge(maps, training=False)[:, n].sum())(maps) for number in classes]
    return np.stack([keras.ops.convert_to_numpy(keras.ops.cast(slope, "float32")) for slope in slopes], axis=1)


def resize(heat: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return a heat map at the size of an image, (rows, columns), by bilinear interpolation."""
    return np.asarray(Image.fromarray(np.asarray(heat, np.float32)).resize(shape[::-1], Image.Resampling.BILINEAR))


def hits(heat: np.ndarray, mask: np.ndarray) -> int:
    """Play the pointing game: is the strongest place of the map inside the lesion? (Zhang et al. 2018.)

    Parameters
    ----------
    heat : array, shape (rows, columns)
        Brought to the size of the mask.
    mask : array of bool, shape (height, width)
        Where the lesion is.

    Returns
    -------
    int
        1 or 0; 0 also where the map points nowhere (it is 0 everywhere). The average over many images is the hit rate
        (doi:10.1007/s11263-017-1059-x).

    Raises
    ------
    LessonError
        If the mask is empty: there is nothing to hit.
    """
    heat, mask = _pair(heat, mask)
    return int(heat.max() > 0 and mask.flat[heat.argmax()])


def energy_inside(heat: np.ndarray, mask: np.ndarray) -> float:
    """Return which share of the heat lies inside the lesion (Wang et al. 2020, doi:10.1109/CVPRW50498.2020.00020).

    Parameters
    ----------
    heat, mask
        As in :func:`hits`.

    Returns
    -------
    float
        0 to 1; 0 where there is no heat at all. A map of equal heat everywhere has the lesion's share of the area.
    """
    heat, mask = _pair(heat, mask)
    return float(heat[mask].sum() / heat.sum()) if heat.sum() > 0 else 0.0


def _pair(heat: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mask = np.asarray(mask, bool)
    if np.ndim(heat) != 2 or mask.ndim != 2 or not mask.any():
        raise LessonError(
            f"One map and one mask with a lesion are compared; their shapes are {np.shape(heat)} and {mask.shape}, "
            f"and {int(mask.sum())} pixels are inside."
        )
    return np.maximum(resize(heat, mask.shape).astype(float), 0), mask
