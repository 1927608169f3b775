"""Train the network of lesson 2 that has seen simulated radiographs only, and write it to models/.

Run `python scripts/train_orientation.py` from the repository. It takes about ten minutes on two cores. It trains the
same network from three seeds, prints the figures of each, and keeps the first: the other two show how much luck there
is. The figures belong into models/README.md. With the published images under MEDLESSONS_DATA, it tests on them, too.
"""

import argparse
import os

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from medlessons import evaluation, images, models, settings
from medlessons.datasets import orientation
from medlessons.errors import LessonError
from medlessons.files import placing
from medlessons.simulate import thorax

SIZE = 96
SEEDS = (0, 1, 2)
PATIENTS = (10**7, 10**8)  # seeds of the patients: far from those of the lesson
SEVERE = ("COVID-19", "Edema", "Consolidation", "Infiltration", "Pneumonia", "Effusion")


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return radiographs, uint8 of shape (count, SIZE, SIZE, 1), and labels: each of another patient and hospital."""
    rng = np.random.default_rng(seed)
    pictures, labels = [], []
    for _ in tqdm(range(count), desc="simulating"):
        age = float(rng.uniform(1, 16)) if rng.random() < 0.12 else None
        body = thorax.draw_patient(int(rng.integers(*PATIENTS)), age=age)
        view = str(rng.choice(["PA", "AP", "L"], p=[0.28, 0.27, 0.45]))
        style, visit = thorax.draw_style(rng), int(rng.integers(3))
        shown = thorax.radiograph(body, view, SIZE, findings=draw_disease(rng), style=style, visit=visit)
        pictures.append(shown.image)
        labels.append(view == "L")
    return np.stack(pictures)[..., np.newaxis], np.array(labels, np.float32)


def draw_disease(rng: np.random.Generator) -> tuple[thorax.Finding, ...]:
    """Draw more, and more severe, findings than people have: a collection of published cases is like that."""
    often = {name: min(0.5, 1.5 * share + 0.02) for name, share in thorax.PREVALENCE.items()}
    findings = list(thorax.draw_findings(rng, often))
    if rng.random() < 0.4:
        name = str(rng.choice(thorax.PNEUMONIAS, p=[0.7, 0.15, 0.15]))
        findings.append(thorax.Finding(name, float(rng.random()), seed=int(rng.integers(2**31))))
    if rng.random() < 0.12:
        for name in rng.choice(SEVERE, 3, replace=False):
            findings.append(thorax.Finding(str(name), float(rng.uniform(0.6, 1)), "both", int(rng.integers(2**31))))
    return tuple(findings)


class RandomGamma(keras.layers.Layer):
    """Bend the display curve of each training image: gray levels from 0 to 1, to a power between 0.5 and 2."""

    def __init__(self, seed: int):
        super().__init__()
        self.random = keras.random.SeedGenerator(seed)

    def call(self, batch, training=False):
        if not training:
            return batch
        power = keras.random.uniform((keras.ops.shape(batch)[0], 1, 1, 1), -0.7, 0.7, seed=self.random)
        return keras.ops.power(keras.ops.clip(batch, 1e-4, 1), keras.ops.exp(power))


def augmentation(seed: int) -> keras.Sequential:
    """Return what varies between hospitals and is not in the simulator: framing, contrast, noise, mirrored images."""
    layers = keras.layers
    framing = {"fill_mode": "constant", "fill_value": 0.0}
    return keras.Sequential(
        [
            layers.Rescaling(1 / 255),
            layers.RandomZoom((-0.35, 0.15), (-0.35, 0.15), seed=seed, **framing),
            layers.RandomTranslation(0.1, 0.1, seed=seed + 1, **framing),
            layers.RandomFlip("horizontal", seed=seed + 2),
            RandomGamma(seed + 3),
            layers.RandomContrast(0.5, value_range=(0, 1), seed=seed + 4),
            layers.RandomBrightness(0.2, value_range=(0, 1), seed=seed + 5),
            layers.GaussianNoise(0.03, seed=seed + 6),
            layers.Rescaling(255),
        ]
    )


def train(pictures: np.ndarray, labels: np.ndarray, epochs: int, seed: int) -> keras.Model:
    """Return a network trained on simulated patients; the last tenth of them are for watching."""
    keras.utils.set_random_seed(seed)
    cut = len(labels) * 9 // 10
    network = models.orientation(SIZE)
    inputs = keras.Input((SIZE, SIZE, 1))
    learner = keras.Model(inputs, network(augmentation(10 * seed)(inputs)))
    steps = -(-cut // 64) * epochs
    learner.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        keras.losses.BinaryCrossentropy(label_smoothing=0.04),
    )
    learner.fit(
        pictures[:cut].astype(np.float32),
        labels[:cut],
        validation_data=(pictures[cut:].astype(np.float32), labels[cut:]),
        batch_size=64,
        epochs=epochs,
        verbose=2,
    )
    return network


def measure(network: keras.Model, table: pd.DataFrame, name: str) -> None:
    """Print AUROC with its interval by patient, and accuracy at 0.5."""
    truth = (table["label"] == "lateral").to_numpy(int)
    score = network.predict(images.load(table["path"], SIZE), verbose=0)[:, 0]
    low, high = evaluation.interval_by_patient(evaluation.auroc, truth, score, table["patient"])
    print(
        f"{name}: {len(table)} images of {table['patient'].nunique()} patients, {truth.sum()} lateral; "
        f"AUROC {evaluation.auroc(truth, score):.3f} ({low:.3f} to {high:.3f}), "
        f"accuracy {evaluation.accuracy(truth, score > 0.5):.3f}, always frontal {1 - truth.mean():.3f}"
    )


def measure_everywhere(network: keras.Model) -> None:
    """Measure on simulated hospitals that it has not seen and, where they are present, on the published images."""
    measure(network, orientation.load_external("embedded"), "simulated hospitals not trained on")
    try:
        measure(network, orientation.load("real"), "published collection")
    except LessonError as error:
        print(error)


def main() -> None:
    """Train, measure, save the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()
    pictures, labels = draw(arguments.images, seed=6)
    for seed in SEEDS:
        network = train(pictures, labels, arguments.epochs, seed)
        print(f"seed {seed}, {network.count_params():,} parameters")
        measure_everywhere(network)
        if seed == SEEDS[0]:
            path = settings.models_dir() / "orientation.keras"
            with placing(path) as temporary:
                network.save(temporary)
            models.record(path)
            print(f"{path.name}: {os.path.getsize(path):,} bytes")


if __name__ == "__main__":
    main()
