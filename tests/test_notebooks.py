"""The committed notebooks keep the rules of the house: executed, captioned, with exercises, true minutes, no traces."""

import ast
import math
import re

import pytest

from classroom import notebooks, student, what_came_out

LESSONS = notebooks.find()
IDS = [lesson.path.stem for lesson in LESSONS]
MACHINE_PATH = re.compile(r"/(?:root|home|tmp|work|Users)/|[A-Z]:\\\\")


@pytest.fixture(params=LESSONS, ids=IDS)
def lesson(request):
    return request.param


@pytest.fixture
def notebook(lesson):
    return notebooks.read(lesson.path)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def test_there_are_lessons():
    assert [lesson.number for lesson in LESSONS][:1] == [1]


def test_every_cell_was_executed_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_output_is_an_error_or_progress(notebook):
    assert not [o for o in outputs(notebook) if o.output_type == "error" or o.get("name") == "stderr"]


def test_no_output_names_a_folder_of_the_machine(notebook):
    texts = [o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs(notebook)]
    assert not [text for text in texts if MACHINE_PATH.search(text)]


def test_each_picture_has_its_sentence_as_caption_and_as_alternative_text(notebook):
    pictures = 0
    for cell in code_cells(notebook):
        printed = "".join(output.get("text", "") for output in cell.outputs)
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                pictures += 1
                assert f"Figure: {output.metadata['image/png']['alt']}" in printed
    assert pictures >= 8


def test_the_picture_of_the_readme_is_one_of_the_lesson(lesson, notebook):
    (picture,) = notebooks.picture(notebook)
    assert (notebooks.DOCS / f"{lesson.path.stem}.png").read_bytes() == picture, "run `make refresh`"


def test_at_most_one_cell_in_twenty_is_exempt_and_says_why(notebook):
    marked = [cell.source for cell in code_cells(notebook) if "NBVAL" in cell.source]
    assert len(marked) <= len(code_cells(notebook)) / 20
    assert all(re.search(r"# NBVAL_IGNORE_OUTPUT: \w+", source) for source in marked)


def tags_of(cell):
    return set(cell.metadata.get("tags", []))


def test_no_cell_carries_a_tag_that_switches_the_comparison_off(notebook):
    known = {"report", "simulated", "mixed", "summary", "picture", "open-task"}
    assert set().union(*map(tags_of, notebook.cells)) <= known


STATED_MINUTES = re.compile(r"\((?:core|optional), (\d+) minutes\)$")  # at the end of a heading


def minutes(notebook):
    """Return how long each section takes, as its heading says: heading -> minutes."""
    headings = [cell.source.splitlines()[0][3:] for cell in notebook.cells if cell.source.startswith("## ")]
    return {heading: int(found[1]) for heading in headings if (found := STATED_MINUTES.search(heading))}


def least_minutes(notebook):
    """Return what each section takes at least, rounded up to five: heading -> minutes.

    Counted are a minute for 100 words of prose, a minute for each code cell, and five more for each exercise.
    """
    raw, heading = {}, None
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = cell.source.splitlines()[0][3:] if cell.source.startswith("## ") else heading
            takes = len(cell.source.split()) / 100
        else:
            takes = 6 if "### BEGIN SOLUTION" in cell.source else 1
        raw[heading] = raw.get(heading, 0) + takes
    return {heading: 5 * math.ceil(value / 5) for heading, value in raw.items() if heading is not None}


def test_headings_say_core_or_optional_and_honest_minutes(notebook):
    stated = minutes(notebook)
    least = {heading: value for heading, value in least_minutes(notebook).items() if heading[0].isdigit()}
    assert len(least) >= 8
    assert set(stated) == set(least), "a numbered heading ends in (core, N minutes) or (optional, N minutes)"
    for heading, value in least.items():
        assert value <= stated[heading] <= 3 * value, f"{heading}: counted are at least {value} minutes"
        assert stated[heading] % 5 == 0


def test_code_cells_are_short(notebook):
    lengths = sorted(len([line for line in cell.source.splitlines() if line.strip()]) for cell in code_cells(notebook))
    assert lengths[-1] <= 15
    assert lengths[len(lengths) // 2] <= 7


def test_each_code_cell_stands_behind_prose_or_code_that_belongs_to_it(notebook):
    kinds = [cell.cell_type for cell in notebook.cells]
    assert "code code code" not in " ".join(kinds), "three code cells in a row: say in between what comes"


def test_each_exercise_has_a_task_a_hint_a_solution_and_a_check(notebook):
    exercises = [i for i, cell in enumerate(notebook.cells) if "### BEGIN SOLUTION" in cell.source]
    assert len(exercises) >= 4
    for number, place in enumerate(exercises, start=1):
        source, before = notebook.cells[place].source, notebook.cells[place - 1].source
        assert "### END SOLUTION" in source
        assert re.search(r"(\w+) = checks\.\w+\.check_\w+\(\1\)", source)
        assert re.search(rf"\*\*Exercise \d\.{number},", before)
        assert "<details><summary>Hint</summary>" in before


def test_in_one_exercise_of_a_lesson_that_trains_the_student_writes_a_network(notebook):
    if "import keras" not in sources_of(notebook):
        pytest.skip("nothing is trained in this lesson")
    solutions = re.findall(r"### BEGIN SOLUTION(.*?)### END SOLUTION", sources_of(notebook), re.DOTALL)
    assert [solution for solution in solutions if re.search(r"keras\.Sequential|keras\.Model|layers\.\w", solution)]


def sources_of(notebook):
    return "\n".join(cell.source for cell in code_cells(notebook))


def following(notebook, marker):
    """Return the cell behind each text that has a paragraph with this marker in front."""
    pairs = zip(notebook.cells, [*notebook.cells[1:], None], strict=True)
    return [after for cell, after in pairs if re.search(rf"^{re.escape(marker)}", cell.source, re.MULTILINE)]


def test_readers_predict_and_the_next_cell_answers(notebook):
    answers = following(notebook, "**Predict, then run.**")
    assert len(answers) >= 4
    assert all(answer is not None and answer.cell_type == "code" and answer.outputs for answer in answers)


def names_in(source, context):
    return {
        node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }


def test_each_number_of_what_came_out_stands_in_an_output(notebook):
    assert what_came_out.unsupported(notebook) == []


def test_open_tasks_have_a_place_to_work_in_that_nothing_needs(notebook):
    places = following(notebook, "**Now you.**")
    assert len(places) >= 2
    assert all("open-task" in tags_of(place) for place in places), "the next cell carries the tag open-task"
    cells = code_cells(notebook)
    for number, cell in enumerate(cells):
        if "open-task" in tags_of(cell):
            assert cell.source.strip() and len(cell.source.splitlines()) <= 3, "at most a comment and a line or two"
            later = set().union(*(names_in(other.source, ast.Load) for other in cells[number + 1 :]))
            assert not names_in(cell.source, ast.Store) & later, "what stands here is needed later"


def test_the_last_cell_sums_up_the_exercises(notebook):
    assert code_cells(notebook)[-1].source == "checks.summary()"


def test_the_student_edition_is_made_from_the_lesson(lesson):
    stored = notebooks.read(student.FOLDER / lesson.path.name)
    assert stored == student.handed_out(lesson), "run `make student`"


def test_every_link_of_lesson_and_student_edition_leads_to_a_file(lesson):
    for path in (lesson.path, student.FOLDER / lesson.path.name):
        texts = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "markdown"]
        targets = [target for text in texts for target in student.LINK.findall(text)]
        assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_student_edition_holds_no_solution_and_no_output(lesson):
    edition = notebooks.read(student.FOLDER / lesson.path.name)
    assert not outputs(edition)
    assert not [cell for cell in edition.cells if "SOLUTION" in cell.source]
    assert len([cell for cell in code_cells(edition) if student.STUB in cell.source]) >= 4
