"""Dice, distances and volumes against values worked out by hand; tables with a row per scan."""

import numpy as np
import pandas as pd
import pytest

from medlessons import segmentation
from medlessons.errors import LessonError


def box(*sides, shape=(12, 12, 8)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


CUBE = box((2, 6), (2, 6), (2, 6))
NOTHING = np.zeros_like(CUBE)


def test_dice_by_hand():
    assert segmentation.dice(CUBE, CUBE) == 1 and segmentation.dice(CUBE, NOTHING) == 0
    assert segmentation.dice(CUBE, box((4, 8), (2, 6), (2, 6))) == 0.5
    assert segmentation.dice(np.array([[1, 1], [0, 0]]), np.eye(2)) == 0.5
    assert np.isnan(segmentation.dice(NOTHING, NOTHING))


@pytest.mark.parametrize(("truth", "predicted", "says"), [(CUBE, CUBE[1:], "same grid"), (CUBE * 2, CUBE, "0 and 1")])
def test_dice_refuses(truth, predicted, says):
    with pytest.raises(LessonError, match=says):
        segmentation.dice(truth, predicted)


def test_dice_of_each_label():
    truth, predicted = np.array([0, 1, 1, 2]), np.array([1, 1, 0, 2])
    values = segmentation.dice_by_label(truth, predicted)
    assert values["edema"] == 0.5 and values["non-enhancing tumor"] == 1 and np.isnan(values["enhancing tumor"])


def test_distances_of_planes_are_in_mm():
    one, other = box((2, 3), (0, 12), (0, 8)), box((5, 6), (0, 12), (0, 8))
    assert segmentation.surface_distance(one, other, (2.0, 1.0, 1.0)) == (6, 6)
    one, other = box((0, 12), (0, 12), (2, 3)), box((0, 12), (0, 12), (4, 5))
    assert segmentation.surface_distance(one, other, (1.0, 1.0, 4.5)) == (9, 9)


def test_distances_of_the_same_and_of_nothing():
    assert segmentation.surface_distance(CUBE, CUBE, (1, 1, 1)) == (0, 0)
    assert segmentation.surface_distance(CUBE, NOTHING, (1, 1, 1)) == (np.inf, np.inf)
    assert segmentation.surface_distance(NOTHING, CUBE, (1, 1, 1)) == (np.inf, np.inf)
    assert np.isnan(segmentation.surface_distance(NOTHING, NOTHING, (1, 1, 1))).all()


def test_both_sides_count_and_far_voxels_beyond_five_percent():
    spot = NOTHING.copy()
    spot[11, 11, 7] = True
    mean, hd95 = segmentation.surface_distance(CUBE, CUBE | spot, (1, 1, 1))
    far = np.linalg.norm([6, 6, 2])
    assert mean == pytest.approx(far / (56 + 57)) and hd95 == 0  # one of 57 surface voxels is far
    assert segmentation.surface_distance(CUBE | spot, CUBE, (1, 1, 1)) == (mean, hd95)


def test_distances_do_not_depend_on_the_room_around():
    one, other = CUBE, box((3, 8), (1, 6), (2, 7))
    wide = [np.pad(mask, 5) for mask in (one, other)]
    assert segmentation.surface_distance(one, other, (1, 2, 3)) == segmentation.surface_distance(*wide, (1, 2, 3))


def test_volumes():
    half = box((2, 4), (2, 6), (2, 6))
    assert segmentation.volume_error_ml(CUBE, half, (10, 10, 10)) == -32
    assert segmentation.volume_error_ml(NOTHING, half, (10, 10, 10)) == 32
    assert segmentation.false_ml(half, CUBE, (10, 10, 10)) == 32 and segmentation.false_ml(CUBE, half, (1, 1, 1)) == 0


def test_the_largest_piece_is_connected_by_faces():
    small = box((8, 10), (8, 10), (6, 8))
    assert (segmentation.largest_piece(CUBE | small) == CUBE).all()
    corner = box((6, 8), (6, 8), (6, 8))
    assert (segmentation.largest_piece(CUBE | corner) == CUBE).all()
    assert not segmentation.largest_piece(NOTHING).any()


@pytest.fixture(scope="module")
def scan():
    label = np.zeros((12, 12, 8), np.uint8)
    label[CUBE], label[box((3, 5), (3, 5), (3, 5))] = 1, 3
    return label


def test_a_row_holds_all_figures_of_a_scan(scan):
    row = segmentation.scores(scan, np.where(scan == 3, 2, scan), (1, 1, 1))
    assert row["tumor ml"] == pytest.approx(0.064)
    assert row["Dice whole tumor"] == row["Dice tumor core"] == row["Dice edema"] == 1
    assert row["Dice enhancing tumor"] == row["Dice non-enhancing tumor"] == 0
    assert row["HD95 whole tumor"] == 0 and row["HD95 enhancing tumor"] == np.inf
    assert row["surface mm"] == row["volume error ml"] == row["false ml"] == 0
    healthy = segmentation.scores(np.zeros_like(scan), scan, (10, 10, 10))
    assert healthy["tumor ml"] == 0 and healthy["false ml"] == healthy["volume error ml"] == 64


def test_a_summary_leaves_out_what_has_no_value_and_counts_it():
    table = pd.DataFrame({"Dice whole tumor": [*np.linspace(0.5, 0.9, 12), np.nan], "HD95": [np.inf] * 10 + [1, 2, 3]})
    rows = segmentation.summary(table, range(13), repeats=200)
    first = rows.loc["Dice whole tumor"]
    assert first["scans"] == 12 and first["left out"] == 1 and first["mean"] == pytest.approx(0.7)
    assert 0.6 < first["low"] < 0.7 < first["high"] < 0.8
    assert rows.loc["HD95", "mean"] == 2 and rows.loc["HD95", "left out"] == 10
    assert rows.loc["HD95", ["low", "high"]].isna().all()  # fewer than ten scans


def test_scans_of_a_patient_stay_together_in_a_summary():
    table = pd.DataFrame({"Dice": np.repeat(np.random.default_rng(0).random(10), 4)})
    by_patient = segmentation.summary(table, np.repeat(range(10), 4)).loc["Dice"]
    by_scan = segmentation.summary(table, range(40)).loc["Dice"]
    assert by_patient["high"] - by_patient["low"] > 1.5 * (by_scan["high"] - by_scan["low"])


def test_tumors_found_by_size():
    table = pd.DataFrame(
        {"tumor ml": [0, 1, 5, 30, 200], "Dice whole tumor": [np.nan, 0.05, 0.1, 0.8, 0.9]}, index=list("abcde")
    )
    rows = segmentation.tumors_found(table, (0, 5, 20, np.inf))
    assert rows.index.tolist() == ["0 to 5 ml", "5 to 20 ml", "over 20 ml"]
    assert rows["tumors"].tolist() == [2, 0, 2] and rows["found"].tolist() == [1, 0, 2]
    assert rows.loc["0 to 5 ml", "share"] == 0.5 and rows.loc["5 to 20 ml", ["share", "low", "high"]].isna().all()
