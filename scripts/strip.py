"""Draw the picture at the top of the README: ``python scripts/strip.py docs/strip.png``.

One simulated patient of lesson 3's test set: three views of the body, what the shipped network says and where it
looks, and what is truly there. The film is one that the network reads wrongly, and its map shows what misled it.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from medlessons import gradcam, models
from medlessons.data import findings
from medlessons.plots import common
from medlessons.plots.palette import GREEN
from simclinic import clinic

FILM, SAID, TRULY = 46, "Mass", "Pleural_Thickening"
SIZE = 320  # pixels of a panel, drawn larger than the network reads it
VIEWS = {"PA": "A simulated patient: standing", "AP": "in bed", "L": "from the side"}


def strip() -> plt.Figure:
    """Return the strip, five panels wide."""
    row = findings.load("test").reset_index(drop=True).loc[FILM]
    output, heat = read(clinic.truth(row, models.image_size("chestxray8"), masks=False).image)
    film = clinic.truth(row, SIZE)
    figure, axes = plt.subplots(1, 5, figsize=(12.8, 2.8), layout="constrained")
    for ax, (view, title) in zip(axes, VIEWS.items(), strict=False):
        image = clinic.truth({**row, "view": view}, SIZE, masks=False).image
        common.draw_radiograph(ax, image, title, fontsize=12)
    common.overlay(axes[3], film.image, heat, f"The network: a {SAID.lower()} ({output:.2f})", fontsize=12)
    common.draw_radiograph(axes[4], film.image, "Truly: a thickened pleura", fontsize=12)
    axes[4].contour(film.masks[TRULY], levels=[0.5], colors=[GREEN], linewidths=1.6)
    return figure


def read(image: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the output of the shipped network for one finding, and its map."""
    network = models.load("chestxray8")
    k = network.contract["labels"].index(SAID)
    batch = image[None, ..., None].astype("float32")
    return models.probabilities(network, batch)[0, k], gradcam.grad_cam(network, batch, [k])[0, 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    strip().savefig(parser.parse_args().out, dpi=100)


if __name__ == "__main__":
    main()
