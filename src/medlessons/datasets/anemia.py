"""Blood counts and nine diagnoses (lesson 1): the embedded set, the published one, or an instructor's own.

The published set is "Anemia Types Classification", https://www.kaggle.com/datasets/ehababoelnaga/anemia-types-classification
(file ``diagnosed_cbc_data_v4.csv``). A file is known by its checksum; any other file in the same schema is
read as "own data" after every cell has been checked. The format is described in data/README.md.
"""

import codecs
import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from medlessons import files, settings
from medlessons.datasets import download
from medlessons.errors import LessonError
from medlessons.simulate import blood

NAME = "anemia"
FILE = "diagnosed_cbc_data_v4.csv"
KAGGLE = "ehababoelnaga/anemia-types-classification"
PUBLISHED_MD5 = "c6375e974d730a42b53160614237ddf0"
PUBLISHED_FIRST_ROW_MD5 = "7a7950815b614b5829c4ed6c02029be8"
EMBEDDED_MD5 = "2856fbba9a7a3ae33561bec92b540733"

MEASUREMENTS = blood.MEASUREMENTS
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
        ("MCH", "mean corpuscular hemoglobin: amount in a red cell", "pg", "27-34", "27-34", 10, 55),
        ("MCHC", "mean corpuscular hemoglobin concentration", "g/dL", "30-35", "30-35", 18, 45),
        ("PLT", "platelets", "10^9/L", "150-400", "150-400", 1, 3000),
        ("PDW", "platelet distribution width", "fL", "9-17", "9-17", 5, 35),
        ("PCT", "plateletcrit: share of platelets in the blood", "%", "0.14-0.34", "0.14-0.34", 0.001, 3),
    ],
    columns=["measurement", "meaning", "unit", "women", "men", "lowest", "highest"],
).set_index("measurement")
"""The measurements: meaning, unit, adult reference interval of women and men, lowest and highest plausible value.

Intervals: Hoffbrand and Moss, Essential Haematology, appendix "Normal values" (WBC, LYMn, NEUTn, RBC, HGB, HCT,
MCV, MCH, MCHC, PLT); Bain et al., Dacie and Lewis Practical Haematology, 12th ed. (LYMp, NEUTp); Wiwanitkit, Clin
Appl Thromb Hemost 2004;10:175, mean and two standard deviations (PCT). PDW has no agreed interval: analysers differ.
A value outside of lowest to highest is taken for an error, not for a disease.
"""

LIMITS = {measurement: (low, high) for measurement, low, high in COLUMNS[["lowest", "highest"]].itertuples()}

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
_FILLED = ("LYMp", "NEUTp", "LYMn", "NEUTn", "HCT", "PDW", "PCT")
FILLED_MEANS = (
    dict(zip(_FILLED, (25.845, 77.511, 1.88076, 5.14094, 46.1526, 14.31251157, 0.26028), strict=True)),
    dict(zip(_FILLED, (26.0052, 77.1056, 1.8602, 5.1086, 46.4084, 14.21006944, 0.26008), strict=True)),
)

EXAMPLES = pd.DataFrame(
    [
        (2.740, 36.9, 60.0, 2.0, 3.5, 4.77, 13.5, 39.7, 83.2, 28.3, 320.0, 167, 0.15, 0.02),
        (8.67, 25.8, 77.5, 1.88, 5.14, 3.58, 10.2, 46.1, 102.8, 28.5, 27.7, 272, 14.31, 0.26),
    ],
    columns=MEASUREMENTS,
    index=["said to be healthy", "said to be normocytic normochromic"],
)
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
        The 14 measurements in the published order and units, and `Diagnosis`. ``attrs["name"]`` is "simulated data",
        "published data" or "own data".

    Raises
    ------
    LessonError
        If the file is missing, damaged, or not in the schema; the message says where and what to do.
    """
    source = source or settings.source()
    if source == "embedded":
        path = prepare()
        return check_embedded(read_bytes(path), path.name)
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
    """Make the embedded file unless it is there and whole; return its path.

    A second run at the same time waits for the first one.

    Raises
    ------
    LessonError
        If the file cannot be written, or the installed libraries draw other patients than those of the lessons.
    """
    path = embedded_path()
    with files.explained(path):
        if _is_whole(path):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            if not _is_whole(path):
                content = embedded_csv()
                _check_drawn(content)
                with files.placing(path) as temporary:
                    temporary.write_bytes(content)
    return path


def _check_drawn(content: bytes) -> None:
    if files.md5(content) != EMBEDDED_MD5:
        raise LessonError(
            f"{FILE}: this NumPy {np.__version__} draws other numbers than the lessons were made with. Install the "
            "versions of requirements.txt: `python -m pip install -r requirements.txt`."
        )


def _is_whole(path: Path) -> bool:
    return path.is_file() and files.md5(path.read_bytes()) == EMBEDDED_MD5


def embedded_csv() -> bytes:
    """Return the content of the embedded file."""
    return blood.draw().to_csv(index=False, lineterminator="\n").encode()


def read_bytes(path: Path) -> bytes:
    """Return the content of the real file. Raises LessonError if it is not there or cannot be read."""
    with files.explained(path):
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
    path = real_path()
    with download.workspace(path) as folder:
        if origin is None:
            place = download.bring_from_kaggle(KAGGLE, folder)
        else:
            place = download.bring(origin, folder, progress)
        found = download.find_file(place, FILE, folder)
        content = read_bytes(found)
        check(content, found.name)
        with files.placing(path) as temporary:
            temporary.write_bytes(content)
    return path


def status() -> list[download.Status]:
    """Say what is there of the embedded and of the real file."""
    return [_status("embedded", embedded_path(), check_embedded), _status("real", real_path(), check)]


def _status(source: str, path: Path, check_content) -> download.Status:
    try:
        with files.explained(path):
            if not path.exists():
                return download.Status(NAME, source, path, False, 0, False, "not there")
        table = check_content(read_bytes(path), path.name)
    except LessonError as error:
        return download.Status(NAME, source, path, True, 0, False, str(error))
    return download.Status(NAME, source, path, True, len(table), True, table.attrs["name"])


# ---------------------------------------------------------------------------------------------------------
# Checking a file


def check_embedded(content: bytes, file: str) -> pd.DataFrame:
    """Return the table of the embedded file. Raises LessonError if it is not the one that `prepare` makes."""
    if files.md5(content) != EMBEDDED_MD5:
        raise LessonError(f"{file}: the simulated blood counts were changed. The next load makes them again.")
    return _read(content, "simulated data")


def _read(content: bytes, name: str) -> pd.DataFrame:
    table = pd.read_csv(io.BytesIO(content))
    table.attrs["name"] = name
    return table


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
    content = content.removeprefix(codecs.BOM_UTF8)
    if files.md5(content.replace(b"\r\n", b"\n")) == PUBLISHED_MD5:
        return _read(content, "published data")
    lines = _split(_decode(content, file), file)
    table = pd.DataFrame(lines[1:], columns=lines[0])
    table.index += 2  # the line in the file
    _refuse_changed_copy(table, file)
    _check_diagnoses(table, file)
    for column in MEASUREMENTS:
        table[column] = _check_numbers(table[column], file)
    _check_size(table, file)
    table = table[[*MEASUREMENTS, "Diagnosis"]].reset_index(drop=True)
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
        raise LessonError(f"{file}: this is a zip or an Excel workbook, not a CSV file. Unpack it, or save it as CSV.")
    if content.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise LessonError(
            f"{file}: this is a web page, most likely a login page. Sign in with a browser, download the file by hand "
            "and give its path with --from."
        )
    if b"\0" in content:
        raise LessonError(f"{file}: this is not a text file. A CSV file with 15 columns was expected; fetch it again.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LessonError(
            f'{file}, line {line}: the text is not in UTF-8 (byte {error.start}). Save it again as "CSV UTF-8".'
        ) from error


def _split(text: str, file: str) -> list[list[str]]:
    """Return the cells of every line, header first, after checking that the columns are those of the schema."""
    expected = [*MEASUREMENTS, "Diagnosis"]
    header = text.splitlines()[0]
    for delimiter, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if delimiter in header:
            raise LessonError(
                f"{file}, line 1: the columns are separated by {name}, but commas were expected. The decimals may be "
                f"destroyed as well: fetch the file again with `medlessons data fetch {NAME}`, or save your own with "
                "commas and decimal points."
            )
    try:
        lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines(), strict=True)]
    except csv.Error as error:
        raise LessonError(f"{file}: the text cannot be read as CSV ({error}). Check its quotation marks.") from error
    while lines and not lines[-1]:
        lines.pop()  # blank lines at the end do no harm
    names = lines[0]
    repeated = [name for name in expected if names.count(name) > 1]
    missing = [name for name in expected if name not in names]
    extra = [name or "(no name)" for name in names if name not in expected]
    if missing:
        few = f"the column {', '.join(missing)} is"
        many = f"{len(missing)} of the {len(expected)} column names are"
        raise LessonError(
            f"{file}, line 1: {few if len(missing) <= 3 else many} missing. Expected were: {', '.join(expected)}, "
            "with just these upper and lower case letters."
        )
    if repeated:
        raise LessonError(f"{file}, line 1: the column {', '.join(repeated)} stands there twice. Remove one of them.")
    if extra:
        raise LessonError(
            f"{file}, line 1: the column {', '.join(extra)} is not part of the set. Remove it; expected were: "
            f"{', '.join(expected)}."
        )
    for number, line in enumerate(lines, start=1):
        if len(line) != len(expected):
            raise LessonError(
                f"{file}, line {number}: {len(line)} cells instead of {len(expected)}. The file may be cut off, or "
                f"a decimal comma split a number. Mend the line, or fetch it again with `medlessons data fetch {NAME}`."
            )
    return lines


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
        f"{file}: this is a changed copy of the published file, with {what}. "
        f"Fetch the file again with `medlessons data fetch {NAME}`."
    )


def _row_md5(row: pd.Series) -> str:
    """Return a checksum of a row's numbers that does not depend on how they are written (10 or 10.0)."""
    try:
        return files.md5(repr([float(row[column]) for column in MEASUREMENTS]).encode())
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
    further = len(rows) - 1
    return f" (and {further} further row{'s' * (further > 1)})" * (further > 0)


def _check_numbers(cells: pd.Series, file: str) -> pd.Series:
    """Return a column as numbers, after checking every cell."""
    column = cells.name
    (low, high), unit = LIMITS[column], COLUMNS.at[column, "unit"]
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


# ---------------------------------------------------------------------------------------------------------
# Checking a blood count


def find_unit(column: str, value: float) -> tuple[float, str] | None:
    """Return (factor, name) of the unit that makes an implausible value plausible, None if there is none."""
    low, high = LIMITS[column]
    if low <= value <= high:
        return None
    for factor, name in OTHER_UNITS.get(column, ()):
        if low <= value / factor <= high:
            return factor, name
    return None


_IDENTITIES = {"MCV": (10, "HCT", "RBC"), "MCH": (10, "HGB", "RBC"), "MCHC": (100, "HGB", "HCT")}


def _derive(column: str, count: Mapping):
    factor, above, below = _IDENTITIES[column]
    return factor * count[above] / count[below]


def validate(blood_count: Mapping | pd.Series | pd.DataFrame) -> pd.DataFrame:
    """Name what cannot be right in one blood count, or in many.

    Parameters
    ----------
    blood_count : Mapping, Series or DataFrame
        Values by the names of the 14 measurements, in the units of the set. Other columns are ignored.

    Returns
    -------
    DataFrame, shape (faults, 5)
        `row` (index label), `column`, `value`, `fault` and `message`; empty if nothing is wrong. The faults:
        "missing" (no value), "unit" (right in another unit), "scale" (wrong by a power of ten), "impossible"
        (not in a living patient), "filled" (a column mean of the training data, no measurement), "identity" (MCV,
        MCH or MCHC do not follow from RBC, HGB and HCT within 3 %), "parts" (white cells and their parts disagree).

    Raises
    ------
    LessonError
        If a value is not a number.
    """
    table = _as_table(blood_count)
    found = [(row, *fault) for row, count in table.to_dict("index").items() for fault in _faults(count)]
    return pd.DataFrame(found, columns=["row", "column", "value", "fault", "message"])


def mend(blood_count: Mapping | pd.Series) -> pd.Series:
    """Correct what a rule can correct in one blood count; set missing what cannot be trusted.

    Another unit is converted. WBC that disagrees with its parts is computed from them. What is filled, impossible
    or wrong by a power of ten is removed, and HCT then restored as RBC x MCV / 10.

    Returns
    -------
    Series, shape (14,)
        The measurements in the published order; NaN where no value can be trusted.
    """
    count = _as_table(blood_count).iloc[0]
    faults = validate(count)
    for column, value, fault in faults[["column", "value", "fault"]].itertuples(index=False):
        if fault == "unit":
            count[column] = value / find_unit(column, value)[0]
        elif fault in ("filled", "impossible", "scale"):
            count[column] = np.nan
    if ((faults["column"] == "WBC") & (faults["fault"] == "parts")).any():
        count["WBC"] = 100 * (count["LYMn"] + count["NEUTn"]) / (count["LYMp"] + count["NEUTp"])
    if np.isnan(count["HCT"]):
        count["HCT"] = count["RBC"] * count["MCV"] / 10
    return count.round(2)


def _as_table(blood_count: Mapping | pd.Series | pd.DataFrame) -> pd.DataFrame:
    """Return blood counts as numbers, one row each; a measurement that is not given is NaN."""
    if isinstance(blood_count, pd.Series):
        blood_count = blood_count.to_frame().T
    elif not isinstance(blood_count, pd.DataFrame):
        blood_count = pd.DataFrame([dict(blood_count)])
    table = blood_count.reindex(columns=list(MEASUREMENTS))
    numbers = table.apply(pd.to_numeric, errors="coerce").astype(float)
    text = (numbers.isna() & table.notna()).stack()
    if text.any():
        row, column = text.idxmax()
        raise LessonError(f"row {row}, column {column}: {table.at[row, column]!r} is not a number, such as 12.5.")
    return numbers


def _faults(count: dict) -> list[tuple]:
    """Return (column, value, fault, message) of everything that is wrong with one blood count."""
    filled = _filled_columns(count)
    faults = [(c, count[c], "filled", f"{count[c]:g} is the mean of {c}: filled in, not measured") for c in filled]
    sound = dict(count)  # what the comparisons below may use: right units, nothing impossible
    for column in MEASUREMENTS:
        fault = None if column in filled else _check_value(column, count[column])
        if fault:
            faults.append((column, count[column], *fault))
            unit = find_unit(column, count[column])
            sound[column] = count[column] / unit[0] if unit else np.nan
    faults += _check_identities(sound, count) + _check_white_cells(sound) + _check_platelets(sound)
    return sorted(faults, key=lambda fault: MEASUREMENTS.index(fault[0]))


def _filled_columns(count: dict) -> list[str]:
    """Return the columns that hold the mean, if there are too many of them for chance."""
    for means in FILLED_MEANS:
        same = [c for c, mean in means.items() if abs(count[c] - mean) < 0.004 * mean]
        if len(same) >= 4:
            return same
    return []


def _check_value(column: str, value: float) -> tuple[str, str] | None:
    low, high = LIMITS[column]
    if np.isnan(value):
        return "missing", "there is no value"
    if low <= value <= high:
        return None
    expected = f"{low:g} to {high:g} {COLUMNS.at[column, 'unit']}"
    if find_unit(column, value):
        reason, remedy = _explain(column, value)
        return "unit", f"{value:g} {reason}; expected is {expected}{remedy}"
    if any(low <= value * 10.0**power <= high for power in (-3, -2, -1, 1, 2)):
        return "scale", f"{value:g} is wrong by a power of ten; expected is {expected}"
    return "impossible", f"{value:g} {_explain(column, value)[0]}; expected is {expected}"


def _check_identities(sound: dict, count: dict) -> list[tuple]:
    faults = []
    for column, (factor, above, below) in _IDENTITIES.items():
        derived = _derive(column, sound)
        if abs(derived / sound[column] - 1) > 0.03:
            message = (
                f"{factor} x {above} / {below} gives {derived:.1f}, not {sound[column]:g}: one of the three is wrong"
            )
            faults.append((column, count[column], "identity", message))
    return faults


def _check_white_cells(sound: dict) -> list[tuple]:
    """Compare WBC with lymphocytes and neutrophils, as shares and as numbers."""
    faults = []
    wbc, parts, shares = sound["WBC"], sound["LYMn"] + sound["NEUTn"], sound["LYMp"] + sound["NEUTp"]
    if shares > 101:
        faults.append(("NEUTp", sound["NEUTp"], "parts", f"LYMp + NEUTp is {shares:.1f} %, more than all white cells"))
    if parts > 1.05 * wbc:
        message = f"LYMn + NEUTn is {parts:.1f}, more than all white cells ({wbc:g})"
        return [*faults, ("WBC", wbc, "parts", message)]
    for share, number in (("LYMp", "LYMn"), ("NEUTp", "NEUTn")):
        expected = wbc * sound[share] / 100
        if abs(sound[number] - expected) > max(0.15, 0.15 * expected):
            message = f"WBC x {share} / 100 gives {expected:.2f}, not {sound[number]:g}"
            faults.append((number, sound[number], "parts", message))
    return faults


def _check_platelets(sound: dict) -> list[tuple]:
    """Compare plateletcrit with the platelet count: their ratio is the mean platelet volume, 4 to 20 fL."""
    volume = 10_000 * sound["PCT"] / sound["PLT"]
    if 4 <= volume <= 20 or np.isnan(volume):
        return []
    message = f"10,000 x PCT / PLT gives platelets of {volume:.1f} fL; 4 to 20 fL are possible"
    return [("PCT", sound["PCT"], "scale", message)]
