"""The patient: one body in three dimensions, drawn from one seed.

Coordinates are in centimetres, seen from the patient: ``x`` points to the patient's left, ``y`` to the front, ``z`` to
the head. The origin lies in the middle of the chest. Sizes are those of an adult; ``scale`` shrinks them for a child.

Everything that does not change between two visits is here. What changes (pose, inspiration, exposure) is in
:mod:`~medlessons.simulate.thorax.pose`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from medlessons.errors import LessonError

APEX, FLOOR = 13.5, -17.0  # top of the lungs and lower end of the rib cage in an adult (cm)
RIB_PAIRS = 12
VERTEBRA = 2.45  # height of a thoracic vertebra with its disc (cm)


@dataclass(frozen=True)
class Patient:
    """One simulated body. Lengths are in cm at adult scale; multiply by ``scale`` for the real length.

    Attributes
    ----------
    id : str
        Name of the patient, made from the seed.
    seed : int
    age : float
        Years.
    sex : str
        ``"F"`` or ``"M"``.
    scale : float
        Size of the body relative to a mean adult (0.42 at one year to about 1.1).
    half_width, half_depth : float
        Half of the inner width and of the inner depth of the rib cage at its widest (cm).
    fat : float
        Thickness of the chest wall outside the ribs (cm).
    cardiothoracic_ratio : float
        Width of the heart by the inner width of the chest, on a PA view in full inspiration.
    heart_axis : float
        Angle of the heart's long axis against the horizontal (radians).
    breast : float
        Size of the breasts, 0 (none) to 1.
    rib_slope, kyphosis, scoliosis, aorta, mediastinum, right_dome, stomach_air, vessel_calibre : float
        How far the ribs fall towards the front (cm); curve of the back (cm); sideways curve of the spine (cm);
        radius of the aorta (cm); half-width of the mediastinum (cm); how much higher the right dome stands (cm);
        radius of the stomach bubble (cm); factor on the width of the vessels.
    """

    id: str
    seed: int
    age: float
    sex: str
    scale: float
    half_width: float
    half_depth: float
    fat: float
    cardiothoracic_ratio: float
    heart_axis: float
    breast: float
    rib_slope: float
    kyphosis: float
    scoliosis: float
    aorta: float
    mediastinum: float
    right_dome: float
    stomach_air: float
    vessel_calibre: float
    bone: float


def draw_patient(
    seed: int, *, age: float | None = None, sex: str | None = None, cardiothoracic_ratio: float | None = None
) -> Patient:
    """Draw one patient. What is not given is drawn from the seed as well.

    Parameters
    ----------
    seed : int
        Not negative. The same seed gives the same body.
    age : float, optional
        Years, 0 to 100. Below 16 the body has a child's proportions.
    sex : {"F", "M"}, optional
    cardiothoracic_ratio : float, optional
        0.3 to 0.75. Drawn near 0.45 for adults and near 0.5 for small children.

    Returns
    -------
    Patient

    Raises
    ------
    LessonError
        If a value is outside its range.
    """
    if int(seed) != seed or seed < 0:
        raise LessonError(
            f"A patient's seed must be a whole number that is not negative, but it is {seed!r}."
        )
    if sex not in (None, "F", "M"):
        raise LessonError(f"sex is {sex!r}, but it must be 'F', 'M' or None (drawn from the seed).")
    rng = np.random.default_rng([int(seed), 1])
    drawn_age = float(np.clip(rng.normal(50, 19), 18, 95))
    drawn_sex = "F" if rng.random() < 0.46 else "M"
    z = rng.normal(size=16)
    u = rng.random(4)
    age = drawn_age if age is None else float(age)
    sex = drawn_sex if sex is None else sex
    if not 0 <= age <= 100:
        raise LessonError(f"age is {age:g}, but it must lie between 0 and 100 years.")
    if cardiothoracic_ratio is not None and not 0.3 <= cardiothoracic_ratio <= 0.75:
        raise LessonError(
            f"cardiothoracic_ratio is {cardiothoracic_ratio:g}, but it must lie between 0.3 and 0.75 "
            "(healthy adults have less than 0.5)."
        )
    child = float(np.clip((16 - age) / 16, 0, 1))
    adult_scale = (1.0 if sex == "M" else 0.93) * (1 + 0.04 * z[0])
    ctr = 0.44 + 0.0006 * max(age - 40, 0) + 0.06 * child + 0.028 * z[1]
    woman = sex == "F" and age > 12
    return Patient(
        id=f"P{int(seed):07d}",
        seed=int(seed),
        age=age,
        sex=sex,
        scale=adult_scale * (1 - 0.58 * child**1.3),
        half_width=13.0 * (1 + 0.05 * z[2]) * (1 + 0.04 * child),
        half_depth=9.0 * (1 + 0.07 * z[3]) * (1 + 0.15 * child + 0.0012 * max(age - 50, 0)),
        fat=float(np.clip(np.exp(0.85 + 0.4 * z[4]), 1.2, 6.5)) * (1 - 0.45 * child),
        cardiothoracic_ratio=float(np.clip(ctr, 0.34, 0.6))
        if cardiothoracic_ratio is None
        else float(cardiothoracic_ratio),
        heart_axis=float(np.clip(0.62 + 0.12 * z[5] - 0.12 * child, 0.3, 0.95)),
        breast=float(np.clip(0.5 + 0.22 * z[6], 0.08, 1)) if woman else 0.0,
        rib_slope=float(np.clip(7.0 + 1.2 * z[7] - 4.0 * child, 1.5, 10)),
        kyphosis=float(np.clip(1.2 + 0.02 * max(age - 45, 0) + 0.4 * z[8] - 0.8 * child, 0, 4)),
        scoliosis=0.5 * z[9],
        aorta=(1.25 + 0.008 * max(age - 40, 0) + 0.1 * z[10]) * (1 - 0.2 * child),
        mediastinum=2.5 + 0.2 * z[11] + 1.0 * float(np.clip((4 - age) / 4, 0, 1)),
        right_dome=float(np.clip(1.5 + 0.6 * z[12], 0.2, 3)),
        stomach_air=1.2 + 1.9 * u[0],
        vessel_calibre=float(np.exp(0.14 * z[13])),
        bone=float(np.clip(1.0 + 0.12 * z[14] - 0.006 * max(age - 55, 0), 0.55, 1.3)) * (1 - 0.25 * child),
    )


# ------------------------------------------------------------------------------------------------ shape of the trunk
def cage(patient: Patient, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return half-width, half-depth and front-back centre of the rib cage's inside at the heights ``z`` (all cm)."""
    h = np.clip((z - FLOOR) / (APEX - FLOOR), 0, 1)
    up = np.clip((h - 0.38) / 0.62, 0, 1)
    width = patient.half_width * np.sqrt(np.maximum(1 - up**2.6, 0)) * (0.95 + 0.05 * np.minimum(h / 0.38, 1))
    up = np.clip((h - 0.30) / 0.70, 0, 1)
    depth = (
        patient.half_depth * np.sqrt(np.maximum(1 - 0.88 * up**1.7, 0)) * np.sqrt(np.maximum(1 - up**9, 0))
    )
    return width, depth, spine_y(patient, z) + depth - 2.0


def spine_y(patient: Patient, z: np.ndarray) -> np.ndarray:
    """Return how far back the front of the spine's canal lies at the heights ``z`` (cm): the curve of the back."""
    return -patient.half_depth + 2.0 + patient.kyphosis * (np.clip(z + 2, -14, 16) / 13.0) ** 2


def spine_x(patient: Patient, z: np.ndarray) -> np.ndarray:
    """Return the sideways position of the spine at the heights ``z`` (cm)."""
    t = z / 14.0
    return patient.scoliosis * (1 - t * t)


def skin(patient: Patient, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return half-width, half-depth and front-back centre of the trunk's skin at the heights ``z`` (all cm)."""
    top = np.clip((z - 8.5) / 7.5, 0, 1)  # from the armpit up over the shoulders
    neck = np.clip((z - 14.5) / 3.0, 0, 1)
    belly = np.clip((-10 - z) / 10, 0, 1)
    trunk = patient.half_width + patient.fat + 0.8
    shoulder = (
        patient.half_width
        + 3.0
        + 0.8 * patient.fat
        + 3.5 * np.sin(np.pi * np.clip((z - 6) / 10, 0, 1) ** 0.8)
    )
    smooth = top * top * (3 - 2 * top)
    width = trunk * (1 - smooth) + shoulder * smooth
    width = width * (1 - neck) + (5.2 + 0.4 * patient.fat) * neck - 0.9 * belly * (4.0 - patient.fat)
    inner = cage(patient, np.minimum(z, 6.0))
    depth = inner[1] + 0.75 * patient.fat + 1.5
    centre = inner[2] - 0.4
    slope = np.clip((z - 6) / 11, 0, 1)
    depth = depth * (1 - slope) + 6.0 * slope + 0.35 * belly * patient.fat
    return (
        width,
        depth,
        centre * (1 - slope) + (spine_y(patient, z) + 2.6) * slope + 0.35 * belly * patient.fat,
    )


@dataclass(frozen=True)
class Dome:
    """One half of the diaphragm: ``z = top - kx (x - x0)^2 - ky (y - y0)^2`` (cm)."""

    top: float
    x0: float
    y0: float
    kx: float
    ky: float


def dome(patient: Patient, side: int, inspiration: float = 1.0, flat: float = 0.0) -> Dome:
    """Return the dome of one side (+1 left, -1 right).

    ``inspiration`` is 1 when full; each 0.1 less lifts the dome by about 6 mm. ``flat`` (0 to 1) presses it down and
    flattens it, as in emphysema.
    """
    top = -7.8 + (patient.right_dome if side < 0 else 0.0) + 6.0 * (1 - inspiration) - 3.2 * flat
    bend = 1 - 0.72 * flat
    return Dome(top, side * 0.50 * patient.half_width, 2.0, 0.115 * bend, 0.062 * bend)


# ------------------------------------------------------------------------------------------------------------ skeleton
@lru_cache(maxsize=16)
def ribs(patient: Patient, samples: int = 120) -> np.ndarray:
    """Return the middle lines of the ribs, shape (24, samples, 3), in cm: right side first, from the top down.

    Each rib starts beside its vertebra, runs back and down along the cage, and turns to the front. The first ribs
    are short loops around the apex; the last two float and end at the side.
    """
    number = np.arange(RIB_PAIRS)[:, None]
    reach = np.where(
        number < 7, 0.80, np.where(number < 10, 0.78 - 0.05 * (number - 6), 0.46 - 0.1 * (number - 10))
    )
    along = np.linspace(0.06, 1, samples)[None, :]
    phi = np.pi * reach * along
    start = APEX - 0.2 - VERTEBRA * number * 0.97
    fall = patient.rib_slope * (0.45 + 0.55 * np.minimum(number / 4, 1))
    z = start - fall * 0.5 * (1 - np.cos(phi)) - 1.2 * np.sin(phi) * (number > 0)
    width, depth, centre = cage(patient, np.clip(z, FLOOR, APEX - 2.2))
    x = (width + 0.35) * np.sin(phi)
    y = centre - (depth + 0.35) * np.cos(phi)
    right = np.stack([-x, y, z], axis=-1)
    left = np.stack([x, y, z], axis=-1)
    return np.concatenate([right, left])


@lru_cache(maxsize=16)
def vessels(patient: Patient) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the vessels of both lungs as short pieces: start (n, 3), end (n, 3) and radius (n,), in cm.

    The tree starts at the two hila and splits seven times. Each branch is drawn to a target inside its lung, so that
    the vessels fan out and reach into every lobe. The radius falls by Murray's law (each split divides the cube of
    the radius; Murray 1926, doi:10.1073/pnas.12.3.207).
    """
    rng = np.random.default_rng([patient.seed, 2])
    starts, ends, radii = [], [], []
    for side in (-1, 1):
        hilum = np.array([side * 3.4, -1.0, 1.6 if side > 0 else 0.6])
        n = 7
        elevation = np.linspace(-1.45, 1.15, n) + rng.normal(0, 0.12, n)
        azimuth = rng.uniform(-1.3, 1.2, n)
        direction = np.stack(
            [
                side * np.cos(elevation) * np.cos(azimuth),
                np.cos(elevation) * np.sin(azimuth),
                np.sin(elevation),
            ],
            1,
        )
        position = np.repeat(hilum[None], n, 0)
        radius = rng.uniform(0.42, 0.62, n) * patient.vessel_calibre
        length = np.full(n, 2.6)
        for _ in range(6):
            mid = position + direction * (0.5 * length[:, None]) + rng.normal(0, 0.12, position.shape)
            end = mid + (direction + rng.normal(0, 0.12, direction.shape)) * (0.5 * length[:, None])
            starts += [position, mid]
            ends += [mid, end]
            radii += [radius, 0.92 * radius]
            share = rng.uniform(0.35, 0.65, len(radius))
            radius = np.concatenate([radius * share ** (1 / 3), radius * (1 - share) ** (1 / 3)]) * 0.92
            turn = rng.normal(0, 1, direction.shape)
            turn -= (turn * direction).sum(1, keepdims=True) * direction
            turn /= np.linalg.norm(turn, axis=1, keepdims=True)
            angle = np.concatenate([0.75 * (1 - share), -0.75 * share])[:, None]
            direction = np.tile(direction, (2, 1)) + np.tile(turn, (2, 1)) * angle
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            position = np.tile(end, (2, 1))
            length = np.tile(length, 2) * rng.uniform(0.72, 1.0, 2 * len(length))
            inside = in_lung(patient, position, side)
            position, direction, radius, length = (v[inside] for v in (position, direction, radius, length))
    return (
        np.concatenate(starts).astype(np.float32),
        np.concatenate(ends).astype(np.float32),
        np.concatenate(radii).astype(np.float32),
    )


def in_lung(patient: Patient, points: np.ndarray, side: int, margin: float = 0.6) -> np.ndarray:
    """Return which points, shape (n, 3), lie inside the lung of one side, ``margin`` cm away from its surface."""
    x, y, z = points.T
    width, depth, centre = cage(patient, z)
    width, depth = np.maximum(width - margin, 0.1), np.maximum(depth - margin, 0.1)
    d = dome(patient, side)
    floor = d.top - d.kx * (x - d.x0) ** 2 - d.ky * (y - d.y0) ** 2
    return ((x / width) ** 2 + ((y - centre) / depth) ** 2 < 1) & (z > floor + margin) & (x * side > 1.5)
