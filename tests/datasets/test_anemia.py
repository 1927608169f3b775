"""Blood counts load from both sources, and whatever is wrong with a file or a blood count is named."""

import errno
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from medlessons import datasets, files, settings
from medlessons.datasets import anemia
from medlessons.errors import LessonError
from medlessons.simulate import blood


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "real"))
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", str(tmp_path / "embedded"))
    monkeypatch.delenv("MEDLESSONS_SOURCE", raising=False)


@pytest.fixture(scope="session")
def drawn():
    return blood.draw(return_truth=True)


@pytest.fixture(scope="session")
def embedded_csv():
    return anemia.embedded_csv()


@pytest.fixture(scope="session")
def sound(drawn):
    """Simulated rows without faults: what an instructor's own file may look like."""
    table, truth = drawn
    table = table[~truth["filled"] & (truth["corrupted"] == "")]
    rare = table["Diagnosis"].value_counts().loc[lambda counts: counts < 5].index
    return table[~table["Diagnosis"].isin(rare)].reset_index(drop=True)


def as_csv(table, **options) -> bytes:
    return table.to_csv(index=False, **options).encode()


def no_leftovers() -> bool:
    """Nothing but the lock, which says nothing, lies where the embedded file would be."""
    return all(path.suffix == ".lock" for path in anemia.embedded_path().parent.iterdir())


# ------------------------------------------------------------------------------------------------ the embedded source


def test_embedded_is_the_default_and_is_made_once(drawn):
    table = anemia.load()
    assert table.attrs["name"] == "simulated data" and table.shape == (1281, 15)
    pd.testing.assert_frame_equal(table, drawn[0])
    made = anemia.embedded_path().stat().st_mtime_ns
    anemia.load("embedded")
    assert anemia.embedded_path().stat().st_mtime_ns == made


def test_the_embedded_file_is_the_same_on_every_machine():
    assert files.md5(anemia.embedded_csv()) == anemia.EMBEDDED_MD5


def test_a_changed_embedded_file_is_made_again():
    path = anemia.prepare()
    path.write_text("WBC\n")
    assert "changed" in anemia.status()[0].note
    assert len(anemia.load("embedded")) == 1281


def test_libraries_that_draw_other_numbers_are_named_and_nothing_is_placed(monkeypatch):
    monkeypatch.setattr(anemia, "embedded_csv", lambda: b"other numbers")
    for _ in range(2):
        with pytest.raises(LessonError, match=rf"NumPy {re.escape(np.__version__)} draws other numbers.*requirements"):
            anemia.load("embedded")
    assert no_leftovers()


def test_prepare_explains_a_full_disk_and_leaves_nothing(monkeypatch):
    def fill(path, content):
        with open(path, "wb") as file:
            file.write(content[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(anemia.embedded_path()), "write_bytes", fill)
    with pytest.raises(LessonError, match="the disk is full"):
        anemia.prepare()
    assert no_leftovers()


def test_ctrl_c_while_writing_leaves_nothing(monkeypatch):
    def interrupt(path, content):
        path.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(type(anemia.embedded_path()), "write_bytes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        anemia.prepare()
    assert no_leftovers()


def test_several_runs_at_once_do_not_disturb_each_other(embedded_csv, monkeypatch):
    made = []
    monkeypatch.setattr(anemia, "embedded_csv", lambda: made.append(1) or embedded_csv)
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: anemia.prepare(), range(8)))
    assert {path.read_bytes() for path in paths} == {embedded_csv}
    assert len(made) == 1, "the others waited"


def test_unknown_source():
    with pytest.raises(LessonError, match="'simulated', but it must be"):
        anemia.load("simulated")


# ---------------------------------------------------------------------------------------------------- the real source


@pytest.fixture
def published(monkeypatch, drawn, embedded_csv):
    """A stand-in for the published file, which must not be in the repository: the simulated one under its checksum."""
    monkeypatch.setattr(anemia, "PUBLISHED_MD5", files.md5(embedded_csv))
    monkeypatch.setattr(anemia, "PUBLISHED_FIRST_ROW_MD5", anemia._row_md5(drawn[0].iloc[0]))
    return embedded_csv


def put(content: bytes):
    anemia.real_path().parent.mkdir(parents=True, exist_ok=True)
    anemia.real_path().write_bytes(content)


def test_the_published_file_is_known_by_its_checksum_however_it_was_saved(published):
    windows = published.replace(b"\n", b"\r\n")
    for content in (published, windows, b"\xef\xbb\xbf" + windows):
        put(content)
        table = anemia.load("real")
        assert table.attrs["name"] == "published data" and len(table) == 1281
        assert (table["HGB"] == -10).any(), "its impossible values are part of the lesson"


def test_own_data_are_welcome(sound):
    put(as_csv(sound))
    table = anemia.load("real")
    assert table.attrs["name"] == "own data"
    pd.testing.assert_frame_equal(table, sound, check_dtype=False)


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
    table = anemia.check(content, "own.csv")
    assert list(table.columns) == [*anemia.MEASUREMENTS, "Diagnosis"] and len(table) == len(sound)


def test_a_missing_file_says_how_to_get_it():
    with pytest.raises(LessonError, match=r"not there\. Fetch them with `medlessons data fetch anemia`.*embedded"):
        anemia.load("real")


def test_a_folder_in_place_of_the_file():
    anemia.real_path().mkdir(parents=True)
    with pytest.raises(LessonError, match=r"diagnosed_cbc_data_v4\.csv: .*(Move it away|no permission)"):
        anemia.load("real")


def test_an_unreadable_folder(monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(type(anemia.real_path()), "read_bytes", refuse)
    with pytest.raises(LessonError, match=r"no permission \(Permission denied\)\. Change the permissions"):
        anemia.load("real")
    monkeypatch.setattr(type(anemia.real_path()), "exists", refuse)
    assert "no permission" in anemia.status()[1].note


FILE_FAULTS = {
    b"": r"own\.csv: the file is empty",
    b" \n\n": r"own\.csv: the file is empty",
    b"\xef\xbb\xbf\n": r"own\.csv: the file is empty",
    b"\xff\xfeW\0B\0C\0": r"the text is in UTF-16\. Save it again as \"CSV UTF-8\"",
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
        anemia.check(content, "own.csv")


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
    "text": (lambda t: change(t, 5, "HGB", "12,5 g/dL"), r"line 7, column HGB: '12,5 g/dL' is not a number\. Write"),
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
        anemia.check(as_csv(spoil(sound)), "own.csv")


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
    put(spoil(drawn[0]))
    with pytest.raises(LessonError, match=message):
        anemia.load("real")


# ------------------------------------------------------------------------------------------------------ fetch, status


def test_fetch_from_kaggle(published, monkeypatch):
    import kagglehub

    def deliver(handle, output_dir):
        assert handle == "ehababoelnaga/anemia-types-classification"
        folder = anemia.Path(output_dir)
        folder.mkdir()
        (folder / anemia.FILE).write_bytes(published)
        return output_dir

    monkeypatch.setattr(kagglehub, "dataset_download", deliver)
    assert anemia.fetch() == anemia.real_path()
    assert anemia.load("real").attrs["name"] == "published data"
    assert list(anemia.real_path().parent.iterdir()) == [anemia.real_path()]


@pytest.mark.parametrize("kind", ["file", "folder", "zip"])
def test_fetch_from_what_was_downloaded_by_hand(published, tmp_path, kind):
    origin = tmp_path / "downloads"
    origin.mkdir()
    (origin / anemia.FILE).write_bytes(published)
    if kind == "file":
        origin /= anemia.FILE
    elif kind == "zip":
        with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
            archive.write(origin / anemia.FILE, anemia.FILE)
        origin = tmp_path / "archive.zip"
    assert anemia.fetch(origin).read_bytes() == published


def test_fetch_refuses_a_damaged_file_and_keeps_what_is_there(published, tmp_path):
    put(published)
    (tmp_path / "bad.csv").write_bytes(published[:1000])
    with pytest.raises(LessonError, match=r"bad\.csv: this is a changed copy of the published file, with 10 rows"):
        anemia.fetch(tmp_path / "bad.csv")
    assert anemia.real_path().read_bytes() == published
    assert list(anemia.real_path().parent.iterdir()) == [anemia.real_path()]


def test_status_says_what_is_there(published, sound):
    embedded, real = datasets.REGISTRY["anemia"].status()
    assert not embedded.present and not real.present and real.note == "not there"
    anemia.prepare()
    put(published)
    embedded, real = anemia.status()
    assert (embedded.note, embedded.rows, embedded.verified) == ("simulated data", 1281, True)
    assert (real.note, real.rows, real.source) == ("published data", 1281, "real")
    put(as_csv(sound[::-1]))
    assert anemia.status()[1].note == "own data"
    put(b"")
    assert anemia.status()[1].present and "empty" in anemia.status()[1].note
    assert [line for line in datasets.status() if line.name == "anemia"] == anemia.status()


# ------------------------------------------------------------------------------------------------- checking one count


def faults_of(blood_count):
    found = anemia.validate(blood_count)
    return set(zip(found["column"], found["fault"], strict=True))


def test_the_table_of_columns():
    assert tuple(anemia.COLUMNS.index) == anemia.MEASUREMENTS and len(anemia.DIAGNOSES) == 9
    assert (anemia.COLUMNS["lowest"] < anemia.COLUMNS["highest"]).all()


def test_first_published_example():
    healthy = anemia.EXAMPLES.iloc[0]
    assert faults_of(healthy) == {
        ("WBC", "parts"),
        ("MCHC", "unit"),
        ("MCHC", "identity"),
        ("PDW", "scale"),
        ("PCT", "scale"),
    }
    messages = anemia.validate(healthy).set_index(["column", "fault"])["message"]
    assert messages["MCHC", "unit"] == "320 looks like g/L; expected is 18 to 45 g/dL: divide by 10"
    assert messages["WBC", "parts"] == "LYMn + NEUTn is 5.5, more than all white cells (2.74)"


def test_second_published_example():
    filled = {(column, "filled") for column in ("LYMp", "NEUTp", "LYMn", "NEUTn", "HCT", "PDW", "PCT")}
    disagree = {("MCV", "identity"), ("MCHC", "identity"), ("NEUTp", "parts"), ("LYMn", "parts"), ("NEUTn", "parts")}
    assert faults_of(anemia.EXAMPLES.iloc[1]) == filled | disagree


def test_mend_corrects_units_and_white_cells_and_removes_what_is_off_by_scale():
    mended = anemia.mend(anemia.EXAMPLES.iloc[0].to_dict())
    assert mended["MCHC"] == 32.0
    assert mended["WBC"] == pytest.approx(5.68)
    assert list(mended.index[mended.isna()]) == ["PDW", "PCT"]


def test_mend_removes_filled_means_and_restores_hct():
    mended = anemia.mend(anemia.EXAMPLES.iloc[1])
    assert mended["HCT"] == pytest.approx(36.8)
    assert set(mended.index[mended.isna()]) == {"LYMp", "NEUTp", "LYMn", "NEUTn", "PDW", "PCT"}
    assert set(anemia.validate(mended)["fault"]) == {"missing"}


SOUND_COUNT = dict(
    zip(anemia.MEASUREMENTS, (7, 30, 62, 2.1, 4.3, 4.8, 14.0, 42.0, 87.5, 29.2, 33.3, 250, 12, 0.24), strict=True)
)


def test_a_sound_blood_count_has_no_faults_in_any_form():
    for count in (SOUND_COUNT, pd.Series(SOUND_COUNT), pd.DataFrame([SOUND_COUNT] * 2), SOUND_COUNT | {"Age": 50}):
        assert anemia.validate(count).empty
    assert list(anemia.validate(SOUND_COUNT).columns) == ["row", "column", "value", "fault", "message"]


@pytest.mark.parametrize(
    ("changes", "column", "fault"),
    [
        ({"HGB": np.nan}, "HGB", "missing"),
        ({"HGB": 140.0}, "HGB", "unit"),
        ({"HCT": 0.42}, "HCT", "unit"),
        ({"PLT": 250_000.0}, "PLT", "unit"),
        ({"HCT": 420.0}, "HCT", "scale"),
        ({"MCV": 990.0}, "MCV", "scale"),
        ({"HGB": -10.0}, "HGB", "impossible"),
        ({"MCHC": 92.8}, "MCHC", "impossible"),
        ({"MCV": 80.0}, "MCV", "identity"),
        ({"MCH": 27.0}, "MCH", "identity"),
        ({"LYMp": 60.0}, "NEUTp", "parts"),
        ({"WBC": 3.0}, "WBC", "parts"),
        ({"LYMn": 1.2}, "LYMn", "parts"),
        ({"PCT": 0.02}, "PCT", "scale"),
    ],
)
def test_each_fault_is_named(changes, column, fault):
    assert (column, fault) in faults_of(SOUND_COUNT | changes)


def test_a_parameter_that_is_not_given_is_missing_and_text_is_refused():
    without = {name: value for name, value in SOUND_COUNT.items() if name != "PDW"}
    assert faults_of(without) == {("PDW", "missing")}
    with pytest.raises(LessonError, match=r"row 0, column HGB: 'low' is not a number"):
        anemia.validate(SOUND_COUNT | {"HGB": "low"})


def test_validate_finds_what_the_simulation_did(drawn):
    table, truth = drawn
    found = anemia.validate(table)
    assert set(found.loc[found["fault"] == "filled", "row"]) == set(truth.index[truth["filled"]])
    spoilt = set(found.loc[found["fault"].isin(["unit", "scale", "impossible", "identity"]), "row"])
    corrupted = set(truth.index[truth["corrupted"] != ""])
    assert len(corrupted & spoilt) >= 0.85 * len(corrupted)
    measured_and_sound = set(truth.index[~truth["filled"]]) - corrupted
    assert not measured_and_sound & spoilt


def test_the_known_means_are_those_of_the_simulation(drawn):
    row = drawn[0].loc[1038]
    assert row[list(anemia.FILLED_MEANS[1])].to_dict() == anemia.FILLED_MEANS[1]


def test_the_data_card_documents_every_column_and_diagnosis():
    card = (settings.REPOSITORY / "data" / "README.md").read_text(encoding="utf-8")
    for column, (low, high) in anemia.LIMITS.items():
        unit = anemia.COLUMNS.at[column, "unit"]
        assert f"| {unit} | {low:g} to {high:g} |" in card[card.index(f"| `{column}` |") :].splitlines()[0]
    assert " · ".join(anemia.DIAGNOSES) in card.replace("\n", " ")
