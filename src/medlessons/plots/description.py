"""What was drawn, as a short text: the part of a figure that the validation of the notebooks compares.

Pictures cannot be compared: a new version of matplotlib moves more pixels than two swapped labels do. So axes, labels,
limits, lines, points, bars, areas, images, texts, legends and colors are written down, from the data that were drawn
and never from pixels, with about three digits. Many values become a few: the means of eight parts, in their order.
The text is compared, not read aloud: it stays in English.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryFormatter
from matplotlib.collections import Collection, LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_hex, to_rgba, to_rgba_array
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

from medlessons.plots.palette import NAMES

PARTS = 8  # into which many values are divided
LISTED = 14  # values that are still listed one by one
GRID = 4  # rows and columns of the coarse image that stands for an image
PANELS = 3  # a figure with more of them takes one line a panel

Writer = Callable[[float], str]


def describe(figure: Figure) -> str:
    """Return what a figure shows, as text that is equal under all supported versions of matplotlib.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    str
        One line for the figure, then one for each panel and each thing in it, or one a panel if there are many.
    """
    panels = [ax for ax in figure.axes if ax.get_visible()]
    width, height = figure.get_size_inches()
    lines = [" ".join([f"Figure {width:.1f} x {height:.1f}, panels: {len(panels)}", *_quoted(figure.get_suptitle())])]
    lines += [_legend(legend) for legend in figure.legends]
    separator = "; " if len(panels) > PANELS else "\n   "
    before = ""
    for number, ax in enumerate(panels, start=1):
        y = " ".join(_axis(ax.yaxis)) if ax.axison else ""
        x = " ".join(_axis(ax.xaxis)) if ax.axison else "no axes"
        head = " ".join([*_titles(ax), x, "y as before" if y and y == before else y])
        before = y
        lines.append(f"{number}: " + separator.join(filter(None, [head, *_things(ax)])))
    return "\n".join(lines)


def _quoted(text: str) -> list[str]:
    return [repr(text)] if text else []


def _titles(ax: Axes) -> list[str]:
    return ["title", *_if_not(ax.title.get_color(), "black"), repr(ax.get_title())] if ax.get_title() else []


def _axis(axis: Axis) -> Iterator[str]:
    """Yield name, label, limits, scale and the ticks that were set by hand."""
    yield axis.axis_name
    yield from _quoted(axis.get_label_text())
    write, (low, high) = _writer(axis), axis.get_view_interval()
    if axis.get_inverted():
        low, high = max(low, high), min(low, high)
    yield f"{write(low)} to {write(high)}"
    if axis.get_scale() != "linear":
        yield axis.get_scale()
    places, formatter = axis.get_majorticklocs(), axis.get_major_formatter()
    if isinstance(formatter, FixedFormatter | FuncFormatter | StrCategoryFormatter):
        yield "ticks " + ", ".join(map(str, formatter.format_ticks(places)))
        if not np.array_equal(places, np.arange(len(places))):
            yield "at " + _list(places, write)
    elif isinstance(axis.get_major_locator(), FixedLocator):
        yield "ticks " + _list(places, write) if len(places) else "no ticks"


def _things(ax: Axes) -> Iterator[str]:
    """Yield one text for each thing that a panel holds; lines, areas and texts of one style count as one thing."""
    x, y = _writer(ax.xaxis), _writer(ax.yaxis)
    for style, lines in _by_style(filter(Line2D.get_visible, ax.lines), _line_style).items():
        yield " ".join([*style, _lines(lines, x, y)])
    bars = [container for container in ax.containers if isinstance(container, BarContainer) and container.patches]
    for container in bars:
        yield _bars(container, x, y)
    in_bars = {id(patch) for container in bars for patch in container.patches}
    others = [patch for patch in ax.patches if id(patch) not in in_bars]
    for style, patches in _by_style(others, _area_style).items():
        yield " ".join([*style, _areas([_outline(patch) for patch in patches], x, y)])
    for collection in ax.collections:
        yield _collection(collection, x, y)
    for image in ax.images:
        yield " ".join(["image", *_extent(image), _image(image, image.get_array())])
    for style, texts in _by_style(filter(Text.get_text, ax.texts), _text_style).items():
        yield " ".join([*style, ", ".join(_text(text, x, y) for text in texts)])
    if ax.get_legend() is not None:
        yield _legend(ax.get_legend())


def _by_style(artists: Iterable[Artist], style_of: Callable) -> dict[tuple, list]:
    styles: dict[tuple, list] = {}
    for artist in artists:
        styles.setdefault(tuple(style_of(artist)), []).append(artist)
    return styles


def _line_style(line: Line2D) -> Iterator[str]:
    yield "line"
    yield from _name(line)
    yield _color(line.get_color())
    yield from _if_not(line.get_linestyle(), "-")
    if line.get_marker() not in (None, "None", "", " "):
        yield f"marker {line.get_marker()} {line.get_markersize():.1f}"
        yield from _if_not(line.get_markerfacecolor(), _color(line.get_color()))
    if line.get_linewidth() != rcParams["lines.linewidth"]:
        yield f"width {line.get_linewidth():.1f}"
    yield from _alpha(line)


def _lines(lines: Sequence[Line2D], x: Writer, y: Writer) -> str:
    """Return the points of one line, or the middles of many."""
    points = [line.get_xydata() for line in lines if len(line.get_xydata())]
    if len(points) <= 1:
        return _points(points[0], x, y) if points else "no points"
    middles, every = np.array([p.mean(axis=0) for p in points]), np.vstack(points)
    low, high = _point(every.min(axis=0), x, y), _point(every.max(axis=0), x, y)
    return f"{len(points)} lines with the middles {_points(middles, x, y)}, all points from {low} to {high}"


def _bars(container: BarContainer, x: Writer, y: Writer) -> str:
    """Return color, position, start and length of the bars."""
    across = container.orientation == "horizontal"
    boxes = np.array([(p.get_x(), p.get_y(), p.get_width(), p.get_height()) for p in container.patches])
    if across:
        boxes = boxes[:, [1, 0, 3, 2]]
    along, write = (y, x) if across else (x, y)
    colors = [_color(patch.get_facecolor()) for patch in container.patches]
    parts = ["bars", *_name(container), *([colors[0]] if len(set(colors)) == 1 else colors)]
    parts += ["horizontal" if across else "vertical", _some(boxes[:, 3], write)]
    middles = boxes[:, 0] + boxes[:, 2] / 2
    if not np.allclose(middles, np.arange(len(middles))):
        parts += ["at", _some(middles, along)]
    if boxes[:, 1].any():
        parts += ["from", _some(boxes[:, 1], write)]
    return " ".join([*parts, *_alpha(container.patches[0])])


def _collection(collection: Collection, x: Writer, y: Writer) -> str:
    """Return what a collection holds: line segments, points, a mesh of colored fields, or areas."""
    if isinstance(collection, QuadMesh):
        rows, columns = (length - 1 for length in collection.get_coordinates().shape[:2])
        return "mesh " + _image(collection, np.reshape(collection.get_array(), (rows, columns)))
    if isinstance(collection, LineCollection):
        segments = [np.asarray(one) for one in collection.get_segments() if len(one)]  # a line to nan has no points
        if not segments:
            return ""
        width = f"width {np.mean(collection.get_linewidth()):.1f}"
        start, end = (_points(np.array([segment[at] for segment in segments]), x, y) for at in (0, -1))
        parts = [*_name(collection), *_colors(collection.get_color()), width, f"from {start} to {end}"]
        return " ".join(["segments", *parts])
    colors = _colors(collection.get_facecolor()) or _colors(collection.get_edgecolor())
    parts = [*_name(collection), *colors, *_alpha(collection)]
    if isinstance(collection, PathCollection):
        sizes = np.unique(collection.get_sizes())
        corners = [len(path.vertices) for path in collection.get_paths()]
        parts.append(f"shape {corners} size {_some(sizes, _rounded(sizes.max() if len(sizes) else 1))}")
        return " ".join(["points", *parts, _points(np.ma.getdata(collection.get_offsets()), x, y, False)])
    outlines = [np.vstack(path.to_polygons()) for path in collection.get_paths() if len(path.to_polygons())]
    return " ".join(["areas", *parts, _areas(outlines, x, y)])


def _image(drawn: AxesImage | QuadMesh, values: np.ndarray) -> str:
    """Return shape, colors, limits, and the means of a coarse grid in percent of the way between the limits."""
    values = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
    rows, columns = values.shape[:2]
    parts = [f"{rows} x {columns}", *_alpha(drawn)]
    if values.ndim == 2:
        low, high = drawn.get_clim()
        write = _rounded(high - low)
        parts.append(f"{drawn.get_cmap().name} from {write(low)} to {write(high)}:")
        values = ((values - low) / ((high - low) or 1))[..., None]
    else:
        parts.append("colored:")
    for channel in np.moveaxis(values, -1, 0):
        for part in np.array_split(channel, min(GRID, rows)):
            fields = np.array_split(part, min(GRID, columns), axis=1)
            means = [np.nan if np.isnan(field).all() else np.nanmean(field) for field in fields]
            parts.append(_list(100 * np.array(means), _rounded(100)) + " |")
    return " ".join(parts)


def _extent(image: AxesImage) -> Iterator[str]:
    if image.origin != "upper":
        yield image.origin
    rows, columns = image.get_array().shape[:2]
    extent = np.array(image.get_extent())
    if not np.array_equal(np.sort(np.abs(extent)), np.sort(np.abs([-0.5, columns - 0.5, rows - 0.5, -0.5]))):
        yield "at " + _list(extent, _rounded(np.ptp(extent)))


def _area_style(patch: Patch) -> list[str]:
    return ["areas", *_name(patch), _color(patch.get_facecolor()), *_alpha(patch)]


def _text_style(text: Text) -> list[str]:
    return ["texts", *_if_not(text.get_color(), "black")]


def _text(text: Text, x: Writer, y: Writer) -> str:
    return " ".join([_point(getattr(text, "xy", text.get_position()), x, y), repr(text.get_text())])


def _legend(legend: Legend) -> str:
    handles = zip(legend.legend_handles, legend.get_texts(), strict=False)
    entries = [" ".join([*_handle(handle), repr(text.get_text())]) for handle, text in handles]
    return " ".join(["legend", *_quoted(legend.get_title().get_text()), ", ".join(entries)])


def _handle(handle: Artist) -> list[str]:
    read = getattr(handle, "get_color", None) or getattr(handle, "get_facecolor", None)
    return _colors(read()) if read else []


def _name(artist: Any) -> list[str]:
    label = str(artist.get_label() or "")
    return [] if label.startswith("_") else _quoted(label)


def _alpha(artist: Artist) -> list[str]:
    alpha = artist.get_alpha()
    return [] if alpha is None else [f"alpha {np.mean(alpha):.2f}"]


def _color(color: Any) -> str:
    if (isinstance(color, str) and color == "none") or to_rgba(color)[3] == 0:
        return "none"
    return NAMES.get(to_hex(color).upper(), to_hex(color))


def _colors(colors: Any) -> list[str]:
    return list(dict.fromkeys(map(_color, to_rgba_array(colors))))[:PARTS]


def _if_not(value: Any, usual: str) -> list[str]:
    try:
        value = _color(value)
    except ValueError:  # no color, but the style of a line
        value = str(value)
    return [] if value == usual else [value]


def _writer(axis: Axis) -> Writer:
    """Return what writes a number with about three digits of the range that the axis shows."""
    if axis.get_scale() == "log":
        return lambda value: f"10^{np.log10(value):.2f}" if value > 0 else "0"
    return _rounded(np.ptp(axis.get_view_interval()))


def _rounded(span: float) -> Writer:
    """Return what writes a number with as many decimals as a span needs; always one, so that rounding is forgiven."""
    decimals = int(np.clip(2 - np.floor(np.log10(abs(span) or 1)), 1, 6)) if np.isfinite(span) else 1
    return lambda value: f"{np.round(value, decimals) + 0.0:.{decimals}f}"


def _list(values: Iterable[float], write: Writer) -> str:
    return " ".join(write(float(value)) for value in values)


def _some(values: np.ndarray, write: Writer) -> str:
    """Return few values as they are, steps of one width as their ends, and other many as the means of their parts."""
    if len(values) <= LISTED:
        return _list(values, write)
    if np.allclose(np.diff(values), values[1] - values[0]):
        return f"{len(values)} even steps from {write(values[0])} to {write(values[-1])}"
    means = [np.nanmean(part) for part in np.array_split(values, PARTS)]
    return f"{len(values)}, means of parts {_list(means, write)}"


def _point(point: Sequence[float], x: Writer, y: Writer) -> str:
    return f"({x(float(point[0]))}, {y(float(point[1]))})"


def _points(points: np.ndarray, x: Writer, y: Writer, ordered: bool = True) -> str:
    """Return few points as they are, many as their ends and the means of their parts, or as quartiles if unordered."""
    if len(points) <= LISTED:
        return " ".join(_point(point, x, y) for point in points)
    if not ordered:
        quartiles = np.nanquantile(points, [0, 0.25, 0.5, 0.75, 1], axis=0)
        ranks = points.argsort(axis=0, kind="stable").argsort(axis=0)
        together = f"rank correlation {np.corrcoef(ranks.T)[0, 1] + 0.0:.2f}"
        xs, ys = _list(quartiles[:, 0], x), _list(quartiles[:, 1], y)
        return f"{len(points)}, quartiles of x {xs}, of y {ys}, {together}"
    ends = f"{_point(points[0], x, y)} to {_point(points[-1], x, y)}"
    return f"{ends}, x {_some(points[:, 0], x)}, y {_some(points[:, 1], y)}"


def _outline(patch: Patch) -> np.ndarray:
    """Return the corners of a patch in the coordinates of its axes' data."""
    return patch.get_patch_transform().transform(np.vstack(patch.get_path().to_polygons()))


def _areas(outlines: Sequence[np.ndarray], x: Writer, y: Writer) -> str:
    """Return where areas begin and end, and the middles of their outlines, weighted by length."""
    centers = []
    for outline in outlines:
        steps, middles = np.linalg.norm(np.diff(outline, axis=0), axis=1), (outline[1:] + outline[:-1]) / 2
        centers.append(np.average(middles, axis=0, weights=steps) if steps.sum() else outline[0])
    low, high = (_points(np.array([edge(outline, axis=0) for outline in outlines]), x, y) for edge in (np.min, np.max))
    return f"from {low} to {high} around {_points(np.array(centers), x, y)}"
