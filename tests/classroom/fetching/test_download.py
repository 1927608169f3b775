"""Downloads go on where they stopped, are whole or not there, and each trouble on the way is explained."""

import hashlib

import numpy as np
import pytest
import requests

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
    where = folder / "work" / "downloads"
    return download.get(remote, where) if isinstance(remote, download.Remote) else download.retrieve(remote, where)


def test_retrieve_downloads_a_url(server, tmp_path):
    server.files["/table.csv"] = b"WBC,RBC\n"
    path = download.retrieve(f"{server.address}/table.csv?download=1", tmp_path / "work")
    assert path.read_bytes() == b"WBC,RBC\n" and path.name == "table.csv"


@pytest.mark.parametrize("url, name", [("http://h/a/../..", "download"), ("http://h/", "download"), ("http://h", "h")])
def test_a_url_never_names_a_file_outside_of_the_folder(url, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(download, "get", lambda remote, folder: remote.name)
        assert download.retrieve(url, None) == name


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
    server.plan = ["cut", *["500"] * (download.TRIES - 1)]
    with pytest.raises(LessonError, match=r"set\.zip: the download failed \(500 Server Error"):
        get(remote, tmp_path)
    got = (tmp_path / "work" / "downloads" / "set.zip.part").stat().st_size
    del server.asked[:]
    assert get(remote, tmp_path).read_bytes() == CONTENT
    assert server.asked == [("/set.zip", f"bytes={got}-")]


def test_wrong_bytes_are_never_handed_out(remote, server, tmp_path):
    server.plan = ["wrong bytes"] * download.TRIES
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
    server.plan = ["cut", *["500"] * (download.TRIES - 1)]
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


def test_a_disk_that_is_too_small_is_said_before_the_first_byte(remote, server, tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
    with pytest.raises(LessonError, match=r"set\.zip: it needs 700\.0 KB, but the disk of .* has 1\.0 KB left"):
        get(remote, tmp_path)


def test_an_unreachable_server_is_explained(server, tmp_path):
    with pytest.raises(LessonError, match="Check the address and the network"):
        download.retrieve("http://127.0.0.1:9/table.csv", tmp_path)


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
    folder = tmp_path / "downloads"
    with pytest.raises(LessonError, match=r"kaggle.com/datasets/owner/name: .*no route.*put it into .*downloads"):
        download.get_from_kaggle("owner/name", "a.csv", folder)
    (folder / "a.csv").write_text("laid by hand")
    assert download.get_from_kaggle("owner/name", "a.csv", folder).read_text() == "laid by hand"


@pytest.mark.parametrize(
    "error, says",
    [
        (
            requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"),
            "certificate cannot be verified.*REQUESTS",
        ),
        (
            OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /nowhere/ca.pem"),
            "REQUESTS_CA_BUN",
        ),
        (requests.exceptions.ProxyError("refused"), "the proxy does not answer: check the variables HTTP_PROXY"),
        (requests.exceptions.ConnectTimeout("slow"), "the connection failed"),
        (requests.exceptions.InvalidURL("no host"), "no host"),
    ],
)
def test_what_networks_do_is_named(server, tmp_path, monkeypatch, error, says):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(requests, "get", fail)
    with pytest.raises(LessonError, match=rf"HTTPS://h/a\.csv: the download failed \(.*{says}.*Check the address"):
        download.retrieve("HTTPS://h/a.csv", tmp_path)


def test_an_address_of_a_file_is_its_path(tmp_path):
    (tmp_path / "my counts.csv").write_text("x")
    assert download.retrieve((tmp_path / "my counts.csv").as_uri(), tmp_path) == tmp_path / "my counts.csv"
