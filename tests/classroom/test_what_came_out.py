"""A block that says what came out is held against the outputs of its section."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from classroom import student, what_came_out


def notebook(block, *printed):
    cells = [new_markdown_cell("## 1. A section")]
    cells += [new_code_cell("x", outputs=[new_output("stream", name="stdout", text=text)]) for text in printed]
    return new_notebook(cells=[*cells, new_markdown_cell(f"{what_came_out.OPENING} {block}")])


@pytest.mark.parametrize(
    ("block", "printed"),
    [
        ("The network names 50 of 60.", "50 of 60 are right"),
        ("It finds 83 %.", "sensitivity 0.831"),
        ("It finds 83 %.", "83% found"),
        ("The AUROC is 0.9.", "AUROC 0.92"),
        ("Four of fourteen findings are ahead.", "4 of 14"),
        ("Of 28,000 answers most are right.", "28,000 answers"),
        ("See section 3: no number here.", "nothing"),
    ],
)
def test_a_number_that_an_output_shows_is_accepted(block, printed):
    assert what_came_out.unsupported(notebook(block, printed)) == []


@pytest.mark.parametrize(
    ("block", "printed", "missing"),
    [
        ("The network names 51 of 60.", "50 of 60 are right", "51"),
        ("It finds 84 %.", "sensitivity 0.831", "84 %"),
        ("The AUROC is 0.91.", "AUROC 0.92", "0.91"),
        ("Five findings are ahead.", "4 of 14", "5"),
    ],
)
def test_a_number_that_no_output_shows_is_named(block, printed, missing):
    (fault,) = what_came_out.unsupported(notebook(block, printed))
    assert fault.startswith(f"{missing}: ")


def test_outputs_before_the_last_heading_do_not_count():
    cells = [new_code_cell("x", outputs=[new_output("stream", name="stdout", text="50 of 60")])]
    later = notebook("The network names 50.", "nothing")
    later.cells = cells + later.cells
    assert len(what_came_out.unsupported(later)) == 1


def test_the_student_edition_folds_a_block():
    (_heading, _code, block) = student.edition(notebook("It names\n> 50 of 60.", "50 of 60")).cells
    assert block.source.startswith("<details><summary>What came out (stored run")
    assert "It names\n50 of 60.\n\n</details>" in block.source
