"""A simulated head and its scan: four MRI sequences, with the truth about the tumor in them."""

import numbers
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simclinic.brain import lookalikes as alike
from simclinic.brain import mri
from simclinic.brain.anatomy import Anatomy, Surfaces, draw_anatomy, outer_head, place, surfaces, tissue
from simclinic.brain.fields import Grid, inside
from simclinic.brain.tumor import EDEMA, ENHANCING, NON_ENHANCING, Tumor, draw_tumor, grow, push_aside
from simclinic.errors import LessonError

KINDS = {"none": 0.10, "low": 0.05, "high": 0.85}  # how many heads have which tumor
CENTER = (0.0, 8.0, -1.0)  # mm: the middle of every scan
SKULL_STRIPPED = ((80.0, 100.0, 92.0), (0.0, 6.0, -4.0))  # radii and center of what holds every brain, mm


@dataclass(frozen=True)
class Head:
    """A patient's head."""

    seed: int
    age: float  # years
    anatomy: Anatomy
    lookalikes: alike.Lookalikes
    tumor: Tumor | None


@dataclass(frozen=True)
class Scan:
    """Four aligned MRI sequences of one head, and the truth; x runs from the patient's right to left, y to the back."""

    image: np.ndarray  # float32, (x, y, z, 4): FLAIR, T1w, T1gd, T2w; below 32767, so that int16 can hold it
    label: np.ndarray  # uint8, (x, y, z): 1 edema, 2 non-enhancing tumor with necrosis, 3 enhancing tumor, else 0
    brain: np.ndarray  # bool, (x, y, z): what skull stripping leaves
    lookalikes: np.ndarray  # uint8, (x, y, z): 1 spot in the white matter, 2 vessel or plexus, 3 old stroke, else 0
    spacing: tuple[float, float, float]  # edges of a voxel, mm
    style: str
    times: dict[str, tuple[float, float, float]]  # TR, TE and TI (0: no inversion) of each sequence, ms
    tissues: dict[str, np.ndarray] | None  # which part of each voxel is what, (x, y, z) each, if asked for

    @property
    def volumes(self) -> dict[int, float]:
        """Volume of each label, ml."""
        return {k: float((self.label == k).sum() * np.prod(self.spacing) / 1000) for k in (1, 2, 3)}


def draw_head(seed: int, tumor: str | None = None, age: float | None = None) -> Head:
    """Draw a patient.

    Parameters
    ----------
    seed : int
        The same seed is the same patient.
    tumor : str, optional
        ``none``, ``low`` (low grade: nothing enhances) or ``high``; drawn as often as in :data:`KINDS` unless given.
    age : float, optional
        Years, 18 to 95; drawn unless given.

    Returns
    -------
    Head

    Raises
    ------
    LessonError
        If the seed is no whole number from 0 on, or a kind of tumor or an age does not exist.
    """
    if not isinstance(seed, numbers.Integral) or seed < 0:
        raise LessonError(f"The seed must be a whole number from 0 on, not {seed!r}.")
    if tumor is not None and tumor not in KINDS:
        raise LessonError(f"There is no tumor {tumor!r}: choose one of {', '.join(KINDS)}.")
    if age is not None and not 18 <= age <= 95:
        raise LessonError(f"The age must be from 18 to 95 years, not {age!r}.")
    rng = np.random.default_rng([seed, 9])
    kind, years = rng.choice(list(KINDS), p=list(KINDS.values())), float(np.clip(rng.normal(58, 14), 20, 90))
    kind, years = tumor or kind, years if age is None else float(age)
    anatomy = draw_anatomy(seed, years)
    return Head(
        seed=int(seed),
        age=years,
        anatomy=anatomy,
        lookalikes=alike.draw_lookalikes(seed, years),
        tumor=None if kind == "none" else draw_tumor(seed, anatomy, low_grade=kind == "low"),
    )


def scan(
    head: Head,
    shape: Sequence[int] = (64, 64, 32),
    spacing: Sequence[float] = (3.0, 3.0, 4.5),
    style: str = "A",
    stripped: bool = True,
    truth: bool = False,
) -> Scan:
    """Scan a head.

    Parameters
    ----------
    head : Head
    shape : three int
        Voxels along x (from the patient's right to the left), y (from front to back) and z (upward).
    spacing : three float
        Edges of a voxel, mm.
    style : str
        One of :data:`mri.STYLES`.
    stripped : bool
        Whether everything but the brain is set to 0, as in the published sets.
    truth : bool
        Whether to return which part of each voxel is which tissue.

    Returns
    -------
    Scan

    Raises
    ------
    LessonError
        If shape, spacing or style cannot be.
    """
    _check(shape, spacing, style)
    how, voxel = mri.STYLES[style], max(1.0, float(np.prod(spacing)) ** (1 / 3))
    axes = tuple((np.arange(n) - (n - 1) / 2) * s + c for n, s, c in zip(shape, spacing, CENTER, strict=True))
    grid, p, body, brain = _cover(head.anatomy, axes, stripped)
    texture = tuple(noise.on(grid) for noise in head.anatomy.texture)
    parts, label, similar = _compose(head, grid, p, body, texture, voxel)
    if not stripped:
        outside = outer_head(p, body)
        parts = {name: np.where(brain, part, outside.get(name, 0.0)) for name, part in parts.items()}
        label, similar = label * brain, similar * brain
    rng = np.random.default_rng([head.seed, 7, list(mri.STYLES).index(style)])
    times = mri.draw_times(how, rng)
    image = mri.expose(_signals(parts, how, times, texture, rng), grid, how, rng, stripped)
    tissues = {name: grid.fill(part) for name, part in parts.items()} if truth else None
    spacing = tuple(float(s) for s in spacing)
    return Scan(image, grid.fill(label), grid.fill(brain), grid.fill(similar), spacing, style, times, tissues)


def _check(shape, spacing, style: str) -> None:
    if len(shape) != 3 or not all(isinstance(n, numbers.Integral) and 8 <= n <= 512 for n in shape):
        raise LessonError(f"The shape must be three whole numbers from 8 to 512, not {shape!r}.")
    if len(spacing) != 3 or not all(isinstance(s, numbers.Real) and 0.5 <= s <= 10 for s in spacing):
        raise LessonError(f"The spacing must be three lengths from 0.5 to 10 mm, not {spacing!r}.")
    if style not in mri.STYLES:
        raise LessonError(f"There is no scanner style {style!r}: choose one of {', '.join(mri.STYLES)}.")


def _cover(anatomy: Anatomy, axes: tuple, stripped: bool) -> tuple[Grid, np.ndarray, Surfaces, np.ndarray]:
    """Return the voxels to compute, their places in the average head, and which of them are left by skull stripping."""
    radii, center = SKULL_STRIPPED
    axes_scaled = [(axis - c) / r for axis, c, r in zip(axes, center, radii, strict=True)]
    far = sum(a * a for a in np.meshgrid(*axes_scaled, indexing="ij", sparse=True))
    grid = Grid(axes, far < (1 if stripped else 4))
    p = place(anatomy, grid)
    body = surfaces(p)
    brain = body.hull < 0.3 + 1.2 * anatomy.folds[2].on(grid)  # no skull stripping is exact
    if not stripped:
        return grid, p, body, brain
    return grid.only(brain), p[:, brain], body.only(brain), brain[brain]


def _compose(head: Head, grid: Grid, p: np.ndarray, body: Surfaces, texture: tuple, voxel: float):
    """Return the parts of each voxel by tissue, its label, and what it looks like but is not."""
    coarse, fine = texture
    growth, q, width = None, p, 1.0
    if head.tumor:
        growth = grow(head.tumor, head.anatomy, grid, p, body, voxel)
        q = push_aside(head.tumor, p, body)
        width = 1 - 1.9 * head.tumor.push * np.exp(-np.clip(growth.distance, 0, None) / 18)
    healthy = tissue(head.anatomy, q, body, voxel, width)
    parts = {name: np.zeros_like(coarse) for name in mri.TISSUES}
    parts.update(white=healthy.white, gray=healthy.gray, fluid=healthy.fluid)
    spots, scarred = alike.gliosis(head.lookalikes, healthy, q, texture)
    _soak(parts, "white", "gliosis", scarred)
    hole, scar = alike.old_stroke(head.lookalikes, q, fine, voxel)
    _soak(parts, "white", "gliosis", scar)
    _soak(parts, "gray", "gliosis", scar)
    _replace(parts, "fluid", hole)
    _replace(parts, "dura", inside(0.9 - body.hull, voxel))
    blood = alike.vessels(healthy, q, body, texture, voxel)
    _replace(parts, "vessel", blood)
    found = {alike.VESSEL: blood > 0.4, alike.STROKE: scar > 0.5, alike.SPOT: spots * healthy.white > 0.5}
    similar = np.select(list(found.values()), list(found), 0)
    label = np.zeros(len(coarse), np.uint8)
    if growth:
        wet = growth.edema * np.clip(head.tumor.wetness * (1 + 0.15 * coarse + 0.1 * fine), 0, 1)
        for dry, share in (("white", wet), ("gliosis", wet), ("gray", 0.2 * wet)):  # it spares the cortex
            _soak(parts, dry, "edema", share)
        label[(growth.edema > 0.5) & (healthy.white > 0.4)] = EDEMA
        label[growth.core > 0.5] = NON_ENHANCING
        label[growth.rim > 0.5] = ENHANCING
        for part in parts.values():
            part *= 1 - growth.core
        debris = growth.necrosis * np.clip(head.tumor.debris + 0.15 * fine, 0, 1)
        parts.update(rim=growth.rim, solid=growth.solid + debris, necrosis=growth.necrosis - debris)
    return parts, label, np.where(label > 0, 0, similar).astype(np.uint8)


def _soak(parts: dict[str, np.ndarray], source: str, target: str, share: np.ndarray) -> None:
    """Turn a share of one tissue into another."""
    parts[target] = parts[target] + share * parts[source]
    parts[source] = parts[source] * (1 - share)


def _replace(parts: dict[str, np.ndarray], target: str, share: np.ndarray) -> None:
    """Put a tissue in the place of a share of everything."""
    for name in parts:
        parts[name] = parts[name] * (1 - share) + (share if name == target else 0)


def _signals(parts: dict[str, np.ndarray], how: mri.Style, times: dict, texture: tuple, rng: np.random.Generator):
    """Return the signal of each voxel in each channel, (4, n): that of its parts, added up with their signs."""
    coarse, fine = texture
    spread = np.exp(rng.normal(0, 0.04, (len(parts), 2)))
    least, most = mri.levels(how, times, 0.0, spread), mri.levels(how, times, 1.0, spread)
    amounts = np.stack(list(parts.values()))
    dose = np.clip(0.5 + 0.3 * coarse + 0.15 * fine, 0, 1)
    clean = np.einsum("tc,tn->cn", least, amounts) + np.einsum("tc,tn->cn", most - least, amounts) * dose
    clean[0] += 0.9 * parts["fluid"] * np.clip(coarse - 0.8, 0, 1)  # fluid that flows is not dark on FLAIR
    uneven = np.array([0.06, -0.03, -0.03, 0.06])[:, None] * (coarse + 0.5 * fine)  # watery tissue, as T1 and T2 see it
    return np.abs(clean) * (1 + uneven)
