"""Each check of lesson 1 accepts right answers however they are written, and names each classic mistake."""

import itertools

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler, scale

from medlessons import checks
from medlessons.checks import anemia
from tests.medlessons.checks.answers import three_tests


def relu(x):
    return np.maximum(x, 0)


# ---------------------------------------------------------------------------------------------------------
# 1.1


def looped_neuron(inputs, weights, bias):
    total = bias
    for x, w in zip(inputs, weights, strict=True):
        total += x * w
    return total if total > 0 else 0


# ---------------------------------------------------------------------------------------------------------
# 1.2


def groups_of(table):
    return table.groupby(list(table.columns), sort=False).ngroup()


def split_with(splitter):
    def split(table, seed):
        train, test = splitter(table, seed)
        return table.iloc[train], table.iloc[test]

    return split


def stratified_rows(table, seed):
    return next(StratifiedKFold(5, shuffle=True, random_state=seed).split(table, table["Diagnosis"]))


def grouped_rows(table, seed):
    return next(GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(table, groups=groups_of(table)))


def folds_of(table, seed, parts=5):
    folds = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    return next(folds.split(table, table["Diagnosis"], groups_of(table)))


def by_name_instead_of_place(table, seed):
    train, test = folds_of(table, seed)
    return table.loc[train], table.loc[test]


def random_each_time(table, seed):
    return split_with(lambda rows, _: folds_of(rows, None))(table, seed)


def with_a_column(table, seed):
    table["group"] = groups_of(table)
    return anemia.split(table, seed)


def groups_for_diagnoses(table, seed):
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    return next(folds.split(table, groups_of(table), table["Diagnosis"]))


def groups_by_diagnosis(table, seed):
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    return next(folds.split(table, table["Diagnosis"], table["Diagnosis"]))


def next_forgotten(table, seed):
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    train, test = folds.split(table, table["Diagnosis"], groups_of(table))
    return table.iloc[train], table.iloc[test]


def changed(change):
    return lambda table, seed: change(*anemia.split(table, seed))


def unique_rows_first(table, seed):
    unique = table.drop_duplicates()
    _, test = train_test_split(unique, test_size=0.2, stratify=unique["Diagnosis"], random_state=seed)
    in_test = table.apply(tuple, axis=1).isin(set(test.apply(tuple, axis=1)))
    return table[~in_test], table[in_test]


def grouped_by_text(table, seed):
    key = table.astype(str).agg("|".join, axis=1)
    for train, test in StratifiedGroupKFold(n_splits=5, shuffle=True, random_state=seed).split(
        table.drop(columns="Diagnosis"), table["Diagnosis"].to_numpy(), key
    ):
        return [table.iloc[train], table.iloc[test]]


def by_mask(table, seed):
    in_test = np.zeros(len(table), dtype=bool)
    in_test[folds_of(table, seed)[1]] = True
    return table.loc[~in_test], table.loc[in_test]


# ---------------------------------------------------------------------------------------------------------
# 1.3


def by(scaler):
    return lambda train, test: (scaler.fit_transform(train), scaler.transform(test))


def standard(center, width):
    """Return a scaling by what two functions take from (train, the part)."""
    return lambda train, test: tuple((part - center(train, part)) / width(train, part) for part in (train, test))


def mean_of_train(train, part):
    return train.mean(axis=0)


def deviation_of_train(train, part):
    return train.std(axis=0)


def with_frames(train, test):
    train, test = pd.DataFrame(train), pd.DataFrame(test)
    return (train - train.mean()) / train.std(ddof=0), (test - train.mean()) / train.std(ddof=0)


def in_place(train, test):
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    for part in (train, test):
        part -= mean
        part /= deviation
    return [train, test]


# ---------------------------------------------------------------------------------------------------------
# 1.4


# ---------------------------------------------------------------------------------------------------------
# 1.5, 1.6, 1.8


def last_layer(sizes):
    for before, after in itertools.pairwise(sizes):
        total = before * after + after
    return total


def popping(sizes):
    total, before = 0, sizes.pop(0)
    while sizes:
        after = sizes.pop(0)
        total, before = total + (before + 1) * after, after
    return total


def recursive(sizes):
    return 0 if len(sizes) < 2 else (sizes[0] + 1) * sizes[1] + recursive(sizes[1:])


def looped_recall(matrix):
    recalls = []
    for number, row in enumerate(matrix):
        recalls.append(row[number] / sum(row))
    return sum(recalls) / len(recalls)


def looped_gate(count, limits, tolerance):
    for name in count.index:
        if np.isnan(count[name]) or not limits.loc[name, "lowest"] <= count[name] <= limits.loc[name, "highest"]:
            return False
    return max(anemia.identity_errors(count)) <= tolerance


def clipped_gate(count, limits, tolerance):
    inside = count.clip(limits["lowest"], limits["highest"]) == count
    return min(inside.all(), all(error <= tolerance for error in anemia.identity_errors(count)))


def first_value_decides(count, limits, tolerance):
    return any(limits.loc[name, "lowest"] <= count[name] <= limits.loc[name, "highest"] for name in count.index)


def counting_gate(count, limits, tolerance):
    faults = (~count.between(limits["lowest"], limits["highest"])).sum()
    return faults == 0 and not (anemia.identity_errors(count) > tolerance).any()


def gate_with(possible, agree):
    """Return a gate made of two functions: of (count, lowest, highest), and of (errors, tolerance)."""
    return lambda count, limits, tolerance: bool(
        possible(count, limits["lowest"], limits["highest"]) and agree(anemia.identity_errors(count), tolerance)
    )


def between(count, lowest, highest):
    return count.between(lowest, highest).all()


def small(errors, tolerance):
    return (errors <= tolerance).all()


def expected_of(count):
    return np.array(
        [10 * count["HCT"] / count["RBC"], 10 * count["HGB"] / count["RBC"], 100 * count["HGB"] / count["HCT"]]
    )


def given_of(count):
    return np.array([count["MCV"], count["MCH"], count["MCHC"]])


def errors_by(expect):
    return lambda count: np.abs(given_of(count) - expect(count)) / expect(count) * 100


def by_attribute(count):
    mcv, mch, mchc = 10 * count.HCT / count.RBC, 10 * count.HGB / count.RBC, 100 * count.HGB / count.HCT
    return [100 * abs(count.MCV / mcv - 1), 100 * abs(count.MCH / mch - 1), 100 * abs(count.MCHC / mchc - 1)]


def by_columns(count):
    expected = pd.Series(expected_of(count), index=["MCV", "MCH", "MCHC"])
    return (count[["MCV", "MCH", "MCHC"]] - expected).abs() / expected * 100


RIGHT = {
    "identity_errors": [
        errors_by(expected_of),
        by_attribute,
        by_columns,
        lambda c: tuple(100 * abs(g / e - 1) for g, e in zip(given_of(c), expected_of(c), strict=True)),
    ],
    "neuron": [
        looped_neuron,
        lambda x, w, b: np.maximum(0, (w * x).sum() + b),
        lambda x, w, b: (x @ w + b) * (x @ w + b > 0),
        lambda x, w, b: np.float32(max(np.dot(x, w) + b, 0)),
    ],
    "split": [unique_rows_first, grouped_by_text, by_mask, changed(lambda train, test: [train, test])],
    "scale": [
        standard(mean_of_train, deviation_of_train),
        standard(mean_of_train, lambda train, test: train.std(axis=0, ddof=1)),
        with_frames,
        lambda train, test: (scale(train), StandardScaler().fit(train).transform(test)),
    ],
    "macro_recall": [
        looped_recall,
        lambda m: (m.diagonal() / m.sum(1)).mean(),
        lambda m: np.trace(m / m.sum(axis=1, keepdims=True)) / len(m),
    ],
    "gate": [
        looped_gate,
        counting_gate,
        clipped_gate,
        gate_with(between, lambda errors, tolerance: np.max(errors) <= tolerance),
    ],
    "count_parameters": [
        recursive,
        lambda s: int(np.dot(s[:-1], s[1:])) + sum(s[1:]),
        lambda s: sum((s[i] + 1) * s[i + 1] for i in range(len(s) - 1)),
    ],
}

WRONG = {
    "identity_errors": [
        (lambda c: [10, 18.75, 4], "for one blood count, but not for another"),
        (lambda c: np.round(anemia.identity_errors(c)), "the decimals are cut off"),
        (lambda c: anemia.identity_errors(c)[[1, 0, 2]], "in another order"),
        (lambda c: anemia.identity_errors(c) <= 3, "it gives 0, 0, 0"),
        (lambda c: c.update(pd.Series(given_of(c) * 0, ["MCV", "MCH", "MCHC"])) or expected_of(c), "it changes `c`"),
    ],
    "neuron": [
        (lambda x, w, b: np.dot(w, x), "bias is missing"),
        (lambda x, w, b: min(6, relu(np.dot(w, x) + b)), "no upper end"),
        (lambda x, w, b: relu(x[0] * w[0] + x[1] * w[1] + x[-1] * w[-1] + b), "any number of inputs"),
        (lambda x, w, b: relu(np.array([np.dot(w, x) + b])), "return the number itself"),
        (lambda x, w, b: str(np.dot(w, x) + b), "without quotation marks"),
        (lambda x, w, b: 17.0, "it gives 17, expected was 3.75"),
        (lambda x, w, b: max(-1, np.dot(w, x) + b), "here -1.5): it gives -1, expected was 0"),
    ],
    "split": [
        (lambda table, seed: tuple(train_test_split(table, test_size=0.2, random_state=seed)), "Use groups"),
        (split_with(stratified_rows), "Use groups"),
        (split_with(grouped_rows), "stratify"),
        (by_name_instead_of_place, "use table.iloc"),
        (random_each_time, "the same seed gives another split"),
        (changed(lambda train, test: (test, train)), "swapped"),
        (lambda table, seed: anemia.split(table, 0), "another seed"),
        (changed(lambda train, test: train), "two tables"),
        (with_a_column, "it changes `table`"),
        (split_with(groups_for_diagnoses), "rows, diagnoses, groups, in this order"),
        (split_with(groups_by_diagnosis), "too few groups"),
        (next_forgotten, "is a next(...) missing"),
        (changed(lambda train, test: (train.assign(group=0), test)), "column group is new"),
        (changed(lambda train, test: (train, test, train["Diagnosis"], test["Diagnosis"])), "two tables"),
        (stratified_rows, "arrays, not tables"),
        (changed(lambda train, test: (train.drop(columns="Diagnosis"), test)), "column Diagnosis is lost"),
        (changed(lambda train, test: (train.reset_index(drop=True), test.reset_index(drop=True))), "reset_index"),
        (lambda table, seed: anemia.split(table.drop_duplicates(), seed), "rows are lost"),
        (lambda table, seed: (table, table.iloc[:40]), "same row is on both sides"),
        (split_with(lambda table, seed: folds_of(table, seed, parts=10)), "a fifth was asked for"),
    ],
    "scale": [
        (lambda a, b: (a, anemia.scale(a, b)[1]), "training rows are not scaled"),
        (lambda a, b: anemia.scale(a, b)[::-1], "swapped"),
        (lambda a, b: (anemia.scale(a, b)[0], b**2), "it gives 16, 2500, 64, 8100, expected was"),
        (lambda a, b: anemia.scale(a, b)[1], "two arrays"),
        (lambda a, b: (StandardScaler().fit(a), StandardScaler().fit(b)), "type StandardScaler: return numbers"),
        (in_place, "it changes `train`"),
    ],
    "macro_recall": [
        (lambda m: sum(m[i, i] / m[i].sum() for i in range(len(m))) / 3, "three classes only"),
        (lambda m: np.mean([m[i, i] / m[i].sum() for i in range(len(m)) if m[i, i]]), "never found"),
        (lambda m: sum(np.diag(m) / m.sum(axis=1)) / 9, "divided by 9"),
        (lambda m: np.mean(np.diag(m) / (m.sum(axis=1) - np.diag(m)).clip(0.5)), "divided by the misses"),
        (lambda m: [m[i, i] / m[i].sum() for i in range(len(m))][-1], "one class alone"),
        (lambda m: np.mean([m[i, i] / m[i].sum() for i in range(len(m) - 1)]), "the first or the last class"),
        (lambda m: len(anemia.TABLE), "expected was 0.583333. Your function does not use `m`."),
    ],
    "gate": [
        (gate_with(between, lambda errors, tolerance: (errors < tolerance).all()), "an error of 12.5 % may pass"),
        (gate_with(between, lambda errors, tolerance: errors.mean() <= tolerance), "alone is off by 4 or 5 %"),
        (first_value_decides, "use all, not any"),
        (lambda count, limits, tolerance: count.between(limits["lowest"], limits["highest"]), "one answer"),
        (lambda count, limits, tolerance: "True", "of the type str"),
        (gate_with(between, lambda errors, tolerance: errors.sum() <= tolerance), "errors of 11 and 13 % must pass"),
        (
            gate_with(lambda count, low, high: (count >= 0).all() and (count <= high).all(), small),
            "a value below `lowest` must be refused",
        ),
    ],
    "count_parameters": [
        (lambda s: 66, "any number of layers"),
        (last_layer, "return after it"),
        (lambda s: [(a + 1) * b for a, b in itertools.pairwise(s)], "parts of the result: add them up"),
        (lambda s: sum((a + 1) * (b + 1) for a, b in itertools.pairwise(s)), "both layers of each pair"),
        (lambda s: "66", "without quotation marks"),
        (popping, "it changes `sizes`"),
        (lambda s: 63, "for [7, 5, 3, 2]: it gives 63, expected was 66"),
        (lambda s: [anemia.count_parameters(s)], "return the number itself"),
    ],
}
EXERCISES = {
    getattr(anemia, "check_" + name): [*((student, None) for student in RIGHT[name]), *WRONG[name]] for name in RIGHT
}

test_named, test_left_out, test_enough = three_tests(EXERCISES)


def test_the_summary_tells_what_is_done():
    anemia.check_neuron(anemia.neuron)
    anemia.check_macro_recall(None)
    summary = checks.summary()
    assert summary.loc["1.2", "state"] == "done"
    assert summary.loc["1.6", "state"] == "not done"
    assert isinstance(summary, pd.DataFrame)
