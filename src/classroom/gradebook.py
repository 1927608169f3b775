"""The scores of a class as a table for a grade book: a row per student, a column per exercise."""

import io
import re
from pathlib import PurePath

import pandas as pd

from medlessons.errors import LessonError
from medlessons.wording import _

MOODLE = r"^(.+?)_\d+_assignsubmission_"  # of the file, or of its folder
CANVAS = r"^([^_]+)(?:_LATE)?_\d+_\d+_"


def wide(scores: str, names: str | None = None) -> str:
    """Return the scores of a class with a row per student.

    Parameters
    ----------
    scores : str
        The CSV that :func:`classroom.scoring.write_scores` writes.
    names : str
        A regular expression that finds the student's name in the path of a notebook: its first group, or all of it.
        Unless given, the names that Moodle and Canvas give to files are known. Where nothing is found, the path stands.

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
    found = {path: student(path, names) for path in table["notebook"].unique()}
    table["student"] = table["notebook"].map(found)
    judged = table[table["number"] != ""]
    states = judged.groupby(["student", "number"])["state"].agg(_best).unstack(fill_value="")
    states = states[sorted(states, key=lambda number: [int(part) for part in re.findall(r"\d+", number)])]
    rest = table[table["number"] == ""]
    remarks = (rest["state"] + ": " + rest["remark"]).groupby(rest["student"]).agg(" ".join)
    states = states.reindex(dict.fromkeys(found.values()), fill_value="")
    return states.assign(total=(states == "done").sum(axis=1).astype(int), remark=remarks).to_csv(index_label="student")


def student(path: str, names: str | None = None) -> str:
    """Return the name of the student who handed in the file `path`, as :func:`wide` says."""
    try:
        if names:
            tried = [re.search(names, PurePath(path).as_posix())]
        else:
            parts = PurePath(path).parts[:-3:-1]  # the file and its folder
            tried = [re.search(pattern, part) for part in parts for pattern in (MOODLE, CANVAS)]
    except re.error as error:
        says = _("--names {names!r} is no regular expression ({reason}). Try --names '([^/]+)_hw'.")
        raise LessonError(says.format(names=names, reason=error)) from error
    match = next(filter(None, tried), None)
    return match[bool(match.re.groups)] if match else path


def _best(states: pd.Series) -> str:
    return "done" if "done" in set(states) else states.iloc[-1]
