"""The checks of lesson 6 accept right answers, however they are written, and name classic mistakes."""

import re

import keras
import numpy as np
import pytest
from keras import ops

from medlessons import losses, segmentation, volumes
from medlessons.checks import brain as ex
from medlessons.checks import network
from medlessons.checks.numbers import Exercise

CHECKS = {name: check for name, check in vars(ex).items() if name.startswith("check_")}
TABLES = {check.number: check for check in vars(ex).values() if isinstance(check, Exercise)}
BY_NUMBER = {
    "6.1": ex.check_volume_ml,
    "6.2": ex.check_sub_volume,
    "6.3": ex.check_standardize,
    "6.4": ex.check_dice,
    "6.5": ex.check_soft_dice_loss,
    "6.6": ex.check_conv3d_parameters,
    "6.7": ex.check_convolve,
    "6.8": ex.check_predict_volume,
    "6.9": ex.check_regions,
}
REFERENCES = {
    "6.1": volumes.volume_ml,
    "6.2": volumes.sub_volume,
    "6.3": volumes.standardize,
    "6.4": segmentation.dice,
    "6.5": losses.soft_dice_loss,
    "6.6": ex.conv3d_parameters,
    "6.7": ex.convolve,
    "6.8": ex.predict_volume,
    "6.9": volumes.regions,
}
MISTAKES = [
    (number, sentence, answer) for number, check in TABLES.items() for sentence, answer in check.wrong_answers()
]
WRITTEN_AS = {  # by a student, where a mistake is not yet what the exercise asks for
    "6.5": lambda wrong: lambda truth, predicted, epsilon: wrong(np.array(truth), np.array(predicted), epsilon),
    "6.9": lambda wrong: lambda label: dict(zip(volumes.REGIONS, wrong(label), strict=True)),
}


def says(sentence, said):
    """Tell whether the sentence was said, whatever its named places were filled with."""
    return re.search(".*".join(map(re.escape, re.split(r"\{[^}]*\}", sentence))), said)


def test_every_exercise_has_a_check_and_fifteen_mistakes():
    assert set(CHECKS.values()) == set(BY_NUMBER.values())
    assert all(len(table.mistakes) >= 14 for table in TABLES.values())
    assert len(ex.PAIRS) + len(ex.CORNERS) >= 14


@pytest.mark.parametrize("number", BY_NUMBER)
def test_the_reference_is_accepted(number, capsys):
    assert BY_NUMBER[number](REFERENCES[number]) is REFERENCES[number]
    assert "well done" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "sentence", "wrong"), MISTAKES, ids=[f"{row[0]}-{row[1]}" for row in MISTAKES])
def test_each_mistake_of_a_table_is_named_and_the_reference_handed_back(number, sentence, wrong, capsys):
    student = WRITTEN_AS.get(number, lambda wrong: wrong)(wrong)
    assert BY_NUMBER[number](student) is REFERENCES[number]
    said = capsys.readouterr().out
    assert says(sentence, said), said
    assert "np.float" not in said


# 6.1


def volume_by_sum(mask, spacing):
    x, y, z = spacing
    return (mask > 0).sum() * x * y * z / 1000


def volume_by_loop(mask, spacing):
    return sum(1 for voxel in mask.ravel() if voxel) * spacing[0] * spacing[1] * spacing[2] * 1e-3


# 6.2


def patch_by_integers(image, label, size, rng):
    x, y, z = (int(rng.integers(0, whole - part + 1)) for whole, part in zip(label.shape, size, strict=True))
    i, j, k = size
    return (
        np.array(image[x : x + i, y : y + j, z : z + k]),
        np.array(label[x : x + i, y : y + j, z : z + k]),
    )


def patch_by_choice(image, label, size, rng):
    corner = [rng.choice(whole - part + 1) for whole, part in zip(image.shape, size, strict=False)]
    rows = np.ix_(*[range(start, start + part) for start, part in zip(corner, size, strict=True)])
    return [image[rows], label[rows]]


def patch_with_endpoint(image, label, size, rng):
    corner = rng.integers(0, np.array(label.shape) - size, endpoint=True)
    part = tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))
    return image[part].copy(), label[part].copy()


def cut(image, label, corner, size):
    part = tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))
    return image[part].copy(), label[part].copy()


def without_one(image, label, size, rng):
    return cut(image, label, rng.integers(0, np.subtract(label.shape, size)), size)


def beyond_the_edge(image, label, size, rng):
    return cut(image, label, rng.integers(0, label.shape), size)


def one_too_far(image, label, size, rng):
    return cut(image, label, rng.integers(0, np.subtract(label.shape, size) + 2), size)


def two_corners(image, label, size, rng):
    last = np.subtract(label.shape, size) + 1
    return cut(image, label, rng.integers(0, last), size)[0], cut(image, label, rng.integers(0, last), size)[1]


def a_view(image, label, size, rng):
    corner = rng.integers(0, np.subtract(label.shape, size) + 1)
    part = tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))
    return image[part], label[part]


def label_as_a_view(image, label, size, rng):
    corner = rng.integers(0, np.subtract(label.shape, size) + 1)
    part = tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))
    return image[part].copy(), label[part]


def always_the_middle(image, label, size, rng):
    return cut(image, label, np.subtract(label.shape, size) // 2, size)


def own_generator(image, label, size, rng):
    return volumes.sub_volume(image, label, size, np.random.default_rng())


def own_seed(image, label, size, rng):
    return volumes.sub_volume(image, label, size, np.random.default_rng(0))


def from_one(image, label, size, rng):
    return cut(image, label, rng.integers(1, np.subtract(label.shape, size) + 1), size)


def one_number(image, label, size, rng):
    start = rng.integers(0, 2)
    return cut(image, label, (start, start, start), size)


def z_from_zero(image, label, size, rng):
    x, y, _z = rng.integers(0, np.subtract(label.shape, size) + 1)
    return cut(image, label, (x, y, 0), size)


def even_corners(image, label, size, rng):
    last = np.subtract(label.shape, size)
    return cut(image, label, rng.integers(0, 2, 3) * last, size)


def then(change):
    return lambda *given: change(*volumes.sub_volume(*given))


PATCHES = [
    (without_one, "along x and y and z the last corner is never drawn"),
    (beyond_the_edge, "cut off at the edge"),
    (one_too_far, "cut off at the edge"),
    (two_corners, "another corner than the patch"),
    (a_view, "a view"),
    (label_as_a_view, "a view"),
    (always_the_middle, "every patch is the same"),
    (own_seed, "every patch is the same"),
    (own_generator, "with the same seed the same patches"),
    (from_one, "0 is never drawn"),
    (one_number, "one number is drawn for all axes"),
    (z_from_zero, "along z the corner is always 0"),
    (even_corners, "some corners are never drawn"),
    (then(lambda patch, label: patch), "two arrays"),
    (then(lambda patch, label: (label, patch)), "exchanged"),
    (then(lambda patch, label: (np.moveaxis(patch, -1, 0), label)), "moved to the front"),
    (then(lambda patch, label: (patch[..., 0], label)), "channels are lost"),
    (then(lambda patch, label: (patch[..., :1], label)), "has the shape (4, 2, 3, 1)"),
    (then(lambda patch, label: (patch.swapaxes(0, 2), label)), "in another order"),
    (then(lambda patch, label: (patch, label[..., None])), "another shape than the patch"),
    (then(lambda patch, label: (patch[::-1].copy(), label[::-1].copy())), "values are not those of the scan"),
    (then(lambda patch, label: (patch / 2, label)), "another corner than the patch"),
    (lambda image, label, size, rng: None, "not done yet"),
    (lambda image, label, size, rng: 1 / 0, "stopped with ZeroDivisionError"),
]


# 6.3


def by_channel(image, head):
    result = np.zeros(image.shape)
    for channel in range(image.shape[-1]):
        values = image[..., channel][head]
        if values.std() > 0:
            result[..., channel][head] = (values - values.mean()) / values.std()
    return result


def with_where(image, head):
    inside = np.where(head[..., None], image, np.nan).astype(float)
    mean, deviation = np.nanmean(inside, axis=(0, 1, 2)), np.nanstd(inside, axis=(0, 1, 2))
    return np.nan_to_num((inside - mean) / np.maximum(deviation, 1e-6))


def without_care(image, head):
    with np.errstate(all="ignore"):
        return np.where(head[..., None], (image - image[head].mean(axis=0)) / image[head].std(axis=0), 0)


def own_head(image, head):
    return volumes.standardize(image, image.max(axis=-1) > 60)


def in_place(image, head):
    image[:] = volumes.standardize(image, head)
    return image


# 6.4


def dice_by_intersection(truth, predicted):
    both = np.count_nonzero(truth) + np.count_nonzero(predicted)
    return np.nan if both == 0 else 2 * np.count_nonzero(np.logical_and(truth, predicted)) / both


def dice_by_sums(truth, predicted):
    with np.errstate(invalid="ignore"):
        return 2 * np.sum(truth * predicted) / (np.sum(truth) + np.sum(predicted))


def dice_by_counts(truth, predicted):
    tp, fp, fn = (truth & predicted).sum(), (~truth & predicted).sum(), (truth & ~predicted).sum()
    return float("nan") if tp + fp + fn == 0 else 2 * tp / (2 * tp + fp + fn)


def python_division(truth, predicted):
    return 2 * int((truth & predicted).sum()) / (int(truth.sum()) + int(predicted.sum()))


# 6.5


def loss_by_class(truth, predicted, epsilon):
    parts = []
    for k in range(truth.shape[-1]):
        t, p = truth[..., k], predicted[..., k]
        parts.append(1 - (2 * ops.sum(t * p) + epsilon) / (ops.sum(t**2) + ops.sum(p**2) + epsilon))
    return ops.mean(ops.stack(parts))


def loss_by_matrix(truth, predicted, epsilon):
    classes = truth.shape[-1]
    t, p = ops.reshape(truth, (-1, classes)), ops.reshape(predicted, (-1, classes))
    ratio = (2 * ops.sum(t * p, 0) + epsilon) / (ops.sum(t * t, 0) + ops.sum(p * p, 0) + epsilon)
    return ops.mean(1 - ratio)


def loss_by_numpy(truth, predicted, epsilon):
    return ex._soft_dice(np.array(truth), np.array(predicted), epsilon)


def loss_per_class(truth, predicted, epsilon):
    return ops.stack(
        [loss_by_class(truth[..., k : k + 1], predicted[..., k : k + 1], epsilon) for k in range(truth.shape[-1])]
    )


# 6.6, 6.8 and 6.9


def windows_by_loop(predict, image, size, step):
    total, count = 0.0, np.zeros((*image.shape[:3], 1))
    for corner in volumes.windows(image.shape[:3], size, step):
        x, y, z = (slice(start, start + length) for start, length in zip(corner, size, strict=True))
        predicted = np.zeros((*image.shape[:3], 2))
        predicted[x, y, z] = predict(image[None, x, y, z])[0]
        total, count[x, y, z] = total + predicted, count[x, y, z] + 1
    return total / count


def windows_at_once(predict, image, size, step):
    corners = volumes.windows(image.shape[:3], size, step)
    parts = [tuple(slice(c, c + s) for c, s in zip(corner, size, strict=True)) for corner in corners]
    probabilities = predict(np.stack([image[part] for part in parts]))
    total, count = np.zeros((*image.shape[:3], probabilities.shape[-1])), np.zeros(image.shape[:3])
    for part, predicted in zip(parts, probabilities, strict=True):
        total[part] += predicted
        count[part] += 1
    return total / count[..., None]


def without_batch(predict, image, size, step):
    return windows_by_loop(lambda windows: predict(windows[0])[None], image, size, step)


def cut_windows(predict, image, size, step):
    predict(image[None, -1:])


RIGHT = {
    "6.1": [volume_by_sum, volume_by_loop, lambda mask, spacing: np.sum(mask != 0) * np.prod(spacing) / 1e3],
    "6.2": [patch_by_integers, patch_by_choice, patch_with_endpoint],
    "6.3": [by_channel, with_where, lambda image, head: volumes.standardize(image, head).astype(float)],
    "6.4": [dice_by_intersection, dice_by_sums, dice_by_counts],
    "6.5": [
        loss_by_class,
        loss_by_matrix,
        lambda truth, predicted, epsilon=1e-5: loss_by_matrix(truth, predicted, epsilon),
    ],
    "6.6": [
        lambda given, made, kernel: (kernel[0] * kernel[1] * kernel[2] * given + 1) * made,
        lambda given, made, kernel: np.prod(kernel) * given * made + made,
        lambda channels_in, channels_out, kernel=(3, 3, 3): (
            keras.layers.Conv3D(channels_out, kernel, kernel_initializer="zeros").compute_output_shape(
                (1, 5, 5, 5, channels_in)
            )[-1]
            * (int(np.prod(kernel)) * channels_in + 1)
        ),
    ],
    "6.8": [windows_by_loop, windows_at_once, lambda *given: volumes.predict_volume(*given, weights="flat")],
    "6.9": [
        lambda label: {"whole tumor": label > 0, "tumor core": label >= 2, "enhancing tumor": label == 3},
        lambda label: {
            "enhancing tumor": label == 3,
            "tumor core": (label == 2) | (label == 3),
            "whole tumor": label != 0,
        },
        lambda label: {name: (label > k).astype(int) for k, name in enumerate(volumes.REGIONS)},
    ],
}
OTHERS = [
    *[("6.2", answer, said) for answer, said in PATCHES],
    ("6.1", lambda mask, spacing: "0.5", "these are texts"),
    ("6.1", lambda mask, spacing: mask * np.prod(spacing) / 1000, "add them up"),
    ("6.3", without_care, "a channel that is the same everywhere"),
    ("6.3", own_head, "take the head that is given"),
    ("6.3", in_place, "it changes `image`"),
    ("6.3", lambda image, head: volumes.standardize(image, head)[head], "has the shape (36, 4)"),
    ("6.4", python_division, "where both masks are empty"),
    ("6.4", lambda truth, predicted: 0.3, "it gives 0.3; expected was"),
    ("6.5", loss_by_numpy, "use keras.ops in place of numpy"),
    ("6.5", loss_per_class, "one number is asked for"),
    ("6.5", lambda truth, predicted, epsilon: ops.mean(ops.abs(truth - predicted)), "in one of the published cases"),
    ("6.6", lambda given, made, kernel: 7, "expected were 872"),
    ("6.8", without_batch, "the network takes a batch"),
    ("6.8", cut_windows, "the last window along each axis ends at the edge"),
    ("6.8", lambda predict, image, size, step: image, "the result has the shape"),
    ("6.9", lambda label: label > 0, "a dictionary is asked for"),
    ("6.9", lambda label: {"whole tumor": label > 0}, "the region “tumor core” is missing"),
    ("6.9", lambda label: None, "not done yet"),
]


@pytest.mark.parametrize(("number", "answer"), [(number, answer) for number, all_ in RIGHT.items() for answer in all_])
def test_right_answers_are_accepted_however_they_are_written(number, answer, capsys):
    came = BY_NUMBER[number](answer)
    assert came is answer, capsys.readouterr().out
    assert "well done" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "answer", "said"), OTHERS)
def test_other_wrong_answers_are_named(number, answer, said, capsys):
    assert BY_NUMBER[number](answer) is REFERENCES[number]
    assert said in capsys.readouterr().out


def test_the_published_figures_of_the_loss():
    wanted = {1.0: (0.4, 0.428571, 0.166667, 0.006024, 0.217298, 0.4375)}
    wanted[1e-5] = (0.5, 0.6, 0.2, 0.00709, 0.30354, 0.51428)
    for epsilon, figures in wanted.items():
        came = [float(losses.soft_dice_loss(*case, epsilon)) for case in ex.PUBLISHED]
        assert came == pytest.approx(figures, abs=2e-5)


def test_the_published_network_has_its_parameters():
    down = [(4, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]
    up = [(512 + 256, 256), (256, 256), (256 + 128, 128), (128, 128), (128 + 64, 64), (64, 64)]
    count = sum(ex.conv3d_parameters(*channels) for channels in down + up)
    assert count + ex.conv3d_parameters(64, 3, (1, 1, 1)) == 16_318_307


def test_checking_the_loss_draws_no_random_number():
    def after(something):
        keras.utils.set_random_seed(0)
        something()
        return float(keras.random.uniform((1,))[0])

    assert after(lambda: ex.check_soft_dice_loss(losses.soft_dice_loss)) == after(lambda: None)


# ---------------------------------------------------------------------------------------------------------
# 6.7


def step(function):
    """Return a step of the network from a function of layers, the number of maps and the kernel."""
    from keras import layers

    return lambda maps, count, kernel: function(layers, maps, count, kernel)


def written_with_operations(layers, maps, count, kernel):
    return ops.relu(layers.BatchNormalization()(layers.Conv3D(count, kernel, padding="same", use_bias=False)(maps)))


def written_with_a_network(layers, maps, count, kernel):
    convolution = layers.Conv3D(filters=count, kernel_size=tuple(kernel), padding="same", use_bias=False)
    return keras.Sequential([convolution, layers.BatchNormalization(momentum=0.9), layers.Activation("relu")])(maps)


@pytest.mark.parametrize("right", [written_with_operations, written_with_a_network])
def test_one_step_is_right_however_it_is_written(right, capsys):
    function = step(right)
    assert ex.check_convolve(function) is function
    assert "well done" in capsys.readouterr().out


@pytest.mark.parametrize("number", range(len(ex.convolve_mistakes())))
def test_each_mistake_in_one_step_is_named(number, capsys):
    sentence, change = list(ex.convolve_mistakes().items())[number]

    def wrong(maps, count, kernel):
        for layer in network.layers_of(ex.convolve_reference(2, count, kernel) | change)[1:]:
            maps = layer(maps)
        return maps

    assert ex.check_convolve(wrong) is ex.convolve
    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize("came", [None, "a model", "a layer"])
def test_one_step_returns_maps(came, capsys):
    def wrong(maps, count, kernel):
        made = ex.convolve(maps, count, kernel)
        return {None: None, "a model": keras.Model(maps, made), "a layer": keras.layers.ReLU()}[came]

    assert ex.check_convolve(wrong) is ex.convolve
    assert ("return the maps" if came else "it returns None") in capsys.readouterr().out
