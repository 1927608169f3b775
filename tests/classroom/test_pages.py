"""What a run writes: pages, report and index, of a tiny lesson."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from classroom import notebooks, pages
from medlessons import data, models
from medlessons.errors import LessonError


def test_a_run_writes_notebook_page_index_and_report_and_leaves_the_lesson_alone(folder, tmp_path):
    (lesson,) = notebooks.find(folder=folder)
    before = lesson.path.read_bytes()
    run = notebooks.execute(lesson)
    build = tmp_path / "build"
    pages.write(run, build)
    text = pages.write_report([run], build)
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


def test_formulas_become_mathml_and_prices_do_not():
    assert "<msub>" in pages.with_mathml("a $x_1$ b")
    assert 'display="block"' in pages.with_mathml("$$y = f(x)$$")
    for code in ("`$HOME` and \\$5", "```\necho $A $B\n```"):
        assert pages.with_mathml(code) == code
    with pytest.raises(LessonError, match="cannot be read"):
        pages.with_mathml("a $x_$ b")


def test_the_report_names_source_data_and_weights(monkeypatch):
    blood = [
        data.Status("blood", "embedded", Path(), True, 1281, True, "simulated data"),
        data.Status("blood", "real", Path(), True, 150, True, "own data"),
    ]
    chest = [data.Status("chest", "real", Path(), False, 0, False, "not there")]
    brain = [data.Status("brain", "real", Path(), True, 9, True, "published data")]
    tasks = zip(((1,), (1, 2), (3,)), (blood, chest, brain), strict=True)
    tasks = {rows[0].name: SimpleNamespace(LESSONS=wanted, status=rows.copy) for wanted, rows in tasks}
    monkeypatch.setattr(data, "REGISTRY", tasks)
    monkeypatch.setattr(models, "status", lambda: {"a": None, "b": "damaged."})
    monkeypatch.setenv("MEDLESSONS_SOURCE", "real")
    run = notebooks.Run(notebooks.Lesson(1, "Blood", Path("01_blood.ipynb")), new_notebook())
    first, *said = pages.report([run]).splitlines()[:4]
    assert first.startswith("Source: real. Profile: quick.")
    assert said == ["Data: blood: own data, 150 rows.", "Weights: a: as published.", "Weights: b: damaged."]


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
    notebook.cells.append(cell("weights of the networks: imagenet"))
    assert pages.weights_of(notebook) == ["imagenet backbones"]
