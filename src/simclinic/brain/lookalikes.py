"""What only looks like a tumor: spots in the white matter, vessels and plexus that enhance, old strokes."""

from dataclasses import dataclass

import numpy as np

from simclinic.brain.anatomy import Surfaces, Tissue, mirrored
from simclinic.brain.fields import ellipsoid, inside, layer, tube

SPOT, VESSEL, STROKE = 1, 2, 3  # numbers in Scan.lookalikes


@dataclass(frozen=True)
class Lookalikes:
    """What one person has of them."""

    spots: float  # the higher, the more and the larger spots; about 0 at 55 years, 1 at 85
    caps: float  # how bright the borders of the ventricles are on FLAIR, 0 to 1
    stroke: tuple[float, float, float, float, float] | None  # center, radius of its fluid (or below 0) and its scar, mm


def draw_lookalikes(seed: int, age: float) -> Lookalikes:
    """Draw what a person of that age (years) has besides a tumor."""
    rng = np.random.default_rng([seed, 6])
    older = (age - 55) / 30
    fluid = rng.uniform(-8, 9)
    place = [rng.choice([-1, 1]) * rng.uniform(20, 50), rng.uniform(-45, 60), rng.uniform(-10, 40)]
    place += [fluid, max(fluid, 0) + rng.uniform(3, 10)]
    return Lookalikes(
        spots=float(older + rng.normal(0, 0.5)),
        caps=float(np.clip(0.4 + 0.3 * older + rng.normal(0, 0.2), 0.1, 0.9)),
        stroke=tuple(float(number) for number in place) if rng.random() < 0.4 else None,
    )


def gliosis(has: Lookalikes, tissue: Tissue, p: np.ndarray, texture: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Return which part of the white matter spots replace, and which part spots and caps together, each (n,)."""
    coarse, fine = texture
    rare = 2.2 - 0.7 * has.spots + np.clip(tissue.ventricle - 25, -15, 20) / 60  # fewer far from the ventricles
    spots = np.clip(2 * (fine + 0.6 * coarse - rare), 0, 1) * (tissue.ventricle < 45) * (p[2] > -25)
    caps = has.caps * np.exp(-np.clip(tissue.ventricle, 0, None) / 4)
    return spots, np.clip(spots + caps, 0, 1)


def old_stroke(has: Lookalikes, p: np.ndarray, fine: np.ndarray, voxel: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which part of each voxel the fluid of an old stroke fills, and which part fluid or scar, each (n,)."""
    if has.stroke is None:
        return np.zeros_like(fine), np.zeros_like(fine)
    *center, fluid, scar = has.stroke
    distance = scar * (
        np.sqrt(sum(((a - c) / r) ** 2 for a, c, r in zip(p, center, (0.8, 1.3, 1), strict=True))) / scar - 1
    )
    distance += 0.25 * scar * fine
    return inside(distance + scar - fluid, voxel), inside(distance, voxel + 2)


def vessels(tissue: Tissue, p: np.ndarray, body: Surfaces, texture: tuple, voxel: float) -> np.ndarray:
    """Return which part of each voxel is blood or choroid plexus, (n,)."""
    (coarse, fine), q = texture, mirrored(p)
    veins = layer(tissue.sulcus, 0.8, voxel) * layer(7 * np.abs(coarse), 0.8, voxel)  # lines within the sulci
    arteries = tube(q, [(0, 2, -30, 1.6), (0, -3, -16, 1.4), (12, -10, -16, 1.5), (24, -14, -16, 1.3), (37, -8, -8, 1)])
    inner = tube(q, [(2, -8, 12, 0.9), (2, 18, 14, 1.1), (0, 34, 12, 2.0), (0, 62, 10, 2.0)])
    sinus = np.maximum(q[0] - 2.5, np.where(p[2] > 5, -body.cerebrum - 0.6, np.inf))
    sinus = np.minimum(sinus, tube(q, [(3, 92, 4, 3.5), (42, 68, -14, 3.5), (56, 40, -22, 3)]))
    plexus = np.maximum(ellipsoid(q, (20, 38, 8), (4, 8, 4)) + 0.6 * fine, tissue.ventricle + 0.5)
    large = np.minimum(np.minimum(arteries, inner), np.minimum(sinus, plexus))
    return np.maximum(veins, 0.8 * inside(large, voxel))
