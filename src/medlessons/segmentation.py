"""How good is a segmentation: overlap, distances of surfaces, milliliters; one row per scan, intervals by patient."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import ndimage

from medlessons.errors import LessonError
from medlessons.evaluation import LEAST_CASES, cluster_bootstrap_ci, wilson_interval
from medlessons.volumes import LABELS, as_mask, checked_spacing, regions, volume_ml
from medlessons.wording import _

FOUND = 0.1  # Dice of the whole tumor from which on a tumor counts as found


def dice(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the Dice coefficient of two masks: twice what they share, by the sum of both.

    Parameters
    ----------
    truth, predicted : arrays of bool or of 0 and 1, of the same shape

    Returns
    -------
    float
        0 (nothing shared) to 1 (the same). NaN if both are empty: there is nothing to overlap. Look at
        :func:`false_ml` in healthy heads.

    Raises
    ------
    LessonError
        If the shapes differ or a value is neither 0 nor 1.

    Examples
    --------
    >>> dice(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 1]))
    0.5
    """
    truth, predicted = _same_grid(truth, predicted)
    both = int(truth.sum()) + int(predicted.sum())
    return 2 * int((truth & predicted).sum()) / both if both else float("nan")


def dice_by_label(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return the Dice coefficient of each label.

    Parameters
    ----------
    truth, predicted : arrays of int, of the same shape
        0 background, 1 edema, 2 non-enhancing tumor, 3 enhancing tumor.

    Returns
    -------
    dict of str to float
        ``edema``, ``non-enhancing tumor``, ``enhancing tumor``; NaN where neither has the label.
    """
    return {name: dice(np.equal(truth, label), np.equal(predicted, label)) for label, name in LABELS.items()}


def surface_distance(truth: np.ndarray, predicted: np.ndarray, spacing: Sequence[float]) -> tuple[float, float]:
    """Return how far the surfaces of two masks are apart.

    A surface is made of the voxels of a mask that have a neighbor (by a face) outside of it. The distance of each
    surface voxel to the nearest one of the other mask is taken, from both sides.

    Parameters
    ----------
    truth, predicted : arrays of bool or of 0 and 1, shape (x, y, z)
    spacing : three float
        The edges of a voxel, mm.

    Returns
    -------
    mean, hd95 : float
        Millimeters. The average symmetric surface distance, and the 95 % Hausdorff distance: the larger one of the two
        sides' 95th percentiles, as MONAI has it. Both are NaN if both masks are empty, and infinite if one of them is.

    Raises
    ------
    LessonError
        If the shapes differ, a value is neither 0 nor 1, or the spacing is not three lengths above 0.
    """
    truth, predicted = _same_grid(truth, predicted)
    spacing = checked_spacing(spacing)
    if not (truth.any() and predicted.any()):
        alone = float("inf") if truth.any() or predicted.any() else float("nan")
        return alone, alone
    (around,) = ndimage.find_objects((truth | predicted).astype(np.uint8))  # farther out, nothing has a surface
    surfaces = [mask[around] & ~ndimage.binary_erosion(mask[around]) for mask in (truth, predicted)]
    to_truth, to_predicted = (ndimage.distance_transform_edt(~surface, sampling=spacing) for surface in surfaces)
    sides = to_predicted[surfaces[0]], to_truth[surfaces[1]]
    return float(np.concatenate(sides).mean()), float(max(np.percentile(side, 95) for side in sides))


def volume_error_ml(truth: np.ndarray, predicted: np.ndarray, spacing: Sequence[float]) -> float:
    """Return the predicted volume minus the true one, ml; below 0 the prediction is too small.

    Two masks that do not touch may have an error of 0. The arguments are those of :func:`surface_distance`.
    """
    truth, predicted = _same_grid(truth, predicted)
    return volume_ml(predicted, spacing) - volume_ml(truth, spacing)


def false_ml(truth: np.ndarray, predicted: np.ndarray, spacing: Sequence[float]) -> float:
    """Return how many ml are called tumor that are none; in a healthy head that is all of the prediction.

    The arguments are those of :func:`surface_distance`.
    """
    truth, predicted = _same_grid(truth, predicted)
    return volume_ml(predicted & ~truth, spacing)


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected piece of a mask; voxels are connected by their faces.

    Parameters
    ----------
    mask : array of bool or of 0 and 1, shape (x, y, z)

    Returns
    -------
    array of bool, shape (x, y, z)
        Empty if the mask is. Of several largest pieces, the first one.
    """
    pieces, count = ndimage.label(as_mask(mask))
    if not count:
        return pieces > 0
    return pieces == 1 + np.bincount(pieces[pieces > 0] - 1).argmax()


def scores(truth: np.ndarray, predicted: np.ndarray, spacing: Sequence[float]) -> dict[str, float]:
    """Return all figures of one scan, a row of a table.

    Parameters
    ----------
    truth, predicted : arrays of int, shape (x, y, z)
        0 background, 1 edema, 2 non-enhancing tumor, 3 enhancing tumor.
    spacing : three float
        The edges of a voxel, mm.

    Returns
    -------
    dict of str to float
        ``tumor ml``; ``Dice`` and ``HD95`` (mm) of whole tumor, tumor core and enhancing tumor, such as ``Dice tumor
        core``; ``Dice`` of edema and of non-enhancing tumor; of the whole tumor ``surface mm`` (the average symmetric
        surface distance), ``volume error ml`` and ``false ml``.
    """
    true, named = regions(truth), regions(predicted)
    whole = true["whole tumor"], named["whole tumor"]
    distances = {region: surface_distance(true[region], named[region], spacing) for region in true}
    return {
        "tumor ml": volume_ml(whole[0], spacing),
        **{f"Dice {region}": dice(true[region], named[region]) for region in true},
        **{f"Dice {label}": value for label, value in dice_by_label(truth, predicted).items()},
        **{f"HD95 {region}": hd95 for region, (_mean, hd95) in distances.items()},
        "surface mm": distances["whole tumor"][0],
        "volume error ml": volume_error_ml(*whole, spacing),
        "false ml": false_ml(*whole, spacing),
    }


def summary(table: pd.DataFrame, patients: Sequence, level: float = 0.95, repeats: int = 1000) -> pd.DataFrame:
    """Return the mean of each figure over the scans, with its bootstrap interval by patient.

    Parameters
    ----------
    table : DataFrame
        One row per scan, such as :func:`scores` gives.
    patients : sequence, shape (scans,)
        Who each scan belongs to.
    level : float
        Between 0 and 1.
    repeats : int
        How many times patients are drawn.

    Returns
    -------
    DataFrame
        One row per column of the table: ``scans`` (those that count), ``left out`` (NaN, where there is nothing to
        overlap, and infinite, where one of two surfaces is missing), ``mean``, ``low``, ``high``. The limits are NaN
        below ten scans, where they would be too narrow.
    """
    rows, patients = {}, np.asarray(patients, dtype=str)
    for name, values in table.items():
        counts = np.isfinite(values.to_numpy(float))
        chosen = values.to_numpy(float)[counts]
        low, high = np.nan, np.nan
        if len(chosen) >= LEAST_CASES:
            of = np.ones(len(chosen)), chosen, patients[counts]
            low, high = cluster_bootstrap_ci(lambda _ones, drawn: drawn.mean(), *of, level, repeats)
        rows[name] = (len(chosen), len(table) - len(chosen), chosen.mean() if len(chosen) else np.nan, low, high)
    return pd.DataFrame.from_dict(rows, "index", columns=["scans", "left out", "mean", "low", "high"])


def tumors_found(table: pd.DataFrame, bins: Sequence[float], found: float = FOUND) -> pd.DataFrame:
    """Return how many tumors of each size are found; healthy heads are left out.

    Parameters
    ----------
    table : DataFrame
        One row per scan, with the columns ``tumor ml`` and ``Dice whole tumor`` of :func:`scores`.
    bins : sequence of float
        Edges of the sizes, ml, rising; each bin holds its upper edge.
    found : float
        A tumor with at least this Dice is found. Touching it with one voxel is not enough: who calls half of the brain
        tumor would find them all.

    Returns
    -------
    DataFrame
        One row per size, such as ``5 to 20 ml``: ``tumors``, ``found``, ``share``, ``low``, ``high`` (Wilson, 95 %, for
        one scan per patient; NaN where there is no tumor).
    """
    ill, rows = table[table["tumor ml"] > 0], {}
    for low, high in pairwise(bins):
        group = ill[(ill["tumor ml"] > low) & (ill["tumor ml"] <= high)]
        tumors, hits = len(group), int((group["Dice whole tumor"] >= found).sum())
        limits = wilson_interval(hits, tumors) if tumors else (np.nan, np.nan)
        name = _("{low:g} to {high:g} ml") if np.isfinite(high) else _("over {low:g} ml")
        rows[name.format(low=low, high=high)] = (tumors, hits, hits / tumors if tumors else np.nan, *limits)
    return pd.DataFrame.from_dict(rows, "index", columns=["tumors", "found", "share", "low", "high"])


def _same_grid(truth: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    truth, predicted = as_mask(truth), as_mask(predicted)
    if truth.shape != predicted.shape:
        message = _("The truth has the shape {truth}, but the prediction {predicted}: they must be on the same grid.")
        raise LessonError(message.format(truth=truth.shape, predicted=predicted.shape))
    return truth, predicted
