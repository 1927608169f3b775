"""Simulated blood counts with the schema, the physiology, the rule-made labels and the faults of the published set.

The published set is "Anemia Types Classification" (Kaggle, ehababoelnaga/anemia-types-classification): 1,281
complete blood counts and nine diagnoses. Its faults are part of the lesson, so the simulation repeats them
in the same rows. Unlike the published file, it knows which rows are filled, copied or corrupted.
"""

import numpy as np
import pandas as pd

PARAMETERS = tuple("WBC LYMp NEUTp LYMn NEUTn RBC HGB HCT MCV MCH MCHC PLT PDW PCT".split())
DECIMALS = dict(zip(PARAMETERS, (1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 0, 1, 2), strict=True))

ROWS = 1281
MEASURED_ROWS = 500
FILLED_COLUMNS = ("LYMp", "NEUTp", "LYMn", "NEUTn", "HCT", "PCT")
ROWS_WITH_FILLED_PDW = 417

# How many measured and filled rows have each diagnosis, most frequent diagnosis first.
CLASS_COUNTS = {
    "Healthy": (51, 285),
    "Normocytic hypochromic anemia": (170, 109),
    "Normocytic normochromic anemia": (30, 239),
    "Iron deficiency anemia": (153, 36),
    "Thrombocytopenia": (52, 21),
    "Other microcytic anemia": (15, 44),
    "Leukemia": (16, 31),
    "Macrocytic anemia": (3, 15),
    "Leukemia with thrombocytopenia": (10, 1),
}

# 5th, 50th and 95th percentile of what is drawn; the other parameters follow from these.
_MEASURED = {
    "Healthy": {
        "WBC": (3.6, 7.0, 9.0), "LYMp": (11.6, 27.1, 43.4), "HGB": (13.0, 13.7, 15.4),
        "MCV": (78.1, 85.7, 89.8), "MCHC": (30.3, 31.8, 33.2), "PLT": (151, 177, 228),
    },
    "Normocytic hypochromic anemia": {
        "WBC": (3.7, 6.1, 12.4), "LYMp": (11.3, 26.0, 42.9), "HGB": (8.6, 11.2, 12.6),
        "MCV": (80.6, 84.5, 89.9), "MCHC": (28.9, 30.7, 31.9), "PLT": (91, 164, 243),
    },
    "Normocytic normochromic anemia": {
        "WBC": (3.0, 7.0, 11.3), "LYMp": (7.3, 21.6, 38.7), "HGB": (9.2, 12.0, 12.9),
        "MCV": (83.3, 88.4, 96.0), "MCHC": (32.0, 32.5, 34.2), "PLT": (96, 155, 243),
    },
    "Iron deficiency anemia": {
        "WBC": (3.1, 7.1, 14.3), "LYMp": (11.0, 25.9, 48.3), "HGB": (6.1, 9.7, 12.3),
        "MCV": (61.5, 73.7, 79.5), "MCHC": (26.2, 29.6, 31.4), "PLT": (107, 174, 312),
    },
    "Thrombocytopenia": {
        "WBC": (3.1, 5.5, 8.4), "LYMp": (11.3, 24.8, 38.0), "HGB": (13.2, 14.4, 15.7),
        "MCV": (81.2, 87.1, 92.3), "MCHC": (30.8, 32.5, 33.8), "PLT": (89, 123, 145),
    },
    "Other microcytic anemia": {
        "WBC": (4.4, 6.6, 16.2), "LYMp": (12.3, 29.2, 47.6), "HGB": (8.0, 11.5, 12.8),
        "MCV": (62.0, 74.0, 79.5), "MCHC": (31.8, 32.4, 34.0), "PLT": (60, 150, 249),
    },
    "Leukemia": {
        "WBC": (10.1, 12.3, 21.2), "LYMp": (10.5, 17.7, 23.0), "HGB": (13.0, 14.3, 16.5),
        "MCV": (75.0, 85.1, 87.9), "MCHC": (29.5, 31.7, 33.7), "PLT": (154, 198, 390),
    },
    "Macrocytic anemia": {
        "WBC": (4.3, 5.9, 6.0), "LYMp": (9.3, 15.0, 28.6), "HGB": (10.5, 10.8, 12.1),
        "MCV": (101.6, 104.5, 106.2), "MCHC": (31.2, 32.3, 33.3), "PLT": (77, 90, 125),
    },
    "Leukemia with thrombocytopenia": {
        "WBC": (10.3, 10.8, 11.7), "LYMp": (10.3, 14.4, 18.9), "HGB": (13.4, 14.7, 16.1),
        "MCV": (82.5, 86.3, 92.6), "MCHC": (31.1, 32.1, 33.6), "PLT": (77, 107, 145),
    },
}  # fmt: skip
# The filled rows come from other laboratories. Some report whole numbers, whose red-cell indices do not fit
# together ("rough": their share); there RBC is drawn too.
_FILLED = {
    "Healthy": {
        "WBC": (5.4, 8.2, 9.1), "RBC": (4.5, 5.3, 5.8), "HGB": (13.0, 13.9, 15.1), "MCV": (84.8, 91.0, 96.0),
        "MCHC": (31.0, 33.0, 33.9), "PLT": (153, 340, 390), "rough": 0.80,
    },
    "Normocytic hypochromic anemia": {
        "WBC": (4.4, 8.2, 16.2), "RBC": (3.2, 4.1, 5.0), "HGB": (8.8, 11.1, 12.9), "MCV": (80.0, 87.1, 96.1),
        "MCHC": (28.8, 30.6, 32.0), "PLT": (129, 214, 396), "rough": 0.20,
    },
    "Normocytic normochromic anemia": {
        "WBC": (4.8, 7.2, 9.9), "RBC": (3.2, 4.4, 4.8), "HGB": (9.7, 12.1, 12.8), "MCV": (83.0, 87.0, 94.0),
        "MCHC": (32.0, 32.4, 37.3), "PLT": (120, 260, 310), "rough": 0.60,
    },
    "Iron deficiency anemia": {
        "WBC": (5.2, 8.1, 15.7), "RBC": (3.5, 4.4, 5.6), "HGB": (7.0, 9.9, 11.7), "MCV": (59.7, 75.0, 79.2),
        "MCHC": (26.6, 29.5, 31.6), "PLT": (127, 253, 472), "rough": 0.10,
    },
    "Thrombocytopenia": {
        "WBC": (3.5, 6.1, 9.2), "RBC": (3.9, 4.5, 5.5), "HGB": (13.1, 13.7, 16.0), "MCV": (82.0, 90.0, 105.0),
        "MCHC": (30.3, 33.2, 38.2), "PLT": (32, 102, 148), "rough": 0.15,
    },
    "Other microcytic anemia": {
        "WBC": (5.6, 5.9, 12.3), "RBC": (2.4, 3.8, 4.8), "HGB": (8.4, 10.5, 12.3), "MCV": (68.4, 77.2, 79.0),
        "MCHC": (31.8, 32.4, 38.3), "PLT": (160, 191, 264), "rough": 0.75,
    },
    "Leukemia": {
        "WBC": (10.2, 13.1, 23.5), "RBC": (4.2, 5.1, 5.8), "HGB": (13.1, 14.3, 15.9), "MCV": (81.1, 88.7, 103.1),
        "MCHC": (28.9, 31.7, 35.6), "PLT": (151, 239, 381), "rough": 0.15,
    },
    "Macrocytic anemia": {
        "WBC": (2.9, 6.2, 8.3), "RBC": (1.8, 3.0, 3.6), "HGB": (6.5, 9.6, 11.7), "MCV": (100.4, 104.0, 119.9),
        "MCHC": (28.5, 31.1, 34.6), "PLT": (134, 222, 429), "rough": 0.0,
    },
    "Leukemia with thrombocytopenia": {
        "WBC": (10.5, 11.0, 11.5), "RBC": (4.7, 4.9, 5.1), "HGB": (13.1, 13.3, 13.5), "MCV": (88.0, 90.0, 92.0),
        "MCHC": (29.0, 30.0, 31.0), "PLT": (120, 125, 130), "rough": 0.0,
    },
}  # fmt: skip

# Copy and original, as rows of the published file: an 80/20 split with random_state=42 then leaks 18 test rows.
_COPIES = (
    (202, 10), (215, 196), (247, 230), (269, 267), (405, 365), (406, 27), (407, 29), (411, 365), (439, 89),
    (441, 90), (442, 93), (445, 106), (466, 451), (467, 452), (474, 430), (603, 585), (708, 611), (722, 573),
    (759, 661), (762, 755), (770, 663), (778, 515), (799, 570), (824, 611), (860, 822), (874, 868), (880, 878),
    (884, 867), (889, 864), (891, 888), (896, 866), (897, 867), (901, 887), (902, 865), (903, 867), (904, 887),
    (907, 878), (934, 920), (951, 935), (952, 939), (982, 980), (1017, 999), (1056, 1043), (1057, 1040),
    (1067, 930), (1068, 924), (1147, 1137), (1161, 1156), (1162, 1155),
)  # fmt: skip

_HYPO, _NORMO, _IRON = (
    "Normocytic hypochromic anemia",
    "Normocytic normochromic anemia",
    "Iron deficiency anemia",
)
# Slips of the keyboard: row, diagnosis of that row, column, what was typed. A lost decimal point, a wrong sign, a
# wrong digit, a neighbour's value. None of them touches the parameter that decides the row's diagnosis.
_SLIPS = (
    (1, _HYPO, "MCHC", 20.2), (3, _IRON, "HGB", 3.8), (4, _HYPO, "HCT", 316.0), (4, _HYPO, "HGB", 0.4),
    (5, _IRON, "MCV", 57.2), (76, _IRON, "HGB", 1.2), (91, _NORMO, "MCHC", 61.3), (96, _NORMO, "MCHC", 61.6),
    (175, _IRON, "NEUTn", 44.0), (201, _HYPO, "PCT", 11.3), (201, _HYPO, "PLT", 12.4),
    (216, _HYPO, "NEUTp", 5317.0), (217, _HYPO, "RBC", 2.26),
    (237, "Leukemia with thrombocytopenia", "NEUTn", 79.0), (245, _IRON, "HGB", -10.0),
    (248, _HYPO, "LYMn", 14.0), (252, "Thrombocytopenia", "PDW", 97.0), (254, _IRON, "HCT", 17.0),
    (271, "Healthy", "MCH", 90.0), (272, "Healthy", "MCHC", 92.8), (273, _HYPO, "RBC", 90.8),
    (344, _IRON, "MCV", -79.3), (351, _HYPO, "MCH", 241.0), (356, "Thrombocytopenia", "MCV", 990.0),
    (357, "Thrombocytopenia", "MCV", 44.9), (374, "Thrombocytopenia", "RBC", 5.99), (375, _IRON, "HCT", 741.0),
    (377, "Healthy", "MCV", 74.1), (383, "Healthy", "NEUTp", 671.0), (400, "Thrombocytopenia", "HGB", 17.5),
    (404, "Healthy", "RBC", 10.9), (438, _NORMO, "MCH", 275.0), (453, "Thrombocytopenia", "RBC", 13.1),
    (463, _HYPO, "HGB", 9.0), (465, _NORMO, "MCH", 3117.0), (472, _HYPO, "HCT", 3715.0), (472, _HYPO, "MCH", 2511.0),
    (473, _HYPO, "PCT", 12.0), (476, "Healthy", "MCHC", 30.2), (478, _IRON, "HGB", 5.9), (482, _IRON, "HGB", 1.8),
)  # fmt: skip
# Rows whose values slipped by one column; the last two numbers come from neighbours that the file does not have.
_SLIPPED = "Other microcytic anemia"
_SLIPPED_LEFT = {241: (37.2, 12.4, 11.8), 446: (35.3, 11.5, 11.3)}
_SLIPPED_RIGHT = {206: (13.9, 9.3, 12.8), 384: (11.4, 9.8, 13.6)}

# The second blood count of the published lesson is this row.
_EXAMPLE_ROW = 1038
_EXAMPLE = {"WBC": 8.67, "RBC": 3.58, "HGB": 10.2, "MCV": 102.8, "MCH": 28.5, "MCHC": 27.7, "PLT": 272.0}


def diagnose(table: pd.DataFrame) -> np.ndarray:
    """Label blood counts by the rule that stands behind the published labels.

    Parameters
    ----------
    table : DataFrame
        With the columns WBC, HGB, HCT, MCV, MCH, MCHC, PLT in the units of the published set.

    Returns
    -------
    ndarray of str, shape (rows,)
        The rule is a reading of the published file, not of medicine: white cells above 10 are no leukemia.
    """
    wbc, hgb, hct, mcv, mch, mchc, plt = (table[c] for c in "WBC HGB HCT MCV MCH MCHC PLT".split())
    anemia, few_platelets, many_white_cells = hgb < 13, plt < 150, wbc > 10
    hypochromic = mchc < 32
    rule = [
        (anemia & (mcv < 80) & hypochromic & (mch <= 26), "Iron deficiency anemia"),
        (anemia & (mcv < 80), "Other microcytic anemia"),
        (anemia & (mcv > 100), "Macrocytic anemia"),
        (anemia & (hypochromic | (mch < 27)), "Normocytic hypochromic anemia"),
        (anemia, "Normocytic normochromic anemia"),
        (hct < 30, "Other microcytic anemia"),  # rows whose values slipped by a column
        (few_platelets & many_white_cells, "Leukemia with thrombocytopenia"),
        (few_platelets, "Thrombocytopenia"),
        (many_white_cells, "Leukemia"),
    ]
    conditions, diagnoses = zip(*rule, strict=True)
    return np.select([c.to_numpy() for c in conditions], diagnoses, default="Healthy")


def _between(rng: np.random.Generator, z: np.ndarray, percentiles: tuple) -> np.ndarray:
    """Turn standard normal numbers into a two-piece normal with these 5th, 50th and 95th percentiles."""
    low, middle, high = percentiles
    return middle + z * np.where(z < 0, middle - low, high - middle) / 1.645


def _draw_red_cells(rng: np.random.Generator, figures: dict, size: int) -> dict:
    """Draw HGB, MCV, MCHC; HCT, RBC and MCH follow from them (the red-cell identities)."""
    severity = rng.standard_normal(size)  # an anemia that is worse is worse in all three
    z = {c: np.sqrt(0.5) * (severity + rng.standard_normal(size)) for c in ("HGB", "MCV", "MCHC")}
    cells = {c: _between(rng, z[c], figures[c]) for c in z}
    cells["HCT"] = 100 * cells["HGB"] / cells["MCHC"]
    cells["RBC"] = 10 * cells["HCT"] / cells["MCV"]
    cells["MCH"] = 10 * cells["HGB"] / cells["RBC"]
    return cells


def _draw_measured(rng: np.random.Generator, figures: dict, size: int) -> pd.DataFrame:
    count = _draw_red_cells(rng, figures, size)
    for column in ("WBC", "LYMp", "PLT"):
        count[column] = _between(rng, rng.standard_normal(size), figures[column])
    count["NEUTp"] = (
        100 - count["LYMp"] - rng.normal(7.8, 1.6, size)
    )  # the rest: monocytes, eosinophils, basophils
    count["LYMn"] = count["WBC"] * count["LYMp"] / 100
    count["NEUTn"] = count["WBC"] * count["NEUTp"] / 100
    count["PDW"] = _between(rng, rng.standard_normal(size), (10.8, 13.3, 17.0))
    count["PCT"] = (
        count["PLT"] * rng.normal(9.4, 0.7, size) / 10_000
    )  # platelets times their volume (fL), in %
    return pd.DataFrame(count)


def _draw_filled(rng: np.random.Generator, figures: dict, size: int) -> pd.DataFrame:
    count = pd.DataFrame(_draw_red_cells(rng, figures, size))
    for column in ("WBC", "PLT"):
        count[column] = _between(rng, rng.standard_normal(size), figures[column])
    count["PDW"] = _between(rng, rng.standard_normal(size), (11.5, 14.6, 19.0))
    rough = rng.random(size) < figures["rough"]
    count.loc[rough, ["MCV", "MCH", "MCHC"]] = count.loc[rough, ["MCV", "MCH", "MCHC"]].round()
    count.loc[rough, "PLT"] = count.loc[rough, "PLT"].round(-1)
    rbc = _between(rng, rng.standard_normal(size), figures["RBC"]).round(1)
    count["RBC"] = count["RBC"].where(~rough, rbc)
    return count.reindex(columns=PARAMETERS).fillna(50.0)  # a place for the means, which are not known yet


def _draw_class(
    rng: np.random.Generator, draw_some, figures: dict, diagnosis: str, rows: int
) -> pd.DataFrame:
    """Draw until `rows` different blood counts have this diagnosis by the rule."""
    kept = pd.DataFrame()
    while len(kept) < rows:
        some = draw_some(rng, figures, 4 * rows + 20).loc[:, list(PARAMETERS)].round(DECIMALS)
        possible = (some > 0).all(axis=1) & (some["LYMp"] < 75)
        kept = pd.concat([kept, some[possible & (diagnose(some) == diagnosis)]]).drop_duplicates()
    return kept.head(rows)


def _deal_diagnoses(rng: np.random.Generator, part: range, counts: dict) -> pd.Series:
    """Give each row of a part its diagnosis: first the rows with slips, then copies with originals, then the rest."""
    given = {row: diagnosis for row, diagnosis, *_ in _SLIPS if row in part}
    given |= {row: _SLIPPED for row in (*_SLIPPED_LEFT, *_SLIPPED_RIGHT) if row in part}
    given |= {row: "Macrocytic anemia" for row in (_EXAMPLE_ROW,) if row in part}
    left = pd.Series(counts) - pd.Series(given).value_counts().reindex(list(counts), fill_value=0)
    for original in dict.fromkeys(o for _, o in _COPIES if o in part):
        group = [original] + [copy for copy, o in _COPIES if o == original]
        chance = left.where(left > len(group), 0)
        diagnosis = rng.choice(list(left.index), p=chance / chance.sum())
        given |= dict.fromkeys(group, diagnosis)
        left[diagnosis] -= len(group)
    rest = rng.permutation(np.repeat(list(left.index), left))
    given |= dict(zip((row for row in part if row not in given), rest, strict=True))
    return pd.Series(given).loc[list(part)]


def _slip_columns(table: pd.DataFrame) -> None:
    """Move values into the neighbouring column, in place."""
    red_cells = ["RBC", "HGB", "HCT", "MCV", "MCH", "MCHC"]
    for row, strangers in _SLIPPED_LEFT.items():
        values = table.loc[row, red_cells[2:]].tolist()
        table.loc[row, [*red_cells, "PLT"]] = [*values, *strangers]
    for row, strangers in _SLIPPED_RIGHT.items():
        values = table.loc[row, red_cells[:5]].tolist()
        table.loc[row, [*red_cells[1:], "PLT", "PDW", "PCT"]] = [*values, *strangers]


def draw(seed: int = 1281, return_truth: bool = False) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the simulated blood counts.

    Parameters
    ----------
    seed : int
        The same seed gives the same table on every machine.
    return_truth : bool
        Also return what only a simulation knows.

    Returns
    -------
    DataFrame, shape (1281, 15)
        The 14 parameters in the published order and units, and `Diagnosis`.
    DataFrame, shape (1281, 4), only with `return_truth`
        `filled` (bool: six columns hold column means), `filled_pdw` (bool: PDW too), `copy_of` (row number of the
        original, -1 if the row is no copy), `corrupted` (the columns that hold a wrong value, joined by a space).
    """
    rng = np.random.default_rng(seed)
    parts = (
        (range(MEASURED_ROWS), _draw_measured, _MEASURED, 0),
        (range(MEASURED_ROWS, ROWS), _draw_filled, _FILLED, 1),
    )
    pieces = []
    for part, draw_some, figures, which in parts:
        diagnoses = _deal_diagnoses(rng, part, {d: n[which] for d, n in CLASS_COUNTS.items()})
        for diagnosis, rows in diagnoses.groupby(diagnoses).groups.items():
            drawn = _draw_class(rng, draw_some, figures[diagnosis], diagnosis, len(rows))
            pieces.append(drawn.set_axis(rows).assign(Diagnosis=diagnosis))
    table = pd.concat(pieces).sort_index()
    truth = _make_faults(rng, table)
    return (table, truth) if return_truth else table


def _make_faults(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Spoil the table in place as the published one is spoilt; return what was done to each row."""
    table.loc[_EXAMPLE_ROW, list(_EXAMPLE)] = list(_EXAMPLE.values())
    right = table.copy()
    for row, _, column, value in _SLIPS:
        table.loc[row, column] = value
    _slip_columns(table)
    corrupted = (table != right).apply(lambda row: " ".join(row.index[row]), axis=1)

    truth = pd.DataFrame({"filled": table.index >= MEASURED_ROWS}, index=table.index)
    pdw_rows = _choose_filled_pdw(rng)
    truth["filled_pdw"] = table.index.isin(pdw_rows)
    for column in FILLED_COLUMNS:
        table.loc[truth["filled"], column] = table.loc[~truth["filled"], column].mean().round(5)
    table.loc[truth["filled_pdw"], "PDW"] = table.loc[~truth["filled_pdw"], "PDW"].mean().round(8)

    truth["copy_of"] = -1
    for copy, original in _COPIES:
        table.loc[copy] = table.loc[original]
        truth.loc[copy, "copy_of"] = original
    truth["corrupted"] = corrupted
    return truth


def _choose_filled_pdw(rng: np.random.Generator) -> np.ndarray:
    """Choose the rows whose PDW is filled; a copy is filled when its original is."""
    copies = [copy for copy, _ in _COPIES]
    candidates = [row for row in range(MEASURED_ROWS, ROWS) if row not in copies]
    while True:
        chosen = set(rng.choice(candidates, 393, replace=False))
        chosen |= {copy for copy, original in _COPIES if original in chosen}
        if len(chosen) == ROWS_WITH_FILLED_PDW:
            return np.array(sorted(chosen))
