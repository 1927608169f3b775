"""Files that appear whole or not at all, their checksums, and what went wrong with them in plain words."""

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from medlessons.errors import LessonError

OR_ELSEWHERE = "or choose another folder (MEDLESSONS_DATA, MEDLESSONS_EMBEDDED or --build)."


def md5(content: bytes) -> str:
    """Return the MD5 checksum as 32 hexadecimal digits."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 checksum of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn the usual troubles with files (no space, no permission, a folder in the way) into a LessonError."""
    try:
        yield
    except OSError as error:
        explanation = _explain(error)
        if explanation is None:
            raise
        raise LessonError(f"{path}: {explanation}") from error


def _explain(error: OSError) -> str | None:
    """Say in plain words what happened and what to do; None if it is not one of the usual troubles."""
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"no permission ({error.strerror}). Change the permissions of the file and its folder, {OR_ELSEWHERE}"
    if isinstance(error, FileNotFoundError):
        return f"{error.filename or 'a file'} is not there and cannot be made. Check the path, {OR_ELSEWHERE}"
    if isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError)):
        return f"something else stands in the way ({error.strerror}). Move it away and try again."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full, nothing was written. Free some space and try again, {OR_ELSEWHERE}"
    return None


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary neighbour of `path` to write to; it takes the name `path` only when the block ends well.

    The neighbour may become a file or a folder. Whatever goes wrong, Ctrl-C included, it is removed.

    Raises
    ------
    LessonError
        If the disk is full, the folder cannot be made or written, or a folder stands in the place of the file.
    """
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        neighbour = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield neighbour / path.name
            _to_disk(neighbour / path.name)
            os.replace(neighbour / path.name, path)
        finally:
            shutil.rmtree(neighbour, ignore_errors=True)


def _to_disk(path: Path) -> None:
    """Wait until a file is on its disk: some disks, those of networks above all, say only then that they are full."""
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())
