"""H.264 in RTP (RFC 6184, packetization-mode 1): NAL units into payloads and back."""

import re
from collections.abc import Iterator

from parlour.media.video.codec import PayloadError

START_CODE = b"\x00\x00\x00\x01"

NAL_SLICE, NAL_IDR, NAL_SEI, NAL_SPS, NAL_PPS, NAL_AUD = 1, 5, 6, 7, 8, 9
STAP_A, FU_A = 24, 28
MAX_SETS = 4096
"""Bytes of parameter sets that are remembered; real ones have some forty."""

_FU_START, _FU_END = 0x80, 0x40

_NAL_START = re.compile(rb"\x00\x00\x01")


def split_nals(stream: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex B byte stream, without start codes and trailing zeros."""
    starts = [match.end() for match in _NAL_START.finditer(stream)]
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        nal = stream[start:] if following is None else stream[start : following - 3]
        nal = nal.rstrip(b"\x00")
        if nal:
            yield nal


def packetize(stream: bytes, limit: int) -> list[bytes]:
    """RTP payloads of at most ``limit`` bytes for one access unit given as an Annex B byte stream.

    Parameter sets travel together in one STAP-A, what is larger than a payload in FU-A fragments of one size (the last
    may be shorter), the rest as it is. SEI and access unit delimiters are left out: no receiver needs them.
    """
    payloads: list[bytes] = []
    sets: list[bytes] = []
    for nal in split_nals(stream):
        kind = nal[0] & 0x1F
        if kind in (NAL_SPS, NAL_PPS):
            sets.append(nal)
        elif kind not in (NAL_SEI, NAL_AUD):
            payloads.extend(_aggregate(sets, limit))
            sets = []
            payloads.extend(_fragment(nal, limit) if len(nal) > limit else (nal,))
    payloads.extend(_aggregate(sets, limit))
    return payloads


def _aggregate(nals: list[bytes], limit: int) -> list[bytes]:
    if len(nals) < 2 or 1 + sum(2 + len(nal) for nal in nals) > limit:
        return nals
    importance = max(nal[0] & 0x60 for nal in nals)
    return [bytes((importance | STAP_A,)) + b"".join(len(nal).to_bytes(2) + nal for nal in nals)]


def _fragment(nal: bytes, limit: int) -> Iterator[bytes]:
    indicator, kind = (nal[0] & 0xE0) | FU_A, nal[0] & 0x1F
    length = len(nal) - 1
    count = -(-length // (limit - 2))
    size = -(-length // count)
    edges = [min(1 + size * i, len(nal)) for i in range(count + 1)]
    for i in range(count):
        flags = (_FU_START if i == 0 else 0) | (_FU_END if i == count - 1 else 0)
        yield bytes((indicator, kind | flags)) + nal[edges[i] : edges[i + 1]]


class H264Assembler:
    """Puts one access unit together out of payloads that come in order without a hole."""

    def __init__(self, parameter_sets: tuple[bytes, ...] = ()) -> None:
        self._sets = b"".join(START_CODE + nal for nal in parameter_sets)
        self.reset()

    def reset(self) -> None:
        """Forget the access unit in hand."""
        self._parts: list[bytes] = []
        self.size = 0
        self._in_fragment = self._in_set = False
        self._set_parts: list[bytes] = []
        self._kinds: set[int] = set()
        self._has_slice = False
        self._from_the_start = True

    def add(self, payload: bytes) -> None:
        """Take the next payload. Raises `PayloadError` when it breaks the format or continues what never began."""
        kind = payload[0] & 0x1F
        if self._in_fragment and kind != FU_A:
            raise PayloadError("a fragmented NAL unit was not finished")
        if 1 <= kind < STAP_A:
            self._begin_nal(payload[0], payload[1:])
        elif kind == STAP_A:
            self._add_aggregate(payload)
        elif kind == FU_A:
            self._add_fragment(payload)
        else:
            raise PayloadError(f"payload of NAL type {kind}")

    def _add_aggregate(self, payload: bytes) -> None:
        at = 1
        while at < len(payload):
            size = int.from_bytes(payload[at : at + 2])
            nal = payload[at + 2 : at + 2 + size]
            if not size or len(nal) < size or not 1 <= nal[0] & 0x1F < STAP_A:
                raise PayloadError("aggregation packet cut short")
            self._begin_nal(nal[0], nal[1:])
            at += 2 + size

    def _add_fragment(self, payload: bytes) -> None:
        if len(payload) < 3:
            raise PayloadError("empty fragment")
        starts, ends = payload[1] & _FU_START, payload[1] & _FU_END
        if bool(starts) == self._in_fragment:
            raise PayloadError("fragments out of order")
        if starts:
            self._begin_nal((payload[0] & 0xE0) | (payload[1] & 0x1F), payload[2:])
        else:
            self._append(payload[2:])
        self._in_fragment = not ends

    def _begin_nal(self, header: int, body: bytes) -> None:
        kind = header & 0x1F
        if NAL_SLICE <= kind <= NAL_IDR and not self._has_slice:
            # first_mb_in_slice is Exp-Golomb: a leading 1 bit says 0, so nothing before this slice was lost
            self._from_the_start = bool(body and body[0] & 0x80)
            self._has_slice = True
        self._kinds.add(kind)
        self._in_set = kind in (NAL_SPS, NAL_PPS)
        self._append(START_CODE + bytes((header,)) + body)

    def _append(self, part: bytes) -> None:
        self._parts.append(part)
        if self._in_set:
            self._set_parts.append(part)
        self.size += len(part)

    def finish(self) -> tuple[bytes, bool] | None:
        """The access unit and whether it is a keyframe that stands alone; ``None`` for parameter sets on their own.

        Raises `PayloadError` when a part is missing. The last parameter sets are remembered and put before an IDR
        picture that comes without: some senders give them once, or only in SDP (sprop-parameter-sets).
        """
        data, kinds, whole = b"".join(self._parts), self._kinds, self._from_the_start and not self._in_fragment
        has_slice, sets = self._has_slice, b"".join(self._set_parts)
        self.reset()
        if not whole:
            raise PayloadError("the access unit is not whole")
        if NAL_SPS in kinds:
            self._sets = sets if len(sets) <= MAX_SETS else b""
        elif NAL_PPS in kinds and len(self._sets) + len(sets) <= MAX_SETS:
            self._sets += sets
        if not has_slice:
            return None
        if NAL_IDR not in kinds:
            return data, False
        return (data if NAL_SPS in kinds else self._sets + data), bool(self._sets)
