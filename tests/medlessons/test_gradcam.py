"""Grad-CAM on every way a network can be built, against maps worked out by hand."""

import keras
import numpy as np
import pytest

from medlessons import gradcam
from medlessons.errors import LessonError

layers = keras.layers


def convolutions(size=32, filters=3):
    inputs = keras.Input((size, size, 1))
    maps = layers.Conv2D(4, 3, activation="relu")(inputs)
    return keras.Model(inputs, layers.Conv2D(filters, 3, activation="relu", bias_initializer="ones")(maps), name="base")


def flat(head="sigmoid"):
    base = convolutions()
    return keras.Model(base.input, layers.Dense(5, head)(layers.GlobalAveragePooling2D()(base.output)))


def nested(head="sigmoid"):
    inputs = keras.Input((32, 32, 1))
    pooled = layers.AveragePooling2D(2)(convolutions()(layers.Rescaling(1 / 2)(inputs)))
    logits = layers.Dense(5)(layers.Dropout(0.2)(layers.Flatten()(pooled)))
    return keras.Model(inputs, layers.Activation(head)(logits))


def sequential(head="sigmoid"):
    return keras.Sequential(
        [keras.Input((32, 32, 1)), convolutions(), layers.GlobalAveragePooling2D(), layers.Dense(5, head)]
    )


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(0, 1, (3, 32, 32, 1)).astype(np.float32)


@pytest.mark.parametrize("head", ["sigmoid", "softmax", "linear"])
@pytest.mark.parametrize("make", [flat, nested, sequential])
def test_the_two_parts_give_what_the_network_gives(make, head, images, tmp_path):
    keras.utils.set_random_seed(1)
    network = make(head)
    network.save(tmp_path / "network.keras")
    for one in (network, keras.saving.load_model(tmp_path / "network.keras")):
        features, classifier = gradcam.cut(one)
        finish = {"sigmoid": keras.ops.sigmoid, "softmax": keras.ops.softmax, "linear": lambda x: x}[head]
        whole, parts = np.array(one(images)), np.array(finish(classifier(features(images))))
        assert features.output_shape[1:] == (28, 28, 3)
        assert whole == pytest.approx(parts, abs=1e-5)
        heat = gradcam.grad_cam(one, images)
        assert heat.shape == (3, 5, 28, 28) and (heat >= 0).all() and np.isfinite(heat).all() and heat.any()


def test_before_an_average_it_is_the_class_activation_map(images):
    network = flat()
    features, _ = gradcam.cut(network)
    kernel = network.layers[-1].get_weights()[0]
    by_hand = np.maximum(np.einsum("ihwk,kc->ichw", np.array(features(images)), kernel), 0) / (28 * 28)
    assert gradcam.grad_cam(network, images) == pytest.approx(by_hand, abs=1e-6)
    assert gradcam.grad_cam(network, images, classes=[3])[:, 0] == pytest.approx(by_hand[:, 3], abs=1e-6)


def test_a_saturated_sigmoid_does_not_dim_the_map(images):
    network = flat()
    before = gradcam.grad_cam(network, images)
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([kernel, bias + 100])
    assert np.array(network(images)).min() == 1
    assert gradcam.grad_cam(network, images) == pytest.approx(before, abs=1e-7)


def test_a_deep_network_is_traced_once_and_follows_its_weights(images, monkeypatch):
    network = flat()
    usual = gradcam.grad_cam(network, images)
    monkeypatch.setattr(gradcam.models, "DEEP", 1)
    assert gradcam.grad_cam(network, images) == pytest.approx(usual, abs=1e-6)
    traced = network.traced_features
    weights = network.get_weights()
    network.set_weights([2 * weights[0], *weights[1:]])
    changed = gradcam.grad_cam(network, images)
    assert network.traced_features is traced and traced.experimental_get_tracing_count() == 1
    monkeypatch.undo()
    assert changed == pytest.approx(gradcam.grad_cam(network, images), abs=1e-6)
    assert changed != pytest.approx(usual, abs=1e-3)


def test_all_classes_take_one_forward_pass_a_batch(images, monkeypatch):
    network, seen, usual = flat(), [], gradcam.cut
    at_once = gradcam.grad_cam(network, images)

    def counted(network):
        features, classifier = usual(network)

        class Counting:
            def __call__(self, batch, training):
                seen.append(len(batch))
                return features(batch, training=training)

        return Counting(), classifier

    monkeypatch.setattr(gradcam, "cut", counted)
    monkeypatch.setattr(gradcam, "BATCH", 2)
    assert gradcam.grad_cam(network, images) == pytest.approx(at_once, abs=1e-6)
    assert seen == [2, 1]


@pytest.mark.parametrize(
    "name, maps", [("DenseNet121", 1024), ("Xception", 2048), ("ResNet50V2", 2048), ("VGG16", 512)]
)
def test_the_backbones_of_the_lessons(name, maps):
    base = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(72, 72, 3))
    network = keras.Sequential([keras.Input((72, 72, 3)), base, layers.Flatten(), layers.Dense(3, "softmax")])
    features, _ = gradcam.cut(network)
    assert features.output_shape[-1] == maps and features.output_shape[1] > 1
    heat = gradcam.grad_cam(network, np.random.default_rng(0).normal(0, 1, (1, 72, 72, 3)).astype(np.float32))
    assert heat.shape == (1, 3, *features.output_shape[1:3]) and np.isfinite(heat).all()


def test_what_cannot_give_a_map_is_named(images):
    dense = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(LessonError, match="convolutional"):
        gradcam.cut(dense)
    for wrong in (5, -1):
        with pytest.raises(LessonError, match=f"no class {wrong}"):
            gradcam.grad_cam(flat(), images, classes=[4, wrong])
    base = convolutions()
    for odd in (keras.Model(base.input, [base.output] * 2), keras.Sequential([layers.Conv2D(2, 3)])):
        with pytest.raises(LessonError, match="one input and one output"):
            gradcam.cut(odd)
    with pytest.raises(LessonError, match="shape"):
        gradcam.grad_cam(flat(), images[0])
    dead = flat()
    dead.layers[-1].set_weights([weight * 0 for weight in dead.layers[-1].get_weights()])
    with pytest.raises(LessonError, match="every gradient is 0"):
        gradcam.grad_cam(dead, images)
    broken = flat()
    broken.layers[-1].set_weights([weight * np.nan for weight in broken.layers[-1].get_weights()])
    with pytest.raises(LessonError, match="NaN"):
        gradcam.grad_cam(broken, images)


def by_parts(logits):
    """Return a softmax that somebody wrote out."""
    powers = keras.ops.exp(logits - keras.ops.max(logits, axis=1, keepdims=True))
    return powers / keras.ops.sum(powers, axis=1, keepdims=True)


SQUASHED = {
    "layer": layers.Softmax(),
    "activation object": layers.Dense(5, activation=layers.Softmax()),
    "activation of one's own": layers.Dense(5, activation=lambda x: keras.ops.softmax(x)),
    "sigmoid operation": keras.ops.sigmoid,
    "softmax operation": keras.ops.softmax,
    "written out": by_parts,
    "logarithm": keras.ops.log_softmax,
    "lambda": layers.Lambda(lambda x: keras.ops.sigmoid(x)),
    "and what changes nothing": keras.Sequential([layers.Softmax(), layers.Activation("linear"), layers.Reshape((5,))]),
}


@pytest.mark.parametrize("end", SQUASHED.values(), ids=SQUASHED)
def test_a_sigmoid_or_softmax_is_cut_however_it_is_written(end, images):
    """Where the network is sure, its gradient is gone: the map is that of the logits."""
    base = convolutions()
    pooled = layers.GlobalAveragePooling2D()(base.output)
    is_dense = isinstance(end, layers.Dense)
    network = keras.Model(base.input, end(pooled if is_dense else layers.Dense(5)(pooled)))
    dense = next(layer for layer in network.layers if isinstance(layer, layers.Dense))
    kernel = np.random.default_rng(0).normal(0, 1, (3, 5)).astype(np.float32)
    dense.set_weights([kernel, 50 * np.eye(5, dtype=np.float32)[0]])
    features, _ = gradcam.cut(network)
    by_hand = np.maximum(np.einsum("ihwk,kc->ichw", np.array(features(images)), kernel), 0) / (28 * 28)
    assert gradcam.grad_cam(network, images) == pytest.approx(by_hand, abs=1e-6)


def test_a_relu_or_tanh_at_the_end_stays(images):
    for name in ("relu", "tanh"):
        network = flat(name)
        features, classifier = gradcam.cut(network)
        assert np.array(classifier(features(images))) == pytest.approx(np.array(network(images)), abs=1e-6)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.base = flat()

    def call(self, x):
        return self.base(x)


def ending(*end, size=32):
    return keras.Sequential([keras.Input((size, size, 1)), convolutions(size), *end])


def of_two_depths():
    base = convolutions()
    pooled = [layers.GlobalAveragePooling2D()(layer.output) for layer in base.layers[1:]]
    return keras.Model(base.input, layers.Dense(2)(layers.Concatenate()(pooled)))


WITHOUT_MAPS = {
    "pooling keeps its axes": (
        ending(layers.GlobalAveragePooling2D(keepdims=True), layers.ReLU(), layers.Flatten()),
        "1 x 1",
    ),
    "the image is too small": (ending(layers.Flatten(), size=5), "1 x 1"),
    "convolved to a point": (ending(layers.Conv2D(2, 28), layers.Flatten()), "1 x 1"),
    "segmentation": (ending(layers.Conv2D(2, 1, activation="softmax")), "output of shape"),
    "1 x 1 scores": (ending(layers.GlobalAveragePooling2D(keepdims=True)), "output of shape"),
    "steps in time": (ending(layers.Reshape((28, 84)), layers.Dense(2)), "output of shape"),
    "subclass": (Subclassed(), "subclass"),
    "two depths": (of_two_depths(), "more than its last maps"),
}


@pytest.mark.parametrize(("network", "says"), WITHOUT_MAPS.values(), ids=WITHOUT_MAPS)
def test_a_network_without_a_map_is_told_why(network, says, images):
    size = 5 if network.name != "subclassed" and network.input_shape[1] == 5 else 32
    network(images[:, :size, :size])
    with pytest.raises(LessonError, match=says):
        gradcam.grad_cam(network, images[:, :size, :size])


@pytest.mark.parametrize("shape", [(2, 16, 16, 1), (2, 32, 32, 3), (2, 32, 31, 1)])
def test_images_of_another_shape_are_named(shape):
    with pytest.raises(LessonError, match="wants images of shape"):
        gradcam.grad_cam(flat(), np.zeros(shape))


def test_layers_may_be_called_by_keyword(images):
    inputs = keras.Input((32, 32, 1))
    maps = layers.Conv2D(3, 3)(inputs=inputs)
    scores = layers.Dense(2, "softmax")(inputs=layers.GlobalMaxPooling2D()(inputs=maps))
    assert gradcam.grad_cam(keras.Model(inputs, scores), images).shape == (3, 2, 30, 30)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 2), (1, 0), (1, 1), (2, 2)])
def test_a_cell_at_the_border_is_hit_at_its_center(row, column):
    heat, center = np.zeros((3, 3)), np.zeros((30, 30), bool)
    heat[row, column], center[10 * row + 5, 10 * column + 5] = 1, True
    assert gradcam.pointing_game(heat, center) == 1
    assert gradcam.pointing_game(heat, ~center) == 0


def test_a_map_that_is_the_same_everywhere_hits_in_the_share_of_its_cells():
    left = np.zeros((30, 30), bool)
    left[:, :10] = True
    assert gradcam.pointing_game(np.ones((3, 3)), left) == pytest.approx(1 / 3)


def test_pointing_game_and_energy():
    heat, mask = np.zeros((4, 4)), np.zeros((16, 16), bool)
    heat[1, 2], mask[4:8, 8:12] = 2, True
    assert gradcam.pointing_game(heat, mask) == 1 and gradcam.energy_inside(heat, mask) > 0.4
    assert gradcam.pointing_game(heat, ~mask) == 0
    assert gradcam.energy_inside(heat, mask) + gradcam.energy_inside(heat, ~mask) == pytest.approx(1)
    assert gradcam.energy_inside(np.ones((4, 4)) / 1000, mask) == pytest.approx(1 / 16)
    assert gradcam.pointing_game(heat * 0, mask) == 0 and gradcam.energy_inside(heat * 0, mask) == 0
    with pytest.raises(LessonError, match="0 pixels"):
        gradcam.pointing_game(heat, mask & False)
    with pytest.raises(LessonError, match=r"shapes are \(4, 4, 1\) and \(16, 16\)"):
        gradcam.pointing_game(heat[..., None], mask)
