"""Weights are loaded whole or not at all, and their contract is kept."""

import json

import keras
import numpy as np
import pytest

from medlessons import evaluation, gradcam, models, settings, training
from medlessons.errors import LessonError
from scripts import pretrain
from simclinic import clinic, thorax

LABELS = ("Mass", "Nodule", "Edema")


def tiny(size, outputs):
    inputs = keras.Input((None, None, 1))
    maps = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(inputs)))
    pooled = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(maps))
    return keras.Model(inputs, keras.layers.Dense(outputs, "sigmoid")(pooled))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "models_dir", lambda: tmp_path)
    monkeypatch.setitem(models.BUILDERS, "tiny", tiny)
    return tmp_path


@pytest.fixture
def network(folder):
    keras.utils.set_random_seed(0)
    network = tiny(32, 3)
    pretrain.save(network, "tiny", folder, builder="tiny", labels=LABELS, sizes=(32, 40))
    return network


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 1)).astype(np.uint8)


def test_what_was_saved_loads_and_predicts_the_same_for_every_output(network, images):
    assert models.status() == {"tiny": None}
    chances = models.probabilities(models.load("tiny", LABELS), images, batch_size=2)
    assert chances.shape == (5, 3)
    assert chances == pytest.approx(network.predict(images.astype(np.float32), verbose=0), abs=1e-3)


def test_it_runs_in_32_bits_whatever_the_default_is(network, images):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        loaded = models.load("tiny")
        assert models.probabilities(loaded, images).dtype == np.float32
        assert {weight.dtype for weight in loaded.weights} == {"float32"}
        assert keras.config.floatx() == "float64" and keras.config.dtype_policy().name == "float64"
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


def test_missing_damaged_and_unknown_weights_are_named(network, folder):
    with pytest.raises(LessonError, match=r"no network 'large' .*there are: tiny.*git checkout"):
        models.load("large")
    path = folder / "tiny.npz"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(LessonError, match=r"damaged.*git checkout"):
        models.load("tiny")
    path.unlink()
    with pytest.raises(LessonError, match=r"not there.*git checkout"):
        models.load("tiny")
    assert models.status() == {"tiny": "the weights are not there. Get it back with `git checkout -- models`."}
    (folder / "tiny.json").unlink()
    with pytest.raises(LessonError, match="no contract is there"):
        models.status()


def test_a_contract_that_cannot_be_kept_is_named(network, folder):
    path = folder / "tiny.json"
    known = json.loads(path.read_text())
    for changed, word in (({"builder": "huge"}, "unknown builder"), ({"labels": ["Mass"]}, "do not fit")):
        path.write_text(json.dumps({**known, **changed}))
        with pytest.raises(LessonError, match=word):
            models.load("tiny")
    path.write_text(json.dumps({key: known[key] for key in known if key != "pixels"}))
    with pytest.raises(LessonError, match="lacks 'pixels'"):
        models.load("tiny")
    path.write_text("{")
    with pytest.raises(LessonError, match="cannot be read"):
        models.load("tiny")


def test_labels_in_another_order_are_refused(network):
    with pytest.raises(LessonError, match="another order: number 0 is 'Mass', not 'Nodule'"):
        models.load("tiny", ["Nodule", "Mass", "Edema"])
    with pytest.raises(LessonError, match="are Mass, Nodule, Edema; Hernia were expected"):
        models.load("tiny", ["Hernia"])
    with pytest.raises(LessonError, match="3 outputs, but there are 2"):
        pretrain.save(network, "two", settings.models_dir(), builder="tiny", labels=LABELS[:2], sizes=(32,))


def test_images_that_were_scaled_are_refused(network, images):
    loaded = models.load("tiny")
    for wrong in (images / 255, (images - 100.0) / 50, images * 300.0):
        with pytest.raises(LessonError, match="0 to 255"):
            models.probabilities(loaded, wrong)
    with pytest.raises(LessonError, match=r"wants \(images, height, width, 1\)"):
        models.probabilities(loaded, np.repeat(images, 3, axis=-1))
    with pytest.raises(LessonError, match="empty"):
        models.probabilities(loaded, images[:0])
    assert models.probabilities(network, images / 255).shape == (5, 3)  # one's own network has no contract


def at_size(height, width):
    return np.random.default_rng(0).integers(0, 256, (2, height, width, 1)).astype(np.uint8)


@pytest.mark.parametrize("height, width", [(64, 64), (32, 48), (320, 320)])
def test_images_of_another_size_than_the_contract_s_are_warned_of(network, height, width):
    loaded, images = models.load("tiny"), at_size(height, width)
    with pytest.warns(UserWarning, match=rf"{height} x {width} pixels.*32 x 32 and 40 x 40.*size=40") as warned:
        models.probabilities(loaded, images)
    assert warned[0].filename == __file__  # where the student's line is


def test_sizes_of_the_contract_pass_without_a_word(network, recwarn):
    loaded = models.load("tiny")
    for size in (32, 40):
        models.probabilities(loaded, at_size(size, size))
    models.probabilities(network, at_size(64, 64))  # one's own network has no contract
    assert not recwarn.list
    assert models.image_size("tiny") == 40


def test_features_maps_and_backbones_of_another_size_are_warned_of(chestxray8):
    images = at_size(64, 64)
    says = r"64 x 64 pixels.*trained with images of 128 x 128.*size=128"
    with pytest.warns(UserWarning, match=says):
        training.extract_features(models.feature_extractor(chestxray8), images)
    with pytest.warns(UserWarning, match=says):
        gradcam.grad_cam(chestxray8, images, classes=[0])
    with pytest.warns(UserWarning, match="237 x 237 pixels.*64 x 64 and 96 x 96"):
        models.backbone("vgg16", 237)


def test_a_network_that_cannot_compute_with_another_size_refuses_it():
    with pytest.raises(LessonError, match=r"48 x 48 pixels.*trained with images of 96 x 96"):
        models.probabilities(models.load("orientation"), at_size(48, 48))


@pytest.fixture(scope="module")
def chestxray8():
    return models.load("chestxray8", thorax.FINDINGS)


def test_random_weights_follow_their_seed_and_are_not_the_trained_ones(network):
    first, again, other = (models.with_random_weights("tiny", seed).get_weights()[0] for seed in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(first, models.load("tiny").get_weights()[0])


def test_kernels_are_drawn_anew_and_nothing_else(network):
    untrained = models.with_random_weights("tiny", seed=3)
    before = {weight.path: np.array(weight) for weight in untrained.weights}
    drawn = []
    for seed in (5, 5, 6):
        models.draw_kernels(untrained, seed)
        drawn.append({weight.path: np.array(weight) for weight in untrained.weights})
    first, again, other = drawn
    for path, weight in before.items():
        assert np.array_equal(first[path], again[path])
        assert np.array_equal(weight, other[path]) is not path.endswith("/kernel")
        assert np.array_equal(first[path], other[path]) is not path.endswith("/kernel")


def test_the_network_for_findings_and_its_parts(chestxray8):
    assert chestxray8.count_params() == 7_037_504 + 1025 * 14
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)
    whole = np.array(chestxray8(images))
    assert np.array(chestxray8(images / 2 + 20)) == pytest.approx(whole, abs=1e-3)  # each is standardized by itself
    standardized = (images - images.mean((1, 2, 3), keepdims=True)) / images.std((1, 2, 3), keepdims=True)
    assert np.array(models.without_standardization(chestxray8)(standardized)) == pytest.approx(whole, abs=1e-3)
    features = np.array(models.feature_extractor(chestxray8)(images))
    kernel, bias = chestxray8.get_layer("logits").get_weights()
    assert features.shape == (2, 1024)
    assert 1 / (1 + np.exp(-(features @ kernel + bias))) == pytest.approx(whole, abs=1e-5)


def test_the_shipped_weights_are_whole():
    assert all(fault is None for fault in models.status().values())
    network = models.load("orientation", ["lateral"])
    assert network.input_shape[1:] == (96, 96, 1) and network.output_shape == (None, 1)


def test_the_shipped_findings_are_told_by_the_right_outputs(chestxray8):
    """An order that slipped, or the wrong scale, would show: each of these findings is told by its own output best."""
    told = ("Cardiomegaly", "Effusion", "Emphysema", "Edema")
    rng, films, truth = np.random.default_rng(0), [], []
    for number in range(48):
        findings = [thorax.Finding(told[number % 4], 0.8, seed=number)] if number % 8 < 4 else []
        patient, style = thorax.draw_patient(number), thorax.draw_style(rng)
        films.append(thorax.radiograph(patient, "PA", 128, findings=findings, style=style).image)
        truth.append(clinic.labels(findings))
    scores, truth = models.probabilities(chestxray8, np.stack(films)[..., np.newaxis]), np.array(truth)
    for name in told:
        place = thorax.FINDINGS.index(name)
        assert evaluation.auroc(truth[:, place], scores[:, place]) > 0.75, name


# --- backbones of lesson 4


@pytest.fixture
def shipped(folder, monkeypatch):
    """Put weights of a small stand-in for VGG16 into the folder."""

    def stand_in(include_top, weights, input_shape=None, input_tensor=None, name=None):
        if weights == "imagenet":
            raise Exception("URL fetch failure on https://storage")  # what Keras raises without a network
        inputs = keras.Input(input_shape) if input_tensor is None else input_tensor
        maps = keras.layers.Conv2D(4, 3, strides=4, activation="relu")(inputs)
        maps = keras.layers.BatchNormalization()(maps)
        return keras.Model(keras.utils.get_source_inputs(inputs), maps, name=name)

    monkeypatch.setattr(keras.applications, "VGG16", stand_in)
    keras.utils.set_random_seed(3)
    network = models.BUILDERS["vgg16"](32, 3)
    pretrain.save(network, "vgg16", folder, builder="vgg16", labels=LABELS, sizes=(32,), bits=8)
    return models.load("vgg16")


def test_a_shipped_backbone_gives_the_maps_of_the_whole_network(shipped, images):
    base = models.backbone("vgg16", 32)
    ready = np.repeat(images.astype(np.float32), 3, axis=-1) - np.array([103.939, 116.779, 123.68], np.float32)
    features = models.feature_extractor(shipped).predict(images.astype(np.float32), verbose=0)
    assert base.predict(ready, verbose=0).mean(axis=(1, 2)) == pytest.approx(features, abs=1e-3)
    assert base.input_shape == (None, 32, 32, 3)


def test_random_backbones_follow_their_seed_and_are_not_the_shipped_one(shipped):
    kernels = [models.backbone("vgg16", 32, "random", seed).get_weights()[0] for seed in (0, 0, 1)]
    assert np.array_equal(kernels[0], kernels[1]) and not np.array_equal(kernels[0], kernels[2])
    assert not np.array_equal(kernels[0], models.backbone("vgg16", 32).get_weights()[0])


@pytest.mark.parametrize("name, weights", [("vgg19", "shipped"), ("vgg16", "own")])
def test_an_unknown_backbone_names_those_that_there_are(name, weights):
    with pytest.raises(LessonError, match="choose one of xception, resnet50v2, vgg16"):
        models.backbone(name, 32, weights)


def test_without_a_network_imagenet_is_an_error_that_says_what_to_do(shipped, monkeypatch, capsys):
    with pytest.raises(LessonError, match=r"URL fetch failure.*MEDLESSONS_WEIGHTS=shipped"):
        models.backbone("vgg16", 32, "imagenet")
    monkeypatch.setenv("MEDLESSONS_SOURCE", "real")
    assert models.backbone_weights() == "shipped"
    assert "cannot be had" in capsys.readouterr().out
    monkeypatch.setenv("MEDLESSONS_WEIGHTS", "imagenet")
    with pytest.raises(LessonError, match="weights of ImageNet cannot be had"):
        models.backbone_weights()


@pytest.mark.parametrize("missing", ["xception", "resnet50v2", "vgg16"])
def test_the_weights_of_each_backbone_are_looked_for_at_once(monkeypatch, capsys, missing):
    def backbone(name, size, weights):
        if name == missing:
            raise LessonError(f"{name}: cannot be had.")

    monkeypatch.setattr(models, "backbone", backbone)
    monkeypatch.setenv("MEDLESSONS_SOURCE", "real")
    assert models.backbone_weights() == "shipped"
    assert f"{missing}: cannot be had. The shipped weights are taken, for all" in capsys.readouterr().out
    monkeypatch.setattr(models, "backbone", lambda *arguments: None)
    assert models.backbone_weights() == "imagenet"


@pytest.mark.parametrize(
    "source, given, kind",
    [
        ("embedded", "", "shipped"),
        ("embedded", "shipped", "shipped"),
        ("real", "shipped", "shipped"),
    ],
)
def test_the_environment_chooses_the_weights(monkeypatch, source, given, kind):
    monkeypatch.setattr(models, "backbone", lambda *arguments: pytest.fail("nothing must be downloaded"))
    monkeypatch.setenv("MEDLESSONS_SOURCE", source)
    monkeypatch.setenv("MEDLESSONS_WEIGHTS", given)
    assert models.backbone_weights() == kind


def test_missing_weights_of_a_backbone_are_an_error(folder):
    with pytest.raises(LessonError, match=r"resnet50v2\.npz: the weights are not there\. Get it back"):
        models.backbone("resnet50v2", 32)


def test_a_deep_network_that_was_compiled_once_is_used_again(network, images, monkeypatch):
    loaded = models.load("tiny")
    plain = models.probabilities(loaded, images)
    assert not hasattr(loaded, "traced")
    monkeypatch.setattr(models, "DEEP", 1)
    monkeypatch.setattr(models, "WORTH_COMPILING", len(images))
    assert models.probabilities(loaded, images[:2]) == pytest.approx(plain[:2], abs=1e-6)
    assert not hasattr(loaded, "traced")
    assert models.probabilities(loaded, images) == pytest.approx(plain, abs=1e-6)
    compiled = loaded.traced
    assert models.probabilities(loaded, images[:1]) == pytest.approx(plain[:1], abs=1e-6)
    assert loaded.traced is compiled


def test_a_network_for_all_sizes_is_compiled_once_and_follows_its_weights():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((None, None, 1))
    network = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(inputs))))
    small, large = np.ones((3, 8, 8, 1), np.float32), np.full((5, 12, 12, 1), 2.0)
    for times in (1, 2):
        network.set_weights([times * weight for weight in network.get_weights()])
        for batch in (small, large):
            assert models.predict(network, batch, 2, "") == pytest.approx(np.array(network(batch)), abs=1e-5)
    assert network.traced.experimental_get_tracing_count() == 1
