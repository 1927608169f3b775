"""Simulated frontal radiographs beside real ones: mean images, where they differ, and a sheet to look at.

    python scripts/look_at_thorax.py REAL OUT [--images 600]

REAL is a folder of real frontal radiographs (PNG or JPEG), for example those of ChestX-ray8. OUT then holds the
simulated images (``simulated/0000.png`` and so on, one patient each, drawn as for a training set), ``means.png`` (mean
real, mean simulated, difference) and ``sheet.png`` (rows of real and simulated images in turn). Printed are the gray
profiles, in standard deviations of an image, along the midline, through the right lung and across at five heights.

Never commit what it writes: the sheet and the means hold images of patients.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from PIL import Image

from simclinic import thorax

SIZE, SHOWN = 128, 480  # pixels: compared, and of a mean image as it is written
CHILDREN, HEALTHY, SUPINE = 0.08, 0.25, 0.4  # shares


def draw(seed: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Return one simulated frontal radiograph, and the seconds of processor time it took."""
    rng = np.random.default_rng(seed)
    age = float(rng.uniform(1, 16)) if rng.random() < CHILDREN else None
    patient = thorax.draw_patient(int(rng.integers(10**7, 10**8)), age=age)
    often = {name: max(0.07, share) for name, share in thorax.PREVALENCE.items()}
    findings = () if rng.random() < HEALTHY else thorax.draw_findings(rng, often)
    view, style, visit = "AP" if rng.random() < SUPINE else "PA", thorax.draw_style(rng), int(rng.integers(3))
    start = time.process_time()
    image = thorax.radiograph(patient, view, SIZE, findings=findings, style=style, visit=visit).image
    return image, time.process_time() - start


def read(folder: Path) -> np.ndarray:
    """Return all images of a folder as gray squares (n, SIZE, SIZE)."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        raise SystemExit(f"{folder} holds no PNG or JPEG files; give the folder of the real radiographs.")
    return np.stack([np.asarray(Image.open(path).convert("L").resize((SIZE, SIZE), Image.BILINEAR)) for path in paths])


def mean_image(images: np.ndarray) -> np.ndarray:
    """Return the mean of images that are standardised one by one."""
    images = images.astype(np.float32)
    spread = images.std((1, 2), keepdims=True) + 1e-3
    return ((images - images.mean((1, 2), keepdims=True)) / spread).mean(0)


def print_profiles(real: np.ndarray, simulated: np.ndarray) -> None:
    """Print the gray of both mean images along two vertical and five horizontal lines."""
    step, half = SIZE // 16, SIZE // 32
    lines = {"midline": (slice(half, None, step), SIZE // 2), "right lung": (slice(half, None, step), 5 * SIZE // 16)}
    lines |= {
        f"height {share:.2f}": (round(share * SIZE), slice(half, None, step)) for share in (0.2, 0.35, 0.5, 0.65, 0.85)
    }
    for name, place in lines.items():
        for title, image in (("real", real), ("simulated", simulated)):
            print(f"{name:12s} {title:10s}", " ".join(f"{gray:5.1f}" for gray in image[place]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=600)
    given = parser.parse_args()
    real = read(given.real)
    with ProcessPoolExecutor() as pool:
        drawn = list(pool.map(draw, [(0, number) for number in range(given.images)], chunksize=25))
    simulated = np.stack([image for image, _ in drawn])
    print(f"{given.images / sum(seconds for _, seconds in drawn):.0f} images of {SIZE} pixels a second and core")
    (given.out / "simulated").mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(simulated):
        Image.fromarray(image).save(given.out / "simulated" / f"{number:04d}.png")
    means = mean_image(real), mean_image(simulated)
    print_profiles(*means)
    shown = np.clip(128 + 55 * np.hstack([*means, means[1] - means[0]]), 0, 255).astype(np.uint8)
    Image.fromarray(shown).resize((3 * SHOWN, SHOWN), Image.BICUBIC).save(given.out / "means.png")
    rng = np.random.default_rng(0)
    rows = [np.hstack(rng.permutation(group)[:10]) for _ in range(3) for group in (real, simulated)]
    Image.fromarray(np.vstack(rows)).save(given.out / "sheet.png")


if __name__ == "__main__":
    main()
