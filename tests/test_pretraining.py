"""A training that is killed goes on and ends the same, and its order follows from the seed alone."""

import json
import shutil

import keras
import numpy as np
import pytest

from medlessons import models, pretraining
from medlessons.errors import LessonError

TINY = pretraining.Recipe("tiny", ("lateral",), ((32, 24), (48, 16)), batch=8, part=8, rate=1e-3)


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
    pretraining.train("orientation", recipe=TINY, out=folder, workers=1, checkpoints=folder / "log", seed=3)
    return folder


def test_a_training_that_is_stopped_goes_on_and_ends_the_same(whole, tmp_path, monkeypatch):
    class Killed(BaseException):
        """Nothing tidies up behind it, as after kill -9."""

    usual, count = pretraining.checkpoint, []

    def dies_after_three(folder, state, network):
        usual(folder, state, network)
        count.append(state["part"])
        if len(count) == 3:
            raise Killed

    options = {"recipe": TINY, "out": tmp_path, "workers": 1, "checkpoints": tmp_path / "log", "seed": 3}
    monkeypatch.setattr(pretraining, "checkpoint", dies_after_three)
    with pytest.raises(Killed):
        pretraining.train("orientation", **options)
    assert not (tmp_path / "orientation.npz").exists()
    pretraining.train("orientation", **options)
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
        pretraining.train("orientation", recipe=TINY, out=tmp_path, checkpoints=tmp_path / "log", seed=4)
    with pytest.raises(LessonError, match="no recipe 'chest'"):
        pretraining.train("chest")


def test_patients_follow_from_seed_part_and_number_alone():
    for labels in (("lateral",), pretraining.FINDINGS.labels):
        first, present = pretraining.draw_many(labels, 1, 2, range(3, 6), 32)
        again = pretraining.draw_many(labels, 1, 2, range(4, 5), 32)
        assert np.array_equal(first[1], again[0][0]) and np.array_equal(present[1], again[1][0])
        assert not np.array_equal(first[1], pretraining.draw_many(labels, 1, 3, range(4, 5), 32)[0][0])
        assert first.shape == (3, 32, 32, 1) and present.shape == (3, len(labels))


def test_a_finding_that_is_there_counts_more_and_only_it():
    loss = pretraining.weighted_loss(("Cardiomegaly", "Infiltration"))
    absent = float(loss(np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32"))[0])
    assert absent == pytest.approx(np.log(2), abs=1e-6)
    rare, often = (
        float(loss(np.array([truth], "float32"), np.zeros((1, 2), "float32"))[0]) for truth in ([1, 0], [0, 1])
    )
    assert rare > often > absent


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow normalizes in one operation")
def test_normalization_in_one_operation_learns_the_same():
    recipe = pretraining.Recipe("orientation", ("lateral",), ((32, 8),), batch=8, part=8)
    pictures, present = pretraining.draw_many(("lateral",), 0, 0, range(8), 32)
    found = []
    for fuse in (pretraining._fuse_normalization, lambda network: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pretraining, "_fuse_normalization", fuse)
            keras.utils.set_random_seed(0)
            network = pretraining.learner(recipe)
        network.train_on_batch(pictures, present)
        found.append(network.get_weights())
    assert all(np.allclose(a, b, atol=2e-5) for a, b in zip(*found, strict=True))
