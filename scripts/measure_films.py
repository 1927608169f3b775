"""Measure how radiographs look as films: gray levels, sharpness, noise, frames, framing, markers.

Run `python scripts/measure_films.py FOLDER [FOLDER ...]` from the repository. Each folder becomes one column; a row
gives the median over its images, with the 10th and the 90th percentile. Give a folder of real and one of simulated
frontal radiographs and read them side by side: `simclinic.thorax.styles` was drawn from such a table. Only
figures are printed. With `--csv TABLE`, only the files are measured that this table names in its column `filename` and
whose `--column` has one of `--values` (the views of a collection).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage

SIZE = 160  # pixels: an image is brought to a square of it before it is measured
SUFFIXES = (".png", ".jpg", ".jpeg")
REGIONS = {  # rows and columns as shares of the film, where most frontal films show this
    "lung": [(0.28, 0.55, 0.22, 0.34), (0.28, 0.55, 0.66, 0.78)],
    "mediastinum": [(0.35, 0.6, 0.46, 0.56)],
    "abdomen": [(0.86, 0.97, 0.2, 0.8)],
    "shoulder": [(0.12, 0.22, 0.06, 0.18), (0.12, 0.22, 0.82, 0.94)],
    "neck": [(0.01, 0.07, 0.44, 0.56)],
    "upper corner": [(0.02, 0.07, 0.02, 0.09), (0.02, 0.07, 0.91, 0.98)],
    "side": [(0.4, 0.7, 0.01, 0.05), (0.4, 0.7, 0.95, 0.99)],
}


def read(path: Path) -> tuple[np.ndarray, float]:
    """Return the gray levels (SIZE, SIZE) and the file's width by height."""
    with Image.open(path) as picture:
        gray = picture.convert("L")
        return np.asarray(gray.resize((SIZE, SIZE), Image.BOX), np.float32), gray.width / gray.height


def frame(image: np.ndarray) -> tuple[float, float]:
    """Return the widest even border (share of the film) and its gray level."""
    widest, level = 0, np.nan
    for turned in (image, image[::-1], image.T, image.T[::-1]):
        even = turned.std(1) < 2
        even &= np.abs(turned.mean(1) - turned[0].mean()) < 4
        width = len(even) if even.all() else int(np.argmin(even))
        if width > widest:
            widest, level = width, float(turned[0].mean())
    return widest / len(image), level


def bands(image: np.ndarray) -> dict[str, float]:
    """Return the spread of detail by size: standard deviations between two blurs, in gray levels, of the inner film."""
    blurred = [image, *(ndimage.gaussian_filter(image, sigma) for sigma in (0.7, 1.4, 2.8, 5.6, 11.2))]
    inner = slice(SIZE // 6, -SIZE // 6)
    names = ("under 1 px", "1-2 px", "2-4 px", "4-8 px", "8-16 px")
    steps = zip(names, blurred[:-1], blurred[1:], strict=True)
    return {f"detail {name}": float((fine - wide)[inner, inner].std()) for name, fine, wide in steps}


def noise(image: np.ndarray) -> float:
    """Return the spread of the finest grain in the flattest tenth of the lit film."""
    grain = ndimage.convolve(image, np.outer([1, -2, 1], [1, -2, 1]) / 6.0)
    cells = [
        (float(patch.std()), float(grain[y : y + 10, x : x + 10].std()))
        for y in range(0, SIZE, 10)
        for x in range(0, SIZE, 10)
        if 30 < (patch := image[y : y + 10, x : x + 10]).mean() < 225
    ]
    flattest = sorted(cells)[: max(1, len(cells) // 10)]
    return float(np.median([value for _, value in flattest])) if cells else np.nan


def edge_width(profile: np.ndarray, at: int) -> float:
    """Return the way (pixels) from 10 % to 90 % of the step of a profile around a place."""
    around = profile[max(0, at - 8) : at + 9]
    low, high = around.min(), around.max()
    if high - low < 10:
        return np.nan
    steepest = np.abs(np.diff(around)).max()
    return float(0.8 * (high - low) / steepest)


def framing(image: np.ndarray) -> dict[str, float]:
    """Return where domes, apices and side walls of the lungs are: the steepest steps of smooth profiles."""
    soft = ndimage.gaussian_filter(image, 1.5)

    def part(low, high):
        return slice(round(low * SIZE), round(high * SIZE))

    found = {}
    for side, columns in (("right", part(0.24, 0.32)), ("left", part(0.68, 0.76))):
        step = np.diff(soft[:, columns].mean(1))
        dome = round(0.45 * SIZE) + int(np.argmax(step[part(0.45, 0.95)]))
        found[f"{side} dome"] = dome / SIZE
        found[f"{side} dome, 10-90 % (px)"] = edge_width(image[:, columns].mean(1), dome)
    step = np.diff(soft[:, part(0.3, 0.38)].mean(1))
    found["right apex"] = float(np.argmin(step[: round(0.4 * SIZE)])) / SIZE
    across = np.diff(soft[part(0.4, 0.55)].mean(0))
    left = int(np.argmin(across[: round(0.35 * SIZE)]))
    right = round(0.65 * SIZE) + int(np.argmax(across[round(0.65 * SIZE) :]))
    found["width of the chest"] = (right - left) / SIZE
    return found


def markers(image: np.ndarray) -> dict[str, float]:
    """Return number, height and place of small bright things that stand out near the edges of a film."""
    local = image - ndimage.grey_opening(image, (11, 11))
    found, _ = ndimage.label((local > 45) & (image > 110))
    heights, places = [], []
    for rows, columns in ndimage.find_objects(found):
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        y, x = (rows.start + rows.stop) / 2 / SIZE, (columns.start + columns.stop) / 2 / SIZE
        outside = min(x, 1 - x) < 0.22 or y < 0.12 or y > 0.9
        if outside and 2 <= high <= 16 and 2 <= wide <= 24:
            heights.append(high / SIZE)
            places.append((y, x))
    tallest = int(np.argmax(heights)) if heights else None
    y, x = places[tallest] if heights else (np.nan, np.nan)
    return {"bright marks": len(heights), "height of the tallest": max(heights, default=np.nan), "its y": y, "its x": x}


def measure(path: Path) -> dict[str, float]:
    image, aspect = read(path)
    found = {f"gray, percentile {p}": float(np.percentile(image, p)) for p in (1, 10, 25, 50, 75, 90, 99)}
    for name, boxes in REGIONS.items():
        cut = [image[round(t * SIZE) : round(b * SIZE), round(l_ * SIZE) : round(r * SIZE)] for t, b, l_, r in boxes]
        found[f"gray of {name}"] = float(np.mean([c.mean() for c in cut]))
    width, level = frame(image)
    found |= {
        "share below 12": float((image < 12).mean()),
        "share above 243": float((image > 243).mean()),
        "mediastinum - lung": found["gray of mediastinum"] - found["gray of lung"],
        "frame, width": width,
        "frame above 2 %": float(width > 0.02),
        "bright frame": float(width > 0.02 and level > 200),
        "noise": noise(image),
        "aspect": aspect,
    }
    return found | bands(image) | framing(image) | markers(image)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--column", default="view")
    parser.add_argument("--values", nargs="+", default=["PA", "AP", "AP Supine"])
    given = parser.parse_args()
    wanted = None
    if given.csv:
        table = pd.read_csv(given.csv)
        wanted = set(table.loc[table[given.column].isin(given.values), "filename"])
    columns = {}
    for folder in given.folder:
        files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
        chosen = [path for path in files if wanted is None or path.name in wanted]
        found = pd.DataFrame([measure(path) for path in chosen or files])
        low, middle, high = (found.quantile(q) for q in (0.1, 0.5, 0.9))
        shares = [name for name in found if name in ("frame above 2 %", "bright frame", "bright marks")]
        text = [
            f"mean {found[name].mean():.2f}"
            if name in shares
            else f"{middle[name]:.3g} ({low[name]:.3g} {high[name]:.3g})"
            for name in found
        ]
        parent = folder.parent.name if folder.name in ("images", "train") else folder.name
        columns[f"{parent} ({len(found)})"] = pd.Series(text, index=found.columns)
    print(pd.DataFrame(columns).to_string())


if __name__ == "__main__":
    main()
