"""The shadow of one body: what the rays of a view lose on their way.

Lung is what is left of the rib cage when the domes, the spine, the great vessels and the heart are taken out.
Their borders therefore show where they touch air, and only there (the silhouette sign).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from simclinic import arithmetic
from simclinic.thorax import anatomy
from simclinic.thorax.anatomy import Patient, Side
from simclinic.thorax.devices import devices
from simclinic.thorax.pose import Pose
from simclinic.thorax.projection import (
    Camera,
    Ellipsoid,
    Interval,
    Points,
    bands,
    chord,
    column,
    overlap,
    resampler,
    smooth,
    splat,
    tubes,
)
from simclinic.thorax.signs import LEFT, RIGHT, Change, Cloud

# Linear attenuation at about 60 keV (1/cm), after NIST XCOM (doi:10.18434/T48G6X); lung is a fifth of tissue.
SOFT, LUNG, SPONGY = 0.205, 0.038, 0.036  # SPONGY: what trabecular bone adds to tissue
LOOPS = 16  # gas-filled pieces of a colon that is full of gas
ALL = (slice(None), slice(None))
AIRWAYS = tuple(  # trachea (two pieces), right and left main bronchus: start, end (cm) and radius (cm)
    np.array(part, np.float32)
    for part in (
        [[0, -0.6, 27], [0, -1.6, 10], [0.1, -2.2, 4.6], [0.1, -2.2, 4.6]],
        [[0, -1.6, 10], [0.1, -2.2, 4.6], [-2.9, -2.4, 1.6], [3.9, -2.8, 2.2]],
        [0.85, 0.85, 0.62, 0.55],
    )
)


@dataclass(frozen=True)
class Space:
    """One side of the chest along the rays, on the coarse grid."""

    near: np.ndarray  # the rib cage
    far: np.ndarray
    dome: tuple[np.ndarray, np.ndarray]
    air: np.ndarray  # length of lung (cm)
    gap: np.ndarray  # length of free air around a collapsed lung (cm)
    fluid: np.ndarray | float  # length of fluid around the lung (cm)
    lining: np.ndarray | None  # length through the collapsed lung's pleura (cm)


def heart_interval(cam: Camera, patient: Patient, pose: Pose, change: Change) -> Interval:
    """Return where the rays enter and leave the heart (cm)."""
    heart = anatomy.heart(patient, pose.inspiration, change.heart * pose.heart, change.flat)
    if change.ventricle:
        more = change.ventricle * heart.right
        heart = replace(
            heart, left=heart.left + more, right=heart.right - more, droop=heart.droop + 2 * change.ventricle
        )
    _, along = cam.order(heart.x, heart.y)
    right, left, front, back = heart.borders(cam.plane(along)[1])
    return column(cam, heart.x + change.shift, heart.y, (right, left), (back, front))


def solids(cam: Camera, patient: Patient, pose: Pose, change: Change) -> list[Interval]:
    """Return what displaces lung in the middle of the chest: spine with aorta, and the mediastinum before it."""
    _, up = cam.middle
    x, y, r = anatomy.spine_x(patient, up), anatomy.spine_y(patient, up), patient.aorta
    arch = Ellipsoid((1.3 + 0.3 * r + 0.6 * change.shift, -1.8, 5.4), (1.0 + r, 2.0 + r, 0.45 + r))
    below_arch = np.clip((6.2 - up) / 0.8, 0.02, 1)
    share = np.float32(patient.mediastinum / 2.5 * change.pedicle)
    vessels = tuple(share * border(up) for border in (anatomy.VESSELS_RIGHT, anatomy.VESSELS_LEFT))
    back = 5.0 - 1.2 * np.clip((1 - up) / 4, 0, 1)
    front = anatomy.VESSELS_FRONT(up) - (y + 6.0) + 1.0
    fat = 0.5 + 0.35 * patient.fat
    floor = anatomy.dome(patient, LEFT, pose.inspiration, change.flat).top
    half = patient.cardiothoracic_ratio * patient.half_width * change.heart
    pads = [
        Ellipsoid((change.shift - 0.60 * half - 0.4, 6.0, floor - 0.1), (1.4 * fat, 1.1 * fat, 0.8 * fat), 0.6),
        Ellipsoid((change.shift + 1.12 * half, 6.0, floor - 0.6), (1.4 * fat, 1.1 * fat, 0.8 * fat), -0.5),
    ]
    # Soft tissue beside the vertebrae thins out smoothly; from the side, lung reaches into the grooves.
    grooves = 2.4 if cam.lateral else 4.4 - 1.0 * np.clip((up + 3) / 9, 0, 1)
    spine = column(cam, x, y - 1.6, grooves, (2.0, 3.6), bow=1.0)
    course = 0.9 + 0.9 * np.clip((up + 9) / 10, 0, 1) + 0.25 * (r - 1.3)  # it comes to the midline on its way down
    aorta = column(cam, course, y + 2.3, r * below_arch, r * below_arch, bow=0.8)
    great_vessels = column(cam, 0.7 * change.shift, y + 6.0, vessels, (back, np.maximum(front, 0.5)), bow=0.75)
    heart = heart_interval(cam, patient, pose, change)
    return [
        _hull(cam, [(ALL, spine), (ALL, aorta)]),
        _hull(cam, [(ALL, great_vessels), (ALL, heart), *(chord(cam, solid) for solid in (arch, *pads))]),
    ]


def _hull(cam: Camera, solids: list[tuple]) -> Interval:
    """Return where each ray first enters and last leaves solids that touch each other (empty where it misses all)."""
    first, last = np.full(cam.shape, 1e3, np.float32), np.full(cam.shape, -1e3, np.float32)
    for part, (near, far) in solids:
        hit = far > near
        np.minimum(first[part], near, out=first[part], where=hit)
        np.maximum(last[part], far, out=last[part], where=hit)
    return first, np.maximum(first, last)


def chest_space(cam: Camera, patient: Patient, pose: Pose, change: Change, side: Side, middle: list[Interval]) -> Space:
    """Return what fills one side of the chest along the rays.

    Parameters
    ----------
    cam : Camera
    patient : Patient
    pose : Pose
    change : Change
        What the findings do to the body.
    side : Side
        RIGHT or LEFT.
    middle : list of Interval
        From :func:`solids`.

    Returns
    -------
    Space
    """
    dome = _dome_interval(cam, patient, pose, change, side)
    mirrored = cam.lateral and side == RIGHT  # depth then counts from the midline to the right
    if mirrored:
        middle = [_mirror(solid) for solid in middle]
    place, reach, centre = _cage_section(cam, patient, change, side)
    wet, dry = _pleural_space(change, side, cam.middle[1])

    def room(share) -> np.ndarray:
        return _room(_walls(cam, centre, _within(place, reach, share)), dome, middle)

    air = room(wet if dry is None else dry)
    not_wet = air if dry is None else room(wet)
    fluid = 0.0 if wet is None else np.maximum(room(None) - not_wet, 0)
    lining = None
    if dry is not None:
        inner = _within(place, reach, np.maximum(dry - 0.09 / patient.half_depth, 0))
        lining = (_within(place, reach, dry) - inner) * (1 if cam.lateral else 2) * (air > 0)
    cage = _walls(cam, centre, _within(place, reach, None))
    if mirrored:
        cage, dome = _mirror(cage), _mirror(dome)
    return Space(*cage, dome, air, np.maximum(not_wet - air, 0), fluid, lining)


def _mirror(interval: Interval) -> Interval:
    near, far = interval
    return -far, -near


def _cage_section(cam: Camera, patient: Patient, change: Change, side: int) -> tuple[np.ndarray, ...]:
    """Return where each ray meets a side of the cage (-1 to 1, wall to wall), its reach inside, and the centre (cm)."""
    across, up = cam.middle
    width, depth, centre = anatomy.cage(patient, up)
    band = _thick_pleura(change, side, up)
    if cam.lateral:
        return (across - centre) / np.maximum(depth, 0.01), width * band, centre
    return across / np.maximum(width * band, 0.01), depth * ((across > 0) == (side == LEFT)), centre


def _within(place: np.ndarray, reach: np.ndarray, share) -> np.ndarray:
    """Return half of the way (cm) inside the ``share`` of the cage's radius that is left (None: all)."""
    open_share = 1 if share is None else _squareness(share)
    return reach * np.sqrt(np.maximum(open_share - _squareness(place), 0))


def _squareness(t):
    """Return 0 in the middle to 1 at the wall of the cage's section, which lies between an ellipse and a box."""
    return t * t * (0.5 + 0.5 * t * t)


def _walls(cam: Camera, centre: np.ndarray, half: np.ndarray) -> Interval:
    """Return the interval between both walls: from the midline outwards in a lateral, else from back to front."""
    if cam.lateral:
        return 0 * half, half
    return centre - half, centre + half


def _dome_interval(cam: Camera, patient: Patient, pose: Pose, change: Change, side: int) -> Interval:
    """Return where the rays are below a dome: along y, or along the distance from the midline in a lateral."""
    sign = side.sign
    dome = anatomy.dome(patient, side, pose.inspiration, change.flat, change.lift[side])
    across, up = cam.plane(sign * dome.x0 if cam.lateral else dome.y0)
    if cam.lateral:
        off = across - np.float32(dome.y0)
        below = _below(dome.top - up, off, (dome.back, 2), (dome.front, 2))
        start, (low, bend), (high, curl) = dome.x0, (dome.inner, 2), (dome.outer, 3)
    else:
        off = sign * across - np.float32(dome.x0)
        below = _below(dome.top - up, off, (dome.inner, 2), (dome.outer, 3))
        start, (low, bend), (high, curl) = dome.y0, (dome.back, 2), (dome.front, 2)
    return start - _reach(below, low, bend), start + _reach(below, high, curl)


def _below(height: np.ndarray, off: np.ndarray, before, after) -> np.ndarray:
    """Return how far points are below a hill that falls by ``k |off|^p`` on either side of its top, at least 0 (cm)."""
    falls = (np.float32(k) * arithmetic.power(np.abs(off), p) for k, p in (before, after))
    return np.maximum(height - np.where(off < 0, *falls), 0)


def _reach(below: np.ndarray, k: float, power: int) -> np.ndarray:
    """Return how far from its top a hill that falls by ``k t^power`` has fallen by ``below`` (cm)."""
    return arithmetic.power(below / np.float32(k), 1 / power)


def _room(walls: Interval, dome: Interval, middle) -> np.ndarray:
    """Return what remains between the walls without the dome and the solids (cm)."""
    lo, hi = walls
    room = hi - lo - overlap(lo, hi, *dome)
    start = lo
    for near, far in middle:
        near, far = np.maximum(near, start), np.minimum(far, hi)
        far = np.maximum(far, near)
        room -= far - near - overlap(near, far, *dome)
        start = np.where(far > near, far, start)
    return np.maximum(room, 0)


def _thick_pleura(change: Change, side: int, up: np.ndarray):
    """Return the share of the chest's width that thick pleura at the side leaves."""
    left = np.float32(1)
    for thick, middle, half in change.pleura[side]:
        left = left - np.float32(thick) * np.maximum(1 - ((up - np.float32(middle)) / np.float32(half)) ** 2, 0)
    return left


def _pleural_space(change: Change, side: int, up: np.ndarray):
    """Return how far fluid, and free air, push the lung inwards: shares of the cage's radius, or None.

    Fluid climbs highest where the lung gives way most easily, along the wall: the border is nearly level in the
    middle and steep at the side (the meniscus). Free air gathers where it is highest: at the apex of somebody
    upright, at the base of somebody lying.
    """
    wet = None
    if change.fluid[side]:
        level, rise = change.fluid[side]
        wet = arithmetic.power(np.clip((up - np.float32(level)) / np.float32(rise), 0, 1), 0.2)
    dry = None
    if change.collapse[side]:
        share = np.float32(change.collapse[side])
        height = np.clip((up + 11) / 22, 0, 1)
        if change.basal[side]:
            dry = 1 - share * (1 - height) ** 2
        else:
            fallen = 1 - np.clip((anatomy.APEX - 8.0 * share - up) / np.float32(9.0), 0, 1)
            dry = (1 - share * (0.25 + 0.5 * height)) * np.sqrt(1 - fallen * fallen)
        dry = dry if wet is None else np.minimum(dry, wet)
    return wet, dry


def _trunk(cam: Camera, patient: Patient):
    """Return the interval of trunk, neck and (on a frontal view) shoulders along the rays."""
    across, up = cam.middle
    width, depth, centre = anatomy.skin(patient, up)
    if cam.lateral:
        near, far = _round_section((across - centre) / depth, 0 * depth, width)
        thin = 1 - np.clip((up - 6) / 12, 0, 0.6) * ((across - centre) / depth) ** 2
        return near * thin, far * thin
    near, far = _round_section(across / width, centre, depth)
    width, depth = anatomy.shoulder_girdle(patient, up)
    back, front = _round_section(across / width, centre - 0.5, depth)
    return np.minimum(near, back), np.maximum(far, front)


def _round_section(t: np.ndarray, middle, half) -> Interval:
    """Return the interval through a section between an ellipse and a box, ``t`` (-1 to 1) from its axis."""
    t = t * t
    half = half * np.sqrt(np.maximum(1 - t * (0.2 + 0.8 * t * t * t), 0))
    return middle - half, middle + half


def _add_outer_tissue(cam: Camera, patient: Patient, pose: Pose, path: np.ndarray, body) -> None:
    """Add arms and breasts to the path through soft tissue (cm)."""
    for breast in _breasts(patient):
        part, (lo, hi) = chord(cam, breast)
        _, up = cam.crop(*part).middle
        outside = hi - lo - overlap(lo, hi, body[0][part], body[1][part])
        path[part] += outside * np.clip((breast.centre[2] + breast.radii[2] - up) / (1.5 * breast.radii[2]), 0, 1)
    for arm in _arms(cam, patient, pose):
        part, (lo, hi) = chord(cam, arm)
        path[part] += hi - lo - overlap(lo, hi, body[0][part], body[1][part])


def _breasts(patient: Patient) -> list[Ellipsoid]:
    """Return the breasts, which fade towards the collar bones and end below in a line over the bases of the lungs."""
    if not patient.breast:
        return []
    size = 4.0 + 2.4 * patient.breast + 0.2 * patient.fat
    low = -1.2 - 2.6 * patient.breast
    front = float(np.sum(anatomy.skin(patient, np.float64(low))[1:]))
    radii = (1.12 * size, 1.6 + 3.4 * patient.breast, 1.05 * size)
    return [Ellipsoid((sign * 0.66 * patient.half_width, front - 1.2, low), radii, sign * 0.25) for sign in (-1, 1)]


def _arms(cam: Camera, patient: Patient, pose: Pose) -> list[Ellipsoid]:
    """Return the upper arms: beside the trunk on a frontal view, lifted on a lateral one."""
    thick = 4.6 + 0.5 * patient.fat
    if cam.lateral:
        angle = 0.1 + 1.3 * pose.arms  # from forward to overhead
        reach = 13.0
        y, z = reach * math.cos(angle) - 4.0, reach * math.sin(angle) + 10.5
        return [
            Ellipsoid(
                (sign * (patient.half_width + 2.0), y + 1.2 * sign, z - 0.8 * sign),
                (0.8 * thick, reach + 6, 1.3 * thick),
                angle + 0.07 * sign,
                True,
            )
            for sign in (-1, 1)
        ]
    joint, elbow = anatomy.upper_arm(patient, _spread(pose, cam.view))
    x, y, z = joint + 0.5 * (elbow - joint)
    angle = _spread(pose, cam.view)
    return [
        Ellipsoid((sign * float(x), float(y), float(z)), (thick, 1.1 * thick, 24.0), sign * angle) for sign in (-1, 1)
    ]


def _spread(pose: Pose, view: str) -> float:
    """Return the angle between the upper arms and the trunk (radians): hands on the hips for a PA view."""
    return 0.14 + 0.5 * pose.arms if view == "PA" else 0.05 + 0.25 * pose.arms


def attenuation(
    coarse: Camera, fine: Camera, patient: Patient, pose: Pose, change: Change, seed: tuple[int, ...]
) -> np.ndarray:
    """Return the attenuation of a patient.

    Parameters
    ----------
    coarse, fine : Camera
        The same rays on the grid on which solids are computed, and on that of the image.
    patient : Patient
    pose : Pose
    change : Change
        What the findings do to the body.
    seed : tuple of int
        Of the texture of the lungs.

    Returns
    -------
    float32 array of the shape of ``fine``
        Line integrals, which have no unit.
    """
    body = _trunk(coarse, patient)
    path = body[1] - body[0]
    _add_outer_tissue(coarse, patient, pose, path, body)
    total = np.float32(SOFT) * path
    middle = solids(coarse, patient, pose, change)
    spaces = [chest_space(coarse, patient, pose, change, side, middle) for side in (RIGHT, LEFT)]
    for side, space in enumerate(spaces):
        total -= np.float32(SOFT - LUNG * change.air[side]) * space.air + np.float32(SOFT) * space.gap
        if space.lining is not None:
            total += np.float32(SOFT) * space.lining
    _add_gas(coarse, patient, pose, change, total)
    _add_spine(coarse, patient, total)
    _add_shoulder_bones(coarse, patient, pose, total)
    for cloud in change.clouds:
        _add_cloud(coarse, cloud, spaces, total)
    for gas, level in change.pockets:
        part, (lo, hi) = chord(coarse, gas)
        _, up = coarse.crop(*part).plane(gas.centre[1])
        total[part] -= np.float32(SOFT) * (hi - lo) * (up > level)
    _add_texture(coarse, spaces, total, seed)
    total = _enlarge(total, fine.shape)
    tree, rest = _vessel_tree(fine, patient, change), _small_parts(fine, patient, pose, change)
    if any(change.collapse) or any(change.fluid):  # no vessels beyond the pleural line, none seen in fluid
        air, gap, fluid = (sum(getattr(space, name) for space in spaces) for name in ("air", "gap", "fluid"))
        here = _enlarge((air + 0.01) / (air + gap + fluid + 0.01), fine.shape)
        thin = splat(fine, tree) * here + splat(fine, rest)
    else:
        thin = splat(fine, [*tree, *rest])
    total += smooth(thin, 0.75)
    return np.maximum(total, 0)


def _enlarge(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the image interpolated to ``shape``."""
    if image.shape == shape:
        return image
    rows, columns = resampler(shape[0], image.shape[0]), resampler(shape[1], image.shape[1])
    return arithmetic.product(rows, image, columns.T)


def _add_gas(cam: Camera, patient: Patient, pose: Pose, change: Change, total: np.ndarray) -> None:
    """Take out the stomach bubble below the left dome, with its fluid level, and the gas in loops of the colon."""
    d = anatomy.dome(patient, LEFT, pose.inspiration, change.flat, change.lift[LEFT])
    r = patient.stomach_air
    bubble = Ellipsoid((6.3, 0.5, d.top - 1.0 - 0.8 * r), (1.25 * r, 1.1 * r, 0.8 * r))
    part, (lo, hi) = chord(cam, bubble)
    _, up = cam.crop(*part).plane(0.5)
    total[part] -= np.float32(0.75 * SOFT) * (hi - lo) * (up > bubble.centre[2] - 0.3 * r)
    rng = np.random.default_rng([patient.seed, 11])
    for way in 1 - 0.9 * rng.random(round(LOOPS * patient.colon_air)) ** 1.4:  # 0 is the right flexure, 1 the left one
        low = d.top - 4.8 + 2.4 * way - 4.5 * np.sin(np.pi * way)  # between them the colon hangs down
        thick = rng.uniform(0.8, 2.0)
        centre = np.array([20 * way - 10, 7.0 - 7.0 * way, low])  # the left flexure lies far back
        centre += rng.normal(0, (0.6, 2.0, 0.8))
        loop = Ellipsoid(tuple(map(float, centre)), (1.3 * thick, thick, thick), float(rng.uniform(-1.5, 1.5)))
        part, (lo, hi) = chord(cam, loop)
        total[part] -= np.float32(0.7 * SOFT) * (hi - lo)


def _add_spine(cam: Camera, patient: Patient, total: np.ndarray) -> None:
    """Add bone to the spine: blocks with bright end plates, discs in between, and pedicles on a frontal view."""
    middle = float(cam.order(anatomy.spine_x(patient, 0.0), anatomy.spine_y(patient, 0.0))[1])
    across, up = cam.plane(middle)
    spine = column(cam, anatomy.spine_x(patient, up), anatomy.spine_y(patient, up), 1.75, 1.7)
    phase = ((up - anatomy.APEX) / anatomy.VERTEBRA) % 1 - 0.5  # 0 in the middle of a vertebra, +-0.5 in a disc
    edge = 2 * np.abs(phase)
    block = np.clip((0.78 - edge) / 0.1, 0, 1) * 0.9 + np.exp(-(((edge - 0.66) / 0.1) ** 2)) * 0.8
    block = block * (2.2 if cam.lateral else 0.4 + 0.8 * np.clip((up - 8) / 4, 0, 1))  # seen best in the neck
    total += np.float32(SPONGY * patient.bone) * block.astype(np.float32) * (spine[1] - spine[0])
    if not cam.lateral:
        off = np.abs(across - anatomy.spine_x(patient, up)) - 1.45
        ring = ((off / 0.4) ** 2 + ((phase - 0.15) / 0.2) ** 2).astype(np.float32)
        total += np.float32(3 * SPONGY * patient.bone) * ring * arithmetic.exp(-ring * ring)


def _add_shoulder_bones(cam: Camera, patient: Patient, pose: Pose, total: np.ndarray) -> None:
    """Add the plates of the shoulder blades (turned out of the lungs on a PA view) and the heads of the upper arms."""
    if cam.lateral:  # seen edge-on they are hardly visible
        return
    angle = _spread(pose, cam.view)
    joint, elbow = anatomy.upper_arm(patient, angle)
    middle = 0.5 * (joint + elbow)
    x = 0.60 * patient.half_width + _turned(pose, cam.view)
    back = float(anatomy.spine_y(patient, 5.0)) - 2.6
    for sign in (-1, 1):
        blade = Ellipsoid((sign * (x + 3.0), back, 4.0), (2.6, 0.3, 6.5), sign * 0.25)
        head = Ellipsoid((sign * float(joint[0]), -1.5, float(joint[2])), (2.3, 2.3, 2.4))
        shaft, marrow = (
            Ellipsoid((sign * float(middle[0]), -1.5, float(middle[2])), (r, r, 16.0), sign * angle) for r in (1.3, 0.8)
        )
        for bone, density in ((blade, 4.5), (head, 2.8), (shaft, 6.5), (marrow, -5.4)):
            part, (lo, hi) = chord(cam, bone)
            total[part] += np.float32(density * SPONGY * patient.bone) * (hi - lo)


def _turned(pose: Pose, view: str) -> float:
    """Return how far the shoulder blades are rolled out of the lungs (cm)."""
    return 1.0 + 2.4 * pose.arms if view == "PA" else 1.2 * pose.arms


def _add_cloud(cam: Camera, cloud: Cloud, spaces: list[Space], total: np.ndarray) -> None:
    """Fill air with what a cloud is made of, where its ellipsoid meets lung."""
    part, (lo, hi) = chord(cam, cloud.body)
    if lo.size == 0:
        return
    along = 0 if cam.lateral else 1
    local = cam.crop(*part)
    across, up = local.plane(cloud.body.centre[along])
    if cloud.fissure:
        z0, slope, keep = cloud.fissure
        if cam.lateral:
            hi = np.where(keep * (up - z0 - slope * across) > 0, hi, lo)
        else:
            cut = (up - np.float32(z0)) / np.float32(slope)  # y of the fissure at this height
            above_is_back = keep * slope > 0
            lo, hi = (lo, np.minimum(hi, cut)) if above_is_back else (np.maximum(lo, cut), hi)
            hi = np.maximum(hi, lo)
    filled = 0
    for space in spaces:
        near, far = np.maximum(lo, space.near[part]), np.minimum(hi, space.far[part])
        inside = overlap(near, far, near, far) - overlap(near, far, space.dome[0][part], space.dome[1][part])
        filled = filled + np.minimum(inside, space.air[part])
    shape, rng = filled, np.random.default_rng([cloud.seed, 7, along])
    if cloud.edge or cloud.ragged:
        inward = (hi - lo) * np.float32(0.5 / cloud.body.radii[along])
        inward *= inward  # 0 at the border, 1 in the middle
        if cloud.ragged:
            lumps = 0.4 * float(np.mean(cloud.body.radii))
            bays = _texture(local, lumps, rng) + np.float32(0.35) * _texture(local, 0.4 * lumps, rng)
            inward = inward + np.float32(0.4 * cloud.ragged) * (bays - 0.6)
        shape = shape * np.clip(inward * np.float32(1 / max(cloud.edge, 0.05)), 0, 1)
    if cloud.patchy or cloud.net:
        coarse, grain = (_texture(local, size * cloud.grain, rng) for size in (2.2, 1.0))
        patches = 1 + np.float32(cloud.patchy) * (np.float32(0.8) * coarse + np.float32(0.5) * grain)
        if cloud.net:  # where noise changes its sign there are closed lines around meshes
            fine = _texture(local, 0.5 * cloud.grain, rng)
            lines = arithmetic.exp(grain * grain * np.float32(-8)) + arithmetic.exp(fine * fine * np.float32(-8))
            patches = patches + np.float32(cloud.net) * (np.float32(1.5) * lines - 1)
        shape = shape * np.clip(patches, 0, 2.5)
    total[part] += np.float32((SOFT - LUNG) * cloud.density) * shape


def _texture(cam: Camera, grain: float, rng: np.random.Generator) -> np.ndarray:
    """Return smooth noise (mean 0, standard deviation near 1) with patches of ``grain`` cm."""
    height, width = cam.shape
    pixel = abs(float(cam.v[0, 0] - cam.v[-1, 0])) / max(height - 1, 1) or 1.0
    rows, columns = max(2, int(height * pixel / grain) + 2), max(2, int(width * pixel / grain) + 2)
    return _enlarge(1.2 * rng.standard_normal((rows, columns), dtype=np.float32), (height, width))


def _add_texture(cam: Camera, spaces: list[Space], total: np.ndarray, seed) -> None:
    """Mottle the lungs a little: small vessels and septa that are not drawn one by one."""
    air = spaces[RIGHT].air + spaces[LEFT].air
    rng = np.random.default_rng([*seed, 8])
    grain = _texture(cam, 0.45, rng) + 0.8 * _texture(cam, 1.3, rng)
    total += np.float32(0.0038) * air * grain


def _vessel_tree(cam: Camera, patient: Patient, change: Change) -> list[Points]:
    """Return the mass points of the vessels of both lungs."""
    sharp = cam.shape[0] / 320
    points = []
    vessels = anatomy.vessels(patient)
    radius = vessels.radius * np.float32(change.calibre)
    if change.upper_calibre != 1:
        radius = radius * np.where(vessels.start[:, 2] > 1.5, np.float32(change.upper_calibre), np.float32(1))
    start, end = (_shifted(ends, change.shift) for ends in (vessels.start, vessels.end))
    narrower = 0.0
    for widest in (0.18, 0.34, 9.0):  # the wider a vessel, the more points it needs
        part = (vessels.radius > narrower) & (vessels.radius <= widest)
        narrower = widest
        thick = float(vessels.radius[part].max(initial=0.05)) * sharp
        along = max(3, round(7 * sharp + 4 * thick))
        points.append(tubes(cam, start[part], end[part], radius[part], SOFT - LUNG, along, max(1, round(18 * thick))))
    return points


def _shifted(points: np.ndarray, shift: float) -> np.ndarray:
    """Return points (n, 3) as the mediastinum takes them along: least at the neck and at the chest wall."""
    if not shift:
        return points
    x, _, z = points.T
    share = np.clip(1 - np.abs(x) / 7, 0, 1) * np.clip((18 - z) / 14, 0, 1)
    return points + np.stack([np.float32(shift) * share, 0 * x, 0 * x], 1)


def _small_parts(cam: Camera, patient: Patient, pose: Pose, change: Change) -> list[Points]:
    """Return the mass points of what is thin: bones, airways, lines of findings, devices."""
    sharp = cam.shape[0] / 320
    steps, wide = max(4, round(11 * sharp)), max(5, round(12 * sharp))
    bones = [anatomy.ribs(patient, cam.lateral), anatomy.front_bones(patient, cam.lateral)]
    if not cam.lateral:
        girdle = anatomy.shoulder_bones(patient, _spread(pose, cam.view), _turned(pose, cam.view))
        bones.append(girdle)
    points = [bands(cam, rods.centre, rods.tall, rods.flat, rods.mass, steps, wide) for rods in bones]
    along, across = round(170 * sharp), max(6, round(22 * sharp))
    start, end, radius = AIRWAYS
    airways = _shifted(start, change.shift), _shifted(end, change.shift), radius
    points.append(tubes(cam, *airways, np.float32(-0.65 * SOFT), along, across))
    for start, end, radius, density in [*change.lines, *devices(patient, pose)]:
        along, across = max(4, round(14 * sharp)), max(1, round(24 * float(np.max(radius)) * sharp))
        points.append(tubes(cam, start, end, radius, density, along, across))
    return points
