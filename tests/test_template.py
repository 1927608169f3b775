"""A small lesson, made from the template and the checklist, keeps every rule and runs through every command."""

import inspect
import json
import os
import re
import runpy
import subprocess
import sys

import nbformat
import pytest

from classroom import notebooks, pages, scoring, student
from medlessons import settings

ROOT = settings.REPOSITORY
TEMPLATE = notebooks.DOCS / "lesson_template.ipynb"
CHECKLIST = notebooks.DOCS / "ADDING_A_LESSON.md"
RULES = {
    name: rule
    for name, rule in runpy.run_path(str(ROOT / "tests" / "test_notebooks.py")).items()
    if name.startswith("test_") and inspect.signature(rule).parameters
}
STARTUP = """
import sys, types
from medlessons import checks
example = types.ModuleType("medlessons.checks.example")
exec({code!r}, example.__dict__)
sys.modules[example.__name__] = checks.example = example
"""
SOLUTION = 'return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(1, activation="sigmoid")])'
ROUNDS = 4  # a lesson has eight sections, the template two


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return a lesson of eight sections that was refreshed; its checks are those of the checklist."""
    folder = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebooks, "DOCS", folder)
        patch.setattr(student, "FOLDER", folder / "student")
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("MEDLESSONS_PROFILE", "quick")
        startup = folder / "ipython" / "profile_default" / "startup" / "00.py"
        startup.parent.mkdir(parents=True)
        (code,) = re.findall(r"```python\n(.*?)```", CHECKLIST.read_text(encoding="utf-8"), re.DOTALL)
        startup.write_text(STARTUP.format(code=code))
        nbformat.write(repeat_sections(notebooks.read(TEMPLATE)), folder / "09_example.ipynb")
        (lesson,) = notebooks.find("9", folder)
        notebooks.store(notebooks.execute(lesson))
        student.write(lesson, folder / "student")
        yield lesson


def repeat_sections(template):
    """Return the template with its two sections written out four times, numbered on."""
    starts = [at for at, cell in enumerate(template.cells) if cell.source.startswith("## ")]
    end = starts[2]
    tagged = [at for at in range(end) if {"picture", "report"} & set(template.cells[at].metadata.get("tags", []))]
    cells = template.cells[: starts[0]]
    for number in range(ROUNDS):
        for at in range(starts[0], end):
            cell = nbformat.from_dict(json.loads(json.dumps(template.cells[at])))
            cell.id = f"{cell.id}-{number}"
            cell.source = re.sub(r"^## (\d)", lambda found, by=number: f"## {int(found[1]) + 2 * by}", cell.source)
            cell.source = re.sub(
                r"(Exercise 9\.)(\d)", lambda found, by=number: f"{found[1]}{int(found[2]) + 2 * by}", cell.source
            )
            if at in tagged and number < ROUNDS - 1:
                cell.metadata.pop("tags")
            cells.append(cell)
    template.cells = cells + template.cells[end:]
    return template


def break_rule(rule, lesson, notebook=None):
    given = {"lesson": lesson, "notebook": notebook or notebooks.read(lesson.path)}
    rule(**{name: given[name] for name in inspect.signature(rule).parameters})


@pytest.mark.parametrize("name", RULES)
def test_the_small_lesson_keeps_the_rule(small, name):
    break_rule(RULES[name], small)


def damaged(old, new):
    def damage(notebook):
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)

    return damage


def drop_tags(notebook):
    for cell in notebook.cells:
        cell.metadata.pop("tags", None)


def use_the_open_task(notebook):
    task = next(cell for cell in notebook.cells if "open-task" in cell.metadata.get("tags", []))
    task.source = "number_of_rounds = 3"
    exercise = next(cell for cell in notebook.cells if "def small_network" in cell.source)
    exercise.source = "print(number_of_rounds)\n" + exercise.source


@pytest.mark.parametrize(
    ("rule", "damage"),
    [
        ("predict", damaged("**Predict, then run.**", "Predict, then run.")),
        ("predict", lambda notebook: notebook.cells.insert(5, nbformat.v4.new_markdown_cell("In between."))),
        ("open_tasks", damaged("**Now you.**", "Now you.")),
        ("open_tasks", drop_tags),
        ("open_tasks", damaged("# Your code.", "a = 1\nb = 2\nc = 3\nd = 4")),
        ("open_tasks", use_the_open_task),
        ("network", damaged(SOLUTION, "return make(inputs)")),
        ("hint", damaged("<details>", "")),
        ("honest_minutes", damaged("(core, 15 minutes)", "(core, 5 minutes)")),
        ("honest_minutes", damaged("(core, 15 minutes)", "(core, 95 minutes)")),
        ("honest_minutes", damaged("(core, 15 minutes)", "")),
        ("sums_up", damaged("checks.summary()", "checks.results()")),
        ("in_order", lambda notebook: notebook.cells[1].update(execution_count=9)),
        ("tag", lambda notebook: notebook.cells[1].metadata.update(tags=["nbval-skip"])),
        ("are_short", damaged("import keras\n", "import keras\n" + 30 * "print(1)\n")),
    ],
)
def test_a_lesson_that_breaks_a_rule_is_found(small, rule, damage):
    (chosen,) = [RULES[name] for name in RULES if rule in name]
    notebook = notebooks.read(small.path)
    damage(notebook)
    with pytest.raises(AssertionError):
        break_rule(chosen, small, notebook)


def test_the_small_lesson_validates(small):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", "--rootdir", str(small.path.parent), str(small.path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    result = subprocess.run(
        command, cwd=small.path.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:]


def test_the_checks_of_the_checklist_know_what_is_solved_and_what_is_not(small):
    printed = [
        output.text
        for cell in notebooks.read(small.path).cells
        for output in cell.get("outputs", [])
        if "text" in output
    ]
    assert sum("done, well done!" in text for text in printed) == 2 * ROUNDS
    rows = scoring.score(student.FOLDER / small.path.name)
    assert [(row["number"], row["state"]) for row in rows] == [("9.1", "not done"), ("9.2", "not done")]


def test_the_small_lesson_gets_its_page_and_its_line_in_the_report(small, tmp_path):
    run = notebooks.Run(small, notebooks.read(small.path))
    pages.write(run, tmp_path)
    text = pages.write_report([run], tmp_path)
    assert "9 A question that a beginner understands?" in text
    assert re.search(r"accuracy 0\.\d\d, always answering well 0\.\d\d", text)
    assert "Exercise 9.1" in (tmp_path / "09_example.html").read_text(encoding="utf-8")


def test_the_checklist_names_files_that_exist():
    text = CHECKLIST.read_text(encoding="utf-8")
    example = re.compile(r"example|09[_.]")
    links = [target for target in re.findall(r"\]\(([^)]+)\)", text) if not target.startswith("http")]
    assert links and [target for target in links if not (CHECKLIST.parent / target).exists()] == []
    paths = [path for path in re.findall(r"`([\w/.]+/[\w.]*)`", text) if not example.search(path)]
    assert len(paths) >= 6
    places = (ROOT, ROOT / "src" / "medlessons")
    assert [path for path in paths if not any((place / path).exists() for place in places)] == []
