"""The figures of several lessons draw what they should, and their sentences say what was drawn."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from medlessons import plots
from medlessons.plots.common import place, place_of
from medlessons.plots.palette import BLUE, GREEN
from tests.medlessons.plots.caption import sentence


def test_learning_curves_tell_ends_and_the_best_epoch():
    history = {"loss": [1.0, 0.7, 0.5], "val_loss": [1.2, 0.8, 0.9], "accuracy": [0.4, 0.5, 0.6]}
    figure = plots.learning_curves(history | {"val_accuracy": [0.3, 0.5, 0.55]})
    assert [ax.get_ylabel() for ax in figure.axes] == ["loss", "accuracy"]
    for ax, train in zip(figure.axes, ("loss", "accuracy"), strict=True):
        assert ax.get_xlabel() == "epoch"
        assert ax.lines[0].get_xdata().tolist() == [1, 2, 3] and ax.lines[0].get_ydata().tolist() == history[train]
    assert sentence(figure) == (
        "Over 3 epochs the training loss goes from 1.00 to 0.50, and the validation loss from 1.20 to 0.90; the "
        "validation loss is lowest in epoch 2 (0.80). The last validation accuracy is 0.55."
    )


def test_losses_tell_where_each_curve_begins_and_ends():
    curves = {"SGD": [2.0, 1.5, 1.0], "Adam": [2.0, 1.0, 0.5]}
    ax = plots.losses(curves)
    assert [line.get_ydata().tolist() for line in ax.lines] == list(curves.values())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "training loss")
    assert sentence(ax) == "The training loss over the epochs: SGD from 2.00 to 1.00, Adam from 2.00 to 0.50."
    assert sentence(plots.losses(curves, ylabel="loss")).startswith("The loss over the epochs")


def test_confusion_shades_shares_of_rows_and_writes_counts():
    ax = plots.confusion(np.array([[8, 2], [0, 0]]), ["well", "ill"])
    assert ax.collections[0].get_array().ravel().tolist() == [0.8, 0.2, 0, 0]
    assert [text.get_text() for text in ax.texts] == ["8", "2", "", ""]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
    assert sentence(ax) == (
        "8 of 10 cases lie on the diagonal: named right; the most frequent confusion is well taken for ill (2). The "
        "darker a field, the larger its share of its row."
    )
    assert "named right. The darker" in sentence(plots.confusion(np.eye(2, dtype=int), ["well", "ill"]))


def test_scores_mark_the_means_of_each_model():
    table = pd.DataFrame({"model": ["b", "b", "a"], "accuracy": [0.7, 0.8, 0.9], "macro F1": [0.5, 0.6, 0.8]})
    figure = plots.scores(table, ["accuracy", "macro F1"])
    assert [ax.get_xlabel() for ax in figure.axes] == ["accuracy", "macro F1"]
    assert [ax.lines[-1].get_xdata().tolist() for ax in figure.axes] == [[0.75, 0.9], [0.55, 0.8]]
    assert sentence(figure) == "Dots are splits, red marks are means. Mean macro F1: b 0.55, a 0.80."


def test_probabilities_name_the_two_most_probable_classes():
    figure = plots.probabilities(pd.DataFrame({"well": [0.7, 0.2], "ill": [0.1, 0.5], "odd": [0.2, 0.3]}, ["A", "B"]))
    assert [to_hex(patch.get_facecolor()).upper() for patch in figure.axes[0].patches] == [GREEN, BLUE, BLUE]
    assert sentence(figure) == (
        "The most probable answers. A: well (0.70), then odd (0.20); B: ill (0.50), then odd (0.30)."
    )


def test_confusion_names_no_single_pair_where_several_are_as_frequent():
    drawn = plots.confusion(np.array([[8, 2], [2, 3]]), ["well", "ill"])
    assert "one of the most frequent confusions is well taken for ill (2)" in sentence(drawn)


def test_radiographs_says_how_one_comes_from_the_other():
    rows, columns = np.mgrid[:40, :40]
    first = np.clip(4 * columns + rows, 0, 255)
    marked = first.copy()
    marked[:4, :4] = 255
    figure = plots.radiographs(
        {
            "as taken": first,
            "mirrored": first[:, ::-1],
            "hung wrong": first[::-1, ::-1],
            "turned": np.rot90(first)[..., None],
            "negative": 255 - first,
            "marked": marked,
            "bright": first + 20,
            "other": rows[::-1] * 6,
        }
    )
    assert [ax.get_title() for ax in figure.axes][:2] == ["as taken", "mirrored"]
    assert sentence(figure).endswith(
        "Compared with “as taken”, “mirrored” is its mirror image; “hung wrong” stands on its head; “turned” is turned "
        "by a quarter to the left; “negative” has dark and bright exchanged; “marked” differs only in the upper left; "
        "“bright” is brighter everywhere."
    )


def test_predictions_names_the_wrong_ones():
    figure = plots.predictions(np.zeros((3, 8, 8, 1)), ["frontal", "lateral", "lateral"], ["frontal"] * 3)
    assert "1 right, 2 wrong: number 2, lateral taken for frontal; number 3, lateral" in sentence(figure)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["frontal (frontal)", "✗ frontal (lateral)", "✗ frontal (lateral)"]


def test_a_small_change_of_all_pixels_is_no_change_in_one_place():
    first = np.full((30, 30), 100.0)
    assert "“b” is brighter everywhere" in sentence(plots.radiographs({"a": first, "b": first + 5}))
    assert "“b” is darker everywhere" in sentence(plots.radiographs({"a": first, "b": first - 5}))


def test_places_are_named_as_the_reader_sees_the_picture():
    assert [place(0, 0), place(1, 1), place(0.5, 0.5), place(0.5, 0.9), place(0.1, 0.5)] == [
        "upper left",
        "lower right",
        "middle",
        "middle right",
        "upper middle",
    ]
    heat = np.zeros((3, 6))
    heat[1, 3] = 1
    assert place_of(heat) == "row 2, column 4"
    assert place_of(0 * heat) == "nowhere"
