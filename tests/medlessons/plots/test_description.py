"""What was drawn becomes a text that changes when the figure does."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import seaborn as sns

from medlessons.plots.description import describe
from medlessons.plots.palette import BLUE, ORANGE


def picture():
    rows, columns = np.mgrid[:32, :32]
    return np.clip(8 * columns + rows, 0, 255)


def drawn():
    """Return a figure that holds one of everything."""
    rng = np.random.default_rng(0)
    figure, axes = plt.subplots(1, 6, figsize=(18, 3))
    steps = np.arange(1, 41)
    axes[0].plot(steps, np.exp(-steps / 9), color=BLUE, label="training")
    axes[0].plot(steps, 0.2 + np.exp(-steps / 9), "--", color=ORANGE, label="validation")
    axes[0].set(xlabel="epoch", ylabel="loss", title="curves", ylim=(0, 1.5))
    axes[0].legend()
    axes[1].barh(["healthy", "anemia", "leukemia"], [5, 3, 1], color=[BLUE, BLUE, ORANGE], xerr=[1, 0.5, 0.1])
    axes[1].invert_yaxis()
    axes[2].imshow(picture(), vmin=0, vmax=255)
    axes[2].axis("off")
    sns.heatmap(np.eye(3), annot=True, cbar=False, xticklabels=list("abc"), yticklabels=list("abc"), ax=axes[3])
    x = rng.normal(size=300)
    axes[4].scatter(x, x + rng.normal(size=300), s=6, color=BLUE)
    axes[4].set(yscale="symlog")
    axes[5].boxplot([x, x + 1], tick_labels=["before", "after"])
    axes[5].hist(x, bins=30, color=ORANGE, alpha=0.5)
    axes[5].fill_between([0, 1, 2], [1, 2, 3], color=BLUE)
    return figure


def exchange(one, other, name):
    first, second = (getattr(artist, "get_" + name)() for artist in (one, other))
    getattr(one, "set_" + name)(second)
    getattr(other, "set_" + name)(first)


def exchange_points(first, second):
    exchange(first, second, "ydata")


FAULTS = {
    "the names of the axes exchanged": lambda a: a[0].set(xlabel="loss", ylabel="epoch"),
    "a unit forgotten": lambda a: a[0].set(ylabel=""),
    "another title": lambda a: a[0].set(title="curve"),
    "other limits": lambda a: a[0].set(ylim=(0, 1.6)),
    "an axis turned over": lambda a: a[0].invert_yaxis(),
    "a logarithmic axis": lambda a: a[0].set(yscale="log", ylim=(0.01, 1.5)),
    "two lines exchanged": lambda a: exchange_points(*a[0].lines),
    "a line too high": lambda a: a[0].lines[0].set_ydata(a[0].lines[0].get_ydata() + 0.05),
    "a line from 0 instead of 1": lambda a: a[0].lines[0].set_xdata(np.arange(40)),
    "a line cut short": lambda a: a[0].lines[0].set_data(*(v[:-1] for v in a[0].lines[0].get_data())),
    "a line backwards": lambda a: a[0].lines[0].set_ydata(a[0].lines[0].get_ydata()[::-1]),
    "a line missing": lambda a: a[0].lines[1].remove(),
    "two colors exchanged": lambda a: exchange(*a[0].lines, "color"),
    "a dashed line made solid": lambda a: a[0].lines[1].set_linestyle("-"),
    "another marker": lambda a: a[0].lines[0].set_marker("x"),
    "no legend": lambda a: a[0].get_legend().remove(),
    "names in the legend exchanged": lambda a: exchange(*a[0].get_legend().get_texts(), "text"),
    "two names of bars exchanged": lambda a: a[1].set_yticks(range(3), ["anemia", "healthy", "leukemia"]),
    "a bar too long": lambda a: a[1].patches[0].set_width(5.5),
    "two bars exchanged": lambda a: exchange(*a[1].patches[:2], "width"),
    "a bar in another color": lambda a: a[1].patches[2].set_facecolor(BLUE),
    "no error bars": lambda a: a[1].collections[0].remove(),
    "an image mirrored": lambda a: a[2].images[0].set_data(picture()[:, ::-1]),
    "an image on its head": lambda a: a[2].images[0].set_data(picture()[::-1]),
    "an image brighter": lambda a: a[2].images[0].set_data(np.clip(picture() + 3, 0, 255)),
    "an image cropped": lambda a: a[2].images[0].set_data(picture()[2:, 2:]),
    "another gray scale": lambda a: a[2].images[0].set_clim(0, 200),
    "another color map": lambda a: a[2].images[0].set_cmap("jet"),
    "no image": lambda a: a[2].images[0].remove(),
    "fields of a heat map moved": lambda a: a[3].collections[0].set_array(np.eye(3)[::-1]),
    "a number in a heat map changed": lambda a: a[3].texts[0].set_text("2"),
    "a number in a heat map moved": lambda a: a[3].texts[0].set_position((1.5, 0.5)),
    "names of a heat map exchanged": lambda a: a[3].set_xticklabels(list("bac")),
    "points shifted": lambda a: a[4].collections[0].set_offsets(a[4].collections[0].get_offsets() + 0.1),
    "x and y of points exchanged": lambda a: (
        a[4].collections[0].set_offsets(a[4].collections[0].get_offsets()[:, ::-1] * [1, 2])
    ),
    "points shuffled": lambda a: (
        a[4]
        .collections[0]
        .set_offsets(
            np.column_stack([a[4].collections[0].get_offsets()[:, 0], a[4].collections[0].get_offsets()[::-1, 1]])
        )
    ),
    "half of the points": lambda a: a[4].collections[0].set_offsets(a[4].collections[0].get_offsets()[::2]),
    "larger points": lambda a: a[4].collections[0].set_sizes([20]),
    "points in another color": lambda a: a[4].collections[0].set_color(ORANGE),
    "boxes exchanged": lambda a: a[5].set_xticklabels(["after", "before"]),
    "a median moved": lambda a: a[5].lines[-2].set_ydata([1.5, 1.5]),
    "bars of a histogram exchanged": lambda a: exchange(a[5].patches[10], a[5].patches[20], "height"),
    "bars less transparent": lambda a: a[5].patches[0].set_alpha(0.9),
    "an area shifted": lambda a: a[5].collections[0].set_verts([[(0, 0), (1, 2), (2, 5)]]),
    "a panel hidden": lambda a: a[5].set_visible(False),
    "axes switched off": lambda a: a[4].axis("off"),
}


@pytest.fixture(scope="module")
def text():
    return describe(drawn())


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_the_text(name, text):
    figure = drawn()
    FAULTS[name](np.array(figure.axes))
    assert describe(figure) != text


def test_the_same_figure_has_the_same_text_before_and_after_it_was_saved(text, tmp_path):
    figure = drawn()
    figure.savefig(tmp_path / "figure.png")
    assert describe(figure) == text


def test_the_text_is_short_and_rounds_what_another_processor_may_change(text):
    assert len(text.splitlines()) <= 15
    figure = drawn()
    line, image = figure.axes[0].lines[0], figure.axes[2].images[0]
    line.set_ydata(line.get_ydata() + 1e-7)
    image.set_data(picture() + 1e-3)
    assert describe(figure) == text


OWN = {
    "nothing": lambda ax: None,
    "empty": lambda ax: (ax.plot([], []), ax.bar([], []), ax.scatter([], []), ax.hist([])),
    "dates": lambda ax: ax.plot(np.array(["2020-01-01", "2020-03-01"], dtype="datetime64[D]"), [1, 2]),
    "names": lambda ax: (ax.plot(["a", "b"], [1, 2]), ax.bar(["a", "b"], [1, 2])),
    "not a number": lambda ax: (ax.plot([1, 2, 3], [1, np.nan, 3]), ax.imshow([[1, np.nan], [2, 3]])),
    "lines to nowhere": lambda ax: (ax.hlines([0, 1], [0, np.nan], [1, np.nan]), ax.vlines([0], [np.nan], [np.nan])),
    "in color": lambda ax: ax.imshow(np.zeros((8, 8, 3))),
    "contours": lambda ax: ax.contourf(picture()),
    "arrows": lambda ax: (ax.quiver([0, 1], [0, 1], [1, 1], [1, 0]), ax.annotate("here", (0, 0), arrowprops={})),
    "a pie": lambda ax: ax.pie([1, 2], labels=["a", "b"]),
    "violins": lambda ax: ax.violinplot([[1, 2, 3], [2, 3, 4]]),
    "errors": lambda ax: ax.errorbar([1, 2], [1, 2], yerr=[0.1, 0.2]),
    "colored points": lambda ax: ax.figure.colorbar(ax.scatter([1, 2], [1, 2], c=[0.1, 0.9])),
    "two axes": lambda ax: ax.twinx().semilogy([1, 2], [1, 100]),
    "steps": lambda ax: (ax.stairs([1, 2]), ax.table([["1"]]), ax.axvspan(0, 1), ax.stem([1, 2])),
}


@pytest.mark.parametrize("name", OWN)
def test_a_figure_that_a_student_draws_is_described(name):
    ax = plt.subplots()[1]
    OWN[name](ax)
    assert describe(ax.figure).startswith("Figure 6.4 x 4.8")


@pytest.mark.parametrize("projection", ["polar", "3d"])
def test_other_axes_are_described(projection):
    ax = plt.subplots(subplot_kw={"projection": projection})[1]
    ax.plot([1, 2], [1, 2])
    assert "(1.00, 1.00) (2.00, 2.00)" in describe(ax.figure)


def test_what_is_written():
    ax = plt.subplots(figsize=(4, 3))[1]
    ax.plot([1, 2, 3], [0.5, 0.25, 0.125], color=BLUE, label="loss")
    ax.axvline(2, color="black", linestyle=":")
    ax.set(xlabel="epoch", xlim=(1, 3), ylim=(0, 1))
    ax.legend()
    assert describe(ax.figure).splitlines() == [
        "Figure 4.0 x 3.0, panels: 1",
        "1: x 'epoch' 1.00 to 3.00 y 0.00 to 1.00",
        "   line 'loss' blue (1.00, 0.50) (2.00, 0.25) (3.00, 0.12)",
        "   line black : (2.00, 0.00) (2.00, 1.00)",
        "   legend blue 'loss'",
    ]
