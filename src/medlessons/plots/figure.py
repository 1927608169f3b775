"""The style of the figures, their captions, and how they are shown."""

import io
import warnings
from typing import TypeVar

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib import MatplotlibDeprecationWarning
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.errors import LessonError
from medlessons.plots.description import describe
from medlessons.plots.palette import BLACK, BLUE, GREEN, ORANGE, PINK, RED, SKY, YELLOW
from medlessons.wording import _

STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, RED, SKY, PINK, YELLOW, BLACK]),
    "figure.constrained_layout.use": True,
    "figure.dpi": 96,
    "font.size": 10,
    "image.cmap": "gray",
    "legend.frameon": False,
}
plt.rcParams.update(STYLE)
# What a student can do nothing about: seaborn 0.13 calls matplotlib 3.11 with an argument that will be renamed, and its
# figures with several panels bring their own layout.
warnings.filterwarnings("ignore", "vert: bool was deprecated", MatplotlibDeprecationWarning)
warnings.filterwarnings("ignore", "The figure layout has changed to tight", UserWarning)

Drawn = TypeVar("Drawn", Axes, Figure)


def caption(drawn: Drawn, sentence: str) -> Drawn:
    """Attach the sentence that says what a figure shows; :func:`show` uses it.

    Parameters
    ----------
    drawn : matplotlib Axes or Figure
    sentence : str

    Returns
    -------
    Axes or Figure
        What was given, so that a plot function can end with ``return caption(ax, sentence)``.
    """
    drawn.figure._medlessons_caption = sentence
    return drawn


def show(drawn: Axes | Figure, sentence: str | None = None) -> None:
    """Display a figure, print its caption, and close it.

    The sentence is the caption and the alternative text of the picture (for screen readers). Pictures themselves are
    not compared by the strict validation of the notebooks, but the sentence is, and with it what was drawn, as text
    (:func:`medlessons.plots.description.describe`), which is stored beside the picture.

    Parameters
    ----------
    drawn : matplotlib Axes or Figure
        What a plot function of this package or of seaborn returned, or a figure of your own, such as the ``ax`` of
        ``fig, ax = plt.subplots()``.
    sentence : str, optional
        A caption for a figure of your own. The plot functions of this package attach theirs.

    Raises
    ------
    LessonError
        If nothing that can be shown was given, or no sentence: a figure without one cannot be read by everybody, and
        cannot be checked.
    """
    figure = getattr(drawn, "figure", None)
    if not isinstance(figure, Figure):
        message = _(
            "plots.show takes what was drawn, such as ax of “fig, ax = plt.subplots()”; this is of type {type}."
        )
        raise LessonError(message.format(type=type(drawn).__name__))
    sentence = sentence or getattr(figure, "_medlessons_caption", None)
    if not sentence:
        raise LessonError(_("This figure has no caption: call plots.show(figure, 'One sentence on what it shows.')."))
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    plt.close(figure)
    display(
        {"image/png": picture.getvalue(), "text/plain": describe(figure)},
        metadata={"image/png": {"alt": sentence}},
        raw=True,
    )
    print(_("Figure:"), sentence)
