"""The student edition: stubs in place of solutions, links that lead somewhere, and a folder to work in."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from classroom import notebooks, student
from medlessons import settings
from medlessons.errors import LessonError

SOLVED = """import math

def area(radius):
    ### BEGIN SOLUTION
    if radius < 0:
        return None
    return math.pi * radius**2
    ### END SOLUTION

### BEGIN SOLUTION
answer = area(2)
### END SOLUTION
answer = checks.check_area(answer)
"""
STUBBED = """import math

def area(radius):
    ...  # your code here

...  # your code here
answer = checks.check_area(answer)
"""
GRADED = {"nbgrader": {"grade": False, "grade_id": "area", "locked": False, "schema_version": 3, "solution": True}}


def test_solutions_become_stubs_as_nbgrader_makes_them():
    cells = [new_code_cell(SOLVED, metadata=GRADED), new_code_cell("answer = 12.6", metadata=GRADED)]
    cells += [new_code_cell("print(1)\n"), new_markdown_cell("### BEGIN SOLUTION is the mark.")]
    sources = [cell.source for cell in student.edition(new_notebook(cells=cells)).cells]
    assert sources == [STUBBED, student.STUB, "print(1)\n", "### BEGIN SOLUTION is the mark."]


def test_the_metadata_of_nbgrader_stay():
    (cell,) = student.edition(new_notebook(cells=[new_code_cell(SOLVED, metadata=GRADED)])).cells
    assert cell.metadata == GRADED


@pytest.mark.parametrize(
    "source",
    ["### BEGIN SOLUTION\n1", "1\n### END SOLUTION", "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION"],
)
def test_a_mark_without_its_partner_is_named(source):
    with pytest.raises(LessonError, match=r"Cell 0: '### (BEGIN|END) SOLUTION' has no partner"):
        student.edition(new_notebook(cells=[new_code_cell(source)]))


@pytest.mark.parametrize("folder", [student.FOLDER, student.WORK], ids=["student", "work"])
def test_links_lead_from_where_the_edition_stands(folder):
    text = "[card](../models/README.md#orientation), [paper](https://a.org/b), [above](#top), [next](02_b.ipynb)"
    (cell,) = student.edition(new_notebook(cells=[new_markdown_cell(text)]), folder).cells
    card, paper, above, following = re.findall(r"\]\(([^)]+)\)", cell.source)
    assert (folder / card).resolve() == settings.REPOSITORY / "models" / "README.md#orientation"
    assert (folder / following).resolve() == notebooks.NOTEBOOKS / "02_b.ipynb"
    assert (paper, above) == ("https://a.org/b", "#top")


def test_the_folder_to_work_in_gets_what_is_new_and_keeps_what_is_there(tmp_path):
    names = [lesson.path.name for lesson in notebooks.find()]
    solved = tmp_path / "work" / names[0]
    assert student.lay_out(solved.parent) == {solved.parent / name: True for name in names}
    solved.write_text("my answers")
    (solved.parent / names[1]).unlink()
    assert student.lay_out(solved.parent) == {solved.parent / name: name == names[1] for name in names}
    assert solved.read_text() == "my answers"
