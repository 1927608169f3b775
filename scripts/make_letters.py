"""Draw the letters of the films once, as the simulator has them in ``src/simclinic/thorax/letters.npz``.

    python scripts/make_letters.py

They are those of DejaVu, the free fonts that come with matplotlib, rasterized by FreeType. Another version of FreeType
may draw some pixels otherwise: then the embedded images change, and ``simclinic.VERSION`` has to be raised.
"""

from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medlessons import settings
from simclinic.thorax.lettering import BASELINE, CAPITAL, CELL, FONTS, LETTERS, ORIGIN, OUTLINE, SMALL

FILES = {"bold": "DejaVuSans-Bold", "plain": "DejaVuSans", "serif": "DejaVuSerif"}
FORMS = ((CAPITAL, 0), (SMALL, 0), (CAPITAL, OUTLINE))  # height of a capital, stroke: those of lettering.FORMS
CAPITAL_BY_SIZE = 0.729  # height of a capital by the size of the font


def font_of(name: str, height: int) -> ImageFont.FreeTypeFont:
    """Return a font at the size at which its capitals are ``height`` pixels tall."""
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{FILES[name]}.ttf")
    return ImageFont.truetype(str(path), round(height / CAPITAL_BY_SIZE), layout_engine=ImageFont.Layout.BASIC)


def glyph(letter: str, font: ImageFont.FreeTypeFont, stroke: int) -> np.ndarray:
    """Return the coverage of one letter in a cell of CELL pixels, its pen at (ORIGIN, BASELINE)."""
    image = Image.new("L", CELL[::-1])
    pen = ImageDraw.Draw(image)
    pen.text((ORIGIN, BASELINE), letter, fill=255, font=font, anchor="ls", stroke_width=stroke)
    return np.asarray(image)


def kerning(font: ImageFont.FreeTypeFont) -> np.ndarray:
    """Return what each pair of letters is moved together, in 64ths of a pixel."""
    alone = {letter: font.getlength(letter) for letter in LETTERS}
    pairs = [[font.getlength(a + b) - alone[a] - alone[b] for b in LETTERS] for a in LETTERS]
    return np.round(64 * np.array(pairs)).astype(np.int8)


def arrow(inset: int) -> np.ndarray:
    """Return an arrow that points up and fills a box of CAPITAL pixels and its margins, smaller by ``inset`` pixels."""
    high = wide = CAPITAL + 2 * round(CAPITAL / 4)
    middle, shaft, neck = wide / 2, wide * 0.17 - inset / 3, high * 0.5 - 0.4 * inset
    half = [(middle, 1.4 * inset), (wide - 1.9 * inset, neck), (middle + shaft, neck), (middle + shaft, high - inset)]
    image = Image.new("L", (wide, high))
    ImageDraw.Draw(image).polygon(half + [(wide - x, y) for x, y in half[:0:-1]], fill=255)
    return np.asarray(image)


def main() -> None:
    fonts = [[font_of(name, height) for height, _ in FORMS] for name in FONTS]
    np.savez_compressed(
        settings.REPOSITORY / "src" / "simclinic" / "thorax" / "letters.npz",
        glyphs=[
            [[glyph(letter, font, stroke) for letter in LETTERS] for font, (_, stroke) in zip(row, FORMS, strict=True)]
            for row in fonts
        ],
        advances=np.array([[[font.getlength(a) for a in LETTERS] for font in row] for row in fonts], np.uint8),
        kernings=[[kerning(font) for font in row] for row in fonts],
        arrow=[arrow(CAPITAL // 7), arrow(0)],
    )


if __name__ == "__main__":
    main()
