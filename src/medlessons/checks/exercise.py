"""What all checks share: run the student's code, find the mistake, remember the result."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from medlessons.wording import say

_results: dict[str, dict[str, str]] = {}

NOT_DONE = "not done yet."
ONE_NUMBER = "this is an array or a list with the right number in it: return the number itself."
TEXT = "this is a text: return numbers, without quotation marks."


def judge(
    number: str,
    title: str,
    student: Any,
    reference: Any,
    find_mistake: Callable[[Any], str | None],
) -> Any:
    """Judge one exercise, print the verdict and remember it.

    Parameters
    ----------
    number, title : str
        Which exercise, such as ``"1.2"`` and ``"Count the parameters"``.
    student : object
        What the student wrote: a function or a value. ``None`` and ``...`` mean: not done.
    reference : object
        The right answer; it is handed back when the student's one is missing or wrong.
    find_mistake : callable
        Takes the student's object and returns ``None`` if it is right, else one sentence that names the mistake.
        An exception that the student's code raises, or its ``sys.exit()``, is reported as such.

    Returns
    -------
    object
        ``student`` if it is right, otherwise ``reference``.
    """
    try:
        mistake = find_mistake(_probe(student))
    except _Untouched:
        mistake = NOT_DONE
    except (Exception, SystemExit) as error:
        reason = ": ".join(filter(None, [type(error).__name__, str(error)]))
        mistake = say("your code stopped with {reason}.", reason=reason)
    state = "done" if mistake is None else "not done" if mistake is NOT_DONE else "mistake"
    _results[number] = {"exercise": title, "state": state, "remark": mistake or ""}
    if state == "done":
        print(say("Exercise {number}, {title}: done, well done!", number=number, title=title))
        return student
    print(
        say(
            "Exercise {number}, {title}: {mistake} The lesson goes on with the reference solution.",
            number=number,
            title=title,
            mistake=mistake,
        )
    )
    return reference


class _Untouched(Exception):
    """The stub stands as it was handed out: it gives ``None`` or ``...``."""


def _probe(student: Any) -> Any:
    if inspect.isroutine(student):  # not every callable: a network that a student's function returns stays a network
        return lambda *arguments, **named: _probe(student(*arguments, **named))
    if student is None or student is Ellipsis:
        raise _Untouched
    return student


def same(value: Any, expected: Any) -> bool:
    """Tell whether two numbers or arrays agree in shape and, within one part in a million, in value."""
    try:
        value = np.asarray(value)
        if value.dtype.kind in "USO" and any(isinstance(part, str | bytes) for part in value.ravel()):
            return False
        value = value.astype(float)
    except (TypeError, ValueError):
        return False
    expected = np.asarray(expected, dtype=float)
    return value.shape == expected.shape and np.allclose(value, expected, rtol=1e-6, atol=1e-9)


def first_match(value: Any, mistakes: Mapping[str, Any]) -> str | None:
    """Return the sentence of the first classic mistake whose result is the student's result.

    Parameters
    ----------
    value : number or array
        The student's result.
    mistakes : mapping
        From the sentence that names a mistake to the result that this mistake gives.
    """
    return next((sentence for sentence, result in mistakes.items() if same(value, result)), None)


def name_mistake(value: Any, expected: Any, mistakes: Mapping[str, Any]) -> str:
    """Return the sentence for a wrong result: a classic mistake, the wrong kind of object, or both values.

    Parameters
    ----------
    value, expected : number or array
        The student's result and the right one.
    mistakes : mapping
        As `first_match` takes them.
    """
    if isinstance(value, str | bytes):
        return TEXT
    if np.ndim(expected) == 0 and np.ndim(value) > 0 and same(np.squeeze(np.asarray(value, dtype=object)), expected):
        return ONE_NUMBER
    return first_match(value, mistakes) or say(
        "it gives {value}, expected was {expected}.", value=plain(value), expected=plain(expected)
    )


def plain(value: Any) -> str:
    """Return numbers as text without the names of their types: ``0.75`` and ``0.75, 0.5``, not ``np.float64(0.75)``."""
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return repr(value)
    return ", ".join(say("{number:.6g}", number=number) for number in numbers.ravel()) or "nothing"


def results() -> dict[str, dict[str, str]]:
    """Return what was judged so far: exercise number -> exercise, state, remark."""
    return {number: dict(result) for number, result in sorted(_results.items())}


def summary() -> pd.DataFrame:
    """Return one row an exercise: its title and whether it is done."""
    return pd.DataFrame.from_dict(results(), orient="index", columns=["exercise", "state"]).rename_axis("number")
