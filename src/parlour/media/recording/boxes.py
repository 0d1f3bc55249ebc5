"""What an MP4 file is made of (ISO/IEC 14496-12 section 4.2), as far as a recording needs to know."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple


class Box(NamedTuple):
    """A part of a file: four letters, and where it begins and ends."""

    kind: bytes
    start: int
    end: int


class Shape(NamedTuple):
    """How much of a file can be played, in octets, and whether that is in fragments."""

    size: int
    fragmented: bool


def boxes(file: BinaryIO) -> Iterator[Box]:
    """The boxes of a file one after the other, up to the first one that is not there as a whole."""
    total = file.seek(0, 2)
    start = 0
    while start + 8 <= total:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        least = 8
        if size == 1:
            extended = file.read(8)
            size, least = (struct.unpack(">Q", extended)[0] if len(extended) == 8 else 0), 16
        if size < least or start + size > total:
            return
        yield Box(kind, start, start + size)
        start += size


def shape(file: BinaryIO) -> Shape:
    """What there is of a recording's file. A fragment counts with its media, or not at all."""
    size, fragmented, described = 0, False, False
    before = b""
    for box in boxes(file):
        described |= box.kind == b"moov"
        fragmented |= box.kind == b"moof"
        if box.kind == b"mdat" and described and (before == b"moof" or not fragmented):
            size = box.end
        before = box.kind
    return Shape(size, fragmented)
