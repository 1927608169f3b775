"""Each check of lesson 1 accepts the reference, and names each classic mistake."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from medlessons import checks
from medlessons.checks import anemia


def relu(x):
    return np.maximum(x, 0)


def split_with(splitter):
    def split(table, seed):
        train, test = splitter(table, seed)
        return table.iloc[train], table.iloc[test]

    return split


def stratified_rows(table, seed):
    return next(StratifiedKFold(5, shuffle=True, random_state=seed).split(table, table["Diagnosis"]))


def grouped_only(table, seed):
    return next(
        (train, test)
        for train, test in [_by_group(table, seed, order) for order in range(50)]
        if (table.iloc[test]["Diagnosis"] == "Macrocytic anemia").sum() not in (3, 4, 5)
    )


def _by_group(table, seed, order):
    groups = table.groupby(list(table.columns), sort=False).ngroup().to_numpy()
    chosen = np.random.default_rng([seed, order]).permutation(np.unique(groups))[: len(np.unique(groups)) // 5]
    return np.flatnonzero(~np.isin(groups, chosen)), np.flatnonzero(np.isin(groups, chosen))


def of_share(parts):
    def split(table, seed):
        groups = table.groupby(list(table.columns), sort=False).ngroup()
        test = groups % parts == 0
        return table[~test], table[test]

    return split


def own_scaling(train, test):
    return StandardScaler().fit_transform(train), StandardScaler().fit_transform(test)


def leaky_scaling(train, test):
    scaler = StandardScaler().fit(np.vstack([train, test]))
    return scaler.transform(train), scaler.transform(test)


def minmax(train, test):
    scaler = MinMaxScaler().fit(train)
    return scaler.transform(train), scaler.transform(test)


def ratio_errors(count):
    expected = np.array([count["HCT"] / count["RBC"], count["HGB"] / count["RBC"], count["HGB"] / count["HCT"]])
    given = np.array([count["MCV"], count["MCH"], count["MCHC"]])
    return np.abs(given - expected) / expected * 100


def signed_errors(count):
    expected = np.array([10 * count["HCT"] / count["RBC"], 10 * count["HGB"] / count["RBC"], 100 * count["HGB"] / 36])
    return (np.array([count["MCV"], count["MCH"], count["MCHC"]]) - expected) / expected * 100


MISTAKES = [
    ("neuron", lambda x, w, b: relu(np.dot(w, x)), "bias is missing"),
    ("neuron", lambda x, w, b: np.dot(w, x), "bias is missing"),
    ("neuron", lambda x, w, b: np.dot(w, x) + b, "ReLU is missing"),
    ("neuron", lambda x, w, b: relu(np.dot(w, x) - b), "subtracted"),
    ("neuron", lambda x, w, b: 1 / (1 + np.exp(-np.dot(w, x) - b)), "sigmoid"),
    ("neuron", lambda x, w, b: relu(w * x + b), "not added up"),
    ("neuron", lambda x, w, b: np.sum(w + x) + b, "multiply each input"),
    ("neuron", lambda x, w, b: relu(w * x).sum() + b, "acts once, on the sum"),
    ("neuron", lambda x, w, b: relu(np.dot(w, x)) + b, "after the ReLU"),
    ("neuron", lambda x, w, b: min(0, np.dot(w, x) + b), "use max, not min"),
    ("neuron", lambda x, w, b: abs(np.dot(w, x) + b), "not abs"),
    ("neuron", lambda x, w, b: 17.0, "expected was"),
    ("count_parameters", lambda s: sum(a * b for a, b in pairwise(s)), "biases are missing"),
    ("count_parameters", lambda s: sum(a * b + a for a, b in pairwise(s)), "counted for each input"),
    ("count_parameters", lambda s: sum(a * b + b for a, b in pairwise(s[:-1])), "last layer"),
    ("count_parameters", lambda s: anemia.count_parameters(s) + s[0], "inputs have no biases"),
    ("count_parameters", lambda s: sum(a + b for a, b in pairwise(s)), "multiply"),
    ("count_parameters", lambda s: sum(a * b + 1 for a, b in pairwise(s)), "one bias for each unit"),
    ("count_parameters", lambda s: 47, "any number of layers"),
    ("count_parameters", lambda s: 3337, "compute it from"),
    ("count_parameters", lambda s: [a * b + b for a, b in pairwise(s)], "add them up"),
    ("count_parameters", lambda s: anemia.count_parameters(s[1:]), "first layer is missing"),
    ("split", lambda table, seed: tuple(train_test_split(table, test_size=0.2, random_state=seed)), "Use groups"),
    ("split", split_with(stratified_rows), "Use groups"),
    ("split", split_with(grouped_only), "stratify"),
    ("split", lambda table, seed: anemia.split(table, seed)[::-1], "swapped"),
    ("split", lambda table, seed: anemia.split(table, 0), "another seed"),
    ("split", lambda table, seed: anemia.split(table, seed)[0], "two tables"),
    ("split", stratified_rows, "use table.iloc"),
    ("split", lambda table, seed: anemia.split(table.drop_duplicates(), seed), "rows are lost"),
    ("split", lambda table, seed: (table, table.iloc[:40]), "same row stands on both sides"),
    ("split", of_share(20), "a fifth was asked for"),
    ("scale", leaky_scaling, "has seen the test rows"),
    ("scale", own_scaling, "their own mean"),
    ("scale", lambda a, b: (anemia.scale(a, b)[0], b), "not scaled"),
    ("scale", lambda a, b: (a, anemia.scale(a, b)[1]), "training rows are not scaled"),
    ("scale", minmax, "MinMaxScaler"),
    ("scale", lambda a, b: (MinMaxScaler().fit_transform(a), MinMaxScaler().fit_transform(b)), "by itself"),
    ("scale", lambda a, b: anemia.scale(a, b)[::-1], "swapped"),
    ("scale", lambda a, b: anemia.scale(a, b)[1], "two arrays"),
    ("scale", lambda a, b: (a / a.std(0), b / a.std(0)), "mean is not subtracted"),
    ("scale", lambda a, b: (a - a.mean(0), b - a.mean(0)), "not divided"),
    ("scale", lambda a, b: ((a - a.mean()) / a.std(), (b - a.mean()) / a.std()), "axis=0"),
    ("scale", lambda a, b: ((a - a.mean(0)) / a.std(0, ddof=1), (b - a.mean(0)) / a.std(0, ddof=1)), "n - 1"),
    ("macro_recall", lambda m: np.trace(m) / m.sum(), "this is the accuracy"),
    ("macro_recall", lambda m: np.mean(np.diag(m) / m.sum(axis=0)), "precision"),
    ("macro_recall", lambda m: np.diag(m) / m.sum(axis=1), "return their mean"),
    ("macro_recall", lambda m: np.sum(np.diag(m) / m.sum(axis=1)), "not divided by the number"),
    ("macro_recall", lambda m: np.mean(np.diag(m) / m.sum()), "its own class"),
    ("macro_recall", lambda m: np.median(np.diag(m) / m.sum(axis=1)), "median"),
    ("macro_recall", lambda m: 100 * anemia.macro_recall(m), "in percent"),
    ("macro_recall", lambda m: np.mean(2 * np.diag(m) / (m.sum(axis=0) + m.sum(axis=1))), "macro F1"),
    ("identity_errors", lambda c: anemia.identity_errors(c) / 100, "multiply by 100"),
    ("identity_errors", signed_errors, "absolute value"),
    ("identity_errors", ratio_errors, "factors are missing"),
    ("identity_errors", lambda c: np.array([9.0, 6.0, 4 / 3]), "difference itself"),
    ("identity_errors", lambda c: np.array([900 / 81, 600 / 36, 400 / 96]), "divided by the given value"),
    ("identity_errors", lambda c: np.array([90.0, 30.0, 100 / 3]), "these are the expected values"),
    ("identity_errors", lambda c: anemia.identity_errors(c)[[2, 0, 1]], "another order"),
    ("identity_errors", lambda c: np.array([10.0, 20.0, 860.0]), "the factor 100"),
    ("identity_errors", lambda c: anemia.identity_errors(c).mean(), "return the three errors"),
]


@pytest.mark.parametrize(("name", "student", "words"), MISTAKES)
def test_a_classic_mistake_is_named_and_the_reference_handed_back(name, student, words, capsys):
    handed_back = getattr(checks, f"check_{name}")(student)
    said = capsys.readouterr().out
    assert words in said
    assert handed_back is getattr(anemia, name)


@pytest.mark.parametrize("name", sorted({row[0] for row in MISTAKES}))
def test_every_exercise_knows_at_least_three_mistakes(name):
    assert len({words for exercise, _, words in MISTAKES if exercise == name}) >= 3


@pytest.mark.parametrize("name", sorted({row[0] for row in MISTAKES}))
def test_a_right_answer_is_returned_as_it_is(name, capsys):
    def student(*arguments):
        return getattr(anemia, name)(*arguments)

    assert getattr(checks, f"check_{name}")(student) is student
    assert "well done" in capsys.readouterr().out


@pytest.mark.parametrize("stub", [None, ..., lambda *a: None])
@pytest.mark.parametrize("name", sorted({row[0] for row in MISTAKES}))
def test_an_exercise_left_out_is_not_done(name, stub, capsys):
    assert getattr(checks, f"check_{name}")(stub) is getattr(anemia, name)
    assert "not done yet" in capsys.readouterr().out


def test_code_that_stops_is_reported(capsys):
    checks.check_neuron(lambda inputs, weights, bias: 1 / 0)
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().out


def test_the_summary_tells_what_is_done():
    checks.check_neuron(anemia.neuron)
    checks.check_macro_recall(None)
    summary = checks.summary()
    assert summary.loc["1.1", "state"] == "done"
    assert summary.loc["1.5", "state"] == "not done"
    assert isinstance(summary, pd.DataFrame)
