"""The picture of a room while it is made: one I420 canvas that lives as long as the room."""

from typing import NamedTuple

import numpy as np
from av import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from parlour.media.video.colour import BACKGROUND, Yuv, to_yuv

Plane = NDArray[np.uint8]


class Rect(NamedTuple):
    """A part of the canvas in pixels. All four are even, so that chroma samples are not shared between tiles."""

    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: "Rect") -> bool:
        """Whether the two share a pixel."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


def rows_of(plane: VideoPlane) -> Plane:
    """The bytes of a frame's plane, uncopied: one row of ``line_size`` each, padding on the right included."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)


class Place(NamedTuple):
    """A rectangle of the canvas to paste frames of its size to: its part of each plane."""

    y: Plane
    u: Plane
    v: Plane

    def paste(self, frame: VideoFrame) -> None:
        """Copy a yuv420p frame of this very size."""
        for target, source in zip(self, frame.planes, strict=True):
            target[...] = np.ndarray(target.shape, np.uint8, memoryview(source), 0, (source.line_size, 1))


class Canvas:
    """Limited-range BT.601 pixels in one array of ``height * 3 // 2`` rows of ``width`` bytes: Y, then U, then V.

    ``width`` must be even and ``height`` a multiple of four. Raises `ValueError` for others.
    """

    def __init__(self, width: int, height: int) -> None:
        if width <= 0 or height <= 0 or width % 2 or height % 4:
            raise ValueError(f"a canvas of {width}×{height} pixels cannot be divided into 4:2:0 planes")
        self.width, self.height = width, height
        self._pixels: Plane = np.empty((height * 3 // 2, width), np.uint8)
        quarter = height // 4
        self._planes: tuple[Plane, Plane, Plane] = (
            self._pixels[:height],
            self._pixels[height : height + quarter].reshape(height // 2, width // 2),
            self._pixels[height + quarter :].reshape(height // 2, width // 2),
        )
        self.background = to_yuv(BACKGROUND)
        self.fill(Rect(0, 0, width, height), self.background)
        self.shared = self.frame()
        """The frame that the one user takes who needs no own."""

    def frame(self) -> VideoFrame:
        """A frame that shares the canvas's pixels.

        Each user takes one of its own: encoders write time and type into it.
        """
        return VideoFrame.from_numpy_buffer(self._pixels, "yuv420p")

    def check(self, rect: Rect) -> None:
        """Raise `ValueError` for a rectangle that is empty, uneven or not within the canvas."""
        if any(edge % 2 for edge in rect) or min(rect.width, rect.height) < 2 or min(rect.x, rect.y) < 0:
            raise ValueError(f"a tile needs even edges: {rect}")
        if rect.x + rect.width > self.width or rect.y + rect.height > self.height:
            raise ValueError(f"a tile beyond the canvas: {rect}")

    def fill(self, rect: Rect, colour: Yuv) -> None:
        """Paint a rectangle in one colour."""
        for plane, value, shift in zip(self._planes, colour, (0, 1, 1), strict=True):
            plane[
                rect.y >> shift : (rect.y + rect.height) >> shift, rect.x >> shift : (rect.x + rect.width) >> shift
            ] = value

    def place(self, rect: Rect) -> Place:
        """Where frames go that fill a rectangle."""
        x, y, width, height = rect
        return Place(
            *(
                plane[y >> shift : (y + height) >> shift, x >> shift : (x + width) >> shift]
                for plane, shift in zip(self._planes, (0, 1, 1), strict=True)
            )
        )

    def border(self, rect: Rect, thickness: int, colour: Yuv) -> None:
        """Draw a frame of an even thickness along the inside of a rectangle."""
        x, y, width, height = rect
        self.fill(Rect(x, y, width, thickness), colour)
        self.fill(Rect(x, y + height - thickness, width, thickness), colour)
        self.fill(Rect(x, y, thickness, height), colour)
        self.fill(Rect(x + width - thickness, y, thickness, height), colour)
