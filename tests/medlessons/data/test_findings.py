"""Lesson 3's images: the published sizes, prevalence, visits and leak; labels that err; the way back to each lesion."""

import os
import time

import numpy as np
import pandas as pd
import pytest

from medlessons import images, splits
from medlessons.data import findings
from medlessons.data.collections import chestxray8
from medlessons.errors import LessonError
from simclinic import clinic, thorax
from simclinic.thorax import FINDINGS

COLUMNS = ["path", "patient", "view", *FINDINGS, "age", "sex", "source"]


@pytest.fixture(scope="module")
def tables_of_all():
    return findings._draw_tables()


def test_sizes_patients_and_visits_are_those_of_the_published_subset(tables_of_all):
    assert {part: (len(t), t["patient"].nunique()) for part, t in tables_of_all.items()} == {
        "train": (1000, 928),
        "valid": (200, 199),
        "test": (420, 389),
    }
    visits = tables_of_all["train"].groupby("patient").size().value_counts().to_dict()
    assert visits == {1: 869, 2: 51, 3: 5, 4: 2, 6: 1}


def test_the_published_leak_is_there_and_the_test_set_is_clean(tables_of_all):
    train, valid, test = (tables_of_all[part] for part in findings.PARTS)
    assert valid["path"].isin(train["path"]).sum() == 198 and valid["path"].is_unique
    assert len(set(valid["patient"]) & set(train["patient"])) == 197
    assert splits.shared_patients({"test": test, "others": pd.concat([train, valid])}) == []
    shared = valid.merge(train, on="path")
    assert all((shared[f"{name}_x"] == shared[f"{name}_y"]).all() for name in FINDINGS)


@pytest.mark.parametrize("part, wanted", [("train", thorax.PREVALENCE), ("test", findings.TEST_PREVALENCE)])
def test_findings_are_as_frequent_as_published(tables_of_all, part, wanted):
    table = tables_of_all[part]
    true = findings.true_labels(table)
    assert true.mean().to_numpy() == pytest.approx(list(wanted.values()), abs=0.5 / len(table) + 1e-9)
    mined = table[list(FINDINGS)]
    assert mined.mean().to_numpy() == pytest.approx(list(wanted.values()), abs=0.025)
    missed = ((true == 1) & (mined == 0)).sum().sum() / true.sum().sum()
    assert 0.05 < missed < 0.14, "mined labels err"


def test_test_labels_of_five_findings_are_those_of_radiologists(tables_of_all):
    true, labels = findings.true_labels(tables_of_all["test"]), tables_of_all["test"][list(FINDINGS)]
    wrong = (true != labels).any()
    assert not wrong[list(findings.CONSENSUS)].any() and wrong.drop(list(findings.CONSENSUS)).all()


@pytest.fixture
def few(monkeypatch, tables_of_all):
    """A set of a few images."""
    tables = {part: table.head(4) for part, table in tables_of_all.items()}
    monkeypatch.setattr(findings, "_draw_tables", lambda: tables)
    monkeypatch.setitem(findings.SIZE, "quick", 32)


def test_embedded_images_lead_back_to_their_lesions(few):
    table = findings.load("test")
    assert list(table.columns) == [*COLUMNS, *clinic.SIMULATION_COLUMNS] and table.attrs["name"] == "simulated data"
    assert (images.read(table["path"][2]) == clinic.truth(table.loc[2], 32).image).all()
    true = findings.true_labels(table)
    boxes = findings.boxes(table.iloc[1:])
    assert set(boxes["row"]) <= {1, 2, 3}
    drawn = {(row, name) for row, name in true.iloc[1:].stack().loc[lambda one: one == 1].index}
    assert {(row, name) for row, name in zip(boxes["row"], boxes["finding"], strict=True)} <= drawn
    assert ((boxes["left"] + boxes["width"]) <= 1).all() and (boxes[["width", "height"]] > 0).all(axis=None)
    row, finding, left, top = boxes.loc[0, ["row", "finding", "left", "top"]]
    mask = clinic.truth(table.loc[row], 128).masks[finding]
    assert (np.flatnonzero(mask.any(axis=0))[0], np.flatnonzero(mask.any(axis=1))[0]) == (128 * left, 128 * top)


def test_the_truth_of_real_patients_is_not_known(few):
    table = findings.load("train").drop(columns=list(clinic.SIMULATION_COLUMNS))
    with pytest.raises(LessonError, match=r"simulated patients only: load them with findings\.load"):
        findings.true_labels(table)


def test_an_unknown_part():
    with pytest.raises(LessonError, match="There is no part 'validation'; choose one of train, valid, test"):
        findings.load("validation")


# ---------------------------------------------------------------------------------------------------------
# Published


def load_all():
    return {part: findings.load(part, "real") for part in findings.PARTS}


def test_real_images_are_split_by_patient(nih_subset):
    parts = load_all()
    assert list(parts["train"].columns) == COLUMNS
    assert [len(part) for part in parts.values()] == pytest.approx([42, 6, 12], abs=5)
    assert splits.shared_patients(parts) == []
    assert sorted(pd.concat(parts.values())["path"]) == sorted(map(str, nih_subset.rglob("*.png")))
    assert parts["test"].attrs["name"] == "published data"
    assert parts["test"].equals(findings.load("test", "real"))


def test_the_official_lists_are_kept(nih_subset):
    names = [path.name for path in sorted((nih_subset / "images").iterdir())]
    (nih_subset / "train_val_list.txt").write_text("\n".join(names[:40]))
    (nih_subset / "test_list.txt").write_text("\n".join(names[40:]))
    parts = load_all()
    assert [path.rsplit("/")[-1] for path in parts["test"]["path"]] == names[40:]
    assert len(parts["train"]) + len(parts["valid"]) == 40 and 2 <= len(parts["valid"]) <= 8
    assert splits.shared_patients(parts) == []


def test_the_tables_of_the_published_lesson_are_kept_with_their_leak(nih_subset):
    rows = pd.read_csv(nih_subset / "labels.csv")
    for name, part in (("train-small", rows[:40]), ("valid-small", rows[:6]), ("test", rows[40:])):
        part.to_csv(nih_subset / f"{name}.csv", index=False)
    (nih_subset / "images").rename(nih_subset / "images-small")
    parts = load_all()
    assert [len(part) for part in parts.values()] == [40, 6, 20]
    assert len(splits.shared_patients({"train": parts["train"], "valid": parts["valid"]})) == 3


@pytest.mark.slow
def test_a_release_of_112120_images_loads_in_seconds_once_it_was_read(tmp_path, monkeypatch, write_image):
    """Its images are few files of many names: the names are what takes time."""
    folder, rng = chestxray8.folder(), np.random.default_rng(0)
    seen = [write_image(tmp_path / "seen" / f"{number}.png", number) for number in range(10)]
    patients = np.sort(rng.integers(1, 30_806, 112_120))
    names = [f"{patient:08d}_{number:06d}.png" for number, patient in enumerate(patients)]
    for number, name in enumerate(names):
        place = folder / f"images_{1 + number // 9_400:03d}" / "images"
        if number % 9_400 == 0:
            place.mkdir(parents=True)
        os.link(seen[number % 10], place / name)
    kinds = ["No Finding", *FINDINGS, *(f"{a}|{b}" for a in FINDINGS for b in FINDINGS if a != b)]
    table = pd.DataFrame({"Image Index": names, "Finding Labels": rng.choice(kinds, 112_120), "Patient ID": patients})
    table = table.assign(**{"Patient Age": 50, "Patient Gender": "M", "View Position": "PA"})
    table.to_csv(folder / "Data_Entry_2017.csv", index=False)
    last = table["Patient ID"] > 24_000
    for name, rows in (("train_val_list.txt", table[~last]), ("test_list.txt", table[last])):
        (folder / name).write_text("\n".join(rows["Image Index"]))
    seconds = []
    for part in ("test", *findings.PARTS):
        start = time.process_time()
        findings.load(part, "real")
        seconds.append(time.process_time() - start)
    print(f"the first time {seconds[0]:.0f} s; then {', '.join(f'{second:.1f} s' for second in seconds[1:])}")
    changed = folder / "images_007" / "images" / names[6 * 9_400]
    changed.unlink()
    write_image(changed, 200)
    with pytest.raises(LessonError, match=f"{changed.name}: this image has changed since it was first read"):
        findings.load("test", "real")
    assert max(seconds[1:]) < 10


def test_real_boxes_find_their_image(nih_subset):
    (nih_subset / "BBox_List_2017.csv").write_text(
        "head\n00000003_001.png,Mass,0,0,512,256\n00000099_000.png,Mass,0,0,1,1\n"
    )
    table = pd.concat(load_all().values(), ignore_index=True)
    found = findings.boxes(table)
    assert len(found) == 1 and table.at[found["row"][0], "path"].endswith("00000003_001.png")
    assert found.loc[0, ["left", "top", "width", "height"]].tolist() == [0, 0, 0.5, 0.25]
