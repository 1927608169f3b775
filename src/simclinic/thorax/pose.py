"""What differs between two visits of the same patient: how the body stands, and how deeply it has breathed in."""

from dataclasses import dataclass

import numpy as np

from simclinic.thorax.anatomy import Patient


@dataclass(frozen=True)
class Pose:
    """How a patient stands or lies for one image.

    Attributes
    ----------
    inspiration : float
        1 is full; about 0.6 lying.
    turn, tip, lean : float
        Small rotations about the body's long, left-right and front-back axis (radians).
    shift_x, shift_z : float
        How far the body is off the middle of the film (cm).
    zoom : float
        Factor on the field of view.
    arms : float
        Lateral: how far the arms are lifted, 0 to 1. Frontal: how far the shoulders are rolled forward.
    faces : int
        Lateral: +1 if the front of the body is at the right of the image, -1 at the left.
    heart : float
        Factor on the heart's size by its beat and by the height of the diaphragm.
    devices : tuple of str
        Lines and leads on or in the body: any of ``ecg``, ``tube``, ``line``, ``pacemaker``.
    """

    inspiration: float
    turn: float
    tip: float
    lean: float
    shift_x: float
    shift_z: float
    zoom: float
    arms: float
    faces: int
    heart: float
    devices: tuple[str, ...] = ()


def draw_pose(patient: Patient, view: str, visit: int) -> Pose:
    """Draw the pose of one image. A mobile AP image is taken sitting or lying: less breath, more rotation, devices."""
    rng = np.random.default_rng([patient.seed, 3, visit, ["PA", "AP", "L"].index(view)])
    z = rng.normal(size=8).tolist()
    u = rng.random(8).tolist()
    habit = float(np.random.default_rng([patient.seed, 12]).random())  # how this patient holds the arms
    weak, lateral = view == "AP", view == "L"
    inspiration = float(np.clip((0.76 if weak else 0.93) + (0.13 if weak else 0.1) * z[0], 0.35, 1.08))
    devices = tuple(
        name
        for name, chance, draw in zip(("ecg", "tube", "line", "pacemaker"), (0.5, 0.2, 0.35, 0.04), u[4:], strict=True)
        if draw < chance * (1.0 if weak else 0.12)
    )
    return Pose(
        inspiration=inspiration,
        turn=(0.07 if weak else 0.035) * z[1],
        tip=0.03 * z[2] + (0.12 * u[2] if weak else 0.0),
        lean=0.02 * z[3] * (1.8 if weak else 1.0),
        shift_x=(1.3 if weak else 0.8) * z[4],
        shift_z=-1.2 + (1.9 if weak else 1.4) * z[5],
        zoom=float(np.exp(0.05 * z[6]))
        * ((patient.half_width + patient.fat) / 15.4) ** 0.6
        * (0.92 if lateral else 1.0),
        arms=0.7 * habit + 0.3 * u[0],
        faces=1 if u[1] < 0.5 else -1,
        heart=1 + 0.012 * z[7] + 0.15 * (0.95 - inspiration),
        devices=devices,
    )
