"""The data sets of the lessons: one face for the embedded and the real data.

Each task is a module with the same face: ``NAME``; ``LESSONS``, the numbers of the lessons that need it; ``load(...,
source)`` returns a table, ``prepare()`` makes the embedded files, ``embedded()`` says where they are and what they are
made from. How published data are read is in ``collections/``; how they are fetched, in ``classroom.fetching``. A new
task needs its module, its name in REGISTRY, and a card in data/README.md.
"""

from collections.abc import Iterable

from medlessons.data import anemia, brain, covid, findings, orientation

REGISTRY = {task.NAME: task for task in (anemia, orientation, findings, covid, brain)}


def prepare(lessons: Iterable[int]) -> None:
    """Make the embedded data of some lessons, which are given by their numbers."""
    numbers = set(lessons)
    for task in REGISTRY.values():
        if numbers & set(task.LESSONS):
            task.prepare()
