"""The notes for instructors: they name every prediction and every exercise of their lesson, and fit a page."""

import re

import pytest

from classroom import notebooks, scoring

NOTES = notebooks.DOCS / "teaching"
LESSONS = notebooks.find()
PREDICT = "**Predict, then run.**"


def sections_with_predictions(lesson) -> set[str]:
    """Return the numbers of the sections, or the first word of a heading without a number."""
    found, section = set(), ""
    for cell in notebooks.read(lesson.path).cells:
        heading = re.search(r"^## (\w+)", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        section = heading[1] if heading else section
        if cell.cell_type == "markdown" and PREDICT in cell.source:
            found.add(section)
    return found


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.path.stem for lesson in LESSONS])
def test_the_notes_name_each_prediction_and_exercise(lesson):
    text = (NOTES / f"{lesson.number:02}.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| (?!Section)(\w+) \|", text, re.MULTILINE)) >= sections_with_predictions(lesson)
    exercises = scoring.exercises_of(notebooks.read(lesson.path).cells)
    assert re.findall(r"^- \*\*(\d\.\d)\*\*", text, re.MULTILINE) == list(exercises)
    assert len(text.split()) < 900
