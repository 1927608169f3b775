"""Tables and lists are read whatever wrote them, or the file is named."""

import pandas as pd
import pytest

from medlessons import splits
from medlessons.data import text
from medlessons.errors import LessonError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_of_windows_are_read(tmp_path, encoding):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    (tmp_path / "a.csv").write_bytes(f"{mark}name, note\r\n7 ,fièvre\r\n".encode(encoding))
    assert text.read_csv(tmp_path / "a.csv", "").to_dict("list") == {"name": ["7"], "note": ["fièvre"]}


@pytest.mark.parametrize("tail", ["", ",", ",,"])
def test_commas_at_the_end_of_rows_move_no_column(tmp_path, tail):
    (tmp_path / "a.csv").write_text(f"a,b\n1,2{tail}\n3,4{tail}\n")
    assert text.read_csv(tmp_path / "a.csv", "").to_dict("list") == {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize(
    "content, says",
    [
        (b" \n", r"a\.csv: the file is empty\. Get another\."),
        (b" <!DOCTYPE html><html>", r"a\.csv: this is a web page, most likely a login page"),
        (b"PK\x03\x04", r"a\.csv: this is a zip or an Excel workbook"),
        (b"%PDF-1.7\n%\xe2\xe3", r"a\.csv: this is not a text file\. Get another\."),
        (b"a\0b", r"a\.csv: this is not a text file\. Get another\."),
        ("a,b\n1,fièvre\n".encode("cp1252"), r"a\.csv, line 2: the text is not in UTF-8"),
        (b'a,b\n1,"2\n', r"a\.csv: this is not a readable CSV file .*Get another\."),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, says):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(LessonError, match=says):
        text.read_csv(tmp_path / "a.csv", "Get another.")


def test_one_patient_has_one_name():
    names = pd.Series(["12.5", "A012", "0", "000", "-7", "0012ab", "1.05"])
    assert list(text.patient_names(names)) == ["12.5", "a12", "0", "0", "-7", "12ab", "1.05"]


FORMS = {
    "12": ["00000012", "+12", "12.0", " 12 ", 12, "12.", "\u00a012", "\uff11\uff12", "+0012.00"],
    "p7": ["P7", "p007", "P 7", "p7 ", "P\u20077"],
    "caf\u00e9": ["cafe\u0301", "Caf\u00e9", " CAF\u00c9"],
}


@pytest.mark.parametrize(("name", "form"), [(name, form) for name, forms in FORMS.items() for form in forms])
def test_no_form_of_a_name_puts_a_patient_on_both_sides_of_a_split(name, form):
    names = text.patient_names(pd.Series([name, form, *range(100, 130)]))
    table = pd.DataFrame({"patient": names, "label": ["frontal", "lateral"] * 16})
    for seed in range(5):
        parts = splits.by_patient(table, {"train": 0.5, "test": 0.5}, seed=seed)
        sides = [part.index.isin([0, 1]).sum() for part in parts.values()]
        assert sorted(sides) == [0, 2]
