"""The rooms of the package import one another in one direction only, and the simulators stand at the bottom."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import medlessons

PACKAGE = Path(medlessons.__file__).parent


def imports_of(path: Path) -> set[str]:
    """Return the rooms (modules and packages right below the package) that a file imports."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "medlessons":
            inside = node.module.split(".")[1:]
            rooms |= set(inside[:1]) if inside else {alias.name for alias in node.names}
    return rooms


def rooms() -> dict[str, set[str]]:
    """Return which rooms each room imports."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        found.setdefault(name, set()).update(imports_of(path) - {name})
    return found


def test_no_room_imports_one_that_imports_it():
    order = list(TopologicalSorter(rooms()).static_order())  # raises CycleError with the rooms of a circle
    assert order.index("simulate") < order.index("datasets") < order.index("doctor") < order.index("__main__")


def test_the_simulators_know_nothing_of_files_data_or_networks():
    assert rooms()["simulate"] <= {"errors"}


def test_tasks_know_the_published_collections_and_not_the_other_way_round():
    tasks = {path.stem for path in (PACKAGE / "datasets").glob("*.py")} - {"image_table", "places", "download"}
    for path in (PACKAGE / "datasets" / "published").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        named = {line for line in text.splitlines() if line.startswith("from medlessons.datasets import")}
        assert not {
            task for task in tasks for line in named if task in line.split("import")[1].replace(",", " ").split()
        }
