"""From the body to its shadow: how much the rays of one view are attenuated on their way.

Every solid is an interval [near, far] along each ray, in closed form: an ellipsoid's chord is the root of a quadratic,
the rib cage and the trunk are stacks of ellipses, the diaphragm is a paraboloid. Lung is what is left of the cage when the
domes, the spine, the mediastinum and the heart are taken out, so that their borders show where they touch air, and
only there. Bones and vessels are clouds of mass points that are projected one by one.

A cone beam magnifies what is near the source: each solid is enlarged by the factor at its own centre, each mass
point by its own. This is what makes the heart larger on an AP image.
"""

from dataclasses import dataclass

import numpy as np

from medlessons.simulate.thorax import anatomy
from medlessons.simulate.thorax.anatomy import Patient
from medlessons.simulate.thorax.pose import Pose

VIEWS = ("PA", "AP", "L")
SOURCE_TO_DETECTOR = {"PA": 180.0, "AP": 105.0, "L": 180.0}  # cm
BODY_TO_DETECTOR = 16.0  # middle of the chest to the detector (cm)

# Linear attenuation at the beam's mean energy of about 60 keV (1/cm), after NIST XCOM.
SOFT, LUNG, BONE = 0.205, 0.052, 0.42
FIELD = 41.0  # height of the field of view for a mean adult (cm)


@dataclass(frozen=True)
class Camera:
    """The rays of one view over a grid of pixels.

    ``u`` runs along the image's width, ``v`` up its height (cm at the middle of the body, adult scale).
    """

    view: str
    pose: Pose
    distance: float  # source to the middle of the body, adult scale (cm)
    u: np.ndarray  # (1, width)
    v: np.ndarray  # (height, 1)

    @property
    def lateral(self) -> bool:
        return self.view == "L"

    def magnification(self, depth):
        """Factor by which a body at ``depth`` (cm to the patient's front, or left) is enlarged."""
        towards_source = depth if self.view == "AP" else -depth
        return self.distance / (self.distance - towards_source)

    def plane(self, depth: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the coordinates of the pixels in the body's plane at ``depth``: across (h, w) and up (h, 1)."""
        m = self.magnification(depth)
        up = self.v / m - self.pose.tip * depth
        sign = 1.0 if not self.lateral else float(self.pose.faces)
        across = sign * (self.u / m) - (self.pose.lean * self.v + self.pose.turn * depth)
        return across.astype(np.float32), up.astype(np.float32)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where the rays through the points, shape (..., 3), meet the image plane: (u, v) in cm."""
        depth, across = (points[..., 0], points[..., 1]) if self.lateral else (points[..., 1], points[..., 0])
        m = self.magnification(depth)
        v = (points[..., 2] + self.pose.tip * depth) * m
        sign = 1.0 if not self.lateral else float(self.pose.faces)
        return sign * (across + self.pose.lean * v + self.pose.turn * depth) * m, v


def camera(
    patient: Patient, view: str, pose: Pose, shape: tuple[int, int], field: float, aspect: float
) -> Camera:
    """Return the rays for an image of ``shape`` (height, width); ``field`` is its height in cm."""
    height, width = shape
    distance = (SOURCE_TO_DETECTOR[view] - BODY_TO_DETECTOR * patient.scale) / patient.scale
    u = (np.arange(width) + 0.5) / width - 0.5
    v = 0.5 - (np.arange(height) + 0.5) / height
    return Camera(
        view,
        pose,
        distance,
        (u[None, :] * field * aspect + pose.shift_x).astype(np.float32),
        (v[:, None] * field + pose.shift_z).astype(np.float32),
    )


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid: centre and radii in cm; ``angle`` turns it in the frontal plane (radians)."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    angle: float = 0.0

    def quadric(self) -> np.ndarray:
        c, s = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
        return turn @ np.diag(1 / np.square(self.radii)) @ turn.T


def chord(cam: Camera, solid: Ellipsoid) -> tuple[np.ndarray, np.ndarray]:
    """Return where each ray enters and leaves an ellipsoid, each (h, w); equal where it misses (cm)."""
    q = solid.quadric()
    d, a = (0, 1) if cam.lateral else (1, 0)
    across, up = cam.plane(solid.centre[d])
    across, up = across - np.float32(solid.centre[a]), up - np.float32(solid.centre[2])
    f = np.float32
    half_b = f(q[d, a]) * across + f(q[d, 2]) * up
    c = f(q[a, a]) * across * across + (f(2 * q[a, 2]) * across) * up + f(q[2, 2]) * up * up - f(1)
    root = np.sqrt(np.maximum(half_b * half_b - f(q[d, d]) * c, 0)) / f(q[d, d])
    middle = f(solid.centre[d]) - half_b / f(q[d, d])
    return middle - root, middle + root


def overlap(lo, hi, other_lo, other_hi):
    """Return the length that two intervals share."""
    return np.maximum(np.minimum(hi, other_hi) - np.maximum(lo, other_lo), 0)


def trunk(cam: Camera, patient: Patient) -> np.ndarray:
    """Return the thickness of the trunk along the rays, (h, w), in cm."""
    across, up = cam.plane(0.0)
    width, depth, centre = (a.astype(np.float32) for a in anatomy.skin(patient, up))
    if cam.lateral:
        t, full = np.abs(across - centre) / depth, width
    else:
        t, full = np.abs(across) / width, depth
    return 2 * full * np.sqrt(np.maximum(1 - t * t * np.sqrt(t), 0))


@dataclass(frozen=True)
class Lungs:
    """The lungs along the rays: for each side the outer interval, the dome's interval and the air in between."""

    near: np.ndarray
    far: np.ndarray
    air: np.ndarray  # (2, h, w): right, left


def lungs(cam: Camera, patient: Patient, domes, solids) -> np.ndarray:
    """Return the length of lung along the rays, (2, h, w): right and left, in cm.

    ``solids`` are intervals (near, far) that displace lung, ordered from the back to the front.
    """
    across, up = cam.plane(0.0)
    width, depth, centre = (a.astype(np.float32) for a in anatomy.cage(patient, up))
    air = []
    for side, d in zip((-1, 1), domes, strict=True):
        if cam.lateral:
            t = (across - centre) / np.maximum(depth, 0.01)
            reach = width * np.sqrt(np.maximum(1 - t * t, 0))
            near, far = np.zeros_like(reach), reach
            y = cam.plane(side * 6.0)[0]
            half = np.sqrt(np.maximum((d.top - d.ky * (y - d.y0) ** 2 - up) / d.kx, 0))
            middle = abs(d.x0)
        else:
            t = across / np.maximum(width, 0.01)
            reach = depth * np.sqrt(np.maximum(1 - t * t, 0)) * (across * side > 0)
            near, far = centre - reach, centre + reach
            x, z = cam.plane(d.y0)
            half = np.sqrt(np.maximum((d.top - d.kx * (x - d.x0) ** 2 - z) / d.ky, 0))
            middle = d.y0
        dome_lo, dome_hi = middle - half, middle + half
        free = far - near - overlap(near, far, dome_lo, dome_hi)
        start = near
        for lo, hi in solids:
            if cam.lateral and side < 0:
                lo, hi = -hi, -lo
            lo, hi = np.maximum(lo, start), np.minimum(hi, far)
            hi = np.maximum(hi, lo)
            free = free - (hi - lo) + overlap(lo, hi, dome_lo, dome_hi)
            start = np.maximum(start, hi)
        air.append(np.maximum(free, 0))
    return np.stack(air)


def column(cam: Camera, x, y, half_width, half_depth) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of an upright elliptic column; each argument is a function of height or a number (cm)."""
    depth_at = float(np.mean(x)) if cam.lateral else float(np.mean(y))
    across, _ = cam.plane(depth_at)
    a, ra, b, rb = (y, half_depth, x, half_width) if cam.lateral else (x, half_width, y, half_depth)
    t = (across - a) / ra
    half = rb * np.sqrt(np.maximum(1 - t * t, 0))
    return (b - half).astype(np.float32), (b + half).astype(np.float32)
