"""Lines, leads and tubes on and in a patient: what a ward leaves in a mobile image."""

import numpy as np

from simclinic.thorax import anatomy
from simclinic.thorax.anatomy import Patient
from simclinic.thorax.pose import Pose
from simclinic.thorax.projection import straight

PLASTIC, METAL = 0.8, 3.0  # attenuation beyond tissue (1/cm)


def devices(patient: Patient, pose: Pose) -> list[tuple]:
    """Return all devices of a pose as arguments for :func:`projection.tubes`: a list of one, or empty."""
    if not pose.devices:
        return []
    rng = np.random.default_rng([patient.seed, 10])
    pieces = [piece for name in pose.devices for piece in DEVICES[name](patient, rng)]
    density = np.concatenate([np.full(len(start), density) for start, _, _, density in pieces])
    start, end, radius, _ = zip(*pieces, strict=True)
    return [(np.concatenate(start), np.concatenate(end), np.concatenate(radius), density)]


def _curve(*corners) -> np.ndarray:
    """Return a smooth line of 25 points (Bezier) that is drawn to its corners."""
    points, t = np.array(corners, float)[:, None, :], np.linspace(0, 1, 25)[:, None]
    while len(points) > 1:
        points = points[:-1] * (1 - t) + points[1:] * t
    return points[0]


def _wire(line: np.ndarray, radius: float, density: float):
    return straight(line[:-1], line[1:], radius, density)


def _front(patient: Patient, z: float) -> float:
    _, depth, centre = anatomy.skin(patient, np.float64(z))
    return float(depth + centre)


def _ecg(patient: Patient, rng) -> list:
    """Return three to five electrodes on the skin with their leads."""
    y = _front(patient, 0.0)
    pieces = []
    for x, z in ((-10, 8), (10, 8), (9, -9), (-9, -8), (3, 2))[: int(rng.integers(3, 6))]:
        x, z = x + rng.normal(0, 1.2), z + rng.normal(0, 1.2)
        pieces.append(_wire(np.array([[x - 0.35, y, z], [x + 0.35, y, z]]), 0.4, 0.35 * METAL))
        hang = (x + rng.normal(0, 5), y, z - rng.uniform(-6, 6))
        end = (rng.choice((-1, 1)) * rng.uniform(8, 24), y, rng.uniform(-20, 18))
        pieces.append(_wire(_curve((x, y, z), hang, (rng.normal(0, 9), y, rng.normal(0, 9)), end), 0.09, METAL))
    return pieces


def _tube(patient: Patient, rng) -> list:
    """Return a tube in the trachea, its tip above the carina; often a feeding tube into the stomach."""
    pieces = [_wire(_curve((0.5, 0, 22), (0, -1, 14), (0.1, -1.8, rng.uniform(6.0, 8.5))), 0.28, 0.35 * PLASTIC)]
    if rng.random() < 0.7:
        pieces.append(_wire(_curve((0.8, 0, 22), (0, -4, 8), (0.3, -4, -8), (3, -2, -9), (7, 1, -14)), 0.16, PLASTIC))
    return pieces


def _line(patient: Patient, rng) -> list:
    """Return a catheter through a vein of the neck or below the clavicle, its tip in the superior vena cava."""
    start = (-4.5, 2, 20) if rng.random() < 0.6 else (-12, 3, 9.5)
    return [_wire(_curve(start, (-4.0, 2, 12), (-2.2, 1, 9), (-2.0, 0.5, rng.uniform(1, 5))), 0.11, METAL)]


def _pacemaker(patient: Patient, rng) -> list:
    """Return a generator below the left clavicle and a lead into the right ventricle."""
    y = _front(patient, 8.0) - 1.0
    lead = _curve((10, y, 8), (2, 1, 14), (-4.5, 1, 2), (-1, 4, -6), (4.5, 5, -7))
    return [_wire(lead, 0.11, METAL), _wire(np.array([[9.2, y, 7.6], [11.6, y, 8.0]]), 1.7, 0.4 * METAL)]


def _drain(sign: int):
    """Return what draws a chest tube: through the side between two ribs, its tip at the apex or the back."""

    def draw(patient: Patient, rng) -> list:
        wide = patient.half_width
        skin = (sign * (wide + patient.fat + 3), 2, rng.uniform(-9, -4))
        tip = (sign * rng.uniform(0.15, 0.5) * wide, rng.uniform(-3, 2), rng.uniform(3, 9.5))
        path = _curve(skin, (sign * 0.95 * wide, 0, rng.uniform(-5, 1)), (sign * 0.75 * wide, 0, 5), tip)
        return [_wire(path, 0.38, 0.15 * PLASTIC), _wire(path + np.array([0.25, 0, 0]), 0.09, METAL)]

    return draw


DEVICES = {
    "ecg": _ecg,
    "tube": _tube,
    "line": _line,
    "pacemaker": _pacemaker,
    "drain right": _drain(-1),
    "drain left": _drain(1),
}
