"""Compare a student's network with a reference, layer by layer, and name what differs.

A reference is a dictionary: names of our own, and the layers in their order, not built yet. `Concatenate` joins what
comes before it to what the last `Concatenate` (or the input) gave, as in a dense block. The names ``loss``,
``optimizer`` and ``metrics`` are those of `compile`, where an exercise asks for them. A mistake is a change of the
reference: ``{"pooling": layers.MaxPooling2D(2)}`` puts another layer in its place, a list several, None none.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, softmax

from medlessons.checks.exercise import Mistake
from medlessons.wording import _

if TYPE_CHECKING:  # importing Keras takes seconds
    import keras

Steps = list[dict[str, Any]]

TRAINING = ("loss", "optimizer", "metrics")
SETTINGS = (
    *("units", "filters", "kernel_size", "pool_size", "strides", "padding", "dilation_rate", "groups", "use_bias"),
    *("rate", "scale", "offset", "center"),
)
NUMBERS = np.array([[-2.0, 0.5, 8.0], [1.0, -0.3, 0.0]])
ACTIVATIONS = {
    "linear": NUMBERS,
    "relu": np.maximum(NUMBERS, 0),
    "softmax": softmax(NUMBERS, axis=-1),
    "sigmoid": expit(NUMBERS),
    "tanh": np.tanh(NUMBERS),
}


def find_mistake(
    function: Callable,
    calls: Sequence[tuple],
    reference_of: Callable,
    mistakes: Callable,
    otherwise: str = "",
    afterwards: Callable = lambda network: None,
) -> str | None:
    """Return one sentence for what is wrong with the networks that a student's function builds, or None.

    Parameters
    ----------
    function : callable
        The student's function.
    calls : sequence of tuple
        One or two calls of the function: its arguments.
    reference_of : callable
        Takes the same arguments and returns the reference.
    mistakes : callable
        Returns the table of mistakes in the first call: the sentence, and the change of the reference. If the network
        makes none of them, the sentence is about the first layer that differs.
    otherwise : str
        The sentence for a wrong network in the second call only.
    afterwards : callable
        Takes the first network if all is right so far, and returns what else is wrong with it, or None.
    """
    import keras

    networks = []
    for arguments in calls:
        network = function(*arguments)
        if isinstance(network, list | tuple):
            return _("it returns a list of layers: hand the list to keras.Sequential, and return what comes out.")
        if isinstance(network, keras.KerasTensor):
            return _("it returns a tensor, the end of a network: return keras.Model(inputs, outputs).")
        if not isinstance(network, keras.Model):
            return _("it returns {kind}, but a Keras model is expected.").format(kind=type(network).__name__)
        if not getattr(network, "outputs", None):
            return _("the network does not know the size of its inputs: begin with keras.Input(shape) or a network.")
        came, state = steps_of(network), random.getstate()
        reference = reference_of(*arguments)  # after `came`: it may freeze the base that both have
        random.setstate(state)  # new layers draw seeds, and the lesson goes on as if there were none
        came += training_of(network) if "loss" in reference else []
        if came != _all_steps(reference):
            return otherwise if networks else _name(came, reference, mistakes())
        networks.append(network)
    if len({id(layer) for network in networks for layer in network.layers}) < sum(len(n.layers) for n in networks):
        return _("two calls share their layers: make all layers inside the function, so that each network is new.")
    return afterwards(networks[0])


def model_of(function: Callable, shape: tuple, *more: Any) -> keras.Model:
    """Return the network of a student's function that takes maps of a shape, and more, and returns maps."""
    import keras

    inputs = keras.Input(shape)
    outputs = function(inputs, *more)
    if not isinstance(outputs, keras.KerasTensor):
        raise Mistake(_("return the maps that come out of the last layer: call each layer with maps, (...)(maps)."))
    return keras.Model(inputs, outputs)


def layers_of(reference: Mapping[str, Any]) -> list[keras.Layer]:
    """Return the layers of a reference in their order."""
    parts = [part for name, part in reference.items() if name not in TRAINING and part is not None]
    return [layer for part in parts for layer in (part if isinstance(part, list) else [part])]


def steps_of(network: keras.Model | Mapping[str, Any]) -> Steps:
    """Return the layers of a network or a reference in their order: kind, settings, and what each one reads.

    However it is written: an activation belongs to the layer before it, and a network in the network is its layers. A
    layer after a `Concatenate` reads all the layers that are joined there.
    """
    import keras

    steps, places = [], {}

    def walk(tensor: keras.KerasTensor) -> tuple[int, ...]:
        """Add all the layers up to a tensor; return the places of those that it comes from."""
        if id(tensor) not in places:
            layer, node, _index = tensor._keras_history
            if id(layer) in places and getattr(layer, "weights", None):
                sentence = _("{kind} is made once and used again, with the same weights: make a new layer each time.")
                raise Mistake(sentence.format(kind=type(layer).__name__))
            places[id(layer)] = ()
            tensors = layer._inbound_nodes[node].input_tensors
            places[id(tensor)] = add(layer, tuple(sorted(place for source in tensors for place in walk(source))))
        return places[id(tensor)]

    def add(layer: keras.Operation, sources: tuple[int, ...]) -> tuple[int, ...]:
        if isinstance(layer, keras.Model):
            places[id(layer.inputs[0])] = sources
            return walk(layer.outputs[0])
        if type(layer).__name__ == "Concatenate" or _merge_activation(layer, steps, sources):
            return sources
        step = _settings(layer) | {"reads": sources}
        if step["kernel_size"] == (3, 3) and sources == (len(steps) - 1,) and _is_frame(steps[-1]):
            step |= {"padding": "same", "reads": steps.pop()["reads"]}
        steps.append(step)
        return (len(steps) - 1,)

    if isinstance(network, keras.Model):
        for output in network.outputs:
            walk(output)
        return steps
    here = joined = ()
    for layer in layers_of(network):
        here = joined + here if isinstance(layer, keras.layers.Concatenate) else add(layer, here)
        joined = here if isinstance(layer, keras.layers.Concatenate) or not joined else joined
    return steps


def _is_frame(step: dict[str, Any]) -> bool:
    """Tell whether a layer puts a frame of one pixel around the maps, as ``padding="same"`` does for 3 x 3."""
    return step["kind"] == "ZeroPadding2D" and step["padding"] == ((1, 1), (1, 1))


def _settings(layer: keras.Operation) -> dict[str, Any]:
    settings = {"kind": type(layer).__name__}
    for name in SETTINGS:
        value = getattr(layer, name, None)
        value = float(f"{value:.5g}") if isinstance(value, float) else value
        settings[name] = tuple(value) if isinstance(value, list | tuple) else value
    if settings["kind"] == "Reshape" and len(layer.target_shape) == 1:
        settings["kind"] = "Flatten"
    if settings["kernel_size"] == (1, 1):
        settings["padding"] = "valid"  # there is nothing to pad
    if settings["kind"] == "InputLayer":
        settings["shape"] = tuple(layer.batch_shape[1:])
    if settings["kind"] in ("Dense", "Conv2D", "Conv3D", "BatchNormalization"):
        settings |= {"activation": _activation(getattr(layer, "activation", None)), "trainable": layer.trainable}
    return settings


def _merge_activation(activation: keras.Operation, steps: Steps, sources: tuple[int, ...]) -> bool:
    """Write an activation that stands apart into the layer that it belongs to, if there is one."""
    if type(activation).__name__.lower() not in ("activation", "leakyrelu", "elu", *ACTIVATIONS):
        return False
    name = _activation(activation)
    while len(sources) == 1 and name == "relu" and steps[sources[0]]["kind"] in ("Dropout", "MaxPooling2D", "Flatten"):
        sources = steps[sources[0]]["reads"]  # ReLU gives the same before and after these
    layer = steps[sources[0]] if len(sources) == 1 else {}
    before = layer.get("activation")
    if before == "linear":
        layer["activation"] = name
    return name == "linear" or before == "linear" or before == name == "relu"


def _activation(function: Any) -> str:
    """Name an activation (None, a function or a layer) by what it computes."""
    import keras

    name = getattr(function, "__name__", type(function).__name__.lower())
    if function is None or function is getattr(keras.activations, name, None):
        return name if function else "linear"
    values = keras.ops.convert_to_numpy(function(NUMBERS))
    same = [known for known, right in ACTIVATIONS.items() if np.allclose(values, right, rtol=1e-4)]
    return same[0] if same else name if name not in ACTIVATIONS else _("{name} with settings").format(name=name)


def training_of(network: keras.Model | Mapping[str, Any]) -> Steps:
    """Return what a network or a reference was compiled with, as three more steps."""
    import keras

    if not isinstance(network, keras.Model):
        loss, optimizer, metrics = (network[name] for name in TRAINING)
    elif network.compiled:
        loss, optimizer = network.loss, network.optimizer
        metrics = network.get_compile_config().get("metrics") or []
    else:
        loss = None
    if loss is None:
        return []
    loss, optimizer = keras.losses.get(loss), keras.optimizers.get(optimizer)
    configs = [metric if isinstance(metric, str) else metric["config"] for metric in metrics]
    metrics = [config["name"] if isinstance(config, dict) else config for config in configs]
    rate = float(optimizer.learning_rate)
    changes = {key: getattr(loss, key, default) for key, default in (("from_logits", False), ("label_smoothing", 0))}
    return [
        {"kind": "loss", "loss": getattr(loss, "name", None) or loss.__name__, **changes},
        {"kind": "optimizer", "optimizer": type(optimizer).__name__, "learning_rate": f"{rate:g}"},
        {"kind": "metrics", "metrics": "accuracy" if "accuracy" in metrics else ", ".join(metrics)},
    ]


def _all_steps(reference: Mapping[str, Any]) -> Steps:
    return steps_of(reference) + (training_of(reference) if "loss" in reference else [])


def _name(came: Steps, reference: Mapping[str, Any], mistakes: Mapping[str, Mapping]) -> str:
    """Return the sentence of the first mistake that was made, whatever else is wrong, or a general one."""
    expected = _all_steps(reference)
    made = {sentence: _all_steps({**reference, **change}) for sentence, change in mistakes.items()}
    exact = (sentence for sentence, steps in made.items() if steps == came)  # the order as well
    likely = (sentence for sentence, steps in made.items() if _is_made(steps, expected, came))
    return next(exact, None) or next(likely, None) or _sentence(expected, came)


def _is_made(mistake: Steps, expected: Steps, came: Steps) -> bool:
    """Tell whether what a mistake adds to the reference is in the network, and what it takes away is not.

    Settings count, but for layers of a kind that does not belong there at all.
    """
    for view in (_kind, _settings_of):
        made, wanted, have = (Counter(map(view, steps)) for steps in (mistake, expected, came))
        if not (made - wanted <= have - wanted and wanted - made <= wanted - have):
            return False
        if view is _kind and made - wanted:
            return True
    return made != wanted


def _kind(step: dict[str, Any]) -> str:
    return step["kind"]


def _settings_of(step: dict[str, Any]) -> tuple:
    return tuple((name, value) for name, value in step.items() if name != "reads")


def _sentence(expected: Steps, came: Steps) -> str:
    """Return a sentence for what no table names: the first layer that differs, and how."""
    have, wanted = list(map(_kind, came)), list(map(_kind, expected))
    for kind in dict.fromkeys(wanted + have):
        numbers = {"have": have.count(kind), "kind": kind, "wanted": wanted.count(kind)}
        if numbers["have"] < numbers["wanted"]:
            return _("it has {have} {kind} layers, but {wanted} were expected.").format(**numbers)
        if numbers["have"] > numbers["wanted"]:
            return _("there is one layer too many: {kind}. Leave it out here.").format(**numbers)
    place = next(place for place, step in enumerate(expected) if step != came[place])
    if have[place] != wanted[place]:
        return _("the layers are all there, but in another order: {came} comes where {expected} was expected.").format(
            came=have[place], expected=wanted[place]
        )
    setting = next(name for name, value in expected[place].items() if value != came[place][name])
    values = {"came": came[place][setting], "expected": expected[place][setting]}
    if setting == "reads":
        values = {name: ", ".join(_label(wanted, source) for source in reads) for name, reads in values.items()}
        return _("{layer} reads {came}; it should read {expected}.").format(layer=_label(wanted, place), **values)
    return _("{layer} has {setting}={came}; asked for was {setting}={expected}.").format(
        layer=_label(wanted, place), setting=setting, **values
    )


def _label(kinds: list[str], place: int) -> str:
    """Return what to call a layer: it has a number if there are several of its kind."""
    kind = kinds[place]
    if kind in ("InputLayer", *TRAINING):
        return _("the input") if kind == "InputLayer" else "compile"
    if kinds.count(kind) == 1:
        return _("the {kind} layer").format(kind=kind)
    return _("{kind} layer {number}").format(kind=kind, number=kinds[: place + 1].count(kind))
