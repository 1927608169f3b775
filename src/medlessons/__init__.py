"""Helpers that the lessons on deep learning for medical diagnosis import. Not for medical use."""

__version__ = "1.0.0"
