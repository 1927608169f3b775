"""The figures of lesson 4 draw what they should, and their sentences say what was drawn."""

import numpy as np
import pandas as pd

from medlessons.plots import covid
from tests.medlessons.plots.caption import sentence


def test_intervals_draws_the_first_row_on_top_with_its_ends():
    table = pd.DataFrame({"value": [0.9, 0.5], "low": [0.8, 0.4], "high": [0.95, 0.6]}, index=["one", "two"])
    ax = covid.intervals(table, guess=0.3)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "two"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    (ends,) = ax.collections
    assert np.allclose([segment[:, 0] for segment in ends.get_segments()], [[0.8, 0.95], [0.4, 0.6]])
    assert sentence(ax) == (
        "Accuracy, with 95 % intervals: one 0.90 (0.80 to 0.95); two 0.50 (0.40 to 0.60); the dashed line is always "
        "the most frequent label, 0.30."
    )


def test_maps_by_backbone_says_where_each_map_is_strongest():
    images, lung = np.zeros((2, 30, 30, 1)), np.zeros((30, 30), bool)
    lung[10:20, 10:20] = True
    heat = np.zeros((2, 3, 3))
    heat[0, 0, 0] = heat[1, 2, 2] = 1
    figure = covid.maps_by_backbone(images, {"net": heat, "other": heat[::-1]}, [lung, lung], ["ill", "well"])
    assert len(figure.axes) == 6
    assert (
        "ill: net row 1, column 1, other row 3, column 3; well: net row 3, column 3, other row 1, column 1."
        in sentence(figure)
    )
