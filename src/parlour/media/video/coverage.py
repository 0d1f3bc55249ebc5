"""Which characters a font file can draw, read from its ``cmap`` table (OpenType 1.9.1, "cmap")."""

import struct
from bisect import bisect_right
from typing import BinaryIO

_MAX_TABLE = 1 << 22


class Coverage:
    """A set of code points as sorted ranges."""

    def __init__(self, ranges: list[tuple[int, int]]) -> None:
        ranges = sorted(ranges)
        self._starts = [start for start, _ in ranges]
        self._ends = [end for _, end in ranges]

    def __contains__(self, point: int) -> bool:
        at = bisect_right(self._starts, point) - 1
        return at >= 0 and point <= self._ends[at]


def read_coverage(file: BinaryIO, index: int = 0) -> Coverage:
    """The Unicode coverage of a TrueType or OpenType font, or of one in a collection.

    Raises `ValueError` for a file that is no such font or is broken.
    """
    try:
        table = _cmap(file, index)
        (count,) = struct.unpack_from(">H", table, 2)
        ranges: list[tuple[int, int]] = []
        for at in range(4, 4 + 8 * count, 8):
            platform, encoding, offset = struct.unpack_from(">HHL", table, at)
            if platform == 0 or (platform == 3 and encoding in {1, 10}):
                (kind,) = struct.unpack_from(">H", table, offset)
                if kind == 12:
                    return Coverage(_segmented(table, offset))
                if kind == 4:
                    ranges = _delta_mapped(table, offset)
        return Coverage(ranges)
    except (struct.error, IndexError) as error:
        raise ValueError("not a font that can be read") from error


def _cmap(file: BinaryIO, index: int) -> bytes:
    def read(offset: int, size: int) -> bytes:
        file.seek(offset)
        return file.read(size)

    start = 0
    if read(0, 4) == b"ttcf":
        (start,) = struct.unpack(">L", read(12 + 4 * index, 4))
    (tables,) = struct.unpack(">H", read(start + 4, 2))
    directory = read(start + 12, 16 * tables)
    for at in range(0, len(directory), 16):
        tag, _, offset, length = struct.unpack_from(">4sLLL", directory, at)
        if tag == b"cmap":
            return read(offset, min(length, _MAX_TABLE))
    raise ValueError("a font without characters")


def _segmented(table: bytes, offset: int) -> list[tuple[int, int]]:
    """Format 12: groups of start, end and glyph."""
    (groups,) = struct.unpack_from(">L", table, offset + 12)
    body = table[offset + 16 : offset + 16 + 12 * groups]
    return [(start, end) for start, end, _ in struct.iter_unpack(">LLL", body)]


def _delta_mapped(table: bytes, offset: int) -> list[tuple[int, int]]:
    """Format 4: parallel arrays of ends, starts, deltas and offsets into glyph ids, where glyph 0 means none."""
    (twice,) = struct.unpack_from(">H", table, offset + 6)
    count = twice // 2
    ends = struct.unpack_from(f">{count}H", table, offset + 14)
    starts = struct.unpack_from(f">{count}H", table, offset + 16 + twice)
    offsets_at = offset + 16 + 3 * twice
    offsets = struct.unpack_from(f">{count}H", table, offsets_at)
    ranges: list[tuple[int, int]] = []
    for segment, (start, end, jump) in enumerate(zip(starts, ends, offsets, strict=True)):
        if start == 0xFFFF:
            continue
        if not jump:
            ranges.append((start, end))
            continue
        glyphs_at = offsets_at + 2 * segment + jump
        glyphs = struct.unpack_from(f">{end - start + 1}H", table, glyphs_at)
        ranges.extend((start + i, start + i) for i, glyph in enumerate(glyphs) if glyph)
    return ranges
