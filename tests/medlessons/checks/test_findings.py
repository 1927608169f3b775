"""Each check of lesson 3 accepts right answers written in several ways, and names each classic mistake."""

import numpy as np
import pandas as pd
from keras import ops

from medlessons import losses
from medlessons.checks import findings
from tests.medlessons.checks.answers import three_tests

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
    (lambda a, b, c: bool(set(a.c) & set(b.c)), "table[name], not table.name"),
    (lambda a, b, c: a[c] in b[c], "single values"),
    (lambda a, b, c: bool(set(a["Image"]) & set(b["Image"])), "not the images"),
    (lambda a, b, c: bool(set(a.index) & set(b.index)), "compare the patients"),
    (lambda a, b, c: len(a) == len(b) and (a[c].to_numpy() == b[c].to_numpy()).any(), "same row"),
    (lambda a, b, c: pd.concat([a, b])[c].duplicated().any(), "several images in one table"),
    (lambda a, b, c: bool(set(a["PatientId"]) & set(b["PatientId"])), "KeyError"),
    (lambda a, b, c: bool(set(a[c]) & set(b[c][:2])), "not found"),
    (lambda a, b, c: bool(set(a[c]) & set(b[c]) or set(a.index) & set(b.index)), "the same row numbers"),
    (lambda a, b, c: len(a) == len(b) and bool(set(a[c]) & set(b[c])), "different length"),
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
    (lambda y: y.mean(axis=0), "two arrays"),
    (lambda y: (y.mean(axis=0), 1 / y.mean(axis=0)), "1 minus the first"),
    (lambda y: (y.sum(axis=0) / (len(y) - 1), 1 - y.sum(axis=0) / (len(y) - 1)), "minus 1"),
    (lambda y: (y.mean(axis=0, keepdims=True), 1 - y.mean(axis=0, keepdims=True)), "has the shape (2, 1, 3)"),
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


def called_at_once(pos_weights, neg_weights, epsilon=1e-7):
    return one_by_one(pos_weights, neg_weights, epsilon)(y_true, y_pred)  # noqa: F821 (the mistake)


LOSS = [
    (called_at_once, "by its name alone"),
    (lambda p, n, e=1e-7: lambda y, q: by_where(p, n, e - 1 + 1)(y, q) * np.ones(3) / 3, "parts of the result"),
    (losses.weighted_loss, None),
    (one_by_one, None),
    (by_where, None),
    (lambda p, n, e=1e-7: lambda y, q: findings._weighted_loss(p, n, e, np.asarray(y), np.asarray(q)), None),
    (lambda p, n, e=1e-7: 0.5, "return a function"),
    (lambda p, n, e=1e-7: lambda y, q: np.zeros(4), "the loss is 0, 0, 0, 0; expected"),
    (lambda p, n, e=1e-7: lambda y, q: 1.0, "expected was -0.4956"),
    (lambda p, n, e=1e-7: lambda y, q: by_where(p, n, e)(y, q) + np.ptp(q), "for uneven predictions"),
    (lambda p, n, e=1e-7: lambda y, q: by_where(p, n, e)(y, q) * (y.shape[1] == 3), "but not for two"),
]

# --- 3.4


def column_by_column(scores, labels):
    columns = [[score > sum(labels[:, k]) / len(labels) for score in scores[:, k]] for k in range(scores.shape[1])]
    return np.array(columns).T


def written_into(s, y):
    s[:] = s > y.mean(axis=0)
    return s


CALLS = [
    (lambda s, y: s > y.mean(axis=0), None),
    (lambda s, y: np.sum(y, axis=0) / len(y) < s, None),
    (lambda s, y: s > 1 - (1 - y).astype("float32").mean(axis=0), None),
    (lambda s, y: (s > y.mean(axis=0)).astype(int), "as the comparison gives them"),
    (lambda s, y: (s > y.mean(axis=0)).tolist(), "type list: return a NumPy array"),
    (lambda s, y: pd.DataFrame(s).gt(pd.DataFrame(y).mean()), "type DataFrame: return a NumPy array"),
    (lambda s, y: s > y.mean(axis=1, keepdims=True), "do not fit together"),
    (written_into, "it changes `s`"),
    (lambda s, y: np.where(s - losses.class_frequencies(y)[0] > 0, True, False), None),
    (lambda s, y: pd.DataFrame(s).gt(pd.DataFrame(y).mean()).to_numpy(), None),
    (column_by_column, None),
    (lambda s, y: np.round(s), "0.5 for every finding"),
    (lambda s, y: s > s.mean(axis=0), "others who came"),
    (lambda s, y: (s > y.mean(axis=0)).sum(axis=0), "has the shape (4,)"),
    (lambda s, y: s > 0.123, "not as expected"),
    (lambda s, y: s > np.array([0.125, 0.25, 0.625, 0.375]), "one size only"),
]

# --- 3.6


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


def drawn_by_image(patients, rng):
    return np.concatenate([np.flatnonzero(patients == patients[row]) for row in rng.integers(len(patients), size=8)])


def global_generator(patients, rng):
    drawn = np.random.choice(np.unique(patients), size=8)  # noqa: NPY002 (the mistake)
    return np.concatenate([np.flatnonzero(patients == name) for name in drawn])


def drawn_from(patients, numbers):
    return np.concatenate([np.flatnonzero(patients == np.unique(patients)[number]) for number in numbers])


DRAWS = [
    (findings.draw_patients, None),
    (drawn_by_image, "with many images are drawn more often"),
    (global_generator, "not with np.random"),
    (dictionary, None),
    (pandas_way, None),
    (lambda p, rng: rng.integers(len(p), size=len(p)), "images are drawn"),
    (lambda p, rng: rng.permutation(len(p)), "with replacement"),
    (without_replacement, "with replacement"),
    (kept_once, "nobody comes twice"),
    (own_seed, "one of your own"),
    (lambda p, rng: drawn_from(p, rng.integers(0, 7, 8)), "P7 is never drawn"),
    (lambda p, rng: drawn_from(p, rng.integers(0, 8, 1)), "the images of one patient are left"),
    (lambda p, rng: rng.integers(0, 8, 8), "these are numbers of patients"),
    (lambda p, rng: [np.flatnonzero(p == name) for name in rng.choice(np.unique(p), 8)], "with np.concatenate"),
    (first_image, "one image of each"),
    (too_many, "as many as there are"),
    (lambda p, rng: rng.choice(np.unique(p), size=8), "names of patients"),
    (lambda p, rng: np.isin(p, rng.choice(np.unique(p), size=8)), "True or False"),
    (lambda p, rng: findings.draw_patients(p, rng) + len(p), "too large"),
    (lambda p, rng: findings.draw_patients(p, rng)[:, None], "one array of row numbers"),
    (lambda p, rng: findings.draw_patients(p, rng) * 1.0, "whole numbers"),
]

# --- 3.7

CAM = [
    (findings.grad_cam_map, None),
    (lambda a, g: np.maximum(np.einsum("hwc,c->hw", a, g.mean((0, 1))), 0), None),
    (lambda a, g: np.clip(sum(a[:, :, k] * g[:, :, k].mean() for k in range(a.shape[-1])), 0, None), None),
    (lambda a, g: (a @ g.mean((0, 1))) * (a @ g.mean((0, 1)) > 0), None),
    (lambda a, g: np.maximum(a.astype("float32") @ g.astype("float32").mean((0, 1)), 0), None),
    (lambda a, g: ops.relu(ops.sum(a * ops.mean(g, axis=(0, 1)), axis=-1)), None),
    (lambda a, g: findings.grad_cam_map(a, g) / findings.grad_cam_map(a, g).sum(), "times what was expected"),
    (lambda a, g: np.maximum((a * g.mean((0, 1))).sum(axis=0), 0), "; expected was (3, 4)"),
    (lambda a, g: g.mean((0, 1)), "; expected was (3, 4)"),
    (lambda a, g: a[:, :, 0], "not as expected"),
]

EXERCISES = {
    findings.check_leakage: LEAK,
    findings.check_class_freqs: FREQUENCIES,
    findings.check_weighted_loss: LOSS,
    findings.check_call_findings: CALLS,
    findings.check_grad_cam: CAM,
    findings.check_draw_patients: DRAWS,
}

test_named, test_left_out, test_enough = three_tests(EXERCISES)
