"""The score of handed-in notebooks: a row for each exercise, and one bad notebook does not end the batch."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from classroom import confinement, notebooks, scoring
from medlessons.errors import LessonError

NEURON = """from medlessons import checks
import numpy as np
def neuron(inputs, weights, bias):
    return max(0.0, np.dot(inputs, weights) + bias)
neuron = checks.anemia.check_neuron(neuron)"""
COUNT = """def count_parameters(sizes):
    return sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))
count_parameters = checks.anemia.check_count_parameters(count_parameters)"""
OF_LESSON_1 = ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8"]


def code(source, **more):
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source} | more


def hand_in(path, *cells):
    path.parent.mkdir(exist_ok=True)
    cells = [cell if isinstance(cell, dict) else code(cell) for cell in cells]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    return path


def scores(paths, **options):
    text = io.StringIO()
    scoring.write_scores(paths, text, **options)
    assert "\r" not in text.getvalue()
    return list(csv.DictReader(io.StringIO(text.getvalue())))


def states(rows):
    return {row["number"]: row["state"] for row in rows}


# ---------------------------------------------------------------------------------------------------------
# What students hand in; each of these starts a kernel


def test_only_the_exercises_are_executed_and_print_does_not_matter(tmp_path):
    rebound = "\nimport builtins, io, sys\nprint = builtins.print = display = None\nsys.stdout = io.StringIO()"
    failed = new_output("error", ename="ZeroDivisionError", evalue="division by zero")
    path = hand_in(
        tmp_path / "01.ipynb",
        NEURON,
        code("1 / 0", outputs=[failed]),
        "%%time\nimport time\ntime.sleep(60)",
        "%time model.fit(x)",
        "from math import *",
        "!true",
        "other_name = checks.anemia\n" + COUNT.replace("checks.anemia", "other_name") + rebound,
    )
    *rows, stopped = scores([path], timeout=20)
    assert list(states(rows)) == OF_LESSON_1
    assert {number for number, state in states(rows).items() if state == "done"} == {"1.2", "1.8"}
    assert rows[1]["exercise"] == "A neuron by hand" and rows[1]["remark"] == ""
    assert rows[3]["state"] == "not checked" and rows[3]["remark"].startswith("check_scale was not called")
    assert (stopped["number"], stopped["state"]) == ("", "stopped")
    first = "first code cell 2 (1 / 0): ZeroDivisionError: division by zero (as handed in)"
    assert stopped["remark"] == f"1 stopped with an error, {first}"


def test_a_name_from_a_cell_that_was_left_out_brings_the_whole_notebook(tmp_path, monkeypatch):
    runs = []
    execute = notebooks.execute_notebook
    monkeypatch.setattr(notebooks, "execute_notebook", lambda *a, **b: runs.append(a) or execute(*a, **b))
    monkeypatch.chdir(tmp_path)
    sizes = "sizes = []\nsizes.append(0.0)\nlater = 1 / 0"
    path = hand_in(tmp_path / "01.ipynb", sizes, NEURON.replace("0.0", "sizes[0]"))
    *rows, stopped = scoring.score(path)
    assert len(runs) == 2 and states(rows)["1.2"] == "done"
    assert stopped["remark"].endswith("code cell 1 (sizes = []): ZeroDivisionError: division by zero")


def test_rows_outlive_an_endless_loop_a_flood_and_the_end_of_python(tmp_path):
    loop = COUNT.replace("return sum", "while True: print('x' * 999)\n    return sum")
    split = "def split(table, seed:\n    ...\nsplit = checks.anemia.check_split(split)"
    long = "def scale(train, test):\n    raise ValueError('a\\nb\\x1b[31mred\\x00' + 'x' * 10**6)\n"
    scale = long + "scale = checks.anemia.check_scale(scale)"
    recall = "import os\nos._exit(1)\nmacro_recall = checks.anemia.check_macro_recall(macro_recall)"
    text = {"cell_type": "raw", "metadata": {}, "source": "build = checks.anemia.check_build(build)"}
    path = hand_in(tmp_path / "01.ipynb", NEURON, loop, split, scale, text, recall, "'never reached'")
    *rows, stopped = scores([path], timeout=20)
    assert list(states(rows)) == OF_LESSON_1
    assert (rows[1]["state"], rows[3]["state"]) == ("done", "mistake")
    too_long = "it took longer than 20 s, or the notebook than 1 h; look for an endless loop."
    assert rows[7]["remark"] == f"code cell 2 (def count_parameters(sizes):): {too_long}"
    assert "SyntaxError" in rows[2]["remark"] and "Python ended here" in rows[5]["remark"]
    assert all(row["state"] == "not checked" for number, row in enumerate(rows) if number not in (1, 3))
    assert "ValueError: a b red x" in rows[3]["remark"]
    assert all(len(row["remark"]) <= 300 and row["remark"].isprintable() for row in [*rows, stopped])
    assert stopped["remark"].startswith("3 stopped with an error, first code cell 2")


# ---------------------------------------------------------------------------------------------------------
# The batch


def test_whatever_goes_wrong_with_one_notebook_the_others_are_scored(tmp_path, monkeypatch):
    async def run(words, seconds):
        name = Path(json.loads(words[-1])[0]).name
        if name in faults:
            raise faults[name]
        return printed[name], "caf\udce9: killed"

    faults = {"01.ipynb": TimeoutError()}
    printed = {"02.ipynb": b"", "03.ipynb": b'[{"state": "do', "05.ipynb": b'[{"state": "stopped", "remark": "a\\nb"}]'}
    monkeypatch.setattr(confinement, "run", run)
    for name in [*faults, *printed]:
        hand_in(tmp_path / name, "1")
    (tmp_path / "04.ipynb").write_text("{")
    rows = scores([tmp_path], jobs=2)
    assert [row["state"] for row in rows] == ["could not be run"] * 4 + ["stopped"]
    assert [row["notebook"] for row in rows] == [str(tmp_path / f"0{number}.ipynb") for number in range(1, 6)]
    said = ["It took longer than 1 h. Open it", "caf?: killed. Open it", "caf?: killed", "no notebook", "a b"]
    assert all(words in row["remark"] for words, row in zip(said, rows, strict=True))


@pytest.mark.parametrize(
    "fault", [RuntimeError("Kernel died"), OSError("caf\udce9"), MemoryError(), LessonError("No.")]
)
def test_whatever_goes_wrong_in_the_process_of_a_notebook_is_a_row(tmp_path, monkeypatch, fault):
    def execute(*more, **options):
        raise fault

    monkeypatch.setattr(notebooks, "execute_notebook", execute)
    (row,) = scoring.score_here(hand_in(tmp_path / "01.ipynb", "1"), False, 1)
    assert row["state"] == "could not be run" and f"{type(fault).__name__}: {fault}. Open it" in row["remark"]


def test_patterns_and_folders_are_expanded_and_a_missing_notebook_is_named_first(tmp_path, monkeypatch):
    scored = []

    async def score(path, *more):
        scored.append(path.name)
        return []

    monkeypatch.setattr(scoring, "_score_apart", score)
    for name in ("b.ipynb", "a.ipynb", "[c].ipynb", "z_1_assignsubmission_file_/d.ipynb", ".ipynb_checkpoints/a.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        hand_in(tmp_path / name, "1")
    with pytest.raises(LessonError, match=r"absent\.ipynb: there is no such notebook"):
        scores([tmp_path / "a.ipynb", tmp_path / "absent.ipynb"])
    assert scored == []
    scores([tmp_path / "?.ipynb", tmp_path / "[c].ipynb", tmp_path])
    assert scored == ["a.ipynb", "b.ipynb", "[c].ipynb", "[c].ipynb", "a.ipynb", "b.ipynb", "d.ipynb"]


# ---------------------------------------------------------------------------------------------------------
# What is read, and what of it is executed

BOOK = {"cells": [code("é = 1"), code("2")], "nbformat": 4}
OLD = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["é =", " 1"]}, {"input": "2"}]}]}


@pytest.mark.parametrize(
    "content",
    [
        *(json.dumps(BOOK, ensure_ascii=False).encode(name) for name in ("utf-8", "utf-8-sig", "utf-16", "cp1252")),
        json.dumps(OLD),
        '{"cells": [{"source": "é = 1"}, {"source": ["2"], "outputs": null}, null, 3]}',
        '{"cells": [{"source": "é = 1", "outputs": [{"text": "1"}]}, {"source": 2}], "nbformat": 9}',
    ],
)
def test_what_looks_like_a_notebook_is_read(tmp_path, content):
    path = tmp_path / "01.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert [(cell.cell_type, cell.source) for cell in scoring.read(path)] == [("code", "é = 1"), ("code", "2")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "the file is empty"),
        ("\n", "the file is empty"),
        ("<!DOCTYPE html>", "no notebook that can be read"),
        ("[1, 2]", "no notebook that can be read"),
        ('{"nbformat": 4}', "no notebook that can be read"),
        ('{"cells": 1}', "no notebook that can be read"),
        ('{\n<<<<<<< HEAD\n"cells": []\n=======\n>>>>>>> theirs\n}', "marks of a git merge"),
    ],
)
def test_what_is_no_notebook_is_named(tmp_path, content, says):
    (tmp_path / "01.ipynb").write_text(content)
    with pytest.raises(LessonError, match=rf"01\.ipynb: .*{says}"):
        scoring.read(tmp_path / "01.ipynb")


def test_a_source_that_is_nothing_and_a_lone_surrogate_are_read(tmp_path):
    cells = scoring.read(hand_in(tmp_path / "01.ipynb", code(None), code("'\ud83d'"), code([1, "\n", 2])))
    assert [cell.source for cell in cells] == ["", "'?'", "1\n2"]


TRIED = "try:\n    import a\nexcept ImportError:\n    a = 1"


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("model.fit(x)\nsizes[0] = 1", ""),
        ("import keras\nmodel = keras.Sequential()", "import keras"),
        (
            "try:\n    import a\nexcept ImportError:\n    a = 1\na.fit()",
            "try:\n    import a\nexcept ImportError:\n    a = 1",
        ),
        ("from helpers import *\nfit(x)", "from helpers import *"),
        ("def half(x):\n    return x / 2\nhalf(3)", "def half(x):\n    return x / 2"),
        ("%%time\nmodel.fit(x)", ""),
        ("%%timeit -n 2\nmodel.fit(x)", ""),
        ("x = 1\n%time model.fit(x)", ""),
        ("%timeit -n 2 -r 1 model.fit(x)", ""),
        ("files = !ls", ""),
        ("%run helpers.py\nmodel.fit(x)", "get_ipython().run_line_magic('run', 'helpers.py')"),
        ("x?", "get_ipython().run_line_magic('pinfo', 'x')"),
        ("why is it worse", "why is it worse"),
        ("x = '\0'", "x = '\0'"),
    ],
)
def test_of_other_cells_imports_definitions_and_magics_are_left(source, left):
    assert scoring.needed([new_code_cell(source)]) == [left]


WORDS = [
    "cells",
    "source",
    "input",
    "outputs",
    "cell_type",
    "code",
    "output_type",
    "error",
    "worksheets",
    NEURON,
    "## 1",
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
CELL = st.fixed_dictionaries({}, optional=dict.fromkeys(["cell_type", "source", "input", "outputs"], ANYTHING))
NOTEBOOKS = st.fixed_dictionaries({"cells": st.lists(CELL | ANYTHING, max_size=4)}) | ANYTHING
DAMAGE = st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=3)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(book=NOTEBOOKS, damage=DAMAGE, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"]))
def test_whatever_is_handed_in_is_read_or_refused_with_the_one_error(tmp_path, book, damage, encoding):
    content = bytearray(
        json.dumps(book, ensure_ascii=False).encode(
            encoding, errors="surrogatepass" if "utf" in encoding else "replace"
        )
    )
    for place, piece in damage:
        content[place : place + 2] = piece
    (tmp_path / "01.ipynb").write_bytes(content)
    try:
        cells = scoring.read(tmp_path / "01.ipynb")
    except LessonError as error:
        assert "01.ipynb: " in str(error)
    else:
        scoring.exercises_of(cells)
        assert all(isinstance(source, str) for source in scoring.needed(cells, ["check_neuron"]))


def test_the_opening_and_the_exercises_are_kept_whole():
    exercise = "x = 1\nhalf = checks.anemia.check_half(half)"
    cells = [new_code_cell("start(lesson=1)"), new_markdown_cell("## 1. The data"), new_code_cell("fit(x)")]
    cells += [new_code_cell(exercise), new_code_cell("x = 2; half = other.check_half(half)")]
    assert scoring.needed(cells) == ["start(lesson=1)", "", exercise, ""]
    assert scoring.needed(cells, ["check_half"])[3] == cells[4].source


@pytest.mark.parametrize("lesson", notebooks.find(), ids=lambda lesson: lesson.path.stem)
def test_each_lesson_is_known_by_its_exercises_and_none_needs_a_training(lesson):
    cells = notebooks.read(lesson.path).cells
    exercises = scoring.exercises_of(cells)
    assert list(exercises) == [f"{lesson.number}.{n}" for n in range(1, len(exercises) + 1)] and len(exercises) >= 4
    needed = "\n".join(scoring.needed(cells))
    assert all(f"{check}(" in needed for _title, check in exercises.values())
    assert ".fit(" not in "".join(re.findall(r"^\w.*", needed, re.MULTILINE)), "a training is called"


def test_a_notebook_of_no_lesson_has_no_known_exercises():
    assert scoring.exercises_of([new_code_cell("half = checks.example.check_half(half)")]) == {}
