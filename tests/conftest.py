"""What several tests need: a tiny lesson and what came of executing it; folders for data, and small data."""

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from classroom import notebooks
from simclinic import blood


@pytest.fixture
def folder(tmp_path):
    return tiny_lesson(tmp_path)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Return the run of a tiny lesson; the tests that read it share it."""
    return notebooks.execute(notebooks.find(folder=tiny_lesson(tmp_path_factory.mktemp("tiny")))[0])


def tiny_lesson(folder):
    cells = [
        new_markdown_cell("# A tiny lesson\n\nIt has $x^2$ in it."),
        new_code_cell("import sys\nprint('hello')\nprint(f'seen {50}', file=sys.stderr)"),
        new_code_cell("print('accuracy 0.83')", metadata={"tags": ["report"]}),
    ]
    nbformat.write(new_notebook(cells=cells), folder / "01_tiny.ipynb")
    return folder


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    """Folders for data, and nothing chosen in the environment."""
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
