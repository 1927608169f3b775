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


def test_class_counts_puts_the_most_frequent_on_top(table):
    ax = anemia.class_counts(table["Diagnosis"])
    assert texts(ax.get_yticklabels()) == ["ill", "well"]
    assert [patch.get_width() for patch in ax.patches] == [60, 41]
    assert texts(ax.texts) == ["60", "41"]
    assert sentence(ax) == "101 rows, 2 diagnoses, from many to few: ill 60, well 41."


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


def test_activations_and_their_slopes():
    figure = anemia.activations()
    (relu, sigmoid), (step, hill) = ([line.get_ydata() for line in ax.lines] for ax in figure.axes)
    z = figure.axes[0].lines[0].get_xdata()
    assert np.array_equal(relu, np.where(z < 0, 0, z))
    assert np.array_equal(step, np.where(z > 0, 1, 0))
    assert np.allclose(hill, np.gradient(sigmoid, z), atol=1e-3)
    assert np.allclose(sigmoid + sigmoid[::-1], 1) and sigmoid[-1] > 0.99
    assert "nowhere above 0.25" in sentence(figure)


def test_gradient_sizes_are_compared_from_the_first_to_the_last_layer():
    ax = anemia.gradient_sizes({"ReLU": [0.1, 0.1], "sigmoid": [0.0001, 0.1, 0.1]})
    assert [line.get_xdata().tolist() for line in ax.lines] == [[1, 2], [1, 2, 3]]
    assert ax.get_yscale() == "log"
    assert sentence(ax).endswith("as a multiple of the last layer's: 10^0 with ReLU, 10^-3 with sigmoid.")


@pytest.mark.parametrize(("slope", "way"), [(1.0, "smaller"), (-1.0, "larger")])
def test_nudge_draws_the_tangent_through_the_weight_as_it_is(slope, way):
    weights = np.linspace(0, 1, 5)
    ax = anemia.nudge(weights, (weights - 0.25) ** 2, 0.5, slope)
    _, tangent, here = ax.lines
    assert np.allclose(tangent.get_ydata(), 0.0625 + slope * (weights - 0.5))
    assert (*here.get_xdata(), *here.get_ydata()) == (0.5, 0.0625)
    assert ax.get_ylim() == pytest.approx((-0.05 * 0.5625, 0.5625))
    assert sentence(ax) == (
        f"At the weight 0.50 the slope is {slope:.2f}: a {way} weight lowers the loss. Of the weights tried, 0.25 has "
        "the lowest loss."
    )


def test_encoding_draws_a_strip_per_input():
    ax = anemia.encoding(np.array([6.0, 12, 18]), np.array([[0.5, 0], [1, 0], [1, 0.75]]), "HGB (g/dL)")
    assert texts(ax.get_yticklabels()) == ["1", "2"] and ax.get_yticks().tolist() == [0.4, 1.4]
    heights = [(c.get_paths()[0].vertices[:, 1].min(), c.get_paths()[0].vertices[:, 1].max()) for c in ax.collections]
    assert np.allclose(heights, [(0, 0.85), (1, 1 + 0.85 * 0.75)])
    assert sentence(ax) == (
        "HGB (g/dL) becomes 2 inputs, which fill up one after the other. At 6 the first one has already reached 0.5, "
        "since its bin begins at the lowest value of the table; at 18 all of them together have reached 1.8."
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


def test_importance_sorts_the_measurements_with_their_deviations():
    drop = pd.Series({"a": 0.3, "b": 0.01, "c": 0.2, "d": 0.009})
    ax = anemia.importance(drop, pd.Series({"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.04}))
    assert texts(ax.get_yticklabels()) == ["a", "c", "b", "d"] and ax.yaxis_inverted()
    assert [patch.get_width() for patch in ax.patches] == [0.3, 0.2, 0.01, 0.009]
    ends = [segment[:, 0] for segment in ax.collections[0].get_segments()]
    assert np.allclose(np.ptp(ends, axis=1), [0.02, 0.06, 0.04, 0.08])
    assert sentence(ax) == (
        "Shuffling costs most for a (0.30), c (0.20), b (0.01); 1 of the 4 measurements cost less than 0.01."
    )
