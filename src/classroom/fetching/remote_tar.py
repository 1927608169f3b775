"""Some cases of a large tar archive: it is read where it lies, in the web, and only what is wanted of it comes here."""

import io
import itertools
import os
import re
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from classroom.fetching import download
from classroom.fetching.download import Remote
from medlessons.data import scans, text
from medlessons.data.collections import decathlon
from medlessons.errors import LessonError
from medlessons.wording import _

BUFFER = 1 << 14  # bytes that are asked for at once to look at the next member
CHUNK = 1 << 21  # bytes that are asked for at once of a member that is wanted
FOLDER = "cases.part"  # below the downloads: what has come stays for the next run


def take(remote: Remote, count: int, downloads: Path) -> Path:
    """Return a folder with the first scans of an archive in the layout of the Decathlon, and their labels.

    Parameters
    ----------
    remote : Remote
        A tar archive that is not packed, on a server that gives parts of a file. The order of its members does not
        matter: those that are not wanted are left out.
    count : int
        Number of scans.
    downloads : Path
        A folder. Files that an earlier run has brought there are not fetched again.

    Raises
    ------
    LessonError
        If the server does not give it, or it is no such archive.
    """
    goal, source = downloads / FOLDER, _File(remote.url)
    try:
        with tarfile.open(fileobj=io.BufferedReader(source, BUFFER), mode="r:") as archive:
            _take_members(archive, count, goal)
    except tarfile.TarError as error:
        if source.start.lstrip().lower().startswith(text.WEB_PAGE):
            raise LessonError(f"{remote.url}: {text.IS_WEB_PAGE}") from error
        said = _("{url}: this is no tar archive, or a damaged one ({error}). Try again later, or open {page}.")
        raise LessonError(said.format(url=remote.url, error=error, page=remote.page)) from error
    patients = [scans.stem(path) for path in sorted((goal / decathlon.IMAGES).glob("*"))]
    decathlon.describe(goal, decathlon.NAME, [name for name in patients if _is_labeled(goal, name)])
    return goal


def _is_labeled(goal: Path, name: str) -> bool:
    return (goal / decathlon.LABELS / f"{name}.nii.gz").is_file()


def _take_members(archive: tarfile.TarFile, count: int, goal: Path) -> None:
    """Copy members until there are ``count`` images with their labels."""
    chosen, there = set(), {decathlon.IMAGES: set(), decathlon.LABELS: set()}
    with tqdm(total=2 * count, desc=goal.stem, unit="file") as bar:
        for member in archive:
            path = PurePosixPath(member.name)
            if not member.isfile():
                continue
            if path.name == scans.DATASET:
                _copy(archive, member, goal / path.name)
            elif path.parent.name in there and _is_wanted(path.name, chosen, count):
                _copy(archive, member, goal / path.parent.name / path.name)
                chosen.add(path.name)
                there[path.parent.name].add(path.name)
                bar.update()
            if all(len(names) == count for names in there.values()):
                return


def _is_wanted(name: str, chosen: set[str], count: int) -> bool:
    return name in chosen or (len(chosen) < count and re.fullmatch(r"\w[\w-]*\.nii\.gz", name) is not None)


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Copy a member unless it has come before; it has its name only when it is whole."""
    if target.is_file() and target.stat().st_size == member.size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}")
    with part.open("wb") as file:
        shutil.copyfileobj(archive.extractfile(member), file, CHUNK)
    if part.stat().st_size != member.size:
        raise tarfile.ReadError(_("its end is missing"))
    os.replace(part, target)


class _File(io.RawIOBase):
    """A file in the web: each reading asks for the bytes from the place where the last one, or ``seek``, has ended."""

    def __init__(self, url: str):
        import requests  # here, since it costs time and only a download needs it

        self.url, self.place, self.start, self.tag = url, 0, b"", None
        self.session = requests.Session()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation(_("the end is not known"))
        self.place = offset + (self.place if whence == io.SEEK_CUR else 0)
        return self.place

    def readinto(self, buffer) -> int:
        import requests

        for attempt in itertools.count(1):
            try:
                content = self._ask(len(buffer))
                break
            except requests.RequestException as error:
                if attempt == download.TRIES:
                    said = _("{url}: the download failed ({said}). What has come is kept: run the command again later.")
                    raise LessonError(said.format(url=self.url, said=download.reason(error))) from error
        buffer[: len(content)] = content
        self.start = self.start or content[:1000]
        self.place += len(content)
        return len(content)

    def _ask(self, size: int) -> bytes:
        """Return up to ``size`` bytes from the present place, none after the end of the file."""
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={self.place}-{self.place + size - 1}"}
        with self.session.get(self.url, headers=headers, stream=True, timeout=download.TIMEOUT) as answer:
            if answer.status_code == 416:
                return b""
            answer.raise_for_status()
            if (
                answer.status_code != 206
                or answer.headers.get("Content-Range", "").split("-")[0] != f"bytes {self.place}"
            ):
                self.start = next(answer.iter_content(1000), b"")
                if self.start.lstrip().lower().startswith(text.WEB_PAGE):
                    raise LessonError(f"{self.url}: {text.IS_WEB_PAGE}")
                said = _("{url}: this server does not give a part of a file. Fetch the whole set: leave out --cases.")
                raise LessonError(said.format(url=self.url))
            tag = answer.headers.get("ETag")
            if self.tag not in (None, tag):
                raise LessonError(
                    _("{url}: the file has changed meanwhile. Run the command again.").format(url=self.url)
                )
            self.tag = tag
            return answer.content
