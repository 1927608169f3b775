"""The data sets of the lessons: one face for the embedded and the real data.

Each task is a module with the same face: ``NAME``; ``LESSONS``, the numbers of the lessons that need it; ``load(...,
source)`` returns a table, ``prepare()`` makes the embedded files, ``fetch(origin)`` brings the published ones,
``sources()`` says under which licence, ``layouts()`` how they lie, and ``status()`` what is there. Where published data
lie and how they are read is in ``published/``. A new task needs its module, its name in REGISTRY, and a card in
data/README.md.
"""

from collections.abc import Iterable

from medlessons.data import anemia, covid, findings, orientation
from medlessons.data.places import Status

REGISTRY = {task.NAME: task for task in (anemia, orientation, findings, covid)}


def prepare(lessons: Iterable[int]) -> None:
    """Make the embedded data of some lessons, which are given by their numbers."""
    numbers = set(lessons)
    for task in REGISTRY.values():
        if numbers & set(task.LESSONS):
            task.prepare()


def status() -> list[Status]:
    """Return what is there of every data set, embedded and real."""
    return [line for dataset in REGISTRY.values() for line in dataset.status()]
