"""Data sets are fetched, unzipped and found, and each trouble on the way is explained."""

import http.server
import tarfile
import threading
import zipfile

import pytest

from medlessons.datasets import download
from medlessons.errors import LessonError


@pytest.fixture
def served(tmp_path):
    """A folder and the address of a small server that serves it."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_retrieve_downloads_a_url(served, tmp_path):
    folder, address = served
    (folder / "table.csv").write_bytes(b"WBC,RBC\n")
    path = download.retrieve(f"{address}/table.csv?download=1", tmp_path, progress=False)
    assert path.read_bytes() == b"WBC,RBC\n"


def test_retrieve_tries_three_times_and_then_explains(served, tmp_path):
    _, address = served
    with pytest.raises(LessonError, match=r"absent\.csv: the download failed 3 times \(404.*--from"):
        download.retrieve(f"{address}/absent.csv", tmp_path, progress=False)


def test_retrieve_explains_an_unreachable_server(tmp_path):
    with pytest.raises(LessonError, match="Check the address and the network"):
        download.retrieve("http://127.0.0.1:9/table.csv", tmp_path, progress=False)


def test_retrieve_takes_a_file_where_it_lies(tmp_path):
    (tmp_path / "mine.csv").write_text("x")
    assert download.retrieve(tmp_path / "mine.csv", tmp_path) == tmp_path / "mine.csv"
    with pytest.raises(LessonError, match="there is no such file or folder"):
        download.retrieve(tmp_path / "other.csv", tmp_path)


@pytest.mark.parametrize("origin", ["", " "])
def test_retrieve_refuses_an_empty_origin(tmp_path, origin):
    with pytest.raises(LessonError, match=r"--from is empty\. Give the path"):
        download.retrieve(origin, tmp_path)


def test_kaggle_failures_are_explained(tmp_path, monkeypatch):
    import kagglehub

    def fail(handle, **options):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(kagglehub, "dataset_download", fail)
    with pytest.raises(LessonError, match=r"kaggle.com/datasets/owner/name: .*no route to host.*--from"):
        download.retrieve_from_kaggle("owner/name", tmp_path)


def test_a_file_with_another_checksum_is_not_handed_out(served, tmp_path):
    folder, address = served
    (folder / "table.csv").write_bytes(b"abc")
    sound = "md5:900150983cd24fb0d6963f7d28e17f72"
    assert download.retrieve(f"{address}/table.csv", tmp_path, False, known_hash=sound).is_file()
    (folder / "other.csv").write_bytes(b"abd")
    with pytest.raises(LessonError, match="does not match the known hash"):
        download.retrieve(f"{address}/other.csv", tmp_path, False, known_hash=sound)
    assert not (tmp_path / "other.csv").exists()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_unpack_takes_zip_and_tar(tmp_path, kind):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "table.csv").write_text("x")
    archive = tmp_path / f"set.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as members:
            members.write(tmp_path / "set" / "table.csv", "set/table.csv")
    else:
        with tarfile.open(archive, "w:gz") as members:
            members.add(tmp_path / "set", "set")
    assert (download.unpack(archive, tmp_path / "out") / "set" / "table.csv").read_text() == "x"
    assert download.unpack(tmp_path / "set", tmp_path / "out") == tmp_path / "set"


@pytest.mark.parametrize("member", ["../evil.csv", "/tmp/evil.csv", "a/../../evil.csv"])
def test_unpack_refuses_members_that_would_land_outside(tmp_path, member):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(LessonError, match=r"evil\.zip: its member .* would be written outside"):
        download.unpack(tmp_path / "evil.zip", tmp_path / "out")
    assert not (tmp_path / "evil.csv").exists()


@pytest.mark.parametrize("kind", ["up", "link"])
def test_unpack_refuses_a_tar_that_leads_outside(tmp_path, kind):
    member = tarfile.TarInfo("../evil.csv" if kind == "up" else "link")
    if kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "../../secret"
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.addfile(member)
    with pytest.raises(LessonError, match=r"evil\.tar: its member .* would be written outside"):
        download.unpack(tmp_path / "evil.tar", tmp_path / "out")
    assert not (tmp_path / "evil.csv").exists()


def test_unpack_explains_a_damaged_archive(tmp_path):
    for name, content in (("cut.zip", b"PK\x03\x04 cut off"), ("cut.tar.gz", b"\x1f\x8b\x08 cut off")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LessonError, match=rf"{name}: .*Download it again"):
            download.unpack(tmp_path / name, tmp_path / "out")


def test_unpack_explains_an_archive_whose_inside_is_damaged(tmp_path):
    with zipfile.ZipFile(tmp_path / "flipped.zip", "w") as archive:
        archive.writestr("table.csv", "x" * 1000)
    content = bytearray((tmp_path / "flipped.zip").read_bytes())
    content[200] ^= 1
    (tmp_path / "flipped.zip").write_bytes(content)
    with pytest.raises(LessonError, match=r"the archive is damaged .*CRC"):
        download.unpack(tmp_path / "flipped.zip", tmp_path / "out")
