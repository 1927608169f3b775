"""docs/KERAS3.md is true: what it calls old fails with the error that it names, and what it advises works."""

import pathlib
from importlib import import_module

import keras
import numpy as np
import pytest

TABLE = pathlib.Path(__file__).parents[1] / "docs" / "KERAS3.md"
ROWS = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]


@pytest.fixture(scope="module")
def model():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    network.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
    return network


FAILS = {
    "fit_generator": lambda model: model.fit_generator,
    "workers=2": lambda model: _fit(model, workers=2),
    "nb_epoch": lambda model: _fit(model, nb_epoch=1),
    "import ImageDataGenerator": lambda model: _from("keras.preprocessing.image", "ImageDataGenerator"),
    "Adam(lr=": lambda model: keras.optimizers.Adam(lr=0.001),
    "val_acc": lambda model: _fit(model, keras.callbacks.EarlyStopping(monitor="val_acc")),
    "best.hdf5": lambda model: keras.callbacks.ModelCheckpoint("best.hdf5"),
    "period=1": lambda model: keras.callbacks.ModelCheckpoint("best.keras", period=1),
    "predict_classes": lambda model: model.predict_classes(np.zeros((2, 4))),
    "K.sum": lambda model: keras.backend.sum,
    "K.gradients": lambda model: keras.backend.gradients,
    "input_shape=(256, 256)": lambda model: keras.Sequential([keras.layers.Conv2D(4, 2, input_shape=(256, 256))]),
    "border_mode": lambda model: keras.layers.Convolution2D(4, 3, 3, border_mode="same"),
    "layer.output_shape": lambda model: model.layers[0].output_shape,
    "keras.engine.topology": lambda model: import_module("keras.engine.topology"),
    "keras.layers.normalization": lambda model: import_module("keras.layers.normalization"),
    "np_utils": lambda model: _from("keras.utils", "np_utils"),
    "write_grads": lambda model: keras.callbacks.TensorBoard(write_grads=True),
}


def _fit(model, *callbacks, **options):
    return model.fit(np.zeros((2, 4)), np.zeros(2), callbacks=list(callbacks), verbose=0, **options)


def _from(module, name):
    exec(f"from {module} import {name}", {})


@pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`")
@pytest.mark.parametrize("old", FAILS)
def test_old_code_fails_with_the_error_of_the_table(old, model):
    (row,) = [row for row in ROWS if old in row.split(" | ")[0]]
    with pytest.raises(Exception) as caught:
        FAILS[old](model)
    assert f"`{type(caught.value).__name__}`" in row.split(" | ")[1]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_the_table_advises_works(model, tmp_path):
    images, labels = np.random.default_rng(0).random((8, 4)), np.tile([0.0, 1.0], 4)
    keras.callbacks.ModelCheckpoint("w.weights.h5", save_weights_only=True, save_freq="epoch")
    history = model.fit(((images, labels) for _ in range(2)), steps_per_epoch=2, verbose=0).history
    assert "accuracy" in history and "acc" not in history
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(images, verbose=0), model.predict(images, verbose=0))
    assert keras.Sequential([keras.Input((256, 256, 1)), keras.layers.Conv2D(4, (2, 2), padding="same")]).built
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)
    assert float(keras.ops.sum(keras.ops.log(np.ones(3)))) == 0 and keras.backend.epsilon() > 0
    assert keras.utils.to_categorical([0, 1]).shape == (2, 2)
