"""Figures that several lessons use."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, GREEN, ORANGE, RED
from medlessons.wording import say

HEAT = "inferno"  # rises in brightness, so that it can be read without seeing colours

# ---------------------------------------------------------------------------------------------------------
# Training


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
        ax.plot(epochs, history[say("val_{name}", name=name)], "--", color=ORANGE, label="validation")
        ax.set(xlabel="epoch", ylabel=name)
        ax.legend()
    validation = history["val_loss"]
    caption(
        figure,
        say(
            "Over {epochs} epochs the training loss goes from {first:.2f} to {last:.2f}, and the validation loss from "
            "{val_first:.2f} to {val_last:.2f}; the validation loss is lowest in epoch {best} ({lowest:.2f}). The last "
            "validation {metric} is {val_metric:.2f}.",
            epochs=len(validation),
            first=history["loss"][0],
            last=history["loss"][-1],
            val_first=validation[0],
            val_last=validation[-1],
            best=int(np.argmin(validation)) + 1,
            lowest=min(validation),
            metric=metric,
            val_metric=history[say("val_{name}", name=metric)][-1],
        ),
    )
    return figure


def losses(curves: Mapping[str, Sequence[float]], xlabel: str = "epoch", ylabel: str = "training loss") -> Axes:
    """Draw one loss curve a name.

    Parameters
    ----------
    curves : mapping
        Name -> one loss for each step of the horizontal axis.
    xlabel, ylabel : str
    """
    ax = plt.subplots(figsize=(6, 3))[1]
    for (name, values), style in zip(curves.items(), cycle(("-", "--", ":", "-.")), strict=False):
        ax.plot(np.arange(1, len(values) + 1), values, style, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    parts = [
        say("{name} from {first:.2f} to {last:.2f}", name=name, first=values[0], last=values[-1])
        for name, values in curves.items()
    ]
    caption(ax, say("The {ylabel} over the {xlabel}s: {parts}.", ylabel=ylabel, xlabel=xlabel, parts=", ".join(parts)))
    return ax


# ---------------------------------------------------------------------------------------------------------
# Predictions


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
    ax = plt.subplots(figsize=(size + 2, size))[1]
    sns.heatmap(
        matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1),
        annot=np.where(matrix > 0, matrix.astype(str), ""),
        fmt="",
        cmap="Blues",
        vmin=0,
        vmax=1,
        square=True,
        linewidths=0.5,
        cbar_kws={"label": "share of the row", "shrink": 0.8},
        xticklabels=labels,
        yticklabels=labels,
        ax=ax,
    )
    ax.set_xticks(ax.get_xticks(), labels, rotation=45, ha="right", rotation_mode="anchor")
    ax.tick_params(length=0)
    ax.set(xlabel="predicted", ylabel="true")
    wrong = matrix * (1 - np.eye(len(labels), dtype=int))
    sentence = say("{right} of {all} cases lie on the diagonal: named right", right=np.trace(matrix), all=matrix.sum())
    if wrong.any():
        row, column = np.unravel_index(wrong.argmax(), wrong.shape)
        alone = (wrong == wrong.max()).sum() == 1
        sentence += say(
            "; the most frequent confusion is {true} taken for {named} ({count})"
            if alone
            else "; one of the most frequent confusions is {true} taken for {named} ({count})",
            true=labels[row],
            named=labels[column],
            count=wrong[row, column],
        )
    caption(ax, say("{sentence}. The darker a field, the larger its share of its row.", sentence=sentence))
    return ax


def scores(table: pd.DataFrame, metrics: Sequence[str]) -> Figure:
    """Compare models over the same splits: one dot a split, one panel a metric, a red mark at the mean.

    Parameters
    ----------
    table : DataFrame
        A column ``model`` and one column a metric, from 0 to 1; one row a model and split.
    metrics : sequence of str
        Which columns to draw. The sentence tells the means of the last one.

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys(table["model"]))
    size = (4.5 * len(metrics), 0.7 + 0.42 * len(names))
    figure, axes = plt.subplots(1, len(metrics), figsize=size, sharey=True, squeeze=False)
    for ax, metric in zip(axes.flat, metrics, strict=True):
        sns.stripplot(table, x=metric, y="model", order=names, jitter=False, color=BLUE, alpha=0.5, size=6, ax=ax)
        means = table.groupby("model")[metric].mean()[names]
        ax.plot(means, range(len(names)), "|", color=RED, markersize=16, markeredgewidth=2)
        ax.set(xlabel=metric, ylabel="", xlim=(0, 1.02))
        ax.grid(axis="x", alpha=0.3)
    listed = ", ".join(say("{name} {mean:.2f}", name=name, mean=mean) for name, mean in means.items())
    caption(
        figure,
        say("Dots are splits, red marks are means. Mean {metric}: {listed}.", metric=metrics[-1], listed=listed),
    )
    return figure


def probabilities(predicted: pd.DataFrame) -> Figure:
    """Draw the predicted probability of each class, one panel a case; the most probable class is green.

    Parameters
    ----------
    predicted : DataFrame, shape (cases, classes)
        Probabilities from 0 to 1; the index names the cases.
    """
    figure, axes = plt.subplots(1, len(predicted), figsize=(4.4 * len(predicted), 3), sharey=True, squeeze=False)
    parts = []
    for ax, (name, row) in zip(axes.flat, predicted.iterrows(), strict=True):
        ax.barh(row.index, row, color=[GREEN if value == row.max() else BLUE for value in row])
        ax.set(title=name, xlabel="probability", xlim=(0, 1))
        first, second = row.sort_values(ascending=False, kind="stable").index[:2]
        parts.append(
            say(
                "{name}: {first} ({high:.2f}), then {second} ({next:.2f})",
                name=name,
                first=first,
                high=row[first],
                second=second,
                next=row[second],
            )
        )
    axes.flat[0].invert_yaxis()
    caption(figure, say("The most probable answers. {parts}.", parts="; ".join(parts)))
    return figure


def score_histogram(
    score: np.ndarray, truth: Sequence[str], negative: str, positive: str, threshold: float = 0.5
) -> Axes:
    """Draw where the predicted probabilities of two classes lie.

    Parameters
    ----------
    score : array, shape (cases,)
        Probability of the positive class.
    truth : sequence of str, shape (cases,)
        The true class of each case.
    negative, positive : str
        Names of the two classes.
    threshold : float
        Drawn as a line; a case above it is taken for positive.

    Returns
    -------
    Axes
    """
    ax = plt.subplots(figsize=(6.5, 2.2))[1]
    score, truth = np.asarray(score), np.asarray(truth)
    for name, color in ((negative, BLUE), (positive, ORANGE)):
        chosen = score[truth == name]
        label = say("{name} ({count})", name=name, count=len(chosen))
        sns.histplot(
            x=chosen, bins=np.linspace(0, 1, 41), color=color, alpha=0.75, linewidth=0, label=label, legend=False, ax=ax
        )
    ax.axvline(threshold, color="0.5", linestyle="--")
    ax.set_yscale("symlog", linthresh=10)
    ax.set(xlabel=say("predicted probability of {positive}", positive=positive), ylabel="cases")
    ax.legend()
    below, above = score[truth == negative], score[truth == positive]
    caption(
        ax,
        say(
            "{high} of {negatives} {negative} cases score above {threshold}, and {low} of {positives} {positive} cases "
            "do not.",
            high=np.sum(below > threshold),
            negatives=len(below),
            negative=negative,
            threshold=threshold,
            low=np.sum(above <= threshold),
            positives=len(above),
            positive=positive,
        ),
    )
    return ax


# ---------------------------------------------------------------------------------------------------------
# Radiographs


def panels(count: int, columns: int, width: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` square panels without ticks, each `width` inches wide."""
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, (width + 0.3) * rows), squeeze=False)
    for number, ax in enumerate(axes.flat):
        ax.axis("off")
        ax.set_visible(number < count)
    return figure, list(axes.flat[:count])


def radiographs(images: Mapping[str, np.ndarray], columns: int = 4) -> Figure:
    """Draw radiographs side by side, all with the same gray scale.

    The sentence says how each one comes from the first (mirrored, turned, inverted, changed in one place), if it does.

    Parameters
    ----------
    images : mapping
        Title -> gray levels from 0 to 255, shape (height, width) or (height, width, 1).
    columns : int

    Returns
    -------
    Figure
    """
    figure, axes = panels(len(images), min(columns, len(images)), 2.3)
    pictures = {title: np.squeeze(np.asarray(image)) for title, image in images.items()}
    for ax, (title, picture) in zip(axes, pictures.items(), strict=True):
        ax.imshow(picture, vmin=0, vmax=255)
        ax.set_title(title)
    sentence = say("{count} radiographs: {titles}.", count=len(images), titles=", ".join(images))
    (first, picture), *others = pictures.items()
    changes = [
        say("“{title}” {change}", title=title, change=change)
        for title, other in others
        for change in _changes(picture, other)
    ]
    if changes:
        sentence += say(" Compared with “{first}”, {changes}.", first=first, changes="; ".join(changes))
    caption(figure, sentence)
    return figure


def _changes(first: np.ndarray, other: np.ndarray) -> Iterator[str]:
    """Yield how a picture comes from another one; nothing if it is another picture."""
    if first.shape != other.shape:
        return
    first, other = first.astype(float), other.astype(float)
    made = {
        "is the same": first,
        "is its mirror image": first[:, ::-1],
        "stands on its head": first[::-1, ::-1],
        "is mirrored and stands on its head": first[::-1],
        "has dark and bright exchanged": 255 - first,
    }
    if first.shape[0] == first.shape[1]:
        made["is turned by a quarter to the left"] = np.rot90(first)
        made["is turned by a quarter to the right"] = np.rot90(first, -1)
    exact = next((name for name, picture in made.items() if np.abs(picture - other).mean() < 1), None)
    changed = np.abs(other - first) > 8
    if exact is not None:
        yield exact
    elif changed.mean() < 0.1:
        rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
        place = (
            _third(rows.mean() / len(first), "upper", "lower"),
            _third(columns.mean() / first.shape[1], "left", "right"),
        )
        yield say("differs only in the {place}", place=" ".join(filter(None, place)) or "middle")
    elif (other >= first - 1).mean() > 0.99:
        yield "is brighter everywhere"
    elif (other <= first + 1).mean() > 0.99:
        yield "is darker everywhere"


def _third(place: float, low: str, high: str) -> str:
    return low if place < 1 / 3 else high if place > 2 / 3 else ""


def predictions(images: np.ndarray, truth: Sequence[str], predicted: Sequence[str], columns: int = 6) -> Figure:
    """Draw radiographs titled "predicted (true)": green if right, red with a cross if wrong.

    Parameters
    ----------
    images : array, shape (images, height, width, 1)
    truth, predicted : sequences of str, shape (images,)
    columns : int

    Returns
    -------
    Figure
    """
    figure, axes = panels(len(images), columns, 1.7)
    for ax, image, true, guess in zip(axes, images, truth, predicted, strict=True):
        right = true == guess
        title = say("{guess} ({true})" if right else "✗ {guess} ({true})", guess=guess, true=true)
        ax.imshow(np.squeeze(np.asarray(image)), vmin=0, vmax=255)
        ax.set_title(title, color=GREEN if right else RED, fontsize=8)
    wrong = [
        say("number {number}, {true} taken for {guess}", number=number, true=true, guess=guess)
        for number, (true, guess) in enumerate(zip(truth, predicted, strict=True), start=1)
        if true != guess
    ]
    sentence = say(
        "{all} radiographs titled predicted (true): {right} right, {wrong} wrong",
        all=len(images),
        right=len(images) - len(wrong),
        wrong=len(wrong),
    )
    if wrong:
        sentence += say(": {list}", list="; ".join(wrong))
    caption(figure, sentence + ".")
    return figure


# ---------------------------------------------------------------------------------------------------------
# Activation maps


def overlay(ax: Axes, image: np.ndarray, heat: np.ndarray) -> None:
    """Draw a radiograph and, over it, a map that is the more opaque the stronger it is."""
    image = np.squeeze(image)
    if image.ndim == 3:
        image = image[..., 0]
    height, width = image.shape
    ax.imshow(image, cmap="gray", vmin=0, vmax=255)
    strength = heat / heat.max() if heat.max() > 0 else heat
    ax.imshow(
        strength,
        cmap=HEAT,
        vmin=0,
        vmax=1,
        alpha=0.65 * np.clip(strength, 0, 1),
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="bicubic",
    )
    ax.axis("off")


def place_of(heat: np.ndarray) -> str:
    """Say where the strongest place of a map lies, as the reader sees the picture."""
    row, column = (np.array(np.unravel_index(int(np.argmax(heat)), heat.shape)) + 0.5) / heat.shape
    up = ("upper", "middle", "lower")[int(3 * row)]
    across = ("left", "center", "right")[int(3 * column)]
    return say("{up} {across}", up=up, across=across)
