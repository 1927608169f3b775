"""What all checks share: run the student's code, find the mistake, remember the result."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from medlessons.wording import _

_results: dict[str, dict[str, str]] = {}

NOT_DONE = _("not done yet.")


class Mistake(Exception):
    """A wrong answer; the text is the sentence that names it."""


class Untouched(BaseException):
    """The stub is as it was handed out: it gives ``None`` or ``...``."""


def grade(
    number: str,
    title: str,
    student: Any,
    reference: Any,
    find_mistake: Callable[[Any], str | None],
) -> Any:
    """Grade one exercise, print the verdict and remember it.

    Parameters
    ----------
    number, title : str
        Which exercise, such as ``"1.2"`` and ``"Count the parameters"``.
    student : object
        What the student wrote: a function or a value. ``None`` and ``...`` mean: not done.
    reference : object
        The right answer; it is handed back when the student's one is missing or wrong.
    find_mistake : callable
        Takes the student's object and returns ``None`` if it is right, else one sentence that names the mistake
        (or raises it as a `Mistake`). An exception that the student's code raises, or its ``sys.exit()``, is reported.

    Returns
    -------
    object
        ``student`` if it is right, otherwise ``reference``.
    """
    try:
        mistake = find_mistake(_probe(student))
    except Untouched:
        mistake = NOT_DONE
    except Mistake as error:
        mistake = str(error)
    except (Exception, SystemExit) as error:
        reason = ": ".join(filter(None, [type(error).__name__, str(error)]))
        mistake = _("your code stopped with {reason}.").format(reason=reason)
    state = "done" if mistake is None else "not done" if mistake is NOT_DONE else "mistake"
    _results[number] = {"exercise": title, "state": state, "remark": mistake or ""}
    if state == "done":
        print(_("Exercise {number}, {title}: done, well done!").format(number=number, title=title))
        return student
    verdict = _("Exercise {number}, {title}: {mistake} The lesson goes on with the reference solution.")
    print(verdict.format(number=number, title=title, mistake=mistake))
    return reference


def _probe(student: Any) -> Any:
    if inspect.isroutine(student):  # not every callable: a network that a student's function returns stays a network
        return lambda *arguments, **named: _probe(student(*arguments, **named))
    if student is None or student is Ellipsis:
        raise Untouched
    return student


def first_true(table: Mapping[str, Callable], /, *facts: Any, **places: Any) -> str | None:
    """Return the first sentence of a table whose test finds something, or ``None``.

    Parameters
    ----------
    table : mapping
        From each sentence to its test, a function of `facts`; later tests may rely on earlier ones finding nothing.
    *facts : object
        What the tests look at.
    **places : object
        What fills the named places of the sentence; ``{found}`` is what the test returned.
    """
    for sentence, test in table.items():
        found = test(*facts)
        if found:
            return sentence.format(**{"found": found} | places)
    return None


def same(value: Any, expected: Any, rtol: float = 1e-6, atol: float = 1e-9) -> bool:
    """Tell whether two numbers or arrays agree in shape and, within `rtol` and `atol`, in value; nan equals nan."""
    try:
        value = np.asarray(value)
        if value.dtype.kind in "USO" and any(isinstance(part, str | bytes) for part in value.ravel()):
            return False
        value = value.astype(float)
    except (TypeError, ValueError):
        return False
    expected = np.asarray(expected, dtype=float)
    return value.shape == expected.shape and np.allclose(value, expected, rtol=rtol, atol=atol, equal_nan=True)


def plain(value: Any) -> str:
    """Return at most six numbers as text without the names of their types: ``0.75, 0.5``, not ``np.float64(0.75)``."""
    try:
        numbers = np.asarray(value, dtype=float).ravel()
    except (TypeError, ValueError):
        return repr(value)
    return ", ".join([f"{number:.6g}" for number in numbers[:6]] + ["..."] * (numbers.size > 6)) or "nothing"


def results() -> dict[str, dict[str, str]]:
    """Return what was graded so far: exercise number -> exercise, state, remark."""
    return {number: dict(result) for number, result in sorted(_results.items())}


def summary() -> pd.DataFrame:
    """Return one row per exercise: its title and whether it is done."""
    return pd.DataFrame.from_dict(results(), orient="index", columns=["exercise", "state"]).rename_axis("number")
