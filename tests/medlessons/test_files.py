"""Files appear whole or not at all, and each trouble is explained."""

import errno

import pytest

from medlessons import files
from medlessons.errors import LessonError


def test_the_checksum_is_that_of_rfc_1321():
    assert files.md5(b"abc") == "900150983cd24fb0d6963f7d28e17f72"


def test_atomic_write_gives_the_final_name_only_at_the_end(tmp_path):
    path = tmp_path / "deep" / "table.csv"
    with files.atomic_write(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent.parent == path.parent, "a neighbour: on the same disk"
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, RuntimeError])
def test_atomic_write_leaves_nothing_behind_and_keeps_the_old_file(tmp_path, trouble):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(trouble), files.atomic_write(path) as temporary:
        temporary.write_text("hal")
        raise trouble
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_atomic_write_explains_a_full_disk(tmp_path, number):
    path = tmp_path / "table.csv"
    message = r"table\.csv: the disk is full, nothing was written\. Free some space"
    with pytest.raises(LessonError, match=message), files.atomic_write(path) as temporary:
        temporary.write_text("hal")
        raise OSError(number, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_atomic_write_explains_a_missing_permission(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkdtemp", refuse)
    message = r"no permission \(Permission denied\).*MEDLESSONS_DATA"
    with pytest.raises(LessonError, match=message), files.atomic_write(tmp_path / "table.csv"):
        pass


def test_atomic_write_explains_a_disk_that_is_read_only(tmp_path):
    message = r"no permission \(Read-only file system\).*choose another folder \(MEDLESSONS_DATA.*--build\)"
    with pytest.raises(LessonError, match=message), files.atomic_write(tmp_path / "table.csv"):
        raise OSError(errno.EROFS, "Read-only file system")


def test_atomic_write_explains_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    def refuse(path, *arguments, **options):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))

    monkeypatch.setattr(type(tmp_path), "mkdir", refuse)  # as below /proc, or on a drive that is not there
    message = r"table\.csv: .*deep is not there and cannot be made\. Check the path, or choose another"
    with pytest.raises(LessonError, match=message), files.atomic_write(tmp_path / "deep" / "table.csv"):
        pass


def test_explained_lets_other_troubles_pass(tmp_path):
    with pytest.raises(OSError, match="Input/output error"), files.explain_os_errors(tmp_path):
        raise OSError(errno.EIO, "Input/output error")


def test_atomic_write_explains_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / "table.csv").mkdir()
    message = r"table\.csv: .*(Move it away|no permission)"  # the second on Windows
    with pytest.raises(LessonError, match=message), files.atomic_write(tmp_path / "table.csv") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_atomic_write_explains_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(LessonError, match="Move it away"), files.atomic_write(tmp_path / "data" / "table.csv"):
        pass


def test_atomic_write_places_folders_too(tmp_path):
    with files.atomic_write(tmp_path / "images") as temporary:
        temporary.mkdir()
        (temporary / "1.png").write_bytes(b"x")
    assert (tmp_path / "images" / "1.png").exists()


def test_sha256_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert files.sha256(tmp_path / "a") == digest
