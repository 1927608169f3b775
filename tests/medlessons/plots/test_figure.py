"""A figure is shown with its sentence, whoever drew it."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import seaborn as sns

from medlessons import plots
from medlessons.errors import LessonError
from medlessons.plots import figure as shown
from medlessons.plots.description import describe

COUNTS = pd.DataFrame({"finding": ["Mass", "Edema"], "images": [3, 5]})


@pytest.fixture
def stored(monkeypatch):
    """Return what a notebook would store: the pictures and texts that were displayed."""
    outputs = []
    monkeypatch.setattr(shown, "display", lambda data, metadata, raw: outputs.append((data, metadata)))
    return outputs


def bars():
    ax = plt.subplots()[1]
    ax.bar(COUNTS["finding"], COUNTS["images"])
    ax.set(ylabel="images")
    return ax


def points():
    figure, ax = plt.subplots()
    ax.scatter([1, 2, 3], [2, 4, 8])
    return figure


def line():
    plt.figure()
    return sns.lineplot(x=[1, 2, 3], y=[0.5, 0.25, 0.2])


def grid():
    return sns.displot(COUNTS, x="images", bins=2)


DRAWN = {
    bars: "bars blue vertical 3.00 5.00",
    points: "points blue shape [26] size 36.0 (1.00, 2.00) (2.00, 4.00) (3.00, 8.00)",
    line: "line blue (1.00, 0.500) (2.00, 0.250) (3.00, 0.200)",
    grid: "bars blue vertical 1.00 1.00 at 3.50 4.50",
}


@pytest.mark.parametrize("draw", DRAWN)
def test_a_figure_that_is_drawn_in_the_cell_is_shown_with_its_sentence(draw, stored, capsys):
    plots.show(draw(), "What it shows.")
    plots.show(draw(), "What it shows.")
    (data, metadata), (again, _) = stored
    assert data["image/png"].startswith(b"\x89PNG")
    assert DRAWN[draw] in data["text/plain"]
    assert again["text/plain"] == data["text/plain"]
    assert metadata == {"image/png": {"alt": "What it shows."}}
    assert capsys.readouterr().out == "Figure: What it shows.\n" * 2
    assert not plt.get_fignums()


def test_the_caption_of_a_plot_function_is_shown_unless_another_sentence_is_given(stored, capsys):
    ax = bars()
    assert plots.caption(ax, "Its own.") is ax
    text = describe(ax.figure)
    plots.show(ax)
    plots.show(ax.figure, "Another.")
    assert [metadata["image/png"]["alt"] for _, metadata in stored] == ["Its own.", "Another."]
    assert stored[0][0]["text/plain"] == text
    assert capsys.readouterr().out == "Figure: Its own.\nFigure: Another.\n"


def test_a_figure_without_a_sentence_is_refused():
    with pytest.raises(LessonError, match=r"no caption: call plots\.show"):
        plots.show(bars())


def test_what_is_no_figure_is_refused():
    with pytest.raises(LessonError, match=r"takes what was drawn.*type BarContainer"):
        plots.show(plt.subplots()[1].bar([1], [2]), "Bars.")
