"""Every sentence of checks, figures, doctor and command can be translated: proven with a made-up language.

The made-up language puts each sentence in brackets. A sentence without them was never looked up.
"""

import ast
import os
import re
import subprocess
import sys
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo

from medlessons import settings

SOURCES = settings.REPOSITORY / "src"
ROOMS = ("medlessons/checks", "medlessons/plots", "classroom")
FILES = [*sorted(path for room in ROOMS for path in (SOURCES / room).rglob("*.py")), SOURCES / "medlessons/start.py"]
NOT_SAID = {  # texts of three words that are not said to a reader
    "medlessons/plots/description.py": r".*",  # what was drawn, as nbval compares it
    "medlessons/plots/figure.py": r"vert: bool|The figure layout",  # warnings of libraries
    "medlessons/plots/evaluation.py": r"act on (all|nobody)|outside lower center",  # columns of a table, matplotlib
    "medlessons/plots/brain.py": r"outside lower center",  # matplotlib
    "medlessons/plots/scroll.py": r"\nconst row",  # the script of the page
    "classroom/what_came_out.py": r".*",  # the label and the number words of the lessons' own text
    "classroom/student.py": r"\.\.\.  # your code here",  # code
    "classroom/launch.py": r"\ntry:\n|import os, subprocess",  # code
    "classroom/scoring.py": r"as handed in|no exercise was checked|could not be run",  # keys and states in the CSV
    "classroom/confinement.py": r"\ncut -d",  # for the shell
    "classroom/doctor.py": r"\nimport json",  # code
    "classroom/nbgrading.py": r"\s*#|.*\n",  # code, and comments in it
    "classroom/pages.py": r".*\\\w.*",  # regular expressions
    "classroom/fetching/table.py": r".*https://.*",  # citations
}
SENTENCE = re.compile(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", re.IGNORECASE)  # three words: no column name, no format


@pytest.fixture(params=FILES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def tree(request):
    return ast.parse(request.param.read_text(encoding="utf-8"))


def calls_of(tree, *names):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) in names:
            yield node


def inside(nodes):
    return {id(part) for node in nodes for part in ast.walk(node)}


def test_what_is_looked_up_is_one_constant(tree):
    for call in calls_of(tree, "_"):
        (sentence,) = call.args
        assert isinstance(sentence, ast.Constant), f"line {call.lineno}: no catalog could hold {ast.unparse(sentence)}"


def test_places_of_a_sentence_are_filled_by_name(tree):
    for call in calls_of(tree, "_"):
        names = [name for _text, name, _spec, _how in Formatter().parse(call.args[0].value) if name is not None]
        assert all(names), f"line {call.lineno}: {{}} has no name; a translation may need another order"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCES).as_posix())
def test_no_sentence_is_forgotten(path):
    """A text of three words is looked up, or is a docstring, or stands above with a reason."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    not_said = re.compile(NOT_SAID.get(path.relative_to(SOURCES).as_posix(), "(?!)"), re.DOTALL)
    marked = inside(calls_of(tree, "_"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in marked | documentation:
            forgotten = SENTENCE.search(node.value) and not not_said.match(node.value)
            assert not forgotten, f"line {node.lineno}: mark {node.value[:60]!r} with _()"


@pytest.fixture(scope="module")
def brackets(tmp_path_factory):
    """Return the environment of a reader whose language has every sentence in brackets."""
    folder = tmp_path_factory.mktemp("locale")
    catalog = Catalog(locale="eo")
    for room in ("medlessons", "classroom"):
        for _file, _line, message, _comments, _context in extract_from_dir(str(SOURCES / room)):
            catalog.add(message, f"[{message}]")
    assert len(catalog) > 500
    path = folder / "eo" / "LC_MESSAGES" / "medlessons.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)
    return os.environ | {"MEDLESSONS_LANGUAGE": "eo", "MEDLESSONS_LOCALE": str(folder)}


def said(code, environment):
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


WRONG_ANSWERS = """
from medlessons.checks import anemia, covid, evaluation, findings, orientation
from medlessons.checks.numbers import Exercise
for module in (anemia, covid, evaluation, findings, orientation):
    for check in vars(module).values():
        if isinstance(check, Exercise):
            check(None)
            for sentence, answer in check.wrong_answers():
                check(answer)
"""


def test_checks_speak_the_language(brackets):
    lines = said(WRONG_ANSWERS, brackets)
    assert len(lines) > 150
    verdict = re.compile(r"\[Exercise \d\.\d, \[[^]]+\]: \[.*\] The lesson goes on .*\]$")
    assert [line for line in lines if not verdict.match(line)] == []


FIGURES = """
import pandas as pd
from medlessons import plots
plots.show(plots.confusion([[5, 1], [2, 7]], ["no", "yes"]))
plots.show(plots.learning_curves({"loss": [2, 1], "val_loss": [2, 1], "accuracy": [0, 1], "val_accuracy": [0, 1]}))
plots.show(plots.evaluation.people({"a": {"TP": 1, "FN": 2, "FP": 3, "TN": 4}}))
"""


def test_figures_speak_the_language(brackets):
    captions = [line for line in said(FIGURES, brackets) if "Figure:" in line]
    assert len(captions) == 3
    assert all(re.match(r"\[?Figure:.*\[.*\]", caption) for caption in captions)


def test_the_doctor_and_the_command_speak_the_language(brackets):
    code = "from classroom import doctor\nfor look in (doctor.memory, doctor.disk): print(look().says)"
    doctor = said(code, brackets)
    sentences = [line for line in doctor if re.search("[a-z]{2}", line)]  # the rest are numbers with a unit
    assert sentences and all(re.fullmatch(r"\[.*\]", line) for line in sentences)
    helped = "\n".join(said("from classroom.__main__ import parser\nprint(parser().format_help())", brackets))
    assert helped.count("[") >= 8
