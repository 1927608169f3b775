"""What every data set needs to bring files here: fetching, unzipping, checking, and placing them whole."""

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medlessons.errors import LessonError

ATTEMPTS = 3


@dataclass(frozen=True)
class Status:
    """What is there of a data set: one line of ``medlessons data status``."""

    name: str
    source: str  # "embedded" or "real"
    path: Path
    present: bool
    rows: int  # 0 if nothing is there
    verified: bool  # checksum known, or an own file that passed every check
    note: str  # "simulated data", "published data", "own data", or what is wrong


def md5(content: bytes) -> str:
    """Return the MD5 checksum as 32 hexadecimal digits."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the usual troubles with files (no space, no permission, a folder in the way) into a LessonError."""
    try:
        yield
    except PermissionError as error:
        raise LessonError(
            f"{path}: no permission ({error.strerror}). Change the permissions of the file and its folder, "
            "or choose another folder with MEDLESSONS_DATA (real) or MEDLESSONS_EMBEDDED (embedded)."
        ) from error
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise LessonError(
            f"{path}: something else stands in the way ({error.strerror}). Move it away and try again."
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise LessonError(
            f"{path}: the disk is full, nothing was written. Free some space and try again, "
            "or choose another folder with MEDLESSONS_DATA (real) or MEDLESSONS_EMBEDDED (embedded)."
        ) from error


@contextlib.contextmanager
def placing(path: Path) -> Iterator[Path]:
    """Give a temporary neighbour of `path` to write to; it takes the name `path` only when the block ends well.

    The neighbour may become a file or a folder. Whatever goes wrong, Ctrl-C included, it is removed.

    Raises
    ------
    LessonError
        If the disk is full, the folder cannot be written, or a folder stands in the place of the file.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        neighbour = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield neighbour / path.name
            os.replace(neighbour / path.name, path)
        finally:
            shutil.rmtree(neighbour, ignore_errors=True)


@contextlib.contextmanager
def workspace(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`, for what is fetched before it is checked; it is removed at the end."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch.", dir=path.parent) as folder:
            yield Path(folder)


def bring(origin: str | Path, folder: Path, progress: bool = True) -> Path:
    """Return the local path of `origin`: a URL is downloaded into `folder`, a file or folder stays where it is.

    Raises
    ------
    LessonError
        If the file does not exist, or the download failed three times.
    """
    if not str(origin).startswith(("http://", "https://")):
        path = Path(origin).expanduser()
        if not path.exists():
            raise LessonError(f"{path}: there is no such file or folder. Check the path, or give a URL.")
        return path

    import pooch  # here, since it costs time and only a download needs it
    import requests

    target = folder / (Path(str(origin).split("?")[0]).name or "download")
    fetch_url = pooch.HTTPDownloader(progressbar=progress, timeout=30)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fetch_url(str(origin), str(target), None)
            return target
        except (requests.RequestException, ValueError) as error:
            if attempt == ATTEMPTS:
                raise LessonError(
                    f"{origin}: the download failed {ATTEMPTS} times ({error}). Check the address and the network, "
                    "or download the file by hand and give its path with --from."
                ) from error
    raise AssertionError("unreachable")


def bring_from_kaggle(handle: str, folder: Path) -> Path:
    """Download a Kaggle data set such as ``"owner/name"`` into `folder` and return where it lies."""
    import kagglehub

    try:
        return Path(kagglehub.dataset_download(handle, output_dir=str(folder / "kaggle")))
    except Exception as error:  # kagglehub raises many kinds: no network, no account, moved, refused
        raise LessonError(
            f"https://www.kaggle.com/datasets/{handle}: the download from Kaggle failed ({error}). Check the network; "
            "or download the file with a browser and give its path with --from."
        ) from error


def find_file(place: Path, name: str, folder: Path) -> Path:
    """Find the file `name`: `place` is the file itself, a folder that holds it, or a zip (unpacked into `folder`).

    Raises
    ------
    LessonError
        If it is not in the folder or the zip.
    """
    if zipfile.is_zipfile(place):
        place = unzip(place, folder / "unzipped")
    if place.is_file():
        return place
    found = sorted(place.rglob(name))
    if not found:
        raise LessonError(f"{place.name}: there is no {name} in it. Give the path of that file itself with --from.")
    return found[0]


def unzip(archive: Path, folder: Path) -> Path:
    """Unpack a zip into `folder`; refuse members that would land outside of it.

    Raises
    ------
    LessonError
        If the zip is damaged, or a member points outside.
    """
    root = folder.resolve()
    try:
        with zipfile.ZipFile(archive) as members:
            for member in members.namelist():
                if not (root / member).resolve().is_relative_to(root):
                    raise LessonError(
                        f"{archive.name}: its member {member!r} would be written outside of the folder. "
                        "Do not use this file; get the data set from its publisher."
                    )
            members.extractall(root)
    except zipfile.BadZipFile as error:
        raise LessonError(f"{archive.name}: the zip is damaged ({error}). Download it again.") from error
    return folder
