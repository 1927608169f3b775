"""Simulated patients, whose ground truth is known."""
