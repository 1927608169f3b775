"""Every figure of the lessons.

A plot function draws, labels its axes, attaches one sentence that is generated from what it drew, and returns the
Axes. :func:`show` then displays the picture with that sentence as its caption and as its alternative text.
"""

from medlessons.plots import anemia, orientation
from medlessons.plots.common import confusion, learning_curves
from medlessons.plots.figure import caption, show

__all__ = ["anemia", "caption", "confusion", "learning_curves", "orientation", "show"]
