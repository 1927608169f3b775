"""The figures of lesson 3: what a network reads, its AUROC for each finding, and class activation maps."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import BESIDE, draw_radiograph, overlay, place_of
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, GREEN, ORANGE, RED
from medlessons.wording import _

TOP = 5  # the most probable findings that are drawn


def readings(images: np.ndarray, heats: np.ndarray, probabilities: pd.DataFrame) -> Figure:
    """Draw what a network reads from radiographs: the image, its map, and its most probable findings.

    Parameters
    ----------
    images : array, shape (images, height, width, channels)
        Gray levels from 0 to 255.
    heats : array, shape (images, rows, columns)
        The activation map of the most probable finding of each image, 0 and above.
    probabilities : DataFrame, shape (images, findings)
        From 0 to 1; the index gives the titles.

    Returns
    -------
    Figure
    """
    count = len(images)
    figure, axes = plt.subplots(3, count, figsize=(3.2 * count, 7.2), height_ratios=(4, 4, 2.4), squeeze=False)
    parts = []
    columns = zip(axes.T, images, heats, probabilities.iterrows(), strict=True)
    for (above, middle, below), image, heat, (title, row) in columns:
        best = row.sort_values(ascending=False, kind="stable")[:TOP]
        draw_radiograph(above, image, title)
        overlay(middle, image, heat, best.index[0])
        below.barh(best.index.str.replace("_", " "), best, color=np.where(best > 0.5, RED, BLUE))
        below.axvline(0.5, color="0.5", linestyle="--")
        below.set(xlim=(0, 1), xlabel=_("output"))
        below.tick_params(axis="y", labelsize=8)
        below.invert_yaxis()
        part = _("{title}: {finding} ({value:.1f}), strongest: {place}")
        parts.append(part.format(title=title, finding=best.index[0], value=best.iloc[0], place=place_of(heat)))
    sentence = _(
        "Top: the radiographs. Middle: the Grad-CAM maps, {rows} x {columns} cells. Bottom: the outputs. {parts}."
    )
    rows, columns = np.shape(heats)[1:]
    return caption(figure, sentence.format(rows=rows, columns=columns, parts="; ".join(parts)))


def auroc_intervals(table: pd.DataFrame, published: pd.DataFrame | None = None, label: str = "") -> Axes:
    """Draw the AUROC of each finding with its interval, beside published figures on other images.

    Parameters
    ----------
    table : DataFrame, index findings
        Columns ``AUROC``, ``low``, ``high``.
    published : DataFrame, optional
        Same index; each column is drawn as hollow marks.
    label : str, optional
        What the full marks are: whose figures, on which data.

    Returns
    -------
    Axes
    """
    table = table.sort_values("AUROC", kind="stable")
    rows = np.arange(len(table))
    ax = plt.subplots(figsize=(7.5, 0.34 * len(table) + 1.2))[1]
    ax.hlines(rows, table["low"], table["high"], color=BLUE, linewidth=2)
    ax.plot(table["AUROC"], rows, "o", color=BLUE, label=label or _("this network"))
    others = {} if published is None else published.loc[table.index]
    for (name, column), mark, color in zip(others.items(), "ds", (ORANGE, GREEN), strict=False):
        ax.plot(column, rows, mark, color=color, fillstyle="none", label=name)
    ax.axvline(0.5, color="0.5", linestyle="--")
    ax.set_yticks(rows, table.index)
    ax.set(xlabel="AUROC", xlim=(0.3, 1.02))
    ax.legend(**BESIDE)
    sentence = _(
        "AUROC from {worst.AUROC:.2f} ({worst.name}) to {best.AUROC:.2f} ({best.name}); the widest interval is that of "
        "{wide.name}, from {wide.low:.2f} to {wide.high:.2f}."
    )
    wide = table.loc[(table["high"] - table["low"]).idxmax()]
    return caption(ax, sentence.format(worst=table.iloc[0], best=table.iloc[-1], wide=wide))


def lesions(images: np.ndarray, heats: np.ndarray, titles: Sequence[str], outlines: Sequence[np.ndarray]) -> Figure:
    """Draw radiographs, and below each one the map of a finding with the outline of the lesion.

    Parameters
    ----------
    images : array, shape (images, height, width, channels)
        Gray levels from 0 to 255.
    heats : array, shape (images, rows, columns)
        One map per image, 0 and above.
    titles : sequence of str
        Over each map.
    outlines : sequence of bool arrays, shape (height, width)
        Where the lesion is; drawn as a line.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots(2, len(images), figsize=(2.6 * len(images), 5.4), squeeze=False)
    parts = []
    for (above, below), image, heat, title, outline in zip(axes.T, images, heats, titles, outlines, strict=True):
        draw_radiograph(above, image)
        overlay(below, image, heat, title, fontsize=9)
        below.contour(outline, levels=[0.5], colors=[GREEN], linewidths=1.5)
        parts.append(_("{title}: {place}").format(title=title, place=place_of(heat)))
    sentence = _(
        "Top: the radiographs. Bottom: maps of {rows} x {columns} cells and, in green, the lesions. The strongest "
        "cells: {parts}."
    )
    rows, columns = np.shape(heats)[1:]
    return caption(figure, sentence.format(rows=rows, columns=columns, parts="; ".join(parts)))


def pointing(table: pd.DataFrame) -> Axes:
    """Draw how often the strongest place of a map is in the lesion, for a network and for what knows nothing.

    ``table`` has one row per finding and one column per method: hit rates of the pointing game from 0 to 1 (NaN where
    there is no lesion).
    """
    ax = plt.subplots(figsize=(7, 0.34 * len(table) + 1.2))[1]
    rows = np.arange(len(table))
    for (name, column), mark, color in zip(table.items(), "oDs^", (BLUE, ORANGE, GREEN, RED), strict=False):
        ax.plot(column, rows, mark, color=color, label=name, alpha=0.8)
    ax.set_yticks(rows, table.index)
    ax.invert_yaxis()
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel=_("hit rate"), xlim=(-0.02, 1.02))
    ax.legend(**BESIDE)
    means = ", ".join(f"{name} {mean:.2f}" for name, mean in table.mean().items())
    return caption(ax, _("Mean hit rate over {count} findings: {means}.").format(count=len(table), means=means))
