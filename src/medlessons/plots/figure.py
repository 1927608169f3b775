"""The style of the figures, their captions, and how they are shown."""

import io
import warnings

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib import MatplotlibDeprecationWarning
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medlessons.plots.drawn import describe
from medlessons.plots.palette import BLACK, BLUE, GREEN, ORANGE, PINK, RED, SKY, YELLOW

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
# seaborn 0.13 still calls matplotlib 3.11 with an argument that will be renamed; a student can do nothing about it.
warnings.filterwarnings("ignore", "vert: bool was deprecated", MatplotlibDeprecationWarning)


def _figure(drawn: Axes | Figure) -> Figure:
    return drawn if isinstance(drawn, Figure) else drawn.figure


def caption(drawn: Axes | Figure, sentence: str) -> None:
    """Attach the sentence that says what a figure shows; :func:`show` uses it."""
    _figure(drawn)._medlessons_caption = sentence


def show(drawn: Axes | Figure, sentence: str | None = None) -> None:
    """Display a figure, print its caption, and close it.

    The sentence is the caption and the alternative text of the picture (for screen readers). Pictures themselves are
    not compared by the strict validation of the notebooks, but the sentence is, and with it what was drawn, as text
    (:func:`medlessons.plots.drawn.describe`), which is stored beside the picture.

    Parameters
    ----------
    drawn : matplotlib Axes or Figure
        What a plot function returned, or a figure of your own.
    sentence : str, optional
        A caption for a figure of your own. The plot functions of this package attach theirs.

    Raises
    ------
    ValueError
        If there is no sentence: a figure without one cannot be read by everybody, and cannot be checked.
    """
    figure = _figure(drawn)
    sentence = sentence or getattr(figure, "_medlessons_caption", None)
    if not sentence:
        raise ValueError("This figure has no caption: call plots.show(figure, 'One sentence on what it shows.').")
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    plt.close(figure)
    display(
        {"image/png": picture.getvalue(), "text/plain": describe(figure)},
        metadata={"image/png": {"alt": sentence}},
        raw=True,
    )
    print("Figure:", sentence)
