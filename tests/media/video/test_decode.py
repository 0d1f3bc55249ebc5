import pytest
from av import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.lipsync.schedule import LIMIT, SLACK, Schedule
from parlour.media.video import decode, h264, sps
from parlour.media.video.codec import EncodedPicture, PayloadError, VideoCodec, is_too_large
from parlour.media.video.decode import BURST, HELD, QUEUE, RATE, PictureDecoder
from parlour.media.video.depacketize import Depacketizer
from parlour.media.video.sps import MAX_FOUND, SequenceParameters, find_parameters, read_parameters
from tests.media.video.scene import BLUE, GREEN, RED, access_unit, is_near, painted, pixel, rtp, sent

BOTH = pytest.mark.parametrize("codec", list(VideoCodec))


def wants_refresh(decoder: PictureDecoder) -> bool:
    return decoder.refresh_wanted


def reason(decoder: PictureDecoder) -> str | None:
    return decoder.disabled


def encoded(
    codec: VideoCodec, frames: list[VideoFrame], keyframes: frozenset[int] = frozenset()
) -> list[EncodedPicture]:
    depacketizer = Depacketizer(codec)
    return [
        picture for packet in rtp(sent(frames, codec, keyframes=keyframes)) for picture in depacketizer.push(packet)
    ]


@BOTH
def test_only_the_newest_frame_comes_out(codec: VideoCodec) -> None:
    decoder = PictureDecoder(codec)
    for picture in encoded(codec, [painted(320, 240, colour) for colour in (RED, GREEN, BLUE)]):
        decoder.feed(picture)
    assert decoder.is_waiting
    frame = decoder.newest()
    assert frame is not None
    assert is_near(pixel(frame, 160, 120), BLUE)
    assert decoder.newest() is None
    statistics = decoder.counts
    assert (statistics.decoded, statistics.superseded) == (3, 2)


@BOTH
def test_each_picture_gives_its_frame_at_once(codec: VideoCodec) -> None:
    decoder = PictureDecoder(codec)
    for picture in encoded(codec, [painted(320, 240, colour) for colour in (RED, GREEN, BLUE)]):
        decoder.feed(picture)
        assert decoder.newest() is not None


@BOTH
def test_a_keyframe_saves_decoding_what_waits_before_it(codec: VideoCodec) -> None:
    decoder = PictureDecoder(codec)
    for picture in encoded(codec, [painted(320, 240, RED)] * 5 + [painted(320, 240, GREEN)], frozenset({5})):
        decoder.feed(picture)
    frame = decoder.newest()
    assert frame is not None
    assert is_near(pixel(frame, 9, 9), GREEN)
    assert (decoder.counts.decoded, decoder.counts.skipped) == (1, 5)


@BOTH
def test_the_size_may_change(codec: VideoCodec) -> None:
    decoder = PictureDecoder(codec)
    sizes = []
    for width, height in ((640, 360), (320, 180), (180, 320), (1280, 720)):
        for picture in encoded(codec, [painted(width, height, RED)] * 2):
            decoder.feed(picture)
            frame = decoder.newest()
            assert frame is not None
            sizes.append((frame.width, frame.height))
    assert sizes[::2] == sizes[1::2] == [(640, 360), (320, 180), (180, 320), (1280, 720)]


def test_the_codec_may_change() -> None:
    decoder = PictureDecoder(VideoCodec.H264)
    for codec in (VideoCodec.H264, VideoCodec.VP8, VideoCodec.H264):
        decoder.feed(encoded(codec, [painted(320, 240, GREEN)])[0])
        assert decoder.newest() is not None
        assert decoder.codec is codec


def huge(codec: VideoCodec, width: int, height: int) -> EncodedPicture:
    """A keyframe that declares a size: of VP8 only the header, of H.264 a stream from a real encoder."""
    if codec is VideoCodec.VP8:
        sizes = width.to_bytes(2, "little") + height.to_bytes(2, "little")
        return EncodedPicture(codec, b"\x10\x02\x00\x9d\x01\x2a" + sizes + bytes(50), 0, True, 0.0)
    return EncodedPicture(codec, access_unit(painted(width, height, RED)), 0, True, 0.0)


@BOTH
@pytest.mark.parametrize("size", [(7680, 4320), (3840, 2160), (16, 4096)])
def test_a_sender_of_too_large_pictures_is_disabled_until_they_are_smaller(
    codec: VideoCodec, size: tuple[int, int]
) -> None:
    decoder = PictureDecoder(codec)
    decoder.feed(huge(codec, *size))
    assert decoder.newest() is None
    assert f"{size[0]}×{size[1]}" in str(reason(decoder))
    assert decoder.counts.decoded == 0
    proper, following = encoded(codec, [painted(320, 240, RED)] * 2)
    decoder.feed(following)
    assert decoder.newest() is None
    assert decoder.counts.refused == 2
    decoder.feed(proper)
    decoder.feed(following)
    assert decoder.newest() is not None
    assert reason(decoder) is None


def test_a_parameter_set_hidden_in_another_nal_unit_is_found() -> None:
    bomb = huge(VideoCodec.H264, 3840, 2160).data
    decoder = PictureDecoder(VideoCodec.H264)
    decoder.feed(EncodedPicture(VideoCodec.H264, b"\x00\x00\x00\x01\x06\x05\x01" + bomb, 0, False, 0.0))
    assert decoder.newest() is None
    assert reason(decoder) is not None


def test_more_parameter_sets_than_any_picture_has_are_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []

    def noted(body: bytes) -> SequenceParameters:
        read.append(body)
        return read_parameters(body)

    monkeypatch.setattr(sps, "read_parameters", noted)
    picture = EncodedPicture(VideoCodec.H264, access_unit(painted(320, 240, RED)), 0, True, 0.0)
    first_set = next(nal for nal in h264.split_nals(picture.data) if nal[0] & 0x1F == h264.NAL_SPS)
    decoder = PictureDecoder(VideoCodec.H264)
    decoder.feed(picture._replace(data=(h264.START_CODE + first_set) * (MAX_FOUND - 1) + picture.data))
    assert decoder.newest() is not None
    assert len(read) == MAX_FOUND
    decoder.feed(picture._replace(data=picture.data + (h264.START_CODE + first_set) * 10_000))
    assert decoder.newest() is None
    assert len(read) == MAX_FOUND
    assert decoder.counts.errors == 1
    assert wants_refresh(decoder)


def test_what_builds_on_a_broken_picture_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    first, following = encoded(VideoCodec.H264, [painted(320, 240, RED)] * 2)
    decoder = PictureDecoder(VideoCodec.H264)
    decoder.feed(first._replace(data=b"\x00\x00\x01\x67"))
    assert decoder.newest() is None
    monkeypatch.delattr(decode, "find_parameters")
    decoder.feed(following)
    assert decoder.newest() is None
    assert (decoder.counts.errors, decoder.counts.skipped) == (1, 1)


def test_1080p_is_the_largest_either_way_up() -> None:
    assert not is_too_large(1920, 1088)
    assert not is_too_large(1088, 1920)
    assert is_too_large(1936, 1088)
    assert is_too_large(1920, 1104)


@BOTH
def test_a_queue_that_nobody_empties_is_bounded_and_asks_for_a_keyframe(codec: VideoCodec) -> None:
    first, following = encoded(codec, [painted(160, 120, RED)] * 2)
    decoder = PictureDecoder(codec)
    decoder.feed(first)
    for _ in range(QUEUE + 5):
        decoder.feed(following)
    assert wants_refresh(decoder)
    assert decoder.newest() is None
    assert decoder.counts.overflows == 1
    decoder.feed(first)
    assert not wants_refresh(decoder)
    assert decoder.newest() is not None


@BOTH
def test_garbage_is_counted_and_asks_for_a_keyframe(codec: VideoCodec) -> None:
    good = encoded(codec, [painted(160, 120, RED)])[0]
    decoder = PictureDecoder(codec)
    decoder.feed(good._replace(data=good.data[:12] + b"\xff" * 9))
    decoder.feed(good._replace(data=b"", keyframe=False))
    assert decoder.newest() is None
    assert wants_refresh(decoder)
    assert decoder.counts.errors >= 1
    decoder.feed(good)
    assert decoder.newest() is not None
    assert not wants_refresh(decoder)


@BOTH
@given(data=st.binary(max_size=300))
def test_no_bytes_raise(codec: VideoCodec, data: bytes) -> None:
    decoder = PictureDecoder(codec)
    decoder.feed(EncodedPicture(codec, data, 0, True, 0.0))
    decoder.feed(EncodedPicture(codec, b"\x00\x00\x01\x67" + data, 0, True, 0.0))
    decoder.newest()


@given(st.binary(max_size=80))
def test_a_broken_parameter_set_is_an_error_by_name(body: bytes) -> None:
    try:
        found = read_parameters(body)
    except PayloadError:
        return
    assert found.width >= 16
    assert found.height >= 16


@pytest.mark.parametrize("profile", ["baseline", "main", "high", "high444"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (426, 240), (64, 64)])
def test_declared_sizes_are_read_from_real_encoders(profile: str, width: int, height: int) -> None:
    frame = painted(width, height, RED).reformat(format="yuv444p" if profile == "high444" else "yuv420p")
    (found,) = find_parameters(access_unit(frame, preset="superfast", profile=profile))
    assert (found.width, found.height) == (-(-width // 16) * 16, -(-height // 16) * 16)
    assert found.is_constrained_baseline == (profile == "baseline")


@pytest.mark.parametrize("format_name", ["yuv444p", "yuv422p"])
def test_other_chroma_formats_become_420(format_name: str) -> None:
    data = access_unit(painted(320, 240, RED).reformat(format=format_name))
    decoder = PictureDecoder(VideoCodec.H264)
    decoder.feed(EncodedPicture(VideoCodec.H264, data, 0, True, 0.0))
    frame = decoder.newest()
    assert frame is not None
    assert frame.format.name == "yuv420p"
    assert is_near(pixel(frame, 100, 100), RED)


@BOTH
def test_pictures_wait_until_they_are_due(codec: VideoCodec) -> None:
    decoder = PictureDecoder(codec)
    decoder.schedule = Schedule(0, 10.2)  # the first one; they were there a thirtieth of a second apart, from 10 on
    for picture in encoded(codec, [painted(320, 240, colour) for colour in (RED, GREEN, BLUE)], frozenset({2})):
        decoder.feed(picture)
    shown = [(due, decoder.newest(due)) for due in (10.1, 10.19, 10.21, 10.22, 10.24, 10.3)]
    colours = [(due, colour) for due, frame in shown if frame for colour in (RED, GREEN, BLUE)
               if is_near(pixel(frame, 9, 9), colour)]  # fmt: skip
    assert colours == [(10.21, RED), (10.24, GREEN), (10.3, BLUE)]
    assert not decoder.is_waiting
    assert decoder.counts.skipped == 0, "a keyframe is no reason not to show what was before it"


def test_without_a_schedule_any_more_all_are_due() -> None:
    decoder = PictureDecoder(VideoCodec.VP8)
    decoder.schedule = Schedule(0, 10.4)
    for picture in encoded(VideoCodec.VP8, [painted(320, 240, colour) for colour in (RED, GREEN)]):
        decoder.feed(picture)
    assert decoder.newest(10.1) is None
    decoder.schedule = None
    frame = decoder.newest(10.1)
    assert frame is not None
    assert is_near(pixel(frame, 9, 9), GREEN)


@pytest.mark.parametrize("due", [10.0 + LIMIT + SLACK + 0.2, 5e6, -5e6, 9.0])
def test_what_can_not_be_due_is_shown_at_once(due: float) -> None:
    decoder = PictureDecoder(VideoCodec.H264)
    decoder.schedule = Schedule(0, due)
    [picture] = encoded(VideoCodec.H264, [painted(320, 240, RED)])
    decoder.feed(picture)
    assert decoder.newest(10.07) is not None


def test_no_more_wait_than_a_second_of_a_fast_camera_has_room_for() -> None:
    decoder = PictureDecoder(VideoCodec.VP8)
    decoder.schedule = Schedule(0, 10.4)
    pictures = encoded(VideoCodec.VP8, [painted(64, 64, RED)] * (HELD + 5))
    for picture in pictures:
        decoder.feed(picture._replace(timestamp=0, arrived=10.0))
        assert len(decoder._queue) <= QUEUE
    assert decoder.newest(10.1) is not None
    assert len(decoder._queue) == HELD
    assert decoder.counts.hurried == 5
    for picture in pictures[:1] * (QUEUE * 3):
        decoder.feed(picture._replace(timestamp=0, arrived=10.0))
        assert len(decoder._queue) <= QUEUE


def fed(rate: int, seconds: int, keyframe_every: int, start: float = 10.0) -> list[EncodedPicture]:
    """The smallest pictures of a sender, so many a second."""
    key, following = encoded(VideoCodec.VP8, [painted(64, 64, RED)] * 2)
    return [
        (following if index % keyframe_every else key)._replace(arrived=start + index / rate)
        for index in range(rate * seconds)
    ]


def test_a_camera_of_60_pictures_a_second_is_decoded_whole_even_after_a_standstill() -> None:
    decoder = PictureDecoder(VideoCodec.VP8)
    pictures = fed(60, 10, 600)
    stood_still = [picture._replace(arrived=15.0 + at / 1000) for at, picture in enumerate(pictures[240:300])]
    pictures[240:300] = stood_still  # a second of them comes within 60 ms
    for picture in pictures:
        decoder.feed(picture)
        decoder.newest()
    assert decoder.counts.decoded == 600
    assert (decoder.counts.skipped, decoder.counts.overflows) == (0, 0)


@pytest.mark.parametrize("keyframe_every", [1, 10, 10_000])
def test_a_sender_of_too_many_pictures_has_few_of_them_decoded(keyframe_every: int) -> None:
    decoder = PictureDecoder(VideoCodec.VP8)
    pictures = fed(900, 5, keyframe_every)
    refreshes = 0
    for picture in pictures:
        decoder.feed(picture)
        decoder.newest()
        refreshes += wants_refresh(decoder)
    counts = decoder.counts
    assert BURST <= counts.decoded <= BURST + 5 * RATE
    assert counts.decoded + counts.skipped == len(pictures)
    assert counts.overflows > 0
    assert refreshes > 0
    calmer = fed(60, 2, 60, start=20.0)
    for picture in calmer:
        decoder.feed(picture)
        assert decoder.newest() is not None
    assert not wants_refresh(decoder)
