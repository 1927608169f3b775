"""ChestX-ray8 is fetched archive by archive, and of use after each of them."""

import dataclasses
import hashlib
import io
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from classroom.fetching import download, placing, status, table
from medlessons.data import findings, manifest
from medlessons.data.collections import chestxray8
from medlessons.errors import LessonError
from tests.classroom.fetching import faults


def fetch(**options):
    """Fetch the collection; return its folder."""
    (folder,) = placing.fetch("chestxray8", **options)
    return folder


def load_all():
    return {part: findings.load(part, "real") for part in findings.PARTS}


def test_fetch_brings_a_folder_and_reads_each_image_once(nih_subset, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "goal"))
    goal = fetch(origin=nih_subset)
    monkeypatch.setattr(manifest.images, "read", None)
    assert len(findings.load("train", "real")) > 30 and (goal / manifest.FILE).is_file()
    (line,) = [line for line in status({3}) if line.source == "real"]
    assert line.present and line.verified and line.rows == 60


@pytest.fixture
def nih(nih_subset, server, tmp_path, monkeypatch):
    """Twelve small archives on a server, and the tables on a Kaggle of its own; returns which tables were asked for."""
    import kagglehub

    tables, asked, remotes = tmp_path / "kaggle", [], []
    tables.mkdir()
    rows = ["Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Sex,View Position"]
    for number in range(1, 13):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for patient in range(10 * number, 10 * number + 10):
                rows.append(f"{patient:08d}_000.png,{'Mass' if patient % 2 else 'No Finding'},0,{patient},50,F,PA")
                image = next((nih_subset / "images").iterdir())
                archive.add(image, f"images/{patient:08d}_000.png")
        content = packed.getvalue()
        server.files[f"/{number}.gz"] = content
        digest = hashlib.md5(content).hexdigest()
        name = f"images_{number:03d}.tar.gz"
        remotes.append(download.Remote(f"{server.address}/{number}.gz", name, "https://page", f"md5:{digest}"))
    (tables / "Data_Entry_2017.csv").write_text("\n".join(rows))
    for name in ("train_val_list.txt", "test_list.txt", "BBox_List_2017.csv"):
        (tables / name).write_text("")

    def deliver(handle, path, output_dir):
        asked.append(path)
        target = Path(output_dir) / path
        target.parent.mkdir(parents=True)
        return shutil.copy2(tables / path, target)

    monkeypatch.setattr(kagglehub, "dataset_download", deliver)
    monkeypatch.setattr(table, "COLLECTIONS", (faults.grown(tuple(remotes)),))
    monkeypatch.setenv("MEDLESSONS_DATA", str(tmp_path / "goal"))
    return asked


def images_there():
    return sorted(path.name for path in chestxray8.folder().glob("images_*"))


def test_a_subset_of_the_archives_grows(nih, server):
    goal = fetch(subset=2)
    assert images_there() == ["images_001", "images_002"] and len(load_all()["train"]) == 14
    assert sorted(path.name for path in goal.parent.iterdir()) == [".chestxray8.lock", "chestxray8"]
    fetch(subset=3)
    assert images_there() == ["images_001", "images_002", "images_003"] and len(pd.concat(load_all().values())) == 30
    assert [path for path, _ in server.asked] == ["/1.gz", "/2.gz", "/3.gz"] and len(nih) == 4
    for subset in (1, 3):
        assert fetch(subset=subset) == goal and len(server.asked) == 3, "nothing is missing"
    (collection,) = table.named("chestxray8")
    assert "9 of 12 archives" in collection.describe(collection.sizes("findings")[0])


def test_the_tables_alone_and_then_all(nih):
    goal = fetch(subset=0)
    assert not images_there() and (goal / "Data_Entry_2017.csv").is_file()
    with pytest.raises(LessonError, match="none of the 120 images"):
        load_all()
    fetch()
    assert len(images_there()) == 12 and len(nih) == 4


def test_a_stopped_fetch_goes_on_and_keeps_what_is_there(nih, server):
    fetch(subset=1)
    server.plan = ["sound", "404"]
    with pytest.raises(LessonError, match=r"3\.gz: the download failed .*404.*images_003\.tar\.gz, put it into"):
        fetch(subset=3)
    assert images_there() == ["images_001", "images_002"]
    assert len(pd.concat(load_all().values())) == 20, "what has come is of use"
    fetch(subset=3)
    assert [path for path, _ in server.asked] == ["/1.gz", "/2.gz", "/3.gz", "/3.gz"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_growing_set_survives_kills(nih, tmp_path):
    remotes = tuple(table.COLLECTIONS[0].pieces.values())
    print(faults.kill_growth(remotes, tmp_path / "kaggle", tmp_path / "goal", 100, np.random.default_rng(0)))


def test_what_was_laid_by_hand_does_not_grow(nih, nih_subset, server):
    shutil.copytree(nih_subset, chestxray8.folder())
    fetch(subset=1)
    assert not server.asked and not nih and not images_there()


def test_a_piece_without_images_is_refused(nih, server, monkeypatch):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz"):
        pass
    server.files["/1.gz"] = packed.getvalue()
    (collection,) = table.COLLECTIONS
    remote = dataclasses.replace(collection.pieces["images_001"], known_hash=None)
    monkeypatch.setattr(table, "COLLECTIONS", (dataclasses.replace(collection, pieces={"images_001": remote}),))
    with pytest.raises(LessonError, match=r"images_001\.tar\.gz: there is no image in it"):
        fetch()
    assert not images_there()
