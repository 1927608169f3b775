"""Simulated blood counts with the schema, the physiology, the labels and the faults of the published set.

The published set is "Anemia Types Classification" (Kaggle, ehababoelnaga/anemia-types-classification): 1,281
complete blood counts and nine diagnoses. Its faults are part of the lesson, so the simulation repeats them
in the same rows. Unlike the published file, it knows which rows are filled, copied or corrupted.

A table is a dict of columns (NumPy arrays of the same length).
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import ndtr

Table = dict[str, np.ndarray]

MEASUREMENTS = (
    "WBC", "LYMp", "NEUTp", "LYMn", "NEUTn", "RBC", "HGB", "HCT", "MCV", "MCH", "MCHC", "PLT", "PDW", "PCT",
)  # fmt: skip
DECIMALS = dict(zip(MEASUREMENTS, (1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 0, 1, 2), strict=True))

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

# 5th, 25th, 50th, 75th and 95th percentile of what is drawn; the other measurements follow from these.
_MEASURED = {
    "Healthy": {
        "WBC": (4.6, 5.9, 7.0, 8.0, 8.9), "LYMp": (11.5, 20.0, 27.6, 34.3, 43.4),
        "HGB": (13.0, 13.2, 13.6, 14.3, 15.4), "MCV": (79.4, 82.7, 85.8, 87.2, 89.9),
        "MCHC": (30.2, 31.3, 31.8, 32.3, 33.1), "PLT": (152, 168, 177, 185, 218),
    },
    "Normocytic hypochromic anemia": {
        "WBC": (3.8, 5.1, 6.2, 7.8, 12.6), "LYMp": (11.3, 16.9, 25.9, 31.2, 42.6),
        "HGB": (8.8, 10.4, 11.1, 11.9, 12.6), "MCV": (80.6, 82.0, 84.5, 86.8, 89.9),
        "MCHC": (28.9, 30.1, 30.6, 31.3, 31.9), "PLT": (93, 145, 164, 196, 244),
    },
    "Normocytic normochromic anemia": {
        "WBC": (3.3, 4.7, 6.8, 8.7, 8.8), "LYMp": (7.3, 15.5, 21.6, 27.8, 34.1),
        "HGB": (9.5, 11.2, 12.2, 12.5, 12.9), "MCV": (83.1, 85.3, 87.8, 90.6, 94.8),
        "MCHC": (32.0, 32.1, 32.5, 32.8, 33.2), "PLT": (107, 140, 169, 177, 243),
    },
    "Iron deficiency anemia": {
        "WBC": (3.0, 5.2, 7.1, 9.1, 14.3), "LYMp": (11.5, 18.9, 25.7, 34.3, 48.5),
        "HGB": (6.6, 8.7, 9.7, 10.8, 12.3), "MCV": (61.5, 68.7, 73.6, 77.0, 79.6),
        "MCHC": (26.4, 28.5, 29.6, 30.1, 31.4), "PLT": (112, 143, 175, 222, 312),
    },
    "Thrombocytopenia": {
        "WBC": (3.0, 4.5, 5.6, 7.2, 8.4), "LYMp": (11.1, 21.0, 24.5, 31.2, 38.1),
        "HGB": (13.2, 13.7, 14.4, 14.9, 15.1), "MCV": (81.3, 85.1, 87.2, 88.2, 90.6),
        "MCHC": (31.0, 31.8, 32.5, 33.0, 34.0), "PLT": (88, 111, 123, 137, 145),
    },
    "Other microcytic anemia": {
        "WBC": (5.3, 6.2, 8.4, 12.9, 13.7), "LYMp": (15.2, 25.4, 30.7, 35.3, 48.2),
        "HGB": (9.7, 10.3, 11.6, 11.8, 14.1), "MCV": (66.0, 72.0, 72.6, 75.3, 78.3),
        "MCHC": (31.6, 32.2, 32.6, 33.5, 34.4), "PLT": (127, 133, 160, 205, 255),
    },
    "Leukemia": {
        "WBC": (10.1, 10.8, 11.9, 14.5, 21.2), "LYMp": (10.3, 13.3, 17.6, 20.7, 23.4),
        "HGB": (13.0, 13.4, 14.3, 14.8, 16.1), "MCV": (69.3, 83.6, 85.1, 86.4, 88.2),
        "MCHC": (28.1, 29.4, 31.6, 32.8, 33.9), "PLT": (154, 190, 206, 271, 390),
    },
    "Macrocytic anemia": {
        "WBC": (4.3, 5.0, 5.9, 6.0, 6.0), "LYMp": (9.3, 9.4, 9.6, 20.1, 28.6),
        "HGB": (10.5, 10.7, 10.8, 11.5, 12.1), "MCV": (101.6, 103.4, 105.8, 106.0, 106.2),
        "MCHC": (32.1, 32.2, 32.3, 32.8, 33.3), "PLT": (77, 78, 80, 105, 125),
    },
    "Leukemia with thrombocytopenia": {
        "WBC": (10.3, 10.4, 10.8, 11.0, 11.7), "LYMp": (10.3, 10.8, 13.2, 17.5, 18.9),
        "HGB": (13.4, 14.2, 14.6, 15.2, 16.1), "MCV": (82.3, 85.2, 86.4, 89.6, 92.8),
        "MCHC": (31.1, 31.4, 32.4, 33.1, 33.6), "PLT": (76, 93, 115, 136, 145),
    },
}  # fmt: skip
# The filled rows come from other laboratories. Some report whole numbers, whose red-cell indices do not fit
# together ("rough": their share); there RBC is drawn too.
_FILLED = {
    "Healthy": {
        "WBC": (5.4, 7.6, 8.2, 8.6, 9.1), "RBC": (4.54, 5.01, 5.3, 5.5, 5.8),
        "HGB": (13.0, 13.4, 13.9, 14.6, 15.1), "MCV": (84.8, 90.0, 91.0, 93.0, 96.0),
        "MCHC": (31.0, 32.0, 33.0, 33.0, 33.9), "PLT": (153, 310, 340, 370, 390), "rough": 0.8,
    },
    "Normocytic hypochromic anemia": {
        "WBC": (4.4, 6.0, 8.2, 10.8, 16.2), "RBC": (3.18, 3.8, 4.11, 4.52, 4.96),
        "HGB": (8.8, 10.6, 11.1, 11.9, 12.9), "MCV": (80.0, 83.5, 87.1, 91.2, 96.1),
        "MCHC": (28.8, 29.9, 30.6, 31.3, 32.0), "PLT": (129, 167, 214, 289, 396), "rough": 0.2,
    },
    "Normocytic normochromic anemia": {
        "WBC": (4.8, 6.9, 7.2, 7.5, 9.9), "RBC": (3.17, 4.1, 4.4, 4.6, 4.8),
        "HGB": (9.7, 11.7, 12.1, 12.5, 12.8), "MCV": (83.0, 85.0, 87.0, 88.0, 94.0),
        "MCHC": (32.0, 32.0, 32.2, 33.0, 37.3), "PLT": (120, 240, 260, 282, 310), "rough": 0.6,
    },
    "Iron deficiency anemia": {
        "WBC": (5.2, 6.3, 8.1, 10.9, 15.7), "RBC": (3.5, 4.04, 4.44, 4.86, 5.64),
        "HGB": (7.0, 8.5, 9.9, 10.7, 11.7), "MCV": (59.7, 70.8, 75.1, 77.7, 79.1),
        "MCHC": (26.6, 28.5, 29.6, 30.6, 31.6), "PLT": (127, 186, 253, 360, 472), "rough": 0.1,
    },
    "Thrombocytopenia": {
        "WBC": (3.5, 5.1, 6.1, 8.3, 9.2), "RBC": (3.85, 4.33, 4.5, 4.8, 5.5),
        "HGB": (13.1, 13.2, 13.7, 14.6, 16.0), "MCV": (82.0, 84.7, 90.0, 95.0, 105.0),
        "MCHC": (30.3, 32.0, 33.2, 34.9, 38.2), "PLT": (32, 90, 102, 140, 148), "rough": 0.15,
    },
    "Other microcytic anemia": {
        "WBC": (5.6, 5.7, 5.9, 7.6, 12.3), "RBC": (2.41, 3.7, 3.8, 3.9, 4.8),
        "HGB": (8.4, 10.3, 10.5, 10.8, 12.3), "MCV": (68.4, 76.0, 77.2, 79.0, 79.0),
        "MCHC": (32.0, 32.0, 32.0, 32.7, 38.3), "PLT": (160, 180, 191, 200, 264), "rough": 0.75,
    },
    "Leukemia": {
        "WBC": (10.2, 11.2, 13.1, 17.6, 23.5), "RBC": (4.21, 4.63, 5.13, 5.5, 5.84),
        "HGB": (13.1, 13.5, 14.3, 14.9, 15.9), "MCV": (81.2, 86.4, 88.7, 93.5, 103.1),
        "MCHC": (28.9, 30.3, 31.7, 33.0, 35.6), "PLT": (151, 164, 239, 308, 381), "rough": 0.15,
    },
    "Macrocytic anemia": {
        "WBC": (2.9, 5.3, 6.2, 7.6, 8.3), "RBC": (1.78, 2.51, 3.01, 3.49, 3.64),
        "HGB": (6.5, 9.1, 9.6, 10.8, 11.6), "MCV": (100.4, 103.2, 104.0, 115.0, 119.9),
        "MCHC": (28.5, 28.9, 31.1, 32.5, 34.6), "PLT": (134, 150, 222, 262, 429), "rough": 0.0,
    },
    "Leukemia with thrombocytopenia": {
        "WBC": (10.5, 10.8, 11.1, 11.4, 11.7), "RBC": (4.52, 4.72, 4.92, 5.12, 5.32),
        "HGB": (13.1, 13.2, 13.3, 13.4, 13.5), "MCV": (87.4, 88.9, 90.4, 91.9, 93.4),
        "MCHC": (28.9, 29.4, 29.9, 30.4, 30.9), "PLT": (117, 121, 125, 129, 133), "rough": 0.0,
    },
}  # fmt: skip

# Many patients lie close to a limit of the rule: limit, and how close (standard deviation).
_LIMITS = {"HGB": (13, 0.3), "MCV": (80, 1.2), "MCHC": (32, 0.4), "WBC": (10, 0.5), "PLT": (150, 6)}
BORDERLINE = 0.27  # share of values that are drawn close to the limit
SEVERITY = 0.2  # correlation of HGB, MCV and MCHC within a diagnosis

# Copy and original, as rows of the published file: an 80/20 split with random_state=42 then leaks 18 test rows.
_COPIES = (
    (202, 10), (215, 196), (247, 230), (269, 267), (405, 365), (406, 27), (407, 29), (411, 365), (439, 89),
    (441, 90), (442, 93), (445, 106), (466, 451), (467, 452), (474, 430), (603, 585), (708, 611), (722, 573),
    (759, 661), (762, 755), (770, 663), (778, 515), (799, 570), (824, 611), (860, 822), (874, 868), (880, 878),
    (884, 867), (889, 864), (891, 888), (896, 866), (897, 867), (901, 887), (902, 865), (903, 867), (904, 887),
    (907, 878), (934, 920), (951, 935), (952, 939), (982, 980), (1017, 999), (1056, 1043), (1057, 1040),
    (1067, 930), (1068, 924), (1147, 1137), (1161, 1156), (1162, 1155),
)  # fmt: skip

_HYPO, _NORMO, _IRON = "Normocytic hypochromic anemia", "Normocytic normochromic anemia", "Iron deficiency anemia"
# Slips of the keyboard: row, diagnosis of that row, column, what was typed. A lost decimal point, a wrong sign, a
# wrong digit, a neighbour's value. The row was labelled before; the rule still agrees, but for rows 238 and 453.
_SLIPS = (
    (1, _HYPO, "MCHC", 20.2), (3, _IRON, "HGB", 3.8), (4, _HYPO, "HCT", 316.0), (4, _HYPO, "HGB", 0.4),
    (5, _IRON, "MCV", 57.2), (76, _IRON, "HGB", 1.2), (91, _NORMO, "MCHC", 61.3), (96, _NORMO, "MCHC", 61.6),
    (175, _IRON, "NEUTn", 44.0), (201, _HYPO, "PCT", 11.3), (201, _HYPO, "PLT", 12.4),
    (216, _HYPO, "NEUTp", 5317.0), (217, _HYPO, "RBC", 2.26),
    (237, "Leukemia with thrombocytopenia", "NEUTn", 79.0), (245, _IRON, "HGB", -10.0),
    (248, _HYPO, "LYMn", 14.0), (252, "Thrombocytopenia", "PDW", 97.0), (254, _IRON, "HCT", 17.0),
    (271, "Healthy", "MCH", 90.0), (272, "Healthy", "MCHC", 92.8), (273, _HYPO, "RBC", 90.8),
    (344, _IRON, "MCV", -79.3), (351, _NORMO, "MCH", 241.0), (356, "Thrombocytopenia", "MCV", 990.0),
    (357, "Thrombocytopenia", "MCV", 44.9), (374, "Thrombocytopenia", "RBC", 5.99), (375, _IRON, "HCT", 741.0),
    (377, "Healthy", "MCV", 74.1), (383, "Healthy", "NEUTp", 671.0), (400, "Thrombocytopenia", "HGB", 17.5),
    (404, "Healthy", "RBC", 10.9), (438, _NORMO, "MCH", 275.0), (453, _HYPO, "RBC", 13.1), (453, _HYPO, "HGB", 41.0),
    (453, _HYPO, "HCT", 2.0), (238, _IRON, "HGB", 13.1),
    (463, _HYPO, "HGB", 9.0), (465, _NORMO, "MCH", 3117.0), (472, _NORMO, "HCT", 3715.0), (472, _NORMO, "MCH", 2511.0),
    (473, _HYPO, "PCT", 12.0), (476, "Healthy", "MCHC", 30.2), (478, _IRON, "HGB", 5.9), (482, _IRON, "HGB", 1.8),
)  # fmt: skip
# Rows whose values slipped by one column, labelled before; the numbers here come from columns that the file lacks.
_SLIPPED = "Other microcytic anemia"
_SLIPPED_LEFT = {241: (37.2, 12.4, 11.8), 446: (35.3, 11.5, 11.3)}
_SLIPPED_RIGHT = {206: (13.9, 9.3, 12.8), 384: (11.4, 9.8, 13.6)}

# The second blood count of the published lesson is this row.
_EXAMPLE_ROW = 1038
_EXAMPLE = {"WBC": 8.67, "RBC": 3.58, "HGB": 10.2, "MCV": 102.8, "MCH": 28.5, "MCHC": 27.7, "PLT": 272.0}


def diagnose(table: Mapping[str, np.ndarray]) -> np.ndarray:
    """Label blood counts by the rule behind the published labels.

    Parameters
    ----------
    table : mapping
        With the columns WBC, HGB, MCV, MCH, MCHC, PLT in the units of the published set.

    Returns
    -------
    ndarray of str, shape (rows,)
        The rule is a reading of the published file, not of medicine: white cells above 10 are no leukemia.
    """
    wbc, hgb, mcv, mch, mchc, plt = (np.asarray(table[c]) for c in ("WBC", "HGB", "MCV", "MCH", "MCHC", "PLT"))
    anemia, few_platelets, many_white_cells = hgb < 13, plt < 150, wbc > 10
    hypochromic = mchc < 32
    rule = [
        (anemia & (mcv < 80) & hypochromic & (mch <= 26), "Iron deficiency anemia"),
        (anemia & (mcv < 80), "Other microcytic anemia"),
        (anemia & (mcv > 100), "Macrocytic anemia"),
        (anemia & (hypochromic | (mch < 27)), "Normocytic hypochromic anemia"),
        (anemia, "Normocytic normochromic anemia"),
        (few_platelets & many_white_cells, "Leukemia with thrombocytopenia"),
        (few_platelets, "Thrombocytopenia"),
        (many_white_cells, "Leukemia"),
    ]
    conditions, diagnoses = zip(*rule, strict=True)
    return np.select(conditions, diagnoses, default="Healthy")


def _with_percentiles(z: np.ndarray, percentiles: tuple) -> np.ndarray:
    """Turn standard normal numbers into numbers with these 5th, 25th, 50th, 75th and 95th percentiles."""
    p5, p25, _, p75, p95 = percentiles
    ends = p5 - (p25 - p5) / 4, p95 + (p95 - p75) / 4  # the outer slopes go on
    return np.interp(ndtr(z), (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1), (ends[0], *percentiles, ends[1]))


def _draw_some(rng: np.random.Generator, figures: dict, size: int) -> Table:
    """Draw whole blood counts, whatever their diagnosis by the rule turns out to be."""
    severity = rng.standard_normal(size)  # a worse anemia is worse in all red-cell measurements
    is_anemia = figures["HGB"][2] < 13
    count = {}
    for column, (limit, width) in _LIMITS.items():
        z = rng.standard_normal(size)
        is_red = column in ("HGB", "MCV", "MCHC")
        if is_red:
            z = np.sqrt(1 - SEVERITY) * z + np.sqrt(SEVERITY) * severity
        count[column] = _with_percentiles(z, figures[column])
        if is_red or not is_anemia:  # the rule asks for WBC and PLT only where there is no anemia
            borderline = rng.random(size) < BORDERLINE
            count[column] = np.where(borderline, rng.normal(limit, width, size), count[column])
    count["HCT"] = 100 * count["HGB"] / count["MCHC"]
    count["RBC"] = 10 * count["HCT"] / count["MCV"]
    count["MCH"] = 10 * count["HGB"] / count["RBC"]
    return count


def _draw_measured(rng: np.random.Generator, figures: dict, size: int) -> Table:
    count = _draw_some(rng, figures, size)
    count["LYMp"] = _with_percentiles(rng.standard_normal(size), figures["LYMp"])
    count["LYMp"] *= (7 / np.maximum(count["WBC"], 1)) ** 0.3  # when white cells rise, it is mostly the neutrophils
    count["NEUTp"] = 100 - count["LYMp"] - rng.normal(8.5, 1.6, size)  # monocytes, eosinophils, basophils
    other_sample = np.where(rng.random(size) < 0.07, rng.uniform(0.6, 1.5, size), 1)  # counted on another day
    count["LYMn"] = count["WBC"] * other_sample * count["LYMp"] / 100
    count["NEUTn"] = count["WBC"] * other_sample * count["NEUTp"] / 100
    count["PDW"] = _with_percentiles(rng.standard_normal(size), (10.8, 12.1, 13.3, 14.8, 17.3))
    count["PCT"] = count["PLT"] * rng.normal(9.4, 0.7, size) / 10_000  # platelets times their volume (fL), in %
    return count


def _draw_filled(rng: np.random.Generator, figures: dict, size: int) -> Table:
    count = _draw_some(rng, figures, size)
    count["PDW"] = _with_percentiles(rng.standard_normal(size), (11.5, 13.1, 14.6, 16.1, 19.0))
    rough = rng.random(size) < figures["rough"]
    for column, decimals in (("MCV", 0), ("MCH", 0), ("MCHC", 0), ("PLT", -1)):
        count[column] = np.where(rough, count[column].round(decimals), count[column])
    rbc = _with_percentiles(rng.standard_normal(size), figures["RBC"]).round(1)
    count["RBC"] = np.where(rough, rbc, count["RBC"])
    unknown = np.full(size, 50.0)  # a place for the means, which are not known yet
    return {column: unknown if column in FILLED_COLUMNS else count[column] for column in MEASUREMENTS}


def _draw_class(rng: np.random.Generator, draw_some: Callable, figures: dict, diagnosis: str, rows: int) -> np.ndarray:
    """Draw until ``rows`` different blood counts have this diagnosis by the rule: an array (rows, measurements)."""
    kept = {}
    while len(kept) < rows:
        some = draw_some(rng, figures, 4 * rows + 20)
        some = {column: some[column].round(decimals) for column, decimals in DECIMALS.items()}
        values = np.stack(list(some.values()), axis=1)
        possible = (values > 0).all(axis=1) & (some["LYMp"] < 75)
        kept |= dict.fromkeys(map(tuple, values[possible & (diagnose(some) == diagnosis)].tolist()))
    return np.array(list(kept)[:rows])


def _deal_diagnoses(rng: np.random.Generator, part: range, counts: dict[str, int]) -> np.ndarray:
    """Give each row of a part its diagnosis: first the rows with slips, then copies with originals, then the rest."""
    given = {row: diagnosis for row, diagnosis, *_ in _SLIPS if row in part}
    given |= {row: _SLIPPED for row in (*_SLIPPED_LEFT, *_SLIPPED_RIGHT) if row in part}
    given |= {row: "Macrocytic anemia" for row in (_EXAMPLE_ROW,) if row in part}
    names, dealt = list(counts), list(given.values())
    left = np.array([count - dealt.count(name) for name, count in counts.items()])
    for original in dict.fromkeys(o for _, o in _COPIES if o in part):
        group = [original] + [copy for copy, o in _COPIES if o == original]
        chance = np.where(left > len(group), left, 0)
        diagnosis = str(rng.choice(names, p=chance / chance.sum()))
        given |= dict.fromkeys(group, diagnosis)
        left[names.index(diagnosis)] -= len(group)
    rest = rng.permutation(np.repeat(names, left)).tolist()
    given |= dict(zip((row for row in part if row not in given), rest, strict=True))
    return np.array([given[row] for row in part])


def _slip_columns(table: Table) -> None:
    """Move values into the neighbouring column, in place."""
    red_cells = ["RBC", "HGB", "HCT", "MCV", "MCH", "MCHC"]
    slips = (
        (_SLIPPED_LEFT, red_cells[2:], [*red_cells, "PLT"]),
        (_SLIPPED_RIGHT, red_cells[:5], [*red_cells[1:], "PLT", "PDW", "PCT"]),
    )
    for slipped, origin, goal in slips:
        for row, strangers in slipped.items():
            values = [*(table[column][row] for column in origin), *strangers]
            for column, value in zip(goal, values, strict=True):
                table[column][row] = value


def draw(seed: int = 40, return_truth: bool = False) -> Table | tuple[Table, Table]:
    """Draw the simulated blood counts.

    Parameters
    ----------
    seed : int
        The same seed gives the same table on every machine.
    return_truth : bool
        Also return what only a simulation knows.

    Returns
    -------
    dict of 15 columns with 1281 rows
        The 14 measurements in the published order and units, and `Diagnosis`.
    dict of 4 columns with 1281 rows, only with `return_truth`
        `filled` (bool: six columns hold column means), `filled_pdw` (bool: PDW too), `copy_of` (row number of the
        original, -1 if the row is no copy), `corrupted` (the columns that hold a wrong value, joined by a space).
    """
    rng = np.random.default_rng(seed)
    parts = (
        (range(MEASURED_ROWS), _draw_measured, _MEASURED),
        (range(MEASURED_ROWS, ROWS), _draw_filled, _FILLED),
    )
    values, diagnoses = np.empty((ROWS, len(MEASUREMENTS))), []
    for number, (part, draw_some, figures) in enumerate(parts):
        dealt = _deal_diagnoses(rng, part, {name: rows[number] for name, rows in CLASS_COUNTS.items()})
        for diagnosis in np.unique(dealt):
            rows = part.start + np.flatnonzero(dealt == diagnosis)
            values[rows] = _draw_class(rng, draw_some, figures[diagnosis], diagnosis, len(rows))
        diagnoses.append(dealt)
    table = dict(zip(MEASUREMENTS, values.T.copy(), strict=True)) | {"Diagnosis": np.concatenate(diagnoses)}
    truth = _make_faults(rng, table)
    return (table, truth) if return_truth else table


def _make_faults(rng: np.random.Generator, table: Table) -> Table:
    """Spoil the table in place as the published one is spoilt; return what was done to each row."""
    for column, value in _EXAMPLE.items():
        table[column][_EXAMPLE_ROW] = value
    right = {column: table[column].copy() for column in MEASUREMENTS}
    for row, _, column, value in _SLIPS:
        table[column][row] = value
    _slip_columns(table)
    differ = {column: table[column] != right[column] for column in MEASUREMENTS}
    corrupted = [" ".join(column for column in MEASUREMENTS if differ[column][row]) for row in range(ROWS)]

    copies, originals = np.transpose(_COPIES)
    for values in table.values():
        values[copies] = values[originals]
    copy_of = np.full(ROWS, -1)
    copy_of[copies] = originals
    rows = np.arange(ROWS)
    filled, filled_pdw = rows >= MEASURED_ROWS, np.isin(rows, _choose_filled_pdw(rng))
    for column in FILLED_COLUMNS:  # the means are those of the spoilt values: outliers bend them
        table[column][filled] = table[column][~filled].mean().round(5)
    table["PDW"][filled_pdw] = table["PDW"][~filled_pdw].mean().round(8)
    return {"filled": filled, "filled_pdw": filled_pdw, "copy_of": copy_of, "corrupted": np.array(corrupted)}


def _choose_filled_pdw(rng: np.random.Generator) -> list[int]:
    """Choose the rows whose PDW is filled, the example among them; a copy is filled when its original is."""
    apart = {_EXAMPLE_ROW, *(copy for copy, _ in _COPIES)}
    candidates = [row for row in range(MEASURED_ROWS, ROWS) if row not in apart]
    while True:
        chosen = {_EXAMPLE_ROW, *rng.choice(candidates, 392, replace=False)}
        chosen |= {copy for copy, original in _COPIES if original in chosen}
        if len(chosen) == ROWS_WITH_FILLED_PDW:
            return sorted(chosen)
