"""The website: a page for each lesson and for what belongs to them, with search. It is built without a network."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from classroom import launch, notebooks, web
from classroom.notebooks import Lesson, place
from medlessons import settings
from medlessons.errors import LessonError
from medlessons.wording import _

TEXTS = {  # file of the repository -> its page, and how the links on top call it
    "docs/WELCOME.md": ("index", "Lessons"),
    "docs/GLOSSARY.md": ("glossary", "Glossary"),
    "data/README.md": ("data", "Data"),
    "models/README.md": ("models", "Models"),
    "docs/RESULTS.md": ("results", "Results"),
    "docs/KERAS3.md": ("keras3", "Keras 3"),
}
SEARCH = '# {title}\n\n<p id="said" role="status">{says}</p>\n<ol id="found"></ol>'


@dataclass
class Site:
    """Where the website is written, and what all of its pages share."""

    folder: Path
    search: bool

    def write(self, name: str, notebook: NotebookNode, path: str, **around: object) -> None:
        """Write a page. `path` is the file of the repository that it shows: links start from there."""
        places = [{"href": f"{page}.html", "text": text} for page, text in TEXTS.values()]
        title = next(line[2:] for cell in notebook.cells for line in cell.source.split("\n") if line.startswith("# "))
        html = web.page(
            notebook,
            title,
            self._picture(name),
            self._link(path),
            here=f"{name}.html",
            places=places,
            search=self.search,
            repository=launch.home()[0],
            **around,
        )
        place(html, self.folder / f"{name}.html")

    def _picture(self, name: str) -> Callable[[bytes], str]:
        numbers = iter(range(1, 1000))

        def store(picture):
            address = f"figures/{name}-{next(numbers):02}.png"
            place(picture, self.folder / address)
            return address

        return store

    def _link(self, path: str) -> Callable[[str], str]:
        """Return what turns a link in a file of the repository into one that is right on its page."""

        def turn(address):
            if re.match(r"\w+:|#", address):
                return address
            target, _hash, part = address.partition("#")
            target = os.path.normpath(PurePosixPath(path).parent / target).replace(os.sep, "/")
            if target.endswith(".png"):
                place((settings.REPOSITORY / target).read_bytes(), self.folder / "figures" / Path(target).name)
                return f"figures/{Path(target).name}"
            if target in TEXTS or target.startswith("notebooks/"):
                page = TEXTS[target][0] if target in TEXTS else Path(target).stem
                return f"{page}.html#{part}" if part else f"{page}.html"
            return f"{'/blob/'.join(launch.home())}/{target}"

        return turn


def can_search() -> bool:
    """Say whether pagefind is installed, which makes the pages searchable."""
    return importlib.util.find_spec("pagefind_bin") is not None


def build(folder: Path) -> Path:
    """Write the website to a folder, in place of what is there, and return its first page.

    Raises
    ------
    LessonError
        If pagefind is installed and fails.
    """
    shutil.rmtree(folder, ignore_errors=True)
    site = Site(folder, can_search())
    lessons = notebooks.find()
    for lesson in lessons:
        _write_lesson(site, lesson, lessons)
    for path, (name, _text) in TEXTS.items():
        text = (settings.REPOSITORY / path).read_text(encoding="utf-8")
        cards = [_card(site, lesson) for lesson in lessons] if name == "index" else None
        site.write(name, _text_page(text), path, cards=cards)
    if site.search:
        page = SEARCH.format(title=_("Search"), says=_("Type a word into the field on top."))
        site.write("search", _text_page(page), "")
        _index(folder)
    return folder / "index.html"


def _text_page(markdown: str) -> NotebookNode:
    return new_notebook(cells=[new_markdown_cell(markdown)])


def _write_lesson(site: Site, lesson: Lesson, lessons: list[Lesson]) -> None:
    notebook, stem = notebooks.read(lesson.path), lesson.path.stem
    edition = f"student/{lesson.path.name}"
    place((notebooks.NOTEBOOKS / edition).read_bytes(), site.folder / edition)
    number = lessons.index(lesson)
    beside = {"back": lessons[number - 1] if number else None, "onward": (*lessons, None)[number + 1]}
    site.write(
        stem,
        notebook,
        f"notebooks/{lesson.path.name}",
        above=_above(lesson, notebook),
        actions=[{"href": edition, "text": _("Student edition"), "download": True}, *_launchers(lesson)],
        **{name: other and {"href": f"{other.path.stem}.html", "text": _name(other)} for name, other in beside.items()},
    )


def _launchers(lesson: Lesson) -> list[dict]:
    """Return links that open the student edition of a lesson without an installation."""
    return [{"href": link, "text": place} for place, link in launch.links(lesson.path.name).items()]


def _name(lesson: Lesson) -> str:
    return f"{lesson.number}. {lesson.title}"


def _above(lesson: Lesson, notebook: NotebookNode) -> str:
    """Return the line above the title of a lesson: its number and how long it takes."""
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    minutes = {"core": 0, "optional": 0}
    for kind, number in re.findall(r"^## .* \((core|optional), (\d+) minutes\)$", texts, re.MULTILINE):
        minutes[kind] += int(number)
    says = _("Lesson {number} · {core} minutes in two sittings, {optional} more optional")
    return says.format(number=lesson.number, **minutes)


def _card(site: Site, lesson: Lesson) -> dict:
    """Return what the first page shows of a lesson: its picture, what it is about, and what one learns."""
    notebook, stem = notebooks.read(lesson.path), lesson.path.stem
    parts = notebook.cells[0].source.split("\n\n")
    learn = next((part for part in parts if part.startswith("- ")), "")
    card = {"href": f"{stem}.html", "title": lesson.title, "above": _above(lesson, notebook)}
    card |= {"text": web.html(parts[1]), "learn": web.html(learn), "actions": _launchers(lesson)}
    for drawn in notebooks.picture(notebook):
        place(drawn, site.folder / f"figures/{stem}.png")
        card |= {"picture": f"figures/{stem}.png"}
    return card


def _index(folder: Path) -> None:
    """Let pagefind index the pages. What its own search boxes need is left out: the page has one."""
    command = [sys.executable, "-m", "pagefind", "--site", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        says = _("The pages cannot be searched: {reason}")
        raise LessonError(says.format(reason=(run.stderr or run.stdout).strip()))
    for unused in (folder / "pagefind").glob("pagefind-*"):
        if unused.suffix in (".js", ".css"):
            unused.unlink()
