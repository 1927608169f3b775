"""Folders that are made on demand, whole or not at all, by one run at a time."""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

from medlessons import files, settings
from medlessons.errors import LessonError

CONTENTS = "contents.sha256"  # of an embedded folder: what it was made from, then checksum, size and name of each file
LONGEST_WAIT = 600  # seconds, for another run that makes the same files


def choose(source: str | None = None) -> str:
    """Return ``"embedded"`` or ``"real"``: the source that is given, or the one that the environment names.

    Raises
    ------
    LessonError
        On another source.
    """
    source = source or settings.source()
    if source not in ("embedded", "real"):
        raise LessonError(f'source is {source!r}, but it must be "embedded" or "real".')
    return source


def made(folder: Path, recipe: str, make: Callable[[Path], None]) -> Path:
    """Return a folder with files that are made on demand: at once if it is there and up to date.

    A second run at the same time waits for the first one.

    Parameters
    ----------
    folder : Path
    recipe : str
        What the files follow from, in one line: where it differs, they are made again.
    make : callable
        Writes the files into the folder that it gets. The folder takes its name only when that ends well.

    Returns
    -------
    Path
        ``folder``.

    Raises
    ------
    LessonError
        If the files cannot be written, another run has been making them for ten minutes, or this is a worker of the
        run that is making them.
    """
    if not is_whole(folder, recipe):
        with alone(folder, LONGEST_WAIT):
            if not is_whole(folder, recipe):
                _make(folder, recipe, make)
    return folder


@contextlib.contextmanager
def alone(folder: Path, longest: float) -> Iterator[None]:
    """Wait until no other run makes or fetches a folder, and remove what a run that was killed has left of it.

    What such a run has downloaded is kept (:func:`workspace_of`).
    """
    with files.explain_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        holder = folder.with_name(f".{folder.name}.pid")
        with _lock(folder, longest, holder):
            try:
                holder.write_text(str(os.getpid()), encoding="utf-8")
                for left in folder.parent.glob(f".{folder.name}.*/"):
                    if left != workspace_of(folder):
                        remove(left)
                yield
            finally:
                holder.unlink(missing_ok=True)


def workspace_of(folder: Path) -> Path:
    """Return where a folder's data are fetched before they take its name: downloads stay there for the next run."""
    return folder.with_name(f".{folder.name}.fetch")


def _lock(folder: Path, longest: float, holder: Path) -> AcquireReturnProxy:
    """Take the lock of a folder, or wait for the process whose number is in the file ``holder``."""
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    with contextlib.suppress(Timeout):
        return lock.acquire(timeout=0)
    if _pid_in(holder) == str(os.getppid()):
        # A script without a guard: its workers import it, and would wait for the lock of their own parent. (While they
        # import it, multiprocessing.parent_process() is not known yet.)
        raise LessonError(
            f"{folder}: your script loads data at its top level, and its worker processes do so again when they import "
            "it. Put the code of the script under `if __name__ == '__main__':`."
        )
    print(f"{folder}: {_busy_with(holder)} is busy with it. Waiting for it ...", file=sys.stderr)
    try:
        return lock.acquire(timeout=longest)
    except Timeout as error:
        raise LessonError(f"{folder}: {_busy_with(holder)} is still busy with it. Wait for it, or stop it.") from error


def _busy_with(holder: Path) -> str:
    """Say which process holds a lock, and for how long it has done so."""
    try:
        minutes, seconds = divmod(round(time.time() - holder.stat().st_mtime), 60)
    except OSError:  # it has just taken the lock, or just ended
        return "another process"
    return f"process {_pid_in(holder)} (for {minutes} min {seconds} s)"


def _pid_in(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8")
    except OSError:
        return ""


def _make(folder: Path, recipe: str, make: Callable[[Path], None]) -> None:
    print(f"Made once, then kept: {folder.parent.name}/{folder.name}", file=sys.stderr)
    with files.atomic_write(folder) as temporary:
        temporary.mkdir()
        make(temporary)
        lines = [
            f"{files.sha256(path)}  {path.stat().st_size}  {path.relative_to(temporary).as_posix()}"
            for path in _files_in(temporary)
        ]
        (temporary / CONTENTS).write_text("\n".join([recipe, *lines]), encoding="utf-8")
        remove(folder)  # an older one


def is_whole(folder: Path, recipe: str, thorough: bool = False) -> bool:
    """Say whether a folder was made from a recipe, and its files are as they were made.

    Parameters
    ----------
    folder : Path
    recipe : str
        As in :func:`made`.
    thorough : bool
        Whether each file is read again. Otherwise only those that are newer than the list of them.

    Returns
    -------
    bool
    """
    contents = folder / CONTENTS
    try:
        was, *lines = contents.read_text(encoding="utf-8").splitlines()
        if was != recipe:
            return False
        written, doubtful = contents.stat().st_mtime_ns, []
        for digest, size, name in (line.split("  ", 2) for line in lines):
            known = os.stat(f"{folder}{os.sep}{name}")
            if known.st_size != int(size):
                return False
            if thorough or known.st_mtime_ns >= written:
                doubtful.append((name, digest))
        if any(files.sha256(folder / name) != digest for name, digest in doubtful):
            return False
    except (OSError, ValueError):  # a missing file, a damaged list
        return False
    if doubtful:  # such as after copying: the next time they need not be read
        with contextlib.suppress(OSError):
            contents.touch()
    return True


def remove(place: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
