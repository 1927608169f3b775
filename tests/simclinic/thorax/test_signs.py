"""Each sign shows what it claims: where, brighter or darker, more of it when severe, in both views."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label

from simclinic.thorax import FINDINGS, PNEUMONIAS, STYLES, VIEWS, Finding, anatomy, draw_patient, radiograph
from simclinic.thorax.imaging import camera, coarse_size
from simclinic.thorax.pose import draw_pose
from simclinic.thorax.shadow import attenuation, heart_interval
from simclinic.thorax.signs import changes, fallen_ill

SIZE = 96
SEEDS = range(3)


def shadow(patient, view, findings=(), **position):
    """Return the attenuation in one and the same position, whatever the findings."""
    pose = replace(draw_pose(patient, view, 0), devices=(), **position)
    coarse, fine = (camera(patient, view, pose, STYLES["A"], size) for size in (coarse_size(SIZE), SIZE))
    return attenuation(coarse, fine, patient, pose, changes(patient, findings, pose, view), (1,))


def change(seed, finding, view="PA", **position):
    """Return how much a finding adds to a patient's attenuation, (SIZE, SIZE)."""
    patient = draw_patient(seed, age=50)
    return shadow(patient, view, [finding], **position) - shadow(patient, view, **position)


def seen(seed, finding, view="PA"):
    return radiograph(draw_patient(seed, age=50), view, SIZE, findings=[finding], masks=True)


def place(weights):
    """Return the mean row and column of what is positive in an image."""
    weights = np.maximum(weights, 0)
    rows, columns = np.indices(weights.shape)
    return (rows * weights).sum() / weights.sum(), (columns * weights).sum() / weights.sum()


def extent(mask, axis):
    found = np.flatnonzero(mask.any(axis))
    return found[0], found[-1]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", FINDINGS + PNEUMONIAS)
def test_severe_is_more_than_mild_in_every_view(name, view):
    mild, severe = (
        np.mean([np.abs(change(seed, Finding(name, s, "right", seed), view)).mean() for seed in SEEDS])
        for s in (0.1, 0.95)
    )
    assert severe > 1.3 * mild > 0


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", FINDINGS + PNEUMONIAS)
def test_a_mask_is_what_the_finding_changes_and_not_the_whole_film(name, view):
    areas = []
    for seed in SEEDS:
        image = seen(seed, Finding(name, 0.9, seed=seed), view)
        areas.append(image.masks[name].mean())
    assert np.median(areas) > 0.003
    assert max(areas) < 0.6


@pytest.mark.parametrize("name", [name for name in FINDINGS + PNEUMONIAS if name not in ("Emphysema", "Pneumothorax")])
def test_opacities_are_bright_and_trapped_air_is_dark(name):
    total = sum(change(seed, Finding(name, 0.8, seed=seed)).sum() for seed in SEEDS)
    dark = sum(change(seed, Finding("Emphysema", 0.8, seed=seed)).sum() for seed in SEEDS)
    assert total > 0 > dark


@pytest.mark.parametrize("name", ["Effusion", "Pneumothorax", "Pneumonia", "Consolidation", "Mass", "Nodule"])
def test_side_is_where_it_is_asked(name):
    for side, sign in (("right", -1), ("left", 1)):  # the patient's right is at the image's left
        for seed in SEEDS:
            image = seen(seed, Finding(name, 0.7, side, seed))
            middle = np.mean(extent(image.lungs, 0))
            column = np.nonzero(image.masks[name])[1].mean()
            assert sign * (column - middle) > 0.03 * SIZE, (side, seed)


def test_cardiomegaly_is_a_heart_of_more_than_half_the_chest_in_both_views():
    for seed in SEEDS:
        large, healthy = (seen(seed, Finding("Cardiomegaly", s)) for s in (0.6, 0.0))
        (left, right), (start, end) = extent(large.heart, 0), extent(large.lungs, 0)
        assert (right - left) / (end - start) > 0.5
        assert large.heart.sum() > healthy.heart.sum()
        lateral, normal = (
            np.ptp(extent(radiograph(draw_patient(seed, age=50), "L", SIZE, findings=f, masks=True).heart, 0))
            for f in ([Finding("Cardiomegaly", 0.9)], [])
        )
        assert lateral > normal


def upright(seed, severity, view="PA"):
    """Return the change by an effusion that is neither hidden under the lung nor behind it."""
    return change(seed, Finding("Effusion", severity, "right", 1), view, inspiration=0.95)


def test_an_effusion_fills_the_angle_first_and_then_rises_along_the_wall():
    for seed in SEEDS:
        small, large = upright(seed, 0.15), upright(seed, 0.6)
        lungs = seen(seed, Finding("Nodule", 0.0, "left")).lungs
        middle = int(np.mean(extent(lungs, 0)))
        outer = extent(lungs, 0)[0]
        quarter = (middle - outer) // 2 + outer
        assert place(small)[1] < quarter + 0.02 * SIZE  # outside
        top = {}
        for where, columns in (("wall", slice(outer + 2, outer + 6)), ("middle", slice(quarter, quarter + 4))):
            top[where] = np.flatnonzero((large[:, columns] > 0.3).any(1))[0]
        assert top["wall"] < top["middle"] - 0.02 * SIZE  # the meniscus


def test_an_effusion_fills_the_back_first_on_a_lateral():
    for seed in SEEDS:
        lateral = radiograph(draw_patient(seed, age=50), "L", SIZE, masks=True)
        heart, fluid = np.nonzero(lateral.heart)[1].mean(), place(upright(seed, 0.1, "L"))[1]
        lungs = np.mean(extent(lateral.lungs, 0))
        assert (fluid - lungs) * (heart - lungs) < 0  # the heart lies in front


def test_lying_an_effusion_is_a_veil_behind_the_lung():
    for seed in SEEDS:
        veil = change(seed, Finding("Effusion", 0.6, "right", 1), "AP", inspiration=0.55)
        sharpest = np.abs(np.diff(veil, axis=0)).max()
        sitting = change(seed, Finding("Effusion", 0.6, "right", 1), "AP", inspiration=0.9)
        assert sharpest < 0.6 * np.abs(np.diff(sitting, axis=0)).max()
        assert (veil > 0.1).sum() > 0.02 * veil.size


def test_a_pneumothorax_is_air_at_the_apex_and_a_line():
    for seed in SEEDS:
        air = change(seed, Finding("Pneumothorax", 0.6, "left", 8))
        lungs = seen(seed, Finding("Nodule", 0.0, "right")).lungs
        top, bottom = extent(lungs, 1)
        upper = air[top : top + (bottom - top) // 3]
        assert upper.sum() < 0  # darker
        assert (air > 0.02).any()  # the lung's edge, and denser lung


def test_emphysema_presses_the_domes_down_and_narrows_the_heart():
    for seed in SEEDS:
        ill, mild = (seen(seed, Finding("Emphysema", s)) for s in (1.0, 0.0))
        patient = draw_patient(seed, age=50)
        flat = changes(patient, [Finding("Emphysema", 1.0)], draw_pose(patient, "PA", 0)).flat
        low, healthy = (anatomy.dome(patient, 1, 1.0, flat) for flat in (flat, 0.0))
        assert low.top < healthy.top - 1
        assert low.outer < healthy.outer
        assert np.ptp(extent(ill.heart, 0)) < np.ptp(extent(mild.heart, 0))


def test_a_hernia_lies_low_behind_the_heart():
    for seed in SEEDS:
        frontal, lateral = (seen(seed, Finding("Hernia", 0.8, seed=seed), view) for view in ("PA", "L"))
        y, x = np.nonzero(frontal.masks["Hernia"])
        left, right = extent(frontal.heart, 0)
        assert left < x.mean() < right
        assert y.mean() > np.nonzero(frontal.heart)[0].mean()
        lungs, heart = np.mean(extent(lateral.lungs, 0)), np.nonzero(lateral.heart)[1].mean()
        hernia = np.nonzero(lateral.masks["Hernia"])[1].mean()
        assert abs(hernia - heart) > 0.05 * SIZE
        assert (hernia - heart) * (lungs - heart) > 0


def test_edema_is_on_both_sides_and_around_the_hila():
    for seed in SEEDS:
        added = np.maximum(change(seed, Finding("Edema", 0.7, seed=seed)), 0)
        lungs = seen(seed, Finding("Nodule", 0.0)).lungs
        start, end = extent(lungs, 0)
        middle = (start + end) // 2
        halves = added[:, :middle].sum(), added[:, middle:].sum()
        assert 0.3 < halves[0] / sum(halves) < 0.7
        edge = (end - start) // 6
        outer = added[:, start : start + edge].mean() + added[:, end - edge : end].mean()
        inner = added[:, middle - 2 * edge : middle - edge].mean() + added[:, middle + edge : middle + 2 * edge].mean()
        assert inner > 1.3 * outer


def test_basal_fibrosis_is_low_at_the_wall_and_a_net():
    for seed in SEEDS:
        added = change(seed, Finding("Fibrosis", 0.8, "both", seed))
        lungs = seen(seed, Finding("Nodule", 0.0)).lungs
        row, _ = place(added)
        assert row > np.nonzero(lungs)[0].mean()
        haze = change(seed, Finding("Infiltration", 0.8, "both", seed))
        assert graininess(added) > graininess(haze)


def graininess(image):
    """Return how much of an image is finer than two pixels."""
    blurred = gaussian_filter(image, 1.0)
    return (image - blurred).std() / image.std()


def test_a_nodule_is_smaller_than_a_mass():
    for seed in SEEDS:
        patient = draw_patient(seed, age=50)
        nodule, mass = (
            radiograph(patient, "PA", SIZE, findings=[Finding(name, 1.0, "left", 100 + seed)], masks=True).masks[name]
            for name in ("Nodule", "Mass")
        )
        assert mass.sum() > 1.5 * nodule.sum() / max(1, count_spots(nodule)) > 0


def count_spots(mask):
    return label(mask)[1]


def test_thick_pleura_lies_at_the_wall_or_the_apex():
    for seed in range(12):
        image = seen(seed, Finding("Pleural_Thickening", 0.8, seed=seed))
        y, x = np.nonzero(image.masks["Pleural_Thickening"])
        start, end = extent(image.lungs, 0)
        outside = np.abs(x - (start + end) / 2).mean() / ((end - start) / 2)
        assert outside > 0.5 or y.mean() < np.percentile(np.nonzero(image.lungs)[0], 30), seed


def test_atelectasis_raises_the_dome_of_its_side():
    raised = []
    for seed in range(10):
        patient, finding = draw_patient(seed, age=50), Finding("Atelectasis", 1.0, "left", seed)
        pose = draw_pose(patient, "PA", 0)
        lift = changes(patient, [finding], pose).lift
        raised.append(lift)
    assert np.min(raised, axis=0)[1] > 0.2
    assert np.max(raised, axis=0)[0] == 0


def test_covid_is_peripheral_low_and_on_both_sides():
    out, low, sides = [], [], []
    for seed in range(8):
        image = seen(seed, Finding("COVID-19", 0.7, seed=seed))
        y, x = np.nonzero(image.masks["COVID-19"])
        ly, lx = np.nonzero(image.lungs)
        out.append(np.abs(x - lx.mean()).mean() / np.abs(lx - lx.mean()).mean())
        low.append(y.mean() > ly.mean())
        sides.append((x < lx.mean()).any() and (x > lx.mean()).any())
    assert np.mean(out) > 1.1
    assert np.mean(low) > 0.6
    assert all(sides)


def test_a_virus_spreads_from_both_hila_and_bacteria_fill_one_place():
    for seed in SEEDS:
        child = draw_patient(seed, age=4)
        virus, bacteria = (
            shadow(child, "PA", [Finding(name, 0.8, "right", seed)]) - shadow(child, "PA")
            for name in ("Viral", "Bacterial")
        )
        lungs = radiograph(child, "PA", SIZE, masks=True).lungs
        middle = int(np.mean(extent(lungs, 0)))
        spread, lobar = (np.maximum(a, 0)[:, middle:].sum() / np.maximum(a, 0).sum() for a in (virus, bacteria))
        assert 0.3 < spread < 0.7
        assert lobar < 0.2
        assert bacteria.max() > 1.3 * np.percentile(virus, 99)


def test_treatment_is_seen_but_is_no_part_of_the_mask():
    finding = next(
        f
        for f in (Finding("Pneumothorax", 0.3, "left", seed) for seed in range(99))
        if "drain left" in fallen_ill(draw_pose(draw_patient(3), "PA", 0), [f], "PA").devices
    )
    with_drain = seen(3, finding)
    assert with_drain.masks["Pneumothorax"].mean() < 0.3
    side = with_drain.masks["Pneumothorax"][:, : SIZE // 3]
    assert not side.any()


def test_the_ill_breathe_less_and_carry_more_lines():
    patients = [draw_patient(seed) for seed in range(60)]
    poses = [draw_pose(patient, "AP", 0) for patient in patients]
    ill = [fallen_ill(pose, [Finding("Edema", 0.8, seed=k)], "AP") for k, pose in enumerate(poses)]
    assert np.mean([pose.inspiration for pose in ill]) < np.mean([pose.inspiration for pose in poses]) - 0.02
    assert np.mean([len(pose.devices) for pose in ill]) > np.mean([len(pose.devices) for pose in poses]) + 0.4
    assert fallen_ill(poses[0], [], "AP") == poses[0]


def test_a_large_effusion_pushes_the_heart_away_and_hides_the_vessels():
    patient = draw_patient(1, age=50)
    pose = draw_pose(patient, "PA", 0)
    coarse = camera(patient, "PA", pose, STYLES["A"], SIZE)
    whole = changes(patient, [Finding("Effusion", 1.0, "right", 1)], replace(pose, inspiration=0.95))
    near, far = heart_interval(coarse, patient, pose, whole)
    start, end = heart_interval(coarse, patient, pose, changes(patient, [], pose))
    assert extent(far > near, 0)[0] > extent(end > start, 0)[0]  # to the image's right: the patient's left
    white = shadow(patient, "PA", [Finding("Effusion", 1.0, "right", 1)], inspiration=0.95)
    lungs = radiograph(patient, "PA", SIZE, masks=True).lungs
    rows = slice(*(round(np.percentile(np.nonzero(lungs)[0], share)) for share in (45, 60)))
    columns = slice(extent(lungs, 0)[0] + SIZE // 12, extent(lungs, 0)[0] + SIZE // 5)
    clear = shadow(patient, "PA")
    assert graininess(white[rows, columns]) * white[rows, columns].std() < clear[rows, columns].std()


def test_who_has_but_a_scar_comes_on_foot():
    poses = [draw_pose(draw_patient(seed), "AP", 0) for seed in range(60)]
    scarred = [fallen_ill(pose, [Finding("Fibrosis", 0.8, seed=k)], "AP") for k, pose in enumerate(poses)]
    assert np.mean([pose.inspiration for pose in scarred]) > np.mean([pose.inspiration for pose in poses]) + 0.04
    assert np.mean([len(pose.devices) for pose in scarred]) < 0.6 * np.mean([len(pose.devices) for pose in poses])
