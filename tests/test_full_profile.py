"""The full profile runs to its end in each lesson, with one short epoch, on the small files of the quick profile."""

import nbformat
import pytest

from classroom import notebooks

LESSONS = notebooks.find("1,2,3,4")
SHORTER = """
import inspect

import keras
from medlessons import training
from medlessons.data import covid, findings, orientation

for module in (covid, findings, orientation):  # drawing large files would take longer than the lesson
    module.SIZE["full"] = module.SIZE["quick"]


def shorter(fit, **short):  # a function, since lessons have names of their own for what is short
    names = inspect.signature(fit).parameters  # epochs may be given by position
    return lambda *given, **options: fit(**dict(zip(names, given)) | options | short)


keras.Model.fit = shorter(keras.Model.fit, epochs=1, steps_per_epoch=1, validation_steps=1)
training.fit_quickly = shorter(training.fit_quickly, epochs=1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.path.stem for lesson in LESSONS])
def test_a_lesson_runs_in_full_and_shows_no_network_images_of_another_size(lesson, monkeypatch):
    monkeypatch.setenv("MEDLESSONS_PROFILE", "full")
    notebook = notebooks.read(lesson.path)
    first = next(number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(first + 1, nbformat.v4.new_code_cell(SHORTER))
    notebooks.execute_notebook(notebook, lesson.path.parent, f"Lesson {lesson.number} in full", timeout=3600)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "Profile: full" in cells[0].outputs[0].text
    warned = [cell.source for cell in cells if any("was trained with" in o.get("text", "") for o in cell.outputs)]
    assert all("for edge in" in source for source in warned), "only the cell that shows what it costs"
