"""The figures of lesson 4: who is in the pictures, accuracies with intervals, maps of several backbones."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import overlay, place_of
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, GREEN, ORANGE
from medlessons.wording import say


def ages(table: pd.DataFrame) -> Axes:
    """Draw the age of each patient, one row a label.

    Parameters
    ----------
    table : DataFrame
        An image table with the columns ``label``, ``patient`` and ``age`` (years; missing ones are left out).
    """
    known = table.dropna(subset="age").drop_duplicates("patient").sort_values("label")
    labels = sorted(table["label"].unique())
    ax = plt.subplots(figsize=(7, 2.2))[1]
    sns.stripplot(known, x="age", y="label", order=labels, color=BLUE, alpha=0.4, size=4, jitter=0.25, ax=ax)
    ax.set(xlabel="age (years)", ylabel="")
    groups = known.groupby("label")["age"]
    parts = [
        say("{label}: {low:.0f} to {high:.0f} years", label=label, low=groups.min()[label], high=groups.max()[label])
        if label in groups.groups
        else say("{label}: not known", label=label)
        for label in labels
    ]
    caption(ax, say("The ages of the patients whose age is known, by label. {parts}.", parts="; ".join(parts)))
    return ax


def intervals(table: pd.DataFrame, guess: float | None = None, xlabel: str = "accuracy") -> Axes:
    """Draw figures with their intervals, one row each, the first one on top.

    Parameters
    ----------
    table : DataFrame
        Columns ``value``, ``low`` and ``high`` (0 to 1); the index names the rows.
    guess : float, optional
        What guessing gives; drawn as a line.
    xlabel : str
    """
    ax = plt.subplots(figsize=(6.5, 0.9 + 0.4 * len(table)))[1]
    places = np.arange(len(table))
    ends = np.array([table["value"] - table["low"], table["high"] - table["value"]]).clip(min=0)
    ax.errorbar(table["value"], places, xerr=ends, fmt="o", color=BLUE, capsize=4)
    ax.set_yticks(places, table.index)
    ax.set(xlabel=xlabel, ylim=(len(table) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    sentence = "; ".join(
        say("{name} {value:.2f} ({low:.2f} to {high:.2f})", name=name, **row) for name, row in table.iterrows()
    )
    if guess is not None:
        ax.axvline(guess, color="0.5", linestyle="--")
        sentence += say("; the dashed line is guessing, {guess:.2f}", guess=guess)
    caption(ax, say("{xlabel}, with 95 % intervals: {sentence}.", xlabel=xlabel.capitalize(), sentence=sentence))
    return ax


def inside_outside(table: pd.DataFrame, guess: float) -> Axes:
    """Draw each model's accuracy on patients like those it learned from, and on outside ones, with a line between.

    Parameters
    ----------
    table : DataFrame
        Columns ``inside`` and ``outside`` (0 to 1); the index names the models.
    guess : float
        The accuracy of always naming the most frequent label.
    """
    ax = plt.subplots(figsize=(7, 0.9 + 0.5 * len(table)))[1]
    places = np.arange(len(table))
    ax.hlines(places, table["outside"], table["inside"], color="0.7", linewidth=2, zorder=1)
    ax.plot(table["inside"], places, "o", color=BLUE, markersize=8, label="patients like those it learned from")
    ax.plot(table["outside"], places, "s", color=ORANGE, markersize=8, label="outside patients")
    ax.axvline(guess, color="0.5", linestyle="--", label="always the most frequent label")
    ax.set_yticks(places, table.index)
    ax.set(xlabel="accuracy", xlim=(0, 1.02), ylim=(len(table) - 0.5, -0.5))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8)
    parts = [
        say("{name}: {inside:.2f} inside, {outside:.2f} outside", name=name, **row) for name, row in table.iterrows()
    ]
    caption(ax, say("{parts}; always the most frequent label: {guess:.2f}.", parts="; ".join(parts), guess=guess))
    return ax


def maps_by_backbone(
    images: np.ndarray, heats: Mapping[str, np.ndarray], lungs: Sequence[np.ndarray], titles: Sequence[str]
) -> Figure:
    """Draw the activation map of each network (columns) on each image (rows), with the outline of the lungs.

    Parameters
    ----------
    images : array, shape (images, height, width, 1)
        Gray levels from 0 to 255.
    heats : mapping
        Name of a network -> maps of the label that it names, 0 and above, shape (images, rows, columns).
    lungs : sequence of bool arrays, shape (height, width)
        Where the lungs are.
    titles : sequence of str
        What is written over each image.
    """
    figure, axes = plt.subplots(
        len(images), 1 + len(heats), figsize=(2.2 * (1 + len(heats)), 2.3 * len(images)), squeeze=False
    )
    parts = []
    for number, (row, image, title) in enumerate(zip(axes, images, titles, strict=True)):
        row[0].imshow(np.squeeze(image), cmap="gray", vmin=0, vmax=255)
        row[0].set_title(title, fontsize=8)
        row[0].axis("off")
        for ax, (name, maps) in zip(row[1:], heats.items(), strict=True):
            overlay(ax, image, maps[number])
            ax.contour(lungs[number], levels=[0.5], colors=[GREEN], linewidths=1)
            ax.set_title(name, fontsize=8)
        places = ", ".join(say("{name} {place}", name=name, place=place_of(m[number])) for name, m in heats.items())
        parts.append(say("{title}: {places}", title=title, places=places))
    caption(
        figure,
        say("Where each map is strongest; green lines are the edges of the lungs. {parts}.", parts="; ".join(parts)),
    )
    return figure
