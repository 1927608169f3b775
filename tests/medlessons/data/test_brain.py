"""Scans of heads: simulated ones are made in the published layout, published and own ones are read."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simclinic.brain
from medlessons import settings, splits
from medlessons.data import brain, places, scans
from medlessons.data.collections import brats, decathlon
from medlessons.errors import LessonError
from tests.medlessons.data.test_scans import write_brats, write_case


@pytest.fixture
def few(monkeypatch, tmp_path_factory):
    """Five heads and two of new scanners, made once for all tests."""
    monkeypatch.setenv("MEDLESSONS_EMBEDDED", str(tmp_path_factory.getbasetemp() / "brain"))
    monkeypatch.setitem(brain.HEADS, "quick", 5)
    monkeypatch.setitem(brain.NEW_HEADS, "quick", 2)


# ---------------------------------------------------------------------------------------------------------
# Embedded


def test_a_tenth_is_healthy_in_each_split_and_every_head_is_another():
    lesson, new = (brain.draw_table(part) for part in brain.PARTS)
    assert lesson["split"].value_counts().to_dict() == {"train": 60, "validation": 20, "test": 20}
    assert lesson.groupby("split")["kind"].value_counts().unstack()["none"].to_dict() == {
        "test": 2,
        "train": 6,
        "validation": 2,
    }
    both = pd.concat([lesson, new])
    assert (
        both["seed"].is_unique and both["patient"].is_unique and len(new) == 16 and (new["kind"] == "none").sum() == 2
    )
    assert set(lesson["style"]) == set(simclinic.brain.TRAINING_STYLES) and not set(lesson["style"]) & set(new["style"])
    splits.check_no_leakage(dict(tuple(lesson.groupby("split"))))
    assert lesson.groupby("split")["style"].nunique().eq(5).all()


def test_the_full_profile_has_as_many_heads_as_are_published(monkeypatch):
    monkeypatch.setenv("MEDLESSONS_PROFILE", "full")
    table = brain.draw_table("lesson")
    assert len(table) == 484 and (table["split"] == "train").sum() == 290


def test_simulated_scans_lie_in_the_published_layout(few):
    table = brain.load()
    folder = brain.embedded_folder("lesson")
    assert list(table.columns) == [*brain.COLUMNS, "kind", "style", "age", "seed"]
    assert table.attrs == {"name": "simulated data", "left_out": {}}
    assert list(decathlon.read(folder)["patient"]) == list(table["patient"])
    assert scans.channel_order(folder) == (0, 1, 2, 3) and scans.label_numbers(folder) == {0: 0, 1: 1, 2: 2, 3: 3}
    for path in (*table["path"], *table["label_path"]):
        assert Path(path).read_bytes()[4:8] == b"\0\0\0\0", "no time stands in it"


def test_a_scan_is_read_as_it_was_simulated(few):
    for row in (brain.load().iloc[1], brain.load_simulated("new scanners").iloc[0]):
        volume, known = brain.read_scan(row), brain.truth(row)
        assert volume.image.shape == (*brain.SHAPE, 4) and volume.spacing == brain.SPACING
        assert np.abs(volume.image - known.image).max() <= 0.5 and (volume.label == known.label).all()
        assert known.lookalikes.shape == known.brain.shape == known.tissues["white"].shape == brain.SHAPE
        assert known.style == row["style"] and brain.to_grid(volume) is volume


def test_axes_are_turned_and_the_place_in_the_scanner_is_kept(few):
    """The place of a voxel follows from the header: mm from the middle of the simulated head."""
    row = brain.load().iloc[0]
    head = simclinic.brain.draw_head(row["seed"], row["kind"], row["age"])
    made = simclinic.brain.scan(head, brain.SHAPE, brain.SPACING, row["style"])
    volume = brain.read_scan(row)
    assert np.abs(volume.image - made.image[::-1, ::-1]).max() <= 0.5
    affine = scans.read_nifti(Path(row["path"])).affine
    first = [-(n - 1) / 2 * s for n, s in zip(brain.SHAPE, brain.SPACING, strict=True)]
    x, y, z = simclinic.brain.CENTER
    np.testing.assert_allclose(affine[:3, 3], [first[0] - x, first[1] - y, first[2] + z])


def test_the_same_bytes_come_again(few):
    brain.load()
    folder = brain.embedded_folder("lesson")
    before = (folder / places.CONTENTS).read_text()
    shutil.rmtree(folder)
    brain.load()
    assert (folder / places.CONTENTS).read_text() == before
    assert places.is_whole(*brain.embedded(), thorough=True)


def test_an_unknown_part_is_named():
    with pytest.raises(LessonError, match="There is no part 'outside'; choose one of lesson, new scanners"):
        brain.load_simulated("outside")


# ---------------------------------------------------------------------------------------------------------
# Published and own


def lay(folder, names=("BRATS_001", "BRATS_002", "BRATS_003")):
    for name in names:
        write_case(folder, name)
    return folder


def test_published_scans_are_split_always_in_the_same_way():
    folder = lay(decathlon.folder(), [f"BRATS_{number:03d}" for number in range(1, 11)])
    (folder / "imagesTr" / "._BRATS_001.nii.gz").write_bytes(b"\0\5\x16\7")
    (folder / "imagesTs").mkdir()
    shutil.copy(folder / "imagesTr" / "BRATS_001.nii.gz", folder / "imagesTs" / "BRATS_485.nii.gz")
    (folder / "labelsTr" / "BRATS_010.nii.gz").unlink()
    table = brain.load("real")
    assert list(table.columns) == list(brain.COLUMNS) and len(table) == 9
    assert table.attrs == {"name": "published data", "left_out": {"no labels are there": 2}}
    assert set(table["split"]) == {"train", "validation", "test"} and table.equals(brain.load("real"))
    assert set(table["source"]) == {decathlon.NAME}


def test_own_scans_of_one_patient_stay_together():
    for name in ("BraTS-GLI-00001-000", "BraTS-GLI-00001-001", "BraTS-GLI-00002-000"):
        write_brats(brain.own_folder(), name, year=1)
    write_brats(brain.own_folder() / "deeper", "BraTS20_Training_001")[1].unlink()
    table = brain.load("real")
    assert table["patient"].tolist() == ["BraTS-GLI-00001", "BraTS-GLI-00001", "BraTS-GLI-00002"]
    assert table["split"].nunique() == 2 and table.attrs["name"] == "own data"
    assert table.attrs["left_out"] == {"no labels are there": 1}
    assert brain.read_scan(table.iloc[0]).label.max() == 3


def test_own_scans_in_the_layout_of_the_decathlon_are_read():
    lay(brain.own_folder())
    (brain.own_folder() / "dataset.json").write_text(json.dumps({"labels": {"0": "background"}}))
    with pytest.raises(LessonError, match=r"dataset\.json: labels is background, but expected is"):
        brain.load("real")
    (brain.own_folder() / "dataset.json").write_text("{}")
    assert len(brain.load("real")) == 3 and brain.load("real").attrs["name"] == "own data"


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda f: shutil.rmtree(f), "there is no scan with labels, such as imagesTr/BRATS_001"),
        (lambda f: shutil.rmtree(f / "labelsTr"), "there is no scan with labels"),
        (
            lambda f: describe(f, "BRATS_009"),
            r"imagesTr/BRATS_009\.nii\.gz is not there, though dataset\.json names it",
        ),
        (lambda f: (f / "dataset.json").write_text('{"training": 3}'), "training must be a list of pairs"),
        (lambda f: (f / "dataset.json").write_text('{"modality": {"0": "CT"}}'), "modality is CT, but expected"),
    ],
)
def test_what_is_wrong_with_a_published_folder_is_named(change, says):
    change(lay(decathlon.folder()))
    with pytest.raises(LessonError, match=says):
        brain.load("real")


def describe(folder, *names):
    decathlon.describe(folder, "made up", list(names))


def test_a_brats_folder_without_scans_or_with_a_missing_sequence_is_named(tmp_path):
    with pytest.raises(LessonError, match=r"there is no dataset\.json, and no scan with labels such as NAME_flair"):
        brats.read(tmp_path)
    path, _label = write_brats(tmp_path, "P")
    (path.parent / "P_t1ce.nii.gz").unlink()
    with pytest.raises(LessonError, match=r"P_t1ce\.nii\.gz: this file is not there, though P_flair\.nii\.gz is"):
        brats.read(tmp_path)


def test_a_look_at_each_file_finds_cut_ones(tmp_path):
    folder = lay(tmp_path / "Task01")
    assert len(brain.check_published(folder)) == 3
    path = folder / "imagesTr" / "BRATS_002.nii.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-100]))
    with pytest.raises(LessonError, match=r"BRATS_002\.nii\.gz: this is no NIfTI file of numbers, or a cut one"):
        brain.check_published(folder)


def test_data_stay_in_the_folders_of_the_settings():
    assert brain.own_folder().parent == decathlon.folder().parent == settings.real_dir()
