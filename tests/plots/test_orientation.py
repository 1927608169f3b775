"""The sentences under the figures of lesson 2 say what was drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from medlessons.plots import orientation


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def sentence(drawn):
    return getattr(drawn, "figure", drawn)._medlessons_caption


def test_filtered():
    ramp = np.arange(64.0).reshape(8, 8)
    figure = orientation.filtered(ramp, {"edges": ramp - 32})
    assert sentence(figure) == "The radiograph has gray levels from 0 to 63; edges from -32 to 31."
    low, high = figure.axes[1].images[0].get_clim()
    assert low == -high


def test_feature_maps():
    maps = np.zeros((4, 4, 3))
    maps[..., 2] = 5
    drawn = orientation.feature_maps(maps, np.ones((2, 2, 1, 3)))
    assert "3 kernels of 2 x 2" in sentence(drawn) and "2 stay silent, number 3 answers most" in sentence(drawn)


def test_faults():
    before = pd.Series({"upside down": 0.1, "brighter": 0.9})
    after = pd.Series({"brighter": 0.95, "upside down": 0.97})
    says = sentence(orientation.faults(before, after, chance=0.9))
    assert "lowest accuracy is 0.10 (upside down); after, it is 0.95 (brighter)" in says
    assert says.endswith("Always answering frontal gives 0.90.")
