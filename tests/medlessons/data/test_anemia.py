"""Blood counts load from both sources and are fetched from wherever they lie."""

import errno
import re

import numpy as np
import pandas as pd
import pytest

from medlessons import files
from medlessons.data import anemia
from medlessons.errors import LessonError


def as_csv(table, **options) -> bytes:
    return table.to_csv(index=False, **options).encode()


def test_embedded_is_the_default_and_is_made_once(drawn):
    table = anemia.load()
    assert table.attrs["name"] == "simulated data" and table.shape == (1281, 15)
    pd.testing.assert_frame_equal(table, drawn[0])
    made = anemia.embedded()[0].stat().st_mtime_ns
    anemia.load("embedded")
    assert anemia.embedded()[0].stat().st_mtime_ns == made


def test_the_embedded_file_is_the_same_on_every_machine(embedded_csv):
    assert files.md5(embedded_csv) == anemia.EMBEDDED_MD5


def test_libraries_that_draw_other_numbers_are_named_and_nothing_is_placed(monkeypatch):
    monkeypatch.setattr(anemia, "embedded_csv", lambda: b"other numbers")
    for _ in range(2):
        with pytest.raises(LessonError, match=rf"NumPy {re.escape(np.__version__)} draws other numbers.*requirements"):
            anemia.load("embedded")
    assert not anemia.embedded()[0].exists()


# ---------------------------------------------------------------------------------------------------- the real source


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
