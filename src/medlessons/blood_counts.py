"""Blood counts: what is measured, in which unit and limits, and what cannot be right in one of them.

No files and no network: the rules are those of textbooks, and lesson 1 reads them with a student.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from medlessons.errors import LessonError
from medlessons.wording import _
from simclinic import blood

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

# What a value outside of the plausible range may be: divided by the factor, it is in the unit of the set.
OTHER_UNITS = {
    **dict.fromkeys(("WBC", "LYMn", "NEUTn", "PLT"), (1000, _("cells per µL"))),
    "RBC": (1_000_000, _("cells per µL")),
    **dict.fromkeys(("LYMp", "NEUTp", "HCT"), (0.01, _("a fraction"))),
    **dict.fromkeys(("HGB", "MCHC"), (10, _("g/L"))),
    "MCH": (0.06206, _("fmol")),
}

# What a whole column may be, too, though single values of it are plausible.
_LAKH, _MYRIADS, _MILLIMOLES = _("lakh per µL"), _("10^4 per µL"), _("mmol/L")
COLUMN_UNITS = {
    "PLT": ((0.01, _LAKH), (0.1, _MYRIADS)),
    "PCT": ((0.01, _("a fraction")), (10, _("mL/L"))),
    "RBC": ((100, _MYRIADS), (10, _LAKH)),
    "HGB": ((0.6206, _MILLIMOLES),),
    "MCHC": ((0.6206, _MILLIMOLES),),
}

# Red-cell indices: factor x first / second.
_IDENTITIES = {"MCV": (10, "HCT", "RBC"), "MCH": (10, "HGB", "RBC"), "MCHC": (100, "HGB", "HCT")}

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


def find_unit(column: str, value: float) -> tuple[float, str] | None:
    """Return (factor, name) of the unit that makes an implausible value plausible, None if there is none."""
    low, high = LIMITS[column]
    factor, name = OTHER_UNITS.get(column, (np.nan, ""))
    return (factor, name) if not low <= value <= high and low <= value / factor <= high else None


def find_column_unit(table: pd.DataFrame) -> tuple[str, float, str] | None:
    """Find a column that as a whole is in another unit, though each of its values is plausible.

    Platelets of 2.7 lakh per µL could be a disease; in all rows, beside a normal plateletcrit, they are a unit.

    Parameters
    ----------
    table : DataFrame
        With the 14 measurements as numbers.

    Returns
    -------
    tuple or None
        Column, factor to divide it by, name of its unit: the median ratio of the column to what follows from the other
        ones is near the factor. Where that is true of two columns, it is the one that is farther from normal.
    """
    expected = {  # a platelet has some 9 fL
        "PLT": 10_000 * table["PCT"] / 9,
        "PCT": 9 * table["PLT"] / 10_000,
        "RBC": 10 * table["HCT"] / table["MCV"],
        "HGB": table["MCH"] * table["RBC"] / 10,
        "MCHC": 100 * table["HGB"] / table["HCT"],
    }
    found = []
    for column, values in expected.items():
        ratio, median = (table[column] / values).median(), table[column].median()
        for factor, name in COLUMN_UNITS[column]:
            low, high = LIMITS[column]
            near = abs(np.log(ratio / factor)) < min(0.35, 0.3 * abs(np.log(factor)))  # platelets of 6 to 13 fL
            if near and low <= median / factor <= high:
                found.append((abs(np.log(median / _normal(column))), (column, factor, name)))
    return max(found)[1] if found else None


def _normal(column: str) -> float:
    """Return the middle of the normal values of a measurement."""
    return np.mean([float(end) for end in COLUMNS.at[column, "men"].split("-")])


def explain_value(column: str, value: float) -> tuple[str, str]:
    """Say what an implausible value probably is, and what to do."""
    unit = find_unit(column, value)
    if unit:
        factor, name = unit
        divide, multiply = _(": divide by {factor:,}"), _(": multiply by {factor:.3g}")
        remedy = divide.format(factor=factor) if factor > 1 else multiply.format(factor=1 / factor)
        return _("looks like {unit}").format(unit=name), remedy
    reason = _("is negative") if value < 0 else _("is not possible in a living patient")
    return reason, _("; correct it or remove the row")


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

    Examples
    --------
    >>> faults = validate(EXAMPLES.iloc[0])
    >>> faults.loc[faults["fault"] == "unit", "message"].item()
    '320 looks like g/L; expected is 18 to 45 g/dL: divide by 10'
    """
    table = _as_table(blood_count)
    found = [(row, *fault) for row, count in table.to_dict("index").items() for fault in _faults(count)]
    return pd.DataFrame(found, columns=["row", "column", "value", "fault", "message"])


def repair(blood_count: Mapping | pd.Series) -> pd.Series:
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
    message = _("{value:g} is the mean of {column}: filled in, not measured")
    faults = [(c, count[c], "filled", message.format(value=count[c], column=c)) for c in filled]
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
        return "missing", _("there is no value")
    if low <= value <= high:
        return None
    reason, remedy = explain_value(column, value)
    kind = "unit" if find_unit(column, value) else "impossible"
    if kind == "impossible":
        remedy = ""
        if any(low <= value * 10.0**power <= high for power in (-3, -2, -1, 1, 2)):
            kind, reason = "scale", _("is wrong by a power of ten")
    message = _("{value:g} {reason}; expected is {low:g} to {high:g} {unit}{remedy}")
    unit = COLUMNS.at[column, "unit"]
    return kind, message.format(value=value, reason=reason, low=low, high=high, unit=unit, remedy=remedy)


def _check_identities(sound: dict, count: dict) -> list[tuple]:
    message = _("{factor} x {above} / {below} gives {derived:.1f}, not {value:g}: one of the three is wrong")
    faults = []
    for column, (factor, above, below) in _IDENTITIES.items():
        derived, value = factor * sound[above] / sound[below], sound[column]
        if abs(derived / value - 1) > 0.03:
            says = message.format(factor=factor, above=above, below=below, derived=derived, value=value)
            faults.append((column, count[column], "identity", says))
    return faults


def _check_white_cells(sound: dict) -> list[tuple]:
    """Compare WBC with lymphocytes and neutrophils, as shares and as numbers."""
    faults = []
    wbc, parts, shares = sound["WBC"], sound["LYMn"] + sound["NEUTn"], sound["LYMp"] + sound["NEUTp"]
    if shares > 101:
        message = _("LYMp + NEUTp is {sum:.1f} %, more than all white cells").format(sum=shares)
        faults.append(("NEUTp", sound["NEUTp"], "parts", message))
    if parts > 1.05 * wbc:
        message = _("LYMn + NEUTn is {sum:.1f}, more than all white cells ({wbc:g})").format(sum=parts, wbc=wbc)
        return [*faults, ("WBC", wbc, "parts", message)]
    message = _("WBC x {share} / 100 gives {expected:.2f}, not {value:g}")
    for share, number in (("LYMp", "LYMn"), ("NEUTp", "NEUTn")):
        expected, value = wbc * sound[share] / 100, sound[number]
        if abs(value - expected) > max(0.15, 0.15 * expected):
            faults.append((number, value, "parts", message.format(share=share, expected=expected, value=value)))
    return faults


def _check_platelets(sound: dict) -> list[tuple]:
    """Compare plateletcrit with the platelet count: their ratio is the mean platelet volume, 4 to 20 fL."""
    volume = 10_000 * sound["PCT"] / sound["PLT"]
    if 4 <= volume <= 20 or np.isnan(volume):
        return []
    message = _("10,000 x PCT / PLT gives platelets of {volume:.1f} fL; 4 to 20 fL are possible")
    return [("PCT", sound["PCT"], "scale", message.format(volume=volume))]
