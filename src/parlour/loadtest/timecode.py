"""A number drawn into a picture, and read again from a composed one: which picture of a film is seen in a tile.

A row of eight cells lies across the middle, dark or light. Seven hold the number as Gray code, so that two pictures
laid over one another do not read as a third; the eighth makes the count of light cells even. The code has to survive
two encodes and being shrunk to a tile of a tenth of the canvas.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

NUMBERS: Final = 128
"""How many numbers there are: 0 to 127, and 0 follows 127."""
DARK: Final = 24
LIGHT: Final = 220
BAND: Final = (1 / 16, 3 / 8, 15 / 16, 5 / 8)
"""Left, top, right and bottom of the row of cells as parts of the picture."""

UNREAD: Final = -1

_BITS = 7
_CELLS = _BITS + 1
_MIDDLE = (DARK + LIGHT) / 2
_UNSURE = (LIGHT - DARK) / 5
"""Cells nearer than this to the middle are not read: the picture changes just now, or is no such picture."""
_POINTS = (0.35, 0.5, 0.65)
"""Where a cell is looked at, as parts of its sides."""

Rect = tuple[float, float, float, float]
"""Left, top, width and height, in pixels of the canvas."""


def cells_of(number: int) -> list[bool]:
    """The cells from left to right, true for light."""
    gray = number ^ number >> 1
    bits = [bool(gray >> place & 1) for place in reversed(range(_BITS))]
    return [*bits, sum(bits) % 2 == 1]


def draw(luma: NDArray[np.uint8], number: int) -> None:
    """Draw a number, 0 to 127, into the luma plane of a picture: ``uint8``, rows by columns."""
    height, width = luma.shape
    left, top, right, bottom = BAND
    edges = [round((left + (right - left) * cell / _CELLS) * width) for cell in range(_CELLS + 1)]
    rows = slice(round(top * height), round(bottom * height))
    for cell, light in enumerate(cells_of(number)):
        luma[rows, edges[cell] : edges[cell + 1]] = LIGHT if light else DARK


class Reader:
    """Reads the numbers in the tiles of a canvas, all of them at once."""

    def __init__(self, tiles: Sequence[Rect]) -> None:
        left, top, right, bottom = BAND
        across = [left + (right - left) * (cell + point) / _CELLS for cell in range(_CELLS) for point in _POINTS]
        down = [top + (bottom - top) * point for point in _POINTS]
        xs = np.array([[x + part * width for part in across] for x, _, width, _ in tiles]).reshape(
            len(tiles), len(across)
        )
        ys = np.array([[y + part * height for part in down] for _, y, _, height in tiles]).reshape(
            len(tiles), len(down)
        )
        self._xs = xs.astype(np.intp)[:, None, :]
        self._ys = ys.astype(np.intp)[:, :, None]

    def read(self, luma: NDArray[np.uint8]) -> list[int]:
        """The number in each tile of a canvas's luma plane, ``UNREAD`` where there is none to be made out."""
        count = len(self._xs)
        if not count:
            return []
        points = luma[self._ys, self._xs].reshape(count, len(_POINTS), _CELLS, len(_POINTS))
        cells = points.mean(axis=(1, 3)) - _MIDDLE
        light = cells > 0
        sure = (np.abs(cells) > _UNSURE).all(axis=1) & (light.sum(axis=1) % 2 == 0)
        gray = light[:, :_BITS] @ (1 << np.arange(_BITS)[::-1])
        numbers = gray ^ gray >> 1
        numbers ^= numbers >> 2
        numbers ^= numbers >> 4
        return [int(number) if fine else UNREAD for number, fine in zip(numbers, sure, strict=True)]
