"""Brain tumors of the Medical Segmentation Decathlon (Task01): MRI scans with four sequences, and labels.

Simpson et al. 2019, https://arxiv.org/abs/1902.09063; Antonelli et al. 2022,
https://doi.org/10.1038/s41467-022-30695-9; http://medicaldecathlon.com, CC BY-SA 4.0. A folder ``Task01_BrainTumour``
with ``dataset.json``, ``imagesTr`` and ``labelsTr``. The 266 scans in ``imagesTs`` have no published labels.
"""

import json
import os
from pathlib import Path

import pandas as pd

from medlessons import settings
from medlessons.data import scans
from medlessons.errors import LessonError
from medlessons.wording import _

NAME = "Task01_BrainTumour"
IMAGES, LABELS = "imagesTr", "labelsTr"
MODALITY = {str(number): name for number, name in enumerate(scans.CHANNELS)}
FETCH = _(
    "Fetch scans with `medlessons data fetch brain --cases 20`, or use the simulated ones with {embedded}."
).format(embedded="MEDLESSONS_SOURCE=embedded")


def folder() -> Path:
    """Return where the collection is expected."""
    return settings.real_dir() / NAME


def read(folder: Path) -> pd.DataFrame:
    """Return all scans of a folder that have labels.

    Parameters
    ----------
    folder : Path
        ``Task01_BrainTumour``, or another folder in this layout.

    Returns
    -------
    DataFrame
        ``path``, ``label_path``, ``patient`` (the file's name) and ``source`` (name of the folder), by patient.
        ``attrs["left_out"]`` counts scans without labels. No scan is opened.

    Raises
    ------
    LessonError
        If there is no scan with labels, a file that ``dataset.json`` names is missing, or it names other sequences or
        tissues.
    """
    folder = Path(os.path.abspath(folder))
    scans.channel_order(folder), scans.label_numbers(folder)
    images, labels = (_files(folder / name) for name in (IMAGES, LABELS))
    for entry in _entries(folder):
        for name, there in (("image", images), ("label", labels)):
            path = folder / str(entry.get(name, ""))
            if path.name not in there:
                said = _("{folder}: {file} is not there, though {dataset} names it. {step}")
                raise LessonError(said.format(folder=folder, file=entry.get(name), dataset=scans.DATASET, step=FETCH))
    both = [name for name in sorted(images) if name in labels]
    if not both:
        said = _("{folder}: there is no scan with labels, such as {image} and {label}. {step}")
        name = "BRATS_001.nii.gz"
        raise LessonError(said.format(folder=folder, image=f"{IMAGES}/{name}", label=f"{LABELS}/{name}", step=FETCH))
    table = pd.DataFrame(
        {
            "path": [str(images[name]) for name in both],
            "label_path": [str(labels[name]) for name in both],
            "patient": [scans.stem(images[name]) for name in both],
            "source": folder.name,
        }
    )
    table.attrs["left_out"] = {"no labels are there": len(images) - len(both) + len(_files(folder / "imagesTs"))}
    return table


def _files(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.glob("*") if scans.is_scan(path)}


def _entries(folder: Path) -> list[dict]:
    """Return the pairs of image and label that ``dataset.json`` names."""
    entries = scans.read_dataset(folder).get("training", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        said = _("{file}: training must be a list of pairs, image and label. Download it again.")
        raise LessonError(said.format(file=folder / scans.DATASET))
    return entries


def describe(folder: Path, description: str, patients: list[str]) -> None:
    """Write the ``dataset.json`` of a folder; what an older one says about sequences and labels stays.

    Parameters
    ----------
    folder : Path
    description : str
        What the scans are.
    patients : list of str
        Names of the files in ``imagesTr`` and ``labelsTr``, without ``.nii.gz``.
    """
    training = [{"image": f"./{IMAGES}/{name}.nii.gz", "label": f"./{LABELS}/{name}.nii.gz"} for name in patients]
    content = {
        "name": NAME,
        "description": description,
        "tensorImageSize": "4D",
        "modality": MODALITY,
        "labels": {str(number): name for number, name in enumerate(scans.LABELS)},
        **scans.read_dataset(folder),
        "numTraining": len(training),
        "numTest": 0,
        "training": training,
        "test": [],
    }
    (folder / scans.DATASET).write_text(json.dumps(content, indent=1), encoding="utf-8")
