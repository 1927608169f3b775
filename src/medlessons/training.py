"""Reproducible training, and the few callbacks that the lessons share."""

import sys

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm


def reproducible(seed: int = 0) -> None:
    """Make the numbers of a notebook the same on every run and on every machine.

    Seeds Python, NumPy and TensorFlow, asks TensorFlow for deterministic operations, and computes in 64-bit
    floats. The last point matters most: the order in which a processor adds numbers depends on its kind and on
    the number of threads. In 32 bits the tiny differences grow during training until predictions change; in 64
    bits they stay far below the printed digits.

    Parameters
    ----------
    seed : int
        Start of all random numbers, 0 or above.
    """
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


class Progress(keras.callbacks.Callback):
    """Show one progress bar for a whole training, with the current loss.

    The bar goes to stderr, so that the stored outputs of a notebook stay the same from run to run.

    Parameters
    ----------
    label : str
        What stands in front of the bar.
    """

    def __init__(self, label: str = "training"):
        super().__init__()
        self.label = label

    def on_train_begin(self, logs=None):
        self.bar = tqdm(total=self.params["epochs"], desc=self.label, unit="epoch", file=sys.stderr)

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix({"loss": f"{logs['loss']:.3f}"})
        self.bar.update()

    def on_train_end(self, logs=None):
        self.bar.close()


def fit_quickly(
    model: keras.Model, features: np.ndarray, labels: np.ndarray, epochs: int, batch_size: int, seed: int = 0
) -> None:
    """Train like ``model.fit`` with shuffling, but in one go: Keras does not stop between the epochs.

    For a small network this takes less than half of the time. There are no curves and no callbacks; use it for repeats.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    features : array, shape (rows, inputs)
    labels : array, shape (rows,) or (rows, classes)
    epochs, batch_size : int
    seed : int
        Order of the rows.
    """
    rows = tf.data.Dataset.from_tensor_slices((features, labels)).cache()
    batches = rows.shuffle(len(features), seed=seed).batch(batch_size)
    model.steps_per_execution = len(batches)  # TensorFlow runs an epoch by itself, and Python waits
    model.fit(batches.repeat(epochs), shuffle=False, verbose=0)  # the rows are shuffled above
