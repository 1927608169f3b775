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
    FINDINGS,
    PNEUMONIAS,
    STYLES,
    VIEWS,
    Finding,
    draw_findings,
    draw_patient,
    mined_labels,
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


# findings


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", FINDINGS + PNEUMONIAS)
def test_a_finding_changes_its_mask_and_nothing_else(name, view):
    patient = draw_patient(21)
    healthy = radiograph(patient, view, SIZE, style=PLAIN)
    ill = radiograph(patient, view, SIZE, style=PLAIN, findings=[Finding(name, 0.9, seed=4)], masks=True)
    change = np.abs(ill.image.astype(int) - healthy.image.astype(int))
    mask = ill.masks[name]
    assert 10 < mask.sum() < 0.6 * mask.size
    assert change[mask].mean() > 2
    assert change[~mask].max() <= 12  # faint rims of soft lesions
    assert change[~mask].mean() < 0.5


@pytest.mark.parametrize("name", FINDINGS + PNEUMONIAS)
def test_severe_is_more_than_mild(name):
    patient = draw_patient(33)
    healthy = radiograph(patient, "PA", SIZE, style=PLAIN)
    mild, severe = (
        radiograph(patient, "PA", SIZE, style=PLAIN, findings=[Finding(name, s, side="right", seed=2)])
        for s in (0.1, 0.95)
    )
    assert apart(severe, healthy) > apart(mild, healthy) > 0


@pytest.mark.parametrize(("name", "sign"), [("Effusion", 1), ("Consolidation", 1), ("Mass", 1), ("Emphysema", -1)])
def test_fluid_is_bright_and_trapped_air_is_dark(name, sign):
    patient = draw_patient(9)
    healthy = radiograph(patient, "PA", SIZE, style=PLAIN)
    ill = radiograph(patient, "PA", SIZE, style=PLAIN, findings=[Finding(name, 0.8, seed=1)], masks=True)
    mask = ill.masks[name]
    assert sign * (ill.image[mask].astype(float).mean() - healthy.image[mask].mean()) > 5


@pytest.mark.parametrize("name", ["Effusion", "Pneumothorax", "Pneumonia", "Consolidation", "Mass"])
def test_side_is_where_it_is_asked(name):
    for side, sign in (("right", -1), ("left", 1)):  # the patient's right is at the image's left
        seen = radiograph(draw_patient(2), "PA", SIZE, findings=[Finding(name, 0.7, side=side, seed=3)], masks=True)
        middle = np.nonzero(seen.lungs)[1].mean()
        assert sign * (np.nonzero(seen.masks[name])[1].mean() - middle) > 0.05 * SIZE


def test_covid_is_peripheral_low_and_on_both_sides():
    out, low, sides = [], [], []
    for seed in range(8):
        case = [Finding("COVID-19", 0.7, seed=seed)]
        seen = radiograph(draw_patient(seed), "PA", SIZE, findings=case, masks=True)
        y, x = np.nonzero(seen.masks["COVID-19"])
        ly, lx = np.nonzero(seen.lungs)
        out.append(np.abs(x - lx.mean()).mean() / np.abs(lx - lx.mean()).mean())
        low.append(y.mean() > ly.mean())
        sides.append((x < lx.mean()).any() and (x > lx.mean()).any())
    assert np.mean(out) > 1.1
    assert np.mean(low) > 0.6
    assert all(sides)


def test_findings_come_as_often_as_asked():
    rng = np.random.default_rng(0)
    wanted = {"Effusion": 0.3, "Edema": 0.1, "Nodule": 0.05, "Hernia": 0.01}
    drawn = [{f.name for f in draw_findings(rng, wanted)} for _ in range(8000)]
    for name, p in wanted.items():
        assert np.mean([name in d for d in drawn]) == pytest.approx(p, abs=4 * np.sqrt(p / 8000))


def test_findings_come_together_as_asked():
    rng = np.random.default_rng(1)
    wanted = {"Effusion": 0.2, "Edema": 0.2}

    def both(cooccurrence):
        drawn = [draw_findings(rng, wanted, cooccurrence) for _ in range(5000)]
        return np.mean([len(d) == 2 for d in drawn])

    assert both({}) == pytest.approx(0.04, abs=0.012)
    assert both({("Effusion", "Edema"): 0.8}) > 0.1
    assert both({("Effusion", "Edema"): -0.8}) < 0.01


def test_mined_labels_err_at_the_rate_asked_and_leave_the_truth():
    truth = (np.random.default_rng(0).random((4000, 14)) < 0.1).astype(int)
    kept = truth.copy()
    mined = mined_labels(truth, np.random.default_rng(1), 0.1)
    assert np.mean(mined != truth) == pytest.approx(0.1, abs=0.01)
    mined = mined_labels(truth, np.random.default_rng(1), (0.3, 0.02))
    assert np.mean(mined[truth == 1] == 0) == pytest.approx(0.3, abs=0.03)
    assert np.mean(mined[truth == 0] == 1) == pytest.approx(0.02, abs=0.005)
    assert (truth == kept).all()
    assert (mined_labels(truth, np.random.default_rng(2), 0) == truth).all()


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
        lambda: Finding("Cough"),
        lambda: Finding("Mass", 1.5),
        lambda: Finding("Mass", side="top"),
        lambda: draw_patient(-1),
        lambda: draw_patient(1, age=130),
        lambda: draw_patient(1, sex="X"),
        lambda: draw_patient(1, cardiothoracic_ratio=0.9),
        lambda: draw_findings(np.random.default_rng(0), {"Mass": 1.4}),
        lambda: draw_findings(np.random.default_rng(0), {"Cough": 0.4}),
        lambda: mined_labels(np.array([0, 1]), np.random.default_rng(0), 2),
        lambda: mined_labels(np.array([0, 3]), np.random.default_rng(0)),
    ],
)
def test_mistakes_are_explained(mistake):
    with pytest.raises(LessonError, match=r"must|choose|give|numbered"):
        mistake()
