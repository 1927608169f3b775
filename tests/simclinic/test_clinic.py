"""The clinic's tables lead back to their patients, have the prevalence that is asked for, and labels that err."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simclinic
from simclinic import clinic, thorax

SIZE = 64
PROBES = Path(__file__).with_name("probes.npz")


def drawn(visits, rng, *arguments, **options):
    """Return visits with findings, and which of FINDINGS each image has, as DataFrames."""
    table = pd.DataFrame(clinic.draw_findings(visits, rng, *arguments, **options))
    return table, pd.DataFrame(clinic.true_labels(table["findings"]), columns=list(thorax.FINDINGS))


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(5)
    patients = clinic.draw_patients(range(100, 300), rng, hospitals=(1, 2, 3))
    visits = clinic.draw_visits(patients, rng.integers(1, 4, 200))
    visits = clinic.draw_findings(visits, rng, dict.fromkeys(thorax.FINDINGS, 0.12))
    fixed = clinic.fix_prevalence(visits, dict.fromkeys(thorax.FINDINGS, 0.13), rng)
    return pd.DataFrame(clinic.name_images(fixed))


def test_a_person_keeps_body_and_hospital_from_visit_to_visit(table):
    for column in ("age", "sex", "seed", "hospital", "source"):
        assert table.groupby("patient")[column].nunique().max() == 1
    assert table["path"].is_unique and set(table.groupby("patient").size()) == {1, 2, 3}
    assert (table.groupby("patient")["visit"].max() + 1 == table.groupby("patient").size()).all()


def test_every_row_of_a_csv_file_leads_back_to_image_and_masks(table):
    read = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    ill = int(np.flatnonzero(clinic.true_labels(table["findings"], ["Mass"]))[0])
    known = clinic.truth(read.loc[ill], SIZE)
    assert known.image.tobytes() == clinic.truth(table.loc[ill], SIZE, masks=False).image.tobytes()
    assert {finding.name for finding in known.findings} == set(known.masks)
    assert known.masks["Mass"].any() and known.lungs.any() and known.heart.any()
    assert (known.patient.id, round(known.patient.age)) == (table.at[ill, "patient"], table.at[ill, "age"])
    assert known.style.name == table.at[ill, "source"]


def test_findings_last_and_change():
    rng = np.random.default_rng(0)
    patients = clinic.draw_patients(range(400), rng, hospitals=(1,))
    table, true = drawn(clinic.draw_visits(patients, [2] * 400), rng, {"Mass": 0.3, "Effusion": 0.3})
    true = true[["Mass", "Effusion"]]
    first, second = (true[(table["visit"] == visit).to_numpy()].to_numpy() for visit in (0, 1))
    assert second.mean() == pytest.approx(0.3, abs=0.06), "a later visit is as ill as the first"
    assert second[first == 1].mean() > 0.6 > 0.3 > second[first == 0].mean()
    masses = [[f.severity for f in clinic.from_json(text) if f.name == "Mass"] for text in table["findings"]]
    both = [(a[0], b[0]) for a, b in zip(masses[::2], masses[1::2], strict=True) if a and b]
    assert np.mean([a != b for a, b in both]) > 0.9


def test_healthy_patients_stay_healthy():
    rng = np.random.default_rng(0)
    visits = clinic.draw_visits(clinic.draw_patients(range(300), rng, hospitals=(1,)), [3] * 300)
    table, true = drawn(visits, rng, {"Mass": 0.9}, healthy=0.5)
    assert true["Mass"].groupby(table["patient"]).max().mean() == pytest.approx(0.5, abs=0.07)


def test_prevalence_is_met_to_the_image(table):
    assert (clinic.true_labels(table["findings"]).sum(axis=0) == round(0.13 * len(table))).all()


def test_mined_labels_err_in_both_directions_alike():
    rng = np.random.default_rng(2)
    true = (rng.random((20_000, 3)) < (0.5, 0.1, 0.01)).astype(np.uint8)
    mined = clinic.mined_labels(true, rng, 0.1)
    missed = ((true == 1) & (mined == 0)).sum(axis=0) / true.sum(axis=0)
    assert missed == pytest.approx(0.1, abs=0.06) and missed[0] == pytest.approx(0.1, abs=0.01)
    assert mined.mean(axis=0) == pytest.approx(true.mean(axis=0), abs=0.006)
    assert (clinic.mined_labels(true, rng, 0.0) == true).all()


def test_children_and_hospitals_come_as_asked():
    rng = np.random.default_rng(1)
    children = pd.DataFrame(clinic.draw_patients(range(50), rng, hospitals=(7,), ages=(1, 5)))
    assert children["age"].between(1, 5).all() and set(children["source"]) == {"hospital 07"}
    assert clinic.style_of(7) == clinic.style_of(7) != clinic.style_of(8)


def test_training_cases_follow_from_seed_epoch_and_number_alone():
    one, again = (clinic.draw_training_case(1, 2, 3) for _ in range(2))
    assert one == again
    others = [clinic.draw_training_case(*where) for where in ((0, 2, 3), (1, 0, 3), (1, 2, 0))]
    assert len({one["patient"].seed, *(case["patient"].seed for case in others)}) == 4
    assert thorax.radiograph(**one, size=SIZE).image.shape == (SIZE, SIZE)


def test_training_cases_have_the_shares_that_are_asked_for():
    cases = [clinic.draw_training_case(0, 0, number, views={"PA": 0.3, "L": 0.7}) for number in range(1500)]
    assert np.mean([case["view"] == "L" for case in cases]) == pytest.approx(0.7, abs=0.05)
    assert np.mean([case["patient"].age < 16 for case in cases]) == pytest.approx(clinic.TRAINING_CHILDREN, abs=0.03)
    often = np.mean([clinic.labels(case["findings"]) for case in cases], axis=0)
    assert often.min() > 0.03, "also the rare ones"


def test_the_version_is_raised_when_the_images_change():
    with np.load(PROBES) as stored:
        version, before = int(stored["version"]), stored["images"]
    assert version == simclinic.VERSION and np.array_equal(clinic.probes()[:, ::3, ::3], before), (
        f"The simulator draws other images than version {version} did. If you meant that, raise simclinic.VERSION, so "
        f"that sets that are there already are made again, and store the new images: `python {Path(__file__).name}`."
    )


DRAW = """
import hashlib
from simclinic import clinic, thorax
for number in range(40):
    image = thorax.radiograph(**clinic.draw_training_case(0, 0, number), size=128).image
    print(hashlib.md5(image.tobytes()).hexdigest())
"""
OLDER = {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL"}


def test_every_processor_draws_the_same_images():
    drawn = [
        subprocess.run([sys.executable, "-c", DRAW], env=os.environ | older, capture_output=True, check=True).stdout
        for older in ({}, OLDER)
    ]
    assert drawn[0] == drawn[1] and len(drawn[0].split()) == 40


if __name__ == "__main__":
    np.savez_compressed(PROBES, version=simclinic.VERSION, images=clinic.probes()[:, ::3, ::3])
