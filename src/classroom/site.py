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

import medlessons
from classroom import notebooks, web
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
LAUNCHERS = {  # how a lesson is opened elsewhere: its student edition at the tag of this version
    "Colab": "https://colab.research.google.com/github/{repository}/blob/{tag}/{path}",
    "Codespaces": "https://codespaces.new/{repository}/tree/{tag}",
    "Binder": "https://mybinder.org/v2/gh/{repository}/{tag}?labpath={path}",
}


@dataclass
class Site:
    """Where the website is written, and what all of its pages share."""

    folder: Path
    repository: str | None  # on GitHub, as OWNER/NAME
    search: bool

    def write(self, name: str, notebook: NotebookNode, path: str, **around: object) -> None:
        """Write a page. `path` is the file of the repository that it shows: links start from there."""
        source = f"https://github.com/{self.repository}" if self.repository else None
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
            repository=source,
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

    def _link(self, path: str) -> Callable[[str], str | None]:
        """Return what turns a link in a file of the repository into one that is right on its page."""

        def turn(address):
            if re.match(r"\w+:|#", address):
                return address
            target, _hash, part = address.partition("#")
            target = os.path.normpath(PurePosixPath(path).parent / target).replace(os.sep, "/")
            if target in TEXTS or target.startswith("notebooks/"):
                page = TEXTS[target][0] if target in TEXTS else Path(target).stem
                return f"{page}.html#{part}" if part else f"{page}.html"
            return f"https://github.com/{self.repository}/blob/{_tag()}/{target}" if self.repository else None

        return turn

    def launchers(self, lesson: Lesson) -> list[dict]:
        """Return links that open the student edition of a lesson elsewhere; none where the repository is unknown."""
        path = f"notebooks/student/{lesson.path.name}"
        where = {"repository": self.repository, "tag": _tag(), "path": path}
        found = LAUNCHERS.items() if self.repository else []
        return [{"href": address.format(**where), "text": name} for name, address in found]


def _tag() -> str:
    return f"v{medlessons.__version__}"


def build(folder: Path, repository: str | None = None) -> Path:
    """Write the website to a folder, in place of what is there, and return its first page.

    Parameters
    ----------
    folder : Path
    repository : str, optional
        On GitHub, as ``OWNER/NAME``. Without it, no page can say where a lesson is opened with one click.

    Raises
    ------
    LessonError
        If pagefind is installed and fails.
    """
    shutil.rmtree(folder, ignore_errors=True)
    site = Site(folder, repository, importlib.util.find_spec("pagefind_bin") is not None)
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
        actions=[
            {"href": edition, "text": _("Student edition"), "download": True},
            *site.launchers(lesson),
        ],
        **{name: other and {"href": f"{other.path.stem}.html", "text": _name(other)} for name, other in beside.items()},
    )


def _name(lesson: Lesson) -> str:
    return f"{lesson.number}. {lesson.title}"


def _above(lesson: Lesson, notebook: NotebookNode) -> str:
    """Return the line above the title of a lesson: its number and how long it takes."""
    texts = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    minutes = {"core": 0, "optional": 0}
    for kind, number in re.findall(r"^## .* \((core|optional), (\d+) minutes\)$", texts, re.MULTILINE):
        minutes[kind] += int(number)
    says = _("Lesson {number} · {core} minutes in two sittings, and {optional} that are optional")
    return says.format(number=lesson.number, **minutes)


def _card(site: Site, lesson: Lesson) -> dict:
    """Return what the first page shows of a lesson: its picture, what it is about, and what one learns."""
    notebook, stem = notebooks.read(lesson.path), lesson.path.stem
    first = notebook.cells[0].source.split("\n\n")
    card = {"href": f"{stem}.html", "title": lesson.title, "above": _above(lesson, notebook)}
    card |= {"text": web.html(first[1]), "learn": web.html(first[3]), "actions": site.launchers(lesson)}
    for drawn in notebooks.picture(notebook):
        place(drawn, site.folder / f"figures/{stem}.png")
        card |= {"picture": f"figures/{stem}.png"}
    return card


def _index(folder: Path) -> None:
    """Let pagefind index the pages. What its own search boxes need is left out: the page has one."""
    command = [sys.executable, "-m", "pagefind", "--site", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise LessonError(
            _("The pages cannot be searched: {reason}").format(reason=run.stderr.strip() or run.stdout.strip())
        )
    for unused in (folder / "pagefind").glob("pagefind-*"):
        if unused.suffix in (".js", ".css"):
            unused.unlink()
