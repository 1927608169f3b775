"""The networks that the lessons load, and how they are loaded: never a missing or damaged file in silence."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medlessons import files, settings
from medlessons.errors import LessonError

if TYPE_CHECKING:  # importing Keras takes seconds, and looking at checksums does not need it
    import keras

CHECKSUMS = "SHA256SUMS"


def load(name: str) -> "keras.Model":
    """Load a trained network of the folder ``models/``.

    Parameters
    ----------
    name : str
        Name of the file without its ending, such as ``"orientation"``. The model cards in models/README.md say what
        each network wants and gives.

    Returns
    -------
    keras.Model

    Raises
    ------
    LessonError
        If the file is missing, or is not the one that was measured for its model card.
    """
    import keras

    path = settings.models_dir() / f"{name}.keras"
    known = checksums()
    if path.name not in known:
        raise LessonError(f"There is no network {name!r}; there are {', '.join(Path(file).stem for file in known)}.")
    fault = check(path, known[path.name])
    if fault:
        raise LessonError(f"{path}: {fault} Bring it back with `git checkout -- models`.")
    return keras.saving.load_model(path, compile=False)


def probabilities(network: "keras.Model", pictures: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Return what a network with one sigmoid output predicts, batch by batch.

    For some hundred images this is faster than ``network.predict``, which compiles the network first.

    Parameters
    ----------
    network : keras.Model
    pictures : array, shape (images, height, width, channels)
    batch_size : int

    Returns
    -------
    array of float, shape (images,)
        From 0 to 1.
    """
    starts = range(0, len(pictures), batch_size)
    return np.concatenate([np.array(network(pictures[at : at + batch_size], training=False))[:, 0] for at in starts])


def checksums() -> dict[str, str]:
    """Return the SHA-256 of each file in ``models/``: file -> 64 hexadecimal digits."""
    path = settings.models_dir() / CHECKSUMS
    if not path.is_file():
        raise LessonError(f"{path}: the list of checksums is not there. Bring it back with `git checkout -- models`.")
    pairs = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return {file: digest for digest, file in pairs}


def status() -> dict[str, str | None]:
    """Return what is wrong with each file of weights, None if nothing is."""
    return {file: check(settings.models_dir() / file, digest) for file, digest in checksums().items()}


def check(path: Path, digest: str) -> str | None:
    """Return what is wrong with a file of weights, or None."""
    if not path.is_file():
        return "the weights are not there."
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        return "the weights are damaged or from another version: their checksum is not the one in models/SHA256SUMS."
    return None


def record(path: Path) -> None:
    """Write the checksum of a new file of weights into the list."""
    listed = settings.models_dir() / CHECKSUMS
    known = checksums() if listed.is_file() else {}
    known[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    with files.placing(listed) as temporary:
        temporary.write_text("".join(f"{digest}  {file}\n" for file, digest in sorted(known.items())), newline="\n")


def orientation(size: int, filters: tuple[int, ...] = (16, 32, 48, 64, 96)) -> "keras.Model":
    """Build the network of lesson 2 that is trained on simulated images only and shipped in ``models/``.

    Each image is standardised by itself, so that exposure does not matter. Then come blocks of convolution and pooling,
    the mean and the maximum of each map, and one sigmoid output: the probability that the view is lateral.

    Parameters
    ----------
    size : int
        Edge of the images in pixels.
    filters : tuple of int
        Filters of each block.

    Returns
    -------
    keras.Model
        Takes gray levels from 0 to 255, shape (images, size, size, 1).
    """
    import keras

    layers = keras.layers
    inputs = keras.Input((size, size, 1))
    maps = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False)(inputs)
    for count in filters:
        maps = layers.Conv2D(count, 3, padding="same", use_bias=False)(maps)
        maps = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(maps))
        maps = layers.MaxPooling2D()(maps)
    found = layers.Concatenate()([layers.GlobalAveragePooling2D()(maps), layers.GlobalMaxPooling2D()(maps)])
    answer = layers.Dense(1, activation="sigmoid")(layers.Dropout(0.3)(found))
    return keras.Model(inputs, answer, name="orientation")
