"""What several tests need: a folder with one tiny lesson, and what came of executing it."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from classroom import notebooks


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
