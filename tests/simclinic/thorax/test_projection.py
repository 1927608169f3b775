"""The beam: what is near the source is enlarged, and no mass is lost on the way to the film."""

import numpy as np
import pytest

from simclinic.thorax import draw_patient, radiograph
from simclinic.thorax.imaging import camera
from simclinic.thorax.pose import draw_pose
from simclinic.thorax.projection import bands, column, splat
from simclinic.thorax.styles import STYLES


def film(view, size):
    patient = draw_patient(1)
    return camera(patient, view, draw_pose(patient, view, 0), STYLES["A"], size)


def width(mask):
    found = np.flatnonzero(mask.any(0))
    return found[-1] - found[0] + 1


def test_ap_magnifies_the_heart():
    ratios = {"PA": [], "AP": []}
    for seed in range(6):
        for view in ratios:
            seen = radiograph(draw_patient(seed), view, 256, masks=True)
            ratios[view].append(width(seen.heart) / width(seen.lungs))
    assert np.mean(ratios["AP"]) > np.mean(ratios["PA"]) + 0.015


@pytest.mark.parametrize("view", ["PA", "L"])
def test_a_rod_keeps_its_mass_however_finely_it_is_drawn(view):
    line = np.stack([np.linspace(-3, 3, 9), np.linspace(-2, 2, 9), np.linspace(0, 2, 9)], 1)[None].astype(np.float32)
    tall, flat = (np.broadcast_to(np.array(axis, np.float32), line.shape) for axis in ([0, 0, 0.6], [0, 0.3, 0]))
    mass = np.full(line.shape[:2], 0.1, np.float32)
    girth = 2 * np.pi * np.sqrt(0.5 * (0.6**2 + 0.3**2))
    wanted = 0.1 * girth * np.linalg.norm(line[0, -1] - line[0, 0])
    for steps, across, size in ((3, 5, 64), (9, 14, 64), (3, 5, 200)):
        cam = film(view, size)
        total = splat(cam, [bands(cam, line, tall, flat, mass, steps, across)])
        assert total.sum() * cam.grid[0][1] * cam.grid[1][1] == pytest.approx(wanted, rel=0.05)


def test_a_column_has_four_half_axes():
    frontal, lateral = film("PA", 128), film("L", 128)
    for cam, (first, second), (low, high) in ((frontal, (2, 4), (1, 3)), (lateral, (1, 3), (2, 4))):
        near, far = column(cam, 0.0, 0.0, (2.0, 4.0), (1.0, 3.0))
        across, row = cam.middle[0][64], (far - near)[64]
        seen = across[row > 0]
        assert (seen.min(), seen.max()) == (pytest.approx(-first, abs=0.5), pytest.approx(second, abs=0.5))
        assert row.max() == pytest.approx(low + high, abs=0.1)
