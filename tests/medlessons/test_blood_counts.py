"""Each fault of a blood count is named, and what a rule can repair is repaired."""

import numpy as np
import pandas as pd
import pytest

from medlessons import blood_counts, settings
from medlessons.errors import LessonError
from simclinic import blood


def faults_of(blood_count):
    found = blood_counts.validate(blood_count)
    return set(zip(found["column"], found["fault"], strict=True))


def test_the_table_of_columns():
    assert tuple(blood_counts.COLUMNS.index) == blood_counts.MEASUREMENTS and len(blood_counts.DIAGNOSES) == 9
    assert (blood_counts.COLUMNS["lowest"] < blood_counts.COLUMNS["highest"]).all()


def test_first_published_example():
    healthy = blood_counts.EXAMPLES.iloc[0]
    assert faults_of(healthy) == {
        ("WBC", "parts"),
        ("MCHC", "unit"),
        ("MCHC", "identity"),
        ("PDW", "scale"),
        ("PCT", "scale"),
    }
    messages = blood_counts.validate(healthy).set_index(["column", "fault"])["message"]
    assert messages["MCHC", "unit"] == "320 looks like g/L; expected is 18 to 45 g/dL: divide by 10"
    assert messages["WBC", "parts"] == "LYMn + NEUTn is 5.5, more than all white cells (2.74)"


def test_second_published_example():
    filled = {(column, "filled") for column in ("LYMp", "NEUTp", "LYMn", "NEUTn", "HCT", "PDW", "PCT")}
    disagree = {("MCV", "identity"), ("MCHC", "identity"), ("NEUTp", "parts"), ("LYMn", "parts"), ("NEUTn", "parts")}
    assert faults_of(blood_counts.EXAMPLES.iloc[1]) == filled | disagree


def test_repair_corrects_units_and_white_cells_and_removes_what_is_off_by_scale():
    repaired = blood_counts.repair(blood_counts.EXAMPLES.iloc[0].to_dict())
    assert repaired["MCHC"] == 32.0
    assert repaired["WBC"] == pytest.approx(5.68)
    assert list(repaired.index[repaired.isna()]) == ["PDW", "PCT"]


def test_repair_removes_filled_means_and_restores_hct():
    repaired = blood_counts.repair(blood_counts.EXAMPLES.iloc[1])
    assert repaired["HCT"] == pytest.approx(36.8)
    assert set(repaired.index[repaired.isna()]) == {"LYMp", "NEUTp", "LYMn", "NEUTn", "PDW", "PCT"}
    assert set(blood_counts.validate(repaired)["fault"]) == {"missing"}


SOUND_COUNT = dict(
    zip(blood_counts.MEASUREMENTS, (7, 30, 62, 2.1, 4.3, 4.8, 14.0, 42.0, 87.5, 29.2, 33.3, 250, 12, 0.24), strict=True)
)


def test_a_sound_blood_count_has_no_faults_in_any_form():
    for count in (SOUND_COUNT, pd.Series(SOUND_COUNT), pd.DataFrame([SOUND_COUNT] * 2), SOUND_COUNT | {"Age": 50}):
        assert blood_counts.validate(count).empty
    assert list(blood_counts.validate(SOUND_COUNT).columns) == ["row", "column", "value", "fault", "message"]


@pytest.mark.parametrize(
    ("changes", "column", "fault"),
    [
        ({"HGB": np.nan}, "HGB", "missing"),
        ({"HGB": 140.0}, "HGB", "unit"),
        ({"HCT": 0.42}, "HCT", "unit"),
        ({"PLT": 250_000.0}, "PLT", "unit"),
        ({"HCT": 420.0}, "HCT", "scale"),
        ({"MCV": 9900.0}, "MCV", "scale"),
        ({"MCV": 99000.0}, "MCV", "scale"),
        ({"HGB": 1.4}, "HGB", "scale"),
        ({"RBC": 0.048}, "RBC", "scale"),
        ({"RBC": 0.0048}, "RBC", "impossible"),
        ({"HGB": -10.0}, "HGB", "impossible"),
        ({"MCHC": 92.8}, "MCHC", "impossible"),
        ({"MCV": 84.9}, "MCV", "identity"),
        ({"MCH": 27.0}, "MCH", "identity"),
        ({"LYMp": 39.1}, "NEUTp", "parts"),
        ({"WBC": 6.09}, "WBC", "parts"),
        ({"LYMn": 1.7}, "LYMn", "parts"),
        ({"PCT": 0.02}, "PCT", "scale"),
    ],
)
def test_each_fault_is_named(changes, column, fault):
    assert (column, fault) in faults_of(SOUND_COUNT | changes)


@pytest.mark.parametrize(
    "changes", [{"MCV": 85.0}, {"LYMp": 39.0, "LYMn": 2.5}, {"WBC": 6.1}, {"LYMn": 1.8}, {"HGB": 14.1}]
)
def test_what_rounding_or_a_drifting_analyzer_does_is_no_fault(changes):
    assert faults_of(SOUND_COUNT | changes) == set()


def test_four_column_means_are_no_chance():
    means = blood_counts.FILLED_MEANS[0]
    for number in (3, 4):
        some = {name: means[name] for name in ("PDW", "PCT", "HCT", "LYMp")[:number]}
        filled = {column for column, fault in faults_of(SOUND_COUNT | some) if fault == "filled"}
        assert filled == (set(some) if number == 4 else set())


@pytest.mark.parametrize(
    "pct, faults", [(0.1, set()), (0.5, set()), (0.09, {("PCT", "scale")}), (0.51, {("PCT", "scale")})]
)
def test_platelets_of_4_to_20_fl_are_possible(pct, faults):
    assert faults_of(SOUND_COUNT | {"PCT": pct}) == faults  # 250 platelets: 4 and 20 fL are the limits


def test_a_parameter_that_is_not_given_is_missing_and_text_is_refused():
    without = {name: value for name, value in SOUND_COUNT.items() if name != "PDW"}
    assert faults_of(without) == {("PDW", "missing")}
    with pytest.raises(LessonError, match=r"row 0, column HGB: 'low' is not a number"):
        blood_counts.validate(SOUND_COUNT | {"HGB": "low"})


def test_validate_finds_what_the_simulation_did():
    table, truth = map(pd.DataFrame, blood.draw(return_truth=True))
    found = blood_counts.validate(table)
    assert set(found.loc[found["fault"] == "filled", "row"]) == set(truth.index[truth["filled"]])
    spoilt = set(found.loc[found["fault"].isin(["unit", "scale", "impossible", "identity"]), "row"])
    corrupted = set(truth.index[truth["corrupted"] != ""])
    assert len(corrupted & spoilt) >= 0.85 * len(corrupted)
    measured_and_sound = set(truth.index[~truth["filled"]]) - corrupted
    assert not measured_and_sound & spoilt


def test_the_known_means_are_those_of_the_simulation():
    row = pd.DataFrame(blood.draw()).loc[1038]
    assert row[list(blood_counts.FILLED_MEANS[1])].to_dict() == blood_counts.FILLED_MEANS[1]


def test_the_data_card_documents_every_column_and_diagnosis():
    card = (settings.REPOSITORY / "data" / "README.md").read_text(encoding="utf-8")
    for column, (low, high) in blood_counts.LIMITS.items():
        unit = blood_counts.COLUMNS.at[column, "unit"]
        assert f"| {unit} | {low:g} to {high:g} |" in card[card.index(f"| `{column}` |") :].splitlines()[0]
    assert " · ".join(blood_counts.DIAGNOSES) in card.replace("\n", " ")
