"""The figures: labelled, with a sentence that says what was drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from medlessons import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


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
        "losses": plots.anemia.losses({"SGD": [2.0, 1.0], "Adam": [2.0, 0.5]}),
        "encoding": plots.anemia.encoding(values, np.eye(5)[:, :2], "HGB"),
        "scores": plots.anemia.scores(scores),
        "probabilities": plots.anemia.probabilities(pd.DataFrame({"well": [0.9, 0.2], "ill": [0.1, 0.8]}, ["A", "B"])),
        "importance": plots.anemia.importance(pd.Series({"a": 0.3, "b": 0.1, "c": 0.2}), pd.Series(0.01, list("abc"))),
    }


SENTENCES = {
    "learning_curves": "training loss goes from 1.00 to 0.50",
    "confusion": "11 of 14 cases are on the diagonal, which means right; the most frequent confusion is well taken "
    "for ill (2)",
    "class_counts": "ill is the most frequent with 40 rows, well the rarest with 20",
    "scales": "widest for PLT",
    "by_diagnosis": "2 panels (dot: median",
    "identity_error": "in 100% of the first 500 rows and in 0% of the later ones",
    "activations": "nowhere steeper than 0.25",
    "gradient_sizes": "10^0 with ReLU, 10^-3 with sigmoid",
    "nudge": "the slope is 1.00: a smaller weight lowers the loss",
    "losses": "1.00 with SGD, 0.50 with Adam",
    "encoding": "HGB becomes 2 inputs",
    "scores": "a 0.55, b 0.80",
    "probabilities": "A: well (0.90); B: ill (0.80)",
    "importance": "a, c, b",
}


def test_each_figure_is_labelled_and_says_what_it_shows(table, capsys):
    drawn = figures(table)
    assert drawn.keys() == SENTENCES.keys()
    for name, ax in drawn.items():
        figure = ax if isinstance(ax, Figure) else ax.figure
        assert any(axes.get_xlabel() for axes in figure.axes), name
        plots.show(ax)
        assert SENTENCES[name] in capsys.readouterr().out, name


def test_the_sentence_is_the_alternative_text(table, monkeypatch):
    shown = {}
    monkeypatch.setattr("medlessons.plots.figure.display", lambda data, metadata, raw: shown.update(metadata))
    plots.show(plots.anemia.class_counts(table["Diagnosis"]))
    assert shown["image/png"]["alt"].startswith("2 diagnoses")


def test_a_figure_without_a_sentence_is_refused():
    with pytest.raises(ValueError, match="no caption"):
        plots.show(plt.subplots()[1])
    plots.show(plt.subplots()[1], "An empty figure.")
