"""Splitting images into training, validation and test sets, and finding out what leaked."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from medlessons.errors import LessonError


def by_patient(
    table: pd.DataFrame, shares: Mapping[str, float], stratify: str | Sequence[str] = "label", seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Split an image table so that all images of a patient go to the same part.

    The rarest label is dealt out first: its patients are shuffled, and each goes to the part that lacks most images
    with this label. Then comes the next rare one, with the patients that are left (iterative stratification, Sechidis
    et al. 2011, doi:10.1007/978-3-642-23808-6_10, here by patient). So every part gets its share of the rare ones.

    Parameters
    ----------
    table : DataFrame
        An image table with the columns ``patient`` and ``stratify``.
    shares : mapping
        Name of each part -> its share of the images, above 0; the shares add up to 1.
    stratify : str or sequence of str
        Column whose values should be equally frequent in all parts, or several 0/1 columns, one per label.
    seed : int
        Of the shuffling, 0 or above.

    Returns
    -------
    dict
        Name of each part -> its rows, in the order of the table.

    Raises
    ------
    LessonError
        If a column, a patient or a value of ``stratify`` is missing, or the shares do not add up to 1.

    Examples
    --------
    >>> table = pd.DataFrame({"patient": list("aabbccdd"), "label": ["frontal", "lateral"] * 4})
    >>> parts = by_patient(table, {"train": 0.75, "test": 0.25})
    >>> [(name, len(part), part["patient"].nunique()) for name, part in parts.items()]
    [('train', 6, 3), ('test', 2, 1)]
    """
    columns = [stratify] if isinstance(stratify, str) else list(stratify)
    _check(table, shares, ("patient", *columns))
    counts = _count_labels(table, stratify)
    lack = np.outer(list(shares.values()), counts.sum())
    images, free, home = counts.to_numpy(), np.ones(len(counts), bool), np.zeros(len(counts), int)
    rng = np.random.default_rng(seed)
    for label in np.argsort(images.sum(axis=0), kind="stable"):
        patients = rng.permutation(np.flatnonzero(free & (images[:, label] > 0)))
        for patient in patients[np.argsort(-images[patients, label], kind="stable")]:
            home[patient] = lack[:, label].argmax()
            lack[home[patient]] -= images[patient]
        free[patients] = False
    part = table["patient"].astype(str).map(dict(zip(counts.index, home, strict=True)))
    return {name: table[part == number] for number, name in enumerate(shares)}


def _count_labels(table: pd.DataFrame, stratify: str | Sequence[str]) -> pd.DataFrame:
    """Return how many images with each label each patient has; an image without any of several labels is one, too."""
    if isinstance(stratify, str):
        labels = pd.get_dummies(table[stratify], dtype=int)
    else:
        labels = table[list(stratify)].astype(int)
        labels["none"] = (labels.sum(axis=1) == 0).astype(int)
    return labels.groupby(table["patient"].astype(str)).sum()


def at_random(table: pd.DataFrame, shares: Mapping[str, float], seed: int = 0) -> dict[str, pd.DataFrame]:
    """Split an image table at random, image by image: the wrong way if patients have several images.

    Parameters
    ----------
    table, shares, seed
        As in :func:`by_patient`.

    Returns
    -------
    dict
        Name of each part -> its rows, in the order of the table.

    Raises
    ------
    LessonError
        If the shares do not add up to 1.
    """
    _check(table, shares, ())
    order = np.random.default_rng(seed).permutation(len(table))
    ends = np.rint(np.cumsum(list(shares.values())) * len(table)).astype(int)
    parts = np.split(order, ends[:-1])
    return {name: table.iloc[np.sort(rows)] for name, rows in zip(shares, parts, strict=True)}


def shared_patients(parts: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return the patients who appear in more than one part, sorted.

    Examples
    --------
    >>> shared_patients({"train": pd.DataFrame({"patient": [1, 2]}), "test": pd.DataFrame({"patient": [2, 3]})})
    ['2']
    """
    seen = pd.Series([patient for part in parts.values() for patient in part["patient"].astype(str).unique()])
    return sorted(seen[seen.duplicated()].unique())


def check_no_leakage(parts: Mapping[str, pd.DataFrame]) -> None:
    """Raise LessonError, with the names, if a patient appears in more than one part."""
    shared = shared_patients(parts)
    if shared:
        names = ", ".join(shared[:3]) + (", ..." if len(shared) > 3 else "")
        raise LessonError(
            f"{len(shared)} patients have images in more than one of {', '.join(parts)}: {names}. "
            "Split by patient, for instance with splits.by_patient."
        )


def _check(table: pd.DataFrame, shares: Mapping[str, float], columns: tuple[str, ...]) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise LessonError(f"The table has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))}.")
    if not np.isclose(sum(shares.values()), 1) or min(shares.values()) <= 0:
        raise LessonError(f"The shares {dict(shares)} must all be above 0 and add up to 1.")
    for column in columns:
        if table[column].isna().any():
            row = table.index[table[column].isna()][0]
            raise LessonError(f"Row {row}, column {column}: there is no value. Fill it in, or drop the row.")
