"""Archives are unpacked into a folder, and never beside it: what could do harm is refused by its name."""

import errno
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm import tqdm

from medlessons.data import text
from medlessons.errors import LessonError
from medlessons.wording import _

SUFFIXES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")
LARGEST_RATIO = 100  # of unpacked to packed bytes: images hardly shrink, tables of labels to a tenth
ALWAYS_ALLOWED = 50_000_000  # bytes: so little is no bomb, whatever the ratio
BLOCK = 512  # bytes: what a tar archive spends on a member, even on an empty one
CHUNK = 1 << 20  # bytes
EXCEL = "[Content_Types].xml"  # in each workbook, which is a zip
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)
DAMAGED_CODES = (None, errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG)  # of an OSError: gzip and bz2 give none


def unpack(place: Path, target: Path) -> Path:
    """Return the folder into which a zip or tar archive was unpacked; ``place`` if it is no archive.

    Parameters
    ----------
    place : Path
        A file or a folder.
    target : Path
        The folder to unpack into. It is made.

    Raises
    ------
    LessonError
        If the archive is damaged or encrypted; if a member has an absolute name, leads out of the folder or is a link;
        or if it would unpack to far more than an archive of images does, or than the disk can hold.
    """
    if not place.is_file():
        return place
    try:
        if zipfile.is_zipfile(place):
            return _unzip(place, target)
        if tarfile.is_tarfile(place):
            return _untar(place, target)
    except DAMAGED as error:
        raise _is_damaged(place, error) from error
    except OSError as error:
        if error.errno not in DAMAGED_CODES:
            raise
        raise _is_damaged(place, error) from None
    except (RuntimeError, NotImplementedError) as error:  # zipfile: a password, or a method that it does not know
        raise LessonError(
            _(
                "{file}: the archive cannot be unpacked here ({error}). Unpack it with another program, and give the "
                "folder with --from."
            ).format(file=place, error=error)
        ) from error
    if place.suffix.lower() in SUFFIXES:
        with place.open("rb") as file:
            if file.read(CHUNK).lstrip().lower().startswith(text.WEB_PAGE):
                raise LessonError(f"{place}: {text.IS_WEB_PAGE}")
        raise LessonError(_("{file}: this is not an archive, or a cut one. Download it again.").format(file=place))
    return place


def _is_damaged(archive: Path, error: Exception) -> LessonError:
    said = _("{file}: the archive is damaged ({error}). Download it again.")
    return LessonError(said.format(file=archive, error=error))


def _unzip(archive: Path, target: Path) -> Path:
    with zipfile.ZipFile(archive) as members:
        if EXCEL in members.namelist():
            return archive
        for member in members.infolist():
            _refuse_harm(archive, member.filename, stat.S_ISLNK(member.external_attr >> 16))
        total = sum(member.file_size for member in members.infolist())
        _refuse_bomb(archive, total + BLOCK * len(members.infolist()))
        check_space(target, total, archive.name)
        for member in tqdm(members.infolist(), f"unpacking {archive.name}", unit="file"):
            members.extract(member, target)
    return target


def _untar(archive: Path, target: Path) -> Path:
    """Unpack member by member: how much a packed tar archive holds is known only at its end."""
    check_space(target, archive.stat().st_size, archive.name)
    total = rest = 0
    with tarfile.open(archive) as members:
        for member in tqdm(members, f"unpacking {archive.name}", unit="file"):
            _refuse_harm(archive, member.name, not (member.isfile() or member.isdir()))
            total += max(member.size, BLOCK)
            _refuse_bomb(archive, total)
            members.extract(member, target, filter="data")
        while piece := members.fileobj.read(CHUNK):  # to the end of a packed archive, where its checksum is compared
            rest += len(piece)
            _refuse_bomb(archive, total + rest)
    if not rest:
        raise tarfile.ReadError(_("its end is missing"))
    return target


def _refuse_harm(archive: Path, name: str, is_link: bool) -> None:
    """Refuse a link, a device, an absolute name, and ``..``, as any system reads them."""
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        if is_link or path.is_absolute() or path.drive or ".." in path.parts:
            raise LessonError(
                _(
                    "{file}: its member {name!r} would be written outside of the folder, or is a link. Do not use this "
                    "file; get the data set from its publisher."
                ).format(file=archive, name=name)
            )


def _refuse_bomb(archive: Path, total: int) -> None:
    if total > max(ALWAYS_ALLOWED, LARGEST_RATIO * archive.stat().st_size):
        raise LessonError(
            _(
                "{file}: it unpacks to more than {ratio} times its size, as no archive of images does. Do not use this "
                "file; get the data set from its publisher."
            ).format(file=archive, ratio=LARGEST_RATIO)
        )


def check_space(folder: Path, needed: int, name: str) -> None:
    """Raise LessonError unless the disk of a folder has ``needed`` bytes left for ``name``."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise LessonError(
            _(
                "{name}: it needs {needed}, but the disk of {folder} has {free} left. Free some space, or choose "
                "another disk with MEDLESSONS_DATA."
            ).format(name=name, needed=gigabytes(needed), folder=folder, free=gigabytes(free))
        ) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def gigabytes(count: int) -> str:
    """Return a number of bytes for a reader, such as "1.2 GB"."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
