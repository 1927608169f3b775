"""A simulated brain: heads with and without a tumor, scanned with four MRI sequences, with known truth."""

from simclinic.brain.head import CENTER, KINDS, Head, Scan, draw_head, scan
from simclinic.brain.lookalikes import SPOT, STROKE, VESSEL
from simclinic.brain.mri import CHANNELS, STYLES, TISSUES, Style, signal
from simclinic.brain.tumor import EDEMA, ENHANCING, NON_ENHANCING, Tumor

TRAINING_STYLES = tuple(name for name, style in STYLES.items() if not style.unseen)
UNSEEN_STYLES = tuple(name for name, style in STYLES.items() if style.unseen)

__all__ = [
    "CENTER",
    "CHANNELS",
    "EDEMA",
    "ENHANCING",
    "KINDS",
    "NON_ENHANCING",
    "SPOT",
    "STROKE",
    "STYLES",
    "TISSUES",
    "TRAINING_STYLES",
    "UNSEEN_STYLES",
    "VESSEL",
    "Head",
    "Scan",
    "Style",
    "Tumor",
    "draw_head",
    "scan",
    "signal",
]
