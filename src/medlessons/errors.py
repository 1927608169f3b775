"""The one error of the lessons: something that the reader can put right."""

from simclinic.errors import LessonError

__all__ = ["LessonError"]
