"""A notebook as a page of the website, or of a run: it needs no network, and a screen reader can read it."""

import base64
import copy
import re
import struct
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from latex2mathml.converter import convert as mathml
from nbconvert.filters import Highlight2HTML, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from classroom import notebooks, student, what_came_out
from medlessons.errors import LessonError
from medlessons.wording import _

TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
PREDICT = "**Predict, then run.**"  # the output of the next cell stays closed until the reader opens it
MINUTES = re.compile(r"(.*) \((core|optional), (\d+) minutes\)")
UNWANTED = re.compile(r'<style scoped>.*?</style>| border="1"| style="text-align: right;"', re.DOTALL)  # in a table
ALT = re.compile(r' alt="([^"]+)"')
EMPTY = re.compile(r"<th([^>]*)></th>")
WORDS = re.compile(r"<td>(?=[^<]*[A-Za-z]{2})(?!NaN<|True<|False<)")  # a cell of a table with words in it, not a number
PLAIN = re.compile(r'<span(?: class="(?:n|nn|p|o|w)")?>([^<]*)</span>')  # most words of a code need no color

Picture = Callable[[bytes], str]
Link = Callable[[str], str]


def inline(picture: bytes) -> str:
    """Return an address that holds the picture (PNG) itself."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def page(notebook: NotebookNode, title: str, picture: Picture = inline, link: Link = str, **around: object) -> str:
    """Return a notebook as one HTML page. Formulas are MathML, which browsers draw themselves.

    Parameters
    ----------
    notebook : NotebookNode
        It is not changed.
    title : str
    picture : callable
        Takes a picture (PNG), returns the address under which the page shows it.
    link : callable
        Takes the address of a link in the text, returns the one that is right on the page.
    **around
        What the template shows around the notebook, such as ``places`` (the links on top) and ``cards``.

    Raises
    ------
    LessonError
        If a formula cannot be read.
    """
    prose = _Prose(link)
    cells = list(_cells(notebooks.tidy(copy.deepcopy(notebook)), prose, picture))
    return TEMPLATES.get_template("page.html.j2").render(title=title, cells=cells, headings=prose.headings, **around)


def html(markdown: str) -> str:
    """Return Markdown as HTML."""
    return _Prose(str).html(markdown)


class _Prose(IPythonRenderer):
    """Markdown as HTML. It collects the headings, for the table of contents."""

    def __init__(self, link: Link):
        super().__init__(escape=False)
        self.headings, self._link = [], link

    def html(self, markdown: str) -> str:
        return MarkdownWithMath(renderer=self).render(markdown)

    def heading(self, text, level, **attrs):
        timed = MINUTES.fullmatch(text)
        text, *note = timed.groups() if timed else (text,)
        plain = re.sub(r"<[^>]+>", "", text)
        name = re.sub(r"[^\w -]", "", plain.lower()).replace(" ", "-")  # as GitHub names it
        self.headings.append({"level": level, "name": name, "text": plain, "note": note})
        small = f" <small data-pagefind-ignore>{note[0]}, {note[1]} minutes</small>" if note else ""
        return f'<h{level} id="{name}">{text}{small}</h{level}>\n'

    def link(self, text, url, title=None):
        return super().link(text, self._link(url), title)

    def table(self, text):
        return f'<div class="wide"><table>\n{text}</table></div>\n'

    def table_cell(self, text, align=None, head=False):
        tag = "th" if head and text else "td"  # a header without a word says nothing
        return f"<{tag}>{text}</{tag}>\n"

    def image(self, text, url, title=None):
        return super().image(text, self._link(url), title)

    def block_math(self, body):
        return f'<div class="wide">{_formula(body, "block")}</div>'

    def inline_math(self, body):
        return _formula(body, "inline")


def _formula(latex: str, display: str) -> str:
    try:
        return mathml(latex.strip(), display=display)
    except Exception as error:  # the parser raises many kinds
        says = _("The formula ${latex}$ cannot be read ({reason}). Fix it.")
        raise LessonError(says.format(latex=latex, reason=type(error).__name__)) from error


def _cells(notebook: NotebookNode, prose: _Prose, picture: Picture) -> Iterator[dict]:
    """Yield what the template needs to know of each cell.

    Solutions are folded, and so is what came out; where the reader is to predict it, with the output that it is about.
    """
    stubs = {cell.get("id"): cell.source for cell in student.edition(notebook).cells}
    shown = {}
    for cell in notebook.cells:
        if shown.get("predict") and what_came_out.is_block(cell):
            shown["answer"] = prose.html(cell.source)
            continue
        predict = PREDICT in shown.get("source", "")
        shown = {"source": cell.source}
        if cell.cell_type == "markdown":
            is_block = what_came_out.is_block(cell)
            shown["prose"] = prose.html(what_came_out.folded(cell.source) if is_block else cell.source)
        elif cell.cell_type == "code":
            shown |= {
                "code": _colored(cell.source),
                "outputs": list(_outputs(cell, prose, picture)),
                "predict": predict,
            }
            if student.BEGIN in cell.source:
                solution = re.sub(rf"^.*({student.BEGIN}|{student.END}).*\n?", "", cell.source, flags=re.MULTILINE)
                shown |= {"code": _colored(stubs[cell.id]), "solution": _colored(solution)}
        yield shown


def _colored(code: str) -> str:
    return PLAIN.sub(r"\1", Highlight2HTML(pygments_lexer="python")(code))


def _outputs(cell: NotebookNode, prose: _Prose, picture: Picture) -> Iterator[dict]:
    """Yield the outputs of a cell. The sentence that is printed below a figure becomes its caption."""
    caption = ""
    for output in cell.outputs:
        data = output.get("data", {})
        table = data.get("text/html", "<pre")  # the summary of a network has colors of its own; its text says the same
        said = output.get("text") or data.get("text/plain") or "\n".join(output.get("traceback", []))
        first, line, rest = strip_ansi(said).rstrip().partition("\n")
        if "image/png" in data:
            caption = output.metadata.get("image/png", {}).get("alt", "")
            png = base64.b64decode(data["image/png"])
            yield {"figure": picture(png), "size": struct.unpack(">II", png[16:24]), "caption": caption}
        elif "text/markdown" in data:
            yield {"html": prose.html(data["text/markdown"])}
        elif ALT.search(table):  # a viewer
            caption = unescape(ALT.search(table)[1])
            yield {"html": table, "caption": caption}
        elif not table.startswith("<pre"):
            yield {"html": WORDS.sub('<td class="words">', EMPTY.sub(r"<td\1></td>", UNWANTED.sub("", table)))}
        else:
            yield {"text": rest if caption and first.endswith(caption) else first + line + rest}
