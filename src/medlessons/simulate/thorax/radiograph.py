"""A radiograph: the shadow of a body, taken by a beam, a detector and a department's habits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from medlessons.errors import LessonError
from medlessons.simulate.thorax.anatomy import Patient
from medlessons.simulate.thorax.findings import Finding
from medlessons.simulate.thorax.pose import Pose, draw_pose
from medlessons.simulate.thorax.projection import (
    BODY_TO_DETECTOR,
    SOURCE_TO_DETECTOR,
    VIEWS,
    Camera,
    averager,
    chord,
    resampler,
)
from medlessons.simulate.thorax.shadow import LUNG, SOFT, attenuation, heart_body
from medlessons.simulate.thorax.signs import changes
from medlessons.simulate.thorax.styles import Style, find_style

FIELD = 37.0  # height of the field of view for a mean adult (cm)
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
    coarse = camera(patient, view, pose, style, coarse_size(size))
    fine = camera(patient, view, pose, style, size)
    change = changes(patient, findings)
    seed = (patient.seed, visit, VIEWS.index(view))
    shadow = attenuation(coarse, fine, patient, pose, change, seed)
    image = expose(shadow, patient, view, style, np.random.default_rng([*seed, 4]))
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
    )


def coarse_size(size: int) -> int:
    """Return the grid on which solids are computed: their shadows are smooth."""
    return size // 2 if size >= 192 else 3 * size // 4


def camera(patient: Patient, view: str, pose: Pose, style: Style, size: int) -> Camera:
    """Return the rays of one view over a square image of ``size`` pixels."""
    distance = (SOURCE_TO_DETECTOR[view] - BODY_TO_DETECTOR * patient.scale) / patient.scale
    field_ = FIELD * style.field * pose.zoom
    grid = ((np.arange(size) + 0.5) / size - 0.5) * field_
    u = (grid * style.aspect + pose.shift_x).astype(np.float32)
    v = (-grid + pose.shift_z).astype(np.float32)
    return Camera(view, pose, distance, u[None, :], v[:, None])


def expose(shadow: np.ndarray, patient: Patient, view: str, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Return the grey levels of a shadow: beam, scatter, quantum noise, detector and display.

    The display window comes from the patient's build, not from the image, so that a finding changes the image
    only where it is.
    """
    lung, tissue = reference(patient, view)
    light = np.exp(-shadow)
    size = shadow.shape[0]
    few = 24
    average = averager(size, few)
    open_lung = np.float32(np.exp(-lung))
    veil = average @ np.minimum(light, open_lung) @ average.T
    blur = smear(few, 3.0)
    up = resampler(size, few)
    veil = up @ (blur @ veil @ blur.T) @ up.T
    light += np.float32(style.scatter) * veil + np.float32(0.004) * open_lung
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    light += noise * np.sqrt(light * np.float32(open_lung * (0.035**2 / style.exposure)))
    shown = -np.log(np.maximum(light, np.float32(0.002) * open_lung))
    if style.sharpness:
        mean = average @ shown @ average.T
        shown += np.float32(0.35 * style.sharpness) * (shown - up @ mean @ up.T)
    dark = lung - np.log(1 + 0.8 * style.scatter)
    bright = -np.log(np.exp(-tissue) + (0.55 * style.scatter + 0.004) * open_lung)
    middle = dark + (0.45 + style.centre) * (bright - dark)
    slope = 2.7 / ((bright - dark) * style.width)
    grey = 255 / (1 + np.exp(np.float32(-slope) * (shown - np.float32(middle))))
    return np.rint(grey).astype(np.uint8)


@lru_cache(maxsize=8)
def smear(size: int, sigma: float) -> np.ndarray:
    """Return the matrix (size, size) that blurs with a Gaussian."""
    at = np.arange(size)
    weights = np.exp(-0.5 * ((at[:, None] - at[None, :]) / sigma) ** 2)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def reference(patient: Patient, view: str) -> tuple[float, float]:
    """Return the attenuation of a ray through the middle of a lung and of one through as much soft tissue."""
    chest, wall = (patient.half_width, 0.9) if view == "L" else (patient.half_depth, 1.3)
    air = 1.55 * chest if view != "L" else 1.35 * chest
    tissue = 2 * (chest + wall + 0.75 * patient.fat)
    return SOFT * (tissue - air) + LUNG * air, SOFT * tissue
