"""The networks that the lessons load, and how they are loaded: never a missing or damaged file in silence.

A network is a builder in this module, a file of weights and a contract. The contract (``models/NAME.json``) says which
builder, which outputs in which order, and which pixels the network wants; the weights (``models/NAME.npz``) are plain
arrays. Neither depends on the version of Keras or on its backend.
"""

import contextlib
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from medlessons import files, settings
from medlessons.errors import LessonError
from medlessons.wording import _

if TYPE_CHECKING:  # importing Keras takes seconds, and looking at checksums does not need it
    import keras

DEEP, WORTH_COMPILING = 100, 100  # layers and images from which on a network is compiled to predict
DEEP_BATCH = 16  # images: larger batches take more memory, not less time
REMEDY = "Get it back with `git checkout -- models`."
CONTRACT = ("builder", "labels", "sizes", "channels", "pixels", "parameters", "sha256")


def load(name: str, labels: Sequence[str] | None = None) -> "keras.Model":
    """Load a trained network of the folder ``models/``. It computes in 32-bit floats, whatever Keras' default is.

    Parameters
    ----------
    name : str
        Such as ``"orientation"``. The model cards in models/README.md say what each network wants and gives.
    labels : sequence of str, optional
        What the outputs are taken for, in this order. Compared with the network's own order.

    Returns
    -------
    keras.Model
        Its attribute ``contract`` is that of :func:`contract`.

    Raises
    ------
    LessonError
        If the weights are missing, are not those that were measured for the model card, do not fit the network, or if
        ``labels`` are others than the network's, or in another order.
    """
    known = contract(name)
    weights = _checked_weights(name)
    if labels is not None:
        _compare_labels(name, known["labels"], list(labels))
    network = _build(known)
    try:
        network.set_weights(weights)
    except ValueError as error:
        raise LessonError(
            f"{weights_path(name)}: the weights do not fit the network that {known['builder']!r} builds. {REMEDY}"
        ) from error
    return network


def with_random_weights(name: str, seed: int = 0) -> "keras.Model":
    """Build the same network as :func:`load`, but with random weights: the control that has learned nothing.

    Parameters
    ----------
    name : str
        As for :func:`load`.
    seed : int
        Of the weights, 0 or above.

    Returns
    -------
    keras.Model
    """
    import keras

    keras.utils.set_random_seed(seed)
    return _build(contract(name))


def draw_kernels(network: "keras.Model", seed: int = 0) -> None:
    """Give the kernels of a network new random weights, in place; biases and normalizations stay as they are.

    The kernels are drawn as Keras draws them at first (Glorot and Bengio 2010, uniform). For a network that has learned
    nothing this does the same as building it again, and is much faster.

    Parameters
    ----------
    network : keras.Model
        As :func:`with_random_weights` returns it.
    seed : int
        0 or above.
    """
    import keras

    draw = keras.initializers.GlorotUniform(keras.random.SeedGenerator(seed))
    for weight in network.weights:
        if weight.path.endswith("kernel"):
            weight.assign(draw(weight.shape, weight.dtype))


def _build(known: dict) -> "keras.Model":
    with _single_precision():
        network = BUILDERS[known["builder"]](known["sizes"][-1], len(known["labels"]))
    return _with_contract(network, known)


def _with_contract(network: "keras.Model", known: dict) -> "keras.Model":
    object.__setattr__(network, "contract", known)  # past Keras, which would track it as a part of the network
    return network


def probabilities(network: "keras.Model", images: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Return what a network predicts, batch by batch.

    A deep network is compiled first, which takes seconds and then halves the time and the memory of each batch; for a
    small one, or for a few images, that would not pay. What was compiled once is used again.

    Parameters
    ----------
    network : keras.Model
        With one output array, as :func:`load` returns it or of one's own.
    images : array, shape (images, height, width, channels)
    batch_size : int
        At most; a deep network takes fewer images at once.

    Returns
    -------
    array of float, shape (images, outputs)

    Raises
    ------
    LessonError
        If there is no image, or as :func:`check_images` does.

    Warns
    -----
    UserWarning
        As :func:`check_images` does.
    """
    if len(images) == 0:
        raise LessonError("There is no image to predict: the array is empty.")
    check_images(network, images)
    if len(network.layers) >= DEEP:
        batch_size = min(batch_size, DEEP_BATCH)
        if len(images) >= WORTH_COMPILING or hasattr(network, "traced"):
            return predict(network, _floats(images), batch_size, _("outputs")).reshape(len(images), -1)
    batches = (_floats(images[at : at + batch_size]) for at in range(0, len(images), batch_size))
    return np.concatenate([np.array(network(batch, training=False)) for batch in batches]).reshape(len(images), -1)


def predict(network: "keras.Model", images: np.ndarray, batch_size: int, label: str) -> np.ndarray:
    """Return what ``network.predict`` returns, with one progress bar on stderr if there are many images.

    Parameters
    ----------
    network : keras.Model
    images : array, shape (images, ...)
    batch_size : int
    label : str
        Title of the bar: what is computed.

    Returns
    -------
    array, shape (images, ...)
    """
    batches, few = range(0, len(images), batch_size), len(images) < WORTH_COMPILING
    compute, kind = traced(network), network.inputs[0].dtype
    with tqdm(batches, desc=label, unit="batch", file=sys.stderr, disable=few) as bar:
        return np.concatenate([np.array(compute(images[at : at + batch_size].astype(kind))) for at in bar])


def traced(network: "keras.Model") -> Callable:
    """Return a network as a TensorFlow function: traced once, for images of all sizes that it takes.

    ``network.predict`` traces a deep network again for each size, which takes seconds. The function follows the weights
    of the network: it is not traced again when they change.

    Parameters
    ----------
    network : keras.Model
        Built, with one input.

    Returns
    -------
    callable
        Takes and returns tensors, of the type of the network's input and output.
    """
    import tensorflow as tf

    if not hasattr(network, "traced"):
        specs = [tf.TensorSpec(one.shape, one.dtype) for one in network.inputs]
        function = tf.function(lambda batch: network(batch, training=False), input_signature=specs)
        object.__setattr__(network, "traced", function)  # past Keras, as the contract
    return network.traced


def _floats(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)  # it may be a tensor
    return images if np.issubdtype(images.dtype, np.floating) else images.astype(np.float32)


def check_images(network: "keras.Model", images: np.ndarray) -> None:
    """Compare images with what a network wants, if it has a contract: channels, gray levels, and size.

    Parameters
    ----------
    network : keras.Model
        As :func:`load` returns it; one without a contract takes any images.
    images : array, shape (images, height, width, channels)

    Raises
    ------
    LessonError
        If the number of channels is another one, if gray levels were scaled (0 to 1, standardized) where 0 to 255 are
        expected, or if the network cannot compute with images of this size.

    Warns
    -----
    UserWarning
        If it can, but was trained at another size: its answers then get worse, without any error.
    """
    known = getattr(network, "contract", None)
    if known is None or known["pixels"] is None:  # standardized volumes have no gray levels of their own
        return
    if np.ndim(images) != 4 or np.shape(images)[-1] != known["channels"]:
        raise LessonError(
            f"The images have the shape {np.shape(images)}, but this network wants (images, height, width, "
            f"{known['channels']}). `images.load` makes such an array."
        )
    low, high = float(np.min(images)), float(np.max(images))
    least, most = known["pixels"]
    if not (least <= low and high <= most) or high <= 1 < most:
        raise LessonError(
            f"The gray levels run from {low:.3g} to {high:.3g}, but this network wants {least} to {most}, as in the "
            "file: it scales them itself. Do not divide them by 255 or standardize them before."
        )
    height, width = np.shape(images)[1:3]
    if {height, width} - set(known["sizes"]):
        message = _other_size(f"{height} x {width}", known["sizes"])
        if None not in network.input_shape[1:3]:
            raise LessonError(message)
        warnings.warn(message, stacklevel=3)


def _other_size(given: str, sizes: list[int]) -> str:
    says = _(
        "The images have {given} pixels, but this network was trained with images of {sizes}. With other sizes its "
        "answers get worse: load the images with size={size}."
    )
    trained = _(" and ").join(f"{size} x {size}" for size in sizes)
    return says.format(given=given, sizes=trained, size=sizes[-1])


def image_size(name: str) -> int:
    """Return the edge in pixels of the images that a network wants, whatever the profile: it was trained at this size.

    Parameters
    ----------
    name : str
        As for :func:`load`.

    Raises
    ------
    LessonError
        As :func:`contract` does.
    """
    return contract(name)["sizes"][-1]


def _compare_labels(name: str, own: list[str], given: list[str]) -> None:
    if own == given:
        return
    if sorted(own) == sorted(given):
        place = next(i for i, pair in enumerate(zip(own, given, strict=True)) if pair[0] != pair[1])
        raise LessonError(
            f"The outputs of {name!r} are in another order: number {place} is {own[place]!r}, not {given[place]!r}. "
            f"Use the order of `models.contract({name!r})['labels']`."
        )
    raise LessonError(f"The outputs of {name!r} are {', '.join(own)}; {', '.join(given)} were expected.")


@contextlib.contextmanager
def _single_precision() -> Iterator[None]:
    import keras

    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def weights_path(name: str) -> Path:
    """Return where the weights of a network are."""
    return settings.models_dir() / f"{name}.npz"


def contract(name: str) -> dict:
    """Return what a network wants and gives.

    Returns
    -------
    dict
        ``builder``; ``labels``, the ordered outputs; ``sizes``, the edges in pixels that it was trained at, the last
        one last; ``channels``; ``pixels``, the lowest and highest gray level
        (None: standardized volumes); ``parameters``; ``sha256`` of the
        weights.

    Raises
    ------
    LessonError
        If there is no such network or its contract cannot be read.
    """
    path = settings.models_dir() / f"{name}.json"
    if not path.is_file():
        raise LessonError(f"There is no network {name!r} in {path.parent}; there are: {', '.join(_names())}. {REMEDY}")
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        lacking = [key for key in CONTRACT if key not in known]
    except (ValueError, TypeError) as error:
        raise LessonError(f"{path}: the contract cannot be read ({error}). {REMEDY}") from error
    if lacking or known["builder"] not in BUILDERS:
        what = f"lacks {lacking[0]!r}" if lacking else f"names an unknown builder, {known['builder']!r}"
        raise LessonError(f"{path}: the contract {what}. {REMEDY}")
    return known


def _names() -> list[str]:
    """Return the names of the networks that have a contract."""
    names = sorted(path.stem for path in settings.models_dir().glob("*.json"))
    if not names:
        raise LessonError(f"{settings.models_dir()}: no contract is there. {REMEDY}")
    return names


def status() -> dict[str, str | None]:
    """Return what is wrong with the weights of each network, None if nothing is."""
    return {name: _find_fault(name) for name in _names()}


def _find_fault(name: str) -> str | None:
    if not weights_path(name).is_file():
        return _("the weights are not there. {remedy}").format(remedy=REMEDY)
    if files.sha256(weights_path(name)) != contract(name)["sha256"]:
        return _("the weights are damaged, or of another version. {remedy}").format(remedy=REMEDY)
    return None


def _checked_weights(name: str) -> list[np.ndarray]:
    """Return the stored weights of a network, if they are those of its contract."""
    fault = _find_fault(name)
    if fault:
        raise LessonError(f"{weights_path(name)}: {fault}")
    return unpack(weights_path(name))


def unpack(path: Path) -> list[np.ndarray]:
    """Return the stored arrays in 32 bits: 16-bit floats, or 8-bit whole numbers with a scale for each channel."""
    with np.load(path, allow_pickle=False) as stored:
        keys = sorted(key for key in stored.files if not key.endswith(".scale"))
        return [stored[key].astype(np.float32) * stored.get(f"{key}.scale", np.float32(1)) for key in keys]


def orientation(size: int, outputs: int = 1) -> "keras.Model":
    """Build the network of lesson 2 that is trained on simulated images only and shipped in ``models/``.

    Each image is standardized by itself, so that exposure does not matter. Then come blocks of convolution and pooling,
    the mean and the maximum of each map, and one sigmoid output: the probability that the view is lateral.

    Parameters
    ----------
    size : int
        Edge of the images in pixels.
    outputs : int

    Returns
    -------
    keras.Model
        Takes gray levels from 0 to 255, shape (images, size, size, 1).
    """
    import keras

    layers = keras.layers
    inputs = keras.Input((size, size, 1))
    maps = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False)(inputs)
    for count in (16, 32, 48, 64, 96):
        maps = layers.Conv2D(count, 3, padding="same", use_bias=False)(maps)
        maps = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(maps))
        maps = layers.MaxPooling2D()(maps)
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(maps), layers.GlobalMaxPooling2D()(maps)])
    probability = layers.Dense(outputs, activation="sigmoid")(layers.Dropout(0.3)(pooled))
    return keras.Model(inputs, probability, name="orientation")


def _findings(backbone: str, preprocessing: dict | None = None) -> Callable[[int, int], "keras.Model"]:
    """Return a builder: one of Keras' backbones between gray images and independent findings.

    Each image is standardized by itself, unless ``preprocessing`` (scale, offset) says what the backbone was made for.
    """

    def builder(size: int, outputs: int) -> "keras.Model":
        import keras

        layers = keras.layers
        inputs = keras.Input((None, None, 1), name="gray")
        # In 32 bits also under mixed precision: 256 gray levels do not fit into the 8 digits of a bfloat16.
        if preprocessing is None:
            axes = {"axis": (1, 2, 3), "center": False, "scale": False}
            scaled = layers.LayerNormalization(**axes, dtype="float32", name="standardization")(inputs)
            channels = layers.Concatenate(name="channels")([scaled] * 3)
        else:
            channels = layers.Concatenate(name="channels")([inputs] * 3)
            channels = layers.Rescaling(**preprocessing, dtype="float32", name="preprocessing")(channels)
        base = getattr(keras.applications, backbone)(
            include_top=False, weights=None, input_tensor=channels, input_shape=(None, None, 3)
        )
        pooled = layers.GlobalAveragePooling2D(name="features")(base.output)
        logits = layers.Dense(outputs, dtype="float32", name="logits")(pooled)
        chances = layers.Activation("sigmoid", dtype="float32", name="probabilities")(logits)
        return keras.Model(inputs, chances, name=backbone.lower())

    return builder


def _unet3d(size: object, outputs: int) -> "keras.Model":
    """Build the network of lesson 6, which takes heads and windows of any size."""
    from medlessons import unet

    return unet.unet3d(unet.SHIPPED, outputs)


BUILDERS: dict[str, Callable[[int, int], "keras.Model"]] = {
    "orientation": orientation,
    "densenet121": _findings("DenseNet121"),
    "resnet50v2": _findings("ResNet50V2", {"scale": 1 / 127.5, "offset": -1.0}),
    "xception": _findings("Xception", {"scale": 1 / 127.5, "offset": -1.0}),
    "vgg16": _findings("VGG16", {"scale": 1.0, "offset": [-103.939, -116.779, -123.68]}),  # mean blue, green and red
    "unet3d": _unet3d,
}
"""Builder -> function of the size of the images (pixels) and the number of outputs.

The networks for findings take gray levels from 0 to 255, shape (images, size, size, 1), of any size from 32 pixels on.
They standardize each image by itself (DenseNet-121), or scale it as Keras' networks for photographs want it (backbones
of lesson 4), and give it to all three channels. The maps are averaged (``features``), and a dense layer gives the
``logits``, a sigmoid the ``probabilities`` of the findings. ``unet3d`` takes standardized volumes instead.
"""

BACKBONES = {"xception": "Xception", "resnet50v2": "ResNet50V2", "vgg16": "VGG16"}
"""Name -> Keras' name of the backbones of lesson 4."""
SMALLEST = 71  # pixels: none of them takes smaller images with ImageNet's weights


def backbone_weights() -> str:
    """Return which weights the backbones of lesson 4 get: ``"shipped"`` or ``"imagenet"``.

    What the environment says (MEDLESSONS_WEIGHTS); unless it says something, simulated patients get the shipped
    weights, and real ones those of ImageNet. Each backbone's are looked for at once, before a lesson computes with the
    first of them. If one cannot be had, a line says so, and the shipped ones are taken for all.

    Raises
    ------
    LessonError
        If the environment asks for those of ImageNet, and one cannot be had.
    """
    chosen = settings.weights()
    if (chosen or settings.source()) in ("shipped", "embedded"):
        return "shipped"
    for name in BACKBONES:
        try:
            backbone(name, SMALLEST, "imagenet")
        except LessonError as error:
            if chosen:
                raise
            print(error, _("The shipped weights are taken, for all backbones."))
            return "shipped"
    return "imagenet"


def backbone(name: str, size: int, weights: str = "shipped", seed: int = 0) -> "keras.Model":
    """Return a backbone of lesson 4 without its head, in 32-bit floats.

    Parameters
    ----------
    name : {"xception", "resnet50v2", "vgg16"}
    size : int
        Edge of the images in pixels, 32 or above (Xception: 71 or above for ImageNet's weights).
    weights : {"shipped", "imagenet", "random"}
        Trained by this repository on simulated radiographs, by Keras' authors on photographs (downloaded at first use,
        with a checksum), or not at all.
    seed : int
        Of random weights.

    Returns
    -------
    keras.Model
        Takes images as ``keras.applications`` preprocesses them for this backbone, shape (images, size, size, 3), and
        gives maps, shape (images, rows, columns, maps).

    Raises
    ------
    LessonError
        If there is no such backbone, its weights are missing or damaged, or the download fails.

    Warns
    -----
    UserWarning
        If shipped weights were trained at another size.
    """
    import keras

    if name not in BACKBONES or weights not in ("shipped", "imagenet", "random"):
        raise LessonError(
            f"There is no backbone {name!r} with weights {weights!r}; choose one of {', '.join(BACKBONES)}, and "
            "shipped, imagenet or random."
        )
    stored = _checked_weights(name) if weights == "shipped" else None
    if stored and size not in contract(name)["sizes"]:
        warnings.warn(_other_size(f"{size} x {size}", contract(name)["sizes"]), stacklevel=2)
    if weights == "random":
        keras.utils.set_random_seed(seed)
    build = getattr(keras.applications, BACKBONES[name])
    with _single_precision():
        try:
            base = build(
                weights="imagenet" if weights == "imagenet" else None,
                include_top=False,
                input_shape=(size, size, 3),
                name=name,
            )
        except Exception as error:  # Keras raises a bare Exception if it cannot download
            if weights != "imagenet":
                raise
            raise LessonError(
                f"{BACKBONES[name]}: the weights of ImageNet cannot be had ({error}). Check the network, or "
                "choose this repository's own with MEDLESSONS_WEIGHTS=shipped."
            ) from error
    if stored:
        base.set_weights(stored[:-2])  # the last two are those of the dense layer for findings
    return base


def feature_extractor(network: "keras.Model") -> "keras.Model":
    """Return the part of a network for findings that ends with the averaged maps (1,024 for DenseNet-121).

    It wants the same images as the whole network, and has the same contract.
    """
    import keras

    return _with_contract(
        keras.Model(network.input, network.get_layer("features").output), getattr(network, "contract", None)
    )


def without_standardization(network: "keras.Model") -> "keras.Model":
    """Return the part of a network for findings after its standardization: for images standardized otherwise."""
    import keras

    return keras.Model(network.get_layer("standardization").output, network.output)
