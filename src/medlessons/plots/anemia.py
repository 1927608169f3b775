"""The figures of lesson 1: blood counts, neurons, encodings, and scores."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.figure import BLUE, GREEN, ORANGE, RED, caption


def class_counts(diagnosis: pd.Series) -> Axes:
    """Draw how many rows each diagnosis has, the most frequent on top."""
    counts = diagnosis.value_counts().sort_values()
    ax = plt.subplots(figsize=(7, 3))[1]
    bars = ax.barh(counts.index, counts, color=BLUE)
    ax.bar_label(bars, padding=3)
    ax.set(xlabel="rows")
    caption(
        ax,
        f"{len(counts)} diagnoses; {counts.index[-1]} is the most frequent with {counts.iloc[-1]} rows, "
        f"{counts.index[0]} the rarest with {counts.iloc[0]}.",
    )
    return ax


def scales(features: pd.DataFrame, unit: str) -> Axes:
    """Draw all measurements on one axis: boxes for the middle half, whiskers from the 5th to the 95th percentile.

    Parameters
    ----------
    features : DataFrame, shape (rows, measurements)
        Raw or scaled values.
    unit : str
        What the common axis shows, such as ``"value in its own unit"``.
    """
    ax = plt.subplots(figsize=(8, 3))[1]
    ax.boxplot(
        [features[name] for name in features],
        whis=(5, 95),
        showfliers=False,
        medianprops={"color": RED},
        tick_labels=features.columns,
    )
    ax.set(xlabel="measurement", ylabel=unit)
    ax.tick_params(axis="x", rotation=45)
    widths = features.quantile(0.95) - features.quantile(0.05)
    caption(
        ax,
        f"The range from the 5th to the 95th percentile is widest for {widths.idxmax()} ({widths.max():.2f}) "
        f"and narrowest for {widths.idxmin()} ({widths.min():.2f}).",
    )
    return ax


def by_diagnosis(table: pd.DataFrame, units: Mapping[str, str]) -> Figure:
    """Draw each measurement by diagnosis, in small panels with an axis of their own.

    A dot is the median; the thick line holds the middle half, the thin one the 5th to the 95th percentile.

    Parameters
    ----------
    table : DataFrame
        Measurements and a column ``Diagnosis``.
    units : mapping
        Measurement -> unit, for the axis labels.
    """
    order = list(table["Diagnosis"].value_counts().index)
    columns = 5
    rows = -(-len(units) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(12, 2.6 * rows), sharey=True)
    places = range(len(order))
    quantiles = (
        table.groupby("Diagnosis")[list(units.keys())].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack().loc[order]
    )
    for ax, (name, unit) in zip(axes.flat, units.items(), strict=False):
        column = quantiles[name]
        ax.hlines(places, column[0.05], column[0.95], color=BLUE, linewidth=1)
        ax.hlines(places, column[0.25], column[0.75], color=BLUE, linewidth=5)
        ax.plot(column[0.5], places, "o", color=ORANGE, markersize=4)
        ax.set(title=name, xlabel=unit, yticks=places, yticklabels=order)
    axes.flat[0].invert_yaxis()  # shared: turns all panels
    for ax in axes.flat[len(units) :]:
        ax.set_visible(False)
    medians = table.groupby("Diagnosis")["HGB"].median()
    caption(
        figure,
        f"{len(units)} panels (dot: median; thick line: middle half; thin line: 5th to 95th percentile); "
        f"the median hemoglobin (HGB) is lowest in {medians.idxmin()} ({medians.min():.1f} g/dL) "
        f"and highest in {medians.idxmax()} ({medians.max():.1f} g/dL).",
    )
    return figure


def identity_error(error: pd.Series, tolerance: float = 3, boundary: int = 500) -> Axes:
    """Draw, row by row, how far a value lies from what two others say it must be.

    Parameters
    ----------
    error : Series
        Relative error in percent, one a row of the table.
    tolerance : float
        Errors up to here (percent) count as rounding.
    boundary : int
        The sentence compares the rows before this one with the rest.
    """
    ax = plt.subplots(figsize=(8, 3))[1]
    shown = error.clip(0.1, 100)
    ax.scatter(error.index, shown, s=6, color=BLUE, alpha=0.6)
    ax.axhline(tolerance, color=RED, linewidth=1, label=f"{tolerance:g} %")
    ax.set(xlabel="row of the table", ylabel="error of MCV (%)", yscale="log")
    ax.legend(loc="lower right")
    holds = error <= tolerance
    shares = f"in {holds[:boundary].mean():.0%} of the first {boundary} rows"
    if len(error) > boundary:
        shares += f" and in {holds[boundary:].mean():.0%} of the later ones"
    caption(ax, f"Errors are drawn from 0.1 to 100 %; the identity holds within {tolerance:g} % {shares}.")
    return ax


def activations() -> Figure:
    """Draw ReLU and sigmoid, and their slopes."""
    z = np.linspace(-6, 6, 241)
    sigmoid = 1 / (1 + np.exp(-z))
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharex=True)
    for ax, name, relu, curve in (
        (axes[0], "output", np.maximum(z, 0), sigmoid),
        (axes[1], "slope", (z > 0).astype(float), sigmoid * (1 - sigmoid)),
    ):
        ax.plot(z, relu, color=BLUE, label="ReLU")
        ax.plot(z, curve, color=ORANGE, linestyle="--", label="sigmoid")
        ax.set(xlabel="z = w·x + b", ylabel=name, ylim=(-0.1, 2))
        ax.legend(loc="upper left")
    steepest = (sigmoid * (1 - sigmoid)).max()
    caption(figure, f"The sigmoid is nowhere steeper than {steepest:.2f}; the slope of ReLU is 0 or 1.")
    return figure


def gradient_sizes(sizes: Mapping[str, Sequence[float]]) -> Axes:
    """Draw the size of the gradient in each layer of a deep network, one line an activation (log axis)."""
    ax = plt.subplots(figsize=(6, 3))[1]
    for (name, values), color, style in zip(sizes.items(), (BLUE, ORANGE), ("-", "--"), strict=True):
        ax.plot(np.arange(1, len(values) + 1), values, style, marker="o", color=color, label=name)
    ax.set(xlabel="layer (1 is next to the input)", ylabel="mean size of the gradient", yscale="log")
    ax.legend()
    ratios = ", ".join(f"10^{np.log10(v[0] / v[-1]):.0f} with {name}" for name, v in sizes.items())
    caption(ax, f"The gradient of the first layer, as a multiple of the last layer's: {ratios}.")
    return ax


def nudge(weights: np.ndarray, losses: np.ndarray, here: float, slope: float) -> Axes:
    """Draw the loss as one weight moves, and the tangent that the gradient gives.

    Parameters
    ----------
    weights, losses : arrays, shape (n,)
        Values of the weight and the loss at each.
    here : float
        The weight as it is.
    slope : float
        The gradient of the loss by this weight.
    """
    ax = plt.subplots(figsize=(5, 3))[1]
    loss_here = np.interp(here, weights, losses)
    ax.plot(weights, losses, color=BLUE, label="loss")
    ax.plot(weights, loss_here + slope * (weights - here), "--", color=ORANGE, label="slope from backpropagation")
    ax.plot(here, loss_here, "o", color=RED)
    ax.set(xlabel="one weight of the first layer", ylabel="loss")
    ax.set_ylim(losses.min() - 0.05 * np.ptp(losses), losses.max())
    ax.legend()
    way = "smaller" if slope > 0 else "larger"
    caption(ax, f"At the weight {here:.2f} the slope is {slope:.2f}: a {way} weight lowers the loss.")
    return ax


def losses(curves: Mapping[str, Sequence[float]], xlabel: str = "epoch") -> Axes:
    """Draw one loss curve a name."""
    ax = plt.subplots(figsize=(6, 3))[1]
    for (name, values), style in zip(curves.items(), cycle(("-", "--", ":", "-.")), strict=False):
        ax.plot(np.arange(1, len(values) + 1), values, style, label=name)
    ax.set(xlabel=xlabel, ylabel="training loss")
    ax.legend()
    last = ", ".join(f"{values[-1]:.2f} with {name}" for name, values in curves.items())
    caption(ax, f"The last training loss is {last}.")
    return ax


def encoding(values: np.ndarray, encoded: np.ndarray, name: str) -> Axes:
    """Draw how the inputs that one measurement is turned into depend on its value.

    Parameters
    ----------
    values : array, shape (n,)
        Rising values of the measurement.
    encoded : array, shape (n, inputs)
        Their encoding, each input from 0 to 1.
    name : str
        Label of the horizontal axis.
    """
    ax = plt.subplots(figsize=(8, 1.5 + 0.22 * encoded.shape[1]))[1]
    for number, column in enumerate(encoded.T):
        ax.fill_between(values, number, number + 0.85 * column, color=BLUE if number % 2 else ORANGE, linewidth=0)
    ax.set(xlabel=name, ylabel="input", yticks=np.arange(encoded.shape[1]) + 0.4)
    ax.set_yticklabels(np.arange(1, encoded.shape[1] + 1))
    caption(
        ax,
        f"{name} becomes {encoded.shape[1]} inputs; at {values[0]:.0f} they add up to {encoded[0].sum():.1f}, "
        f"at {values[-1]:.0f} to {encoded[-1].sum():.1f}.",
    )
    return ax


def scores(table: pd.DataFrame) -> Figure:
    """Draw accuracy and macro F1 of each model, one dot a split.

    Parameters
    ----------
    table : DataFrame
        Columns ``model``, ``accuracy`` and ``macro F1``; one row a model and split.
    """
    names = list(dict.fromkeys(table["model"]))
    figure, axes = plt.subplots(1, 2, figsize=(9, 0.7 + 0.42 * len(names)), sharey=True)
    for ax, metric in zip(axes, ("accuracy", "macro F1"), strict=True):
        for position, name in enumerate(names):
            dots = table.loc[table["model"] == name, metric]
            ax.plot(dots, np.full(len(dots), position), "o", color=BLUE, alpha=0.5)
            ax.plot(dots.mean(), position, "|", color=RED, markersize=16, markeredgewidth=2)
        ax.set(xlabel=metric, xlim=(0, 1.02))
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    means = table.groupby("model", sort=False)["macro F1"].mean()
    listed = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items())
    caption(figure, f"Dots are splits, red marks are means. Mean macro F1: {listed}.")
    return figure


def probabilities(predicted: pd.DataFrame) -> Figure:
    """Draw the predicted probabilities of each diagnosis, one panel a blood count.

    Parameters
    ----------
    predicted : DataFrame, shape (blood counts, diagnoses)
        Probabilities from 0 to 1; the index names the blood counts.
    """
    figure, axes = plt.subplots(1, len(predicted), figsize=(4.4 * len(predicted), 3), sharey=True)
    for ax, (name, row) in zip(np.atleast_1d(axes), predicted.iterrows(), strict=True):
        ax.barh(row.index, row, color=[GREEN if value == row.max() else BLUE for value in row])
        ax.set(title=name, xlabel="probability", xlim=(0, 1))
    np.atleast_1d(axes)[0].invert_yaxis()
    parts = "; ".join(f"{name}: {row.idxmax()} ({row.max():.2f})" for name, row in predicted.iterrows())
    caption(figure, f"The most probable diagnosis is, for the count {parts}.")
    return figure


def importance(drop: pd.Series, error: pd.Series) -> Axes:
    """Draw how much the accuracy drops when one measurement is shuffled, with one standard deviation."""
    order = drop.sort_values().index
    ax = plt.subplots(figsize=(6, 3.6))[1]
    ax.barh(order, drop[order], xerr=error[order], color=BLUE, error_kw={"ecolor": RED})
    ax.set(xlabel="accuracy lost when shuffled")
    top = drop.sort_values(ascending=False).index[:3]
    caption(ax, f"The three measurements that the network needs most are {', '.join(top)}.")
    return ax
