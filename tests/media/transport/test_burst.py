"""Pictures on their way out: whatever their packets' sizes, what leaves is what was to leave, in pieces that can."""

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from parlour.media.packets import MediaPacket
from parlour.media.transport import rtp
from parlour.media.transport.answer import MediaFacts
from parlour.media.transport.burst import MOST, SPACE, Burst
from parlour.media.transport.ice import Address, Route
from parlour.media.transport.outgoing import OutgoingVideo
from parlour.media.transport.srtp import LONGEST, PROFILES, Keys, Profile, Srtp
from parlour.media.transport.wire import Wire

if TYPE_CHECKING:
    from parlour.media.transport.leg import Leg


class Kernel:
    """A carrier that cuts bursts apart, and keeps what was in each."""

    def __init__(self) -> None:
        self.peers: dict[Address, Leg] = {}
        self.bursts: list[list[bytes]] = []

    def sendto(self, data: bytes, address: Address, /) -> None:
        raise AssertionError("pictures leave in bursts")

    def send_burst(self, data: memoryview, size: int, address: Address, /) -> None:
        self.bursts.append([bytes(data[start : start + size]) for start in range(0, len(data), size)])


def picture(sizes: list[int]) -> list[MediaPacket]:
    """A keyframe of packets of these sizes."""
    last = len(sizes) - 1
    return [
        MediaPacket(bytes([number & 255]) * size, 3000, number == 0, number == last, True)
        for number, size in enumerate(sizes)
    ]


def facts(send_time: bool) -> MediaFacts:
    """Video as negotiated."""
    number = 3 if send_time else None
    return MediaFacts("0", "H264", 96, sends=True, receives=False, rtx_payload_type=97, abs_send_time_id=number)


def receiver(profile: Profile, key: bytes) -> Session:
    """The other end."""
    return Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile.libsrtp))


def wired(profile: Profile, burst: Burst, number: int) -> tuple[Wire, Kernel, Session]:
    """A way out with its own keys, and its other end."""
    key = bytes([number]) * (profile.key_length + profile.salt_length)
    wire, kernel = Wire(burst), Kernel()
    wire.point(Route(kernel, ("192.0.2.1", 9)))
    wire.protect(Srtp(profile, Keys(key, key)))
    return wire, kernel, receiver(profile, key)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
@given(st.lists(st.integers(1, 1200) | st.just(1200), min_size=1, max_size=150), st.booleans())
def test_each_viewer_gets_every_packet_under_its_own_numbers(
    profile: Profile, sizes: list[int], send_time: bool
) -> None:
    burst, packets = Burst(), picture(sizes)
    for number in range(3):
        video = OutgoingVideo()
        wire, kernel, other_end = wired(profile, burst, number)
        first = video.sequence
        video.send(facts(send_time), packets, wire, 7.5)
        got = [datagram for pieces in kernel.bursts for datagram in pieces]
        assert (wire.packets, wire.failed, wire.bytes) == (len(sizes), 0, sum(map(len, got)))
        for position, datagram in enumerate(got):
            plain = other_end.unprotect(datagram)
            header = rtp.parse(plain)
            assert plain[header.start : header.end] == packets[position].payload
            assert header.sequence == (first + position) & 0xFFFF
            assert header.timestamp == (3000 + video.offset) & 0xFFFFFFFF
            assert (header.payload_type, header.ssrc) == (96, video.ssrc)
            assert header.marker == (position == len(sizes) - 1)
            assert (header.extension is not None) == send_time
        assert len(got) == len(sizes)
        for pieces in kernel.bursts:
            assert len(pieces) <= MOST
            assert sum(map(len, pieces)) <= SPACE
            assert all(len(one) == len(pieces[0]) >= len(after) for one, after in pairwise(pieces))
        assert len(kernel.bursts) <= 2 + sum(one != other for one, other in pairwise(sizes)) + len(sizes) // 40


def test_what_is_too_long_to_be_sent_is_counted() -> None:
    video, burst = OutgoingVideo(), Burst()
    wire, kernel, _ = wired(PROFILES[0], burst, 1)
    video.send(facts(send_time=False), picture([LONGEST]), wire, 7.5)
    assert (wire.failed, kernel.bursts) == (1, [])
    video.send(facts(send_time=False), picture([100]), wire, 7.5)
    assert (wire.failed, len(kernel.bursts)) == (1, 1)
