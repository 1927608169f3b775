"""The data sets of the lessons: one face for the embedded and the real data.

Each data set is a module with the same functions: ``prepare()`` makes the embedded files, ``fetch(origin)`` brings the
published ones, ``status()`` says what is there, and ``load(source)`` returns the table.
"""

from medlessons.datasets import anemia, orientation
from medlessons.datasets.places import Status

REGISTRY = {"anemia": anemia, "orientation": orientation}


def status() -> list[Status]:
    """Return what is there of every data set, embedded and real."""
    return [line for dataset in REGISTRY.values() for line in dataset.status()]
