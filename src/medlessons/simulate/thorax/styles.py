"""Acquisition styles: how one hospital's machine makes its images differ from another's."""

from dataclasses import dataclass

import numpy as np

from medlessons.errors import LessonError

CORNERS = ("top left", "top right", "bottom left", "bottom right")
# A side letter lies beside that side of the patient, who faces the reader: R (or D, dexter) on the left of the image.
SIDE_OF_LETTER = {"R": "left", "D": "left", "L": "right"}


@dataclass(frozen=True)
class Style:
    """How one department takes and shows its images.

    Attributes
    ----------
    name : str
    marker : str
        Letters burnt into the image; empty for none.
    marker_corner : str
        One of ``top left``, ``top right``, ``bottom left``, ``bottom right``.
    marker_size : float
        Height of the letters as a fraction of the image.
    marker_box : bool
        Whether the letters stand in a bright box (dark on bright).
    border : float
        Width of an empty frame, as a fraction of the image.
    border_level : int
        Grey level of the frame (0 black, 255 white).
    collimation : float
        How far the beam is narrowed beyond the film, as a fraction of the image; outside it stays nearly unexposed.
    sharpness : float
        Gain of the edge enhancement, 0 (none) to 1.5.
    blur : float
        Detector and focus blur (mm, standard deviation).
    exposure : float
        Photons relative to a well exposed digital image; less gives more noise.
    scatter : float
        Scattered by primary radiation behind a mean chest, 0 to 1.
    centre, width : float
        Display window: shift of its middle (0 is the default, + darker) and factor on its width.
    gamma : float
        Bend of the display curve; above 1 gives dark lungs.
    fog : float
        Grey that lies over the whole film, as a fraction of white: old film, low contrast.
    aspect : float
        Width by height of the film's field, before it is made square.
    field : float
        Factor on the size of the field; below 1 is cropped close, above 1 shows air around the patient.
    """

    name: str
    marker: str = "L"
    marker_corner: str = "top right"
    marker_size: float = 0.045
    marker_box: bool = False
    border: float = 0.0
    border_level: int = 0
    collimation: float = 0.0
    sharpness: float = 0.5
    blur: float = 0.35
    exposure: float = 1.0
    scatter: float = 0.25
    centre: float = 0.0
    width: float = 1.0
    gamma: float = 1.0
    fog: float = 0.0
    aspect: float = 1.0
    field: float = 1.0


STYLES = {
    style.name: style
    for style in (
        Style("A"),
        Style("B", "R", "top left", 0.06, True, sharpness=0.9, gamma=1.25, width=0.9, field=0.94),
        Style(
            "C",
            "L",
            "bottom right",
            0.05,
            border=0.03,
            collimation=0.03,
            blur=0.8,
            scatter=0.45,
            width=1.15,
            sharpness=0.2,
        ),
        Style(
            "D",
            "PORTABLE",
            "top left",
            0.03,
            exposure=0.35,
            scatter=0.6,
            width=1.2,
            gamma=0.85,
            sharpness=0.1,
        ),
        Style("E", "", sharpness=1.3, width=0.8, gamma=1.1, field=1.05, exposure=1.5),
        Style("F", "D", "top left", 0.07, border=0.02, border_level=255, blur=0.6, aspect=1.2, gamma=0.9),
    )
}


def draw_style(rng: np.random.Generator) -> Style:
    """Draw a style that no listed hospital has: for a training set that should fit any hospital."""
    marker = str(rng.choice(["", "", "L", "R", "L", "D", "R", "B", "E", "K", "CR", "DX", "ROOM 2"]))
    corners = [corner for corner in CORNERS if SIDE_OF_LETTER.get(marker, "") in corner]
    frame = rng.random() < 0.25
    return Style(
        name="drawn",
        marker=marker,
        marker_corner=str(rng.choice(corners)),
        marker_size=float(rng.uniform(0.025, 0.08)),
        marker_box=bool(rng.random() < 0.2),
        border=float(rng.uniform(0.01, 0.12)) if frame else 0.0,
        border_level=255 if rng.random() < 0.25 else 0,
        collimation=float(rng.uniform(0, 0.1)) if rng.random() < 0.3 else 0.0,
        sharpness=float(rng.uniform(0, 1.4)),
        blur=float(rng.uniform(0.2, 1.2)),
        exposure=float(np.exp(rng.uniform(-1.2, 0.5))),
        scatter=float(rng.uniform(0.1, 1.0)),
        centre=float(rng.normal(0, 0.12)),
        width=float(np.exp(rng.normal(0.05, 0.26))),
        gamma=float(np.exp(rng.normal(0, 0.25))),
        fog=float(rng.uniform(0, 0.45)) if rng.random() < 0.25 else 0.0,
        aspect=float(np.exp(rng.normal(0.05, 0.12))),
        field=float(np.exp(rng.normal(0.0, 0.09))),
    )


def find_style(style: str | Style) -> Style:
    """Return the style of that name, or the style itself."""
    if isinstance(style, Style):
        return style
    if style not in STYLES:
        raise LessonError(f"There is no style named {style!r}; choose one of {', '.join(STYLES)}, or give a Style.")
    return STYLES[style]
