"""Finding, executing, reporting and scoring lessons, on tiny ones."""

import csv
import io
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from medlessons import lessons, student
from medlessons.errors import LessonError

EXERCISE = """def neuron(inputs, weights, bias):
    ### BEGIN SOLUTION
    return max(0.0, sum(inputs * weights) + bias)
    ### END SOLUTION


neuron = checks.check_neuron(neuron)"""


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


def test_lessons_are_found_by_number(folder):
    (lesson,) = lessons.find(folder=folder)
    assert (lesson.number, lesson.title) == (1, "A tiny lesson")
    assert lessons.find("1", folder) == [lesson]


@pytest.mark.parametrize("selection", ["7", "one", "1,"])
def test_a_lesson_that_is_not_there_is_named(folder, selection):
    with pytest.raises(LessonError, match="There is no lesson"):
        lessons.find(selection, folder)


def test_a_folder_without_lessons_is_named(tmp_path):
    with pytest.raises(LessonError, match="there are no lessons"):
        lessons.find(folder=tmp_path)


def test_a_run_writes_notebook_page_index_and_report_and_leaves_the_lesson_alone(folder, tmp_path):
    (lesson,) = lessons.find(folder=folder)
    before = lesson.path.read_bytes()
    run = lessons.execute(lesson)
    build = tmp_path / "build"
    lessons.write(run, build)
    text = lessons.write_report([run], build)
    assert run.fault is None
    assert run.cells == 3
    assert "accuracy 0.83" in text
    assert lesson.path.read_bytes() == before
    assert {path.name for path in build.iterdir()} == {
        "01_tiny.ipynb",
        "01_tiny.html",
        "index.html",
        "report.txt",
        "report.json",
    }
    page = (build / "01_tiny.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', page), "the page needs the network"


def test_a_cell_that_fails_is_named_and_not_stored(folder):
    path = folder / "01_tiny.ipynb"
    notebook = lessons.read(path)
    notebook.cells.append(new_code_cell("1 / 0"))
    stored = nbformat.v4.new_output("stream", name="stdout", text="accuracy 0.99")
    notebook.cells.append(new_code_cell("later", execution_count=5, outputs=[stored]))
    nbformat.write(notebook, path)
    run = lessons.execute(lessons.find(folder=folder)[0])
    assert run.fault.startswith("01_tiny.ipynb, cell 4 (1 / 0): ZeroDivisionError")
    assert run.notebook.cells[-1].outputs == [], "a cell that was not reached shows a stored result"
    with pytest.raises(LessonError, match="stored outputs are unchanged"):
        lessons.store(run)


def test_what_is_no_notebook_is_named(tmp_path):
    (tmp_path / "broken.ipynb").write_text("{")
    with pytest.raises(LessonError, match=r"broken\.ipynb: this is no notebook"):
        lessons.read(tmp_path / "broken.ipynb")
    with pytest.raises(LessonError, match="no such notebook"):
        lessons.read(tmp_path / "absent.ipynb")


def test_a_stored_run_holds_no_progress_and_no_times(folder):
    path = folder / "01_tiny.ipynb"
    notebook = lessons.read(path)
    notebook.cells.append(new_code_cell("import sys\nprint('progress', file=sys.stderr)"))
    nbformat.write(notebook, path)
    lessons.store(lessons.execute(lessons.find(folder=folder)[0]))
    stored = path.read_text(encoding="utf-8")
    assert "hello" in stored
    assert '"stderr"' not in stored
    assert "iopub" not in stored


def test_minutes_count_prose_code_and_exercises():
    cells = [
        new_markdown_cell("# Title"),
        new_markdown_cell("## First\n" + "word " * 298),
        new_code_cell("1"),
        new_markdown_cell("## Second"),
        new_code_cell(EXERCISE),
    ]
    assert lessons.minutes(new_notebook(cells=cells)) == {"First": 5, "Second": 10}


def test_formulas_become_mathml_and_prices_do_not():
    assert "<msub>" in lessons.with_mathml("a $x_1$ b")
    assert 'display="block"' in lessons.with_mathml("$$y = f(x)$$")
    for code in ("`$HOME` and \\$5", "```\necho $A $B\n```"):
        assert lessons.with_mathml(code) == code
    with pytest.raises(LessonError, match="cannot be read"):
        lessons.with_mathml("a $x_$ b")


def test_the_student_edition_and_its_score(folder, capsys):
    (lesson,) = lessons.find(folder=folder)
    stub = student.write(lesson, folder / "student")
    assert student.STUB in stub.read_text(encoding="utf-8")
    answers = io.StringIO()
    student.write_scores([lesson.path, stub], answers)
    rows = list(csv.DictReader(io.StringIO(answers.getvalue())))
    assert [row["state"] for row in rows] == ["done", "not done"]
    assert rows[0]["exercise"] == "A neuron by hand"
