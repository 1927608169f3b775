"""Rays through bodies: closed forms for solids, and clouds of mass points for bones and vessels.

A solid is an interval [near, far] along each ray: an ellipsoid's chord is the root of a quadratic, the rib
cage and the trunk are stacks of ellipses, the diaphragm is a paraboloid.

A cone beam magnifies what is near the source. Each solid is enlarged by the factor at its own centre, each
mass point by its own; this makes the heart larger on an AP image. Rotations of the body are small and are
treated in the same way, as shifts in proportion to the depth.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from simclinic import arithmetic
from simclinic.thorax.pose import Pose

VIEWS = ("PA", "AP", "L")
SOURCE_TO_DETECTOR = {"PA": 180.0, "AP": 110.0, "L": 180.0}  # cm
BODY_TO_DETECTOR = 15.0  # from the middle of the chest (cm)

Interval = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Camera:
    """The rays of one view over a grid of pixels.

    ``u`` runs along the image's width, ``v`` up its height (cm in the middle plane of the body, at the scale
    of an adult). ``distance`` is that of the source from the middle of the body.
    """

    view: str
    pose: Pose
    distance: float
    u: np.ndarray  # (1, width)
    v: np.ndarray  # (height, 1)

    @property
    def lateral(self) -> bool:
        """Whether the rays run from side to side."""
        return self.view == "L"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.v.shape[0], self.u.shape[1]

    @cached_property
    def grid(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """First column and width of a pixel; first row (the upper one) and height of a pixel (cm)."""
        u, v = self.u[0, :2].tolist(), self.v[:2, 0].tolist()
        return (u[0], u[1] - u[0]), (v[0], v[0] - v[1])

    @cached_property
    def middle(self) -> Interval:
        """The pixels' coordinates in the middle plane of the body: across (h, w) and up (h, 1), in cm."""
        return self.plane(0.0)

    def order(self, x, y):
        """Return what belongs to the axis across the image, then what belongs to the axis along the rays."""
        return (y, x) if self.lateral else (x, y)

    @property
    def sign(self) -> int:
        """1 where the axis across the body runs to the right of the image, -1 where it runs to the left."""
        return self.pose.faces if self.lateral else 1

    def magnification(self, depth):
        """Return the factor by which a body at ``depth`` (cm to the patient's front, or left) is enlarged."""
        return self.distance / (self.distance + (-depth if self.view == "AP" else depth))

    def plane(self, depth: float) -> Interval:
        """Return the pixels' coordinates in the body's plane at ``depth``: across (h, w) and up (h, 1), cm."""
        m = self.magnification(depth)
        bent = self.pose.lean * self.v + self.pose.turn * depth
        return self.u * np.float32(self.sign / m) - bent, self.v / np.float32(m) - self.pose.tip * depth

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where the rays through ``points`` (..., 3) meet the middle plane, and the magnification."""
        depth, across = (points[..., 0], points[..., 1]) if self.lateral else (points[..., 1], points[..., 0])
        m = self.magnification(depth)
        v = (points[..., 2] + self.pose.tip * depth) * m
        return self.sign * (across + self.pose.lean * v + self.pose.turn * depth) * m, v, m

    def around(self, across: float, up: float, depth: float, half_across: float, half_up: float):
        """Return the rows and columns of the grid that cover a box around a point of the body."""
        m = self.magnification(depth)
        v = (up + self.pose.tip * depth) * m
        u = self.sign * (across + self.pose.lean * v + self.pose.turn * depth) * m
        half_v, half_u = half_up * m, half_across * m + abs(self.pose.lean) * half_up
        (first_u, du), (first_v, dv) = self.grid
        height, width = self.shape
        return (
            _indices((first_v - v - half_v) / dv, (first_v - v + half_v) / dv, height),
            _indices((u - half_u - first_u) / du, (u + half_u - first_u) / du, width),
        )

    def crop(self, rows: slice, columns: slice) -> "Camera":
        """Return the same rays for a part of the grid."""
        return Camera(self.view, self.pose, self.distance, self.u[:, columns], self.v[rows])


def _indices(first: float, last: float, size: int) -> slice:
    """Return the slice of a grid of ``size`` points that covers first..last (in steps of the grid)."""
    start = min(max(math.floor(first), 0), size)
    return slice(start, max(start, min(math.ceil(last) + 1, size)))


def overlap(lo, hi, other_lo, other_hi):
    """Return the length that two intervals share."""
    return np.maximum(np.minimum(hi, other_hi) - np.maximum(lo, other_lo), 0)


@dataclass(frozen=True)
class Ellipsoid:
    """Centre and radii (x, y, z) in cm, turned by ``angle`` (radians) in the frontal or the sagittal plane."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    angle: float = 0.0
    sagittal: bool = False


def chord(cam: Camera, solid: Ellipsoid) -> tuple[tuple[slice, slice], Interval]:
    """Return the part of the grid that an ellipsoid covers, and where each ray enters and leaves it (cm).

    Enter and leave are equal where the ray misses.
    """
    i, j = (1, 0) if solid.sagittal else (0, 1)  # i: the axis that the angle turns towards z, j: the other one
    c, s = math.cos(solid.angle), math.sin(solid.angle)
    ri, rj, rz = solid.radii[i], solid.radii[j], solid.radii[2]
    q_ii, q_zz = (c / ri) ** 2 + (s / rz) ** 2, (s / ri) ** 2 + (c / rz) ** 2
    q_iz, q_jj = c * s * (1 / ri**2 - 1 / rz**2), 1 / rj**2
    reach_i, reach_z = math.hypot(c * ri, s * rz), math.hypot(s * ri, c * rz)
    along = 0 if cam.lateral else 1
    a = 1 - along
    if i == along:  # the turned axis is the one we look along
        q_dd, q_dz, q_aa, q_az, reach = q_ii, q_iz, q_jj, 0.0, rj
    else:
        q_dd, q_dz, q_aa, q_az, reach = q_jj, 0.0, q_ii, q_iz, reach_i
    depth = solid.centre[along]
    part = cam.around(solid.centre[a], solid.centre[2], depth, reach, reach_z)
    across, up = cam.crop(*part).plane(depth)
    across, up = across - np.float32(solid.centre[a]), up - np.float32(solid.centre[2])
    f = np.float32
    # q_dd t^2 + 2 q_dz up t + (q_aa across^2 + 2 q_az across up + q_zz up^2 - 1) = 0
    square = f(q_dz * q_dz - q_dd * q_zz) * up * up + f(q_dd)
    square = square - across * (f(q_dd * q_aa) * across + f(2 * q_dd * q_az) * up)
    half = np.sqrt(np.maximum(square, 0)) * f(1 / q_dd)
    middle = f(depth) - f(q_dz / q_dd) * up
    return part, (middle - half, middle + half)


def column(cam: Camera, x, y, half_width, half_depth, bow: float = 0.5) -> Interval:
    """Return the interval of an upright column of ellipses; each argument may be a function of height (cm).

    ``half_width`` and ``half_depth`` may be pairs: the right and the left, the back and the front half axis. ``bow`` is
    the exponent of the section: 0.5 is an ellipse, 1 a lens that thins out smoothly.
    """
    centre, depth = cam.order(x, y)
    reach, half = cam.order(half_width, half_depth)
    middle = float(depth[len(depth) // 2, 0]) if np.ndim(depth) else depth
    across, _ = cam.plane(middle)
    off = across - centre
    t = off / (np.where(off < 0, *reach) if isinstance(reach, tuple) else reach)
    share = np.maximum(1 - t * t, 0)
    share = np.sqrt(share) if bow == 0.5 else arithmetic.power(share, bow)
    before, after = half if isinstance(half, tuple) else (half, half)
    return depth - before * share, depth + after * share


Points = tuple[np.ndarray, np.ndarray, np.ndarray]  # column and row (pixels), mass (attenuation x cm^2)


def splat(cam: Camera, clouds: list[Points]) -> np.ndarray:
    """Return the attenuation of clouds of mass points on the grid, (height, width)."""
    height, width = cam.shape
    across, down, mass = (np.concatenate(part) for part in zip(*clouds, strict=True))
    # A frame of one pixel collects what falls outside.
    cell = np.clip(down + np.float32(1), 0, np.float32(height + 1)).astype(np.intp)
    cell *= width + 2
    cell += np.clip(across + np.float32(1), 0, np.float32(width + 1)).astype(np.intp)
    total = np.bincount(cell, mass, (height + 2) * (width + 2)).astype(np.float32)
    return total.reshape(height + 2, width + 2)[1:-1, 1:-1] * np.float32(1 / (cam.grid[0][1] * cam.grid[1][1]))


def _to_pixels(cam: Camera, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return columns and rows (0 is the left and the upper edge) of points in the image plane (cm)."""
    (first_u, du), (first_v, dv) = cam.grid
    return (u - first_u) * (1 / du) + 0.5, (first_v - v) * (1 / dv) + 0.5


def straight(start, end, radius: float, density: float) -> tuple:
    """Return arguments for :func:`tubes`: start and end (n, 3), radius and density, in single precision."""
    return (
        start.astype(np.float32),
        end.astype(np.float32),
        np.full(len(start), radius, np.float32),
        np.float32(density),
    )


def tubes(cam: Camera, start, end, radius, density, steps: int, across: int) -> Points:
    """Return the mass points of straight tubes (vessels, catheters).

    Parameters
    ----------
    start, end : arrays, (n, 3), cm
    radius : array, (n,), cm
    density : float or array, (n,)
        Attenuation per cm of the tube's filling, beyond what it displaces; negative for air.
    steps, across : int
        Points along and across each tube.
    """
    u0, v0, m = cam.project(start)
    u1, v1, _ = cam.project(end)
    c0, r0 = _to_pixels(cam, u0, v0)
    c1, r1 = _to_pixels(cam, u1, v1)
    d = end - start
    length = np.sqrt((d * d).sum(-1))
    dc, dr = c1 - c0, r1 - r0
    long = np.sqrt(dc * dc + dr * dr) + np.float32(1e-3)
    wide = radius * m * np.float32(1 / cam.grid[0][1])
    t = ((np.arange(across) + 0.5) / across * 2 - 1).astype(np.float32)
    profile = np.sqrt(1 - t * t)
    profile = (profile / profile.sum()).astype(np.float32)
    f = _staggered(steps, across)
    off_c, off_r = -dr / long * wide, dc / long * wide
    column_ = c0[:, None, None] + dc[:, None, None] * f + off_c[:, None, None] * t
    row = r0[:, None, None] + dr[:, None, None] * f + off_r[:, None, None] * t
    mass = np.float32(np.pi / steps) * radius * radius * length * density * m * m
    weights = np.broadcast_to(mass[:, None, None] * profile, column_.shape)
    return column_.ravel(), row.ravel(), weights.ravel()


def bands(cam: Camera, centre, tall, flat, mass, steps: int, across: int) -> Points:
    """Return the mass points of hollow, curved rods with an elliptic section: ribs and clavicles, as bands.

    Parameters
    ----------
    centre : array, (n, s, 3)
        Middle lines, cm.
    tall, flat : arrays, (n, s, 3)
        Half axes of the section, cm.
    mass : array, (n, s)
        Attenuation x cm of the wall per cm of circumference.
    steps, across : int
        Points between two neighbours of a middle line, and across the band.
    """
    u, v, m = cam.project(centre)
    c, r = _to_pixels(cam, u, v)
    d, tall, flat, m = centre[:, 1:] - centre[:, :-1], tall[:, :-1], flat[:, :-1], m[:, :-1]  # piece by piece
    dc, dr = c[:, 1:] - c[:, :-1], r[:, 1:] - r[:, :-1]
    long = np.sqrt(dc * dc + dr * dr) + np.float32(1e-3)
    normal_c, normal_r = -dr / long, dc / long
    side, _ = cam.order(0, 1)
    right, down = normal_c * m * np.float32(cam.sign / cam.grid[0][1]), normal_r * m * np.float32(-1 / cam.grid[1][1])
    half = np.sqrt(sum((axis[..., side] * right + axis[..., 2] * down) ** 2 for axis in (tall, flat)))
    t = ((np.arange(across) + 0.5) / across * 2 - 1).astype(np.float32)
    profile = np.sqrt(1 - t * t) - 0.55 * np.sqrt(np.maximum(0.5 - t * t, 0))  # a thick wall around a spongy core
    f = _staggered(steps, across)
    column_, row = (
        middle[:, :-1, None, None] + step[..., None, None] * f + (half * normal)[..., None, None] * t
        for middle, step, normal in ((c, dc, normal_c), (r, dr, normal_r))
    )
    girth = 2 * np.pi * np.sqrt(0.5 * ((tall * tall).sum(-1) + (flat * flat).sum(-1)))
    weight = mass[:, :-1] * girth * m * m * np.sqrt((d * d).sum(-1)) * np.float32(1 / steps)
    weight = np.broadcast_to(weight[..., None, None] * (profile / profile.sum()).astype(np.float32), column_.shape)
    return column_.ravel(), row.ravel(), weight.ravel()


def _staggered(steps: int, across: int) -> np.ndarray:
    """Return shares of the way (steps, across), each row of points set off a little, so that no pattern shows."""
    offset = (np.arange(across) * 0.618034) % 1  # the golden ratio
    return ((np.arange(steps)[:, None] + offset) / steps).astype(np.float32)


def smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    """Return the image blurred with a short Gaussian of five taps; ``sigma`` in pixels, at most about 1.2."""
    side = np.exp(-0.5 * (np.arange(3) / max(sigma, 0.2)) ** 2)
    w0, w1, w2 = (side / (2 * side.sum() - 1)).astype(np.float32)
    for _ in range(2):
        padded = np.pad(image, ((2, 2), (0, 0)), mode="edge")
        image = w0 * padded[2:-2]
        image += w1 * (padded[1:-3] + padded[3:-1])
        image += w2 * (padded[:-4] + padded[4:])
        image = image.T
    return image


@lru_cache(maxsize=1024)
def resampler(size: int, coarse: int) -> np.ndarray:
    """Return the matrix (size, coarse) that interpolates a coarse grid of pixels linearly."""
    at = np.clip((np.arange(size) + 0.5) * coarse / size - 0.5, 0, coarse - 1)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(coarse)[None, :]), 0).astype(np.float32)


@lru_cache(maxsize=64)
def averager(size: int, coarse: int) -> np.ndarray:
    """Return the matrix (coarse, size) that averages pixels over triangular neighbourhoods."""
    weights = resampler(size, coarse).T
    return weights / weights.sum(1, keepdims=True)
