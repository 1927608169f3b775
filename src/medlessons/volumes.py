"""Volumes of voxels: how large something is, patches for training, and the prediction of a whole head."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from medlessons.errors import LessonError
from medlessons.wording import _

LABELS = {1: "edema", 2: "non-enhancing tumor", 3: "enhancing tumor"}  # as in the Medical Segmentation Decathlon
REGIONS = {"whole tumor": (1, 2, 3), "tumor core": (2, 3), "enhancing tumor": (3,)}  # what BraTS and MONAI judge
AT_ONCE = 8  # windows that are predicted in one batch
SIGMA, LEAST_WEIGHT = 1 / 8, 1e-3  # of the Gaussian weights, relative to the window and to their maximum


def volume_ml(mask: np.ndarray, spacing: Sequence[float]) -> float:
    """Return the volume of what a mask or a label marks.

    Parameters
    ----------
    mask : array of bool or int, shape (x, y, z)
        Every voxel that is not 0 counts once.
    spacing : three float
        The edges of a voxel, mm.

    Returns
    -------
    float
        Milliliters; 1 ml is 1,000 mm3.

    Raises
    ------
    LessonError
        If the spacing is not three lengths above 0.

    Examples
    --------
    >>> volume_ml(np.ones((10, 10, 5)), (3.0, 3.0, 4.5))
    20.25
    """
    return float(np.count_nonzero(mask) * np.prod(checked_spacing(spacing)) / 1000)


def regions(label: np.ndarray) -> dict[str, np.ndarray]:
    """Return the three regions by which segmentations of gliomas are judged; each one holds the next.

    Parameters
    ----------
    label : array of int, shape (x, y, z)
        0 background, 1 edema, 2 non-enhancing tumor (necrosis included), 3 enhancing tumor.

    Returns
    -------
    dict of str to array of bool, shape (x, y, z)
        ``whole tumor`` (labels 1, 2, 3), ``tumor core`` (2, 3) and ``enhancing tumor`` (3).
    """
    return {name: np.isin(label, labels) for name, labels in REGIONS.items()}


def standardize(image: np.ndarray, head: np.ndarray | None = None) -> np.ndarray:
    """Return a scan whose channels have a mean of 0 and a standard deviation of 1 inside the head.

    Parameters
    ----------
    image : array, shape (x, y, z, channels)
    head : array of bool, shape (x, y, z), optional
        Where the head is; without it, where any channel differs from 0, as in sets whose skull was stripped.

    Returns
    -------
    array of float32, shape (x, y, z, channels)
        The air around the head stays 0. A channel that is the same everywhere in the head, such as a sequence that is
        missing, becomes 0.

    Raises
    ------
    LessonError
        If the shapes do not fit, or no voxel is in the head.
    """
    image = np.asarray(image)
    if image.ndim != 4:
        raise LessonError(
            _("A scan has the shape (x, y, z, channels), but this one is {shape}.").format(shape=image.shape)
        )
    head = (image != 0).any(axis=-1) if head is None else as_mask(head)
    if head.shape != image.shape[:3]:
        message = _("The head has the shape {head}, but the image {image}: they must be on the same grid.")
        raise LessonError(message.format(head=head.shape, image=image.shape[:3]))
    if not head.any():
        raise LessonError(_("No voxel is in the head: all of the scan is 0."))
    values = image[head].astype(float)
    values -= values.mean(axis=0)
    deviation = values.std(axis=0)
    standardized = np.zeros(image.shape, np.float32)
    standardized[head] = values / np.where(deviation > 0, deviation, 1)
    return standardized


def sub_volume(
    image: np.ndarray, label: np.ndarray, size: Sequence[int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a patch at random out of a scan, and the same patch out of its labels; all corners are equally likely.

    Parameters
    ----------
    image : array, shape (x, y, z, channels)
    label : array, shape (x, y, z)
    size : three int
        Voxels of the patch along x, y and z.
    rng : numpy.random.Generator

    Returns
    -------
    patch : array, shape (*size, channels)
    label : array, shape size
        Copies: changing them leaves the scan as it is.

    Raises
    ------
    LessonError
        If the patch is larger than the scan, or the labels have another shape than the image.
    """
    last = _last_corner(image, label, size)
    return _cut(image, label, rng.integers(0, last + 1), size)


def tumor_sub_volume(
    image: np.ndarray, label: np.ndarray, size: Sequence[int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a patch that holds a tumor voxel drawn at random; where it lies in the patch is random, too.

    Without tumor, any patch is cut, as :func:`sub_volume` does, which also says what the arguments are.

    Returns
    -------
    patch : array, shape (*size, channels)
    label : array, shape size
    """
    last = _last_corner(image, label, size)
    tumor = np.argwhere(label)
    if not len(tumor):
        return _cut(image, label, rng.integers(0, last + 1), size)
    voxel = tumor[rng.integers(len(tumor))]
    return _cut(image, label, rng.integers(np.maximum(voxel - size + 1, 0), np.minimum(voxel, last) + 1), size)


def windows(shape: Sequence[int], size: Sequence[int], step: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the corners of windows that cover a volume; the last one along each axis ends at its edge.

    Parameters
    ----------
    shape, size, step : three int
        Of the volume, of a window, and from one window to the next. Where the volume is smaller than a window there is
        one corner, 0.

    Returns
    -------
    list of tuple of int

    Raises
    ------
    LessonError
        If a step is below 1 or larger than the window: voxels would be left out.

    Examples
    --------
    >>> windows((5, 2, 2), (2, 2, 2), (2, 2, 2))
    [(0, 0, 0), (2, 0, 0), (3, 0, 0)]
    """
    if not all(1 <= along <= length for along, length in zip(step, size, strict=True)):
        message = _("The step {step} must be from 1 to the size of the window, {size}, along each axis.")
        raise LessonError(message.format(step=tuple(step), size=tuple(size)))
    ends = [max(0, whole - length) for whole, length in zip(shape, size, strict=True)]
    return list(product(*([*range(0, end, along), end] for end, along in zip(ends, step, strict=True))))


def predict_volume(
    predict: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    size: Sequence[int],
    step: Sequence[int],
    weights: str = "gaussian",
) -> np.ndarray:
    """Predict a whole scan in overlapping windows: each voxel gets the weighted mean of all windows that hold it.

    Parameters
    ----------
    predict : callable
        Takes a batch of windows, shape (windows, *size, channels), and returns probabilities, shape (windows, *size,
        classes), such as ``model.predict_on_batch``.
    image : array, shape (x, y, z, channels)
        Prepared as the training patches were. Where it is smaller than a window it is padded with 0, and the
        prediction is cut to its shape.
    size, step : three int
        Of a window, and from one window to the next.
    weights : str
        ``gaussian``: the middle of a window counts more than its edge, as in nnU-Net and MONAI (standard deviation:
        an eighth of the window); ``flat``: all of it counts the same.

    Returns
    -------
    array of float32, shape (x, y, z, classes)
        Probabilities.

    Raises
    ------
    LessonError
        If the weights have another name, a step is too large, or the predictions have another shape than the windows.
    """
    if weights not in ("gaussian", "flat"):
        raise LessonError(_("There are no weights {name}: choose gaussian or flat.").format(name=repr(weights)))
    shape, size = image.shape[:3], tuple(size)
    image = np.pad(image, [*((0, max(0, s - n)) for n, s in zip(shape, size, strict=True)), (0, 0)])
    weight = _gaussian(size) if weights == "gaussian" else np.ones((*size, 1), np.float32)
    total, counted = None, np.zeros((*image.shape[:3], 1), np.float32)
    for part, predicted in _predicted(predict, image, windows(shape, size, step), size):
        if total is None:  # the first window says how many classes there are
            total = np.zeros((*image.shape[:3], predicted.shape[-1]), np.float32)
        total[part] += weight * predicted
        counted[part] += weight
    return (total / counted)[tuple(map(slice, shape))]


def _predicted(predict: Callable, image: np.ndarray, corners: list, size: tuple) -> Iterator[tuple[tuple, np.ndarray]]:
    """Yield where each window is, and what is predicted in it."""
    for first in range(0, len(corners), AT_ONCE):
        parts = [_part(corner, size) for corner in corners[first : first + AT_ONCE]]
        predicted = np.asarray(predict(np.stack([image[part] for part in parts])))
        if predicted.ndim != 5 or predicted.shape[:-1] != (len(parts), *size):
            message = _("The predictions have the shape {came}, but (windows, *size, classes) is expected: {wanted}.")
            raise LessonError(message.format(came=predicted.shape, wanted=(len(parts), *size, "classes")))
        yield from zip(parts, predicted, strict=True)


def _gaussian(size: tuple[int, ...]) -> np.ndarray:
    """Return weights, largest in the middle of a window, of shape (*size, 1)."""
    axes = [np.exp(-(((np.arange(n) - (n - 1) / 2) / (n * SIGMA)) ** 2) / 2) for n in size]
    weight = np.einsum("x,y,z->xyz", *axes)[..., None].astype(np.float32)
    return np.maximum(weight, LEAST_WEIGHT * weight.max())


def _part(corner: Sequence[int], size: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))


def _cut(image: np.ndarray, label: np.ndarray, corner: Sequence[int], size: Sequence[int]):
    part = _part(corner, size)
    return image[part].copy(), label[part].copy()


def _last_corner(image: np.ndarray, label: np.ndarray, size: Sequence[int]) -> np.ndarray:
    if label.shape != image.shape[:3]:
        message = _("The labels have the shape {label}, but the image {image}: they must be on the same grid.")
        raise LessonError(message.format(label=label.shape, image=image.shape[:3]))
    last = np.array(label.shape) - size
    if (last < 0).any():
        message = _("A patch of {size} voxels does not fit into a scan of {shape}.")
        raise LessonError(message.format(size=tuple(size), shape=label.shape))
    return last


def as_mask(mask: np.ndarray) -> np.ndarray:
    """Return a mask as an array of bool, or raise LessonError if a value is neither 0 nor 1."""
    mask = np.asarray(mask)
    if mask.dtype != bool and not ((mask == 0) | (mask == 1)).all():
        raise LessonError(_("A mask holds 0 and 1 only; compare labels first, such as label == 3 or label > 0."))
    return mask.astype(bool)


def checked_spacing(spacing: Sequence[float]) -> np.ndarray:
    """Return the edges of a voxel (mm) as an array, or raise LessonError if they are not three lengths above 0."""
    edges = np.asarray(spacing, dtype=float)
    if edges.shape != (3,) or not (edges > 0).all():
        raise LessonError(_("The spacing is three lengths in mm, above 0, not {spacing}.").format(spacing=spacing))
    return edges
