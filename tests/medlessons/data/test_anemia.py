"""Blood counts load from both sources and are fetched from wherever they lie."""

import errno
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medlessons import data, files
from medlessons.data import anemia, blood_file
from medlessons.errors import LessonError


@pytest.fixture(scope="session")
def embedded_csv():
    return anemia.embedded_csv()


def as_csv(table, **options) -> bytes:
    return table.to_csv(index=False, **options).encode()


def test_embedded_is_the_default_and_is_made_once(drawn):
    table = anemia.load()
    assert table.attrs["name"] == "simulated data" and table.shape == (1281, 15)
    pd.testing.assert_frame_equal(table, drawn[0])
    made = anemia.embedded_folder().stat().st_mtime_ns
    anemia.load("embedded")
    assert anemia.embedded_folder().stat().st_mtime_ns == made


def test_the_embedded_file_is_the_same_on_every_machine(embedded_csv):
    assert files.md5(embedded_csv) == anemia.EMBEDDED_MD5


def test_libraries_that_draw_other_numbers_are_named_and_nothing_is_placed(monkeypatch):
    monkeypatch.setattr(anemia, "embedded_csv", lambda: b"other numbers")
    for _ in range(2):
        with pytest.raises(LessonError, match=rf"NumPy {re.escape(np.__version__)} draws other numbers.*requirements"):
            anemia.load("embedded")
    assert not anemia.embedded_folder().exists()


# ---------------------------------------------------------------------------------------------------- the real source


@pytest.fixture
def published(monkeypatch, drawn, embedded_csv):
    """A stand-in for the published file, which must not be in the repository: the simulated one under its checksum."""
    monkeypatch.setattr(blood_file, "PUBLISHED_MD5", files.md5(embedded_csv))
    monkeypatch.setattr(blood_file, "PUBLISHED_FIRST_ROW_MD5", blood_file._row_md5(drawn[0].iloc[0]))
    return embedded_csv


def real_path():
    return anemia.real_folder() / anemia.FILE


def put(content: bytes):
    real_path().parent.mkdir(parents=True, exist_ok=True)
    real_path().write_bytes(content)


def test_own_data_are_welcome(sound):
    put(as_csv(sound))
    table = anemia.load("real")
    assert table.attrs["name"] == "own data"
    pd.testing.assert_frame_equal(table, sound, check_dtype=False)


def test_a_missing_file_says_how_to_get_it():
    with pytest.raises(LessonError, match=r"not there\. Fetch them with `medlessons data fetch anemia`.*embedded"):
        anemia.load("real")


def test_a_folder_in_place_of_the_file():
    real_path().mkdir(parents=True)
    with pytest.raises(LessonError, match=r"diagnosed_cbc_data_v4\.csv: .*(Move it away|no permission)"):
        anemia.load("real")


def test_an_unreadable_folder(monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(type(real_path()), "read_bytes", refuse)
    with pytest.raises(LessonError, match=r"no permission \(Permission denied\)\. Change the permissions"):
        anemia.load("real")
    monkeypatch.setattr(type(real_path()), "exists", refuse)
    assert "no permission" in anemia.status()[1].note


# ------------------------------------------------------------------------------------------------------ fetch, status


def test_fetch_from_kaggle(published, monkeypatch):
    import kagglehub

    def deliver(handle, output_dir, path):
        assert handle == "ehababoelnaga/anemia-types-classification"
        folder = Path(output_dir)
        folder.mkdir()
        (folder / anemia.FILE).write_bytes(published)
        return output_dir

    monkeypatch.setattr(kagglehub, "dataset_download", deliver)
    assert anemia.fetch() == real_path().parent
    assert anemia.load("real").attrs["name"] == "published data"
    assert sorted(path.name for path in real_path().parent.iterdir()) == [anemia.FILE, "manifest.csv"]


@pytest.mark.parametrize("kind", ["file", "folder", "zip"])
def test_fetch_from_what_was_downloaded_by_hand(published, tmp_path, kind):
    origin = tmp_path / "downloads"
    origin.mkdir()
    (origin / anemia.FILE).write_bytes(published)
    if kind == "file":
        origin = (origin / anemia.FILE).rename(origin / "my_counts.csv")
    elif kind == "zip":
        with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
            archive.write(origin / anemia.FILE, anemia.FILE)
        origin = tmp_path / "archive.zip"
    assert (anemia.fetch(origin) / anemia.FILE).read_bytes() == published
    assert kind == "zip" or origin.exists(), "what was given is left where it is"


def test_fetch_refuses_a_damaged_file_and_keeps_what_is_there(published, tmp_path):
    put(published[:-3])
    (tmp_path / "bad.csv").write_bytes(published[:1000])
    with pytest.raises(LessonError, match=r"bad\.csv: this is a changed copy of the published file, with 10 rows"):
        anemia.fetch(tmp_path / "bad.csv")
    assert real_path().read_bytes() == published[:-3]
    (tmp_path / "good.csv").write_bytes(published)
    anemia.fetch(tmp_path / "good.csv")
    assert real_path().read_bytes() == published


def test_status_says_what_is_there(published, sound):
    embedded, real = data.REGISTRY["anemia"].status()
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
    assert [line for line in data.status() if line.name == "anemia"] == anemia.status()
