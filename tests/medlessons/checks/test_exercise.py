"""What all checks share."""

import sys

import numpy as np
import pandas as pd
import pytest

from medlessons.checks import exercise


@pytest.mark.parametrize(
    ("stop", "says"),
    [
        (lambda: sys.exit(), "your code stopped with SystemExit, at `"),
        (lambda: sys.exit("enough"), "your code stopped with SystemExit: enough, at `"),
        (
            lambda: int("x"),
            "your code stopped with ValueError: invalid literal for int() with base 10: 'x', at `lambda",
        ),
        (lambda: nobody, "is it one of the function's arguments?"),  # noqa: F821
        (lambda: np.random.default_rng(0).shuffle([1]).sort(), "Something here is None"),
        (lambda: np.arange(3) and 1, "brackets around each comparison"),
        (lambda: [1, 2][2], "0 to n - 1"),
        (lambda: pd.DataFrame({"a": [1]})["b"], "no such name"),
        (lambda: 2.0 ^ 2, "write **"),
        (lambda: np.array([1, 2]).__itruediv__(2), "make floats first"),
        (lambda: range(2.5), "A whole number is asked for"),
        (lambda: np.ones(3) + np.ones(2), "do not fit together"),
        (lambda: pd.DataFrame({"a": [1]}).b, "table[name], not table.name"),
    ],
)
def test_code_that_stops_or_exits_is_reported(monkeypatch, capsys, stop, says):
    monkeypatch.setattr(exercise, "_results", {})
    assert exercise.grade("9.9", "Stop", "reference", lambda student: student(), stop) == "reference"
    assert says in capsys.readouterr().out
    assert exercise.results()["9.9"]["state"] == "mistake"


def test_what_a_students_function_returns_reaches_the_check_as_it_is(monkeypatch):
    monkeypatch.setattr(exercise, "_results", {})

    class Network:
        def __call__(self, batch):
            return batch

    seen = []
    exercise.grade("0.1", "Build", None, lambda function: seen.append(function()), lambda: Network())
    assert isinstance(seen[0], Network)


@pytest.mark.parametrize(
    ("student", "says"),
    [
        (lambda a, b: None, "not done yet"),
        (lambda a, b: print(a, b), "it returns None"),
        (lambda a, b: print, "it returns None"),  # what the check calls gives None
        (lambda a, b: a.sort() or a[0], "it changes `a`"),
        (lambda a, b: b.update(a=1) or a, "well done"),  # arrays, tables and lists are compared
        (lambda a, b: a[0], "it is wrong. Your function does not use `b`."),
        (lambda a, b: [lambda: b], "it is wrong. Your function does not use `a`."),
    ],
)
def test_what_is_the_same_in_each_exercise_is_told(student, says, capsys):
    def find_mistake(function):
        came = exercise.call(function, np.array([2, 1]), {})
        came = came("") if callable(came) else came
        return None if np.shape(came) == (2,) else "it is wrong."

    exercise.grade("9.9", "Two arguments", None, find_mistake, student)
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    "before", [np.array([1.0, np.nan]), np.array(["a", "b"]), pd.Series([1, 2]), pd.DataFrame({0: [1], 1: [2]}), [1, 2]]
)
def test_a_changed_argument_is_named(before):
    def change(it):
        it[0] = it[1]

    assert exercise.call(lambda it: "unchanged", before) == "unchanged"
    with pytest.raises(exercise.Mistake, match="it changes `it`"):
        exercise.call(change, before)
