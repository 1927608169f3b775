"""The figures of lesson 3: findings and their frequencies, weights, DenseNet, AUROC, and class activation maps."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import overlay, place_of
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, GREEN, ORANGE, RED
from medlessons.wording import say


def readings(images: np.ndarray, heats: np.ndarray, probabilities: pd.DataFrame, top: int = 5) -> Figure:
    """Draw what a network reads from radiographs: the image, where it looked, and its most probable findings.

    Parameters
    ----------
    images : array, shape (images, height, width, channels)
        Gray levels from 0 to 255.
    heats : array, shape (images, rows, columns)
        The activation map of the most probable finding of each image, 0 and above.
    probabilities : DataFrame, shape (images, findings)
        From 0 to 1; the index gives the titles.
    top : int
        How many findings to draw.
    """
    count = len(images)
    figure, axes = plt.subplots(3, count, figsize=(3.2 * count, 7.2), height_ratios=(4, 4, 2.4), squeeze=False)
    parts = []
    for column, (title, row) in enumerate(probabilities.iterrows()):
        image, heat = images[column], heats[column]
        best = row.sort_values(ascending=False, kind="stable")[:top]
        axes[0, column].imshow(image[..., 0], cmap="gray", vmin=0, vmax=255)
        axes[0, column].set_title(title)
        axes[0, column].axis("off")
        overlay(axes[1, column], image, heat)
        axes[1, column].set_title(best.index[0])
        colors = [RED if value > 0.5 else BLUE for value in best]
        axes[2, column].barh([name.replace("_", " ") for name in best.index], best, color=colors)
        axes[2, column].axvline(0.5, color="0.5", linestyle="--")
        axes[2, column].set(xlim=(0, 1), xlabel="output")
        axes[2, column].tick_params(axis="y", labelsize=8)
        axes[2, column].invert_yaxis()
        parts.append(
            say(
                "{title}: {finding} ({value:.1f}), strongest at the {place}",
                title=title,
                finding=best.index[0],
                value=best.iloc[0],
                place=place_of(heat),
            )
        )
    caption(
        figure,
        say(
            "Top: the radiographs. Middle: where the network looked. Bottom: its outputs. {parts}.",
            parts="; ".join(parts),
        ),
    )
    return figure


def finding_counts(labels: pd.DataFrame) -> Axes:
    """Draw how many images have each finding, the most frequent on top.

    Parameters
    ----------
    labels : DataFrame of 0 and 1, shape (images, findings)
    """
    counts = labels.sum().sort_values()
    ax = plt.subplots(figsize=(7, 4))[1]
    bars = ax.barh(counts.index, counts, color=BLUE)
    ax.bar_label(bars, padding=3)
    ax.set(xlabel=say("images of {count:,}", count=len(labels)))
    caption(
        ax,
        say(
            "{most} is the most frequent finding with {high} of {count} images, {least} the rarest with {low}; "
            "{none} images have none of the {findings} findings.",
            most=counts.index[-1],
            high=counts.iloc[-1],
            count=len(labels),
            least=counts.index[0],
            low=counts.iloc[0],
            none=int((labels.sum(axis=1) == 0).sum()),
            findings=len(counts),
        ),
    )
    return ax


def cooccurrence(labels: pd.DataFrame) -> Axes:
    """Draw how often two findings stand together: of the images with the finding of the row, the share with the other.

    Parameters
    ----------
    labels : DataFrame of 0 and 1, shape (images, findings)
    """
    together = labels.T.to_numpy(int) @ labels.to_numpy(int)
    alone = np.diag(together)
    share = pd.DataFrame(together / np.maximum(alone, 1)[:, None], index=labels.columns, columns=labels.columns)
    ax = plt.subplots(figsize=(8, 6))[1]
    sns.heatmap(
        share,
        mask=np.eye(len(share), dtype=bool),
        annot=True,
        fmt=".1f",
        cmap="Blues",
        vmin=0,
        vmax=1,
        cbar=False,
        linewidths=0.5,
        ax=ax,
    )
    ax.set(xlabel="also have", ylabel="of the images with")
    ax.tick_params(axis="x", rotation=45)
    plt.setp(ax.get_xticklabels(), ha="right", rotation_mode="anchor")
    often = share.where(~np.eye(len(share), dtype=bool) & (alone >= 20)[:, None])
    row, column = often.stack().idxmax() if often.notna().any(axis=None) else (share.index[0], share.columns[1])
    caption(
        ax,
        say(
            "Among findings with at least 20 images, {row} most often comes with another one: {share:.0%} of these "
            "images also have {column}.",
            row=row,
            column=column,
            share=share.loc[row, column],
        ),
    )
    return ax


def contributions(frequencies: pd.DataFrame, title: str) -> Axes:
    """Draw how much the images with and without a finding weigh in the loss.

    Parameters
    ----------
    frequencies : DataFrame, shape (findings, 2)
        Columns ``positive`` and ``negative``: the total weight of the images with and without the finding.
    title : str
    """
    ax = plt.subplots(figsize=(9, 3))[1]
    table = frequencies.reset_index(names="finding").melt("finding", var_name="images", value_name="weight")
    sns.barplot(table, x="finding", y="weight", hue="images", palette=[RED, BLUE], errorbar=None, ax=ax)
    ax.set(xlabel="", ylabel="total weight", title=title)
    ax.legend(title="", loc="center left", bbox_to_anchor=(1, 0.5))
    ax.tick_params(axis="x", rotation=45)
    plt.setp(ax.get_xticklabels(), ha="right", rotation_mode="anchor")
    ratio = frequencies["negative"] / frequencies["positive"]
    if np.allclose(ratio, 1):
        sentence = say(
            "{title}: images with and without a finding weigh the same, for each finding; {finding} weighs most "
            "({most:.2f}).",
            title=title,
            finding=frequencies["positive"].idxmax(),
            most=frequencies["positive"].max(),
        )
    else:
        sentence = say(
            "{title}: the images without a finding weigh {low:.0f} to {high:.0f} times as much as those with it; "
            "most for {finding}.",
            title=title,
            low=ratio.min(),
            high=ratio.max(),
            finding=ratio.idxmax(),
        )
    caption(ax, sentence)
    return ax


def standardized(values: Mapping[str, np.ndarray]) -> Axes:
    """Draw the distribution of the pixels of one image after several ways to standardize it.

    Parameters
    ----------
    values : mapping
        Name of the way -> pixels, any shape.
    """
    ax = plt.subplots(figsize=(7, 2.8))[1]
    parts = []
    for (name, pixels), color, line in zip(values.items(), (BLUE, ORANGE, GREEN), ("-", "--", ":"), strict=False):
        sns.kdeplot(np.ravel(pixels)[::7], ax=ax, color=color, linestyle=line, label=name)
        parts.append(
            say(
                "{name}: mean {mean:.1f}, spread {std:.1f}",
                name=name,
                mean=float(np.mean(pixels)),
                std=float(np.std(pixels)),
            )
        )
    ax.set(xlabel="standardized gray level", ylabel="share of the pixels", yticks=[])
    ax.legend()
    caption(
        ax, say("The same image, standardized in {count} ways. {parts}.", count=len(values), parts="; ".join(parts))
    )
    return ax


def stages(model) -> Axes:
    """Draw a network as it is: number and size of the maps after each of its concatenations and poolings.

    Parameters
    ----------
    model : keras.Model
        A flat DenseNet.
    """
    rows = [layer.output.shape[1:] for layer in model.layers if len(getattr(layer.output, "shape", ())) == 4]
    kinds = [type(layer).__name__ for layer in model.layers if len(getattr(layer.output, "shape", ())) == 4]
    kept = [shape for shape, kind in zip(rows, kinds, strict=True) if kind in ("Concatenate", "AveragePooling2D")]
    sizes = sorted({shape[0] for shape in kept}, reverse=True)
    ax = plt.subplots(figsize=(9, 3))[1]
    for size, color in zip(sizes, (BLUE, ORANGE, GREEN, RED), strict=False):
        at = [place for place, shape in enumerate(kept) if shape[0] == size]
        label = say("maps of {size} x {size}", size=size)
        ax.bar([place + 1 for place in at], [kept[place][2] for place in at], color=color, label=label)
    ax.set(xlabel="layer that puts maps together or pools", ylabel="maps")
    ax.legend()
    ends = [max(shape[2] for shape in kept if shape[0] == size) for size in sizes]
    caption(
        ax,
        say(
            "The maps grow in number inside of each block and are halved between blocks. The blocks end with {ends} "
            "maps of {sizes} pixels.",
            ends=", ".join(map(str, ends)),
            sizes=", ".join(map(str, sizes)),
        ),
    )
    return ax


def auroc_intervals(table: pd.DataFrame, published: pd.DataFrame | None = None, label: str = "this network") -> Axes:
    """Draw the AUROC of each finding with its interval, beside published figures on other images.

    Parameters
    ----------
    table : DataFrame, index findings
        Columns ``AUROC``, ``low``, ``high``.
    published : DataFrame, optional
        Same index; each column is drawn as hollow marks.
    label : str
        What the full marks are: whose figures, on which data.
    """
    table = table.sort_values("AUROC", kind="stable")
    places = np.arange(len(table))
    ax = plt.subplots(figsize=(7.5, 0.34 * len(table) + 1.2))[1]
    ax.hlines(places, table["low"], table["high"], color=BLUE, linewidth=2)
    ax.plot(table["AUROC"], places, "o", color=BLUE, label=label)
    if published is not None:
        for (name, column), mark, color in zip(published.items(), "ds", (ORANGE, GREEN), strict=False):
            ax.plot(column[table.index], places, mark, color=color, fillstyle="none", label=name)
    ax.axvline(0.5, color="0.5", linestyle="--")
    ax.set_yticks(places, table.index)
    ax.set(xlabel="AUROC", xlim=(0.3, 1.02))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    wide = (table["high"] - table["low"]).idxmax()
    caption(
        ax,
        say(
            "AUROC from {low:.2f} ({worst}) to {high:.2f} ({best}); the widest interval is that of {wide}, from "
            "{left:.2f} to {right:.2f}.",
            low=table["AUROC"].iloc[0],
            worst=table.index[0],
            high=table["AUROC"].iloc[-1],
            best=table.index[-1],
            wide=wide,
            left=table.loc[wide, "low"],
            right=table.loc[wide, "high"],
        ),
    )
    return ax


def roc_and_precision(curves: Mapping[str, tuple[np.ndarray, ...]], prevalence: Mapping[str, float]) -> Figure:
    """Draw ROC and precision-recall curves side by side.

    Parameters
    ----------
    curves : mapping
        Finding -> (false alarm rate, sensitivity, recall, precision), each an array.
    prevalence : mapping
        Finding -> share of the images that have it: the precision of guessing.
    """
    figure, (roc, precise) = plt.subplots(1, 2, figsize=(9, 3.8))
    parts = []
    lines = zip(curves.items(), (BLUE, ORANGE, GREEN, RED), ("-", "--", "-.", ":"), strict=False)
    for (name, (alarms, found, recall, precision)), color, line in lines:
        roc.plot(alarms, found, line, color=color, label=name)
        precise.plot(recall, precision, line, color=color, label=name)
        precise.axhline(prevalence[name], color=color, linewidth=0.6)
        parts.append(
            say(
                "{name}: at a false alarm rate of 0.1 it finds {share:.1f} of them",
                name=name,
                share=float(np.interp(0.1, alarms, found)),
            )
        )
    roc.plot([0, 1], [0, 1], color="0.6", linewidth=0.6)
    roc.set(xlabel="1 - specificity (false alarms)", ylabel="sensitivity")
    precise.set(xlabel="recall (sensitivity)", ylabel="precision (PPV)", ylim=(0, 1.02))
    roc.legend(loc="lower right")
    caption(figure, say("{parts}. Thin level lines: the precision of guessing.", parts="; ".join(parts)))
    return figure


def activation_grid(
    images: np.ndarray,
    heats: np.ndarray,
    probabilities: pd.DataFrame,
    truth: pd.DataFrame,
    outlines: np.ndarray | None = None,
) -> Figure:
    """Draw the activation map of each finding (columns) on each image (rows).

    Parameters
    ----------
    images : array, shape (images, height, width, channels)
    heats : array, shape (images, findings, rows, columns)
        0 and above.
    probabilities, truth : DataFrame, shape (images, findings)
        Outputs from 0 to 1, and labels 0 or 1. A true finding is marked by a plus in the title.
    outlines : bool array, shape (images, findings, height, width), optional
        Where the lesion is; drawn as a line.
    """
    rows, columns = probabilities.shape
    figure, axes = plt.subplots(rows, columns + 1, figsize=(2.1 * (columns + 1), 2.3 * rows), squeeze=False)
    for i in range(rows):
        axes[i, 0].imshow(images[i][..., 0], cmap="gray", vmin=0, vmax=255)
        axes[i, 0].set_title(probabilities.index[i])
        axes[i, 0].axis("off")
        for j, name in enumerate(probabilities.columns):
            overlay(axes[i, j + 1], images[i], heats[i, j])
            sign = "+" if truth.iloc[i, j] else "−"
            text = say(
                "{name} {sign} {value:.2f}", name=name.replace("_", " "), sign=sign, value=probabilities.iloc[i, j]
            )
            axes[i, j + 1].set_title(text, fontsize=8)
            if outlines is not None and outlines[i, j].any():
                axes[i, j + 1].contour(outlines[i, j], levels=[0.5], colors=[GREEN], linewidths=1.2)
    present = [
        say("{image} {name}: {place}", image=probabilities.index[i], name=name, place=place_of(heats[i, j]))
        for i in range(rows)
        for j, name in enumerate(probabilities.columns)
        if truth.iloc[i, j]
    ]
    caption(
        figure,
        say(
            "Each row is an image, each column a finding with its output; + is present. Where the maps of present "
            "findings are strongest: {present}.",
            present="; ".join(present) or "none is present",
        ),
    )
    return figure


def pointing(table: pd.DataFrame) -> Axes:
    """Draw how often the strongest place of a map lies in the lesion, for a network and for what knows nothing.

    Parameters
    ----------
    table : DataFrame, index findings
        One column a method, hit rates from 0 to 1 (NaN where there is no lesion).
    """
    ax = plt.subplots(figsize=(7, 0.34 * len(table) + 1.2))[1]
    places = np.arange(len(table))
    for (name, column), mark, color in zip(table.items(), "oDs^", (BLUE, ORANGE, GREEN, RED), strict=False):
        ax.plot(column, places, mark, color=color, label=name, alpha=0.8)
    ax.set_yticks(places, table.index)
    ax.invert_yaxis()
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel="hit rate", xlim=(-0.02, 1.02))
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    means = ", ".join(say("{name} {mean:.2f}", name=name, mean=column.mean()) for name, column in table.items())
    caption(ax, say("Mean hit rate over {count} findings: {means}.", count=len(table), means=means))
    return ax


def calibration(bins: Mapping[str, pd.DataFrame]) -> Axes:
    """Draw how frequent a finding really is among images with similar outputs.

    Parameters
    ----------
    bins : mapping
        Name -> DataFrame with the columns ``output`` (mean of the bin), ``frequency`` and ``count``.
    """
    ax = plt.subplots(figsize=(4.6, 4))[1]
    parts = []
    for (name, table), mark, color in zip(bins.items(), "os^", (BLUE, ORANGE, GREEN), strict=False):
        ax.plot(table["output"], table["frequency"], mark + "-", color=color, label=name)
        mean_output = np.average(table["output"], weights=table["count"])
        mean_frequency = np.average(table["frequency"], weights=table["count"])
        parts.append(
            say(
                "{name}: mean output {output:.2f}, share {share:.2f}",
                name=name,
                output=mean_output,
                share=mean_frequency,
            )
        )
    ax.plot([0, 1], [0, 1], color="0.6", linestyle="--")
    ax.set(xlabel="output of the network", ylabel="share that has the finding", xlim=(0, 1), ylim=(0, 1))
    ax.legend()
    caption(ax, say("On the dashed line an output could be read as a probability. {parts}.", parts="; ".join(parts)))
    return ax


def ppv_by_prevalence(sensitivity: float, specificity: float, marked: Sequence[float]) -> Axes:
    """Draw the positive predictive value over the prevalence (logarithmic), by Bayes' theorem.

    Parameters
    ----------
    sensitivity, specificity : float
        From 0 to 1.
    marked : sequence of float
        Prevalences to mark.
    """
    ax = plt.subplots(figsize=(6, 3))[1]

    def ppv(prevalence):
        true, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
        return true / (true + false)

    axis = np.logspace(-3, np.log10(0.5), 100)
    ax.plot(axis, ppv(axis), color=BLUE)
    ax.plot(marked, [ppv(p) for p in marked], "o", color=RED)
    ax.set(xscale="log", xlabel="prevalence", ylabel="PPV: alarms that are right", ylim=(0, 1))
    parts = ", ".join(say("{ppv:.2f} at {p:g}", ppv=ppv(p), p=p) for p in marked)
    caption(
        ax,
        say(
            "With sensitivity {a:.2f} and specificity {b:.2f} the positive predictive value is {parts}.",
            a=sensitivity,
            b=specificity,
            parts=parts,
        ),
    )
    return ax
