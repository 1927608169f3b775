"""A CSV file of blood counts is checked to the last cell, and what is wrong is named with column and line."""

import numpy as np
import pandas as pd
import pytest

from medlessons import files
from medlessons.data import blood_file
from medlessons.errors import LessonError
from simclinic import blood


def as_csv(table, **options) -> bytes:
    return table.to_csv(index=False, **options).encode()


@pytest.fixture
def published(monkeypatch, drawn):
    """A stand-in for the published file, which must not be in the repository: the simulated one under its checksum."""
    content = as_csv(drawn[0])
    monkeypatch.setattr(blood_file, "PUBLISHED_MD5", files.md5(content))
    monkeypatch.setattr(blood_file, "PUBLISHED_FIRST_ROW_MD5", blood_file._row_md5(drawn[0].iloc[0]))
    return content


def test_the_published_file_is_known_by_its_checksum_however_it_was_saved(published):
    windows = published.replace(b"\n", b"\r\n")
    for content in (published, windows, b"\xef\xbb\xbf" + windows):
        table = blood_file.check(content, "file.csv")
        assert table.attrs["name"] == "published data" and len(table) == 1281
        assert (table["HGB"] == -10).any(), "its impossible values are part of the lesson"


@pytest.mark.parametrize("how", ["columns in another order", "byte order mark", "windows line ends", "blank last line"])
def test_own_data_may_be_written_in_other_ways(sound, how):
    content = as_csv(sound)
    if how == "columns in another order":
        content = as_csv(sound[sound.columns[::-1]])
    elif how == "byte order mark":
        content = b"\xef\xbb\xbf" + content
    elif how == "windows line ends":
        content = content.replace(b"\n", b"\r\n")
    else:
        content += b"\n\n"
    table = blood_file.check(content, "own.csv")
    assert list(table.columns) == [*blood.MEASUREMENTS, "Diagnosis"] and len(table) == len(sound)


@pytest.mark.parametrize("write", [str.upper, str.title, lambda name: name.replace("emia", "aemia"), "  {} ".format])
def test_a_diagnosis_is_known_in_other_letters_and_in_british_english(sound, write):
    table = blood_file.check(as_csv(sound.assign(Diagnosis=sound["Diagnosis"].map(write))), "own.csv")
    assert list(table["Diagnosis"]) == list(sound["Diagnosis"])


def test_rows_of_a_spreadsheet_with_commas_only_do_no_harm(sound):
    assert len(blood_file.check(as_csv(sound) + b"," * 14 + b"\n\n" + b"," * 14 + b"\n", "own.csv")) == len(sound)


FILE_FAULTS = {
    b"": r"own\.csv: the file is empty",
    b" \n\n": r"own\.csv: the file is empty",
    b"\xef\xbb\xbf\n": r"own\.csv: the file is empty",
    b"\xff\xfe": r"own\.csv: the file is empty",
    b",": r"line 1: 15 of the 15 column names are missing",
    b",,\n,\n": r"line 1: 15 of the 15 column names are missing",
    b"\xff\xfeW\0B\0C\0": r"own\.csv, line 1: 14 of the 15 column names are missing",  # read as UTF-16
    b"PK\x03\x04": r"a zip or an Excel workbook, not a CSV file",
    b"\x89PNG\r\n\0\0": r"this is not a text file",
    b"WBC,LYMp\n1,\xe9\n": r"line 2: the text is not in UTF-8 \(byte 11\)",
    b'WBC,LYMp\n"1,2\n': r"cannot be read as CSV .*quotation marks",
    b"<html>\n<body>sign in</body>\n": r"own\.csv: this is a web page, most likely a login page\. Sign in",
    b"\n<!DOCTYPE html>\n": r"own\.csv: this is a web page",
    b"wbc,lymp\n1,2\n": r"line 1: 15 of the 15 column names are missing\. Expected were: WBC, .*, with just these",
    b"WBC,LYMp\n1,2\n": r"line 1: 13 of the 15 column names are missing\. Expected were: WBC",
}


@pytest.mark.parametrize("content", FILE_FAULTS)
def test_what_is_no_table_is_refused(content):
    with pytest.raises(LessonError, match=FILE_FAULTS[content]):
        blood_file.check(content, "own.csv")


def change(table, row, column, value):
    table = table.astype(object)
    table.loc[row, column] = value
    return table


TABLE_FAULTS = {
    "missing column": (
        lambda t: t.drop(columns="MCV"),
        r"line 1: the column MCV is missing\. Expected were: WBC, LYMp",
    ),
    "two missing columns": (lambda t: t.drop(columns=["MCV", "PCT"]), r"the column MCV, PCT is missing"),
    "extra column": (lambda t: t.assign(Age=50), r"line 1: the column Age is not part of the set\. Remove it"),
    "index column": (lambda t: t.reset_index(names=""), r"the column \(no name\) is not part of the set"),
    "same column twice": (lambda t: pd.concat([t, t[["HGB"]]], axis=1), r"the column HGB stands there twice"),
    "text": (
        lambda t: change(t, 5, "HGB", "12,5 g/dL"),
        r"line 7, column HGB: '12,5 g/dL' is not a number\. Write a d",
    ),
    "text in many rows": (lambda t: t.assign(WBC="high"), r"line 2, column WBC: 'high' is not a number \(and \d+ fu"),
    "NaN": (lambda t: change(t, 3, "PLT", np.nan), r"line 5, column PLT: there is no value\. Nothing may be missing"),
    "NA": (lambda t: change(t, 3, "PLT", "NA"), r"line 5, column PLT: there is no value"),
    "infinite": (lambda t: change(t, 3, "PLT", "inf"), r"line 5, column PLT: inf is not possible"),
    "negative": (lambda t: change(t, 0, "HGB", -10), r"line 2, column HGB: -10 is negative\. Expected is 2 to 25 g/dL"),
    "zero": (lambda t: change(t, 0, "MCV", 0), r"line 2, column MCV: 0 is not possible in a living patient"),
    "MCHC in g/L": (
        lambda t: change(t, 0, "MCHC", 320),
        r"line 2, column MCHC: 320 looks like g/L\. Expected is 18 to 45 g/dL: divide by 10",
    ),
    "HGB in g/L": (lambda t: t.assign(HGB=t["HGB"] * 10), r"column HGB: \d+ looks like g/L \(and \d+ further rows\)"),
    "PLT in lakh": (
        lambda t: t.assign(PLT=t["PLT"] / 100),
        r"column PLT: its median is .* lakh per µL.*multiply by 100",
    ),
    "PLT in 10^4": (lambda t: t.assign(PLT=t["PLT"] / 10), r"column PLT: its median .* 10\^4 per µL, not 10\^9/L"),
    "PCT as a fraction": (lambda t: t.assign(PCT=t["PCT"] / 100), r"column PCT: its median is .* a fraction, not %"),
    "HGB in mmol/L": (lambda t: t.assign(HGB=t["HGB"] * 0.6206), r"column HGB: its median .* mmol/L, not g/dL"),
    "MCHC in mmol/L": (lambda t: t.assign(MCHC=t["MCHC"] * 0.6206), r"column MCHC: .* looks like mmol/L"),
    "MCH in fmol": (lambda t: t.assign(MCH=t["MCH"] * 0.06206), r"column MCH: .* looks like fmol"),
    "RBC in 10^4": (lambda t: t.assign(RBC=t["RBC"] * 100), r"column RBC: .* looks like 10\^4 per µL"),
    "HCT as a fraction": (lambda t: t.assign(HCT=t["HCT"] / 100), r"looks like a fraction .* to 75 %: multiply by 100"),
    "PLT per µL": (lambda t: t.assign(PLT=t["PLT"] * 1000), r"looks like cells per µL .*: divide by 1,000"),
    "unknown diagnosis": (
        lambda t: change(t, 9, "Diagnosis", "Sickle cell anemia"),
        r"line 11, column Diagnosis: 'Sickle cell anemia' is not one of the nine diagnoses\. Expected is one of",
    ),
    "header repeated": (lambda t: change(t, 9, t.columns, t.columns), r"line 11, column Diagnosis: 'Diagnosis' is not"),
    "one row": (lambda t: t.head(1), r"own\.csv: 1 row of blood counts; at least 100 are needed"),
    "no rows": (lambda t: t.head(0), r"own\.csv: 0 rows of blood counts"),
    "one diagnosis only": (
        lambda t: t.assign(Diagnosis="Healthy"),
        r"column Diagnosis: every row is Healthy, but at least two diagnoses are needed to tell them apart",
    ),
    "a diagnosis too rare": (
        lambda t: change(t, 0, "Diagnosis", "Macrocytic anemia"),
        r"column Diagnosis: Macrocytic anemia occurs 1 times; at least 5 rows",
    ),
}


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_a_wrong_table_is_refused_with_column_and_line(sound, fault):
    spoil, message = TABLE_FAULTS[fault]
    with pytest.raises(LessonError, match=message):
        blood_file.check(as_csv(spoil(sound)), "own.csv")


def _extend(table):
    invented = [table.sample(200, random_state=0).assign(Diagnosis=[f"Disease {i % 14}" for i in range(200)])]
    return pd.concat([table, *invented])


DAMAGES = {
    "semicolons with destroyed decimals": (
        lambda t: as_csv(t, sep=";").replace(b".", b""),
        r"line 1: the columns are separated by semicolons, but commas were expected\. The decimals may be destroyed",
    ),
    "decimal commas": (lambda t: as_csv(t).replace(b".", b","), r"line 2: \d+ cells instead of 15.*decimal comma"),
    "tabs": (lambda t: as_csv(t, sep="\t"), r"separated by tabs"),
    "extended": (
        lambda t: as_csv(_extend(t)),
        r"changed copy of the published file, with 1,481 rows instead of 1,281 and 14 diagnoses that the set",
    ),
    "cut between rows": (lambda t: as_csv(t.head(900)), r"with 900 rows instead of 1,281\. Fetch the file again"),
    "cut within a row": (lambda t: as_csv(t)[:50_007], r"line \d+: \d+ cells instead of 15\. The file may be cut off"),
    "cut within a word": (lambda t: as_csv(t)[:-3], r"changed copy of the published file, with changed values"),
    "one value changed": (lambda t: as_csv(change(t, 1000, "HGB", 12.0)), r"published file, with changed values"),
    "shuffled": (lambda t: as_csv(t.sample(frac=1, random_state=0)), r"line \d+, column \w+: .* Expected is"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_copies_of_the_published_file_are_refused(published, drawn, damage):
    spoil, message = DAMAGES[damage]
    with pytest.raises(LessonError, match=message):
        blood_file.check(spoil(drawn[0]), "own.csv")
