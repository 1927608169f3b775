"""The data sets of the lessons: one face for the embedded and the real data."""
