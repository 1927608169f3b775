"""Draw the contact sheet: ``python -m simclinic.thorax OUT.png``."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from simclinic.thorax import FINDINGS, PNEUMONIAS, STYLES, Finding, draw_patient, radiograph
from simclinic.thorax.lettering import letters
from simclinic.thorax.projection import VIEWS

CELL = 144
CLEAR = replace(STYLES["A"], marker="", exposure=8.0, fog=0.0, white=1.0, width=0.9)


def contact_sheet(size: int = CELL) -> np.ndarray:
    """Return one picture (uint8) of all findings, each in the views PA, AP and L; the first one is healthy."""
    blocks = []
    for number, name in enumerate(("", *FINDINGS, *PNEUMONIAS)):
        patient = draw_patient(40 + number, age=4.0 if name in ("Bacterial", "Viral") else None)
        findings = [Finding(name, 0.75, seed=number)] if name else []
        images = [radiograph(patient, view, size, findings=findings, visit=1, style=CLEAR).image for view in VIEWS]
        blocks.append(_titled(np.hstack(images), name.replace("_", " ") or "Healthy"))
    columns = 3
    return np.vstack([np.hstack(blocks[i : i + columns]) for i in range(0, len(blocks), columns)])


def _titled(picture: np.ndarray, title: str) -> np.ndarray:
    bar = np.full((16, picture.shape[1]), 20, np.uint8)
    ink = letters(title, 8)
    bar[2 : 2 + ink.shape[0], 4 : 4 + ink.shape[1]] = 20 + 220 * ink
    return np.pad(np.vstack([bar, picture]), 1, constant_values=70)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("Usage: python -m simclinic.thorax OUT.png")
    path = Path(arguments[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    # 64 grays keep the file small; nobody sees the difference.
    Image.fromarray(contact_sheet()).quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
