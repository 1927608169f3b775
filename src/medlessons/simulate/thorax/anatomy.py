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
GENERATIONS = 5  # of the vessels that are drawn one by one; smaller ones are a texture
NODES = 34  # points on the middle line of a rib
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
        Size of the body relative to a mean adult (0.42 at birth to about 1.1).
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
    rib_slope, kyphosis, scoliosis, aorta, mediastinum, right_dome, stomach_air, vessel_calibre, bone : float
        How far the ribs fall towards the front (cm); curve of the back (cm); sideways curve of the spine (cm);
        radius of the aorta (cm); half-width of the mediastinum (cm); how much higher the right dome stands (cm);
        radius of the stomach bubble (cm); factors on the width of the vessels and on the mass of the bones.
    colon_air : (float, float, float)
        Where gas lies in the colon, across and up, and its radius (cm).
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
    colon_air: tuple[float, float, float]
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
        raise LessonError(f"A patient's seed must be a whole number that is not negative, but it is {seed!r}.")
    if sex not in (None, "F", "M"):
        raise LessonError(f"sex is {sex!r}, but it must be 'F', 'M' or None (drawn from the seed).")
    rng = np.random.default_rng([int(seed), 1])
    drawn_age = float(np.clip(rng.normal(50, 19), 18, 95))
    drawn_sex = "F" if rng.random() < 0.46 else "M"
    z = rng.normal(size=16).tolist()  # plain floats keep the images' arithmetic in single precision
    u = rng.random(4).tolist()
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
        heart_axis=float(np.clip(0.68 + 0.12 * z[5] - 0.12 * child, 0.3, 0.95)),
        breast=float(np.clip(0.5 + 0.22 * z[6], 0.08, 1)) if woman else 0.0,
        rib_slope=float(np.clip(7.0 + 1.2 * z[7] - 4.0 * child, 1.5, 10)),
        kyphosis=float(np.clip(1.2 + 0.02 * max(age - 45, 0) + 0.4 * z[8] - 0.8 * child, 0, 4)),
        scoliosis=0.5 * z[9],
        aorta=(1.25 + 0.008 * max(age - 40, 0) + 0.1 * z[10]) * (1 - 0.2 * child),
        mediastinum=2.5 + 0.2 * z[11] + 1.0 * float(np.clip((4 - age) / 4, 0, 1)),
        right_dome=float(np.clip(1.5 + 0.6 * z[12], 0.2, 3)),
        stomach_air=1.2 + 1.9 * u[0],
        colon_air=(-1 + 12 * u[1], -22 + 8 * u[2], 0.8 + u[3]),
        vessel_calibre=float(np.exp(0.14 * z[13])),
        bone=float(np.clip(1.0 + 0.12 * z[14] - 0.006 * max(age - 55, 0), 0.55, 1.3)) * (1 - 0.25 * child),
    )


# Shape of the trunk. All of these are plain functions of height, so that a ray's path has a closed form.


def cage(patient: Patient, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return half-width, half-depth and front-back centre of the rib cage's inside at the heights ``z`` (cm)."""
    h = np.clip((z - FLOOR) / (APEX - FLOOR), 0, 1)
    up = np.maximum(h - 0.25, 0) / 0.75
    width = patient.half_width * np.sqrt(1 - up * up * up * np.sqrt(up)) * (0.94 + np.minimum(0.24 * h, 0.06))
    up = np.maximum(h - 0.28, 0) / 0.72
    square = up * up
    depth = patient.half_depth * np.sqrt((1 - 0.85 * square) * (1 - square * square * square * square))
    return width, depth, spine_y(patient, z) + depth - 2.0


def spine_y(patient: Patient, z: np.ndarray) -> np.ndarray:
    """Return how far to the back the vertebral bodies lie at the heights ``z`` (cm): the curve of the back."""
    return -patient.half_depth + 2.0 + patient.kyphosis * (np.clip(z + 2, -14, 16) / 13.0) ** 2


def spine_x(patient: Patient, z: np.ndarray) -> np.ndarray:
    """Return the sideways position of the spine at the heights ``z`` (cm)."""
    t = np.clip(z / 14.0, -1.5, 1.5)
    return patient.scoliosis * (1 - t * t)


def skin(patient: Patient, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return half-width, half-depth and front-back centre of the trunk's skin at the heights ``z`` (cm)."""
    fat = patient.fat
    chest = patient.half_width + fat + 0.9
    shoulder = patient.half_width + 3.0 + 0.5 * fat
    neck = 5.0 + 0.45 * fat
    rise = _step((z - 2.0) / 8.0)
    slope = _step((z - 10.5) / 7.5)
    waist = np.clip((-11 - z) / 10, 0, 1)
    width = chest + (shoulder - chest) * rise
    width = width + (neck - width) * slope - waist * (2.6 - fat)
    _, inner, centre = cage(patient, np.clip(z, FLOOR, 7.0))
    top = _step((z - 4.0) / 12.0)
    depth = inner + 0.7 * fat + 1.3
    depth = depth + (9.0 + 0.5 * fat - depth) * top + waist * 0.35 * fat
    centre = centre - 0.4 + 0.25 * fat * waist
    return width, depth, centre + (spine_y(patient, z) + 5.0 - centre) * top


def _step(t: np.ndarray) -> np.ndarray:
    """Rise smoothly from 0 (t <= 0) to 1 (t >= 1)."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


@dataclass(frozen=True)
class Dome:
    """One half of the diaphragm: four quarters of a paraboloid with one common top (cm).

    ``z = top - k_side (x - x0)^2 - k_depth (y - y0)^2``; ``k_side`` differs towards the middle (inner) and the
    side (outer), ``k_depth`` towards the back and the front, where the dome falls least.
    """

    top: float
    x0: float  # distance from the midline
    y0: float
    inner: float
    outer: float
    back: float
    front: float


def dome(patient: Patient, side: int, inspiration: float, flat: float = 0.0, lift: float = 0.0) -> Dome:
    """Return the dome of one side (+1 left, -1 right).

    ``inspiration`` is 1 when full; each 0.1 less lifts the dome by 8 mm. ``flat`` (0 to 1) presses it down and
    flattens it, as in emphysema; ``lift`` (cm) raises one side.
    """
    top = -8.0 + (patient.right_dome if side < 0 else 0.0) + 8.0 * (1 - inspiration) - 3.0 * flat + lift
    bend = 1 - 0.75 * flat
    return Dome(top, 0.48 * patient.half_width, 2.0, 0.014 * bend, 0.105 * bend, 0.066 * bend, 0.045 * bend)


def heart_radius(patient: Patient, factor: float = 1.0) -> float:
    """Return half of the heart's width (cm) that gives the patient's cardiothoracic ratio on a PA view."""
    return patient.cardiothoracic_ratio * patient.half_width * factor


# Skeleton and vessels.


@dataclass(frozen=True)
class Rods:
    """Curved hollow rods: middle lines (n, s, 3), half axes of the section (n, s, 3) and mass of the wall (n,)."""

    centre: np.ndarray
    tall: np.ndarray
    flat: np.ndarray
    mass: np.ndarray


def _rods(centre, tall, flat, mass) -> Rods:
    shape = centre.shape
    return Rods(
        *(
            np.broadcast_to(a, s).astype(np.float32)
            for a, s in ((centre, shape), (tall, shape), (flat, shape), (mass, shape[:1]))
        )
    )


def _front_bones(patient: Patient) -> list[np.ndarray]:
    """Return middle lines, half axes and mass of the sternum, the right and the left clavicle."""
    s = np.linspace(0, 1, NODES)
    z = 9.3 - 15.5 * s
    _, depth, centre = cage(patient, z)
    sternum = np.stack([0 * s, centre + depth + 0.7, z], -1)
    front, reach, bow = sternum[0, 1], patient.half_width + 1.5, np.sin(2 * np.pi * s)
    left = np.stack([1.7 + reach * s, front + 0.5 + bow - (front + 3.0) * s, 8.8 + 2.8 * s + 0.35 * bow], -1)
    lines = np.stack([sternum, left * [-1, 1, 1], left])
    tall = np.array([[1.6, 0, 0], [0, 0, 0.55], [0, 0, 0.55]])[:, None]
    flat = np.array([[0, 0.5, 0], [0, 0.55, 0], [0, 0.55, 0]])[:, None]
    axes = (np.broadcast_to(axis, lines.shape) for axis in (tall, flat))
    return [lines, *axes, np.array([0.028, 0.055, 0.055])]


@lru_cache(maxsize=16)
def long_bones(patient: Patient) -> Rods:
    """Return the twelve pairs of ribs (right side first, from the top down), the sternum and the clavicles.

    A rib starts beside its vertebra, runs back and down along the cage and turns to the front. The first ribs are
    short loops around the apex; the last two float and end at the side.
    """
    number = np.arange(RIB_PAIRS)[:, None]
    reach = np.where(number < 7, 0.84, np.where(number < 10, 0.80 - 0.05 * (number - 6), 0.45 - 0.1 * (number - 10)))
    phi = np.pi * reach * np.linspace(0.05, 1, NODES)[None, :]
    fall = patient.rib_slope * (0.5 + 0.5 * np.minimum(number / 4, 1))
    z = APEX - 0.4 - 0.955 * VERTEBRA * number - fall * 0.5 * (1 - np.cos(phi)) - 0.5 * np.sin(phi) * (number > 0)
    width, depth, centre = cage(patient, np.clip(z, FLOOR, APEX - 1.6))
    x, y = (width + 0.4) * np.sin(phi), centre - (depth + 0.4) * np.cos(phi)
    normal = np.stack([np.sin(phi) * depth, -np.cos(phi) * width, 0 * z], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    top_ribs = np.clip(1 - number / 2.5, 0, 1)[..., None]  # the first ribs lie flat
    up = np.array([0.0, 0.0, 1.0])
    tall = (1 - 0.75 * top_ribs) * up + 0.75 * top_ribs * normal
    thin = (1 - 0.75 * top_ribs) * normal - 0.75 * top_ribs * up
    size = (0.56 + 0.16 * np.linspace(0, 1, NODES))[None, :, None] * (1 - 0.03 * number[..., None])
    tall, thin = tall * size, thin * 0.30
    flip = np.array([-1.0, 1, 1])
    left = np.stack([x, y, z], -1)
    both = [np.concatenate([a * flip, a]) for a in (left, tall, thin)] + [np.full(2 * RIB_PAIRS, 0.046)]
    lines, tall, thin, mass = (np.concatenate(part) for part in zip(both, _front_bones(patient), strict=True))
    return _rods(lines, tall, thin, mass * patient.bone)


@lru_cache(maxsize=16)
def back_bones(patient: Patient) -> Rods:
    """Return the spinous processes and, for each vertebra, its two pedicles (short rods to the front)."""
    z = APEX - 1.2 - VERTEBRA * np.arange(RIB_PAIRS)[:, None]
    s = np.linspace(0, 1, 6)[None, :]
    fall = z - 2.4 * s
    spinous = np.stack([spine_x(patient, fall), spine_y(patient, fall) - 1.7 - 1.5 * s, fall], -1)
    up = z + 0.45 + 0 * s
    pedicles = [
        np.stack([spine_x(patient, up) + side * 1.25, spine_y(patient, up) - 2.2 + 1.0 * s, up], -1) for side in (-1, 1)
    ]
    lines = np.concatenate([spinous, *pedicles])
    tall = np.repeat([[0, 0.25, 0.45], [0, 0, 0.5], [0, 0, 0.5]], RIB_PAIRS, axis=0)[:, None]
    flat = np.repeat([[0.3, 0, 0]], 3 * RIB_PAIRS, axis=0)[:, None]
    return _rods(lines, tall, flat, np.repeat([0.025, 0.045, 0.045], RIB_PAIRS) * patient.bone)


@dataclass(frozen=True)
class Tubes:
    """Straight round tubes: start and end (n, 3) and radius (n,), in cm."""

    start: np.ndarray
    end: np.ndarray
    radius: np.ndarray
    stems: int  # the first ones are the thick ones near the hila


HILUM = {-1: (-3.3, -1.0, 0.4), 1: (3.4, -1.2, 1.4)}  # the left one stands higher


@lru_cache(maxsize=16)
def vessels(patient: Patient) -> Tubes:
    """Return the vessels of both lungs: a tree from each hilum that splits five times.

    The radius falls a little faster than by Murray's law, by which a split divides the cube of the radius
    (doi:10.1073/pnas.12.3.207).
    """
    rng = np.random.default_rng([patient.seed, 2])
    stems = 11
    side = np.repeat([-1.0, 1.0], stems)
    elevation = np.tile(np.linspace(-1.5, 1.2, stems), 2) + rng.normal(0, 0.12, 2 * stems)
    azimuth = rng.uniform(-1.3, 1.1, 2 * stems)
    flat = np.cos(elevation)
    direction = np.stack([side * flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], 1)
    position = np.repeat([HILUM[-1], HILUM[1]], stems, axis=0) + rng.normal(0, 0.55, (2 * stems, 3))
    radius = rng.uniform(0.36, 0.58, 2 * stems) * patient.vessel_calibre
    length = rng.uniform(2.0, 3.2, 2 * stems)
    pieces = []
    thick = 0
    for generation in range(GENERATIONS):
        if generation == 3:
            thick = sum(len(piece[0]) for piece in pieces)
        bend = rng.normal(0, 0.1, (2, *direction.shape))
        middle = position + (direction + bend[0]) * (0.5 * length[:, None])
        end = middle + (direction + bend[1]) * (0.5 * length[:, None])
        pieces += [(position, middle, radius), (middle, end, 0.93 * radius)]
        if generation == GENERATIONS - 1:
            break
        share = rng.uniform(0.3, 0.7, len(radius))
        turn = rng.normal(0, 1, direction.shape)
        turn -= (turn * direction).sum(1, keepdims=True) * direction
        turn /= np.sqrt((turn * turn).sum(1, keepdims=True))
        direction = np.concatenate([direction + turn * (1 - share)[:, None], direction - turn * share[:, None]])
        direction /= np.sqrt((direction * direction).sum(1, keepdims=True))
        # The thicker branch turns less.
        radius = np.concatenate([np.cbrt(share) * radius, np.cbrt(1 - share) * radius]) * 0.93
        length = np.tile(length, 2) * rng.uniform(0.76, 1.04, 2 * len(length))
        position, side = np.tile(end, (2, 1)), np.tile(side, 2)
        alive = in_lung(patient, position, side)
        position, direction, radius, length, side = (a[alive] for a in (position, direction, radius, length, side))
    start, end, radius = (np.concatenate(part).astype(np.float32) for part in zip(*pieces, strict=True))
    return Tubes(start, end, radius, thick)


def in_lung(patient: Patient, points: np.ndarray, side: np.ndarray, margin: float = 0.4) -> np.ndarray:
    """Return which points (n, 3) lie inside the lung of their side, ``margin`` cm away from its surface."""
    x, y, z = points.T
    width, depth, centre = cage(patient, z)
    width, depth = np.maximum(width - margin, 0.1), np.maximum(depth - margin, 0.1)
    d = dome(patient, -1, 1.0)
    floor = d.top - 0.07 * (np.abs(x) - d.x0) ** 2 - d.back * (y - d.y0) ** 2
    return ((x / width) ** 2 + ((y - centre) / depth) ** 2 < 1) & (z > floor) & (x * side > 1.2)
