"""Exercises that are graded by numbers: cases, one reference formula, and a table of classic mistakes."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from medlessons.checks.exercise import Mistake, call, first_true, grade, plain, same, unused
from medlessons.wording import _

# fmt: off
GENERAL = {  # mistakes of any exercise: the sentence, and what the right result became
    _("every number is 100 times too large: shares (0 to 1) and percent (0 to 100) are mixed up."):
        [lambda right: right * 100],
    _("every number is 100 times too small: shares (0 to 1) and percent (0 to 100) are mixed up."):
        [lambda right: right / 100],
    _("this is 1 minus what was expected: the opposite share."): [lambda right: 1 - right],
    _("the sign is turned: every number has a minus too many, or one too few."): [lambda right: -right],
    _("the numbers are rounded: return them as they are."):
        [partial(np.round, decimals=digits) for digits in (4, 3, 2, 1)],
    _("the decimals are cut off: divide with / and not with //, leave int() out, and collect the results in an array "
      "of floats."): [np.trunc, np.floor, np.round],
    _("this is upside down: 1 divided by what was expected."): [lambda right: 1 / right],
    _("only one of the results comes back: a function ends at its first `return`. Return all of them together."):
        [lambda right: right[0], lambda right: right[-1], lambda right: right[0, 0]],
    _("a part of the result is missing: does a loop or a slice begin too late or end too early?"):
        [lambda right, part=part: right[part] for part in
         (*np.s_[:-1, 1:, :1], *(np.s_[:, cut] for cut in np.s_[:-1, 1:, :1]))],
    _("this is the mean of the results: return them one by one."): [np.mean],
    _("this is the sum of the results: return them one by one."): [np.sum],
    _("rows and columns of the result are swapped."): [np.transpose],
}
KINDS = {  # of a wrong result that no mistake explains: the sentence, and a test of the result and the expected one
    _("it returns an object of the type {found}: return numbers."):
        lambda value, expected: np.asarray(value).dtype == object and not np.ndim(value) and type(value).__name__,
    _("these are texts: return the values themselves, without quotation marks."):
        lambda value, expected: np.asarray(value).dtype.kind in "US",
    _("this is an array or a list with the right number in it: return the number itself."):
        lambda value, expected: np.ndim(expected) == 0 and same(np.squeeze(value), expected),
    _("these are parts of the result: add them up."):
        lambda value, expected: np.ndim(expected) == 0 and np.ndim(value) and same(np.sum(value), expected),
    _("the numbers are right, but their array has the shape {shape}; expected was {wanted}."):
        lambda value, expected: same(np.ravel(value), np.ravel(expected)),
    _("the numbers are right, but in another order."):
        lambda value, expected: np.asarray(value).dtype.kind in "fiu"
        and same(np.sort(value, axis=None), np.sort(expected, axis=None)),
    _("every number is {found:.4g} times what was expected: is it divided or multiplied by something?"):
        lambda value, expected: _same_everywhere(np.divide, value, expected),
    _("every number differs by {found:.4g} from what was expected: is something added or subtracted?"):
        lambda value, expected: _same_everywhere(np.subtract, value, expected),
    _("the result has the shape {shape}; expected was {wanted}."):
        lambda value, expected: np.ndim(expected) > 1 and np.shape(value) != np.shape(expected),
    _("this is not a number (nan): is there a root of a negative number, or a division by 0?"):
        lambda value, expected: np.asarray(value).dtype.kind == "f" and np.isnan(value).any(),
}
# fmt: on


def _same_everywhere(compare: Callable, value: Any, expected: Any) -> float:
    """Return by what factor, or how much, three numbers or more are all off, or 0."""
    numbers = np.asarray(value).dtype.kind in "fiu" and np.asarray(expected).dtype != bool
    if not numbers or np.shape(value) != np.shape(expected) or np.size(value) < 3 or not np.ptp(value):
        return 0
    ratios = compare(value, expected, where=np.not_equal(expected, 0), out=np.full(np.shape(value), np.nan))
    return np.nanmean(ratios) if np.nanstd(ratios) <= 1e-4 * abs(np.nanmean(ratios)) else 0


def _of_wrong_kind(value: Any, expected: Any) -> str | None:
    """Say that a result is no True or False, or a list or a table: the lesson could not go on with it."""
    kind = type(value).__name__
    if isinstance(expected, bool):
        sentence = _("one answer is asked for, True or False; it returns {value}, which is of the type {kind}.")
        return None if isinstance(value, bool | np.bool_) else sentence.format(value=plain(value), kind=kind)
    if np.ndim(expected) > 1 and isinstance(expected, np.ndarray):
        if not isinstance(value, np.ndarray) and (not hasattr(value, "numpy") or expected.dtype == bool):  # a tensor
            return _("it returns an object of the type {kind}: return a NumPy array.").format(kind=kind)
        if expected.dtype == bool and value.dtype != bool:
            return _("these are numbers, 0 and 1: return True and False, as the comparison gives them.")
    return None


@dataclass(eq=False)
class Exercise:
    """An exercise as a table; calling it with the student's function grades it, as `grade` does.

    To name one more wrong answer, add a line to ``mistakes``. Every sentence may hold named places: the arguments of
    the case, the student's ``{value}`` and its ``{shape}``, and what was ``{expected}``.

    Parameters
    ----------
    number, title : str
        Such as ``"1.2"`` and ``"A neuron by hand"``.
    reference : callable
        What is handed back when the student's function is missing or wrong. Its keyword-only arguments, if it has any,
        are what classic mistakes change.
    cases : mapping
        From a sentence to a list of cases, each a tuple of arguments. The sentence is said where a result is wrong and
        no mistake explains it. A mistake explains it if it gives all the student's results or, unless `together`, the
        first wrong one, if this is a case of the first sentence.
    mistakes : mapping
        From a sentence to how the mistake is made: keywords of the formula, such as ``{"z": 2}``, and ``"then"``, a
        function of the result; or a function of the case; or a list of such.
    formula : callable
        What computes the expected results, if that is not the reference.
    answer : callable
        Takes the student's function and a case; returns what is compared, or raises a `Mistake`.
    rtol, atol : float
        How far results may be off, relative and absolute.
    """

    number: str
    title: str
    reference: Callable
    cases: Mapping[str, list[tuple]]
    mistakes: Mapping[str, Any]
    formula: Callable | None = None
    answer: Callable = lambda function, *given: function(*given)
    together: bool = False
    rtol: float = 1e-5
    atol: float = 1e-7

    def __post_init__(self):
        self.formula = self.formula or self.reference

    def __call__(self, student: Any) -> Any:
        """Grade the student's function; return it if it is right, else the reference."""
        return grade(self.number, self.title, self.reference, self.find_mistake, student)

    def wrong_answers(self) -> Iterator[tuple[str, Callable]]:
        """Yield each classic mistake: its sentence, and a function of a case that makes it."""
        for sentence, ways in self.mistakes.items():
            for way in ways if isinstance(ways, list) else [ways]:
                yield sentence, way if callable(way) else partial(self._deviate, way)

    def _deviate(self, way: Mapping[str, Any], *given: Any) -> Any:
        result = self.formula(*given, **{name: value for name, value in way.items() if name != "then"})
        return way["then"](result) if "then" in way else result

    @np.errstate(all="ignore")
    def find_mistake(self, function: Callable) -> str | None:
        """Return what is wrong with a student's function, or None."""
        done = []  # (the sentence of the case, the case, the student's result, the expected one)
        for sentence, cases in self.cases.items():
            for case in cases:
                try:
                    value = self.answer(partial(call, function), *deepcopy(case))
                except Mistake:
                    raise
                except Exception as error:
                    mistake = self._stopped(error, case)
                    if not mistake and done and all(map(self._right, done)) and sentence != done[0][0]:
                        mistake = sentence  # code that works, but not here, is told why this case is another one
                    if mistake:
                        return mistake.format(**self._places(case))
                    raise
                done.append((sentence, case, value, self.formula(*deepcopy(case))))
        wrong = [row for row in done if not self._right(row)]
        if not wrong or isinstance(done[0][3], bool):
            mistake = next(filter(None, (_of_wrong_kind(*row[2:]) for row in done)), None)
            if mistake or not wrong:
                return mistake
        return self._explain(done, wrong, {} if unused(function) else GENERAL)  # a constant fits some of them by chance

    def _stopped(self, error: Exception, case: tuple) -> str | None:
        """Return the mistake that stops with the same error, if there is one."""
        for mistake, wrong_answer in self.wrong_answers():
            try:
                wrong_answer(*deepcopy(case))
            except Exception as other:
                if repr(other) == repr(error):
                    return mistake
        return None

    def _right(self, row: tuple) -> bool:
        return same(*row[2:], self.rtol, self.atol)

    def _explain(self, done: list[tuple], wrong: list[tuple], general: Mapping[str, list]) -> str:
        sentence, case, value, expected = wrong[0]
        try:
            shape = np.shape(value)
        except ValueError:
            return _("its parts are of different lengths: is one of them a list where one number is asked for?")
        places = self._places(case) | {"value": plain(value), "shape": shape, "expected": plain(expected)}
        at_first = sentence == done[0][0]
        for rows in (done, wrong[:1] if at_first and not self.together else []):
            for mistake, wrong_answer in self.wrong_answers() if rows else []:
                if all(self._gives(row, wrong_answer, *deepcopy(row[1])) for row in rows):
                    return mistake.format(**places)
        for mistake, changes in general.items() if at_first and np.asarray(expected).dtype != bool else []:
            if any(all(self._gives(row, change, np.array(row[3])) for row in wrong) for change in changes):
                return mistake
        if at_first:
            sentence = first_true(KINDS, value, expected, shape=shape, wanted=np.shape(expected)) or sentence
        return sentence.format(**places)

    def _gives(self, row: tuple, wrong_answer: Callable, *given: Any) -> bool:
        try:
            wrong = wrong_answer(*given)
        except Exception:  # a mistake that stops the code, or that this result cannot have
            return False
        return same(row[2], wrong, self.rtol, self.atol)

    def _places(self, case: tuple) -> dict[str, Any]:
        named = zip(signature(self.formula).parameters, case, strict=False)
        return {name: plain(value) if isinstance(value, np.ndarray | list) else value for name, value in named}
