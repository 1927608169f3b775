"""Letters and marks: smooth, as tall as asked, bright where light is and dark where only cover is."""

import numpy as np
import pytest

from simclinic.thorax.lettering import KINDS, letters, symbol


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
