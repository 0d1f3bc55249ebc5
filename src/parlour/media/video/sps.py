"""The size that an H.264 sequence parameter set declares (ITU-T H.264, 7.3.2.1.1), read before decoding."""

import re
from itertools import islice
from typing import NamedTuple

from parlour.media.video.codec import PayloadError

_SPS_START = re.compile(b"\x00\x00\x01[" + bytes(importance << 5 | 7 for importance in range(8)) + b"]")
_EMULATION = re.compile(rb"\x00\x00\x03")

MAX_SPS = 1024
"""Bytes of a parameter set that are looked at; real ones have some thirty."""

MAX_FOUND = 8
"""Parameter sets that one picture may have; real ones have one or two, and each costs as much as many packets."""

_WITH_CHROMA_FORMAT = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class SequenceParameters(NamedTuple):
    """What is needed of a parameter set: coded size in pixels (before cropping), profile and its constraint flags."""

    width: int
    height: int
    profile: int
    constraints: int
    level: int

    @property
    def is_constrained_baseline(self) -> bool:
        """Whether it is profile 66 with constraint_set1_flag (section A.2.1.1)."""
        return self.profile == 66 and bool(self.constraints & 0x40)


def find_parameters(stream: bytes) -> list[SequenceParameters]:
    """Every parameter set that a decoder would find in an Annex B byte stream.

    The stream is searched for start codes as a decoder does, so a set hidden inside another NAL unit is found as well.
    Raises `PayloadError` for a broken one, and where there are more than `MAX_FOUND`.
    """
    starts = [match.end() for match in islice(_SPS_START.finditer(stream), MAX_FOUND + 1)]
    if len(starts) > MAX_FOUND:
        raise PayloadError("too many parameter sets")
    return [read_parameters(stream[start : start + MAX_SPS]) for start in starts]


def read_parameters(body: bytes) -> SequenceParameters:
    """Read a parameter set, its NAL header byte left out. Raises `PayloadError` when it is broken."""
    if len(body) < 4:
        raise PayloadError("parameter set cut short")
    bits = _Bits(_EMULATION.sub(b"\x00\x00", body[3:]))
    bits.golomb()  # seq_parameter_set_id
    chroma_format = _skip_high_profile(bits) if body[0] in _WITH_CHROMA_FORMAT else 1
    bits.golomb()  # log2_max_frame_num_minus4
    order_type = bits.golomb()
    if order_type == 0:
        bits.golomb()
    elif order_type == 1:
        bits.take(1)
        bits.golomb()
        bits.golomb()
        for _ in range(_at_most(bits.golomb(), 255)):
            bits.golomb()
    bits.golomb()  # max_num_ref_frames
    bits.take(1)
    width = 16 * (bits.golomb() + 1)
    map_units = bits.golomb() + 1
    height = 16 * map_units * (1 if bits.take(1) else 2)
    if chroma_format > 3:
        raise PayloadError("unknown chroma format")
    return SequenceParameters(width, height, body[0], body[1], body[2])


def _skip_high_profile(bits: "_Bits") -> int:
    chroma_format = bits.golomb()
    if chroma_format == 3:
        bits.take(1)
    bits.golomb()
    bits.golomb()
    bits.take(1)
    if bits.take(1):
        for index in range(12 if chroma_format == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma_format


def _skip_scaling_list(bits: "_Bits", size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            code = bits.golomb()
            delta = (code + 1) // 2 if code & 1 else -(code // 2)
            following = (last + delta) & 0xFF
        last = following or last


def _at_most(value: int, limit: int) -> int:
    if value > limit:
        raise PayloadError("parameter set out of range")
    return value


class _Bits:
    """Reads bits from the most significant on."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise PayloadError("parameter set cut short")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        """An unsigned Exp-Golomb code (section 9.1)."""
        zeros = self._left - (self._value & ((1 << self._left) - 1)).bit_length()
        self.take(_at_most(zeros, 31))
        return self.take(zeros + 1) - 1
