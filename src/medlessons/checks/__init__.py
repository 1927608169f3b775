# ruff: noqa: F401 (what is imported here is what the lessons use)
"""The checks of the exercises, one module a lesson: ``checks.anemia.check_neuron``.

A check compares what the student wrote with the reference. It prints whether the exercise is done, or which
classic mistake was made, and it returns the student's object if that is right and the reference if it is missing
or wrong: so the rest of a lesson always runs.
"""

from medlessons.checks import anemia, brain, covid, evaluation, findings, orientation
from medlessons.checks.exercise import summary
