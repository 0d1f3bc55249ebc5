import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.media.packets import RtpPacket
from parlour.media.video import h264
from parlour.media.video.codec import EncodedPicture, PayloadError, VideoCodec
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.depacketize import JUMP, WINDOW, Depacketizer
from tests.media.video.scene import noisy, rtp, sent

BOTH = pytest.mark.parametrize("codec", list(VideoCodec))


def joined(film: list[list[RtpPacket]]) -> list[RtpPacket]:
    return [packet for picture in film for packet in picture]


def wants_refresh(depacketizer: Depacketizer) -> bool:
    return depacketizer.refresh_wanted


def push_all(depacketizer: Depacketizer, packets: list[RtpPacket]) -> list[EncodedPicture]:
    return [picture for packet in packets for picture in depacketizer.push(packet)]


def camera(codec: VideoCodec, count: int = 6, keyframes: frozenset[int] = frozenset()) -> list[list[RtpPacket]]:
    """The packets of each picture of a short film."""
    pictures = sent([noisy(320, 240, seed) for seed in range(count)], codec, keyframes=keyframes)
    packets = iter(rtp(pictures))
    return [[next(packets) for _ in picture] for picture in pictures]


@BOTH
def test_pictures_come_out_whole_and_decode(codec: VideoCodec) -> None:
    film = camera(codec)
    assert len(film[0]) > 3
    pictures = push_all(depacketizer := Depacketizer(codec), joined(film))
    assert [picture.timestamp for picture in pictures] == [0, 3000, 6000, 9000, 12000, 15000]
    assert [picture.keyframe for picture in pictures] == [True, *[False] * 5]
    assert not wants_refresh(depacketizer)
    decoder = PictureDecoder(codec)
    for picture in pictures:
        decoder.feed(picture)
    frame = decoder.newest()
    assert frame is not None
    assert (frame.width, frame.height) == (320, 240)
    assert decoder.counts.decoded == 6


@BOTH
def test_disorder_within_the_window_loses_nothing(codec: VideoCodec) -> None:
    first, *rest = joined(camera(codec))
    shuffled = [packet._replace(arrived=10.0) for packet in rest]
    random.Random(3).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    depacketizer = Depacketizer(codec)
    assert len(push_all(depacketizer, [first, *shuffled])) == 6
    assert depacketizer.counts.lost == 0


@BOTH
def test_duplicates_are_counted_and_ignored(codec: VideoCodec) -> None:
    packets = joined(camera(codec, 3))
    depacketizer = Depacketizer(codec)
    assert len(push_all(depacketizer, [packet for packet in packets for _ in range(2)])) == 3
    assert depacketizer.counts.late == len(packets)


@BOTH
@pytest.mark.parametrize("hole", ["first", "middle", "last", "whole"])
def test_after_a_hole_nothing_comes_until_the_next_keyframe(codec: VideoCodec, hole: str) -> None:
    film = camera(codec, 12, keyframes=frozenset({9}))
    damaged = film[2]
    film[2] = {"first": damaged[1:], "middle": damaged[:1] + damaged[2:], "last": damaged[:-1], "whole": []}[hole]
    depacketizer = Depacketizer(codec, patience=0.05)
    before = push_all(depacketizer, joined(film[:9]))
    assert [picture.timestamp for picture in before] == [0, 3000]
    assert wants_refresh(depacketizer)
    after = push_all(depacketizer, joined(film[9:]))
    assert [picture.timestamp // 3000 for picture in after] == [9, 10, 11]
    assert after[0].keyframe
    assert not wants_refresh(depacketizer)
    assert depacketizer.counts.lost == (len(damaged) if hole == "whole" else 1)


@BOTH
def test_a_keyframe_without_its_beginning_is_not_one(codec: VideoCodec) -> None:
    film = camera(codec, 4)
    depacketizer = Depacketizer(codec)
    assert push_all(depacketizer, film[0][1:] + film[1] + film[2]) == []
    assert wants_refresh(depacketizer)


@BOTH
def test_holes_are_told_so_that_they_can_be_asked_for_again(codec: VideoCodec) -> None:
    packets = joined(camera(codec, 2))
    depacketizer = Depacketizer(codec)
    push_all(depacketizer, [packets[0], packets[3], packets[5]])
    assert depacketizer.missing() == [packets[index].sequence for index in (1, 2, 4)]
    assert depacketizer.missing(limit=1) == [packets[1].sequence]
    push_all(depacketizer, packets)
    assert depacketizer.missing() == []


def test_padding_that_probes_is_no_hole() -> None:
    film = camera(VideoCodec.VP8, 2)
    padding = film[0][-1]._replace(payload=b"", marker=False)
    ordered = [*film[0], padding, padding, *film[1]]
    packets = [packet._replace(sequence=index) for index, packet in enumerate(ordered)]
    assert len(push_all(Depacketizer(VideoCodec.VP8), packets)) == 2


def test_what_waits_behind_a_hole_is_bounded() -> None:
    depacketizer = Depacketizer(VideoCodec.VP8, patience=1e9)
    for sequence in [0, *range(2, 1500)]:
        depacketizer.push(RtpPacket(b"\x10\x00", sequence, sequence, False, 0.0))
        assert depacketizer.waiting <= WINDOW
    assert depacketizer.counts.lost == 1


def test_a_picture_without_end_is_dropped() -> None:
    depacketizer = Depacketizer(VideoCodec.VP8)
    push_all(depacketizer, [RtpPacket(b"\x10" + bytes(1200), index, 7, False, 0.0) for index in range(1)])
    push_all(depacketizer, [RtpPacket(b"\x00" + bytes(1200), index, 7, False, 0.0) for index in range(1, 2000)])
    assert depacketizer.counts.malformed == 1
    assert wants_refresh(depacketizer)


@BOTH
def test_a_jump_in_sequence_numbers_begins_anew(codec: VideoCodec) -> None:
    film = camera(codec, 4, keyframes=frozenset({2}))
    later = [packet._replace(sequence=packet.sequence + JUMP + 100) for packet in film[2] + film[3]]
    depacketizer = Depacketizer(codec)
    pictures = push_all(depacketizer, film[0] + later)
    assert [picture.timestamp // 3000 for picture in pictures] == [0, 2, 3]


def parameter_sets(payload: bytes) -> tuple[bytes, ...]:
    assert payload[0] & 0x1F == h264.STAP_A
    size = int.from_bytes(payload[1:3])
    return payload[3 : 3 + size], payload[5 + size :]


def test_parameter_sets_from_sdp_stand_before_a_bare_keyframe() -> None:
    film = camera(VideoCodec.H264, 2)
    sets = parameter_sets(film[0][0].payload)
    (picture,) = push_all(Depacketizer(VideoCodec.H264, parameter_sets=sets), film[0][1:])
    assert picture.keyframe
    decoder = PictureDecoder(VideoCodec.H264)
    decoder.feed(picture)
    assert decoder.newest() is not None


def test_parameter_sets_sent_once_serve_later_keyframes() -> None:
    film = camera(VideoCodec.H264, 5, keyframes=frozenset({3}))
    ordered = film[0] + film[1] + film[3][1:] + film[4]
    packets = [packet._replace(sequence=index) for index, packet in enumerate(ordered)]
    pictures = push_all(Depacketizer(VideoCodec.H264), packets)
    assert [picture.keyframe for picture in pictures] == [True, False, True, False]
    assert pictures[2].data.startswith(h264.START_CODE + parameter_sets(film[0][0].payload)[0])


@given(st.binary(min_size=1, max_size=200_000), st.integers(100, 1200))
@settings(max_examples=50)
def test_h264_packets_carry_back_what_they_were_made_of(body: bytes, limit: int) -> None:
    nal = b"\x65\x80" + body.replace(b"\x00", b"\x01")
    payloads = h264.packetize(h264.START_CODE + nal, limit)
    assert max(map(len, payloads)) <= limit
    assembler = h264.H264Assembler((b"\x67\x42",))
    for payload in payloads:
        assembler.add(payload)
    assert assembler.finish() == (h264.START_CODE + b"\x67\x42" + h264.START_CODE + nal, True)


def test_what_an_access_unit_carries_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(h264, "split_nals")
    assembler = h264.H264Assembler()
    sets = b"\x67\x42\x00\x1f", b"\x68" + bytes(5) + b"\xce"
    for payload in (
        sets[0],
        b"\x7c\x88" + sets[1][1:4],
        b"\x7c\x48" + sets[1][4:],
        b"\x65\x80" + b"\x00\x00\x01" * 300_000,
    ):
        assembler.add(payload)
    whole = assembler.finish()
    assert whole is not None
    assert whole[1]
    assembler.add(b"\x68\xee" + b"\x00\x00\x01" * 10)
    assert assembler.finish() is None
    assembler.add(b"\x65\x80")
    remembered = b"".join(h264.START_CODE + one for one in (*sets, b"\x68\xee" + b"\x00\x00\x01" * 10))
    assert assembler.finish() == (remembered + h264.START_CODE + b"\x65\x80", True)


def test_too_many_parameter_sets_are_not_remembered() -> None:
    assembler = h264.H264Assembler((b"\x67\x42",))
    for payload in (b"\x67" + b"\x42" * h264.MAX_SETS, b"\x65\x80"):
        assembler.add(payload)
    assembler.finish()
    assembler.add(b"\x65\x80")
    assert assembler.finish() == (h264.START_CODE + b"\x65\x80", False)


packets_of_anyone = st.lists(
    st.builds(
        RtpPacket,
        st.one_of(
            st.binary(max_size=40),
            st.builds(
                lambda head, body: bytes(head) + body,
                st.sampled_from(
                    [(0x7C, 0x85), (0x7C, 0x05), (0x7C, 0x45), (0x78, 0, 2), (0x67, 66), (0x10,), (0x90, 0x80), (0,)]
                ),
                st.binary(max_size=30),
            ),
        ),
        st.integers(0, 40),
        st.integers(0, 3),
        st.booleans(),
        st.floats(0, 2),
    ),
    max_size=80,
)


@BOTH
@given(packets=packets_of_anyone)
@settings(max_examples=300)
def test_nothing_that_is_sent_raises(codec: VideoCodec, packets: list[RtpPacket]) -> None:
    depacketizer, decoder = Depacketizer(codec), PictureDecoder(codec)
    for picture in push_all(depacketizer, packets):
        decoder.feed(picture)
    decoder.newest()


@BOTH
@given(data=st.data())
@settings(max_examples=60)
def test_damaged_packets_of_a_real_film_raise_nothing(codec: VideoCodec, data: st.DataObject) -> None:
    packets = list(FILMS[codec])
    for _ in range(data.draw(st.integers(1, 12))):
        index = data.draw(st.integers(0, len(packets) - 1))
        payload = bytearray(packets[index].payload)
        if payload:
            payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
        packets[index] = packets[index]._replace(payload=bytes(payload[: data.draw(st.integers(0, len(payload)))]))
    depacketizer, decoder = Depacketizer(codec), PictureDecoder(codec)
    for picture in push_all(depacketizer, packets):
        decoder.feed(picture)
        decoder.newest()


FILMS = {codec: joined(camera(codec, 4)) for codec in VideoCodec}


def test_a_fragment_that_never_began_is_refused() -> None:
    with pytest.raises(PayloadError, match="out of order"):
        h264.H264Assembler().add(b"\x7c\x05abc")
