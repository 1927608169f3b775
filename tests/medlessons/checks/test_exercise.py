"""What all checks share."""

import sys

import pytest

from medlessons.checks import exercise


@pytest.mark.parametrize(
    ("stop", "says"),
    [
        (lambda: sys.exit(), "your code stopped with SystemExit."),
        (lambda: sys.exit("enough"), "your code stopped with SystemExit: enough."),
        (lambda: int("x"), "your code stopped with ValueError: invalid literal"),
    ],
)
def test_code_that_stops_or_exits_is_reported(monkeypatch, capsys, stop, says):
    monkeypatch.setattr(exercise, "_results", {})
    assert exercise.grade("9.9", "Stop", stop, "reference", lambda student: student()) == "reference"
    assert says in capsys.readouterr().out
    assert exercise.results()["9.9"]["state"] == "mistake"


def test_what_a_students_function_returns_reaches_the_check_as_it_is(monkeypatch):
    monkeypatch.setattr(exercise, "_results", {})

    class Network:
        def __call__(self, batch):
            return batch

    seen = []
    exercise.grade("0.1", "Build", lambda: Network(), None, lambda function: seen.append(function()))
    assert isinstance(seen[0], Network)
