"""The healthy brain as functions of millimeters: which part of a voxel is white matter, gray matter or fluid.

Everything is described for an average, straight, symmetric head; :func:`place` says where a voxel of a real one is
in it. The origin is between the two foramina of Monro; x runs from the patient's right to the left, y from front to
back, z upward.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simclinic.brain.fields import Grid, Noise, Sheets, ellipsoid, inside, join, layer, tube

CORTEX = 2.4  # mm
BEND = 1.9  # mm: standard deviation of the displacement that makes each brain its own


@dataclass(frozen=True)
class Anatomy:
    """One person's brain."""

    seed: int
    age: float  # years; with it sulci and ventricles widen
    size: tuple[float, float, float]  # lengths along x, y and z relative to the average
    turn: tuple[float, float, float]  # radians about x, y and z: nobody lies quite straight
    sulci: float  # half the width of a sulcus, mm
    ventricles: float  # what the radius of the ventricles differs by from the average, mm

    @cached_property
    def bends(self) -> list[Noise]:
        """The displacement along x, y and z."""
        rng = np.random.default_rng([self.seed, 1])
        return [Noise(rng, 40.0) for _ in range(3)]

    @cached_property
    def folds(self) -> tuple[Sheets, Sheets, Noise]:
        """Deep sulci, shallow sulci, and what makes them uneven."""
        rng = np.random.default_rng([self.seed, 2])
        return Sheets(rng, 8.5), Sheets(rng, 5.5), Noise(rng, 16.0)

    @cached_property
    def texture(self) -> tuple[Noise, Noise]:
        """Coarse and fine unevenness of all tissue."""
        rng = np.random.default_rng([self.seed, 3])
        return Noise(rng, 10.0), Noise(rng, 5.0)


def draw_anatomy(seed: int, age: float) -> Anatomy:
    """Draw the brain of a person of that age (years)."""
    rng = np.random.default_rng([seed, 0])
    older = (age - 55) / 30
    return Anatomy(
        seed=seed,
        age=age,
        size=tuple(float(s) for s in rng.normal(0.985, 0.03) * (1 + rng.normal(0, 0.02, 3))),
        turn=tuple(float(t) for t in rng.normal(0, [0.06, 0.04, 0.04])),
        sulci=float(np.clip(0.6 + 0.3 * older + rng.normal(0, 0.15), 0.3, 1.6)),
        ventricles=float(np.clip(0.3 + 1.4 * older + rng.normal(0, 0.9), -1.5, 4)),
    )


def place(anatomy: Anatomy, grid: Grid) -> np.ndarray:
    """Return where the chosen voxels are in the average head, mm, of shape (3, n)."""
    turned, points = np.eye(3), grid.points()
    for axis, angle in enumerate(anatomy.turn):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        step = np.eye(3)
        step[[i, i, j, j], [i, j, i, j]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        turned = turned @ step
    bend = np.stack([noise.on(grid) for noise in anatomy.bends])
    return np.einsum("ij,jn->in", turned / np.array(anatomy.size)[:, None], points) + BEND * bend


@dataclass(frozen=True)
class Surfaces:
    """How far points are outside the parts of the brain, mm, each of shape (n,); negative inside."""

    cerebrum: np.ndarray
    cerebellum: np.ndarray
    stem: np.ndarray

    @property
    def brain(self) -> np.ndarray:
        """How far they are outside all of it."""
        return np.minimum(np.minimum(self.cerebrum, self.cerebellum), self.stem)

    @property
    def hull(self) -> np.ndarray:
        """How far they are outside what the dura holds together."""
        return join(join(self.cerebrum, self.cerebellum, 16.0), self.stem, 8.0)

    def only(self, keep: np.ndarray) -> "Surfaces":
        """Return the distances of those points for which ``keep`` is true."""
        return Surfaces(self.cerebrum[keep], self.cerebellum[keep], self.stem[keep])


def mirrored(p: np.ndarray) -> np.ndarray:
    """Return points (3, n) with those on the right moved to the left: both halves are described at once."""
    return np.stack([np.abs(p[0]), p[1], p[2]])


def surfaces(p: np.ndarray) -> Surfaces:
    """Return how far points of the average head (3, n) are outside cerebrum, cerebellum and brain stem."""
    q = x, y, z = mirrored(p)
    narrow = np.clip(1.02 + 0.0014 * (y - 10), 0.9, 1.05)  # the frontal lobes are narrower
    blunt = 1 + 0.06 * np.clip(x * np.abs(y) / 2500, 0, 1)  # and the outline is no ellipse: it has shoulders
    top = ellipsoid((x / narrow / blunt, y / blunt, z), (0, 3, 10), (63, 82, 60))
    tentorium = 1 / (1 + np.exp((20 - y) / 7))
    floor = -20 - 5 * np.exp(-((x / 12) ** 2)) + tentorium * (24 - 0.006 * x**2 - 0.15 * (y - 20))
    top = -join(-top, z - floor, 7.0)
    temporal = ellipsoid((x, y, z - 0.16 * (y - 4)), (39, 3, -20), (24, 47, 20))
    cerebrum = join(top, temporal, 9.0)
    stem = tube(q, [(0, 4, -2, 19), (0, 11, -20, 14), (0, 13, -32, 14), (0, 24, -50, 8), (0, 30, -78, 6)])
    cerebellum = ellipsoid(q, (0, 50, -32), (54, 36, 33))
    notch = ellipsoid(q, (0, 90, -42), (7, 22, 30))
    return Surfaces(cerebrum, np.maximum(np.maximum(cerebellum, 2.0 - cerebrum), -notch), stem)


@dataclass(frozen=True)
class Tissue:
    """What fills each voxel, as parts of 1, and two distances in mm; each of shape (n,)."""

    white: np.ndarray
    gray: np.ndarray
    fluid: np.ndarray
    sulcus: np.ndarray  # to the middle of the nearest sulcus
    ventricle: np.ndarray  # outside the ventricles


def tissue(anatomy: Anatomy, p: np.ndarray, body: Surfaces, voxel: float, width: np.ndarray | float) -> Tissue:
    """Say what fills the voxels (edge ``voxel`` mm) around points ``p`` of the average head, (3, n).

    ``width`` is that of the sulci relative to a brain that nothing presses on, (n,) or one number.
    """
    depth = np.maximum(-body.cerebrum, np.where(np.abs(p[0]) < 25, -body.stem - 3, -np.inf))
    pia, ribbon, nearest = 0.0, inside(depth - CORTEX, voxel), np.inf
    for distance, half in _sulci(anatomy, p, depth, width):
        pia = np.maximum(pia, layer(distance, half, voxel))
        ribbon = np.maximum(ribbon, layer(distance, half + CORTEX, voxel))
        nearest = np.minimum(nearest, distance)
    cerebrum = inside(body.cerebrum, voxel)
    white, gray = cerebrum * (1 - ribbon), cerebrum * np.clip(ribbon - pia, 0, None)
    deep = 0.6 * white * inside(_nuclei(p), voxel)
    leaf_white, leaf_gray = _cerebellum(p, body.cerebellum, anatomy.folds[2].near(p), voxel)
    stem = inside(body.stem, voxel) * np.clip(1 - cerebrum - leaf_white - leaf_gray, 0, 1)
    ventricle = ventricles(anatomy, p)
    dry = 1 - inside(ventricle, voxel)
    white = dry * (white - deep + leaf_white + 0.75 * stem)
    gray = dry * (gray + deep + leaf_gray + 0.25 * stem)
    return Tissue(white, gray, np.clip(1 - white - gray, 0, 1), nearest, ventricle)


def _sulci(anatomy: Anatomy, p: np.ndarray, depth: np.ndarray, width) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each kind of sulcus how far its middle is, and half its width, mm."""
    x, y, z = mirrored(p)
    deep, shallow, uneven = anatomy.folds
    wavy, outer, half = uneven.near(p), np.clip(depth, 0, None), anatomy.sulci * width
    callosum = ellipsoid((0, y, z), (0, 2, 3), (1, 41, 27))
    medial = np.hypot(p[0] + 0.7 * wavy, np.minimum(callosum, 0))  # the falx is in it
    # The fissure of Sylvius runs inward between frontal and temporal lobe and spreads over the insula.
    across = (z + 3 - 0.42 * y) / 1.085 + 3 * wavy
    insula = x - 39 + 0.03 * across**2 + 0.006 * (y - 2) ** 2 + 1.5 * wavy
    stem = np.hypot(across, np.clip(-insula, 0, None))
    spread = np.hypot(insula, np.clip(np.abs(across) - 9, 0, None))
    sylvian = np.hypot(np.minimum(stem, spread), np.clip(np.abs(y - 2) - 30, 0, None))
    # The others stand upright on the surface: what is above a point decides.
    normal = np.stack([np.sign(p[0]) * np.clip(x - 12, 0, None) / 63**2, y / 82**2, (z - 8) / 60**2])
    above = p + normal * (0.6 * outer / (np.sqrt((normal**2).sum(0)) + 1e-6))
    wall = np.minimum(outer, np.where(callosum > 0, x + 2, np.inf))
    limit = (18 + 6 * uneven.near(above)) * np.clip(1 + (z + 5) / 40, 0.5, 1)
    first = np.hypot(deep.distance(above), np.clip(wall - limit, 0, None))
    second = np.hypot(shallow.distance(above), np.clip(wall - 0.4 * limit, 0, None))
    fold = half * (0.2 + 1.3 * np.exp(-outer / 6))  # further in, the walls touch
    return [(medial, half + 0.03 * np.clip(20 - outer, 0, None)), (sylvian, half), (first, fold), (second, 0.6 * fold)]


def _nuclei(p: np.ndarray) -> np.ndarray:
    """Return how far points are outside the deep gray matter, mm."""
    q = x, y, z = mirrored(p)
    thalamus = ellipsoid(q, (11, 11, 6), (9, 15, 9))
    caudate = tube(q, [(13, -27, 6, 6), (15, -14, 15, 5), (17, 8, 22, 2.5)])
    lentiform = ellipsoid((x - 0.18 * (y + 6), y, z), (25, -5, 2), (7, 18, 10))
    hippocampus = tube(q, [(25, -12, -20, 6), (29, 12, -17, 4), (26, 28, -6, 3)])
    return np.minimum(np.minimum(thalamus, caudate), np.minimum(lentiform, hippocampus))


def ventricles(anatomy: Anatomy, p: np.ndarray) -> np.ndarray:
    """Return how far points of the average head (3, n) are outside the ventricles, mm."""
    q, wider = mirrored(p), anatomy.ventricles
    body = [(14, -35, 4, 2), (9, -24, 8, 4.5), (7, -8, 16, 5), (10, 10, 20, 4.5), (15, 27, 17, 5.5), (22, 40, 10, 6.5)]
    body += [(24, 64, 4, 1.5)]
    horn = [(22, 40, 8, 5.5), (33, 20, -13, 2), (31, -4, -20, 1)]
    lateral = np.maximum(np.minimum(tube(q, body), tube(q, horn)) - wider, 1.0 - q[0])  # the septum stays
    third = ellipsoid(q, (0, 3, -1), (2.3 + 0.4 * wider, 13, 10))
    fourth = ellipsoid(q, (0, 30, -33), (5, 5, 9))
    return np.minimum(lateral, np.minimum(third, fourth))


def _cerebellum(p: np.ndarray, distance: np.ndarray, wavy: np.ndarray, voxel: float) -> tuple[np.ndarray, np.ndarray]:
    """Return white and gray matter of the cerebellum; its leaves are finer than most voxels."""
    q = x, y, z = mirrored(p)
    leaf = z + 0.5 * (y - 45) + 0.004 * x**2 + 2.5 * wavy
    fluid = 0.12 + 0.12 * np.cos(2 * np.pi * leaf / 6) * np.exp(-((voxel / 4) ** 2))
    there = inside(distance, voxel)
    core = inside(ellipsoid(q, (17, 40, -33), (22, 14, 10)) + 3 * np.cos(2 * np.pi * leaf / 12), 4)
    return there * (core + 0.1 * (1 - core)), there * (1 - core) * (0.9 - fluid)


def outer_head(p: np.ndarray, body: Surfaces) -> dict[str, np.ndarray]:
    """Return what surrounds the brain, as parts of 1 by tissue; what is missing to 1 is air."""
    q = mirrored(p)
    skull = body.hull
    face = np.minimum(ellipsoid(q, (0, -42, -62), (56, 46, 62)), tube(q, [(0, 40, -70, 50), (0, 45, -130, 48)]))
    skin = join(skull - 14, face, 12.0)
    nose = ellipsoid(q, (0, -68, -58), (14, 22, 18))
    parts = {"fluid": inside(skull - 3, 2), "bone": inside(skull - 9, 2), "muscle": inside(face + 6, 2)}
    parts["muscle"] = parts["muscle"] * inside(-nose, 2)
    parts["bone"] = (parts["bone"] - parts["fluid"]) * (1 - parts["muscle"] * (q[2] < -30))
    parts["muscle"] = parts["muscle"] * (1 - parts["fluid"] - parts["bone"])
    eyes = inside(ellipsoid(q, (31, -67, -30), (12, 12, 12)), 2)
    parts = {name: part * (1 - eyes) for name, part in parts.items()}
    parts["fluid"] = parts["fluid"] + eyes
    parts["fat"] = np.clip(inside(skin, 2) * inside(-nose, 2) - sum(parts.values()), 0, 1)
    return parts
