"""The figures of lesson 3: findings and their frequencies, weights, DenseNet, AUROC, and class activation maps."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.common import BESIDE, SHARES, draw_radiograph, map_grid, overlay, place_of
from medlessons.plots.figure import caption
from medlessons.plots.palette import BLUE, GREEN, ORANGE, RED
from medlessons.wording import _

TOP = 5  # the most probable findings that are drawn
ENOUGH = 20  # images with a finding, below which the sentence does not speak of it


def readings(images: np.ndarray, heats: np.ndarray, probabilities: pd.DataFrame) -> Figure:
    """Draw what a network reads from radiographs: the image, where it looked, and its most probable findings.

    Parameters
    ----------
    images : array, shape (images, height, width, channels)
        Gray levels from 0 to 255.
    heats : array, shape (images, rows, columns)
        The activation map of the most probable finding of each image, 0 and above.
    probabilities : DataFrame, shape (images, findings)
        From 0 to 1; the index gives the titles.

    Returns
    -------
    Figure
    """
    count = len(images)
    figure, axes = plt.subplots(3, count, figsize=(3.2 * count, 7.2), height_ratios=(4, 4, 2.4), squeeze=False)
    parts = []
    columns = zip(axes.T, images, heats, probabilities.iterrows(), strict=True)
    for (above, middle, below), image, heat, (title, row) in columns:
        best = row.sort_values(ascending=False, kind="stable")[:TOP]
        draw_radiograph(above, image, title)
        overlay(middle, image, heat, best.index[0])
        below.barh(best.index.str.replace("_", " "), best, color=np.where(best > 0.5, RED, BLUE))
        below.axvline(0.5, color="0.5", linestyle="--")
        below.set(xlim=(0, 1), xlabel=_("output"))
        below.tick_params(axis="y", labelsize=8)
        below.invert_yaxis()
        part = _("{title}: {finding} ({value:.1f}), strongest at the {place}")
        parts.append(part.format(title=title, finding=best.index[0], value=best.iloc[0], place=place_of(heat)))
    sentence = _("Top: the radiographs. Middle: where the network looked. Bottom: its outputs. {parts}.")
    return caption(figure, sentence.format(parts="; ".join(parts)))


def finding_counts(labels: pd.DataFrame) -> Axes:
    """Draw how many images (rows of 0 and 1) have each finding (column), the most frequent on top."""
    counts = labels.sum().sort_values()
    ax = plt.subplots(figsize=(7, 4))[1]
    ax.bar_label(ax.barh(counts.index, counts, color=BLUE), padding=3)
    ax.set(xlabel=_("images of {count:,}").format(count=len(labels)))
    sentence = _(
        "{most} is the most frequent finding with {high} of {count} images, {least} the rarest with {low}; "
        "{none} images have none of the {findings} findings."
    )
    (least, low), (most, high) = counts.iloc[[0, -1]].items()
    total = {"count": len(labels), "none": (labels.sum(axis=1) == 0).sum(), "findings": len(counts)}
    return caption(ax, sentence.format(least=least, low=low, most=most, high=high, **total))


def cooccurrence(labels: pd.DataFrame) -> Axes:
    """Draw how often findings occur together: of the images with the finding of the row, the share with the other.

    ``labels`` has one row per image and one column of 0 and 1 per finding.
    """
    counts = labels.sum()
    share = labels.astype(int).T.dot(labels).div(counts.clip(lower=1), axis=0)
    itself = np.eye(len(share), dtype=bool)
    ax = plt.subplots(figsize=(8, 6))[1]
    sns.heatmap(share, mask=itself, annot=True, fmt=".1f", **SHARES, cbar=False, ax=ax)
    ax.set(xlabel=_("also have"), ylabel=_("of the images with"))
    plt.setp(ax.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    often = share.where(~itself & (counts >= ENOUGH).to_numpy()[:, None]).stack().dropna()
    row, column = often.idxmax() if len(often) else (share.index[0], share.columns[1])
    sentence = _(
        "Among findings with at least {enough} images, {row} most often comes with another one: {share:.0%} of these "
        "images also have {column}."
    )
    return caption(ax, sentence.format(enough=ENOUGH, row=row, column=column, share=share.loc[row, column]))


def contributions(frequencies: pd.DataFrame, title: str) -> Axes:
    """Draw how much the images with and without a finding weigh in the loss.

    Parameters
    ----------
    frequencies : DataFrame, shape (findings, 2)
        Columns ``positive`` and ``negative``: the total weight of the images with and without the finding.
    title : str

    Returns
    -------
    Axes
    """
    ax = plt.subplots(figsize=(9, 3))[1]
    names = {"positive": _("positive"), "negative": _("negative")}
    table = frequencies.rename(columns=names).reset_index(names="finding").melt("finding", var_name="images")
    sns.barplot(table, x="finding", y="value", hue="images", palette=[RED, BLUE], errorbar=None, ax=ax)
    ax.set(xlabel="", ylabel=_("total weight"), title=title)
    ax.legend(title="", **BESIDE)
    plt.setp(ax.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    positive, ratio = frequencies["positive"], frequencies["negative"] / frequencies["positive"]
    if np.allclose(ratio, 1):
        sentence = _(
            "{title}: images with and without a finding weigh the same, for each finding; {finding} weighs most "
            "({most:.2f})."
        ).format(title=title, finding=positive.idxmax(), most=positive.max())
    else:
        sentence = _(
            "{title}: the images without a finding weigh {low:.0f} to {high:.0f} times as much as those with it; "
            "most for {finding}."
        ).format(title=title, low=ratio.min(), high=ratio.max(), finding=ratio.idxmax())
    return caption(ax, sentence)


def standardized(values: Mapping[str, np.ndarray]) -> Axes:
    """Draw the distribution of the pixels (any shape) of one image after several ways (names) to standardize it."""
    ax = plt.subplots(figsize=(7, 2.8))[1]
    parts = []
    for (name, pixels), color, line in zip(values.items(), (BLUE, ORANGE, GREEN), ("-", "--", ":"), strict=False):
        sns.kdeplot(np.ravel(pixels)[::7], ax=ax, color=color, linestyle=line, label=name)
        part = _("{name}: mean {mean:.1f}, spread {std:.1f}")
        parts.append(part.format(name=name, mean=np.mean(pixels), std=np.std(pixels)))
    ax.set(xlabel=_("standardized gray level"), ylabel=_("share of the pixels"), yticks=[])
    ax.legend()
    sentence = _("The same image, standardized in {count} ways. {parts}.")
    return caption(ax, sentence.format(count=len(values), parts="; ".join(parts)))


def stages(model) -> Axes:
    """Draw a flat DenseNet as it is: number and size of the maps after each of its concatenations and poolings."""
    kept = [layer for layer in model.layers if type(layer).__name__ in ("Concatenate", "AveragePooling2D")]
    shapes = pd.DataFrame([layer.output.shape[1:] for layer in kept], columns=["size", "width", "maps"])
    blocks = [(size, shapes["maps"][shapes["size"] == size]) for size in sorted(set(shapes["size"]), reverse=True)]
    ax = plt.subplots(figsize=(9, 3))[1]
    for (size, maps), color in zip(blocks, (BLUE, ORANGE, GREEN, RED), strict=False):
        ax.bar(maps.index + 1, maps, color=color, label=_("maps of {size} x {size}").format(size=size))
    ax.set(xlabel=_("layer that puts maps together or pools"), ylabel=_("maps"))
    ax.legend()
    sentence = _(
        "The maps grow in number inside of each block and are halved between blocks. The blocks end with {ends} "
        "maps of {sizes} pixels."
    )
    ends, sizes = ", ".join(str(maps.max()) for _size, maps in blocks), ", ".join(str(size) for size, _maps in blocks)
    return caption(ax, sentence.format(ends=ends, sizes=sizes))


def auroc_intervals(table: pd.DataFrame, published: pd.DataFrame | None = None, label: str = "") -> Axes:
    """Draw the AUROC of each finding with its interval, beside published figures on other images.

    Parameters
    ----------
    table : DataFrame, index findings
        Columns ``AUROC``, ``low``, ``high``.
    published : DataFrame, optional
        Same index; each column is drawn as hollow marks.
    label : str, optional
        What the full marks are: whose figures, on which data.

    Returns
    -------
    Axes
    """
    table = table.sort_values("AUROC", kind="stable")
    rows = np.arange(len(table))
    ax = plt.subplots(figsize=(7.5, 0.34 * len(table) + 1.2))[1]
    ax.hlines(rows, table["low"], table["high"], color=BLUE, linewidth=2)
    ax.plot(table["AUROC"], rows, "o", color=BLUE, label=label or _("this network"))
    others = {} if published is None else published.loc[table.index]
    for (name, column), mark, color in zip(others.items(), "ds", (ORANGE, GREEN), strict=False):
        ax.plot(column, rows, mark, color=color, fillstyle="none", label=name)
    ax.axvline(0.5, color="0.5", linestyle="--")
    ax.set_yticks(rows, table.index)
    ax.set(xlabel="AUROC", xlim=(0.3, 1.02))
    ax.legend(**BESIDE)
    sentence = _(
        "AUROC from {worst.AUROC:.2f} ({worst.name}) to {best.AUROC:.2f} ({best.name}); the widest interval is that of "
        "{wide.name}, from {wide.low:.2f} to {wide.high:.2f}."
    )
    wide = table.loc[(table["high"] - table["low"]).idxmax()]
    return caption(ax, sentence.format(worst=table.iloc[0], best=table.iloc[-1], wide=wide))


def roc_and_precision(curves: Mapping[str, tuple[np.ndarray, ...]], prevalence: Mapping[str, float]) -> Figure:
    """Draw ROC and precision-recall curves side by side.

    Parameters
    ----------
    curves : mapping
        Finding -> (false positive rate, sensitivity, recall, precision), each an array.
    prevalence : mapping
        Finding -> share of the images that have it: the precision of guessing.

    Returns
    -------
    Figure
    """
    figure, (roc, precise) = plt.subplots(1, 2, figsize=(9, 3.8))
    parts = []
    lines = zip(curves.items(), (BLUE, ORANGE, GREEN, RED), ("-", "--", "-.", ":"), strict=False)
    for (name, (false_positive_rate, sensitivity, recall, precision)), color, line in lines:
        roc.plot(false_positive_rate, sensitivity, line, color=color, label=name)
        precise.plot(recall, precision, line, color=color, label=name)
        precise.axhline(prevalence[name], color=color, linewidth=0.6)
        part = _("{name}: at a false alarm rate of 0.1 it finds {share:.1f} of them")
        parts.append(part.format(name=name, share=np.interp(0.1, false_positive_rate, sensitivity)))
    roc.plot([0, 1], [0, 1], color="0.6", linewidth=0.6)
    roc.set(xlabel=_("1 - specificity (false alarms)"), ylabel=_("sensitivity"))
    precise.set(xlabel=_("recall (sensitivity)"), ylabel=_("precision (PPV)"), ylim=(0, 1.02))
    roc.legend(loc="lower right")
    sentence = _("{parts}. Thin level lines: the precision of guessing.")
    return caption(figure, sentence.format(parts="; ".join(parts)))


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
        Gray levels from 0 to 255.
    heats : array, shape (images, findings, rows, columns)
        0 and above.
    probabilities, truth : DataFrame, shape (images, findings)
        Outputs from 0 to 1, and labels 0 or 1. A true finding is marked by a plus in the title.
    outlines : bool array, shape (images, findings, height, width), optional
        Where the lesion is; drawn as a line.

    Returns
    -------
    Figure
    """
    names = probabilities.map("{:.2f}".format)
    for name in names:
        names[name] = name.replace("_", " ") + truth[name].map({1: " + ", 0: " − "}) + names[name]
    figure, axes = map_grid(images, names.index, heats, names.to_numpy(), 2.1)
    present = []
    for (i, j), label in np.ndenumerate(truth):
        if outlines is not None and outlines[i, j].any():
            axes[i, j + 1].contour(outlines[i, j], levels=[0.5], colors=[GREEN], linewidths=1.2)
        if label:
            present.append(f"{truth.index[i]} {truth.columns[j]}: {place_of(heats[i, j])}")
    sentence = _(
        "Each row is an image, each column a finding with its output; + is present. Where the maps of present "
        "findings are strongest: {present}."
    )
    return caption(figure, sentence.format(present="; ".join(present) or _("none is present")))


def pointing(table: pd.DataFrame) -> Axes:
    """Draw how often the strongest place of a map lies in the lesion, for a network and for what knows nothing.

    ``table`` has one row per finding and one column per method: hit rates of the pointing game from 0 to 1 (NaN where
    there is no lesion).
    """
    ax = plt.subplots(figsize=(7, 0.34 * len(table) + 1.2))[1]
    rows = np.arange(len(table))
    for (name, column), mark, color in zip(table.items(), "oDs^", (BLUE, ORANGE, GREEN, RED), strict=False):
        ax.plot(column, rows, mark, color=color, label=name, alpha=0.8)
    ax.set_yticks(rows, table.index)
    ax.invert_yaxis()
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel=_("hit rate"), xlim=(-0.02, 1.02))
    ax.legend(**BESIDE)
    means = ", ".join(f"{name} {mean:.2f}" for name, mean in table.mean().items())
    return caption(ax, _("Mean hit rate over {count} findings: {means}.").format(count=len(table), means=means))


def calibration(bins: Mapping[str, pd.DataFrame]) -> Axes:
    """Draw how frequent a finding really is among images with similar outputs.

    ``bins`` maps a name to the columns ``output`` (mean of the bin), ``frequency`` and ``count``.
    """
    ax = plt.subplots(figsize=(4.6, 4))[1]
    parts = []
    for (name, table), mark, color in zip(bins.items(), "os^", (BLUE, ORANGE, GREEN), strict=False):
        ax.plot(table["output"], table["frequency"], mark + "-", color=color, label=name)
        output, share = np.average(table[["output", "frequency"]], axis=0, weights=table["count"])
        part = _("{name}: mean output {output:.2f}, share {share:.2f}")
        parts.append(part.format(name=name, output=output, share=share))
    ax.plot([0, 1], [0, 1], color="0.6", linestyle="--")
    ax.set(xlabel=_("output of the network"), ylabel=_("share that has the finding"), xlim=(0, 1), ylim=(0, 1))
    ax.legend()
    sentence = _("On the dashed line an output could be read as a probability. {parts}.")
    return caption(ax, sentence.format(parts="; ".join(parts)))


def ppv_by_prevalence(sensitivity: float, specificity: float, marked: Sequence[float]) -> Axes:
    """Draw the positive predictive value over the prevalence (logarithmic), by Bayes' theorem.

    Parameters
    ----------
    sensitivity, specificity : float
        From 0 to 1.
    marked : sequence of float
        Prevalences to mark.

    Returns
    -------
    Axes
    """

    def ppv(prevalence):
        true, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
        return true / (true + false)

    ax = plt.subplots(figsize=(6, 3))[1]
    prevalences = np.logspace(-3, np.log10(0.5), 100)
    ax.plot(prevalences, ppv(prevalences), color=BLUE)
    ax.plot(marked, ppv(np.array(marked)), "o", color=RED)
    ax.set(xscale="log", xlabel=_("prevalence"), ylabel=_("PPV: alarms that are right"), ylim=(0, 1))
    parts = ", ".join(_("{ppv:.2f} at {p:g}").format(ppv=ppv(p), p=p) for p in marked)
    sentence = _("With sensitivity {a:.2f} and specificity {b:.2f} the positive predictive value is {parts}.")
    return caption(ax, sentence.format(a=sensitivity, b=specificity, parts=parts))
