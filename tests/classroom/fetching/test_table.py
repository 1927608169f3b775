"""What every row of the table of what can be fetched promises."""

import pytest

from classroom.fetching import placing, table
from medlessons import data, settings
from medlessons.errors import LessonError

ROWS = pytest.mark.parametrize("collection", table.COLLECTIONS, ids=lambda one: one.name)
NAMES = [*data.REGISTRY, "chestxray8", "covid_chestxray", "kermany", "decathlon"]


def test_a_name_is_that_of_a_task_or_of_a_collection():
    assert {name: [one.name for one in table.named(name)] for name in NAMES} == {
        "anemia": ["anemia"],
        "orientation": ["covid_chestxray", "orientation"],
        "findings": ["chestxray8"],
        "covid": ["covid_chestxray", "kermany", "covid"],
        "chestxray8": ["chestxray8"],
        "covid_chestxray": ["covid_chestxray"],
        "kermany": ["kermany"],
        "brain": ["decathlon", "brain"],
        "decathlon": ["decathlon"],
    }
    with pytest.raises(
        LessonError, match=r"no data set 'blood'; there are: anemia, .*covid_chestxray, kermany.*decathlon"
    ):
        table.named("blood")


@ROWS
def test_what_must_be_known_before_a_fetch_is_said(collection):
    if not collection.is_published:
        return
    cards = (settings.REPOSITORY / "data" / "README.md").read_text(encoding="utf-8")
    assert collection.title and collection.licence and collection.citation and collection.page.startswith("https://")
    assert collection.licence.split(":")[0].split(";")[0] in cards
    said = collection.describe(collection.sizes(collection.name)[0])
    assert all(word in said for word in (collection.title, collection.page, collection.licence, collection.citation))
    assert ("not known before" in said) == (collection.size == 0)


@ROWS
def test_real_data_lie_in_the_folder_for_them(collection):
    assert collection.folder.parent == settings.real_dir() and collection.checks.keys() <= data.REGISTRY.keys() | {
        "predictions"
    }
    assert not collection.is_sound(collection.name) and placing.verify(collection), "it is not there"
    assert not placing.is_ours(collection.folder)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "origin, says",
    [
        ("", r"--from is empty\. Give the path"),
        ("nowhere", "nowhere: there is no such file or folder"),
        ("empty", r"empty: this is not the data set\. Expected was .* Give its path with --from"),
        ("broken.zip", r"broken\.zip: .*Download it again"),
    ],
)
def test_fetch_names_what_it_cannot_use_and_places_nothing(name, origin, says, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(LessonError, match=says):
        placing.fetch(name, str(tmp_path / origin) if origin else "")
    assert all(path.suffix == ".lock" for path in settings.real_dir().glob("*"))
