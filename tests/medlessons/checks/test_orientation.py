"""Each check of lesson 2 accepts right answers however they are written, and names each classic mistake."""

import math
from collections import Counter

import keras
import numpy as np
import pandas as pd
from keras import layers
from scipy.signal import correlate2d
from sklearn.metrics import confusion_matrix, recall_score
from sklearn.model_selection import GroupShuffleSplit

from medlessons.checks import orientation
from tests.medlessons.checks.answers import three_tests

# ---------------------------------------------------------------------------------------------------------
# 2.1


def counted(truth, predicted):
    pairs = Counter(zip(truth.tolist(), predicted.tolist(), strict=True))
    return [pairs[1, 1] / (pairs[1, 1] + pairs[1, 0]), pairs[0, 0] / (pairs[0, 0] + pairs[0, 1])]


def by_matrix(truth, predicted):
    (quiet, alarms), (missed, found) = confusion_matrix(truth, predicted)
    return np.array([found / (found + missed), quiet / (quiet + alarms)])


def in_another_order(truth, predicted):
    found, alarms, missed, quiet = confusion_matrix(truth, predicted).ravel()
    return found / (found + missed), quiet / (quiet + alarms)


RATES = [
    (orientation.sensitivity_specificity, None),
    (counted, None),
    (by_matrix, None),
    (lambda t, p: (recall_score(t, p), recall_score(t, p, pos_label=0)), None),
    (lambda t, p: (recall_score(t, p), recall_score(t, p)), "needs pos_label=0"),
    (in_another_order, "gives tn, fp, fn, tp"),
    (lambda t, p: (np.float64(0.5), np.float64(0.25)), "it gives 0.5, 0.25; expected were two numbers, 0.75 and 0.86"),
    (lambda t, p: "high", "these are texts"),
    (lambda t, p: {"sensitivity": 0.75}, "an object of the type dict"),
    (lambda t, p: np.sum(t and p), "brackets around each comparison"),
    (lambda t, p: p[t], "it gives"),
    (lambda t, p: 1 / 0, "ZeroDivisionError"),
]

# ---------------------------------------------------------------------------------------------------------
# 2.2


def looped(image, kernel):
    (height, width), (a, b) = image.shape, kernel.shape
    rows = range(height - a + 1)
    return np.array([[np.sum(image[r : r + a, c : c + b] * kernel) for c in range(width - b + 1)] for r in rows])


def shifted(image, kernel):
    (height, width), (a, b) = image.shape, kernel.shape
    total = np.zeros((height - a + 1, width - b + 1))
    for row, column in np.ndindex(a, b):
        total += kernel[row, column] * image[row : height - a + 1 + row, column : width - b + 1 + column]
    return total


def by_keras(image, kernel):
    return keras.ops.conv(image[None, :, :, None], kernel[:, :, None, None])[0, :, :, 0].numpy()


def fixed_kernel(image, kernel):
    return np.zeros((3, 3)) if kernel.shape == (3, 3) else orientation.convolve(image, kernel)


CONVOLUTIONS = [
    (orientation.convolve, None),
    (looped, None),
    (shifted, None),
    (by_keras, None),
    (lambda i, k: correlate2d(i, k, mode="valid"), None),
    (lambda i, k: correlate2d(i, k, mode="same"), "padded"),
    (lambda i, k: correlate2d(i, k, mode="full"), "padded"),
    (lambda i, k: orientation.convolve(i, k) ** 2, "multiply pixel by pixel"),
    (lambda i, k: orientation.convolve(i, k) + 1, "every number differs by 1"),
    (lambda i, k: orientation.convolve(i, k) / k.sum(), "times what was expected"),
    (lambda i, k: orientation.convolve(i, k).tolist(), "type list: return a NumPy array"),
    (lambda i, k: orientation.convolve(i, k.T), "swapped"),
    (lambda i, k: i[: k.shape[1], : k.shape[0]] * k, "kernel.shape[0] rows"),
    (lambda i, k: i, "the shape (6, 8); expected was (5, 6)"),
    (fixed_kernel, "one size of the kernel"),
    (lambda i, k: i @ k, "ValueError"),
]

# ---------------------------------------------------------------------------------------------------------
# 2.3


def by_formula(size, channels, filters, dense):
    first, second = filters
    edge = ((size - 1) // 2 - 1) // 2
    convolutions = (4 * channels + 1) * first + (4 * first + 1) * second
    return convolutions + (edge**2 * second + 1) * dense + dense + 1


def counted_by_keras(size, channels, filters, dense):
    blocks = [layers.Input((size, size, channels))]
    for count in filters:
        blocks += [layers.Conv2D(count, 2), layers.MaxPooling2D()]
    return keras.Sequential([*blocks, layers.Flatten(), layers.Dense(dense), layers.Dense(1)]).count_params()


COUNTS = [
    (orientation.count_weights, None),
    (by_formula, None),
    (counted_by_keras, None),
    (lambda *question: orientation.count_weights(22, 3, (5, 9), 17), "not for others"),
    (lambda *question: 5, "it gives 5, expected was"),
]

# ---------------------------------------------------------------------------------------------------------
# 2.5


def by_sklearn(table, share, seed):
    splitter = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
    train, test = next(splitter.split(table, groups=table["patient"]))
    return table.iloc[train], table.iloc[test]


def by_choice(table, share, seed):
    patients = table["patient"].unique()
    chosen = np.random.default_rng(seed).choice(patients, size=int(share * len(patients)), replace=False)
    groups = table.groupby(table["patient"].isin(chosen))
    return [groups.get_group(False), groups.get_group(True)]


def by_group(table, share, seed):
    names = pd.Series(table["patient"].unique()).sample(frac=share, random_state=seed)
    test = table[table["patient"].map(lambda name: name in set(names))]
    return table.drop(index=test.index), test


def by_row(table, share, seed):
    test = table.sample(frac=share, random_state=seed)
    return table.drop(test.index), test


def first_ones(table, share, seed):
    patients = table["patient"].unique()
    test = table["patient"].isin(patients[: round(share * len(patients))])
    return table[~test], table[test]


def drawn_twice(table, share, seed):
    patients = table["patient"].unique()
    chosen = np.random.default_rng(seed).choice(patients, size=round(share * len(patients)))
    test = table["patient"].isin(chosen)
    return table[~test], table[test]


def changed(change):
    return lambda table, share, seed: change(*orientation.split_patients(table, share, seed))


def forgotten_seed(table, share, seed):
    forgotten_seed.calls += 1
    return orientation.split_patients(table, share, forgotten_seed.calls)


forgotten_seed.calls = 100

SPLITS = [
    (orientation.split_patients, None),
    (by_sklearn, None),
    (by_choice, None),
    (by_group, None),
    (changed(lambda a, b: (a.sample(frac=1), b)), None),
    (lambda t, share, seed: orientation.split_patients(t, 1 - share, seed)[::-1], None),
    (by_row, "both sides: draw patients"),
    (first_ones, "every seed"),
    (forgotten_seed, "the same seed"),
    (drawn_twice, "drawn twice"),
    (lambda t, share, seed: orientation.split_patients(t, share, seed)[::-1], "swapped"),
    (lambda t, share, seed: orientation.split_patients(t, 0.6, seed), "60%"),
    (lambda t, share, seed: orientation.split_patients(t, 0.25, seed), "use the argument share"),
    (changed(lambda a, b: (a, b.drop_duplicates("patient"))), "lost"),
    (changed(lambda a, b: (a, pd.concat([b, b]))), "twice on the same side"),
    (changed(lambda a, b: (a.drop_duplicates("patient"), b.drop_duplicates("patient"))), "rows are lost"),
    (changed(lambda a, b: (a.reset_index(drop=True), b.reset_index(drop=True))), "new numbers"),
    (changed(lambda a, b: (a.reset_index(), b.reset_index())), "new numbers"),
    (changed(lambda a, b: (a[["patient"]], b[["patient"]])), "column path"),
    (lambda t, share, seed: (t, orientation.split_patients(t, share, seed)[1]), "same row"),
    (lambda t, share, seed: t, "two tables"),
    (changed(lambda a, b: (a["patient"].unique(), b["patient"].unique())), "arrays, not tables"),
    (lambda t, share, seed: t["name"], "KeyError"),
    (lambda t, share, seed: (t[:share], t[share:]), "A whole number is asked for"),
]

# ---------------------------------------------------------------------------------------------------------
# 2.6

TURNS = [
    (orientation.turn_upside_down, None),
    (lambda b: np.rot90(b, 2, axes=(1, 2)), None),
    (lambda b: np.flip(b, axis=(1, 2)), None),
    (lambda b: np.stack([np.fliplr(np.flipud(image)) for image in b]), None),
    (lambda b: b[:, 1:], "the shape (3, 4, 5, 1); expected"),
    (lambda b: [np.rot90(image, 2) for image in b], "type list: return a NumPy array"),
    (lambda b: keras.ops.flip(b, axis=(1, 2)), None),
    (lambda b: b[:, -2::-1, ::-1], "a part of the result is missing"),
    (lambda b: b[0, ::-1, ::-1], "only one of the results comes back"),
    (lambda b: b[:, ::-1, ::-1, ::-1, ::-1], "IndexError"),
]

EXERCISES = {
    orientation.check_sensitivity_specificity: RATES,
    orientation.check_convolve: CONVOLUTIONS,
    orientation.check_count_weights: COUNTS,
    orientation.check_split_patients: SPLITS,
    orientation.check_turn_upside_down: TURNS,
}

test_named, test_left_out, test_enough = three_tests(EXERCISES)


def test_the_published_network_has_130_million_parameters():
    assert orientation.count_weights(256, 3, (64, 128), 256) == 832 + 32_896 + 130_056_448 + 257
    assert math.isclose(orientation.count_weights(256, 3, (64, 128), 256), 130e6, rel_tol=0.01)
