"""Embedded sets are drawn once, each image once, and anew when the images would be others."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import simclinic
from medlessons.data import covid, findings, orientation, simulated
from simclinic import clinic


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    rows = clinic.draw_visits(clinic.draw_patients(range(4), rng, (1, 2)), [2] * 4)
    table = pd.DataFrame(clinic.name_images(rows)).assign(findings="[]", label="frontal")
    return {"train": table[:6], "valid": table[4:]}


def test_tables_share_images_and_are_drawn_once(tables, tmp_path):
    calls = []
    for _ in range(2):
        folder = simulated.made(tmp_path / "set", "recipe", lambda: calls.append(1) or tables, 32)
    assert len(calls) == 1
    assert len(list(folder.rglob("*.png"))) == 8 and Image.open(next(folder.rglob("*.png"))).size == (32, 32)
    read = simulated.read(folder, "valid", ("label",))
    assert read["patient"].tolist() == tables["valid"]["patient"].tolist()
    assert read.attrs["name"] == "simulated data"


def test_another_simulator_size_or_constant_is_another_recipe(monkeypatch):
    recipes = [simulated.recipe("toy", 32, range(3)), simulated.recipe("toy", 64, range(3))]
    recipes.append(simulated.recipe("toy", 32, range(4)))
    assert recipes[0] == simulated.recipe("toy", 32, range(3))
    monkeypatch.setattr(simclinic, "VERSION", simclinic.VERSION + 1)
    recipes.append(simulated.recipe("toy", 32, range(3)))
    assert len(set(recipes)) == 4 and all("\n" not in recipe for recipe in recipes)


def test_the_version_is_raised_when_other_patients_come():
    """The images themselves are compared in tests/simclinic/test_clinic.py."""
    tables = [
        *(orientation._draw_table(part) for part in orientation.SEEDS),
        *findings._draw_tables().values(),
        *(covid._draw_table(part) for part in covid.PARTS),
    ]
    text = "".join(table.drop(columns="findings").to_csv(index=False, lineterminator="\n") for table in tables)
    assert (simclinic.VERSION, hashlib.sha256(text.encode()).hexdigest()[:16]) == (2, "c9a61fcb02bc6687"), (
        "The tables of the embedded sets have changed. If you meant that, raise simclinic.VERSION, so that sets that "
        "are there already are made again, and write the new version and digest here."
    )
