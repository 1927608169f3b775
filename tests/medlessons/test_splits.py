"""Splits keep patients together, give each part its share, and say what leaked."""

import time

import numpy as np
import pandas as pd
import pytest

from medlessons import splits
from medlessons.errors import LessonError

SHARES = {"train": 0.6, "validation": 0.15, "test": 0.25}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    patients = rng.integers(0, 250, 600)
    return pd.DataFrame({"patient": patients, "label": np.where(rng.random(600) < 0.1, "lateral", "frontal")})


def test_patients_stay_together_and_no_row_is_lost(table):
    parts = splits.by_patient(table, SHARES)
    assert splits.shared_patients(parts) == []
    splits.check_no_leakage(parts)
    assert sorted(pd.concat(parts).index.get_level_values(1)) == list(table.index)


@pytest.mark.parametrize("seed", range(5))
def test_each_part_gets_its_share_of_images_and_of_laterals(table, seed):
    for name, part in splits.by_patient(table, SHARES, seed=seed).items():
        assert len(part) / len(table) == pytest.approx(SHARES[name], abs=0.02)
        laterals = (table["label"] == "lateral").sum()
        assert (part["label"] == "lateral").sum() / laterals == pytest.approx(SHARES[name], abs=0.08)


@pytest.mark.parametrize("seed", range(5))
def test_two_labels_that_are_equally_frequent_get_their_share_each(seed):
    table = pd.DataFrame({"patient": range(20), "label": ["a", "b"] * 10})
    parts = splits.by_patient(table, {"train": 0.5, "test": 0.5}, seed=seed)
    assert parts["train"]["label"].value_counts().to_dict() == {"a": 5, "b": 5}


def test_a_seed_is_a_split(table):
    first, again, other = (splits.by_patient(table, SHARES, seed=seed)["test"].index for seed in (0, 0, 1))
    assert first.equals(again) and not first.equals(other)


def test_at_random_leaks_and_is_caught(table):
    parts = splits.at_random(table, SHARES)
    assert sum(map(len, parts.values())) == len(table) and len(parts["test"]) == 150
    shared = splits.shared_patients(parts)
    truly = set(parts["train"]["patient"]) & set(parts["test"]["patient"])
    assert truly <= set(map(int, shared))
    with pytest.raises(LessonError, match=f"{len(shared)} patients .* {shared[0]}"):
        splits.check_no_leakage(parts)


@pytest.mark.parametrize("names, says", [("abc", "3 patients .* a, b, c. Split"), ("abcd", "4 .* a, b, c, .... Split")])
def test_three_of_those_who_leak_are_named(names, says):
    part = pd.DataFrame({"patient": list(names)})
    with pytest.raises(LessonError, match=f"{says} by patient"):
        splits.check_no_leakage({"train": part, "test": part})


@pytest.mark.parametrize(
    "change, shares, says",
    [
        (lambda t: t.drop(columns="patient"), SHARES, "no column 'patient'"),
        (lambda t: t.drop(columns="label"), SHARES, "no column 'label'"),
        (lambda t: t.assign(patient=t["patient"].where(t.index != 7)), SHARES, "Row 7"),
        (lambda t: t.assign(label=t["label"].where(t.index != 7)), SHARES, "Row 7, column label"),
        (lambda t: t, {"train": 0.6, "test": 0.6}, "add up to 1"),
        (lambda t: t, {"train": 1.5, "test": -0.5}, "above 0"),
        (lambda t: t, {"train": 1.0, "test": 0.0}, "above 0"),
    ],
)
def test_what_cannot_be_split_is_named(table, change, shares, says):
    with pytest.raises(LessonError, match=says):
        splits.by_patient(change(table), shares)


@pytest.mark.parametrize("seed", range(3))
def test_each_part_gets_its_share_of_many_labels(seed):
    rng = np.random.default_rng(seed)
    labels = pd.DataFrame((rng.random((3000, 4)) < (0.2, 0.1, 0.03, 0.01)).astype(int), columns=list("abcd"))
    table = labels.assign(patient=rng.integers(0, 1200, 3000))
    parts = splits.by_patient(table, SHARES, stratify=list("abcd"), seed=seed)
    assert splits.shared_patients(parts) == [] and sum(map(len, parts.values())) == 3000
    for name, part in parts.items():
        assert len(part) == pytest.approx(SHARES[name] * 3000, abs=15)
        assert (part[list("abcd")].sum() - SHARES[name] * labels.sum()).abs().max() <= 3


def test_a_large_table_is_split_in_seconds():
    rng = np.random.default_rng(0)
    labels = pd.DataFrame((rng.random((112_120, 14)) < 0.05).astype(int)).rename(columns=str)
    table = labels.assign(patient=rng.integers(0, 30_805, 112_120))
    start = time.process_time()
    splits.by_patient(table, SHARES, stratify=labels.columns)
    assert time.process_time() - start < 5
