"""The figures of lesson 4: accuracies with intervals, maps of several backbones."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import map_grid, place_of
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, GREEN
from medlessons.wording import _


def intervals(table: pd.DataFrame, guess: float | None = None) -> Axes:
    """Draw accuracies with their intervals, one row each, the first one on top.

    Parameters
    ----------
    table : DataFrame
        Columns ``value``, ``low`` and ``high`` (0 to 1); the index names the rows.
    guess : float, optional
        What one gets by always giving the most frequent label; drawn as a line.

    Returns
    -------
    Axes
    """
    ax = plt.subplots(figsize=(6.5, 0.9 + 0.4 * len(table)))[1]
    rows = np.arange(len(table))
    ends = np.array([table["value"] - table["low"], table["high"] - table["value"]]).clip(min=0)
    ax.errorbar(table["value"], rows, xerr=ends, fmt="o", color=BLUE, capsize=4)
    ax.set_yticks(rows, table.index)
    ax.set(xlabel=_("accuracy"), ylim=(len(table) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    part = _("{name} {value:.2f} ({low:.2f} to {high:.2f})")
    parts = [part.format(name=name, **row) for name, row in table.iterrows()]
    if guess is not None:
        ax.axvline(guess, color="0.5", linestyle="--")
        parts.append(_("the dashed line is always the most frequent label, {guess:.2f}").format(guess=guess))
    return caption(ax, _("Accuracy, with 95 % intervals: {parts}.").format(parts="; ".join(parts)))


def maps_by_backbone(
    images: np.ndarray, heats: Mapping[str, np.ndarray], lungs: Sequence[np.ndarray], titles: Sequence[str]
) -> Figure:
    """Draw the activation map of each network (columns) on each image (rows), with the outline of the lungs.

    Parameters
    ----------
    images : array, shape (images, height, width, 1)
        Gray levels from 0 to 255.
    heats : mapping
        Name of a network -> maps of the label that it names, 0 and above, shape (images, rows, columns).
    lungs : sequence of bool arrays, shape (height, width)
        Where the lungs are.
    titles : sequence of str
        What is written over each image.

    Returns
    -------
    Figure
    """
    by_image = list(zip(*heats.values(), strict=True))
    figure, axes = map_grid(images, titles, by_image, [list(heats)] * len(images), 2.2)
    parts = []
    for row, lung, title, maps in zip(axes, lungs, titles, by_image, strict=True):
        row[0].title.set_fontsize(8)
        for ax in row[1:]:
            ax.contour(lung, levels=[0.5], colors=[GREEN], linewidths=1)
        places = ", ".join(f"{name} {place_of(heat)}" for name, heat in zip(heats, maps, strict=True))
        parts.append(f"{title}: {places}")
    sentence = _("The strongest cell of each map; green lines are the edges of the lungs. {parts}.")
    return caption(figure, sentence.format(parts="; ".join(parts)))
