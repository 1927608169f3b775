"""Simulated patients, whose ground truth is known."""

VERSION = 2
"""Raise it when the same patient comes out otherwise: embedded sets of another version are made again.

tests/simclinic/test_clinic.py notices when that is due.
"""
