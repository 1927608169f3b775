"""What checks and figures say can be translated: constants, or templates with named places."""

import ast
from pathlib import Path
from string import Formatter

import pytest

from classroom import doctor
from medlessons import checks, plots
from medlessons.wording import say

FILES = [Path(doctor.__file__)] + [
    path for room in (checks, plots) for path in sorted(Path(room.__file__).parent.glob("*.py"))
]


@pytest.fixture(params=FILES, ids=[str(path.relative_to(path.parents[1])) for path in FILES])
def nodes(request):
    return list(ast.walk(ast.parse(request.param.read_text(encoding="utf-8"))))


def templates(node):
    """Return the constants that the first argument of a call of `say` can be."""
    if isinstance(node, ast.IfExp):
        return [*templates(node.body), *templates(node.orelse)]
    assert isinstance(node, ast.Constant), ast.unparse(node) + " is no constant: no list of sentences could hold it"
    return [node.value]


def test_no_sentence_is_glued_together(nodes):
    glued = [
        ast.unparse(node)
        for node in nodes
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant))
    ]
    assert not glued, "write say('... {place} ...', place=...)"


def test_each_template_is_a_constant_whose_places_are_all_given(nodes):
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            given = {keyword.arg for keyword in node.keywords}
            for template in templates(node.args[0]):
                places = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
                assert places <= given or None in given, template  # None: **places


def test_say_fills_the_places():
    assert say("{right} of {all} are right", right=2, all=3) == "2 of 3 are right"
    with pytest.raises(KeyError):
        say("{right} of {all} are right", right=2)
