"""A training that is killed goes on and ends the same, and its order follows from the seed alone."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from medlessons import models
from medlessons.errors import LessonError
from scripts import pretrain

TINY = pretrain.Recipe("tiny", ("lateral",), ((32, 24), (48, 16)), patients=15, batch=8, part=8)


def tiny(size, outputs):
    inputs = keras.Input((None, None, 1))
    maps = keras.layers.Rescaling(1 / 255)(inputs)
    maps = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, use_bias=False)(maps))
    pooled = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(maps)))
    return keras.Model(inputs, keras.layers.Dense(outputs, "sigmoid")(pooled))


@pytest.fixture(scope="module", autouse=True)
def builders():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(models.BUILDERS, "tiny", tiny)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a training that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    pretrain.train("orientation", TINY, folder, folder / "log", seed=3)
    return folder


def test_a_training_that_is_stopped_goes_on_and_ends_the_same(whole, tmp_path, monkeypatch):
    class Killed(BaseException):
        """Nothing tidies up after it, as after kill -9."""

    usual, count = pretrain.checkpoint, []

    def dies_after_three(folder, state, network):
        usual(folder, state, network)
        count.append(state["part"])
        if len(count) == 3:
            raise Killed

    monkeypatch.setattr(pretrain, "checkpoint", dies_after_three)
    with pytest.raises(Killed):
        pretrain.train("orientation", TINY, tmp_path, tmp_path / "log", seed=3)
    assert not (tmp_path / "orientation.npz").exists()
    pretrain.train("orientation", TINY, tmp_path, tmp_path / "log", seed=3)
    assert count == [1, 2, 3, 4, 5]
    first, second = models.unpack(whole / "orientation.npz"), models.unpack(tmp_path / "orientation.npz")
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(first, second, strict=True))
    log = [json.loads(line) for line in (tmp_path / "log" / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in log] == [8, 16, 24, 32, 40]
    assert [line["size"] for line in log] == [32, 32, 32, 48, 48]


def test_the_weights_keep_their_contract(whole):
    known = json.loads((whole / "orientation.json").read_text())
    assert known["labels"] == ["lateral"] and known["sizes"] == [32, 48] and known["pixels"] == [0, 255]


def test_a_checkpoint_of_another_training_is_refused(whole, tmp_path):
    shutil.copytree(whole / "log", tmp_path / "log")
    with pytest.raises(LessonError, match="another 'seed'"):
        pretrain.train("orientation", TINY, tmp_path, tmp_path / "log", seed=4)


def test_each_epoch_shows_every_patient_once_in_a_new_order():
    recipe = replace(TINY, patients=15)
    who = pretrain.order(recipe, 3, range(40))
    assert sorted(who[:15]) == sorted(who[15:30]) == list(range(15))
    assert list(who[:15]) != list(who[15:30])
    assert list(pretrain.order(recipe, 3, range(12, 20))) == list(who[12:20])
    assert list(pretrain.order(recipe, 4, range(15))) != list(who[:15])
    assert [(size, numbers[0], len(numbers)) for size, numbers in recipe.parts()] == [
        (32, 0, 8),
        (32, 8, 8),
        (32, 16, 8),
        (48, 24, 8),
        (48, 32, 8),
    ]


def test_a_patient_follows_from_the_number_and_the_seed_alone():
    for labels in (("lateral",), pretrain.FINDINGS.labels):
        first, present = pretrain.draw(labels, 4, 32)
        again, same = pretrain.draw(labels, 4, 32)
        assert np.array_equal(first, again) and np.array_equal(present, same) and present.shape == (len(labels),)
        assert not np.array_equal(first, pretrain.draw(labels, 4, 32, seed=1)[0])
        assert not np.array_equal(first, pretrain.draw(labels, 5, 32)[0])


def test_a_share_of_a_recipe_keeps_its_stages():
    tenth = pretrain.recipe_of("chestxray8", 0.1)
    assert tenth.stages == ((64, 6_000), (96, 3_000), (128, 6_000)) and tenth.patients == 40_000
    with pytest.raises(LessonError, match="no recipe 'chest'"):
        pretrain.recipe_of("chest")
    with pytest.raises(LessonError, match="must be above 0"):
        pretrain.recipe_of("chestxray8", 0)


def test_patients_are_drawn_once_and_those_of_another_seed_are_others(whole, monkeypatch):
    monkeypatch.setattr(pretrain, "ProcessPoolExecutor", lambda *_, **__: pytest.fail("draws again"))
    for seed in (0, 1):
        images, labels = pretrain.patients(TINY, whole, 15, seed)
        assert images.shape == (15, 48, 48) and labels.shape == (15, 1)
        first, present = pretrain.draw(TINY.labels, 3, 48, seed)
        assert np.array_equal(images[3], first) and np.array_equal(labels[3], present)
    monkeypatch.setattr(pretrain.simclinic, "VERSION", -1)
    with pytest.raises(pytest.fail.Exception, match="draws again"):
        pretrain.patients(TINY, whole, 15)


def test_images_are_varied_while_training_only_and_only_laterals_are_mirrored():
    ramp = np.tile(np.linspace(50, 200, 32, dtype=np.float32), (32, 1))[None, ..., None]
    keras.utils.set_random_seed(0)
    for labels, mirrored in ((pretrain.FINDINGS.labels, False), (pretrain.ORIENTATION, True)):
        varied = keras.Sequential(pretrain.augmentation(labels))
        assert np.array_equal(varied(ramp, training=False), ramp)
        shown = np.stack([varied(ramp, training=True)[0] for _ in range(12)])
        assert np.abs(shown[0] - shown[1]).mean() > 2 and shown.min() >= 0 and shown.max() <= 255
        likeness = [np.corrcoef(one[8:-8, 8:-8].ravel(), ramp[0, 8:-8, 8:-8].ravel())[0, 1] for one in shown]
        assert min(np.abs(likeness)) > 0.9 and (min(likeness) < 0) == mirrored


def test_a_finding_that_is_there_counts_more_and_only_it():
    loss = pretrain.weighted_loss(("Cardiomegaly", "Infiltration"))
    absent = float(loss(np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32"))[0])
    assert absent == pytest.approx(np.log(2), abs=1e-6)
    rare, often = (
        float(loss(np.array([truth], "float32"), np.zeros((1, 2), "float32"))[0]) for truth in ([1, 0], [0, 1])
    )
    assert rare > often > absent


def test_the_command_line_trains_all_backbones_and_says_what_was_reached(tmp_path, monkeypatch, capsys):
    asked = []

    def trained(name, recipe, out, checkpoints, *, seed, start, precision):
        asked.append((name, out, checkpoints.name, seed, recipe.stages[0][1]))
        return {"images": 1000, "hours": 0.5, "commit": "abc", "log": [{"auroc": {"mean": 0.9}}]}

    monkeypatch.setattr(pretrain, "train", trained)
    pretrain.main(["backbones", "--out", str(tmp_path), "--seed", "2", "--share", "0.1"])
    assert asked == [(name, tmp_path, f"{name}-2", 2, 1600) for name in ("resnet50v2", "xception", "vgg16")]
    assert "vgg16: 1,000 images, 0.50 hours, commit abc" in capsys.readouterr().out
    assert all(pretrain.RECIPES[name].builder in models.BUILDERS for name in pretrain.RECIPES)


@pytest.mark.parametrize("bits, error", [(16, 1e-3), (8, 1 / 120)])
def test_stored_kernels_are_small_and_close_and_vectors_are_exact(tmp_path, bits, error):
    rng = np.random.default_rng(0)
    kernel, vector = rng.normal(0, 1, (3, 3, 8, 4)).astype(np.float32), rng.normal(0, 1e-9, 7).astype(np.float32)
    kernel[..., 2] = 0
    pretrain.pack([kernel, vector], tmp_path / "weights.npz", bits)
    found = models.unpack(tmp_path / "weights.npz")
    assert np.abs(found[0] - kernel).max() < error * np.abs(kernel).max() and (found[0][..., 2] == 0).all()
    assert np.array_equal(found[1], vector)
    with pytest.raises(LessonError, match="Weight 1 holds NaN"):
        pretrain.pack([kernel, vector * np.nan], tmp_path / "weights.npz", bits)


@pytest.mark.parametrize("normalized", [True, False])
def test_scaled_features_leave_the_outputs_as_they_are(normalized):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((8, 8, 1))
    maps = layers.Conv2D(6, 3, activation=None if normalized else "relu", bias_initializer="ones")(inputs)
    maps = layers.ReLU()(layers.BatchNormalization(beta_initializer="ones")(maps)) if normalized else maps
    features = layers.GlobalAveragePooling2D(name="features")(maps)
    outputs = layers.Activation("sigmoid")(layers.Dense(2, name="logits")(features))
    network, images = keras.Model(inputs, [features, outputs]), np.random.default_rng(0).normal(size=(3, 8, 8, 1))
    before = network.predict(images, verbose=0)
    pretrain.scale_features(network, 0.2)
    after = network.predict(images, verbose=0)
    assert before[0].mean() > 0.1 and after[0] == pytest.approx(0.2 * before[0], abs=1e-6)
    assert after[1] == pytest.approx(before[1], abs=1e-6)
