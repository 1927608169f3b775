"""The figures of lesson 1 draw what they should, and their sentences say what was drawn."""

import numpy as np
import pandas as pd
import pytest

from medlessons.plots import anemia
from tests.medlessons.plots.caption import sentence


@pytest.fixture
def table():
    """Return 101 blood counts: HGB from 10 to 11, PLT from 100 to 200."""
    steps = np.linspace(0, 1, 101)
    return pd.DataFrame({"HGB": 10 + steps, "PLT": 100 + 100 * steps, "Diagnosis": ["ill"] * 60 + ["well"] * 41})


def texts(labels):
    return [label.get_text() for label in labels]


def test_scales_compare_the_ranges_from_the_5th_to_the_95th_percentile(table):
    ax = anemia.scales(table[["HGB", "PLT"]].assign(RBC=table["HGB"] / 2), "unit")
    assert ax.get_ylabel() == "unit"
    low, high = (line.get_ydata() for line in ax.lines[:2])  # the whiskers of the first box
    assert (min(low), max(high)) == pytest.approx((10.05, 10.95))
    assert sentence(ax) == (
        "From the 5th to 95th percentile, PLT spans most (90.00) and RBC least (0.45); 2 of the 3 measurements span "
        "less than a tenth of PLT."
    )


def test_by_diagnosis_has_a_panel_per_measurement_and_names_the_extreme_medians(table):
    figure = anemia.by_diagnosis(table, {"HGB": "g/dL", "PLT": "10^9/L"})
    drawn = [ax for ax in figure.axes if ax.get_visible()]
    assert [(ax.get_title(), ax.get_xlabel()) for ax in drawn] == [("HGB", "g/dL"), ("PLT", "10^9/L")]
    assert texts(drawn[0].get_yticklabels()) == ["ill", "well"]
    assert sentence(figure) == (
        "2 panels (red: median; box: middle half; whiskers: 5th to 95th percentile). Medians: HGB is lowest in ill "
        "(10.3 g/dL) and highest in well (10.8); PLT is lowest in ill (129.5 10^9/L) and highest in well (180.0)."
    )


def test_many_measurements_fill_several_rows():
    table = pd.DataFrame(np.eye(6), columns=list("abcdef")).assign(Diagnosis="ill")
    assert [ax.get_visible() for ax in anemia.by_diagnosis(table, dict.fromkeys("abcdef", "")).axes] == (
        [True] * 6 + [False] * 4
    )


def test_the_error_of_an_identity_is_compared_before_and_after_row_500():
    error = pd.Series([3.0] * 250 + [0.01] * 250 + [200.0] * 75 + [1.0] * 25)
    ax = anemia.identity_error(error)
    drawn = ax.collections[0].get_offsets()[:, 1]
    assert (drawn.min(), drawn.max(), ax.get_yscale()) == (0.1, 100, "log")
    assert sentence(ax).endswith("holds within 3 % in 100% of the first 500 rows and in 25% of the later ones.")
    assert sentence(anemia.identity_error(error[:500])).endswith("in 100% of the first 500 rows.")


def test_encoding_draws_a_strip_per_input():
    ax = anemia.encoding(np.array([6.0, 12, 18]), np.array([[0.5, 0], [1, 0], [1, 0.75]]), "HGB (g/dL)")
    assert texts(ax.get_yticklabels()) == ["1", "2"] and ax.get_yticks().tolist() == [0.4, 1.4]
    heights = [(c.get_paths()[0].vertices[:, 1].min(), c.get_paths()[0].vertices[:, 1].max()) for c in ax.collections]
    assert np.allclose(heights, [(0, 0.85), (1, 1 + 0.85 * 0.75)])
    assert sentence(ax) == (
        "HGB (g/dL) becomes 2 inputs, which fill up one after the other. At 6 the first one has already reached 0.5, "
        "since its bin begins at the lowest value of the training rows; at 18 all of them together have reached 1.8."
    )


def test_near_limits_counts_the_rows_below_each_limit():
    groups = {"ill": pd.Series([8.0, 9, 11.5]), "well": pd.Series([11.0, 14])}
    ax = anemia.near_limits(groups, {"women": 11.5, "men": 13}, "HGB (g/dL)")
    assert [line.get_xdata()[0] for line in ax.lines] == [11.5, 13]
    assert sum(patch.get_height() for patch in ax.patches) == 5
    assert sentence(ax) == (
        "In the figure, below 11.5 (women) lie 2 of 3 rows “ill” and 1 of 2 rows “well”; below 13 (men) lie 3 of 3 "
        "rows “ill” and 1 of 2 rows “well”. The outermost bars hold all that lies beyond."
    )
