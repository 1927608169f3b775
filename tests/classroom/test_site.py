"""The website: whole, reachable in each part, readable by everybody, and without a request to anywhere else."""

import itertools
import re
import shutil

import pytest
from bs4 import BeautifulSoup

from classroom import launch, notebooks, site, student, what_came_out
from classroom.__main__ import BUILD, main
from medlessons import settings

LESSONS = notebooks.find()
NAMES = [*(lesson.path.stem for lesson in LESSONS), *(name for name, _text in site.TEXTS.values())]
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
every_page = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return site.build(tmp_path_factory.mktemp("site")).parent


@pytest.fixture(scope="module")
def pages(folder):
    return {path.stem: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in folder.glob("*.html")}


def test_every_lesson_and_text_has_its_page(pages):
    assert set(pages) - {"search"} == set(NAMES)


def test_every_link_leads_to_a_file_and_a_place_on_it(folder, pages):
    for name, page in pages.items():
        for link in page.find_all("a"):
            file, _hash, part = link["href"].partition("#")
            if file.startswith("https://"):
                continue
            assert not file or (folder / file).is_file(), f"{name}: {link}"
            if part:
                assert pages[file.removesuffix(".html") or name].find(id=part), f"{name}: {link}"


def test_links_to_what_is_no_page_lead_to_the_repository(tmp_path):
    turn = site.Site(tmp_path, False)._link("docs/WELCOME.md")
    assert turn("../models/README.md#brain-lesson-6") == "models.html#brain-lesson-6"
    assert turn("../notebooks/01_anemia_mlp.ipynb") == "01_anemia_mlp.html"
    assert turn("https://keras.io") == "https://keras.io"
    address, tag = launch.home()
    assert turn("../LICENSE") == f"{address}/blob/{tag}/LICENSE"


@every_page
def test_no_request_leaves_the_page(pages, name):
    page = pages[name]
    for part in page.find_all(["script", "img", "link", "iframe", "source", "video", "object", "form"]):
        for attribute in ("src", "srcset", "href", "data", "action"):
            assert not re.match(r"(https?:)?//", part.get(attribute, "")), part
    for part in page.find_all(["style", "script"]):
        assert not re.search(r"url\(|@import|https?://|fetch\(", part.text)


@every_page
def test_a_page_has_a_language_a_title_and_headings_in_order(pages, name):
    page = pages[name]
    assert page.html["lang"] == "en"
    assert page.title.text == page.h1.text
    levels = [int(heading.name[1]) for heading in page.main.find_all(re.compile("h[1-6]"))]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
    ids = [part["id"] for part in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert page.find_all("th", string="") == []


@every_lesson
def test_every_figure_has_its_sentence_and_its_size(folder, pages, lesson):
    outputs = [output for cell in notebooks.read(lesson.path).cells for output in cell.get("outputs", [])]
    sentences = [output.metadata["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})]
    figures = [figure for figure in pages[lesson.path.stem].find_all("figure") if figure.find("figcaption")]
    drawn = [figure.img for figure in figures if not figure.img["src"].startswith("data:")]
    assert [picture["alt"] for picture in drawn] == sentences
    assert all(figure.img["alt"] == figure.figcaption.text for figure in figures)
    assert all((folder / picture["src"]).is_file() and int(picture["width"]) > 50 for picture in drawn)
    assert not re.search(r"Figure: ", pages[lesson.path.stem].main.text), "a sentence stands twice"


@every_lesson
def test_solutions_and_what_came_out_are_closed(pages, lesson):
    cells, page = notebooks.read(lesson.path).cells, pages[lesson.path.stem]
    assert student.BEGIN not in page.text and student.END not in page.text
    solved = [cell for cell in cells if student.BEGIN in cell.source]
    assert len(page.find_all("summary", string="Solution")) == len(solved) > 0
    said = page.main.find_all(string=re.compile(r"\(stored run: simulated"))
    assert len(said) == sum(map(what_came_out.is_block, cells)) > 0
    assert all(text.find_parent("details") for text in said)


@every_lesson
def test_a_student_edition_can_be_taken_along(folder, pages, lesson):
    link = pages[lesson.path.stem].find("a", download=True)["href"]
    assert (folder / link).read_bytes() == (student.FOLDER / lesson.path.name).read_bytes()


def test_one_can_go_onward_from_the_first_lesson_to_the_last_and_back(pages):
    stems = [lesson.path.stem for lesson in LESSONS]
    for relation, order in (("next", stems), ("prev", stems[::-1])):
        for here, there in itertools.pairwise(order):
            assert pages[here].find("a", rel=relation)["href"] == f"{there}.html"
        assert not pages[order[-1]].find("a", rel=relation)


def test_the_first_page_shows_each_lesson(folder, pages):
    cards = pages["index"].find(class_="cards").find_all("li", recursive=False)
    for card, lesson in zip(cards, LESSONS, strict=True):
        assert card.h2.a.text == lesson.title
        assert (folder / card.img["src"]).is_file()
        assert {link.text for link in card.find(class_="actions").find_all("a")} >= {"Colab", "Codespaces", "Binder"}
        assert len(card.details.find_all("li")) >= 3


def test_the_glossary_is_in_order_and_each_word_is_in_its_lesson():
    text = (notebooks.DOCS / "GLOSSARY.md").read_text(encoding="utf-8")
    entries = re.findall(r"^\*\*(.+)\.\*\* (.+) \[Lesson (\d)\]\(\.\./notebooks/(.+)\)$", text, re.MULTILINE)
    words = [word for word, *_rest in entries]
    assert len(words) == text.count("\n**") > 100
    assert [word.lower() for word in words] == sorted({word.lower() for word in words})
    prose = {
        lesson.path.name: " ".join(" ".join(cell.source for cell in notebooks.read(lesson.path).cells).split())
        for lesson in LESSONS
    }
    for word, _meaning, number, file in entries:
        assert int(file[:2]) == int(number)
        assert word.split(" and ")[0].lower() in prose[file].replace("*", "").lower(), word


@pytest.mark.parametrize("installed", [True, False])
def test_pages_are_searched_where_pagefind_is_installed(tmp_path, monkeypatch, installed):
    if installed and not site.can_search():
        pytest.skip("pagefind is not installed")
    monkeypatch.setattr(site, "can_search", lambda: installed)
    monkeypatch.setattr(notebooks, "find", lambda: LESSONS[:1])
    first = site.build(tmp_path / "site")
    assert (first.parent / "pagefind" / "pagefind.js").is_file() == installed
    assert (first.parent / "search.html").is_file() == installed
    assert ('role="search"' in first.read_text(encoding="utf-8")) == installed


def test_the_command_says_where_the_pages_are_and_what_they_lack(monkeypatch, capsys):
    monkeypatch.setattr(site, "build", lambda folder: folder / "index.html")
    monkeypatch.setattr(site, "can_search", lambda: False)
    assert main(["site"]) == 0
    said = capsys.readouterr().out
    assert "pagefind[bin]" in said and f"{BUILD / 'site' / 'index.html'}" in said


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=path, args=CHROMIUM)


@pytest.mark.slow
@every_page
def test_axe_finds_nothing_in_light_on_a_desktop_nor_in_dark_on_a_phone(folder, browser, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browser.new_page()
    page.set_default_timeout(300_000)  # milliseconds; a lesson is a long page
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / f"{name}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    for scheme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 844})
        faults = axe.run(page).response["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in faults] == [], (scheme, width)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} pixels are too few"
    assert all(url.startswith(("file:", "data:")) for url in asked)
    page.close()


def test_the_text_of_the_first_page_is_a_page_of_the_repository():
    assert all((settings.REPOSITORY / path).is_file() for path in site.TEXTS)
