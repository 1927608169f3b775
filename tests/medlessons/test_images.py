"""Every kind of image file becomes the same gray batch, and every bad one is named."""

import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medlessons import images
from medlessons.errors import LessonError

RAMP = np.linspace(0, 255, 64 * 48).reshape(64, 48).astype(np.uint8)


def save(path, array, mode=None, **options):
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_gray_is_gray_in_every_mode(tmp_path, mode):
    read = images.read(save(tmp_path / "a.png", RAMP, mode))
    assert read.shape == (64, 48) and read.dtype == np.uint8
    assert np.abs(read.astype(int) - RAMP).max() <= 1


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_16_bit_image_is_scaled_not_clipped(tmp_path, bits):
    deep = np.rint(RAMP / 255 * (2**bits - 1)).astype(np.uint16)
    read = images.read(save(tmp_path / "a.png", deep))
    assert np.abs(read.astype(int) - RAMP).max() <= 1


def test_what_is_transparent_becomes_black(tmp_path):
    picture = np.dstack([RAMP, RAMP, RAMP, np.where(RAMP > 100, 255, 0)]).astype(np.uint8)
    read = images.read(save(tmp_path / "a.png", picture))
    assert (read[RAMP <= 100] == 0).all() and (read[RAMP > 100] == RAMP[RAMP > 100]).all()


def test_a_palette_with_transparency_is_read(tmp_path):
    picture = Image.fromarray(np.where(RAMP > 100, 200, 150).astype(np.uint8)).convert("P")
    picture.save(tmp_path / "a.png", transparency=150)
    assert (images.read(tmp_path / "a.png") == np.where(RAMP > 100, 200, 0)).all()


def test_colors_are_weighted(tmp_path):
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 255
    assert images.read(save(tmp_path / "a.png", red))[0, 0] == 76  # 0.299 * 255


def truncated(path):
    save(path, np.random.default_rng(0).integers(0, 255, (200, 200), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    "name, make, says",
    [
        ("cut.jpg", truncated, "damaged or cut off"),
        ("text.png", lambda path: path.write_text("patient,view\n1,PA\n"), "not an image"),
        ("empty.png", lambda path: path.write_bytes(b""), "not an image"),
        ("dot.png", lambda path: save(path, RAMP[:1, :1]), "1 x 1 pixels"),
        ("strip.png", lambda path: save(path, RAMP[:8]), "48 x 8 pixels"),
        ("gone.png", lambda path: None, "no such image"),
        ("float.tif", lambda path: save(path, RAMP.astype(np.float32)), "decimal"),
        ("negative.tif", lambda path: save(path, RAMP.astype(np.int32) - 99), "-99 to 156"),
        ("bright.tif", lambda path: save(path, RAMP.astype(np.int32) + 65_281), "to 65536, but 0 to 65535"),
        ("small.png", lambda path: save(path, RAMP[:32, :31]), "31 x 32 pixels"),
        ("cut.png", truncated, "damaged or cut off"),
    ],
)
def test_a_bad_file_is_named(tmp_path, name, make, says):
    make(tmp_path / name)
    with pytest.raises(LessonError, match=says) as error:
        images.read(tmp_path / name)
    assert name in str(error.value)


def test_the_smallest_image_and_the_brightest_level_are_read(tmp_path):
    assert images.read(save(tmp_path / "a.png", RAMP[:32, :32])).shape == (32, 32)
    assert images.read(save(tmp_path / "a.tif", RAMP.astype(np.int32) + 65_280)).max() == 255


@pytest.mark.parametrize(
    "suffix, deep, options",
    [
        ("jpg", False, {"quality": 100}),
        ("png", False, {}),
        ("png", True, {}),
        ("tif", False, {}),
        ("tif", True, {}),
        ("tif", False, {"compression": "tiff_lzw"}),
    ],
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_upright_as_a_viewer_shows_it(tmp_path, suffix, options, deep, orientation):
    """Pictures of phones and scanners are stored as they were held, with a note how to turn them."""
    back = [None, 0, 3, 1, 5, 2, 6, 4][orientation - 1]  # Image.Transpose: from what a viewer shows to what is stored
    shown = Image.fromarray(RAMP.astype(np.uint16) * 257 if deep else RAMP)
    stored = shown if back is None else shown.transpose(Image.Transpose(back))
    note = Image.Exif()
    note[0x0112] = orientation
    stored.save(tmp_path / f"a.{suffix}", **options, **({"tiffinfo": note} if suffix == "tif" else {"exif": note}))
    assert np.abs(images.read(tmp_path / f"a.{suffix}").astype(int) - RAMP).max() <= 2


def png(path, width, height, kind, pixels, *further):
    """Write a PNG of 16 bits; ``further`` are chunks after its pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    body = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    rest = b"".join(chunk(*each) for each in further)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + rest + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind, channels", [(2, 3), (6, 4), (4, 2)])
def test_16_bit_color_and_alpha_are_scaled_as_16_bit_gray_is(tmp_path, bits, kind, channels):
    deep = np.rint(RAMP / 255 * (2**bits - 1)).astype(np.uint16)
    parts = [deep] * channels
    if kind != 2:
        parts[-1] = np.full_like(deep, 2**16 - 1)
        parts[-1][:5] = 0
    read = images.read(png(tmp_path / "a.png", 48, 64, kind, np.dstack(parts)))
    wanted = RAMP if kind == 2 else np.where(np.arange(64)[:, None] < 5, 0, RAMP)
    assert read.dtype == np.uint8 and np.abs(read.astype(int) - wanted).max() <= 1


def deep_tiff(path, order, planes=1, photometric=2, channels=3):
    """Write an uncompressed TIFF of 16 bits; ``planes`` is 2 if red, green and blue stand one after the other."""
    deep = np.dstack([RAMP.astype(np.uint16) * 16] * channels)
    pixels = (deep if planes == 1 else np.moveaxis(deep, 2, 0)).astype(f"{order}u2").tobytes()
    size, strips = 64 * 48 * 2, channels if planes == 2 else 1
    tags = {
        256: [48],
        257: [64],
        258: [16] * channels,
        259: [1],
        262: [photometric],
        273: [300 + size * strip for strip in range(strips)],
        277: [channels],
        278: [64],
        279: [len(pixels) // strips] * strips,
        284: [planes],
    }
    entries, further = b"", b""
    for tag, values in tags.items():
        entries += struct.pack(f"{order}HHI", tag, 4, len(values))
        entries += struct.pack(f"{order}I", values[0] if len(values) == 1 else 200 + len(further))
        further += struct.pack(f"{order}{len(values)}I", *values) if len(values) > 1 else b""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags)) + entries
    path.write_bytes((head.ljust(200, b"\0") + further).ljust(300, b"\0") + pixels)
    return path


@pytest.mark.parametrize("order", "<>")
def test_a_tiff_of_16_bit_color_is_scaled_too(tmp_path, order):
    read = images.read(deep_tiff(tmp_path / "a.tif", order))
    assert np.abs(read.astype(int) - RAMP).max() <= 1


def test_a_tiff_in_which_0_is_white_is_shown_as_a_viewer_does(tmp_path):
    read = images.read(deep_tiff(tmp_path / "a.tif", "<", photometric=0, channels=1))
    assert np.abs(255 - read.astype(int) - RAMP).max() <= 1


def test_16_bit_color_that_pillow_mixes_up_is_refused(tmp_path):
    with pytest.raises(LessonError, match="form of 16-bit color"):
        images.read(deep_tiff(tmp_path / "a.tif", "<", planes=2))


@pytest.mark.parametrize("data", [b"", b"x", b"x\0", b"x\0\0", b"x\0\1broken", bytes(90)])
@pytest.mark.parametrize(
    "name", [b"iCCP", b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"pHYs", b"gAMA", b"cHRM", b"tRNS", b"acTL"]
)
def test_a_damaged_profile_is_no_crash(tmp_path, name, data):
    """Pillow raises many kinds of errors on them: IndexError, struct.error, SyntaxError."""
    path = png(tmp_path / "a.png", 48, 64, 0, RAMP.astype(np.uint16), (name, data))
    images.is_image(path)
    try:
        assert (images.read(path) == RAMP).all()
    except LessonError as error:
        assert "a.png: the image is damaged" in str(error)


def test_is_image_looks_at_the_content(tmp_path):
    assert images.is_image(save(tmp_path / "a.png", RAMP))
    (tmp_path / "b.png").write_text("no image")
    assert not images.is_image(tmp_path / "b.png") and not images.is_image(tmp_path / "gone.png")


def test_resize_squeezes_to_a_square():
    squeezed = images.resize(RAMP, 32)
    assert squeezed.shape == (32, 32)
    assert squeezed[0, 0] < 10 and squeezed[-1, -1] > 245 and abs(int(squeezed.mean()) - int(RAMP.mean())) <= 1


@pytest.fixture
def table(tmp_path):
    paths = [save(tmp_path / f"{level}.png", np.full((40, 40), level, np.uint8)) for level in range(0, 200, 20)]
    return pd.DataFrame({"path": map(str, paths), "label": ["lateral", "frontal"] * 5})


def test_folders_and_tables_give_the_same_batches(table, tmp_path):
    folder = images.write_folders(table, tmp_path / "split" / "train", 32)
    assert sorted(path.name for path in (folder / "lateral").iterdir())[0] == "00000.png"
    arrays = images.load(table["path"], 32)
    assert arrays.shape == (10, 32, 32, 1) and arrays.dtype == np.float32
    for number, label in enumerate(table["label"]):
        assert (images.read(folder / label / f"{number:05d}.png") == arrays[number, :, :, 0]).all()


def test_folders_are_never_half_written_nor_mixed(table, tmp_path):
    images.write_folders(table, tmp_path / "train", 32)
    with pytest.raises(LessonError, match="there already"):
        images.write_folders(table, tmp_path / "train", 32)
    (tmp_path / "40.png").write_text("no image")
    with pytest.raises(LessonError, match="not an image"):
        images.write_folders(table, tmp_path / "test", 32)
    assert not (tmp_path / "test").exists()
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["train"]


def test_no_image_at_all():
    with pytest.raises(LessonError, match="empty"):
        images.load([], 32)


def test_batches_lose_no_image_and_keep_labels_with_images(table):
    stream = images.batches(table, 32, positive="lateral", batch_size=4, shuffle=True)
    for _ in range(2):
        pairs = list(stream.as_numpy_iterator())
        assert [len(pictures) for pictures, _ in pairs] == [4, 4, 2]
        levels = np.concatenate([pictures[:, 0, 0, 0] for pictures, _ in pairs])
        labels = np.concatenate([labels[:, 0] for _, labels in pairs])
        assert sorted(levels) == list(range(0, 200, 20))
        assert (labels == (levels % 40 == 0)).all()


def test_batches_of_many_outputs_keep_the_order_of_the_columns(table):
    table = table.assign(b=[0, 1] * 5, a=[0, 0, 0, 0, 1] * 2)
    stream = images.batches(table, 32, positive=("b", "a"), batch_size=10)
    pictures, labels = next(stream.as_numpy_iterator())
    assert pictures.shape == (10, 32, 32, 1) and labels.dtype == np.float32
    assert (labels == table[["b", "a"]].to_numpy()).all()


@pytest.mark.parametrize(
    "positive, says",
    [
        ("oblique", "The column label has no 'oblique'; it has lateral, frontal"),
        (["a"], "The table has no column 'a'; it has path, label"),
        (["level"], "The columns level must hold 0 and 1 only"),
    ],
)
def test_batches_name_labels_that_are_not_there(table, positive, says):
    with pytest.raises(LessonError, match=says):
        images.batches(table.assign(level=range(10)) if positive == ["level"] else table, 32, positive)
