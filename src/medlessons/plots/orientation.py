"""The figures of lesson 2: radiographs, what filters make of them, and what breaks a network."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.figure import BLUE, GREEN, ORANGE, RED, caption


def _panels(count: int, columns: int, width: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` square panels without ticks."""
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, (width + 0.3) * rows), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    return figure, list(axes.flat[:count])


def _picture(image: np.ndarray) -> np.ndarray:
    return np.squeeze(np.asarray(image))


def radiographs(images: Mapping[str, np.ndarray], columns: int = 4) -> Figure:
    """Draw radiographs side by side, all with the same gray scale.

    Parameters
    ----------
    images : mapping
        Title -> gray levels from 0 to 255, shape (height, width) or (height, width, 1).
    columns : int

    Returns
    -------
    Figure
    """
    figure, axes = _panels(len(images), min(columns, len(images)), 2.3)
    for ax, (title, image) in zip(axes, images.items(), strict=True):
        ax.imshow(_picture(image), vmin=0, vmax=255)
        ax.set_title(title)
    means = {title: round(float(np.mean(image))) for title, image in images.items()}
    darkest, brightest = min(means, key=means.get), max(means, key=means.get)
    sentence = f"{len(images)} radiographs: {', '.join(images)}. The mean gray level is "
    if means[darkest] == means[brightest]:
        sentence += f"{means[darkest]} of 255 in all of them."
    else:
        sentence += (
            f"lowest in “{darkest}” ({means[darkest]} of 255) and highest in “{brightest}” ({means[brightest]})."
        )
    caption(figure, sentence)
    return figure


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
    figure, axes = _panels(len(results) + 1, len(results) + 1, 2.3)
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
    figure, axes = _panels(len(images), columns, 1.7)
    for ax, image, true, guess in zip(axes, images, truth, predicted, strict=True):
        right = true == guess
        ax.imshow(_picture(image), vmin=0, vmax=255)
        ax.set_title(f"{'' if right else '✗ '}{guess} ({true})", color=GREEN if right else RED, fontsize=8)
    right = int(np.sum(np.asarray(truth) == np.asarray(predicted)))
    caption(figure, f"{len(images)} test images titled predicted (true): {right} right, {len(images) - right} wrong.")
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


def scores(score: np.ndarray, label: Sequence[str]) -> Axes:
    """Draw where the predicted probabilities of two classes lie.

    Parameters
    ----------
    score : array, shape (images,)
        Probability that the view is lateral.
    label : sequence of str, shape (images,)
        The true labels.

    Returns
    -------
    Axes
    """
    ax = plt.subplots(figsize=(6.5, 2.2))[1]
    label = np.asarray(label)
    for name, color in (("frontal", BLUE), ("lateral", ORANGE)):
        chosen = score[label == name]
        ax.hist(chosen, bins=np.linspace(0, 1, 41), color=color, alpha=0.75, label=f"{name} ({len(chosen)})")
    ax.axvline(0.5, color="0.5", linestyle="--")
    ax.set_yscale("symlog", linthresh=10)
    ax.set(xlabel="predicted probability of lateral", ylabel="images")
    ax.legend()
    frontal, lateral = score[label == "frontal"], score[label == "lateral"]
    caption(
        ax,
        f"{np.sum(frontal > 0.5)} of {len(frontal)} frontal images score above 0.5, and {np.sum(lateral <= 0.5)} of "
        f"{len(lateral)} lateral images below.",
    )
    return ax
