"""A viewer for the slices of a volume that is part of the page: no library, no file, no server."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from PIL import Image

from medlessons.wording import _

# What the picture of the row does when it was loaded: it puts a canvas, a slider and a box per outline below itself,
# and hides. `this` is the picture, so no name is needed, and it works wherever HTML is put into a page.
SCRIPT = """
const row = this, d = row.dataset, numbers = d.numbers.split(',');
row.onload = null;
const add = (kind, parent) => parent.appendChild(document.createElement(kind));
const box = add('div', row.parentElement), canvas = add('canvas', box), bar = add('div', box);
const range = add('input', bar), text = add('span', bar);
const style = 'margin-left: 1em; font: 14px sans-serif';
const load = (source) => {
  const picture = new Image();
  picture.onload = () => draw();
  picture.src = source;
  return picture;
};
const gray = load(d.gray), outlines = d.outlines ? d.outlines.split('|').map(load) : [];
const checks = outlines.map((picture, i) => {
  const frame = add('label', bar), check = add('input', frame);
  frame.append(' ' + d.names.split('|')[i]);
  frame.style.cssText = style;
  Object.assign(check, {type: 'checkbox', checked: i == outlines.length - 1, onchange: () => draw()});
  return check;
});
const draw = () => {
  const pen = canvas.getContext('2d');
  [gray, ...outlines].forEach((picture, i) => {
    const high = picture.height / numbers.length;
    if (picture.complete && (i == 0 || checks[i - 1].checked)) {
      pen.drawImage(picture, 0, range.value * high, picture.width, high, 0, 0, canvas.width, canvas.height);
    }
  });
  text.textContent = d.word + ' ' + numbers[range.value];
};
Object.assign(canvas, {width: 384, height: Math.round(384 * d.ratio)});
canvas.setAttribute('role', 'img');
canvas.setAttribute('aria-label', row.alt);
Object.assign(range, {type: 'range', min: 0, max: numbers.length - 1, value: d.first, oninput: draw});
range.setAttribute('aria-label', d.word);
range.style.cssText = 'width: 384px; vertical-align: middle';
text.style.cssText = style;
row.style.display = 'none';
draw();
"""


def viewer(
    row: bytes,
    gray: np.ndarray,
    outlines: Mapping[str, np.ndarray],
    sentence: str,
    *,
    palette: Sequence[str],
    numbers: Sequence[int],
    first: int,
    ratio: float,
) -> str:
    """Return HTML: a picture of a row of slices that turns itself into a viewer where scripts run.

    Parameters
    ----------
    row : bytes
        The picture (PNG) that stays where no script runs, as on GitHub.
    gray : array of uint8, shape (slices * height, width)
        All slices one above the other.
    outlines : mapping
        Name -> numbers of the palette from 1 on, 0 where it is clear; any multiple of the size of ``gray``.
    sentence : str
        The alternative text.
    palette : sequence of str
        Colors such as ``#56B4E9``.
    numbers : sequence of int
        How the slices are numbered.
    first : int
        Which of them is seen at first, from 0 on.
    ratio : float
        Height by width of a slice, in mm.

    Returns
    -------
    str
    """
    colors = [(0, 0, 0), *(tuple(bytes.fromhex(color[1:])) for color in palette)]
    data = {
        "gray": _png(gray),
        "outlines": "|".join(_png(numbers, colors) for numbers in outlines.values()),
        "names": "|".join(outlines),
        "numbers": ",".join(map(str, numbers)),
        "first": first,
        "ratio": f"{ratio:.3f}",
        "word": _("slice"),
    }
    attributes = " ".join(f'data-{name}="{escape(str(value))}"' for name, value in data.items())
    picture, script = _address(row), escape(" ".join(SCRIPT.split()))
    return f'<div><img src="{picture}" alt="{escape(sentence)}" {attributes} onload="{script}"></div>'


def _png(pixels: np.ndarray, palette: Sequence[tuple[int, ...]] | None = None) -> str:
    """Return a picture as an address; with a palette, number 0 is clear."""
    picture, data = Image.fromarray(pixels), io.BytesIO()
    if palette:
        picture = picture.convert("P")
        picture.putpalette([level for color in palette for level in color])
    picture.save(data, "PNG", optimize=True, **({"transparency": 0} if palette else {}))
    return _address(data.getvalue())


def _address(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
