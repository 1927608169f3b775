"""What it saves to compute the features of a frozen backbone once (lesson 4): seconds, and the ratio.

    python scripts/frozen_features.py [--epochs 80]

The published way sends every image through the frozen backbone in each epoch. Measured here are one such epoch for each
backbone (times the number of epochs), and beside it the features of all images once and then all epochs of the head.
Seconds are wall-clock seconds of this machine, on the embedded images, 96 x 96 pixels.
"""

import argparse
import time

import numpy as np

from medlessons import images, models, training
from medlessons.checks.covid import preprocess, with_head
from medlessons.data import covid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--images", type=int, default=300)
    options = parser.parse_args()
    training.reproducible(seed=0)
    table = covid.load_simulated("published").head(options.images)
    gray, truth = images.load(table["path"], 96), table["label"].map(covid.LABELS.index).to_numpy()
    total = {"published": 0.0, "features once": 0.0}
    print(f"{'backbone':<12}{'published way, s':>18}{'features once, s':>18}{'ratio':>8}")
    for name in models.BACKBONES:
        published, once = measure(name, preprocess(gray, name), truth, options.epochs)
        total = {"published": total["published"] + published, "features once": total["features once"] + once}
        print(f"{name:<12}{published:>18.0f}{once:>18.1f}{published / once:>8.0f}")
    print(
        f"{'all':<12}{total['published']:>18.0f}{total['features once']:>18.1f}"
        f"{total['published'] / total['features once']:>8.0f}"
    )


def measure(name: str, ready: np.ndarray, truth: np.ndarray, epochs: int) -> tuple[float, float]:
    """Return the seconds of the published way, and of features computed once with all epochs of the head."""
    import keras

    base = models.backbone(name, ready.shape[1], "random")
    model = with_head(base, len(covid.LABELS))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(ready[:15], truth[:15], batch_size=15, verbose=0)  # compiles; not counted on either side
    started = time.perf_counter()
    model.fit(ready, truth, batch_size=15, verbose=0)
    published = epochs * (time.perf_counter() - started)

    started = time.perf_counter()
    maps = training.extract_features(base, ready, label=name)
    head = with_head(keras.Sequential([keras.Input(maps.shape[1:]), keras.layers.Identity()]), len(covid.LABELS))
    head.compile("adam", "sparse_categorical_crossentropy")
    training.fit_quickly(head, maps, truth, epochs, batch_size=15)
    return published, time.perf_counter() - started


if __name__ == "__main__":
    main()
