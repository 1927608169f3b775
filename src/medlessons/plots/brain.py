"""The figures of lesson 6: slices with outlines, three planes, a volume to scroll through, Dice scan by scan.

Volumes are laid out as scans are read: x runs from the patient's left to the right, y from back to front, z upward.
They are drawn as radiologists look at them, from the front or from below: the patient's right is on the left.
"""

import io
from collections.abc import Iterator, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import ndimage

from medlessons.errors import LessonError
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, NAMES, RED, SKY, YELLOW
from medlessons.plots.scroll import viewer
from medlessons.segmentation import dice
from medlessons.volumes import LABELS, REGIONS, checked_spacing, volume_ml
from medlessons.wording import _
from simclinic.brain import CHANNELS

PLANES = {"sagittal": 0, "coronal": 1, "axial": 2}  # and the axis across each
WORDS = {"sagittal": _("sagittal"), "coronal": _("coronal"), "axial": _("axial")}
COLORS = {1: SKY, 2: YELLOW, 3: RED}  # of the labels; they differ in brightness, too
WORST = 3  # scans that are named
SCROLLED = (80, 80, 32)  # voxels of a volume to scroll through, at most
FINER = 4  # pixels of an outline per voxel
MARGIN = 2  # voxels of air around the head
DASH = 5  # pixels


def slices(
    image: np.ndarray,
    spacing: Sequence[float],
    label: np.ndarray | None = None,
    predicted: np.ndarray | None = None,
    plane: str = "axial",
    count: int = 6,
) -> Figure:
    """Draw slices of a scan side by side, with the outlines of the labels.

    Parameters
    ----------
    image : array, shape (x, y, z) or (x, y, z, channels)
        One row per channel; a fourth axis of four channels are FLAIR, T1w, T1gd and T2w.
    spacing : three float
        The edges of a voxel, mm.
    label, predicted : arrays of int, shape (x, y, z), optional
        The true labels and those of a model, 0 to 3. With both, each channel has a row for either.
    plane : {"axial", "coronal", "sagittal"}
    count : int
        So many slices, spread over the tumor, true or predicted, or over the head if there is none.

    Returns
    -------
    Figure

    Raises
    ------
    LessonError
        If the shapes differ or there is no such plane.
    """
    image, outlined, corner = _cropped(image, label, predicted)
    channels, axis, edges = _channels(image), _axis(plane), checked_spacing(spacing)
    places = _spread(image, outlined, axis, count)
    rows = [(" ".join(filter(None, names)), volume, drawn) for names, volume, drawn in _rows(channels, outlined)]
    wide, high = _size(image.shape, edges, axis)
    figure, axes = _panels(len(places) * [wide], len(rows) * [high])
    for row, (title, volume, drawn) in zip(axes, rows, strict=True):
        for ax, place in zip(row, places, strict=True):
            _draw(ax, volume, drawn, axis, place, edges)
        row[0].set_ylabel(title)
    for ax, place in zip(axes[0], places, strict=True):
        ax.set_title(_("slice {number}").format(number=place + corner[axis]), fontsize=9)
    _legend(figure, outlined)
    sentence = _(
        "{count} {plane} slices of {channels}, {first} to {last}; the patient's right is on the left. {labels}"
    )
    if plane == "sagittal":
        sentence = _("{count} {plane} slices of {channels}, {first} to {last}; the forehead is on the left. {labels}")
    said = {"count": len(places), "plane": WORDS[plane], "channels": ", ".join(channels) or _("a scan")}
    said |= {"first": places[0] + corner[axis], "last": places[-1] + corner[axis]}
    return caption(figure, sentence.format(labels=_measured(outlined, edges), **said).strip())


def three_planes(image: np.ndarray, spacing: Sequence[float], label: np.ndarray | None = None) -> Figure:
    """Draw a scan in three planes that meet in the middle of the tumor, or of the head if there is none.

    Parameters
    ----------
    image : array, shape (x, y, z) or (x, y, z, channels)
        One column per channel; a fourth axis of four channels are FLAIR, T1w, T1gd and T2w.
    spacing : three float
        The edges of a voxel, mm.
    label : array of int, shape (x, y, z), optional
        0 to 3; it is outlined.

    Returns
    -------
    Figure

    Raises
    ------
    LessonError
        If the shapes differ.
    """
    image, outlined, _corner = _cropped(image, label, None)
    channels, edges, drawn = _channels(image), checked_spacing(spacing), outlined[""]
    tumor = drawn is not None and drawn.any()
    head = np.argwhere(_head(image))
    middle = np.round((np.argwhere(drawn) if tumor else head).mean(axis=0)).astype(int)
    planes = dict(reversed(PLANES.items()))
    widths, heights = zip(*(_size(image.shape, edges, axis) for axis in planes.values()), strict=True)
    figure, axes = _panels(len(channels) * [max(widths)], heights)
    for row, (plane, axis) in zip(axes, planes.items(), strict=True):
        for ax, volume in zip(row, channels.values(), strict=True):
            _draw(ax, volume, drawn, axis, middle[axis], edges)
        row[0].set_ylabel(WORDS[plane])
    for ax, name in zip(axes[0], channels, strict=True):
        ax.set_title(name)
    _legend(figure, outlined)
    sentence = _("Three planes through the middle of the head. {labels}")
    if tumor:
        sentence = _(
            "Three planes through the middle of the tumor, in the left half of the head (right here). {labels}"
        )
        if middle[0] > head[:, 0].mean():
            sentence = _(
                "Three planes through the middle of the tumor, in the right half of the head (left here). {labels}"
            )
    return caption(figure, sentence.format(labels=_measured(outlined, edges)).strip())


def scroll(
    image: np.ndarray,
    spacing: Sequence[float],
    label: np.ndarray | None = None,
    predicted: np.ndarray | None = None,
) -> None:
    """Display one channel of a scan to scroll through, from below to above, and print the sentence of what it shows.

    Everything is in the page itself, so it works offline. Where no script runs, as on GitHub, a row of slices stays.

    Parameters
    ----------
    image : array, shape (x, y, z)
        Large volumes are drawn with fewer voxels, at most 80 x 80 x 32.
    spacing : three float
        The edges of a voxel, mm.
    label, predicted : arrays of int, shape (x, y, z), optional
        The true labels and those of a model, 0 to 3; the reader chooses which of them are outlined.

    Raises
    ------
    LessonError
        If the shapes differ, or the image has several channels.
    """
    if np.ndim(image) != 3:
        message = _("One channel is scrolled through at a time, shape (x, y, z), such as image[..., 0], not {shape}.")
        raise LessonError(message.format(shape=np.shape(image)))
    row = slices(image, spacing, label, predicted)
    image, outlined, corner = _cropped(image, label, predicted)
    sentence = _("A scan to scroll through, from below to above; the patient's right is on the left. {labels}")
    sentence = sentence.format(labels=_measured(outlined, checked_spacing(spacing))).strip()
    display(
        {"text/html": _viewer(image, spacing, outlined, corner[2], row, sentence), "text/plain": sentence}, raw=True
    )
    print(_("Figure:"), sentence)


def dice_dots(table: pd.DataFrame) -> Axes:
    """Draw the Dice coefficient of each scan as a dot, a row per region, and name the three worst whole tumors.

    Parameters
    ----------
    table : DataFrame
        One row per scan, whose name is in the index, with the columns of :func:`medlessons.segmentation.scores`.
        Healthy heads are left out: the Dice coefficient says nothing about them.

    Returns
    -------
    Axes
        A red mark at each median.

    Raises
    ------
    LessonError
        If no scan has a tumor.
    """
    ill, parts = table[table["tumor ml"] > 0], []
    if ill.empty:
        raise LessonError(_("No scan of the table has a tumor, so there is no Dice coefficient to draw."))
    ax = plt.subplots(figsize=(7, 0.9 + 0.75 * len(REGIONS)))[1]
    part = _("{region} {low:.2f} to {high:.2f}, median {middle:.2f} ({scans} scans)")
    for row, region in enumerate(REGIONS):
        values = ill[f"Dice {region}"].dropna().sort_values()
        heights = row + 0.5 * (np.arange(len(values)) * 0.618 % 1 - 0.5)  # dots of like values lie apart
        ax.plot(values, heights, "o", color=BLUE, alpha=0.5, markersize=6)
        ax.plot(values.median(), row, "|", color=RED, markersize=26, markeredgewidth=2)
        ends = {"low": values.min(), "high": values.max(), "middle": values.median()}
        parts.append(part.format(region=region, scans=len(values), **ends))
        if not row:
            worst = list(zip(values.index[:WORST], values[:WORST], heights[:WORST], strict=True))
    for name, value, height in worst:
        ax.annotate(str(name), (value, height), xytext=(4, 6), textcoords="offset points", fontsize=8)
    ax.set_yticks(range(len(REGIONS)), list(REGIONS))
    ax.set(xlabel="Dice", xlim=(-0.02, 1.02), ylim=(len(REGIONS) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    named = ", ".join(f"{name} ({value:.2f})" for name, value, _height in worst)
    sentence = _("Dots are scans, red marks are medians. Dice: {parts}. The worst whole tumors: {worst}.")
    return caption(ax, sentence.format(parts="; ".join(parts), worst=named))


# ---------------------------------------------------------------------------------------------------------
# What the figures share


def _channels(image: np.ndarray) -> dict[str, np.ndarray]:
    """Return the channels of a scan by name; one alone has none."""
    if np.ndim(image) == 3:
        return {"": image}
    if np.ndim(image) != 4:
        message = _("A scan has the shape (x, y, z) or (x, y, z, channels), but this one is {shape}.")
        raise LessonError(message.format(shape=np.shape(image)))
    count = image.shape[-1]
    names = CHANNELS if count == len(CHANNELS) else [_("channel {number}").format(number=n) for n in range(count)]
    return {name: image[..., number] for number, name in enumerate(names)}


def _cropped(image: np.ndarray, label: np.ndarray | None, predicted: np.ndarray | None) -> tuple:
    """Return the part of a scan with the head, its labels by name, and where that part begins.

    The name of one label alone is empty; without any there is {"": None}.
    """
    given = {_("truth"): label, _("prediction"): predicted}
    given = {name: volume for name, volume in given.items() if volume is not None}
    for name, volume in given.items():
        if np.shape(volume) != np.shape(image)[:3]:
            message = _("{name}: the labels have the shape {label}, but the image {image}; give the same grid.")
            raise LessonError(message.format(name=name, label=np.shape(volume), image=np.shape(image)[:3]))
    box = ndimage.find_objects(_head(image).astype(np.uint8)) or [(slice(0, None),) * 3]
    part = tuple(slice(max(0, along.start - MARGIN), along.stop and along.stop + MARGIN) for along in box[0])
    given = {name: volume[part] for name, volume in given.items()}
    outlined = given if len(given) > 1 else {"": next(iter(given.values()), None)}
    return image[part], outlined, [along.start for along in part]


def _rows(channels: dict, outlined: dict) -> Iterator[tuple[tuple[str, str], np.ndarray, np.ndarray | None]]:
    """Yield the names, the volume and the labels of each row."""
    for channel, volume in channels.items():
        for whose, label in outlined.items():
            yield (channel, whose), volume, label


def _axis(plane: str) -> int:
    if plane not in PLANES:
        message = _("There is no plane {plane}: choose one of {planes}.")
        raise LessonError(message.format(plane=repr(plane), planes=", ".join(PLANES)))
    return PLANES[plane]


def _head(image: np.ndarray) -> np.ndarray:
    """Return where the head is, (x, y, z): what is not air."""
    return image != 0 if image.ndim == 3 else (image != 0).any(axis=-1)


def _spread(image: np.ndarray, outlined: dict, axis: int, count: int) -> list[int]:
    """Return the numbers of slices that are spread over the tumor, or over the head if there is none."""
    marked = _marked(outlined)
    along = np.flatnonzero((_head(image) if marked is None else marked).any(axis=tuple({0, 1, 2} - {axis})))
    first, last = along[[0, -1]] if along.size else (0, image.shape[axis] - 1)
    middles = first + (np.arange(count) + 0.5) * (last - first + 1) / count
    return sorted(set(middles.astype(int).tolist()))


def _marked(outlined: dict) -> np.ndarray | None:
    """Return where any label is, or None if none is anywhere."""
    labels = [label > 0 for label in outlined.values() if label is not None and label.any()]
    return np.any(labels, axis=0) if labels else None


def _slice(volume: np.ndarray, axis: int, place: int) -> np.ndarray:
    """Return one slice as it is drawn: rows from above (or from the front), columns from the patient's right."""
    return np.take(volume, place, axis)[::-1, ::-1].T


def _size(shape: Sequence[int], edges: np.ndarray, axis: int) -> tuple[float, float]:
    """Return width and height of a panel in inches; 100 mm are an inch."""
    wide, high = np.delete(np.array(shape[:3]) * edges, axis) / 100
    return float(wide), float(high)


def _panels(widths: Sequence[float], heights: Sequence[float]) -> tuple[Figure, np.ndarray]:
    size = (max(sum(widths) + 0.3, 4), sum(heights) + 0.6)
    figure, axes = plt.subplots(
        len(heights), len(widths), figsize=size, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return figure, axes


def _window(volume: np.ndarray) -> tuple[float, float]:
    """Return the gray levels that are drawn black and white."""
    values = volume[volume != 0]
    if not values.size:
        return 0.0, 1.0
    low, high = np.quantile(values, [0.005, 0.995])
    return (0.0 if values.min() >= 0 else float(low)), float(high) if high > low else float(low) + 1


def _draw(ax: Axes, volume: np.ndarray, label: np.ndarray | None, axis: int, place: int, edges: np.ndarray) -> None:
    low, high = _window(volume)
    gray = _slice(np.where(volume == 0, low, volume), axis, place)  # air is black, also where 0 is the mean
    across, down = np.delete(edges, axis)
    ax.imshow(gray, vmin=low, vmax=high, aspect=down / across, interpolation="bilinear")
    if label is None:
        return
    for number, mask in _masks(_slice(label, axis, place)):
        ax.contour(mask, levels=[0.5], colors=[COLORS[number]], linewidths=1.2)


def _masks(label: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number and the mask of each label that is there."""
    for number in COLORS:
        if (label == number).any():
            yield number, label == number


def _legend(figure: Figure, outlined: dict) -> None:
    there = {number for label in outlined.values() if label is not None for number, _mask in _masks(label)}
    if there:
        lines = [Line2D([], [], color=COLORS[number], label=LABELS[number]) for number in sorted(there)]
        figure.legend(handles=lines, loc="outside lower center", ncols=3, fontsize=8)


def _measured(outlined: dict, edges: np.ndarray) -> str:
    """Say what is outlined, how large it is, and how well the two agree if there are two."""
    said, volumes = [], [label for label in outlined.values() if label is not None]
    for name, label in outlined.items():
        if label is None:
            continue
        part = _("{label} {ml:.1f} ml ({color})")
        parts = [
            part.format(label=LABELS[number], ml=volume_ml(mask, edges), color=NAMES[COLORS[number]])
            for number, mask in _masks(label)
        ]
        whose = f"{name[:1].upper()}{name[1:]}: " if name else _("Outlined: ")
        said.append(whose + (", ".join(parts) or _("no tumor")) + ".")
    if len(volumes) == 2 and any(label.any() for label in volumes):
        overlap = dice(*(label > 0 for label in volumes))
        said.append(_("The Dice coefficient of the whole tumor is {dice:.2f}.").format(dice=overlap))
    return " ".join(said)


# ---------------------------------------------------------------------------------------------------------
# A volume to scroll through


def _viewer(
    image: np.ndarray, spacing: Sequence[float], outlined: dict, lowest: int, row: Figure, sentence: str
) -> str:
    steps = tuple(slice(None, None, -(-n // most)) for n, most in zip(image.shape, SCROLLED, strict=True))
    small, picture = image[steps], io.BytesIO()
    row.savefig(picture, format="png", dpi=72)
    plt.close(row)
    marked = _marked(outlined)
    shown = _head(image) if marked is None else marked  # begin where most of it is
    wide, high = (edge * along.step * n for edge, along, n in zip(spacing, steps, small.shape[:2], strict=False))
    outlines = {
        name or _("outlines"): _outlines(label[steps], dashed=number > 0)
        for number, (name, label) in enumerate(outlined.items())
        if label is not None
    }
    return viewer(
        picture.getvalue(), _strip(_gray(small)), outlines, sentence,
        palette=list(COLORS.values()), numbers=range(lowest, lowest + image.shape[2], steps[2].step), ratio=high / wide,
        first=int(shown.sum(axis=(0, 1))[:: steps[2].step].argmax()),
    )  # fmt: skip


def _gray(volume: np.ndarray) -> np.ndarray:
    """Return gray levels as bytes; 64 of them are enough, and half as large."""
    low, high = _window(volume)
    levels = np.clip((np.where(volume == 0, low, volume) - low) / (high - low), 0, 1)
    return (np.round(levels * 63) * 4).astype(np.uint8)


def _strip(volume: np.ndarray) -> np.ndarray:
    """Return all axial slices one above the other, the lowest on top."""
    return np.concatenate([_slice(volume, PLANES["axial"], z) for z in range(volume.shape[2])])


def _outlines(label: np.ndarray, dashed: bool) -> np.ndarray:
    """Return the outlines of a label, drawn with several pixels per voxel: its numbers, and 0 elsewhere."""
    fine = np.zeros((FINER * label.shape[0], FINER * label.shape[1], label.shape[2]), np.uint8)
    block = np.ones((3, 3, 1), bool)
    for number, mask in _masks(label):
        smooth = ndimage.zoom(mask.astype(np.float32), (FINER, FINER, 1), order=1, grid_mode=True, mode="nearest") > 0.5
        fine[smooth & ~ndimage.binary_erosion(smooth, block)] = number
    if dashed:
        x, y = np.indices(fine.shape[:2])
        fine[(x + y) // DASH % 2 == 1] = 0
    return _strip(fine)
