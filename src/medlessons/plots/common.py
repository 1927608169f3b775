"""Figures that several lessons use."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.figure import BLUE, ORANGE, caption


def learning_curves(history: Mapping[str, Sequence[float]], metric: str = "accuracy") -> Figure:
    """Draw loss and metric of training and validation over the epochs.

    Parameters
    ----------
    history : mapping
        ``History.history`` of a Keras fit: one list of numbers an epoch for ``loss``, ``val_loss``, ``metric``
        and ``val_metric``.
    metric : str
        Which metric to draw beside the loss.

    Returns
    -------
    Figure
        Two Axes: the loss, then the metric.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8, 3))
    for ax, name in zip(axes, ("loss", metric), strict=True):
        epochs = np.arange(1, len(history[name]) + 1)
        ax.plot(epochs, history[name], color=BLUE, label="training")
        ax.plot(epochs, history[f"val_{name}"], color=ORANGE, label="validation")
        ax.set(xlabel="epoch", ylabel=name)
        ax.legend()
    caption(
        figure,
        f"Over {len(history['loss'])} epochs the training loss goes from {history['loss'][0]:.2f} to "
        f"{history['loss'][-1]:.2f} and the validation loss from {history['val_loss'][0]:.2f} to "
        f"{history['val_loss'][-1]:.2f}; the last validation {metric} is {history[f'val_{metric}'][-1]:.2f}.",
    )
    return figure


def confusion(matrix: np.ndarray, labels: Sequence[str]) -> Axes:
    """Draw a confusion matrix with its counts: rows are true classes, columns predicted ones.

    The darker a field, the larger its share of the row.

    Parameters
    ----------
    matrix : array of int, shape (classes, classes)
        What ``sklearn.metrics.confusion_matrix`` returns.
    labels : sequence of str
        One name a class, in the order of the matrix.

    Returns
    -------
    Axes
    """
    matrix = np.asarray(matrix)
    size = 2.5 + 0.42 * len(labels)
    ax = plt.subplots(figsize=(size + 1.2, size))[1]
    recall = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(recall, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*matrix.shape):
        if matrix[row, column]:
            color = "white" if recall[row, column] > 0.5 else "black"
            ax.text(column, row, matrix[row, column], ha="center", va="center", color=color)
    ax.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(labels)), labels)
    ax.set(xlabel="predicted", ylabel="true")
    wrong = matrix * (1 - np.eye(len(labels), dtype=int))
    sentence = f"{np.trace(matrix)} of {matrix.sum()} cases are on the diagonal, which means right"
    if wrong.any():
        row, column = np.unravel_index(wrong.argmax(), wrong.shape)
        sentence += f"; the most frequent confusion is {labels[row]} taken for {labels[column]} ({wrong[row, column]})"
    caption(ax, sentence + ".")
    return ax
