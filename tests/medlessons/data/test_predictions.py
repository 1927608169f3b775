"""Prediction tables: the embedded one belongs to its patients, real ones are read by name, wrong ones are refused."""

import numpy as np
import pandas as pd
import pytest

from medlessons import calibration, evaluation, settings
from medlessons.data import predictions
from medlessons.errors import LessonError
from simclinic.thorax import FINDINGS

NAMES = list(FINDINGS)


@pytest.fixture
def table():
    """Return a small table with the published columns, in another order than the lesson's."""
    rng = np.random.default_rng(0)
    columns = {"Image": [f"0000000{row}_000.png" for row in range(6)], "PatientId": ["7", "7", "8", "9", "10", "11"]}
    columns |= {name: rng.integers(0, 2, 6) for name in sorted(NAMES)}
    columns |= {f"{name}_pred": rng.random(6).round(3) for name in NAMES}
    return pd.DataFrame(columns)


def written(table, folder):
    path = folder / "preds.csv"
    table.to_csv(path)
    return path


def test_parts_of_the_embedded_table_share_no_patient_and_no_image():
    calibration_set, test = (predictions.load(part, "embedded") for part in predictions.PARTS)
    assert len(calibration_set) == len(test) == 2000
    assert not set(calibration_set["patient"]) & set(test["patient"])
    assert not set(calibration_set["image"]) & set(test["image"])


@pytest.mark.parametrize("part", predictions.PARTS)
def test_the_embedded_table_belongs_to_the_patients_that_are_drawn_today(part):
    """If this fails, weights or simulator have changed: run `python scripts/predict.py`."""
    table, patients = predictions.load(part, "embedded"), predictions.draw_patients(part)
    assert table["image"].tolist() == patients["path"].str.removeprefix("images/").tolist()
    assert table[NAMES].equals(patients[NAMES].astype(table[NAMES].dtypes))
    assert table["age"].tolist() == patients["age"].tolist()


def test_no_patient_of_the_table_was_in_a_lesson_or_in_training():
    from simclinic import clinic

    seeds = np.concatenate([predictions.draw_patients(part)["seed"] for part in predictions.PARTS])
    assert seeds.min() >= 70_000  # lessons 2 to 4 end below
    assert seeds.max() < clinic.TRAINING_SEEDS[0]


def test_mined_labels_are_wrong_where_reports_are():
    test = predictions.load("test", "embedded")
    true, mined = predictions.true_labels(test), test[NAMES]
    missed = ((true == 1) & (mined == 0)).to_numpy().sum() / (true == 1).to_numpy().sum()
    assert 0.07 < missed < 0.13
    sizes = test[[f"{name}_size" for name in NAMES]].notna().to_numpy()
    assert (sizes == (true == 1).to_numpy()).all()


def test_columns_are_matched_by_name_and_patients_are_unified(table, tmp_path):
    table["PatientId"] = ["7", "00000007", " 7 ", "9", "10", "11"]
    table.columns = [f" {name} " if name == "Edema" else name for name in table]
    read = predictions.read(written(table, tmp_path))
    assert read["patient"].tolist() == ["7", "7", "7", "9", "10", "11"]
    assert list(predictions.outputs(read)) == NAMES
    assert predictions.outputs(read)["Edema"].tolist() == table["Edema_pred"].tolist()


def change(column, row, value):
    def changed(table):
        table = table.astype({column: object})
        table.loc[row, column] = value
        return table

    return changed


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda table: table.drop(columns="Mass_pred"), "column 'Mass_pred' is missing"),
        (lambda table: table.drop(columns="PatientId"), "column 'PatientId' is missing"),
        (lambda table: table.assign(Fracture_pred=0.5), "'Fracture_pred' is of another finding"),
        (change("Edema_pred", 2, 1.2), "row 4, column 'Edema_pred'.*from 0 to 1"),
        (change("Edema_pred", 0, "high"), "row 2, column 'Edema_pred'.*'high'"),
        (change("Edema_pred", 5, None), "row 7, column 'Edema_pred'.*found ''"),
        (change("Mass", 3, 2), "row 5, column 'Mass'.*0 or 1"),
        (change("Image", 4, "00000000_000.png"), "row 6, column 'image'.*each image once"),
        (change("PatientId", 1, None), "row 3, column 'patient'"),
        (change("PatientId", 1, "  "), "row 3, column 'patient'"),
        (lambda table: table.head(0), "no row under the heading"),
    ],
)
def test_a_wrong_table_is_refused_with_column_and_row(table, tmp_path, spoil, said):
    with pytest.raises(LessonError, match=said):
        predictions.read(written(spoil(table), tmp_path))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no table", b"\xff\xfe\x00"])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "preds.csv"
    path.write_bytes(content)
    with pytest.raises(LessonError, match=r"preds\.csv"):
        predictions.read(path)


def test_real_tables_that_are_missing_are_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path))
    with pytest.raises(LessonError, match=r"valid_preds\.csv is not there\. .*embedded"):
        predictions.load("test", "real")


def test_a_hospital_is_divided_by_patient_and_goes_first(monkeypatch, tmp_path, table):
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path))
    (tmp_path / "predictions").mkdir()
    table.to_csv(tmp_path / "predictions" / predictions.HOSPITAL, index=False)
    parts = [predictions.load(part, "real") for part in predictions.PARTS]
    assert sum(map(len, parts)) == len(table)
    assert not set(parts[0]["patient"]) & set(parts[1]["patient"])
    assert predictions.odds_factors(parts[0]).eq(1).all()


def test_factors_of_the_odds_bring_the_outputs_near_the_prevalence():
    calibration_set = predictions.load("calibration", "embedded")
    outputs, labels = predictions.outputs(calibration_set), calibration_set[NAMES]
    factors = predictions.odds_factors(calibration_set)
    undone = pd.DataFrame({name: calibration.scale_odds(outputs[name], factors[name]) for name in NAMES})
    before, after = (abs(table.mean() - labels.mean()).mean() for table in (outputs, undone))
    assert after < before / 4


# ---------------------------------------------------------------------------------------------------------
# The published tables: here only if somebody laid them into data/real/predictions

COURSE = settings.REPOSITORY / "data" / "real" / "predictions"
published = pytest.mark.skipif(
    not (COURSE / "valid_preds.csv").is_file(), reason="the published tables are not in data/real/predictions"
)


@pytest.fixture(scope="module")
def course():
    return {part: predictions.read(COURSE / name) for part, name in predictions.COURSE.items()}


@published
@pytest.mark.parametrize(
    ("name", "counts", "area"),
    [
        ("Cardiomegaly", (16, 814, 169, 1), 0.933),
        ("Effusion", (99, 690, 196, 15), 0.891),
        ("Mass", (40, 789, 158, 13), 0.888),
        ("Edema", (15, 767, 213, 5), 0.856),
        ("Hernia", (1, 743, 255, 1), 0.644),
    ],
)
def test_published_counts_and_auroc(course, name, counts, area):
    truth, score = course["test"][name], course["test"][f"{name}_pred"]
    table = evaluation.rates(truth, (score >= 0.5).astype(int))
    tp, tn = table.loc["sensitivity", "cases"], table.loc["specificity", "cases"]
    positives, negatives = table.loc["sensitivity", "of"], table.loc["specificity", "of"]
    assert (tp, tn, negatives - tn, positives - tp) == counts
    assert evaluation.auroc(truth, score) == pytest.approx(area, abs=5e-4)


@published
def test_published_rates_of_edema_and_emphysema(course):
    test = course["test"]
    edema = evaluation.rates(test["Edema"], (test["Edema_pred"] >= 0.5).astype(int))["rate"]
    assert edema[["sensitivity", "specificity", "PPV", "accuracy"]].tolist() == pytest.approx(
        [0.75, 0.783, 0.066, 0.782], abs=5e-4
    )
    assert (test["Emphysema"] == 0).mean() == pytest.approx(0.972, abs=5e-4)
    assert ((test["Emphysema_pred"] >= 0.5) == test["Emphysema"]).mean() == pytest.approx(0.889, abs=5e-4)


@published
def test_published_calibration_before_and_after(course):
    test, tuning = course["test"], course["calibration"]
    outputs, tenths = predictions.outputs(test), np.linspace(0, 1, 11)
    assert outputs.to_numpy().mean() == pytest.approx(0.338, abs=5e-4)
    assert test[NAMES].to_numpy().mean() == pytest.approx(0.0505, abs=5e-5)
    brier, platt = [], []
    for name in NAMES:
        line = calibration.fit_platt(tuning[name], tuning[f"{name}_pred"])
        cured = calibration.apply_platt(outputs[name], *line)
        brier.append(calibration.calibration_summary(test[name], outputs[name])["Brier"])
        platt.append(calibration.calibration_summary(test[name], cured)["Brier"])
    ece = [calibration.expected_calibration_error(test[name], outputs[name], tenths) for name in NAMES]
    assert np.mean(brier) == pytest.approx(0.164, abs=1e-3)
    assert np.mean(ece) == pytest.approx(0.288, abs=1e-3)
    assert np.mean(platt) == pytest.approx(0.0404, abs=5e-4)


@published
def test_published_net_benefit(course):
    test, tuning = course["test"], course["calibration"]
    found = {}
    for name in ("Edema", "Effusion"):
        line = calibration.fit_platt(tuning[name], tuning[f"{name}_pred"])
        raw = test[f"{name}_pred"]
        ways = (raw, calibration.apply_platt(raw, *line), np.ones(len(test)))
        found[name] = [round(1000 * calibration.net_benefit(test[name], way, 0.1)) for way in ways]
    assert found["Edema"][:2] == [-39, -2]
    assert found["Effusion"] == [56, 77, 16]


@published
def test_published_intervals_by_image_and_by_patient(course):
    test = course["test"]
    by_patient = evaluation.auroc_table(test[NAMES], predictions.outputs(test), test["patient"])
    by_image = evaluation.auroc_table(test[NAMES], predictions.outputs(test), test["image"])
    width = {kind: table["high"] - table["low"] for kind, table in (("patient", by_patient), ("image", by_image))}
    assert by_patient.loc["Effusion", ["low", "high"]].tolist() == pytest.approx([0.855, 0.919], abs=0.006)
    assert by_patient.loc["Mass", ["low", "high"]].tolist() == pytest.approx([0.823, 0.935], abs=0.008)
    assert (width["patient"] / width["image"]).drop("Hernia").mean() == pytest.approx(1.11, abs=0.05)


@pytest.mark.skipif(
    not (COURSE / predictions.HOSPITAL).is_file(), reason="the hospital's table is not in data/real/predictions"
)
def test_published_figures_of_a_whole_hospital():
    table = predictions.read(COURSE / predictions.HOSPITAL)
    assert (len(table), table["patient"].nunique()) == (22_433, 6_187)
    assert table["Effusion_pred"].mean() == pytest.approx(0.128, abs=5e-4)
    assert table["Effusion"].mean() == pytest.approx(0.123, abs=5e-4)


@pytest.mark.skipif(
    not (COURSE / predictions.HOSPITAL).is_file(), reason="the hospital's table is not in data/real/predictions"
)
@pytest.mark.parametrize(
    ("findings", "by_radiologists", "mined", "read"),
    [
        (["Pneumothorax"], "Pneumothorax", 0.915, 0.904),
        (["Nodule", "Mass"], "Nodule_or_mass", 0.802, 0.857),
    ],
)
def test_mined_labels_and_those_of_radiologists(findings, by_radiologists, mined, read):
    table = predictions.read(COURSE / predictions.HOSPITAL).dropna(subset=[f"radiologist_{by_radiologists}"])
    assert len(table) == 935
    score = predictions.outputs(table)[findings].max(axis=1)
    assert evaluation.auroc(table[findings].max(axis=1), score) == pytest.approx(mined, abs=5e-4)
    assert evaluation.auroc(table[f"radiologist_{by_radiologists}"], score) == pytest.approx(read, abs=5e-4)


@pytest.mark.skipif(
    not (COURSE / predictions.HOSPITAL).is_file(), reason="the hospital's table is not in data/real/predictions"
)
def test_published_aurocs_of_the_hospital():
    table = predictions.read(COURSE / predictions.HOSPITAL)
    areas = {name: evaluation.auroc(table[name], table[f"{name}_pred"]) for name in NAMES}
    assert areas["Atelectasis"] == pytest.approx(0.8180, abs=5e-5)
    assert areas["Effusion"] == pytest.approx(0.8827, abs=5e-5)
    assert np.mean(list(areas.values())) == pytest.approx(0.8381, abs=5e-4)
