"""The figures of lesson 2: what is where in a radiograph, and what filters answer to it."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from medlessons.plots.common import draw_radiograph, panels, place
from medlessons.plots.figure import caption
from medlessons.plots.palette import YELLOW
from medlessons.wording import _

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
