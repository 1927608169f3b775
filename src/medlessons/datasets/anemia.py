"""Blood counts and nine diagnoses (lesson 1): the embedded set, the published one, or an instructor's own.

The published set is "Anemia Types Classification", https://www.kaggle.com/datasets/ehababoelnaga/anemia-types-classification
(file ``diagnosed_cbc_data_v4.csv``). A file is known by its checksum; any other file in the same schema is
read as "own data" after every cell has been checked. The format is described in data/README.md.
"""

import csv
import io
import tempfile
from pathlib import Path

import pandas as pd

from medlessons import settings
from medlessons.datasets import download
from medlessons.errors import LessonError
from medlessons.simulate import blood

NAME = "anemia"
FILE = "diagnosed_cbc_data_v4.csv"
KAGGLE = "ehababoelnaga/anemia-types-classification"
PUBLISHED_MD5 = "c6375e974d730a42b53160614237ddf0"
PUBLISHED_FIRST_ROW_MD5 = "7a7950815b614b5829c4ed6c02029be8"
EMBEDDED_MD5 = "a107156eab2c9b0859dfcc04ac323d79"

PARAMETERS = blood.PARAMETERS
DIAGNOSES = tuple(blood.CLASS_COUNTS)  # in the order of how often they occur in the published set

COLUMNS = pd.DataFrame(
    [
        ("WBC", "white blood cells", "10^9/L", "4.0-11.0", "4.0-11.0", 0.1, 500),
        ("LYMp", "lymphocytes, share of white cells", "%", "20-40", "20-40", 0.5, 99),
        ("NEUTp", "neutrophils, share of white cells", "%", "40-80", "40-80", 0.5, 99),
        ("LYMn", "lymphocytes", "10^9/L", "1.5-3.5", "1.5-3.5", 0.01, 450),
        ("NEUTn", "neutrophils", "10^9/L", "2.5-7.5", "2.5-7.5", 0.01, 450),
        ("RBC", "red blood cells", "10^12/L", "3.9-5.6", "4.5-6.5", 0.5, 9),
        ("HGB", "hemoglobin", "g/dL", "11.5-15.5", "13.5-17.5", 2, 25),
        ("HCT", "hematocrit: share of red cells in the blood", "%", "36-48", "40-52", 6, 75),
        ("MCV", "mean corpuscular volume: size of a red cell", "fL", "80-95", "80-95", 40, 160),
        ("MCH", "mean corpuscular hemoglobin: hemoglobin in a red cell", "pg", "27-34", "27-34", 10, 55),
        ("MCHC", "mean corpuscular hemoglobin concentration", "g/dL", "30-35", "30-35", 18, 45),
        ("PLT", "platelets", "10^9/L", "150-400", "150-400", 1, 3000),
        ("PDW", "platelet distribution width", "fL", "9-17", "9-17", 5, 35),
        ("PCT", "plateletcrit: share of platelets in the blood", "%", "0.14-0.34", "0.14-0.34", 0.001, 3),
    ],
    columns=["parameter", "meaning", "unit", "women", "men", "lowest", "highest"],
).set_index("parameter")
"""The parameters: meaning, unit, adult reference interval of women and men, lowest and highest plausible value.

Intervals: Hoffbrand and Moss, Essential Haematology, appendix "Normal values" (WBC, LYMn, NEUTn, RBC, HGB, HCT, MCV, MCH,
MCHC, PLT); Bain et al., Dacie and Lewis Practical Haematology, 12th ed. (LYMp, NEUTp); Wiwanitkit, Clin Appl Thromb
Hemost 2004;10:175, mean and two standard deviations (PCT). PDW has no agreed interval: analysers differ.
A value outside of lowest to highest is taken for an error, not for a disease.
"""

# What a value outside of the plausible range may be: divide by the factor to come to the unit of the set.
OTHER_UNITS = {
    "WBC": ((1000, "cells per µL"),),
    "LYMp": ((0.01, "a fraction"),),
    "NEUTp": ((0.01, "a fraction"),),
    "LYMn": ((1000, "cells per µL"),),
    "NEUTn": ((1000, "cells per µL"),),
    "RBC": ((1_000_000, "cells per µL"),),
    "HGB": ((10, "g/L"),),
    "HCT": ((0.01, "a fraction"),),
    "MCHC": ((10, "g/L"),),
    "PLT": ((1000, "cells per µL"),),
}

# The means that stand in the filled rows, of the published and of the simulated set.
FILLED_MEANS = (
    {"LYMp": 25.845, "NEUTp": 77.511, "LYMn": 1.88076, "NEUTn": 5.14094, "HCT": 46.1526, "PDW": 14.31251157, "PCT": 0.26028},
)  # fmt: skip

EXAMPLES = {
    "said to be healthy": dict(
        WBC=2.740, LYMp=36.9, NEUTp=60.0, LYMn=2.0, NEUTn=3.5, RBC=4.77, HGB=13.5, HCT=39.7, MCV=83.2,
        MCH=28.3, MCHC=320.0, PLT=167, PDW=0.15, PCT=0.02,
    ),
    "said to be normocytic normochromic": dict(
        WBC=8.67, LYMp=25.8, NEUTp=77.5, LYMn=1.88, NEUTn=5.14, RBC=3.58, HGB=10.2, HCT=46.1, MCV=102.8,
        MCH=28.5, MCHC=27.7, PLT=272, PDW=14.31, PCT=0.26,
    ),
}  # fmt: skip
"""The two blood counts that the published lesson predicts, with all their faults."""

MINIMUM_ROWS = 100  # of own data: fewer cannot be split into training, validation and test sets
MINIMUM_ROWS_PER_DIAGNOSIS = 5


# ---------------------------------------------------------------------------------------------------------
# Loading


def load(source: str | None = None) -> pd.DataFrame:
    """Return the blood counts.

    Parameters
    ----------
    source : {"embedded", "real"}, optional
        Simulated or published patients; what the environment says unless given.

    Returns
    -------
    DataFrame, shape (rows, 15)
        The 14 parameters in the published order and units, and `Diagnosis`. ``attrs["name"]`` is "simulated data",
        "published data" or "own data".

    Raises
    ------
    LessonError
        If the file is missing, damaged, or not in the schema; the message says where and what to do.
    """
    source = source or settings.source()
    if source == "embedded":
        table = pd.read_csv(prepare())
        table.attrs["name"] = "simulated data"
        return table
    if source == "real":
        path = real_path()
        return check(read_bytes(path), path.name)
    raise LessonError(f'source is {source!r}, but it must be "embedded" or "real".')


def embedded_path() -> Path:
    """Return where the embedded file stands."""
    return settings.embedded_dir() / NAME / FILE


def real_path() -> Path:
    """Return where the published file, or an instructor's own, is expected."""
    return settings.real_dir() / NAME / FILE


def prepare() -> Path:
    """Make the embedded file unless it is there and whole; return its path."""
    path = embedded_path()
    with download.explained(path):
        if path.is_file() and download.md5(path.read_bytes()) == EMBEDDED_MD5:
            return path
    with download.placing(path) as temporary:
        temporary.write_bytes(embedded_csv())
    return path


def embedded_csv() -> bytes:
    """Return the content of the embedded file."""
    return blood.draw().to_csv(index=False, lineterminator="\n").encode()


def read_bytes(path: Path) -> bytes:
    """Return the content of the real file. Raises LessonError if it is not there or cannot be read."""
    with download.explained(path):
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise LessonError(
                f"{path}: the published blood counts are not there. Fetch them with `medlessons data fetch {NAME}`, "
                "or use the simulated ones with MEDLESSONS_SOURCE=embedded."
            ) from error


def fetch(origin: str | Path | None = None, progress: bool = True) -> Path:
    """Bring the published file, or an instructor's own, to where `load` expects it.

    Parameters
    ----------
    origin : str or Path, optional
        A URL, a CSV file, a zip or a folder that contains ``diagnosed_cbc_data_v4.csv``; Kaggle unless given.
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    Path
        Where the file stands now. It is put there only after it has passed every check.

    Raises
    ------
    LessonError
        If the download fails, a check fails, or the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if origin is None:
            place = download.bring_from_kaggle(KAGGLE, folder)
        else:
            place = download.bring(origin, folder, progress)
        found = download.find_file(place, FILE, folder)
        content = read_bytes(found)
    check(content, found.name)
    with download.placing(real_path()) as temporary:
        temporary.write_bytes(content)
    return real_path()


def status() -> list[download.Status]:
    """Say what is there of the embedded and of the real file."""
    embedded, real = embedded_path(), real_path()
    return [
        _status("embedded", embedded, lambda content: load("embedded")),
        _status("real", real, lambda content: check(content, real.name)),
    ]


def _status(source: str, path: Path, read) -> download.Status:
    if not path.exists():
        return download.Status(NAME, source, path, False, 0, False, "not there")
    try:
        table = read(read_bytes(path))
    except LessonError as error:
        return download.Status(NAME, source, path, True, 0, False, str(error))
    return download.Status(NAME, source, path, True, len(table), True, table.attrs["name"])


# ---------------------------------------------------------------------------------------------------------
# Checking a file


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
        As `load` describes it.

    Raises
    ------
    LessonError
        On the first thing that is wrong: the file, the column, the line of the file (the header is line 1), what was
        expected, and what to do.
    """
    if download.md5(content.replace(b"\r\n", b"\n")) == PUBLISHED_MD5:
        table = pd.read_csv(io.BytesIO(content))
        table.attrs["name"] = "published data"
        return table
    lines = _split(_decode(content, file), file)
    table = pd.DataFrame(lines[1:], columns=lines[0])
    table.index += 2  # the line in the file
    _refuse_changed_copy(table, file)
    _check_diagnoses(table, file)
    for column in PARAMETERS:
        table[column] = _check_numbers(table[column], file)
    _check_size(table, file)
    table = table[[*PARAMETERS, "Diagnosis"]].reset_index(drop=True)
    table.attrs["name"] = "own data"
    return table


def _decode(content: bytes, file: str) -> str:
    if not content.strip():
        raise LessonError(
            f"{file}: the file is empty. Fetch it again with `medlessons data fetch {NAME}`, "
            "or put your own blood counts there."
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LessonError(f'{file}: the text is in UTF-16. Save it again as "CSV UTF-8".')
    if content.startswith(b"PK"):
        raise LessonError(
            f"{file}: this is a zip or an Excel workbook, not a CSV file. Unpack it, or save it as CSV."
        )
    if b"\0" in content:
        raise LessonError(
            f"{file}: this is not a text file. A CSV file with 15 columns was expected; fetch it again."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LessonError(
            f'{file}, line {line}: the text is not in UTF-8 (byte {error.start}). Save it again as "CSV UTF-8".'
        ) from error


def _split(text: str, file: str) -> list[list[str]]:
    """Return the cells of every line, header first, after checking that the columns are those of the schema."""
    expected = [*PARAMETERS, "Diagnosis"]
    header = text.splitlines()[0]
    for delimiter, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if delimiter in header:
            raise LessonError(
                f"{file}, line 1: the columns are separated by {name}, but commas were expected. If your spreadsheet saved "
                "it so, its decimals may be destroyed as well: fetch the file again, or save it with commas and decimal points."
            )
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text), strict=True)]
    except csv.Error as error:
        raise LessonError(
            f"{file}: a quotation mark is not closed or stands inside a cell ({error})."
        ) from error
    while lines and not lines[-1]:
        lines.pop()  # blank lines at the end do no harm
    names = lines[0]
    repeated = [name for name in expected if names.count(name) > 1]
    missing = [name for name in expected if name not in names]
    extra = [name or "(no name)" for name in names if name not in expected]
    if missing:
        raise LessonError(
            f"{file}, line 1: the column {', '.join(missing)} is missing. Expected were: {', '.join(expected)}."
        )
    if repeated:
        raise LessonError(
            f"{file}, line 1: the column {', '.join(repeated)} stands there twice. Remove one of them."
        )
    if extra:
        raise LessonError(
            f"{file}, line 1: the column {', '.join(extra)} is not part of the set. Remove it; expected were: "
            f"{', '.join(expected)}."
        )
    for number, line in enumerate(lines, start=1):
        if len(line) != len(expected):
            raise LessonError(
                f"{file}, line {number}: {len(line)} cells instead of {len(expected)}. The file may be cut off, or a "
                f"decimal comma split a number. Mend the line, or fetch the file again with `medlessons data fetch {NAME}`."
            )
    return lines


def _refuse_changed_copy(table: pd.DataFrame, file: str) -> None:
    """Refuse the published file if rows are missing, added or changed: it begins like the published one."""
    if table.empty or _row_md5(table.iloc[0]) != PUBLISHED_FIRST_ROW_MD5:
        return
    strangers = sorted(set(table["Diagnosis"]) - set(DIAGNOSES))
    what = f"{len(table):,} rows instead of {blood.ROWS:,}" if len(table) != blood.ROWS else "changed values"
    if strangers:
        what += f" and {len(strangers)} diagnoses that the set does not have ({strangers[0]}, ...)"
    raise LessonError(
        f"{file}: this is a changed copy of the published file, with {what}. "
        f"Fetch the file again with `medlessons data fetch {NAME}`."
    )


def _row_md5(row: pd.Series) -> str:
    """Return a checksum of a row's numbers that does not depend on how they are written (10 or 10.0)."""
    try:
        return download.md5(repr([float(row[column]) for column in PARAMETERS]).encode())
    except ValueError:
        return ""


def _check_diagnoses(table: pd.DataFrame, file: str) -> None:
    unknown = table[~table["Diagnosis"].isin(DIAGNOSES)]
    if len(unknown):
        name = unknown["Diagnosis"].iloc[0]
        raise LessonError(
            f"{file}, line {unknown.index[0]}, column Diagnosis: {name!r} is not one of the nine diagnoses"
            f"{_further(unknown)}. Expected is one of: {', '.join(DIAGNOSES)}."
        )


def _further(rows: pd.DataFrame | pd.Series) -> str:
    return f" (and {len(rows) - 1} further rows)" if len(rows) > 1 else ""


def _check_numbers(cells: pd.Series, file: str) -> pd.Series:
    """Return a column as numbers, after checking every cell."""
    column = cells.name
    low, high, unit = COLUMNS.loc[column, ["lowest", "highest", "unit"]]
    numbers = pd.to_numeric(cells, errors="coerce")
    empty = cells[cells.str.lower().isin(["", "na", "n/a", "nan", "null", "none", "-"])]
    text = cells[numbers.isna()].drop(empty.index)
    outside = numbers[(numbers < low) | (numbers > high)]
    for wrong, what in (
        (empty, "there is no value{further}. Nothing may be missing: fill it in, or remove the row."),
        (
            text,
            "{value!r} is not a number{further}. Write numbers with a decimal point, such as 12.5, and no unit.",
        ),
        (outside, "{value:g} {reason}{further}. Expected is {low:g} to {high:g} {unit}{remedy}."),
    ):
        if len(wrong):
            value = wrong.iloc[0]
            reason, remedy = _explain(column, value) if wrong is outside else ("", "")
            message = what.format(
                value=value,
                further=_further(wrong),
                low=low,
                high=high,
                unit=unit,
                reason=reason,
                remedy=remedy,
            )
            raise LessonError(f"{file}, line {wrong.index[0]}, column {column}: {message}")
    return numbers.astype(float)


def _explain(column: str, value: float) -> tuple[str, str]:
    """Say what an implausible value probably is, and what to do."""
    unit = find_unit(column, value)
    if unit:
        factor, name = unit
        how = f"divide by {factor:,}" if factor > 1 else f"multiply by {1 / factor:.0f}"
        return f"looks like {name}", f": {how}"
    if value < 0:
        return "is negative", "; correct it or remove the row"
    return "is not possible in a living patient", "; correct it or remove the row"


def _check_size(table: pd.DataFrame, file: str) -> None:
    if len(table) < MINIMUM_ROWS:
        rows = "1 row" if len(table) == 1 else f"{len(table)} rows"
        raise LessonError(
            f"{file}: {rows} of blood counts; at least {MINIMUM_ROWS} are needed to train and to test. Add rows."
        )
    counts = table["Diagnosis"].value_counts()
    if counts.min() < MINIMUM_ROWS_PER_DIAGNOSIS:
        raise LessonError(
            f"{file}, column Diagnosis: {counts.idxmin()} has only {counts.min()} rows; at least {MINIMUM_ROWS_PER_DIAGNOSIS} "
            "are needed so that training and test set both have some. Add rows, or leave this diagnosis out."
        )


# ---------------------------------------------------------------------------------------------------------
# Checking a blood count


def find_unit(column: str, value: float) -> tuple[float, str] | None:
    """Return (factor, name) of the unit that makes an implausible value plausible, None if there is none."""
    low, high = COLUMNS.loc[column, ["lowest", "highest"]]
    if low <= value <= high:
        return None
    for factor, name in OTHER_UNITS.get(column, ()):
        if low <= value / factor <= high:
            return factor, name
    return None
