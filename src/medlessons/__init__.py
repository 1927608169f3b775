"""Helpers that the lessons on deep learning for medical diagnosis import. Not for medical use."""

from medlessons import settings

__version__ = "1.0.0"

settings.set_defaults()  # before anything imports TensorFlow or scikit-learn
