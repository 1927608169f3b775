"""What the prose of lesson 4 says about its run stands in the stored outputs."""

import re

import pytest

from tests.stored import output_of, outputs_of


@pytest.fixture(scope="module")
def outputs():
    return outputs_of("4")


def test_the_published_callback_never_acts_and_one_with_a_smaller_limit_does_with_every_seed(outputs):
    assert "it was reduced: False" in output_of(outputs, "rates = pd.Series(history")
    assert "it was reduced in 3 of 3 trainings" in output_of(outputs, "acted = sum(")


def test_the_frame_does_about_as_well_as_who_knows_the_source_and_the_network_better(outputs):
    text = output_of(outputs, "def right_by_source")
    means = {
        who: float(mean) for who, mean in re.findall(r"^([a-z, ]+?) +([\d.]+) +[\d.]+ +[\d.]+$", text, re.MULTILINE)
    }
    known = means["source known, rest guessed"]
    assert abs(means["border only"] - known) < 2 < means["network"] - known


def test_the_experiment_uses_no_image_of_the_test_set(outputs):
    text = output_of(outputs, "of the test set {one[")
    assert re.findall(r": 300 images, of the test set (\d+)", text) == ["0", "0", "0"]


def test_without_the_shortcut_the_trained_backbone_is_ahead_in_every_division(outputs):
    text = output_of(outputs, "cuts = ")
    (trained, random) = (
        re.search(rf"{who} backbone.*: ([\d.]+) to ([\d.]+)", text).groups() for who in ("trained", "random")
    )
    assert float(trained[0]) > float(random[1])


def test_the_network_leads_the_frame_over_many_splits_though_one_is_a_tie(outputs):
    text = output_of(outputs, "border at least as good as the network")
    network, border = (float(re.search(rf"{who}: ([\d.]+) of 60", text)[1]) for who in ("network", "border only"))
    (ties,) = re.findall(r"as good as the network: (\d+) splits", text)
    assert border < network
    assert int(ties) < 10


def test_each_head_of_one_backbone_has_maps_of_its_own(outputs):
    text = output_of(outputs, "def in_lungs")
    spread = re.findall(r"^(?:VGG16|ResNet50V2|Xception) +([\d.]+) +([\d.]+)", text, re.MULTILINE)
    assert len(spread) == 3
    assert any(float(high) - float(low) >= 0.1 for low, high in spread)


def test_a_map_that_is_the_same_everywhere_hits_as_often_as_its_cells_are_in_the_lungs(outputs):
    (low, high) = re.search(r"^same everywhere +([\d.]+) +([\d.]+)", output_of(outputs, "def in_lungs"), re.M).groups()
    assert low == high
    assert 0.2 < float(low) < 0.7


def test_the_confounded_network_loses_outside_and_the_other_keeps_its_word(outputs):
    pairs = re.findall(r"(\w+, \w+) +([\d.]+) +([\d.]+)", output_of(outputs, "shares.round(2)").replace("border ", ""))
    lost = {who: float(inside) - float(outside) for who, inside, outside in pairs}
    assert lost["network, confounded"] > 0.05 > lost["network, unconfounded"]
    assert lost["only, confounded"] > 0.05 > lost["only, unconfounded"]


def test_in_each_small_clinic_the_confounded_network_loses_more_than_any_unconfounded_one(outputs):
    rows = re.findall(r"\d +(0\.\d+) +(0\.\d+)", output_of(outputs, "from_dict(clinics"))
    lost = [float(inside) - float(outside) for inside, outside in rows]
    assert len(lost) == 8
    assert min(lost[:4]) > max(lost[4:])


def test_with_the_dose_inside_falls_and_outside_rises(outputs):
    four = r" +([\d.]+)" * 4
    rows = re.findall(rf"^[01]\.\d+{four}", output_of(outputs, 'doses["network"].groupby'), re.MULTILINE)
    first, last = ([float(share) for share in rows[place]] for place in (0, -1))
    assert len(rows) == 4
    assert last[0] < first[0]
    assert last[2] > first[2]


def test_outside_healthy_adults_are_called_covid_more_often_than_ill_children(outputs):
    text = output_of(outputs, '"called COVID-19, in percent')
    at_home, *outside = (
        re.findall(r" (\d+|-)(?= |$)", line) for line in text.splitlines() if re.match("at|out|cl", line)
    )
    columns = ("adults, ill", "adults, normal", "adults, other", "children, ill", "children, normal", "children, other")
    assert len(outside) == 5
    for line in outside:
        share = dict(zip(columns, map(int, line[-6:]), strict=True))
        assert share["adults, normal"] > max(share["children, ill"], share["adults, ill"])
    assert int(at_home[-2]) < int(outside[0][-2])


def test_no_backbone_is_better_by_more_than_chance(outputs):
    text = output_of(outputs, "binomtest(")
    assert len(re.findall(r"p = \d\.\d\d, may be chance", text)) == len(text.strip().splitlines()) == 4


def test_each_accuracy_at_home_is_higher_than_in_other_hospitals(outputs):
    shares = [float(line.split()[-1]) for line in output_of(outputs, "measured = ").strip().splitlines()[1:]]
    assert len(shares) == 5 and min(shares[:4]) > shares[4] + 0.2
