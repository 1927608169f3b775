"""The slides of a lesson: its figures, questions and exercises, a screen each, on one page that needs no network."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Template
from nbformat import NotebookNode

from classroom import notebooks, web, what_came_out

QUESTION = re.compile(r"(\*\*Predict, then run\.\*\*|\*\*Exercise \d).+?(?=\n\n<details>|\Z)", re.DOTALL)
FIGURE = '<figure><img src="data:image/png;base64,{png}" alt="{says}"><figcaption>{says}</figcaption></figure>'
PAGE = Template(Path(__file__).with_name("slides.html.j2").read_text(encoding="utf-8"), trim_blocks=True)


def page(notebook: NotebookNode, title: str) -> str:
    """Return the slides of an executed lesson as one HTML page."""
    return PAGE.render(title=title, slides=list(slides(notebook)))


def slides(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield section and HTML of each slide: each prediction, what came out of it, each exercise, each figure."""
    section, asked = "", False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for says, png in _figures(cell):
                yield section, FIGURE.format(says=html.escape(says), png=png)
            continue
        if heading := re.search(r"^## (.+?)(?: \([^)]*minutes\))?$", cell.source, re.MULTILINE):
            section = heading[1]
        if asked and what_came_out.is_block(cell):
            asked = False
            yield section, web.html(cell.source)
        asked = asked or web.PREDICT in cell.source
        if question := QUESTION.search(cell.source):
            yield section, web.html(question[0])


def _figures(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield the sentence and the picture (PNG, in base64) of each figure."""
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            yield output.metadata.get("image/png", {}).get("alt", ""), output.data["image/png"].replace("\n", "")


def write(lesson: notebooks.Lesson, folder: Path) -> Path:
    """Write the slides of a lesson, from its stored outputs, to a folder; return the file."""
    path = folder / f"{lesson.path.stem}.html"
    notebooks.place(page(notebooks.read(lesson.path), lesson.title), path)
    return path
