"""The figures of lesson 2: what stands where in a radiograph, what filters make of it, and what breaks a network."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import panels
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, ORANGE, YELLOW
from medlessons.wording import say

THIRDS = (("upper", "middle", "lower"), ("left", "middle", "right"))
ALARMS = (0.1, 0.2, 0.5)  # shares of false alarms at which the sentence reads a ROC curve
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
    parts = []
    for ax, (title, image) in zip(axes, images.items(), strict=True):
        height, width = image.shape
        ax.imshow(image, vmin=0, vmax=255)
        ax.set_title(title)
        for name, (x, y) in notes[title].items():
            ax.plot(x * width, y * height, "o", color=YELLOW, markersize=4)
            ax.annotate(
                name,
                (x * width, y * height),
                (0, 5),
                textcoords="offset points",
                ha="left" if x < EDGE else "right" if x > 1 - EDGE else "center",
                va="bottom",
                fontsize=9,
                bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
            )
        places = ", ".join(say("{name} {place}", name=name, place=_place(*at)) for name, at in notes[title].items())
        parts.append(say("{title}: {places}", title=title, places=places))
    caption(figure, say("The same body in {count} views. {parts}.", count=len(images), parts="; ".join(parts)))
    return figure


def _place(x: float, y: float) -> str:
    """Return in words where a point lies, from its shares of width and height."""
    row, column = (THIRDS[axis][min(2, int(3 * share))] for axis, share in enumerate((y, x)))
    return say("({place})", place=row if row == column else " ".join([row, column]))


def filtered(image: np.ndarray, results: Mapping[str, np.ndarray]) -> Figure:
    """Draw a radiograph and what filters make of it.

    Parameters
    ----------
    image : array, shape (height, width)
        Grey levels.
    results : mapping
        Title -> filtered image. One that has negative numbers is drawn with 0 in the middle of the gray scale. The
        strongest half percent of the pixels (a marker letter) does not stretch the scale.

    Returns
    -------
    Figure
    """
    figure, axes = panels(len(results) + 1, len(results) + 1, 2.3)
    axes[0].imshow(image)
    axes[0].set_title("radiograph")
    parts = []
    for ax, (title, result) in zip(axes[1:], results.items(), strict=True):
        top = np.quantile(np.abs(result), 0.995)
        signed = result.min() < 0
        ax.imshow(result, vmin=-top if signed else 0, vmax=top)
        ax.set_title(title)
        parts.append(_signed(title, result) if signed else _smooth(title, image, result))
    caption(figure, say("A radiograph and what kernels make of it. {parts}.", parts="; ".join(parts)))
    return figure


def _signed(title: str, result: np.ndarray) -> str:
    """Say where a map that knows edges answers: in which rows and columns, and how strong the two signs are."""
    strength = np.abs(result)
    rows, columns = (
        [part.mean() for part in np.array_split(strength.mean(axis=axis), 3)] for axis in (1, 0)
    )  # of the thirds
    return say(
        "{title} answers with both signs, most in the {row} rows and the {column} columns",
        title=title,
        row=THIRDS[0][int(np.argmax(rows))],
        column=THIRDS[1][int(np.argmax(columns))],
    )


def _smooth(title: str, image: np.ndarray, result: np.ndarray) -> str:
    before, after = (np.abs(np.diff(picture, axis=1)).mean() for picture in (image.astype(float), result))
    return say(
        "{title}: neighboring pixels differ by {after:.1f} instead of {before:.1f} gray levels",
        title=title,
        after=after,
        before=before,
    )


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
    count = maps.shape[-1]
    figure, axes = plt.subplots(2, count, figsize=(1.4 * count, 2.6), height_ratios=(1, 3), squeeze=False)
    top = np.abs(kernels).max()
    for number in range(count):
        axes[0, number].set_title(number + 1, fontsize=8)
        axes[0, number].imshow(kernels[:, :, 0, number], cmap="RdBu_r", vmin=-top, vmax=top)
        axes[1, number].imshow(maps[:, :, number])
    for ax in axes.flat:
        ax.axis("off")
    positive, negative = ((sign * kernels[:, :, 0] > 0).all(axis=(0, 1)) for sign in (1, -1))
    silent = maps.max(axis=(0, 1)) <= SETTLED
    caption(
        figure,
        say(
            "{count} kernels of {rows} x {columns} weights above their answers to one radiograph. Only positive "
            "weights: {positive}; only negative: {negative}; both: {both}. No answer anywhere: {silent}. The strongest "
            "mean answer comes from number {strongest}.",
            count=count,
            rows=kernels.shape[0],
            columns=kernels.shape[1],
            positive=_numbers(positive),
            negative=_numbers(negative),
            both=_numbers(~positive & ~negative),
            silent=_numbers(silent),
            strongest=int(np.argmax(maps.mean(axis=(0, 1)))) + 1,
        ),
    )
    return figure


def _numbers(chosen: np.ndarray) -> str:
    return ", ".join(map(str, np.flatnonzero(chosen) + 1)) or "none"


def roc(truth: np.ndarray, score: np.ndarray, points: Mapping[str, tuple[float, float]]) -> Axes:
    """Draw sensitivity against false alarms for all thresholds, and mark some operating points.

    Parameters
    ----------
    truth : array of 0 and 1, shape (cases,)
    score : array, shape (cases,)
        Higher means more positive.
    points : mapping
        Name of a threshold -> its sensitivity and specificity.

    Returns
    -------
    Axes
    """
    from sklearn.metrics import roc_curve  # here: it takes a second, and no other figure needs it

    false_alarms, sensitivity, _ = roc_curve(truth, score)
    ax = plt.subplots(figsize=(4.6, 3.8))[1]
    ax.plot(false_alarms, sensitivity, color=BLUE, label="network")
    ax.plot([0, 1], [0, 1], "--", color="0.5", label="guessing")
    parts = []
    for (name, (found, quiet)), marker in zip(points.items(), "osD^v", strict=False):
        ax.plot(1 - quiet, found, marker, color=ORANGE, markersize=8, label=name)
        parts.append(
            say("{name} (finds {found:.1f}, false alarms {alarms:.1f})", name=name, found=found, alarms=1 - quiet)
        )
    ax.set(xlabel="false alarms (1 - specificity)", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    ax.legend(loc="lower right")
    bought = np.interp(ALARMS, false_alarms, sensitivity)
    caption(
        ax,
        say(
            "The ROC curve. With {alarms} false alarms the network finds {bought} of the positive cases; guessing "
            "finds as many as it has false alarms. Marked: {parts}.",
            alarms=", ".join(say("{share:.0%}", share=share) for share in ALARMS),
            bought=", ".join(say("{share:.1f}", share=share) for share in bought),
            parts="; ".join(parts),
        ),
    )
    return ax


def faults(before: pd.DataFrame, after: pd.DataFrame) -> Figure:
    """Draw each rate on images with faults, before and after the network was mended.

    Parameters
    ----------
    before, after : DataFrame
        One row a fault, one column a rate from 0 to 1, such as sensitivity.

    Returns
    -------
    Figure
        One panel a rate.
    """
    size = (3.2 * before.shape[1] + 2, 0.42 * len(before) + 1.1)
    figure, axes = plt.subplots(1, before.shape[1], figsize=size, sharey=True, squeeze=False)
    places, parts = np.arange(len(before)), []
    for ax, rate in zip(axes.flat, before, strict=True):
        ax.hlines(places, before[rate], after[rate], color="0.8", zorder=1)
        ax.scatter(before[rate], places, color=ORANGE, marker="o", s=50, label="before", zorder=3)
        ax.scatter(after[rate], places, color=BLUE, marker="D", s=40, label="after", zorder=3)
        ax.set(xlabel=rate, xlim=(-0.05, 1.05))
        ax.grid(axis="x", alpha=0.3)
        parts.append(_change(rate, before[rate], after[rate]))
    axes.flat[0].set_yticks(places, before.index)
    axes.flat[0].invert_yaxis()
    axes.flat[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    caption(figure, say("One row a fault, circles before and diamonds after. {parts}.", parts=". ".join(parts)))
    return figure


def _change(rate: str, before: pd.Series, after: pd.Series) -> str:
    """Say where a rate gained and lost most; nothing is said of a change that one decimal does not show."""
    gain, changes = (after - before).round(1), []
    if gain.max() > 0:
        up = gain.idxmax()
        changes.append(say("rises most for “{fault}” ({a:.1f} to {b:.1f})", fault=up, a=before[up], b=after[up]))
    if gain.min() < 0:
        down = gain.idxmin()
        changes.append(say("falls most for “{fault}” ({a:.1f} to {b:.1f})", fault=down, a=before[down], b=after[down]))
    return say(
        "{rate} {changes}; below one half after: {low}",
        rate=rate.capitalize(),
        changes=" and ".join(changes) or "does not change",
        low=", ".join(after.index[after < LOW]) or "none",
    )
