"""What a run writes: pages, report and index, of a tiny lesson."""

import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from classroom import fetching, notebooks, pages
from medlessons import models
from medlessons.errors import LessonError


def test_a_run_writes_notebook_page_index_and_report_and_leaves_the_lesson_alone(run, tmp_path):
    pages.write(run, tmp_path)
    text = pages.write_report([run], tmp_path)
    assert (run.fault, run.cells) == (None, 2)
    assert "accuracy 0.83" in text
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(written) == {"01_tiny.ipynb", "01_tiny.html", "index.html", "report.txt", "report.json"}
    page, index = written["01_tiny.html"], written["index.html"]
    assert "<msup>" in page and "hello" in page and "seen 50" not in page
    assert "01_tiny.html" in index and "accuracy 0.83" in index and "Not for medical use." in index
    for text in (page, index):
        assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', text), "the page needs the network"


def html(markdown):
    return pages.page(new_notebook(cells=[new_markdown_cell(markdown)]), "a page").partition("<main")[2]


def test_formulas_become_mathml_and_prices_do_not():
    said = html("a $x_1$ b\n\n$$y = f(x)$$\n\n`$HOME` and \\$5\n\n```\necho $A $B\n```")
    assert "<msub>" in said and 'display="block"' in said and said.count("<math") == 2
    assert "<code>$HOME</code> and $5" in said and "echo $A $B" in said
    with pytest.raises(LessonError, match="cannot be read"):
        html("a $x_$ b")


def test_the_report_names_source_data_and_weights(monkeypatch):
    lines = [
        fetching.Status("blood", "embedded", Path(), True, 1281, True, "simulated data"),
        fetching.Status("blood", "real", Path(), True, 150, True, "own data"),
        fetching.Status("chest", "real", Path()),
    ]
    monkeypatch.setattr(fetching, "status", lambda lessons: lines if lessons == {1} else [])
    monkeypatch.setattr(models, "status", lambda: {"a": None, "b": "damaged."})
    monkeypatch.setenv("MEDLESSONS_SOURCE", "real")
    run = notebooks.Run(notebooks.Lesson(1, "Blood", Path("01_blood.ipynb")), new_notebook())
    first, *said = pages.report([run]).splitlines()[:4]
    assert first.startswith("Source: real. Profile: quick.")
    assert said == ["Data: blood: own data, 150 rows.", "Weights: a: there, and as published.", "Weights: b: damaged."]


def test_the_report_says_how_long_it_took_where_lessons_ran_at_once():
    lesson = notebooks.Lesson(1, "Blood", Path("01_blood.ipynb"))
    times = [(100.0, 60.0), (101.0, 20.0), (121.0, 50.0)]
    runs = [notebooks.Run(lesson, new_notebook(), began=began, seconds=seconds) for began, seconds in times]
    assert re.search(r"^all +0 +71\.0$", pages.report(runs), re.MULTILINE)


def test_every_key_figure_says_whose_images_and_which_weights(monkeypatch):
    def cell(text, *tags):
        output = new_output("stream", name="stdout", text=text)
        return new_code_cell("x", metadata={"tags": ["report", *tags]}, outputs=[output])

    load = new_code_cell('network = models.load("orientation")')
    notebook = new_notebook(cells=[load, cell("a 1\nb 2\n"), cell("c 3", "simulated"), cell("d 4", "mixed")])
    monkeypatch.setenv("MEDLESSONS_SOURCE", "real")
    assert pages.key_figures(notebook) == [
        "[real; orientation] a 1\n[real; orientation] b 2",
        "[simulated; orientation] c 3",
        "[real and simulated; orientation] d 4",
    ]
    monkeypatch.setenv("MEDLESSONS_SOURCE", "embedded")
    notebook.cells.pop(0)
    assert pages.key_figures(notebook)[0] == "[simulated] a 1\n[simulated] b 2"
    told = new_output("display_data", data={"text/markdown": "e **5**", "text/plain": "<Markdown object>"})
    notebook.cells.append(new_code_cell("x", metadata={"tags": ["report"]}, outputs=[told]))
    assert pages.key_figures(notebook)[-1] == "[simulated] e **5**"
    notebook.cells.append(cell("weights of the networks: imagenet"))
    assert pages.weights_of(notebook) == ["imagenet backbones"]
