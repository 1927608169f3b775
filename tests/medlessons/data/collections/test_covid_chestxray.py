"""The published collection is read as it lies; rows without a sound file are counted, wrong tables are named."""

import pandas as pd
import pytest

from medlessons.data.collections import covid_chestxray
from medlessons.errors import LessonError


@pytest.fixture
def folder(tmp_path, write_image):
    for name in ("a.png", "b.jpg", "nobody.png"):
        write_image(tmp_path / "set" / "images" / name)
    rows = [("1", "PA", "a.png", "COVID-19"), ("1", " L ", "b.jpg", "SARS"), ("2", "Axial", "gone.png", "")]
    table = pd.DataFrame(rows, columns=["patientid", "view", "filename", "finding"])
    table.assign(folder="images", age=50, sex="F").to_csv(tmp_path / "set" / "metadata.csv", index=False)
    return tmp_path / "set"


def change(collection, **values):
    """Change cells of metadata.csv: column=(row, value)."""
    rows = pd.read_csv(collection / "metadata.csv", keep_default_na=False)
    for column, (row, value) in values.items():
        rows.loc[row, column] = value
    rows.to_csv(collection / "metadata.csv", index=False)


def test_rows_with_a_file_and_all_their_labels(folder):
    table = covid_chestxray.read(folder)
    assert table[["patient", "view", "finding"]].to_numpy().tolist() == [["1", "PA", "COVID-19"], ["1", "L", "SARS"]]
    assert table.attrs["left_out"] == {
        "a row without its file": 1,
        "a further row of the same file": 0,
        "a file without a row": 1,
    }


def test_a_second_row_of_the_same_file_is_counted(folder):
    change(folder, filename=(2, "a.png"), folder=(2, "images/../images"))
    table = covid_chestxray.read(folder)
    assert table["path"].is_unique and table.attrs["left_out"]["a further row of the same file"] == 1


@pytest.mark.parametrize("where", ["..", "images/../../elsewhere", "{elsewhere}"])
def test_a_row_that_leads_out_of_the_folder_is_refused(folder, where):
    change(folder, folder=(1, where.format(elsewhere=folder.parent / "elsewhere")))
    with pytest.raises(LessonError, match=r"metadata\.csv, line 3, columns folder and filename: .*outside of the coll"):
        covid_chestxray.read(folder)


@pytest.mark.parametrize(
    "content, says",
    [
        (
            None,
            r"metadata\.csv: the published radiographs are not there\. Fetch .*medlessons data fetch covid_ches",
        ),
        ("", "the file is empty"),
        ("<html>", "this is a web page"),
        ("view,filename,folder\n", "line 1: the column patientid is missing"),
        ("patientid,view,filename,folder\n,PA,a.png,images\n", "line 2, column patientid: it is empty"),
    ],
)
def test_what_is_wrong_with_the_table_is_named(folder, content, says):
    (folder / "metadata.csv").unlink()
    if content is not None:
        (folder / "metadata.csv").write_text(content)
    with pytest.raises(LessonError, match=says):
        covid_chestxray.read(folder)


def test_spaces_make_no_other_patient_and_trailing_commas_move_no_column(folder):
    lines = (folder / "metadata.csv").read_text().splitlines()
    (folder / "metadata.csv").write_text(
        "\n".join([lines[0], *(line.replace("1,", "1 ,", 1) + "," for line in lines[1:])])
    )
    table = covid_chestxray.read(folder)
    assert table[["patient", "view", "finding"]].to_numpy().tolist() == [["1", "PA", "COVID-19"], ["1", "L", "SARS"]]
