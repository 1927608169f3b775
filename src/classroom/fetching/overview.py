"""What is there of each data set, embedded and real."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from classroom.fetching import table
from medlessons import data, files, images, settings
from medlessons.data import manifest, places, predictions
from medlessons.errors import LessonError
from medlessons.wording import _


@dataclass(frozen=True)
class Status:
    """What is there of a data set: one line of ``medlessons data status``."""

    name: str
    source: str  # "embedded" or "real"
    path: Path
    present: bool = False
    rows: int = 0
    verified: bool = False  # checksum known, or every check passed
    note: str = _("not there")  # "simulated data", "published data", "own data", or what is wrong


def status(lessons: set[int] | None = None) -> list[Status]:
    """Return what is there of every data set, or of those that some lessons need: embedded and real."""
    chosen = [task for task in data.REGISTRY.values() if lessons is None or lessons & set(task.LESSONS)]
    lines = [line for task in chosen for line in (_embedded(task), _real(task.NAME))]
    return lines + (_predictions() if lessons is None or lessons & set(predictions.LESSONS) else [])


def _predictions() -> list[Status]:
    """Say what is there of the prediction tables; the embedded one is part of the repository."""
    places_of = {"embedded": settings.models_dir() / predictions.EMBEDDED, "real": predictions.real_folder()}
    lines = []
    for source, place in places_of.items():
        line = Status(predictions.NAME, source, place, place.exists())
        try:
            parts = [predictions.load(part, source) for part in predictions.PARTS] if line.present else []
            note = parts[0].attrs["name"] if parts else line.note
            lines.append(replace(line, rows=sum(map(len, parts)), verified=bool(parts), note=note))
        except LessonError as error:
            lines.append(replace(line, note=str(error)))
    return lines


def _embedded(task) -> Status:
    """Say whether an embedded set is there and up to date. Its rows are those of its CSV files."""
    folder, recipe = task.embedded()
    if not folder.exists():
        return Status(task.NAME, "embedded", folder)
    if not places.is_whole(folder, recipe, thorough=True):
        note = _("incomplete or out of date; it will be made again")
        return Status(task.NAME, "embedded", folder, True, note=note)
    rows = sum(len(pd.read_csv(path)) for path in folder.glob("*.csv"))
    return Status(task.NAME, "embedded", folder, True, rows, True, _("simulated data"))


def _real(name: str) -> Status:
    """Say what is there of the real data of a task: own ones if there are any, else those of the last collection."""
    chosen = table.named(name)
    own = [one for one in chosen if not one.is_published and one.folder.is_dir()]
    collection = (own or [one for one in chosen if one.is_published])[-1]
    place = collection.folder
    try:
        with files.explain_os_errors(place):
            if not place.exists():
                return Status(name, "real", place)
            needs = {need: need.split("|") for need in collection.needs}
            missing = [need for need, ways in needs.items() if not any(table.matching(place, way) for way in ways)]
        if missing:
            note = _("{what} is missing").format(what=missing[0])
            return Status(name, "real", place, True, note=note)
        if collection.counted:
            rows = collection.checks[name](place)
            return Status(name, "real", place, True, len(rows), True, rows.attrs["name"])
    except LessonError as error:
        return Status(name, "real", place, True, note=str(error))
    return _of_images(name, place, _("own data") if own else _("published data"))


def _of_images(name: str, folder: Path, note: str) -> Status:
    """Count the images of a folder; of those that were never read, only the beginning is."""
    walk = ((where, file) for where, _folders, found in os.walk(folder) for file in found)
    paths = [f"{where}/{file}" for where, file in walk if file.lower().endswith(manifest.SUFFIXES) and file[0] != "."]
    known = manifest.read(folder)["error"]
    fine = set(known.index[known == ""])
    start = len(f"{folder}/")
    wrong = [path for path in paths if path[start:] not in fine and not images.is_image(Path(path))]
    if wrong:
        said = _("{note}, but {count} of the files are no images, such as {file}")
        note = said.format(note=note, count=len(wrong), file=Path(wrong[0]).name)
    elif not paths:
        note = _("{note}, but no image").format(note=note)
    return Status(name, "real", folder, True, len(paths), bool(paths) and not wrong, note)
