"""What the prose of lesson 4 says about its run stands in the stored outputs."""

import re

import pytest

from classroom import notebooks


@pytest.fixture(scope="module")
def outputs():
    (lesson,) = notebooks.find("4")
    texts = {}
    for cell in notebooks.read(lesson.path).cells:
        if cell.cell_type == "code":
            found = [output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.outputs]
            texts[cell.source] = "".join(found)
    return texts


def output_of(outputs, line):
    (text,) = [text for source, text in outputs.items() if line in source]
    return text


def test_the_published_callback_never_acts_and_the_right_one_does_with_every_seed(outputs):
    text = output_of(outputs, '"reductions"')
    reductions = {who: [int(n) for n in re.findall(rf"{who}, seed \d +(\d+)", text)] for who in ("published", "yours")}
    assert reductions["published"] == [0, 0, 0]
    assert len(reductions["yours"]) == 3
    assert min(reductions["yours"]) >= 1


def test_the_network_leads_the_frame_over_many_splits_though_one_is_a_tie(outputs):
    text = output_of(outputs, "def named_right")
    network, border = (float(re.search(rf"{who}: ([\d.]+) of 60", text)[1]) for who in ("network", "border only"))
    (ties,) = re.findall(r"as good as the network: (\d+) splits", text)
    assert border < network
    assert int(ties) < 10


def test_each_head_of_one_backbone_has_maps_of_its_own(outputs):
    text = output_of(outputs, "def in_lungs")
    spread = re.findall(r"^(?:VGG16|ResNet50V2|Xception) +([\d.]+) +([\d.]+)", text, re.MULTILINE)
    assert len(spread) == 3
    assert any(float(high) - float(low) >= 0.1 for low, high in spread)


def test_a_map_that_is_the_same_everywhere_hits_as_often_as_its_cells_lie_in_the_lungs(outputs):
    (low, high) = re.search(r"^same everywhere +([\d.]+) +([\d.]+)", output_of(outputs, "def in_lungs"), re.M).groups()
    assert low == high
    assert 0.2 < float(low) < 0.7


def test_the_confounded_network_loses_outside_and_the_other_keeps_its_word(outputs):
    text = output_of(outputs, 'answers[f"network, {kind}"]')
    pairs = re.findall(r"network, (\w+): ([\d.]+) inside, ([\d.]+) outside", text)
    lost = {kind: float(inside) - float(outside) for kind, inside, outside in pairs[:2]}
    assert lost["confounded"] > 0.05 > lost["unconfounded"]
