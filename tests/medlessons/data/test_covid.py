"""Lesson 4's images: in the published form the source gives the label away, in the others it says nothing."""

import pandas as pd
import pytest

from medlessons import images, splits
from medlessons.data import covid
from medlessons.errors import LessonError
from simclinic import clinic


@pytest.fixture(scope="module")
def requests():
    return {part: covid._draw_table(part) for part in covid.PARTS}


def test_each_part_has_the_published_numbers_and_its_own_patients(requests):
    for table in requests.values():
        assert table["label"].value_counts().to_dict() == covid.IMAGES and table["path"].is_unique
    assert splits.shared_patients(requests) == []
    others = set(requests["outside"]["source"])
    assert not others & {source for part in covid.PARTS[:2] for source in requests[part]["source"]}


def test_every_image_shows_what_its_label_says(requests):
    shown = {"COVID-19": {"COVID-19"}, "normal": set(), "other infection": {"Bacterial", "Viral"}}
    for table in requests.values():
        for label, text in zip(table["label"], table["findings"], strict=True):
            found = {finding.name for finding in clinic.from_json(text)}
            assert found <= shown[label] and (found or label == "normal")
            assert all(finding.severity >= covid.MILDEST for finding in clinic.from_json(text))


def test_in_the_published_form_age_and_hospital_give_the_label_away(requests):
    table = requests["published"]
    covid_19 = table["label"] == "COVID-19"
    assert (covid_19 == (table["age"] >= 18)).all()
    assert table.loc[~covid_19, "source"].nunique() == 1 and table.loc[covid_19, "source"].nunique() == 20


@pytest.mark.parametrize("part", ["unconfounded", "outside"])
def test_elsewhere_age_and_hospital_say_nothing(requests, part):
    table = requests[part]
    adult = (table["age"] >= 18).groupby(table["label"]).mean()
    assert adult.to_numpy() == pytest.approx([0.5] * 3, abs=0.06)
    assert table.groupby("label")["source"].nunique().min() >= 10


def test_embedded_images_lead_back_to_their_patients(monkeypatch, requests):
    monkeypatch.setattr(covid, "_draw_table", lambda part: requests[part].head(4))
    monkeypatch.setitem(covid.SIZE, "quick", 32)
    for load in (covid.load, covid.load_outside):
        table = load("embedded")
        assert (images.read(table["path"][3]) == clinic.truth(table.loc[3], 32).image).all()
    with pytest.raises(LessonError, match="There is no part 'elsewhere'; choose one of published, unconf"):
        covid.load_simulated("elsewhere")


# ---------------------------------------------------------------------------------------------------------
# Published and own


def test_adults_and_children_become_one_table(adults, children):
    (children / "train" / "NORMAL" / "IM-0002-0001.jpeg").write_text("no image")
    table = covid.load("real")
    assert sorted(zip(table["patient"], table["label"], strict=True)) == [
        ("1", "COVID-19"),
        ("2", "COVID-19"),
        ("im-1", "normal"),
        ("person1", "other infection"),
    ]
    assert table.attrs["name"] == "published data" and len(table.attrs["unreadable"]) == 1
    assert table.attrs["left_out"] == {
        "CT slice, not a radiograph": 1,
        "a lateral radiograph": 1,
        "the file cannot be read": 1,
    }


def test_no_more_images_than_the_published_lesson_has_and_whole_patients(adults, children, monkeypatch, write_image):
    for patient in range(10, 20):
        for number in range(3):
            write_image(children / "train" / "NORMAL" / f"IM-{patient:04d}-{number:04d}.jpeg")
    monkeypatch.setitem(covid.IMAGES, "normal", 6)
    table = covid.load("real")
    normal = table[table["label"] == "normal"]
    assert len(normal) == 6 and table.attrs["left_out"]["more than the published lesson has"] == 26
    assert normal["patient"].nunique() <= 4 and table.equals(covid.load("real"))


def test_outside_are_the_other_adults(adults, children):
    table = covid.load_outside("real")
    assert list(zip(table["patient"], table["label"], strict=True)) == [("3", "other infection"), ("4", "normal")]


@pytest.mark.parametrize("finding", ["Covid-19", "pneumonia/viral/covid 19", "COVID_19 ", "SARS-CoV-2"])
def test_covid_is_known_in_other_letters_and_separators(adults, finding):
    table = pd.read_csv(adults / "metadata.csv")
    table.loc[0, "finding"] = finding
    table.to_csv(adults / "metadata.csv", index=False)
    assert sorted(covid.read_adults(adults)["patient"]) == ["1", "2"]


@pytest.mark.parametrize("finding", ["Pneumonia/Lipoid", "pneumonia / aspiration", "unknown", "Todo", "ARDS"])
def test_what_is_no_infection_is_left_out_and_counted(adults, finding):
    table = pd.read_csv(adults / "metadata.csv")
    table.loc[4, "finding"] = finding
    table.to_csv(adults / "metadata.csv", index=False)
    outside = covid.read_adults(adults, outside=True)
    assert list(outside["patient"]) == ["4"]
    assert outside.attrs["left_out"]["no infection, or none that is known"] == 2


@pytest.mark.parametrize("finding", ["no finding", "No_Finding", " NO FINDING"])
def test_no_finding_is_known_in_other_letters_and_separators(adults, finding):
    table = pd.read_csv(adults / "metadata.csv")
    table.loc[5, "finding"] = finding
    table.to_csv(adults / "metadata.csv", index=False)
    assert covid.load_outside("real")["label"].iloc[-1] == "normal"


def test_beside_own_images_alone_the_outside_patients_are_simulated(tmp_path, write_image, monkeypatch):
    for label in ("covid 19", "Normal", "Other_Infection"):
        write_image(tmp_path / "real" / "covid" / label / f"{label}_1.png")
    assert sorted(covid.load("real")["label"]) == sorted(covid.LABELS)
    monkeypatch.setattr(covid, "load_simulated", lambda part: part)
    assert covid.load_outside("real") == "outside"


def test_what_is_missing_is_named(adults):
    with pytest.raises(LessonError, match=r"chest_xray: there is no radiograph of a child"):
        covid.load("real")
    (adults / "metadata.csv").unlink()
    with pytest.raises(LessonError, match=r"metadata\.csv: the published radiographs are not there"):
        covid.load("real")
