"""Folders of its own for each test of a data set."""

import pytest

from medlessons.data import image_table


@pytest.fixture(autouse=True)
def folders(own_folders, monkeypatch):
    """Data are read from, and made in, folders of the test's own; few images will do."""
    monkeypatch.setattr(image_table, "MINIMUM_PATIENTS", 1)
