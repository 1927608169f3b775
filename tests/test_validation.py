"""The strict validation of the notebooks, proven both ways: it passes what is the same and fails what is not."""

import os
import subprocess
import sys
import types

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from classroom import notebooks
from conftest import compare_outputs, differences, text_outputs
from medlessons import settings

ROOT = settings.REPOSITORY


@pytest.mark.parametrize(
    ("stored", "came"),
    [
        ("accuracy 0.83", "accuracy 0.83"),
        ("accuracy 0.83", "accuracy 0.84"),
        ("accuracy 0.83", "accuracy 0.82"),
        ("loss  9.99 x", "loss 10.00 x"),
        ("error -0.00", "error 0.00"),
        ("<td>0.5</td>", "<td>0.6</td>"),
        ("12.5 %", "12.6 %"),
        ("1.2e-05", "1.3e-05"),
    ],
)
def test_the_same_or_one_unit_in_the_last_place_passes(stored, came):
    assert differences(stored, came) == []


@pytest.mark.parametrize(
    ("stored", "came", "says"),
    [
        ("accuracy 0.83", "accuracy 0.85", "stored 0.83, came 0.85, difference 0.02"),
        ("18 of 257", "19 of 257", "stored 18, came 19, difference 1"),
        ("1,281 rows", "1,282 rows", "difference 1"),
        ("accuracy 0.83", "accuracy 0.835", "difference 0.005"),
        ("accuracy 0.83", "accuracy 83", "difference"),
        ("accuracy 0.83", "accuracy -0.83", "difference -1.66"),
        ("accuracy 0.83", "recall 0.83", "text differs"),
        ("a 0.83 b", "a 0.83", "text differs"),
        ("0.83 0.12", "0.83", "text differs"),
        ("accuracy 0.83", "accuracy nan", "text differs"),
        ("1e-05", "1e-04", "stored 1e-05"),
        ("keras v3", "keras v4", "text differs"),
        ("version 3.12.1", "version 3.13.1", "text differs"),
        ("a 1\n2", "a 1 2", "text differs"),
        ("accuracy 1.0", "accuracy 0.8", "stored 1.0, came 0.8"),
    ],
)
def test_anything_else_is_shown(stored, came, says):
    assert says in "\n".join(differences(stored, came))


DRAWN = """Figure 4.0 x 3.0, panels: 1
1: x "epoch" 0.5 to 50.5, y "loss" -0.02 to 1.41
   line blue "training": 50, means of parts 1.32 0.94 0.71 0.60 0.52 0.48 0.44 0.41"""


def test_of_a_figure_the_line_that_moved_is_shown():
    assert differences(DRAWN, DRAWN.replace("0.94", "0.95").replace("-0.02", "-0.01")) == []
    (moved,) = differences(DRAWN, DRAWN.replace("0.94", "0.99"))
    assert moved.startswith("stored 0.94, came 0.99, difference 0.05 in: line blue")
    (swapped,) = differences(DRAWN, DRAWN.replace("blue", "orange"))
    assert [line.split()[:2] for line in swapped.splitlines()[1:]] == [["stored:", "line"], ["came:", "line"]]
    assert "epoch" not in swapped
    fewer = differences(DRAWN, DRAWN.rpartition("\n")[0])
    assert fewer[0] == "text differs, 3 lines are stored, 2 came"
    assert fewer[1].startswith("  stored:    line blue") and len(fewer) == 2


CELLS = [
    "import numpy as np\nfrom medlessons import plots\nfrom medlessons.checks.anemia import macro_recall",
    "matrix = np.array([[8, 2], [1, 3]])\nprint(f'{macro_recall(matrix):.2f} of {matrix.sum()} cases')",
    "plots.show(plots.confusion(matrix, ['well', 'ill']))",
]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    notebooks.execute_notebook(notebook, tmp_path_factory.mktemp("lesson"), "tiny lesson")
    return nbformat.writes(notebooks.tidy(notebook))


def validate(text: str, folder, startup: str = "") -> subprocess.CompletedProcess:
    """Validate a notebook as `make test` does; `startup` is run in its kernel beforehand."""
    path = folder / "lesson.ipynb"
    path.write_text(text, encoding="utf-8")
    scripts = folder / "ipython" / "profile_default" / "startup"
    scripts.mkdir(parents=True)
    (scripts / "00.py").write_text(startup)
    environment = os.environ | {"IPYTHONDIR": str(folder / "ipython"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider"]
    command += ["--nbval", "--nbval-current-env", "--rootdir", str(folder), str(path)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_an_untouched_notebook_passes(executed, tmp_path):
    result = validate(executed, tmp_path)
    assert "3 passed" in result.stdout, result.stdout


def test_damaged_numbers_fail_and_are_shown(executed, tmp_path):
    assert "0.78 of 14 cases" in executed
    result = validate(executed.replace("0.78 of 14 cases", "0.76 of 15 cases"), tmp_path)
    assert "1 failed, 2 passed" in result.stdout
    assert "stored 0.76, came 0.78, difference 0.02" in result.stdout
    assert "stored 15, came 14, difference -1" in result.stdout
    written = (tmp_path / "build" / "differences.txt").read_text()
    assert "lesson.ipynb::" in written and "stored 15, came 14, difference -1" in written
    assert "\x1b" not in written


def test_a_damaged_helper_and_a_damaged_figure_fail(executed, tmp_path):
    startup = """
from medlessons import plots
from medlessons.checks import anemia
anemia.macro_recall = lambda matrix: 0.5
right = plots.confusion
plots.confusion = lambda matrix, labels: right(matrix[::-1], labels)
"""
    result = validate(executed, tmp_path, startup)
    assert "2 failed, 1 passed" in result.stdout
    assert "stored 0.78, came 0.50" in result.stdout
    assert "came:   Figure: 3 of 14 cases lie on the diagonal" in result.stdout


def test_a_missing_output_is_shown():
    came = [{"output_type": "stream", "name": "stdout", "text": "accuracy 0.83"}]
    assert text_outputs(came) == [("stdout", "accuracy 0.83")]
    cell = types.SimpleNamespace()
    assert not compare_outputs(cell, came, [])
    assert "accuracy 0.83" in "\n".join(cell.comparison_traceback)


def test_stderr_and_pictures_are_left_out():
    outputs = [
        {"output_type": "stream", "name": "stderr", "text": "50%"},
        {"output_type": "display_data", "data": {"image/png": "abc", "text/plain": "<Figure>"}},
    ]
    assert text_outputs(outputs) == [("text/plain", "<Figure>")]


def test_a_picture_within_a_page_is_left_out():
    html = '<img src="data:image/png;base64,{}" alt="A head." data-first="{}">'
    shown = [[{"output_type": "display_data", "data": {"text/html": html.format(*filled)}}] for filled in PAGES]
    assert text_outputs(shown[0]) == text_outputs(shown[1]) != text_outputs(shown[2])


PAGES = (("iVBOR+w/0KG==", 4), ("iVBOR+x/1KG=", 4), ("iVBOR+w/0KG==", 5))
