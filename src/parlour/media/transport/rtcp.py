"""RTCP as far as it is spoken here (RFC 3550, RFC 4585, RFC 5104, REMB)."""

import struct
from collections.abc import Sequence
from struct import Struct
from typing import Final

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    pack_remb_fci,
    unpack_remb_fci,
)

from parlour.media.transport.outgoing import SenderFacts

#: Seconds from the NTP era (1900) to the Unix epoch.
NTP_OFFSET: Final = 2_208_988_800

#: Packets that one compound may ask for again. Chromium asks for a keyframe rather than for more.
MAX_NAMED: Final = 1000

_CNAME: Final = 1
_FIR_ENTRY = Struct("!IB3x")
_NACK_ENTRY = Struct("!HH")
_FEEDBACK = Struct("!BBHII")

__all__ = [
    "MAX_NAMED",
    "RTCP_PSFB_APP",
    "RTCP_PSFB_FIR",
    "RTCP_PSFB_PLI",
    "RTCP_RTPFB_NACK",
    "RtcpByePacket",
    "RtcpError",
    "RtcpPsfbPacket",
    "RtcpRrPacket",
    "RtcpRtpfbPacket",
    "RtcpSrPacket",
    "compound",
    "estimate_of",
    "fir_targets",
    "goodbye",
    "nack",
    "named",
    "ntp_seconds",
    "ntp_time",
    "parse",
    "pli",
    "remb",
]


class RtcpError(ValueError):
    """The bytes are not a compound RTCP packet; nothing of it is used."""


def parse(data: bytes) -> list[AnyRtcpPacket]:
    """Read a compound packet; kinds that are not spoken here are left out. Raises :class:`RtcpError`."""
    try:
        return RtcpPacket.parse(data)
    except (ValueError, IndexError, struct.error) as problem:
        raise RtcpError(str(problem)) from problem


def named(data: bytes) -> int:
    """How many packets a compound asks for again, which is what it costs to read. Never raises."""
    count = at = 0
    while at + 4 <= len(data):
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] == RTCP_RTPFB:
            entries = data[at + _FEEDBACK.size : end]
            whole = len(entries) - len(entries) % _NACK_ENTRY.size
            count += sum(1 + following.bit_count() for _, following in _NACK_ENTRY.iter_unpack(entries[:whole]))
        at = end
    return count


def ntp_time(wall: float) -> int:
    """Unix time in seconds as NTP's 32.32 fixed point."""
    return int((wall + NTP_OFFSET) * 4294967296) & 0xFFFFFFFFFFFFFFFF


def ntp_seconds(ntp: int) -> float:
    """NTP's 32.32 fixed point in seconds of its own era."""
    return ntp / 4294967296


def compound(
    ours: Sequence[SenderFacts], blocks: list[RtcpReceiverInfo], cname: str, wall: float, fallback_ssrc: int
) -> bytes:
    """Sender reports for what we send, or a receiver report where that is nothing; then the common name.

    ``fallback_ssrc`` stands for us in a receiver report. The report blocks ride on the first packet.
    """
    ntp = ntp_time(wall)
    packets: list[AnyRtcpPacket] = []
    for facts in ours:
        info = RtcpSenderInfo(ntp, facts.rtp_timestamp, facts.packets, facts.octets)
        packets.append(RtcpSrPacket(facts.ssrc, info, [] if packets else blocks))
    if not packets:
        packets.append(RtcpRrPacket(fallback_ssrc, blocks))
    sources = [facts.ssrc for facts in ours] or [fallback_ssrc]
    # One SDES for each source: chunks of several sources in one packet would each need padding of their own.
    packets += [RtcpSdesPacket([RtcpSourceInfo(ssrc, [(_CNAME, cname.encode())])]) for ssrc in sources]
    return b"".join(map(bytes, packets))


def nack(ours: int, theirs: int, sequences: list[int]) -> bytes:
    """Ask for packets again (RFC 4585 section 6.2.1); ``sequences`` are 16 bits each, in the order of sending."""
    entries: list[tuple[int, int]] = []
    for sequence in sequences:
        ahead = (sequence - entries[-1][0] - 1) & 0xFFFF if entries else 16
        if ahead < 16:
            first, following = entries[-1]
            entries[-1] = (first, following | 1 << ahead)
        else:
            entries.append((sequence, 0))
    words = b"".join(_NACK_ENTRY.pack(*entry) for entry in entries)
    return _FEEDBACK.pack(0x80 | RTCP_RTPFB_NACK, RTCP_RTPFB, 2 + len(entries), ours, theirs) + words


def pli(ours: int, theirs: int) -> bytes:
    """Ask for a keyframe (RFC 4585 section 6.3.1)."""
    return bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, ours, theirs))


def fir(ours: int, theirs: int, number: int) -> bytes:
    """Demand a keyframe; ``number`` tells one demand from the next (RFC 5104 section 4.3.1)."""
    return bytes(RtcpPsfbPacket(RTCP_PSFB_FIR, ours, 0, _FIR_ENTRY.pack(theirs, number & 0xFF)))


def remb(ours: int, theirs: int, bits_per_second: int) -> bytes:
    """Tell a sender the most it may send."""
    return bytes(RtcpPsfbPacket(RTCP_PSFB_APP, ours, 0, pack_remb_fci(bits_per_second, [theirs])))


def goodbye(sources: list[int]) -> bytes:
    """The sources end."""
    return bytes(RtcpByePacket(sources))


def estimate_of(packet: RtcpPsfbPacket) -> int | None:
    """The bits per second of a REMB message, ``None`` for any other application message."""
    try:
        bits_per_second, _ = unpack_remb_fci(packet.fci)
    except (ValueError, struct.error):
        return None
    return bits_per_second


def fir_targets(packet: RtcpPsfbPacket) -> list[tuple[int, int]]:
    """The sources of which an FIR demands a keyframe, each with the demand's number."""
    whole = len(packet.fci) - len(packet.fci) % _FIR_ENTRY.size
    return [(ssrc, number) for ssrc, number in _FIR_ENTRY.iter_unpack(packet.fci[:whole])]
