"""Chest radiographs, frontal or lateral (lesson 2): the embedded set, the published one, or an instructor's own.

The published images are the COVID-19 image data collection, https://github.com/ieee8023/covid-chestxray-dataset
(Cohen et al. 2020, https://arxiv.org/abs/2006.11988). The format is described in data/README.md.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from medlessons import files, images, settings
from medlessons.datasets import download
from medlessons.errors import LessonError
from medlessons.simulate import thorax

NAME = "orientation"
LABELS = ("frontal", "lateral")

# The published collection.
FOLDER = "covid-chestxray-dataset"
ARCHIVE = "https://github.com/ieee8023/covid-chestxray-dataset/archive/refs/heads/master.zip"
METADATA = "metadata.csv"
LABEL_OF_VIEW = {"PA": "frontal", "AP": "frontal", "AP Supine": "frontal", "L": "lateral"}
CT_VIEWS = ("Axial", "Coronal")
COLUMNS = ("patientid", "view", "folder", "filename")

# The embedded set: hospitals to learn from, and others for patients from elsewhere. Each has a style of its own.
HOSPITALS = tuple(f"hospital {number:02d}" for number in range(1, 21))
OTHER_HOSPITALS = tuple(f"hospital {number:02d}" for number in range(21, 31))
OTHER_PATIENTS = 100
RECIPE = "recipe.md5"
SEED, OTHER_SEED = 20_000, 40_000  # of the first patient; patient i has the seed after i others
LONGEST_WAIT = 600  # seconds, for another run that makes the same images
LATERALS = 1 / 11  # of all images, as in the published set

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif")


def load(source: str | None = None) -> pd.DataFrame:
    """Return the image table of the lesson.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Simulated or published patients; what the environment says unless given.

    Returns
    -------
    DataFrame
        One row an image: ``path``, ``patient``, ``view`` ("PA", "AP", "L", ...), ``label`` ("frontal" or
        "lateral"), ``age`` (years), ``sex`` ("F" or "M"), ``source`` (hospital or place). ``attrs["name"]`` is
        "simulated data", "published data" or "own data"; ``attrs["left_out"]`` maps each reason why images were left
        out to their number.

    Raises
    ------
    LessonError
        If files are missing or one of the two labels is; the message says what to do.
    """
    source = source or settings.source()
    if source == "embedded":
        return _read_embedded("lesson")
    if source != "real":
        raise LessonError(f'source is {source!r}, but it must be "embedded" or "real".')
    own = settings.real_dir() / NAME
    return read_folders(own) if own.is_dir() else read_collection(settings.real_dir() / FOLDER)


def load_external(source: str | None = None) -> pd.DataFrame:
    """Return radiographs for a network that was trained on simulated ones only, from elsewhere than its training.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Embedded: simulated patients of ten hospitals that no other set has. Real: what :func:`load` returns.

    Returns
    -------
    DataFrame
        As :func:`load` describes it.
    """
    source = source or settings.source()
    return _read_embedded("elsewhere") if source == "embedded" else load(source)


# ---------------------------------------------------------------------------------------------------------
# The embedded set


def requests(seed: int, patients: int, hospitals: tuple[str, ...]) -> pd.DataFrame:
    """Draw which radiographs to make: who comes, how often, to which hospital, for which view.

    Parameters
    ----------
    seed : int
        Seed of the first patient; the next one has the next seed.
    patients : int
    hospitals : tuple of str
        Their names, ending in a number. A patient always goes to the same one.

    Returns
    -------
    DataFrame
        An image table with one to three images a patient, and the columns that :func:`thorax.render_set` needs.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(seed, seed + patients):
        body = thorax.draw_patient(number)
        hospital = str(rng.choice(hospitals))
        findings = thorax.draw_findings(rng) if rng.random() < 0.5 else ()
        frontal = "AP" if rng.random() < 0.4 else "PA"
        for visit in range(rng.integers(1, 4)):
            rows.append((body.id, frontal, round(body.age), body.sex, hospital, number, visit, findings))
    columns = ["patient", "view", "age", "sex", "source", "seed", "visit", "findings"]
    table = pd.DataFrame(rows, columns=columns)
    table.loc[rng.permutation(len(table))[: round(LATERALS * len(table))], "view"] = "L"
    table["label"] = table["view"].map(LABEL_OF_VIEW)
    styles = {name: thorax.draw_style(np.random.default_rng(int(name[-2:]))) for name in hospitals}
    table["style"] = table["source"].map(styles)
    names = table["patient"] + "_" + table["visit"].astype(str) + "_" + table["view"] + ".png"
    return table.assign(path="images/" + names)


def embedded_path(part: str) -> Path:
    """Return the folder of one embedded set: "lesson" or "elsewhere"."""
    return settings.embedded_dir() / NAME / f"{part}-{settings.profile().orientation_render_size}px"


def prepare() -> Path:
    """Make the embedded radiographs unless they are there, whole and up to date; return their folder.

    A second run at the same time waits for the first one.
    """
    _prepare("lesson")
    return _prepare("elsewhere").parent


def _requests_of(part: str) -> pd.DataFrame:
    if part == "lesson":
        return requests(SEED, settings.profile().orientation_patients, HOSPITALS)
    return requests(OTHER_SEED, OTHER_PATIENTS, OTHER_HOSPITALS)


def _prepare(part: str) -> Path:
    folder = embedded_path(part)
    table = _requests_of(part)
    recipe = _recipe(table)
    with files.explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=LONGEST_WAIT):
                if not _is_whole(folder, recipe):
                    _render(table, recipe, folder)
        except Timeout as error:
            # Also if a script is not guarded: each worker runs it anew, and waits for the lock of its own parent.
            raise LessonError(
                f"{folder}: another run has been making these images for {LONGEST_WAIT // 60} minutes. Wait for it, or "
                "stop it. If this is your own script, put its code under `if __name__ == '__main__':`."
            ) from error
    return folder


def _render(table: pd.DataFrame, recipe: str, folder: Path) -> None:
    wanted = table.drop(columns="patient").rename(columns={"seed": "patient"})
    with files.placing(folder) as temporary:
        thorax.render_set(wanted, temporary, settings.profile().orientation_render_size)
        table.drop(columns=["findings", "style", "seed"]).to_csv(temporary / METADATA, index=False)
        (temporary / RECIPE).write_text(recipe)
        shutil.rmtree(folder, ignore_errors=True)  # an older one


def _recipe(table: pd.DataFrame) -> str:
    """Return a checksum of what was asked for and of the simulator: when it changes, the files are made again."""
    code = b"".join(path.read_bytes() for path in sorted(Path(thorax.__file__).parent.glob("*.py")))
    return files.md5(table.to_csv(index=False, lineterminator="\n").encode() + code)


def _is_whole(folder: Path, recipe: str) -> bool:
    try:
        if (folder / RECIPE).read_text() != recipe:
            return False
        return all((folder / path).is_file() for path in pd.read_csv(folder / METADATA)["path"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):  # the last two: a damaged table
        return False


def _read_embedded(part: str) -> pd.DataFrame:
    prepare()
    folder = embedded_path(part)
    table = pd.read_csv(folder / METADATA, keep_default_na=False)
    table["path"] = [str(folder / path) for path in table["path"]]
    table.attrs = {"name": "simulated data", "left_out": {}}
    return _tidy(table)


# ---------------------------------------------------------------------------------------------------------
# The published set


def read_collection(folder: Path) -> pd.DataFrame:
    """Return the image table of the published collection: ``metadata.csv`` and ``images/``.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    DataFrame
        As :func:`load` describes it. CT slices, unknown views, rows without their file, further rows of the same
        file, files without a row and files that cannot be read are left out and counted.

    Raises
    ------
    LessonError
        If the folder, a column, or one of the two labels is missing, or a row names a file outside of the folder.
    """
    folder = Path(os.path.abspath(folder))
    path = folder / METADATA
    if not path.is_file():
        raise LessonError(
            f"{path}: the published radiographs are not there. Fetch them with `medlessons data fetch {NAME}`, "
            "or use the simulated ones with MEDLESSONS_SOURCE=embedded."
        )
    rows = _read_metadata(path)
    names = zip(rows["folder"], rows["filename"], strict=True)
    rows["path"] = [os.path.abspath(folder / where / name) for where, name in names]
    _refuse_paths_outside(rows, path)
    rows["label"] = rows["view"].map(LABEL_OF_VIEW)
    there = rows["path"].map(lambda name: Path(name).is_file())
    images_there = {str(name) for name in (folder / "images").glob("*") if name.suffix.lower() in IMAGE_SUFFIXES}
    reasons = {
        "CT slice, not a radiograph": rows["view"].isin(CT_VIEWS),
        "the view is not known": ~rows["view"].isin((*LABEL_OF_VIEW, *CT_VIEWS)),
        "a row without its file": rows["label"].notna() & ~there,
    }
    left_out = {reason: int(which.sum()) for reason, which in reasons.items()}
    left_out["a file without a row"] = len(images_there - set(rows["path"]))
    table = rows[rows["label"].notna() & there].rename(columns={"patientid": "patient", "location": "source"})
    twice = table["path"].duplicated()
    left_out["a further row of the same file"] = int(twice.sum())
    table = table[~twice]
    table.attrs = {"name": "published data", "left_out": {k: n for k, n in left_out.items() if n}}
    return _tidy(images.readable(table), folder)


def _read_metadata(path: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise LessonError(
            f"{path}: this is not a readable CSV file ({error}). Fetch it again with `medlessons data fetch {NAME}`."
        ) from error
    missing = [column for column in COLUMNS if column not in rows.columns]
    if missing:
        raise LessonError(
            f"{path}, line 1: the column {missing[0]} is missing; needed are {', '.join(COLUMNS)}. "
            f"Fetch the file again with `medlessons data fetch {NAME}`."
        )
    nameless = rows.index[rows["patientid"].str.strip() == ""]
    if len(nameless):
        raise LessonError(
            f"{path}, line {nameless[0] + 2}, column patientid: it is empty. Without it the images cannot be split "
            "by patient: fill it in, or remove the row."
        )
    return rows.assign(view=rows["view"].str.strip())


def _refuse_paths_outside(rows: pd.DataFrame, path: Path) -> None:
    """Refuse a row whose file lies outside of the collection: an absolute path, or one with too many ``..``."""
    for index, name in rows["path"].items():
        if not Path(name).is_relative_to(path.parent):
            raise LessonError(
                f"{path}, line {index + 2}, columns folder and filename: they lead to {name}, outside of the "
                "collection. Correct them, or remove the row."
            )


def read_folders(folder: Path) -> pd.DataFrame:
    """Return the image table of own images that lie in the folders ``frontal`` and ``lateral``.

    Parameters
    ----------
    folder : Path
        The patient is what stands before the first underscore of a file's name: ``0017_2.png`` is patient 0017.

    Returns
    -------
    DataFrame
        As :func:`load` describes it, without age and sex.

    Raises
    ------
    LessonError
        If one of the two folders is missing or has no image.
    """
    rows = [
        {"path": str(path), "patient": path.stem.split("_")[0], "view": label, "label": label, "source": folder.name}
        for label in LABELS
        for path in sorted((folder / label).glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    ]
    table = pd.DataFrame(rows, columns=["path", "patient", "view", "label", "source"])
    table.attrs = {"name": "own data", "left_out": {}}
    _check_labels(table, folder)
    return _tidy(images.readable(table), folder)


def _tidy(table: pd.DataFrame, folder: Path | None = None) -> pd.DataFrame:
    """Return the columns of an image table in their order, after checking that both labels are there."""
    if folder is not None:
        _check_labels(table, folder)
    table = table.reset_index(drop=True)
    for column in ("age", "sex", "source"):
        if column not in table:
            table[column] = ""
    table["age"] = pd.to_numeric(table["age"], errors="coerce")
    table["patient"] = table["patient"].astype(str)
    return table[["path", "patient", "view", "label", "age", "sex", "source"]]


def _check_labels(table: pd.DataFrame, folder: Path) -> None:
    counts = table["label"].value_counts()
    for label in LABELS:
        if counts.get(label, 0) == 0:
            if any(_is_dicom(path) for path in folder.rglob("*")):
                raise LessonError(
                    f"{folder}: there is no {label} radiograph that can be read, but there are DICOM files. Convert "
                    "them to PNG first."
                )
            have = ", ".join(f"{n} {name}" for name, n in counts.items()) or "no image at all"
            raise LessonError(
                f"{folder}: there is no {label} radiograph ({have}), but both kinds are needed to tell them apart. Add "
                f"some, or fetch the published set with `medlessons data fetch {NAME}`."
            )


def _is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132).endswith(b"DICM")  # DICOM PS3.10, section 7.1: after 128 bytes of any kind


# ---------------------------------------------------------------------------------------------------------
# Fetching and status


def fetch(origin: str | Path | None = None, progress: bool = True) -> Path:
    """Bring the published collection to where :func:`load` expects it.

    Parameters
    ----------
    origin : str or Path, optional
        A URL, a zip, or a folder that holds ``metadata.csv`` and ``images/``; GitHub unless given.
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    Path
        The folder. It is put there only after its table was read and both views were found.

    Raises
    ------
    LessonError
        If the download fails, the table or the images cannot be read, or something is there already.
    """
    goal = settings.real_dir() / FOLDER
    if goal.exists():
        raise LessonError(f"{goal}: there is something already. Move it away first.")
    with download.workspace(goal) as workplace:
        place = download.bring(ARCHIVE if origin is None else origin, workplace, progress)
        table = download.find_file(place, METADATA, workplace)
        if table.name != METADATA:
            raise LessonError(
                f"{table.name}: this is not the published collection. Give a zip with --from, or the folder that holds "
                f"{METADATA} and images/."
            )
        found = table.parent
        with files.placing(goal) as temporary:
            temporary.mkdir()
            shutil.copy2(found / METADATA, temporary / METADATA)
            if (found / "images").is_dir():
                shutil.copytree(found / "images", temporary / "images")
            read_collection(temporary)
    return goal


def status() -> list[download.Status]:
    """Say what is there of the embedded and of the real images. Their first bytes are read, not their pixels."""
    own, collection = settings.real_dir() / NAME, settings.real_dir() / FOLDER
    real = _status(own, "own data") if own.is_dir() else _status(collection, "published data", METADATA)
    return [_embedded_status(), real]


def _embedded_status() -> download.Status:
    folder = embedded_path("lesson")
    if not folder.exists():
        return download.Status(NAME, "embedded", folder, False, 0, False, "not there")
    whole = _is_whole(folder, _recipe(_requests_of("lesson")))
    note = "simulated data" if whole else "incomplete or out of date; they will be made again"
    return download.Status(NAME, "embedded", folder, True, len(_images(folder)), whole, note)


def _status(folder: Path, note: str, table: str = "") -> download.Status:
    if not (folder / table).exists():
        return download.Status(NAME, "real", folder, False, 0, False, "not there")
    there = _images(folder)
    wrong = [path.name for path in there if not images.is_image(path)]
    if not there:
        note += ", but no image"
    elif wrong:
        note += f", but {len(wrong)} of the files are no images, such as {wrong[0]}"
    return download.Status(NAME, "real", folder, True, len(there), bool(there) and not wrong, note)


def _images(folder: Path) -> list[Path]:
    """Return the files in the subfolders that have the name of an image."""
    return sorted(path for path in folder.glob("*/*") if path.suffix.lower() in IMAGE_SUFFIXES)
