"""The scores of a class as a table for a grade book: a row per student, a column per exercise."""

import io
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

import pandas as pd

from medlessons.errors import LessonError
from medlessons.wording import _

# The name of the student and a number, in the name of the file or of its folder
MOODLE = r"^(.+?)_(\d+)_assignsubmission_"
CANVAS = r"^([^_]+)(?:_LATE)?_(\d+)_\d+_"


def wide(scores: str, names: str | None = None) -> str:
    """Return the scores of a class with a row per student.

    Parameters
    ----------
    scores : str
        The CSV that :func:`classroom.scoring.write_scores` writes.
    names : str
        A regular expression that finds the student's name in the path of a notebook: its first group, or all of it.
        Unless given, the names that Moodle and Canvas give to files are known, and students of the same name are told
        apart by their numbers. Where nothing is found, the path stands.

    Returns
    -------
    str
        A CSV: ``student``, a column per exercise with its state (of several notebooks of a student, ``done`` wins),
        ``total`` (exercises done), and ``remark`` (what is to be said of the whole notebook).

    Raises
    ------
    LessonError
        If `names` is no regular expression.
    """
    table = pd.read_csv(io.StringIO(scores), dtype=str, keep_default_na=False)
    found = students(table["notebook"].unique(), names)
    table["student"] = table["notebook"].map(found)
    judged = table[table["number"] != ""]
    states = judged.groupby(["student", "number"])["state"].agg(_best).unstack(fill_value="")
    states = states[sorted(states, key=lambda number: [int(part) for part in re.findall(r"\d+", number)])]
    rest = table[table["number"] == ""]
    remarks = (rest["state"] + ": " + rest["remark"]).groupby(rest["student"]).agg(" ".join)
    states = states.reindex(dict.fromkeys(found.values()), fill_value="")
    return states.assign(total=(states == "done").sum(axis=1).astype(int), remark=remarks).to_csv(index_label="student")


def students(paths: Iterable[str], names: str | None = None) -> dict[str, str]:
    """Return the name of the student who handed in each file, as :func:`wide` says.

    Two students of the same name differ in the number that Moodle or Canvas wrote after it, in the same folder.
    """
    found = {path: student(path, names) for path in paths}
    numbers = {}
    for folder, name, number in found.values():
        numbers.setdefault((folder, name), set()).add(number)
    shared = {name for (_folder, name), different in numbers.items() if len(different) > 1}
    return {path: f"{name} {number}" if name in shared else name for path, (_folder, name, number) in found.items()}


def student(path: str, names: str | None = None) -> tuple[str, str, str]:
    """Return where a student's file or folder lies, the name in it, and the number after the name, if there is one."""
    whole = PurePath(unicodedata.normalize("NFC", path))
    if names:
        match = _search(names, whole.as_posix())
        return "", match[bool(match.re.groups)] if match else path, ""
    for part in [whole, whole.parent]:
        for pattern in (MOODLE, CANVAS):
            if match := re.search(pattern, part.name):
                return str(part.parent), match[1], match[2]
    return "", path, ""


def _search(names: str, path: str) -> re.Match | None:
    try:
        return re.search(names, path)
    except re.error as error:
        says = _("--names {names!r} is no regular expression ({reason}). Try --names '([^/]+)_hw'.")
        raise LessonError(says.format(names=names, reason=error)) from error


def _best(states: pd.Series) -> str:
    return "done" if "done" in set(states) else states.iloc[-1]
