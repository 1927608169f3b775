"""Image tables have the same columns from everywhere; what is left out is counted, and what is missing is named."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medlessons.data import image_table
from medlessons.errors import LessonError

LABELS = ("frontal", "lateral")


def test_tidy_orders_the_columns_and_drops_what_is_not_asked_for():
    rows = pd.DataFrame({"note": ["x"], "Mass": [1], "age": ["50"], "patient": [7], "path": ["a.png"], "seed": [3]})
    rows.attrs["left_out"] = {"CT": 2, "nothing": 0}
    table = image_table.tidy(rows, ("Mass",), "own data")
    assert list(table.columns) == ["path", "patient", "view", "Mass", "age", "sex", "source", "seed"]
    assert table.loc[0].to_list() == ["a.png", "7", "", 1, 50.0, "", "", 3]
    assert table.attrs == {"left_out": {"CT": 2}, "unreadable": {}, "name": "own data"}
    assert np.isnan(image_table.tidy(rows.assign(age="adult"), (), "own data").at[0, "age"])


def test_unreadable_images_are_left_out_counted_and_named(tmp_path, write_image, monkeypatch):
    write_image(tmp_path / "good.png", size=(32, 32))
    write_image(tmp_path / "huge.png", size=(64, 64))
    (tmp_path / "bad.png").write_text("no image")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40 * 40)  # Pillow refuses twice as many
    table = pd.DataFrame({"path": [str(tmp_path / name) for name in ("good.png", "bad.png", "huge.png")]})
    table.attrs["left_out"] = {"CT": 3}
    kept = image_table.drop_unreadable(table, tmp_path)
    assert list(kept["path"]) == [str(tmp_path / "good.png")]
    assert kept.attrs["left_out"] == {"CT": 3, "the file cannot be read": 2}
    says = kept.attrs["unreadable"][str(tmp_path / "huge.png")]
    assert says.startswith(f"{tmp_path / 'huge.png'}: the image is too large")
    assert table.attrs["left_out"] == {"CT": 3}


def test_own_folders_are_read(tmp_path, write_image):
    for name in ("frontal/7_1.png", "frontal/7_2.png", "lateral/7_3.PNG", "lateral/8.png"):
        write_image(tmp_path / name)
    (tmp_path / "lateral" / "notes.txt").write_text("not an image by its name")
    (tmp_path / "lateral" / "._8.png").write_text("a ghost of macOS")
    table = image_table.own_folders(tmp_path, LABELS, "")
    assert list(table["patient"]) == ["7", "7", "7", "8"]
    assert list(table["label"]) == ["frontal", "frontal", "lateral", "lateral"]
    assert table.attrs["name"] == "own data"
    write_image(tmp_path / "frontal/7_1.png", 200)
    assert len(image_table.own_folders(tmp_path, LABELS, "")) == 4, "one's own images may change"


@pytest.mark.parametrize("label, other", [("frontal", "lateral"), ("lateral", "frontal")])
def test_a_folder_with_one_class_only_is_refused(tmp_path, write_image, label, other):
    write_image(tmp_path / label / "1.png")
    with pytest.raises(LessonError, match=f"no {other} radiograph .1 {label}.*Add some, or fetch the set"):
        image_table.own_folders(tmp_path, LABELS, "fetch the set")


def test_one_patient_has_one_name(tmp_path, write_image):
    for name in ("frontal/7_1.png", "frontal/0007_2.png", "lateral/7.0_3.png", "lateral/7 _4.png", "lateral/A7_1.png"):
        write_image(tmp_path / name)
    assert sorted(image_table.own_folders(tmp_path, LABELS, "")["patient"]) == ["7", "7", "7", "7", "a7"]


@pytest.mark.parametrize("names", [["IMG_0", "IMG_1", "IMG_2"], ["1_1", "2_1"], ["scan_1", "scan_2", "1_1", "01_2"]])
def test_images_of_too_few_patients_are_refused(tmp_path, write_image, monkeypatch, names):
    monkeypatch.setattr(image_table, "MINIMUM_PATIENTS", 3)
    for name in names:
        write_image(tmp_path / "frontal" / f"{name}.png")
    for number in range(3):
        write_image(tmp_path / "lateral" / f"{number}_1.png")
    with pytest.raises(LessonError, match=rf"the {len(names)} frontal images are of \d patients .*, but 3 are needed"):
        image_table.own_folders(tmp_path, LABELS, "")


@pytest.mark.parametrize("one, other", [("Frontal", "LATERAL"), ("frontal ", "lateral"), ("_frontal", "Lateral_")])
def test_folders_are_known_in_other_letters_and_separators(tmp_path, write_image, one, other):
    write_image(tmp_path / one / "1.png")
    write_image(tmp_path / other / "2.png")
    assert list(image_table.own_folders(tmp_path, LABELS, "")["label"]) == list(LABELS)


VIEWS = {
    "PA": ["pa", "PA view", "P.A.", "Chest PA erect", "postero-anterior"],
    "AP": ["ap", "AP portable", "AP semi-erect", "A.P.", "anteroposterior", "AP_mobile"],
    "AP Supine": ["ap supine", "AP (supine)", "supine AP", "AP lying"],
    "L": ["Lateral", "LAT", "LL", "left lateral", "L view"],
    "CT": ["axial", "Axial CT", "CT", "HRCT", "sagittal", "Computed tomography"],
    "": ["", "PA and lateral", "AP/PA", "unknown", "frontal", "lordotic", "apical"],
}


@pytest.mark.parametrize(("view", "said"), [(view, said) for view, ways in VIEWS.items() for said in ways])
def test_views_are_known_by_their_other_names(view, said):
    assert image_table.view_of(said, "X-ray") == view


@pytest.mark.parametrize("modality", ["CT", "ct ", "HRCT", "CT scan"])
def test_a_ct_slice_is_no_radiograph_whatever_its_view_says(modality):
    assert image_table.view_of("AP", modality) == "CT"


def test_dicom_files_beside_images_are_counted(tmp_path, write_image):
    for label in LABELS:
        write_image(tmp_path / label / f"{label}_1.png")
        (tmp_path / label / "p_1.dcm").write_bytes(bytes(128) + b"DICM" + bytes(500))
    assert image_table.own_folders(tmp_path, LABELS, "").attrs["left_out"] == {"a DICOM file, not converted": 2}


def test_a_folder_of_dicom_files_says_to_convert_them(tmp_path):
    path = tmp_path / "frontal" / "IM0001"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(128) + b"DICM" + bytes(500))
    with pytest.raises(LessonError, match=r"DICOM files\. Convert them to PNG first"):
        image_table.own_folders(tmp_path, LABELS, "")
