"""From image files to batches of numbers: decode, make gray, resize.

All arithmetic on pixels is done by Pillow in whole numbers, so that every machine reads the same batch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from medlessons import files
from medlessons.errors import LessonError
from medlessons.wording import _

SMALLEST = 32  # pixels: nobody can tell anything from a smaller radiograph
DEEP_MODES = ("I;16", "I;16L", "I;16B", "I")
DEEP_BITS = (8, 10, 12, 14, 16)
BT601 = (299, 587, 114)  # red, green and blue in gray: ITU-R BT.601
BITS, PHOTOMETRIC = 258, 262  # tags of a TIFF file; photometric 0: white is 0

# Of 16-bit color, Pillow gives the upper bytes. Raw mode -> the one that gives the lower bytes: the other byte order.
LOWER_BYTES = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA", "RGBX")
    for order, other in (("B", "L"), ("L", "B"), ("N", "B"))  # N: of the processor, which is L
} | {"LA;16B": "RGBA"}


def read(path: str | Path) -> np.ndarray:
    """Read one image file as 8-bit gray.

    Parameters
    ----------
    path : path of a PNG, JPEG, GIF, BMP or TIFF file
        It is turned upright as a viewer does it (EXIF). Color and palette images are made gray with the weights of
        ITU-R BT.601; what is transparent becomes black. In a 16-bit image, gray or color, the levels are divided by the
        largest number that its detector could write: 8, 10, 12, 14 or 16 bits, the smallest of them that holds the
        brightest pixel.

    Returns
    -------
    array of uint8, shape (height, width)
        0 is black, 255 is white.

    Raises
    ------
    LessonError
        If the file is missing, is no image, is cut off, is smaller than 32 x 32 pixels, or so large that Pillow
        refuses it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:  # by its name, Pillow maps it to memory, and a TIFF on its side becomes stripes
            gray = _decode(file)
    except LessonError as error:
        raise LessonError(f"{path}: {error}") from error
    except Exception as error:  # Pillow raises many kinds on a damaged file: IndexError, struct.error, SyntaxError
        raise LessonError(f"{path}: {_explain(error)}") from error
    if min(gray.shape) < SMALLEST:
        raise LessonError(
            f"{path}: the image has {gray.shape[1]} x {gray.shape[0]} pixels, but at least {SMALLEST} x {SMALLEST} are "
            "needed. Replace or remove it."
        )
    return gray


def _explain(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such image. Check the path, or fetch the data again."
    if isinstance(error, UnidentifiedImageError):
        return "this is not an image, whatever its name says. Look at it in a text editor, then replace or remove it."
    if isinstance(error, Image.DecompressionBombError):
        return f"the image is too large ({error}). Save it with fewer pixels, or remove it."
    return f"the image is damaged or cut off ({error}). Copy or download it again."


def is_image(path: str | Path) -> bool:
    """Say whether a file begins like an image. Its pixels are not read, which is quick: they may still be damaged."""
    try:
        with Image.open(path):
            return True
    except Exception:  # as in read
        return False


def _decode(file: BinaryIO) -> np.ndarray:
    """Return the gray levels of an image file as uint8, upright."""
    with Image.open(file) as image:
        raw, inverted = _raw_mode(image), image.format == "TIFF" and image.tag_v2.get(PHOTOMETRIC) == 0
        pixels = ImageOps.exif_transpose(image)
    if pixels.mode in DEEP_MODES:
        gray = _scale(np.asarray(pixels).astype(np.int64))
        return 255 - gray if inverted else gray  # Pillow inverts those of 8 bits itself
    if raw in LOWER_BYTES:
        with Image.open(file) as image:
            image.tile = [tile._replace(args=_with_raw_mode(tile.args, LOWER_BYTES[raw])) for tile in image.tile]
            return _deep_color_to_gray(np.asarray(pixels), np.asarray(ImageOps.exif_transpose(image)), raw)
    return _to_gray(pixels)


def _raw_mode(image: Image.Image) -> str:
    """Return how the pixels of a file are stored, such as "RGB;16B"; refuse 16-bit color that Pillow would mix up."""
    args = image.tile[0].args if image.tile else ""
    raw = args if isinstance(args, str) else str(args[0])
    deep = image.format == "TIFF" and max(image.tag_v2.get(BITS, (8,))) == 16 and image.mode not in DEEP_MODES
    if deep and raw not in LOWER_BYTES:
        raise LessonError("this form of 16-bit color is not read. Save the image again as gray, with 8 or 16 bits.")
    return raw


def _with_raw_mode(args: str | tuple, raw: str) -> str | tuple:
    return raw if isinstance(args, str) else (raw, *args[1:])


def _deep_color_to_gray(upper: np.ndarray, lower: np.ndarray, raw: str) -> np.ndarray:
    """Make 16-bit color gray, from the upper and the lower bytes of its pixels."""
    levels = upper.astype(np.int64) * 256 + lower
    if raw.startswith("LA"):  # gray and alpha, whose four bytes stand in the place of the lower ones
        levels = lower.astype(np.int64) @ [[256, 0], [1, 0], [0, 256], [0, 1]]
    gray = levels[..., :3] @ BT601 // sum(BT601) if levels.shape[-1] > 2 else levels[..., 0]
    alpha = _scale(levels[..., -1]) if levels.shape[-1] != 3 else 255
    return (_scale(gray).astype(int) * alpha // 255).astype(np.uint8)


def _scale(levels: np.ndarray) -> np.ndarray:
    """Return the levels of a detector of 8 to 16 bits as uint8."""
    top = int(levels.max())
    bits = next((bits for bits in DEEP_BITS if top < 2**bits), None)
    if bits is None or levels.min() < 0:
        raise LessonError(
            f"the gray levels run from {levels.min()} to {top}, but 0 to 65535 were expected. "
            "Save the image again with 8 or 16 bits."
        )
    return np.rint(levels * 255 / (2**bits - 1)).astype(np.uint8)


def _to_gray(image: Image.Image) -> np.ndarray:
    if image.mode == "F":
        raise LessonError("the gray levels are decimal numbers. Save it again with 8 or 16 bits.")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image).convert("RGB")
    return np.asarray(image.convert("L"))


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """Squeeze or stretch an image to a square.

    Parameters
    ----------
    image : array of uint8, shape (height, width)
    size : int
        Edge of the square in pixels.

    Returns
    -------
    array of uint8, shape (size, size)
    """
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def load(paths: Sequence[str | Path], size: int) -> np.ndarray:
    """Read many images into one batch.

    Parameters
    ----------
    paths : sequence of paths, such as the column ``path`` of an image table
    size : int
        Edge of the square that each image becomes, in pixels.

    Returns
    -------
    array of float32, shape (images, size, size, 1)
        Gray levels from 0 to 255: the networks of the lessons scale them themselves.

    Raises
    ------
    LessonError
        If one of the files cannot be read (see :func:`read`), or there is none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (60, 50), color=200).save(f"{folder}/gray.png")
    ...     batch = load([f"{folder}/gray.png"], size=32)
    >>> batch.shape, batch.max().item()
    ((1, 32, 32, 1), 200.0)
    """
    if len(paths) == 0:
        raise LessonError("There is no image to read: the list of paths is empty.")
    return np.stack([resize(read(path), size) for path in paths])[..., np.newaxis].astype(np.float32)


def write_folders(table: pd.DataFrame, folder: str | Path, size: int) -> Path:
    """Write the images of a table into one folder per label, for ``keras.utils.image_dataset_from_directory``.

    Parameters
    ----------
    table : DataFrame
        An image table with the columns ``path`` and ``label``.
    folder : path
        Gets one subfolder per label. It must not exist yet.
    size : int
        Edge of the square that each image becomes, in pixels.

    Returns
    -------
    Path
        ``folder``. Its files are named after their row in the table: ``lateral/00012.png``.

    Raises
    ------
    LessonError
        If the folder is there already, or a file cannot be read.
    """
    folder = Path(folder)
    if folder.exists():
        raise LessonError(f"{folder}: this folder is there already. Remove it or choose another name.")
    with files.atomic_write(folder) as whole:
        rows = zip(table["path"], table["label"], strict=True)
        for number, (path, label) in enumerate(tqdm(rows, desc=_("writing images"), total=len(table))):
            target = whole / label / f"{number:05d}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(resize(read(path), size)).save(target, compress_level=1)
    return folder


def batches(
    table: pd.DataFrame,
    size: int,
    positive: str | Sequence[str],
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
):
    """Read the images of a table batch by batch: nothing is copied, and an image is read once, when it is needed.

    Parameters
    ----------
    table : DataFrame
        An image table with the column ``path``.
    size : int
        Edge of the square that each image becomes, in pixels.
    positive : str or sequence of str
        What is 1: one value of the column ``label``, all others become 0; or several 0/1 columns, one output each.
    batch_size : int
    shuffle : bool
        Whether the order changes from epoch to epoch. For training only.
    seed : int
        Start of the order.

    Returns
    -------
    tf.data.Dataset
        Pairs of images, float32 of shape (batch, size, size, 1) from 0 to 255, and labels, float32 of shape (batch,
        outputs). The last batch may be smaller; no image is lost.

    Raises
    ------
    LessonError
        If the table has no such label or column, or a column holds anything but 0 and 1.
    """
    import tensorflow as tf  # here: it takes seconds, and reading single images does not need it

    def decode(path, label):
        image = tf.numpy_function(lambda path: resize(read(path.decode()), size), [path], tf.uint8)
        image = tf.ensure_shape(image, (size, size))
        return tf.cast(image, tf.float32)[..., tf.newaxis], label

    pairs = tf.data.Dataset.from_tensor_slices((table["path"].to_numpy(str), _labels(table, positive)))
    pairs = pairs.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).cache()
    if shuffle:
        pairs = pairs.shuffle(len(table), seed=seed)
    return pairs.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def _labels(table: pd.DataFrame, positive: str | Sequence[str]) -> np.ndarray:
    """Return 0 or 1 for each image and output: float32, shape (images, outputs)."""
    if isinstance(positive, str):
        if positive not in set(table["label"]):
            have = ", ".join(map(str, table["label"].unique()))
            raise LessonError(f"The column label has no {positive!r}; it has {have}.")
        return (table["label"] == positive).to_numpy(np.float32)[:, np.newaxis]
    missing = [name for name in positive if name not in table.columns]
    if missing:
        raise LessonError(f"The table has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))}.")
    labels = table[list(positive)].to_numpy(np.float32)
    if not np.isin(labels, (0, 1)).all():
        raise LessonError(f"The columns {', '.join(positive)} must hold 0 and 1 only.")
    return labels
