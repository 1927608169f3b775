"""What the measurement on real images rests on: folds by patient, results kept, differences on the same draws."""

import runpy

import numpy as np
import pandas as pd
import pytest

from medlessons import evaluation, settings

SCRIPT = runpy.run_path(str(settings.REPOSITORY / "scripts" / "finetune_real.py"))
NAMES = SCRIPT["NAMES"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    labels = pd.DataFrame(rng.integers(0, 2, (120, len(NAMES))), columns=NAMES)
    return labels.assign(patient=[f"p{number}" for number in rng.integers(0, 60, 120)])


def test_each_image_is_judged_once_by_a_fit_that_did_not_see_its_patient(table, tmp_path):
    judged = []

    def fit(learn, judge):
        assert not set(table["patient"][learn]) & set(table["patient"][judge])
        assert len(learn) + len(judge) == len(table)
        judged.extend(judge)
        return np.repeat(judge[:, np.newaxis], len(NAMES), axis=1)

    scores = SCRIPT["out_of_fold"](table, fit, tmp_path)
    assert sorted(judged) == list(range(len(table)))
    assert (scores == np.arange(len(table))[:, np.newaxis]).all()


def test_folds_that_are_done_are_not_fitted_again(table, tmp_path):
    def stop_at_the_third(learn, judge):
        if len(list(tmp_path.glob("*.npy"))) == 2:
            raise KeyboardInterrupt
        return np.ones((len(judge), len(NAMES)))

    with pytest.raises(KeyboardInterrupt):
        SCRIPT["out_of_fold"](table, stop_at_the_third, tmp_path)
    again = []
    SCRIPT["out_of_fold"](table, lambda learn, judge: again.append(1) or np.zeros((len(judge), len(NAMES))), tmp_path)
    assert len(again) == SCRIPT["FOLDS"] - 2


def test_a_better_score_has_a_difference_above_zero_and_its_own_double_has_none(table):
    truth = table[NAMES].to_numpy()
    noise = np.random.default_rng(1).normal(0, 1, truth.shape)
    compare = SCRIPT["mean_auroc"]
    figure, low, high = compare(table, noise + truth, NAMES, noise)
    assert 0 < low < figure < high
    assert figure == pytest.approx(compare(table, noise + truth, NAMES)[0] - compare(table, noise, NAMES)[0])
    assert compare(table, noise, NAMES, noise) == (0, 0, 0)


def test_a_probe_reads_off_what_the_features_show(table):
    labels = table[NAMES].to_numpy(copy=True)
    labels[:, 3] = 0  # a finding that no image has gets no fit
    scores = SCRIPT["Probe"](labels + 0.0, labels)(np.arange(80), np.arange(80, 120))
    assert evaluation.auroc(labels[80:, 0], scores[:, 0]) > 0.95
    assert (scores[:, 3] == 0).all()
