"""Splitting images into training, validation and test sets, and finding out what leaked."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from medlessons.errors import LessonError


def by_patient(
    table: pd.DataFrame, shares: Mapping[str, float], stratify: str = "label", seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Split an image table so that all images of a patient go to the same part.

    A patient's stratum is the rarest value of ``stratify`` among the images. In a stratum the patients are shuffled,
    and each goes to the part that lacks most images with this value, so every part gets its share of the rare ones.

    Parameters
    ----------
    table : DataFrame
        An image table with the columns ``patient`` and ``stratify``.
    shares : mapping
        Name of each part -> its share of the images, above 0; the shares add up to 1.
    stratify : str
        Column whose values should be equally frequent in all parts.
    seed : int

    Returns
    -------
    dict
        Name of each part -> its rows, in the order of the table.

    Raises
    ------
    LessonError
        If a column, a patient or a value of ``stratify`` is missing, or the shares do not add up to 1.
    """
    _check(table, shares, ("patient", stratify))
    rarity = table[stratify].value_counts().rank(method="first")  # 1 is the rarest; no two values share a rank
    frame = pd.DataFrame({"patient": table["patient"].astype(str), "rarity": table[stratify].map(rarity)})
    stratum = frame.groupby("patient")["rarity"].min()
    rare = (frame["rarity"] == frame["patient"].map(stratum)).groupby(frame["patient"]).sum()
    rng = np.random.default_rng(seed)
    home = {}
    for value in sorted(stratum.unique()):
        images = rare[stratum == value]
        lack = {name: share * images.sum() for name, share in shares.items()}
        shuffled = images.iloc[rng.permutation(len(images))]
        for patient, count in shuffled.sort_values(ascending=False, kind="stable").items():
            home[patient] = max(lack, key=lack.get)
            lack[home[patient]] -= count
    part = frame["patient"].map(home)
    return {name: table[part == name] for name in shares}


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
    """Return the patients who appear in more than one part, sorted."""
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
