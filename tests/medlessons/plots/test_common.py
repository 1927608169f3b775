"""The figures of all lessons: labeled, with a sentence that says what was drawn."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from medlessons import plots
from tests.medlessons.plots.caption import sentence


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"HGB": rng.normal(12, 2, 60), "PLT": rng.normal(250, 60, 60), "Diagnosis": ["well", "ill", "ill"] * 20}
    )


def figures(table):
    features, history = table[["HGB", "PLT"]], {k: [1.0, 0.5] for k in ("loss", "val_loss", "accuracy", "val_accuracy")}
    scores = pd.DataFrame({"model": ["a", "a", "b"], "accuracy": [0.7, 0.8, 0.9], "macro F1": [0.5, 0.6, 0.8]})
    values = np.linspace(0, 1, 5)
    return {
        "learning_curves": plots.learning_curves(history),
        "confusion": plots.confusion(np.array([[8, 2], [1, 3]]), ["well", "ill"]),
        "class_counts": plots.anemia.class_counts(table["Diagnosis"]),
        "scales": plots.anemia.scales(features, "unit"),
        "by_diagnosis": plots.anemia.by_diagnosis(table, {"HGB": "g/dL", "PLT": "10^9/L"}),
        "identity_error": plots.anemia.identity_error(pd.Series(np.r_[np.ones(500), 9 * np.ones(100)])),
        "activations": plots.anemia.activations(),
        "gradient_sizes": plots.anemia.gradient_sizes({"ReLU": [1.0, 1.0], "sigmoid": [0.001, 1.0]}),
        "nudge": plots.anemia.nudge(values, values**2, 0.5, 1.0),
        "losses": plots.losses({"SGD": [2.0, 1.0], "Adam": [2.0, 0.5]}),
        "encoding": plots.anemia.encoding(values, np.eye(5)[:, :2], "HGB"),
        "scores": plots.scores(scores, ["accuracy", "macro F1"]),
        "probabilities": plots.probabilities(pd.DataFrame({"well": [0.9, 0.2], "ill": [0.1, 0.8]}, ["A", "B"])),
        "near_limits": plots.anemia.near_limits(
            {"well": pd.Series([11.0, 14]), "ill": pd.Series([8.0, 9, 12])}, {"women": 11.5}, "HGB (g/dL)"
        ),
        "score_histogram": plots.score_histogram([0.1, 0.7, 0.9, 0.2], ["no", "no", "yes", "yes"], "no", "yes"),
        "importance": plots.anemia.importance(pd.Series({"a": 0.3, "b": 0.1, "c": 0.2}), pd.Series(0.01, list("abc"))),
    }


SENTENCES = {
    "learning_curves": "training loss goes from 1.00 to 0.50, and the validation loss from 1.00 to 0.50; the "
    "validation loss is lowest in epoch 2 (0.50)",
    "confusion": "11 of 14 cases lie on the diagonal: named right; the most frequent confusion is well taken for "
    "ill (2)",
    "class_counts": "60 rows, 2 diagnoses, from many to few: ill 40, well 20",
    "scales": "PLT spans most",
    "by_diagnosis": "2 panels (red: median",
    "identity_error": "in 100% of the first 500 rows and in 0% of the later ones",
    "activations": "nowhere above 0.25",
    "gradient_sizes": "10^0 with ReLU, 10^-3 with sigmoid",
    "nudge": "the slope is 1.00: a smaller weight lowers the loss",
    "losses": "The training loss over the epochs: SGD from 2.00 to 1.00, Adam from 2.00 to 0.50",
    "encoding": "HGB becomes 2 inputs",
    "scores": "a 0.55, b 0.80",
    "probabilities": "A: well (0.90), then ill (0.10); B: ill (0.80), then well (0.20)",
    "near_limits": "below 11.5 (women) lie 1 of 2 rows “well” and 2 of 3 rows “ill”",
    "score_histogram": "1 of 2 no cases score above 0.5, and 1 of 2 yes cases do not",
    "importance": "a (0.30), c (0.20), b (0.10); 0 of the 3 measurements cost less than 0.01",
}


def test_each_figure_is_labelled_and_says_what_it_shows(table, capsys):
    drawn = figures(table)
    assert drawn.keys() == SENTENCES.keys()
    for name, ax in drawn.items():
        figure = ax if isinstance(ax, Figure) else ax.figure
        assert any(axes.get_xlabel() for axes in figure.axes), name
        plots.show(ax)
        assert SENTENCES[name] in capsys.readouterr().out, name


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
