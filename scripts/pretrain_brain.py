"""Train the weights of lesson 6, models/brain.npz, on simulated heads: with any Keras backend, resumable.

    python scripts/pretrain_brain.py [--steps 4000] [--heads 1200] [--seed 1] [--out FOLDER]

Heads are drawn once, each with a scanner style, a voxel size and a position of its own, and kept in build/pretraining.
Every step shows parts of four of them, each mirrored and exposed otherwise, some without T1w and T2w: so the network
also takes FLAIR and T1gd alone. Which parts follows from the seed and the step. A training that was stopped, or killed,
goes on from its checkpoint and ends the same.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from scipy import ndimage
from tqdm import tqdm

import simclinic
from medlessons import files, settings, volumes
from medlessons.data.scans import LABELS
from simclinic import brain

sys.path.insert(0, str(settings.REPOSITORY))
from scripts.pretrain import checkpoint, resume, save

SIZE = (48, 48, 24)  # voxels of a part
BATCH, RATE, PART = 4, 4e-3, 200  # parts a step; highest learning rate; steps from one checkpoint to the next
FIRST_HEAD, FIRST_VALIDATION = 1_000_000, 2_000_000  # seeds: no head of the lesson is among them
BLOCK = 50  # heads in a file
VALIDATION = 40
OTHERS = (1, 3)  # the sequences that some scans lack


def draw(seed: int, styles: tuple[str, ...], vary: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Draw a scan, float16 standardized inside the head, (64, 64, 32, 4), and its label, uint8 (64, 64, 32)."""
    rng = np.random.default_rng([seed, 21])
    scale = np.exp(rng.normal(0, 0.07, 3)) if vary else np.ones(3)
    spacing = tuple(float(edge) for edge in scale * (3.0, 3.0, 4.5))
    made = brain.scan(brain.draw_head(seed), spacing=spacing, style=str(rng.choice(styles)))
    return volumes.standardize(made.image).astype(np.float16), made.label


def _draw_block(folder: Path, styles: tuple[str, ...], vary: bool, first: int) -> None:
    path = folder / f"{first:07d}.npz"
    if not path.is_file():
        images, labels = zip(*(draw(first + number, styles, vary) for number in range(BLOCK)), strict=True)
        with files.atomic_write(path) as temporary:
            np.savez(temporary, images=np.stack(images), labels=np.stack(labels))


def heads(
    folder: Path, first: int, count: int, styles: tuple[str, ...], vary: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return scans and labels of many heads; draw, with all cores, what no earlier training has drawn."""
    folder = folder / f"brain-{'-'.join(styles)}-simulator{simclinic.VERSION}"
    starts = range(first, first + count, BLOCK)
    if not all((folder / f"{start:07d}.npz").is_file() for start in starts):
        context = multiprocessing.get_context("spawn")  # a fork of a process that runs a deep-learning library can hang
        with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
            drawn = pool.map(partial(_draw_block, folder, styles, vary), starts)
            list(tqdm(drawn, total=len(starts), desc=f"{count:,} heads", file=sys.stderr))
    blocks = [np.load(folder / f"{start:07d}.npz", allow_pickle=False) for start in starts]
    return tuple(np.concatenate([block[name] for block in blocks])[:count] for name in ("images", "labels"))


def cut(image: np.ndarray, label: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a part of a scan, mirrored at random; two of three hold a voxel of the tumor, if there is one."""
    room = np.array(label.shape) - SIZE
    corner = rng.integers(0, room + 1)
    tumor = np.argwhere(label > 0)
    if len(tumor) and rng.random() < 2 / 3:
        corner = np.clip(tumor[rng.integers(len(tumor))] - rng.integers(4, np.array(SIZE) - 4), 0, room)
    part = tuple(slice(start, start + edge) for start, edge in zip(corner, SIZE, strict=True))
    flips = tuple(axis for axis in (0, 1) if rng.random() < 0.5)
    return np.flip(image[part], flips).astype(np.float32), np.flip(label[part], flips)


def expose(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a part as another scanner might have made it: contrast, curve, sharpness and noise vary; air stays 0."""
    head = image.any(axis=-1, keepdims=True)
    gain, shift = np.exp(rng.normal(0, 0.2, 4)), rng.normal(0, 0.2, 4)
    bend = rng.normal(0, 0.06, 4)
    curved = np.clip(image, -4, 6)
    made = (curved + bend * (curved**2 - 1)) * gain + shift
    for channel in range(4):
        if rng.random() < 0.5:
            made[..., channel] = ndimage.gaussian_filter(made[..., channel], rng.uniform(0.3, 0.8, 3))
    made += rng.standard_normal(made.shape, np.float32) * np.abs(rng.normal(0, 0.12, 4))
    if rng.random() < 0.3:
        made[..., OTHERS] = 0
    return (made * head).astype(np.float32)


def batch(images: np.ndarray, labels: np.ndarray, seed: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts that a step shows, (BATCH, x, y, z, 4) and (BATCH, x, y, z)."""
    rng = np.random.default_rng([seed, step])
    chosen = rng.integers(0, len(images), BATCH)
    parts = [cut(images[number], labels[number], rng) for number in chosen]
    return np.stack([expose(image, rng) for image, _ in parts]), np.stack([label for _, label in parts])


def dice_and_cross_entropy(truth, logits):
    """Return the loss: the soft Dice loss of the three tumor labels, and the cross-entropy of all."""
    from keras import ops

    from medlessons import losses

    hot = ops.one_hot(ops.cast(truth, "int32"), len(LABELS))
    entropy = -ops.mean(ops.sum(hot * ops.log_softmax(logits), axis=-1))
    return entropy + losses.soft_dice_loss(hot[..., 1:], ops.softmax(logits)[..., 1:])


def learner(steps: int) -> "keras.Model":  # noqa: F821 - Keras is imported late: the workers that draw need none
    """Return the compiled network."""
    import keras

    from medlessons import unet

    model = unet.unet3d(unet.SHIPPED, len(LABELS))
    warm = max(1, steps // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        RATE / 100, max(1, steps - warm), alpha=0.005, warmup_target=RATE, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4, global_clipnorm=1.0)
    model.compile(optimizer, dice_and_cross_entropy, jit_compile=keras.backend.backend() == "jax")
    optimizer.build(model.trainable_variables)
    return model


def validate(model: "keras.Model", images: np.ndarray, labels: np.ndarray) -> dict:  # noqa: F821
    """Return mean Dice by region over scans that have it, whole heads at once, and the false ml in healthy heads."""
    found = np.concatenate([model.predict_on_batch(image[None].astype(np.float32)).argmax(-1) for image in images])
    dice = {}
    for name, members in {"whole": (1, 2, 3), "edema": (1,), "non-enhancing": (2,), "enhancing": (3,)}.items():
        truth, predicted = np.isin(labels, members), np.isin(found, members)
        both, sizes = (truth & predicted).sum((1, 2, 3)), truth.sum((1, 2, 3)) + predicted.sum((1, 2, 3))
        there = truth.any((1, 2, 3))
        dice[name] = round(float((2 * both / np.maximum(sizes, 1))[there].mean()), 4)
    healthy = ~(labels > 0).any((1, 2, 3))
    dice["false ml"] = round(float((found[healthy] > 0).sum() / max(1, healthy.sum()) * 3 * 3 * 4.5 / 1000), 3)
    return dice


def train(steps: int, count: int, seed: int, out: Path, checkpoints: Path) -> dict:
    """Train the network, or go on where a training was stopped, write its weights, and return the state."""
    import keras

    begun = {"steps": steps, "heads": count, "seed": seed, "size": list(SIZE)}
    keras.utils.set_random_seed(seed)
    model = learner(steps)
    state = resume(checkpoints, begun, model)
    images, labels = heads(checkpoints.parent, FIRST_HEAD, count, brain.TRAINING_STYLES)
    seen = heads(checkpoints.parent, FIRST_VALIDATION, VALIDATION, brain.TRAINING_STYLES, vary=False)
    unseen = heads(checkpoints.parent, FIRST_VALIDATION, VALIDATION, brain.UNSEEN_STYLES, vary=False)
    for part in tqdm(range(state["part"], -(-steps // PART)), "brain", file=sys.stderr):
        numbers, began = range(part * PART, min((part + 1) * PART, steps)), time.perf_counter()
        loss = np.mean([model.train_on_batch(*batch(images, labels, seed, step)) for step in numbers])
        hours = state["hours"] + (time.perf_counter() - began) / 3600
        line = {"steps": numbers.stop, "hours": round(hours, 4), "loss": round(float(loss), 4)}
        if part % 5 == 4 or numbers.stop == steps:
            line |= {"seen": validate(model, *seen), "unseen": validate(model, *unseen)}
        state |= {"part": part + 1, "images": numbers.stop * BATCH, "hours": hours, "log": [*state["log"], line]}
        checkpoint(checkpoints, state, model)
        print(json.dumps(line), flush=True)
    save(model, "brain", out, builder="unet3d", labels=LABELS, sizes=SIZE, pixels=None)
    return state


def main(arguments: list[str] | None = None) -> None:
    """Train what the command line asks for, and print what was reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--heads", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=settings.models_dir(), help="folder of the result")
    asked = parser.parse_args(arguments)
    folder = settings.REPOSITORY / "build" / "pretraining" / f"brain-{asked.seed}"
    made = train(asked.steps, asked.heads, asked.seed, asked.out, folder)
    print(f"{made['images']:,} parts of scans, {made['hours']:.2f} hours, commit {made['commit']}")


if __name__ == "__main__":
    main()
