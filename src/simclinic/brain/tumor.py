"""A glioma: necrosis, enhancing rim, solid tumor without contrast, edema, and the tissue that it pushes aside."""

from dataclasses import dataclass

import numpy as np

from simclinic.brain.anatomy import Anatomy, Surfaces, surfaces, ventricles
from simclinic.brain.fields import Grid, Noise, inside

EDEMA, NON_ENHANCING, ENHANCING = 1, 2, 3  # the labels, numbered as in the Medical Segmentation Decathlon


@dataclass(frozen=True)
class Tumor:
    """A glioma; its core is everything but the edema."""

    seed: int
    low_grade: bool  # then nothing of it is necrotic or enhances
    center: tuple[float, float, float]  # in the average head, mm
    radius: float  # of the core, mm
    stretch: tuple[float, float, float]  # of the core along x, y and z
    rim: float  # thickness of the enhancing rim, mm
    solid: float  # how far tumor without contrast reaches beyond the rim where it does, mm
    edema: float  # how far edema reaches beyond the core on average, mm
    wetness: float  # how much of the tissue the edema replaces at its strongest, 0 to 1
    debris: float  # how much of the necrosis is not fluid, and so as bright on FLAIR as solid tumor, 0 to 1
    push: float  # how far the surroundings are pushed aside, relative to the radius


def draw_tumor(seed: int, anatomy: Anatomy, low_grade: bool) -> Tumor:
    """Draw a tumor of any size, somewhere in the cerebrum."""
    rng = np.random.default_rng([seed, 4])
    volume = 1000 * np.clip(np.exp(rng.normal(np.log(24), 1.25)), 0.4, 120)  # mm3
    radius = float((volume * 3 / 4 / np.pi) ** (1 / 3))
    stretch = np.exp(rng.normal(0, 0.15, 3))
    places = rng.uniform([-52, -62, -28], [52, 70, 56], (400, 3)).T
    fit = np.minimum(-surfaces(places).cerebrum - 5 - 0.45 * radius, ventricles(anatomy, places) - 0.3 * radius)
    fit = np.minimum(fit, np.abs(places[0]) - 8 - 0.25 * radius)
    first = np.argmax(fit > 0) if (fit > 0).any() else np.argmax(fit)  # the largest fit nowhere: the best place then
    return Tumor(
        seed=seed,
        low_grade=low_grade,
        center=tuple(float(c) for c in places[:, first]),
        radius=radius,
        stretch=tuple(float(s) for s in stretch / np.prod(stretch) ** (1 / 3)),
        rim=float(radius * np.exp(rng.normal(np.log(0.25), 0.4))),
        solid=0.0 if low_grade else float(rng.choice([0, 6], p=[0.6, 0.4])),
        edema=float(np.exp(rng.normal(np.log(5 if low_grade else 16.5), 0.45)) * (radius / 18) ** 0.75),
        wetness=float(rng.uniform(0.85, 1.15) * np.clip(0.5 + 0.03 * radius, 0.6, 1.1)),  # small ones are fainter
        debris=float(rng.uniform(0, 0.8)),
        push=float(rng.uniform(0.1, 0.4)),
    )


@dataclass(frozen=True)
class Growth:
    """Where a tumor is: mm outside its core, how wet the tissue is (0 to 1), and the core as parts of 1; each (n,)."""

    distance: np.ndarray
    edema: np.ndarray
    rim: np.ndarray
    solid: np.ndarray
    necrosis: np.ndarray

    @property
    def core(self) -> np.ndarray:
        """All of the tumor but its edema."""
        return self.rim + self.solid + self.necrosis


def grow(tumor: Tumor, anatomy: Anatomy, grid: Grid, p: np.ndarray, body: Surfaces, voxel: float) -> Growth:
    """Return what a tumor makes of the chosen voxels of a grid, which are at ``p`` (3, n) in the average head."""
    rng = np.random.default_rng([tumor.seed, 5])
    lobes, inner, gaps = (Noise(rng, knots).on(grid) for knots in (max(7, 0.8 * tumor.radius), 8, 12))
    reach, detail = anatomy.folds[2].on(grid), anatomy.texture[1].on(grid)
    away = [(a - c) / s for a, c, s in zip(p, tumor.center, tumor.stretch, strict=True)]
    distance = np.sqrt(sum(a * a for a in away)) - tumor.radius * (1 + 0.26 * np.clip(lobes, -2, 2))
    distance -= min(tumor.radius, 20) * (0.1 * detail + 0.07 * inner)
    across = -np.sign(tumor.center[0]) * p[0]
    distance = np.maximum(distance + 1.5 * np.clip(across + 2, 0, None), body.cerebrum)  # it keeps to its side
    core = inside(distance, voxel)
    rim = necrosis = np.zeros_like(core)
    if not tumor.low_grade:
        shell = inside(-distance - tumor.rim * (1 + 0.5 * inner), voxel)
        rim = core * shell * inside(4 * (gaps - 1.1), voxel)  # with gaps
        rim = np.maximum(rim, core * inside(6 * (0.9 - inner - 0.3 * gaps), voxel))  # and knots in the middle
        necrosis = (core - rim) * inside(distance + 0.6 * tumor.rim, voxel)
        core = np.maximum(core, inside(distance - tumor.solid * np.clip(gaps + 0.3 * reach, 0, 1.5), voxel))
    far = tumor.edema * (1 + 0.45 * np.clip(reach + 0.5 * lobes, -2, 2.5)) - distance
    edema = 1 / (1 + np.exp(-far / (1.2 + 0.08 * tumor.edema)))
    return Growth(distance, edema, rim, core - rim - necrosis, necrosis)


def push_aside(tumor: Tumor, p: np.ndarray, body: Surfaces) -> np.ndarray:
    """Return where the tissue at points ``p`` was before the tumor pushed it; the surface of the brain stays."""
    away = p - np.array(tumor.center)[:, None]
    near = np.exp(-(away**2).sum(0) / (1.7 * tumor.radius + 6) ** 2)
    return p - away * (tumor.push * near * np.clip(-body.brain / 12, 0, 1))
