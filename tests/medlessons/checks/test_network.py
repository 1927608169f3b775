"""Networks are accepted however they are written; mistakes are named, those of the tables and others."""

import random

import keras
import pytest
from keras import layers, ops

from medlessons.checks import anemia, covid, findings, network, orientation

EXERCISES = {
    # the check, the reference that it hands back, its layers, and the table of mistakes
    "1.5": (anemia.check_build, anemia.build, anemia.build_reference, anemia.build_mistakes),
    "2.4": (
        orientation.check_build_network,
        orientation.build_network,
        orientation.network_reference,
        orientation.network_mistakes,
    ),
    "3.5": (findings.check_dense_block, findings.dense_block, findings.block_reference, findings.block_mistakes),
    "4.4": (covid.check_head, covid.with_head, covid.head_reference, covid.head_mistakes),
}


def built(reference):
    """Return the network of a reference."""
    for layer in network.layers_of(reference):
        if isinstance(layer, layers.InputLayer):
            inputs = here = joined = keras.Input(layer.batch_shape[1:])
        else:
            here = layer([joined, here] if isinstance(layer, layers.Concatenate) else here)
            joined = here if isinstance(layer, layers.Concatenate) else joined
    model = keras.Model(inputs, here)
    if reference.get("loss"):
        model.compile(**{name: reference[name] for name in network.TRAINING})
    return model


def changed(exercise, change):
    """Return a student's function that builds the reference with a change of some of its layers or settings."""
    _check, _function, reference, _mistakes = EXERCISES[exercise]
    if exercise == "3.5":
        return lambda maps, blocks, growth_rate: built(reference() | change)(maps)
    return lambda *arguments, **settings: built(reference(*arguments, **settings) | change)


TABLES = [(exercise, sentence) for exercise, (*_others, mistakes) in EXERCISES.items() for sentence in mistakes()]


@pytest.mark.parametrize("exercise, sentence", TABLES)
def test_a_mistake_of_the_table_is_named(exercise, sentence, capsys):
    check, reference, _reference_of, mistakes = EXERCISES[exercise]
    assert check(changed(exercise, mistakes()[sentence])) is reference
    assert sentence in capsys.readouterr().out


# ---------------------------------------------------------------------------------------------------------
# 1.5


def functional_mlp(inputs, optimizer="adam"):
    start = keras.Input((inputs,))
    middle = ops.relu(layers.Dense(32)(layers.Dense(64, lambda z: ops.maximum(z, 0))(start)))
    model = keras.Model(start, layers.Dense(9, "softmax")(middle))
    model.compile(optimizer, keras.losses.CategoricalCrossentropy(), metrics=["accuracy"])
    return model


def apart_mlp(inputs, optimizer="adam"):
    model = keras.Sequential([keras.Input((inputs,)), layers.Dense(64), layers.ReLU(), layers.Dense(32)])
    for layer in (layers.Activation("relu"), layers.Dense(9), layers.Softmax()):
        model.add(layer)
    metrics = [keras.metrics.CategoricalAccuracy("accuracy")]
    model.compile(optimizer, keras.losses.categorical_crossentropy, metrics=metrics)
    return model


def always_adam(inputs, optimizer="adam"):
    return anemia.build(inputs)


def without_input(inputs, optimizer="adam"):
    return keras.Sequential([layers.Dense(64, "relu"), layers.Dense(32, "relu"), layers.Dense(9, "softmax")])


MLPS = [
    (apart_mlp, None),
    (functional_mlp, None),
    (changed("1.5", {"first": [layers.Dense(16, "relu")], "second": None}), "expected were 64, 32 and 9"),
    (changed("1.5", {"first": layers.Dense(64, "tanh")}), "Dense layer 1 has activation=tanh"),
    (
        changed("1.5", {"first": [layers.Dense(64), layers.ReLU(max_value=6)]}),
        "layer 1 has activation=relu with settings",
    ),
    (changed("1.5", {"second": [layers.Dense(32, "relu"), layers.Dropout(0.5)]}), "one layer too many: Dropout"),
    (changed("1.5", {"metrics": ["binary_accuracy"]}), "metrics=binary_accuracy; asked for was metrics=accuracy"),
    (changed("1.5", {"metrics": ["accuracy", "mse"]}), "the accuracy alone"),
    (always_adam, "optimizer is always the same"),
    (without_input, "does not know the size of its inputs"),
    (lambda inputs, optimizer="adam": "mlp", "it returns str, but a Keras model is expected"),
]

# ---------------------------------------------------------------------------------------------------------
# 2.4


def cnn(change=None, **learning):
    """Return a function that builds the network from a list of layers, after `change` was done to the list."""

    def build(size, filters):
        parts = [layers.Input((size, size, 1)), layers.Rescaling(1 / 255)]
        for count in filters:
            parts += [layers.Conv2D(count, 2, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.3)]
        parts += [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dense(1, activation="sigmoid")]
        model = keras.Sequential(change(parts) if change else parts)
        model.compile(**{"optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy"]} | learning)
        return model

    return build


def functional_cnn(size, filters):
    inputs = keras.Input((size, size, 1))
    maps = layers.Rescaling(scale=1.0 / 255.0)(inputs)
    for count in filters:
        maps = layers.MaxPooling2D((2, 2))(layers.Conv2D(count, (2, 2))(maps))
        maps = layers.Dropout(0.3)(layers.ReLU()(maps))  # as good after the pooling
    found = layers.Activation("relu")(layers.Dense(256)(layers.Flatten()(maps)))
    model = keras.Model(inputs, layers.Dense(1, activation=keras.activations.sigmoid)(found))
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=1e-3),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy"), "mse"],
    )
    return model


def step_by_step(size, filters):
    model = keras.Sequential(name="mine")
    model.add(keras.Input(shape=(size, size, 1)))
    model.add(layers.Rescaling(1 / 255))
    for number in range(2):
        model.add(layers.Conv2D(filters[number], kernel_size=2, strides=1, padding="valid", activation="relu"))
        model.add(layers.MaxPool2D(pool_size=2))
        model.add(layers.Dropout(rate=0.3, seed=number))
    for layer in (layers.Flatten(), layers.Dense(256, "relu"), layers.Dense(1, "sigmoid")):
        model.add(layer)
    model.compile(loss=keras.losses.binary_crossentropy, optimizer=keras.optimizers.Adam(), metrics=["accuracy"])
    return model


shared = [layers.Dropout(0.3), layers.Flatten()]
CNNS = [
    (cnn(), None),
    (functional_cnn, None),
    (step_by_step, None),
    (cnn(lambda parts: [*parts[:8], keras.Sequential(parts[8:])]), None),
    (cnn(lambda parts: [*parts[:8], layers.Reshape((-1,)), *parts[9:]]), None),
    (lambda size, filters: orientation.build_network(size, filters).layers, "list of layers"),
    (lambda size, filters: layers.Dense(1), "a Keras model is expected"),
    (cnn(lambda parts: parts[1:]), "does not know the size"),
    (cnn(lambda parts: [*parts[:3], *parts[4:]]), "1 MaxPooling2D layers, but 2"),
    (cnn(lambda parts: [*parts[:4], *parts[5:]]), "1 Dropout layers, but 2"),
    (cnn(lambda parts: [*parts[:9], *parts[10:]]), "1 Dense layers, but 2"),
    (cnn(lambda parts: [*parts[:9], layers.BatchNormalization(), *parts[9:]]), "one layer too many: BatchNorm"),
    (cnn(lambda parts: [*parts[:3], parts[4], parts[3], *parts[5:]]), "Dropout comes where MaxPooling2D"),
    (cnn(lambda parts: [*parts[:8], layers.GlobalAveragePooling2D(), parts[-1]]), "mean of each map"),
    (cnn(lambda parts: [*parts[:7], layers.SpatialDropout2D(0.5), *parts[8:]]), "1 Dropout layers, but 2"),
    (changed("2.4", {"output": layers.Dense(1, "tanh")}), "Dense layer 2 has activation=tanh"),
    (changed("2.4", {"dense": layers.Dense(256)}), "Dense layer 1 has activation=linear; asked for was"),
    (changed("2.4", {"dense": layers.Dense(128, "relu")}), "Dense layer 1 has units=128; asked for was units=256"),
    (changed("2.4", {"first": layers.Conv2D(3, 2)}), "Conv2D layer 1 has activation=linear"),
    (changed("2.4", {"first": layers.Conv2D(3, 3, activation="relu")}), "has kernel_size=(3, 3); asked for"),
    (changed("2.4", {"second": layers.Conv2D(5, 2, 2, activation="relu")}), "Conv2D layer 2 has strides=(2, 2)"),
    (changed("2.4", {"first dropout": layers.Dropout(0.7)}), "Dropout layer 1 has rate=0.7; asked for was rate=0.3"),
    (lambda size, filters: orientation.build_network(size, (8, 16)), "Conv2D layer 1 has filters=8"),
    (cnn(loss="mse"), "loss=mean_squared_error; asked for was loss=binary_crossentropy"),
    (cnn(optimizer="sgd"), "optimizer=SGD; asked for was optimizer=Adam"),
    (cnn(lambda parts: [*parts[:7], *shared, *parts[9:]]), "share their layers"),
    (lambda size, filters: orientation.build_network(20, (3, 5)), "always builds the same"),
    (lambda size, filters: no_such_name, "NameError"),  # noqa: F821
]

# ---------------------------------------------------------------------------------------------------------
# 3.5


def block(*, order="pre", merge="concatenate", padding="same", growth=1, bottleneck=True, active=True):
    """Return a student's dense block, or one with a mistake."""

    def build(maps, blocks, growth_rate):
        def convolve(x, count, size):
            activation = "relu" if order == "post" else None
            if order == "pre":
                x = layers.BatchNormalization()(x)
                x = layers.Activation("relu")(x) if active else x
            x = layers.Conv2D(count, size, padding=padding, use_bias=False, activation=activation)(x)
            return layers.BatchNormalization()(x) if order == "post" else x

        first = before = maps
        for _link in range(blocks):
            new = first if merge == "first only" else before
            new = convolve(new, 4 * growth_rate, 1) if bottleneck else new
            new = convolve(new, growth * growth_rate, 3)
            if merge == "add":
                before = layers.Add()([before, layers.Conv2D(before.shape[-1], 1, use_bias=False)(new)])
            else:
                old = first if merge == "with input" else before
                before = new if merge == "last" else layers.Concatenate()([old, new])
        return before

    return build


def with_lists(maps, blocks, growth_rate):
    parts, relu = [maps], layers.ReLU()
    for _link in range(blocks):
        new = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
        for count, size in ((4 * growth_rate, 1), (growth_rate, 3)):
            new = relu(layers.BatchNormalization()(new))
            new = layers.Conv2D(count, size, padding="same", use_bias=False)(new)
        parts.append(new)
    return layers.Concatenate()(parts)


def in_parts(maps, blocks, growth_rate):
    for _link in range(blocks):
        chain = keras.Sequential([layers.BatchNormalization(), layers.ReLU()])
        chain.add(layers.Conv2D(4 * growth_rate, 1, use_bias=False))
        chain.add(layers.BatchNormalization(activity_regularizer=None))
        new = layers.Conv2D(growth_rate, 3, padding="same", use_bias=False)(ops.relu(chain(maps)))
        maps = ops.concatenate([maps, new], axis=-1)
    return maps


def link(look, join=lambda maps, new: ops.concatenate([maps, new], axis=-1)):
    """Return a block whose last convolutions are made by a function of the growth rate, called once."""

    def dense_block(maps, blocks, growth_rate):
        last = look(growth_rate)
        for _link in range(blocks):
            new = layers.ReLU()(layers.BatchNormalization()(maps))
            new = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4 * growth_rate, 1, use_bias=False)(new)))
            maps = join(maps, last(new))
        return maps

    return dense_block


def one_by_one(growth_rate):
    return lambda maps: layers.Conv2D(growth_rate, 3, padding="same", use_bias=False)(maps)


def without_normalization(maps, blocks, growth_rate):
    for _link in range(blocks):
        new = layers.Conv2D(4 * growth_rate, 1, use_bias=False)(layers.ReLU()(maps))
        new = layers.Conv2D(growth_rate, 3, padding="same", use_bias=False)(layers.ReLU()(new))
        maps = layers.Concatenate()([maps, new])
    return maps


with_a_frame = link(lambda growth: lambda maps: layers.Conv2D(growth, 3, use_bias=False)(layers.ZeroPadding2D(1)(maps)))
one_layer_for_all = link(lambda growth: layers.Conv2D(growth, 3, padding="same", use_bias=False))
new_maps_first = link(one_by_one, lambda maps, new: ops.concatenate([new, maps], axis=-1))


BLOCKS = [
    (block(), None),
    (with_lists, None),
    (in_parts, None),
    (with_a_frame, None),
    (one_layer_for_all, "Conv2D is made once and used again"),
    (new_maps_first, "the new maps come first"),
    (lambda maps, blocks, growth_rate: ops.add(maps, layers.Conv2D(growth_rate, 1)(maps)), "the maps are added"),
    (block(merge="add"), "has not grown"),
    (block(merge="last"), "only the last new maps"),
    (block(padding="valid"), "padding='same'"),
    (block(padding="valid", merge="last"), "does not pool"),
    (block(growth=4), "4 * growth_rate maps come out"),
    (block(growth=2), "36 maps come out; expected were 21"),
    (block(bottleneck=False), "1 x 1 convolution is missing"),
    (block(merge="first only"), "layer 3 reads the input; it should read the input, Conv2D layer 2"),
    (block(merge="with input"), "the maps of one layer are new"),
    (block(active=False), "ReLU is missing: without it"),
    (block(order="post"), "the ReLU comes after a convolution"),
    (changed("3.5", {"second relu 1": None}), "a ReLU is missing"),
    (
        lambda maps, blocks, growth_rate: findings.dense_block(maps, 1, growth_rate),
        "only the maps of one layer are new",
    ),
    (lambda maps, blocks, growth_rate: maps, "come back as they were"),
    (lambda maps, blocks, growth_rate: [findings.dense_block(maps, blocks, growth_rate)], "return the maps"),
    (lambda maps, blocks, growth_rate: layers.ReLU(maps), "made first, then called"),
    (without_normalization, "batch normalization is missing"),
]

# ---------------------------------------------------------------------------------------------------------
# 4.3


def head(classes, **pooling):
    pooling = layers.AveragePooling2D(**{"pool_size": 2, "padding": "same"} | pooling)
    return [pooling, layers.Flatten(), layers.Dense(20, "relu"), layers.Dropout(0.2), layers.Dense(classes, "softmax")]


def on_top(change=lambda head: head, freeze=lambda base: setattr(base, "trainable", False)):
    """Return a student's function: a Sequential of the base and of a changed head."""

    def build(base, classes):
        freeze(base)
        return keras.Sequential([keras.Input(base.input_shape[1:]), base, *change(head(classes))])

    return build


def with_loop(base, classes):
    maps = base.output  # as the published lesson does
    for layer in base.layers:
        layer.trainable = False
    for layer in head(classes):
        maps = layer(maps)
    return keras.Model(inputs=base.input, outputs=maps)


def no_input(base, classes):
    base.trainable = False
    return keras.Sequential([base, *head(classes)])


def late(base, classes):
    model = on_top(freeze=lambda base: None)(base, classes)
    base.trainable = False
    model.compile("adam", "categorical_crossentropy")
    return model


def twin(weights):
    def build(base, classes):
        copy = keras.models.clone_model(base)
        if weights:
            copy.set_weights(base.get_weights())
        return on_top()(copy, classes)

    return build


def in_training(base, classes):
    base.trainable = False
    images = keras.Input(base.input_shape[1:])
    maps = base(images, training=True)
    for layer in head(classes):
        maps = layer(maps)
    return keras.Model(images, maps)


def some_frozen(base):
    for layer in base.layers[:-2]:
        layer.trainable = False


def all_frozen(base, classes):
    model = on_top()(base, classes)
    model.trainable = False
    return model


def no_size(base, classes):
    return keras.Sequential([base, layers.AveragePooling2D(padding="same"), *head(classes)[1:]])


def of_one_size(base, classes):
    images = keras.Input((7, 7, 3))
    small = on_top()(covid._small_base(7), classes)
    return keras.Model(images, small(images)) if base.input_shape[1] > 7 else on_top()(base, classes)


def zeros(parts):
    return [*parts[:4], layers.Dense(parts[4].units, "softmax", kernel_initializer="zeros")]


flatten = layers.Flatten()
HEADS = [
    (on_top(), None),
    (with_loop, None),
    (on_top(lambda head: [keras.Sequential(head[:3]), head[3], layers.Dense(head[4].units), layers.Softmax()]), None),
    (no_input, None),
    (late, None),
    (on_top(lambda head: [*head[:2], layers.Dense(20, layers.ReLU()), *head[3:]]), None),
    (on_top(lambda head: [*head[:2], layers.Dense(20), head[3], layers.ReLU(), head[4]]), None),
    (twin(weights=True), None),
    (on_top(freeze=some_frozen), "only a part of the base is frozen"),
    (all_frozen, "whole network is frozen"),
    (in_training, "training=True"),
    (twin(weights=False), "another base"),
    (lambda base, classes: keras.Sequential([keras.Input((3, 3, 6)), *head(classes)]), "base is missing"),
    (lambda base, classes: covid.with_head(base, classes).output, "returns a tensor"),
    (lambda base, classes: head(classes), "a list of layers"),
    (lambda base, classes: layers.Dense(classes), "it returns Dense"),
    (lambda base, classes: keras.Sequential(head(classes)), "does not know the size"),
    (no_size, "A pooling needs its size"),
    (lambda base, classes: no_such_name, "NameError"),  # noqa: F821
    (lambda base, classes: [] + 1, "TypeError"),
    (on_top(lambda head: [layers.GlobalAveragePooling2D(), *head[2:]]), "mean of each whole map"),
    (on_top(lambda head: [layers.MaxPooling2D(2), *head[1:]]), "pools with the maximum"),
    (on_top(lambda head: [*head[:2], *head[3:]]), "1 Dense layers, but 2 were expected"),
    (on_top(lambda head: [*head[:3], head[4], head[3]]), "another order"),
    (on_top(lambda head: [*head[:4], layers.BatchNormalization(), head[4]]), "too many: BatchNormalization"),
    (on_top(lambda head: [*head[:4], layers.Dropout(0.2), head[4]]), "one layer too many: Dropout"),
    (changed("4.4", {"dense": layers.Dense(20)}), "Dense layer 1 has activation=linear; asked for"),
    (changed("4.4", {"dense": layers.Dense(64, "relu")}), "Dense layer 1 has units=64; asked for was units=20"),
    (changed("4.4", {"output": layers.Dense(4, "relu")}), "Dense layer 2 has activation=relu"),
    (changed("4.4", {"output": layers.Dense(4, "softmax", use_bias=False)}), "Dense layer 2 has use_bias=False"),
    (on_top(zeros), "every image gets the same"),
    (on_top(lambda head: [head[0], flatten, *head[2:]]), "share their layers"),
    (of_one_size, "one base only"),
]

STUDENTS = {"1.5": MLPS, "2.4": CNNS, "3.5": BLOCKS, "4.4": HEADS}
CASES = [(exercise, *case) for exercise, cases in STUDENTS.items() for case in cases]


@pytest.mark.parametrize("exercise, student, remark", CASES)
def test_a_right_network_is_accepted_and_what_is_wrong_in_another_is_named(exercise, student, remark, capsys):
    check, reference, *_others = EXERCISES[exercise]
    handed_back = check(student)
    said = capsys.readouterr().out
    assert (remark or "done, well done") in said
    assert handed_back is (reference if remark else student)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_reference_is_right_and_handed_back_for_nothing(exercise, capsys):
    check, reference, *_others = EXERCISES[exercise]
    assert check(reference) is reference
    assert "well done" in capsys.readouterr().out
    for nothing in (None, lambda *arguments, **settings: ...):
        assert check(nothing) is reference
        assert "not done" in capsys.readouterr().out


def test_right_answers_are_right_in_64_bits_as_well(capsys):
    before = keras.config.floatx()
    try:
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")
        for student in (on_top(), covid.with_head):
            assert covid.check_head(student) is student
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(before)
    assert capsys.readouterr().out.count("well done") == 2


def test_a_check_leaves_the_random_numbers_to_the_lesson():
    random.seed(0)
    assert cnn()(20, (3, 5)) and cnn()(24, (4, 6))  # the lesson's weights come after these two, not after references
    expected = random.random()
    random.seed(0)
    orientation.check_build_network(cnn())
    assert random.random() == expected
