"""One CSV file of blood counts, checked to the last cell: the published one, or own data in the same schema.

The format is described in data/README.md.
"""

import codecs
import csv
import io

import pandas as pd

from medlessons import blood_counts, files
from medlessons.blood_counts import DIAGNOSES, LIMITS, MEASUREMENTS
from medlessons.data import text
from medlessons.errors import LessonError
from simclinic import blood

FILE = "diagnosed_cbc_data_v4.csv"
PUBLISHED_MD5 = "c6375e974d730a42b53160614237ddf0"
PUBLISHED_FIRST_ROW_MD5 = "7a7950815b614b5829c4ed6c02029be8"
COLUMNS = (*MEASUREMENTS, "Diagnosis")
MINIMUM_ROWS = 100  # of own data: fewer cannot be split into training, validation and test sets
MINIMUM_ROWS_PER_DIAGNOSIS = 5
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # instead of commas
NO_VALUE = ("", "na", "n/a", "nan", "null", "none", "-")
FETCH = "`medlessons data fetch anemia`"
NEXT_STEP = f"Fetch it again with {FETCH}, or put your own blood counts there."


def check(content: bytes, file: str) -> pd.DataFrame:
    """Return the table that a CSV file holds: the published one, or own data in the same schema.

    Parameters
    ----------
    content : bytes
        The whole file.
    file : str
        Its name, for the messages.

    Returns
    -------
    DataFrame, shape (rows, 15)
        The 14 measurements in the published order and units, and `Diagnosis`. ``attrs["name"]`` is "published data" or
        "own data".

    Raises
    ------
    LessonError
        On the first thing that is wrong: the file, the column, the line of the file (the header is line 1), what was
        expected, and what to do.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    if files.md5(content.replace(b"\r\n", b"\n")) == PUBLISHED_MD5:
        return read(content, "published data")
    lines = _split_cells(text.decode(content, file, NEXT_STEP), file)
    table = pd.DataFrame(lines[1:], columns=lines[0])
    table.index += 2  # the line in the file
    _refuse_changed_copy(table, file)
    known = {_key(diagnosis): diagnosis for diagnosis in DIAGNOSES}
    table["Diagnosis"] = [known.get(_key(diagnosis), diagnosis) for diagnosis in table["Diagnosis"]]
    _check_diagnoses(table, file)
    for column in MEASUREMENTS:
        table[column] = _as_numbers(table[column], file)
    _check_units(table, file)
    for column in MEASUREMENTS:
        _check_limits(table[column], file)
    _check_size(table, file)
    table = table[list(COLUMNS)].reset_index(drop=True)
    table.attrs["name"] = "own data"
    return table


def read(content: bytes, name: str) -> pd.DataFrame:
    """Return the table of a file that is known to be sound; ``name`` says whose data they are."""
    table = pd.read_csv(io.BytesIO(content))
    table.attrs["name"] = name
    return table


# ---------------------------------------------------------------------------------------------------------
# Cells


def _split_cells(text: str, file: str) -> list[list[str]]:
    """Return the cells of every line, header first, after checking that the columns are those of the schema."""
    header = text.splitlines()[0]
    for delimiter, name in DELIMITERS.items():
        if delimiter in header:
            raise LessonError(
                f"{file}, line 1: the columns are separated by {name}, but commas were expected. The decimals may be "
                f"destroyed as well: fetch the file again with {FETCH}, or save your own with "
                "commas and decimal points."
            )
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines(), strict=True)]
    except csv.Error as error:
        raise LessonError(f"{file}: the text cannot be read as CSV ({error}). Check its quotation marks.") from error
    while len(lines) > 1 and not any(lines[-1]):
        lines.pop()  # blank lines at the end do no harm, nor those with commas only
    _check_header(lines[0], file)
    for number, line in enumerate(lines, start=1):
        if len(line) != len(COLUMNS):
            raise LessonError(
                f"{file}, line {number}: {len(line)} cells instead of {len(COLUMNS)}. The file may be cut off, or a "
                f"decimal comma split a number. Mend the line, or fetch it again with {FETCH}."
            )
    return lines


def _check_header(names: list[str], file: str) -> None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        few = f"the column {', '.join(missing)} is"
        many = f"{len(missing)} of the {len(COLUMNS)} column names are"
        raise LessonError(
            f"{file}, line 1: {few if len(missing) <= 3 else many} missing. Expected were: {', '.join(COLUMNS)}, "
            "with just these upper and lower case letters."
        )
    repeated = [name for name in COLUMNS if names.count(name) > 1]
    if repeated:
        raise LessonError(f"{file}, line 1: the column {', '.join(repeated)} stands there twice. Remove one of them.")
    extra = [name or "(no name)" for name in names if name not in COLUMNS]
    if extra:
        raise LessonError(
            f"{file}, line 1: the column {', '.join(extra)} is not part of the set. Remove it; expected were: "
            f"{', '.join(COLUMNS)}."
        )


# ---------------------------------------------------------------------------------------------------------
# From cells to blood counts


def _refuse_changed_copy(table: pd.DataFrame, file: str) -> None:
    """Refuse the published file if rows are missing, added or changed: it begins like the published one."""
    if table.empty or _row_md5(table.iloc[0]) != PUBLISHED_FIRST_ROW_MD5:
        return
    what = "changed values"
    if len(table) != blood.ROWS:
        what = f"{len(table):,} rows instead of {blood.ROWS:,}"
    if len(table) > blood.ROWS:
        strangers = sorted(set(table["Diagnosis"]) - set(DIAGNOSES))
        what += f" and {len(strangers)} diagnoses that the set does not have" * bool(strangers)
    raise LessonError(
        f"{file}: this is a changed copy of the published file, with {what}. Fetch the file again with {FETCH}."
    )


def _row_md5(row: pd.Series) -> str:
    """Return a checksum of a row's numbers that does not depend on how they are written (10 or 10.0)."""
    try:
        return files.md5(repr([float(row[column]) for column in MEASUREMENTS]).encode())
    except ValueError:
        return ""


def _check_diagnoses(table: pd.DataFrame, file: str) -> None:
    diagnoses = table["Diagnosis"]
    expected = f"is not one of the nine diagnoses{{further}}. Expected is one of: {', '.join(DIAGNOSES)}."
    _refuse(diagnoses[~diagnoses.isin(DIAGNOSES)], file, "{value!r} " + expected)


def _as_numbers(cells: pd.Series, file: str) -> pd.Series:
    """Return a column as numbers; every cell must be one."""
    numbers = pd.to_numeric(cells, errors="coerce")
    empty = cells[cells.str.lower().isin(NO_VALUE)]
    _refuse(empty, file, "there is no value{further}. Nothing may be missing: fill it in, or remove the row.")
    text = cells[numbers.isna()]
    _refuse(text, file, "{value!r} is not a number{further}. Write a decimal point, such as 12.5, and no unit.")
    return numbers.astype(float)


def _check_limits(numbers: pd.Series, file: str) -> None:
    low, high = LIMITS[numbers.name]
    outside = numbers[(numbers < low) | (numbers > high)]
    if len(outside):
        reason, remedy = blood_counts.explain_value(numbers.name, outside.iloc[0])
        expected = f"{low:g} to {high:g} {blood_counts.COLUMNS.at[numbers.name, 'unit']}{remedy}"
        _refuse(outside, file, f"{{value:g}} {reason}{{further}}. Expected is {expected}.")


def _key(diagnosis: str) -> str:
    return text.key(diagnosis).replace("ae", "e")  # anaemia, leukaemia


def _check_units(table: pd.DataFrame, file: str) -> None:
    found = blood_counts.find_column_unit(table)
    if found:
        column, factor, name = found
        remedy = f"divide by {factor:g}" if factor > 1 else f"multiply by {1 / factor:.3g}"
        normal = " or ".join(dict.fromkeys(blood_counts.COLUMNS.loc[column, ["women", "men"]]))
        raise LessonError(
            f"{file}, column {column}: its median is {table[column].median():.4g}, and compared with the other columns "
            f"it looks like {name}, not {blood_counts.COLUMNS.at[column, 'unit']} ({normal} is normal). Convert the "
            f"whole column: {remedy}."
        )


def _refuse(wrong: pd.Series, file: str, message: str) -> None:
    """Raise LessonError with the first of the wrong cells, if there is one, and how many others there are."""
    if len(wrong):
        more = len(wrong) - 1
        further = f" (and {more} further row{'s' * (more > 1)})" * (more > 0)
        said = message.format(value=wrong.iloc[0], further=further)
        raise LessonError(f"{file}, line {wrong.index[0]}, column {wrong.name}: {said}")


def _check_size(table: pd.DataFrame, file: str) -> None:
    if len(table) < MINIMUM_ROWS:
        rows = "1 row" if len(table) == 1 else f"{len(table)} rows"
        raise LessonError(
            f"{file}: {rows} of blood counts; at least {MINIMUM_ROWS} are needed to train and to test. Add rows."
        )
    counts = table["Diagnosis"].value_counts()
    if len(counts) == 1:
        raise LessonError(
            f"{file}, column Diagnosis: every row is {counts.index[0]}, but at least two diagnoses are needed to tell "
            "them apart. Add rows of another one."
        )
    if counts.min() < MINIMUM_ROWS_PER_DIAGNOSIS:
        raise LessonError(
            f"{file}, column Diagnosis: {counts.idxmin()} occurs {counts.min()} times; at least "
            f"{MINIMUM_ROWS_PER_DIAGNOSIS} rows are needed to train and to test. Add rows, or leave this diagnosis out."
        )
