"""Measure speed and peak memory of the lessons and of the helpers: ``make bench``, ``make bench LESSON=1``.

Nothing here is a test: seconds differ from machine to machine and from run to run. Each helper is timed several
times, and the fastest run counts, since noise only ever adds.
"""

import argparse
import time
from collections.abc import Callable

import nbformat
import numpy as np
import pandas as pd

from classroom import notebooks

MEMORY_CELL = """
import resource, sys
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform != "darwin" else 2**30))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lesson", help="numbers, such as 1 or 1,2; all unless given")
    options = parser.parse_args()
    print(f"{'helper':<52}{'a second':>12}")
    for name, function in helpers().items():
        print(f"{name:<52}{1 / fastest(function):>12.2f}")
    print(f"\n{'lesson':<52}{'seconds':>12}{'peak memory, GB':>18}")
    for lesson in notebooks.find(options.lesson):
        seconds, gigabytes = measure(lesson)
        print(f"{lesson.number} {lesson.title[:48]:<50}{seconds:>12.1f}{gigabytes:>18.2f}")


def helpers() -> dict[str, Callable[[], object]]:
    """Return what is timed: a name and a function that does it once."""
    from medlessons import gradcam, models
    from medlessons.checks.anemia import split
    from medlessons.data import anemia
    from medlessons.evaluation import auroc, cluster_bootstrap_ci
    from simclinic import blood, thorax

    counts = pd.DataFrame(blood.draw())
    patient = thorax.draw_patient(1)
    rng = np.random.default_rng(0)
    network, film = models.load("chestxray8"), thorax.radiograph(patient, "PA", 128).image[np.newaxis, ..., np.newaxis]
    truth, score, patients = rng.integers(0, 2, 500), rng.random(500), rng.integers(0, 200, 500)
    return {
        "blood counts of 1,281 patients": blood.draw,
        "check of 1,281 blood counts": lambda: anemia.validate(counts),
        "split without leakage, 1,281 rows": lambda: split(counts, 0),
        "radiograph 128 x 128, frontal": lambda: thorax.radiograph(patient, "PA", 128),
        "radiograph 320 x 320, frontal": lambda: thorax.radiograph(patient, "PA", 320),
        "radiograph 320 x 320, lateral": lambda: thorax.radiograph(patient, "L", 320),
        "AUROC interval by patient, 500 images": lambda: cluster_bootstrap_ci(auroc, truth, score, patients),
        "DenseNet-121, one image 128 x 128": lambda: models.probabilities(network, film),
        "Grad-CAM of 14 findings, one image": lambda: gradcam.grad_cam(network, film),
        "Grad-CAM, one finding after the other": lambda: [gradcam.grad_cam(network, film, [k]) for k in range(14)],
    }


def fastest(function: Callable[[], object], runs: int = 5) -> float:
    """Return the seconds of the fastest of several runs."""
    function()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def measure(lesson: notebooks.Lesson) -> tuple[float, float]:
    """Return the seconds and the peak memory (GB) of one lesson."""
    notebook = notebooks.read(lesson.path)
    notebook.cells.append(nbformat.v4.new_code_cell(MEMORY_CELL))
    started = time.perf_counter()
    notebooks.execute_notebook(notebook, lesson.path.parent, f"Lesson {lesson.number}")
    return time.perf_counter() - started, float(notebook.cells[-1].outputs[0].text)


if __name__ == "__main__":
    main()
