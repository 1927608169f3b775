"""What a department leaves on its films beside the body: letters of lead, burnt-in words, arrows and dots.

The letters are those of DejaVu, drawn once into ``letters.npz`` (``scripts/make_letters.py``).
"""

import math
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_erosion

from simclinic import arithmetic
from simclinic.errors import LessonError

KINDS = ("plain", "lead", "outlined", "box", "plate", "ring", "disc", "arrow", "dot")
FONTS = ("bold", "plain", "serif")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ms:-. "
CAPITAL, SMALL = 30, 16  # pixels: height of a capital where marks are drawn, before they are made small; of initials
OUTLINE, LINE = 3, 4  # pixels: a dark outline around letters, the line of a ring
FORMS = ("capital", "small", "outline")  # in which the letters are stored
CELL, ORIGIN, BASELINE = (50, 60), 8, 36  # pixels (rows, columns) of a stored letter, and its pen's place in it


@lru_cache(maxsize=256)
def symbol(
    text: str, kind: str, height: float, turn: int = 0, stretch: float = 1.0, font: str = "bold"
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a mark adds to a film: its light and its coverage.

    ``film * (1 - coverage) + white * light`` is the film with the mark on it.

    Parameters
    ----------
    text : str
        Of LETTERS, its lines separated by a line feed. Ignored by ``arrow`` and ``dot``.
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

    Returns
    -------
    light, coverage : float32 arrays, shape (rows, columns)
        Both from 0 to 1.

    Raises
    ------
    LessonError
        If a character of the text is not among LETTERS.
    """
    light, cover = (layer.astype(np.float32) / 255 for layer in _drawn(text, kind, turn, font))
    rows = max(1, round(light.shape[0] * height / CAPITAL))
    columns = max(1, round(light.shape[1] * height / CAPITAL * stretch))
    down, across = _area(rows, light.shape[0]), _area(columns, light.shape[1]).T
    return arithmetic.product(down, light, across), arithmetic.product(down, cover, across)


@lru_cache(maxsize=128)
def _drawn(text: str, kind: str, turn: int, font: str) -> tuple[np.ndarray, np.ndarray]:
    """Return light and coverage (0 to 255) at a capital height of CAPITAL pixels."""
    lines = [] if kind in ("arrow", "dot") else text.split("\n")
    forms = ["small" if kind == "lead" and number else "capital" for number in range(len(lines))]
    heights = [SMALL if form == "small" else CAPITAL for form in forms]
    widths = [round(_pens(line, form, font, 0)[-1]) for line, form in zip(lines, forms, strict=True)]
    gap = CAPITAL // 3
    margin = round(CAPITAL * {"ring": 0.4, "disc": 0.45}.get(kind, 0.25))  # a J reaches below its line
    wide = max(widths, default=CAPITAL) + 2 * margin
    high = (sum(heights) + gap * (len(lines) - 1) if lines else CAPITAL) + 2 * margin
    if kind in ("ring", "disc"):
        wide = high = max(wide, high)
    light, cover = _ground(kind, high, wide)
    top = (high - sum(heights) - gap * (len(lines) - 1)) // 2
    for line, form, height, width in zip(lines, forms, heights, widths, strict=True):
        at = ((wide - width) / 2, top + height)
        if kind == "outlined":
            outline = _ink(line, "outline", font, at, light.shape)
            light, cover = _paint(light, 0, outline), _paint(cover, 255, outline)
        ink = _ink(line, form, font, at, light.shape)
        light, cover = _paint(light, 0 if kind == "plate" else 255, ink), _paint(cover, 255, ink)
        top += height + gap
    return _turned(light, turn), _turned(cover, turn)


def _ground(kind: str, high: int, wide: int) -> tuple[np.ndarray, np.ndarray]:
    """Return light and coverage of what lies below the letters of a mark, or of the mark if it has none."""
    if kind == "arrow":
        return tuple(_stored()["arrow"])
    bright, dark = np.zeros((2, high, wide), bool)
    if kind == "box":
        dark[1:-1, 1:-1] = True
    elif kind == "plate":
        bright = _rounded(high, wide, 2 * (CAPITAL // 5))
    elif kind == "dot":
        bright = _rounded(high, wide, wide - 3)
    elif kind in ("ring", "disc"):
        smaller = 2 * (LINE - 1)
        whole, hole = (_rounded(high, wide, wide - 3 - less, less) for less in (0, smaller))
        bright = whole & ~binary_erosion(hole)
        dark = whole & (kind == "disc")
    return np.uint8(255) * bright, np.uint8(255) * (bright | dark)


def _rounded(high: int, wide: int, corner: int, smaller: int = 0) -> np.ndarray:
    """Return which pixels a box covers that is 2 + ``smaller`` pixels smaller than the array.

    Its corners are quarters of a circle whose diameter is ``corner`` pixels and one.
    """
    y, x = (np.maximum(np.abs(2 * np.arange(n) - n + 1) - (n - 3 - smaller - corner), 0) for n in (high, wide))
    x, y = x[None, :], y[:, None]
    return x * x + y * y - 2 * np.maximum(x, y) + 2 <= corner * corner


def _ink(line: str, form: str, font: str, at: tuple[float, int], shape: tuple[int, int]) -> np.ndarray:
    """Return the coverage (0 to 255) of a line of text that begins ``at`` (column, row of its baseline)."""
    glyphs = _stored()["glyphs"][FONTS.index(font), FORMS.index(form)]
    rows, columns = CELL
    ink = np.zeros((shape[0] + 2 * rows, shape[1] + 2 * columns), np.int32)
    for letter, pen in zip(line, _pens(line, form, font, at[0]), strict=False):
        glyph = glyphs[LETTERS.index(letter)].astype(np.int32)
        top, left = rows + at[1] - BASELINE, columns + math.floor(pen + 0.5) - ORIGIN
        place = ink[top : top + rows, left : left + columns]
        place[:] = np.minimum(glyph + _by_255(place * (255 - glyph)), 255)
    return ink[rows:-rows, columns:-columns]


def _pens(line: str, form: str, font: str, start: float) -> list[float]:
    """Return the column at which each letter of a line begins, and the one where the line ends."""
    unknown = set(line) - set(LETTERS)
    if unknown:
        raise LessonError(f"A mark says {line!r}, but the films' letters have no {min(unknown)!r}; use {LETTERS!r}.")
    where = FONTS.index(font), FORMS.index(form)
    advances, kernings = (_stored()[name][where] for name in ("advances", "kernings"))
    numbers = [LETTERS.index(letter) for letter in line]
    steps = [int(advances[a]) + int(kernings[a, b]) / 64 for a, b in pairwise(numbers)]
    return np.cumsum([start, *steps, *(int(advances[last]) for last in numbers[-1:])]).tolist()


def _paint(layer: np.ndarray, level: int, ink: np.ndarray) -> np.ndarray:
    return _by_255(layer * (255 - ink) + level * ink).astype(np.uint8)


def _by_255(product: np.ndarray) -> np.ndarray:
    """Return whole numbers divided by 255 and rounded."""
    return (2 * product + 255) // 510


def _turned(layer: np.ndarray, degrees: int) -> np.ndarray:
    """Return a layer (0 to 255) turned anticlockwise, in an array that holds all of it."""
    if degrees % 90 == 0:
        return np.rot90(layer, degrees // 90)
    high, wide = layer.shape
    angle = math.radians(degrees % 360)
    cos, sin = round(math.cos(angle), 15), round(math.sin(angle), 15)

    def back(x, y, right=0.0, down=0.0):
        return cos * x - sin * y + right, sin * x + cos * y + down

    right, down = back(-wide / 2, -high / 2)
    right, down = right + wide / 2, down + high / 2
    corners = np.array([back(*corner, right, down) for corner in ((0, 0), (wide, 0), (wide, high), (0, high))])
    columns, rows = (np.ceil(corners.max(0)) - np.floor(corners.min(0))).astype(int).tolist()
    right, down = back(-(columns - wide) / 2, -(rows - high) / 2, right, down)
    x, y = back(np.arange(columns) + 0.5, np.arange(rows)[:, None] + 0.5, right, down)
    inside = (x >= 0) & (x < wide) & (y >= 0) & (y < high)
    x, y = x - 0.5, y - 0.5
    left, top = (np.floor(at).astype(int) for at in (x, y))

    def pixel(more_down, more_right):
        at = np.clip(top + more_down, 0, high - 1), np.clip(left + more_right, 0, wide - 1)
        return layer[at].astype(float)

    upper, lower = (a + (b - a) * (x - left) for a, b in ((pixel(n, 0), pixel(n, 1)) for n in (0, 1)))
    return np.where(inside, upper + (lower - upper) * (y - top), 0).astype(np.uint8)


@cache
def _stored() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("letters.npz")) as arrays:
        return dict(arrays)


@lru_cache(maxsize=256)
def _area(size: int, source: int) -> np.ndarray:
    """Return the matrix (size, source) of the shares that each new pixel has in the old ones."""
    edges = np.arange(size + 1) * source / size
    low, high = edges[:-1, None], edges[1:, None]
    cell = np.arange(source)[None, :]
    share = np.clip(np.minimum(high, cell + 1) - np.maximum(low, cell), 0, None)
    return (share / share.sum(1, keepdims=True)).astype(np.float32)
