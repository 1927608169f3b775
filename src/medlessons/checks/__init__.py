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
from medlessons.checks.orientation import (
    check_convolve,
    check_count_weights,
    check_sensitivity_specificity,
    check_split_patients,
    check_steps_per_epoch,
    check_turn_upside_down,
)

__all__ = [
    "check_convolve",
    "check_count_parameters",
    "check_count_weights",
    "check_identity_errors",
    "check_macro_recall",
    "check_neuron",
    "check_scale",
    "check_sensitivity_specificity",
    "check_split",
    "check_split_patients",
    "check_steps_per_epoch",
    "check_turn_upside_down",
    "summary",
]
