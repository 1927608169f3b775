"""What the prose of lesson 3 says about its run stands in the stored outputs."""

import re

import pytest

from tests.stored import output_of, outputs_of


@pytest.fixture(scope="module")
def outputs():
    return outputs_of("3")


def decimals(text):
    return [float(found) for found in re.findall(r"-?\d\.\d+", text)]


def row(text, label):
    return decimals(re.search(rf"^{label} +(.*)$", text, re.MULTILINE)[1])


def test_the_leak_is_worth_more_than_any_of_four_splits_differs(outputs):
    leaked, *clean = decimals(output_of(outputs, "leaked = mean_auroc"))
    assert len(clean) == 4
    assert leaked - max(clean) > max(clean) - min(clean)


def test_each_film_gets_other_answers_in_other_batches(outputs):
    lines = output_of(outputs, "one_film = ").strip().splitlines()
    assert len(lines) == 3
    for line in lines:
        in_batches = decimals(line)[1:]
        assert max(in_batches) - min(in_batches) >= 0.05


def test_without_the_leak_the_model_knows_next_to_nothing(outputs):
    leaked, *clean = decimals(output_of(outputs, "leaked = mean_auroc"))
    assert leaked > 0.95 and max(clean) < 0.65


def test_only_the_training_mean_costs_nothing_and_raw_gray_levels_cost_all(outputs):
    text = output_of(outputs, 'given["each image')
    right, mean, raw = (
        row(text, way)[0] for way in ("each image by itself", "mean of the training set", "gray levels as they are")
    )
    assert abs(right - mean) <= 0.01
    assert raw < 0.6


def test_the_network_is_best_at_the_size_it_was_trained_with(outputs):
    text = output_of(outputs, "for edge in settings.sized")
    small, trained, large = (row(text, f"{edge} x {edge}") for edge in (64, 128, 192))
    assert trained[0] > max(small[0], large[0]) + 0.01
    assert trained[1] < min(small[1], large[1]) - 0.05


def test_a_moved_threshold_finds_as_much_as_weights_in_every_split(outputs):
    text = output_of(outputs, "moved = call_findings")
    half, moved, weighted = (
        row(text, way) for way in ("plain, above 0.5", "plain, above the frequency", "weighted, above 0.5")
    )
    assert half[1] < min(moved[0], weighted[0])  # most that is found, against the least
    assert abs(moved[0] - weighted[0]) < 0.15 and abs(moved[1] - weighted[1]) < 0.15
    assert weighted[5] <= half[5]  # the highest AUROC


def test_neither_cure_is_better_what_finds_more_raises_more_false_alarms(outputs):
    text = output_of(outputs, "moved = call_findings")
    moved, weighted = (row(text, way) for way in ("plain, above the frequency", "weighted, above 0.5"))
    assert moved[0] > weighted[0] and moved[1] > weighted[1]
    assert moved[2] > weighted[3]  # the fewest false alarms of one, against the most of the other


def test_one_answer_for_all_is_best_at_the_frequency_and_with_weights_at_one_half(outputs):
    frequency, plain, weighted = decimals(output_of(outputs, "weighted = -share"))[-3:]
    assert frequency == plain < 0.5 == weighted


def test_the_weights_of_the_loss_come_from_the_part_that_is_trained_on():
    (source,) = [source for source in outputs_of("3") if source.startswith("def train_last_layer")]
    assert 'labels = parts["train"]' in source and "compute_class_freqs(labels)" in source


def test_the_small_network_knows_its_training_images_better_than_others_and_a_callback_acts(outputs):
    text = output_of(outputs, 'plots.losses({"training"')
    first, last, validation_first, validation_last = decimals(re.search(r"over the epochs: (.*)", text)[1])
    assert first - last > 2 * (validation_first - validation_last) > 0
    assert "the learning rate was reduced: True" in text and "the training ended early: False" in text
    training, validation = decimals(output_of(outputs, '("validation", x_val, y_val)'))
    assert training > validation + 0.05


def test_wrong_labels_lower_the_auroc_in_every_half(outputs):
    text = output_of(outputs, "halves = ")
    pairs = [row(text, label) for label in ("all images", *(f"half {number}" for number in range(1, 5)))]
    assert all(truth - mined >= 0.03 for truth, mined in pairs)


def test_some_false_alarms_of_section_1_were_truly_there(outputs):
    text = output_of(outputs, "unnamed = ")
    (few, found), (many, there) = re.findall(r"(\d+) outputs above 0.5 without a mined label, (\d+) of them", text)
    assert int(few) >= int(found) > 0
    assert 0 < int(there) < int(many) / 2


def test_maps_of_each_random_network_hit_less_and_some_point_nowhere(outputs):
    text = output_of(outputs, 'by_finding.groupby(["rival", "seed"])')
    hits, _energy, nothing = zip(*(decimals(line) for line in text.strip().splitlines()[2:]), strict=True)
    trained, *random, center, everywhere = hits
    assert len(random) == 3 and trained > max(center, everywhere, *random)
    assert min(nothing[1:4]) > nothing[0] and nothing[4] == 0


def test_the_network_is_ahead_in_hits_and_behind_in_energy(outputs):
    text = output_of(outputs, "def lead(")
    assert row(text, "hits")[1] > 0 > row(text, "energy inside")[2]


def test_pleural_thickening_is_the_lowest_by_its_labels_and_not_by_the_truth(outputs):
    text = output_of(outputs, "aurocs.assign")
    truth, labels, _lost = zip(*(decimals(line) for line in text.strip().splitlines()[1:]), strict=True)
    names = re.findall(r"^([A-Z]\w+)", text, re.MULTILINE)
    assert names[labels.index(min(labels))] == "Pleural_Thickening" != names[truth.index(min(truth))]
    assert names[-1] == "Infiltration"  # it loses most
