"""What the environment says: the only module that reads it.

Seven variables choose what a lesson runs on:

``MEDLESSONS_SOURCE``
    ``embedded`` (default: simulated patients, no network needed) or ``real`` (the published data).
``MEDLESSONS_PROFILE``
    ``quick`` (default: minutes on two cores) or ``full`` (the sizes and epochs of the published lessons).
``MEDLESSONS_DATA``
    The folder with the published data; ``data/real`` unless it is set.
``MEDLESSONS_WEIGHTS``
    Of the backbones of lesson 4: ``imagenet`` (photographs; downloaded by Keras) or ``shipped`` (``models/``). Unless
    it is set, embedded runs take the shipped ones, real runs those of ImageNet if they can be had.
``MEDLESSONS_EMBEDDED``
    The folder for the simulated data; ``data/embedded`` unless it is set.
``MEDLESSONS_LANGUAGE``, ``MEDLESSONS_LOCALE``
    The language of checks, figures, doctor and command, and the folder of its catalog (``data/locale`` unless set).
"""

import os
from pathlib import Path

from medlessons.errors import LessonError

REPOSITORY = Path(__file__).resolve().parents[2]
PROFILES = ("quick", "full")


def _choice(variable: str, default: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(variable) or default
    if value not in allowed:
        raise LessonError(f"{variable} is {value!r}, but it must be one of: {', '.join(filter(None, allowed))}.")
    return value


def source() -> str:
    """Return ``"embedded"`` or ``"real"``. Raises LessonError on another value."""
    return _choice("MEDLESSONS_SOURCE", "embedded", ("embedded", "real"))


def profile() -> str:
    """Return ``"quick"`` or ``"full"``. Raises LessonError on another value."""
    return _choice("MEDLESSONS_PROFILE", "quick", PROFILES)


def sized(*, quick, full):
    """Return ``quick`` or ``full``, depending on the profile: how large something is stands where it is used.

    Parameters
    ----------
    quick, full : object
        Such as a number of images, or a tuple of them.

    Returns
    -------
    object
        One of the two.

    Raises
    ------
    LessonError
        If the environment names an unknown profile.

    Examples
    --------
    >>> sized(quick=5, full=80)
    5
    """
    return {"quick": quick, "full": full}[profile()]


def weights() -> str | None:
    """Return ``"imagenet"``, ``"shipped"``, or None where nobody has chosen. Raises LessonError on another value."""
    return _choice("MEDLESSONS_WEIGHTS", "", ("", "imagenet", "shipped")) or None


def _folder(variable: str, default: str) -> Path:
    value = os.environ.get(variable)
    try:
        return Path(value).expanduser().resolve() if value else REPOSITORY / "data" / default
    except RuntimeError as error:  # ~nobody
        raise LessonError(f"{variable} is {value!r}, which is no folder: {error}") from error


def embedded_dir() -> Path:
    """Return the folder of the simulated data sets."""
    return _folder("MEDLESSONS_EMBEDDED", "embedded")


def real_dir() -> Path:
    """Return the folder of the published data sets."""
    return _folder("MEDLESSONS_DATA", "real")


def backend() -> str:
    """Return the backend that Keras is told to use; the lessons need ``"tensorflow"``."""
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def language() -> str:
    """Return the language of what checks, figures, doctor and command say, such as ``"de"``; English unless set."""
    return os.environ.get("MEDLESSONS_LANGUAGE") or "en"


def locale_dir() -> Path:
    """Return the folder of the translations (``LANGUAGE/LC_MESSAGES/medlessons.mo``)."""
    return _folder("MEDLESSONS_LOCALE", "locale")


def models_dir() -> Path:
    """Return the folder of the weights that the lessons load."""
    return REPOSITORY / "models"


def set_defaults() -> None:
    """Choose what the libraries run with, unless the environment says otherwise.

    Keras runs on TensorFlow, which keeps its start-up messages to itself. scikit-learn's small fits take one thread:
    more threads wait for each other longer than they work.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def choose(source_name: str | None = None, profile_name: str | None = None) -> None:
    """Write a choice to the environment, from where the kernels of the notebooks read it.

    Folders are made absolute: a kernel runs in the folder of its notebook, where a relative path would lead elsewhere.

    Parameters
    ----------
    source_name, profile_name : str, optional
        What to run on; as the environment says unless given.

    Raises
    ------
    LessonError
        If the environment then names an unknown source, profile or kind of weights, or a folder that cannot be.
    """
    for variable, value in (("MEDLESSONS_SOURCE", source_name), ("MEDLESSONS_PROFILE", profile_name)):
        if value:
            os.environ[variable] = value
    source(), profile(), weights()
    for variable, folder in (("MEDLESSONS_DATA", real_dir()), ("MEDLESSONS_EMBEDDED", embedded_dir())):
        if os.environ.get(variable):
            os.environ[variable] = str(folder)
