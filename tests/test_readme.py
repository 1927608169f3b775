"""README and handbooks are true: their files and targets exist, commands run, the table agrees with the lessons."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from classroom import launch, notebooks
from medlessons import settings

ROOT = settings.REPOSITORY
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
PAGES = [ROOT / name for name in ("README.md", "docs/INSTRUCTORS.md", "docs/MAINTAINERS.md", "docs/LAUNCH.md")]
README = PAGES[0].read_text(encoding="utf-8")
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
HOME, TAG = launch.home()
COMMANDS = sorted(
    {line for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines() if line}
    | set(re.findall(r"`((?:make|medlessons|MEDLESSONS_\w+=\w+ make|GPU=1 make) ?[^`]*)`", TEXT))
    - {"make", "medlessons"}
)

# How each command is proven. "make": its rule is expanded here, and what it calls is run by the test named.
PROVEN = {
    f"git clone {HOME}": "tests/test_launch.py",
    "cd medlessons": "tests/test_launch.py",
    f'pip install -e "git+{HOME}@{TAG}#egg=medlessons"': "tests/test_launch.py",
    "make lab": "make",
    'make lab OPTIONS="--no-browser --ip 0.0.0.0 --port 8889"': "make",
    "make setup": "make",
    "make doctor": "make",
    "make run": "make",
    "make test": "make",
    "make test-all": "make",
    "make test SINCE=main": "make",
    "make lint": "make",
    "make bench": "make",
    "make lock": "make",
    "make student": "make",
    "make site": "make",
    "make slides": "make",
    "make weights": "make",
    "make run LESSON=1": "make",
    "make run JOBS=1": "make",
    "make run PROFILE=full": "make",
    "make run LESSON=1 SOURCE=real": "make",
    "make run LESSON=4 WEIGHTS=imagenet": "make",
    "make refresh LESSON=1": "make",
    "make refresh LESSON=N": "make",
    "MEDLESSONS_DATA=folder make run SOURCE=real": "make",
    "GPU=1 make setup": "make",
    "medlessons data status": "run",
    "medlessons data fetch anemia": "tests/classroom/fetching/test_anemia.py: needs the network",
    "medlessons data fetch chestxray8 --subset 1": "tests/classroom/fetching/test_chestxray8.py: a local server",
    "medlessons data fetch brain --cases 20": "tests/classroom/fetching/test_brain.py: a local server",
    "medlessons data verify": "tests/classroom/test_main.py",
    "medlessons data remove anemia": "tests/classroom/test_main.py",
    "medlessons data fetch anemia --from my_counts.csv": "tests/classroom/fetching/test_anemia.py",
    "medlessons student --nbgrader course": "tests/classroom/test_nbgrading.py",
    "medlessons score handed_in/*.ipynb > scores.csv": "tests/classroom/test_scoring.py",
    "medlessons score --whole handed_in/*.ipynb > scores.csv": "tests/classroom/test_scoring.py",
    "medlessons score --wide --jobs 4 handed_in > grades.csv": "tests/classroom/test_gradebook.py",
    "python -m pip install -r requirements.txt": "the Makefile installs with the same line",
    "python -m pip install --no-deps -e .": "the Makefile installs with the same line",
    'python -m pytest -q --nbval --nbval-current-env tests notebooks -m "not slow"': "make test calls it",
    "python -m classroom lab": "tests/classroom/test_main.py",
}


def test_every_command_is_accounted_for():
    assert set(COMMANDS) == set(PROVEN)


@needs_make
@pytest.mark.parametrize("command", [name for name, how in PROVEN.items() if how == "make"])
def test_make_knows_the_command(command):
    words = [word for word in shlex.split(command) if word != "make"]
    result = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("command", [name for name, how in PROVEN.items() if how == "run"])
def test_the_command_runs(command):
    words = shlex.split(command)[1:] or ["--help"]
    result = subprocess.run([sys.executable, "-m", "classroom", *words], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("how", sorted({how for how in PROVEN.values() if how.startswith("tests/")}))
def test_the_proof_that_is_named_exists(how):
    assert (ROOT / how.split(":")[0]).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    targets = [target for target in links if not target.startswith("http")]
    assert len(targets) >= 3
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_handbook_is_reached_from_the_readme():
    assert [page.name for page in PAGES[1:] if f"(docs/{page.name})" not in README] == []


def test_the_first_screen_has_the_buttons_the_picture_and_the_three_lines():
    first = README.split("\n## ")[0]
    assert launch.buttons(notebooks.find()[0].path.name) in first
    assert first.index("docs/strip.png") < first.index(f"```bash\ngit clone {HOME}\ncd medlessons\nmake lab\n```")
    assert len(re.sub(r"\S*\]\(\S+\)|```.*```", "", first, flags=re.DOTALL).split()) < 90, "one sentence, no more"


def test_every_folder_of_the_overview_exists():
    overview = TEXT.split("## How it is built")[1]
    folders = re.findall(r"^(\w+/(?:\w+/)?)\s", overview, re.MULTILINE)
    assert len(folders) == 8
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


@pytest.mark.parametrize("lesson", notebooks.find(), ids=lambda lesson: lesson.path.stem)
def test_the_table_names_each_lesson_with_its_minutes(lesson):
    headings = [cell.source for cell in notebooks.read(lesson.path).cells if cell.source.startswith("## ")]
    minutes = sum(int(found) for text in headings for found in re.findall(r"^## .*, (\d+) minutes\)$", text, re.M))
    row = next(line for line in README.splitlines() if lesson.path.name in line and line.startswith("|"))
    assert lesson.title in row
    assert f"{minutes} minutes" in row


def test_every_picture_has_alternative_text():
    assert all(len(text) > 20 for text in re.findall(r"!\[([^\]]*)\]\((?!http)", TEXT))


@needs_make
def test_make_help_lists_every_target_that_is_documented():
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "test-all", "lab", "refresh", "student", "lint", "bench", "help", "doctor", "setup"):
        assert re.search(rf"make {target}\s", shown)
