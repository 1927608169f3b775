"""Train the weights in models/: on simulated patients drawn afresh, with any Keras backend, resumable.

    python scripts/pretrain.py chestxray8 [--share 0.1] [--seed 1] [--start models/chestxray8.npz] [--out FOLDER]

Each network follows a :class:`Recipe`: so many patients, shown in stages of growing size, each time framed and exposed
otherwise. Who comes when follows from the seed and the epoch alone. After each part a checkpoint is written, whole or
not at all, to build/pretraining; a training that was stopped, or killed, goes on from there and ends the same. (Keras'
own BackupAndRestore writes in place, and a kill would leave half a file.) ``backbones`` trains the three of lesson 4.
"""

import argparse
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
from PIL import Image
from tqdm import tqdm

import simclinic
from medlessons import evaluation, files, models, settings
from medlessons.errors import LessonError
from simclinic import clinic, thorax

if TYPE_CHECKING:  # the workers that draw need no Keras
    import keras

ORIENTATION = ("lateral",)
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
        Ordered outputs: findings, or ORIENTATION.
    stages : tuple of (int, int)
        Edge of the images in pixels, and how many images are shown; one after the other.
    patients : int
        How many different patients there are. Once all were shown, they come again in another order.
    batch, part : int
        Images per step, and images from one checkpoint to the next.
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
    "orientation": Recipe("orientation", ORIENTATION, ((96, 32_000),), patients=4_000, batch=64, rate=2e-3),
    "resnet50v2": replace(BACKBONE, builder="resnet50v2"),
    "xception": replace(BACKBONE, builder="xception"),
    "vgg16": replace(BACKBONE, builder="vgg16", rate=1e-4),
}
BACKBONES = ("resnet50v2", "xception", "vgg16")  # of lesson 4


def recipe_of(name: str, share: float = 1.0) -> Recipe:
    """Return the recipe of a network, with a share of its images. The learning rate runs through all of its course."""
    if name not in RECIPES:
        raise LessonError(f"There is no recipe {name!r}; there are: {', '.join(RECIPES)}.")
    if not share > 0:
        raise LessonError(f"The share of the recipe is {share}, but it must be above 0.")
    recipe = RECIPES[name]
    return replace(recipe, stages=tuple((size, max(1, round(share * count))) for size, count in recipe.stages))


# ---------------------------------------------------------------------------------------------------------
# Patients


def draw(labels: tuple[str, ...], number: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw the radiograph of one patient, uint8 of shape (size, size), and its labels, float32.

    The seed is 0 for patients to train with, another one for others.
    """
    if labels != ORIENTATION:
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


def _draw_block(labels: tuple[str, ...], folder: Path, size: int, seed: int, first: int) -> None:
    """Draw BLOCK patients into a file, unless it is there."""
    path = folder / f"{first:06d}.npz"
    if not path.is_file():
        images, present = zip(*(draw(labels, first + number, size, seed) for number in range(BLOCK)), strict=True)
        with files.atomic_write(path) as temporary:
            np.savez(temporary, images=np.stack(images), labels=np.stack(present))


def patients(recipe: Recipe, folder: Path, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return images of the largest size, and labels; draw, with all cores, what no earlier training has drawn."""
    size = max(size for size, _ in recipe.stages)
    kind = "orientation" if recipe.labels == ORIENTATION else "findings"
    folder = folder / f"{kind}-{size}-seed{seed}-simulator{simclinic.VERSION}"
    starts = range(0, count, BLOCK)
    context = multiprocessing.get_context("spawn")  # a fork of a process that runs a deep-learning library can hang
    if not all((folder / f"{start:06d}.npz").is_file() for start in starts):
        with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
            drawn = pool.map(partial(_draw_block, recipe.labels, folder, size, seed), starts)
            list(tqdm(drawn, total=len(starts), desc=f"{count:,} patients", file=sys.stderr))
    blocks = [np.load(folder / f"{start:06d}.npz", allow_pickle=False) for start in starts]
    return tuple(np.concatenate([block[name] for block in blocks])[:count] for name in ("images", "labels"))


def shrink(images: np.ndarray, size: int) -> np.ndarray:
    """Return images (uint8) as a network takes them: float32, shape (images, size, size, 1)."""
    small = [Image.fromarray(image).resize((size, size), Image.Resampling.BOX) for image in images]
    return np.stack([np.asarray(image, np.float32) for image in small])[..., np.newaxis]


def order(recipe: Recipe, seed: int, numbers: range) -> np.ndarray:
    """Return which patient each image of a training shows: all in the first epoch, in a new order in the next."""
    epochs = range(numbers[0] // recipe.patients, numbers[-1] // recipe.patients + 1)
    orders = [np.random.default_rng([seed, epoch]).permutation(recipe.patients) for epoch in epochs]
    start = epochs[0] * recipe.patients
    return np.concatenate(orders)[numbers[0] - start : numbers[-1] + 1 - start]


# ---------------------------------------------------------------------------------------------------------
# Training


def augmentation(labels: tuple[str, ...]) -> list["keras.Layer"]:
    """Return layers that vary what differs between hospitals beyond the simulated ones, while a network is trained.

    Images for findings are varied less, and not mirrored: the heart is on the left, and how bright a lung is matters.
    """
    from keras import layers

    free = labels == ORIENTATION
    zoom, shift = ((-0.35, 0.15), 0.1) if free else ((-0.08, 0.08), 0.04)
    options = {"fill_mode": "constant", "dtype": "float32"}
    varied = [
        layers.RandomZoom(zoom, zoom, **options),
        layers.RandomRotation(0.015, **options),
        layers.RandomTranslation(shift, shift, **options),
        layers.RandomContrast(0.5 if free else 0.3, (0, 255), dtype="float32"),
        layers.RandomBrightness(0.2 if free else 0.1, (0, 255), dtype="float32"),
    ]
    return [layers.RandomFlip("horizontal", dtype="float32"), *varied] if free else varied


def weighted_loss(labels: tuple[str, ...]):
    """Return the cross-entropy from logits in which a present finding counts sqrt(absent / present) times."""
    from keras import ops

    weights = np.ones(1, np.float32)
    if labels != ORIENTATION:
        share = (1 - clinic.TRAINING_HEALTHY) * np.array([clinic.TRAINING_PREVALENCE[name] for name in labels])
        weights = np.sqrt((1 - share) / share).astype(np.float32)

    def loss(truth, logits):
        signed = ops.softplus(-logits) * truth * weights + ops.softplus(logits) * (1 - truth)
        return ops.mean(signed, axis=-1)

    return loss


def learner(recipe: Recipe, precision: str = "float32") -> "keras.Sequential":
    """Return a compiled model: the augmentation, and as its last layer the network, which gives logits."""
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
    steps = sum(-(-len(numbers) // recipe.batch) for _, numbers in recipe.parts())
    warm = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.rate / 100, max(1, steps - warm), warmup_target=recipe.rate, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4, global_clipnorm=1.0)
    model = keras.Sequential([keras.Input((None, None, 1)), *augmentation(recipe.labels), network])
    on_jax = keras.backend.backend() == "jax"
    for layer in model.layers if on_jax else ():
        layer.supports_jit = True  # Keras 3.15 denies it for layers that move images, as if all were TensorFlow
    model.compile(optimizer, weighted_loss(recipe.labels), jit_compile=on_jax)
    optimizer.build(model.trainable_variables)
    return model


def train(
    name: str,
    recipe: Recipe,
    out: Path,
    checkpoints: Path,
    *,
    seed: int = 0,
    start: Path | None = None,
    precision: str = "float32",
) -> dict:
    """Train a network, or go on where a training was stopped, and write its weights.

    Parameters
    ----------
    name : str
        Of the weights.
    recipe : Recipe
    out, checkpoints : Path
        Folder of the weights and their contract; of the checkpoint and the log. Drawn patients lie beside the latter.
    seed : int
        Of the first weights, and of the order of the patients.
    start : path of an .npz file, optional
        Weights of the same network to begin with, instead of random ones.
    precision : str
        A Keras dtype policy, such as ``"mixed_bfloat16"``. The stored weights do not depend on it.

    Returns
    -------
    dict
        What a model card needs: ``images``, ``hours``, ``commit``, and the ``log``: for each part its loss, for some of
        them the AUROC of each output on simulated patients who were not trained with.
    """
    import keras

    begun = {"name": name, "seed": seed, "start": files.sha256(start) if start else None, "precision": precision}
    begun["recipe"] = json.loads(json.dumps(asdict(recipe)))
    keras.utils.set_random_seed(seed)
    model = learner(recipe, precision)
    if start:
        model.layers[-1].set_weights(models.unpack(start))
    state = resume(checkpoints, begun, model)
    images, labels = patients(recipe, checkpoints.parent, recipe.patients)
    held_out = patients(recipe, checkpoints.parent, min(VALIDATION_IMAGES, recipe.patients), VALIDATION_SEED)
    parts = list(recipe.parts())
    for number, (size, numbers) in tqdm(list(enumerate(parts))[state["part"] :], name, file=sys.stderr):
        who, began = order(recipe, seed, numbers), time.perf_counter()
        seen = model.fit(shrink(images[who], size), labels[who], recipe.batch, shuffle=False, verbose=0)
        hours, shown = state["hours"] + (time.perf_counter() - began) / 3600, numbers.stop
        line = {"images": shown, "size": size, "hours": round(hours, 4), "loss": round(seen.history["loss"][0], 4)}
        if number % 4 == 3 or number + 1 == len(parts) or parts[number + 1][0] != size:
            line["auroc"] = validate(model, recipe, shrink(held_out[0], size), held_out[1])
        state |= {"part": number + 1, "images": shown, "hours": hours, "log": [*state["log"], line]}
        checkpoint(checkpoints, state, model)
    write_weights(model.layers[-1], name, recipe, out, shrink(held_out[0][:32], recipe.stages[-1][0]))
    return state


def validate(model: "keras.Model", recipe: Recipe, images: np.ndarray, truth: np.ndarray) -> dict:
    """Return what :func:`aurocs` does, for what a model says of some images."""
    return aurocs(recipe.labels, truth, model.predict(images, batch_size=64, verbose=0))


def aurocs(labels: Sequence[str], truth: np.ndarray, scores: np.ndarray) -> dict:
    """Return the AUROC of each output that has both kinds of images, and their ``mean``."""
    both = [i for i in range(len(labels)) if 0 < truth[:, i].sum() < len(truth)]
    found = {labels[i]: round(evaluation.auroc(truth[:, i], scores[:, i]), 4) for i in both}
    return {**found, "mean": round(float(np.mean(list(found.values()))), 4) if found else None}


def write_weights(network: "keras.Model", name: str, recipe: Recipe, out: Path, some: np.ndarray) -> None:
    """Write weights and their contract; a backbone's features get a mean of FEATURE_LEVEL over ``some`` images."""
    settled = models.BUILDERS[recipe.builder](recipe.stages[-1][0], len(recipe.labels))
    settled.set_weights(network.get_weights())
    if name in BACKBONES:
        level = models.feature_extractor(settled).predict(some, verbose=0).mean()
        scale_features(settled, FEATURE_LEVEL / float(level))
    sizes = [size for size, _ in recipe.stages]
    save(settled, name, out, builder=recipe.builder, labels=recipe.labels, sizes=sizes, bits=recipe.bits)


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
    pixels: Sequence[int] | None = (0, 255),
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
    pixels : two int, optional
        Lowest and highest gray level; None for a network that takes standardized volumes.

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
        "pixels": pixels and list(pixels),
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


# ---------------------------------------------------------------------------------------------------------
# Checkpoints


def _variables(network: "keras.Model") -> list:
    """Return all that a step changes: weights, states of random layers, and the optimizer's."""
    unique = {id(variable): variable for variable in (*network.variables, *network.optimizer.variables)}
    return list(unique.values())


def checkpoint(folder: Path, state: dict, network: "keras.Model") -> None:
    """Write the state of a training, whole or not at all, and its log beside it, to read along."""
    with files.atomic_write(folder / "checkpoint.npz") as temporary:
        arrays = {f"{i:05d}": variable.numpy() for i, variable in enumerate(_variables(network))}
        np.savez(temporary, state=np.array(json.dumps(state)), **arrays)
    with files.atomic_write(folder / "log.jsonl") as temporary:
        temporary.write_text("".join(json.dumps(line) + "\n" for line in state["log"]), encoding="utf-8")


def resume(folder: Path, begun: dict, network: "keras.Model") -> dict:
    """Return the state of a training, and put its weights into the network, if there is a checkpoint."""
    path = folder / "checkpoint.npz"
    if not path.is_file():
        return {"begun": begun, "part": 0, "images": 0, "hours": 0.0, "commit": commit(), "log": []}
    with np.load(path, allow_pickle=False) as stored:
        state = json.loads(str(stored["state"]))
        if state["begun"] != begun:
            other = next(key for key in begun if state["begun"].get(key) != begun[key])
            raise LessonError(
                f"{path}: this checkpoint is of a training with another {other!r}. Remove {folder} to begin anew."
            )
        for i, variable in enumerate(_variables(network)):
            variable.assign(stored[f"{i:05d}"])
    return state


def commit() -> str:
    """Return the commit of this repository, or ``"unknown"`` outside of one."""
    asked = ["git", "-C", str(settings.REPOSITORY), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def main(arguments: list[str] | None = None) -> None:
    """Train what the command line names, and print what was reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*RECIPES, "backbones"])
    parser.add_argument("--out", type=Path, default=settings.models_dir(), help="folder of the result")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0, help="share of the recipe's images, such as 0.1")
    parser.add_argument("--start", type=Path, help="weights to begin with instead of random ones")
    parser.add_argument("--precision", default="float32", help="of the training, such as mixed_bfloat16")
    asked = parser.parse_args(arguments)
    for name in BACKBONES if asked.name == "backbones" else [asked.name]:
        folder = settings.REPOSITORY / "build" / "pretraining" / f"{name}-{asked.seed}"
        options = {"seed": asked.seed, "start": asked.start, "precision": asked.precision}
        made = train(name, recipe_of(name, asked.share), asked.out, folder, **options)
        print(f"{name}: {made['images']:,} images, {made['hours']:.2f} hours, commit {made['commit']}")
        print(f"AUROC on simulated patients: {made['log'][-1]['auroc']}")


if __name__ == "__main__":
    main()
