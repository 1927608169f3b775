"""Each check of lesson 3 accepts right answers written in several ways, and names each classic mistake."""

import inspect

import numpy as np
import pandas as pd
import pytest

from medlessons import losses
from medlessons.checks import findings

# --- 3.1


def merged(df1, df2, patient_col):
    return len(df1.merge(df2, on=patient_col)) > 0


LEAK = [
    (lambda a, b, c: bool(set(a[c]) & set(b[c])), None),
    (lambda a, b, c: a[c].isin(b[c]).any(), None),
    (merged, None),
    (lambda a, b, c: not set(a[c]).isdisjoint(b[c].unique()), None),
    (lambda a, b, c: set(a[c]) & set(b[c]), "True or False"),
    (lambda a, b, c: len(set(a[c]) & set(b[c])), "True or False"),
    (lambda a, b, c: a[c].isin(b[c]), "type Series"),
    (lambda a, b, c: not (set(a[c]) & set(b[c])), "wrong way round"),
    (lambda a, b, c: bool(set(a["Image"]) & set(b["Image"])), "not the images"),
    (lambda a, b, c: bool(set(a.index) & set(b.index)), "compare the patients"),
    (lambda a, b, c: len(a) == len(b) and (a[c].to_numpy() == b[c].to_numpy()).any(), "same row"),
    (lambda a, b, c: pd.concat([a, b])[c].duplicated().any(), "several images in one table"),
    (lambda a, b, c: bool(set(a["PatientId"]) & set(b["PatientId"])), "KeyError"),
    (lambda a, b, c: True, "always answers True"),
    (lambda a, b, c: bool(set(a[c]) & set(b[c][:2])), "not found"),
]

# --- 3.2


def looped(labels):
    positive = [sum(row[k] for row in labels) / len(labels) for k in range(labels.shape[1])]
    return positive, [1 - share for share in positive]


FREQUENCIES = [
    (lambda y: (y.mean(axis=0), 1 - y.mean(axis=0)), None),
    (lambda y: (np.sum(y, axis=0) / len(y), np.sum(y == 0, axis=0) / len(y)), None),
    (looped, None),
    (lambda y: np.stack([y.mean(axis=0), (1 - y).mean(axis=0)]), None),
    (lambda y: (1 - y.mean(axis=0), y.mean(axis=0)), "swapped"),
    (lambda y: (y.sum(axis=0), (1 - y).sum(axis=0)), "counts"),
    (lambda y: (y.mean(axis=1), 1 - y.mean(axis=1)), "axis=0"),
    (lambda y: (y.mean(), 1 - y.mean()), "all findings together"),
    (lambda y: (100 * y.mean(axis=0), 100 - 100 * y.mean(axis=0)), "percentages"),
    (lambda y: (y.sum(axis=0) / y.shape[1], (1 - y).sum(axis=0) / y.shape[1]), "number of findings"),
    (lambda y: (y.sum(axis=0) / y.sum(), (1 - y).sum(axis=0) / (1 - y).sum()), "all positive labels"),
    (lambda y: (y.mean(axis=0), y.mean(axis=0)), "the same as the first"),
    (lambda y: y.mean(axis=0), "two arrays"),
    (lambda y: (y.sum(axis=0) / 5, (1 - y).sum(axis=0) / 5), "one size only"),
    (lambda y: (y.std(axis=0), y.mean(axis=0)), "expected were the frequencies"),
]

# --- 3.3


def one_by_one(pos_weights, neg_weights, epsilon=1e-7):
    from keras import ops

    def loss(y_true, y_pred):
        total = 0.0
        for k in range(len(pos_weights)):
            y, p = y_true[:, k], y_pred[:, k]
            total += -ops.mean(pos_weights[k] * y * ops.log(p + epsilon))
            total += -ops.mean(neg_weights[k] * (1 - y) * ops.log(1 - p + epsilon))
        return total

    return loss


def by_where(pos_weights, neg_weights, epsilon=1e-7):
    from keras import ops

    def loss(y_true, y_pred):
        found = pos_weights * ops.log(y_pred + epsilon)
        left_alone = neg_weights * ops.log(1 - y_pred + epsilon)
        return -ops.sum(ops.where(y_true == 1, found, left_alone)) / y_true.shape[0]

    return loss


def loss_with(**mistake):
    """Return a student's function of the exercise that makes a mistake, computed with NumPy."""
    return lambda pos, neg, epsilon=1e-7: (
        lambda y, p: findings._weighted(pos, neg, epsilon, np.asarray(y), np.asarray(p), **mistake)
    )


LOSS = [
    (losses.weighted_loss, None),
    (one_by_one, None),
    (by_where, None),
    (loss_with(), None),
    (loss_with(swapped=True), "weights are swapped"),
    (loss_with(findings=np.mean), "mean over the findings: they"),
    (loss_with(images=np.sum), "sum over the images: take"),
    (loss_with(images=np.sum, findings=np.mean), "exchange the two"),
    (loss_with(no_weights=True), "not used"),
    (loss_with(by_image=True), "along the images"),
    (loss_with(sign=1), "minus sign"),
    (loss_with(outside=True), "outside of the logarithm"),
    (loss_with(no_epsilon=True), "epsilon is not used"),
    (loss_with(minus_epsilon=True), "subtracted"),
    (loss_with(only_positive=True), "only the images with"),
    (loss_with(only_negative=True), "only the images without"),
    (loss_with(base=2), "base 2"),
    (loss_with(base=10), "base 10"),
    (lambda p, n, e=1e-7: 0.5, "return a function"),
    (lambda p, n, e=1e-7: lambda y, q: np.zeros(4), "one number"),
    (lambda p, n, e=1e-7: lambda y, q: 1.0, "expected was -0.4956"),
]

# --- 3.5


def dictionary(patients, rng):
    rows = {}
    for row, name in enumerate(patients):
        rows.setdefault(name, []).append(row)
    chosen = rng.integers(len(rows), size=len(rows))
    return np.array([row for i in chosen for row in list(rows.values())[i]])


def pandas_way(patients, rng):
    groups = pd.Series(range(len(patients))).groupby(patients).apply(list)
    return np.concatenate(list(groups.sample(len(groups), replace=True, random_state=int(rng.integers(10**6)))))


def kept_once(patients, rng):
    names = np.unique(patients)
    return np.flatnonzero(np.isin(patients, rng.choice(names, size=len(names))))


def own_seed(patients, rng):
    return findings.draw_patients(patients, np.random.default_rng(0))


def without_replacement(patients, rng):
    names = np.unique(patients)
    drawn = rng.choice(names, size=len(names), replace=False)
    return np.concatenate([np.flatnonzero(patients == name) for name in drawn])


def first_image(patients, rng):
    names = np.unique(patients)
    return np.array([np.flatnonzero(patients == name)[0] for name in rng.choice(names, size=len(names))])


def too_many(patients, rng):
    return np.concatenate([np.flatnonzero(patients == name) for name in rng.choice(patients, size=len(patients))])


DRAWS = [
    (findings.draw_patients, None),
    (dictionary, None),
    (pandas_way, None),
    (lambda p, rng: rng.integers(len(p), size=len(p)), "images are drawn"),
    (lambda p, rng: rng.permutation(len(p)), "with replacement"),
    (without_replacement, "with replacement"),
    (kept_once, "nobody comes twice"),
    (own_seed, "one of your own"),
    (first_image, "one image of each"),
    (too_many, "as many as there are"),
    (lambda p, rng: rng.choice(np.unique(p), size=8), "names of patients"),
    (lambda p, rng: np.isin(p, rng.choice(np.unique(p), size=8)), "True or False"),
    (lambda p, rng: findings.draw_patients(p, rng) + len(p), "too large"),
    (lambda p, rng: findings.draw_patients(p, rng) * 1.0, "whole numbers"),
]

# --- 3.6

CAM = [
    (findings.grad_cam_map, None),
    (lambda a, g: np.maximum(np.einsum("hwc,c->hw", a, g.mean((0, 1))), 0), None),
    (lambda a, g: np.clip(sum(a[:, :, k] * g[:, :, k].mean() for k in range(a.shape[-1])), 0, None), None),
    (lambda a, g: (a @ g.mean((0, 1))) * (a @ g.mean((0, 1)) > 0), None),
    (lambda a, g: a @ g.mean((0, 1)), "negative values are left"),
    (lambda a, g: np.maximum(a @ g.sum((0, 1)), 0), "their mean is asked for"),
    (lambda a, g: a @ g.sum((0, 1)), "ReLU is missing"),
    (lambda a, g: np.abs(a @ g.mean((0, 1))), "absolute"),
    (lambda a, g: np.maximum(g @ a.mean((0, 1)), 0), "exchanged"),
    (lambda a, g: np.maximum((a * g).sum(-1), 0), "place by place"),
    (lambda a, g: np.maximum((a * g.mean((0, 1))).mean(-1), 0), "adds them up"),
    (lambda a, g: np.maximum(a @ np.maximum(g, 0).mean((0, 1)), 0), "before the mean"),
    (lambda a, g: a @ np.maximum(g.mean((0, 1)), 0), "before the sum"),
    (lambda a, g: a.sum(-1), "without weights"),
    (lambda a, g: findings.grad_cam_map(a, g) / findings.grad_cam_map(a, g).max(), "divided by its maximum"),
    (lambda a, g: g.mean((0, 1)), "one number for each place"),
    (lambda a, g: a[:, :, 0], "not as expected"),
]

EXERCISES = {
    findings.check_leakage: (findings.check_for_leakage, LEAK),
    findings.check_class_freqs: (losses.class_frequencies, FREQUENCIES),
    findings.check_weighted_loss: (losses.weighted_loss, LOSS),
    findings.check_grad_cam: (findings.grad_cam_map, CAM),
    findings.check_draw_patients: (findings.draw_patients, DRAWS),
}
CASES = [(check, *case) for check, (_, cases) in EXERCISES.items() for case in cases]


@pytest.mark.parametrize("check, student, remark", CASES)
def test_a_check_knows_the_mistake(check, student, remark, capsys):
    handed_back = check(student)
    said = capsys.readouterr().out
    if remark is None:
        assert "done, well done" in said, said
        assert handed_back is student
    else:
        assert remark in said
        assert handed_back is EXERCISES[check][0]


@pytest.mark.parametrize("check", EXERCISES)
def test_an_exercise_left_out_hands_back_the_reference(check, capsys):
    assert check(None) is EXERCISES[check][0]
    stub = eval(f"lambda {', '.join(inspect.signature(EXERCISES[check][0]).parameters)}: ...")
    assert check(stub) is EXERCISES[check][0]
    assert capsys.readouterr().out.count("not done") == 2


@pytest.mark.parametrize("check", EXERCISES)
def test_each_exercise_has_three_right_and_eight_wrong_answers(check):
    remarks = [remark for _, remark in EXERCISES[check][1]]
    assert remarks.count(None) >= 3
    assert len(remarks) - remarks.count(None) >= 8
