"""The patient: one body in three dimensions, drawn from one seed.

Coordinates are in centimetres, seen from the patient: ``x`` points to the patient's left, ``y`` to the front, ``z`` to
the head. The origin lies in the middle of the chest. Sizes are those of an adult; ``scale`` shrinks them for a child.

Everything that does not change between two visits is here. What changes (pose, inspiration, exposure) is in
:mod:`~simclinic.thorax.pose`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator

from simclinic import arithmetic
from simclinic.errors import LessonError

APEX, FLOOR = 13.5, -17.0  # top of the lungs and lower end of the rib cage in an adult (cm)
RIB_PAIRS = 12
GENERATIONS = 5  # of the vessels that are drawn one by one; smaller ones are a texture
UP = np.array([0.0, 0.0, 1.0])
NODES = 24  # points on the middle line of a rib
DOME = -8.8  # top of the left half of the diaphragm in full inspiration
VERTEBRA = 2.45  # height of a thoracic vertebra with its disc (cm)


class Side(IntEnum):
    """A side of the patient; its number is its place in pairs."""

    RIGHT = 0
    LEFT = 1

    @property
    def sign(self) -> int:
        """Sign of ``x`` on this side."""
        return 1 if self is Side.LEFT else -1


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
    build : float
        From slender (negative; long lungs, upright heart) to stocky (positive; high domes), standard deviation 1.
    shoulders : float
        Half of the breadth across the shoulders (cm).
    collar : float
        How much higher than its inner end the outer end of a collar bone lies (cm).
    cardiothoracic_ratio : float
        Width of the heart by the inner width of the chest, on a PA view in full inspiration.
    heart_axis : float
        Angle of the heart's long axis against the horizontal (radians).
    breast : float
        Size of the breasts, 0 (none) to 1.
    rib_slope, kyphosis, scoliosis, aorta, mediastinum, right_dome, stomach_air, vessel_calibre, bone : float
        How far the ribs fall towards the front (cm); curve of the back (cm); sideways curve of the spine (cm);
        radius of the aorta (cm); half-width of the mediastinum (cm); how much higher the right dome stands (cm);
        radius of the stomach bubble (cm); factors on the width of the vessels and on the shadow of the bones (children
        are taken at a lower voltage, at which bones stand out).
    colon_air : float
        How much gas the bowel holds, 0 to 1.
    """

    id: str
    seed: int
    age: float
    sex: str
    scale: float
    half_width: float
    half_depth: float
    fat: float
    build: float
    shoulders: float
    collar: float
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
    colon_air: float
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
    z = rng.normal(size=18).tolist()  # plain floats keep the images' arithmetic in single precision
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
    ctr = 0.452 + 0.0006 * max(age - 40, 0) + 0.06 * child + 0.036 * z[1]
    woman = sex == "F" and age > 12
    fat = float(np.clip(np.exp(0.85 + 0.45 * z[4]), 1.0, 7.5)) * (1 - 0.45 * child)
    return Patient(
        id=f"P{int(seed):07d}",
        seed=int(seed),
        age=age,
        sex=sex,
        scale=adult_scale * (1 - 0.58 * child**1.3),
        half_width=13.0 * (1 + 0.06 * z[2] + 0.03 * z[16]) * (1 + 0.04 * child),
        half_depth=9.0 * (1 + 0.07 * z[3]) * (1 + 0.15 * child + 0.0012 * max(age - 50, 0)),
        fat=fat,
        build=z[16] + 0.3 * child,
        collar=2.8 + 1.4 * z[17],
        shoulders=(23.6 * (1 + 0.035 * z[15]) - 0.8 * woman + 0.7 * (fat - 2.4)) * (1 - 0.1 * child),
        cardiothoracic_ratio=float(np.clip(ctr, 0.34, 0.6))
        if cardiothoracic_ratio is None
        else float(cardiothoracic_ratio),
        heart_axis=float(np.clip(0.68 + 0.22 * z[5] - 0.12 * z[16] - 0.12 * child, 0.3, 1.1)),
        breast=float(np.clip(0.5 + 0.22 * z[6], 0.08, 1)) if woman else 0.0,
        rib_slope=float(np.clip(8.5 + 1.6 * z[7] - 1.0 * child, 3, 12)),
        kyphosis=float(np.clip(1.2 + 0.02 * max(age - 45, 0) + 0.4 * z[8] - 0.8 * child, 0, 4)),
        scoliosis=0.8 * z[9],
        aorta=(1.25 + 0.008 * max(age - 40, 0) + 0.15 * z[10]) * (1 - 0.2 * child),
        mediastinum=2.5 + 0.3 * z[11] + 1.0 * float(np.clip((4 - age) / 4, 0, 1)),
        right_dome=float(np.clip(1.5 + 0.8 * z[12], 0.2, 3)),
        stomach_air=max(0.4, 3.0 * u[0] - 0.2),
        colon_air=max(0.0, 1.5 * u[1] - 0.5),
        vessel_calibre=float(np.exp(0.14 * z[13])),
        bone=float(np.clip(1.0 + 0.12 * z[14] - 0.006 * max(age - 55, 0), 0.55, 1.3)) * (1 + 1.2 * child),
    )


# Shape of the trunk. All of these are plain functions of height, so that a ray's path has a closed form.


def _curve(at: tuple[float, ...], value: tuple[float, ...]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a smooth function through the points (``at`` rises), without overshoot; constant outside."""
    grid = np.linspace(at[0], at[-1], 257)
    table = np.maximum(PchipInterpolator(at, value)(grid), 0)
    return lambda t: np.interp(t, grid, table).astype(np.float32)


# Inside of the rib cage, as shares of its largest width and depth, by height (cm). The side walls are nearly straight
# and lean inwards; both apices are narrow and stand apart, 4 to 5 cm from the midline.
CAGE_WIDTH = _curve(
    (-17, -10, -5, 0, 4, 7, 9.5, 11.3, 12.5, 13.2, 13.6),
    (0.97, 1, 0.985, 0.93, 0.855, 0.775, 0.68, 0.575, 0.48, 0.4, 0.34),
)
CAGE_DEPTH = _curve((-17, -9, -2, 2, 6, 9, 11, 12.5, 13.2, 13.6), (0.96, 1, 0.99, 0.91, 0.79, 0.63, 0.47, 0.3, 0.18, 0))


def cage(patient: Patient, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return half-width, half-depth and front-back centre of the rib cage's inside at the heights ``z`` (cm)."""
    width, depth = patient.half_width * CAGE_WIDTH(z), patient.half_depth * CAGE_DEPTH(z)
    return width, depth, spine_y(patient, z) + depth - 2.0


def spine_y(patient: Patient, z: np.ndarray) -> np.ndarray:
    """Return how far to the back the vertebral bodies lie at the heights ``z`` (cm): the curve of the back."""
    return -patient.half_depth + 2.0 + patient.kyphosis * (np.clip(z + 2, -14, 16) / 13.0) ** 2


def spine_x(patient: Patient, z: np.ndarray) -> np.ndarray:
    """Return the sideways position of the spine at the heights ``z`` (cm)."""
    t = np.clip(z / 14.0, -1.5, 1.5)
    return patient.scoliosis * (1 - t * t)


# From the neck (0) to the chest (1): how far the trunk has widened, and how far it has deepened.
WIDENED = _curve((2, 7, 10, 13, 15.5, 18), (1, 0.93, 0.72, 0.36, 0.12, 0))
WAIST = _curve((-21, -16, -10, -4), (1, 0.85, 0.35, 0))
DEEPENED = _curve((-3, 4, 8, 11, 14), (1, 0.9, 0.74, 0.4, 0.05))
# Half-width of the shoulder girdle as a share of its greatest: the trapezius falls from the neck to the acromion.
SHOULDER_WIDTH = _curve(
    (-5.5, -1.5, 2.5, 6, 8, 9.8, 11.3, 12.7, 14.2, 16.2, 19),
    (0.74, 0.84, 0.95, 1, 0.985, 0.92, 0.78, 0.58, 0.41, 0.31, 0.28),
)
SHOULDER_DEPTH = _curve((-5.5, -3, 0.5, 4.5, 8, 12, 18), (0, 0.4, 0.78, 0.98, 1, 0.93, 0.95))


def skin(patient: Patient, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return half-width, half-depth and front-back centre of the skin of trunk and neck at the heights ``z`` (cm)."""
    fat = patient.fat
    chest, neck = patient.half_width + fat + 1.6, 5.6 + 0.4 * fat
    wider, deeper = WIDENED(z), DEEPENED(z)
    waist = WAIST(z)
    width = neck + (chest - neck) * wider - waist * (2.2 - 0.8 * fat)
    _, inner, centre = cage(patient, np.clip(z, FLOOR, 5.0))
    depth = inner + 0.7 * fat + 1.2 + waist * (0.5 * fat - 2.4)
    depth = 8.0 + 0.3 * fat + (depth - 8.0 - 0.3 * fat) * deeper
    centre = centre - 0.4 + 0.3 * fat * waist
    top = spine_y(patient, z) + 3.6
    return width, depth, top + (centre - top) * deeper


def shoulder_girdle(patient: Patient, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return half-width and half-depth of the shoulders with their muscles at the heights ``z`` (cm)."""
    z = z - 0.5 * (patient.collar - 2.8)
    return patient.shoulders * SHOULDER_WIDTH(z), (8.2 + 0.35 * patient.fat) * SHOULDER_DEPTH(z)


@dataclass(frozen=True)
class Dome:
    """One half of the diaphragm: four quarters of a smooth hill with one common top (cm).

    From the top it falls by ``inner (x0 - x)^2`` towards the middle, ``outer (x - x0)^3`` towards the side, where the
    costophrenic angle is deep and sharp, ``back (y0 - y)^2`` and ``front (y - y0)^2``.
    """

    top: float
    x0: float  # distance from the midline
    y0: float
    inner: float
    outer: float
    back: float
    front: float


def dome(patient: Patient, side: Side, inspiration: float, flat: float = 0.0, lift: float = 0.0) -> Dome:
    """Return the dome of one side.

    ``inspiration`` is 1 when full, and the dome then lies over the back of the tenth rib; each 0.1 less lifts it by
    8 mm. ``flat`` (0 to 1) presses it down and flattens it, as in emphysema; ``lift`` (cm) raises one side.
    """
    top = DOME + 1.1 * patient.build + (patient.right_dome if side == Side.RIGHT else 0.0)
    top = top + 8.0 * (1 - inspiration) - 3.0 * flat + lift
    bend = 1 - 0.75 * flat
    return Dome(top, 0.44 * patient.half_width, 2.0, 0.022 * bend, 0.0165 * bend, 0.066 * bend, 0.045 * bend)


# Mediastinum. Its outline is one line on either side: superior vena cava, right atrium and cardiophrenic angle on the
# right; aortic knob, pulmonary trunk, left atrial appendage and left ventricle on the left (Ellis, Clinical Anatomy,
# 11th edition, 2006, fig. 39).

# Great vessels: distance of either border from the midline by height (cm). At the top they give way to the apices.
VESSELS_RIGHT = _curve(
    (-12, -4, 0, 3, 4.2, 6, 9, 11, 12.3, 13.2, 13.8), (2, 2.3, 2.6, 2.6, 2.75, 2.35, 2.15, 2.4, 3.2, 4.1, 5)
)
VESSELS_LEFT = _curve(
    (-12, -4, 0, 2, 3.4, 5, 9, 11, 12.3, 13.2, 13.8), (2.2, 3, 3.9, 3.75, 3, 2.5, 2.3, 2.5, 3.2, 4.1, 5)
)
VESSELS_FRONT = _curve((-12, -4, 0, 3, 6, 9, 12, 15), (3, 4.5, 4.6, 3.7, 2.4, 2.6, 2.6, 1.5))
# Heart: distance of its borders from its axis, as shares of the greatest, by height: 0 where the great vessels leave
# it, 1 on the left dome. The apex dips into the dome.
HEART_RIGHT = _curve(
    (-0.14, -0.08, 0.05, 0.2, 0.35, 0.5, 0.63, 0.77, 0.9, 1, 1.15, 1.35, 1.45),
    (0, 0.34, 0.6, 0.74, 0.87, 0.965, 1, 0.97, 0.88, 0.8, 0.68, 0.42, 0),
)
HEART_LEFT = _curve(
    (-0.14, -0.08, 0.05, 0.2, 0.35, 0.5, 0.65, 0.78, 0.9, 1, 1.1, 1.2, 1.35, 1.45),
    (0, 0.22, 0.37, 0.49, 0.63, 0.78, 0.9, 0.97, 1, 0.985, 0.91, 0.77, 0.45, 0),
)
HEART_FRONT = _curve(
    (-0.14, -0.1, 0.05, 0.2, 0.4, 0.6, 0.8, 1.1, 1.35, 1.45), (0, 0.14, 0.28, 0.5, 0.78, 0.95, 1, 0.97, 0.7, 0)
)
HEART_BACK = _curve(
    (-0.14, -0.1, 0.05, 0.25, 0.45, 0.65, 0.85, 1.05, 1.35, 1.45), (0, 0.3, 0.6, 0.88, 1, 0.98, 0.85, 0.66, 0.4, 0)
)


@dataclass(frozen=True)
class Heart:
    """Place and size of the heart (cm): its height, its borders' greatest distances from the axis ``(x, y)``."""

    top: float  # where the great vessels leave
    floor: float  # height of the left dome's top, on which the apex rests
    x: float
    y: float
    right: float
    left: float
    front: float
    back: float
    droop: float  # exponent of the left border: above 1 it bulges low, below 1 it is round

    def borders(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the distances of the right, left, front and back border from the axis at the heights ``z`` (cm)."""
        share = (self.top - z) / (self.top - self.floor)
        left = np.float32(self.left) * arithmetic.power(HEART_LEFT(share), self.droop)
        others = ((self.right, HEART_RIGHT), (self.front, HEART_FRONT), (self.back, HEART_BACK))
        right, front, back = (np.float32(size) * outline(share) for size, outline in others)
        return tuple(np.maximum(border, np.float32(0.01)) for border in (right, left, front, back))


def heart(patient: Patient, inspiration: float, factor: float = 1.0, flat: float = 0.0) -> Heart:
    """Return the heart. On a PA view its width gives the patient's cardiothoracic ratio, times ``factor``.

    Two thirds of it lie left of the midline. It rests on the diaphragm: ``inspiration`` and ``flat`` are those of
    :func:`dome`.
    """
    half = patient.cardiothoracic_ratio * patient.half_width * factor
    x, depth = 0.6, half / 5.85
    floor = dome(patient, Side.LEFT, inspiration, flat).top
    y = 2.2 + 0.7 * (patient.half_depth - 9)
    droop = 1.0 + 0.9 * (patient.heart_axis - 0.68)
    return Heart(3.2, floor, x, y, 0.70 * half + x, 1.30 * half - x, 5.6 * depth**0.6, 5.4 * depth, droop)


# Skeleton and vessels.


@dataclass(frozen=True)
class Rods:
    """Curved hollow rods: middle lines (n, s, 3), half axes of the section (n, s, 3) and mass of the wall (n, s)."""

    centre: np.ndarray
    tall: np.ndarray
    flat: np.ndarray
    mass: np.ndarray


def _rods(centre, tall, flat, mass) -> Rods:
    shape = centre.shape
    return Rods(
        *(
            np.broadcast_to(a, s).astype(np.float32)
            for a, s in ((centre, shape), (tall, shape), (flat, shape), (mass, shape[:2]))
        )
    )


@lru_cache(maxsize=16)
def front_bones(patient: Patient, lateral: bool = False) -> Rods:
    """Return the sternum, the right and the left clavicle, which shadows of the shoulders hide in a lateral view."""
    s = np.linspace(0, 1, NODES // 2)
    z = 9.3 - 15.5 * s
    _, depth, centre = cage(patient, z)
    sternum = np.stack([0 * s, centre + depth + 0.7, z], -1)
    front, reach, bow = sternum[0, 1], 0.755 * patient.shoulders - 1.9, np.sin(2 * np.pi * s)
    height = 8.8 + (patient.collar + 0.6) * s**0.85 + 0.5 * bow
    left = np.stack([1.9 + reach * s, front + 0.5 + bow - (front + 3.0) * s, height], -1)
    lines = np.stack([sternum, left * [-1, 1, 1], left])
    tall = np.array([[1.6, 0, 0], [0, 0, 0.55], [0, 0, 0.55]])[:, None]
    flat = np.array([[0, 0.5, 0], [0, 0.55, 0], [0, 0.55, 0]])[:, None]
    collar_bone = 0.02 if lateral else 0.08
    return _rods(lines, tall, flat, np.array([0.028, collar_bone, collar_bone])[:, None] * patient.bone)


@lru_cache(maxsize=16)
def ribs(patient: Patient, lateral: bool = False) -> Rods:
    """Return the twelve pairs of ribs (right side first, from the top down).

    A rib starts beside its vertebra, runs back and down along the cage and turns to the front. The first ribs are
    short loops around the apex; the last two float and end at the side. Each lies and weighs a little otherwise.
    """
    number = np.arange(RIB_PAIRS)[:, None]
    reach = np.where(number < 7, 0.84, np.where(number < 10, 0.80 - 0.05 * (number - 6), 0.45 - 0.1 * (number - 10)))
    phi = np.pi * reach * np.linspace(0.05, 1, NODES)[None, :]
    fall = patient.rib_slope * (0.62 + 0.38 * np.minimum(number / 4, 1))
    z = APEX - 0.4 - 0.955 * VERTEBRA * number - 0.5 * fall * (1 - np.cos(phi))
    z = z - 0.17 * fall * np.sin(phi) * np.minimum(number / 3, 1)  # the back of a rib falls, too
    width, depth, centre = cage(patient, np.clip(z, FLOOR, APEX - 1.6))
    width = width * (1 - 0.24 * np.maximum(1 - number / 2, 0))
    x, y = (width + 0.4) * np.sin(phi), centre - (depth + 0.4) * np.cos(phi)
    normal = np.stack([np.sin(phi) * depth, -np.cos(phi) * width, 0 * z], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    top_ribs = np.clip(1 - number / 2.5, 0, 1)[..., None]  # the first ribs lie flat
    tall = (1 - 0.75 * top_ribs) * UP + 0.75 * top_ribs * normal
    thin = (1 - 0.75 * top_ribs) * normal - 0.75 * top_ribs * UP
    size = (0.56 + 0.16 * np.linspace(0, 1, NODES))[None, :, None] * (1 - 0.03 * number[..., None])
    tall, thin = tall * size, thin * 0.30
    flip = np.array([-1.0, 1, 1])
    s = np.linspace(0, 1, NODES)
    along = np.sin(2.7 * s) if lateral else np.cos(2.7 * s)  # muscle between the ribs hides them where seen edge-on
    first = np.where(np.arange(2 * RIB_PAIRS) % RIB_PAIRS == 0, 0.5, 1)[:, None]
    left = np.stack([x, y, z], -1)
    both = [np.concatenate([a * flip, a]) for a in (left, tall, thin)] + [
        first * ((0.04 if lateral else 0.09) * (1 - 0.5 * s) * (0.12 + 0.88 * np.abs(along)))
    ]
    lines, tall, thin, mass = both
    rng = np.random.default_rng([patient.seed, 14])
    lines[..., 2] += rng.normal(0, 0.18, (2 * RIB_PAIRS, 1))
    mass = mass * np.exp(rng.normal(0, 0.15, (2 * RIB_PAIRS, 1)))
    return _rods(lines, tall, thin, mass * patient.bone)


def upper_arm(patient: Patient, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the left shoulder joint and the elbow (3,); ``spread`` is the angle from the body's side (radians)."""
    joint = np.array([0.745 * patient.shoulders, -1.5, 6.6 + 0.5 * patient.collar])
    return joint, joint + 29.0 * np.array([np.sin(spread), 0.0, -np.cos(spread)])


def shoulder_bones(patient: Patient, spread: float, turned: float) -> Rods:
    """Return the edges and the spine of both shoulder blades.

    ``spread`` as in :func:`upper_arm`; ``turned`` says how far the blades are rolled out of the lungs (cm).
    """
    joint, _ = upper_arm(patient, spread)
    x, back = 0.60 * patient.half_width + turned, spine_y(patient, np.float64(5.0)) - 2.6
    s = np.linspace(0, 1, NODES // 2)[:, None]
    socket, tip = joint + np.array([-2.2, -1.0, -0.6]), np.array([x + 1.8 + 0.5 * turned, back, -4.0])
    corner = np.array([x + 0.6, back + 1.0, 9.6])

    def bowed(a, b, bow):
        return a + (np.asarray(b) - a) * s + np.array(bow) * np.sin(np.pi * s)

    lines = np.stack(
        [
            bowed(corner, tip, (-0.9, -0.5, 0)),
            bowed(tip, socket, (0.8, 0.3, -0.5)),
            bowed(corner, socket + UP * 2.4, (0, 0, -0.3)),
            bowed(corner - (-0.4, 1, 1.8), joint - (-1.2, 1.5, -3.0), (0, -1, 0.6)),
            bowed(socket + UP * 2.0, socket - (1.6, -3.5, -1.4), (0, 1, 1)),
        ]
    )
    size = np.array([0.35, 0.5, 0.3, 0.6, 0.6])[:, None, None]
    tall = size * np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]])[:, None]
    flat = np.array([0.3, 0.4, 0.3, 0.4, 0.5])[:, None, None] * np.array([0.0, 1, 0])
    mass = np.array([0.03, 0.05, 0.03, 0.05, 0.05])[:, None] * patient.bone
    flip = np.array([-1.0, 1, 1])
    tall, flat = np.broadcast_to(tall, lines.shape), np.broadcast_to(flat, lines.shape)
    return _rods(*(np.concatenate([a * flip, a]) for a in (lines, tall, flat)), np.tile(mass, (2, NODES // 2)))


@dataclass(frozen=True)
class Tubes:
    """Straight round tubes: start and end (n, 3) and radius (n,), in cm."""

    start: np.ndarray
    end: np.ndarray
    radius: np.ndarray


HILUM = {Side.RIGHT: (-3.3, -1.0, 0.4), Side.LEFT: (3.4, -1.2, 1.4)}  # the left one stands higher


@lru_cache(maxsize=16)
def vessels(patient: Patient) -> Tubes:
    """Return the vessels of both lungs: a tree from each hilum that splits five times.

    The radius falls a little faster than by Murray's law, by which a split divides the cube of the radius
    (doi:10.1073/pnas.12.3.207).
    """
    rng = np.random.default_rng([patient.seed, 2])
    stems = 13
    side = np.repeat([-1.0, 1.0], stems)
    elevation = np.tile(np.linspace(-1.35, 1.15, stems), 2) + rng.normal(0, 0.12, 2 * stems)
    azimuth = rng.uniform(-1.3, 1.1, 2 * stems)
    flat = np.cos(elevation)
    direction = np.stack([side * flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], 1)
    low = np.clip((0.6 - elevation) / 1.6, 0, 1)  # what goes to the base leaves low on the descending artery
    position = np.repeat([HILUM[Side.RIGHT], HILUM[Side.LEFT]], stems, axis=0) + rng.normal(0, 0.4, (2 * stems, 3))
    position += np.stack([side * 1.1 * low, -0.6 * low, -2.6 * low * low], 1)
    radius = (0.30 + 0.19 * low) * rng.uniform(0.8, 1.2, 2 * stems) * patient.vessel_calibre
    length = rng.uniform(2.0, 3.2, 2 * stems)
    pieces = [_pulmonary_arteries(patient)]
    for generation in range(GENERATIONS):
        bend = rng.normal(0, 0.1, (2, *direction.shape))
        middle = position + (direction + bend[0]) * (0.5 * length[:, None])
        end = middle + (direction + bend[1]) * (0.5 * length[:, None])
        if generation:  # the first pieces lie within the hilar arteries
            pieces.append((position, middle, radius))
        pieces.append((middle, end, 0.93 * radius))
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
        alive = _in_lung(patient, position, side)
        position, direction, radius, length, side = (a[alive] for a in (position, direction, radius, length, side))
    start, end, radius = (np.concatenate(part).astype(np.float32) for part in zip(*pieces, strict=True))
    return Tubes(start, end, radius)


def _pulmonary_arteries(patient: Patient) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return start, end and radius of the hilar arteries: the right one bends down, the left one over its bronchus.

    The right descending artery is at most about 16 mm wide in healthy people.
    """
    t = np.linspace(0, 1, 12)
    right = np.stack([-2.6 - 2.5 * t**0.8, -0.6 - 1.2 * t, 1.4 + 0.8 * np.sin(np.pi * t) * (1 - t) - 5.4 * t**1.6], 1)
    left = np.stack([3.2 + 2.1 * t**0.7, -1.0 - 2.2 * t, 2.2 + 1.7 * np.sin(np.pi * t) * (1 - t) - 5.4 * t**1.6], 1)
    upper = np.stack([-2.6 - 1.5 * t, -0.6 + 0 * t, 1.6 + 3.2 * t], 1)
    lines = (right, left, upper, upper * [-1.1, 1, 1.15])
    radii = [
        patient.vessel_calibre * (thick - (thick - thin) * t[:-1])
        for thick, thin in ((0.8, 0.4), (0.85, 0.4), (0.5, 0.3), (0.5, 0.3))
    ]
    start, end = np.concatenate([line[:-1] for line in lines]), np.concatenate([line[1:] for line in lines])
    return start, end, np.concatenate(radii)


def _in_lung(patient: Patient, points: np.ndarray, side: np.ndarray, margin: float = 0.4) -> np.ndarray:
    """Return which points (n, 3) lie inside the lung of their side, ``margin`` cm away from its surface."""
    x, y, z = points.T
    width, depth, centre = cage(patient, z)
    width, depth = np.maximum(width - margin, 0.1), np.maximum(depth - margin, 0.1)
    d = dome(patient, Side.RIGHT, 1.0)
    floor = d.top - d.outer * np.maximum(np.abs(x) - d.x0, 0) ** 3 - d.back * (y - d.y0) ** 2
    return ((x / width) ** 2 + ((y - centre) / depth) ** 2 < 1) & (z > floor) & (x * side > 1.2)
