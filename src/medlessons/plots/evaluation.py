"""Figures of lesson 5: what rates mean in people, calibration, and decisions."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from medlessons.plots.figure import caption
from medlessons.plots.palette import BLACK, BLUE, GREEN, ORANGE, RED
from medlessons.wording import _

PEOPLE = (25, 40)  # rows and columns of a field of 1,000


def people(groups: Mapping[str, Mapping[str, int]]) -> Figure:
    """Draw 1,000 people per panel, one square each, by what they have and what the model said.

    Parameters
    ----------
    groups : mapping
        Title of a panel -> counts ``TP``, ``FN``, ``FP``, ``TN`` of any number of cases; they are scaled to 1,000.

    Returns
    -------
    Figure
    """
    names = {"TP": _("ill, called"), "FN": _("ill, missed"), "FP": _("well, called"), "TN": _("well, not called")}
    colors = {"TP": BLUE, "FN": RED, "FP": ORANGE, "TN": "0.88"}
    figure, axes = plt.subplots(1, len(groups), figsize=(3.6 * len(groups), 3), squeeze=False)
    said = []
    for ax, (title, counts) in zip(axes[0], groups.items(), strict=True):
        shown = _of_a_thousand(counts)
        field = np.repeat(np.arange(4), [shown[name] for name in names]).reshape(PEOPLE, order="F")
        cmap = ListedColormap([colors[name] for name in names])
        ax.pcolormesh(field, cmap=cmap, vmin=0, vmax=3, edgecolor="white", linewidth=0.4)
        ax.set(title=title, aspect="equal", xticks=[], yticks=[])
        sentence = _(
            "{title}: {TP} ill and called, {FN} ill and missed, {FP} well and called, {TN} well and not called"
        )
        said.append(sentence.format(title=title, **shown))
    handles = [Patch(color=colors[name], label=names[name]) for name in names]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    caption(figure, _("Of 1,000 images each. {groups}.").format(groups="; ".join(said)))
    return figure


def _of_a_thousand(counts: Mapping[str, int]) -> dict[str, int]:
    """Scale counts to whole numbers that add up to 1,000; the largest remainders are rounded up."""
    exact = pd.Series(counts, dtype=float) * 1000 / sum(counts.values())
    whole = np.floor(exact).astype(int)
    whole[(exact - whole).nlargest(1000 - whole.sum()).index] += 1
    return whole.to_dict()


def calibration(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw reliability diagrams side by side: frequency against output, with intervals and counts.

    Parameters
    ----------
    tables : mapping
        Title of a panel -> table of :func:`medlessons.calibration.reliability`.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots(1, len(tables), figsize=(3.4 * len(tables), 3.4), squeeze=False)
    said = []
    for ax, (title, table) in zip(axes[0], tables.items(), strict=True):
        ax.plot([0, 1], [0, 1], ":", color=BLACK)
        error = [table["frequency"] - table["low"], table["high"] - table["frequency"]]
        ax.errorbar(table["output"], table["frequency"], np.abs(error), fmt="o", markersize=4, color=BLUE)
        for scale in (ax.set_xscale, ax.set_yscale):  # most outputs are small, and need room
            scale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
        ticks = [0, 0.1, 0.3, 0.6, 1]
        ax.set(
            title=title,
            xlim=(0, 1.02),
            ylim=(0, 1.02),
            xticks=ticks,
            yticks=ticks,
            xticklabels=ticks,
            yticklabels=ticks,
        )
        ax.set(xlabel=_("mean output"), ylabel=_("share with the finding"))
        inside = int(((table["low"] <= table["output"]) & (table["output"] <= table["high"])).sum())
        last = table.iloc[-1]
        said.append(
            _(
                "{title}: {inside} of {bins} intervals hold the mean output; in the highest bin the mean output is "
                "{output:.2f} and {frequency:.2f} have the finding ({positives} of {cases})"
            ).format(
                title=title,
                inside=inside,
                bins=len(table),
                output=last["output"],
                frequency=last["frequency"],
                positives=int(last["positives"]),
                cases=int(last["cases"]),
            )
        )
    caption(
        figure, _("Output against frequency, in bins of equally many images. {panels}.").format(panels="; ".join(said))
    )
    return figure


def decision_curves(table: pd.DataFrame) -> Axes:
    """Draw net benefit over the threshold, per 1,000 people.

    Parameters
    ----------
    table : DataFrame
        From :func:`medlessons.calibration.decision_curve`.

    Returns
    -------
    Axes
    """
    ax = plt.subplots(figsize=(6.4, 3.6))[1]
    styles = {"act on all": ("--", "0.5"), "act on nobody": (":", BLACK)}
    colors = iter((ORANGE, BLUE, GREEN))
    for name, values in table.items():
        style, color = styles.get(name) or ("-", next(colors))
        ax.plot(table.index, 1000 * values, style, color=color, label=name, linewidth=1 if name in styles else 2)
    models = table.drop(columns=list(styles))
    top = 1000 * table.to_numpy().max()
    ax.set(xlabel=_("threshold"), ylabel=_("net benefit per 1,000"), ylim=(-0.35 * top, 1.1 * top))
    ax.legend()
    reference = table[list(styles)].max(axis=1)
    parts = [
        _("{name} is ahead of both for {ahead} of {all} thresholds, and behind acting on nobody for {worse}").format(
            name=name, ahead=int((values > reference + 1e-12).sum()), all=len(table), worse=int((values < 0).sum())
        )
        for name, values in models.items()
    ]
    sentence = _("Net benefit against the threshold, beside acting on all and on nobody. {models}.")
    caption(ax, sentence.format(models="; ".join(parts)))
    return ax
