"""The figures of lesson 2 draw what they should, and their sentences say what was drawn."""

import numpy as np

from medlessons.plots import orientation
from tests.medlessons.plots.caption import sentence


def test_annotated_points_where_the_notes_say():
    image = np.zeros((100, 200))
    figure = orientation.annotated({"a": image, "b": image.T}, {"a": {"heart": (0.75, 0.5)}, "b": {"arm": (0.1, 0.1)}})
    (point,) = figure.axes[0].lines
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (150, 50)
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["heart", "arm"]
    assert sentence(figure) == "The same body in 2 views. a: heart (middle right); b: arm (upper left)."


def test_feature_maps_sort_the_kernels_by_the_signs_of_their_weights():
    maps = np.zeros((4, 4, 3))
    maps[..., 2] = 5
    kernels = np.stack([np.ones((2, 2)), -np.ones((2, 2)), [[1, -1], [1, 1]]], axis=-1)[:, :, None]
    figure = orientation.feature_maps(maps, kernels)
    assert "Only positive weights: 1; only negative: 2; both: 3. No answer anywhere: 1, 2." in sentence(figure)
    assert "The strongest mean answer comes from number 3." in sentence(figure)
    assert len(figure.axes) == 6
