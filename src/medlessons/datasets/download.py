"""Files come here: from a URL, from Kaggle, out of an archive."""

import contextlib
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from medlessons.errors import LessonError
from medlessons.files import explain_os_errors

ATTEMPTS = 3


@contextlib.contextmanager
def workspace(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`, for what is fetched before it is checked; it is removed at the end."""
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.fetch.", dir=path.parent) as folder:
            yield Path(folder)


def retrieve(origin: str | Path, folder: Path, progress: bool = True, known_hash: str | None = None) -> Path:
    """Return the local path of `origin`: a URL is downloaded into `folder`, a file or folder stays where it is.

    Parameters
    ----------
    origin : str or Path
    folder : Path
    progress : bool
        Show a progress bar while downloading.
    known_hash : str, optional
        ``sha256:...`` or ``md5:...`` of what the URL should give; nothing else is handed out then.

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

    pooch.get_logger().setLevel("WARNING")
    name = Path(str(origin).split("?")[0]).name or "download"
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=30)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return Path(pooch.retrieve(str(origin), known_hash, fname=name, path=folder, downloader=downloader))
        except (requests.RequestException, ValueError) as error:
            if attempt == ATTEMPTS:
                raise LessonError(
                    f"{origin}: the download failed {ATTEMPTS} times ({error}). Check the address and the network, "
                    "or download the file by hand and give its path with --from."
                ) from error
    raise AssertionError("unreachable")


def retrieve_from_kaggle(handle: str, folder: Path) -> Path:
    """Download a Kaggle data set such as ``"owner/name"`` into `folder` and return where it lies."""
    import kagglehub

    try:
        return Path(kagglehub.dataset_download(handle, output_dir=str(folder / "kaggle")))
    except Exception as error:  # kagglehub raises many kinds: no network, no account, moved, refused
        raise LessonError(
            f"https://www.kaggle.com/datasets/{handle}: the download from Kaggle failed ({error}). Check the network; "
            "or download the file with a browser and give its path with --from."
        ) from error


def unpack(place: Path, folder: Path) -> Path:
    """Return the folder into which a zip or tar archive was unpacked, below `folder`; `place` if it is no archive.

    Raises
    ------
    LessonError
        If the archive is damaged, or a member points outside of the folder.
    """
    target = folder / "unpacked"
    if place.is_file() and zipfile.is_zipfile(place):
        _unzip(place, target)
    elif place.is_file() and tarfile.is_tarfile(place):
        _untar(place, target)
    elif place.suffix in (".zip", ".tar", ".tgz", ".gz") and place.is_file():
        raise LessonError(f"{place.name}: this is not an archive, or a cut one. Download it again.")
    else:
        return place
    return target


def _unzip(archive: Path, folder: Path) -> None:
    root = folder.resolve()
    try:
        with zipfile.ZipFile(archive) as members:
            for member in members.namelist():
                if not (root / member).resolve().is_relative_to(root):
                    raise _points_outside(archive, member)
            members.extractall(root)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _is_damaged(archive, error) from error


def _untar(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as members:
            members.extractall(folder, filter="data")  # refuses absolute names, "..", links and devices
    except tarfile.FilterError as error:
        raise _points_outside(archive, error.tarinfo.name) from error
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise _is_damaged(archive, error) from error


def _points_outside(archive: Path, member: str) -> LessonError:
    return LessonError(
        f"{archive.name}: its member {member!r} would be written outside of the folder. "
        "Do not use this file; get the data set from its publisher."
    )


def _is_damaged(archive: Path, error: Exception) -> LessonError:
    return LessonError(f"{archive.name}: the archive is damaged ({error}). Download it again.")
