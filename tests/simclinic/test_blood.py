"""The simulated blood counts have the schema, the physiology, the labels and the faults of the published ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.tree import DecisionTreeClassifier

from simclinic import blood

MEASUREMENTS = list(blood.MEASUREMENTS)


@pytest.fixture(scope="module")
def drawn():
    return tuple(map(pd.DataFrame, blood.draw(return_truth=True)))


@pytest.fixture
def table(drawn):
    return drawn[0]


@pytest.fixture
def truth(drawn):
    return drawn[1]


def test_schema_and_class_counts(table):
    assert list(table.columns) == [
        *("WBC", "LYMp", "NEUTp", "LYMn", "NEUTn", "RBC", "HGB", "HCT", "MCV", "MCH", "MCHC", "PLT", "PDW", "PCT"),
        "Diagnosis",
    ]
    assert len(table) == 1281 and list(table.index) == list(range(1281))
    assert table["Diagnosis"].value_counts().to_dict() == {
        "Healthy": 336,
        "Normocytic hypochromic anemia": 279,
        "Normocytic normochromic anemia": 269,
        "Iron deficiency anemia": 189,
        "Thrombocytopenia": 73,
        "Other microcytic anemia": 59,
        "Leukemia": 47,
        "Macrocytic anemia": 18,
        "Leukemia with thrombocytopenia": 11,
    }
    assert not table.isna().any(axis=None)


def test_the_same_seed_gives_the_same_table_and_another_seed_another(table):
    pd.testing.assert_frame_equal(table, pd.DataFrame(blood.draw()))
    assert not table.equals(pd.DataFrame(blood.draw(seed=1)))


def test_measured_values_have_the_published_decimals(table):
    measured = table.iloc[:500]
    for column, decimals in blood.DECIMALS.items():
        wrong = (measured[column] - measured[column].round(max(decimals, 2))).abs() > 1e-9
        assert not wrong.any(), column


def test_six_columns_are_filled_with_the_bent_means_from_row_500_on(table, truth):
    assert truth["filled"].tolist() == [row >= 500 for row in range(1281)]
    for column in ("LYMp", "NEUTp", "LYMn", "NEUTn", "HCT", "PCT"):
        values = table.loc[500:, column].unique()
        assert len(values) == 1, column
        assert values[0] == pytest.approx(table.loc[:499, column].mean(), abs=1e-5)
        assert values[0] > table.loc[:499, column].median() or column in ("LYMp", "LYMn"), "bent upwards"


def test_pdw_is_filled_in_417_rows(table, truth):
    filled = table.loc[truth["filled_pdw"], "PDW"]
    assert len(filled) == 417 and filled.nunique() == 1 and filled.index.min() >= 500
    assert filled.iloc[0] == pytest.approx(table.loc[~truth["filled_pdw"], "PDW"].mean(), abs=1e-7)


def test_duplicates_and_their_originals(table, truth):
    assert table.duplicated().sum() == 49
    copies = truth[truth["copy_of"] >= 0]
    assert list(copies.index) == list(table.index[table.duplicated()])
    for copy, original in copies["copy_of"].items():
        assert table.loc[copy].equals(table.loc[original].rename(copy))


def test_the_usual_split_leaks_eighteen_rows(table):
    train, test = train_test_split(table, test_size=0.2, random_state=42)
    assert test.apply(tuple, axis=1).isin(set(train.apply(tuple, axis=1))).sum() == 18


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("HGB", -10.0),
        ("MCV", -79.3),
        ("NEUTp", 5317.0),
        ("HCT", 3715.0),
        ("MCH", 3117.0),
        ("RBC", 90.8),
        ("MCV", 990.0),
        ("PCT", 13.6),
    ],
)
def test_impossible_values_are_there_and_known(table, truth, column, value):
    rows = table.index[table[column] == value]
    assert len(rows) == 1 and rows[0] < 500
    assert column in truth.loc[rows[0], "corrupted"].split()


def _share_within_3_percent(table):
    ratios = (
        10 * table["HCT"] / table["RBC"] / table["MCV"],
        10 * table["HGB"] / table["RBC"] / table["MCH"],
        100 * table["HGB"] / table["HCT"] / table["MCHC"],
    )
    return [((ratio - 1).abs() <= 0.03).mean() for ratio in ratios]


def test_identities_hold_in_measured_rows_and_fail_in_filled_ones(table):
    assert _share_within_3_percent(table.iloc[:500]) == pytest.approx([0.96, 0.95, 0.95], abs=0.02)
    assert _share_within_3_percent(table.iloc[500:]) == pytest.approx([0.12, 0.48, 0.08], abs=0.1)


def test_without_the_corrupted_rows_every_measured_identity_holds(table, truth):
    sound = table[(truth["corrupted"] == "") & ~truth["filled"]]
    assert min(_share_within_3_percent(sound)) == 1.0


def test_the_labels_are_a_rule(table, truth):
    differ = table.index[blood.diagnose(table) != table["Diagnosis"]]
    assert len(differ) <= 6
    assert all(truth.loc[row, "corrupted"] for row in differ), "labelled before the slip"


@pytest.mark.parametrize(("depth", "fit", "cross_validated"), [(5, 1.0, 0.99), (4, 0.99, 0.98)])
def test_a_small_tree_reproduces_the_labels(table, depth, fit, cross_validated):
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_score(tree, table[MEASUREMENTS], table["Diagnosis"], cv=folds)
    assert tree.fit(table[MEASUREMENTS], table["Diagnosis"]).score(table[MEASUREMENTS], table["Diagnosis"]) == (
        pytest.approx(fit, abs=0.006 * (depth == 4))
    )
    assert scores.mean() == pytest.approx(cross_validated, abs=0.012)


def test_row_1038_is_the_second_published_example(table):
    row = table.loc[1038]
    assert row[["WBC", "RBC", "HGB", "MCV", "MCH", "MCHC", "PLT"]].tolist() == [
        8.67,
        3.58,
        10.2,
        102.8,
        28.5,
        27.7,
        272,
    ]
    assert row["Diagnosis"] == "Macrocytic anemia"


def test_other_seeds_have_the_same_structure(drawn):
    for seed in (1, 2):
        table, truth = map(pd.DataFrame, blood.draw(seed, return_truth=True))
        assert (table["Diagnosis"].value_counts() == drawn[0]["Diagnosis"].value_counts()).all()
        assert table.duplicated().sum() >= 49
        assert np.isfinite(table[MEASUREMENTS].to_numpy()).all()
        assert truth["filled_pdw"].sum() == 417
