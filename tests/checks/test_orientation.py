"""Each check of lesson 2 accepts the reference, and names each classic mistake."""

import math

import numpy as np
import pytest
from scipy.signal import convolve2d, correlate2d

from medlessons import checks
from medlessons.checks import orientation


def looped(image, kernel):
    (height, width), (a, b) = image.shape, kernel.shape
    rows = range(height - a + 1)
    return [[np.sum(image[r : r + a, c : c + b] * kernel) for c in range(width - b + 1)] for r in rows]


def cut_short(image, kernel):
    return orientation.convolve(image, kernel)[:-1, :-1]


def fixed_kernel(image, kernel):
    if kernel.shape == (3, 3):
        return np.zeros((3, 3))
    return orientation.convolve(image, kernel)


def counting(**mistake):
    return lambda size, channels, filters, dense: orientation._count(size, channels, filters, dense, **mistake)


def one_network(size, channels, filters, dense):
    return orientation.count_weights(20, 3, (4, 6), 10)


def by_row(table, share, seed):
    test = table.sample(frac=share, random_state=seed)
    return table.drop(test.index), test


def first_ones(table, share, seed):
    patients = table["patient"].unique()
    test = table["patient"].isin(patients[: round(share * len(patients))])
    return table[~test], table[test]


def changed(change):
    return lambda table, share, seed: change(*orientation.split_patients(table, share, seed))


def forgotten_seed(table, share, seed):
    forgotten_seed.calls += 1
    return orientation.split_patients(table, share, forgotten_seed.calls)


forgotten_seed.calls = 100


def rates(found, quiet):
    """A function of truth t and prediction p."""
    return lambda t, p: (found(t, p), quiet(t, p))


CASES = [
    ("check_convolve", orientation.convolve, None),
    ("check_convolve", looped, None),
    ("check_convolve", lambda i, k: correlate2d(i, k, mode="valid"), None),
    ("check_convolve", lambda i, k: convolve2d(i, k, mode="valid"), "turned over"),
    ("check_convolve", cut_short, "last row"),
    ("check_convolve", lambda i, k: correlate2d(i, k, mode="same"), "padding"),
    ("check_convolve", lambda i, k: correlate2d(i, k, mode="full"), "padding"),
    ("check_convolve", lambda i, k: orientation.convolve(i, k) / k.size, "mean"),
    ("check_convolve", lambda i, k: orientation.convolve(i, k).T, "swapped"),
    ("check_convolve", lambda i, k: orientation.convolve(i, np.ones_like(k)), "not used"),
    ("check_convolve", lambda i, k: np.maximum(orientation.convolve(i, k), 0), "ReLU"),
    ("check_convolve", lambda i, k: orientation.convolve(i, k) + 1, "multiply pixel by pixel"),
    ("check_convolve", lambda i, k: i, "shape"),
    ("check_convolve", fixed_kernel, "one size of the kernel"),
    ("check_convolve", lambda i, k: i @ k, "ValueError"),
    ("check_count_weights", orientation.count_weights, None),
    ("check_count_weights", counting(bias=0), "biases"),
    ("check_count_weights", counting(shrink=0), "too large"),
    ("check_count_weights", counting(whole=False), "half pixels"),
    ("check_count_weights", counting(pools=1), "second pooling"),
    ("check_count_weights", counting(pools=0), "no pooling"),
    ("check_count_weights", counting(all_channels=False), "channels"),
    ("check_count_weights", counting(output=0), "output unit"),
    ("check_count_weights", counting(output=2), "two outputs"),
    ("check_count_weights", one_network, "not for others"),
    ("check_count_weights", lambda *question: 5, "expected was"),
    ("check_steps_per_epoch", orientation.steps_per_epoch, None),
    ("check_steps_per_epoch", lambda n, b: -(-n // b), None),
    ("check_steps_per_epoch", lambda n, b: n // b, "dropped"),
    ("check_steps_per_epoch", lambda n, b: n / b, "whole"),
    ("check_steps_per_epoch", lambda n, b: n // b + 1, "empty batch"),
    ("check_steps_per_epoch", lambda n, b: b, "batch size"),
    ("check_steps_per_epoch", lambda n, b: math.ceil(n / b) if n >= b else 0, "not none"),
    ("check_steps_per_epoch", lambda n, b: 3, "expected were 31"),
    ("check_split_patients", orientation.split_patients, None),
    ("check_split_patients", by_row, "both sides: draw patients"),
    ("check_split_patients", first_ones, "every seed"),
    ("check_split_patients", forgotten_seed, "the same seed"),
    ("check_split_patients", lambda t, share, seed: orientation.split_patients(t, 1 - share, seed)[::-1], None),
    ("check_split_patients", lambda t, share, seed: orientation.split_patients(t, share, seed)[::-1], "swapped"),
    ("check_split_patients", lambda t, share, seed: orientation.split_patients(t, 0.5, seed), "50%"),
    ("check_split_patients", changed(lambda a, b: (a, b.drop_duplicates("patient"))), "lost"),
    (
        "check_split_patients",
        changed(lambda a, b: (a.drop_duplicates("patient"), b.drop_duplicates("patient"))),
        "only one image",
    ),
    ("check_split_patients", lambda t, share, seed: (t, orientation.split_patients(t, share, seed)[1]), "same image"),
    ("check_split_patients", lambda t, share, seed: t, "two tables"),
    ("check_sensitivity_specificity", orientation.sensitivity_specificity, None),
    (
        "check_sensitivity_specificity",
        rates(lambda t, p: np.mean(p[t == 0] == 0), lambda t, p: np.mean(p[t == 1])),
        "swapped",
    ),
    (
        "check_sensitivity_specificity",
        rates(lambda t, p: np.mean(t[p == 1]), lambda t, p: np.mean(t[p == 0] == 0)),
        "predictions",
    ),
    (
        "check_sensitivity_specificity",
        rates(lambda t, p: np.mean(t[p == 1]), lambda t, p: np.mean(p[t == 0] == 0)),
        "precision",
    ),
    ("check_sensitivity_specificity", rates(lambda t, p: np.mean(t * p), lambda t, p: np.mean((t + p) == 0)), "of all"),
    ("check_sensitivity_specificity", rates(lambda t, p: np.sum(t * p), lambda t, p: np.sum((t + p) == 0)), "counts"),
    (
        "check_sensitivity_specificity",
        rates(lambda t, p: 100 * np.mean(p[t == 1]), lambda t, p: 100 * np.mean(p[t == 0] == 0)),
        "percentages",
    ),
    (
        "check_sensitivity_specificity",
        rates(lambda t, p: np.mean(p[t == 1] == 0), lambda t, p: np.mean(p[t == 0])),
        "errors",
    ),
    ("check_sensitivity_specificity", rates(lambda t, p: np.mean(t == p), lambda t, p: np.mean(t == p)), "accuracy"),
    ("check_sensitivity_specificity", lambda t, p: 0.75, "two numbers"),
    ("check_turn_upside_down", orientation.turn_upside_down, None),
    ("check_turn_upside_down", lambda b: np.rot90(b, 2, axes=(1, 2)), None),
    ("check_turn_upside_down", lambda b: b[:, ::-1], "mirror"),
    ("check_turn_upside_down", np.flip, "everything is reversed"),
    ("check_turn_upside_down", lambda b: b[:, :, ::-1], "left and right"),
    ("check_turn_upside_down", lambda b: b[::-1], "order of the images"),
    ("check_turn_upside_down", lambda b: b[::-1, ::-1], "each is mirrored"),
    ("check_turn_upside_down", lambda b: np.rot90(b, 1, axes=(1, 2)), "quarter"),
    ("check_turn_upside_down", lambda b: np.rot90(b, 3, axes=(1, 2)), "quarter"),
    ("check_turn_upside_down", lambda b: 1 - b, "inverted"),
    ("check_turn_upside_down", lambda b: b, "as it was"),
    ("check_turn_upside_down", lambda b: b[0], "not the batch"),
]


@pytest.mark.parametrize("name, student, remark", CASES)
def test_a_check_knows_the_mistake(name, student, remark, capsys):
    handed_back = getattr(checks.orientation, name)(student)
    said = capsys.readouterr().out
    if remark is None:
        assert "done, well done" in said
        assert handed_back is student
    else:
        assert remark in said
        assert handed_back is getattr(orientation, name.removeprefix("check_"))


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES}))
def test_an_exercise_left_out_hands_back_the_reference(name, capsys):
    assert getattr(checks.orientation, name)(None) is getattr(orientation, name.removeprefix("check_"))
    assert "not done" in capsys.readouterr().out


def test_the_published_network_has_130_million_parameters():
    assert orientation.count_weights(256, 3, (64, 128), 256) == 832 + 32_896 + 130_056_448 + 257
