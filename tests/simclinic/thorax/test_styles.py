"""Styles: departments differ, side letters lie beside their side, words fit the view."""

from dataclasses import replace

import numpy as np
import pytest

from medlessons.errors import LessonError
from simclinic.thorax import STYLES, draw_patient, draw_style, radiograph
from simclinic.thorax.styles import SIDE_OF_LETTER, Mark, find_style, of_one_image

SIZE = 128
DRAWN = [draw_style(np.random.default_rng(seed)) for seed in range(300)]


def apart(first, second):
    return np.abs(first.image.astype(float) - second.image.astype(float)).mean()


def test_side_letters_lie_beside_their_side():
    styles = [*STYLES.values(), *DRAWN]
    sides = [(style.marker[0], style.marker_corner) for style in styles if style.marker]
    assert {letter for letter, _ in sides} == set(SIDE_OF_LETTER)
    assert all(SIDE_OF_LETTER[letter] in corner for letter, corner in sides)


def test_words_are_written_only_on_the_view_that_they_name():
    notes = [mark for style in DRAWN for mark in style.notes]
    portable = [mark for mark in notes if "PORTABLE" in mark.text or mark.text == "AP"]
    assert len(portable) > 50
    assert all(mark.views == ("AP",) for mark in portable)
    style = replace(STYLES["A"], marker="", notes=(Mark("AP", "top left", 0.1, views=("AP",)),))
    bare = replace(style, notes=())
    changed = {
        view: apart(*(radiograph(draw_patient(1), view, 64, style=s) for s in (style, bare)))
        for view in ["AP", "PA", "L"]
    }
    assert changed["AP"] > 0.1
    assert changed["PA"] == changed["L"] == 0


def test_styles_differ_and_the_marker_is_where_it_is_said():
    patient = draw_patient(4)
    images = [radiograph(patient, "PA", SIZE, style=style) for style in STYLES]
    assert min(apart(a, b) for i, a in enumerate(images) for b in images[:i]) > 1
    bare = replace(STYLES["A"], marker="")
    for corner in ("top left", "top right", "bottom left", "bottom right"):
        marked = radiograph(patient, "PA", SIZE, style=replace(STYLES["A"], marker="R", marker_corner=corner))
        y, x = np.nonzero(marked.image != radiograph(patient, "PA", SIZE, style=bare).image)
        assert (y.max() < SIZE / 4) == ("top" in corner)
        assert (x.max() < SIZE / 4) == ("left" in corner)


def test_drawn_styles_keep_their_variety():
    """Several kinds of departments: no single one makes up the training of a network."""
    kinds = {style.marker_kind for style in DRAWN}
    assert kinds >= {"plain", "lead", "box", "plate", "ring", "disc"}
    assert np.std([style.aspect for style in DRAWN]) > 0.1
    assert np.std([style.uneven for style in DRAWN]) > 0.03
    assert np.std([style.automatic for style in DRAWN]) > 0.1
    assert 0.15 < np.mean([not style.marker for style in DRAWN]) + np.mean([any(s.shutters) for s in DRAWN]) < 0.7


def test_one_image_varies_only_if_the_department_is_unsteady():
    rng = np.random.default_rng(0)
    assert of_one_image(STYLES["A"], rng) == (STYLES["A"], (0.0, 0.0))
    first, again = (of_one_image(DRAWN[0], np.random.default_rng(seed)) for seed in (1, 2))
    assert first != again
    assert first == of_one_image(DRAWN[0], np.random.default_rng(1))


def test_a_style_that_is_not_there_is_explained():
    with pytest.raises(LessonError, match="choose one of A, B"):
        find_style("Z")
