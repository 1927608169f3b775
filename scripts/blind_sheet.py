"""Make a sheet of real and simulated radiographs, shuffled, and a key: can somebody tell them apart?

Run `python scripts/blind_sheet.py REAL OUT --seed 1` from the repository. REAL is a folder of real radiographs; twelve
of them and twelve simulated ones are drawn, made square, numbered from 1 row by row, and written to OUT/sheet-1.png;
OUT/key-1.txt says which are real. With `--view L` the simulated ones are laterals; `--csv TABLE` takes only the files
of REAL whose `view` in this table is asked for (`--values`). `--child` simulates children.
The sheet holds images of patients: OUT must lie outside the repository.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from simclinic import thorax

HALF, COLUMNS, CELL, GAP = 12, 6, 160, 4
SUFFIXES = (".png", ".jpg", ".jpeg")
ROOT = Path(__file__).resolve().parent.parent


def simulate(rng: np.random.Generator, view: str, child: bool) -> np.ndarray:
    """Return one simulated radiograph (uint8) of a patient as they come."""
    age = float(rng.uniform(1, 6)) if child else None
    body = thorax.draw_patient(int(rng.integers(10**7, 10**8)), age=age)
    findings = thorax.draw_findings(rng) if rng.random() < 0.6 else ()
    view = view if view != "frontal" else str(rng.choice(["PA", "AP"], p=[0.6, 0.4]))
    style, visit = thorax.draw_style(rng), int(rng.integers(3))
    return thorax.radiograph(body, view, 2 * CELL, findings=findings, style=style, visit=visit).image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--view", choices=["frontal", "L"], default="frontal")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--values", nargs="+", default=["PA", "AP", "AP Supine"])
    parser.add_argument("--child", action="store_true")
    given = parser.parse_args()
    if given.out.resolve().is_relative_to(ROOT):
        parser.error(
            f"{given.out} lies in the repository, but the sheet holds images of patients; choose another folder"
        )
    rng = np.random.default_rng(given.seed)
    files = [path for path in sorted(given.real.rglob("*")) if path.suffix.lower() in SUFFIXES]
    if given.csv:
        table = pd.read_csv(given.csv)
        wanted = set(table.loc[table["view"].isin(given.values), "filename"])
        files = [path for path in files if path.name in wanted]
    chosen = [files[i] for i in rng.choice(len(files), HALF, replace=False)]
    pictures = [Image.open(path).convert("L") for path in chosen]
    pictures += [Image.fromarray(simulate(rng, given.view, given.child)) for _ in range(HALF)]
    order = rng.permutation(2 * HALF)
    step = CELL + GAP
    sheet = Image.new("L", (COLUMNS * step, 2 * HALF // COLUMNS * step), 128)
    pen = ImageDraw.Draw(sheet)
    for place, which in enumerate(order):
        x, y = place % COLUMNS * step, place // COLUMNS * step
        sheet.paste(pictures[which].resize((CELL, CELL), Image.Resampling.BOX), (x, y))
        pen.text((x + CELL // 2 - 6, y + CELL - 14), str(place + 1), fill=255, stroke_width=2, stroke_fill=0)
    given.out.mkdir(parents=True, exist_ok=True)
    sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.BICUBIC).save(
        given.out / f"sheet-{given.seed}.png"
    )
    key = [f"{place + 1} {'real' if which < HALF else 'simulated'}" for place, which in enumerate(order)]
    (given.out / f"key-{given.seed}.txt").write_text("\n".join(key) + "\n")
    print(f"{given.out / f'sheet-{given.seed}.png'}: look at it before you look at the key")


if __name__ == "__main__":
    main()
