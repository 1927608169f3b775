"""The figures of lesson 2 draw what they should, and their sentences say what was drawn."""

import numpy as np
import pandas as pd
import pytest

from medlessons.plots import orientation
from tests.medlessons.plots.caption import sentence


def test_annotated_points_where_the_notes_say():
    image = np.zeros((100, 200))
    figure = orientation.annotated({"a": image, "b": image.T}, {"a": {"heart": (0.75, 0.5)}, "b": {"arm": (0.1, 0.1)}})
    (point,) = figure.axes[0].lines
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (150, 50)
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["heart", "arm"]
    assert sentence(figure) == "The same body in 2 views. a: heart (middle right); b: arm (upper left)."


def test_filtered_says_where_edges_answer_and_how_smooth_a_blur_is():
    image = np.zeros((30, 30))
    image[:, 25:] = 100
    edges = np.zeros((30, 30))
    edges[:, 24], edges[0, 0] = 100, -1
    figure = orientation.filtered(image, {"edges": edges, "blur": image / 2})
    assert "edges answers with both signs, most in the" in sentence(figure)
    assert "the right columns" in sentence(figure)
    assert "blur: neighboring pixels differ by 1.7 instead of 3.4 gray levels" in sentence(figure)
    low, high = figure.axes[1].images[0].get_clim()
    assert low == -high
    assert figure.axes[2].images[0].get_clim()[0] == 0


def test_feature_maps_sort_the_kernels_by_the_signs_of_their_weights():
    maps = np.zeros((4, 4, 3))
    maps[..., 2] = 5
    kernels = np.stack([np.ones((2, 2)), -np.ones((2, 2)), [[1, -1], [1, 1]]], axis=-1)[:, :, None]
    figure = orientation.feature_maps(maps, kernels)
    assert "Only positive weights: 1; only negative: 2; both: 3. No answer anywhere: 1, 2." in sentence(figure)
    assert "The strongest mean answer comes from number 3." in sentence(figure)
    assert len(figure.axes) == 6


def test_roc_draws_the_curve_and_marks_the_points():
    truth, score = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    ax = orientation.roc(truth, score, {"one half": (0.5, 1.0)})
    curve, _, point = ax.lines
    assert np.trapezoid(curve.get_ydata(), curve.get_xdata()) == pytest.approx(0.75)
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (0.0, 0.5)
    assert "one half (finds 0.5, false alarms 0.0)" in sentence(ax)
    assert "10%, 20%, 50% false alarms the network finds 0.5, 0.5, 1.0" in sentence(ax)


def test_faults_have_a_panel_a_rate_and_two_points_a_row():
    before = pd.DataFrame({"sensitivity": [1.0, 0.0], "specificity": [1.0, 0.4]}, index=["as it is", "inverted"])
    after = pd.DataFrame({"sensitivity": [0.9, 0.8], "specificity": [1.0, 1.0]}, index=["as it is", "inverted"])
    figure = orientation.faults(before, after)
    assert [ax.get_xlabel() for ax in figure.axes] == ["sensitivity", "specificity"]
    _, old, new = figure.axes[0].collections
    assert old.get_offsets()[:, 0].tolist() == [1.0, 0.0] and new.get_offsets()[:, 0].tolist() == [0.9, 0.8]
    assert sentence(figure) == (
        "One row per fault, circles before and diamonds after. "
        "Sensitivity rises most for “inverted” (0.0 to 0.8) and falls most for “as it is” (1.0 to 0.9); below one half "
        "after: none. Specificity rises most for “inverted” (0.4 to 1.0); below one half after: none."
    )
    same = orientation.faults(before, before)
    assert "Sensitivity does not change; below one half after: inverted." in sentence(same)
