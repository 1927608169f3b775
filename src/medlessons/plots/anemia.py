"""The figures of lesson 1: blood counts, neurons, and encodings."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.figure import caption
from medlessons.plots.palette import BLACK, BLUE, GREEN, ORANGE, RED, SKY
from medlessons.wording import say

TELLING = ("HGB", "MCV", "PLT", "WBC")  # what the sentence under the small panels speaks of


def class_counts(diagnosis: pd.Series) -> Axes:
    """Draw how many rows each diagnosis has, the most frequent on top."""
    counts = diagnosis.value_counts()
    ax = plt.subplots(figsize=(7, 3))[1]
    sns.barplot(x=counts.to_numpy(), y=counts.index, color=BLUE, saturation=1, errorbar=None, ax=ax)
    ax.bar_label(ax.containers[0], padding=3)
    ax.set(xlabel="rows", ylabel="")
    listed = ", ".join(say("{name} {count}", name=name, count=count) for name, count in counts.items())
    caption(
        ax,
        say(
            "{all} rows, {names} diagnoses, from many to few: {listed}.",
            all=counts.sum(),
            names=len(counts),
            listed=listed,
        ),
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
    sns.boxplot(features, whis=(5, 95), showfliers=False, color=SKY, medianprops={"color": RED}, ax=ax)
    ax.set(xlabel="measurement", ylabel=unit)
    ax.tick_params(axis="x", rotation=45)
    widths = features.quantile(0.95) - features.quantile(0.05)
    caption(
        ax,
        say(
            "From the 5th to 95th percentile, {widest} spans most ({most:.2f}) and {narrowest} least ({least:.2f}); "
            "{small} of the {all} measurements span less than a tenth of {widest}.",
            widest=widths.idxmax(),
            most=widths.max(),
            narrowest=widths.idxmin(),
            least=widths.min(),
            small=(widths < widths.max() / 10).sum(),
            all=len(widths),
        ),
    )
    return ax


def by_diagnosis(table: pd.DataFrame, units: Mapping[str, str]) -> Figure:
    """Draw each measurement by diagnosis, in small panels with an axis of their own.

    The line in a box is the median; the box holds the middle half, the whiskers reach from the 5th to the 95th
    percentile.

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
    for ax, (name, unit) in zip(axes.flat, units.items(), strict=False):
        sns.boxplot(
            table,
            x=name,
            y="Diagnosis",
            order=order,
            whis=(5, 95),
            showfliers=False,
            color=SKY,
            linewidth=0.8,
            medianprops={"color": RED, "linewidth": 2},
            ax=ax,
        )
        ax.set(title=name, xlabel=unit, ylabel="")
    for ax in axes.flat[len(units) :]:
        ax.set_visible(False)
    medians = table.groupby("Diagnosis")[[name for name in TELLING if name in units]].median()
    parts = [
        say(
            "{name} is lowest in {low} ({lowest:.1f} {unit}) and highest in {high} ({highest:.1f})",
            name=name,
            low=column.idxmin(),
            lowest=column.min(),
            unit=units[name],
            high=column.idxmax(),
            highest=column.max(),
        )
        for name, column in medians.items()
    ]
    caption(
        figure,
        say(
            "{count} panels (red: median; box: middle half; whiskers: 5th to 95th percentile). Medians: {parts}.",
            count=len(units),
            parts="; ".join(parts),
        ),
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
    ax.scatter(error.index, error.clip(0.1, 100), s=6, color=BLUE, alpha=0.6)
    ax.axhline(tolerance, color=RED, linewidth=1, label=say("{tolerance:g} %", tolerance=tolerance))
    ax.set(xlabel="row of the table", ylabel="error of MCV (%)", yscale="log")
    ax.legend(loc="lower right")
    holds = error <= tolerance
    shares = say("in {share:.0%} of the first {boundary} rows", share=holds[:boundary].mean(), boundary=boundary)
    if len(error) > boundary:
        shares += say(" and in {share:.0%} of the later ones", share=holds[boundary:].mean())
    caption(
        ax,
        say(
            "Errors are drawn from 0.1 to 100 %; the identity holds within {tolerance:g} % {shares}.",
            tolerance=tolerance,
            shares=shares,
        ),
    )
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
    caption(
        figure,
        say(
            "Left: ReLU is 0 below z = 0 and rises as z above it; the sigmoid climbs from 0 to 1 in an S. Right: the "
            "slope of ReLU is 0, then 1; the slope of the sigmoid is a low hill, nowhere above {steepest:.2f}.",
            steepest=(sigmoid * (1 - sigmoid)).max(),
        ),
    )
    return figure


def gradient_sizes(sizes: Mapping[str, Sequence[float]]) -> Axes:
    """Draw the size of the gradient in each layer of a deep network, one line an activation (log axis)."""
    ax = plt.subplots(figsize=(6, 3))[1]
    for (name, values), color, style in zip(sizes.items(), (BLUE, ORANGE), ("-", "--"), strict=True):
        ax.plot(np.arange(1, len(values) + 1), values, style, marker="o", color=color, label=name)
    ax.set(xlabel="layer (1 is next to the input)", ylabel="mean size of the gradient", yscale="log")
    ax.legend()
    ratios = ", ".join(
        say("10^{power:.0f} with {name}", power=np.log10(values[0] / values[-1]), name=name)
        for name, values in sizes.items()
    )
    caption(ax, say("The gradient of the first layer, as a multiple of the last layer's: {ratios}.", ratios=ratios))
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
    ax.plot(here, loss_here, "o", color=RED, label="the weight as it is")
    ax.set(xlabel="one weight of the first layer", ylabel="loss")
    ax.set_ylim(losses.min() - 0.05 * np.ptp(losses), losses.max())
    ax.legend()
    caption(
        ax,
        say(
            "At the weight {here:.2f} the slope is {slope:.2f}: a {way} weight lowers the loss. Of the weights tried, "
            "{best:.2f} has the lowest loss.",
            here=here,
            slope=slope,
            way="smaller" if slope > 0 else "larger",
            best=weights[np.argmin(losses)],
        ),
    )
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
        say(
            "{name} becomes {inputs} inputs, which fill up one after the other. At {low:.0f} the first one has already "
            "reached {first:.1f}, since its bin begins at the lowest value of the table; at {high:.0f} all of them "
            "together have reached {all:.1f}.",
            name=name,
            inputs=encoded.shape[1],
            low=values[0],
            first=encoded[0, 0],
            high=values[-1],
            all=encoded[-1].sum(),
        ),
    )
    return ax


def near_limits(groups: Mapping[str, pd.Series], limits: Mapping[str, float], name: str) -> Axes:
    """Draw how the values of one measurement are distributed in some groups of rows, and limits as lines.

    Parameters
    ----------
    groups : mapping
        Name of a group -> its values. At most four.
    limits : mapping
        Name of a limit -> its value. At most four.
    name : str
        Label of the horizontal axis, with the unit.
    """
    ax = plt.subplots(figsize=(8, 3))[1]
    every = pd.concat(groups.values())
    low, high = every.quantile([0.01, 0.99])
    for (group, values), color in zip(groups.items(), (BLUE, ORANGE, GREEN, SKY), strict=False):
        shown = values.clip(low, high).to_numpy()
        label = say("{group} ({rows} rows)", group=group, rows=len(values))
        sns.histplot(x=shown, bins=np.linspace(low, high, 41), color=color, alpha=0.6, linewidth=0, label=label, ax=ax)
    for (limit, value), style in zip(limits.items(), ("-", "--", ":", "-."), strict=False):
        ax.axvline(value, color=BLACK, linestyle=style, label=limit)
    ax.set(xlabel=name, ylabel="rows")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    parts = []
    for limit, value in limits.items():
        counts = [
            say("{count} of {rows} rows “{group}”", count=(values < value).sum(), rows=len(values), group=group)
            for group, values in groups.items()
        ]
        parts.append(
            say("below {value:g} ({limit}) lie {counts}", value=value, limit=limit, counts=" and ".join(counts))
        )
    caption(ax, say("In the figure, {parts}. The outermost bars hold all that lies beyond.", parts="; ".join(parts)))
    return ax


def importance(drop: pd.Series, error: pd.Series) -> Axes:
    """Draw how much the accuracy drops when one measurement is shuffled, with one standard deviation."""
    order = drop.sort_values(ascending=False, kind="stable").index
    ax = plt.subplots(figsize=(6, 3.6))[1]
    ax.barh(order, drop[order], xerr=error[order], color=BLUE, error_kw={"ecolor": RED})
    ax.invert_yaxis()
    ax.set(xlabel="accuracy lost when shuffled (red: one standard deviation)")
    top = [say("{name} ({lost:.2f})", name=name, lost=drop[name]) for name in order[:3]]
    caption(
        ax,
        say(
            "Shuffling costs most for {top}; {few} of the {all} measurements cost less than 0.01.",
            top=", ".join(top),
            few=(drop < 0.01).sum(),
            all=len(drop),
        ),
    )
    return ax
