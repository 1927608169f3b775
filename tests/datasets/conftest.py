"""Folders of its own for each test of a data set, and images to put into them."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "real"))
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", str(tmp_path / "embedded"))
    monkeypatch.delenv("MEDLESSONS_SOURCE", raising=False)
    monkeypatch.delenv("MEDLESSONS_PROFILE", raising=False)


@pytest.fixture(scope="session")
def write_image():
    def write(path, level=100, size=(40, 50)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full(size, level, np.uint8)).save(path)
        return path

    return write
