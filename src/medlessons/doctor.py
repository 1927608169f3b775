"""Is this computer ready for the lessons? Plain words on what is missing or too old, and what to do."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from medlessons import settings
from medlessons.errors import LessonError

PYTHONS = ((3, 11), (3, 13))
# Package -> lowest version that the lessons work with (the same as in pyproject.toml).
OLDEST = {"tensorflow": (2, 20), "keras": (3, 12), "numpy": (2, 1), "pandas": (2, 2), "scikit-learn": (1, 6)}
MEMORY_GB = 4
DISK_GB = 2


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what, whether it is well, and a sentence on it."""

    what: str
    well: bool
    says: str


def start(lesson: int) -> None:
    """Open a lesson: stop kindly if Python or a package is too old, then say what the lesson runs on.

    Parameters
    ----------
    lesson : int
        The number of the lesson, for the first line.

    Raises
    ------
    LessonError
        If the kernel has a wrong Python or a wrong package; the message says what to do.
    """
    faults = [finding for finding in versions() if not finding.well]
    if faults:
        raise LessonError(" ".join(dict.fromkeys(finding.says for finding in faults)))
    patients = {"embedded": "simulated patients", "real": "published or own data"}[settings.source()]
    print(
        f"Lesson {lesson}. Source: {settings.source()} ({patients}). Profile: {settings.profile().name}. "
        "Not for medical use."
    )


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


def versions() -> Iterator[Finding]:
    """Look at Python and at the packages whose version matters."""
    yield python(sys.version_info[:2])
    for package, oldest in OLDEST.items():
        yield installed(package, oldest)
    if settings.backend() != "tensorflow":
        says = f"KERAS_BACKEND is {settings.backend()!r}, but the lessons use TensorFlow. Remove that variable."
        yield Finding("Keras' backend", False, says)


def python(version: tuple[int, int]) -> Finding:
    """Judge a Python version, given as (major, minor)."""
    name = ".".join(map(str, version))
    if PYTHONS[0] <= version <= PYTHONS[1]:
        return Finding("Python", True, f"{name}.")
    return Finding(
        "Python",
        False,
        f"This is Python {name}, but TensorFlow needs 3.11, 3.12 or 3.13. Install one of them, then make the "
        "environment anew: `make PYTHON=python3.12 setup`.",
    )


def installed(package: str, oldest: tuple[int, ...]) -> Finding:
    """Judge one package: is it there, and not older than `oldest`?"""
    version = _version(package)
    if version is None:
        return Finding(
            package,
            False,
            f"The package {package} is missing in this kernel. Run `make setup` (or `pip install -r "
            "requirements.txt`), and choose the kernel of .venv; `make lab` does both.",
        )
    if tuple(int(part) for part in version.split(".")[:2]) < oldest:
        wanted = ".".join(map(str, oldest))
        return Finding(
            package,
            False,
            f"{package} is {version}, but the lessons need {wanted} or later. Run `make setup` (or `pip install "
            "-r requirements.txt`), then restart the kernel.",
        )
    return Finding(package, True, f"{version}.")


def _version(package: str) -> str | None:
    # The CPU build of TensorFlow is a package of its own name.
    for name in (package, f"{package}-cpu"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def memory() -> Finding:
    """Judge the memory of the computer."""
    import psutil

    gigabytes = psutil.virtual_memory().total / 1e9
    if gigabytes >= MEMORY_GB:
        return Finding("Memory", True, f"{gigabytes:.0f} GB.")
    return Finding(
        "Memory",
        False,
        f"{gigabytes:.1f} GB, the lessons want {MEMORY_GB}. Close other programs before you run one.",
    )


def disk() -> Finding:
    """Judge the free space where the data of the chosen source are kept."""
    folder = settings.embedded_dir() if settings.source() == "embedded" else settings.real_dir()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    gigabytes = shutil.disk_usage(there).free / 1e9
    if gigabytes >= DISK_GB:
        return Finding("Disk", True, f"{gigabytes:.0f} GB free for {folder}.")
    return Finding("Disk", False, f"{gigabytes:.1f} GB free for {folder}; make room for {DISK_GB} GB.")


def graphics_card() -> Finding:
    """Say whether TensorFlow sees a GPU. None is needed."""
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")
    if cards:
        return Finding("GPU", True, f"{len(cards)} seen. The full profile will use it.")
    return Finding("GPU", True, f"none seen; the quick profile runs on {os.cpu_count()} processor cores.")


def data() -> Iterator[Finding]:
    """Say which data sets are there. The embedded ones are made on demand."""
    from medlessons import datasets

    for status in datasets.status():
        what = f"Data: {status.name} ({status.source})"
        if status.present:
            yield Finding(what, status.verified, f"{status.rows} rows, {status.note}.")
        elif status.source == "embedded":
            yield Finding(what, True, "not made yet; the lesson makes it, or `medlessons data prepare`.")
        else:
            yield Finding(what, True, f"not there (optional); `medlessons data fetch {status.name}` brings it.")


def weights() -> Iterator[Finding]:
    """Say which trained weights are there and whole."""
    from medlessons import models

    try:
        for name, fault in models.status().items():
            yield Finding(f"Weights: {name}", fault is None, fault or "there, and as published.")
    except LessonError as error:
        yield Finding("Weights", False, str(error))
