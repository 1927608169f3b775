"""Arithmetic that comes out the same on every processor, so that everybody draws the same images.

Sums, products and square roots of single numbers are the same everywhere. Other functions, and products of matrices,
differ from processor to processor in their last digit. Computed in 64 bits and rounded to 32, they do not.
"""

from functools import reduce

import numpy as np


def exp(values: np.ndarray) -> np.ndarray:
    """Return e to the power of some values, float32."""
    return np.exp(values, dtype=np.float64).astype(np.float32)


def log(values: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of positive values, float32."""
    return np.log(values, dtype=np.float64).astype(np.float32)


def power(values: np.ndarray, exponent: float) -> np.ndarray:
    """Return values of at least 0 to the power of a number, float32."""
    return np.power(values, float(exponent), dtype=np.float64).astype(np.float32)


def product(*matrices: np.ndarray) -> np.ndarray:
    """Return the product of matrices, float32."""
    return reduce(np.matmul, (matrix.astype(np.float64) for matrix in matrices)).astype(np.float32)
