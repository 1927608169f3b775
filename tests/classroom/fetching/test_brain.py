"""MRI scans of brain tumors: all of them, some of them, or somebody's own."""

import dataclasses
import gzip
import hashlib
import io
import json
import tarfile

import pytest

from classroom.fetching import placing, remote_tar, status, table
from medlessons.data import brain, manifest, scans
from medlessons.data.collections import decathlon
from medlessons.errors import LessonError
from tests.medlessons.data.test_scans import head, write, write_brats, write_case

NAMES = [f"BRATS_{number:03d}" for number in range(1, 7)]
MODALITY = {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
LABELS = {"0": "background", "1": "edema", "2": "non-enhancing tumor", "3": "enhancing tumour"}
SHAPE = (20, 22, 16)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder in the layout of Task01, with six scans of its own, a test scan and what macOS leaves."""
    folder = tmp_path_factory.mktemp("published") / "Task01_BrainTumour"
    for number, name in enumerate(NAMES):
        image, label = head(SHAPE, seed=number)
        write_case(folder, name, image, label)
        (folder / "imagesTr" / f"._{name}.nii.gz").write_bytes(b"\0\5\x16\7")
    write(folder / "imagesTs" / "BRATS_485.nii.gz", head(SHAPE)[0])
    training = [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in NAMES]
    content = {"name": "BRATS", "modality": MODALITY, "labels": LABELS, "training": training, "numTraining": 6}
    (folder / "dataset.json").write_text(json.dumps(content | {"test": ["./imagesTs/BRATS_485.nii.gz"]}))
    return folder


ORDERS = {
    "images first": ("imagesTr", "imagesTs", "labelsTr", "dataset.json"),
    "labels first": ("labelsTr", "dataset.json", "imagesTs", "imagesTr"),
    "test scans first": ("dataset.json", "imagesTs", "imagesTr", "labelsTr"),
    "mixed": ("mixed", "imagesTs", "dataset.json"),
}


def packed(folder, order="images first"):
    """Return the bytes of a tar archive of a folder, with its members in some order."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(folder, folder.name, recursive=False)
        for part in ORDERS[order]:
            paths = [folder / part] if part != "mixed" else sorted(folder.glob("*Tr/*"), key=lambda path: path.name)
            for path in sorted(paths[0].iterdir()) if paths[0].is_dir() else paths:
                archive.add(path, path.relative_to(folder.parent).as_posix())
    return content.getvalue()


@pytest.fixture
def offer(server, monkeypatch):
    """Return what puts an archive on a server, as the published one."""

    def put(content, digest=None):
        server.files["/Task01_BrainTumour.tar"] = content
        (published, own) = table.named("brain")
        digest = digest or hashlib.md5(content).hexdigest()
        url = f"{server.address}/Task01_BrainTumour.tar"
        archive = dataclasses.replace(published.archive, url=url, known_hash=f"md5:{digest}")
        rows = (dataclasses.replace(published, archive=archive, cases=6), own)
        monkeypatch.setattr(table, "COLLECTIONS", rows)

    return put


def read_all():
    return [brain.to_grid(brain.read_scan(row)) for row in brain.load("real").to_dict("records")]


def test_the_whole_set_is_fetched_checked_and_read(published, offer, server):
    offer(packed(published))
    (goal,) = placing.fetch("brain")
    assert sorted(path.name for path in goal.iterdir()) == ["dataset.json", "imagesTr", "labelsTr", manifest.FILE]
    rows = brain.load("real")
    assert list(rows["patient"]) == NAMES and rows.attrs == {"name": "published data", "left_out": {}}
    assert all(volume.label.any() for volume in read_all())
    assert not placing.verify(table.named("brain")[0])
    (line,) = [line for line in status({6}) if line.source == "real"]
    assert (line.rows, line.verified, line.note) == (6, True, "published data")
    asked = len(server.asked)
    assert placing.fetch("brain") == [goal] and len(server.asked) == asked, "what is whole stays"
    placing.take_away(goal)
    assert not goal.exists()


def test_another_checksum_and_a_cut_archive_are_named(published, offer, server):
    offer(packed(published), digest="0" * 32)
    with pytest.raises(LessonError, match=r"tar: the download failed \(its checksum is not the published one\)"):
        placing.fetch("brain")
    server.plan = ["cut"] * 3
    offer(packed(published))
    with pytest.raises(LessonError, match=r"tar: the download failed"):
        placing.fetch("brain")
    assert not decathlon.folder().exists()
    placing.fetch("brain")
    assert len(brain.load("real")) == 6, "the next run ends well"


@pytest.mark.parametrize("order", ORDERS)
def test_some_scans_are_fetched_whatever_the_order(published, offer, server, order, monkeypatch):
    monkeypatch.setattr(remote_tar, "BUFFER", 1024)
    content = packed(published, order)
    offer(content)
    (goal,) = placing.fetch("brain", cases=2)
    assert list(brain.load("real")["patient"]) == NAMES[:2]
    assert len(read_all()) == 2 and not placing.verify(table.named("brain")[0])
    described = scans.read_dataset(goal)
    assert described["numTraining"] == 2 and list(described["modality"]) == list(MODALITY)
    came = sum(int(b) - int(a) + 1 for a, b in (part.removeprefix("bytes=").split("-") for _, part in server.asked))
    assert came < 0.75 * len(content), "only what is wanted comes"
    asked = len(server.asked)
    assert placing.fetch("brain", cases=2) == [goal] and len(server.asked) == asked
    for more in (3, None):
        with pytest.raises(LessonError, match=r"2 scans are there, but [36] are asked for\. Remove them with"):
            placing.fetch("brain", cases=more)


def test_an_interrupted_fetch_goes_on(published, offer, server):
    offer(packed(published))
    sound = ["sound"] * 9
    server.plan = [*sound, "500", "cut", "reset"]
    with pytest.raises(LessonError, match=r"tar: the download failed .*What has come is kept"):
        placing.fetch("brain", cases=5)
    assert not decathlon.folder().exists()
    came = list(decathlon.folder().parent.rglob("BRATS*.nii.gz"))
    times = {path.name: path.stat().st_mtime_ns for path in came}
    server.plan = ["cut", "sound", "500"]
    placing.fetch("brain", cases=5)
    assert times and len(brain.load("real")) == 5
    assert all((decathlon.folder() / "imagesTr" / name).stat().st_mtime_ns == time for name, time in times.items())


@pytest.mark.parametrize(
    "content, plan, says",
    [
        (b"<!DOCTYPE html><html>Sign in</html>" * 99, [], "this is a web page"),
        (b"<!DOCTYPE html><html>Sign in</html>" * 99, ["no range"] * 3, "this is a web page"),
        (b"hello" * 999, [], "this is no tar archive, or a damaged one"),
        (None, ["no range"], "this server does not give a part of a file"),
        (None, ["404"] * 3, "the download failed .*404"),
    ],
)
def test_what_is_no_archive_is_named(published, offer, server, content, plan, says):
    offer(content or packed(published))
    server.plan = plan
    with pytest.raises(LessonError, match=rf"Task01_BrainTumour\.tar: {says}"):
        placing.fetch("brain", cases=2)
    assert not decathlon.folder().exists()


def test_an_archive_that_ends_too_early_is_named(published, offer):
    offer(packed(published)[:50_000])
    with pytest.raises(LessonError, match=r"tar: this is no tar archive, or a damaged one .*unexpected end"):
        placing.fetch("brain", cases=5)


def test_a_folder_and_an_archive_are_taken(published, tmp_path, monkeypatch):
    archive = tmp_path / "mine.tar"
    archive.write_bytes(packed(published))
    for number, origin in enumerate((published, archive)):
        monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / f"goal{number}"))
        placing.fetch("brain", origin=origin)
        assert list(brain.load("real")["patient"]) == NAMES
        assert {line.note for line in status({6}) if line.source == "real"} == {"published data"}


def test_a_damaged_scan_is_named_when_it_is_fetched(published, tmp_path):
    for change, says in (
        (lambda content: content[:-9], "the file is damaged or cut off"),
        (lambda content: gzip.compress(b"<html>" * 99), "this is no NIfTI file|this is a web page"),
    ):
        folder = tmp_path / "copy" / "Task01_BrainTumour"
        for name in NAMES[:2]:
            write_case(folder, name)
        path = folder / "labelsTr" / f"{NAMES[1]}.nii.gz"
        path.write_bytes(change(path.read_bytes()))
        decathlon.describe(folder, "made up", NAMES[:2])
        with pytest.raises(LessonError, match=rf"BRATS_002\.nii\.gz: ({says})"):
            placing.fetch("brain", origin=folder)


def test_own_scans_as_brats_names_them_are_taken(tmp_path):
    for number in range(3):
        write_brats(tmp_path / "mine", f"BraTS-GLI-0000{number}-000", year=1)
    (goal,) = placing.fetch("brain", origin=tmp_path / "mine")
    rows = brain.load("real")
    assert goal == brain.own_folder() and rows.attrs["name"] == "own data"
    assert list(rows["patient"]) == [f"BraTS-GLI-0000{number}" for number in range(3)]
    (line,) = [line for line in status({6}) if line.source == "real"]
    assert (line.rows, line.note) == (3, "own data") and len(read_all()) == 3
