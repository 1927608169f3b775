"""Print the notebooks that a change may have changed: ``python scripts/changed_lessons.py BASE``.

Continuous integration validates these on every push, and all of them every night. A notebook counts as changed if it
changed since the commit BASE, or if a module did that only some lessons use (of ``checks``, ``plots``, ``datasets``).
If anything else changed that lessons run on, or if there is no such commit, all are printed.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from classroom import notebooks
from medlessons import settings

OF_A_LESSON = re.compile(r"src/medlessons/(?:checks|plots|datasets)/(\w+)\.py")
RUNS_ON = re.compile(r"src/|models/|conftest\.py|requirements\.txt|pyproject\.toml")


def main() -> None:
    (base,) = sys.argv[1:]
    print(*(path.relative_to(settings.REPOSITORY).as_posix() for path in changed(files_since(base))))


def files_since(base: str) -> list[str] | None:
    """Return the files that differ from a commit; None if there is no such commit."""
    if not base:
        return None
    command = ["git", "diff", "--name-only", f"{base}...HEAD"]
    result = subprocess.run(command, cwd=settings.REPOSITORY, capture_output=True, text=True, check=False)
    return result.stdout.splitlines() if result.returncode == 0 else None


def changed(files: Iterable[str] | None) -> list[Path]:
    """Return the notebooks that a change of some files may have changed; all if `files` is None."""
    found = notebooks.find()
    if files is None:
        return [lesson.path for lesson in found]
    sources = {
        lesson.path: "\n".join(cell.source for cell in notebooks.read(lesson.path).cells if cell.cell_type == "code")
        for lesson in found
    }
    chosen = set()
    for file in files:
        own = OF_A_LESSON.fullmatch(file)
        uses = own and re.compile(rf"\b(?:checks|plots)\.{own[1]}\b|datasets import .*\b{own[1]}\b")
        users = {path for path, source in sources.items() if uses and uses.search(source)}
        if RUNS_ON.match(file) and not users:
            return list(sources)
        chosen |= users
        chosen |= {path for path in sources if path.relative_to(settings.REPOSITORY).as_posix() == file}
    return sorted(chosen)


if __name__ == "__main__":
    main()
