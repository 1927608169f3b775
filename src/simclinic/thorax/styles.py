"""Acquisition styles: how one department's machine and habits make its images differ from another's.

The ranges of :func:`draw_style` follow what ``scripts/measure_films.py`` finds in three published collections.
"""

from dataclasses import dataclass, replace

import numpy as np

from simclinic.errors import LessonError
from simclinic.thorax.projection import VIEWS

CORNERS = ("top left", "top right", "bottom left", "bottom right")
# A side letter lies beside that side of the patient, who faces the reader: R (or D, dexter) on the left of the image.
SIDE_OF_LETTER = {"R": "left", "D": "left", "L": "right", "S": "right"}
UNEVEN = 0.15  # largest unevenness of a drawn style


@dataclass(frozen=True)
class Mark:
    """Something that is written on a film.

    Attributes
    ----------
    text : str
        Lines are parted by a line feed.
    corner : str
        The corner that it is next to: ``top left``, ``top right``, ``bottom left`` or ``bottom right``.
    size : float
        Height of its capitals as a fraction of the image.
    kind : str
        One of :data:`lettering.KINDS`.
    inset : tuple of float
        Distance from that corner, across and down, as fractions of the image.
    turn : int
        Degrees, anticlockwise.
    font : str
        ``bold``, ``plain`` or ``serif``.
    views : tuple of str
        The views on whose films it is written.
    """

    text: str
    corner: str
    size: float
    kind: str = "plain"
    inset: tuple[float, float] = (0.02, 0.02)
    turn: int = 0
    font: str = "bold"
    views: tuple[str, ...] = VIEWS


@dataclass(frozen=True)
class Style:
    """How one department takes and shows its images.

    Attributes
    ----------
    name : str
    marker : str
        Letters of the side marker; empty for none.
    marker_corner, marker_size, marker_kind, marker_inset, marker_turn, marker_font
        As in :class:`Mark`.
    notes : tuple of Mark
        What else is written on the film.
    shutters : tuple of float
        How much of the film is hidden at the top, the bottom, the left and the right, as a fraction of the image.
    shutter_turn : float
        How far this frame is turned (degrees).
    shutter_level : float
        Its gray, as a fraction of white: 0 is a black frame, above 0.8 a part that the beam did not reach.
    sharpness : float
        Gain of the edge enhancement, 0 (none) to 1.
    equalised : float
        How much of the wide differences of brightness the display takes out, so that lungs and abdomen both show
        detail: 0 (film) to 0.6 (a digital department).
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
    fog, white : float
        Darkest and brightest gray of the display, as fractions of white.
    aspect : float
        Width by height of the film's field, before it is made square.
    field : float
        Factor on the size of the field; below 1 is cropped close, above 1 shows air around the patient.
    unsteady : float
        How much framing, exposure and marker change from image to image, 0 (not at all) to 1.
    uneven : float
        Smooth differences of exposure that the body does not explain (the heel of the anode, a grid out of line,
        folds of bedding), another one on each image: standard deviation, about, as a share of the display window.
    automatic : float
        How far the display window of a frontal image follows the image itself, 0 (set for the patient's build) to 1
        (its middle is stretched from dark to bright, whatever it holds: a hazy lung is then nearly as dark as a
        clear one).
    """

    name: str
    marker: str = "L"
    marker_corner: str = "top right"
    marker_size: float = 0.04
    marker_kind: str = "plain"
    marker_inset: tuple[float, float] = (0.02, 0.02)
    marker_turn: int = 0
    marker_font: str = "bold"
    notes: tuple[Mark, ...] = ()
    shutters: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    shutter_turn: float = 0.0
    shutter_level: float = 0.0
    sharpness: float = 0.4
    equalised: float = 0.2
    blur: float = 0.35
    exposure: float = 1.0
    scatter: float = 0.35
    centre: float = 0.0
    width: float = 1.0
    gamma: float = 1.0
    fog: float = 0.01
    white: float = 0.9
    aspect: float = 1.0
    field: float = 1.0
    unsteady: float = 0.0
    uneven: float = 0.0
    automatic: float = 0.0

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All that is written on the film."""
        if not self.marker:
            return self.notes
        place = (self.marker_corner, self.marker_size, self.marker_kind, self.marker_inset)
        return (Mark(self.marker, *place, self.marker_turn, self.marker_font), *self.notes)


STYLES = {
    style.name: style
    for style in (
        Style("A"),
        Style("B", "R", "top left", 0.05, "plate", sharpness=0.6, gamma=1.25, width=0.9, field=0.94),
        Style(
            "C",
            "L\nMK",
            "top right",
            0.05,
            "lead",
            marker_turn=65,
            shutters=(0.03, 0.0, 0.02, 0.0),
            shutter_turn=1.2,
            blur=0.8,
            scatter=0.6,
            width=1.15,
            sharpness=0.2,
        ),
        Style(
            "D",
            "L",
            "top right",
            0.03,
            "disc",
            notes=(
                Mark("PORTABLE", "top left", 0.02, "outlined", views=("AP",)),
                Mark("AP", "top left", 0.02, "outlined", (0.05, 0.07), views=("AP",)),
                Mark("", "bottom left", 0.05, "arrow", (0.03, 0.2), views=("AP",)),
            ),
            exposure=0.4,
            scatter=0.8,
            width=1.2,
            gamma=0.85,
            sharpness=0.2,
            aspect=1.2,
        ),
        Style("E", "", sharpness=0.9, equalised=0.5, width=0.85, gamma=1.1, field=1.05, exposure=1.5),
        Style("F", "D", "top left", 0.04, "ring", blur=0.6, aspect=1.2, gamma=0.9, fog=0.12, equalised=0.0),
    )
}


def draw_style(rng: np.random.Generator) -> Style:
    """Draw a style that no listed department has: for a training set that should fit any hospital.

    Three kinds of departments, as different as the three collections that were measured: a large digital one, many
    small ones whose cases are published on the web, and one for children.
    """
    kind = str(rng.choice(["digital", "web", "children"], p=[0.52, 0.36, 0.12]))
    side = str(rng.choice(["L", "R"], p={"digital": [0.85, 0.15], "web": [0.6, 0.4], "children": [0.04, 0.96]}[kind]))
    if kind == "web" and rng.random() < 0.2:
        side = {"L": "S", "R": "D"}[side]
    drawn = {"digital": _digital, "web": _web, "children": _children}[kind](rng, side)
    hidden = 0.04 if kind == "children" else 0.13
    shutters = [0.003 + 0.09 * float(rng.random()) ** 4 if rng.random() < hidden else 0.0 for _ in range(4)]
    if kind == "digital" and rng.random() < 0.6:  # the last rows of most of their images are black
        shutters[1] = max(shutters[1], 0.004)
    return replace(
        Style(
            name="drawn",
            shutters=tuple(shutters),
            shutter_turn=float(rng.normal(0, 1.5)) if max(shutters) > 0.02 else 0.0,
            shutter_level=float(rng.uniform(0.8, 0.95)) if rng.random() < 0.25 and shutters[1] != 0.004 else 0.0,
            sharpness=float(rng.uniform(0.1, 1.0)),
            blur=float(rng.uniform(0.15, 0.6)),
            scatter=float(rng.uniform(0.5, 1.8)),
            unsteady=float(rng.uniform(0.5, 1.0)),
            marker_corner=f"{'top' if rng.random() < 0.88 else 'bottom'} {SIDE_OF_LETTER[side]}",
            uneven=float(rng.uniform(0, UNEVEN)),
            automatic=float(rng.uniform(0.2, 1.0)),
        ),
        **drawn,
    )


def _digital(rng: np.random.Generator, side: str) -> dict:
    """Draw a large department: letters of lead with initials, as they fell; mobile films with words and an arrow."""
    kind = str(rng.choice(["lead", "plate", "disc", "outlined"], p=[0.68, 0.1, 0.16, 0.06]))
    initials = "".join(rng.choice(list("ABCDEFGHKLMNPRSTVW"), int(rng.integers(2, 4))))
    found = {
        "marker": f"{side}\n{initials}" if kind == "lead" and rng.random() < 0.7 else side,
        "marker_kind": kind,
        "marker_size": float(rng.uniform(0.03, 0.065)) * (0.55 if kind in ("disc", "outlined") else 1.0),
        "marker_font": str(rng.choice(["bold", "plain"], p=[0.4, 0.6])),
        "marker_turn": int(rng.choice([0, 5, -10, 30, 50, 75, 90, -45, -75])) if kind == "lead" else 0,
        "marker_inset": (float(rng.uniform(0.01, 0.12)), float(rng.uniform(0.01, 0.12))),
        "equalised": float(rng.uniform(0.0, 0.25)),
        "exposure": float(np.exp(rng.uniform(0.2, 2.0))),
        "centre": float(rng.normal(0, 0.12)),
        "width": float(np.exp(rng.normal(0.15, 0.22))),
        "gamma": float(np.exp(rng.normal(0, 0.2))),
        "fog": float(rng.uniform(0, 0.035)),
        "white": float(rng.uniform(0.88, 1.0)),
        "aspect": float(rng.choice([0.84, 1.0, 1.2])) * float(np.exp(rng.normal(0, 0.02))),
        "field": float(np.exp(rng.normal(0.0, 0.07))),
    }
    if rng.random() < 0.8:  # its mobile units write on their films
        down = float(rng.uniform(0.02, 0.12))
        corner = str(rng.choice(CORNERS, p=[0.5, 0.25, 0.2, 0.05]))
        size = float(rng.uniform(0.015, 0.021))
        words = [Mark("PORTABLE", corner, size, "outlined", (float(rng.uniform(0, 0.25)), down))]
        words.append(Mark("AP", corner, size, "outlined", (float(rng.uniform(0, 0.3)), down + 0.06)))
        if rng.random() < 0.3:
            inset = (float(rng.uniform(0.02, 0.3)), float(rng.uniform(0.02, 0.4)))
            words.append(Mark("", str(rng.choice(["top left", "bottom left"])), 0.038, "arrow", inset))
        found["notes"] = tuple(replace(word, views=("AP",)) for word in words)
    if rng.random() < 0.06:
        inset = (found["marker_inset"][0] + 0.02, found["marker_inset"][1] + 0.16)
        found["notes"] = (*found.get("notes", ()), Mark("", f"top {SIDE_OF_LETTER[side]}", 0.03, "dot", inset))
    return found


WORDS = {
    "AP": ("AP", "AP ERECT", "SUPINE", "SUPINO", "MOBILE\nAP ERECT", "SEMI-ERECT", "SITTING", "PORTABLE", "A LETTO"),
    "PA": ("PA", "PA ERECT", "ERECT"),
}


def _web(rng: np.random.Generator, side: str) -> dict:
    """Draw one of many hospitals: some crop close and write nothing, some show films of another age."""
    old = rng.random() < 0.2
    kind = str(rng.choice(["plain", "box", "plate", "ring", "disc", "lead"], p=[0.55, 0.1, 0.07, 0.1, 0.06, 0.12]))
    found = {
        "marker": side if rng.random() < 0.7 else "",
        "marker_kind": kind,
        "marker_font": str(rng.choice(["bold", "plain", "serif"], p=[0.6, 0.3, 0.1])),
        "marker_size": float(rng.uniform(0.018, 0.05)),
        "marker_inset": (float(rng.uniform(0.0, 0.12)), float(rng.uniform(0.01, 0.2))),
        "equalised": float(rng.uniform(0.0, 0.4)) * (0.0 if old else 1.0),
        "exposure": float(np.exp(rng.uniform(-1.8, 1.0))),
        "centre": float(rng.normal(0.06, 0.14)),
        "width": float(np.exp(rng.normal(0.0, 0.22))),
        "gamma": float(np.exp(rng.normal(0.05, 0.2))),
        "fog": float(rng.uniform(0, 0.25) if old else rng.uniform(0, 0.1)),
        "white": float(rng.uniform(0.72, 1.02)),
        "aspect": float(np.exp(rng.normal(0.04, 0.11))),
        "field": float(np.exp(rng.normal(-0.14, 0.08))),
    }
    if old:
        found["blur"] = float(rng.uniform(0.4, 1.1))
        found["sharpness"] = 0.0
    corner, size = str(rng.choice(CORNERS)), float(rng.uniform(0.01, 0.025))
    inset = (float(rng.uniform(0.01, 0.08)), float(rng.uniform(0.01, 0.08)))
    kind = str(rng.choice(["plain", "outlined", "box"], p=[0.7, 0.1, 0.2]))
    found["notes"] = tuple(
        Mark(str(rng.choice(words)), corner, size, kind, inset, font="plain", views=(view,))
        for (view, words), often in zip(WORDS.items(), (0.5, 0.2), strict=True)
        if rng.random() < often
    )
    return found


def _children(rng: np.random.Generator, side: str) -> dict:
    """Draw a department for children: a wide film, air at both sides, a plain letter at the left."""
    size = float(rng.uniform(0.025, 0.06))
    inset = (float(rng.uniform(0.0, 0.1)), float(rng.uniform(0.01, 0.35)))
    found = {
        "marker": side,
        "marker_font": str(rng.choice(["plain", "bold", "serif"], p=[0.6, 0.2, 0.2])),
        "marker_size": size,
        "marker_corner": f"top {SIDE_OF_LETTER[side]}",
        "marker_inset": inset,
        "equalised": float(rng.uniform(0.3, 0.7)),
        "exposure": float(np.exp(rng.uniform(-1.0, 1.0))),
        "centre": float(rng.normal(0, 0.1)),
        "width": float(np.exp(rng.normal(-0.15, 0.15))),
        "gamma": float(np.exp(rng.normal(0, 0.15))),
        "fog": float(rng.uniform(0, 0.03)),
        "white": float(rng.uniform(0.78, 0.95)),
        "aspect": float(np.exp(rng.normal(0.18, 0.1))),
        "field": float(np.exp(rng.normal(-0.06, 0.07))),
    }
    if rng.random() < 0.2:
        found["notes"] = (Mark("A-P", "top left", 0.8 * size, "plain", (inset[0], inset[1] + 0.08), 0, "serif"),)
    elif rng.random() < 0.2:
        figures = f"KV:{rng.integers(52, 66)}\nmA:{rng.integers(16, 40)}0\nmAs:{rng.integers(12, 30) / 10}"
        found["notes"] = (Mark(figures, "top right", 0.014, "plain", (0.0, 0.01), 0, "plain"),)
    return found


def of_one_image(style: Style, rng: np.random.Generator) -> tuple[Style, tuple[float, float]]:
    """Return the style of one image, and how far the film was off (fractions of its height, across and up)."""
    z = (style.unsteady * rng.standard_normal(8)).tolist()
    if not style.unsteady:
        return style, (0.0, 0.0)
    corner = style.marker_inset
    one = replace(
        style,
        centre=style.centre + 0.06 * z[0],
        width=style.width * float(np.exp(0.06 * z[1])),
        field=style.field * float(np.exp(0.035 * z[2])),
        marker_inset=(abs(corner[0] + 0.015 * z[3]), abs(corner[1] + 0.02 * z[4])),
        marker_turn=round((style.marker_turn + (8 * z[5] if style.marker_kind == "lead" else 0)) / 5) * 5,
    )
    return one, (0.03 * z[6], 0.065 * z[7])


def find_style(style: str | Style) -> Style:
    """Return the style of that name, or the style itself."""
    if isinstance(style, Style):
        return style
    if style not in STYLES:
        raise LessonError(f"There is no style named {style!r}; choose one of {', '.join(STYLES)}, or give a Style.")
    return STYLES[style]
