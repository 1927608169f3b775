"""Folders of its own for each test of a data set."""

import pytest


@pytest.fixture(autouse=True)
def folders(own_folders):
    """Data are read from, and made in, folders of the test's own."""
