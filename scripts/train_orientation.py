"""Train the network of lesson 2 that has seen simulated radiographs only, and write it to models/.

Run `python scripts/train_orientation.py` from the repository. It takes some minutes. The figures that it prints belong
into models/README.md. With the published images under MEDLESSONS_DATA, it tests on them, too.
"""

import argparse
import os

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from medlessons import evaluation, images, models, settings
from medlessons.datasets import download, orientation
from medlessons.errors import LessonError
from medlessons.simulate import thorax

SIZE = 96
FIRST_SEED = 1_000_000  # far from the patients of the lesson (20,000 and 40,000 on)


def draw(patients: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return radiographs, uint8 of shape (2 * patients, SIZE, SIZE, 1), and labels: a frontal and a lateral of each."""
    rng = np.random.default_rng(seed)
    pictures, labels = [], []
    for number in tqdm(range(seed, seed + patients), desc="simulating"):
        age = float(rng.uniform(1, 15)) if rng.random() < 0.05 else None
        body = thorax.draw_patient(number, age=age)
        findings = thorax.draw_findings(rng) if rng.random() < 0.7 else ()
        for view in ("PA" if rng.random() < 0.5 else "AP", "L"):
            style = thorax.draw_style(rng)
            shown = thorax.radiograph(body, view=view, size=SIZE, findings=findings, style=style)
            pictures.append(shown.image)
            labels.append(view == "L")
    return np.stack(pictures)[..., np.newaxis], np.array(labels, np.float32)


def augmentation() -> keras.Sequential:
    """Return what varies between hospitals and is not in the simulator: framing, tilt, contrast, mirrored laterals."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.RandomZoom((-0.25, 0.15), (-0.25, 0.15), fill_mode="nearest", seed=1),
            layers.RandomTranslation(0.1, 0.1, fill_mode="nearest", seed=2),
            layers.RandomRotation(0.03, fill_mode="nearest", seed=3),
            layers.RandomContrast(0.5, value_range=(0, 255), seed=4),
            layers.RandomBrightness(0.25, value_range=(0, 255), seed=5),
        ]
    )


def train(patients: int, epochs: int) -> keras.Model:
    """Return a network trained on simulated patients; the last tenth of them are for watching."""
    keras.utils.set_random_seed(0)
    pictures, labels = draw(patients, FIRST_SEED)
    cut = 2 * (patients // 10)
    network = models.orientation(SIZE)
    inputs = keras.Input((SIZE, SIZE, 1))
    learner = keras.Model(inputs, network(augmentation()(inputs)))
    steps = -(-len(labels[cut:]) // 64) * epochs
    learner.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)), "binary_crossentropy")
    learner.fit(
        pictures[cut:].astype(np.float32),
        labels[cut:],
        validation_data=(pictures[:cut].astype(np.float32), labels[:cut]),
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


def main() -> None:
    """Train, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--keep", action="store_true", help="measure only; leave models/ as it is")
    arguments = parser.parse_args()
    network = train(arguments.patients, arguments.epochs)
    print(f"{network.count_params():,} parameters")
    measure(network, orientation.load_external("embedded"), "simulated hospitals not trained on")
    try:
        measure(network, orientation.load("real"), "published collection")
    except LessonError as error:
        print(error)
    if arguments.keep:
        return
    path = settings.models_dir() / "orientation.keras"
    with download.placing(path) as temporary:
        network.save(temporary)
    models.record(path)
    print(f"{path.name}: {os.path.getsize(path):,} bytes")


if __name__ == "__main__":
    main()
