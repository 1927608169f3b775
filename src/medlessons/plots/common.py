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
from medlessons.wording import _

BESIDE = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}  # where a legend stands that would hide the data
SHARES = {"cmap": "Blues", "vmin": 0, "vmax": 1, "linewidths": 0.5}  # a heat map of shares
HEAT = "inferno"  # rises in brightness, so that it can be read without seeing colours
THIRDS = (_("upper"), _("middle"), _("lower")), (_("left"), _("middle"), _("right"))


def learning_curves(history: Mapping[str, Sequence[float]], metric: str = "accuracy") -> Figure:
    """Draw loss and metric of training and validation over the epochs.

    Parameters
    ----------
    history : mapping
        ``History.history`` of a Keras fit: one list of numbers per epoch for ``loss``, ``val_loss``, ``metric``
        and ``val_metric``.
    metric : str
        Which metric to draw beside the loss.

    Returns
    -------
    Figure
        Two Axes: the loss, then the metric.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8, 3))
    words = {"loss": _("loss"), metric: _("accuracy") if metric == "accuracy" else metric}
    for ax, (name, word) in zip(axes, words.items(), strict=True):
        epochs = np.arange(1, len(history[name]) + 1)
        ax.plot(epochs, history[name], color=BLUE, label=_("training"))
        ax.plot(epochs, history[f"val_{name}"], "--", color=ORANGE, label=_("validation"))
        ax.set(xlabel=_("epoch"), ylabel=word)
        ax.legend()
    sentence = _(
        "Over {epochs} epochs the training loss goes from {train[0]:.2f} to {train[1]:.2f}, and the validation loss "
        "from {val[0]:.2f} to {val[1]:.2f}; the validation loss is lowest in epoch {best} ({lowest:.2f}). The last "
        "validation {metric} is {last:.2f}."
    )
    train, val = np.array(history["loss"]), np.array(history["val_loss"])
    ends = {"train": train[[0, -1]], "val": val[[0, -1]], "metric": words[metric], "last": history[f"val_{metric}"][-1]}
    return caption(figure, sentence.format(epochs=len(val), best=val.argmin() + 1, lowest=val.min(), **ends))


def losses(curves: Mapping[str, Sequence[float]], ylabel: str = "") -> Axes:
    """Draw one loss curve per name.

    Parameters
    ----------
    curves : mapping
        Name -> one loss per epoch.
    ylabel : str, optional
        What is drawn; the training loss if nothing is said.

    Returns
    -------
    Axes
    """
    ylabel = ylabel or _("training loss")
    ax = plt.subplots(figsize=(6, 3))[1]
    for (name, values), style in zip(curves.items(), cycle(("-", "--", ":", "-.")), strict=False):
        ax.plot(np.arange(1, len(values) + 1), values, style, label=name)
    ax.set(xlabel=_("epoch"), ylabel=ylabel)
    ax.legend()
    part = _("{name} from {first:.2f} to {last:.2f}")
    parts = [part.format(name=name, first=values[0], last=values[-1]) for name, values in curves.items()]
    return caption(ax, _("The {ylabel} over the epochs: {parts}.").format(ylabel=ylabel, parts=", ".join(parts)))


def confusion(matrix: np.ndarray, labels: Sequence[str]) -> Axes:
    """Draw a confusion matrix with its counts: rows are true classes, columns predicted ones.

    The darker a field, the larger its share of the row.

    Parameters
    ----------
    matrix : array of int, shape (classes, classes)
        What ``sklearn.metrics.confusion_matrix`` returns.
    labels : sequence of str
        One name per class, in the order of the matrix.

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
        **SHARES,
        square=True,
        cbar_kws={"label": _("share of the row"), "shrink": 0.8},
        xticklabels=labels,
        yticklabels=labels,
        ax=ax,
    )
    ax.set_xticks(ax.get_xticks(), labels, rotation=45, ha="right", rotation_mode="anchor")
    ax.tick_params(length=0)
    ax.set(xlabel=_("predicted"), ylabel=_("true"))
    sentence = _("{right} of {all} cases lie on the diagonal: named right").format(
        right=np.trace(matrix), all=matrix.sum()
    )
    wrong = matrix * (1 - np.eye(len(labels), dtype=int))
    if wrong.any():
        most = (
            _("; the most frequent confusion is {true} taken for {named} ({count})")
            if (wrong == wrong.max()).sum() == 1
            else _("; one of the most frequent confusions is {true} taken for {named} ({count})")
        )
        row, column = np.unravel_index(wrong.argmax(), wrong.shape)
        sentence += most.format(true=labels[row], named=labels[column], count=wrong[row, column])
    return caption(ax, sentence + ". " + _("The darker a field, the larger its share of its row."))


def scores(table: pd.DataFrame, metrics: Sequence[str]) -> Figure:
    """Compare models over the same splits: one dot per split, one panel per metric, a red mark at the mean.

    Parameters
    ----------
    table : DataFrame
        A column ``model`` and one column per metric, from 0 to 1; one row per model and split.
    metrics : sequence of str
        Which columns to draw. The sentence tells the means of the last one.

    Returns
    -------
    Figure
    """
    means = table.groupby("model", sort=False)[list(metrics)].mean()
    size = (4.5 * len(metrics), 0.7 + 0.42 * len(means))
    figure, axes = plt.subplots(1, len(metrics), figsize=size, sharey=True, squeeze=False)
    for ax, metric in zip(axes.flat, metrics, strict=True):
        sns.stripplot(table, x=metric, y="model", jitter=False, color=BLUE, alpha=0.5, size=6, ax=ax)
        ax.plot(means[metric], range(len(means)), "|", color=RED, markersize=16, markeredgewidth=2)
        ax.set(xlabel=metric, ylabel="", xlim=(0, 1.02))
        ax.grid(axis="x", alpha=0.3)
    listed = ", ".join(f"{model} {mean:.2f}" for model, mean in means[metrics[-1]].items())
    sentence = _("Dots are splits, red marks are means. Mean {metric}: {listed}.")
    return caption(figure, sentence.format(metric=metrics[-1], listed=listed))


def probabilities(predicted: pd.DataFrame) -> Figure:
    """Draw the predicted probability of each class, one panel per case; the most probable class is green.

    ``predicted`` has one row per case (the index names them) and one column per class, from 0 to 1.
    """
    figure, axes = plt.subplots(1, len(predicted), figsize=(4.4 * len(predicted), 3), sharey=True, squeeze=False)
    parts = []
    for ax, (name, row) in zip(axes.flat, predicted.iterrows(), strict=True):
        ax.barh(row.index, row, color=np.where(row == row.max(), GREEN, BLUE))
        ax.set(title=name, xlabel=_("probability"), xlim=(0, 1))
        best = row.sort_values(ascending=False, kind="stable")
        part = _("{name}: {first} ({high:.2f}), then {second} ({next:.2f})")
        first, second = best.index[:2]
        parts.append(part.format(name=name, first=first, high=best[first], second=second, next=best[second]))
    axes.flat[0].invert_yaxis()
    return caption(figure, _("The most probable answers. {parts}.").format(parts="; ".join(parts)))


def panels(count: int, columns: int, width: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with square panels without ticks.

    Parameters
    ----------
    count, columns : int
        So many panels, and at most so many in a row.
    width : float
        Of a panel, in inches.

    Returns
    -------
    Figure, list of Axes
    """
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, (width + 0.3) * rows), squeeze=False)
    for number, ax in enumerate(axes.flat):
        ax.axis("off")
        ax.set_visible(number < count)
    return figure, list(axes.flat[:count])


def draw_radiograph(ax: Axes, image: np.ndarray, title: str = "", **style: object) -> None:
    """Draw one radiograph, without ticks.

    Parameters
    ----------
    ax : Axes
    image : array, shape (height, width) or (height, width, channels)
        Gray levels from 0 to 255.
    title : str
    **style
        Of the title, such as ``fontsize``.
    """
    ax.imshow(np.atleast_3d(image)[..., 0], vmin=0, vmax=255)
    ax.set_title(title, **style)
    ax.axis("off")


def radiographs(images: Mapping[str, np.ndarray], columns: int = 4) -> Figure:
    """Draw radiographs side by side, all with the same gray scale.

    The sentence says how each one comes from the first (mirrored, turned, inverted, changed in one place), if it does.

    Parameters
    ----------
    images : mapping
        Title -> gray levels from 0 to 255, shape (height, width) or (height, width, 1).
    columns : int
        At most so many in a row.

    Returns
    -------
    Figure
    """
    figure, axes = panels(len(images), min(columns, len(images)), 2.3)
    for ax, (title, image) in zip(axes, images.items(), strict=True):
        draw_radiograph(ax, image, title)
    sentence = _("{count} radiographs: {titles}.").format(count=len(images), titles=", ".join(images))
    pictures = {title: np.squeeze(np.asarray(image, dtype=float)) for title, image in images.items()}
    (first, picture), *others = pictures.items()
    changes = [f"“{title}” {change}" for title, other in others for change in _changes(picture, other)]
    if changes:
        sentence += _(" Compared with “{first}”, {changes}.").format(first=first, changes="; ".join(changes))
    return caption(figure, sentence)


def _changes(first: np.ndarray, other: np.ndarray) -> Iterator[str]:
    """Yield how a picture comes from another one; nothing if it is another picture."""
    if first.shape != other.shape:
        return
    made = {
        _("is the same"): first,
        _("is its mirror image"): first[:, ::-1],
        _("stands on its head"): first[::-1, ::-1],
        _("is mirrored and stands on its head"): first[::-1],
        _("has dark and bright exchanged"): 255 - first,
    }
    if first.shape[0] == first.shape[1]:
        made[_("is turned by a quarter to the left")] = np.rot90(first)
        made[_("is turned by a quarter to the right")] = np.rot90(first, -1)
    exact = next((name for name, picture in made.items() if np.abs(picture - other).mean() < 1), None)
    changed = np.abs(other - first) > 8
    if exact is not None:
        yield exact
    elif 0 < changed.mean() < 0.1:
        yield _("differs only in the {place}").format(place=place(*(np.argwhere(changed).mean(axis=0) / first.shape)))
    elif (other >= first - 1).mean() > 0.99:
        yield _("is brighter everywhere")
    elif (other <= first + 1).mean() > 0.99:
        yield _("is darker everywhere")


def place(down: float, across: float) -> str:
    """Return in words where a point lies, such as "upper left" or "middle".

    Parameters
    ----------
    down, across : float
        Shares of the height from the top and of the width from the left, 0 to 1.

    Returns
    -------
    str
    """
    row, column = (names[min(2, int(3 * share))] for names, share in zip(THIRDS, (down, across), strict=True))
    return row if row == column else f"{row} {column}"


def predictions(images: np.ndarray, truth: Sequence[str], predicted: Sequence[str], columns: int = 6) -> Figure:
    """Draw radiographs titled "predicted (true)": green if right, red with a cross if wrong.

    Parameters
    ----------
    images : array, shape (images, height, width, 1)
        Gray levels from 0 to 255.
    truth, predicted : sequences of str, shape (images,)
        The labels as they are, and as the model names them.
    columns : int
        So many in a row.

    Returns
    -------
    Figure
    """
    figure, axes = panels(len(images), columns, 1.7)
    wrong = []
    for number, (ax, image, true, named) in enumerate(zip(axes, images, truth, predicted, strict=True), start=1):
        right = true == named
        title = f"{named} ({true})" if right else f"✗ {named} ({true})"
        draw_radiograph(ax, image, title, color=GREEN if right else RED, fontsize=8)
        if not right:
            wrong.append(_("number {number}, {true} taken for {named}").format(number=number, true=true, named=named))
    sentence = _("{all} radiographs titled predicted (true): {right} right, {wrong} wrong").format(
        all=len(images), right=len(images) - len(wrong), wrong=len(wrong)
    )
    return caption(figure, ": ".join([sentence, "; ".join(wrong)] if wrong else [sentence]) + ".")


def overlay(ax: Axes, image: np.ndarray, heat: np.ndarray, title: str, **style: object) -> None:
    """Draw a radiograph and, over it, a map that is the more opaque the stronger it is.

    Parameters
    ----------
    ax : Axes
    image : array, shape (height, width) or (height, width, channels)
        Gray levels from 0 to 255.
    heat : array, shape (rows, columns)
        The map, 0 and above; it is stretched over the image.
    title : str
    **style
        Of the title, such as ``fontsize``.
    """
    draw_radiograph(ax, image, title, **style)
    strength = heat / heat.max() if heat.max() > 0 else heat
    opacity, extent = 0.65 * np.clip(strength, 0, 1), ax.images[0].get_extent()
    ax.imshow(strength, cmap=HEAT, vmin=0, vmax=1, alpha=opacity, extent=extent, interpolation="bicubic")


def map_grid(
    images: Sequence[np.ndarray], titles: Sequence[str], heats: np.ndarray, names: np.ndarray, width: float
) -> tuple[Figure, np.ndarray]:
    """Draw each image (rows) and beside it, once more, with each of its maps over it (columns).

    Parameters
    ----------
    images : sequence of arrays, shape (height, width, channels)
        Gray levels from 0 to 255.
    titles : sequence of str
        One per image.
    heats, names : arrays or nested sequences, shape (images, maps, ...)
        The maps of each image, 0 and above, and what is written over them.
    width : float
        Of a panel, in inches.

    Returns
    -------
    Figure, array of Axes
        The Axes have the shape (images, maps + 1).
    """
    rows, columns = len(images), 1 + len(heats[0])
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, 2.3 * rows), squeeze=False)
    for row, image, title, maps, titles_of_maps in zip(axes, images, titles, heats, names, strict=True):
        draw_radiograph(row[0], image, title)
        for ax, heat, name in zip(row[1:], maps, titles_of_maps, strict=True):
            overlay(ax, image, heat, name, fontsize=8)
    return figure, axes


def place_of(heat: np.ndarray) -> str:
    """Say which cell of a map is the strongest, counted from the upper left as the reader sees the picture."""
    if heat.max() <= 0:
        return _("nowhere")
    row, column = np.unravel_index(int(np.argmax(heat)), heat.shape)
    return _("row {row}, column {column}").format(row=row + 1, column=column + 1)
