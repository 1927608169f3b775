"""Folders of its own for each test of a data set, images to put into them, and a server that makes mistakes."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from classroom.fetching import download
from simclinic import blood
from tests.classroom.fetching.faulty_server import FaultyServer


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "real"))
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", str(tmp_path / "embedded"))
    monkeypatch.delenv("MEDLESSONS_SOURCE", raising=False)
    monkeypatch.delenv("MEDLESSONS_PROFILE", raising=False)


@pytest.fixture
def server(monkeypatch):
    """A server that makes the mistakes of its ``plan``, and a client that does not wait long."""
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    server = FaultyServer(np.random.default_rng(0))
    yield server
    server.close()


@pytest.fixture(scope="session")
def write_image():
    def write(path, level=100, size=(40, 50)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full(size, level, np.uint8)).save(path)
        return path

    return write


@pytest.fixture(scope="session")
def drawn():
    """Simulated blood counts, and what is true of each row."""
    return tuple(map(pd.DataFrame, blood.draw(return_truth=True)))


@pytest.fixture(scope="session")
def sound(drawn):
    """Simulated rows without faults: what an instructor's own file may look like."""
    table, truth = drawn
    table = table[~truth["filled"] & (truth["corrupted"] == "")]
    rare = table["Diagnosis"].value_counts().loc[lambda counts: counts < 5].index
    return table[~table["Diagnosis"].isin(rare)].reset_index(drop=True)
