"""The figures of lesson 2: what stands where in a radiograph, what filters make of it, and what breaks a network."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import BESIDE, THIRDS, draw_radiograph, panels, place
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, ORANGE, YELLOW
from medlessons.wording import _

ALARMS = (0.1, 0.2, 0.5)  # false positive rates at which the sentence reads a ROC curve
LOW = 0.5  # a rate below it is named in the sentence
EDGE = 0.15  # nearer to a side than this share of the width, a name is written inwards
SETTLED = 1e-9  # smaller numbers are zeros that were rounded


def annotated(images: Mapping[str, np.ndarray], notes: Mapping[str, Mapping[str, tuple[float, float]]]) -> Figure:
    """Draw radiographs side by side, with names on what they show.

    Parameters
    ----------
    images : mapping
        Title -> gray levels from 0 to 255, shape (height, width).
    notes : mapping
        Title -> name -> where it points: shares of the width from the left and of the height from the top, 0 to 1.

    Returns
    -------
    Figure
    """
    figure, axes = panels(len(images), len(images), 3.9)
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
    style = {"textcoords": "offset points", "va": "bottom", "fontsize": 9, "bbox": box}
    parts = []
    for ax, (title, image) in zip(axes, images.items(), strict=True):
        draw_radiograph(ax, image, title)
        for name, (x, y) in notes[title].items():
            point = x * image.shape[1], y * image.shape[0]
            ax.plot(*point, "o", color=YELLOW, markersize=4)
            ax.annotate(name, point, (0, 5), ha="left" if x < EDGE else "right" if x > 1 - EDGE else "center", **style)
        places = ", ".join(f"{name} ({place(y, x)})" for name, (x, y) in notes[title].items())
        parts.append(f"{title}: {places}")
    sentence = _("The same body in {count} views. {parts}.")
    return caption(figure, sentence.format(count=len(images), parts="; ".join(parts)))


def filtered(image: np.ndarray, results: Mapping[str, np.ndarray]) -> Figure:
    """Draw a radiograph and what filters make of it.

    Parameters
    ----------
    image : array, shape (height, width)
        Gray levels.
    results : mapping
        Title -> filtered image. One that has negative numbers is drawn with 0 in the middle of the gray scale. The
        strongest half percent of the pixels (a marker letter) does not stretch the scale.

    Returns
    -------
    Figure
    """
    figure, axes = panels(len(results) + 1, len(results) + 1, 2.3)
    axes[0].imshow(image)
    axes[0].set_title(_("radiograph"))
    parts = []
    for ax, (title, result) in zip(axes[1:], results.items(), strict=True):
        top = np.quantile(np.abs(result), 0.995)
        signed = result.min() < 0
        ax.imshow(result, vmin=-top if signed else 0, vmax=top)
        ax.set_title(title)
        parts.append(_edges(title, result) if signed else _blur(title, image, result))
    sentence = _("A radiograph and what kernels make of it. {parts}.")
    return caption(figure, sentence.format(parts="; ".join(parts)))


def _edges(title: str, result: np.ndarray) -> str:
    """Say in which third of the rows and of the columns a map of edges is strongest."""
    row, column = (
        names[int(np.argmax([part.mean() for part in np.array_split(np.abs(result).mean(axis=axis), 3)]))]
        for names, axis in zip(THIRDS, (1, 0), strict=True)
    )
    sentence = _("{title} answers with both signs, most in the {row} rows and the {column} columns")
    return sentence.format(title=title, row=row, column=column)


def _blur(title: str, image: np.ndarray, result: np.ndarray) -> str:
    before, after = (np.abs(np.diff(picture, axis=1)).mean() for picture in (image.astype(float), result))
    sentence = _("{title}: neighboring pixels differ by {after:.1f} instead of {before:.1f} gray levels")
    return sentence.format(title=title, after=after, before=before)


def feature_maps(maps: np.ndarray, kernels: np.ndarray) -> Figure:
    """Draw what the filters of a convolution layer answer to one radiograph.

    Parameters
    ----------
    maps : array, shape (height, width, filters)
        Output of the layer.
    kernels : array, shape (a, b, 1, filters)
        Its weights; each is drawn small, blue for negative and red for positive, above its map.

    Returns
    -------
    Figure
    """
    kernels, count = kernels[:, :, 0], maps.shape[-1]
    figure, axes = plt.subplots(2, count, figsize=(1.4 * count, 2.6), height_ratios=(1, 3), squeeze=False)
    top = np.abs(kernels).max()
    for number, (above, below) in enumerate(axes.T):
        above.set_title(number + 1, fontsize=8)
        above.imshow(kernels[..., number], cmap="RdBu_r", vmin=-top, vmax=top)
        below.imshow(maps[..., number])
        above.axis("off")
        below.axis("off")
    positive, negative = (kernels > 0).all(axis=(0, 1)), (kernels < 0).all(axis=(0, 1))
    sentence = _(
        "{count} kernels of {rows} x {columns} weights above their answers to one radiograph. Only positive "
        "weights: {positive}; only negative: {negative}; both: {both}. No answer anywhere: {silent}. The strongest "
        "mean answer comes from number {strongest}."
    )
    kinds = {"positive": positive, "negative": negative, "both": ~positive & ~negative}
    kinds["silent"] = maps.max(axis=(0, 1)) <= SETTLED
    numbers = {kind: ", ".join(map(str, np.flatnonzero(which) + 1)) or _("none") for kind, which in kinds.items()}
    rows, columns = kernels.shape[:2]
    strongest = np.argmax(maps.mean(axis=(0, 1))) + 1
    return caption(figure, sentence.format(count=count, rows=rows, columns=columns, strongest=strongest, **numbers))


def roc(truth: np.ndarray, score: np.ndarray, points: Mapping[str, tuple[float, float]]) -> Axes:
    """Draw the ROC curve: sensitivity against false alarms for all thresholds; mark some operating points.

    Parameters
    ----------
    truth : array of 0 and 1, shape (cases,)
        The labels.
    score : array, shape (cases,)
        Higher means more positive.
    points : mapping
        Name of a threshold -> its sensitivity and specificity.

    Returns
    -------
    Axes
    """
    from sklearn.metrics import roc_curve  # here: it takes a second, and no other figure needs it

    false_positive_rate, sensitivity = roc_curve(truth, score)[:2]
    ax = plt.subplots(figsize=(4.6, 3.8))[1]
    ax.plot(false_positive_rate, sensitivity, color=BLUE, label=_("network"))
    ax.plot([0, 1], [0, 1], "--", color="0.5", label=_("guessing"))
    parts = []
    for (name, (found, specificity)), marker in zip(points.items(), "osD^v", strict=False):
        ax.plot(1 - specificity, found, marker, color=ORANGE, markersize=8, label=name)
        part = _("{name} (finds {found:.1f}, false alarms {alarms:.1f})")
        parts.append(part.format(name=name, found=found, alarms=1 - specificity))
    limits = (-0.02, 1.02)
    ax.set(xlabel=_("false alarms (1 - specificity)"), ylabel=_("sensitivity"), xlim=limits, ylim=limits)
    ax.legend(loc="lower right")
    sentence = _(
        "The ROC curve. With {alarms} false alarms the network finds {found} of the positive cases; guessing "
        "finds as many as it has false alarms. Marked: {parts}."
    )
    alarms = ", ".join(f"{share:.0%}" for share in ALARMS)
    found = ", ".join(f"{share:.1f}" for share in np.interp(ALARMS, false_positive_rate, sensitivity))
    return caption(ax, sentence.format(alarms=alarms, found=found, parts="; ".join(parts)))


def faults(before: pd.DataFrame, after: pd.DataFrame) -> Figure:
    """Draw each rate on images with faults, before and after the network was trained on them.

    Parameters
    ----------
    before, after : DataFrame
        One row per fault, one column per rate from 0 to 1, such as sensitivity.

    Returns
    -------
    Figure
        One panel per rate.
    """
    size = (3.2 * before.shape[1] + 2, 0.42 * len(before) + 1.1)
    figure, axes = plt.subplots(1, before.shape[1], figsize=size, sharey=True, squeeze=False)
    rows, parts = np.arange(len(before)), []
    for ax, rate in zip(axes.flat, before, strict=True):
        ax.hlines(rows, before[rate], after[rate], color="0.8", zorder=1)
        ax.scatter(before[rate], rows, color=ORANGE, marker="o", s=50, label=_("before"), zorder=3)
        ax.scatter(after[rate], rows, color=BLUE, marker="D", s=40, label=_("after"), zorder=3)
        ax.set(xlabel=rate, xlim=(-0.05, 1.05))
        ax.grid(axis="x", alpha=0.3)
        parts.append(_change(rate, before[rate], after[rate]))
    axes.flat[0].set_yticks(rows, before.index)
    axes.flat[0].invert_yaxis()
    axes.flat[-1].legend(**BESIDE)
    sentence = _("One row per fault, circles before and diamonds after. {parts}.")
    return caption(figure, sentence.format(parts=". ".join(parts)))


def _change(rate: str, before: pd.Series, after: pd.Series) -> str:
    """Say where a rate gained and lost most; nothing is said of a change that one decimal does not show."""
    gain, changes = (after - before).round(1), []
    up, down = gain.idxmax(), gain.idxmin()
    if gain[up] > 0:
        rise = _("rises most for “{fault}” ({before:.1f} to {after:.1f})")
        changes.append(rise.format(fault=up, before=before[up], after=after[up]))
    if gain[down] < 0:
        fall = _("falls most for “{fault}” ({before:.1f} to {after:.1f})")
        changes.append(fall.format(fault=down, before=before[down], after=after[down]))
    sentence = _("{rate} {changes}; below one half after: {low}")
    changed = _(" and ").join(changes) or _("does not change")
    low = ", ".join(after.index[after < LOW]) or _("none")
    return sentence.format(rate=rate.capitalize(), changes=changed, low=low)
