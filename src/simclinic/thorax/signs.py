"""The radiographic signs: what each finding does to the body.

A finding becomes a change of the anatomy (a wider heart, a lower dome, fluid around the lung) or a body of its own
(a cloud of fluid in the air spaces, a net of thickened septa). Terms and descriptions are those of the Fleischner
Society's glossary (Hansell et al. 2008, doi:10.1148/radiol.2462070712) and of Goodman, "Felson's Principles of Chest
Roentgenology" (4th edition, 2015); what else a sign rests on stands in its docstring.

Each sign has forms, because each label does: half of what a report calls fibrosis is a scarred apex, an effusion of
somebody lying is a veil. Which form, where and how large comes from the finding's seed; how much of it from its
severity, and mild ones are meant to be hard.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simclinic.thorax import anatomy
from simclinic.thorax.anatomy import Patient
from simclinic.thorax.findings import Finding
from simclinic.thorax.pose import Pose
from simclinic.thorax.projection import Ellipsoid, straight

RIGHT, LEFT = anatomy.Side
CHALK = 3.0  # attenuation of calcium within a lesion, in units of the step from lung to tissue
DEFLATED = 0.8  # how much denser a lung is without its air, by the share of the breath that is missing
LYING = 0.75  # patients with less breath than this on a mobile image lie; the others sit


@dataclass(frozen=True)
class Cloud:
    """Something that fills air spaces within an ellipsoid.

    Attributes
    ----------
    body : Ellipsoid
    density : float
        Share of the air that it replaces (ground glass 0.2, consolidation 0.9); above 1 for calcium, below 0 for a
        hole in the lung (bulla, cavity).
    patchy : float
        0 is even, 1 is all patches.
    grain : float
        Size of the patches, or of the meshes of a net (cm).
    edge : float
        Softness of its border: 0 is sharp, 1 fades from the centre.
    ragged : float
        How irregular its border is: 0 is an ellipsoid.
    net : float
        Share that lies in a net of lines (reticulation, honeycombing) and not in patches, 0 to 1.
    fissure : (float, float, int), optional
        ``(z0, slope, keep)``: cut by the plane z = z0 + slope * y; keep is +1 above, -1 below it.
    seed : int
    """

    body: Ellipsoid
    density: float
    patchy: float = 0.4
    grain: float = 1.2
    edge: float = 0.5
    ragged: float = 0.0
    net: float = 0.0
    fissure: tuple[float, float, int] | None = None
    seed: int = 0


@dataclass
class Change:
    """All that a patient's findings change. The defaults are those of a healthy chest."""

    heart: float = 1.0
    ventricle: float = 0.0  # share of the heart's right part that the left ventricle takes: the apex low and outside
    pedicle: float = 1.0  # factor on the width of the mediastinum above the heart
    shift: float = 0.0  # of heart, mediastinum and trachea to the patient's left (cm)
    flat: float = 0.0
    air: list[float] = field(default_factory=lambda: [1.0, 1.0])  # lung density by side: right, left
    lift: list[float] = field(default_factory=lambda: [0.0, 0.0])  # of the domes (cm)
    calibre: float = 1.0
    upper_calibre: float = 1.0
    fluid: list[tuple[float, float] | None] = field(default_factory=lambda: [None, None])  # level, rise (cm)
    collapse: list[float] = field(default_factory=lambda: [0.0, 0.0])  # share of the lung's radius
    basal: list[bool] = field(default_factory=lambda: [False, False])  # free air gathers at the base: lying
    pleura: list[list[tuple[float, float, float]]] = field(default_factory=lambda: [[], []])  # thick, middle, half
    clouds: list[Cloud] = field(default_factory=list)
    pockets: list[tuple[Ellipsoid, float]] = field(default_factory=list)  # air above a level (cm)
    lines: list[tuple] = field(default_factory=list)  # start and end (n, 3), radius, attenuation per cm

    def add_lines(self, start: np.ndarray, end: np.ndarray, radius: float, density: float) -> None:
        """Add straight tubes: start and end (n, 3) in cm, radius in cm, attenuation beyond lung per cm."""
        self.lines.append(straight(start, end, radius, density))


@dataclass(frozen=True)
class Case:
    """One finding of one patient at one visit, as its sign is drawn."""

    patient: Patient
    pose: Pose
    severity: float
    asked: str | None  # the side that the finding names
    lying: bool
    rng: np.random.Generator

    def sides(self, bilateral: float) -> tuple[int, ...]:
        """Return the sides as asked; where nothing is asked, both with the chance ``bilateral``, the worse first."""
        first, both = int(self.rng.integers(2)), self.rng.random() < bilateral
        if self.asked in ("right", "left"):
            return (RIGHT,) if self.asked == "right" else (LEFT,)
        return (first, 1 - first) if both or self.asked == "both" else (first,)

    def floor(self, side: int) -> float:
        """Return how high the dome of a healthy lung stands in this breath (cm)."""
        return anatomy.dome(self.patient, side, self.pose.inspiration).top

    def point(self, side: int, up, out, turn) -> np.ndarray:
        """Return points of one lung, shape (3,) or (n, 3) as the arguments have one value or n.

        ``up`` runs from 0 (base) to 1 (apex), ``out`` from 0 (middle of the lung) to 1 (chest wall), ``turn`` is the
        direction in radians: 0 points to the side, pi/2 to the front.
        """
        low, high = self.floor(side) - 1.5, anatomy.APEX - 1.5
        z = low + (high - low) * np.asarray(up, float)
        width, depth, centre = anatomy.cage(self.patient, z)
        x = 0.56 * width + out * np.cos(turn) * 0.44 * width
        return np.stack([_sign_of(side) * x, centre + out * np.sin(turn) * depth, z], axis=-1)

    def seed(self) -> int:
        """Draw the seed of a texture."""
        return int(self.rng.integers(2**31))

    def cloud(self, change: Change, at, radii, density: float, **form) -> None:
        """Add a cloud around a point; ``form`` as in :class:`Cloud`."""
        angle = form.pop("angle", 0.0)
        body = Ellipsoid(tuple(float(a) for a in at), tuple(float(r) for r in radii), float(angle))
        change.clouds.append(Cloud(body, float(density), seed=self.seed(), **form))


def _sign_of(side: int) -> int:
    """Return the sign of x on a side."""
    return anatomy.Side(side).sign


def changes(patient: Patient, findings: Sequence[Finding], pose: Pose, view: str = "PA") -> Change:
    """Return what the findings of a patient change in the body, in the breath and position of one image."""
    dense = 1 + DEFLATED * (1 - pose.inspiration)
    change = Change(air=[dense, dense])
    lying = view == "AP" and pose.inspiration < LYING
    for finding in findings:
        case = Case(patient, pose, finding.severity, finding.side, lying, np.random.default_rng([finding.seed, 5]))
        SIGNS[finding.name](change, case)
    return change


# What illness does to a patient beside the sign itself: how much breath it takes (share at full severity), and how
# often a mobile image shows what the ward gave (monitor leads, tube in the trachea, central line). The shares are
# estimates from looking at published collections: there, a high dome says little about findings, because those without
# a finding lie in the same beds.
ILLNESS = {
    "Edema": (0.04, (0.5, 0.35, 0.45)),
    "Consolidation": (0.02, (0.4, 0.25, 0.35)),
    "Pneumonia": (0.02, (0.35, 0.2, 0.3)),
    "Bacterial": (0.02, (0.25, 0.1, 0.1)),
    "Viral": (0.0, (0.2, 0.05, 0.05)),
    "COVID-19": (0.03, (0.4, 0.3, 0.3)),
    "Infiltration": (0.0, (0.35, 0.2, 0.3)),
    "Effusion": (0.02, (0.3, 0.12, 0.25)),
    "Atelectasis": (0.03, (0.25, 0.12, 0.2)),
    "Cardiomegaly": (0.0, (0.15, 0.05, 0.1)),
    "Pneumothorax": (0.0, (0.2, 0.1, 0.15)),
}
ON_FOOT = 0.7  # share of those without an acute finding who walk in
DRAIN = 0.5  # chance that a pneumothorax has its chest tube (in published collections many have)


def fallen_ill(pose: Pose, findings: Sequence[Finding], view: str) -> Pose:
    """Return the pose of somebody with these findings: how much breath, and which lines.

    The acutely ill breathe less and bring lines; who has only a finding of ILLNESS's other kind, a scar, a nodule or
    a hernia, mostly comes on foot: deep breath, no lines. This is kept apart from the signs, so that a finding's mask
    shows the finding and not its treatment. Networks learn the treatment all too gladly (Oakden-Rayner et al. 2020,
    doi:10.1145/3368555.3384468).
    """
    if not findings:
        return pose
    breath, brought = pose.inspiration, list(pose.devices)
    if not any(finding.name in ILLNESS for finding in findings):
        if np.random.default_rng([findings[0].seed, 6]).random() < ON_FOOT:
            breath, brought = max(breath, 0.5 * (breath + 1.0)), [name for name in brought if name == "pacemaker"]
        return replace(pose, inspiration=breath, devices=tuple(brought))
    less = 0.0
    for finding in findings:
        rng = np.random.default_rng([finding.seed, 6])
        share, chances = ILLNESS.get(finding.name, (0.0, (0.0, 0.0, 0.0)))
        less += share * finding.severity
        common = (0.5 + finding.severity) * {"PA": 0.3, "AP": 1.0, "L": 0.1}[view]
        brought += [
            name
            for name, chance, draw in zip(("ecg", "tube", "line"), chances, rng.random(3), strict=True)
            if draw < chance * common
        ]
        if finding.name == "Pneumothorax" and rng.random() < DRAIN * (0.5 + finding.severity):
            case = Case(None, pose, finding.severity, finding.side, False, np.random.default_rng([finding.seed, 5]))
            brought.append(("drain right", "drain left")[case.sides(0)[0]])
    breath = min(breath, max(0.4, breath - min(less, 0.1)))
    return replace(pose, inspiration=breath, devices=tuple(dict.fromkeys(brought)))


def _cardiomegaly(change, case):
    """Heart wider than half of the chest (Danzer 1919, Am J Med Sci 157:513), on a wider pedicle.

    A large left ventricle carries it down and to the left; a heart that is large all over, or lies in fluid, is a
    round flask. The lateral fills behind the heart as well.
    """
    ratio = max(case.patient.cardiothoracic_ratio, 0.48) + 0.03 + 0.15 * case.severity
    change.heart = max(change.heart, ratio / case.patient.cardiothoracic_ratio)
    change.ventricle = case.rng.choice([0.25, -0.12]) * case.severity
    change.pedicle = max(change.pedicle, 1 + 0.15 * case.severity * case.rng.random())
    change.upper_calibre = max(change.upper_calibre, 1 + 0.25 * case.severity * case.rng.random())


def _emphysema(change, case):
    """Low, flat domes; lungs too dark, with few thin vessels; a narrow upright heart; bullae when severe.

    Few arteries, a low diaphragm and a small heart are what told emphysema in 696 patients whose lungs were examined
    later (Thurlbeck and Simon 1978, doi:10.2214/ajr.130.3.429).
    """
    change.flat = max(change.flat, 0.15 + 0.7 * case.severity)
    change.air = [a * (0.93 - 0.33 * case.severity) for a in change.air]
    change.calibre *= 0.95 - 0.35 * case.severity
    change.heart *= 0.98 - 0.08 * case.severity
    for _ in range(int(case.rng.poisson(2.0 * max(case.severity - 0.4, 0)))):
        side, radius = int(case.rng.integers(2)), case.rng.uniform(1.5, 3.2)
        at = case.point(side, case.rng.uniform(0.7, 0.95), case.rng.uniform(0.3, 0.7), case.rng.uniform(-1.5, 1.5))
        case.cloud(change, at, (radius, radius, 1.2 * radius), 0.16, patchy=0.0, edge=0.0)  # its wall
        case.cloud(change, at, (radius - 0.15, radius - 0.15, 1.2 * radius - 0.15), -0.36, patchy=0.0, edge=0.0)


def _effusion(change, case):
    """Blunt angle, then an opacity that hides the dome, its upper border concave and rising along the wall.

    Some 200 ml blunt the angle on a frontal view, 50 ml at the back of a lateral one (Blackmore et al. 1996,
    Acad Radiol 3:103). Some stay under the lung and look like a high dome whose summit lies too far
    out. Lying, the fluid runs behind the lung: a veil, denser at the base, through which the vessels stay visible
    (Ruskin et al. 1987, doi:10.2214/ajr.148.4.681). A whole white side pushes the mediastinum away.
    """
    rng, severity = case.rng, case.severity
    under = rng.random() < 0.15
    for k, side in enumerate(case.sides(0.4)):
        much = severity * (1.0 if k == 0 else rng.uniform(0.3, 1.0))
        floor = case.floor(side) + change.lift[side]
        if case.lying:
            width, depth, centre = anatomy.cage(case.patient, np.float64(floor + 3))
            thick = 1.5 + 6.0 * much
            at = (_sign_of(side) * 0.55 * width, centre - depth + 0.6, floor + 1.0)
            case.cloud(
                change, at, (0.62 * width, thick, 7.0 + 7.0 * much), 0.95, patchy=0.06, grain=3.0, edge=0.8, ragged=0.1
            )
            change.pleura[side].append((0.015 + 0.06 * much, floor - 2.0, 4.0 + 5 * much))
        elif much > 0.93:  # the whole side
            change.fluid[side] = (anatomy.APEX + 1.0, 2.0)
            change.shift -= _sign_of(side) * rng.uniform(1.0, 2.5)
        elif under and much < 0.8:
            change.lift[side] += 0.6 + 2.6 * much
            change.pleura[side].append((0.03 + 0.06 * much, floor - 1.5, 3.0 + 2 * much))
        else:
            change.fluid[side] = (floor - 4.4 + 8.5 * much**1.5, 2.2 + 4.0 * much)


def _hernia(change, case):
    """Stomach above the diaphragm: a round retrocardiac opacity, often with a level of air and fluid."""
    rng = case.rng
    radius = 2.1 + 2.5 * case.severity
    low = min(case.floor(RIGHT), case.floor(LEFT))
    back = float(anatomy.spine_y(case.patient, np.float64(low)))
    at = np.array([rng.normal(1.4, 1.3), back + 2.2 + 0.8 * radius, low + 0.25 + 0.55 * radius])
    wide, tall = rng.uniform(1.05, 1.5), rng.uniform(0.85, 1.05)
    radii = np.array([wide, 0.95, tall]) * radius
    case.cloud(change, at, radii, 0.95, patchy=0.0, edge=0.0)
    if rng.random() < 0.75:
        gas = Ellipsoid(tuple(at.tolist()), tuple((0.9 * radii).tolist()))
        change.pockets.append((gas, float(at[2] + radius * rng.uniform(-0.3, 0.4))))


def _infiltration(change, case):
    """Ill-defined haze, patchy or reticular, through which the vessels can still be seen; no air bronchogram.

    The word is a reader's, for any faint opacity that is not sharply defined (Patterson and Sponaugle 2005,
    Radiology 235:5), so it is often on both sides. In children it follows the bronchi.
    """
    rng, severity = case.rng, case.severity
    if case.patient.age < 16 and rng.random() < 0.6:
        return _viral(change, case)
    reticular = rng.random() < 0.3
    for side in case.sides(0.5):
        for _ in range(1 + int(rng.integers(3))):
            at = case.point(side, abs(rng.normal(0.18, 0.25)), rng.uniform(0, 0.6), rng.uniform(-np.pi, np.pi))
            radii = rng.uniform(3.0, 6.0, 3)
            case.cloud(
                change, at, radii, 0.12 + 0.30 * severity, patchy=0.45, grain=rng.uniform(0.7, 1.6), edge=0.9,
                ragged=0.6, net=0.6 if reticular else 0.1,
            )  # fmt: skip
        if rng.random() < 0.7:  # a faint haze over most of the lower lung
            haze = 0.05 + 0.15 * severity
            case.cloud(change, case.point(side, 0.2, 0.1, 0), (7.0, 8.0, 9.0), haze, patchy=0.3, edge=0.9)


def _mass(change, case):
    """Solid opacity of more than 3 cm, lobulated or spiculated, in an upper lobe more often than not.

    Some lie at the hilum, and one in ten is hollow, with a level of fluid.
    """
    rng, severity = case.rng, case.severity
    radius = 1.6 + 2.2 * severity
    side = case.sides(0)[0]
    up = rng.uniform(0.5, 0.92) if rng.random() < 0.6 else rng.uniform(0.1, 0.5)
    out = rng.uniform(-0.5, 0.0) if rng.random() < 0.25 else rng.uniform(0.0, 0.8)  # at the hilum, or in the lung
    at = case.point(side, up, out, rng.uniform(-1.2, 1.2))
    case.cloud(change, at, radius * rng.uniform(0.85, 1.1, 3), 0.95, patchy=0.05, edge=0.15, ragged=0.15)
    for _ in range(int(rng.integers(1, 5))):
        bump = rng.normal(size=3)
        bump *= 0.75 * radius / np.linalg.norm(bump)
        case.cloud(change, at + bump, radius * rng.uniform(0.35, 0.6, 3), 0.7, patchy=0.05, edge=0.2)
    if rng.random() < 0.4:
        _spicules(change, at, radius, rng)
    if rng.random() < 0.1:
        hollow = Ellipsoid(tuple(at.tolist()), (0.55 * radius,) * 3)
        change.pockets.append((hollow, float(at[2] - radius * rng.uniform(-0.1, 0.5))))


def _spicules(change, at, radius, rng):
    """Add fine strands that radiate from a lesion into the lung."""
    ray = rng.normal(size=(24, 3))
    ray /= np.linalg.norm(ray, axis=1)[:, None]
    change.add_lines(at + 0.9 * radius * ray, at + (radius * rng.uniform(1.3, 1.9, (24, 1))) * ray, 0.07, 0.1)


def _nodule(change, case):
    """Round opacities of less than 3 cm: one, several (metastases), or a small hard calcified one (granuloma)."""
    rng, severity = case.rng, case.severity
    kind = rng.random()
    number = 1 if kind < 0.35 else int(rng.integers(2, 5)) if kind < 0.65 else int(rng.integers(5, 12))
    chalk = kind < 0.2
    side = case.sides(0)[0]
    for k in range(number):
        radius = (0.95 + 0.5 * severity) * (1 if k == 0 else rng.uniform(0.5, 1.0)) * (0.55 if chalk else 1.0)
        s = side if k == 0 or case.asked in ("right", "left") else int(rng.integers(2))
        at = case.point(s, rng.uniform(0.12, 0.92), rng.uniform(0.1, 0.8), rng.uniform(-np.pi, np.pi))
        case.cloud(change, at, (radius,) * 3, 1.05 + (0.6 * CHALK if chalk else 0.0), patchy=0.0, edge=0.05)


def _atelectasis(change, case):
    """Lost volume: plates, a dense base, or a lobe that has fallen in.

    Plates are thin bright lines above the dome (Fleischner 1941, Am J Roentgenol 46:610). A lower lobe becomes a
    triangle behind the heart, the right upper one a wedge above a raised fissure, the left upper one a veil. The dome
    rises and the mediastinum moves towards it (Proto and Tocino 1980, Semin Roentgenol 15:117).
    """
    rng, severity = case.rng, case.severity
    form = rng.choice(["plates", "base", "lobe"], p=[0.5, 0.2, 0.3])
    for side in case.sides(0.35 if form == "plates" else 0.5 if form == "base" else 0.0):
        sign = _sign_of(side)
        change.lift[side] += (0.2 + 1.0 * severity) * rng.uniform(0.3, 1)
        base = case.floor(side) + change.lift[side]
        if form == "plates":
            for _ in range(1 + int(rng.integers(3))):
                at = case.point(side, 0, rng.uniform(-0.3, 0.5), 0)
                at += (0, rng.uniform(-2.5, 2.5), base + rng.uniform(0.5, 4.0) - at[2])
                radii = (rng.uniform(1.6, 4.2), rng.uniform(1.5, 3), 0.2 + 0.25 * severity)
                tilt = sign * rng.normal(-0.1, 0.3)
                case.cloud(change, at, radii, 0.45 + 0.5 * severity, patchy=0.4, edge=0.6, angle=tilt)
        elif form == "base":  # small dense streaks and crowded vessels over the dome
            at = case.point(side, 0, 0.05, 0)
            at[2] = base + 0.3
            radii = (rng.uniform(3.5, 5.5), 6.0, 1.6 + 2.0 * severity)
            case.cloud(change, at, radii, 0.4 + 0.4 * severity, patchy=0.6, grain=0.9, edge=0.7, ragged=0.4)
        else:
            change.shift += sign * (0.4 + 1.3 * severity)
            _collapsed_lobe(change, case, side, base)


def _collapsed_lobe(change, case, side, base):
    """Add a lobe that has lost its air, and most of its room."""
    rng, severity, sign = case.rng, case.severity, _sign_of(side)
    if rng.random() < 0.6:  # the lower lobe: a wedge beside the spine, its outer border runs down and out
        back = float(anatomy.spine_y(case.patient, np.float64(base)))
        radii = (1.6 + 1.8 * severity, 4.0, 6.0)
        at = (sign * 2.6, back + 2.6, base + 0.5)
        case.cloud(change, at, radii, 0.6 + 0.35 * severity, patchy=0.1, edge=0.15, angle=sign * 0.42)
        return
    change.lift[side] += 0.4 * severity
    width, depth, centre = anatomy.cage(case.patient, np.float64(anatomy.APEX - 3))
    if side == RIGHT:  # up and in, above a fissure that bows up
        at = (-0.35 * width, centre, anatomy.APEX - 2.5)
        radii = (0.75 * width, 0.8 * depth, 5.5 - 1.5 * severity)
        case.cloud(change, at, radii, 0.55 + 0.4 * severity, patchy=0.1, edge=0.2, angle=0.35)
    else:  # forward: a veil that fades downwards
        at = case.point(side, 0.65, -0.2, 0)
        case.cloud(change, at, (5.5, 4.0, 7.5), 0.3 + 0.4 * severity, patchy=0.1, edge=0.8)


def _pneumothorax(change, case):
    """Air between lung and wall: a fine pleural line, and beyond it no vessels; widest at the apex.

    Lying, the air rises to the front of the base and makes the angle dark and deep (Gordon 1980,
    doi:10.1148/radiology.136.1.7384513). Under tension the dome is low and the mediastinum pushed away.
    """
    severity, side = case.severity, case.sides(0)[0]
    tension = severity > 0.8
    change.collapse[side] = max(change.collapse[side], 0.1 + 0.45 * severity**1.2)
    change.basal[side] = case.lying and case.rng.random() < 0.5
    change.air[side] *= 1 + 0.7 * severity**2  # what is left of the lung is denser
    if tension or change.basal[side]:
        change.lift[side] -= 1.2
    if tension:
        change.shift -= _sign_of(side) * 6.0 * (severity - 0.75)
    if case.rng.random() < 0.2:
        change.fluid[side] = change.fluid[side] or (case.floor(side) - 3.0 + 3.0 * severity, 0.5)


def _pleural_thickening(change, case):
    """Soft tissue along the wall: a cap over the apex, a band at the side, or an angle filled by a straight border.

    Apical caps are at most 5 mm thick and mostly on both sides (McLoud et al. 1981, doi:10.2214/ajr.137.2.299). After
    asbestos there are plaques: flat, sharply edged, often calcified, on the walls' middle and on the domes.
    """
    rng, severity = case.rng, case.severity
    form = rng.choice(["cap", "band", "angle", "plaques"], p=[0.25, 0.3, 0.3, 0.15])
    thick = 0.05 + 0.1 * severity
    for side in case.sides({"cap": 0.6, "band": 0.1, "angle": 0.25, "plaques": 0.8}[form]):
        floor, wave = case.floor(side), rng.uniform(0.7, 1.2)
        if form == "cap":
            change.pleura[side].append((3.0 * wave * thick, anatomy.APEX + 0.5, 4.0 + 2 * severity))
            at = case.point(side, 1.05, 0.0, 0)
            radii = (5.0, 5.0, 1.2 + 1.8 * severity)
            case.cloud(change, at, radii, 0.45 + 0.45 * severity, patchy=0.3, edge=0.5, ragged=0.4)
        elif form == "band":
            change.pleura[side].append((wave * thick, rng.uniform(floor, floor + 10), rng.uniform(5, 9)))
            change.pleura[side].append((0.6 * wave * thick, rng.uniform(floor, floor + 12), rng.uniform(2, 4)))
        elif form == "angle":
            change.pleura[side].append((1.5 * wave * thick, floor - 3.5, 4.5 + 3 * severity))
            change.lift[side] += 0.8 * severity
        else:
            change.pleura[side].append((0.8 * wave * thick, rng.uniform(floor + 1, floor + 9), rng.uniform(2, 4)))
            for _ in range(2 + int(rng.integers(3))):
                at = case.point(side, rng.uniform(0.1, 0.65), rng.uniform(0.85, 0.97), rng.uniform(-1.2, 1.4))
                radii = (rng.uniform(0.8, 2), 0.45, rng.uniform(0.8, 2.2))
                chalk = 0.5 * CHALK * (rng.random() < 0.6)
                case.cloud(change, at, radii, 0.6 + 0.4 * severity + chalk, patchy=0.7, grain=0.5, edge=0.1, ragged=0.3)


def _pneumonia(change, case):
    """Patches of air-space opacity with fuzzy borders, mostly in one lower lobe, some with air bronchograms.

    A child's is lobar, round or streaky (Kermany et al. 2018, doi:10.1016/j.cell.2018.02.010: bacterial or viral).
    """
    rng, severity = case.rng, case.severity
    if case.patient.age < 16:
        return (_bacterial if rng.random() < 0.5 else _viral)(change, case)
    for side in case.sides(0.35):
        first = case.point(side, abs(rng.normal(0.15, 0.25)), rng.uniform(0.1, 0.6), rng.uniform(-np.pi, 1.5))
        for k in range(1 + int(rng.integers(4))):
            at = first if k == 0 else first + rng.normal(0, 2.6, 3)
            radii = (2.4 + 2.2 * severity) * rng.uniform(0.7, 1.4, 3) * (1.0 if k == 0 else 0.7)
            case.cloud(
                change, at, radii, 0.3 + 0.45 * severity, patchy=0.35, grain=rng.uniform(0.7, 1.3), edge=0.8, ragged=0.8
            )
        case.cloud(change, first, (7.0, 8.0, 8.0), 0.05 + 0.15 * severity, patchy=0.4, edge=0.9, ragged=0.3)
        _bronchogram(change, case, side, first)


def _bronchogram(change, case, side, at):
    """Add dark branching tubes: bronchi that still hold air within a consolidation."""
    hilum = np.array(anatomy.HILUM[side])
    root = hilum + 0.55 * (at - hilum)
    ends = at + case.rng.normal(0, 1.6, (6, 3))
    start = np.concatenate([np.repeat(root[None], 3, 0), ends[:3]])
    change.add_lines(start, ends, 0.16, -0.13)


def _fibrosis(change, case):
    """Scars. Half of them at the bases and under the pleura: a net of lines, honeycombs when severe, small lungs.

    The others at an apex, after tuberculosis or radiation: dense strands that pull the hilum up. Usual interstitial
    pneumonia as in Raghu et al. (2018, doi:10.1164/rccm.201807-1255ST).
    """
    rng, severity = case.rng, case.severity
    if (rng.random() < 0.5 and case.asked is None) or case.asked == "both":
        for side in (RIGHT, LEFT):
            change.lift[side] += 0.9 * severity
            _net(change, case, side, int(50 + 120 * severity), (0.02, 0.5), (0.5, 0.97), 0.07, 0.17)
            for up, turn in ((0.08, -1.0), (0.12, 0.2), (0.35, -0.2)):
                at = case.point(side, up + rng.normal(0, 0.04), 0.75, turn)
                mesh = rng.uniform(0.45, 0.8)
                case.cloud(
                    change, at, (3.2, 4.0, 4.2), 0.08 + 0.34 * severity, patchy=0.3, grain=mesh, edge=0.6, ragged=0.4,
                    net=0.9,
                )  # fmt: skip
        return
    for side in case.sides(0.4):
        at = case.point(side, rng.uniform(0.78, 0.92), rng.uniform(0, 0.4), rng.uniform(-1.5, 1.5))
        radii = np.array([4.2, 5.0, 4.0]) * rng.uniform(0.8, 1.2, 3)
        case.cloud(change, at, radii, 0.2 + 0.35 * severity, patchy=0.4, grain=1.0, edge=1.0, ragged=0.9, net=0.25)
        hilum = np.array(anatomy.HILUM[side])
        ends = at + rng.normal(0, 2.0, (16, 3))
        change.add_lines(hilum + rng.uniform(0.3, 0.7, (16, 1)) * (ends - hilum), ends, 0.12, 0.12 + 0.14 * severity)
        change.pleura[side].append((0.03 + 0.12 * severity, anatomy.APEX, 5.0))
        change.lift[side] += 0.7 * severity
        change.shift += _sign_of(side) * 0.8 * severity


def _net(change, case, side, count, up, out, radius, density):
    """Add short lines in all directions: thickened septa, seen as a net."""
    rng = case.rng
    turn = rng.uniform(-np.pi / 2, np.pi / 2, count)
    points = case.point(side, rng.uniform(*up, count), rng.uniform(*out, count), turn)
    step = rng.normal(size=(count, 3))
    step *= (rng.uniform(0.3, 0.8, count) / np.linalg.norm(step, axis=1))[:, None]
    change.add_lines(points - step, points + step, radius, density)


def _edema(change, case):
    """Fluid from the vessels: wide upper vessels, then Kerley's lines and cuffed bronchi, then haze around the hila.

    The order is that of a rising pressure (Gluecker et al. 1999, doi:10.1148/radiographics.19.6.g99no211507). The
    heart and the vascular pedicle are often wide (Milne et al. 1985, doi:10.2214/ajr.144.5.879).
    """
    rng, severity = case.rng, case.severity
    change.upper_calibre = max(change.upper_calibre, 1.15 + 0.45 * severity)
    change.pedicle = max(change.pedicle, 1 + 0.2 * severity * rng.random())
    change.heart = max(change.heart, 1 + 0.12 * rng.random())
    wings, basal = rng.uniform(0.6, 1.2), rng.random() < 0.5
    for side in (RIGHT, LEFT):
        sign = _sign_of(side)
        x, y, z = anatomy.HILUM[side]
        one = wings * rng.uniform(0.75, 1.1)
        at = (x + sign * 2.6, y - 0.5, z - 1.6 - 2.0 * basal)
        radii = np.array([4.8 + 1.8 * severity, 6.5, 6.5 + 2.0 * severity]) * rng.uniform(0.85, 1.2, 3)
        dense = one * (0.06 + 0.47 * severity)
        case.cloud(change, at, radii, dense, patchy=0.25, grain=rng.uniform(1.0, 2.0), edge=1.0, ragged=0.6)
        # septa and small vessels with fluid around them: a haze over all of the lung, a fine net in it
        middle = case.point(side, 0.25, 0.1, 0)
        haze = 0.03 + 0.22 * severity
        case.cloud(change, middle, (8.0, 10.0, 13.0), haze, patchy=0.2, grain=1.0, edge=0.7, net=rng.uniform(0, 0.4))
        _cuffs(change, case, side, 3 + int(6 * severity))
        z = case.floor(side) + rng.uniform(-2.0, 5.0, 14)
        width, depth, centre = anatomy.cage(case.patient, z)
        turn = rng.uniform(-0.5, 0.5, 14)
        outer = np.stack([sign * width * np.cos(turn), centre + depth * np.sin(turn), z], 1)
        inner = outer - np.stack([sign * rng.uniform(1.0, 1.8, 14), 0 * z, rng.normal(0, 0.08, 14)], 1)
        change.add_lines(inner, outer, 0.07, 0.1 + 0.3 * severity)


def _cuffs(change, case, side, count):
    """Add bronchi with thick walls near the hilum: parallel lines (tram tracks), rings where seen end-on."""
    rng, hilum = case.rng, np.array(anatomy.HILUM[side])
    along = case.point(side, rng.uniform(0.05, 0.8, count), rng.uniform(-0.2, 0.5, count), rng.uniform(-3, 3, count))
    start = hilum + rng.uniform(0.15, 0.35, (count, 1)) * (along - hilum)
    end = start + rng.uniform(0.25, 0.4, (count, 1)) * (along - hilum)
    change.add_lines(start, end, 0.32, 0.08)
    change.add_lines(start, end, 0.18, -0.14)


LOBES = {  # up, out, turn, radii (cm), fissure that cuts it off
    ("right", "upper"): ((0.78, 0.15, 0.0), (5.2, 6.5, 6.0), (1.2, 0.02, 1)),
    ("right", "middle"): ((0.22, 0.35, 1.2), (5.0, 4.5, 4.0), (1.2, 0.02, -1)),
    ("right", "lower"): ((0.12, 0.30, -1.4), (5.5, 5.0, 6.5), (-1.5, -0.9, -1)),
    ("left", "upper"): ((0.70, 0.15, 0.5), (5.2, 6.0, 6.5), (-1.0, -0.9, 1)),
    ("left", "lower"): ((0.12, 0.30, -1.4), (5.5, 5.0, 6.5), (-1.0, -0.9, -1)),
}


def _consolidation(change, case):
    """Make a lobe or part of it dense up to a straight fissure, with air bronchograms; it hides vessels and borders.

    Where it touches the heart or the dome their border is lost (silhouette sign, Felson and Felson 1950,
    doi:10.1148/55.3.363). In the very ill there are several on both sides.
    """
    rng, severity = case.rng, case.severity
    for side in case.sides(0.3):
        name = "left" if side == LEFT else "right"
        lobe = str(rng.choice(["upper", "lower", "lower", "lower" if side == LEFT else "middle"]))
        place, radii, fissure = LOBES[name, lobe]
        at = case.point(side, *place)
        radii = np.array(radii) * (0.6 + 0.65 * severity)
        for k in range(3):  # segments that flow together
            here = at if k == 0 else at + 0.6 * radii * rng.normal(0, 0.7, 3)
            part = radii * rng.uniform(0.75, 1.15, 3) * (1.0 if k == 0 else 0.75)
            dense = (0.4 + 0.55 * severity) * (1.0 if k == 0 else 0.6)
            case.cloud(change, here, part, dense, patchy=0.2, grain=1.3, edge=0.75, ragged=0.9, fissure=fissure)
        _bronchogram(change, case, side, at)


def _bacterial(change, case):
    """Lobar consolidation; in a child one in four is round (Kim and Donnelly 2007, Pediatr Radiol 37:1235)."""
    if case.patient.age < 16 and case.rng.random() < 0.25:
        side = case.sides(0)[0]
        at = case.point(side, case.rng.uniform(0.1, 0.6), case.rng.uniform(0, 0.4), case.rng.uniform(-2.5, 0))
        radius = 2.2 + 1.8 * case.severity
        case.cloud(change, at, (radius,) * 3, 0.5 + 0.35 * case.severity, patchy=0.15, edge=0.4, ragged=0.15)
        _bronchogram(change, case, side, at)
    else:
        _consolidation(change, case)


def _covid(change, case):
    """Add rounded ground-glass patches in both lungs, near the wall, most in the lower zones.

    As on the radiographs of Wong et al. (2020, doi:10.1148/radiol.2020201160): bilateral in half, peripheral and
    basal in most; few effusions. They flow together when severe.
    """
    rng, severity = case.rng, case.severity
    for side in (RIGHT, LEFT) if case.asked in (None, "both") else case.sides(0):
        for _ in range(2 + int(3 * severity * rng.random() + 0.5)):
            at = case.point(side, abs(rng.normal(0.0, 0.25)) + 0.06, rng.uniform(0.62, 0.95), rng.uniform(-1.5, 0.7))
            radii = (1.7 + 1.4 * severity) * rng.uniform(0.75, 1.3, 3)
            case.cloud(change, at, radii, 0.34 + 0.36 * severity, patchy=0.45, grain=0.7, edge=0.6, ragged=0.4, net=0.2)


def _viral(change, case):
    """Streaks and thick bronchial walls that spread from both hila, mild over-inflation; no lobe is filled.

    The parahilar peribronchial pattern of Swischuk and Hayden (1986, Pediatr Radiol 16:278).
    """
    rng, severity = case.rng, case.severity
    change.flat = max(change.flat, 0.05 + 0.2 * severity)
    for side in (RIGHT, LEFT):
        hilum = np.array(anatomy.HILUM[side])
        count = int(16 + 24 * severity)
        up, out, turn = rng.uniform(0.05, 0.85, count), rng.uniform(0, 0.5, count), rng.uniform(-3, 3, count)
        ends = case.point(side, up, out, turn)
        start = hilum + rng.uniform(0.15, 0.4, (count, 1)) * (ends - hilum)
        stop = hilum + rng.uniform(0.6, 0.95, (count, 1)) * (ends - hilum)
        change.add_lines(start, stop, 0.13, 0.08 + 0.1 * severity)
        _cuffs(change, case, side, 3 + int(5 * severity))
        at = hilum + np.array([_sign_of(side) * 2.2, 0, -0.5])
        radii = np.array([5.5, 6.5, 8.0]) * rng.uniform(0.85, 1.2, 3)
        case.cloud(change, at, radii, 0.12 + 0.26 * severity, patchy=0.3, grain=1.0, edge=1.0, ragged=0.8, net=0.15)
        case.cloud(change, case.point(side, 0.35, 0.1, 0), (8.0, 10.0, 13.0), 0.03 + 0.1 * severity, edge=0.7, net=0.2)


SIGNS: dict[str, Callable] = {
    "Cardiomegaly": _cardiomegaly,
    "Emphysema": _emphysema,
    "Effusion": _effusion,
    "Hernia": _hernia,
    "Infiltration": _infiltration,
    "Mass": _mass,
    "Nodule": _nodule,
    "Atelectasis": _atelectasis,
    "Pneumothorax": _pneumothorax,
    "Pleural_Thickening": _pleural_thickening,
    "Pneumonia": _pneumonia,
    "Fibrosis": _fibrosis,
    "Edema": _edema,
    "Consolidation": _consolidation,
    "COVID-19": _covid,
    "Bacterial": _bacterial,
    "Viral": _viral,
}
