"""Embedded sets are drawn once, each image once, and anew when the images would be others."""

import numpy as np
import pytest
from PIL import Image

from medlessons.data import simulated
from simclinic import clinic


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    table = clinic.draw_visits(clinic.draw_patients(range(4), rng, (1, 2)), [2] * 4)
    table = clinic.name_images(table.assign(findings="[]", label="frontal"))
    return {"train": table[:6], "valid": table[4:]}


def test_tables_share_images(tables, tmp_path):
    folder = simulated.made(tmp_path / "set", tables, 32)
    assert len(list(folder.rglob("*.png"))) == 8 and Image.open(next(folder.rglob("*.png"))).size == (32, 32)
    read = simulated.read(folder, "valid", ("label",))
    assert read["patient"].tolist() == tables["valid"]["patient"].tolist()
    assert read.attrs["name"] == "simulated data"


def test_another_simulator_style_or_table_is_another_recipe(tables, monkeypatch):
    recipe = simulated.recipe(tables)
    assert recipe == simulated.recipe(tables)
    assert recipe != simulated.recipe({"train": tables["train"]})
    assert recipe != simulated.recipe(tables | {"train": tables["train"].assign(age=70)})
    with monkeypatch.context() as patch:
        patch.setattr(clinic, "probes", lambda: b"other images")
        assert recipe != simulated.recipe(tables)
    monkeypatch.setattr(clinic, "style_of", lambda hospital: f"style {hospital}")
    assert recipe != simulated.recipe(tables)
