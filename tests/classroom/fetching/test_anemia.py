"""Blood counts are fetched from wherever they lie."""

import zipfile
from pathlib import Path

import pytest

from classroom.fetching import placing
from medlessons.data import anemia
from medlessons.errors import LessonError


def real_path():
    return anemia.real_folder() / anemia.FILE


def put(content: bytes):
    real_path().parent.mkdir(parents=True, exist_ok=True)
    real_path().write_bytes(content)


def test_fetch_from_kaggle(published, monkeypatch):
    import kagglehub

    def deliver(handle, output_dir, path):
        assert handle == "ehababoelnaga/anemia-types-classification"
        folder = Path(output_dir)
        folder.mkdir()
        (folder / anemia.FILE).write_bytes(published)
        return str(folder / path)

    monkeypatch.setattr(kagglehub, "dataset_download", deliver)
    assert placing.fetch("anemia")[0] == real_path().parent
    assert anemia.load("real").attrs["name"] == "published data"
    assert sorted(path.name for path in real_path().parent.iterdir()) == [anemia.FILE, "manifest.csv"]


@pytest.mark.parametrize("kind", ["file", "folder", "zip", "zip of another name"])
def test_fetch_from_what_was_downloaded_by_hand(published, tmp_path, kind):
    origin = tmp_path / "downloads"
    origin.mkdir()
    (origin / anemia.FILE).write_bytes(published)
    if kind == "file":
        origin = (origin / anemia.FILE).rename(origin / "my_counts.csv")
    elif kind != "folder":
        with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
            archive.write(origin / anemia.FILE, anemia.FILE if kind == "zip" else "my_counts.csv")
        origin = tmp_path / "archive.zip"
    assert (placing.fetch("anemia", origin)[0] / anemia.FILE).read_bytes() == published
    assert "zip" in kind or origin.exists(), "what was given is left where it is"


def test_fetch_refuses_a_damaged_file_and_keeps_what_is_there(published, tmp_path):
    put(published[:-3])
    (tmp_path / "bad.csv").write_bytes(published[:1000])
    with pytest.raises(LessonError, match=r"/bad\.csv: this is a changed copy of the published file, with 10 rows"):
        placing.fetch("anemia", tmp_path / "bad.csv")
    assert real_path().read_bytes() == published[:-3]
    (tmp_path / "good.csv").write_bytes(published)
    placing.fetch("anemia", tmp_path / "good.csv")
    assert real_path().read_bytes() == published


def test_a_web_page_or_a_workbook_in_place_of_data_is_named(tmp_path):
    for name in ("counts.csv", "archive.zip"):
        (tmp_path / name).write_text("<!DOCTYPE html><html><title>Kaggle: sign in</title></html>")
        with pytest.raises(LessonError, match=rf"{tmp_path}/{name}: this is a web page, most likely a login page"):
            placing.fetch("anemia", tmp_path / name)
    with zipfile.ZipFile(tmp_path / "counts.xlsx", "w") as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(LessonError, match=rf"{tmp_path}/counts\.xlsx: this is a zip or an Excel workbook"):
        placing.fetch("anemia", tmp_path / "counts.xlsx")
