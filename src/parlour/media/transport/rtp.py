"""RTP headers: read with every check, written with as little work as possible (RFC 3550, RFC 8285, RFC 6464)."""

from struct import Struct
from typing import Final, NamedTuple

HEADER: Final = Struct("!BBHII")
#: A header with one one-byte extension element of three bytes, which is what abs-send-time needs.
HEADER_WITH_SEND_TIME: Final = Struct("!BBHIIHHI")

VERSION: Final = 0x80
EXTENSION: Final = 0x10
MARKER: Final = 0x80
ONE_BYTE_PROFILE: Final = 0xBEDE

_TWO_BYTES = Struct("!HH")


class RtpError(ValueError):
    """The bytes are not an RTP packet."""


class Header(NamedTuple):
    """A packet taken apart: the payload is ``data[start:end]``, ``extension`` the offsets of its extension."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    start: int
    end: int
    extension: tuple[int, int] | None


def parse(data: bytes) -> Header:
    """Read an unprotected packet; raises :class:`RtpError`."""
    if len(data) < HEADER.size:
        raise RtpError("shorter than a header")
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first & 0xC0 != VERSION:
        raise RtpError("not version 2")
    start = HEADER.size + 4 * (first & 0x0F)
    end = len(data)
    extension: tuple[int, int] | None = None
    if first & EXTENSION:
        if end < start + 4:
            raise RtpError("the header extension is cut off")
        profile, words = _TWO_BYTES.unpack_from(data, start)
        if profile == ONE_BYTE_PROFILE:
            extension = (start + 4, start + 4 + 4 * words)
        start += 4 + 4 * words
    if start > end:
        raise RtpError("the header is cut off")
    if first & 0x20:
        padding = data[-1]
        if padding == 0 or padding > end - start:
            raise RtpError("impossible padding")
        end -= padding
    return Header(second & 0x7F, second >= MARKER, sequence, timestamp, ssrc, start, end, extension)


def audio_level(data: bytes, header: Header, number: int) -> int | None:
    """The RFC 6464 level in -dBov under extension id ``number``, ``None`` where the packet has none."""
    if header.extension is None:
        return None
    at, end = header.extension
    while at < end:
        element = data[at]
        if element == 0:
            at += 1
            continue
        identifier = element >> 4
        if identifier == number:
            return data[at + 1] & 0x7F if at + 1 < end else None
        if identifier == 15:
            return None
        at += 2 + (element & 0x0F)
    return None


def extend(sequence: int, highest: int) -> int:
    """``sequence`` (16 bits) counted on beyond 65535: the number nearest to ``highest`` that ends in it."""
    step = (sequence - highest) & 0xFFFF
    return highest + step if step < 0x8000 else highest + step - 0x10000


def abs_send_time(now: float) -> int:
    """``now`` in seconds as the 24 bits of abs-send-time: 6 bits of seconds, 18 of fraction."""
    return int(now * 262144) & 0xFFFFFF
