"""Is this computer ready for the lessons? Plain words on what is missing or too old, and what to do."""

import os
import shutil
from collections.abc import Iterator

from medlessons import settings
from medlessons.errors import LessonError
from medlessons.start import Finding, versions
from medlessons.wording import say

MEMORY_GB = 4
DISK_GB = 2


def examine() -> Iterator[Finding]:
    """Look at everything that the lessons need, one finding after the other."""
    found = list(versions())
    yield from found
    if not all(finding.well for finding in found):
        return  # the rest needs these packages
    yield memory()
    yield disk()
    yield graphics_card()
    yield from data()
    yield from weights()


def memory() -> Finding:
    """Judge the memory of the computer."""
    import psutil

    gigabytes = psutil.virtual_memory().total / 1e9
    if gigabytes >= MEMORY_GB:
        return Finding("Memory", True, say("{gigabytes:.0f} GB.", gigabytes=gigabytes))
    says = say(
        "{gigabytes:.1f} GB, the lessons want {wanted}. Close other programs before you run one.",
        gigabytes=gigabytes,
        wanted=MEMORY_GB,
    )
    return Finding("Memory", False, says)


def disk() -> Finding:
    """Judge the free space where the data of the chosen source are kept."""
    folder = settings.embedded_dir() if settings.source() == "embedded" else settings.real_dir()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    gigabytes = shutil.disk_usage(there).free / 1e9
    if gigabytes >= DISK_GB:
        return Finding("Disk", True, say("{gigabytes:.0f} GB free for {folder}.", gigabytes=gigabytes, folder=folder))
    says = say(
        "{gigabytes:.1f} GB free for {folder}; make room for {wanted} GB.",
        gigabytes=gigabytes,
        folder=folder,
        wanted=DISK_GB,
    )
    return Finding("Disk", False, says)


def graphics_card() -> Finding:
    """Say whether TensorFlow sees a GPU. None is needed."""
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")
    if cards:
        return Finding("GPU", True, say("{cards} seen. The full profile will use it.", cards=len(cards)))
    says = say("none seen; the quick profile runs on {cores} processor cores.", cores=os.cpu_count())
    return Finding("GPU", True, says)


def data() -> Iterator[Finding]:
    """Say which data sets are there. The embedded ones are made on demand."""
    from medlessons import data

    for status in data.status():
        what = say("Data: {name} ({source})", name=status.name, source=status.source)
        if status.present:
            yield Finding(what, status.verified, say("{rows} rows, {note}.", rows=status.rows, note=status.note))
        elif status.source == "embedded":
            yield Finding(what, True, "not made yet; the lesson makes it, or `medlessons data prepare`.")
        else:
            says = say("not there (optional); `medlessons data fetch {name}` brings it.", name=status.name)
            yield Finding(what, True, says)


def weights() -> Iterator[Finding]:
    """Say which trained weights are there and whole."""
    from medlessons import models

    try:
        for name, fault in models.status().items():
            what = say("Weights: {name}", name=name)
            yield Finding(what, fault is None, fault or "there, and as published.")
    except LessonError as error:
        yield Finding("Weights", False, str(error))
