"""Class imbalance: how frequent each finding is, and losses that do not let the frequent class drown the rare one."""

from collections.abc import Callable, Sequence

import numpy as np

from medlessons.errors import LessonError

EPSILON = 1e-7


def class_frequencies(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how frequent each class is, and how frequently it is absent.

    Parameters
    ----------
    labels : array or DataFrame of 0 and 1, shape (images, classes)

    Returns
    -------
    positive, negative : arrays of float, shape (classes,)
        They add up to 1.

    Raises
    ------
    LessonError
        If there is no image, or a label is neither 0 nor 1.

    Examples
    --------
    >>> positive, negative = class_frequencies([[1, 0], [1, 1], [0, 0], [1, 0]])
    >>> positive.tolist(), negative.tolist()
    ([0.75, 0.25], [0.25, 0.75])
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or len(labels) == 0:
        raise LessonError(
            f"The labels have the shape {labels.shape}; expected is (images, classes), with one image at least."
        )
    if not np.isin(labels, (0, 1)).all():
        raise LessonError("A label must be 0 (absent) or 1 (present).")
    positive = labels.mean(axis=0, dtype=float)
    return positive, 1 - positive


def weighted_loss(positive: Sequence[float], negative: Sequence[float], epsilon: float = EPSILON) -> Callable:
    """Return the weighted cross-entropy of several findings, from probabilities.

    For each class the mean over the images of ``-(w_pos * y * log(p + epsilon) + w_neg * (1 - y) * log(1 - p +
    epsilon))``; then the sum over the classes.

    Parameters
    ----------
    positive, negative : sequences of float, shape (classes,)
        Weight of a present and of an absent finding.
    epsilon : float
        Keeps the logarithm of 0 away.

    Returns
    -------
    callable
        Takes labels and probabilities, shape (images, classes), and returns one number; a loss for ``compile``.
    """
    from keras import ops

    return _weighted(positive, negative, lambda p: -ops.log(p + epsilon), lambda p: -ops.log(1 - p + epsilon))


def weighted_loss_from_logits(positive: Sequence[float], negative: Sequence[float]) -> Callable:
    """Return the same loss from logits: exact for sure predictions too, and without an epsilon.

    ``log(sigmoid(z))`` is ``-softplus(-z)``; no probability is rounded to 0 or 1 before its logarithm is taken.

    Parameters
    ----------
    positive, negative
        As for :func:`weighted_loss`.

    Returns
    -------
    callable
        Takes labels and logits, shape (images, classes), and returns one number.
    """
    from keras import ops

    return _weighted(positive, negative, lambda logit: ops.softplus(-logit), ops.softplus)


def soft_dice_loss(truth, predicted, epsilon: float = 1.0):
    """Return the soft Dice loss (Milletari et al. 2016), the mean over the labels.

    For each label, over all scans of the batch and all their voxels, ``1 - (2 * sum(t * p) + epsilon) / (sum(t * t) +
    sum(p * p) + epsilon)``.

    Parameters
    ----------
    truth, predicted : tensors, shape (batch, x, y, z, labels)
        One-hot labels, and probabilities.
    epsilon : float
        Keeps the quotient defined where a label is absent and none is predicted: the loss is then 0.

    Returns
    -------
    tensor of one number
        0 (perfect) to nearly 1.
    """
    from keras import ops

    predicted = ops.convert_to_tensor(predicted)
    truth = ops.cast(truth, predicted.dtype)
    everywhere = (0, 1, 2, 3)  # not the last axis: each label has a Dice of its own
    overlap = ops.sum(truth * predicted, axis=everywhere)
    sizes = ops.sum(truth * truth, axis=everywhere) + ops.sum(predicted * predicted, axis=everywhere)
    return ops.mean(1 - (2 * overlap + epsilon) / (sizes + epsilon))


def _weighted(
    positive: Sequence[float], negative: Sequence[float], of_present: Callable, of_absent: Callable
) -> Callable:
    """Return the weighted loss, from what a present and an absent finding cost."""
    from keras import ops

    def loss(truth, predicted):
        predicted = ops.convert_to_tensor(predicted)
        truth = ops.cast(truth, predicted.dtype)
        w_pos, w_neg = (ops.convert_to_tensor(np.asarray(w), dtype=predicted.dtype) for w in (positive, negative))
        each = w_pos * truth * of_present(predicted) + w_neg * (1 - truth) * of_absent(predicted)
        return ops.sum(ops.mean(each, axis=0))

    return loss
