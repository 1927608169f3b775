"""The shadow: one body in both views, the same every time."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from simclinic.thorax import STYLES, VIEWS, Finding, draw_patient, radiograph
from simclinic.thorax.imaging import camera, coarse_size
from simclinic.thorax.pose import draw_pose
from simclinic.thorax.shadow import attenuation
from simclinic.thorax.signs import Change

SIZE = 128
PLAIN = replace(STYLES["A"], marker="", scatter=0.0, sharpness=0.0, exposure=1e6)  # no noise, no scatter


def rows(mask):
    """Return the first and the last row of a mask as shares of its height."""
    found = np.flatnonzero(mask.any(1))
    return found[0] / len(mask), found[-1] / len(mask)


def shadow_of(patient, view="PA", size=SIZE):
    """Return the attenuation of a healthy patient on one film."""
    pose = replace(draw_pose(patient, view, 0), devices=())
    coarse, fine = (camera(patient, view, pose, STYLES["A"], n) for n in (coarse_size(size), size))
    return attenuation(coarse, fine, patient, pose, Change(), (patient.seed, 0, 0))


def test_shoulders_reach_the_edges_of_the_film():
    """At about a third of the height there is as much tissue at both edges as in an arm."""
    filled = []
    for seed in range(12):
        shadow = shadow_of(draw_patient(seed, age=45))
        filled.append(shadow[SIZE // 3 : SIZE // 3 + 4][:, [1, -2]].mean() > 1.0)
    assert np.mean(filled) > 0.7


def test_gas_in_the_colon_is_dark_and_lies_below_the_lungs():
    for seed in range(5):
        patient = replace(draw_patient(seed, age=45), colon_air=1.0)
        gas = shadow_of(replace(patient, colon_air=0.0)) - shadow_of(patient)
        assert gas.max() > 0.2
        assert gas[: SIZE // 2].max() < 0.02  # the domes lie at about two thirds of the height


def test_ribs_lie_over_the_lungs_as_bands():
    patient = draw_patient(4, age=40)
    bones = shadow_of(patient) - shadow_of(replace(patient, bone=1e-3))
    lungs = radiograph(patient, "PA", SIZE, masks=True).lungs
    lungs[SIZE // 2 :] = False  # above the domes
    between, on_a_rib = np.percentile(bones[lungs], (20, 80))
    assert on_a_rib > 0.06
    assert on_a_rib > 2.5 * between


def test_no_lung_lies_between_the_heart_and_its_dome():
    for seed in range(6):
        seen = radiograph(draw_patient(seed, age=50), "PA", 256, masks=True)
        assert not (find_gap(seen.heart) > 0).any()


def find_gap(mask):
    """Return for each column how many rows are missing between its first and its last one."""
    first, last = mask.argmax(0), len(mask) - 1 - mask[::-1].argmax(0)
    return np.where(mask.any(0), last - first + 1 - mask.sum(0), 0)


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
        "import sys; from simclinic.thorax import *;"
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
