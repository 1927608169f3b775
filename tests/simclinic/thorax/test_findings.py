"""Findings come as often, and together, as asked; mined labels err at the rate asked."""

import numpy as np
import pytest

from medlessons.errors import LessonError
from simclinic.thorax import COOCCURRENCE, FINDINGS, PREVALENCE, Finding, draw_findings, mined_labels


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


def test_published_prevalence_and_cooccurrence_fit_together():
    rng = np.random.default_rng(2)
    found = [{finding.name for finding in draw_findings(rng)} for _ in range(6000)]
    drawn = np.array([[name in names for name in FINDINGS] for names in found])
    assert drawn.mean(0) == pytest.approx([PREVALENCE[name] for name in FINDINGS], abs=0.02)
    for (first, second), r in COOCCURRENCE.items():
        a, b = drawn[:, FINDINGS.index(first)], drawn[:, FINDINGS.index(second)]
        if r >= 0.3 and min(a.sum(), b.sum()) > 60:
            assert (a & b).mean() > 1.2 * a.mean() * b.mean(), (first, second)


@pytest.mark.parametrize(
    "mistake",
    [
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
    with pytest.raises(LessonError, match=r"must|choose"):
        mistake()
