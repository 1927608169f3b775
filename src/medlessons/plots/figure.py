"""The style of the figures, their captions, and how they are shown."""

import io

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# The palette of Okabe and Ito (2008), made for readers with any kind of colour vision.
ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK, BLACK = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#000000",
)

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


def _figure(drawn: Axes | Figure) -> Figure:
    return drawn if isinstance(drawn, Figure) else drawn.figure


def caption(drawn: Axes | Figure, sentence: str) -> None:
    """Attach the sentence that says what a figure shows; :func:`show` uses it."""
    _figure(drawn)._medlessons_caption = sentence


def show(drawn: Axes | Figure, sentence: str | None = None) -> None:
    """Display a figure, print its caption, and close it.

    The sentence is the caption, the alternative text of the picture (for screen readers), and what the strict
    validation of the notebooks compares: pictures themselves are not compared.

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
        {"image/png": picture.getvalue(), "text/plain": "<Figure>"},
        metadata={"image/png": {"alt": sentence}},
        raw=True,
    )
    print(f"Figure: {sentence}")
