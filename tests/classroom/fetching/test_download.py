"""Downloads go on where they stopped, are whole or not there, and each trouble on the way is explained."""

import hashlib

import numpy as np
import pytest

from classroom.fetching import archives, download
from medlessons.errors import LessonError
from tests.classroom.fetching.faulty_server import FAULTS

CONTENT = np.random.default_rng(1).bytes(700_000)
PINNED = "md5:" + hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def remote(server):
    server.files["/set.zip"] = CONTENT
    return download.Remote(f"{server.address}/set.zip", "set.zip", "https://publisher.example/set", PINNED)


def get(remote, folder):
    return download.retrieve(remote, folder / "work", progress=False)


def test_retrieve_downloads_a_url(server, tmp_path):
    server.files["/table.csv"] = b"WBC,RBC\n"
    path = download.retrieve(f"{server.address}/table.csv?download=1", tmp_path / "work", progress=False)
    assert path.read_bytes() == b"WBC,RBC\n" and path.name == "table.csv"


@pytest.mark.parametrize("url, name", [("http://h/a/../..", "download"), ("http://h/", "download"), ("http://h", "h")])
def test_a_url_never_names_a_file_outside_of_the_folder(url, name):
    assert download._name_of(url) == name


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in ("404", "403")])
@pytest.mark.parametrize("pinned", [True, False])
def test_one_fault_is_overcome(remote, server, tmp_path, fault, pinned):
    if not pinned and fault in ("wrong bytes", "too few", "too many", "no length, cut"):
        return  # without a checksum only the check of the data set can tell
    server.plan = ["cut", fault]
    if not pinned:
        remote = remote.url
    assert get(remote, tmp_path).read_bytes() == CONTENT
    assert sorted(path.name for path in (tmp_path / "work" / "downloads").glob("set.zip*")) == ["set.zip"]


@pytest.mark.parametrize("status", ["404", "403"])
def test_a_dead_link_names_the_page_and_where_to_put_the_file(remote, server, tmp_path, status):
    server.plan = [status]
    with pytest.raises(LessonError) as error:
        get(remote, tmp_path)
    folder = tmp_path / "work" / "downloads"
    said = str(error.value)
    assert f"{status} Client Error" in said and len(server.asked) == 1
    assert f"open https://publisher.example/set in a browser, download set.zip, put it into {folder}" in said
    (folder / "set.zip").write_bytes(CONTENT)
    assert get(remote, tmp_path).read_bytes() == CONTENT and len(server.asked) == 1


def test_another_file_laid_by_hand_is_named(remote, server, tmp_path):
    folder = tmp_path / "work" / "downloads"
    folder.mkdir(parents=True)
    (folder / "set.zip").write_bytes(CONTENT[:-1])
    server.plan = ["404"]
    with pytest.raises(LessonError, match=r"404.*; and the set\.zip that lies in .* has not the published checksum"):
        get(remote, tmp_path)


def test_what_fails_again_and_again_is_given_up_and_goes_on_later(remote, server, tmp_path):
    server.plan = ["cut", *["500"] * download.ATTEMPTS]
    with pytest.raises(LessonError, match=r"set\.zip: the download failed \(3 times without a new byte: 500"):
        get(remote, tmp_path)
    got = (tmp_path / "work" / "downloads" / "set.zip.part").stat().st_size
    del server.asked[:]
    assert get(remote, tmp_path).read_bytes() == CONTENT
    assert server.asked == [("/set.zip", f"bytes={got}-")]


def test_many_cuts_are_no_failure_while_bytes_arrive(remote, server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "CHUNK", 50)
    server.plan = ["cut"] * 12
    assert get(remote, tmp_path).read_bytes() == CONTENT


def test_wrong_bytes_are_never_handed_out(remote, server, tmp_path):
    server.plan = ["wrong bytes"] * download.ATTEMPTS
    with pytest.raises(LessonError, match="its checksum is not the published one"):
        get(remote, tmp_path)
    assert not list((tmp_path / "work" / "downloads").iterdir())


def test_without_checksum_and_tag_a_download_begins_again(server, tmp_path):
    server.files["/set.zip"], server.tags = CONTENT, False
    server.plan = ["cut"]
    assert get(f"{server.address}/set.zip", tmp_path).read_bytes() == CONTENT
    assert server.asked == [("/set.zip", None)] * 2


def test_a_file_that_changed_meanwhile_is_downloaded_as_a_whole(server, tmp_path, capsys):
    server.files["/set.zip"] = CONTENT
    server.plan = ["cut", *["500"] * download.ATTEMPTS]
    with pytest.raises(LessonError):
        get(f"{server.address}/set.zip", tmp_path)
    server.files["/set.zip"] = CONTENT[::-1]
    assert get(f"{server.address}/set.zip", tmp_path).read_bytes() == CONTENT[::-1]


def test_a_download_that_is_whole_but_not_named_yet_is_not_downloaded_again(remote, server, tmp_path):
    folder = tmp_path / "work" / "downloads"
    folder.mkdir(parents=True)
    (folder / "set.zip.part").write_bytes(CONTENT)
    assert get(remote, tmp_path).read_bytes() == CONTENT
    assert server.asked == [("/set.zip", f"bytes={len(CONTENT)}-")]


def test_a_change_by_the_publisher_is_said(server, tmp_path, capsys):
    for number, content in enumerate((b"one", b"one", b"two")):
        server.files["/set.csv"] = content
        get(f"{server.address}/set.csv", tmp_path).unlink()
        assert ("has changed this file" in capsys.readouterr().err) == (number == 2)


def test_a_disk_that_is_too_small_is_said_before_the_first_byte(remote, server, tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
    with pytest.raises(LessonError, match=r"set\.zip: it needs 700\.0 KB, but the disk of .* has 1\.0 KB left"):
        get(remote, tmp_path)


def test_an_unreachable_server_is_explained(monkeypatch, tmp_path):
    monkeypatch.setattr(download, "PAUSE", 0)
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


@pytest.mark.parametrize("file, step", [(None, "with --from"), ("a.csv", "put it into .*downloads, and run")])
def test_kaggle_failures_are_explained(tmp_path, monkeypatch, file, step):
    import kagglehub

    def fail(handle, **options):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(kagglehub, "dataset_download", fail)
    with pytest.raises(LessonError, match=rf"kaggle.com/datasets/owner/name: .*no route to host.*{step}"):
        download.retrieve_from_kaggle("owner/name", tmp_path, file)
    if file:
        (tmp_path / "downloads" / file).write_text("laid by hand")
        assert download.retrieve_from_kaggle("owner/name", tmp_path, file).read_text() == "laid by hand"


def test_a_source_says_what_must_be_known():
    said = str(download.Source("A set", "https://page", "CC BY 4.0", "Somebody 2018", 1_235_512_464))
    assert all(word in said for word in ("A set", "https://page", "CC BY 4.0", "Somebody 2018", "1.2 GB"))
    assert "not known before" in str(download.Source("A set", "https://page", "CC BY 4.0", "Somebody 2018"))
