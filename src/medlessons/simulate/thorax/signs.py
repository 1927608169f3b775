"""The radiographic signs: what each finding does to the body.

A finding becomes a change of the anatomy (a wider heart, a lower dome, a fluid level) or a body of its own
(a cloud of fluid in the air spaces, a net of thickened septa). Terms are those of the Fleischner Society's
glossary (Hansell et al. 2008, doi:10.1148/radiol.2462070712).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from medlessons.simulate.thorax import anatomy
from medlessons.simulate.thorax.anatomy import Patient
from medlessons.simulate.thorax.findings import Finding
from medlessons.simulate.thorax.projection import Ellipsoid, straight

RIGHT, LEFT = 0, 1


@dataclass(frozen=True)
class Cloud:
    """Something that fills air spaces within an ellipsoid.

    Attributes
    ----------
    body : Ellipsoid
    density : float
        Share of the air that it replaces (ground glass 0.2, consolidation 0.9).
    patchy : float
        0 is even, 1 is all patches.
    grain : float
        Size of the patches (cm).
    edge : float
        Softness of its border: 0 is sharp, 1 fades from the centre.
    fissure : (float, float, int), optional
        ``(z0, slope, keep)``: cut by the plane z = z0 + slope * y; keep is +1 above, -1 below it.
    seed : int
    """

    body: Ellipsoid
    density: float
    patchy: float = 0.4
    grain: float = 1.2
    edge: float = 0.5
    fissure: tuple[float, float, int] | None = None
    seed: int = 0


@dataclass
class Change:
    """All that a patient's findings change. The defaults are those of a healthy chest."""

    heart: float = 1.0
    flat: float = 0.0
    air: list[float] = field(default_factory=lambda: [1.0, 1.0])  # lung density by side: right, left
    lift: list[float] = field(default_factory=lambda: [0.0, 0.0])  # of the domes (cm)
    calibre: float = 1.0
    upper_calibre: float = 1.0
    fluid: list[tuple[float, float] | None] = field(default_factory=lambda: [None, None])  # level, rise (cm)
    collapse: list[float] = field(default_factory=lambda: [0.0, 0.0])  # share of the lung's radius
    pleura: list[tuple[float, float, float] | None] = field(default_factory=lambda: [None, None])
    clouds: list[Cloud] = field(default_factory=list)
    pockets: list[tuple[Ellipsoid, float]] = field(default_factory=list)  # air above a level (cm)
    lines: list[tuple] = field(default_factory=list)  # start and end (n, 3), radius, attenuation per cm

    def add_lines(self, start: np.ndarray, end: np.ndarray, radius: float, density: float) -> None:
        """Add straight tubes: start and end (n, 3) in cm, radius in cm, attenuation beyond lung per cm."""
        self.lines.append(straight(start, end, radius, density))


def changes(patient: Patient, findings: Sequence[Finding]) -> Change:
    """Return what the findings of a patient change in the body."""
    change = Change()
    for finding in findings:
        rng = np.random.default_rng([finding.seed, 5])
        drawn = int(rng.integers(2))
        side = {"right": RIGHT, "left": LEFT}.get(finding.side, drawn)
        SIGNS[finding.name](change, patient, finding.severity, side, finding.side == "both", rng)
    return change


def _sides(side: int, both: bool) -> tuple[int, ...]:
    return (RIGHT, LEFT) if both else (side,)


def lung_point(patient: Patient, side: int, up, out, turn) -> np.ndarray:
    """Return points of one lung, shape (3,) or (n, 3) as the arguments have one value or n.

    ``up`` runs from 0 (base) to 1 (apex), ``out`` from 0 (middle of the lung) to 1 (chest wall), ``turn`` is the
    direction in radians: 0 points to the side, pi/2 to the front.
    """
    z = -9.5 + 21.0 * np.asarray(up, float)
    width, depth, centre = anatomy.cage(patient, z)
    x = 0.56 * width + out * np.cos(turn) * 0.44 * width
    return np.stack([x if side == LEFT else -x, centre + out * np.sin(turn) * depth, z], axis=-1)


def _seed(rng) -> int:
    return int(rng.integers(2**31))


def cardiomegaly(change, patient, severity, side, both, rng):
    """Heart wider than half of the chest; larger in every direction, so the lateral fills towards the spine."""
    ratio = max(patient.cardiothoracic_ratio, 0.49) + 0.04 + 0.14 * severity
    change.heart = max(change.heart, ratio / patient.cardiothoracic_ratio)


def emphysema(change, patient, severity, side, both, rng):
    """Low, flat domes; lungs too dark; vessels thin; the heart narrow."""
    change.flat = max(change.flat, 0.35 + 0.65 * severity)
    change.air = [a * (0.78 - 0.38 * severity) for a in change.air]
    change.calibre *= 0.85 - 0.35 * severity
    change.heart *= 0.97 - 0.05 * severity


def effusion(change, patient, severity, side, both, rng):
    """Blunt costophrenic angle, then a fluid level that climbs at the wall (meniscus) and hides the dome."""
    for s in _sides(side, both):
        change.fluid[s] = (-12.6 + 13.0 * severity**1.2, 3.0 + 3.5 * severity)


def hernia(change, patient, severity, side, both, rng):
    """Round mass behind the heart with an air-fluid level: stomach above the diaphragm."""
    radius = 2.4 + 2.0 * severity
    centre = (0.8 + rng.normal(0, 0.5), float(anatomy.spine_y(patient, np.float64(-6))) + 2.6 + 0.7 * radius, -6.8)
    body = Ellipsoid(centre, (1.15 * radius, radius, radius))
    change.clouds.append(Cloud(body, 1.0, 0.0, 1.0, 0.0, seed=_seed(rng)))
    gas = Ellipsoid(centre, (0.95 * radius, 0.8 * radius, 0.8 * radius))
    change.pockets.append((gas, centre[2] + 0.05 * radius))


def infiltration(change, patient, severity, side, both, rng):
    """Ill-defined, patchy veil that does not hide the vessels; in one or both lungs."""
    for s in _sides(side, both or rng.random() < 0.4):
        for _ in range(1 + int(rng.random() < 0.6)):
            at = lung_point(patient, s, rng.uniform(0.1, 0.65), rng.uniform(0, 0.45), rng.uniform(-np.pi, np.pi))
            radii = tuple(rng.uniform(2.8, 5.0, 3))
            change.clouds.append(Cloud(Ellipsoid(at, radii), 0.22 + 0.28 * severity, 0.9, 0.9, 0.9, seed=_seed(rng)))


def mass(change, patient, severity, side, both, rng):
    """Round, solid, lobulated opacity of more than 3 cm."""
    radius = 1.6 + 2.2 * severity
    at = lung_point(patient, side, rng.uniform(0.15, 0.8), rng.uniform(0, 0.6), rng.uniform(-np.pi, np.pi))
    change.clouds.append(Cloud(Ellipsoid(tuple(at), (radius,) * 3), 1.0, 0.05, 1.0, 0.05, seed=_seed(rng)))
    for _ in range(3):
        bump = rng.normal(size=3)
        bump *= 0.7 * radius / np.linalg.norm(bump)
        body = Ellipsoid(tuple(at + bump), (0.5 * radius,) * 3)
        change.clouds.append(Cloud(body, 0.6, 0.05, 1.0, 0.1, seed=_seed(rng)))


def nodule(change, patient, severity, side, both, rng):
    """One to three round opacities of less than 3 cm."""
    for k in range(1 + int(rng.random() < 0.3) + int(rng.random() < 0.15)):
        s = side if k == 0 else int(rng.integers(2))
        radius = (0.5 + 0.85 * severity) * (1 if k == 0 else rng.uniform(0.6, 0.95))
        at = lung_point(patient, s, rng.uniform(0.12, 0.9), rng.uniform(0.1, 0.75), rng.uniform(-np.pi, np.pi))
        change.clouds.append(Cloud(Ellipsoid(at, (radius,) * 3), 1.0, 0.0, 1.0, 0.05, seed=_seed(rng)))


def atelectasis(change, patient, severity, side, both, rng):
    """Plates: dense lines above a raised dome. When severe the lower lobe falls behind the heart as a wedge."""
    for s in _sides(side, both):
        sign = 1 if s == LEFT else -1
        change.lift[s] += 0.7 + 1.8 * severity
        base = -8.0 + (patient.right_dome if s == RIGHT else 0.0) + change.lift[s]
        for k in range(1 + int(2.5 * severity * rng.random() + 0.5)):
            at = (sign * rng.uniform(5.5, 8.5), rng.uniform(-2.5, 2.5), base + 1.2 + 1.6 * k + rng.uniform(0, 0.8))
            body = Ellipsoid(at, (rng.uniform(2.4, 4.0), 4.5, 0.4 + 0.25 * severity), sign * rng.uniform(-0.4, 0.2))
            change.clouds.append(Cloud(body, 0.45, 0.3, 1.5, 0.3, seed=_seed(rng)))
        if severity > 0.5:
            y = float(anatomy.spine_y(patient, np.float64(-7))) + 3.0
            body = Ellipsoid((sign * 3.4, y, -7.0), (3.0 * severity, 3.6, 6.5), sign * 0.28)
            change.clouds.append(Cloud(body, 0.9, 0.1, 1.0, 0.1, seed=_seed(rng)))


def pneumothorax(change, patient, severity, side, both, rng):
    """Air between lung and wall: a fine pleural line beyond which there are no vessels, widest at the apex."""
    change.collapse[side] = 0.10 + 0.45 * severity
    change.air[side] *= 1 + 0.6 * severity
    if severity > 0.8:  # a large one presses the dome down
        change.lift[side] -= 1.5


def pleural_thickening(change, patient, severity, side, both, rng):
    """Soft-tissue band along the wall: at the side and base, or a cap over the apex."""
    thick = 0.05 + 0.09 * severity
    middle, half = (rng.uniform(10.0, 12.0), 5.0) if rng.random() < 0.35 else (rng.uniform(-8, 0), rng.uniform(5, 8))
    for s in _sides(side, both):
        change.pleura[s] = (thick, middle, half)


def pneumonia(change, patient, severity, side, both, rng):
    """Segmental air-space opacity with fuzzy borders and air bronchograms; mostly one-sided."""
    for s in _sides(side, both):
        at = lung_point(patient, s, rng.uniform(0.08, 0.5), rng.uniform(0.1, 0.55), rng.uniform(-np.pi, 1.5))
        scale = 2.4 + 1.6 * severity
        radii = tuple(scale * rng.uniform(0.8, 1.25, 3))
        change.clouds.append(Cloud(Ellipsoid(at, radii), 0.5 + 0.35 * severity, 0.55, 0.8, 0.6, seed=_seed(rng)))
        bronchogram(change, patient, s, at, rng)


def bronchogram(change, patient, side, at, rng):
    """Dark branching tubes: bronchi that still hold air within a consolidation."""
    hilum = np.array(anatomy.HILUM[1 if side == LEFT else -1])
    root = hilum + 0.55 * (at - hilum)
    ends = at + rng.normal(0, 1.6, (6, 3))
    start = np.concatenate([np.repeat(root[None], 3, 0), ends[:3]])
    change.add_lines(start, ends, 0.22, -0.15)


def fibrosis(change, patient, severity, side, both, rng):
    """Small lungs; a net of lines and small rings (honeycombs) under the pleura, most at the bases."""
    for s in (RIGHT, LEFT):
        change.lift[s] += 0.8 + 1.2 * severity
        _net(change, patient, s, rng, int(90 + 190 * severity), (0.02, 0.5), (0.55, 0.95), 0.065, 0.17)
        at = lung_point(patient, s, 0.15, 0.6, -0.8)
        body = Ellipsoid(at, (4.2, 5.5, 5.0))
        change.clouds.append(Cloud(body, 0.12 + 0.2 * severity, 0.8, 0.5, 0.8, seed=_seed(rng)))


def _net(change, patient, side, rng, count, up, out, radius, density):
    """Add short lines in all directions: thickened septa, seen as a net."""
    turn = rng.uniform(-np.pi / 2, np.pi / 2, count)
    points = lung_point(patient, side, rng.uniform(*up, count), rng.uniform(*out, count), turn)
    step = rng.normal(size=(count, 3))
    step *= (rng.uniform(0.3, 0.8, count) / np.linalg.norm(step, axis=1))[:, None]
    change.add_lines(points - step, points + step, radius, density)


def edema(change, patient, severity, side, both, rng):
    """Bat wings around the hila, wide upper vessels (cephalization), Kerley B lines at the lower walls."""
    change.upper_calibre = max(change.upper_calibre, 1.15 + 0.35 * severity)
    for s in (RIGHT, LEFT):
        sign = 1 if s == LEFT else -1
        x, y, z = anatomy.HILUM[sign]
        body = Ellipsoid((x + sign * 2.6, y, z - 1.6), (4.2 + severity, 5.5, 5.6 + severity))
        change.clouds.append(Cloud(body, 0.2 + 0.42 * severity, 0.35, 1.3, 0.9, seed=_seed(rng)))
        z = rng.uniform(-9.5, -3.0, 14)
        width, depth, centre = anatomy.cage(patient, z)
        turn = rng.uniform(-0.5, 0.5, 14)
        outer = np.stack([sign * width * np.cos(turn), centre + depth * np.sin(turn), z], 1)
        inner = outer - np.stack([sign * rng.uniform(1.0, 1.8, 14), 0 * z, rng.normal(0, 0.08, 14)], 1)
        change.add_lines(inner, outer, 0.07, 0.2 + 0.3 * severity)


LOBES = {  # up, out, turn, radii (cm), fissure that cuts it off
    ("right", "upper"): ((0.78, 0.15, 0.0), (5.2, 6.5, 6.0), (1.2, 0.02, 1)),
    ("right", "middle"): ((0.30, 0.35, 1.2), (5.0, 4.5, 4.0), (1.2, 0.02, -1)),
    ("right", "lower"): ((0.15, 0.30, -1.4), (5.5, 5.0, 6.5), (-1.5, -0.9, -1)),
    ("left", "upper"): ((0.70, 0.15, 0.5), (5.2, 6.0, 6.5), (-1.0, -0.9, 1)),
    ("left", "lower"): ((0.15, 0.30, -1.4), (5.5, 5.0, 6.5), (-1.0, -0.9, -1)),
}


def consolidation(change, patient, severity, side, both, rng):
    """A lobe or part of it, dense up to a straight fissure, with air bronchograms; vessels are hidden."""
    for s in _sides(side, both):
        name = "left" if s == LEFT else "right"
        place, radii, fissure = LOBES[name, str(rng.choice([lobe for sd, lobe in LOBES if sd == name]))]
        at = lung_point(patient, s, *place)
        radii = tuple(np.array(radii) * (0.62 + 0.35 * severity) * rng.uniform(0.92, 1.08, 3))
        cloud = Cloud(Ellipsoid(at, radii), 0.68 + 0.27 * severity, 0.12, 1.6, 0.25, fissure, seed=_seed(rng))
        change.clouds.append(cloud)
        bronchogram(change, patient, s, at, rng)


def covid(change, patient, severity, side, both, rng):
    """Several rounded ground-glass patches in both lungs, near the chest wall, most in the lower zones."""
    for s in (RIGHT, LEFT):
        for _ in range(2 + int(3 * severity * rng.random() + 0.5)):
            at = lung_point(
                patient, s, abs(rng.normal(0.0, 0.25)) + 0.08, rng.uniform(0.62, 0.95), rng.uniform(-1.5, 0.7)
            )
            radii = tuple((1.7 + 1.2 * severity) * rng.uniform(0.75, 1.3, 3))
            cloud = Cloud(Ellipsoid(at, radii), 0.42 + 0.35 * severity, 0.45, 0.7, 0.55, seed=_seed(rng))
            change.clouds.append(cloud)


def viral(change, patient, severity, side, both, rng):
    """Streaks that spread from the hila on both sides, a fine net, mild over-inflation; no lobe is filled."""
    change.flat = max(change.flat, 0.25)
    for s in (RIGHT, LEFT):
        sign = 1 if s == LEFT else -1
        hilum = np.array(anatomy.HILUM[sign])
        count = int(22 + 26 * severity)
        up, out, turn = rng.uniform(0.05, 0.85, count), rng.uniform(0, 0.5, count), rng.uniform(-3, 3, count)
        ends = lung_point(patient, s, up, out, turn)
        start = hilum + rng.uniform(0.15, 0.4, (count, 1)) * (ends - hilum)
        stop = hilum + rng.uniform(0.6, 0.95, (count, 1)) * (ends - hilum)
        change.add_lines(start, stop, 0.13, 0.12 + 0.1 * severity)
        _net(change, patient, s, rng, int(70 + 90 * severity), (0.1, 0.8), (0.0, 0.7), 0.07, 0.14)
        body = Ellipsoid(tuple(hilum + np.array([sign * 2.0, 0, -0.5])), (4.5, 5.5, 6.0))
        change.clouds.append(Cloud(body, 0.12 + 0.18 * severity, 0.8, 0.6, 0.9, seed=_seed(rng)))


SIGNS: dict[str, Callable] = {
    "Cardiomegaly": cardiomegaly,
    "Emphysema": emphysema,
    "Effusion": effusion,
    "Hernia": hernia,
    "Infiltration": infiltration,
    "Mass": mass,
    "Nodule": nodule,
    "Atelectasis": atelectasis,
    "Pneumothorax": pneumothorax,
    "Pleural_Thickening": pleural_thickening,
    "Pneumonia": pneumonia,
    "Fibrosis": fibrosis,
    "Edema": edema,
    "Consolidation": consolidation,
    "COVID-19": covid,
    "Bacterial": consolidation,
    "Viral": viral,
}
