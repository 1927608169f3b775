"""Letters and marks: smooth, as tall as asked, bright where light is and dark where only cover is."""

from itertools import pairwise

import numpy as np
import pytest

from simclinic.errors import LessonError
from simclinic.thorax.lettering import FONTS, KINDS, symbol


def letters(text, height, font="bold"):
    return symbol(text, "plain", height, 0, 1.0, font)[1]


@pytest.mark.parametrize("height", [6, 12, 30])
def test_capitals_are_as_tall_as_asked_and_smooth(height):
    ink = letters("L", height)
    inked = np.flatnonzero(ink.max(1) > 0.5)
    assert inked[-1] - inked[0] + 1 == pytest.approx(height, abs=1)
    assert ((ink > 0.1) & (ink < 0.9)).any()  # edges are smooth


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_light_within_its_cover(kind):
    light, cover = symbol("R", kind, 12.0)
    assert light.shape == cover.shape
    assert light.max() > 0.8
    assert (light <= cover + 1e-5).all()
    assert 0 <= light.min() <= cover.max() <= 1.0001
    dark = (cover - light).max()
    assert (dark > 0.5) == (kind in ("outlined", "box", "plate", "disc", "arrow"))


def test_letters_differ_and_a_turn_turns_them():
    shown = {text: letters(text, 14) for text in "LRDSAP"}
    assert all(
        a.shape != b.shape or np.abs(a - b).mean() > 0.03 for x, a in shown.items() for y, b in shown.items() if x < y
    )
    upright, turned = (symbol("L", "lead", 14.0, turn)[0] for turn in (0, 90))
    assert upright.shape == turned.shape[::-1]
    assert np.abs(np.rot90(upright) - turned).mean() < 0.05


def test_a_squeezed_film_squeezes_its_letters():
    wide, narrow = (symbol("PORTABLE", "outlined", 10.0, 0, stretch)[0] for stretch in (1.0, 0.8))
    assert narrow.shape[0] == wide.shape[0]
    assert narrow.shape[1] == pytest.approx(0.8 * wide.shape[1], abs=1)


def test_initials_are_smaller_than_the_letter_of_the_side():
    ink = symbol("L\nMK", "lead", 30.0)[1]
    rows = np.flatnonzero(ink.max(1) > 0.5)
    gap = np.flatnonzero(np.diff(rows) > 3)[0]
    assert (gap + 1, len(rows) - gap - 1) == (pytest.approx(30, abs=1), pytest.approx(16, abs=1))


def test_each_font_has_its_own_letters():
    shown = [letters("R", 20, font) for font in FONTS]
    assert shown[0].sum() > 1.3 * shown[1].sum(), "bold letters have more ink"
    assert all(a.shape != b.shape or np.abs(a - b).mean() > 0.02 for a, b in pairwise(shown))


def test_a_turn_by_any_angle_keeps_the_mark_and_its_middle():
    upright = symbol("", "arrow", 30.0)[1]
    for turn in (30, -45, 135):
        turned = symbol("", "arrow", 30.0, turn)[1]
        assert turned.sum() == pytest.approx(upright.sum(), rel=0.02)
        assert min(turned.shape) > max(upright.shape)


def test_a_letter_that_is_not_there_is_named():
    with pytest.raises(LessonError, match="says 'LÄ', but the films' letters have no 'Ä'"):
        symbol("LÄ", "plain", 12.0)
