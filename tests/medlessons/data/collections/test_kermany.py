"""The children of Guangzhou are read with patient and germ from the names of their files."""

import pytest

from medlessons.data.collections import kermany
from medlessons.errors import LessonError

FILES = {
    "train/PNEUMONIA/person23_bacteria_78.jpeg": ("person23", "bacterial pneumonia", "train"),
    "train/PNEUMONIA/person23_virus_53.jpeg": ("person23", "viral pneumonia", "train"),
    "train/NORMAL/IM-0115-0001.jpeg": ("im-115", "normal", "train"),
    "train/NORMAL/NORMAL2-IM-0441-0001-0002.jpeg": ("normal2-im-441", "normal", "train"),
    "test/NORMAL/NORMAL2-IM-0115-0001.jpeg": ("normal2-im-115", "normal", "test"),
    "val/PNEUMONIA/person1946_bacteria_4874.jpeg": ("person1946", "bacterial pneumonia", "val"),
}


@pytest.fixture
def folder(tmp_path, write_image):
    for name in FILES:
        write_image(tmp_path / "chest_xray" / name)
    return tmp_path / "chest_xray"


def test_each_image_has_its_patient_and_finding(folder):
    table = kermany.read(folder).set_index("path")
    for name, known in FILES.items():
        assert tuple(table.loc[str(folder / name), ["patient", "finding", "part"]]) == known
    assert set(table["view"]) == {"AP"} and len(table) == len(FILES)


def test_the_names_of_version_3(tmp_path, write_image):
    for name in ("NORMAL/NORMAL-28501-0001", "PNEUMONIA/BACTERIA-1008087-0001", "PNEUMONIA/VIRUS-1008087-0002"):
        write_image(tmp_path / "train" / f"{name}.jpeg")
    table = kermany.read(tmp_path)
    assert list(table["patient"]) == ["normal-28501", "bacteria-1008087", "virus-1008087"]
    assert list(table["finding"]) == ["normal", "bacterial pneumonia", "viral pneumonia"]


def test_a_file_without_a_patient_is_counted(folder, write_image):
    write_image(folder / "train" / "NORMAL" / "copy of person23.jpeg")
    (folder / "train" / "NORMAL" / ".DS_Store").write_text("")
    table = kermany.read(folder)
    assert len(table) == len(FILES) and table.attrs["left_out"] == {"a copy, or a file whose name gives no patient": 1}


@pytest.mark.parametrize("kind, name", [("NORMAL", "IM-0115-0001"), ("PNEUMONIA", "person23_bacteria_78")])
def test_a_folder_without_one_of_the_two_is_named(folder, kind, name):
    for path in folder.rglob(f"{kind}/*"):
        path.unlink()
    with pytest.raises(LessonError, match=rf"such as train/{kind}/{name}\.jpeg.*medlessons data fetch covid"):
        kermany.read(folder)
