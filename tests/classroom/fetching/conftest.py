"""Folders of its own for each test of fetching, and a server that makes mistakes."""

from types import SimpleNamespace

import numpy as np
import pooch
import pytest

from classroom.fetching import download
from medlessons.data import image_table
from tests.classroom.fetching.faulty_server import FaultyServer


@pytest.fixture(autouse=True)
def folders(own_folders, monkeypatch):
    """Data are fetched into folders of the test's own; few images will do."""
    monkeypatch.setattr(image_table, "MINIMUM_PATIENTS", 1)


@pytest.fixture
def server(monkeypatch):
    """A server that makes the mistakes of its ``plan``, and a client that does not wait long."""
    monkeypatch.setattr(pooch.core, "time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    server = FaultyServer(np.random.default_rng(0))
    yield server
    server.close()
