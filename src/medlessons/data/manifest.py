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
COLUMNS = {"path": str, "size": "int64", "time": "int64", "sha256": str, "error": str}
"""``time`` is that of the last change (nanoseconds); ``error`` is empty for an image that can be read."""


def verify(folder: Path, names: list[str], own: bool = False) -> dict[str, str]:
    """Return what is wrong with each file, after reading those that have not been read before.

    Parameters
    ----------
    folder : Path
        The folder of the data set.
    names : list of str
        Paths of files below ``folder``, with ``/``. Each of them is there. Images are read to the end.
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
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            rows = pool.map(lambda name: _look(folder, name, stats[name]), unknown)
            rows = list(tqdm(rows, "reading images once", unit="image", total=len(unknown)))
        fresh = pd.DataFrame(rows, columns=[*COLUMNS]).set_index("path")
        if not own:
            _refuse_changes(folder, known, fresh)
        known = add(folder, fresh)
    return known["error"].reindex(names).to_dict()


def _look(folder: Path, name: str, stat: os.stat_result) -> tuple:
    """Return the row of a file, after reading it to the end."""
    path, said = folder / name, ""
    if name.lower().endswith(SUFFIXES):
        try:
            images.read(path)
        except LessonError as error:
            said = str(error).removeprefix(f"{path}: ")
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


def is_kept_in(folder: Path) -> bool:
    """Say whether a folder was fetched: then its list stands in it."""
    return (folder / FILE).is_file()


def place_of(folder: Path) -> Path:
    """Return where the list of a folder stands, or will stand."""
    return folder / FILE if is_kept_in(folder) else _path_elsewhere(folder)


def _path_elsewhere(folder: Path) -> Path:
    address = files.md5(os.path.abspath(folder).encode())[:8]
    return settings.embedded_dir() / "manifests" / f"{folder.name}-{address}.csv"


def read(folder: Path) -> pd.DataFrame:
    """Return the list of a folder's files, with their paths as index; empty if none was kept, or it is damaged."""
    for path in (folder / FILE, _path_elsewhere(folder)):
        try:
            table = pd.read_csv(path, dtype={"path": str, "sha256": str, "error": str}, keep_default_na=False)
            return table[[*COLUMNS]].astype(COLUMNS).set_index("path")
        except (OSError, ValueError, KeyError):
            continue
    return pd.DataFrame(columns=[*COLUMNS]).astype(COLUMNS).set_index("path")


def add(folder: Path, fresh: pd.DataFrame) -> pd.DataFrame:
    """Add rows to the list of a folder, or replace those of the same files; return the list."""
    table = pd.concat([read(folder).drop(index=fresh.index, errors="ignore"), fresh]).sort_index()
    with files.atomic_write(place_of(folder)) as temporary:
        table.to_csv(temporary, lineterminator="\n")
    return table
