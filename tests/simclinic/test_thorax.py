"""Mistakes in what a radiograph is asked for are explained."""

import pytest

from medlessons.errors import LessonError
from simclinic.thorax import draw_patient, radiograph


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: radiograph(draw_patient(1), "oblique"),
        lambda: radiograph(draw_patient(1), size=8),
        lambda: radiograph(draw_patient(1), visit=-1),
        lambda: radiograph(draw_patient(1), style="Z"),
        lambda: radiograph(draw_patient(1), faults=["upside-down"]),
        lambda: radiograph(draw_patient(1), faults="rotated"),
    ],
)
def test_mistakes_are_explained(mistake):
    with pytest.raises(LessonError, match=r"must|choose|give|numbered"):
        mistake()
