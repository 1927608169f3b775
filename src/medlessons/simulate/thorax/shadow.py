"""The shadow of one body: what the rays of a view lose on their way.

Lung is what is left of the rib cage when the domes, the spine, the great vessels and the heart are taken out.
Their borders therefore show where they touch air, and only there (the silhouette sign).
"""

import math
from dataclasses import dataclass

import numpy as np

from medlessons.simulate.thorax import anatomy
from medlessons.simulate.thorax.anatomy import Patient
from medlessons.simulate.thorax.devices import devices
from medlessons.simulate.thorax.pose import Pose
from medlessons.simulate.thorax.projection import (
    Camera,
    Ellipsoid,
    Points,
    chord,
    column,
    overlap,
    resampler,
    shells,
    smooth,
    splat,
    tubes,
)
from medlessons.simulate.thorax.signs import LEFT, RIGHT, Change, Cloud

# Linear attenuation at about 60 keV (1/cm), after NIST XCOM (doi:10.18434/T48G6X); lung is a quarter of tissue.
SOFT, LUNG, SPONGY = 0.205, 0.046, 0.036  # SPONGY: what trabecular bone adds to tissue
ALL = (slice(None), slice(None))
AIRWAYS = tuple(  # trachea (two pieces), right and left main bronchus: start, end (cm) and radius (cm)
    np.array(part, np.float32)
    for part in (
        [[0, -1.0, 17], [0, -1.6, 10], [0.1, -2.2, 4.6], [0.1, -2.2, 4.6]],
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
    lining: np.ndarray | None  # length through the collapsed lung's pleura (cm)


def heart_body(patient: Patient, pose: Pose, change: Change) -> Ellipsoid:
    """Return the heart: an ellipsoid whose long axis points down, to the left and forward."""
    width = anatomy.heart_radius(patient, change.heart * pose.heart)
    low = 8.0 * (1 - pose.inspiration) - 1.5 * change.flat
    angle = patient.heart_axis
    long = width / math.hypot(math.cos(angle), 0.74 * math.sin(angle))
    centre = (0.27 * width, 3.4 - 0.2 * (width - 5.8), -4.0 + 0.8 * low)
    return Ellipsoid(centre, (long, 0.84 * width, 0.74 * long), -angle)


def solids(cam: Camera, patient: Patient, pose: Pose, change: Change, heart):
    """Return what displaces lung in the middle of the chest, from the back to the front: (part, interval)."""
    _, up = cam.middle
    x, y, r = anatomy.spine_x(patient, up), anatomy.spine_y(patient, up), patient.aorta
    wide = patient.mediastinum * np.clip(1.02 - 0.022 * (up - 5), 0.75, 1.5)
    arch = Ellipsoid((1.2 + 0.35 * r, -1.6, 5.6), (1.1 + r, 2.2 + r, 0.5 + r))
    root = Ellipsoid((0.7, 1.5, 0.6), (0.8 * patient.mediastinum + 1.2, 2.8, 6.0), 0.18)
    below_arch = np.clip((6.2 - up) / 0.8, 0.02, 1)
    return [
        (ALL, column(cam, x, y, 1.95, 2.0)),
        (ALL, column(cam, 1.7, y + 2.4, r * below_arch, r * below_arch)),
        chord(cam, arch),
        (ALL, column(cam, 0.0, y + 5.0, wide, 4.2 + np.clip(-4 - up, 0, 4))),
        chord(cam, root),
        heart,
    ]


def chest_space(cam: Camera, patient: Patient, pose: Pose, change: Change, side: int, shape, middle) -> Space:
    """Return lung, dome and free air of one side.

    ``side`` is RIGHT or LEFT, ``shape`` the cage by height (:func:`anatomy.cage`), ``middle`` what
    :func:`solids` returns.
    """
    sign = 1 if side == LEFT else -1
    dome = _dome_interval(cam, anatomy.dome(patient, sign, pose.inspiration, change.flat, change.lift[side]), sign)
    across, up = cam.middle
    width, depth, centre = shape
    if cam.lateral:
        t, reach = (across - centre) / np.maximum(depth, 0.01), width
    else:
        t, reach = across / np.maximum(width, 0.01), depth * (across * sign > 0)
    band = _thick_pleura(change, side, up)
    if cam.lateral:
        reach = reach * band
    else:
        t = t / band
    wet, dry = _pleural_space(change, side, up)
    square = t * t
    outer, inside, lung = (
        reach * np.sqrt(np.maximum((1 if share is None else share * share) - square, 0)) for share in (None, wet, dry)
    )
    if dry is None:
        lung = inside
    base = 0 if cam.lateral else centre

    def free(half):
        """Return the room that domes and solids leave between both walls (cm)."""
        lo, hi = (0 * half, half) if cam.lateral else (base - half, base + half)
        return _room(lo, hi, dome, middle, mirrored=cam.lateral and side == RIGHT)

    air = free(lung)
    gap, lining = np.zeros_like(air), None
    if dry is not None:
        gap = np.maximum(free(inside) - air, 0)
        within = np.maximum(dry - 0.09 / patient.half_depth, 0)
        skin_deep = (lung - reach * np.sqrt(np.maximum(within * within - square, 0))) * (1 if cam.lateral else 2)
        lining = skin_deep * (air > 0)
    if cam.lateral:
        near, far = (0 * outer, outer) if side == LEFT else (-outer, 0 * outer)
        dome = dome if side == LEFT else (-dome[1], -dome[0])
    else:
        near, far = base - outer, base + outer
    return Space(near, far, dome, air, gap, lining)


def _dome_interval(cam: Camera, dome: anatomy.Dome, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the rays are below a dome: along y, or along the distance from the midline in a lateral."""
    if cam.lateral:
        across, up = cam.plane(sign * dome.x0)
        drop = across - np.float32(dome.y0)
        bend, start, before, after = (dome.back, dome.front), dome.x0, dome.inner, dome.outer
    else:
        across, up = cam.plane(dome.y0)
        drop = sign * across - np.float32(dome.x0)
        bend, start, before, after = (dome.inner, dome.outer), dome.y0, dome.back, dome.front
    below = np.float32(dome.top) - np.where(drop < 0, *map(np.float32, bend)) * drop * drop - up
    half = np.sqrt(np.maximum(below, 0))
    return start - half * np.float32(before**-0.5), start + half * np.float32(after**-0.5)


def _room(lo, hi, dome, middle, mirrored: bool) -> np.ndarray:
    """Return what remains of the interval [lo, hi] without the dome and the solids (cm)."""
    room = hi - lo - overlap(lo, hi, *dome)
    start = lo.copy()
    for part, (near, far) in middle:
        near, far = (-far, -near) if mirrored else (near, far)
        near, far = np.maximum(near, start[part]), np.minimum(far, hi[part])
        far = np.maximum(far, near)
        room[part] -= far - near - overlap(near, far, dome[0][part], dome[1][part])
        start[part] = np.where(far > near, far, start[part])
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
        wet = np.clip((up - np.float32(level)) / np.float32(rise), 0, 1) ** np.float32(0.2)
    dry = None
    if change.collapse[side]:
        share = np.float32(change.collapse[side])
        height = np.clip((up + 11) / 22, 0, 1)
        if change.basal[side]:
            dry = 1 - share * (1 - height) ** 2
        else:
            top = np.clip((anatomy.APEX - 7.0 * share - up) / 5.0, 0, 1)
            dry = (1 - share * (0.15 + 0.85 * height)) * np.sqrt(top)
        dry = dry if wet is None else np.minimum(dry, wet)
    return wet, dry


def trunk(cam: Camera, patient: Patient):
    """Return the interval of the trunk along the rays."""
    across, up = cam.middle
    width, depth, centre = anatomy.skin(patient, up)
    if cam.lateral:  # the shoulders are lifted out of the way with the arms
        width = np.minimum(width, patient.half_width + patient.fat + 0.9)
        t, full, middle = (across - centre) / depth, width, 0.0
    else:
        t, full, middle = across / width, depth, centre
    t = t * t
    half = full * np.sqrt(np.maximum(1 - t * (0.2 + 0.8 * t * t), 0))
    if cam.lateral:
        half = half * (1 - np.clip((up - 6) / 12, 0, 0.6) * t)
    return middle - half, middle + half


def add_outer_tissue(cam: Camera, patient: Patient, pose: Pose, path: np.ndarray, body) -> None:
    """Add arms and breasts to the path through soft tissue (cm)."""
    front = float(np.sum(anatomy.skin(patient, np.float64(-3.0))[1:]))
    if patient.breast:
        size = 1.6 + 3.4 * patient.breast
        for sign in (-1, 1):
            hang = -3.5 - 3.5 * patient.breast
            breast = Ellipsoid(
                (sign * 0.58 * patient.half_width, front - 1.8, hang), (5.8, 1.3 * size, 0.7 * size + 4.2)
            )
            part, (lo, hi) = chord(cam, breast)
            thin_out = (hi - lo) * np.float32(1.2 / (2 * breast.radii[0 if cam.lateral else 1]))
            path[part] += (hi - lo - overlap(lo, hi, body[0][part], body[1][part])) * np.minimum(thin_out, 1)
    thick = 3.3 + 0.45 * patient.fat
    for arm in arms(cam, patient, pose, thick):
        part, (lo, hi) = chord(cam, arm)
        path[part] += hi - lo - overlap(lo, hi, body[0][part], body[1][part])


def arms(cam: Camera, patient: Patient, pose: Pose, thick: float) -> list[Ellipsoid]:
    """Return the upper arms: beside the trunk on a frontal view, lifted on a lateral one."""
    if cam.lateral:
        angle = 0.1 + 1.3 * pose.arms  # from forward to overhead
        reach = 13.0
        middle = (reach * math.cos(angle), reach * math.sin(angle))
        return [
            Ellipsoid(
                (sign * (patient.half_width + 2.0), middle[0] - 4.0, middle[1] + 10.5),
                (1.4 * thick, reach + 6, 1.35 * thick),
                angle,
                True,
            )
            for sign in (-1, 1)
        ]
    spread = 0.12 + 0.3 * pose.arms * (cam.view == "PA")
    x = patient.half_width + 2.5 + 0.5 * patient.fat + 1.2 * thick
    return [
        Ellipsoid((sign * (x + 8.4 * math.sin(spread)), -1.0, -2.0), (thick, thick, 16.0), sign * spread)
        for sign in (-1, 1)
    ]


def attenuation(
    coarse: Camera, fine: Camera, patient: Patient, pose: Pose, change: Change, seed: tuple[int, ...]
) -> np.ndarray:
    """Return the attenuation (line integral, no unit) of a patient on the fine grid."""
    body = trunk(coarse, patient)
    path = body[1] - body[0]
    add_outer_tissue(coarse, patient, pose, path, body)
    total = np.float32(SOFT) * path
    heart = chord(coarse, heart_body(patient, pose, change))
    middle = solids(coarse, patient, pose, change, heart)
    shape = anatomy.cage(patient, coarse.middle[1])
    spaces = [chest_space(coarse, patient, pose, change, side, shape, middle) for side in (RIGHT, LEFT)]
    for side, space in enumerate(spaces):
        total -= np.float32(SOFT - LUNG * change.air[side]) * space.air + np.float32(SOFT) * space.gap
        if space.lining is not None:
            total += np.float32(SOFT) * space.lining
    add_gas(coarse, patient, pose, change, total)
    add_spine(coarse, patient, total, middle[0][1])
    add_shoulder_bones(coarse, patient, pose, total)
    for cloud in change.clouds:
        add_cloud(coarse, cloud, spaces, total)
    for gas, level in change.pockets:
        part, (lo, hi) = chord(coarse, gas)
        _, up = coarse.crop(*part).plane(gas.centre[1])
        total[part] -= np.float32(SOFT) * (hi - lo) * (up > level)
    add_texture(coarse, spaces, total, seed)
    total = enlarge(total, fine.shape)
    tree, rest = vessel_tree(fine, patient, change), small_parts(fine, patient, pose, change)
    if any(change.collapse):  # no vessels beyond the pleural line
        air, gap = (sum(getattr(space, name) for space in spaces) for name in ("air", "gap"))
        here = enlarge((air + 0.01) / (air + gap + 0.01), fine.shape)
        thin = splat(fine, tree) * here + splat(fine, rest)
    else:
        thin = splat(fine, [*tree, *rest])
    total += smooth(thin, 0.75)
    return np.maximum(total, 0)


def enlarge(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the image interpolated to ``shape``."""
    if image.shape == shape:
        return image
    rows, columns = resampler(shape[0], image.shape[0]), resampler(shape[1], image.shape[1])
    return (rows @ image.astype(np.float32)) @ columns.T


def add_gas(cam: Camera, patient: Patient, pose: Pose, change: Change, total: np.ndarray) -> None:
    """Take out the stomach bubble below the left dome, with its fluid level, and some gas in the colon."""
    d = anatomy.dome(patient, 1, pose.inspiration, change.flat, change.lift[LEFT])
    r = patient.stomach_air
    bubble = Ellipsoid((6.3, 0.5, d.top - 1.0 - 0.8 * r), (1.25 * r, 1.1 * r, 0.8 * r))
    part, (lo, hi) = chord(cam, bubble)
    _, up = cam.crop(*part).plane(0.5)
    total[part] -= np.float32(0.75 * SOFT) * (hi - lo) * (up > bubble.centre[2] - 0.3 * r)
    x, z, r = patient.colon_air
    part, (lo, hi) = chord(cam, Ellipsoid((x, 4.0, z), (1.3 * r, r, r)))
    total[part] -= np.float32(0.6 * SOFT) * (hi - lo)


def add_spine(cam: Camera, patient: Patient, total: np.ndarray, spine) -> None:
    """Add bone to the spine: blocks with bright end plates, and discs in between."""
    _, up = cam.plane(float(anatomy.spine_x(patient, 0.0)) if cam.lateral else float(anatomy.spine_y(patient, 0.0)))
    phase = np.abs(((up - anatomy.APEX) / anatomy.VERTEBRA) % 1 - 0.5) * 2  # 0 in the middle of a vertebra, 1 in a disc
    block = np.clip((0.78 - phase) / 0.1, 0, 1) * 0.9 + np.exp(-(((phase - 0.66) / 0.1) ** 2)) * 0.8
    total += np.float32(SPONGY * patient.bone) * block.astype(np.float32) * (spine[1] - spine[0])


def add_shoulder_bones(cam: Camera, patient: Patient, pose: Pose, total: np.ndarray) -> None:
    """Add shoulder blades (turned out of the lungs on a PA view) and the heads of the upper arms."""
    if cam.lateral:  # seen edge-on they are hardly visible
        return
    out = 2.2 + 1.2 * pose.arms if cam.view == "PA" else -0.6
    back = -patient.half_depth + patient.kyphosis - 1.2
    for sign in (-1, 1):
        blade = Ellipsoid((sign * (0.78 * patient.half_width + out), back, 4.5), (3.6, 0.55, 7.0), sign * 0.22)
        head = Ellipsoid((sign * (patient.half_width + 2.6), -2.0, 10.0), (2.2, 2.2, 2.3))
        for bone, density in ((blade, 3 * SPONGY), (head, 1.5 * SPONGY)):
            part, (lo, hi) = chord(cam, bone)
            total[part] += np.float32(density * patient.bone) * (hi - lo)


def add_cloud(cam: Camera, cloud: Cloud, spaces: list[Space], total: np.ndarray) -> None:
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
            bays = texture(local, lumps, rng) + np.float32(0.6) * texture(local, 0.4 * lumps, rng)
            inward = inward + np.float32(0.4 * cloud.ragged) * (bays - 0.6)
        shape = shape * np.clip(inward * np.float32(1 / max(cloud.edge, 0.05)), 0, 1)
    if cloud.patchy or cloud.net:
        coarse, grain, fine = (texture(local, size * cloud.grain, rng) for size in (2.2, 1.0, 0.5))
        patches = 1 + np.float32(cloud.patchy) * np.float32(0.6) * (coarse + grain + fine)
        if cloud.net:  # where noise changes its sign there are closed lines around meshes
            lines = np.exp(grain * grain * np.float32(-8)) + np.exp(fine * fine * np.float32(-8))
            patches = patches + np.float32(cloud.net) * (np.float32(1.5) * lines - 1)
        shape = shape * np.clip(patches, 0, 2.5)
    total[part] += np.float32((SOFT - LUNG) * cloud.density) * shape


def texture(cam: Camera, grain: float, rng: np.random.Generator) -> np.ndarray:
    """Return smooth noise (mean 0, standard deviation near 1) with patches of ``grain`` cm."""
    height, width = cam.shape
    pixel = abs(float(cam.v[0, 0] - cam.v[-1, 0])) / max(height - 1, 1) or 1.0
    rows, columns = max(2, int(height * pixel / grain) + 2), max(2, int(width * pixel / grain) + 2)
    return enlarge(1.2 * rng.standard_normal((rows, columns), dtype=np.float32), (height, width))


def add_texture(cam: Camera, spaces: list[Space], total: np.ndarray, seed) -> None:
    """Mottle the lungs a little: small vessels and septa that are not drawn one by one."""
    air = spaces[RIGHT].air + spaces[LEFT].air
    rng = np.random.default_rng([*seed, 8])
    grain = texture(cam, 0.45, rng) + 0.8 * texture(cam, 1.3, rng)
    total += np.float32(0.0038) * air * grain


def vessel_tree(cam: Camera, patient: Patient, change: Change) -> list[Points]:
    """Return the mass points of the vessels of both lungs."""
    sharp = cam.shape[0] / 320
    points = []
    tree = anatomy.vessels(patient)
    radius = tree.radius * np.float32(change.calibre)
    if change.upper_calibre != 1:
        radius = radius * np.where(tree.start[:, 2] > 1.5, np.float32(change.upper_calibre), np.float32(1))
    for part, along, wide in (
        (slice(None, tree.stems), max(4, round(11 * sharp)), max(3, round(6 * sharp))),
        (slice(tree.stems, None), max(3, round(7 * sharp)), max(1, round(2 * sharp))),
    ):
        points.append(tubes(cam, tree.start[part], tree.end[part], radius[part], np.float32(SOFT - LUNG), along, wide))
    return points


def small_parts(cam: Camera, patient: Patient, pose: Pose, change: Change) -> list[Points]:
    """Return the mass points of what is thin: bones, airways, lines of findings, devices."""
    sharp = cam.shape[0] / 320
    steps, ring = max(2, round(6 * sharp)), max(7, round(13 * sharp))
    points = []
    for rods, between, around in (
        (anatomy.long_bones(patient), steps, ring),
        (anatomy.back_bones(patient), max(1, steps // 2), max(8, ring // 2)),
    ):
        points.append(shells(cam, rods.centre, rods.tall, rods.flat, rods.mass, between, around))
    along, across = round(110 * sharp), max(6, round(22 * sharp))
    points.append(tubes(cam, *AIRWAYS, np.float32(-0.7 * SOFT), along, across))
    for start, end, radius, density in [*change.lines, *devices(patient, pose)]:
        along, across = max(4, round(14 * sharp)), max(1, round(24 * float(np.max(radius)) * sharp))
        points.append(tubes(cam, start, end, radius, density, along, across))
    return points
