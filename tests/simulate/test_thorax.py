"""The simulated chest keeps its promises: one body, the right signs in the right place, the same every time."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from medlessons.errors import LessonError
from medlessons.simulate.thorax import (
    STYLES,
    VIEWS,
    Finding,
    draw_patient,
    radiograph,
)

SIZE = 128
PLAIN = replace(STYLES["A"], marker="", scatter=0.0, sharpness=0.0, exposure=1e6)  # no noise, no scatter


def rows(mask):
    """Return the first and the last row of a mask as shares of its height."""
    found = np.flatnonzero(mask.any(1))
    return found[0] / len(mask), found[-1] / len(mask)


def width(mask):
    found = np.flatnonzero(mask.any(0))
    return found[-1] - found[0] + 1


def apart(first, second):
    return np.abs(first.image.astype(float) - second.image.astype(float)).mean()


# body


@pytest.mark.parametrize("seed", range(4))
def test_lateral_shows_the_same_heart_and_lesion_as_the_frontal(seed):
    patient = draw_patient(seed)
    nodule = Finding("Nodule", 1.0, seed=[3, 8, 11, 14][seed])
    frontal, lateral = (
        radiograph(patient, view, SIZE, findings=[nodule], masks=True, style=PLAIN) for view in ("PA", "L")
    )
    # Poses differ a little (breath, zoom, height on the film), so heights agree within a few percent.
    assert np.allclose(rows(frontal.heart), rows(lateral.heart), atol=0.12)
    heart = np.mean(rows(frontal.heart)), np.mean(rows(lateral.heart))
    lesion = np.mean(rows(frontal.masks["Nodule"])), np.mean(rows(lateral.masks["Nodule"]))
    assert lesion[0] - heart[0] == pytest.approx(lesion[1] - heart[1], abs=0.09)


@pytest.mark.parametrize("ratio", [0.38, 0.45, 0.52, 0.6, 0.68])
def test_heart_is_as_wide_as_asked(ratio):
    measured = []
    for seed in range(4):
        patient = draw_patient(seed, age=40, cardiothoracic_ratio=ratio)
        seen = radiograph(patient, "PA", 256, masks=True)
        measured.append(width(seen.heart) / width(seen.lungs))
    assert np.mean(measured) == pytest.approx(ratio, abs=0.03)


def test_ap_magnifies_the_heart():
    ratios = {"PA": [], "AP": []}
    for seed in range(6):
        for view in ratios:
            seen = radiograph(draw_patient(seed), view, 256, masks=True)
            ratios[view].append(width(seen.heart) / width(seen.lungs))
    assert np.mean(ratios["AP"]) > np.mean(ratios["PA"]) + 0.015


def test_right_dome_is_higher():
    higher = []
    for seed in range(8):
        air = radiograph(draw_patient(seed), "PA", SIZE, masks=True).lungs
        half = np.flatnonzero(air.any(0)).mean().astype(int)
        quarter = width(air) // 4
        lowest = [np.flatnonzero(air[:, half + side * quarter])[-1] for side in (-1, 1)]
        higher.append(lowest[1] - lowest[0])
    assert np.mean(higher) > 1


def test_children_have_other_proportions():
    child, adult = (radiograph(draw_patient(5, age=age), "PA", SIZE, masks=True) for age in (2, 40))
    assert width(child.heart) / width(child.lungs) > width(adult.heart) / width(adult.lungs)
    assert draw_patient(5, age=2).scale < 0.6 < draw_patient(5, age=40).scale


# visits


def test_visits_of_one_patient_are_closer_than_other_patients():
    first = [radiograph(draw_patient(s), "PA", 96, style=PLAIN) for s in range(12)]
    second = [radiograph(draw_patient(s), "PA", 96, style=PLAIN, visit=1) for s in range(12)]
    closer = 0
    for i, again in enumerate(second):
        distance = [apart_after_alignment(again.image, other.image) for other in first]
        closer += int(np.argmin(distance) == i)
    assert closer >= 9  # by bare pixels, after a shift and a zoom only


def apart_after_alignment(moving, still):
    """Return the smallest mean difference over small shifts and zooms."""
    best = np.inf
    picture = Image.fromarray(moving)
    size = len(moving)
    target = still[16:-16, 16:-16].astype(float)
    for zoom in (0.94, 0.97, 1.0, 1.03, 1.06):
        n = round(size * zoom)
        grown = np.asarray(picture.resize((n, n), Image.BILINEAR)).astype(float)
        start = (n - size) // 2
        for dy in range(-9, 10, 3):
            for dx in range(-9, 10, 3):
                y, x = start + 16 + dy, start + 16 + dx
                patch = grown[y : y + size - 32, x : x + size - 32]
                if patch.shape == target.shape:
                    best = min(best, np.abs((patch - patch.mean()) - (target - target.mean())).mean())
    return best


def test_no_two_patients_are_alike():
    images = [radiograph(draw_patient(s), "PA", 64, style=PLAIN) for s in range(40)]
    smallest = min(apart(a, b) for i, a in enumerate(images) for b in images[:i])
    assert smallest > 2
    assert len({draw_patient(s).id for s in range(500)}) == 500


# determinism


def test_same_seed_same_image():
    for view in VIEWS:
        first, again = (
            radiograph(draw_patient(8), view, SIZE, findings=[Finding("Mass", 0.5)], style="C") for _ in range(2)
        )
        assert (first.image == again.image).all()
    assert first.image.dtype == np.uint8
    assert first.image.shape == (SIZE, SIZE)


def test_other_arithmetic_same_image():
    """Without the processor's vector units and with another BLAS kernel, at most one grey level differs."""
    code = (
        "import sys; from medlessons.simulate.thorax import *;"
        "r = radiograph(draw_patient(8), 'PA', 128, findings=[Finding('Edema', 0.5)], style='D');"
        "sys.stdout.buffer.write(r.image.tobytes())"
    )
    plain = {
        **os.environ,
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX2 FMA3 AVX512F",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=plain, check=True)
    other = np.frombuffer(done.stdout, np.uint8).reshape(128, 128).astype(int)
    here = radiograph(draw_patient(8), "PA", 128, findings=[Finding("Edema", 0.5)], style="D").image.astype(int)
    assert np.abs(here - other).max() <= 1


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: radiograph(draw_patient(1), "oblique"),
        lambda: radiograph(draw_patient(1), size=8),
        lambda: radiograph(draw_patient(1), visit=-1),
        lambda: radiograph(draw_patient(1), style="Z"),
        lambda: radiograph(draw_patient(1), faults=["upside-down"]),
        lambda: radiograph(draw_patient(1), faults="rotated"),
        lambda: draw_patient(-1),
        lambda: draw_patient(1, age=130),
        lambda: draw_patient(1, sex="X"),
        lambda: draw_patient(1, cardiothoracic_ratio=0.9),
    ],
)
def test_mistakes_are_explained(mistake):
    with pytest.raises(LessonError, match=r"must|choose|give|numbered"):
        mistake()
