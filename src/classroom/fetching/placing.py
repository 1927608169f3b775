"""A data set comes to its place by one renaming, when it was read and passed its check: whole or not at all."""

import contextlib
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from classroom.fetching import archives, download, remote_tar, table
from classroom.fetching.table import Collection
from medlessons import files
from medlessons.data import manifest, places
from medlessons.errors import LessonError
from medlessons.wording import _

FOR_EVER = -1  # wait for another run that fetches the same: 42 GB may take a day
DOWNLOADS = "downloads"  # in a workspace: what the next run goes on with


def fetch(
    name: str, origin: str | Path | None = None, subset: int | None = None, cases: int | None = None
) -> list[Path]:
    """Bring a task's collections, or one collection, to where they are read.

    Parameters
    ----------
    name : str
        Of a task or of a collection (:func:`table.named`).
    origin : str or Path, optional
        A URL, an archive, a folder or a file; where the collections are published unless given.
    subset : int, optional
        How many pieces of a collection that has pieces; all unless given. A later call may ask for more.
    cases : int, optional
        How many scans of a collection of which some may be fetched; all unless given.

    Returns
    -------
    list of Path
        The folders. What was in such a place and fails its check is not removed, but gets another name.

    Raises
    ------
    LessonError
        If something cannot be had, is not the data set or fails its check; or, with an origin, if a sound one is there.
    """
    chosen = table.named(name)
    if origin is not None:
        return [bring(chosen, name, origin)]
    return [fetch_published(one, name, subset, cases) for one in chosen if one.is_published]


def fetch_published(collection: Collection, name: str, subset: int | None = None, cases: int | None = None) -> Path:
    """Download what is missing of a collection, and return its folder. What is whole stays (:func:`fetch`)."""
    goal = collection.folder
    with places.alone(goal, FOR_EVER), _workspace(goal) as work:
        if not collection.is_sound(name):
            with _removed_if_wrong(work):
                _place(_download(collection, work, cases), collection, collection.checks_for(name), work)
        elif collection.cases:
            _refuse_fewer(collection, name, cases or collection.cases)
        for folder, remote in collection.missing_pieces(subset).items():
            with _removed_if_wrong(work):
                _add(goal, folder, download.get(remote, work / DOWNLOADS), work)
    return goal


def bring(chosen: Sequence[Collection], name: str, origin: str | Path) -> Path:
    """Take one of some collections from where somebody has it, and return its folder (:func:`fetch`)."""
    with contextlib.ExitStack() as stack:
        for one in chosen:
            stack.enter_context(places.alone(one.folder, FOR_EVER))
        work = stack.enter_context(_workspace(chosen[0].folder))
        stack.enter_context(_removed_if_wrong(work))
        place = archives.unpack(download.retrieve(origin, work / DOWNLOADS), work / "unpacked")
        found, collection = _find(place, chosen, work)
        if collection.is_sound(name):
            said = _("{folder}: there is something already, and it is whole. Move it away first to get another one.")
            raise LessonError(said.format(folder=collection.folder))
        with _shown_as(origin, work):
            _place(found, collection, collection.checks_for(name), work)
    return collection.folder


@contextlib.contextmanager
def _workspace(goal: Path) -> Iterator[Path]:
    """Give a folder beside ``goal``, and remove it when all ends well; else downloads stay in it for the next run."""
    folder = places.workspace_of(goal)
    with files.explain_os_errors(goal):
        try:
            _keep_downloads(folder)
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
            places.remove(folder)
        finally:
            _keep_downloads(folder)


def _keep_downloads(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name != DOWNLOADS or not any(path.iterdir()):
                places.remove(path)
        if not any(folder.iterdir()):
            folder.rmdir()


@contextlib.contextmanager
def _removed_if_wrong(work: Path) -> Iterator[None]:
    """Remove downloads that turn out to be damaged or something else; they stay if the disk here is at fault."""
    try:
        yield
    except LessonError as error:
        if getattr(error.__cause__, "errno", None) is None:
            for path in (work / DOWNLOADS).glob("*"):
                if path.suffix not in (".part", ".etag"):
                    path.unlink()
        raise


@contextlib.contextmanager
def _shown_as(origin: str | Path, work: Path) -> Iterator[None]:
    """Let messages name what the user gave, and not a temporary copy of it."""
    try:
        yield
    except LessonError as error:
        said = str(error)
        for path in (*(work / "single").glob("*"), work / "unpacked", work / "copied"):
            said = said.replace(str(path), str(origin))
        raise LessonError(said) from error.__cause__


def _refuse_fewer(collection: Collection, name: str, wanted: int) -> None:
    """Raise LessonError if only some cases were fetched before, and more are asked for now."""
    there = min(len(check(collection.folder)) for check in collection.checks_for(name))
    if there < wanted:
        said = _(
            "{folder}: {there} scans are there, but {wanted} are asked for. Remove them with `medlessons data remove "
            "{name}`, or move the folder away, and run the command again."
        )
        raise LessonError(said.format(folder=collection.folder, there=there, wanted=wanted, name=name))


def _download(collection: Collection, work: Path, cases: int | None) -> Path:
    """Return a folder with what a collection consists of, but for its pieces."""
    downloads, target = work / DOWNLOADS, work / "unpacked"
    if cases and collection.cases:
        os.replace(remote_tar.take(collection.archive, cases, downloads), target)
        return target
    if collection.archive:
        place = archives.unpack(download.get(collection.archive, downloads), target)
        return _find(place, [collection], work)[0]
    for name in collection.files:
        target.mkdir(exist_ok=True)
        shutil.copyfile(download.get_from_kaggle(collection.kaggle, name, downloads), target / name)
    return target


def _find(place: Path, chosen: Sequence[Collection], work: Path) -> tuple[Path, Collection]:
    """Return the folder that looks like one of some collections, and which one."""
    folders = [place if place.is_dir() else place.parent]
    if place.is_dir():
        folders += sorted((path for path in place.rglob("*") if path.is_dir()), key=lambda p: (len(p.parts), p))
    for collection in chosen:
        needs = [need.split("|") for need in collection.needs]
        if place.is_dir() or any(place.match(pattern) for need in needs for pattern in need):
            for folder in folders:
                if all(any(table.matching(folder, pattern) for pattern in need) for need in needs):
                    return folder, collection
        tables = [place] if place.is_file() else list(place.glob("*.csv"))
        if collection.single and len(tables) == 1:
            (work / "single").mkdir()
            shutil.copyfile(tables[0], work / "single" / collection.single)
            return work / "single", collection
    expected = _("; or ").join(", ".join(one.needs).replace("|", _(" or ")) for one in chosen)
    raise LessonError(
        _(
            "{place}: this is not the data set. Expected was a folder, or an archive of it (zip or tar), that holds "
            "{expected}. Give its path with --from."
        ).format(place=place, expected=expected)
    )


def _place(found: Path, collection: Collection, checks: Sequence[Callable], work: Path) -> None:
    """Read and check a data set within the workspace, and give it its name: all that is needed is a renaming then."""
    patterns = [pattern for need in collection.takes or collection.needs for pattern in need.split("|")]
    wanted = {path for pattern in patterns for path in table.matching(found, pattern)}
    if found.is_relative_to(work):
        for path in set(found.iterdir()) - wanted:
            places.remove(path)
    else:  # somebody's own
        _copy(found, wanted, work / "copied")
        found = work / "copied"
    read_all(found)
    for check in checks:
        left_out = getattr(check(found), "attrs", {}).get("left_out", {})
        said = ", ".join(f"{count} x {reason}" for reason, count in left_out.items() if count)
        if said:
            print(_("{name}: left out: {said}").format(name=collection.name, said=said), file=sys.stderr)
    _set_aside(collection.folder)
    os.replace(found, collection.folder)


def _add(goal: Path, name: str, packed: Path, work: Path) -> None:
    """Unpack one more piece, read it, and put it into the folder of its collection."""
    pieces = work / "unpacked"
    places.remove(pieces)
    archives.unpack(packed, pieces / name)
    if not any(path.suffix.lower() in manifest.SUFFIXES for path in pieces.rglob("*")):
        raise LessonError(_("{file}: there is no image in it. Download it again.").format(file=packed))
    read_all(pieces)
    os.replace(pieces / name, goal / name)
    manifest.add(goal, manifest.read(pieces))  # if it is stopped before, these images are read once more
    packed.unlink()


def read_all(folder: Path) -> None:
    """Read each file of a folder once, and keep the list of them in the folder: it was fetched, and is ours."""
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    (folder / manifest.FILE).touch()
    manifest.verify(folder, [name for name in names if name != manifest.FILE])


def _set_aside(goal: Path) -> None:
    """Give another name to a folder that fails its check: somebody may have put it there by hand."""
    if goal.exists():
        names = (goal.with_name(f"{goal.name}.{number}") for number in itertools.count(1))
        aside = next(name for name in names if not name.exists())
        os.replace(goal, aside)
        said = _("{folder}: what was here did not pass its check. It is now {name}.")
        print(said.format(folder=goal, name=aside.name), file=sys.stderr)


def _copy(found: Path, wanted: set[Path], target: Path) -> None:
    """Copy files, and folders with all that is in them, but not their permissions: the copy is ours."""
    sources = [path for one in wanted for path in ([one] if one.is_file() else one.rglob("*")) if path.is_file()]
    archives.check_space(target, sum(path.stat().st_size for path in sources), _("the copy"))
    for path in tqdm(sources, "copying", unit="file"):
        copy = target / path.relative_to(found)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def verify(collection: Collection) -> list[str]:
    """Return what is wrong with a collection, after reading its files again."""
    import pooch

    goal, said = collection.folder, []
    for check in collection.checks.values():
        try:
            check(goal)
        except LessonError as error:
            said.append(str(error))
    known = manifest.read(goal)["sha256"]

    def look(name):
        try:
            return "" if pooch.file_hash(goal / name) == known[name] else _("it has changed since it was fetched.")
        except OSError as error:
            return _("it cannot be read ({error}).").format(error=error.strerror)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        looks = tqdm(pool.map(look, known.index), f"checking {goal.name}", unit="file", total=len(known))
        return [f"{goal / name}: {fault}" for name, fault in zip(known.index, looks, strict=True) if fault] or said


def is_ours(goal: Path) -> bool:
    """Say whether something was fetched to a place, or is on its way; what was laid there by hand is not ours."""
    return manifest.is_kept_in(goal) if goal.exists() else places.workspace_of(goal).exists()


def take_away(goal: Path) -> None:
    """Remove a data set, and what a fetch that was stopped has downloaded."""
    with places.alone(goal, places.LONGEST_WAIT):
        if goal.exists():
            os.replace(goal, goal.with_name(f".{goal.name}.removed"))  # whole or not at all, for who reads it
            places.remove(goal.with_name(f".{goal.name}.removed"))
        places.remove(places.workspace_of(goal))
