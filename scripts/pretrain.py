"""How the shipped weights are trained: on simulated patients drawn afresh, with any Keras backend, resumable.

``medlessons weights train chestxray8`` follows a :class:`Recipe`: so many patients, shown in stages of growing size,
each time framed and exposed otherwise. Who comes when follows from the seed and the epoch alone. After each part a
checkpoint is written; a training that was stopped, or killed, goes on from there and ends the same.
"""

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter
from tqdm import tqdm

from medlessons import evaluation, files, models, settings
from medlessons.errors import LessonError
from simclinic import clinic, thorax

if TYPE_CHECKING:  # the workers that draw need no Keras
    import keras

BLOCK = 100  # patients in a file
VALIDATION_SEED = 1  # of the patients that nobody trains with
VALIDATION_IMAGES = 600
FEATURE_LEVEL = 0.05  # mean feature of a shipped backbone, see scale_features
SEVERE = ("COVID-19", "Edema", "Consolidation", "Infiltration", "Pneumonia", "Effusion")
PUBLISHED_CASES = {name: min(0.5, 1.5 * share + 0.02) for name, share in thorax.PREVALENCE.items()}


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    builder : str
        One of ``models.BUILDERS``.
    labels : tuple of str
        Ordered outputs: findings, or ``("lateral",)``.
    stages : tuple of (int, int)
        Edge of the images in pixels, and how many images are shown; one after the other.
    patients : int
        How many different patients there are. Once all were shown, they come again in another order.
    batch, part : int
        Images a step, and images from one checkpoint to the next.
    rate : float
        Highest learning rate (AdamW); it rises during the first twentieth and falls as a cosine to zero.
    bits : int
        Of a stored weight, as in :func:`pack`.
    """

    builder: str
    labels: tuple[str, ...]
    stages: tuple[tuple[int, int], ...]
    patients: int
    batch: int = 32
    part: int = 2048
    rate: float = 1e-3
    bits: int = 16

    @property
    def images(self) -> int:
        """How many images are shown in all."""
        return sum(count for _, count in self.stages)

    def parts(self) -> Iterator[tuple[int, range]]:
        """Yield the size and the numbers of the images of each part."""
        shown = 0
        for size, count in self.stages:
            for start in range(shown, shown + count, self.part):
                yield size, range(start, min(start + self.part, shown + count))
            shown += count


FINDINGS = Recipe("densenet121", thorax.FINDINGS, ((64, 60_000), (96, 30_000), (128, 60_000)), patients=40_000)
BACKBONE = replace(FINDINGS, stages=((64, 16_000), (96, 16_000)), patients=32_000, bits=8)
RECIPES = {
    "chestxray8": FINDINGS,
    "orientation": Recipe("orientation", ("lateral",), ((96, 32_000),), patients=4_000, batch=64, rate=2e-3),
    "resnet50v2": replace(BACKBONE, builder="resnet50v2"),
    "xception": replace(BACKBONE, builder="xception"),
    "vgg16": replace(BACKBONE, builder="vgg16", rate=1e-4),
}
BACKBONES = ("resnet50v2", "xception", "vgg16")  # of lesson 4

# ---------------------------------------------------------------------------------------------------------
# Patients


def draw(labels: tuple[str, ...], number: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw the radiograph of one patient, and its labels.

    Parameters
    ----------
    labels : tuple of str
        Findings, or ``("lateral",)``.
    number : int
        The patient.
    size : int
        Edge of the image in pixels.
    seed : int
        0 for patients to train with, another one for others.

    Returns
    -------
    image : array of uint8, shape (size, size)
    labels : array of float32, shape (labels,)
    """
    if labels != ("lateral",):
        case = clinic.draw_training_case(seed, 0, number)
        present = clinic.labels(case["findings"], labels).astype(np.float32)
    else:
        views = {"PA": 0.28, "AP": 0.27, "L": 0.45}
        case = clinic.draw_training_case(seed, 0, number, views=views, prevalence=PUBLISHED_CASES)
        severe = _severe_disease(np.random.default_rng([seed, number]))
        case["findings"] = (*case["findings"], *severe)
        present = np.array([case["view"] == "L"], np.float32)
    return thorax.radiograph(**case, size=size).image, present


def _severe_disease(rng: np.random.Generator) -> list[thorax.Finding]:
    """Draw what collections of published cases are full of: pneumonias, and patients in intensive care."""
    findings = []
    if rng.random() < 0.4:
        name = str(rng.choice(thorax.PNEUMONIAS, p=[0.7, 0.15, 0.15]))
        findings.append(thorax.Finding(name, float(rng.random()), seed=int(rng.integers(2**31))))
    if rng.random() < 0.12:
        for name in rng.choice(SEVERE, 3, replace=False):
            findings.append(thorax.Finding(str(name), float(rng.uniform(0.6, 1)), "both", int(rng.integers(2**31))))
    return findings


def vary_image(image: np.ndarray, rng: np.random.Generator, mirror: bool = False) -> np.ndarray:
    """Vary what differs between hospitals beyond the simulated ones: framing, tilt, contrast, sharpness, noise.

    Parameters
    ----------
    image : array of uint8, shape (size, size)
    rng : numpy.random.Generator
    mirror : bool
        Whether half of the images are mirrored, and all are framed and exposed more freely. Not for findings: the heart
        is on the left, and how bright a lung is matters.

    Returns
    -------
    array of uint8, shape (size, size)
    """
    size = len(image)
    closest, widest = (-0.35, 0.15) if mirror else (-0.08, 0.08)
    across, down = size * (1 + rng.uniform(closest, widest, 2))
    turn = np.deg2rad(rng.normal(0, 3))
    shift = rng.uniform(-0.1, 0.1, 2) * size * (1 if mirror else 0.4)
    a, b = np.cos(turn) * across / size, np.sin(turn) * across / size
    d, e = -np.sin(turn) * down / size, np.cos(turn) * down / size
    if mirror and rng.random() < 0.5:
        a, d = -a, -d
    middle = size / 2
    c, f = middle + shift[0] - (a + b) * middle, middle + shift[1] - (d + e) * middle
    moved = Image.fromarray(image).transform((size, size), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.BILINEAR)
    if rng.random() < 0.4:
        blur = ImageFilter.GaussianBlur(rng.uniform(0.2, 0.8) * size / 128)
        moved = moved.filter(blur if rng.random() < 0.5 else ImageFilter.UnsharpMask(2, int(rng.integers(40, 150)), 0))
    gamma, contrast, brightness = (0.7, (0.5, 1.5), 0.2) if mirror else (0.6, (0.7, 1.2), 0.1)
    levels = np.clip(np.asarray(moved, np.float32) / 255, 1e-3, 1) ** np.exp(rng.uniform(-gamma, gamma))
    levels = (levels - 0.5) * rng.uniform(*contrast) + 0.5 + rng.uniform(-brightness, brightness)
    if not mirror:
        levels += _veil(size, rng)
    levels += rng.normal(0, 1, levels.shape) * rng.uniform(0, 0.04 if mirror else 0.015)
    return np.clip(np.rint(levels * 255), 0, 255).astype(np.uint8)


def _veil(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw smooth differences of brightness that say nothing: scatter, soft tissue, an uneven film."""
    coarse = Image.fromarray(rng.normal(0, rng.uniform(0, 0.08), (4, 4)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))


def draw_block(labels: tuple[str, ...], folder: Path, size: int, first: int) -> None:
    """Draw BLOCK patients into a file, unless it is there."""
    path = folder / f"{first:06d}.npz"
    if not path.is_file():
        images, present = zip(*(draw(labels, first + number, size) for number in range(BLOCK)), strict=True)
        with files.atomic_write(path) as temporary:
            np.savez(temporary, images=np.stack(images), labels=np.stack(present))


def patients(pool: ProcessPoolExecutor, recipe: Recipe, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the images of all patients of a recipe, and their labels; draw those that no earlier training has drawn.

    The folder is named after the simulator's face, so that images of an older one are never mixed in.

    Returns
    -------
    images : array of uint8, shape (patients, size, size), with the largest size of the recipe
    labels : array of float32, shape (patients, labels)
    """
    size = max(size for size, _ in recipe.stages)
    face = hashlib.sha256(clinic.probes()).hexdigest()[:8]
    kind = "orientation" if recipe.labels == ("lateral",) else "findings"
    folder = folder / f"{kind}-{size}-{face}"
    starts = range(0, recipe.patients, BLOCK)
    job = partial(draw_block, recipe.labels, folder, size)
    for _ in tqdm(pool.map(job, starts), total=len(starts), desc=f"{recipe.patients:,} patients", file=sys.stderr):
        pass
    images, labels = [], []
    for start in starts:
        with np.load(folder / f"{start:06d}.npz", allow_pickle=False) as block:
            images.append(block["images"])
            labels.append(block["labels"])
    return np.concatenate(images)[: recipe.patients], np.concatenate(labels)[: recipe.patients]


def order(recipe: Recipe, seed: int, numbers: range) -> np.ndarray:
    """Return which patient each image of a training shows: all in the first epoch, in a new order in the next."""
    epochs = range(numbers[0] // recipe.patients, numbers[-1] // recipe.patients + 1)
    orders = [np.random.default_rng([seed, epoch]).permutation(recipe.patients) for epoch in epochs]
    start = epochs[0] * recipe.patients
    return np.concatenate(orders)[numbers[0] - start : numbers[-1] + 1 - start]


def vary_many(pictures: np.ndarray, seed: int, numbers: range, size: int, mirror: bool) -> np.ndarray:
    """Return training images, float32 of shape (images, size, size, 1): made smaller, each varied in its own way."""
    shown = []
    for picture, number in zip(pictures, numbers, strict=True):
        small = Image.fromarray(picture).resize((size, size), Image.Resampling.BOX)
        shown.append(vary_image(np.asarray(small), np.random.default_rng([seed, number, 1]), mirror))
    return np.stack(shown)[..., np.newaxis].astype(np.float32)


def stream(pool: ProcessPoolExecutor, recipe: Recipe, seed: int, size: int, numbers: range, everybody):
    """Return one part of a training as a ``keras.utils.PyDataset``: other processes prepare what comes next."""
    import keras

    who = order(recipe, seed, numbers)
    images, labels = everybody
    mirror = recipe.labels == ("lateral",)

    class Patients(keras.utils.PyDataset):
        def __len__(self):
            return -(-len(who) // recipe.batch)

        def __getitem__(self, step):
            rows = slice(step * recipe.batch, (step + 1) * recipe.batch)
            varied = pool.submit(vary_many, images[who[rows]], seed, numbers[rows], size, mirror)
            return varied.result(), labels[who[rows]]

    return Patients(workers=3, use_multiprocessing=False, max_queue_size=6)


# ---------------------------------------------------------------------------------------------------------
# Training


def weighted_loss(labels: tuple[str, ...]):
    """Return the cross-entropy from logits in which a present finding counts sqrt(absent / present) times."""
    from keras import ops

    if labels == ("lateral",):
        weights = np.ones(1, np.float32)
    else:
        share = (1 - clinic.TRAINING_HEALTHY) * np.array([clinic.TRAINING_PREVALENCE[name] for name in labels])
        weights = np.sqrt((1 - share) / share).astype(np.float32)

    def loss(truth, logits):
        signed = ops.softplus(-logits) * truth * weights + ops.softplus(logits) * (1 - truth)
        return ops.mean(signed, axis=-1)

    return loss


def learner(recipe: Recipe, precision: str = "float32") -> "keras.Model":
    """Return the compiled network that gives logits. It shares no weights with another one."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        network = models.BUILDERS[recipe.builder](recipe.stages[-1][0], len(recipe.labels))
        last = network.layers[-1]
        if isinstance(last, keras.layers.Dense):  # orientation: its last layer is the sigmoid itself
            last.activation = keras.activations.linear
            network = keras.models.clone_model(network)
        else:
            network = keras.Model(network.input, network.get_layer("logits").output)
    finally:
        keras.config.set_dtype_policy(before)
    if keras.backend.backend() == "tensorflow":
        _fuse_normalization(network)
    steps = sum(-(-len(numbers) // recipe.batch) for _, numbers in recipe.parts())
    warm = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.rate / 100, max(1, steps - warm), warmup_target=recipe.rate, warmup_steps=warm
    )
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-4, global_clipnorm=1.0),
        loss=weighted_loss(recipe.labels),
        jit_compile=keras.backend.backend() == "jax",
    )
    network.optimizer.build(network.trainable_variables)
    return network


def _fuse_normalization(network: "keras.Model") -> None:
    """Let TensorFlow normalize a batch in one operation. Keras takes ten, which is half of the time on a processor."""
    import keras
    import tensorflow as tf

    class Fused(keras.layers.BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            if not (training and self.trainable):
                return super().call(inputs, training=training, mask=mask)
            scale = self.gamma.value if self.scale else tf.ones_like(self.beta.value)
            out, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
                x=inputs, scale=scale, offset=self.beta.value, mean=[], variance=[], epsilon=self.epsilon
            )
            cases = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], variance.dtype)
            variance = (
                variance * (cases - 1) / cases
            )  # TensorFlow gives that of a sample, Keras keeps that of the batch
            for kept, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                kept.assign(kept * self.momentum + new * (1 - self.momentum))
            return out

    for layer in network.layers:
        if type(layer) is keras.layers.BatchNormalization:
            layer.__class__ = Fused


def train(
    name: str,
    *,
    out: Path | None = None,
    seed: int = 0,
    recipe: Recipe | None = None,
    share: float = 1.0,
    start: Path | None = None,
    precision: str = "float32",
    workers: int | None = None,
    checkpoints: Path | None = None,
) -> dict:
    """Train a network, or go on with a training that was stopped; write its weights and their contract.

    Parameters
    ----------
    name : str
        One of RECIPES.
    out : path, optional
        Folder of the result; ``models/`` unless given.
    seed : int
        Of the first weights, and of the order of the patients.
    recipe : Recipe, optional
        Instead of that of RECIPES.
    share : float
        How much of the recipe's images, above 0. The rates follow: half of the images is not the first
        half of the training.
    start : path of an .npz file, optional
        Weights of the same network to begin with, instead of random ones.
    precision : str
        A Keras dtype policy, such as ``"mixed_bfloat16"``. The stored weights do not depend on it.
    workers : int, optional
        Processes that draw; one less than there are cores unless given.
    checkpoints : path, optional
        Folder of the checkpoint and the log; ``build/pretraining/NAME-SEED`` unless given.

    Returns
    -------
    dict
        What a model card needs: ``images``, ``hours``, ``commit``, and the ``log``: for each part its loss, for some of
        them the AUROC of each output on simulated patients who were not trained with.

    Raises
    ------
    LessonError
        If there is no such recipe, or the checkpoint belongs to another training.
    """
    import keras

    recipe = recipe or _recipe(name)
    if not share > 0:
        raise LessonError(f"The share of the recipe is {share}, but it must be above 0.")
    recipe = replace(recipe, stages=tuple((size, max(1, round(share * count))) for size, count in recipe.stages))
    out = out or settings.models_dir()
    drawn = settings.REPOSITORY / "build" / "pretraining"
    folder = checkpoints or drawn / f"{name}-{seed}"
    told = {
        "name": name,
        "seed": seed,
        "start": files.sha256(Path(start)) if start else None,
        "precision": precision,
        "recipe": json.loads(json.dumps(asdict(recipe))),
    }
    keras.utils.set_random_seed(seed)
    network = learner(recipe, precision)
    if start:
        network.set_weights(models.unpack(Path(start)))
    state = resume(folder, told, network)
    parts = list(recipe.parts())
    context = multiprocessing.get_context("spawn")  # a fork of a process that runs a deep-learning library can hang
    workers = workers or max(1, (os.cpu_count() or 2) - 1)
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        everybody = patients(pool, recipe, checkpoints or drawn)
        tests = {}
        bar = tqdm(total=recipe.images, initial=state["images"], unit="image", file=sys.stderr)
        for part in range(state["part"], len(parts)):
            size, numbers = parts[part]
            bar.set_description(f"{name} at {size} px")
            began = time.perf_counter()
            seen = network.fit(stream(pool, recipe, seed, size, numbers, everybody), verbose=0, shuffle=False)
            state["hours"] += (time.perf_counter() - began) / 3600
            state["images"] += len(numbers)
            state["part"] = part + 1
            line = {"images": state["images"], "size": size, "hours": round(state["hours"], 4)}
            line["loss"] = round(float(seen.history["loss"][0]), 4)
            last_of_size = part + 1 == len(parts) or parts[part + 1][0] != size
            if last_of_size or part % 4 == 3:
                if size not in tests:
                    tests = {size: _validation(pool, recipe, size)}
                line["auroc"] = measure(network, recipe.labels, *tests[size])
            state["log"].append(line)
            checkpoint(folder, state, network)
            bar.update(len(numbers))
            bar.set_postfix(loss=f"{line['loss']:.3f}")
        bar.close()
    settled = models.BUILDERS[recipe.builder](recipe.stages[-1][0], len(recipe.labels))
    settled.set_weights(network.get_weights())
    if name in BACKBONES:
        some, _ = zip(*(draw(recipe.labels, number, size, VALIDATION_SEED) for number in range(32)), strict=True)
        level = models.feature_extractor(settled).predict(np.stack(some)[..., np.newaxis].astype(np.float32), verbose=0)
        scale_features(settled, FEATURE_LEVEL / float(level.mean()))
    save(
        settled,
        name,
        out,
        builder=recipe.builder,
        labels=recipe.labels,
        sizes=[size for size, _ in recipe.stages],
        bits=recipe.bits,
    )
    return state


def scale_features(network: "keras.Model", factor: float) -> None:
    """Multiply the features of a network for findings by a factor, and divide its last layer by it: same outputs.

    A head of another lesson that starts from small weights learns from features of a moderate size; how large those of
    a pretraining come out is chance. (A ReLU gives a multiple of its input the same multiple.)

    Parameters
    ----------
    network : keras.Model
        Of a builder for findings; it is changed.
    factor : float
        Above 0.
    """
    import keras

    kinds = (keras.layers.BatchNormalization, keras.layers.Conv2D)
    last = next(layer for layer in reversed(network.layers) if isinstance(layer, kinds))
    scale, shift, *statistics = last.get_weights()  # gamma and beta, or kernel and bias
    last.set_weights([scale * factor, shift * factor, *statistics])
    kernel, bias = network.get_layer("logits").get_weights()
    network.get_layer("logits").set_weights([kernel / factor, bias])


def save(
    network: "keras.Model",
    name: str,
    folder: Path,
    *,
    builder: str,
    labels: Sequence[str],
    sizes: Sequence[int],
    bits: int = 16,
) -> dict:
    """Write the weights of a network and their contract into a folder, each whole or not at all.

    Parameters
    ----------
    network : keras.Model
        Built by ``models.BUILDERS[builder]``.
    name : str
        Of the two files.
    folder : path
    builder : str
    labels : sequence of str
        Ordered outputs.
    sizes : sequence of int
        Edges of the images (pixels) that it was trained at, the last ones last.
    bits : int
        16 or 8, as in :func:`pack`.

    Returns
    -------
    dict
        The contract.
    """
    if network.output_shape[-1] != len(labels):
        raise LessonError(f"{name} has {network.output_shape[-1]} outputs, but there are {len(labels)} labels.")
    path = Path(folder) / f"{name}.npz"
    with files.atomic_write(path) as temporary:
        pack(network.get_weights(), temporary, bits)
    known = {
        "builder": builder,
        "labels": list(labels),
        "sizes": [int(size) for size in sizes],
        "channels": int(network.input_shape[-1]),
        "pixels": [0, 255],
        "parameters": int(network.count_params()),
        "sha256": files.sha256(path),
    }
    with files.atomic_write(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8", newline="\n")
    return known


def pack(weights: Sequence[np.ndarray], path: Path, bits: int = 16) -> None:
    """Write arrays compactly.

    Kernels (two or more axes) are stored in ``bits`` bits: as half-precision floats, or as whole numbers from -127 to
    127 with one scale for each channel of the last axis. Vectors (biases, statistics) are few, and stay in 32 bits.

    Parameters
    ----------
    weights : sequence of arrays
        As ``get_weights`` returns them.
    path : path of an .npz file
    bits : int
        16 or 8.

    Raises
    ------
    LessonError
        If a weight is NaN or infinite: such a network is broken.
    """
    stored = {}
    for number, weight in enumerate(weights):
        if not np.isfinite(weight).all():
            raise LessonError(f"Weight {number} holds NaN or infinity: the training went wrong. Nothing was written.")
        key = f"{number:04d}"
        if weight.ndim < 2:
            stored[key] = weight.astype(np.float32)
        elif bits == 16:
            stored[key] = weight.astype(np.float16)
        else:
            scale = np.abs(weight).max(axis=tuple(range(weight.ndim - 1))) / 127
            stored[key] = np.rint(weight / np.where(scale > 0, scale, 1)).astype(np.int8)
            stored[f"{key}.scale"] = scale.astype(np.float32)
    np.savez(path, **stored)


def _recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise LessonError(f"There is no recipe {name!r}; there are: {', '.join(RECIPES)}.")
    return RECIPES[name]


def _validation(pool: ProcessPoolExecutor, recipe: Recipe, size: int) -> tuple[np.ndarray, np.ndarray]:
    job = partial(draw, recipe.labels, size=size, seed=VALIDATION_SEED)
    drawn = list(pool.map(job, range(min(VALIDATION_IMAGES, recipe.patients)), chunksize=20))
    images, present = zip(*drawn, strict=True)
    return np.stack(images)[..., np.newaxis], np.stack(present)


def measure(network: "keras.Model", labels: tuple[str, ...], pictures: np.ndarray, truth: np.ndarray) -> dict:
    """Return the AUROC of each output that has both kinds of images, and their ``mean``."""
    scores = models.probabilities(network, pictures)
    both = [i for i in range(len(labels)) if 0 < truth[:, i].sum() < len(truth)]
    found = {labels[i]: round(evaluation.auroc(truth[:, i], scores[:, i]), 4) for i in both}
    return {**found, "mean": round(float(np.mean(list(found.values()))), 4) if found else None}


def commit() -> str:
    """Return the commit of this repository, or ``"unknown"`` outside of one."""
    asked = ["git", "-C", str(settings.REPOSITORY), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


# ---------------------------------------------------------------------------------------------------------
# Checkpoints


def _variables(network: "keras.Model") -> list:
    """Return all that a step changes: weights, states of random layers, and the optimizer's."""
    unique = {id(variable): variable for variable in (*network.variables, *network.optimizer.variables)}
    return list(unique.values())


def checkpoint(folder: Path, state: dict, network: "keras.Model") -> None:
    """Write the state of a training, whole or not at all, and its log beside it, to read along."""
    from keras import ops

    with files.atomic_write(folder / "checkpoint.npz") as temporary:
        arrays = {f"{i:05d}": ops.convert_to_numpy(v.value) for i, v in enumerate(_variables(network))}
        np.savez(temporary, state=np.array(json.dumps(state)), **arrays)
    with files.atomic_write(folder / "log.jsonl") as temporary:
        temporary.write_text("".join(json.dumps(line) + "\n" for line in state["log"]), encoding="utf-8")


def resume(folder: Path, told: dict, network: "keras.Model") -> dict:
    """Return the state of a training, and put its weights into the network, if there is a checkpoint.

    Raises
    ------
    LessonError
        If the checkpoint belongs to another training.
    """
    path = folder / "checkpoint.npz"
    if not path.is_file():
        return {"told": told, "part": 0, "images": 0, "hours": 0.0, "commit": commit(), "log": []}
    with np.load(path, allow_pickle=False) as stored:
        state = json.loads(str(stored["state"]))
        if state["told"] != told:
            other = next(key for key in told if state["told"].get(key) != told[key])
            raise LessonError(
                f"{path}: this checkpoint is of a training with another {other!r}. Remove {folder} to begin anew."
            )
        for i, variable in enumerate(_variables(network)):
            variable.assign(stored[f"{i:05d}"])
    return state
