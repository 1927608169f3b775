"""Where is the tumor? (lesson 6): MRI scans of simulated heads, the published ones, or an instructor's own.

The simulated heads are written as the Medical Segmentation Decathlon lays out its brain tumors
(``collections/decathlon.py``), so that the same functions read both. The format is described in data/README.md.
"""

import gzip
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

import simclinic.brain
from medlessons import files, settings, splits
from medlessons.data import places, rendering, scans
from medlessons.data.collections import brats, decathlon
from medlessons.data.scans import CHANNELS, LABELS, Volume, read_scan, to_grid
from medlessons.errors import LessonError

__all__ = [
    "CHANNELS",
    "LABELS",
    "LESSONS",
    "NAME",
    "SHAPE",
    "SHARES",
    "SPACING",
    "Volume",
    "embedded",
    "load",
    "load_simulated",
    "prepare",
    "read_scan",
    "to_grid",
    "truth",
]

NAME = "brain"
LESSONS = (6,)
COLUMNS = ("path", "label_path", "patient", "source", "split")
SHAPE, SPACING = (64, 64, 32), (3.0, 3.0, 4.5)  # voxels, mm: the grid of the simulated scans, and of the networks
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}

# The embedded sets: one head per scan, one scan per patient.
PARTS = ("lesson", "new scanners")
HEADS = {"quick": 100, "full": 484}  # in full as many as are published with labels
NEW_HEADS = {"quick": 16, "full": 16}
SEEDS = {"lesson": 80_000, "new scanners": 84_000}  # of the first head
METADATA = "metadata.csv"
WORTH_A_WORKER = 25  # heads; below that, starting a process takes longer than the work


def load(source: str | None = None) -> pd.DataFrame:
    """Return the table of the lesson's scans, which have labels.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Simulated or published patients; what the environment says unless given.

    Returns
    -------
    DataFrame
        One row per scan: ``path``, ``label_path``, ``patient``, ``source`` (scanner or data set), ``split`` ("train",
        "validation" or "test", by patient, 60 / 20 / 20 percent); of simulated patients also ``style`` (of the
        scanner), ``kind`` ("none", "low" or "high": the grade of the tumor), ``age`` (years) and ``seed``.
        ``attrs["name"]`` is "simulated data", "published data" or "own data"; ``attrs["left_out"]`` maps each reason
        why scans were left out to their number. No scan is opened: :func:`read_scan` reads a row.

    Raises
    ------
    LessonError
        If files are missing, or there is no scan with labels; the message says what to do.
    """
    if places.choose(source) == "embedded":
        return load_simulated("lesson")
    own = own_folder()
    return read_own(own) if own.is_dir() else read_published(decathlon.folder())


def load_simulated(part: str = "lesson") -> pd.DataFrame:
    """Return simulated heads, whatever the source of the lesson is.

    Parameters
    ----------
    part : {"lesson", "new scanners"}
        "lesson": a tenth of the heads has no tumor, in each split. "new scanners": heads from two scanners that no
        other part has, to test on.

    Returns
    -------
    DataFrame
        As :func:`load` describes it; ``split`` of new scanners is "test".
    """
    if part not in PARTS:
        raise LessonError(f"There is no part {part!r}; choose one of {', '.join(PARTS)}.")
    folder = _prepare(part)
    table = pd.read_csv(folder / METADATA, dtype={"patient": str}, keep_default_na=False)
    for column in ("path", "label_path"):
        table[column] = [str(folder / path) for path in table[column]]
    return _tidy(table, "simulated data")


def truth(row: Mapping) -> simclinic.brain.Scan:
    """Return what only the simulation knows about a row of :func:`load_simulated`.

    Parameters
    ----------
    row : mapping
        With ``seed``, ``kind``, ``age`` and ``style``.

    Returns
    -------
    simclinic.brain.Scan
        Its arrays have the axes of :func:`read_scan`. ``label`` is the one of the file, ``image`` before it was
        rounded; ``lookalikes`` says where spots, vessels and old strokes are, ``tissues`` what each voxel consists of.
    """
    scan = _scan(row, truth=True)
    tissues = {name: _turn(part) for name, part in scan.tissues.items()}
    turned = {name: _turn(getattr(scan, name)) for name in ("image", "label", "brain", "lookalikes")}
    return replace(scan, **turned, tissues=tissues)


def _tidy(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table of scans with its columns in their order."""
    left_out = {reason: count for reason, count in table.attrs.get("left_out", {}).items() if count}
    table = table.reset_index(drop=True)
    table = table[[*COLUMNS, *(column for column in table if column not in COLUMNS)]]
    table.attrs = {"name": name, "left_out": left_out}
    return table


# ---------------------------------------------------------------------------------------------------------
# Embedded


def embedded_folder(part: str) -> Path:
    """Return the folder of one embedded part."""
    count = settings.sized(**(HEADS if part == "lesson" else NEW_HEADS))
    return settings.embedded_dir() / NAME / f"{part.replace(' ', '-')}-{count}"


def embedded() -> tuple[Path, str]:
    """Return the folder of the lesson's embedded set, and what it is made from."""
    return embedded_folder("lesson"), _recipe("lesson")


def prepare() -> Path:
    """Make the embedded scans unless they are there, whole and up to date; return their folder."""
    for part in PARTS:
        _prepare(part)
    return embedded_folder("lesson").parent


def _prepare(part: str) -> Path:
    return places.made(embedded_folder(part), _recipe(part), partial(_make, part))


def _recipe(part: str) -> str:
    table = draw_table(part).to_csv(index=False)
    return f"{NAME}, simulator {simclinic.VERSION}, {files.md5(repr((table, SHAPE, SPACING)).encode())}"


def draw_table(part: str) -> pd.DataFrame:
    """Return which heads come to which scanner with which tumor, before they are drawn; paths are relative."""
    count, seed = settings.sized(**(HEADS if part == "lesson" else NEW_HEADS)), SEEDS[part]
    rng = np.random.default_rng(seed)
    styles = simclinic.brain.TRAINING_STYLES if part == "lesson" else simclinic.brain.UNSEEN_STYLES
    rows = []
    for split, share in SHARES.items() if part == "lesson" else [("test", 1.0)]:
        size = round(share * count) if split != "test" else count - len(rows)
        known = {kind: round(simclinic.brain.KINDS[kind] * size) for kind in ("none", "low")}
        kinds = np.repeat(["none", "low", "high"], [*known.values(), size - sum(known.values())])
        rows += [{"split": split, "kind": str(kind)} for kind in rng.permutation(kinds)]
    for number, row in enumerate(rows):
        patient, style = f"HEAD_{number + 1:03d}" if part == "lesson" else f"NEW_{number + 1:03d}", number % len(styles)
        row |= {"path": f"imagesTr/{patient}.nii.gz", "label_path": f"labelsTr/{patient}.nii.gz", "patient": patient}
        age = round(float(np.clip(rng.normal(58, 14), 20, 90)))
        row |= {"source": f"scanner {styles[style]}", "style": styles[style], "age": age, "seed": seed + number}
    return pd.DataFrame(rows)


def _make(part: str, folder: Path) -> None:
    table = draw_table(part)
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir()
    workers = min(os.cpu_count() or 1, max(1, len(table) // WORTH_A_WORKER))
    rendering.for_each(table.to_dict("records"), partial(_write, folder=folder), "scanning heads", workers)
    decathlon.describe(folder, "simulated heads, not for medical use", list(table["patient"]))
    table.to_csv(folder / METADATA, index=False)


def _write(row: Mapping, folder: Path) -> None:
    scan = _scan(row)
    middle = [(count - 1) / 2 * edge for count, edge in zip(SHAPE, SPACING, strict=True)]
    affine = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])  # x of the simulation runs to the left, y to the back
    affine[:3, 3] = np.array([middle[0], middle[1], -middle[2]]) + simclinic.brain.CENTER * np.array([-1, -1, 1])
    for path, values in (("path", np.rint(scan.image).astype(np.int16)), ("label_path", scan.label)):
        nifti = nib.Nifti1Image(values, affine)
        nifti.header.set_xyzt_units("mm")
        nifti.header["descrip"] = b"simulated, not for medical use"
        (folder / row[path]).write_bytes(gzip.compress(nifti.to_bytes(), compresslevel=1, mtime=0))


def _scan(row: Mapping, truth: bool = False) -> simclinic.brain.Scan:
    head = simclinic.brain.draw_head(int(row["seed"]), row["kind"], float(row["age"]))
    return simclinic.brain.scan(head, SHAPE, SPACING, row["style"], truth=truth)


def _turn(values: np.ndarray) -> np.ndarray:
    """Return a volume of the simulation with x to the patient's right and y to the front, as scans are read."""
    return values[::-1, ::-1]


# ---------------------------------------------------------------------------------------------------------
# Published and own


def own_folder() -> Path:
    """Return where an instructor's own scans are expected."""
    return settings.real_dir() / NAME


def read_own(folder: Path) -> pd.DataFrame:
    """Return the table of own scans, in the layout of the Decathlon if there is a ``dataset.json``, else of BraTS."""
    table = decathlon.read(folder) if (folder / scans.DATASET).is_file() else brats.read(folder)
    return _split(table, "own data")


def read_published(folder: Path) -> pd.DataFrame:
    """Return the table of the Decathlon's scans with labels; its test scans, which have none, are counted."""
    return _split(decathlon.read(folder), "published data")


def check_published(folder: Path) -> pd.DataFrame:
    """Return the table of a folder of published scans, after a look at each file (:func:`scans.check_file`)."""
    return _check_files(read_published(folder))


def check_own(folder: Path) -> pd.DataFrame:
    """Return the table of own scans, after a look at each file (:func:`scans.check_file`)."""
    return _check_files(read_own(folder))


def _check_files(table: pd.DataFrame) -> pd.DataFrame:
    for path, label_path in zip(table["path"], table["label_path"], strict=True):
        for file in (*scans.image_files(Path(path)), Path(label_path)):
            scans.check_file(file)
    return table


def _split(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Deal the patients out to the splits, always in the same way."""
    for split, rows in splits.by_patient(table, SHARES, stratify="source").items():
        table.loc[rows.index, "split"] = split
    return _tidy(table, name)
