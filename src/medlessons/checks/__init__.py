"""The checks of the exercises.

A check compares what the student wrote with the reference. It prints whether the exercise is done, or which
classic mistake was made, and it returns the student's object if that is right and the reference if it is missing
or wrong: so the rest of a lesson always runs.
"""

from medlessons.checks.anemia import (
    check_count_parameters,
    check_identity_errors,
    check_macro_recall,
    check_neuron,
    check_scale,
    check_split,
)
from medlessons.checks.exercise import summary

__all__ = [
    "check_count_parameters",
    "check_identity_errors",
    "check_macro_recall",
    "check_neuron",
    "check_scale",
    "check_split",
    "summary",
]
