"""What a department leaves on its films beside the body: letters of lead, burnt-in words, arrows and dots."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

KINDS = ("plain", "lead", "outlined", "box", "plate", "ring", "disc", "arrow", "dot")
FONTS = {  # matplotlib brings them along: the same letters on every computer
    name: Path(find_spec("matplotlib").submodule_search_locations[0], "mpl-data", "fonts", "ttf", f"{file}.ttf")
    for name, file in (("bold", "DejaVuSans-Bold"), ("plain", "DejaVuSans"), ("serif", "DejaVuSerif"))
}
CAPITAL = 30  # pixels: height of a capital where symbols are drawn, before they are made small


def letters(text: str, height: int) -> np.ndarray:
    """Return the coverage (0..1) of a line of text whose capitals are ``height`` pixels tall."""
    return symbol(text, "plain", height)[1]


@lru_cache(maxsize=256)
def symbol(
    text: str, kind: str, height: float, turn: int = 0, stretch: float = 1.0, font: str = "bold"
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a mark adds to a film: two float32 arrays (rows, columns), its light and its coverage (0..1).

    ``film * (1 - coverage) + white * light`` is the film with the mark on it.

    Parameters
    ----------
    text : str
        Lines are parted by a line feed. Ignored by ``arrow`` and ``dot``.
    kind : str
        One of KINDS: bright letters; letters of lead, with the initials of who took the film in small ones below;
        letters with a dark outline, on a dark box, dark on a bright plate, in a ring, on a dark disc with a bright rim;
        an arrow that points up; a bright dot.
    height : float
        Of a capital (pixels).
    turn : int
        Degrees, anticlockwise.
    stretch : float
        Factor on the width: a film that is made square squeezes its letters, too.
    font : {"bold", "plain", "serif"}
    """
    light, cover = (np.asarray(layer, np.float32) / 255 for layer in _drawn(text, kind, turn, font))
    rows = max(1, round(light.shape[0] * height / CAPITAL))
    columns = max(1, round(light.shape[1] * height / CAPITAL * stretch))
    down, across = _area(rows, light.shape[0]), _area(columns, light.shape[1]).T
    return down @ light @ across, down @ cover @ across


@lru_cache(maxsize=128)
def _drawn(text: str, kind: str, turn: int, font: str) -> tuple[Image.Image, Image.Image]:
    """Return light and coverage at a capital height of CAPITAL pixels."""
    lines = [] if kind in ("arrow", "dot") else text.split("\n")
    heights = [round(CAPITAL * (0.55 if kind == "lead" and number else 1)) for number in range(len(lines))]
    faces = [_face(font, height) for height in heights]
    widths = [round(face.getlength(line)) for face, line in zip(faces, lines, strict=True)]
    gap = CAPITAL // 3
    margin = round(CAPITAL * {"ring": 0.4, "disc": 0.45}.get(kind, 0.25))  # a J reaches below its line
    wide = max(widths, default=CAPITAL) + 2 * margin
    high = (sum(heights) + gap * (len(lines) - 1) if lines else CAPITAL) + 2 * margin
    if kind in ("ring", "disc"):
        wide = high = max(wide, high)
    layers = [Image.new("L", (wide, high)), Image.new("L", (wide, high))]
    for layer, dark in zip(layers, (0, 255), strict=True):  # a dark part is no light, but it covers
        pen = ImageDraw.Draw(layer)
        _ground(pen, kind, (1, 1, wide - 2, high - 2), dark)
        top = (high - sum(heights) - gap * (len(lines) - 1)) // 2
        for line, face, height, width in zip(lines, faces, heights, widths, strict=True):
            at = ((wide - width) / 2, top + height)
            if kind == "outlined":
                pen.text(at, line, fill=dark, font=face, anchor="ls", stroke_width=CAPITAL // 8)
            pen.text(at, line, fill=dark if kind == "plate" else 255, font=face, anchor="ls")
            top += height + gap
    if turn:
        layers = [layer.rotate(turn, Image.Resampling.BILINEAR, expand=True) for layer in layers]
    return tuple(layers)


def _ground(pen: ImageDraw.ImageDraw, kind: str, whole: tuple[int, int, int, int], dark: int) -> None:
    """Draw what lies below the letters of a mark, or the mark if it has none."""
    line = CAPITAL // 7
    if kind == "box":
        pen.rectangle(whole, fill=dark)
    elif kind == "plate":
        pen.rounded_rectangle(whole, CAPITAL // 5, fill=255)
    elif kind == "ring":
        pen.ellipse(whole, outline=255, width=line)
    elif kind == "disc":
        pen.ellipse(whole, fill=dark, outline=255, width=line)
    elif kind == "dot":
        pen.ellipse(whole, fill=255)
    elif kind == "arrow":
        wide, high = whole[2] + 2, whole[3] + 2
        pen.polygon(_arrow(wide, high, 0), fill=dark)
        pen.polygon(_arrow(wide, high, line), fill=255)


def _arrow(wide: int, high: int, inset: int) -> list[tuple[float, float]]:
    """Return the corners of an arrow that points up and fills a box, smaller by ``inset`` pixels."""
    middle, shaft = wide / 2, wide * 0.17 - inset / 3
    neck = high * 0.5
    return [
        (middle, 1.4 * inset),
        (wide - 1.9 * inset, neck - 0.4 * inset),
        (middle + shaft, neck - 0.4 * inset),
        (middle + shaft, high - inset),
        (middle - shaft, high - inset),
        (middle - shaft, neck - 0.4 * inset),
        (1.9 * inset, neck - 0.4 * inset),
    ]


@lru_cache(maxsize=8)
def _face(font: str, height: int) -> ImageFont.FreeTypeFont:
    """Return the font at the size at which its capitals are ``height`` pixels tall."""
    return ImageFont.truetype(str(FONTS[font]), round(height / 0.729), layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=256)
def _area(size: int, source: int) -> np.ndarray:
    """Return the matrix (size, source) of the shares that each new pixel has in the old ones."""
    edges = np.arange(size + 1) * source / size
    low, high = edges[:-1, None], edges[1:, None]
    cell = np.arange(source)[None, :]
    share = np.clip(np.minimum(high, cell + 1) - np.maximum(low, cell), 0, None)
    return (share / share.sum(1, keepdims=True)).astype(np.float32)
