"""The data sets of the lessons: one face for the embedded and the real data.

Each task is a module with the same functions: ``load(..., source)`` returns a table, ``prepare()`` makes the embedded
files, ``fetch(origin)`` brings the published ones, ``status()`` says what is there. Where published data lie and how
they are read is in ``published/``. A new task needs its module, its name in REGISTRY, and a card in data/README.md.
"""

from medlessons.datasets import anemia, covid, findings, orientation
from medlessons.datasets.places import Status

REGISTRY = {task.NAME: task for task in (anemia, orientation, findings, covid)}


def status() -> list[Status]:
    """Return what is there of every data set, embedded and real."""
    return [line for dataset in REGISTRY.values() for line in dataset.status()]
