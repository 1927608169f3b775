"""The figures of lesson 2: what filters make of a radiograph, and what breaks a network."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import panels
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, ORANGE


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
        ax.imshow(result, vmin=-top if result.min() < 0 else 0, vmax=top)
        ax.set_title(title)
        parts.append(f"{title} from {result.min():.0f} to {result.max():.0f}")
    caption(figure, f"The radiograph has gray levels from {image.min():.0f} to {image.max():.0f}; {'; '.join(parts)}.")
    return figure


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
    figure, axes = plt.subplots(2, count, figsize=(1.4 * count, 2.4), height_ratios=(1, 3), squeeze=False)
    top = np.abs(kernels).max()
    for number in range(count):
        axes[0, number].imshow(kernels[:, :, 0, number], cmap="RdBu_r", vmin=-top, vmax=top)
        axes[1, number].imshow(maps[:, :, number])
    for ax in axes.flat:
        ax.axis("off")
    silent = int(np.sum(maps.max(axis=(0, 1)) <= 0))
    strongest = int(np.argmax(maps.mean(axis=(0, 1))))
    caption(
        figure,
        f"{count} kernels of {kernels.shape[0]} x {kernels.shape[1]} weights and their answers to one radiograph: "
        f"{silent} stay silent, number {strongest + 1} answers most.",
    )
    return figure


def faults(before: pd.Series, after: pd.Series | None = None, chance: float | None = None) -> Axes:
    """Draw the accuracy on images with faults, before and after the network was mended.

    Parameters
    ----------
    before, after : Series
        Fault -> accuracy from 0 to 1.
    chance : float, optional
        Accuracy of always giving the same answer, drawn as a line.

    Returns
    -------
    Axes
    """
    ax = plt.subplots(figsize=(6.5, 0.42 * len(before) + 1.1))[1]
    places = np.arange(len(before))
    ax.scatter(before, places, color=ORANGE, marker="o", s=50, label="before", zorder=3)
    sentence = f"Before, the lowest accuracy is {before.min():.2f} ({before.idxmin()})"
    if after is not None:
        after = after[before.index]
        ax.scatter(after, places, color=BLUE, marker="D", s=40, label="after", zorder=3)
        ax.hlines(places, before, after, color="0.8", zorder=1)
        sentence += f"; after, it is {after.min():.2f} ({after.idxmin()})"
    if chance is not None:
        ax.axvline(chance, color="0.5", linestyle="--", label="always frontal")
        sentence += f". Always answering frontal gives {chance:.2f}"
    ax.set_yticks(places, before.index)
    ax.set(xlabel="accuracy", xlim=(min(0, before.min()), 1.03))
    ax.invert_yaxis()
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    caption(ax, sentence + ".")
    return ax
