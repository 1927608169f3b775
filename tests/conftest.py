"""What several tests need: a tiny lesson and what came of executing it; folders for data, and small data."""

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from classroom import notebooks
from medlessons import files
from medlessons.data import anemia, blood_file
from simclinic import blood
from simclinic.thorax import FINDINGS


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


@pytest.fixture
def nih_subset(tmp_path, write_image):
    """A subset of 60 images of 30 patients, as the NIH publishes them."""
    folder = tmp_path / "real" / "chestxray8"
    names = [f"{patient:08d}_{visit:03d}.png" for patient in range(30) for visit in range(2)]
    for name in names:
        write_image(folder / "images" / name, size=(32, 32))
    rows = pd.DataFrame({"Image": names, "PatientId": np.repeat(range(30), 2)})
    labels = np.random.default_rng(0).random((60, 14)) < 0.2
    rows.join(pd.DataFrame(labels.astype(int), columns=sorted(FINDINGS))).to_csv(folder / "labels.csv", index=False)
    return folder


@pytest.fixture
def chest_collection(tmp_path, write_image):
    """A small published collection."""
    folder = tmp_path / "real" / "covid-chestxray-dataset"
    views = {"a.png": "PA", "b.jpg": "L", "c.png": "AP Supine", "d.png": "AP", "e.png": "Axial", "f.png": "?"}
    for name in views:
        write_image(folder / "images" / name)
    rows = pd.DataFrame({"patientid": list("112344"), "view": views.values(), "filename": views.keys()})
    rows.assign(folder="images", age=50, sex="F").to_csv(folder / "metadata.csv", index=False)
    return folder


@pytest.fixture
def adults(tmp_path, write_image):
    folder = tmp_path / "real" / "covid-chestxray-dataset"
    rows = [
        ("1", "PA", "COVID-19"),
        ("2", "AP Supine", "Pneumonia/Viral/COVID-19"),
        ("2", "L", "COVID-19, ARDS"),
        ("2", "Axial", "COVID-19"),
        ("3", "PA", "SARS"),
        ("4", "PA", "No Finding"),
        ("5", "PA", "todo"),
        ("1", "PA", "Streptococcus"),
    ]
    table = pd.DataFrame(rows, columns=["patientid", "view", "finding"])
    table["filename"] = [f"{number}.png" for number in table.index]
    for name in table["filename"]:
        write_image(folder / "images" / name)
    table.assign(folder="images", age=50, sex="F").to_csv(folder / "metadata.csv", index=False)
    return folder


@pytest.fixture
def children(tmp_path, write_image):
    folder = tmp_path / "real" / "chest_xray"
    for name in ("NORMAL/IM-0001-0001.jpeg", "NORMAL/IM-0002-0001.jpeg", "PNEUMONIA/person1_virus_6.jpeg"):
        write_image(folder / "train" / name)
    return folder


@pytest.fixture(scope="session")
def embedded_csv():
    return anemia.embedded_csv()


@pytest.fixture
def published(monkeypatch, drawn, embedded_csv):
    """A stand-in for the published file, which must not be in the repository: the simulated one under its checksum."""
    monkeypatch.setattr(blood_file, "PUBLISHED_MD5", files.md5(embedded_csv))
    monkeypatch.setattr(blood_file, "PUBLISHED_FIRST_ROW_MD5", blood_file._row_md5(drawn[0].iloc[0]))
    return embedded_csv
