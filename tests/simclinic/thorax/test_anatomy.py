"""The body: proportions of adults and children, a heart as wide as asked, no two patients alike."""

from dataclasses import replace

import numpy as np
import pytest

from medlessons.errors import LessonError
from simclinic.thorax import STYLES, draw_patient, radiograph
from simclinic.thorax.anatomy import Side, cage, dome, heart, ribs

SIZE = 128
PLAIN = replace(STYLES["A"], marker="", scatter=0.0, sharpness=0.0, exposure=1e6)  # no noise, no scatter


def width(mask):
    found = np.flatnonzero(mask.any(0))
    return found[-1] - found[0] + 1


@pytest.mark.parametrize("ratio", [0.38, 0.45, 0.52, 0.6, 0.68])
def test_heart_is_as_wide_as_asked(ratio):
    measured = []
    for seed in range(4):
        patient = draw_patient(seed, age=40, cardiothoracic_ratio=ratio)
        seen = radiograph(patient, "PA", 256, masks=True)
        measured.append(width(seen.heart) / width(seen.lungs))
    assert np.mean(measured) == pytest.approx(ratio, abs=0.03)


def test_the_apex_of_the_heart_rests_on_the_dome_and_dips_into_it():
    for seed in range(20):
        patient = draw_patient(seed)
        body, left = heart(patient, 1.0), dome(patient, Side.LEFT, 1.0)
        heights = np.linspace(left.top - 3, left.top + 8, 400)
        widest = heights[np.argmax(body.borders(heights)[1])]
        assert left.top < widest < left.top + 2.5
        assert body.borders(np.array([left.top - 1.0]))[1] > 0.6 * body.left


def test_lungs_are_narrow_at_the_top_and_have_nearly_straight_sides():
    patient = draw_patient(3, age=40)
    width_of, depth_of, _ = cage(patient, np.array([13.0, 4.0, -1.0, -6.0, -11.0]))
    assert width_of[0] < 0.5 * patient.half_width
    assert depth_of[0] < 0.3 * patient.half_depth
    assert (np.abs(np.diff(width_of[1:])) < 0.1 * patient.half_width).all()


def test_right_dome_is_higher():
    higher = []
    for seed in range(8):
        air = radiograph(draw_patient(seed), "PA", SIZE, masks=True).lungs
        half = np.flatnonzero(air.any(0)).mean().astype(int)
        quarter = width(air) // 4
        lowest = [np.flatnonzero(air[:, half + side * quarter])[-1] for side in (-1, 1)]
        higher.append(lowest[1] - lowest[0])
    assert np.mean(higher) > 1


def test_ribs_fall_all_the_way_to_the_front_and_are_not_alike():
    for seed in range(5):
        right, left = np.split(ribs(draw_patient(seed, age=40)).centre[..., 2], 2)
        assert (np.diff(left[3:9]) < 0).all()  # ribs four to nine
        assert np.ptp(right[:, 0] - left[:, 0]) > 0.1


def test_children_have_other_proportions():
    child, adult = (radiograph(draw_patient(5, age=age), "PA", SIZE, masks=True) for age in (2, 40))
    assert width(child.heart) / width(child.lungs) > width(adult.heart) / width(adult.lungs)
    assert draw_patient(5, age=2).scale < 0.6 < draw_patient(5, age=40).scale


def test_no_two_patients_are_alike():
    images = [radiograph(draw_patient(s), "PA", 64, style=PLAIN) for s in range(40)]
    smallest = min(np.abs(a.image.astype(float) - b.image).mean() for i, a in enumerate(images) for b in images[:i])
    assert smallest > 2
    assert len({draw_patient(s).id for s in range(500)}) == 500


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 1, "age": 130}, "age"),
        ({"seed": 1, "sex": "X"}, "sex"),
        ({"seed": 1, "cardiothoracic_ratio": 0.9}, "cardiothoracic_ratio"),
    ],
)
def test_mistakes_are_explained(mistake, word):
    with pytest.raises(LessonError, match=word):
        draw_patient(**mistake)
