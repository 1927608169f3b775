"""Devices lie where a ward puts them: tips of tubes and lines at their places, electrodes on the skin."""

from dataclasses import replace

import numpy as np
import pytest

from simclinic.thorax import anatomy, draw_patient
from simclinic.thorax.devices import DEVICES, METAL, devices
from simclinic.thorax.pose import draw_pose

PATIENTS = [draw_patient(seed) for seed in range(12)]


def pieces(patient, *names):
    """Return start, end (n, 3), radius and density (n,) of the pieces of some devices."""
    pose = replace(draw_pose(patient, "AP", 0), devices=names)
    return devices(patient, pose)


def test_without_devices_there_are_no_pieces():
    assert pieces(PATIENTS[0]) == []


@pytest.mark.parametrize("name", DEVICES)
def test_each_device_is_one_list_of_thin_dense_pieces_and_the_same_in_every_image(name):
    for patient in PATIENTS:
        [(start, end, radius, density)] = pieces(patient, name)
        assert start.shape == end.shape == (len(radius), 3) and len(density) == len(radius)
        assert (radius > 0).all() and radius.max() < 2 and (density > 0).all() and density.max() <= METAL
        again = pieces(patient, name)[0]
        assert all((one == other).all() for one, other in zip((start, end, radius, density), again, strict=True))


def test_several_devices_are_put_together():
    [(start, _, _, _)] = pieces(PATIENTS[0], "line", "drain left")
    assert len(start) == 24 + 2 * 24


def test_the_tube_ends_above_the_carina_and_the_line_in_the_vena_cava():
    for patient in PATIENTS:
        tip = pieces(patient, "tube")[0][1][23]
        assert abs(tip[0]) < 1 and 6 <= tip[2] <= 8.5, "the carina is at 4.6 cm"
        tip = pieces(patient, "line")[0][1][-1]
        assert tip[0] == pytest.approx(-2.0) and 1 <= tip[2] <= 5, "right of the midline"


def test_electrodes_lie_on_the_skin():
    for patient in PATIENTS:
        start, end, radius, _ = pieces(patient, "ecg")[0]
        electrodes = radius > 0.3
        _, depth, centre = anatomy.skin(patient, np.float64(0.0))
        assert 3 <= electrodes.sum() <= 5
        assert np.allclose(start[electrodes, 1], depth + centre) and np.allclose(end[electrodes, 1], depth + centre)


def test_the_pacemaker_is_on_the_left_and_a_drain_enters_on_its_side():
    for patient in PATIENTS:
        start, end, radius, _ = pieces(patient, "pacemaker")[0]
        generator = radius > 1
        assert generator.sum() == 1 and (start[generator, 0] > 0).all() and (end[generator, 2] > 6).all()
        for name, sign in (("drain right", -1), ("drain left", 1)):
            start, end, _, _ = pieces(patient, name)[0]
            assert sign * start[0, 0] > patient.half_width and 0 < sign * end[-1, 0] < patient.half_width
