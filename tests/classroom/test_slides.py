"""The slides: each question, answer, exercise and figure is on one, and nothing comes from elsewhere."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from classroom import __main__ as command
from classroom import notebooks, scoring, slides

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
FIGURE = new_output("display_data", {"image/png": PIXEL}, metadata={"image/png": {"alt": 'A "dot" < 1.'}})
CELLS = [
    new_markdown_cell("# A lesson"),
    new_markdown_cell("## 1. Look (core, 5 minutes)\n\nSome words.\n\n**Predict, then run.** How many $n^2$?"),
    new_code_cell("plot()", outputs=[FIGURE]),
    new_markdown_cell("More words."),
    new_markdown_cell("> **What came out** (stored run: simulated patients, quick profile). Two."),
    new_markdown_cell("> **What came out** (stored run: simulated patients, quick profile). Nobody was asked."),
    new_markdown_cell(
        "Words.\n\n**Exercise 1.1, add.** Return a sum.\n\n<details><summary>Hint</summary>a + b</details>"
    ),
]


def test_questions_answers_exercises_and_figures_are_shown_in_their_order():
    sections, shown = zip(*slides.slides(new_notebook(cells=CELLS)), strict=True)
    assert set(sections) == {"1. Look"}
    asked, figure, answered, exercise = shown
    assert "<math" in asked and "Some words" not in asked
    assert 'alt="A &quot;dot&quot; &lt; 1."' in figure
    assert "Two." in answered
    assert "Return a sum." in exercise and "a + b" not in exercise


@pytest.mark.parametrize("lesson", notebooks.find(), ids=lambda lesson: lesson.path.stem)
def test_the_slides_of_a_lesson_hold_all_of_it_and_need_no_network(lesson, tmp_path, capsys):
    assert command.main(["slides", "--lesson", str(lesson.number), "--build", str(tmp_path)]) == 0
    page = (tmp_path / f"{lesson.path.stem}.html").read_text(encoding="utf-8")
    assert set(re.findall(r'src="([^"]{5})', page)) <= {"data:"} and "<link" not in page and "@import" not in page
    book = notebooks.read(lesson.path)
    assert len(re.findall(r"<strong>Exercise \d", page)) == len(scoring.exercises_of(book.cells))
    pictures = [
        output for cell in book.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert page.count("<figure>") == len(pictures)
    assert page.count("<strong>Predict, then run.</strong>") == sum(
        cell.source.count("**Predict, then run.**") for cell in book.cells[2:] if cell.cell_type == "markdown"
    )
