"""Each mistake in the tables of exercises that are graded by numbers is named, and what no table explains, too."""

import re

import numpy as np
import pytest

from medlessons.checks import anemia, covid, evaluation, findings, orientation
from medlessons.checks.numbers import Exercise

TABLES = [
    exercise
    for module in (anemia, orientation, findings, covid, evaluation)
    for exercise in vars(module).values()
    if isinstance(exercise, Exercise)
]
MISTAKES = [(exercise, sentence, wrong) for exercise in TABLES for sentence, wrong in exercise.wrong_answers()]
WRITTEN_AS = {  # by a student, where a mistake is not yet what the exercise asks for
    anemia.check_scale: lambda wrong: lambda train, test: (anemia.scale(train, test)[0], wrong(train, test)),
    findings.check_weighted_loss: lambda wrong: (
        lambda pos, neg, epsilon=1e-7: lambda true, guess: wrong(pos, neg, epsilon, np.array(true), np.array(guess))
    ),
}


def says(sentence, said):
    """Tell whether the sentence was said, whatever its named places were filled with."""
    return re.search(".*".join(map(re.escape, re.split(r"\{[^}]*\}", sentence))), said)


@pytest.mark.parametrize(
    ("exercise", "sentence", "wrong"), MISTAKES, ids=[f"{row[0].number}-{row[1]}" for row in MISTAKES]
)
def test_each_mistake_of_a_table_is_named_and_the_reference_handed_back(exercise, sentence, wrong, capsys):
    student = WRITTEN_AS.get(exercise, lambda wrong: wrong)(wrong)
    assert exercise(student) is exercise.reference
    said = capsys.readouterr().out
    assert says(sentence, said), said
    assert "np." not in said.split(sentence[-20:])[-1]


@pytest.mark.parametrize("exercise", TABLES, ids=[exercise.number for exercise in TABLES])
def test_a_table_accepts_its_reference(exercise, capsys):
    assert exercise(exercise.reference) is exercise.reference
    assert "well done" in capsys.readouterr().out


def power(base, exponent, *, start=1):
    return float(start * base**exponent)


POWER = Exercise(
    "9.9",
    "A power",
    power,
    cases={
        "{base} to the power of {exponent} gives {value}, expected was {expected}.": [(2, 3), (3, 2)],
        "it goes wrong at 0.": [(2, 0)],
    },
    mistakes={"start with 1.": {"start": 2}, "this is a product.": lambda base, exponent: base * exponent},
)


@pytest.mark.parametrize(
    ("student", "words"),
    [
        (lambda base, exponent: base**exponent, "well done"),
        (lambda base, exponent: 2 * base**exponent, "start with 1."),
        (lambda base, exponent: 6, "this is a product."),  # in the first case
        (lambda base, exponent: base**exponent if base == 2 else 6, "this is a product."),  # in the first wrong case
        (lambda base, exponent: base**exponent if exponent else 0, "it goes wrong at 0."),
        (lambda base, exponent: base**exponent if exponent else 1 / 0, "it goes wrong at 0."),
        (lambda base, exponent: 1 / 0, "stopped with ZeroDivisionError"),
        (lambda base, exponent: 5, "2 to the power of 3 gives 5, expected was 8."),
        (lambda base, exponent: "8", "these are texts"),
        (lambda base, exponent: [base**exponent], "return the number itself"),
        (lambda base, exponent: np.nan, "not a number (nan)"),
        (lambda base, exponent: [[1, 2], [3]], "different lengths"),
        (lambda base, exponent: None, "not done yet"),
        (None, "not done yet"),
    ],
)
def test_what_the_engine_says(student, words, capsys):
    POWER(student)
    assert words in capsys.readouterr().out


def test_a_mistake_that_must_explain_all_cases_is_not_named_for_one(capsys):
    together = Exercise("9.9", "A power", power, POWER.cases, POWER.mistakes, together=True)
    together(lambda base, exponent: 6)
    assert "gives 6, expected was 8" in capsys.readouterr().out


SHARES = Exercise(
    "9.9",
    "Two shares",
    lambda part, rest: (part / (part + rest), rest / (part + rest)),
    cases={"{value} is wrong, expected was {expected}.": [(1, 2), (6, 1)]},
    mistakes={"`part` is a table.": lambda part, rest: part["all"]},
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda both: 100 * both, "100 times too large"),
        (lambda both: both / 100, "100 times too small"),
        (lambda both: -both, "the sign is turned"),
        (lambda both: both.round(3), "rounded"),
        (np.floor, "not with //"),
        (lambda both: 1 / both, "upside down"),
        (lambda both: both[0], "at its first `return`"),
        (lambda both: both[:1], "a part of the result is missing"),
        (np.mean, "the mean of the results"),
        (np.sum, "the sum of the results"),
        (lambda both: both[:, None], "has the shape (2, 1); expected was (2,)"),
        (lambda both: {"part": both[0]}, "an object of the type dict"),
        (lambda both: both / 3, "is wrong, expected was 0.333333"),
        (lambda both: 1 - both, "1 minus what was expected"),
        (lambda both: [1][0]["all"], "`part` is a table."),  # it stops as the mistake does
    ],
)
def test_a_mistake_of_any_exercise_is_named(change, words, capsys):
    SHARES(lambda part, rest: change(np.array(SHARES.reference(part, rest))))
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda three: three / three.sum(), "every number is 0.1667 times what was expected"),
        (lambda three: three - 0.5, "every number differs by -0.5 from what was expected"),
        (lambda three: three > 1, "0, 1, 1 is wrong"),
    ],
)
def test_what_all_numbers_have_in_common_is_told(change, words, capsys):
    Exercise("9.9", "Three", lambda n: np.arange(n) + 1.0, {"{value} is wrong": [(3,)]}, {})(
        lambda n: change(np.arange(n) + 1.0)
    )
    assert words in capsys.readouterr().out


def test_what_takes_no_notice_of_its_arguments_is_told_so_and_no_more(capsys):
    SHARES(lambda part, rest: (0, 0))
    assert "expected was 0.333333, 0.666667. Your function does not use `part`, `rest`." in capsys.readouterr().out
