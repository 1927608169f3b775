"""The figures of lesson 6 draw what they should, and their sentences say what was drawn."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medlessons.errors import LessonError
from medlessons.plots import brain
from medlessons.plots.palette import RED, SKY
from tests.medlessons.plots.caption import sentence

SPACING = (2.0, 3.0, 4.0)


@pytest.fixture
def head():
    """A head of 10 x 12 x 8 voxels in air, brighter toward the patient's right, with a tumor there, in front."""
    image = np.zeros((16, 18, 10))
    image[3:13, 3:15, 1:9] = 100 + np.arange(10)[:, None, None]
    label = np.zeros(image.shape, np.uint8)
    label[9:12, 10:13, 4:7], label[10, 11, 5] = 1, 3
    return image, label


def outlines(ax):
    return [collection.get_edgecolor()[0] for collection in ax.collections]


def test_slices_show_the_tumor_and_say_how_large_it_is(head):
    image, label = head
    figure = brain.slices(image, SPACING, label, count=3)
    assert [ax.get_title() for ax in figure.axes] == ["slice 4", "slice 5", "slice 6"]
    assert [len(outlines(ax)) for ax in figure.axes] == [1, 2, 1]
    assert sentence(figure) == (
        "3 axial slices of a scan, 4 to 6; the patient's right is on the left. "
        "Outlined: edema 0.6 ml (sky blue), enhancing tumor 0.0 ml (red)."
    )


def test_the_patients_right_is_on_the_left_and_the_front_on_top(head):
    image, label = head
    ax = brain.slices(image, SPACING, label, count=1).axes[0]
    gray = np.asarray(ax.images[0].get_array())
    assert gray.shape == (12 + 4, 10 + 4)  # two voxels of air around the head
    assert gray[8, 2] > gray[8, 11] > gray[8, 0]
    x, y = np.vstack([path.vertices for path in ax.collections[0].get_paths()]).mean(axis=0)
    assert x < 7 and y < 8
    assert ax.get_aspect() == 1.5


def test_a_volume_that_is_standardized_has_black_air(head):
    image, label = head
    standardized = np.where(image > 0, image - 104.5, 0)
    ax = brain.slices(standardized, SPACING, label, count=1).axes[0]
    assert ax.images[0].get_array()[0, 0] == ax.images[0].get_clim()[0] < -4


def test_each_channel_has_a_row_and_with_a_prediction_two(head):
    image, label = head
    four = np.stack([image, 2 * image, 3 * image, 4 * image], axis=-1)
    figure = brain.slices(four, SPACING, label, count=2)
    assert [ax.get_ylabel() for ax in figure.axes[::2]] == ["FLAIR", "T1w", "T1gd", "T2w"]
    figure = brain.slices(four[..., :2], SPACING, label, np.where(label == 1, 3, label), plane="coronal", count=2)
    rows = [ax.get_ylabel() for ax in figure.axes[::2]]
    assert rows == ["channel 0 truth", "channel 0 prediction", "channel 1 truth", "channel 1 prediction"]
    assert "Truth: edema 0.6 ml" in sentence(figure) and "Prediction: enhancing tumor 0.6 ml" in sentence(figure)
    assert "The Dice coefficient of the whole tumor is 1.00." in sentence(figure)


def test_a_healthy_head_is_shown_whole(head):
    image, label = head
    figure = brain.slices(image, SPACING, 0 * label, plane="sagittal", count=2)
    assert "2 sagittal slices" in sentence(figure) and "the forehead is on the left" in sentence(figure)
    assert sentence(figure).endswith("Outlined: no tumor.")
    assert sentence(brain.slices(image, SPACING)).endswith("is on the left.")


def test_three_planes_meet_in_the_tumor(head):
    image, label = head
    figure = brain.three_planes(image, SPACING, label)
    assert [len(outlines(ax)) for ax in figure.axes] == [2, 2, 2]
    assert "in the right half of the head (left here)" in sentence(figure)
    assert "in the left half of the head" in sentence(brain.three_planes(image, SPACING, label[::-1]))
    assert "the middle of the head" in sentence(brain.three_planes(image, SPACING))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label": np.zeros((2, 2, 2))}, "give the same grid"),
        ({"plane": "oblique"}, "choose one of sagittal, coronal, axial"),
        ({"image": np.ones((4, 4))}, "channels"),
    ],
)
def test_what_cannot_be_drawn_is_refused(head, change, says):
    with pytest.raises(LessonError, match=says):
        brain.slices(**{"image": head[0], "spacing": SPACING} | change)


@pytest.fixture
def stored(monkeypatch):
    """Return what a notebook would store."""
    outputs = []
    monkeypatch.setattr(brain, "display", lambda data, raw: outputs.append(data))
    return outputs


def picture(address):
    return Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))


def attribute(html, name):
    return re.search(f' {name}="([^"]*)"', html)[1]


def test_a_volume_to_scroll_through_is_whole_in_the_page(head, stored, capsys):
    image, label = head
    brain.scroll(image, SPACING, label, np.roll(label, 1, axis=0))
    html, said = stored[0]["text/html"], stored[0]["text/plain"]
    assert capsys.readouterr().out == f"Figure: {said}\n"
    assert attribute(html, "alt") == said.replace("'", "&#x27;") and "Dice coefficient of the whole tumor" in said
    assert picture(attribute(html, "src")).size[0] > 200  # what is seen where no script runs
    assert "http" not in re.sub(r"base64,[\w+/=]+", "", html)
    assert attribute(html, "data-numbers") == "0,1,2,3,4,5,6,7,8,9"
    gray, outlined = picture(attribute(html, "data-gray")), attribute(html, "data-outlines").split("|")
    assert gray.size == (14, 10 * 16) and attribute(html, "data-names") == "truth|prediction"
    assert float(attribute(html, "data-ratio")) == pytest.approx(16 * 3 / (14 * 2), abs=1e-3)
    assert attribute(html, "data-first") == "4"
    for address in outlined:
        colors = {color for _count, color in picture(address).convert("RGBA").getcolors() if color[3]}
        assert picture(address).size == (4 * 14, 10 * 4 * 16)
        assert colors == {(*bytes.fromhex(color[1:]), 255) for color in (SKY, RED)}


def test_a_large_volume_becomes_a_small_page(stored, capsys):
    image = np.random.default_rng(0).normal(100, 10, (240, 240, 155)).astype(np.float32)
    brain.scroll(image, (1, 1, 1))
    html = stored[0]["text/html"]
    assert len(html) < 600_000 and attribute(html, "data-numbers").startswith("0,5,10,")
    assert picture(attribute(html, "data-gray")).size == (80, 31 * 80)


def test_several_channels_are_not_scrolled_through(head):
    with pytest.raises(LessonError, match="One channel"):
        brain.scroll(np.stack(2 * [head[0]], axis=-1), SPACING)


def test_dots_name_the_worst_and_leave_healthy_heads_out():
    table = pd.DataFrame(
        {"tumor ml": [0, 9, 9, 9, 9], "Dice whole tumor": [0, 0.5, 0.9, 0.7, 0.8]}, index=list("habcd")
    )
    table = table.assign(**{"Dice tumor core": np.nan, "Dice enhancing tumor": [np.nan, 0.1, 0.2, 0.3, np.nan]})
    table.loc["a", "Dice tumor core"] = 0.4
    ax = brain.dice_dots(table)
    assert [len(line.get_xdata()) for line in ax.lines] == [4, 1, 1, 1, 3, 1]
    assert [text.get_text() for text in ax.texts] == ["a", "c", "d"]
    assert "whole tumor 0.50 to 0.90, median 0.75 (4 scans)" in sentence(ax)
    assert sentence(ax).endswith("The worst whole tumors: a (0.50), c (0.70), d (0.80).")
    with pytest.raises(LessonError, match="No scan"):
        brain.dice_dots(table[:1])
