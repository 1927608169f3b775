"""Which notebooks a change may have changed."""

import runpy

import pytest

from classroom import notebooks
from medlessons import settings

SCRIPT = runpy.run_path(str(settings.REPOSITORY / "scripts" / "changed_lessons.py"))
ALL = [lesson.path.name for lesson in notebooks.find()]
ANEMIA, ORIENTATION = ALL[:2]


@pytest.mark.parametrize(
    ("files", "notebooks"),
    [
        ([], []),
        (["README.md", "tests/test_readme.py", "docs/a.png"], []),
        ([f"notebooks/{ANEMIA}"], [ANEMIA]),
        ([f"notebooks/student/{ANEMIA}"], []),
        (["src/medlessons/plots/anemia.py", "README.md"], [ANEMIA]),
        (["src/medlessons/checks/orientation.py", f"notebooks/{ANEMIA}"], [ANEMIA, ORIENTATION]),
        (["src/medlessons/checks/exercise.py"], ALL),
        (["src/simclinic/blood.py"], ALL),
        (["conftest.py"], ALL),
        (["requirements.txt"], ALL),
        (None, ALL),
    ],
)
def test_the_notebooks_of_a_change(files, notebooks):
    assert [path.name for path in SCRIPT["changed"](files)] == notebooks


@pytest.mark.parametrize("base", ["", "0" * 40])
def test_no_such_commit_means_all(base):
    assert SCRIPT["files_since"](base) is None
