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
