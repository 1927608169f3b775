"""Gray levels from physics: relaxation times, sequences, contrast agent, and what a scanner adds."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from simclinic.brain.fields import Grid, Noise

CHANNELS = ("FLAIR", "T1w", "T1gd", "T2w")

# Proton density, T1 and T2 (ms) at 1.5 T. White, gray, fat, muscle: BrainWeb, gray T2 shortened from 83. Its T1 of
# fluid, 2569, would be null at an inversion time of 1710; scanners use 2250 to 2600. Measured: T1 4309 +- 147 and T2
# 1886 +- 68 in sulci at 3 T (PMC10696635), 4329 at 1.5 T (Rooney 2007), so it does not follow the field. 4000 makes
# the formula, which leaves out the echo train, null at the times that scanners use. The rows of tumors are chosen.
TISSUES = {
    "white": (0.77, 500, 70),
    "gray": (0.86, 833, 79),
    "fluid": (1.00, 4000, 1900),
    "edema": (0.92, 1200, 130),
    "solid": (0.92, 1350, 135),
    "necrosis": (0.97, 2900, 320),
    "rim": (0.90, 1150, 106),
    "gliosis": (0.90, 1100, 122),
    "vessel": (0.75, 1300, 40),
    "fat": (1.00, 350, 70),
    "bone": (0.12, 500, 40),
    "muscle": (0.80, 900, 47),
    "dura": (0.80, 1000, 75),
}
WATERY = ("fluid", "necrosis")  # their T1 is the same in every field
SLOWER_AT_3T = 1.22  # T1 of the others
GADOLINIUM = {
    "rim": (0.05, 0.9),
    "vessel": (1.0, 2.0),
    "necrosis": (0.0, 0.03),
    "solid": (0.0, 0.04),
    "dura": (0.1, 0.9),
}  # mM
RELAXIVITY = 4.5  # 1 / (s mM); the doses are in mM, from and to


@dataclass(frozen=True)
class Style:
    """How one hospital's scanner works."""

    name: str
    tesla: float  # 1.5 or 3
    flair: tuple[float, float]  # TR and TE, ms; the inversion time is the one that makes fluid dark
    t1: tuple[float, float, float]  # TR, TE and TI (0: no inversion), ms, with and without contrast agent
    t2: tuple[float, float]  # TR and TE, ms
    noise: tuple[float, float] = (0.03, 0.06)  # standard deviation relative to white matter, from and to
    shading: tuple[float, float] = (0.25, 0.40)  # how far brightness drifts across the head, from and to
    slices: float = 4.0  # thickness of the slices of FLAIR and T2w, mm
    unseen: bool = False  # kept for testing: no training set has it


STYLES = {
    style.name: style
    for style in (
        Style("A", 1.5, (9000, 115), (550, 12, 0), (4500, 95)),
        Style("B", 3.0, (9000, 125), (600, 10, 0), (5000, 95)),
        Style("C", 1.5, (10000, 100), (500, 14, 0), (4500, 100), noise=(0.05, 0.08), slices=5.0),
        Style("D", 3.0, (8500, 110), (700, 9, 0), (6000, 90), noise=(0.04, 0.06), shading=(0.30, 0.45), slices=3.0),
        Style("E", 1.5, (11000, 110), (450, 10, 0), (4500, 95), noise=(0.05, 0.08), slices=5.0),
        Style("Y", 3.0, (8000, 110), (2000, 3, 900), (5500, 100), noise=(0.04, 0.06), slices=2.0, unseen=True),
        Style("Z", 1.5, (8000, 100), (420, 16, 0), (3500, 105), (0.06, 0.09), (0.3, 0.5), slices=6.0, unseen=True),
    )
}


def signal(row: tuple[float, float, float], tr: float, te: float, ti: float = 0) -> float:
    """Return the signal of a tissue in a spin echo, or after an inversion in an inversion recovery.

    Parameters
    ----------
    row : tuple of float
        Proton density, T1 and T2 in ms.
    tr, te, ti : float
        Repetition, echo and inversion time in ms; without an inversion pulse ``ti`` is 0.

    Returns
    -------
    float
        Signed: before its null a tissue is negative.
    """
    density, t1, t2 = row
    recovered = 1 - 2 * np.exp(-ti / t1) + np.exp(-tr / t1) if ti else 1 - np.exp(-tr / t1)
    return density * recovered * np.exp(-te / t2)


def tissue_rows(tesla: float, dose: float | None = None) -> dict[str, tuple[float, float, float]]:
    """Return proton density, T1 and T2 of each tissue in a field, with contrast agent if a dose (0 to 1) is given."""
    rows = {}
    for name, (density, t1, t2) in TISSUES.items():
        if tesla > 2 and name not in WATERY:
            t1 = t1 * SLOWER_AT_3T
        if dose is not None and name in GADOLINIUM:
            low, high = GADOLINIUM[name]
            t1 = 1 / (1 / t1 + RELAXIVITY * (low + (high - low) * dose) / 1000)
        rows[name] = (density, t1, t2)
    return rows


def null_time(tr: float) -> float:
    """Return the inversion time (ms) at which fluid gives no signal."""
    t1 = TISSUES["fluid"][1]
    return t1 * np.log(2 / (1 + np.exp(-tr / t1)))


def draw_times(style: Style, rng: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """Return TR, TE and TI (ms) of one examination's sequences: protocols differ within a hospital, too."""
    tr, te = style.flair[0] * rng.uniform(0.9, 1.1), style.flair[1] * rng.uniform(0.9, 1.1)
    # Real ones, 9000/2250 and 10000/2600, are 5 % below and 6 % above the null.
    times = {"FLAIR": (tr, te, null_time(tr) * rng.uniform(0.95, 1.05))}
    tr, te, ti = (t * rng.uniform(0.88, 1.12) for t in style.t1)
    times["T1w"] = times["T1gd"] = (tr, te, ti)
    times["T2w"] = (style.t2[0] * rng.uniform(0.85, 1.15), style.t2[1] * rng.uniform(0.9, 1.1), 0.0)
    return times


def levels(style: Style, times: dict, dose: float, spread: np.ndarray) -> np.ndarray:
    """Return the signal of each tissue in each channel, (tissues, 4) in the order of TISSUES, white matter = 1.

    Tissues take up the least (``dose`` 0) to the most (1) contrast agent of their kind; ``spread`` (tissues, 2) is T1
    and T2 of this person relative to the table.
    """
    table = np.zeros((len(TISSUES), len(CHANNELS)))
    for column, channel in enumerate(CHANNELS):
        rows = tissue_rows(style.tesla, dose if channel == "T1gd" else None)
        for number, (row, (t1, t2)) in enumerate(zip(rows.values(), spread, strict=True)):
            table[number, column] = signal((row[0], row[1] * t1, row[2] * t2), *times[channel])
    return table / table[0]


def expose(clean: np.ndarray, grid: Grid, style: Style, rng: np.random.Generator, stripped: bool) -> np.ndarray:
    """Return the image, float32 of shape (x, y, z, 4), from the signals of the chosen voxels, (4, n), white matter = 1.

    A scanner adds slices, uneven brightness, a gain of its own and noise, in the air, too, unless ``stripped``.
    """
    step = grid.axes[2][1] - grid.axes[2][0]
    image = np.zeros((*grid.chosen.shape, 4), np.float32)
    gains, noises = np.exp(rng.normal(np.log(350), 0.4, 4)), rng.uniform(*style.noise, 4)
    for channel, name in enumerate(CHANNELS):
        level = clean[channel] * np.exp(0.5 * rng.uniform(*style.shading) * Noise(rng, 80.0).on(grid))
        if name in ("FLAIR", "T2w") and style.slices > 1.2 * step:
            level = ndimage.gaussian_filter1d(grid.fill(level), style.slices / 2.5 / step, axis=2)[grid.chosen]
        noise = np.random.default_rng(rng.integers(2**63)).standard_normal((2, *image.shape[:3]), np.float32)
        volume = np.hypot(grid.fill(level) + noises[channel] * noise[0], noises[channel] * noise[1])  # Rician
        image[..., channel] = gains[channel] * np.where(grid.chosen | (not stripped), volume, 0)
    return image
