"""Visits: the same body, taken again."""

from dataclasses import replace

import numpy as np
from PIL import Image

from simclinic.thorax import STYLES, draw_patient, radiograph

PLAIN = replace(STYLES["A"], marker="", scatter=0.0, sharpness=0.0, exposure=1e6)  # no noise, no scatter


def test_visits_of_one_patient_are_closer_than_other_patients():
    first = [radiograph(draw_patient(s), "PA", 96, style=PLAIN) for s in range(12)]
    second = [radiograph(draw_patient(s), "PA", 96, style=PLAIN, visit=1) for s in range(12)]
    closer = 0
    for i, again in enumerate(second):
        distance = [apart_after_alignment(again.image, other.image) for other in first]
        closer += int(np.argmin(distance) == i)
    assert closer >= 9  # by bare pixels, after a shift and a zoom only


def apart_after_alignment(moving, still):
    """Return the smallest mean difference over shifts and zooms, at 48 x 48 pixels."""
    best = np.inf
    target = np.asarray(Image.fromarray(still).resize((48, 48), Image.BOX)).astype(float)[10:-10, 10:-10]
    target -= target.mean()
    n = len(target)
    for zoom in np.linspace(0.86, 1.14, 8):
        size = round(48 * zoom)
        grown = np.asarray(Image.fromarray(moving).resize((size, size), Image.BOX)).astype(float)
        for top in range(0, size - n + 1, 2):
            for left in range(0, size - n + 1, 2):
                patch = grown[top : top + n, left : left + n]
                best = min(best, np.abs(patch - patch.mean() - target).mean())
    return best
