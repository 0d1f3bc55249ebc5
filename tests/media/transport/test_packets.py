"""RTP headers, sequence numbers, histories, and what is asked for again."""

from aiortc.rtp import RtcpPacket, RtcpRtpfbPacket, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.packets import MediaPacket
from parlour.media.transport import rtcp, rtp
from parlour.media.transport.history import SIZE, History
from parlour.media.transport.incoming import MAX_MISSING, MAX_TRIES, Incoming, Missing


@given(
    st.integers(0, 127), st.booleans(), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1),
    st.binary(max_size=40), st.integers(0, 15), st.integers(0, 9),
)  # fmt: skip
def test_headers_are_read_as_another_implementation_writes_them(
    kind: int, marker: bool, sequence: int, timestamp: int, ssrc: int, payload: bytes, sources: int, padding: int
) -> None:
    made = RtpPacket(kind, int(marker), sequence, timestamp, ssrc, payload)
    made.csrc = list(range(sources))
    made.padding_size = padding
    data = made.serialize()
    header = rtp.parse(data)
    assert header[:5] == (kind, marker, sequence, timestamp, ssrc)
    assert data[header.start : header.end] == payload


@given(st.binary(max_size=64), st.integers(1, 15))
def test_arbitrary_bytes_are_read_or_refused(data: bytes, number: int) -> None:
    for candidate in (data, b"\x90" + data, b"\xb1" + data):
        try:
            header = rtp.parse(candidate)
        except rtp.RtpError:
            continue
        assert 12 <= header.start <= header.end <= len(candidate)
        level = rtp.audio_level(candidate, header, number)
        assert level is None or 0 <= level <= 127


@given(st.integers(0, 2**20), st.integers(-0x7FFF, 0x7FFF))
def test_extending_finds_the_nearest_number(highest: int, step: int) -> None:
    assert rtp.extend((highest + step) & 0xFFFF, highest) == highest + step


@given(st.binary(max_size=200))
def test_arbitrary_compounds_are_read_or_refused(data: bytes) -> None:
    for candidate in (data, b"\x81\xc8" + data, b"\x8f\xce" + data, b"\x81\xcd" + data):
        try:
            packets = rtcp.parse(candidate)
        except rtcp.RtcpError:
            continue
        for packet in packets:
            if isinstance(packet, rtcp.RtcpPsfbPacket):
                rtcp.estimate_of(packet)
                rtcp.fir_targets(packet)


@given(st.integers(0, 65535), st.lists(st.integers(1, 40), max_size=60))
def test_a_nack_names_exactly_what_is_missing_over_the_wrap_too(start: int, steps: list[int]) -> None:
    wanted = [start]
    for step in steps:
        wanted.append((wanted[-1] + step) & 0xFFFF)
    [packet] = RtcpPacket.parse(rtcp.nack(1, 2, wanted))
    assert isinstance(packet, RtcpRtpfbPacket)
    assert [number & 0xFFFF for number in packet.lost] == wanted


def test_a_history_finds_what_is_still_there() -> None:
    history = History(65530)
    packets = [MediaPacket(bytes([number & 255]), number, True, True, False) for number in range(SIZE + 10)]
    assert history.find(65529) is None
    for number in range(0, len(packets), 3):
        history.add(packets[number : number + 3], number)
    assert history.find((65530 + SIZE + 9) & 0xFFFF) == (packets[-1], SIZE + 7)
    assert history.find((65530 + 10) & 0xFFFF) == (packets[10], 9)
    assert history.find((65530 + 9) & 0xFFFF) is None
    assert history.find(history.end) is None
    history.clear()
    assert history.find((65530 + 10) & 0xFFFF) is None


def test_missing_packets_are_asked_for_at_intervals_and_given_up() -> None:
    missing = Missing()
    assert missing.arrived(10, 0.0)
    assert missing.arrived(12, 0.0)
    assert missing.due(0.005, 0.1) == []
    assert missing.due(0.01, 0.1) == [11]
    assert missing.due(0.05, 0.1) == []
    asked = sum(len(missing.due(0.2 + 0.1 * step, 0.1)) for step in range(20))
    assert asked == MAX_TRIES - 1
    assert len(missing) == 0
    assert missing.abandoned == 1
    assert not missing.arrived(11, 3.0)


def test_a_gap_too_wide_is_not_asked_for() -> None:
    missing = Missing()
    missing.arrived(0, 0.0)
    missing.arrived(MAX_MISSING + 2, 0.0)
    assert missing.due(1.0, 0.1) == []
    assert missing.overflows == 1


@given(st.lists(st.integers(0, 2000), max_size=300))
def test_each_packet_arrives_once_and_the_list_is_bounded(numbers: list[int]) -> None:
    missing = Missing()
    taken = [number for number in numbers if missing.arrived(number, 0.0)]
    assert len(taken) == len(set(taken))
    assert len(missing) <= MAX_MISSING


def test_jitter_is_that_of_rfc_3550() -> None:
    stream = Incoming(1, 90000, 0)
    for number in range(400):
        stream.place(number, number * 3000, number / 30 + (0.01 if number % 2 else 0))
    assert abs(stream.jitter - 900) < 5


def test_a_source_that_replaces_another_counts_up() -> None:
    for after in (0x1FFFF, 0x20000, 0x2FFFE):
        for sequence in (0, 1, 0xFFFF):
            stream = Incoming(1, 90000, sequence, after)
            assert stream.first > after
            assert stream.place(sequence, 0, 0.0) == stream.first
            assert stream.first & 0xFFFF == sequence
