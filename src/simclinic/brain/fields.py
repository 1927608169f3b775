"""Smooth random fields and simple bodies as functions of millimeters: the same on every grid."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

REACH = 120.0  # mm: a field is defined from -REACH to +REACH on each axis
STEP = 3.0  # mm: the distance to a sheet is kept on a lattice this fine
LATTICE = tuple(np.arange(-reach, reach + STEP, STEP) for reach in (75.0, 96.0, 75.0))


@dataclass(frozen=True)
class Grid:
    """The voxels of a scan that are computed, n of them."""

    axes: tuple[np.ndarray, np.ndarray, np.ndarray]  # centers in mm: x from right to left, y front to back, z upward
    chosen: np.ndarray  # bool, of shape (x, y, z): which ones

    def points(self) -> np.ndarray:
        """Return the positions of the chosen voxels, mm, of shape (3, n)."""
        return np.stack([axis[index] for axis, index in zip(self.axes, np.nonzero(self.chosen), strict=True)])

    def only(self, keep: np.ndarray) -> "Grid":
        """Return the grid with those of its chosen voxels for which ``keep``, of shape (n,), is true."""
        return Grid(self.axes, self.fill(keep))

    def fill(self, values: np.ndarray) -> np.ndarray:
        """Return a volume of shape (x, y, z) with values, of shape (n,), in the chosen voxels and 0 elsewhere."""
        volume = np.zeros(self.chosen.shape, values.dtype)
        volume[self.chosen] = values
        return volume


class Noise:
    """A smooth random field of mean 0 and standard deviation 1: cubic B-splines with random weights.

    Its knots are ``knots`` mm apart, and bumps about twice as wide; with ``band`` smoother ones are taken out.
    """

    def __init__(self, rng: np.random.Generator, knots: float, band: bool = False):
        count = int(np.ceil(2 * REACH / knots)) + 3
        weights = rng.standard_normal((count, count, count))
        if band:
            weights -= ndimage.gaussian_filter(weights, 1.0, mode="wrap", truncate=2.5)
        at_knots = weights
        for axis in range(3):
            at_knots = ndimage.convolve1d(at_knots, [1 / 6, 2 / 3, 1 / 6], axis=axis, mode="wrap")
        self.knots = knots
        self.weights = weights / at_knots.std()

    def on(self, grid: Grid) -> np.ndarray:
        """Return the field at the chosen voxels of a grid, of shape (n,)."""
        return self.on_axes(grid.axes)[grid.chosen]

    def on_axes(self, axes: tuple) -> np.ndarray:
        """Return the field on a whole grid, of shape (x, y, z): small products, one axis after the other."""
        bases = [self._basis(axis) for axis in axes]
        used = [slice(*(np.flatnonzero(basis.any(0))[[0, -1]] + [0, 1])) for basis in bases]
        x, y, z = (basis[:, part] for basis, part in zip(bases, used, strict=True))
        field = y @ (self.weights[tuple(used)] @ z.T)
        return (x @ field.transpose(1, 0, 2)).transpose(1, 0, 2)

    def _basis(self, axis: np.ndarray) -> np.ndarray:
        """Return how much each knot contributes at each position, of shape (positions, knots)."""
        distance = np.abs((axis[:, None] + REACH) / self.knots + 1 - np.arange(len(self.weights)))
        return np.where(distance < 1, 2 / 3 - distance**2 + distance**3 / 2, np.clip(2 - distance, 0, None) ** 3 / 6)

    def near(self, points: np.ndarray) -> np.ndarray:
        """Return about the field at any points (3, n): linear between the knots, so a little rougher."""
        place = (points + REACH) / self.knots + 1
        return 0.5 * ndimage.map_coordinates(self.weights, place, order=1, mode="nearest")


class Sheets:
    """Curved sheets, about 2 ``knots`` (mm) apart, that fill space like a crumpled cloth: where a noise is 0."""

    def __init__(self, rng: np.random.Generator, knots: float):
        field = Noise(rng, knots, band=True).on_axes(LATTICE)
        slope = np.sqrt(sum(part**2 for part in np.gradient(field, STEP)))
        self.lattice = field / (slope + 0.3 / knots)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Return how far points (3, n) are from the nearest sheet, mm, of shape (n,)."""
        place = [(p - axis[0]) / STEP for p, axis in zip(points, LATTICE, strict=True)]
        return np.abs(ndimage.map_coordinates(self.lattice, place, order=1, mode="nearest"))


def ellipsoid(points, center, radii) -> np.ndarray:
    """Return about how far points (x, y, z) are outside an ellipsoid, mm; negative inside."""
    scaled = [(p - c) / r for p, c, r in zip(points, center, radii, strict=True)]
    far = np.sqrt(sum(s * s for s in scaled)) + 1e-9
    slope = np.sqrt(sum((s / r) ** 2 for s, r in zip(scaled, radii, strict=True))) + 1e-9
    return far * (far - 1) / slope


def tube(points: np.ndarray, path: list[tuple[float, float, float, float]]) -> np.ndarray:
    """Return how far points (3, n) are outside a bent tube, mm; its path lists x, y, z and the radius."""
    nearest, square = np.inf, (points**2).sum(0)
    for (*start, thick), (*end, thin) in pairwise(path):
        start, along = np.array(start), np.subtract(end, start)
        length = along @ along
        projected = _dot(along, points) - along @ start
        part = np.clip(projected / length, 0, 1)
        gap = square - 2 * _dot(start, points) + start @ start - part * (2 * projected - part * length)
        nearest = np.minimum(nearest, np.sqrt(np.clip(gap, 0, None)) - thick - (thin - thick) * part)
    return nearest


def _dot(vector, points: np.ndarray) -> np.ndarray:
    return vector[0] * points[0] + vector[1] * points[1] + vector[2] * points[2]


def join(a: np.ndarray, b: np.ndarray, blend: float) -> np.ndarray:
    """Return the distance to two bodies together, rounded where they meet by about ``blend`` mm."""
    overlap = np.clip(blend - np.abs(a - b), 0, None)
    return np.minimum(a, b) - overlap**2 / (4 * blend)


def inside(distance: np.ndarray, voxel: float) -> np.ndarray:
    """Return which part of a voxel is inside a body whose surface is ``distance`` mm away (negative: inside)."""
    return np.clip(0.5 - distance / voxel, 0, 1)


def layer(distance: np.ndarray, half: np.ndarray | float, voxel: float) -> np.ndarray:
    """Return which part of a voxel is covered by a sheet ``distance`` mm away and twice ``half`` mm thick."""
    return inside(distance - half, voxel) - inside(distance + half, voxel)
