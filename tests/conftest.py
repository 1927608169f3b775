"""What several tests need: a folder with one tiny lesson."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

EXERCISE = """def neuron(inputs, weights, bias):
    ### BEGIN SOLUTION
    return max(0.0, sum(inputs * weights) + bias)
    ### END SOLUTION


neuron = checks.anemia.check_neuron(neuron)"""


@pytest.fixture
def folder(tmp_path):
    cells = [
        new_markdown_cell("# A tiny lesson\n\nIt has $x^2$ in it."),
        new_code_cell("from medlessons import checks\nprint('hello')"),
        new_code_cell(EXERCISE),
        new_code_cell("print('accuracy 0.83')", metadata={"tags": ["report"]}),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_tiny.ipynb")
    return tmp_path
