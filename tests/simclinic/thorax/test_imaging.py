"""A film: the display tells what the body is, the frame is where it is said, and any size works."""

from dataclasses import replace

import numpy as np
import pytest

from simclinic.thorax import STYLES, VIEWS, Finding, draw_patient, draw_style, radiograph

SIZE = 128
STILL = replace(STYLES["A"], marker="", exposure=1e6)


def test_faults_turn_image_and_masks_alike():
    case = {"findings": [Finding("Mass", 0.6, seed=1)], "masks": True}
    right = radiograph(draw_patient(1), "PA", 64, **case)
    down = radiograph(draw_patient(1), "PA", 64, faults=["upside_down"], **case)
    turned = radiograph(draw_patient(1), "PA", 64, faults=["rotated"], **case)
    negative = radiograph(draw_patient(1), "PA", 64, faults=["inverted"], **case)
    assert (down.image == right.image[::-1, ::-1]).all()
    assert (down.masks["Mass"] == right.masks["Mass"][::-1, ::-1]).all()
    assert (turned.lungs == np.rot90(right.lungs)).all()
    assert (negative.image == 255 - right.image).all()


def test_a_drawn_style_and_any_size_work():
    rng = np.random.default_rng(0)
    for size in (32, 33, 100, 193):
        image = radiograph(draw_patient(1), str(rng.choice(VIEWS)), size, style=draw_style(rng)).image
        assert image.shape == (size, size)
        assert image.std() > 10


def test_a_film_need_not_be_square():
    wide = radiograph(draw_patient(3), "PA", 100, style="F", square=False, masks=True)
    lateral = radiograph(draw_patient(3), "L", 100, square=False)
    assert wide.image.shape == wide.lungs.shape == (100, 120)
    assert lateral.image.shape == (100, 80)


def test_gray_levels_follow_what_a_radiologist_expects():
    """Air is darkest, then lung, then the middle and the abdomen; nothing is burnt out."""
    for seed in range(6):
        seen = radiograph(draw_patient(seed, age=40), "PA", SIZE, masks=True, style=STILL)
        lung, heart = (float(np.median(seen.image[mask])) for mask in (seen.lungs & ~seen.heart, seen.heart))
        assert 40 < lung < 170
        assert lung + 25 < heart < 240
        assert np.mean(seen.image > 245) < 0.01


def test_fewer_photons_mean_more_noise():
    def grain(exposure):
        still, noisy = (
            radiograph(draw_patient(3), "PA", SIZE, style=replace(STILL, exposure=light)).image.astype(float)
            for light in (1e6, exposure)
        )
        return np.std(noisy - still)

    assert grain(0.3) > 1.5 * grain(3.0) > 0
    assert grain(0.3) < 6  # gray levels: real films have less


def test_a_black_frame_covers_what_was_asked_for():
    framed = radiograph(draw_patient(2), "PA", 100, style=replace(STILL, shutters=(0.1, 0.0, 0.05, 0.0))).image
    bare = radiograph(draw_patient(2), "PA", 100, style=STILL).image
    assert not framed[:9].any()
    assert not framed[:, :4].any()
    assert (framed[11:, 6:] == bare[11:, 6:]).all()


def test_an_equalised_display_brings_lungs_and_abdomen_closer():
    flat, film = (
        radiograph(draw_patient(5), "PA", SIZE, style=replace(STILL, equalised=share)).image.astype(float)
        for share in (0.6, 0.0)
    )
    assert flat.std() < 0.9 * film.std()


def test_an_automatic_window_hides_how_hazy_the_lungs_are():
    """It is set for a healthy chest as the fixed one is; lungs full of fluid it shows darker. Laterals keep theirs."""

    def brightness(findings, automatic, view="PA"):
        style = replace(STILL, automatic=automatic)
        seen = [
            radiograph(draw_patient(seed), view, 64, style=style, findings=findings, masks=True) for seed in range(8)
        ]
        return np.mean([np.median(one.image[one.lungs]) for one in seen])

    wet = [Finding("Edema", 0.9, seed=1)]
    assert brightness((), 1.0) == pytest.approx(brightness((), 0.0), abs=12)
    brighter = {automatic: brightness(wet, automatic) - brightness((), automatic) for automatic in (0.0, 1.0)}
    assert 0 < brighter[1.0] < 0.6 * brighter[0.0]
    assert brightness((), 1.0, "L") == brightness((), 0.0, "L")


def test_uneven_exposure_is_smooth_and_changes_with_the_image():
    def shade(visit, view="PA"):
        plain, uneven = (
            radiograph(draw_patient(2), view, SIZE, style=replace(STILL, uneven=share), visit=visit).image.astype(float)
            for share in (0.0, 0.1)
        )
        return uneven - plain

    first, second = shade(0), shade(1)
    assert 2 < first.std() < 40
    assert np.percentile(np.abs(np.diff(first, axis=0)), 99) < 4  # but for the steep skin line
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.9
    assert shade(0, "L").std() > 2


@pytest.mark.parametrize("view", VIEWS)
def test_a_finding_leaves_framing_and_marker_as_they_are(view):
    style = replace(draw_style(np.random.default_rng(3)), unsteady=1.0)
    healthy, ill = (
        radiograph(draw_patient(7), view, SIZE, style=style, findings=case)
        for case in ((), [Finding("Mass", 0.8, seed=5)])
    )
    change = np.abs(healthy.image.astype(int) - ill.image)
    assert change[:4].max() <= 2  # the upper edge of the film: a little scatter only
