"""Image files are read once, and what came out is kept: path, size, time, checksum, and whether they can be read.

A list stands in the folder of a data set that was fetched. What was laid somewhere by hand is not written to: its list
is kept with the embedded data.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from medlessons import files, images, settings
from medlessons.errors import LessonError

FILE = "manifest.csv"
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif")  # of images
COLUMNS = ("path", "size", "time", "sha256", "error")
"""``time`` is that of the last change (nanoseconds); ``error`` is empty for an image that can be read."""


def verify(folder: Path, names: list[str], own: bool = False) -> dict[str, str]:
    """Return what is wrong with each file, after reading those that have not been read before.

    Parameters
    ----------
    folder : Path
        The folder of the data set.
    names : list of str
        Paths of images below ``folder``, with ``/``. Each of them is there.
    own : bool
        Whether the files may change: an instructor's own images are then read again, published ones are refused.

    Returns
    -------
    dict
        Path -> what is wrong; empty text if it can be read.

    Raises
    ------
    LessonError
        If a published image has changed since it was read, with its name.
    """
    known = read(folder)
    before = dict(zip(known.index, zip(known["size"], known["time"], strict=True), strict=True))
    stats = {name: os.stat(f"{folder}/{name}") for name in names}
    unknown = [name for name, stat in stats.items() if before.get(name) != (stat.st_size, stat.st_mtime_ns)]
    if unknown:
        fresh = _look(folder, unknown, stats)
        if not own:
            _refuse_changes(folder, known, fresh)
        known = pd.concat([known.drop(index=fresh.index, errors="ignore"), fresh]).sort_index()
        _write(folder, known)
    return known["error"].reindex(names).to_dict()


def start(folder: Path) -> None:
    """Keep the list of a folder in the folder itself, from now on: it was fetched, and is ours. All files are read."""
    (folder / FILE).touch()
    known = read(folder)
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    pictures = [name for name, path in paths.items() if path.suffix.lower() in SUFFIXES]
    others = paths.keys() - {*pictures, FILE}
    fresh = pd.DataFrame([_row(paths[name], name, paths[name].stat(), "") for name in others], columns=COLUMNS)
    fresh = fresh.set_index("path")
    _write(folder, pd.concat([known.drop(index=fresh.index, errors="ignore"), fresh]).sort_index())
    verify(folder, pictures)


def take_over(folder: Path, other: Path) -> None:
    """Add to the list of a folder that of another one, whose files will come into it."""
    known = read(folder)
    _write(folder, pd.concat([known, read(other).drop(index=known.index, errors="ignore")]).sort_index())


def is_kept_in(folder: Path) -> bool:
    """Say whether a folder was fetched: then its list stands in it."""
    return (folder / FILE).is_file()


def recheck(folder: Path) -> list[str]:
    """Return what is wrong with the files of a list, after reading each of them again; empty if nothing is."""
    known = read(folder)

    def look(name):
        try:
            digest = files.sha256(folder / name)
        except OSError as error:
            return f"{folder / name}: it cannot be read ({error.strerror})."
        return "" if digest == known.at[name, "sha256"] else f"{folder / name}: it has changed since it was fetched."

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(tqdm(pool.map(look, known.index), f"checking {folder.name}", unit="file", total=len(known)))
    return [fault for fault in said if fault]


def read(folder: Path) -> pd.DataFrame:
    """Return the list of a folder's files, with their paths as index; empty if none was kept, or it is damaged."""
    for path in (folder / FILE, _path_elsewhere(folder)):
        try:
            table = pd.read_csv(path, dtype={"path": str, "sha256": str, "error": str}, keep_default_na=False)
            return table[list(COLUMNS)].astype({"size": "int64", "time": "int64"}).set_index("path")
        except (OSError, ValueError, KeyError):
            continue
    empty = {"size": "int64", "time": "int64", "sha256": str, "error": str}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in empty.items()}).rename_axis("path")


def _look(folder: Path, names: list[str], stats: dict[str, os.stat_result]) -> pd.DataFrame:
    """Read files to the end, on all cores; return their rows of the list."""

    def look(name):
        path = folder / name
        try:
            images.read(path)
            said = ""
        except LessonError as error:
            said = str(error).removeprefix(f"{path}: ")
        return _row(path, name, stats[name], said)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(tqdm(pool.map(look, names), desc="reading images once", unit="image", total=len(names)))
    return pd.DataFrame(rows, columns=COLUMNS).set_index("path")


def _row(path: Path, name: str, stat: os.stat_result, said: str) -> tuple:
    return name, stat.st_size, stat.st_mtime_ns, files.sha256(path), said


def _refuse_changes(folder: Path, known: pd.DataFrame, fresh: pd.DataFrame) -> None:
    """Refuse an image whose content has changed, unless it was damaged before. Another time alone is no change."""
    both = fresh.index.intersection(known.index[known["error"] == ""])
    changed = both[fresh.loc[both, "sha256"] != known.loc[both, "sha256"]]
    if len(changed):
        raise LessonError(
            f"{folder / changed[0]}: this image has changed since it was first read"
            f"{f' (and {len(changed) - 1} others)' * (len(changed) > 1)}. Bring back the published one; or remove "
            f"{place_of(folder)}, and all images are read again."
        )


def place_of(folder: Path) -> Path:
    """Return where the list of a folder stands, or will stand."""
    return folder / FILE if is_kept_in(folder) else _path_elsewhere(folder)


def _path_elsewhere(folder: Path) -> Path:
    address = files.md5(os.path.abspath(folder).encode())[:8]
    return settings.embedded_dir() / "manifests" / f"{folder.name}-{address}.csv"


def _write(folder: Path, table: pd.DataFrame) -> None:
    with files.atomic_write(place_of(folder)) as temporary:
        table.to_csv(temporary, lineterminator="\n")
