"""A simulated chest: a 3-D patient, and radiographs of it with known truth."""

from simclinic.thorax.anatomy import Patient, draw_patient
from simclinic.thorax.findings import (
    COOCCURRENCE,
    FINDINGS,
    PNEUMONIAS,
    PREVALENCE,
    Finding,
    draw_findings,
    mined_labels,
)
from simclinic.thorax.imaging import FAULTS, Radiograph, radiograph
from simclinic.thorax.projection import VIEWS
from simclinic.thorax.styles import STYLES, Style, draw_style

__all__ = [
    "COOCCURRENCE",
    "FAULTS",
    "FINDINGS",
    "PNEUMONIAS",
    "PREVALENCE",
    "STYLES",
    "VIEWS",
    "Finding",
    "Patient",
    "Radiograph",
    "Style",
    "draw_findings",
    "draw_patient",
    "draw_style",
    "mined_labels",
    "radiograph",
]
