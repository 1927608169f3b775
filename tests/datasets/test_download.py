"""Data sets are fetched, unzipped and found, and each trouble on the way is explained."""

import http.server
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


def test_bring_downloads_a_url(served, tmp_path):
    folder, address = served
    (folder / "table.csv").write_bytes(b"WBC,RBC\n")
    path = download.bring(f"{address}/table.csv?download=1", tmp_path, progress=False)
    assert path.read_bytes() == b"WBC,RBC\n"


def test_bring_tries_three_times_and_then_explains(served, tmp_path):
    _, address = served
    with pytest.raises(LessonError, match=r"absent\.csv: the download failed 3 times \(404.*--from"):
        download.bring(f"{address}/absent.csv", tmp_path, progress=False)


def test_bring_explains_an_unreachable_server(tmp_path):
    with pytest.raises(LessonError, match="Check the address and the network"):
        download.bring("http://127.0.0.1:9/table.csv", tmp_path, progress=False)


def test_bring_takes_a_file_where_it_lies(tmp_path):
    (tmp_path / "mine.csv").write_text("x")
    assert download.bring(tmp_path / "mine.csv", tmp_path) == tmp_path / "mine.csv"
    with pytest.raises(LessonError, match="there is no such file or folder"):
        download.bring(tmp_path / "other.csv", tmp_path)


@pytest.mark.parametrize("origin", ["", " "])
def test_bring_refuses_an_empty_origin(tmp_path, origin):
    with pytest.raises(LessonError, match=r"--from is empty\. Give the path"):
        download.bring(origin, tmp_path)


def test_kaggle_failures_are_explained(tmp_path, monkeypatch):
    import kagglehub

    def fail(handle, **options):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(kagglehub, "dataset_download", fail)
    with pytest.raises(LessonError, match=r"kaggle.com/datasets/owner/name: .*no route to host.*--from"):
        download.bring_from_kaggle("owner/name", tmp_path)


def test_find_file_in_folder_and_zip(tmp_path):
    (tmp_path / "set" / "inner").mkdir(parents=True)
    (tmp_path / "set" / "inner" / "table.csv").write_text("x")
    assert download.find_file(tmp_path / "set", "table.csv", tmp_path).name == "table.csv"
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("version 4/table.csv", "zipped")
    assert download.find_file(tmp_path / "set.zip", "table.csv", tmp_path).read_text() == "zipped"
    with pytest.raises(LessonError, match=r"set: there is no other\.csv in it"):
        download.find_file(tmp_path / "set", "other.csv", tmp_path)
    with pytest.raises(LessonError, match=r"set\.zip: there is no other\.csv in it"):
        download.find_file(tmp_path / "set.zip", "other.csv", tmp_path)


@pytest.mark.parametrize("member", ["../evil.csv", "/tmp/evil.csv", "a/../../evil.csv"])
def test_unzip_refuses_members_that_would_land_outside(tmp_path, member):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(LessonError, match=r"evil\.zip: its member .* would be written outside"):
        download.unzip(tmp_path / "evil.zip", tmp_path / "out")
    assert not (tmp_path / "evil.csv").exists()


def test_unzip_explains_a_damaged_zip(tmp_path):
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(LessonError, match=r"cut\.zip: the zip is damaged.*Download it again"):
        download.unzip(tmp_path / "cut.zip", tmp_path / "out")
