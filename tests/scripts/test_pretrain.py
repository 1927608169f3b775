"""A training that is killed goes on and ends the same, and its order follows from the seed alone."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from classroom.__main__ import main
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
    pretrain.train("orientation", recipe=TINY, out=folder, workers=1, checkpoints=folder / "log", seed=3)
    return folder


def test_a_training_that_is_stopped_goes_on_and_ends_the_same(whole, tmp_path, monkeypatch):
    class Killed(BaseException):
        """Nothing tidies up behind it, as after kill -9."""

    usual, count = pretrain.checkpoint, []

    def dies_after_three(folder, state, network):
        usual(folder, state, network)
        count.append(state["part"])
        if len(count) == 3:
            raise Killed

    options = {"recipe": TINY, "out": tmp_path, "workers": 1, "checkpoints": tmp_path / "log", "seed": 3}
    monkeypatch.setattr(pretrain, "checkpoint", dies_after_three)
    with pytest.raises(Killed):
        pretrain.train("orientation", **options)
    assert not (tmp_path / "orientation.npz").exists()
    pretrain.train("orientation", **options)
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
        pretrain.train("orientation", recipe=TINY, out=tmp_path, checkpoints=tmp_path / "log", seed=4)
    with pytest.raises(LessonError, match="no recipe 'chest'"):
        pretrain.train("chest")


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


def test_an_image_is_varied_by_its_number_and_stays_one():
    picture = pretrain.draw(pretrain.FINDINGS.labels, 4, 64)[0]
    shown = pretrain.vary_many(np.stack([picture] * 3), 0, range(5, 8), 32, mirror=False)
    assert shown.shape == (3, 32, 32, 1) and shown.min() >= 0 and shown.max() <= 255
    assert np.array_equal(shown[1:2], pretrain.vary_many(picture[None], 0, range(6, 7), 32, mirror=False))
    assert np.abs(shown[0] - shown[1]).mean() > 2
    small = np.asarray(Image.fromarray(picture).resize((32, 32)))
    for one in shown:  # never mirrored, never torn apart
        likeness, mirrored = (np.corrcoef(one.ravel(), other.ravel())[0, 1] for other in (small, small[:, ::-1]))
        assert likeness > 0.5 and likeness > mirrored


def test_a_finding_that_is_there_counts_more_and_only_it():
    loss = pretrain.weighted_loss(("Cardiomegaly", "Infiltration"))
    absent = float(loss(np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32"))[0])
    assert absent == pytest.approx(np.log(2), abs=1e-6)
    rare, often = (
        float(loss(np.array([truth], "float32"), np.zeros((1, 2), "float32"))[0]) for truth in ([1, 0], [0, 1])
    )
    assert rare > often > absent


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow normalizes in one operation")
def test_normalization_in_one_operation_learns_the_same():
    recipe = pretrain.Recipe("orientation", ("lateral",), ((32, 8),), patients=8, batch=8)
    rng = np.random.default_rng(0)
    pictures, present = (
        rng.uniform(0, 255, (8, 32, 32, 1)).astype("float32"),
        rng.integers(0, 2, (8, 1)).astype("float32"),
    )
    found = []
    for fuse in (pretrain._fuse_normalization, lambda network: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pretrain, "_fuse_normalization", fuse)
            keras.utils.set_random_seed(0)
            network = pretrain.learner(recipe)
        network.train_on_batch(pictures, present)
        found.append(network.get_weights())
    assert all(np.allclose(a, b, atol=2e-5) for a, b in zip(*found, strict=True))


def test_the_command_line_trains_all_backbones_and_says_what_was_reached(tmp_path, monkeypatch, capsys):
    asked = []

    def trained(name, **options):
        asked.append((name, options["out"], options["seed"], options["share"]))
        return {"images": 1000, "hours": 0.5, "commit": "abc", "log": [{"auroc": {"mean": 0.9}}]}

    monkeypatch.setattr(pretrain, "train", trained)
    assert main(["weights", "train", "backbones", "--out", str(tmp_path), "--seed", "2", "--share", "0.1"]) == 0
    assert asked == [(name, tmp_path, 2, 0.1) for name in ("resnet50v2", "xception", "vgg16")]
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
