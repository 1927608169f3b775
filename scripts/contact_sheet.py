"""Draw the findings of the simulator in one picture, as PA, AP and L: ``python scripts/contact_sheet.py OUT.png``."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from simclinic.thorax import FINDINGS, PNEUMONIAS, STYLES, VIEWS, Finding, draw_patient, radiograph

CELL, TITLE, COLUMNS = 144, 16, 3  # pixels of a film, and of the bar above it; findings per row
CLEAR = replace(STYLES["A"], marker="", exposure=8.0, fog=0.0, white=1.0, width=0.9)


def contact_sheet(size: int = CELL) -> Image.Image:
    """Return the sheet with films of ``size`` pixels; the first patient is healthy."""
    names = ("Healthy", *FINDINGS, *PNEUMONIAS)
    sheet = Image.new("L", (COLUMNS * 3 * size, -(-len(names) // COLUMNS) * (size + TITLE)), 20)
    for number, name in enumerate(names):
        patient = draw_patient(40 + number, age=4.0 if name in ("Bacterial", "Viral") else None)
        findings = [Finding(name, 0.75, seed=number)] if number else []
        films = [radiograph(patient, view, size, findings=findings, visit=1, style=CLEAR).image for view in VIEWS]
        left, top = number % COLUMNS * 3 * size, number // COLUMNS * (size + TITLE)
        sheet.paste(Image.fromarray(np.hstack(films)), (left, top + TITLE))
        ImageDraw.Draw(sheet).text((left + 4, top + 2), name.replace("_", " "), fill=240)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet().quantize(64).save(out, optimize=True)  # 64 grays keep the file small; nobody sees the difference


if __name__ == "__main__":
    main()
