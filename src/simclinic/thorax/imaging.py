"""A radiograph: the shadow of a body, taken by a beam, a detector and a department's habits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from simclinic import arithmetic
from simclinic.errors import LessonError
from simclinic.thorax.anatomy import Patient
from simclinic.thorax.findings import Finding
from simclinic.thorax.lettering import symbol
from simclinic.thorax.pose import Pose, draw_pose
from simclinic.thorax.projection import (
    BODY_TO_DETECTOR,
    SOURCE_TO_DETECTOR,
    VIEWS,
    Camera,
    averager,
    overlap,
    resampler,
    smooth,
)
from simclinic.thorax.shadow import LUNG, SOFT, attenuation, chest_space, heart_interval, solids
from simclinic.thorax.signs import LEFT, RIGHT, changes, fallen_ill
from simclinic.thorax.styles import Mark, Style, find_style, of_one_image

FAULTS = ("rotated", "upside_down", "inverted")
SMALLEST = 32  # pixels
FIELD = 36.2  # height of the field of view for a mean adult (cm)
LATERAL_WIDTH = 0.8  # width by height of a lateral film, relative to a frontal one
MIDDLE = {"PA": 0.2, "AP": 0.2, "L": 0.5}  # of the display window, between lung and tissue
LATERAL_SCATTER = 0.35  # by scatter of a frontal film: the way is longer, and a grid is always used
VISIBLE = 0.04  # change of the attenuation that counts as a finding's shadow
WHITE = 250  # gray level of what is written; lead is as bright as the display shows what was not exposed
GRAIN = 0.01  # noise by signal behind a lung, in a well exposed image of 320 pixels
VEIL = 24  # scatter is so smooth that a grid of 24 x 24 holds it
SHADES = 4  # uneven exposure is a sum of so many cosines, from none to one and a half waves across the film
RANGE = (0.15, 0.78)  # quantiles of a healthy chest's middle that are as dark as its lung, as bright as its tissue
EDGES = 96  # edge enhancement brings out what a grid of 96 x 96 does not hold


@dataclass(frozen=True)
class Radiograph:
    """One simulated image and what is known about it.

    Attributes
    ----------
    image : uint8 array, (size, size) unless another aspect was asked for
        0 is black (air), 255 white (bone), as radiologists look at it.
    view : str
    patient : Patient
    visit : int
    findings : tuple of Finding
    style : Style
    faults : tuple of str
    masks : dict of str to bool array
        For each finding's name, the pixels whose attenuation it changes. Empty unless asked for.
    lungs, heart : bool array, or None
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
    square: bool = True,
) -> Radiograph:
    """Take one image of a patient.

    Parameters
    ----------
    patient : Patient
    view : {"PA", "AP", "L"}
        Frontal from the back, frontal from the front (mobile, near source: the heart is magnified), lateral.
    size : int
        Pixels of an edge, at least 32.
    findings : sequence of Finding
    visit : int
        Visits share the anatomy and the findings' places and differ in pose, inspiration and noise.
    style : str or Style
        A name from STYLES, or a style of your own.
    faults : sequence of {"rotated", "upside_down", "inverted"}
        Turned by a quarter, turned by a half, black and white exchanged.
    masks : bool
        Whether to work out where each finding, the lungs and the heart are (needs one more projection a finding).
    square : bool
        Whether the image is squeezed to a square, as most data sets are; else its width follows the film's
        ``aspect`` and ``size`` is its height.

    Returns
    -------
    Radiograph

    Raises
    ------
    LessonError
        On an unknown view, style or fault, or a size below 32 pixels.
    """
    _check(view, size, visit, faults)
    style, findings = find_style(style), tuple(findings)
    seed = (patient.seed, visit, VIEWS.index(view))
    taken, off = of_one_image(style, np.random.default_rng([*seed, 5]))
    pose = fallen_ill(draw_pose(patient, view, visit), findings, view)
    small, fine = (camera(patient, view, pose, taken, n, square, off) for n in (coarse_size(size), size))

    def shadow_with(present):
        return attenuation(small, fine, patient, pose, changes(patient, present, pose, view), seed)

    shadow = shadow_with(findings)
    image = _expose(shadow, patient, view, taken, np.random.default_rng([*seed, 4]))
    image = _finish(image, view, taken, stretch=1 / _width_by_height(taken, view) if square else 1.0)
    found, air, heart = {}, None, None
    if masks:
        for one in findings:
            without = shadow_with([other for other in findings if other is not one])
            change = smooth(np.abs(shadow - without), 1.0) > VISIBLE
            found[one.name] = found.get(one.name, False) | change
        air, heart = _organs(fine, patient, pose, findings)
        found = {name: _turn(mask, faults) for name, mask in found.items()}
        air, heart = _turn(air, faults), _turn(heart, faults)
    if "inverted" in faults:
        image = 255 - image
    return Radiograph(_turn(image, faults), view, patient, visit, findings, style, tuple(faults), found, air, heart)


def _check(view: str, size: int, visit: int, faults: Sequence[str]) -> None:
    if view not in VIEWS:
        raise LessonError(f"There is no view {view!r}; choose one of {', '.join(VIEWS)} (L is the lateral).")
    if int(size) != size or size < SMALLEST:
        raise LessonError(f"size is {size!r} pixels, but it must be a whole number of at least {SMALLEST}.")
    if int(visit) != visit or visit < 0:
        raise LessonError(f"visit is {visit!r}, but visits are numbered 0, 1, 2, ...")
    unknown = [fault for fault in faults if fault not in FAULTS]
    if isinstance(faults, str) or unknown:
        named = faults if isinstance(faults, str) else unknown[0]
        raise LessonError(f"faults holds {named!r}; give a list with any of {', '.join(FAULTS)}.")


def _turn(image: np.ndarray, faults: Sequence[str]) -> np.ndarray:
    """Return an image as a fault of orientation shows it."""
    if "upside_down" in faults:
        image = image[::-1, ::-1]
    if "rotated" in faults:
        image = np.rot90(image)
    return np.ascontiguousarray(image)


def coarse_size(size: int) -> int:
    """Return the grid on which solids are computed: their shadows are smooth."""
    return size // 2 if size >= 192 else 5 * size // 8


def _width_by_height(style: Style, view: str) -> float:
    """Return the aspect of a film, before it is made square."""
    return style.aspect * (LATERAL_WIDTH if view == "L" else 1.0)


def camera(
    patient: Patient,
    view: str,
    pose: Pose,
    style: Style,
    size: int,
    square: bool = True,
    off: tuple[float, float] = (0.0, 0.0),
) -> Camera:
    """Return the rays of one view over an image.

    Parameters
    ----------
    patient : Patient
    view : {"PA", "AP", "L"}
    pose : Pose
    style : Style
    size : int
        Height of the image in pixels.
    square : bool
        Whether the image is as wide as it is high, whatever the film's aspect.
    off : (float, float)
        How far the film is off, as :func:`styles.of_one_image` returns it.

    Returns
    -------
    Camera
    """
    distance = (SOURCE_TO_DETECTOR[view] - BODY_TO_DETECTOR * patient.scale) / patient.scale
    height = FIELD * style.field * pose.zoom
    aspect = _width_by_height(style, view)
    width = size if square else round(size * aspect)
    u = ((np.arange(width) + 0.5) / width - 0.5) * height * aspect + pose.shift_x + off[0] * height
    v = (0.5 - (np.arange(size) + 0.5) / size) * height + pose.shift_z + off[1] * height
    return Camera(view, pose, distance, u.astype(np.float32)[None, :], v.astype(np.float32)[:, None])


def _organs(cam: Camera, patient: Patient, pose: Pose, findings: Sequence[Finding]):
    """Return where the lungs and the heart are: two bool arrays (height, width)."""
    change = changes(patient, findings, pose, cam.view)
    near, far = heart_interval(cam, patient, pose, change)
    middle = solids(cam, patient, pose, change)
    spaces = [chest_space(cam, patient, pose, change, side, middle) for side in (RIGHT, LEFT)]
    domes = sum(overlap(near, far, *space.dome) for space in spaces)
    return sum(space.air for space in spaces) > 1.0, far - near - domes > 0.5


def _expose(shadow: np.ndarray, patient: Patient, view: str, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Return the gray levels (0..255, not rounded) of a shadow: beam, scatter, noise, detector and display.

    Unless the style is ``automatic``, the display window comes from the patient's build, not from the image, so that
    a finding changes the image only where it is.
    """
    size = shadow.shape[0]
    lung, tissue = _reference(patient, view)
    scatter = style.scatter * (LATERAL_SCATTER if view == "L" else 1.0)
    shown = _detect(shadow, float(np.exp(-lung)), scatter, style.exposure, rng)
    pixel = 10 * FIELD * patient.scale / size  # mm
    if style.blur > 0.35 * pixel:
        shown = smooth(shown, style.blur / pixel)
    dark = lung - float(np.log(1 + 0.8 * scatter))
    bright = -float(np.log(np.exp(-tissue) + (0.55 * scatter + 0.004) * float(np.exp(-lung))))
    if style.automatic and view != "L":
        own = np.quantile(shown[size // 8 : -size // 6, size // 7 : -size // 7], RANGE).tolist()
        dark += style.automatic * (own[0] - dark)
        bright += style.automatic * (own[1] - bright)
    middle = dark + (MIDDLE[view] + style.centre) * (bright - dark)
    shown = _enhance(shown, dark, bright, middle, style)
    if style.uneven:
        strength = rng.normal(0, 0.5 * style.uneven * (bright - dark), (SHADES, SHADES))
        shown = shown + arithmetic.product(_cosines(size), strength, _cosines(shown.shape[1]).T)
    slope = 2.2 / ((bright - dark) * style.width)
    bent = arithmetic.exp((shown - np.float32(middle)) * np.float32(-slope)) + 1
    bent = arithmetic.power(bent, -style.gamma)
    return bent * np.float32(255 * (style.white - style.fog)) + np.float32(255 * style.fog)


def _detect(shadow: np.ndarray, open_lung: float, scatter: float, exposure: float, rng: np.random.Generator):
    """Return the attenuation as a detector sees it; ``open_lung`` is the light behind a lung (1: behind air)."""
    light = arithmetic.exp(-shadow)
    veil = _coarse(np.minimum(light, np.float32(open_lung)), VEIL, spread=3.5)
    light = light + (np.float32(scatter) * veil + np.float32(0.004 * open_lung))
    per_photon = GRAIN**2 * open_lung / exposure * (len(shadow) / 320) ** 2  # a larger pixel sees more photons
    noise = rng.standard_normal(light.shape, dtype=np.float32) * np.sqrt(light) * np.float32(per_photon**0.5)
    return -arithmetic.log(np.maximum(light + noise, np.float32(0.002 * open_lung)))


def _enhance(shown: np.ndarray, dark: float, bright: float, middle: float, style: Style) -> np.ndarray:
    """Return an image with its edges sharpened, and its wide differences of brightness flattened."""
    image = shown
    if style.sharpness:
        image = image + (shown - _coarse(shown, EDGES)) * np.float32(style.sharpness)
    if style.equalised:
        wide = _coarse(np.clip(shown, dark, bright), VEIL)
        image = image - (wide - np.float32(middle)) * np.float32(style.equalised)
    return image


def _coarse(image: np.ndarray, grid: int, spread: float = 0.0) -> np.ndarray:
    """Return what a grid of ``grid`` x ``grid`` keeps of an image, in the image's size; blurred by ``spread`` cells."""
    down, across = (min(grid, n) for n in image.shape)
    kept = arithmetic.product(averager(image.shape[0], down), image, averager(image.shape[1], across).T)
    if spread:
        kept = arithmetic.product(_smear(down, spread), kept, _smear(across, spread).T)
    return arithmetic.product(resampler(image.shape[0], down), kept, resampler(image.shape[1], across).T)


@lru_cache(maxsize=8)
def _cosines(size: int) -> np.ndarray:
    """Return the matrix (size, SHADES) of 0, 1/2, 1, 3/2 waves of a cosine."""
    at = (np.arange(size) + 0.5) / size
    return np.cos(np.pi * np.outer(at, np.arange(SHADES))).astype(np.float32)


@lru_cache(maxsize=8)
def _smear(size: int, sigma: float) -> np.ndarray:
    """Return the matrix (size, size) that blurs with a Gaussian."""
    at = np.arange(size)
    weights = np.exp(-0.5 * ((at[:, None] - at[None, :]) / sigma) ** 2)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _reference(patient: Patient, view: str) -> tuple[float, float]:
    """Return the attenuation of a ray through the middle of a lung and of one through as much soft tissue."""
    chest, wall = (patient.half_width, 0.9) if view == "L" else (patient.half_depth, 1.3)
    air = 1.35 * chest if view == "L" else 1.6 * chest
    tissue = 2 * (chest + wall + 0.75 * patient.fat)
    return SOFT * (tissue - air) + LUNG * air, SOFT * tissue


def _finish(gray: np.ndarray, view: str, style: Style, stretch: float = 1.0) -> np.ndarray:
    """Return the finished image (uint8): with its frame, and with what the department writes on it.

    ``stretch`` widens what is written.
    """
    if any(style.shutters):
        shown = _window(gray.shape, style.shutters, style.shutter_turn)
        gray = gray * shown + np.float32(255 * style.shutter_level) * (1 - shown)
    for mark in style.marks:
        if view in mark.views:
            _write(gray, mark, stretch, 255 * style.white if mark.kind == "lead" else WHITE)
    return np.rint(np.clip(gray, 0, 255)).astype(np.uint8)


@lru_cache(maxsize=64)
def _window(shape: tuple[int, int], shutters: tuple[float, ...], turn: float) -> np.ndarray:
    """Return what a turned frame leaves of an image: 0 behind it, 1 inside."""
    y, x = ((np.arange(n, dtype=np.float32)[:, None] + 0.5) / n - 0.5 for n in shape)
    x, slant = x.T, np.float32(np.tan(np.radians(turn)))
    top, bottom, left, right = shutters
    shown = np.ones(shape, np.float32)
    for inside in (
        0.5 - top + y + slant * x if top else None,
        0.5 - bottom - y - slant * x if bottom else None,
        0.5 - left + x - slant * y if left else None,
        0.5 - right - x + slant * y if right else None,
    ):
        if inside is not None:
            shown *= np.clip(inside * shape[0] + 0.5, 0, 1)
    return shown


def _write(gray: np.ndarray, mark: Mark, stretch: float, level: float) -> None:
    """Write a mark on an image, as bright as ``level``; what reaches beyond the film is cut off."""
    rows, columns = gray.shape
    font_height = round(2 * mark.size * rows) / 2
    light, cover = symbol(mark.text, mark.kind, max(font_height, 1.0), mark.turn, round(stretch, 1), mark.font)
    across, down = (round(share * n) for share, n in zip(mark.inset, (columns, rows), strict=True))
    top = down if "top" in mark.corner else rows - down - light.shape[0]
    left = across if "left" in mark.corner else columns - across - light.shape[1]
    top, left = max(top, 0), max(left, 0)
    place = gray[top : top + light.shape[0], left : left + light.shape[1]]
    light, cover = (layer[: place.shape[0], : place.shape[1]] for layer in (light, cover))
    place += np.float32(level) * light - place * cover
