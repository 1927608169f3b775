"""The one error of the lessons: something that the reader can mend."""


class LessonError(ValueError):
    """A mistake, a missing file or a damaged one, explained in a sentence or two.

    The message says where the fault is, what was expected, and what to do next.
    """

    def _render_traceback_(self) -> list[str]:
        # IPython calls this: a notebook then shows the explanation alone, without the lines that led there.
        return [f"{type(self).__name__}: {self}"]
