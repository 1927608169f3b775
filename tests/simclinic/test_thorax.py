"""Mistakes in what a radiograph is asked for are explained."""

import pytest

from simclinic.errors import LessonError
from simclinic.thorax import draw_patient, radiograph


@pytest.mark.parametrize(
    "mistake, says",
    [
        ({"view": "oblique"}, "no view 'oblique'; choose one of PA, AP, L"),
        ({"size": 8}, "size is 8 pixels, but it must be a whole number of at least 32"),
        ({"size": 64.5}, "size is 64.5 pixels"),
        ({"visit": -1}, "visit is -1, but visits are numbered 0, 1, 2"),
        ({"style": "Z"}, "no style named 'Z'; choose one of A, B, C, D, E, F"),
        ({"faults": ["upside-down"]}, "faults holds 'upside-down'; give a list with any of rotated, upside_down"),
        ({"faults": "rotated"}, "faults holds 'rotated'; give a list"),
    ],
)
def test_mistakes_are_explained(mistake, says):
    with pytest.raises(LessonError, match=says):
        radiograph(draw_patient(1), **mistake)
