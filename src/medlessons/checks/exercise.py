"""What all checks share: run the student's code, find the mistake, remember the result."""

import dis
import inspect
import re
import traceback
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd

from medlessons.wording import _

_results: dict[str, dict[str, str]] = {}

NOT_DONE = _("not done yet.")
NOTHING_BACK = _(
    "it returns None: end every way through the function with `return` and the result. (print, compile, sort and "
    "shuffle return None.)"
)
# fmt: off
CAUSES = {  # of an exception: a pattern in its text, and what it means
    "name 'y_true'": _("An inner function is returned by its name alone, without brackets."),
    "not defined": _("No variable has this name here: is it one of the function's arguments?"),
    "truth value": _("`and`, `or`, `not`, `if` and a < b < c ask for one True or False. Join arrays with &, | and ~, "
                     "with brackets around each comparison, or ask .all() or .any()."),
    "NoneType": _("Something here is None: shuffle, sort, append, print and compile return None, so do not keep their "
                  "result."),
    "IndexError": _("It counts too far: n things have the numbers 0 to n - 1."),
    "KeyError": _("The table that it was given has no such name: take names from the arguments."),
    "larger sample": _("More are to be drawn than there are: was the number of images taken for that of patients?"),
    "each class": _("A splitter is asked with rows, diagnoses, groups, in this order."),
    "of groups": _("There are too few groups: only rows that are equal in every column belong together."),
    "broadcast|core dimension": _("Two arrays do not fit together: print their shapes. Was an axis wrong, or missing?"),
    "pool_size": _("A pooling needs its size: write layers.AveragePooling2D(2, padding=\"same\")."),
    "inhomogeneous": _("The parts have different lengths: join them with np.concatenate."),
    r"for \^": _("`^` is no power in Python: write **."),
    "Cannot cast": _("An array of whole numbers cannot take decimals: make floats first, with .astype(float)."),
    "integer": _("A whole number is asked for here: round(...), or divide with //."),
    "many values": _("There are more parts than names for them: is a next(...) missing, or a loop?"),
    "unhashable": _("`in` and sets take single values, not whole arrays or columns: use isin, or a set of the values."),
    "'DataFrame' object": _("A column whose name is in a variable is table[name], not table.name."),
    "have value": _("A layer with weights is used again, on other maps: make a new one each time."),
    "symbolic KerasTensor": _("A layer is made first, then called: layers.ReLU()(maps), with two pairs of brackets."),
    "not callable": _("Round brackets call a function; square brackets take a part of an array."),
    "incompatible shapes": _("Here the maps are added, as in a ResNet: a dense block joins them, with Concatenate."),
    "matching shapes": _("Maps that are joined keep their height and width, padding='same', and are joined along the "
                         "last axis, as Concatenate() does."),
    "min_ndim=4": _("An image has three axes, rows, columns and channels: the shape of the input is (size, size, 1)."),
}
SPLIT = {  # tests of the training and the test rows that a function makes of a table, and of the table
    _("it should return two tables: the training rows and the test rows."):
        lambda parts, table: not isinstance(parts, tuple | list) or len(parts) != 2,
    _("these are arrays, not tables: take the rows, with table.iloc[positions] or table[mask]."):
        lambda parts, table: not all(isinstance(part, pd.DataFrame) for part in parts),
    _("the column {found} is lost: return whole rows."):
        lambda parts, table: next((column for column in table for part in parts if column not in part), None),
    _("the rows have new numbers: leave reset_index out, since the lesson finds what belongs to a row by its number."):
        lambda parts, table: not all(part[[*table]].equals(table.reindex(part.index)) for part in parts),
    _("the column {found} is new: return the rows as they are."):
        lambda parts, table: next((column for part in parts for column in part if column not in table), None),
    _("the same row is on both sides."): lambda parts, table: {*parts[0].index} & {*parts[1].index},
    _("rows are lost: every row belongs to the training or to the test set, with its index kept."):
        lambda parts, table: {*parts[0].index, *parts[1].index} != {*table.index},
}
# fmt: on


class Mistake(Exception):
    """A wrong answer; the text is the sentence that names it."""


class Untouched(BaseException):
    """The stub is as it was handed out: it gives ``None`` or ``...``."""


def grade(number: str, title: str, reference: Any, find_mistake: Callable[[Any], str | None], student: Any) -> Any:
    """Grade one exercise, print the verdict and remember it.

    Parameters
    ----------
    number, title : str
        Which exercise, such as ``"1.2"`` and ``"Count the parameters"``.
    reference : object
        The right answer; it is handed back when the student's one is missing or wrong.
    find_mistake : callable
        Takes the student's object and returns ``None`` if it is right, else one sentence that names the mistake
        (or raises it as a `Mistake`). An exception that the student's code raises, or its ``sys.exit()``, is reported.
    student : object
        What the student wrote: a function or a value. ``None`` and ``...`` mean: not done. It comes last, so that
        ``partial(grade, ...)`` with all the others is a check.

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
        mistake = _stopped(error, student)
    if mistake and mistake is not NOT_DONE:
        names = [name for name in map("`{}`".format, unused(student)) if name not in mistake]
        mistake += " " + _("Your function does not use {names}.").format(names=", ".join(names)) if names else ""
    state = "done" if mistake is None else "not done" if mistake is NOT_DONE else "mistake"
    _results[number] = {"exercise": title, "state": state, "remark": mistake or ""}
    if state == "done":
        print(_("Exercise {number}, {title}: done, well done!").format(number=number, title=title))
        return student
    verdict = _("Exercise {number}, {title}: {mistake} The lesson goes on with the reference solution.")
    print(verdict.format(number=number, title=title, mistake=mistake))
    return reference


def _probe(student: Any, stub: bool = True) -> Any:
    if inspect.isroutine(student):  # not every callable: a network that a student's function returns stays a network
        return wraps(student)(lambda *given, **named: _probe(student(*given, **named), _is_stub(student)))
    if student is None or student is Ellipsis:
        raise Untouched if stub else Mistake(NOTHING_BACK)
    return student


def _is_stub(function: Callable) -> bool:
    """Tell whether a function does nothing but give ``None`` or ``...``."""
    steps = list(dis.get_instructions(function)) if hasattr(function, "__code__") else [None]
    values = [step.argval for step in steps if step and step.opname in ("LOAD_CONST", "RETURN_CONST")]
    idle = {"LOAD_CONST", "RETURN_CONST", "RESUME", "NOP", "RETURN_VALUE"}
    return all(step and step.opname in idle for step in steps) and set(values) <= {None, Ellipsis}


def unused(student: Any) -> list[str]:
    """Return the arguments that a student's function never reads, if it is more than a stub."""
    student = inspect.unwrap(student) if callable(student) else student
    code = getattr(student, "__code__", None)
    if not code or _is_stub(student):
        return []
    read = [step.argval for step in dis.get_instructions(code) if "LOAD" in step.opname]
    read = {name for names in read for name in (names if isinstance(names, tuple) else [names])}
    return [name for name in code.co_varnames[: code.co_argcount] if name not in read]


def _stopped(error: BaseException, student: Any) -> str:
    """Say with what a student's code stopped, at which of its lines, and what this usually means."""
    reason = ": ".join(filter(None, [type(error).__name__, str(error).rstrip(".")]))
    file = getattr(getattr(student, "__code__", None), "co_filename", None)
    lines = [frame.line for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    sentence = _("your code stopped with {reason}, at `{line}`.") if lines else _("your code stopped with {reason}.")
    cause = next((cause for words, cause in CAUSES.items() if re.search(words, reason)), "")
    return " ".join(filter(None, [sentence.format(reason=reason, line=(lines or [""])[-1]), cause]))


def call(function: Callable, *given: Any) -> Any:
    """Return what a student's function makes of copies; if it changes one of them, that is a `Mistake`."""
    copies = deepcopy(given)
    value = function(*copies)
    changed = [place for place, pair in enumerate(zip(given, copies, strict=True)) if _differ(*pair)]
    if changed:
        name = [*inspect.signature(function).parameters][changed[0]]
        raise Mistake(
            _("it changes `{name}`, so a second call would give something else: work on a copy.").format(name=name)
        )
    return value


def _differ(before: Any, after: Any) -> bool:
    """Tell whether an array, a table or a list is no longer what it was."""
    if isinstance(before, np.ndarray):
        return not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if isinstance(before, pd.DataFrame | pd.Series):
        return not before.equals(after)
    return isinstance(before, list) and str(before) != str(after)


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


def same(value: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-7) -> bool:
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
