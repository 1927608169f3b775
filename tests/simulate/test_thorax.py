"""The simulated chest keeps its promises: one body, the right signs in the right place, the same every time."""

from dataclasses import replace

import numpy as np
import pytest

from medlessons.errors import LessonError
from medlessons.simulate.thorax import (
    FINDINGS,
    PNEUMONIAS,
    STYLES,
    VIEWS,
    Finding,
    draw_findings,
    draw_patient,
    mined_labels,
    radiograph,
)

SIZE = 128
PLAIN = replace(STYLES["A"], marker="", scatter=0.0, sharpness=0.0, exposure=1e6)  # no noise, no scatter


def apart(first, second):
    return np.abs(first.image.astype(float) - second.image.astype(float)).mean()


# findings


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", FINDINGS + PNEUMONIAS)
def test_a_finding_changes_its_mask_and_nothing_else(name, view):
    patient = draw_patient(21)
    healthy = radiograph(patient, view, SIZE, style=PLAIN)
    ill = radiograph(patient, view, SIZE, style=PLAIN, findings=[Finding(name, 0.9, seed=4)], masks=True)
    change = np.abs(ill.image.astype(int) - healthy.image.astype(int))
    mask = ill.masks[name]
    assert 10 < mask.sum() < 0.6 * mask.size
    assert change[mask].mean() > 2
    assert change[~mask].max() <= 12  # faint rims of soft lesions
    assert change[~mask].mean() < 0.5


@pytest.mark.parametrize("name", FINDINGS + PNEUMONIAS)
def test_severe_is_more_than_mild(name):
    patient = draw_patient(33)
    healthy = radiograph(patient, "PA", SIZE, style=PLAIN)
    mild, severe = (
        radiograph(patient, "PA", SIZE, style=PLAIN, findings=[Finding(name, s, side="right", seed=2)])
        for s in (0.1, 0.95)
    )
    assert apart(severe, healthy) > apart(mild, healthy) > 0


@pytest.mark.parametrize(("name", "sign"), [("Effusion", 1), ("Consolidation", 1), ("Mass", 1), ("Emphysema", -1)])
def test_fluid_is_bright_and_trapped_air_is_dark(name, sign):
    patient = draw_patient(9)
    healthy = radiograph(patient, "PA", SIZE, style=PLAIN)
    ill = radiograph(patient, "PA", SIZE, style=PLAIN, findings=[Finding(name, 0.8, seed=1)], masks=True)
    mask = ill.masks[name]
    assert sign * (ill.image[mask].astype(float).mean() - healthy.image[mask].mean()) > 5


@pytest.mark.parametrize("name", ["Effusion", "Pneumothorax", "Pneumonia", "Consolidation", "Mass"])
def test_side_is_where_it_is_asked(name):
    for side, sign in (("right", -1), ("left", 1)):  # the patient's right is at the image's left
        seen = radiograph(draw_patient(2), "PA", SIZE, findings=[Finding(name, 0.7, side=side, seed=3)], masks=True)
        middle = np.nonzero(seen.lungs)[1].mean()
        assert sign * (np.nonzero(seen.masks[name])[1].mean() - middle) > 0.05 * SIZE


def test_covid_is_peripheral_low_and_on_both_sides():
    out, low, sides = [], [], []
    for seed in range(8):
        case = [Finding("COVID-19", 0.7, seed=seed)]
        seen = radiograph(draw_patient(seed), "PA", SIZE, findings=case, masks=True)
        y, x = np.nonzero(seen.masks["COVID-19"])
        ly, lx = np.nonzero(seen.lungs)
        out.append(np.abs(x - lx.mean()).mean() / np.abs(lx - lx.mean()).mean())
        low.append(y.mean() > ly.mean())
        sides.append((x < lx.mean()).any() and (x > lx.mean()).any())
    assert np.mean(out) > 1.1
    assert np.mean(low) > 0.6
    assert all(sides)


def test_findings_come_as_often_as_asked():
    rng = np.random.default_rng(0)
    wanted = {"Effusion": 0.3, "Edema": 0.1, "Nodule": 0.05, "Hernia": 0.01}
    drawn = [{f.name for f in draw_findings(rng, wanted)} for _ in range(8000)]
    for name, p in wanted.items():
        assert np.mean([name in d for d in drawn]) == pytest.approx(p, abs=4 * np.sqrt(p / 8000))


def test_findings_come_together_as_asked():
    rng = np.random.default_rng(1)
    wanted = {"Effusion": 0.2, "Edema": 0.2}

    def both(cooccurrence):
        drawn = [draw_findings(rng, wanted, cooccurrence) for _ in range(5000)]
        return np.mean([len(d) == 2 for d in drawn])

    assert both({}) == pytest.approx(0.04, abs=0.012)
    assert both({("Effusion", "Edema"): 0.8}) > 0.1
    assert both({("Effusion", "Edema"): -0.8}) < 0.01


def test_mined_labels_err_at_the_rate_asked_and_leave_the_truth():
    truth = (np.random.default_rng(0).random((4000, 14)) < 0.1).astype(int)
    kept = truth.copy()
    mined = mined_labels(truth, np.random.default_rng(1), 0.1)
    assert np.mean(mined != truth) == pytest.approx(0.1, abs=0.01)
    mined = mined_labels(truth, np.random.default_rng(1), (0.3, 0.02))
    assert np.mean(mined[truth == 1] == 0) == pytest.approx(0.3, abs=0.03)
    assert np.mean(mined[truth == 0] == 1) == pytest.approx(0.02, abs=0.005)
    assert (truth == kept).all()
    assert (mined_labels(truth, np.random.default_rng(2), 0) == truth).all()


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: radiograph(draw_patient(1), "oblique"),
        lambda: radiograph(draw_patient(1), size=8),
        lambda: radiograph(draw_patient(1), visit=-1),
        lambda: radiograph(draw_patient(1), style="Z"),
        lambda: radiograph(draw_patient(1), faults=["upside-down"]),
        lambda: radiograph(draw_patient(1), faults="rotated"),
        lambda: Finding("Cough"),
        lambda: Finding("Mass", 1.5),
        lambda: Finding("Mass", side="top"),
        lambda: draw_findings(np.random.default_rng(0), {"Mass": 1.4}),
        lambda: draw_findings(np.random.default_rng(0), {"Cough": 0.4}),
        lambda: mined_labels(np.array([0, 1]), np.random.default_rng(0), 2),
        lambda: mined_labels(np.array([0, 3]), np.random.default_rng(0)),
    ],
)
def test_mistakes_are_explained(mistake):
    with pytest.raises(LessonError, match=r"must|choose|give|numbered"):
        mistake()
