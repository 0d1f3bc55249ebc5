import itertools

import pytest
from aiortc.codecs.h264 import H264Decoder, h264_depayload
from aiortc.codecs.vpx import Vp8Decoder, vp8_depayload
from aiortc.jitterbuffer import JitterFrame
from av import VideoFrame

from parlour.media.packets import MediaPacket
from parlour.media.video import h264, vp8
from parlour.media.video.codec import VideoCodec
from parlour.media.video.encode import MAX_PAYLOAD, Rendition
from parlour.media.video.rate import kush_bitrate
from parlour.media.video.sps import read_parameters
from tests.media.video.scene import BLUE, FRAME, GREEN, RED, is_near, noisy, painted, pixel

BOTH = pytest.mark.parametrize("codec", list(VideoCodec))


def kinds(payload: bytes) -> list[int]:
    """The NAL types in an H.264 payload, a fragmented one at its first fragment."""
    kind = payload[0] & 0x1F
    if kind == h264.FU_A:
        return [payload[1] & 0x1F] if payload[1] & 0x80 else []
    if kind != h264.STAP_A:
        return [kind]
    found, at = [], 1
    while at < len(payload):
        found.append(payload[at + 2] & 0x1F)
        at += 2 + int.from_bytes(payload[at : at + 2])
    return found


@BOTH
@pytest.mark.parametrize("threads", [1, 2])
def test_packets_are_small_and_tell_the_ends_of_pictures(codec: VideoCodec, threads: int) -> None:
    rendition = Rendition(codec, 1280, 720, 2_000_000, 30, threads=threads)
    for index in range(4):
        packets = rendition.encode(noisy(1280, 720, index), 900 + index * FRAME)
        assert all(0 < len(packet.payload) <= MAX_PAYLOAD for packet in packets)
        assert {packet.timestamp for packet in packets} == {900 + index * FRAME}
        assert [packet.first for packet in packets] == [True, *[False] * (len(packets) - 1)]
        assert [packet.marker for packet in packets] == [*[False] * (len(packets) - 1), True]
        assert {packet.keyframe for packet in packets} == {index == 0}
    statistics = rendition.statistics()
    assert (statistics.pictures, statistics.keyframes) == (4, 1)


@pytest.mark.parametrize(
    ("width", "height", "level"), [(1280, 720, 31), (1920, 1080, 40), (640, 360, 31), (426, 240, 31)]
)
def test_h264_is_constrained_baseline_with_parameter_sets_at_every_keyframe(
    width: int, height: int, level: int
) -> None:
    rendition = Rendition(VideoCodec.H264, width, height, kush_bitrate(width, height, 30), 30)
    for index in range(8):
        packets = rendition.encode(noisy(width, height, index), index * FRAME, force_keyframe=index in {3, 6})
        found = list(itertools.chain.from_iterable(kinds(packet.payload) for packet in packets))
        if index in {0, 3, 6}:
            assert found[:2] == [h264.NAL_SPS, h264.NAL_PPS]
            assert set(found[2:]) == {h264.NAL_IDR}
            sps = packets[0].payload
            parameters = read_parameters(sps[4 : 3 + int.from_bytes(sps[1:3])])
            assert parameters.is_constrained_baseline
            assert parameters.level == level
        else:
            assert set(found) == {h264.NAL_SLICE}


def test_vp8_pictures_are_numbered_without_a_gap() -> None:
    rendition = Rendition(VideoCodec.VP8, 320, 240, 400_000, 30)
    numbers = []
    for index in range(5):
        packets = rendition.encode(noisy(320, 240, index), index * FRAME)
        descriptors = [packet.payload[:4] for packet in packets]
        assert [descriptor[0] for descriptor in descriptors] == [0x90, *[0x80] * (len(packets) - 1)]
        assert {descriptor[1] for descriptor in descriptors} == {0x80}
        (number,) = {int.from_bytes(descriptor[2:]) & 0x7FFF for descriptor in descriptors}
        numbers.append(number)
        starts, part = vp8.unpack(packets[0].payload)
        assert starts
        assert vp8.is_keyframe(part) == (index == 0)
    assert [(after - before) % 0x8000 for before, after in itertools.pairwise(numbers)] == [1, 1, 1, 1]


def decoded(codec: VideoCodec, pictures: list[list[MediaPacket]]) -> VideoFrame:
    """The last frame as another implementation decodes it."""
    decoder = H264Decoder() if codec is VideoCodec.H264 else Vp8Decoder()
    depayload = h264_depayload if codec is VideoCodec.H264 else vp8_depayload
    frames = [
        frame
        for picture in pictures
        for frame in decoder.decode(
            JitterFrame(b"".join(depayload(packet.payload) for packet in picture), picture[0].timestamp)
        )
    ]
    assert len(frames) == len(pictures)
    assert isinstance(frames[-1], VideoFrame)
    return frames[-1]


@BOTH
def test_another_implementation_decodes_it(codec: VideoCodec) -> None:
    rendition = Rendition(codec, 640, 360, 800_000, 30)
    pictures = [rendition.encode(painted(640, 360, c), i * FRAME) for i, c in enumerate((RED, GREEN, BLUE))]
    assert is_near(pixel(decoded(codec, pictures), 320, 180), BLUE)


@BOTH
def test_a_smaller_rendition_scales_the_canvas(codec: VideoCodec) -> None:
    rendition = Rendition(codec, 320, 180, 300_000, 30)
    frame = decoded(codec, [rendition.encode(painted(1280, 720, GREEN), 0)])
    assert (frame.width, frame.height) == (320, 180)
    assert is_near(pixel(frame, 300, 170), GREEN)


@BOTH
def test_time_must_go_on(codec: VideoCodec) -> None:
    rendition = Rendition(codec, 320, 180, 300_000, 30)
    rendition.encode(painted(320, 180, RED), 5000)
    with pytest.raises(ValueError, match="time"):
        rendition.encode(painted(320, 180, RED), 5000)


def measured(rendition: Rendition, first: int, count: int) -> int:
    """Bits a second of noise, the first second left out."""
    octets = 0
    for index in range(first, first + count):
        packets = rendition.encode(noisy(320, 240, index % 7), index * FRAME)
        octets += sum(len(packet.payload) for packet in packets) if index >= first + 30 else 0
    return octets * 8 * 30 // (count - 30)


def test_h264_follows_a_new_rate_without_a_new_encoder() -> None:
    rendition = Rendition(VideoCodec.H264, 320, 240, 2_000_000, 30)
    assert 1_700_000 < measured(rendition, 0, 90) < 2_300_000
    rendition.set_bitrate(1_000_000)
    assert 850_000 < measured(rendition, 90, 90) < 1_150_000
    rendition.set_bitrate(2_000_000)
    assert 1_700_000 < measured(rendition, 180, 90) < 2_300_000
    assert rendition.statistics().rebuilds == 0
    assert rendition.statistics().keyframes == 1
    rendition.set_bitrate(3_000_000)
    assert measured(rendition, 270, 90) > 2_500_000
    assert rendition.statistics().rebuilds == 1


def test_vp8_needs_a_new_encoder_for_a_new_rate_and_is_spared_small_ones() -> None:
    rendition = Rendition(VideoCodec.VP8, 320, 240, 1_000_000, 30)
    rendition.encode(noisy(320, 240, 1), 0)
    rendition.set_bitrate(950_000)
    assert rendition.statistics().rebuilds == 0
    rendition.set_bitrate(500_000)
    assert rendition.statistics().rebuilds == 1
    assert rendition.encode(noisy(320, 240, 1), FRAME)[0].keyframe


def test_the_bits_that_a_picture_needs() -> None:
    assert kush_bitrate(1280, 720, 20) == 1_290_240
    assert kush_bitrate(1280, 720, 30) == 1_935_360
    assert kush_bitrate(1920, 1080, 20) == 2_903_040
    assert kush_bitrate(1920, 1080, 30) == 4_354_560
    assert kush_bitrate(1280, 720, 30, 2) == 2 * kush_bitrate(1280, 720, 30)
    with pytest.raises(ValueError, match="quality"):
        kush_bitrate(1280, 720, 30, 5)
