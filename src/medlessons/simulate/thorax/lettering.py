"""Marker letters: what a department burns into its images."""

from functools import lru_cache

import numpy as np

# A font of 5 x 7 pixels: five columns a letter, the lowest bit on top.
_COLUMNS = {
    "A": "7E1111117E", "B": "7F49494936", "C": "3E41414122", "D": "7F4141221C", "E": "7F49494941",
    "F": "7F09090901", "G": "3E4149497A", "H": "7F0808087F", "I": "00417F4100", "J": "2040413F01",
    "K": "7F08142241", "L": "7F40404040", "M": "7F020C027F", "N": "7F0408107F", "O": "3E4141413E",
    "P": "7F09090906", "Q": "3E4151215E", "R": "7F09192946", "S": "4649494931", "T": "01017F0101",
    "U": "3F4040403F", "V": "1F2040201F", "W": "3F4038403F", "X": "6314081463", "Y": "0708700807",
    "Z": "6151494543", "0": "3E5149453E", "1": "00427F4000", "2": "4261514946", "3": "2141454B31",
    "4": "1814127F10", "5": "2745454539", "6": "3C4A494930", "7": "0171090503", "8": "3649494936",
    "9": "064949291E",
}  # fmt: skip


@lru_cache(maxsize=64)
def letters(text: str, height: int) -> np.ndarray:
    """Return the coverage (0..1) of a line of capital letters and digits, ``height`` pixels tall."""
    columns = []
    for letter in text.upper():
        bits = bytes.fromhex(_COLUMNS.get(letter, "0000000000")) + b"\0"
        columns += [[(byte >> row) & 1 for row in range(7)] for byte in bits]
    small = np.array(columns[:-1], dtype=np.float32).T
    width = max(1, round(height * small.shape[1] / 7))
    return _area(height, 7) @ small @ _area(width, small.shape[1]).T


def _area(size: int, source: int) -> np.ndarray:
    """Return the matrix (size, source) of the shares that each new pixel has in the old ones."""
    edges = np.arange(size + 1) * source / size
    low, high = edges[:-1, None], edges[1:, None]
    cell = np.arange(source)[None, :]
    share = np.clip(np.minimum(high, cell + 1) - np.maximum(low, cell), 0, None)
    return (share / share.sum(1, keepdims=True)).astype(np.float32)
