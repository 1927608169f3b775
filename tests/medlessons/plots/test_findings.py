"""The figures of lesson 3 say in a sentence what they show."""

import numpy as np
import pandas as pd

from medlessons.plots import findings
from tests.medlessons.plots.caption import sentence

NAMES = ["Effusion", "Edema", "Hernia"]


def test_readings_say_the_first_answer_and_where_the_network_looked():
    heat = np.zeros((1, 6, 6))
    heat[0, 5, 0] = 1
    said = pd.DataFrame([[0.2, 0.9, 0.1]], columns=NAMES, index=["film 1"])
    assert "6 x 6 cells. Bottom: the outputs. film 1: Edema (0.9), strongest: row 6, column 1." in sentence(
        findings.readings(np.zeros((1, 32, 32, 1)), heat, said)
    )


def test_a_map_that_is_zero_everywhere_can_be_drawn():
    said = pd.DataFrame([[0.2, 0.9, 0.1]], columns=NAMES, index=["film 1"])
    with np.errstate(all="raise"):
        findings.readings(np.zeros((1, 32, 32, 1)), np.zeros((1, 4, 4)), said).canvas.draw()


def test_intervals_name_the_best_the_worst_and_the_widest():
    table = pd.DataFrame({"AUROC": [0.9, 0.6, 0.8], "low": [0.88, 0.5, 0.4], "high": [0.92, 0.7, 0.99]}, index=NAMES)
    published = pd.DataFrame({"radiologists": [0.7, 0.8, 0.9]}, index=["Hernia", "Edema", "Effusion"])
    ax = findings.auroc_intervals(table, published)
    assert "from 0.60 (Edema) to 0.90 (Effusion); the widest interval is that of Hernia, from 0.40 to 0.99" in sentence(
        ax
    )
    drawn = dict(zip([tick.get_text() for tick in ax.get_yticklabels()], ax.lines[1].get_xdata(), strict=True))
    assert drawn == {"Hernia": 0.7, "Edema": 0.8, "Effusion": 0.9}


def test_pointing_compares_means_over_findings_that_have_lesions():
    hits = pd.DataFrame({"trained": [0.9, 0.5, np.nan], "center": [0.1, 0.3, np.nan]}, index=NAMES)
    assert "trained 0.70, center 0.20" in sentence(findings.pointing(hits))


def test_lesions_say_where_the_maps_are_strongest():
    heats, outline = np.zeros((1, 3, 3)), np.zeros((32, 32), bool)
    heats[0, 0, 2], outline[2:9, 20:30] = 1, True
    said = sentence(findings.lesions(np.zeros((1, 32, 32, 1)), heats, ["Mass, output 0.90"], [outline]))
    assert "strongest cells: Mass, output 0.90: row 1, column 3." in said
