"""Train DenseNet-121 on the whole of ChestX-ray14, on one device, on several, or on several machines.

    python scripts/train_chestxray14.py --data FOLDER [--start chestxray8] [--size 320] [--epochs 10] [--batch 64]
    python scripts/train_chestxray14.py --data embedded --start chestxray8 --size 64 --epochs 1    # a trial, in minutes

Keras runs on JAX (``pip install jax``, or ``"jax[cuda13]"``) and shares each batch among all devices that it sees.
Several processes find each other by KERAS_DISTRIBUTION_* or by what SLURM and Open MPI say. Images are decoded once,
into a cache. A training that was stopped, or killed, goes on at its last checkpoint when it is started again, on any
number of devices. docs/SCALE.md has examples, what goes wrong, and how long it takes.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm import tqdm

import simclinic
from medlessons import evaluation, files, images, losses, models, settings, splits
from medlessons.data import findings
from medlessons.data.collections import chestxray8
from medlessons.errors import LessonError

sys.path.insert(0, str(settings.REPOSITORY))
from scripts import pretrain

if TYPE_CHECKING:  # the workers that decode need neither
    import keras

NAME = "chestxray14"
LABELS = findings.FINDINGS
FOLDER = settings.REPOSITORY / "build" / NAME
BLOCK = 256  # images in a file of the cache
HEARTBEAT = 30  # seconds without a sign of life after which a process counts as dead, and the others end
ARRIVAL = 1800  # seconds to wait for the other processes at the start
MOMENTUM = 0.9  # of the statistics of batch normalization; with Keras' 0.99 a short training keeps those of its start
LAUNCHERS = (  # number of this process, and how many there are
    ("KERAS_DISTRIBUTION_PROCESS_ID", "KERAS_DISTRIBUTION_NUM_PROCESSES"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
)


# ---------------------------------------------------------------------------------------------------------
# Images


def read_table(data: str) -> pd.DataFrame:
    """Return one row per image, with its ``part``: train, valid or test, no patient in two of them.

    The NIH's own lists say what is for testing; where they are missing, patients are divided 70, 10 and 20 percent.
    """
    if data == "embedded":
        lists = {"train_val": findings.load("train", "embedded"), "test": findings.load("test", "embedded")}
        table = pd.concat([part.assign(list=name) for name, part in lists.items()], ignore_index=True)
    else:
        table = chestxray8.read(Path(data))
    listed = {name: table[table["list"] == name] for name in chestxray8.LISTS}
    shares = dict(findings.SHARES)
    if any(map(len, listed.values())):
        del shares["test"]
        parts = by_patient(listed["train_val"], shares) | {"test": listed["test"]}
    else:
        parts = by_patient(table, shares)
    empty = [name for name, part in parts.items() if part.empty]
    if empty:
        raise LessonError(
            f"{data}: there is no image for {' and '.join(empty)}. Lay train_val_list.txt and test_list.txt of the NIH "
            "beside its table, and unpack more archives of images."
        )
    splits.check_no_leakage(parts)
    divided = pd.concat([part.assign(part=name) for name, part in parts.items()], ignore_index=True)
    divided.attrs["name"] = f"simulator {simclinic.VERSION}" if data == "embedded" else "ChestX-ray14"
    unlisted = {"in neither list": len(table) - len(divided)}
    divided.attrs["left_out"] = table.attrs.get("left_out", {}) | unlisted
    return divided


def by_patient(table: pd.DataFrame, shares: dict[str, float]) -> dict[str, pd.DataFrame]:
    if table.empty:
        return dict.fromkeys(shares, table)
    total = sum(shares.values())
    return splits.by_patient(table, {name: share / total for name, share in shares.items()}, stratify=LABELS)


def digest(table: pd.DataFrame) -> str:
    """Return eight digits that follow from the images' names, parts and labels, wherever their folder is."""
    names = table["path"].map(lambda path: chestxray8.stem(Path(path).name))
    rows = table[["part", "patient", *LABELS]].assign(name=names)
    return files.md5((table.attrs["name"] + rows.to_csv(index=False)).encode())[:8]


def cached(paths: Sequence[str], size: int, folder: Path, turn: float = 0, workers: int | None = None) -> list:
    """Return all images, resized, in blocks of files that stay on the disk; make those that are not there.

    Parameters
    ----------
    paths : sequence of str
    size : int
        Edge of the square that each image becomes, in pixels.
    folder : Path
        Gets a file for each BLOCK images, whole or not at all, so that a killed start goes on.
    turn : float
        From 0 to 1: with which of the lacking blocks to begin. Processes that share a folder begin at different ones.
    workers : int, optional
        How many processes decode; one for each core unless given.

    Returns
    -------
    list of arrays of uint8, shape (images, size, size)
        Mapped into memory: an image is read when it is asked for.
    """
    paths = list(paths)
    places = {start: folder / f"{start:06d}.npy" for start in range(0, len(paths), BLOCK)}
    lacking = [start for start, place in places.items() if not place.is_file()]
    lacking = np.roll(lacking, -int(turn * len(lacking))).tolist()
    jobs = [(places[start], paths[start : start + BLOCK]) for start in lacking]
    wrong = []
    if jobs:
        context = multiprocessing.get_context("spawn")
        with (
            ProcessPoolExecutor(workers or os.cpu_count(), mp_context=context) as pool,
            tqdm(total=sum(len(some) for _, some in jobs), desc="resizing", unit="image", file=sys.stderr) as bar,
        ):
            for (_, some), found in zip(jobs, pool.map(partial(_resize_block, size), jobs), strict=True):
                bar.update(len(some))
                wrong += found
    if wrong:
        raise LessonError(f"{len(wrong)} images cannot be used; the others are in the cache. The first: {wrong[0]}")
    return [np.load(place, mmap_mode="r") for place in places.values()]


def _resize_block(size: int, job: tuple[Path, list[str]]) -> list[str]:
    """Write the images of one block, unless somebody has; return what is wrong with those that cannot be read."""
    place, paths = job
    if place.is_file():
        return []
    pictures, wrong = [], []
    for path in paths:
        try:
            pictures.append(images.resize(images.read(path), size))
        except LessonError as error:
            wrong.append(str(error))
    if not wrong:
        with files.atomic_write(place) as temporary:
            np.save(temporary, np.stack(pictures))
    return wrong


def share(rows: np.ndarray, batch: int, process: int, processes: int) -> np.ndarray:
    """Return the rows that one process shows: its part of each batch, shape (steps, batch // processes)."""
    return rows.reshape(-1, processes, batch // processes)[:, process]


def batches(blocks: list, rows: np.ndarray, labels: np.ndarray) -> "keras.utils.PyDataset":
    """Return the images of each step, uint8 of shape (images, size, size, 1), with their labels.

    There is one worker: with more, Keras 3.15 shows the first batch of the first ``fit`` last, and how the others then
    come depends on the clock. What is read here was decoded before, so it takes little time (docs/SCALE.md).
    """
    import keras

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return len(rows)

        def __getitem__(self, step):
            shown = [blocks[row // BLOCK][row % BLOCK] for row in rows[step]]
            return np.stack(shown)[..., np.newaxis], labels[rows[step]]

    return Batches()


# ---------------------------------------------------------------------------------------------------------
# Processes


def rank() -> tuple[int, int]:
    """Return the number of this process, and how many there are, as whoever started them says."""
    for number, count in LAUNCHERS:
        if count in os.environ and number in os.environ:
            return int(os.environ[number]), int(os.environ[count])
    return 0, 1


def connect(process: int, processes: int) -> None:
    """Make all devices of all processes one cluster.

    As keras.distribution.initialize, which cannot say after how long a silent process counts as dead.
    """
    import jax
    import keras  # noqa: F401 - before they meet: it takes long, and afterwards nobody may be half a minute late
    from jax.experimental import multihost_utils

    if processes > 1:
        jax.config.update("jax_enable_preemption_service", False)  # it would swallow what kill and scancel send
        addresses = os.environ.get("KERAS_DISTRIBUTION_JOB_ADDRESSES")
        jax.distributed.initialize(
            addresses.split(",")[0] if addresses else None,
            processes,
            process,
            initialization_timeout=ARRIVAL,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=HEARTBEAT,
        )
        multihost_utils.sync_global_devices("all are here")


def agree(numbers: dict[str, int]) -> None:
    """Compare what the processes are about to do: where it differs, they would wait for each other for ever."""
    from jax.experimental import multihost_utils

    every = multihost_utils.process_allgather(np.array(list(numbers.values()), np.int32))
    refuse_differences(list(numbers), every.reshape(-1, len(numbers)))


def refuse_differences(names: Sequence[str], every: np.ndarray) -> None:
    """Raise LessonError if the processes (rows) do not have the same numbers (columns)."""
    for name, found in zip(names, every.T.tolist(), strict=True):
        if len(set(found)) > 1:
            told = ", ".join(f"process {number} has {value}" for number, value in enumerate(found))
            raise LessonError(
                f"The processes do not agree on {name}: {told}. Start all of them with the same options, the same "
                "images, the same --out (a folder that all machines share) and the same number of devices."
            )


# ---------------------------------------------------------------------------------------------------------
# Training


def recipe_of(asked: argparse.Namespace, train: int) -> pretrain.Recipe:
    """Return how so many images are shown: whole batches only, one epoch after the other."""
    shown = asked.epochs * train // asked.batch * asked.batch
    if not shown:
        raise LessonError(f"{train} images, {asked.epochs} times, do not fill one batch of {asked.batch}.")
    sizes = {"batch": asked.batch, "part": asked.every * asked.batch}
    return pretrain.Recipe("densenet121", LABELS, ((asked.size, shown),), train, rate=asked.rate, **sizes)


def learner(recipe: pretrain.Recipe, asked: argparse.Namespace, labels: np.ndarray) -> "keras.Sequential":
    """Return a compiled model, as :func:`pretrain.learner` does, with the loss of lesson 3 or the plain one."""
    import keras

    model = pretrain.learner(recipe, asked.precision)
    for layer in model.layers[-1].layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM
    if asked.loss == "weighted":
        present, absent = losses.class_frequencies(labels)
        loss = losses.weighted_loss_from_logits(absent, present)
    else:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(model.optimizer, loss)
    if asked.start:
        model.layers[-1].set_weights(models.unpack(asked.start))
    return model


def judge_of(network: "keras.Model") -> "keras.Sequential":
    """Return the network with its outputs gathered from all devices, so that each process gets all of them."""
    import keras

    distribution = keras.distribution.distribution()
    if distribution is None:
        return network
    everywhere = keras.distribution.TensorLayout((None, None), distribution.device_mesh)
    gather = keras.layers.Lambda(lambda logits: keras.distribution.distribute_tensor(logits, everywhere))
    return keras.Sequential([keras.Input((None, None, 1)), network, gather])


@dataclass(frozen=True)
class Job:
    """What a process is to do: the options, all images, and which process it is of how many."""

    asked: argparse.Namespace
    table: pd.DataFrame
    blocks: list
    process: int
    processes: int

    def rows(self, part: str) -> np.ndarray:
        """Return the rows of the table that a part has."""
        return np.flatnonzero(self.table["part"] == part)

    def truth(self, part: str) -> np.ndarray:
        """Return the labels of a part, 0 or 1, shape (images, findings)."""
        return self.table[list(LABELS)].to_numpy(np.float32)[self.rows(part)]

    def batches(self, rows: np.ndarray) -> "keras.utils.PyDataset":
        """Return what this process shows of some rows, as many as fill whole batches."""
        own = share(rows, self.asked.batch, self.process, self.processes)
        return batches(self.blocks, own, self.table[list(LABELS)].to_numpy(np.float32))

    def judged(self, judge: "keras.Model", part: str) -> np.ndarray:
        """Return the logits of all images of a part, in each process."""
        rows, batch = self.rows(part), self.asked.batch
        padded = np.resize(rows, -(-len(rows) // batch) * batch)
        return judge.predict(self.batches(padded), verbose=0)[: len(rows)]


def train(job: Job) -> None:
    """Train, or go on where a training was stopped; then judge the test images, and write weights and card."""
    from jax.experimental import multihost_utils

    recipe = recipe_of(job.asked, len(job.rows("train")))
    share_devices(job.asked)
    model = learner(recipe, job.asked, job.truth("train"))
    judge = judge_of(model.layers[-1])
    state = begin(job, recipe, model)
    parts = list(enumerate(recipe.parts()))[state["part"] :]
    for number, (_, numbers) in tqdm(parts, NAME, file=sys.stderr, disable=job.process > 0):
        line, hours = show(job, recipe, model, numbers)
        if number == parts[-1][0] or numbers.stop // recipe.patients > numbers.start // recipe.patients:
            line |= pretrain.aurocs(LABELS, job.truth("valid"), job.judged(judge, "valid"))
        state |= {"part": number + 1, "images": numbers.stop, "hours": state["hours"] + hours}
        state |= {"log": [*state["log"], line]}
        if job.process == 0:
            pretrain.checkpoint(job.asked.out, state, model)
            log(job.asked.out, state["log"])
    answers = job.judged(judge, "test")
    if job.process == 0:
        finish(job, model.layers[-1], answers, state)
    multihost_utils.sync_global_devices("the card is written")  # whoever leaves before counts as dead


def share_devices(asked: argparse.Namespace) -> None:
    """Set the seed, and share each batch among all devices of all processes."""
    import jax
    import keras

    if asked.batch % jax.device_count():
        raise LessonError(f"A batch of {asked.batch} cannot be shared by {jax.device_count()} devices. Change --batch.")
    keras.utils.set_random_seed(asked.seed)
    if jax.device_count() > 1:  # with one device, Keras would compile each step twice
        keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


def begin(job: Job, recipe: pretrain.Recipe, model: "keras.Model") -> dict:
    """Return the state of the training, from its checkpoint if there is one, once all processes agree on it."""
    import jax

    asked = job.asked
    begun = {"data": digest(job.table), "loss": asked.loss, "seed": asked.seed, "precision": asked.precision}
    begun["start"] = files.sha256(asked.start) if asked.start else None
    begun["recipe"] = json.loads(json.dumps(asdict(recipe)))
    state = pretrain.resume(asked.out, begun, model)
    agree(
        {
            "the number of images": len(job.table),
            "the number of steps": recipe.stages[0][1] // recipe.batch,
            "the number of devices": jax.local_device_count(),
            "the parts of the training that are done": state["part"],
            "options and labels": int(files.md5(json.dumps(begun).encode())[:7], 16),
        }
    )
    if job.process == 0:
        counts = ", ".join(f"{len(job.rows(part)):,} {part}" for part in findings.PARTS)
        print(
            f"Images: {counts}. Shown: {state['images']:,} of {recipe.stages[0][1]:,}. Devices: {jax.device_count()}. "
            "In the first step JAX compiles the network, which takes minutes.",
            file=sys.stderr,
        )
    return state


def show(job: Job, recipe: pretrain.Recipe, model: "keras.Model", numbers: range) -> tuple[dict, float]:
    """Train on the images with these numbers; return a line for the log, and the hours."""
    began = time.perf_counter()
    rows = job.rows("train")[pretrain.order(recipe, job.asked.seed, numbers)]
    seen = model.fit(job.batches(rows), shuffle=False, verbose=0)
    seconds = time.perf_counter() - began
    line = {"images": numbers.stop, "epoch": round(numbers.stop / recipe.patients, 3)}
    line |= {"loss": seen.history["loss"][0], "images_per_second": round(len(numbers) / seconds, 1)}
    return line, seconds / 3600


def finish(job: Job, network: "keras.Model", answers: np.ndarray, state: dict) -> None:
    """Write weights, their contract, and the card."""
    import jax

    contract = {"builder": "densenet121", "labels": LABELS, "sizes": [job.asked.size]}
    pretrain.save(network, NAME, job.asked.out, **contract)
    devices = f"{jax.device_count()} x {jax.devices()[0].device_kind}, {job.processes} processes"
    write_card(job.asked, job.table, answers, state, devices)


def log(out: Path, lines: list[dict]) -> None:
    """Write the log as a table, and its last line for TensorBoard."""
    from tensorboard import summary

    with files.atomic_write(out / "log.csv") as temporary:
        pd.DataFrame(lines).to_csv(temporary, index=False, lineterminator="\n")
    writer = summary.Writer(str(out / "tensorboard"))
    for name, value in lines[-1].items():
        writer.add_scalar(name, value, lines[-1]["images"])
    writer.close()


# ---------------------------------------------------------------------------------------------------------
# Card


def write_card(asked: argparse.Namespace, table: pd.DataFrame, logits: np.ndarray, state: dict, devices: str) -> None:
    """Write what the network says of each test image, and a model card with AUROCs and intervals by patient."""
    test = table[table["part"] == "test"].reset_index(drop=True)
    chances = pd.DataFrame(1 / (1 + np.exp(-logits.astype(np.float64))), columns=LABELS)
    with files.atomic_write(asked.out / "test_predictions.csv") as temporary:
        names = test["path"].map(lambda path: Path(path).name)
        chances.assign(image=names, patient=test["patient"]).to_csv(temporary, index=False, float_format="%.5f")
    found = evaluation.auroc_table(test[list(LABELS)], chances, test["patient"])
    found["mean_output"], found["prevalence"] = chances.mean(), test[list(LABELS)].mean()
    with files.atomic_write(asked.out / "card.md") as temporary:
        temporary.write_text(card(asked, table, found, state, devices), encoding="utf-8")


def card(asked: argparse.Namespace, table: pd.DataFrame, found: pd.DataFrame, state: dict, devices: str) -> str:
    """Return the model card as Markdown."""
    parts = [
        f"{part}: {len(some):,} images of {some['patient'].nunique():,} patients"
        for part, some in table.groupby("part", sort=False)
    ]
    facts = {
        "Task": f"frontal chest radiograph: {len(LABELS)} findings, each on its own. Not for medical use",
        "Input": f"gray levels from 0 to 255, shape (images, {asked.size}, {asked.size}, 1), squeezed to the square",
        "Network": f"DenseNet-121, builder `densenet121`; weights in `{NAME}.npz`, contract in `{NAME}.json`",
        "Data": f"{table.attrs['name']}, {digest(table)}; {'; '.join(parts)}; labels mined from reports, some wrong",
        "Left out": ", ".join(f"{count:,} {why}" for why, count in table.attrs["left_out"].items()),
        "Start": asked.start.name if asked.start else "random weights",
        "Training": f"{state['images']:,} images in {asked.epochs} epochs, batches of {asked.batch}, {asked.loss} "
        f"cross-entropy from logits, AdamW, warm-up, then cosine decay from {asked.rate:g}; {asked.precision}; "
        f"seed {asked.seed}",
        "Made by": f"scripts/train_chestxray14.py at {state['commit']}, {state['hours']:.2f} hours on {devices}",
        "Chosen": "nothing: the last weights",
    }
    lines = [f"# {NAME}", "", "| | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in facts.items()), ""]
    lines += ["**Measured** on the test images: AUROC with its 95 % interval (bootstrap by patient).", ""]
    lines += ["| Finding | Positives | AUROC | Mean output | Prevalence |", "|---|---|---|---|---|"]
    for name, row in found.iterrows():
        interval = "too few for an interval" if np.isnan(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append(
            f"| {name} | {row['positives']:.0f} | {row['AUROC']:.3f} ({interval}) | {row['mean_output']:.3f} "
            f"| {row['prevalence']:.3f} |"
        )
    return "\n".join([*lines, f"| mean | | {found['AUROC'].mean():.3f} | | |", ""])


# ---------------------------------------------------------------------------------------------------------
# Command


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of ChestX-ray14, or 'embedded': simulated patients")
    parser.add_argument("--out", type=Path, default=FOLDER / "run", help="checkpoint, logs, weights, card")
    parser.add_argument("--cache", type=Path, default=FOLDER / "cache", help="resized images; on a fast disk")
    parser.add_argument("--cache-only", action="store_true", help="resize the images, and stop")
    parser.add_argument("--start", help="weights to begin with: chestxray8 (shipped), or an .npz file; else random")
    parser.add_argument("--size", type=int, default=320, help="edge of the images in pixels")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=64, help="images per step, on all devices together")
    parser.add_argument("--rate", type=float, default=3e-4, help="highest learning rate")
    parser.add_argument("--loss", choices=("weighted", "plain"), default="weighted")
    parser.add_argument("--precision", default="float32", help="such as mixed_bfloat16, on a GPU")
    parser.add_argument("--every", type=int, default=200, help="steps from one checkpoint to the next")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    if asked.start:
        asked.start = models.weights_path(asked.start) if asked.start == chestxray8.NAME else Path(asked.start)
        if not asked.start.is_file():
            parser.error(f"--start: {asked.start} is not there")
    return asked


def explain(error: Exception, process: int, processes: int) -> str:
    """Say why a process ends, and what to do next."""
    who = f"Process {process} of {processes} ends: " if processes > 1 else ""
    if isinstance(error, LessonError):
        return f"{who}{error}"
    return (
        f"{who}{error}\nIf another process has ended, or cannot be reached, this is why. Start all of them again: the "
        "training goes on at its last checkpoint."
    )


def main(arguments: list[str] | None = None) -> int:
    asked = parse(arguments)
    process, processes = rank()
    os.environ["KERAS_BACKEND"] = "jax"
    try:
        table = read_table(asked.data)
        folder = asked.cache / f"{asked.size}px-{digest(table)}"
        blocks = cached(table["path"], asked.size, folder, process / processes)
        if asked.cache_only:
            return 0
        if importlib.util.find_spec("jax") is None:
            raise LessonError("JAX is not installed. Run `pip install jax`, or with a GPU `pip install 'jax[cuda13]'`.")
        connect(process, processes)
        train(Job(asked, table, blocks, process, processes))
    except Exception as error:
        if processes == 1 and not isinstance(error, LessonError):
            raise
        print(explain(error, process, processes), file=sys.stderr, flush=True)
        if processes > 1:
            os._exit(1)  # a tidy end would wait for the others
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
