"""MRI scans of a head from NIfTI files: one shape, one order of the sequences, one meaning of the labels.

Two layouts are read: that of the Medical Segmentation Decathlon, where a file holds all four sequences, and that of
BraTS, where each sequence has a file of its own, and the tissues have other numbers.
"""

import gzip
import json
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from medlessons import volumes
from medlessons.data import text
from medlessons.errors import LessonError
from medlessons.wording import _
from simclinic.brain import CHANNELS

LABELS = ("background", *volumes.LABELS.values())
SUFFIXES = (".nii", ".nii.gz")
DATASET = "dataset.json"
VOXEL = (0.2, 20.0)  # mm: the shortest and the longest edge that is believed

UNREADABLE = (  # what nibabel says of a file that is damaged or something else
    OSError,
    EOFError,
    ValueError,
    TypeError,
    zlib.error,
    np.linalg.LinAlgError,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)

# How BraTS ends the names of a patient's files: FLAIR, T1w, T1gd, T2w, and the labels; and what its labels are here.
BRATS = (("_flair", "_t1", "_t1ce", "_t2", "_seg"), ("-t2f", "-t1n", "-t1c", "-t2w", "-seg"))  # to 2021, from 2023
BRATS_LABELS = ({0: 0, 1: 2, 2: 1, 4: 3}, {0: 0, 1: 2, 2: 1, 3: 3})

# How dataset.json may call a sequence or a tissue: in small letters, without all that is not a letter or a digit.
CHANNEL_NAMES = (
    ("flair", "t2f", "t2flair"),
    ("t1w", "t1", "t1n"),
    ("t1gd", "t1ce", "t1c", "t1wce"),
    ("t2w", "t2"),
)
LABEL_NAMES = (
    ("background",),
    ("edema", "oedema", "peritumoraledema"),
    ("nonenhancingtumor", "nonenhancingtumour", "necrosis"),
    ("enhancingtumor", "enhancingtumour"),
)


@dataclass(frozen=True)
class Volume:
    """A scan of a head; x runs from the patient's left to the right, y from back to front, z upward."""

    image: np.ndarray  # float32, (x, y, z, 4): FLAIR, T1w, T1gd, T2w
    label: np.ndarray | None  # uint8, (x, y, z): 0 background, 1 edema, 2 non-enhancing, 3 enhancing tumor
    spacing: tuple[float, float, float]  # edges of a voxel along x, y and z, mm
    name: str

    def __post_init__(self):
        if self.image.ndim != 4 or self.image.shape[-1] != len(CHANNELS):
            said = _("{name}: an image has the shape (x, y, z, 4), one channel for each of {channels}, not {shape}.")
            raise LessonError(said.format(name=self.name, channels=", ".join(CHANNELS), shape=self.image.shape))


def is_scan(path: Path) -> bool:
    """Say whether a file has the name of a NIfTI file, and is none of macOS' ``._*``."""
    return path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")


def stem(path: Path) -> str:
    """Return the name of a NIfTI file without ``.nii.gz`` or ``.nii``."""
    return path.name[: path.name.lower().rindex(".nii")]


def read_scan(scan: Mapping | str | Path, label_path: str | Path | None = None) -> Volume:
    """Read one scan, and its labels.

    Parameters
    ----------
    scan : mapping or path
        A row of a table of scans, with ``path`` and ``label_path``; or the path of the image: a Decathlon file with
        four sequences, or the FLAIR file of BraTS, beside which the other three are looked for.
    label_path : path, optional
        Of the labels, if ``scan`` is a path; an empty one means none.

    Returns
    -------
    Volume
        With the axes in the same order and direction whatever the file has (the closest to RAS), and voxels of the
        file's size; ``label`` is None without a path of labels.

    Raises
    ------
    LessonError
        If a file is missing, damaged or no NIfTI file; if there are not four sequences, one is empty, or their order is
        not known; if image and labels do not cover the same place, or a label is not one of four.
    """
    if isinstance(scan, Mapping) or hasattr(scan, "index"):  # a row is a pandas Series
        scan, label_path = scan["path"], scan["label_path"]
    path = Path(scan)
    year = brats_year(path)
    nifti = _read_decathlon(path) if year is None else _read_brats(path)
    image = np.asarray(nifti.dataobj, dtype=np.float32)
    _check_image(path, nifti, image)
    label = _read_label(Path(label_path), nifti, path, year) if label_path else None
    return Volume(image, label, tuple(round(float(edge), 4) for edge in voxel_sizes(nifti.affine)), stem(path))


# ---------------------------------------------------------------------------------------------------------
# Images


def brats_year(path: Path) -> int | None:
    """Return which of the two ways of naming in :data:`BRATS` a FLAIR file follows; None if neither."""
    name = stem(path).lower() if is_scan(path) else ""
    return next((year for year, endings in enumerate(BRATS) if name.endswith(endings[0])), None)


def brats_files(path: Path, year: int) -> list[Path]:
    """Return the files of the four sequences, and of the labels, that belong to a FLAIR file, whether there or not."""
    ending = path.name[len(stem(path)) :]
    patient = stem(path)[: -len(BRATS[year][0])]
    others = {one.name.lower(): one for one in path.parent.glob("*") if is_scan(one)}
    files = []
    for suffix in BRATS[year]:
        names = [f"{patient}{suffix}{kind}" for kind in (ending, *SUFFIXES)]
        files.append(next((others[n.lower()] for n in names if n.lower() in others), path.with_name(names[0])))
    return files


def image_files(path: Path) -> list[Path]:
    """Return the files that hold the four sequences: one of the Decathlon, four of BraTS."""
    year = brats_year(path)
    return [path] if year is None else brats_files(path, year)[:4]


def _read_brats(path: Path) -> nib.Nifti1Image:
    """Return the four sequences of a BraTS patient as one image."""
    files = image_files(path)
    parts = [read_nifti(file) for file in files]
    for file, part in zip(files, parts, strict=True):
        if part.ndim != 3:
            said = _("{file}: a sequence of BraTS has three axes, but this file has the shape {shape}.")
            raise LessonError(said.format(file=file, shape=part.shape))
        _check_place(file, part, files[0], parts[0])
    image = np.stack([np.asarray(part.dataobj, np.float32) for part in parts], axis=-1)
    return nib.Nifti1Image(image, parts[0].affine)


def _read_decathlon(path: Path) -> nib.Nifti1Image:
    nifti = read_nifti(path)
    if nifti.ndim != 4 or nifti.shape[3] != len(CHANNELS):
        said = _(
            "{file}: the shape is {shape}, but the lesson needs four sequences ({channels}) on a fourth axis. Put them "
            "into one file; or name four files as BraTS does, NAME_flair.nii.gz, NAME_t1, NAME_t1ce and NAME_t2."
        )
        raise LessonError(said.format(file=path, shape=nifti.shape, channels=", ".join(CHANNELS)))
    order = list(channel_order(path.parent.parent))
    if order == sorted(order):
        return nifti
    return nib.Nifti1Image(np.asarray(nifti.dataobj, np.float32)[..., order], nifti.affine)


def _check_image(path: Path, nifti: nib.Nifti1Image, image: np.ndarray) -> None:
    edges = voxel_sizes(nifti.affine)
    if not (edges >= VOXEL[0]).all() or not (edges <= VOXEL[1]).all():
        said = _("{file}: its voxels have edges of {edges}. Expected are {least} to {most} mm: convert it again.")
        edges = " x ".join(f"{edge:.4g}" for edge in edges)
        raise LessonError(said.format(file=path, edges=edges, least=VOXEL[0], most=VOXEL[1]))
    if not np.isfinite(image).all():
        said = _("{file}: {count} of its voxels hold no number (nan or infinite). Replace them by 0.")
        raise LessonError(said.format(file=path, count=int((~np.isfinite(image)).sum())))
    for channel, name in enumerate(CHANNELS):
        if image[..., channel].min() == image[..., channel].max():
            said = _("{file}: there is no head in {channel}: all its voxels are {value:g}. Leave this scan out.")
            raise LessonError(said.format(file=path, channel=name, value=image[0, 0, 0, channel]))


# ---------------------------------------------------------------------------------------------------------
# Labels


def _read_label(path: Path, image: nib.Nifti1Image, image_path: Path, year: int | None) -> np.ndarray:
    nifti = read_nifti(path)
    values = np.asarray(nifti.dataobj, np.float32)
    if nifti.ndim == 4 and nifti.shape[3] == 1:
        values = values[..., 0]
    _check_place(path, nifti, image_path, image)
    numbers = label_numbers(image_path.parent.parent) if year is None else BRATS_LABELS[year]
    found = np.unique(values)
    strange = [float(value) for value in found if float(value) not in numbers]
    if strange:
        said = _(
            "{file}: {count} voxels have the label {value:g}, but there are only {labels} ({names}). If these are the "
            "numbers of BraTS, name the files as BraTS does (NAME_seg.nii.gz); else correct the file or leave it out."
        )
        labels = ", ".join(str(number) for number in sorted(numbers))
        count = int((values == strange[0]).sum()) if strange[0] == strange[0] else int(np.isnan(values).sum())
        names = ", ".join(LABELS[numbers[number]] for number in sorted(numbers))
        raise LessonError(said.format(file=path, count=count, value=strange[0], labels=labels, names=names))
    label = np.zeros(values.shape, np.uint8)
    for number, tissue in numbers.items():
        label[values == number] = tissue
    return label


def _check_place(path: Path, nifti: nib.Nifti1Image, other_path: Path, other: nib.Nifti1Image) -> None:
    """Raise LessonError unless two files cover the same place, to half a voxel."""
    if nifti.shape[:3] != other.shape[:3] or (nifti.ndim > 3 and nifti.shape[3:] != (1,)):
        said = _("{file}: its shape {shape} is not that of {other}, {expected}. They do not belong together.")
        expected = other.shape[:3]
        raise LessonError(said.format(file=path, shape=nifti.shape, other=other_path.name, expected=expected))
    corners = np.stack(np.meshgrid(*[(0, size - 1) for size in other.shape[:3]]), axis=-1).reshape(-1, 3)
    apart = np.linalg.norm(apply_affine(nifti.affine, corners) - apply_affine(other.affine, corners), axis=1).max()
    if not apart < 0.5 * voxel_sizes(other.affine).min():
        said = _(
            "{file}: by its affine it lies up to {apart:.1f} mm away from {other}. They do not belong together; or, if "
            "they do, bring both to the same grid."
        )
        raise LessonError(said.format(file=path, apart=apart, other=other_path.name))


# ---------------------------------------------------------------------------------------------------------
# Another grid


def to_grid(
    volume: Volume, shape: tuple[int, int, int] = (64, 64, 32), spacing: tuple[float, float, float] = (3.0, 3.0, 4.5)
) -> Volume:
    """Bring a scan to another grid, whose middle is the middle of the head.

    Each new voxel gets the mean of what it covers, by volume. What lies outside of the scan counts as air, 0. The box
    around all that is not 0 is taken for the head.

    Parameters
    ----------
    volume : Volume
    shape : three int
        Voxels along x, y and z.
    spacing : three float
        Edges of a voxel along x, y and z, mm.

    Returns
    -------
    Volume
        ``volume`` itself if it has this grid already. A voxel is labeled as tumor where more than half of it is, with
        the tissue that fills most of it.
    """
    if volume.image.shape[:3] == tuple(shape) and np.allclose(volume.spacing, spacing, rtol=1e-3):
        return volume
    head = (volume.image != 0).any(-1)
    shares = []
    for axis, (count, new, old) in enumerate(zip(shape, spacing, volume.spacing, strict=True)):
        there = np.flatnonzero(head.any(tuple({0, 1, 2} - {axis})))
        middle = old * (there[0] + there[-1] + 1) / 2
        shares.append(_coverage(head.shape[axis], old, count, new, middle))
    image = np.stack([_resample(volume.image[..., channel], shares) for channel in range(len(CHANNELS))], axis=-1)
    label = volume.label
    if label is not None:
        parts = np.stack([_resample(label == tissue, shares) for tissue in range(1, len(LABELS))])
        label = np.where(parts.sum(0) > 0.5, 1 + parts.argmax(0), 0).astype(np.uint8)
    return Volume(image, label, tuple(float(edge) for edge in spacing), volume.name)


def _coverage(old_count: int, old: float, count: int, new: float, middle: float) -> np.ndarray:
    """Return which share of each new voxel each old one covers along an axis, (count, old_count)."""
    starts, old_starts = middle + new * (np.arange(count)[:, None] - count / 2), old * np.arange(old_count)
    overlap = np.minimum(starts + new, old_starts + old) - np.maximum(starts, old_starts)
    return (np.clip(overlap, 0, None) / new).astype(np.float32)


def _resample(values: np.ndarray, shares: list[np.ndarray]) -> np.ndarray:
    """Return the mean of ``values`` in each voxel of a new grid, one axis after the other."""
    for share in shares:  # the first axis goes, and its successor comes last: after three turns the order is the old
        values = np.tensordot(values.astype(np.float32, copy=False), share, axes=(0, 1))
    return values


# ---------------------------------------------------------------------------------------------------------
# What dataset.json says


def channel_order(folder: Path) -> tuple[int, ...]:
    """Return at which places of the files' last axis FLAIR, T1w, T1gd and T2w are, as ``dataset.json`` says.

    Raises
    ------
    LessonError
        If it names something else than these four sequences.
    """
    content = read_dataset(folder)
    names = content.get("modality", content.get("channel_names"))
    if names is None:
        return (0, 1, 2, 3)
    place_of = _match(folder, "modality", names, CHANNEL_NAMES)
    return tuple(place_of[channel] for channel in range(len(CHANNELS)))


def label_numbers(folder: Path) -> dict[int, int]:
    """Return number in the files -> index in :data:`LABELS`, as ``dataset.json`` says (:func:`channel_order`)."""
    names = read_dataset(folder).get("labels")
    if names is None:
        return {number: number for number in range(len(LABELS))}
    if isinstance(names, dict) and all(isinstance(value, int) for value in names.values()):  # nnU-Net turns it round
        names = {number: name for name, number in names.items()}
    return {number: tissue for tissue, number in _match(folder, "labels", names, LABEL_NAMES).items()}


def _match(folder: Path, entry: str, names: Mapping, known: tuple[tuple[str, ...], ...]) -> dict[int, int]:
    """Return index in ``known`` -> number that ``dataset.json`` gives it."""
    if not isinstance(names, dict):
        said = _("{file}: {entry} is {names!r}, which is no table of numbers and names. Download it again.")
        raise LessonError(said.format(file=folder / DATASET, entry=entry, names=names))
    numbers = {"".join(filter(str.isalnum, str(name).lower())): number for number, name in names.items()}
    found = [[int(numbers[name]) for name in alike if name in numbers] for alike in known]
    if len(numbers) != len(known) or not all(len(one) == 1 for one in found):
        said = _("{file}: {entry} is {names}, but expected is {expected}, in any order. Correct the names.")
        names, expected = ", ".join(map(str, names.values())), ", ".join(CHANNELS if entry == "modality" else LABELS)
        raise LessonError(said.format(file=folder / DATASET, entry=entry, names=names, expected=expected))
    return {index: one[0] for index, one in enumerate(found)}


def read_dataset(folder: Path) -> dict:
    """Return what stands in the ``dataset.json`` of a folder; nothing if there is none.

    Raises
    ------
    LessonError
        If it is no JSON, or no table of names.
    """
    path = folder / DATASET
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        said = _("{file}: this is not readable JSON ({error}). Download the data set again.")
        raise LessonError(said.format(file=path, error=error)) from error
    if not isinstance(content, dict):
        raise LessonError(_("{file}: this does not describe a data set. Download it again.").format(file=path))
    return content


# ---------------------------------------------------------------------------------------------------------
# Files


def read_nifti(path: Path) -> nib.Nifti1Image:
    """Read a NIfTI file, whole, and turn its axes to the closest to RAS.

    Raises
    ------
    LessonError
        If it is missing, cut off, damaged or something else.
    """
    content = _unpacked(path)
    try:
        kind = nib.Nifti2Image if 540 in (int.from_bytes(content[:4], order) for order in ("little", "big")) else None
        nifti = (kind or nib.Nifti1Image).from_bytes(content)
        values = np.asarray(nifti.dataobj)
        if values.ndim == 5 and values.shape[3] == 1:  # NIfTI puts vectors on a fifth axis
            values = values[:, :, :, 0]
        if values.dtype.kind not in "iuf" or values.ndim not in (3, 4) or 0 in values.shape:
            raise ValueError(_("shape {shape}, {kind}").format(shape=values.shape, kind=values.dtype))
        return nib.as_closest_canonical(nib.Nifti1Image(values.astype(np.float32), nifti.affine))
    except UNREADABLE as why:
        raise _not_a_scan(path, content, why) from why


def check_file(path: Path) -> None:
    """Look at the beginning and the end of a NIfTI file, which is a thousand times faster than to read it.

    Raises
    ------
    LessonError
        If it is something else, or cut off.
    """
    try:
        voxels = nib.load(path).dataobj
        expected = voxels.offset + math.prod(voxels.shape) * voxels.dtype.itemsize
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            end = file.seek(-4, os.SEEK_END) + 4
            size = int.from_bytes(file.read(), "little") if packed else end
        is_whole = size == expected % 2**32 if packed else size >= expected
    except UNREADABLE:
        is_whole = False
    if not is_whole:
        read_nifti(path)  # which says what is wrong; two packed parts in one file are no fault


def _unpacked(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        said = _("{file}: the file is damaged or cut off ({error}). Download it again.")
        raise LessonError(said.format(file=path, error=error)) from error
    except OSError as error:
        said = _("{file}: the file cannot be read ({error}). Fetch the data set again, or leave this scan out.")
        raise LessonError(said.format(file=path, error=error.strerror or error)) from error


def _not_a_scan(path: Path, content: bytes, why: Exception) -> LessonError:
    if content.lstrip()[:20].lower().startswith(text.WEB_PAGE):
        return LessonError(f"{path}: {text.IS_WEB_PAGE}")
    if content[128:132] == b"DICM":
        return LessonError(_("{file}: this is DICOM. Convert it to NIfTI first, with dcm2niix.").format(file=path))
    said = _("{file}: this is no NIfTI file of numbers, or a cut one ({why}). Download it again.")
    return LessonError(said.format(file=path, why=" ".join(str(why).split())[:100]))
