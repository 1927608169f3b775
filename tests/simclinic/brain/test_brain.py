"""The simulated brain: gray levels as in real MRI, the same patient on every grid, and tumors that are not too easy."""

import numpy as np
import pytest
from scipy import ndimage

from simclinic.brain import (
    CHANNELS,
    EDEMA,
    ENHANCING,
    STYLES,
    TISSUES,
    TRAINING_STYLES,
    UNSEEN_STYLES,
    draw_head,
    scan,
    signal,
)
from simclinic.brain.mri import draw_times, levels
from simclinic.errors import LessonError


def gray_levels(style: str = "A", seed: int = 0) -> dict[str, np.ndarray]:
    """Return the signal of each tissue in each channel, white matter = 1."""
    times = draw_times(STYLES[style], np.random.default_rng(seed))
    return dict(zip(TISSUES, levels(STYLES[style], times, 0.7, np.ones((len(TISSUES), 2))), strict=True))


@pytest.mark.parametrize("style", TRAINING_STYLES)
@pytest.mark.parametrize("seed", range(3))
def test_tissues_are_as_bright_as_in_real_images(style, seed):
    flair, t1, t1gd, t2 = ({name: row[c] for name, row in gray_levels(style, seed).items()} for c in range(4))
    assert abs(flair["fluid"]) < 0.45 and 1.0 < flair["gray"] < 1.35
    assert flair["gray"] < flair["edema"] < 2.1 and flair["necrosis"] < 1
    assert t1["fluid"] < 0.5 and 0.65 < t1["gray"] < 0.9
    assert t1["fluid"] < t1["necrosis"] < t1["edema"] < t1["gray"] < 1
    assert t1gd["rim"] > 1.2 and t1["rim"] < 0.9
    assert t2["fluid"] > t2["necrosis"] > t2["edema"] > t2["gray"] > 1.1
    assert 1.7 < t2["edema"] < 2.6 and 2.4 < t2["fluid"] < 4.2


@pytest.mark.parametrize("times", [(9000, 128, 2250), (10000, 90, 2600)])
def test_fluid_is_dark_on_flair_with_the_times_of_real_scanners(times):
    assert abs(signal(TISSUES["fluid"], *times)) < 0.3 * signal(TISSUES["white"], *times)


@pytest.fixture(scope="module")
def with_tumor():
    """A large tumor, scanned with its truth."""
    return scan(draw_head(8, tumor="high", age=50), style="A", truth=True)


def test_a_scan_shows_the_same_orders(with_tumor):
    def level(tissue, channel):
        return np.median(with_tumor.image[with_tumor.tissues[tissue] > 0.9, CHANNELS.index(channel)])

    assert level("fluid", "FLAIR") < level("white", "FLAIR") < level("gray", "FLAIR") < level("edema", "FLAIR")
    assert level("fluid", "T1w") < level("gray", "T1w") < level("white", "T1w")
    assert level("rim", "T1gd") / level("white", "T1gd") > 1.2 * level("rim", "T1w") / level("white", "T1w")
    assert level("white", "T2w") < level("gray", "T2w") < level("edema", "T2w") < level("fluid", "T2w")


def test_shares_of_tissue_add_up(with_tumor):
    total = sum(with_tumor.tissues.values())
    assert np.allclose(total[with_tumor.brain], 1, atol=1e-6)
    assert min(part.min() for part in with_tumor.tissues.values()) > -1e-9


def test_the_brain_has_the_volumes_of_an_adult():
    for seed in range(4):
        made = scan(draw_head(seed, tumor="none", age=50), truth=True)
        ml = {name: part.sum() * 0.0405 for name, part in made.tissues.items()}
        assert 1000 < ml["white"] + ml["gray"] + ml["gliosis"] < 1500
        assert 0.5 < ml["white"] / ml["gray"] < 1.1
        assert 80 < ml["fluid"] < 450


def test_edema_spares_the_cortex_and_stops_at_fluid(with_tumor):
    edema = with_tumor.label == EDEMA
    assert edema.sum() > 200
    near = ndimage.binary_dilation(edema, iterations=2) & with_tumor.brain & (with_tumor.label == 0)
    for spared in ("fluid", "gray"):
        assert with_tumor.tissues[spared][edema].mean() < 0.4 * with_tumor.tissues[spared][near].mean()


def test_every_grid_shows_the_same_patient():
    head = draw_head(3, tumor="high")
    coarse = scan(head)
    fine = scan(head, shape=(112, 112, 64), spacing=(1.7, 1.7, 2.2))
    for label, volume in fine.volumes.items():
        assert coarse.volumes[label] == pytest.approx(volume, rel=0.2, abs=1)
    middles = []
    for made in (coarse, fine):
        voxel = np.array(ndimage.center_of_mass(made.label > 0)) - (np.array(made.label.shape) - 1) / 2
        middles.append(voxel * made.spacing)
    assert np.linalg.norm(middles[0] - middles[1]) < 2


def test_a_seed_is_a_patient():
    one, again, other = scan(draw_head(5)), scan(draw_head(5)), scan(draw_head(6))
    assert np.array_equal(one.image, again.image) and np.array_equal(one.label, again.label)
    assert not np.array_equal(one.label, other.label)


def test_images_can_be_stored_as_whole_numbers(with_tumor):
    assert with_tumor.image.dtype == np.float32 and with_tumor.label.dtype == np.uint8
    assert with_tumor.image.min() >= 0 and with_tumor.image.max() < 32767
    assert not with_tumor.image[~with_tumor.brain].any()


def test_healthy_heads_and_low_grades():
    assert not scan(draw_head(1, tumor="none")).label.any()
    low = scan(draw_head(2, tumor="low"))
    assert low.volumes[ENHANCING] == 0 and low.volumes[2] > 0
    kinds = [draw_head(seed).tumor for seed in range(60)]
    assert 1 <= sum(tumor is None for tumor in kinds) <= 14


def test_lookalikes_are_no_tumor(with_tumor):
    assert not with_tumor.lookalikes[with_tumor.label > 0].any()
    older = scan(draw_head(9, tumor="none", age=90))
    younger = scan(draw_head(9, tumor="none", age=25))
    assert (older.lookalikes == 1).sum() > (younger.lookalikes == 1).sum()


def test_some_styles_are_kept_from_training():
    assert len(UNSEEN_STYLES) >= 2 and not set(UNSEEN_STYLES) & set(TRAINING_STYLES)
    for style in UNSEEN_STYLES:
        assert scan(draw_head(1), (32, 32, 16), (6, 6, 9), style).image.any()


def test_the_head_is_kept_on_request():
    made = scan(draw_head(1), stripped=False)
    scalp = made.image[..., 1][~made.brain]
    assert np.median(made.image[made.brain, 1]) < np.percentile(scalp, 97)  # fat is bright on T1w
    assert np.array_equal(made.label, scan(draw_head(1)).label)


def test_gray_levels_of_a_voxel_alone_do_not_find_the_tumor():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.preprocessing import PolynomialFeatures

    def voxels(seed):
        made = scan(draw_head(seed), (48, 48, 24), (4, 4, 6), TRAINING_STYLES[seed % len(TRAINING_STYLES)])
        inside = made.image[made.brain]
        standard = (inside - inside.mean(0)) / inside.std(0)
        return PolynomialFeatures(2, include_bias=False).fit_transform(standard), made.label[made.brain]

    train = [voxels(seed) for seed in range(500, 508)]
    model = LinearDiscriminantAnalysis("lsqr").fit(
        np.concatenate([x for x, _ in train]), np.concatenate([y for _, y in train])
    )
    dice = []
    for x, y in (voxels(seed) for seed in range(520, 528)):
        found = model.predict(x) > 0
        if y.any():
            dice.append(2 * (found & (y > 0)).sum() / (found.sum() + (y > 0).sum()))
    assert 0.2 < np.mean(dice) < 0.65


@pytest.mark.slow
def test_the_published_grid_works():
    made = scan(draw_head(1), shape=(240, 240, 155), spacing=(1, 1, 1))
    assert made.image.shape == (240, 240, 155, 4) and made.label.any()


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: draw_head(-1),
        lambda: draw_head(1.5),
        lambda: draw_head(1, tumor="benign"),
        lambda: draw_head(1, age=12),
        lambda: scan(draw_head(1), style="Q"),
        lambda: scan(draw_head(1), shape=(64, 64)),
        lambda: scan(draw_head(1), shape=(64, 64, 4)),
        lambda: scan(draw_head(1), spacing=(3, 3, 0)),
        lambda: scan(draw_head(1), spacing=(3, 3)),
    ],
)
def test_mistakes_are_explained(mistake):
    with pytest.raises(LessonError, match=r"must|choose"):
        mistake()
