"""A radiograph: the shadow of a body, taken by a beam, a detector and a department's habits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from medlessons.errors import LessonError
from medlessons.simulate.thorax import anatomy
from medlessons.simulate.thorax.anatomy import Patient
from medlessons.simulate.thorax.findings import Finding
from medlessons.simulate.thorax.pose import draw_pose
from medlessons.simulate.thorax.projection import (
    BONE,
    FIELD,
    LUNG,
    SOFT,
    VIEWS,
    Ellipsoid,
    camera,
    chord,
    column,
    lungs,
    trunk,
)
from medlessons.simulate.thorax.styles import Style, find_style

FAULTS = ("rotated", "upside_down", "inverted")
SMALLEST = 32


@dataclass(frozen=True)
class Radiograph:
    """One simulated image and what is known about it.

    Attributes
    ----------
    image : uint8 array, (size, size)
        0 is black (air), 255 white (bone), as radiologists look at it.
    view : str
    patient : Patient
    visit : int
    findings : tuple of Finding
    style : Style
    faults : tuple of str
    masks : dict
        Finding name -> bool array of the image's shape. Empty unless asked for.
    lungs, heart : bool array or None
        Where they are. None unless masks were asked for.
    """

    image: np.ndarray
    view: str
    patient: Patient
    visit: int
    findings: tuple[Finding, ...]
    style: Style
    faults: tuple[str, ...]
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    lungs: np.ndarray | None = None
    heart: np.ndarray | None = None


def radiograph(
    patient: Patient,
    view: str = "PA",
    size: int = 320,
    *,
    findings: Sequence[Finding] = (),
    visit: int = 0,
    style: str | Style = "A",
    faults: Sequence[str] = (),
    masks: bool = False,
) -> Radiograph:
    if view not in VIEWS:
        raise LessonError(f"There is no view {view!r}; choose one of {', '.join(VIEWS)} (L is the lateral).")
    if size < SMALLEST:
        raise LessonError(f"size is {size} pixels, but it must be at least {SMALLEST}.")
    unknown = [fault for fault in faults if fault not in FAULTS]
    if unknown:
        raise LessonError(f"There is no fault {unknown[0]!r}; choose from {', '.join(FAULTS)}.")
    style = find_style(style)
    pose = draw_pose(patient, view, visit)
    rng = np.random.default_rng([patient.seed, 4, visit, VIEWS.index(view)])
    field_ = FIELD * style.field * pose.zoom
    cam = camera(patient, view, pose, (size, size), field_, style.aspect)
    body = trunk(cam, patient)
    half = patient.cardiothoracic_ratio * patient.half_width
    heart = Ellipsoid((0.28 * half, 2.2, -3.6), (1.05 * half, 0.72 * half, 0.75 * half), -0.5)
    _, up = cam.plane(0.0)
    spine = column(cam, anatomy.spine_x(patient, up), anatomy.spine_y(patient, up) + 1.0, 1.9, 2.2)
    middle = column(cam, 0.0, 0.0, patient.mediastinum * np.clip(1.2 - 0.02 * up, 0.8, 1.4), 3.6)
    cor = chord(cam, heart)
    domes = [anatomy.dome(patient, side, pose.inspiration) for side in (-1, 1)]
    air = lungs(cam, patient, domes, [spine, middle, cor])
    attenuation = SOFT * body - (SOFT - LUNG) * air.sum(0)
    disc = 0.6 + 0.4 * (np.abs((up / anatomy.VERTEBRA) % 1 - 0.5) < 0.38)
    attenuation += 0.25 * BONE * (spine[1] - spine[0]) * disc * (body > 0)
    light = np.exp(-attenuation)
    light = (
        light + 0.012 * rng.standard_normal(light.shape, dtype=np.float32) * np.sqrt(light) / style.exposure
    )
    shown = -np.log(np.maximum(light, 1e-4))
    low, high = 0.9, 5.6
    grey = np.clip((shown - low) / (high - low) * 255, 0, 255)
    image = np.rint(grey).astype(np.uint8)
    if "inverted" in faults:
        image = 255 - image
    if "upside_down" in faults:
        image = image[::-1, ::-1]
    if "rotated" in faults:
        image = np.rot90(image)
    return Radiograph(
        np.ascontiguousarray(image),
        view,
        patient,
        visit,
        tuple(findings),
        style,
        tuple(faults),
        {f.name: np.zeros(image.shape, bool) for f in findings} if masks else {},
        air.sum(0) > 1 if masks else None,
        cor[1] > cor[0] if masks else None,
    )
