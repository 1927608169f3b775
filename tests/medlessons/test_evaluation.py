"""AUROC, counts and intervals against their definitions and against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from medlessons import evaluation
from medlessons.errors import LessonError


@pytest.fixture(scope="module")
def cases():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 300)
    return truth, np.round(truth + rng.normal(0, 1.2, 300), 1), np.repeat(np.arange(100), 3)


def test_auroc_is_that_of_scikit_learn_ties_included(cases):
    truth, score, _ = cases
    assert evaluation.auroc(truth, score) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    assert evaluation.auroc([0, 1], [3, 3]) == 0.5
    assert evaluation.auroc([0, 1], [-9, 9]) == 1


@pytest.mark.parametrize(
    "truth, score, says",
    [
        ([0, 1], [1], "2 true labels but 1"),
        ([0, 0], [1, 2], "0 and 2"),
        ([0, 2], [1, 2], "0 or 1"),
        ([0, 1], [1, np.nan], "Prediction 1 is not a number"),
    ],
)
def test_auroc_refuses(truth, score, says):
    with pytest.raises(LessonError, match=says):
        evaluation.auroc(truth, score)


def test_the_interval_holds_the_value_and_is_wider_by_patient(cases):
    truth, score, patients = cases
    copies = np.repeat(truth[::3], 3), np.repeat(score[::3], 3)  # three equal images a patient
    value = evaluation.auroc(*copies)
    low, high = evaluation.cluster_bootstrap_ci(evaluation.auroc, *copies, patients, repeats=300)
    assert low < value < high
    by_image = evaluation.cluster_bootstrap_ci(evaluation.auroc, *copies, np.arange(300), repeats=300)
    assert high - low > 1.4 * (by_image[1] - by_image[0])
    assert (low, high) == evaluation.cluster_bootstrap_ci(evaluation.auroc, *copies, patients, repeats=300)


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    score = np.random.default_rng(0).normal(5, 2, 400)
    error = score.std() / 20
    for level, z in ((0.95, 1.96), (0.5, 0.674)):
        interval = evaluation.cluster_bootstrap_ci(
            lambda truth, score: score.mean(), np.ones(400), score, range(400), level, repeats=4000
        )
        assert interval == pytest.approx((score.mean() - z * error, score.mean() + z * error), abs=0.12 * error)


def test_draws_with_one_class_are_left_out():
    low, high = evaluation.cluster_bootstrap_ci(evaluation.auroc, [0, 0, 0, 1], [1, 2, 3, 4], list("abcd"), repeats=100)
    assert (low, high) == (1, 1)
    with pytest.raises(LessonError, match="No draw"):
        evaluation.cluster_bootstrap_ci(evaluation.auroc, [0, 0], [1, 2], list("ab"), repeats=10)
    with pytest.raises(LessonError, match="2 cases but 1"):
        evaluation.cluster_bootstrap_ci(evaluation.accuracy, [0, 1], [1, 0], ["a"])


def test_what_a_statistic_of_ones_own_does_not_define_is_left_out():
    case = [0, 0, 0, 1], [1, 2, 3, 4], list("abcd")
    own = evaluation.cluster_bootstrap_ci(lambda t, s: evaluation.auroc(t, -s), *case, repeats=100)
    assert own == (0, 0)
    with pytest.raises(LessonError, match=r"No draw of patients gives a number.*0 or 1"):
        evaluation.cluster_bootstrap_ci(evaluation.accuracy, *case, repeats=10)


def test_accuracy_compares_case_by_case():
    assert evaluation.accuracy([1, 0, 1, 1], [1, 0, 0, 1]) == 0.75
    assert evaluation.accuracy([1, 0, 1, 1], np.array([[1], [0], [0], [1]])) == 0.75  # as networks give them
    assert evaluation.accuracy([1, 0], np.array([True, True])) == 0.5


@pytest.mark.parametrize(
    "truth, predicted, says",
    [
        ([1, 0], [1], "2 true labels but 1"),
        ([1, 0], [[1, 0], [0, 1]], r"shape \(2, 2\); expected is one value per case"),
        ([1, 0], 1, r"shape \(\)"),
        ([1, 0], [0.9, 0.2], "threshold"),
    ],
)
def test_accuracy_refuses(truth, predicted, says):
    with pytest.raises(LessonError, match=says):
        evaluation.accuracy(truth, predicted)


def test_operating_point_is_that_of_scikit_learn(cases):
    truth, score, _ = cases
    predicted = (score > 0.5).astype(int)
    point = evaluation.operating_point(truth, predicted)
    assert point["accuracy"] == evaluation.accuracy(truth, predicted)
    assert point["sensitivity"] == pytest.approx(recall_score(truth, predicted))
    assert point["specificity"] == pytest.approx(recall_score(truth, predicted, pos_label=0))
    assert point["precision"] == pytest.approx(precision_score(truth, predicted))


def test_no_alarm_has_no_precision():
    point = evaluation.operating_point([0, 1], [0, 0])
    assert np.isnan(point["precision"]) and point["sensitivity"] == 0
    with pytest.raises(LessonError, match="threshold"):
        evaluation.operating_point([0, 1], [0.3, 0.9])


def test_wilson_interval():
    assert evaluation.wilson_interval(15, 15) == pytest.approx((0.796, 1.0), abs=5e-4)
    assert evaluation.wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-4)  # Newcombe 1998, case 1
    assert evaluation.wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-4)
    for successes, cases in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(LessonError, match="is not a share"):
            evaluation.wilson_interval(successes, cases)


def test_a_table_of_findings_agrees_with_one_finding_at_a_time():
    rng = np.random.default_rng(0)
    patients = rng.integers(0, 60, 150)
    labels = pd.DataFrame({"Mass": rng.integers(0, 2, 150), "Nodule": rng.integers(0, 2, 150), "Hernia": 0})
    scores = pd.DataFrame({name: rng.normal(labels[name], 1.5).round(1) for name in ("Hernia", "Nodule", "Mass")})
    table = evaluation.auroc_table(labels, scores, patients, repeats=4000)
    assert list(table.index) == ["Mass", "Nodule", "Hernia"]
    for name in ("Mass", "Nodule"):
        assert table.loc[name, "AUROC"] == pytest.approx(evaluation.auroc(labels[name], scores[name]))
        low, high = evaluation.cluster_bootstrap_ci(
            evaluation.auroc, labels[name], scores[name], patients, repeats=1500
        )
        assert table.loc[name, ["low", "high"]].tolist() == pytest.approx([low, high], abs=0.012)
    assert table.loc["Hernia", "positives"] == 0 and table.loc["Hernia"].isna().sum() == 3


def test_a_table_of_other_findings_is_refused():
    labels = pd.DataFrame({"Mass": [0, 1], "Nodule": [1, 0]})
    with pytest.raises(LessonError, match="only one of them has Edema, Nodule"):
        evaluation.auroc_table(labels, labels.rename(columns={"Nodule": "Edema"}), [1, 2])
    with pytest.raises(LessonError, match="3 patients"):
        evaluation.auroc_table(labels, labels, [1, 2, 3])


@pytest.mark.parametrize(("positives", "shown"), [(9, False), (10, True), (50, True), (91, False)])
def test_no_interval_stands_beside_fewer_than_ten_positives_or_negatives(positives, shown):
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"Mass": np.arange(100) < positives}).astype(int)
    table = evaluation.auroc_table(labels, pd.DataFrame({"Mass": rng.random(100)}), range(100), repeats=50)
    assert table[["low", "high"]].notna().to_numpy().all() == shown
    assert not np.isnan(table.loc["Mass", "AUROC"])


def test_weights_of_a_draw_are_the_same_for_all_images_of_a_patient():
    weights = evaluation.draw_weights(["a", "b", "a", "c"], repeats=200)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights.max() == 3 and weights.min() == 0


def test_a_paired_difference_is_narrower_than_two_intervals():
    rng = np.random.default_rng(0)
    truth = (rng.random(300) < 0.3).astype(int)
    one = truth + rng.normal(0, 1, 300)
    other = one + rng.normal(0, 0.1, 300)
    weights = evaluation.draw_weights(range(300))
    difference, low, high = evaluation.auroc_difference(truth, one, other, weights)
    alone = np.quantile(evaluation.weighted_auroc(truth, one, weights), [0.025, 0.975])
    assert low <= difference <= high
    assert high - low < (alone[1] - alone[0]) / 3


def test_rates_of_the_published_fourteen_rows():
    truth = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    score = np.array([0.8, 0.7, 0.4, 0.3, 0.2, 0.5, 0.6, 0.7, 0.8, 0.1, 0.2, 0.3, 0.4, 0])
    table = evaluation.rates(truth, (score >= 0.5).astype(int))
    wanted = {
        "sensitivity": 2 / 7,
        "specificity": 3 / 7,
        "PPV": 2 / 6,
        "NPV": 3 / 8,
        "accuracy": 5 / 14,
        "prevalence": 0.5,
    }
    assert table["rate"].to_dict() == pytest.approx(wanted)
    assert ((table["low"] < table["rate"]) & (table["rate"] < table["high"])).all()


def test_rates_of_nobody_are_nan():
    table = evaluation.rates([0, 0], [0, 0])
    assert np.isnan(table.loc[["sensitivity", "PPV"], ["rate", "low", "high"]].to_numpy()).all()
