"""The first cell of each lesson: is this kernel able to run it, and what does it run on?"""

import importlib.metadata
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement

from medlessons import settings
from medlessons.errors import LessonError
from medlessons.wording import _

PYTHONS = ((3, 11), (3, 13))


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
    patients = {"embedded": _("simulated patients"), "real": _("published or own data")}[settings.source()]
    opening = _("Lesson {lesson}. Source: {source} ({patients}). Profile: {profile}. Not for medical use.")
    print(opening.format(lesson=lesson, source=settings.source(), patients=patients, profile=settings.profile()))


def versions() -> Iterator[Finding]:
    """Look at Python, and at each package that the lessons need."""
    yield python(sys.version_info[:2])
    for requirement in requirements():
        yield installed(requirement)
    if settings.backend() != "tensorflow":
        says = _("KERAS_BACKEND is {backend!r}, but the lessons use TensorFlow. Remove that variable.")
        yield Finding(_("Keras' backend"), False, says.format(backend=settings.backend()))


def requirements(extra: str | None = None) -> list[Requirement]:
    """Return the packages that pyproject.toml asks for on this computer.

    Parameters
    ----------
    extra : str, optional
        ``"classroom"``: what the command needs; what the lessons need unless given.

    Raises
    ------
    LessonError
        If the package was installed without the folder that holds pyproject.toml, and the weights.
    """
    path = settings.REPOSITORY / "pyproject.toml"
    if not path.is_file():
        says = _(
            "{folder} is not the folder of the lessons: weights are missing. Clone the repository, then "
            "`pip install -e .` in it."
        )
        raise LessonError(says.format(folder=settings.REPOSITORY))
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    asked = project["optional-dependencies"][extra] if extra else project["dependencies"]
    wanted = map(Requirement, asked)
    return [each for each in wanted if each.marker is None or each.marker.evaluate()]


def raise_packages() -> None:
    """Install what the lessons need and this kernel lacks or has too old, and leave everything else as it is.

    For kernels that somebody else has filled, such as Colab's. TensorFlow stays as it is: it belongs to the drivers.

    Raises
    ------
    LessonError
        If the kernel has to be started again, because it has loaded a package that was too old.
    """
    missing = [each for each in requirements() if not installed(each).well and not each.name.startswith("tensorflow")]
    if not missing:
        return
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *map(str, missing)], check=True)
    loaded = importlib.metadata.packages_distributions()
    loaded = {package for module in sys.modules for package in loaded.get(module, ())}
    if renewed := loaded.intersection(each.name for each in missing):
        says = _("{packages}: a newer version was installed. Restart the kernel, then run this cell again.")
        raise LessonError(says.format(packages=", ".join(sorted(renewed))))


def python(version: tuple[int, int]) -> Finding:
    """Look at a Python version, given as (major, minor)."""
    name = ".".join(map(str, version))
    if PYTHONS[0] <= version <= PYTHONS[1]:
        return Finding("Python", True, f"{name}.")
    says = _(
        "This is Python {version}, but TensorFlow needs 3.11, 3.12 or 3.13. Install one of them, then make the "
        "environment anew: `make PYTHON=python3.12 setup`."
    )
    return Finding("Python", False, says.format(version=name))


def installed(requirement: Requirement) -> Finding:
    """Look at one package: is it there, in a version that was asked for?"""
    package, wanted = requirement.name.removesuffix("-cpu"), requirement.specifier
    version = _version(package)
    if version is None:
        says = _(
            "The package {package} is missing in this kernel. Run `make setup` (or `pip install -r requirements.txt`), "
            "and choose the kernel of .venv; `make lab` does both."
        )
        return Finding(package, False, says.format(package=package))
    if not wanted.contains(version, prereleases=True):
        says = _(
            "{package} is {version}, but the lessons need {wanted}. Run `make setup` (or `pip install -r "
            "requirements.txt`), then restart the kernel."
        )
        bounds = ", ".join(sorted(map(str, wanted), reverse=True))  # >=3.12, <4
        return Finding(package, False, says.format(package=package, version=version, wanted=bounds))
    return Finding(package, True, f"{version}.")


def _version(package: str) -> str | None:
    for name in (package, f"{package}-cpu"):  # the CPU build of TensorFlow is a package of its own name
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
