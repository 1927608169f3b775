"""The first cell of each lesson: is this kernel able to run it, and what does it run on?"""

import importlib.metadata
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from medlessons import settings
from medlessons.errors import LessonError
from medlessons.wording import say

PYTHONS = ((3, 11), (3, 13))
# Package -> lowest version that the lessons work with (the same as in pyproject.toml).
OLDEST = {"tensorflow": (2, 20), "keras": (3, 12), "numpy": (2, 1), "pandas": (2, 2), "scikit-learn": (1, 6)}


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
        say(
            "Lesson {lesson}. Source: {source} ({patients}). Profile: {profile}. Not for medical use.",
            lesson=lesson,
            source=settings.source(),
            patients=patients,
            profile=settings.profile(),
        )
    )


def versions() -> Iterator[Finding]:
    """Look at Python and at the packages whose version matters."""
    yield python(sys.version_info[:2])
    for package, oldest in OLDEST.items():
        yield installed(package, oldest)
    if settings.backend() != "tensorflow":
        says = say(
            "KERAS_BACKEND is {backend!r}, but the lessons use TensorFlow. Remove that variable.",
            backend=settings.backend(),
        )
        yield Finding("Keras' backend", False, says)


def python(version: tuple[int, int]) -> Finding:
    """Judge a Python version, given as (major, minor)."""
    name = ".".join(map(str, version))
    if PYTHONS[0] <= version <= PYTHONS[1]:
        return Finding("Python", True, say("{version}.", version=name))
    return Finding(
        "Python",
        False,
        say(
            "This is Python {version}, but TensorFlow needs 3.11, 3.12 or 3.13. Install one of them, then make the "
            "environment anew: `make PYTHON=python3.12 setup`.",
            version=name,
        ),
    )


def installed(package: str, oldest: tuple[int, ...]) -> Finding:
    """Judge one package: is it there, and not older than `oldest`?"""
    version = _version(package)
    if version is None:
        says = say(
            "The package {package} is missing in this kernel. Run `make setup` (or `pip install -r requirements.txt`), "
            "and choose the kernel of .venv; `make lab` does both.",
            package=package,
        )
        return Finding(package, False, says)
    if tuple(int(part) for part in version.split(".")[:2]) < oldest:
        says = say(
            "{package} is {version}, but the lessons need {oldest} or later. Run `make setup` (or `pip install -r "
            "requirements.txt`), then restart the kernel.",
            package=package,
            version=version,
            oldest=".".join(map(str, oldest)),
        )
        return Finding(package, False, says)
    return Finding(package, True, say("{version}.", version=version))


def _version(package: str) -> str | None:
    # The CPU build of TensorFlow is a package of its own name.
    for name in (package, package + "-cpu"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
