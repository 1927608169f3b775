"""ChestX-ray8 is read in both of its forms, in seconds; wrong labels, patients and boxes are named."""

import time

import numpy as np
import pandas as pd
import pytest

from medlessons.data.collections import chestxray8
from medlessons.errors import LessonError
from simclinic.thorax import FINDINGS

RELEASE = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
    "00000001_000.png,Cardiomegaly|Effusion,0,1,58,M,PA,2682,2749,0.143,0.143,\n"
    "00000001_001.png,No Finding,1,1,058Y,M,AP,2894,2729,0.143,0.143,\n"
    "00000002_000.png,Pleural_Thickening,0,2,414,F,PA,2500,2048,0.168,0.168,\n"
)
BOXES = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Infiltrate,256.0,512,128,64,,,\n"


@pytest.fixture
def folder(tmp_path, write_image):
    """The release, with its images in two of the NIH's folders."""
    folder = tmp_path / "real" / "chestxray8"
    for name in ("images_001/images/00000001_000.png", "images_001/images/00000001_001.png"):
        write_image(folder / name)
    write_image(folder / "images_002" / "images" / "00000002_000.png")
    (folder / "Data_Entry_2017_v2020.csv").write_text(RELEASE)
    return folder


def test_the_release(folder):
    (folder / "train_val_list.txt").write_text("00000001_000.png\n00000001_001.png\n")
    (folder / "test_list.txt").write_text("00000002_000.png\n00000003_000.png")
    table = chestxray8.read(folder)
    assert list(table["patient"]) == ["1", "1", "2"] and list(table["view"]) == ["PA", "AP", "PA"]
    assert [set(np.array(FINDINGS)[row == 1]) for row in table[list(FINDINGS)].to_numpy()] == [
        {"Cardiomegaly", "Effusion"},
        set(),
        {"Pleural_Thickening"},
    ]
    assert table["age"].tolist()[:2] == [58, 58] and np.isnan(table["age"][2]), "nobody is 414 years old"
    assert list(table["list"]) == ["train_val", "train_val", "test"]
    assert table.attrs["left_out"] == {"a row without its file": 0, "a file without a row": 0}


def test_images_may_lie_in_one_folder_and_some_may_be_missing(folder, write_image):
    for path in folder.rglob("*.png"):
        path.unlink()
    for name in ("00000001_001.png", "99999999_000.png"):
        write_image(folder / "images" / name)
    table = chestxray8.read(folder)
    assert [path.endswith("/images/00000001_001.png") for path in table["path"]] == [True]
    assert table.attrs["left_out"] == {"a row without its file": 2, "a file without a row": 1}
    assert set(table["list"]) == {""}


def subset(**columns):
    table = pd.DataFrame({"Image": ["00000001_000.png", "00000001_001.png"], "PatientId": [1, 1]})
    return table.assign(**dict.fromkeys(sorted(FINDINGS), 0) | {"Mass": [0, 1]} | columns)


def test_a_subset(folder):
    (folder / "Data_Entry_2017_v2020.csv").unlink()
    subset().to_csv(folder / "labels.csv", index=False)
    table = chestxray8.read(folder)
    assert list(table["Mass"]) == [0, 1] and table["Edema"].sum() == 0 and list(table["patient"]) == ["1", "1"]
    assert list(table.columns[table.columns.isin(FINDINGS)]) == list(FINDINGS), "in the order of the lesson"


@pytest.mark.parametrize(
    "content, says",
    [
        (None, r"chestxray8: there is no table of ChestX-ray8\. Expected is one of .*medlessons data fetch chestxray8"),
        ("", r"the file is empty"),
        (RELEASE.replace("Patient ID", "Person"), "line 1: the column 'Patient ID' is missing"),
        (RELEASE.replace("Effusion", "Cough"), "line 2, column Finding Labels: 'Cough' is not one of the fourteen"),
        (RELEASE.replace(",2,414", ",,414"), r"line 4: the patient is empty\. Fill it in"),
        (RELEASE.replace("1_001", "1_000"), r"line 3: 00000001_000\.png stands in an earlier row"),
        (RELEASE.replace("0000000", "5555555"), r"none of the 3 images of Data_Entry_2017_v2020\.csv is there.*unpack"),
        (subset(Mass=[0, 2]).to_csv(index=False), r"line 3, column Mass: '2' is neither 0"),
        (subset(Mass=[0, ""]).to_csv(index=False), r"line 3, column Mass: '' is neither 0"),
        (subset().drop(columns="Hernia").to_csv(index=False), "line 1: the column 'Hernia' is missing"),
    ],
)
def test_what_is_wrong_with_the_table_is_named(folder, content, says):
    path = folder / "Data_Entry_2017_v2020.csv"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(LessonError, match=says):
        chestxray8.read(folder)


def test_boxes_are_shares_of_the_image(folder):
    assert chestxray8.read_boxes(folder).empty
    (folder / "BBox_List_2017.csv").write_text(BOXES)
    box = chestxray8.read_boxes(folder).loc[0]
    assert box.to_list() == ["00000001_000.png", "Infiltration", 0.25, 0.5, 0.125, 0.0625]


@pytest.mark.parametrize("old, new", [("Infiltrate", "Cough"), ("256.0", "left"), ("512", "1000"), ("128", "-128")])
def test_what_is_no_box_is_named(folder, old, new):
    (folder / "BBox_List_2017.csv").write_text(BOXES.replace(old, new))
    with pytest.raises(LessonError, match=r"BBox_List_2017\.csv, line 2: this is no box"):
        chestxray8.read_boxes(folder)


def test_a_release_of_112120_images_is_read_in_seconds(tmp_path, monkeypatch):
    """The files are not there: what counts is that none of them is opened."""
    rng = np.random.default_rng(0)
    patients = np.sort(rng.integers(1, 30_806, 112_120))
    kinds = ["No Finding", *FINDINGS, *(f"{a}|{b}" for a in FINDINGS for b in FINDINGS if a != b)]
    names = [f"{patient:08d}_{number:06d}.png" for number, patient in enumerate(patients)]
    table = pd.DataFrame({"Image Index": names, "Finding Labels": rng.choice(kinds, 112_120), "Patient ID": patients})
    table.assign(**{"Patient Age": 50, "Patient Gender": "M", "View Position": "PA"}).to_csv(
        tmp_path / "Data_Entry_2017.csv", index=False
    )
    monkeypatch.setattr(chestxray8, "image_paths", lambda folder: {chestxray8.stem(name): name for name in names})
    start = time.process_time()
    assert len(chestxray8.read(tmp_path)) == 112_120
    assert time.process_time() - start < 10


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_may_be_in_any_encoding_and_named_as_on_kaggle(folder, encoding):
    (folder / "train_val_list_NIH.txt").write_text("00000001_000.png\n00000001_001.png", encoding=encoding)
    (folder / "test_list_NIH.txt").write_text("00000002_000.png", encoding=encoding)
    assert list(chestxray8.read(folder)["list"]) == ["train_val", "train_val", "test"]


def test_the_copy_of_224_pixels_capitals_and_ghosts(folder, write_image):
    (folder / "images-224").mkdir()
    (folder / "images_001" / "images").rename(folder / "images-224" / "images-224")
    (folder / "images-224" / "images-224" / "._00000001_000.png").write_text("a ghost of macOS")
    table = chestxray8.read(folder)
    assert len(table) == 3 and not any(table.attrs["left_out"].values())


@pytest.mark.parametrize("name", ["00000001", "1.0", " 1 ", "+1"])
def test_one_patient_has_one_name(folder, name):
    text = RELEASE.replace(",1,1,058Y", f",1,{name},058Y")
    (folder / "Data_Entry_2017_v2020.csv").write_text(text)
    assert list(chestxray8.read(folder)["patient"]) == ["1", "1", "2"]


def test_a_header_that_lost_its_last_comma(folder):
    (folder / "Data_Entry_2017_v2020.csv").write_text(RELEASE.replace("x,y],\n", "x,y]\n"))
    assert list(chestxray8.read(folder)["patient"]) == ["1", "1", "2"]
