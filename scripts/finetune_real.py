"""Measure what the simulation is worth on real radiographs: fine-tuned weights against random ones.

Run `python scripts/finetune_real.py` from the repository, with the published images of ChestX-ray8 (or a part of them)
under MEDLESSONS_DATA. DenseNet-121 is trained on real images twice: from the weights that lesson 3 loads, which have
seen simulated patients only, and from random ones. Folds (five, by patient), images, loss, epochs and learning rates
are the same, and were fixed before any result was seen. Two cheaper readings stand beside: a logistic regression on the
frozen features of both, and the shipped network as it is. Every image is judged by networks that never saw its patient.

Seconds: training takes about 40 ms of processor time an image of 128 pixels, so 807 images and six epochs take half an
hour. Each fold is stored under build/ when it is done, and a run that was stopped goes on there.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from medlessons import evaluation, files, images, models, settings, splits, training
from medlessons.data import findings

sys.path.insert(0, str(settings.REPOSITORY))
from scripts import pretrain

NAME = "chestxray8"
FOLDS = 5
FEWEST = 50  # positive images of a finding whose AUROC enters the mean
BATCH = 16
RATE = 3e-4  # highest learning rate, AdamW with cosine decay
NAMES = list(findings.FINDINGS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="edge of the images in pixels (trained on: 64 and 128)")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--precision", default="float32", help="of the training, such as mixed_bfloat16")
    options = parser.parse_args()
    table = pd.concat([findings.load(part, source="real") for part in findings.PARTS])
    table = table.drop_duplicates("path", ignore_index=True)
    pictures = images.load(table["path"], options.size)
    weights = models.contract(NAME)["sha256"][:8]  # results of other weights must not be mixed in
    settled = f"{options.size}px-{options.epochs}-{options.precision}-{weights}"
    folder = settings.REPOSITORY / "build" / "finetune_real" / settled
    scores = {}
    for start, network in (("shipped", models.load(NAME)), ("random", models.with_random_weights(NAME))):
        features = training.extract_features(models.feature_extractor(network), pictures)
        probe = Probe(features, table[NAMES].to_numpy())
        tuning = FineTuning(start == "shipped", pictures, table[NAMES].to_numpy(), options.epochs, options.precision)
        scores[f"linear probe, {start}"] = out_of_fold(table, probe, folder / f"probe-{start}")
        scores[f"trained, {start}"] = out_of_fold(table, tuning, folder / f"trained-{start}")
    scores["as shipped"] = models.probabilities(models.load(NAME), pictures)
    report(table, scores)


def report(table: pd.DataFrame, scores: Mapping[str, np.ndarray]) -> None:
    """Print the AUROC of each way with its interval, for each finding and their mean; then the paired differences."""
    judged = [name for name in NAMES if table[name].sum() >= FEWEST]
    print(f"{len(table)} images of {table['patient'].nunique()} patients; findings with {FEWEST} positives or more")
    for way, values in scores.items():
        answers = pd.DataFrame(values, columns=NAMES)[judged]
        print(f"\n{way}\n{evaluation.auroc_table(table[judged], answers, table['patient']).round(3).to_string()}")
        print("mean {:.3f} ({:.3f} to {:.3f})".format(*mean_auroc(table, values, judged)))
    for first, second in (("trained, shipped", "trained, random"), ("linear probe, shipped", "linear probe, random")):
        gained = mean_auroc(table, scores[first], judged, scores[second])
        print("\n{} minus {}: {:+.3f} ({:+.3f} to {:+.3f})".format(first, second, *gained))


def mean_auroc(
    table: pd.DataFrame, scores: np.ndarray, judged: list[str], rival: np.ndarray | None = None
) -> tuple[float, float, float]:
    """Return the mean AUROC, or how far it is above that of a rival, and its bootstrap interval by patient.

    Both are judged on the same draws, so that what makes a draw easy or hard for both cancels out of the difference.
    """
    truth = table[judged].to_numpy()
    columns = [NAMES.index(name) for name in judged]

    def mean(values, rows):
        return np.mean([evaluation.auroc(truth[rows, i], values[rows, k]) for i, k in enumerate(columns)])

    def figure(_, rows):  # the helper hands on what it is given as scores: here these are the numbers of the rows
        rows = rows.astype(int)
        return mean(scores, rows) - (0 if rival is None else mean(rival, rows))

    rows = np.arange(len(table))
    return figure(None, rows), *evaluation.cluster_bootstrap_ci(figure, np.zeros(len(rows)), rows, table["patient"])


def out_of_fold(table: pd.DataFrame, fit: Callable[[np.ndarray, np.ndarray], np.ndarray], folder: Path) -> np.ndarray:
    """Return a score for each image and finding, from a fit that did not see its patient.

    Parameters
    ----------
    table : DataFrame
        An image table with the columns of the findings; its index counts the rows from 0.
    fit : callable
        Takes the numbers of the rows to learn from, and of those to judge; returns the scores of the latter.
    folder : Path
        Keeps the scores of each fold. Folds that are there are read.

    Returns
    -------
    array of float, shape (images, findings)
    """
    parts = splits.by_patient(table, {f"fold {number}": 1 / FOLDS for number in range(FOLDS)}, stratify=NAMES)
    splits.check_no_leakage(parts)
    scores = np.empty((len(table), len(NAMES)))
    for name, part in parts.items():
        path = folder / f"{name}.npy"
        if not path.is_file():
            began = time.process_time()
            found = fit(table.index.difference(part.index).to_numpy(), part.index.to_numpy())
            with files.atomic_write(path) as temporary, temporary.open("wb") as file:
                np.save(file, found)
            print(f"{folder.name}, {name}: {time.process_time() - began:.0f} s of processor time", flush=True)
        scores[part.index] = np.load(path)
    return scores


class Probe:
    """A logistic regression for each finding on standardized features: how much is there to be read off."""

    def __init__(self, features: np.ndarray, labels: np.ndarray):
        self.features, self.labels = features, labels

    def __call__(self, learn: np.ndarray, judge: np.ndarray) -> np.ndarray:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        scores = np.zeros((len(judge), len(NAMES)))
        for k in np.flatnonzero(self.labels[learn].any(axis=0)):
            line = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
            line.fit(self.features[learn], self.labels[learn, k])
            scores[:, k] = line.decision_function(self.features[judge])
        return scores


class FineTuning:
    """DenseNet-121, all of its layers trained, from the shipped weights or from random ones."""

    def __init__(self, shipped: bool, pictures: np.ndarray, labels: np.ndarray, epochs: int, precision: str):
        self.shipped, self.pictures, self.labels = shipped, pictures, labels.astype(np.float32)
        self.epochs, self.precision, self.network = epochs, precision, None
        self.shown = len(labels) * (FOLDS - 1) // FOLDS // BATCH * BATCH  # images an epoch, whole batches

    def build(self) -> None:
        """Build the network once, since that takes most of a minute; each fold begins with its first weights."""
        import keras

        size, shown = self.pictures.shape[1], self.shown * self.epochs
        recipe = pretrain.Recipe(
            "densenet121", findings.FINDINGS, ((size, shown),), patients=shown, batch=BATCH, part=shown, rate=RATE
        )
        keras.utils.set_random_seed(0)
        self.network = pretrain.learner(recipe, self.precision)
        network = self.network.layers[-1]  # behind the augmentation
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.9  # with 0.99, what it starts with would not be forgotten in so few steps
        self.network.compile(self.network.optimizer, keras.losses.BinaryCrossentropy(from_logits=True))
        if self.shipped:
            network.set_weights(models.unpack(models.weights_path(NAME)))
        self.variables = [*self.network.variables, *self.network.optimizer.variables]
        self.first = [keras.ops.convert_to_numpy(variable) for variable in self.variables]

    def __call__(self, learn: np.ndarray, judge: np.ndarray) -> np.ndarray:
        if self.network is None:
            self.build()
        for variable, value in zip(self.variables, self.first, strict=True):
            variable.assign(value)
        for epoch in range(self.epochs):
            rows = np.resize(np.random.default_rng(epoch).permutation(learn), self.shown)
            self.network.fit(self.pictures[rows], self.labels[rows], batch_size=BATCH, shuffle=False, verbose=0)
        return self.network.predict(self.pictures[judge], batch_size=BATCH, verbose=0)


if __name__ == "__main__":
    main()
