"""Calibration and net benefit: formulas by hand, simulated outputs with a known fault, and what is refused."""

import numpy as np
import pytest
from scipy.special import expit

from medlessons import calibration
from medlessons.errors import LessonError


@pytest.fixture(scope="module")
def patients():
    """Return labels and the probabilities that they were drawn from."""
    rng = np.random.default_rng(0)
    probability = expit(rng.normal(-1.5, 1.5, 40_000))
    return (rng.random(len(probability)) < probability).astype(int), probability


@pytest.fixture(scope="module")
def too_extreme(patients):
    """Return outputs whose log-odds are doubled and raised by 1."""
    return expit(2 * calibration.log_odds(patients[1]) + 1)


def test_a_weight_of_the_loss_is_undone_on_the_odds():
    assert calibration.scale_odds([0.9], 0.02 / 0.98)[0] == pytest.approx(0.155, abs=5e-4)
    assert calibration.scale_odds([0.2, 0.7], 1) == pytest.approx([0.2, 0.7])


def test_outputs_of_0_and_1_stay_finite():
    assert np.isfinite(calibration.log_odds([0, 1])).all()


def test_perfect_probabilities_have_slope_1_and_intercept_0(patients):
    summary = calibration.calibration_summary(*patients)
    assert summary["slope"] == pytest.approx(1, abs=0.05)
    assert summary["intercept"] == pytest.approx(0, abs=0.05)
    assert summary["mean output"] == pytest.approx(summary["prevalence"], abs=0.01)
    assert summary["Brier"] < summary["Brier of prevalence"]


def test_too_extreme_outputs_have_half_the_slope(patients, too_extreme):
    assert calibration.calibration_summary(patients[0], too_extreme)["slope"] == pytest.approx(0.5, abs=0.03)


def test_the_intercept_makes_mean_output_and_prevalence_agree(patients, too_extreme):
    shift = calibration.calibration_summary(patients[0], too_extreme)["intercept"]
    shifted = calibration.scale_odds(too_extreme, np.exp(shift))
    assert shifted.mean() == pytest.approx(patients[0].mean(), abs=1e-6)
    assert shift < 0


def test_platt_scaling_finds_the_line_back(patients, too_extreme):
    slope, intercept = calibration.fit_platt(patients[0], too_extreme)
    assert (slope, intercept) == pytest.approx((0.5, -0.5), abs=0.05)
    assert calibration.apply_platt(too_extreme, slope, intercept) == pytest.approx(patients[1], abs=0.05)


def test_smoothed_targets_keep_a_perfect_separation_finite():
    slope, _ = calibration.fit_platt([0] * 20 + [1, 1], [0.1] * 20 + [0.9, 0.9])
    assert 0 < slope < 5


def test_bins_hold_equally_many_cases_and_their_intervals_hold_the_truth(patients):
    table = calibration.reliability(*patients, bins=10)
    assert table["cases"].tolist() == [4000] * 10
    assert ((table["low"] <= table["frequency"]) & (table["frequency"] <= table["high"])).all()
    assert ((table["low"] - 0.02 <= table["output"]) & (table["output"] <= table["high"] + 0.02)).all()


def test_the_calibration_error_is_the_weighted_gap():
    truth, probability = [0, 0, 1, 1], [0.1, 0.1, 0.6, 0.6]
    assert calibration.expected_calibration_error(truth, probability, [0, 0.5, 1]) == pytest.approx(0.25)
    assert calibration.expected_calibration_error([1, 0], [1.0, 0.0], [0, 0.5, 1]) == 0


@pytest.mark.parametrize(
    ("truth", "probability", "threshold", "expected"),
    [
        (np.repeat([1, 0], [114, 886]), np.ones(1000), 0.1, 0.0156),
        ([1, 0, 0, 0], [0.9, 0.8, 0.1, 0.1], 0.5, 0.0),
        ([1, 0], [0.2, 0.2], 0.2, 0.375),
        ([1, 0], [0.1, 0.1], 0.2, 0.0),
    ],
)
def test_net_benefit_by_hand(truth, probability, threshold, expected):
    assert calibration.net_benefit(truth, probability, threshold) == pytest.approx(expected, abs=5e-5)


def test_the_decision_curve_has_acting_on_all_and_on_nobody(patients):
    curve = calibration.decision_curve(patients[0], {"model": patients[1]}, [0.05, 0.2, 0.5])
    assert list(curve) == ["model", "act on all", "act on nobody"]
    assert (curve["act on nobody"] == 0).all()
    assert (curve["model"] >= curve[["act on all", "act on nobody"]].max(axis=1)).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: calibration.scale_odds([0.5], 0), "above 0"),
        (lambda: calibration.fit_platt([1, 1], [0.5, 0.6]), "2 positives and 0 negatives"),
        (lambda: calibration.calibration_summary([0, 0], [0.5, 0.6]), "All labels are the same"),
        (lambda: calibration.net_benefit([0, 1], [0.5, 0.6], 1), "between 0 and 1"),
        (lambda: calibration.reliability([0, 2], [0.5, 0.6]), "0 or 1"),
    ],
)
def test_what_cannot_be_computed_is_refused(call, said):
    with pytest.raises(LessonError, match=said):
        call()
