"""Three packages, arrows down only: classroom -> medlessons -> simclinic. Within each, no room imports in a circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from medlessons import settings

SOURCES = settings.REPOSITORY / "src"
BELOW = {"classroom": {"medlessons", "simclinic"}, "medlessons": {"simclinic"}, "simclinic": set()}


def modules_imported(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports; ``from a import b`` counts as ``a.b``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def rooms(package: str) -> dict[str, set[str]]:
    """Return which rooms (modules and folders right below a package) each of its rooms imports."""
    found = {}
    for path in (SOURCES / package).rglob("*.py"):
        name = path.relative_to(SOURCES / package).parts[0].removesuffix(".py")
        parts = [module.split(".") for module in modules_imported(path)]
        found.setdefault(name, set()).update(p[1] for p in parts if p[0] == package and len(p) > 1 and p[1] != name)
    return found


@pytest.mark.parametrize("package", BELOW)
def test_a_package_imports_only_those_below_it(package):
    for path in (SOURCES / package).rglob("*.py"):
        imported = {module.split(".")[0] for module in modules_imported(path)} & set(BELOW)
        assert imported <= BELOW[package] | {package}, path


@pytest.mark.parametrize("package", BELOW)
def test_no_room_imports_one_that_imports_it(package):
    list(TopologicalSorter(rooms(package)).static_order())  # raises CycleError with the rooms of a circle


def test_the_simulator_needs_numpy_and_scipy_only():
    import sys

    for path in (SOURCES / "simclinic").rglob("*.py"):
        outside = {module.split(".")[0] for module in modules_imported(path)} - sys.stdlib_module_names - {"simclinic"}
        assert outside <= {"numpy", "scipy"}, path


def test_collections_know_nothing_of_the_tasks_that_read_them():
    data = SOURCES / "medlessons" / "data"
    tasks = {path.stem for path in data.glob("*.py")} - {
        "__init__",
        "image_table",
        "places",
        "manifest",
        "scans",
        "text",
    }
    for path in (data / "collections").glob("*.py"):
        read = {m.split(".")[2] for m in modules_imported(path) if m.startswith("medlessons.data.")}
        assert not read & tasks, path
