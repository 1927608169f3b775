# ruff: noqa: F401 (what is imported here is what the lessons use)
"""Every figure of the lessons.

A plot function draws, labels its axes, attaches one sentence that is generated from what it drew, and returns the
Axes. :func:`show` then displays the picture with that sentence as its caption and as its alternative text.

Figures that several lessons use stand here (``plots.confusion``), those of one lesson in its module
(``plots.anemia.scales``).
"""

from medlessons.plots import anemia, brain, covid, evaluation, findings, orientation
from medlessons.plots.common import confusion, learning_curves, losses, predictions, probabilities, radiographs, scores
from medlessons.plots.figure import caption, show
