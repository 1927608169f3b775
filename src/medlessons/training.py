"""Reproducible training, features of a frozen base, and the few callbacks that the lessons share."""

import json
import random
import re
import sys
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from medlessons import models
from medlessons.errors import LessonError

WORKERS = {}  # what fit_quickly has translated: design of a network -> (a network of this design, one epoch of it)
SMALL = 2_000_000  # parameters up to which a second copy of a network costs no memory that counts


def reproducible(seed: int = 0) -> None:
    """Make the numbers of a notebook the same on every run and on every machine.

    Seeds Python, NumPy and Keras' backend, asks TensorFlow for deterministic operations, and computes in 64-bit
    floats. The last point matters most: the order in which a processor adds numbers depends on its kind and on
    the number of threads. In 32 bits the tiny differences grow during training until predictions change; in 64
    bits they stay far below the printed digits. Networks of :func:`medlessons.models.load` run in 32 bits all the same:
    they are large, and nothing grows where nothing is trained. NumPy's and scikit-learn's linear algebra gets one
    thread: on tables as small as these, more threads wait for each other longer than they compute.

    Parameters
    ----------
    seed : int
        Start of all random numbers, 0 or above.
    """
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")  # set apart, since layers may have been made before
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    threadpool_limits(1, user_api="blas")


def extract_features(
    base: keras.Model, images: np.ndarray, batch_size: int = 16, label: str = "features"
) -> np.ndarray:
    """Compute what a frozen base gives for each image, once.

    The features of a frozen base never change. A head that is trained on them learns what it would learn on top of the
    base, in a fraction of the time. The base runs as in prediction: its batch normalization uses what it has stored,
    and nothing is dropped out.

    Parameters
    ----------
    base : keras.Model
        With one output of any shape.
    images : array, shape (images, ...)
        As the base wants them.
    batch_size : int
    label : str
        Title of the progress bar (on stderr).

    Returns
    -------
    array of float32, shape (images, ...)

    Raises
    ------
    LessonError
        If there is no image, a feature is not a number, or as :func:`medlessons.models.check_images` does.

    Warns
    -----
    UserWarning
        As :func:`medlessons.models.check_images` does.
    """
    if len(images) == 0:
        raise LessonError("There is no image to compute features of: the array is empty.")
    models.check_images(base, images)
    features = models.predict(base, np.asarray(images, np.float32), batch_size, label).astype(np.float32)
    if not np.isfinite(features).all():
        raise LessonError("A feature is not a number (NaN): look at the weights of the base, and at the images.")
    return features


class Progress(keras.callbacks.Callback):
    """Show one progress bar for a whole training, with the current loss.

    The bar goes to stderr, so that the stored outputs of a notebook stay the same from run to run.

    Parameters
    ----------
    label : str
        Title of the bar.
    """

    def __init__(self, label: str = "training"):
        super().__init__()
        self.label = label

    def on_train_begin(self, logs=None):
        """Open the bar."""
        self.bar = tqdm(total=self.params["epochs"], desc=self.label, unit="epoch", file=sys.stderr)

    def on_epoch_end(self, epoch, logs=None):
        """Move the bar on by one epoch."""
        self.bar.set_postfix({"loss": f"{logs['loss']:.3f}"})
        self.bar.update()

    def on_train_end(self, logs=None):
        """Close the bar."""
        self.bar.close()


def fit_quickly(
    model: keras.Model,
    features: np.ndarray,
    labels: np.ndarray,
    epochs: int,
    batch_size: int,
    seed: int = 0,
    after_epoch: Callable[[], object] | None = None,
) -> None:
    """Train like ``model.fit`` with shuffling, but let TensorFlow run the steps of each epoch in one go.

    For a small network this takes a quarter of the time. There are no curves and no callbacks of Keras; use it for
    repeats. Rows that do not fill a batch at the end of an epoch wait for another one. TensorFlow translates the steps
    once for all networks of the same design, optimizer and loss: the next one trains at once.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    features : array, shape (rows, inputs)
    labels : array, shape (rows,) or (rows, classes)
    epochs, batch_size : int
    seed : int
        Order of the rows.
    after_epoch : callable
        Called without arguments after each epoch.

    Raises
    ------
    LessonError
        If there are fewer rows than a batch holds.

    Examples
    --------
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> fit_quickly(model, np.zeros((10, 3)), np.ones(10), epochs=2, batch_size=5)
    >>> int(model.optimizer.iterations)
    4
    """
    rows = len(features) // batch_size * batch_size
    if rows == 0:
        raise LessonError(f"{len(features)} rows do not fill one batch of {batch_size}. Use a smaller batch_size.")
    rng = np.random.default_rng(seed)
    order = [rng.permutation(len(features))[:rows] for _ in range(epochs)]
    features, labels = tf.constant(features), tf.constant(labels)
    if not model.built:
        model.build(features.shape)
    model.optimizer.build(model.trainable_variables)
    batches = tf.constant(np.reshape(order, (epochs, -1, batch_size)))
    worker, take_epoch = _worker(model, batches[0], features, labels)
    _copy(_state(model) + model.optimizer.variables, _state(worker) + worker.optimizer.variables)
    for epoch in batches:
        take_epoch(epoch, features, labels)
        if after_epoch is not None:
            _copy(_state(worker), _state(model))
            after_epoch()
    _copy(_state(worker) + worker.optimizer.variables, _state(model) + model.optimizer.variables)


def _worker(model: keras.Model, *data: tf.Tensor) -> tuple[keras.Model, Callable]:
    """Return a network of the same design, and a function that trains it for one epoch.

    The worker of an earlier network is used again. A large network is its own worker, and so is one with code of a user
    in its design (a loss, a layer): two of them may differ though they look the same.
    """
    specs = [tf.TensorSpec([None, *part.shape[1:]], part.dtype) for part in data]
    config = keras.saving.serialize_keras_object(model)
    design = re.sub(r'("name": "[^"]*?)_\d+"', r'\1"', json.dumps([config, str(specs)]))  # dense_7 is a dense
    if model.count_params() > SMALL or '"registered_name": "' in design or "__lambda__" in design:
        return model, _epoch_of(model, specs)
    if design not in WORKERS:
        state = random.getstate()  # a network draws its seeds from here; a worker must not change what comes next
        worker = keras.saving.deserialize_keras_object(config)
        random.setstate(state)
        worker.optimizer.build(worker.trainable_variables)
        WORKERS[design] = worker, _epoch_of(worker, specs)
    return WORKERS[design]


def _epoch_of(model: keras.Model, specs: list[tf.TensorSpec]) -> Callable:
    weights = model.trainable_variables

    @tf.function
    def take_steps(batches, features, labels):
        for batch in batches:
            with tf.GradientTape() as tape:
                predicted = model(tf.gather(features, batch), training=True)
                loss = model.compute_loss(y=tf.gather(labels, batch), y_pred=predicted)
            model.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    return take_steps.get_concrete_function(*specs)  # called directly, TensorFlow warns of many new functions


def _state(model: keras.Model) -> list[keras.Variable]:
    """Return the weights and the states of random layers; metrics, which a network has or has not, are left out."""
    counted = {id(variable) for metric in model.metrics for variable in metric.variables}
    return [variable for variable in model.variables if id(variable) not in counted]


def _copy(source: list[keras.Variable], target: list[keras.Variable]) -> None:
    for value, variable in zip(source, target, strict=True):
        if value is not variable:
            variable.assign(value)
