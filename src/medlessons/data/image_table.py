"""Image tables: one row an image, the same columns from every data set."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from medlessons.data import manifest, text
from medlessons.errors import LessonError
from simclinic import clinic

MINIMUM_PATIENTS = 10  # of own images, with each label: fewer cannot be split five times
VIEWS = {
    "CT": r"\b(ct|hrct|axial|coronal|sagittal|tomogra\w*)\b",
    "L": r"\b(l|ll|lat|lateral)\b",
    "PA": r"\b(pa|postero\W?anterior)\b",
    "AP": r"\b(ap|antero\W?posterior)\b",
}
"""View -> how it is written, in lower case."""


def tidy(table: pd.DataFrame, labels: Sequence[str], name: str) -> pd.DataFrame:
    """Return an image table with its columns in their order.

    Parameters
    ----------
    table : DataFrame
        With ``path``, ``patient`` and the columns ``labels``.
    labels : sequence of str
        ``("label",)``, or one 0/1 column a finding.
    name : str
        ``attrs["name"]``: "simulated data", "published data" or "own data".

    Returns
    -------
    DataFrame
        ``path``, ``patient``, ``view``, the labels, ``age`` (years, NaN if not known), ``sex`` ("F", "M" or empty),
        ``source``; of simulated patients also the columns that lead back to them (``clinic.SIMULATION_COLUMNS``).
        ``attrs["left_out"]`` maps each reason why images were left out to their number, ``attrs["unreadable"]`` each
        file to what is wrong.
    """
    attrs = {"left_out": {}, "unreadable": {}} | table.attrs
    table = table.reset_index(drop=True)
    for column in ("view", "sex", "source"):
        table[column] = table[column].astype(str) if column in table else ""
    table["age"] = pd.to_numeric(table["age"], errors="coerce").astype(float) if "age" in table else float("nan")
    table["patient"] = table["patient"].astype(str)
    known = [column for column in clinic.SIMULATION_COLUMNS if column in table]
    table = table[["path", "patient", "view", *labels, "age", "sex", "source", *known]]
    attrs["left_out"] = {reason: count for reason, count in attrs["left_out"].items() if count}
    table.attrs = attrs | {"name": name}
    return table


def view_of(*cells: str) -> str:
    """Return the view that the cells of a row name: "PA", "AP", "AP Supine", "L", "CT", or "" if it is not known.

    Parameters
    ----------
    *cells : str
        Such as the columns view and modality: "AP erect", "Lateral", "CT", "X-ray".

    Examples
    --------
    >>> view_of("AP semi erect", "X-ray"), view_of("pa", "CT"), view_of("L"), view_of("PA and lateral")
    ('AP', 'CT', 'L', '')
    """
    said = " ".join(cells).lower().replace(".", "").replace("_", " ")
    found = [view for view, pattern in VIEWS.items() if re.search(pattern, said)]
    if "CT" in found:
        return "CT"
    supine = " Supine" if found == ["AP"] and re.search("supine|lying", said) else ""
    return found[0] + supine if len(found) == 1 else ""


def drop_unreadable(table: pd.DataFrame, folder: Path, own: bool = False) -> pd.DataFrame:
    """Return the table without the rows whose file cannot be read; they are counted.

    Each file is read once, the first time that it is seen (:mod:`~medlessons.data.manifest`).

    Parameters
    ----------
    table : DataFrame
        With ``path``, absolute and below ``folder``; ``attrs["left_out"]`` maps reasons to numbers of images.
    folder : Path
        That of the data set.
    own : bool
        Whether the images are an instructor's own, and may change.
    """
    names = [path.removeprefix(f"{folder}{os.sep}").replace(os.sep, "/") for path in table["path"]]
    errors = manifest.verify(folder, names, own)
    bad = np.array([errors[name] != "" for name in names], bool)
    kept = table[~bad].reset_index(drop=True)
    kept.attrs = dict(table.attrs)
    kept.attrs["left_out"] = table.attrs.get("left_out", {}) | {"the file cannot be read": int(bad.sum())}
    kept.attrs["unreadable"] = {
        path: f"{path}: {errors[name]}" for path, name in zip(table["path"], names, strict=True) if errors[name]
    }
    return kept


def check_labels(table: pd.DataFrame, labels: Sequence[str], folder: Path, next_step: str) -> None:
    """Raise LessonError if one of the ``labels`` does not occur in the column ``label``."""
    counts = table["label"].value_counts()
    for label in labels:
        if counts.get(label, 0):
            continue
        if any(_is_dicom(path) for path in folder.rglob("*")):
            raise LessonError(
                f"{folder}: there is no {label} radiograph that can be read, but there are DICOM files. Convert them "
                "to PNG first."
            )
        have = ", ".join(f"{count} {name}" for name, count in counts.items()) or "no image at all"
        raise LessonError(
            f"{folder}: there is no {label} radiograph ({have}), but the lesson needs {' and '.join(labels)} to tell "
            f"them apart. Add some, or {next_step}."
        )


def _is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132).endswith(b"DICM")  # DICOM PS3.10, section 7.1: after 128 bytes of any kind


def own_folders(folder: Path, labels: Sequence[str], next_step: str) -> pd.DataFrame:
    """Return the table of own images that lie in one folder a label.

    Parameters
    ----------
    folder : Path
        Holds a folder for each of ``labels``, in any letters and separators. The patient is what stands before the
        first underscore of a file's name: ``0017_2.png`` is patient 17.
    labels : sequence of str
    next_step : str
        What to do if a label is missing: the end of a sentence.

    Returns
    -------
    DataFrame
        As :func:`tidy` describes it, without view, age and sex.

    Raises
    ------
    LessonError
        If one of the folders is missing or has no image that can be read, or has those of too few patients.
    """
    places = label_folders(folder, labels)
    rows = [
        {"path": str(path), "patient": path.stem.split("_")[0], "label": label, "source": folder.name}
        for place, label in places.items()
        for path in image_files(place)
    ]
    table = pd.DataFrame(rows, columns=["path", "patient", "label", "source"])
    table["patient"] = text.patient_names(table["patient"])
    table = drop_unreadable(table, folder, own=True)
    check_labels(table, labels, folder, next_step)
    patients = table.groupby("label")["patient"].agg(["size", "nunique", "first"]).sort_values("nunique")
    images, count, first = patients.iloc[0]
    if count < MINIMUM_PATIENTS:
        raise LessonError(
            f"{folder}: the {images} {patients.index[0]} images are of {count} patients ({first!r} is one), but "
            f"{MINIMUM_PATIENTS} are needed to split them. Add images; the patient is what stands before the first "
            "underscore of a file's name: 17_1.png, 18_1.png."
        )
    others = [path for place in places for path in place.glob("[!.]*") if path.suffix.lower() not in manifest.SUFFIXES]
    dicom = sum(map(_is_dicom, others))
    table.attrs["left_out"] |= {"a DICOM file, not converted": dicom, "not an image by its name": len(others) - dicom}
    return tidy(table, ("label",), "own data")


def label_folders(folder: Path, labels: Sequence[str]) -> dict[Path, str]:
    """Return folder -> label of the folders that have the name of a label, in any letters and separators."""
    known = {text.key(label): label for label in labels}
    every = sorted(path for path in folder.glob("[!.]*") if path.is_dir()) if folder.is_dir() else []
    found = {path: known[text.key(path.name)] for path in every if text.key(path.name) in known}
    return dict(sorted(found.items(), key=lambda pair: labels.index(pair[1])))


def image_files(folder: Path) -> list[Path]:
    """Return the files in a folder that have the name of an image, sorted; without macOS' ``._*``."""
    return sorted(path for path in folder.glob("[!.]*") if path.suffix.lower() in manifest.SUFFIXES)
