"""Each check of lesson 4 accepts right answers written in several ways, and names each classic mistake."""

import math
from functools import partial

import numpy as np
import pandas as pd
from keras import applications, ops
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_predict, cross_val_score

from medlessons.checks import covid
from tests.medlessons.checks.answers import three_tests

# ---------------------------------------------------------------------------------------------------------
# 4.1


def count(patients, share):
    return round(share * len(np.unique(patients)))


def permuted(patients, share, rng):
    names = rng.permutation(pd.unique(patients))
    return np.array([name in set(names[: count(patients, share)]) for name in patients])


def shuffled(patients, share, rng):
    names = sorted(set(patients))
    rng.shuffle(names)
    return pd.Series(patients).isin(names[: count(patients, share)])


def numbered(patients, share, rng):
    names, rows = np.unique(patients, return_inverse=True)
    in_test = np.zeros(len(names), bool)
    in_test[rng.choice(len(names), count(patients, share), replace=False)] = True
    return in_test[rows]


def by_row(patients, share, rng):
    test = np.zeros(len(patients), bool)
    test[rng.choice(len(patients), round(share * len(patients)), replace=False)] = True
    return test


def drawn(number, replace=False):
    def split(patients, share, rng):
        names = np.unique(patients)
        return np.isin(patients, rng.choice(names, number(share * len(names)), replace=replace))

    return split


def share_of_images(patients, share, rng):
    names = rng.permutation(np.unique(patients))
    enough = np.cumsum([np.sum(patients == name) for name in names]) <= share * len(patients)
    return np.isin(patients, names[enough])


def taken(names_of):
    return lambda patients, share, rng: np.isin(patients, names_of(patients)[: count(patients, share)])


def first_image(patients, share, rng):
    test = np.zeros(len(patients), bool)
    names, rows = np.unique(patients, return_index=True)
    test[rows[rng.choice(len(names), count(patients, share), replace=False)]] = True
    return test


def in_place(patients, share, rng):
    rng.shuffle(patients)
    return np.isin(patients, pd.unique(patients)[: count(patients, share)])


def own_seed(patients, share, rng):
    return covid.split_by_patient(patients, share, np.random.default_rng(0))


def no_seed(patients, share, rng):
    return covid.split_by_patient(patients, share, np.random.default_rng())


def by_image_count(patients, share, rng):
    return np.isin(patients, pd.unique(rng.permutation(patients))[: count(patients, share)])


def never_the_last(patients, share, rng):
    return np.isin(patients, rng.choice(np.unique(patients)[:-1], count(patients, share), replace=False))


def split_then(change):
    return lambda patients, share, rng: change(covid.split_by_patient(patients, share, rng), patients)


def from_all_rows(patients, share, rng):
    names = rng.choice(patients, size=round(share * len(np.unique(patients))), replace=False)
    return np.isin(patients, names)


SPLITS = [
    (covid.split_by_patient, None),
    (permuted, None),
    (shuffled, None),
    (numbered, None),
    (by_row, "draw patients, not images"),
    (split_then(lambda test, patients: ~test), "wrong way round"),
    (split_then(lambda test, patients: np.flatnonzero(test)), "row numbers"),
    (split_then(lambda test, patients: np.unique(patients[test])), "it returns texts"),
    (split_then(lambda test, patients: list(np.unique(patients[test]))), "type list"),
    (split_then(lambda test, patients: set(patients[test])), "type set"),
    (split_then(lambda test, patients: (~test, test)), "two things"),
    (split_then(lambda test, patients: test.tolist()), "type list"),
    (split_then(lambda test, patients: test.astype(int)), "0 and 1 as numbers"),
    (split_then(lambda test, patients: test * 1.0), "0 and 1 as numbers"),
    (split_then(lambda test, patients: np.where(test, 0.7, 0.3)), "True or False"),
    (split_then(lambda test, patients: test[np.unique(patients, return_index=True)[1]]), "one value per patient"),
    (split_then(lambda test, patients: test[:-1]), "one value per image"),
    (split_then(lambda test, patients: test[:, None]), "one value per image"),
    (drawn(round, replace=True), "without replacement"),
    (from_all_rows, "from np.unique(patients), each name once"),
    (lambda patients, share, rng: np.isin(rng.choice(np.unique(patients), 9, False), patients), "ask of each image"),
    (lambda patients, share, rng: rng.choice(np.unique(patients), 99, False), "images taken for that of patients?"),
    (drawn(int), "round(share * number_of_patients)"),
    (drawn(math.ceil), "17, but 18 are in the test set"),
    (drawn(lambda number: 2 * round(number)), "Draw round"),
    (drawn(lambda number: 0), "it takes nobody"),
    (drawn(lambda number: 9), "takes 9 patients whatever"),
    (share_of_images, "share of the images is met"),
    (taken(np.unique), "first or the last"),
    (taken(pd.unique), "first or the last"),
    (taken(lambda patients: np.unique(patients)[::-1]), "first or the last"),
    (first_image, "only one image of each"),
    (in_place, "it changes `patients`"),
    (own_seed, "one of your own"),
    (no_seed, "nobody can repeat"),
    (by_image_count, "drawn more often"),
    (never_the_last, "never drawn"),
    (lambda patients, share, rng: patients["patient"], "IndexError"),
]

# ---------------------------------------------------------------------------------------------------------
# 4.2


def with_a_loop(model, numbers, label, folds, outside_numbers, outside_label):
    right = 0
    for train, judged in folds:
        model.fit(numbers[train], label[train])
        right += (model.predict(numbers[judged]) == label[judged]).sum()
    model.fit(numbers, label)
    return right / len(label), (model.predict(outside_numbers) == outside_label).mean()


def with_scikit_learn(model, numbers, label, folds, outside_numbers, outside_label):
    answers = cross_val_predict(model, numbers, label, cv=folds)
    outside = clone(model).fit(numbers, label).score(outside_numbers, outside_label)
    return [accuracy_score(label, answers), outside]


def mean_of_folds(model, numbers, label, folds, *outside):
    inside = cross_val_score(model, numbers, label, cv=folds).mean()
    return np.array([inside, model.fit(numbers, label).score(*outside)])


def without_the_last_fit(model, numbers, label, folds, outside_numbers, outside_label):
    answers = np.zeros(len(label))
    for train, judged in folds:
        answers[judged] = model.fit(numbers[train], label[train]).predict(numbers[judged])
    return (answers == label).mean(), (model.predict(outside_numbers) == outside_label).mean()


def labels_overwritten(model, numbers, label, folds, outside_numbers, outside_label):
    answers = label
    for train, judged in folds:
        answers[judged] = model.fit(numbers[train], label[train]).predict(numbers[judged])
    outside = model.fit(numbers, label).predict(outside_numbers)
    return (answers == label).mean(), (outside == outside_label).mean()


def experiment_then(change):
    return lambda *given: change(*with_a_loop(*given))


EXPERIMENTS = [
    (covid.inside_and_outside, None),
    (with_a_loop, None),
    (with_scikit_learn, None),
    (lambda *given: list(covid.inside_and_outside(*given)), None),
    (mean_of_folds, "which are not equally large"),
    (without_the_last_fit, "model of the last fold"),
    (labels_overwritten, "it changes `label`"),
    *((partial(covid.inside_and_outside, inside=way), said) for said, ways in covid.INSIDE.items() for way in ways),
    *((partial(covid.inside_and_outside, outside=way), said) for said, ways in covid.OUTSIDE.items() for way in ways),
    (experiment_then(lambda inside, outside: {"inside": inside, "outside": outside}), "type dict"),
    (experiment_then(lambda inside, outside: (inside, outside, inside - outside)), "came out as"),
    (experiment_then(lambda inside, outside: (inside, 0.5)), "came out as"),
    (experiment_then(lambda inside, outside: ([inside] * 5, outside)), "a list where one number is asked for"),
    (experiment_then(lambda inside, outside: (inside * 41, outside)), "divided by the number of folds"),
    (experiment_then(lambda inside, outside: f"{inside} {outside}"), "these are texts"),
    (lambda model, numbers, label, folds, *outside: model.predict(numbers), "NotFittedError"),
]

# ---------------------------------------------------------------------------------------------------------
# 4.3

OF_KERAS = {
    "xception": applications.xception.preprocess_input,
    "resnet50v2": applications.resnet_v2.preprocess_input,
    "vgg16": applications.vgg16.preprocess_input,
}
MEANS = np.array([103.939, 116.779, 123.68])


def by_keras(gray, backbone):
    return OF_KERAS[backbone](np.repeat(gray, 3, axis=-1))


def as_tensor(gray, backbone):
    rgb = ops.repeat(ops.convert_to_tensor(gray, dtype="float32"), 3, axis=-1)
    return rgb - ops.convert_to_tensor(MEANS, dtype="float32") if backbone == "vgg16" else rgb / 127.5 - 1


def by_hand(gray, backbone):
    rgb = np.concatenate([gray.astype(float)] * 3, axis=-1)
    return np.stack([rgb[..., i] - MEANS[i] for i in range(3)], -1) if backbone == "vgg16" else rgb / 255 * 2 - 1


def scaled(others=lambda rgb: rgb / 127.5 - 1, vgg=lambda rgb: rgb - MEANS):
    def prepared(gray, backbone):
        rgb = np.repeat(gray.astype(float), 3, axis=-1)
        return vgg(rgb) if backbone == "vgg16" else others(rgb)

    return prepared


def only(name, change):
    def prepared(gray, backbone):
        return change(np.repeat(gray.astype(float), 3, axis=-1)) if backbone == name else by_hand(gray, backbone)

    return prepared


def then(change):
    return lambda gray, backbone: change(by_hand(gray, backbone))


def joined(axis):
    return lambda gray, backbone: np.concatenate([gray / 127.5 - 1] * 3, axis=axis)


def overwritten(gray, backbone):
    return np.repeat(OF_KERAS[backbone](gray), 3, axis=-1) if backbone != "vgg16" else by_hand(gray, backbone)


def whole_levels(kind):
    return lambda gray, backbone: by_hand(gray.astype(kind), backbone)


def in_place(gray, backbone):
    rgb = np.repeat(gray, 3, axis=-1)
    rgb -= MEANS if backbone == "vgg16" else 127.5
    rgb /= 1 if backbone == "vgg16" else 127.5
    return rgb


def wraps_around(gray, backbone):
    return np.repeat(gray * 2 / 255 - 1, 3, axis=-1) if backbone != "vgg16" else by_hand(gray, backbone)


PREPROCESSED = [
    (covid.preprocess, None),
    (by_keras, None),
    (as_tensor, None),
    (by_hand, None),
    (only("resnet50v2", lambda rgb: rgb / 255), "resnet50v2: these are gray levels / 255"),
    (only("resnet50v2", lambda rgb: rgb - MEANS), "resnet50v2: blue, green, red minus their means is for VGG16"),
    (scaled(lambda rgb: rgb, lambda rgb: rgb), "as they were"),
    (scaled(lambda rgb: -rgb), "was expected"),
    (then(lambda rgb: rgb - 1), "every number differs by -1"),
    (then(lambda rgb: rgb[..., :1]), "one channel only"),
    (then(lambda rgb: np.moveaxis(rgb, -1, 1)), "channels come first"),
    (then(lambda rgb: rgb[0]), "only one image"),
    (then(lambda rgb: rgb[:, 1:]), "expected was (2, 4, 5, 3)"),
    (then(lambda rgb: rgb.astype(int)), "whole numbers"),
    (joined(0), "repeat along the last axis"),
    (joined(1), "repeat along the last axis"),
    (joined(2), "repeat along the last axis"),
    (lambda gray, backbone: np.stack([gray] * 3, axis=-1), "axis too many"),
    (overwritten, "work on a copy"),
    (whole_levels(int), "100.9 became 100"),
    (whole_levels("uint8"), "100.9 became 100"),
    (in_place, "whole gray levels (uint8) give another result"),
    (wraps_around, "uint8"),
    (lambda gray, backbone: OF_KERAS["vgg"](gray), "KeyError"),
]

# ---------------------------------------------------------------------------------------------------------
# 4.5


def step_by_step(right, cases):
    z = 1.959964
    p = right / cases
    middle = (p + z * z / (2 * cases)) / (1 + z * z / cases)
    half = z / (1 + z * z / cases) * math.sqrt(p * (1 - p) / cases + (z / (2 * cases)) ** 2)
    return [middle - half, middle + half]


def with_counts(right, cases):
    z, wrong = 1.96, cases - right
    half = z / (cases + z**2) * np.sqrt(right * wrong / cases + z**2 / 4)
    return (right + z**2 / 2) / (cases + z**2) + np.array([-half, half])


def by_scipy(method):
    return lambda right, cases: binomtest(right, cases).proportion_ci(method=method)


def pieces(right, cases, z=1.96, root=1.0):
    """Return share, centre and half width before they are divided, and the divisor."""
    p = right / cases
    half = z * np.sqrt(p * (1 - p) / cases + root * z**2 / (4 * cases**2))
    return p, p + z**2 / (2 * cases), half, 1 + z**2 / cases


def made(ends, **settings):
    return lambda right, cases: ends(*pieces(right, cases, **settings))


WILSONS = [
    (covid.wilson, None),
    (step_by_step, None),
    (with_counts, None),
    (by_scipy("wilson"), None),
    (made(lambda p, c, h, d: (round((c - h) / d, 4), round((c + h) / d, 4))), None),
    (lambda k, n: (0.5, *covid.wilson(k, n)), "it gives 0.5, 0.9"),
    (lambda k, n: "0.908 to 0.993", "these are texts"),
    (lambda k, n: [f"{end:.3f}" for end in covid.wilson(k, n)], "these are texts"),
    (lambda k, n: (np.nan, 1.0), "not a number"),
    (lambda k, n: (0.908, 0.993), "for 75 of 75"),
    (lambda k, n: made(lambda p, c, h, d: (c - h, c + h))(k, n) * np.array(1 + 1.96**2 / n), "not divided by 1 + z**2"),
    (lambda k, n: covid.wilson(n, k), "ZeroDivisionError"),
]

EXERCISES = {
    covid.check_split: SPLITS,
    covid.check_preprocess: PREPROCESSED,
    covid.check_experiment: EXPERIMENTS,
    covid.check_wilson: WILSONS,
}

test_named, test_left_out, test_enough = three_tests(EXERCISES)
