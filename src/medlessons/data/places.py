"""Where data lie: the embedded sets are made here, the published ones fetched here, whole or not at all."""

import contextlib
import itertools
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from filelock import AcquireReturnProxy, FileLock, Timeout
from tqdm import tqdm

from classroom.fetching import archives, download
from medlessons import files, settings
from medlessons.data import manifest
from medlessons.errors import LessonError

CONTENTS = "contents.sha256"  # of an embedded folder: what it was made from, then checksum, size and name of each file
LONGEST_WAIT = 600  # seconds, for another run that makes the same files
FOR_EVER = -1  # for another run that fetches them: 42 GB may take a day


@dataclass(frozen=True)
class Status:
    """What is there of a data set: one line of ``medlessons data status``."""

    name: str
    source: str  # "embedded" or "real"
    path: Path
    present: bool
    rows: int  # 0 if nothing is there
    verified: bool  # checksum known, or every check passed
    note: str  # "simulated data", "published data", "own data", or what is wrong


@dataclass(frozen=True)
class Layout:
    """How a data set lies in a folder: what :func:`fetched` looks for, takes along, and checks."""

    goal: Path  # the folder that it becomes
    needs: tuple[str, ...]  # patterns: the folder has at least one of each
    check: Callable[[Path], object]  # reads the folder; raises LessonError on what is wrong
    takes: tuple[str, ...] = ()  # patterns of what comes along; what it needs unless given


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


# ---------------------------------------------------------------------------------------------------------
# Embedded


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
        with _alone(folder, LONGEST_WAIT):
            if not is_whole(folder, recipe):
                _make(folder, recipe, make)
    return folder


@contextlib.contextmanager
def _alone(folder: Path, longest: float) -> Iterator[None]:
    """Wait until no other run makes or fetches a folder, and remove what a run that was killed has left of it.

    What such a run has downloaded is kept (:func:`download.workspace`).
    """
    with files.explain_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        holder = folder.with_name(f".{folder.name}.pid")
        with _lock(folder, longest, holder):
            try:
                holder.write_text(str(os.getpid()), encoding="utf-8")
                for left in folder.parent.glob(f".{folder.name}.*/"):
                    if left != download.workspace_of(folder):
                        remove(left)
                yield
            finally:
                holder.unlink(missing_ok=True)


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


# ---------------------------------------------------------------------------------------------------------
# Published


def fetched(retrieve: Callable[[Path], Path], layouts: Sequence[Layout]) -> Path:
    """Bring a data set to its place. It gets there only when it has passed its check, by one renaming.

    A second run at the same time waits for the first one, and finds its data.

    Parameters
    ----------
    retrieve : callable
        Gets a folder to work in (:func:`download.workspace`), and returns where the data lie: a folder, an archive, or
        a single file.
    layouts : sequence of Layout
        What it may be: the first layout that fits is taken.

    Returns
    -------
    Path
        The folder where it lies now. What was downloaded or unpacked is moved; what lies elsewhere is left there, and
        copied. What was in its place before and fails the check is not removed, but gets another name.

    Raises
    ------
    LessonError
        If nothing fits, the check fails, or a data set that passes the same check is there already.
    """
    before = _sound_goals(layouts)
    with _alone(layouts[0].goal, FOR_EVER):
        there = _sound_goals(layouts)
        if all(layout.goal in there for layout in layouts):
            remove(download.workspace_of(layouts[0].goal))
            return _refuse_unless_new(layouts[0].goal, before)
        with download.workspace(layouts[0].goal) as workplace:
            place = retrieve(workplace)
            with download.doubted(place, workplace):
                found, layout = _find(archives.unpack(place, workplace / "unpacked"), layouts)
                if layout.goal in there:
                    return _refuse_unless_new(layout.goal, before)
                with contextlib.nullcontext() if layout.goal == layouts[0].goal else _alone(layout.goal, FOR_EVER):
                    _place(found, layout, workplace)
    return layout.goal


def _sound_goals(layouts: Sequence[Layout]) -> set[Path]:
    different = {(layout.goal, layout.check): layout for layout in layouts}  # a check may take half a minute
    return {goal for (goal, _), layout in different.items() if is_sound(layout)}


def is_sound(layout: Layout) -> bool:
    """Say whether a data set is in its place and passes its check."""
    try:
        layout.check(layout.goal)
    except LessonError:
        return False
    return True


def _refuse_unless_new(goal: Path, before: set[Path]) -> Path:
    """Return a place that another run has filled meanwhile; refuse one that was filled before."""
    if goal in before:
        raise LessonError(
            f"{goal}: there is something already, and it is whole. Move it away first if you want another one."
        )
    return goal


def _place(found: Path, layout: Layout, workplace: Path) -> None:
    """Check a data set within the workplace, and give it its name; all that is needed is a renaming then."""
    wanted = {path for pattern in (layout.takes or layout.needs) for path in found.glob(pattern)}
    if found.resolve().is_relative_to(workplace.resolve()):
        for path in set(found.iterdir()) - wanted:
            remove(path)
    else:  # somebody's own
        copy = workplace / "copied"
        copy.mkdir()
        _copy(wanted, copy)
        found = copy
    manifest.start(found)
    layout.check(found)
    _set_aside(layout.goal)
    os.replace(found, layout.goal)


def _set_aside(goal: Path) -> None:
    """Give another name to a folder that fails its check: somebody may have put it there by hand."""
    if goal.exists():
        numbers = (number for number in itertools.count(1) if not goal.with_name(f"{goal.name}.{number}").exists())
        aside = goal.with_name(f"{goal.name}.{next(numbers)}")
        os.replace(goal, aside)
        print(f"{goal}: what was here did not pass its check. It is now {aside.name}.", file=sys.stderr)


def _find(place: Path, layouts: Sequence[Layout]) -> tuple[Path, Layout]:
    folders = [place] if place.is_dir() else []
    folders += sorted((path for path in place.rglob("*") if path.is_dir()), key=lambda p: (len(p.parts), p))
    for layout in layouts:
        if place.is_file() and any(place.match(pattern) for pattern in layout.needs):
            folders = [place.parent]
        for folder in folders:
            if all(any(folder.glob(pattern)) for pattern in layout.needs):
                return folder, layout
    expected = "; or ".join(", ".join(layout.needs) for layout in layouts)
    raise LessonError(
        f"{place.name}: this is not the data set. Expected was a folder, or an archive of it, that holds {expected}. "
        "Give its path with --from."
    )


def _copy(sources: Iterable[Path], target: Path) -> None:
    """Copy files, and folders with all that is in them, into a folder."""
    paths = {}
    for source in sources:
        inside = source.rglob("*") if source.is_dir() else [source]
        paths |= {path: target / path.relative_to(source.parent) for path in inside if path.is_file()}
    archives.check_space(target, sum(path.stat().st_size for path in paths), "the copy")
    for path, copy in tqdm(paths.items(), "copying", unit="file"):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)  # not its permissions: what cannot be written to cannot be removed either


def verify(layouts: Sequence[Layout]) -> list[str]:
    """Return what is wrong with a data set that may be read in several ways, after reading its files again."""
    said, goal = [], layouts[0].goal
    for check in {layout.check for layout in layouts}:
        try:
            check(goal)
        except LessonError as error:
            said.append(str(error))
    return manifest.recheck(goal) or said


def is_ours(goal: Path) -> bool:
    """Say whether something was fetched to a place, or is on its way; what was laid there by hand is not ours."""
    return manifest.is_kept_in(goal) if goal.exists() else download.workspace_of(goal).exists()


def take_away(goal: Path) -> None:
    """Remove a data set, and what a fetch that was stopped has downloaded."""
    with _alone(goal, LONGEST_WAIT):
        if goal.exists():
            os.replace(goal, goal.with_name(f".{goal.name}.removed"))  # whole or not at all, for who reads it
            remove(goal.with_name(f".{goal.name}.removed"))
        remove(download.workspace_of(goal))


# ---------------------------------------------------------------------------------------------------------
# Status


def status_of_embedded(name: str, folder: Path, recipe: str) -> Status:
    """Say whether an embedded set is there and up to date, after reading its files. Its rows are those of its tables.

    Parameters
    ----------
    name : str
        Of the data set.
    folder : Path
    recipe : str
        As in :func:`made`.

    Returns
    -------
    Status
    """
    if not os.path.exists(folder):
        return Status(name, "embedded", folder, False, 0, False, "not there")
    whole = is_whole(folder, recipe, thorough=True)
    note = "simulated data" if whole else "incomplete or out of date; it will be made again"
    rows = sum(len(pd.read_csv(path)) for path in folder.glob("*.csv")) if whole else 0
    return Status(name, "embedded", folder, True, rows, whole, note)


def status_of_real(name: str, place: Path, read: Callable[[], pd.DataFrame]) -> Status:
    """Say whether a published or own set is there and sound: ``read`` returns its table without long checks."""
    try:
        with files.explain_os_errors(place):
            if not place.exists():
                return Status(name, "real", place, False, 0, False, "not there")
        table = read()
    except LessonError as error:
        return Status(name, "real", place, True, 0, False, str(error))
    wrong = table.attrs.get("wrong", "")
    note = table.attrs["name"] + (f", but {wrong}" if wrong else "")
    return Status(name, "real", place, True, len(table), not wrong, note)
