"""What every data set needs to bring files here: fetching, unzipping and finding them."""

import contextlib
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medlessons.errors import LessonError
from medlessons.files import explained

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
        If `origin` is empty, the file does not exist, or the download failed three times.
    """
    if not str(origin).strip():
        raise LessonError("--from is empty. Give the path of a file or folder, or a URL.")
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
    contents = unzip(place, folder / "unzipped") if zipfile.is_zipfile(place) else place
    if contents.is_file():
        return contents
    found = sorted(contents.rglob(name))
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
