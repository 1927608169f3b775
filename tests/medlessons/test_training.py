"""Training repeats itself, and the quick way trains as the usual way does."""

import random

import keras
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from medlessons import training
from medlessons.errors import LessonError


@pytest.fixture(autouse=True)
def single_precision_again():
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def network():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2, "softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model


@pytest.fixture
def rows():
    features = np.random.default_rng(0).normal(size=(70, 3))
    return features, np.eye(2)[(features.sum(axis=1) > 0).astype(int)]


def trained(rows, epochs, seed=0):
    keras.layers.Dense(1)  # from here on Keras remembers a policy
    training.reproducible(seed=3)
    model = network()
    before = model.evaluate(*rows, verbose=0)
    training.fit_quickly(model, *rows, epochs=epochs, batch_size=16, seed=seed)
    return model, before


def test_the_same_seed_gives_the_same_weights_in_64_bits(rows):
    first, second = trained(rows, 3)[0].get_weights(), trained(rows, 3)[0].get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert first[0].dtype == np.float64
    assert not np.array_equal(first[0], trained(rows, 3, seed=1)[0].get_weights()[0])  # the order of the rows differs


def test_linear_algebra_gets_one_thread():
    training.reproducible()
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert pools and all(pool["num_threads"] == 1 for pool in pools)


def test_the_quick_way_takes_every_step(rows):
    model, before = trained(rows, epochs=20)
    assert int(model.optimizer.iterations.numpy()) == 20 * 4
    assert model.evaluate(*rows, verbose=0) < before


def test_the_quick_way_trains_in_training_mode(rows):
    layer = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2, "softmax")])
    model.compile("adam", "categorical_crossentropy")
    training.fit_quickly(model, *rows, epochs=1, batch_size=16)
    assert np.abs(layer.moving_mean.numpy()).max() > 0  # in inference mode it would stay 0


def test_the_quick_way_stops_after_each_epoch_to_look(rows):
    training.reproducible(seed=3)
    model, losses = network(), []
    training.fit_quickly(
        model, *rows, epochs=20, batch_size=16, after_epoch=lambda: losses.append(model.evaluate(*rows, verbose=0))
    )
    assert len(losses) == 20 and losses[-1] < losses[0]


def test_a_network_trains_the_same_whether_or_not_its_design_was_trained_before(rows):
    training.WORKERS.clear()
    first, then = trained(rows, 3)[0].get_weights(), random.random()
    again, later = trained(rows, 3)[0].get_weights(), random.random()
    assert len(training.WORKERS) == 1 and then == later
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_training_goes_on_where_fit_ended(rows):
    training.reproducible(seed=3)
    model = network()
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    loss = model.fit(*rows, epochs=5, batch_size=14, verbose=0).history["loss"][-1]
    training.fit_quickly(model, *rows, epochs=20, batch_size=16)
    assert int(model.optimizer.iterations.numpy()) == 5 * 5 + 20 * 4
    assert model.evaluate(*rows, verbose=0)[0] < loss


def test_networks_with_code_of_their_own_share_nothing(rows):
    def fitted(factor):
        def scaled(truth, predicted):
            return factor * keras.losses.mean_squared_error(truth, predicted)

        keras.utils.set_random_seed(0)
        model = network()
        model.compile(keras.optimizers.SGD(), scaled)
        training.fit_quickly(model, *rows, epochs=1, batch_size=16)
        return model.get_weights()[0]

    training.WORKERS.clear()
    assert not np.array_equal(fitted(1.0), fitted(2.0)) and not training.WORKERS


def test_another_learning_rate_is_another_design(rows):
    def fitted(rate):
        keras.utils.set_random_seed(0)
        model = network()
        model.compile(keras.optimizers.SGD(rate), "categorical_crossentropy")
        training.fit_quickly(model, *rows, epochs=1, batch_size=16)
        return model.get_weights()[0]

    assert not np.array_equal(fitted(0.1), fitted(0.2))


def test_too_few_rows_are_named(rows):
    with pytest.raises(LessonError, match="70 rows do not fill one batch of 71"):
        training.fit_quickly(network(), *rows, epochs=1, batch_size=71)


def test_a_head_on_stored_features_learns_the_same_as_behind_the_frozen_base(rows, capsys):
    training.reproducible(seed=0)
    base = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization()])
    base.trainable = False
    found = training.extract_features(base, rows[0], batch_size=16)
    assert found.shape == (70, 8) and found.dtype == np.float32
    assert capsys.readouterr().err == "", "a bar for a few images would be noise"
    training.extract_features(base, np.tile(rows[0], (2, 1)), batch_size=32)
    assert "features: 100%" in (bar := capsys.readouterr().err) and "5/5" in bar
    histories = []
    for before, inputs in ((base, rows[0]), (keras.layers.Identity(), found)):
        keras.utils.set_random_seed(1)
        head = keras.layers.Dense(2, "softmax")
        shape = keras.Input(inputs.shape[1:])
        model = keras.Model(shape, head(before(shape)))
        model.compile("adam", "categorical_crossentropy")
        histories.append(model.fit(inputs, rows[1], epochs=4, batch_size=16, shuffle=False, verbose=0).history["loss"])
    assert histories[0] == pytest.approx(histories[1], abs=1e-6)
    assert histories[0][-1] < histories[0][0]


def test_features_that_are_no_numbers_are_named(rows):
    base = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(LessonError, match="empty"):
        training.extract_features(base, rows[0][:0])
    with pytest.raises(LessonError, match="NaN"):
        training.extract_features(base, np.full((2, 3), np.nan))


def test_progress_is_one_bar_on_stderr(rows, capsys):
    training.reproducible()
    network().fit(*rows, epochs=2, verbose=0, callbacks=[training.Progress("tiny")])
    printed = capsys.readouterr()
    assert "tiny: 100%" in printed.err
    assert printed.out == ""
