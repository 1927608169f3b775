"""Milliliters, standardizing, patches and windows against what they must be on volumes small enough to count."""

import numpy as np
import pytest

from medlessons import volumes
from medlessons.errors import LessonError

SIZE = (4, 3, 2)


@pytest.fixture
def scan():
    """A scan whose first channel numbers its voxels, with a tumor in a corner."""
    shape = (9, 7, 5)
    number = np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
    label = np.zeros(shape, np.uint8)
    label[8, 6, 4] = 3
    return np.stack([number, number**2], axis=-1), label


def test_volume_counts_voxels_and_their_size():
    mask = np.zeros((5, 5, 5), bool)
    mask[:2, :2, 0] = True
    assert volumes.volume_ml(mask, (3.0, 3.0, 4.5)) == pytest.approx(4 * 40.5 / 1000)
    assert volumes.volume_ml(3 * mask, (1, 1, 1)) == pytest.approx(0.004)  # a label counts once, whatever its number


@pytest.mark.parametrize(
    ("spacing", "says"), [((1, 1), "three lengths"), ((1, 1, 0), "above 0"), ((1, 1, np.nan), "above 0")]
)
def test_voxels_without_a_size_are_refused(spacing, says):
    with pytest.raises(LessonError, match=says):
        volumes.volume_ml(np.ones((2, 2, 2)), spacing)


def test_regions_hold_one_another():
    label = np.array([0, 1, 2, 3])[:, None, None]
    whole, core, enhancing = volumes.regions(label).values()
    assert whole.ravel().tolist() == [False, True, True, True]
    assert core.ravel().tolist() == [False, False, True, True]
    assert enhancing.ravel().tolist() == [False, False, False, True]


def test_standardizing_takes_mean_and_deviation_of_each_channel_inside_the_head():
    image = np.random.default_rng(0).normal([100, -5], [10, 0.5], (6, 6, 6, 2)).astype(np.float32)
    image[:2] = 0
    standardized = volumes.standardize(image)
    assert standardized.dtype == np.float32 and not standardized[:2].any()
    assert np.allclose(standardized[2:].mean(axis=(0, 1, 2)), 0, atol=1e-6)
    assert np.allclose(standardized[2:].std(axis=(0, 1, 2)), 1, atol=1e-6)
    head = np.zeros((6, 6, 6), bool)
    head[3:] = True
    assert np.allclose(volumes.standardize(image, head)[head].std(axis=0), 1, atol=1e-6)


def test_a_missing_sequence_becomes_zero():
    image = np.random.default_rng(0).random((4, 4, 4, 3)) + 1
    image[..., 1] = 0
    standardized = volumes.standardize(image)
    assert np.isfinite(standardized).all() and not standardized[..., 1].any() and standardized[..., 2].any()


@pytest.mark.parametrize(
    ("image", "head", "says"),
    [
        (np.ones((4, 4, 4)), None, "channels"),
        (np.zeros((4, 4, 4, 2)), None, "No voxel is in the head"),
        (np.ones((4, 4, 4, 2)), np.ones((4, 4, 3)), "same grid"),
    ],
)
def test_standardizing_refuses(image, head, says):
    with pytest.raises(LessonError, match=says):
        volumes.standardize(image, head)


@pytest.mark.parametrize("cut", [volumes.sub_volume, volumes.tumor_sub_volume])
def test_a_patch_and_its_label_come_from_the_same_corner_and_are_copies(cut, scan):
    image, label = scan
    label[:] = image[..., 0] % 251
    patch, of_it = cut(image, label, SIZE, np.random.default_rng(0))
    assert patch.shape == (*SIZE, 2) and of_it.shape == SIZE
    assert (of_it == patch[..., 0] % 251).all()
    before = image.copy(), label.copy()
    patch[:], of_it[:] = -1, 77
    assert (image == before[0]).all() and (label == before[1]).all()


def test_every_corner_is_drawn_the_last_one_too(scan):
    rng = np.random.default_rng(0)
    firsts = {volumes.sub_volume(*scan, SIZE, rng)[0][0, 0, 0, 0] for _ in range(2000)}
    assert len(firsts) == (9 - 4 + 1) * (7 - 3 + 1) * (5 - 2 + 1)
    assert volumes.sub_volume(*scan, (9, 7, 5), rng)[0].shape == (9, 7, 5, 2)


def test_a_tumor_patch_holds_a_tumor_voxel_anywhere(scan):
    image, label = scan
    label[:] = 0
    label[4, 3, 2] = 1
    rng = np.random.default_rng(0)
    places = {tuple(np.argwhere(volumes.tumor_sub_volume(image, label, SIZE, rng)[1])[0]) for _ in range(500)}
    assert len(places) == np.prod(SIZE)
    label[:] = 0
    assert volumes.tumor_sub_volume(image, label, SIZE, rng)[0].shape == (*SIZE, 2)


def test_patches_that_do_not_fit_are_refused(scan):
    image, label = scan
    with pytest.raises(LessonError, match="does not fit"):
        volumes.sub_volume(image, label, (4, 4, 6), np.random.default_rng(0))
    with pytest.raises(LessonError, match="same grid"):
        volumes.tumor_sub_volume(image, label[1:], SIZE, np.random.default_rng(0))


@pytest.mark.parametrize("shape", [(9, 7, 5), (4, 3, 2), (5, 3, 3), (8, 6, 4)])
@pytest.mark.parametrize("step", [SIZE, (2, 2, 1), (3, 1, 2)])
def test_windows_cover_every_voxel_and_end_at_the_edge(shape, step):
    covered = np.zeros(shape, int)
    corners = volumes.windows(shape, SIZE, step)
    for corner in corners:
        assert all(c + s <= n for c, s, n in zip(corner, SIZE, shape, strict=True))
        covered[volumes._part(corner, SIZE)] += 1
    assert covered.min() >= 1 and len(set(corners)) == len(corners)


def test_steps_that_leave_voxels_out_are_refused():
    for step in ((5, 1, 1), (0, 1, 1)):
        with pytest.raises(LessonError, match="from 1 to the size of the window"):
            volumes.windows((9, 7, 5), SIZE, step)


@pytest.mark.parametrize("weights", ["gaussian", "flat"])
@pytest.mark.parametrize("shape", [(9, 7, 5), (3, 7, 1)])  # the second one is smaller than a window
def test_what_all_windows_agree_on_is_predicted(weights, shape):
    image = np.random.default_rng(0).random((*shape, 2)).astype(np.float32)
    predicted = volumes.predict_volume(lambda batch: batch**2, image, SIZE, (2, 1, 1), weights)
    assert predicted.shape == image.shape and predicted.dtype == np.float32
    assert np.allclose(predicted, image**2, rtol=1e-5)


def test_the_middle_of_a_window_counts_more_than_its_edge():
    def first_half(batch):
        predicted = np.zeros_like(batch)
        predicted[:, :4] = 1
        return predicted

    image = np.zeros((12, 1, 1, 1))
    flat = volumes.predict_volume(first_half, image, (8, 1, 1), (4, 1, 1), "flat")[:, 0, 0, 0]
    assert flat.tolist() == [1] * 4 + [0.5] * 4 + [0] * 4
    smooth = volumes.predict_volume(first_half, image, (8, 1, 1), (4, 1, 1))[:, 0, 0, 0]
    # Both windows hold voxels 4 to 7: there the second (1) takes over, the more, the nearer its middle is.
    assert smooth[4] < 0.1 and smooth[7] > 0.9 and (np.diff(smooth[4:8]) > 0).all()


def test_predictions_that_cannot_be_are_refused():
    image = np.zeros((9, 7, 5, 2))
    with pytest.raises(LessonError, match="gaussian or flat"):
        volumes.predict_volume(lambda batch: batch, image, SIZE, SIZE, "round")
    with pytest.raises(LessonError, match="The predictions have the shape"):
        volumes.predict_volume(lambda batch: batch[..., 0], image, SIZE, SIZE)
