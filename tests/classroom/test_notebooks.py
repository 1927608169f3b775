"""Finding, executing and storing lessons, on tiny ones."""

import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from classroom import notebooks
from medlessons.errors import LessonError


def test_lessons_are_found_by_number(folder):
    (lesson,) = notebooks.find(folder=folder)
    assert (lesson.number, lesson.title) == (1, "A tiny lesson")
    assert notebooks.find("1", folder) == [lesson]


@pytest.mark.parametrize("selection", ["7", "one", "1,"])
def test_a_lesson_that_is_not_there_is_named(folder, selection):
    with pytest.raises(LessonError, match="There is no lesson"):
        notebooks.find(selection, folder)


def test_a_folder_without_lessons_is_named(tmp_path):
    with pytest.raises(LessonError, match="there are no lessons"):
        notebooks.find(folder=tmp_path)


def test_a_cell_that_fails_is_named_and_not_stored(folder):
    path = folder / "01_tiny.ipynb"
    notebook = notebooks.read(path)
    notebook.cells.append(new_code_cell("1 / 0"))
    stored = nbformat.v4.new_output("stream", name="stdout", text="accuracy 0.99")
    notebook.cells.append(new_code_cell("later", execution_count=5, outputs=[stored]))
    nbformat.write(notebook, path)
    run = notebooks.execute(notebooks.find(folder=folder)[0])
    assert run.fault.startswith("01_tiny.ipynb, cell 3 (1 / 0): ZeroDivisionError")
    assert run.notebook.cells[-1].outputs == [], "a cell that was not reached shows a stored result"
    with pytest.raises(LessonError, match="stored outputs are unchanged"):
        notebooks.store(run)


def test_lessons_that_run_at_once_come_in_their_order_and_one_that_fails_ends_no_other(tmp_path):
    meet = "import os, time\nopen('{0}', 'w')\nwhile not os.path.exists('{1}'): time.sleep(0.1)\n"
    first, second = meet.format("a", "b") + "time.sleep(2)", meet.format("b", "a") + "1 / 0"
    for number, source in enumerate([first, second, "print('third')"], start=1):
        cells = [new_code_cell(source), new_code_cell("print('done')")]
        nbformat.write(new_notebook(cells=cells), tmp_path / f"0{number}_tiny.ipynb")
    runs = list(notebooks.execute_all(notebooks.find(folder=tmp_path), jobs=2))
    assert [run.lesson.number for run in runs] == [1, 2, 3]
    assert [bool(run.fault) for run in runs] == [False, True, False]
    assert "02_tiny.ipynb, cell 1" in runs[1].fault and "ZeroDivisionError" in runs[1].fault
    assert [run.notebook.cells[-1].outputs[0].text for run in runs[::2]] == ["done\n", "done\n"]
    assert runs[1].began < runs[0].began + runs[0].seconds, "they did not run at once"


def test_what_is_no_notebook_is_named(tmp_path):
    (tmp_path / "broken.ipynb").write_text("{")
    with pytest.raises(LessonError, match=r"broken\.ipynb: this is no notebook"):
        notebooks.read(tmp_path / "broken.ipynb")
    with pytest.raises(LessonError, match="no such notebook"):
        notebooks.read(tmp_path / "absent.ipynb")


def test_a_stored_run_holds_no_progress_and_no_times(run, monkeypatch, tmp_path):
    monkeypatch.setattr(notebooks, "DOCS", tmp_path)
    notebooks.store(run)
    stored = run.lesson.path.read_text(encoding="utf-8")
    assert "hello" in stored
    assert '"stderr"' not in stored
    assert "iopub" not in stored


@pytest.mark.parametrize("copy", ["01_tiny_old", "01_tiny-Copy1", "01_tiny copy", "01_a_tiny_lesson"])
def test_beside_a_copy_the_lesson_is_taken_and_that_is_said(folder, copy, capsys):
    (folder / f"{copy}.ipynb").write_bytes((folder / "01_tiny.ipynb").read_bytes())
    for selection in ("1", None):
        assert [lesson.path.name for lesson in notebooks.find(selection, folder)] == ["01_tiny.ipynb"]
        assert f"lesson 1 is 01_tiny.ipynb; {copy}.ipynb has its number" in capsys.readouterr().err


def test_a_lesson_without_cells_is_listed_by_its_file(folder):
    nbformat.write(new_notebook(), folder / "02_new.ipynb")
    assert [lesson.title for lesson in notebooks.find(folder=folder)] == ["A tiny lesson", "02_new"]


def test_the_kernel_is_the_one_of_this_python(monkeypatch, tmp_path):
    broken = tmp_path / "kernels" / "python3"
    broken.mkdir(parents=True)
    (broken / "kernel.json").write_text("{")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = new_notebook(cells=[new_code_cell("import sys\nprint(sys.executable)")])
    notebooks.execute_notebook(notebook, tmp_path, "lesson")
    assert notebook.cells[0].outputs[0].text.strip() == sys.executable


PIECES = [("stdout", "one\n"), ("stderr", "50 %"), ("stdout", "two\n"), ("stdout", "three\n")]


def test_a_text_that_came_in_pieces_is_stored_in_one():
    pieces = [new_output("stream", name=name, text=text) for name, text in PIECES]
    pieces.insert(3, new_output("display_data", {"text/plain": "<Figure>"}))
    tidied = notebooks.tidy(new_notebook(cells=[new_code_cell("1", outputs=pieces)]))
    outputs = tidied.cells[0].outputs
    assert [output.get("text", "figure") for output in outputs] == ["one\ntwo\n", "figure", "three\n"]
