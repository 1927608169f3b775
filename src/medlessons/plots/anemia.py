"""The figures of lesson 1 that would hide it: blood counts, and their encoding."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import BESIDE
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLACK, BLUE, GREEN, ORANGE, RED, SKY
from medlessons.wording import _

BOXES = {"whis": (5, 95), "showfliers": False, "color": SKY}  # whiskers from the 5th to the 95th percentile
TELLING = ("HGB", "MCV", "PLT", "WBC")  # what the sentence under the small panels speaks of
COLUMNS = 5  # small panels in a row
TOLERANCE = 3  # percent; a smaller error is rounding
BOUNDARY = 500  # the identity holds in the rows before this one


def scales(features: pd.DataFrame, unit: str) -> Axes:
    """Draw all measurements on one axis: boxes for the middle half, whiskers from the 5th to the 95th percentile.

    Parameters
    ----------
    features : DataFrame, shape (rows, measurements)
        Raw or scaled values.
    unit : str
        What the common axis shows, such as ``"value in its own unit"``.

    Returns
    -------
    Axes
    """
    ax = plt.subplots(figsize=(8, 3))[1]
    sns.boxplot(features, **BOXES, medianprops={"color": RED}, ax=ax)
    ax.set(xlabel=_("measurement"), ylabel=unit)
    ax.tick_params(axis="x", rotation=45)
    spans = features.quantile(0.95) - features.quantile(0.05)
    sentence = _(
        "From the 5th to 95th percentile, {widest} spans most ({most:.2f}) and {narrowest} least ({least:.2f}); "
        "{small} of the {all} measurements span less than a tenth of {widest}."
    )
    extremes = spans.agg(["idxmax", "max", "idxmin", "min"]).set_axis(["widest", "most", "narrowest", "least"])
    return caption(ax, sentence.format(small=(spans < spans.max() / 10).sum(), all=len(spans), **extremes))


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

    Returns
    -------
    Figure
    """
    rows = -(-len(units) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(12, 2.6 * rows), sharey=True)
    style = BOXES | {"order": table["Diagnosis"].value_counts().index, "linewidth": 0.8}
    for ax, (name, unit) in zip(axes.flat, units.items(), strict=False):
        sns.boxplot(table, x=name, y="Diagnosis", **style, medianprops={"color": RED, "linewidth": 2}, ax=ax)
        ax.set(title=name, xlabel=unit, ylabel="")
    for ax in axes.flat[len(units) :]:
        ax.set_visible(False)
    medians = table.groupby("Diagnosis")[[name for name in TELLING if name in units]].median()
    part = _("{name} is lowest in {low} ({lowest:.1f} {unit}) and highest in {high} ({highest:.1f})")
    extremes = medians.agg(["idxmin", "min", "idxmax", "max"]).set_axis(["low", "lowest", "high", "highest"])
    parts = [part.format(name=name, unit=units[name], **column) for name, column in extremes.items()]
    sentence = _("{count} panels (red: median; box: middle half; whiskers: 5th to 95th percentile). Medians: {parts}.")
    return caption(figure, sentence.format(count=len(units), parts="; ".join(parts)))


def identity_error(error: pd.Series) -> Axes:
    """Draw, row by row, how far (in percent) a value lies from what two others say it must be."""
    ax = plt.subplots(figsize=(8, 3))[1]
    ax.scatter(error.index, error.clip(0.1, 100), s=6, color=BLUE, alpha=0.6)
    ax.axhline(TOLERANCE, color=RED, linewidth=1, label=f"{TOLERANCE} %")
    ax.set(xlabel=_("row of the table"), ylabel=_("error of MCV (%)"), yscale="log")
    ax.legend(loc="lower right")
    holds = error <= TOLERANCE
    shares = _("in {share:.0%} of the first {rows} rows").format(share=holds[:BOUNDARY].mean(), rows=BOUNDARY)
    if len(error) > BOUNDARY:
        shares += _(" and in {share:.0%} of the later ones").format(share=holds[BOUNDARY:].mean())
    sentence = _("Errors are drawn from 0.1 to 100 %; the identity holds within {tolerance} % {shares}.")
    return caption(ax, sentence.format(tolerance=TOLERANCE, shares=shares))


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

    Returns
    -------
    Axes
    """
    inputs = encoded.shape[1]
    ax = plt.subplots(figsize=(8, 1.5 + 0.22 * inputs))[1]
    for number, column in enumerate(encoded.T):
        ax.fill_between(values, number, number + 0.85 * column, color=BLUE if number % 2 else ORANGE, linewidth=0)
    ax.set(xlabel=name, ylabel=_("input"))
    ax.set_yticks(np.arange(inputs) + 0.4, np.arange(1, inputs + 1))
    sentence = _(
        "{name} becomes {inputs} inputs, which fill up one after the other. At {low:.0f} the first one has already "
        "reached {first:.1f}, since its bin begins at the lowest value of the training rows; at {high:.0f} all of them "
        "together have reached {all:.1f}."
    )
    ends = {"low": values[0], "first": encoded[0, 0], "high": values[-1], "all": encoded[-1].sum()}
    return caption(ax, sentence.format(name=name, inputs=inputs, **ends))


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

    Returns
    -------
    Axes
    """
    ax = plt.subplots(figsize=(8, 3))[1]
    low, high = pd.concat(groups.values()).quantile([0.01, 0.99])
    bins = np.linspace(low, high, 41)
    for (group, values), color in zip(groups.items(), (BLUE, ORANGE, GREEN, SKY), strict=False):
        label = _("{group} ({rows} rows)").format(group=group, rows=len(values))
        sns.histplot(x=values.clip(low, high), bins=bins, color=color, alpha=0.6, linewidth=0, label=label, ax=ax)
    parts = []
    for (limit, value), style in zip(limits.items(), ("-", "--", ":", "-."), strict=False):
        ax.axvline(value, color=BLACK, linestyle=style, label=limit)
        count = _("{count} of {rows} rows “{group}”")
        counts = [count.format(count=(v < value).sum(), rows=len(v), group=group) for group, v in groups.items()]
        part = _("below {value:g} ({limit}) lie {counts}")
        parts.append(part.format(value=value, limit=limit, counts=_(" and ").join(counts)))
    ax.set(xlabel=name, ylabel=_("rows"))
    ax.legend(**BESIDE)
    sentence = _("In the figure, {parts}. The outermost bars hold all that lies beyond.")
    return caption(ax, sentence.format(parts="; ".join(parts)))
