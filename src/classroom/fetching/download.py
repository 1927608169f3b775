"""Files come here: from a URL, or from Kaggle. A download that was interrupted goes on where it stopped."""

import contextlib
import datetime
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from tqdm import tqdm
from tqdm.utils import CallbackIOWrapper

from classroom.fetching import archives
from medlessons import files
from medlessons.errors import LessonError
from medlessons.files import explain_os_errors

ATTEMPTS = 3  # in a row that bring no new byte
PAUSE = 1.0  # seconds between two attempts
TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 14  # bytes: what an interruption may lose
TRY_AGAIN = (408, 416, 425, 429)  # of the answers 4xx: the others stay as they are
DOWNLOADS, COLLECTED = "downloads", "collected"  # in a workspace: what the next run goes on with
LOG = "downloads.csv"  # what was downloaded when, with its checksum


@dataclass(frozen=True)
class Source:
    """What is said of a published data set before it is fetched."""

    title: str
    page: str  # where a person finds it
    licence: str
    citation: str
    size: int = 0  # bytes of the download; 0 if the publisher does not say
    room: int = 0  # bytes of the disk that it takes while it is fetched

    def __str__(self) -> str:
        size = archives.gigabytes(self.size) if self.size else "not known before the download begins"
        return (
            f"{self.title}\n  page      {self.page}\n  licence   {self.licence}\n  cite      {self.citation}\n"
            f"  size      {size}"
        )


@dataclass(frozen=True)
class Remote:
    """A file of a publisher."""

    url: str
    name: str
    page: str = ""  # where a person finds it
    known_hash: str | None = None  # "sha256:..." or "md5:..."; None if no checksum is published


@contextlib.contextmanager
def workspace(goal: Path) -> Iterator[Path]:
    """Give a folder beside `goal` for what is fetched before it is checked.

    It is removed when all ends well. Else what was downloaded stays, for the next run; what was unpacked does not.
    """
    folder = workspace_of(goal)
    with explain_os_errors(goal):
        _tidy(folder)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            yield folder
            shutil.rmtree(folder)
        finally:
            _tidy(folder)


def workspace_of(goal: Path) -> Path:
    """Return the folder in which a data set is fetched."""
    return goal.with_name(f".{goal.name}.fetch")


def _tidy(folder: Path) -> None:
    """Remove from a workspace all but what was downloaded; the whole if that is nothing."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name not in (DOWNLOADS, COLLECTED):
                shutil.rmtree(path)
        if not any(folder.iterdir()):
            folder.rmdir()


@contextlib.contextmanager
def doubted(place: Path, workplace: Path) -> Iterator[None]:
    """Remove a download that turns out to be damaged, or something else: the next run would take it for whole.

    It stays if the file system is at fault, such as a full disk.
    """
    try:
        yield
    except LessonError as error:
        is_trouble_here = getattr(error.__cause__, "errno", None) is not None
        if place.is_file() and place.is_relative_to(workplace) and not is_trouble_here:
            place.unlink()
        raise


def is_url(origin: str | Path) -> bool:
    """Say whether an origin is an address in the web."""
    return str(origin).startswith(("http://", "https://"))


def retrieve(origin: str | Path | Remote, workplace: Path, progress: bool = True) -> Path:
    """Return the local path of `origin`: a URL is downloaded, a file or folder stays where it is.

    Parameters
    ----------
    origin : str, Path or Remote
    workplace : Path
        A download goes to its folder ``downloads``, and goes on there if it was interrupted. A file that was laid there
        by hand is taken.
    progress : bool
        Show a progress bar while downloading.

    Raises
    ------
    LessonError
        If `origin` is empty, the file does not exist, the disk is too small, or the download failed.
    """
    if isinstance(origin, Remote):
        return _download(origin, workplace / DOWNLOADS, progress)
    if not str(origin).strip():
        raise LessonError("--from is empty. Give the path of a file or folder, or a URL.")
    if is_url(origin):
        return _download(Remote(str(origin), _name_of(str(origin))), workplace / DOWNLOADS, progress)
    path = Path(origin).expanduser()
    if not path.exists():
        raise LessonError(f"{path}: there is no such file or folder. Check the path, or give a URL.")
    return path


def _name_of(url: str) -> str:
    """Return a name for the file of a URL that any file system takes."""
    return re.sub(r"[^\w.-]+", "_", url.split("?")[0].rsplit("/", 1)[-1]).lstrip(".")[-100:] or "download"


def _download(wanted: Remote, folder: Path, progress: bool) -> Path:
    """Download a file; it takes its name only when it is whole and has its checksum."""
    import requests  # here, since it costs time and only a download needs it

    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / wanted.name, folder / f"{wanted.name}.part"
    if path.is_file() and _has_hash(path, wanted.known_hash):
        return path
    failures = furthest = 0
    while True:
        try:
            _go_on(wanted, part, progress)
            if _has_hash(part, wanted.known_hash):
                break
            _forget(part)
            said = "its checksum is not the published one"
        except requests.RequestException as error:
            status = error.response.status_code if error.response is not None else 0
            if status == 416 and _has_hash(part, wanted.known_hash or "none"):
                break  # it was whole already
            if status == 416:
                _forget(part)
            if 400 <= status < 500 and status not in TRY_AGAIN:
                raise _failed(wanted, folder, _in_short(error)) from error
            said = _in_short(error)
        size = part.stat().st_size if part.exists() else 0
        failures, furthest = (0, size) if size > furthest else (failures + 1, furthest)
        if not size:
            _forget(part)
        if failures == ATTEMPTS:
            raise _failed(wanted, folder, f"{ATTEMPTS} times without a new byte: {said}")
        time.sleep(PAUSE)
    part.replace(path)
    _forget(part)
    if wanted.known_hash is None:
        _log(wanted, path)
    return path


def _forget(part: Path) -> None:
    """Remove the beginning of a download, and the tag of its file."""
    part.unlink(missing_ok=True)
    _tag_of(part).unlink(missing_ok=True)


def _tag_of(part: Path) -> Path:
    """Return where the server's tag of a file is kept: if it has changed, the file has."""
    return part.with_suffix(".etag")


def _go_on(wanted: Remote, part: Path, progress: bool) -> None:
    """Download a file to `part`, from where an earlier run has stopped if the server allows it."""
    import pooch

    tag = _tag_of(part)
    headers = {"Accept-Encoding": "identity"}  # bytes are counted as they are stored
    start = part.stat().st_size if part.exists() and (wanted.known_hash or tag.exists()) else 0
    if start:
        headers["Range"] = f"bytes={start}-"
    if start and tag.exists():
        headers["If-Range"] = tag.read_text(encoding="utf-8")  # all of it, if the file has changed meanwhile
    bar = tqdm(desc=wanted.name, unit="B", unit_scale=True, delay=1, disable=not progress)
    with part.open("ab") as file, bar:
        hook = partial(_look_at_answer, start=start, file=file, tag=tag, bar=bar)
        get = pooch.HTTPDownloader(chunk_size=CHUNK, timeout=TIMEOUT, headers=headers, hooks={"response": hook})
        get(wanted.url, CallbackIOWrapper(bar.update, file, "write"), None)


def _look_at_answer(response, start: int, file, tag: Path, bar: tqdm, **_) -> None:
    """Before the first byte arrives: does the server go on, or begin again; is there a tag, and space on the disk?"""
    import requests

    if not 200 <= response.status_code < 300:
        return
    length = response.headers.get("Content-Length", "")
    length = int(length) if length.isdecimal() else 0
    archives.check_space(tag.parent, length, tag.stem)
    if response.status_code != 206:  # the whole file, whatever was asked for
        start = 0
        file.truncate(0)
        tag.unlink(missing_ok=True)
        etag = response.headers.get("ETag", "")
        if re.fullmatch(r'"[^"]*"', etag):  # a weak one does not promise the same bytes
            tag.write_text(etag, encoding="utf-8")
    elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        file.truncate(0)
        raise requests.RequestException("the server answered with another part of the file than was asked for")
    bar.initial = bar.n = start
    bar.total = start + length if length else None


def _has_hash(path: Path, known_hash: str | None) -> bool:
    import pooch

    if known_hash is None:
        return True
    algorithm, _, digest = known_hash.partition(":")
    return bool(digest) and path.is_file() and pooch.file_hash(str(path), alg=algorithm) == digest


def _in_short(error: Exception) -> str:
    import requests

    return "the connection failed" if isinstance(error, requests.ConnectionError) else str(error)


def _failed(wanted: Remote, folder: Path, said: str) -> LessonError:
    if (folder / wanted.name).is_file():
        said += f"; and the {wanted.name} that lies in {folder} has not the published checksum"
    if wanted.page:
        step = (
            f"Run the command again later. Or open {wanted.page} in a browser, download {wanted.name}, put it into "
            f"{folder}, and run the command again."
        )
    else:
        step = "Check the address and the network, or download the file by hand and give its path with --from."
    return LessonError(f"{wanted.url}: the download failed ({said}). {step}")


def _log(wanted: Remote, path: Path) -> None:
    """Note what was downloaded; say so if the same address gave other bytes before."""
    log, digest = path.parent.parent.with_name(LOG), files.sha256(path)
    try:
        known = pd.read_csv(log, dtype=str)
        before = known.loc[known["url"] == wanted.url, "sha256"].tolist()
    except (OSError, ValueError, KeyError):
        known, before = pd.DataFrame(), []
    if before and before[-1] != digest:
        print(f"{wanted.name}: the publisher has changed this file since it was fetched last.", file=sys.stderr)
    row = {"url": wanted.url, "date": f"{datetime.date.today()}", "size": path.stat().st_size, "sha256": digest}
    with files.atomic_write(log) as temporary:
        pd.concat([known, pd.DataFrame([row])]).to_csv(temporary, index=False)


def retrieve_from_kaggle(handle: str, workplace: Path, file: str | None = None) -> Path:
    """Download a Kaggle data set such as ``"owner/name"``, or one file of it; return where it lies.

    A file that was laid into the folder ``downloads`` by hand is taken.
    """
    import kagglehub

    if file and (workplace / DOWNLOADS / file).is_file():
        return workplace / DOWNLOADS / file
    target = workplace / "kaggle"
    shutil.rmtree(target, ignore_errors=True)  # of a run that was stopped: kagglehub does not go on in such a folder
    try:
        return Path(kagglehub.dataset_download(handle, path=file, output_dir=str(target)))
    except Exception as error:  # kagglehub raises many kinds: no network, no account, moved, refused
        step = "give its path with --from"
        if file:
            (workplace / DOWNLOADS).mkdir(parents=True, exist_ok=True)
            step = f"put it into {workplace / DOWNLOADS}, and run the command again"
        raise LessonError(
            f"https://www.kaggle.com/datasets/{handle}: the download from Kaggle failed ({_in_short(error)}). Check "
            f"the network; or download {file or 'the file'} with a browser and {step}."
        ) from error
