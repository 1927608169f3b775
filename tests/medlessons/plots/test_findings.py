"""The figures of lesson 3 say in a sentence what they show."""

import numpy as np
import pandas as pd

from medlessons.plots import findings
from tests.medlessons.plots.caption import sentence

LABELS = pd.DataFrame({"Effusion": [1] * 30 + [0] * 10, "Edema": [1] * 24 + [0] * 16, "Hernia": [0] * 39 + [1]})


def test_counts_name_the_most_frequent_and_the_rarest():
    said = sentence(findings.finding_counts(LABELS))
    assert "Effusion is the most frequent finding with 30 of 40" in said
    assert "Hernia the rarest with 1" in said
    assert "9 images have none" in said


def test_cooccurrence_reads_along_the_rows_and_skips_rare_findings():
    assert "Edema most often comes with another one: 100% of these images also have Effusion" in sentence(
        findings.cooccurrence(LABELS)
    )


def test_contributions_say_when_both_kinds_weigh_the_same():
    share = LABELS.mean()
    plain = pd.DataFrame({"positive": share, "negative": 1 - share})
    assert "0 to 39 times as much" in sentence(findings.contributions(plain, "Plain"))
    weighted = pd.DataFrame({"positive": share * (1 - share), "negative": share * (1 - share)})
    assert "weigh the same, for each finding; Edema weighs most (0.24)" in sentence(
        findings.contributions(weighted, "W")
    )


def test_readings_say_the_first_answer_and_where_the_network_looked():
    heat = np.zeros((1, 6, 6))
    heat[0, 5, 0] = 1
    said = pd.DataFrame([[0.2, 0.9, 0.1]], columns=LABELS.columns, index=["film 1"])
    assert "film 1: Edema (0.9), strongest at the lower left" in sentence(
        findings.readings(np.zeros((1, 32, 32, 1)), heat, said)
    )


def test_a_map_that_is_zero_everywhere_can_be_drawn():
    said = pd.DataFrame([[0.2, 0.9, 0.1]], columns=LABELS.columns, index=["film 1"])
    with np.errstate(all="raise"):
        findings.readings(np.zeros((1, 32, 32, 1)), np.zeros((1, 4, 4)), said).canvas.draw()


def test_stages_read_the_maps_off_the_model():
    import keras

    from medlessons.checks.findings import dense_block

    inputs = keras.Input((16, 16, 3))
    maps = keras.layers.AveragePooling2D(2)(dense_block(inputs, 2, 4))
    model = keras.Model(inputs, dense_block(maps, 3, 4))
    assert "The blocks end with 11, 23 maps of 16, 8 pixels" in sentence(findings.stages(model))


def test_intervals_name_the_best_the_worst_and_the_widest():
    table = pd.DataFrame(
        {"AUROC": [0.9, 0.6, 0.8], "low": [0.88, 0.5, 0.4], "high": [0.92, 0.7, 0.99]}, index=LABELS.columns
    )
    published = pd.DataFrame({"radiologists": [0.7, 0.8, 0.9]}, index=["Hernia", "Edema", "Effusion"])
    ax = findings.auroc_intervals(table, published)
    assert "from 0.60 (Edema) to 0.90 (Effusion); the widest interval is that of Hernia, from 0.40 to 0.99" in sentence(
        ax
    )
    drawn = dict(zip([tick.get_text() for tick in ax.get_yticklabels()], ax.lines[1].get_xdata(), strict=True))
    assert drawn == {"Hernia": 0.7, "Edema": 0.8, "Effusion": 0.9}


def test_the_grid_says_where_the_maps_of_present_findings_point():
    heats = np.zeros((1, 2, 3, 3))
    heats[0, 0, 0, 2] = heats[0, 1, 1, 1] = 1
    grid = [pd.DataFrame([row], columns=["Mass", "Edema"], index=["image 1"]) for row in ([0.9, 0.2], [1, 0])]
    said = sentence(findings.activation_grid(np.zeros((1, 32, 32, 1)), heats, *grid, np.zeros((1, 2, 32, 32), bool)))
    assert "image 1 Mass: upper right." in said
    assert "Edema:" not in said


def test_the_positive_predictive_value_follows_bayes():
    assert "is 0.08 at 0.01, 0.59 at 0.14" in sentence(findings.ppv_by_prevalence(0.9, 0.9, (0.01, 0.14)))


def test_calibration_weighs_bins_by_their_images():
    bins = pd.DataFrame({"output": [0.2, 0.8], "frequency": [0.0, 0.4], "count": [30, 10]})
    assert "Nodule: mean output 0.35, share 0.10" in sentence(findings.calibration({"Nodule": bins}))


def test_pointing_compares_means_over_findings_that_have_lesions():
    hits = pd.DataFrame({"trained": [0.9, 0.5, np.nan], "center": [0.1, 0.3, np.nan]}, index=LABELS.columns)
    assert "trained 0.70, center 0.20" in sentence(findings.pointing(hits))


def test_curves_say_what_is_found_at_one_false_alarm_in_ten():
    curve = (np.array([0, 0.1, 1]), np.array([0, 0.6, 1]), np.array([1, 0.5]), np.array([0.2, 0.9]))
    assert "Mass: at a false alarm rate of 0.1 it finds 0.6" in sentence(
        findings.roc_and_precision({"Mass": curve}, {"Mass": 0.2})
    )
