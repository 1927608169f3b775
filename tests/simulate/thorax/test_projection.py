"""The beam: what is near the source is enlarged."""

import numpy as np

from medlessons.simulate.thorax import draw_patient, radiograph


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
