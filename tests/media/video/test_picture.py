import numpy as np
import pytest
from av import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.video.canvas import Canvas, Rect, rows_of
from parlour.media.video.card import Card, CardPress, ground_colour
from parlour.media.video.codec import VideoCodec
from parlour.media.video.colour import BACKGROUND, TALKING, Rgb, to_yuv
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.depacketize import Depacketizer
from parlour.media.video.picture import Compositor, TileSpec
from parlour.media.video.tile import Scaling, fitted, middle
from tests.media.video.scene import BLUE, GREEN, RED, YELLOW, is_near, painted, pixel, rtp, sent

QUARTERS = (Rect(0, 0, 640, 360), Rect(640, 0, 640, 360), Rect(0, 360, 640, 360), Rect(640, 360, 640, 360))
CARDS = CardPress()


def room() -> Compositor:
    return Compositor(1280, 720, cards=CARDS)


def composed(compositor: Compositor) -> VideoFrame:
    frame = compositor.compose()
    assert frame is not None
    return frame


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_what_cameras_send_is_seen_in_their_tiles(codec: VideoCodec) -> None:
    colours = {"ann": RED, "bob": GREEN, "cay": BLUE, "dan": YELLOW}
    compositor = room()
    compositor.set_tiles([TileSpec(*pair) for pair in zip(colours, QUARTERS, strict=True)])
    for member_id, colour in colours.items():
        depacketizer, decoder = Depacketizer(codec), PictureDecoder(codec)
        for packet in rtp(sent([painted(640, 360, colour)] * 2, codec)):
            for picture in depacketizer.push(packet):
                decoder.feed(picture)
        frame = decoder.newest()
        assert frame is not None
        compositor.update(member_id, frame)
    frame = composed(compositor)
    for colour, (x, y, width, height) in zip(colours.values(), QUARTERS, strict=True):
        for at in ((x + 1, y + 1), (x + width - 2, y + height - 2), (x + width // 2, y + height // 2)):
            assert is_near(pixel(frame, *at), colour)


def test_a_picture_of_another_shape_stands_between_bars() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", Rect(0, 0, 1280, 720))])
    compositor.update("ann", painted(640, 480, RED))
    frame = composed(compositor)
    assert is_near(pixel(frame, 640, 360), RED)
    assert is_near(pixel(frame, 162, 360), RED)
    assert pixel(frame, 158, 360) == pixel(frame, 1122, 360) == to_yuv(BACKGROUND)


def test_or_fills_its_tile_with_its_middle() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", Rect(0, 0, 640, 360), Scaling.FILL)])
    source = painted(480, 640, RED)
    rows_of(source.planes[0])[:160] = 16
    rows_of(source.planes[0])[480:] = 16
    compositor.update("ann", source)
    frame = composed(compositor)
    for at in ((1, 1), (638, 358), (320, 180)):
        assert is_near(pixel(frame, *at), RED)


def test_full_range_pictures_are_brought_into_range() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", Rect(0, 0, 640, 360)), TileSpec("bob", Rect(640, 0, 640, 360))])
    for member_id, name in (("ann", "yuvj420p"), ("bob", "yuv420p")):
        source = painted(640, 360, RED, name)
        source.color_range = 2
        for plane, value in zip(source.planes, (255, 128, 128), strict=True):
            rows_of(plane)[:] = value
        compositor.update(member_id, source)
    frame = composed(compositor)
    assert abs(pixel(frame, 10, 10).y - 235) <= 1
    assert abs(pixel(frame, 650, 10).y - 235) <= 1


def test_nothing_is_composed_when_nothing_changed() -> None:
    compositor = room()
    assert compositor.compose() is not None
    compositor.set_tiles([TileSpec("ann", QUARTERS[0]), TileSpec("bob", QUARTERS[1])])
    assert compositor.compose() is not None
    assert compositor.compose() is None
    compositor.update("ann", painted(640, 360, RED))
    assert compositor.compose() is not None
    assert compositor.compose() is None
    statistics = compositor.statistics()
    assert (statistics.composed, statistics.unchanged, statistics.scaled) == (3, 2, 1)
    assert statistics.painted == 3


def test_only_the_newest_frame_is_scaled() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0])])
    for colour in (RED, GREEN, BLUE):
        compositor.update("ann", painted(640, 360, colour))
    assert is_near(pixel(composed(compositor), 9, 9), BLUE)
    assert compositor.statistics().superseded == 2
    assert compositor.statistics().scaled == 1


def test_a_new_layout_is_complete_at_once() -> None:
    compositor = room()
    colours = {"ann": RED, "bob": GREEN, "cay": BLUE}
    layouts = [
        list(QUARTERS[:3]),
        [Rect(0, 0, 852, 480), Rect(852, 0, 428, 240), Rect(852, 240, 428, 240)],
        [Rect(320, 0, 640, 360), Rect(0, 360, 640, 360), Rect(640, 360, 640, 360)],
    ]
    compositor.set_tiles([TileSpec(*pair) for pair in zip(colours, layouts[0], strict=True)])
    for member_id, colour in colours.items():
        compositor.update(member_id, painted(640, 360, colour))
    compositor.compose()
    for layout in layouts:
        compositor.set_tiles([TileSpec(*pair) for pair in zip(colours, layout, strict=True)])
        frame = composed(compositor)
        for colour, (x, y, width, height) in zip(colours.values(), layout, strict=True):
            tile = rows_of(frame.planes[0])[y : y + height, x : x + width].astype(int)
            assert np.abs(tile - to_yuv(colour).y).max() <= 2


def test_tiles_that_stay_are_not_scaled_again() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0]), TileSpec("bob", QUARTERS[1])])
    for member_id in ("ann", "bob"):
        compositor.update(member_id, painted(320, 180, RED))
    compositor.compose()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0]), TileSpec("bob", QUARTERS[3])])
    frame = composed(compositor)
    assert compositor.statistics().scaled == 3
    assert is_near(pixel(frame, 9, 9), RED)
    assert is_near(pixel(frame, 700, 400), RED)
    assert pixel(frame, 700, 9) == to_yuv(BACKGROUND)


def test_who_talks_has_a_border_inside_the_tile_and_loses_it_again() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0]), TileSpec("bob", QUARTERS[1])])
    compositor.update("ann", painted(640, 480, RED))
    compositor.update("bob", painted(640, 360, GREEN))
    compositor.compose()
    compositor.set_talking(frozenset({"ann"}))
    frame = composed(compositor)
    for at in ((0, 0), (639, 359), (3, 180), (320, 356)):
        assert pixel(frame, *at) == to_yuv(TALKING)
    assert is_near(pixel(frame, 640, 0), GREEN)
    assert is_near(pixel(frame, 320, 180), RED)
    compositor.set_talking(frozenset())
    frame = composed(compositor)
    assert pixel(frame, 0, 0) == to_yuv(BACKGROUND)
    assert is_near(pixel(frame, 320, 1), RED)
    assert compositor.statistics().scaled == 2
    assert compositor.compose() is None


def test_what_lies_on_top_stays_on_top() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("screen", Rect(0, 0, 1280, 720)), TileSpec("ann", Rect(1040, 20, 214, 120))])
    compositor.update("screen", painted(1280, 720, BLUE))
    compositor.update("ann", painted(320, 180, RED))
    compositor.compose()
    compositor.update("screen", painted(1280, 720, GREEN))
    frame = composed(compositor)
    assert is_near(pixel(frame, 1100, 60), RED)
    assert is_near(pixel(frame, 1000, 60), GREEN)
    assert compositor.statistics().scaled == 3


def test_a_muted_camera_leaves_nothing_behind() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0])])
    compositor.update("ann", painted(640, 360, RED))
    compositor.compose()
    compositor.set_card("ann", Card("ann", "Ann Lee"))
    compositor.update("ann", painted(640, 360, RED))
    ground = pixel(composed(compositor), 9, 9)
    assert is_near(ground, ground_colour("ann"), 2)
    compositor.set_tiles([TileSpec("ann", QUARTERS[1])])
    assert pixel(composed(compositor), 649, 9) == ground
    compositor.set_card("ann", None)
    compositor.compose()
    assert pixel(compositor.frame(), 649, 9) == ground
    compositor.update("ann", painted(640, 360, GREEN))
    assert is_near(pixel(composed(compositor), 649, 9), GREEN)


def test_who_has_no_frame_yet_is_shown_by_the_last_card() -> None:
    compositor = room()
    compositor.set_card("ann", Card("other colour", "Ann"))
    compositor.set_card("ann", None)
    compositor.set_tiles([TileSpec("ann", QUARTERS[0])])
    assert is_near(pixel(composed(compositor), 9, 9), ground_colour("other colour"), 2)


def test_who_has_no_card_either_is_shown_by_a_neutral_one() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0])])
    assert is_near(pixel(composed(compositor), 9, 9), ground_colour("ann"), 2)


def test_frames_of_who_is_not_shown_are_let_go() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0])])
    compositor.update("ann", painted(640, 360, RED))
    compositor.update("bob", painted(640, 360, RED))
    compositor.compose()
    compositor.set_tiles([])
    compositor.compose()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0])])
    assert is_near(pixel(composed(compositor), 9, 9), ground_colour("ann"), 2)
    assert compositor.statistics().unseen == 1
    compositor.forget("ann")


@pytest.mark.parametrize("rect", [Rect(1, 0, 64, 36), Rect(0, 0, 63, 36), Rect(0, 0, 0, 36), Rect(1270, 0, 64, 36)])
def test_uneven_tiles_are_refused(rect: Rect) -> None:
    with pytest.raises(ValueError, match="tile"):
        room().set_tiles([TileSpec("ann", rect)])


@pytest.mark.parametrize("size", [(0, 720), (1279, 720), (1280, 722)])
def test_a_canvas_must_be_divisible(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="canvas"):
        Canvas(*size)


even = st.integers(1, 320).map(lambda half: 2 * half)


@given(st.integers(1, 1920), st.integers(1, 1920), even, even)
def test_places_are_even_inside_and_keep_the_shape(width: int, height: int, wide: int, high: int) -> None:
    rect = Rect(10, 20, wide, high)
    place = fitted(width, height, rect)
    assert not any(edge % 2 for edge in place)
    assert rect.x <= place.x
    assert place.x + place.width <= rect.x + rect.width
    assert rect.y <= place.y
    assert place.y + place.height <= rect.y + rect.height
    assert place.width == rect.width or place.height == rect.height
    part = middle(width, height, rect)
    assert part.x + part.width <= width
    assert part.y + part.height <= height
    assert part.width == width or part.height == height


@given(st.integers(1, 400), st.integers(1, 400), even, even, st.sampled_from(Scaling))
def test_a_picture_of_any_size_can_be_shown(width: int, height: int, wide: int, high: int, scaling: Scaling) -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", Rect(0, 0, wide, high), scaling)])
    compositor.update("ann", painted(width, height, RED))
    place = fitted(width, height, Rect(0, 0, wide, high)) if scaling is Scaling.FIT else Rect(0, 0, wide, high)
    centre = (place.x + place.width // 2, place.y + place.height // 2)
    assert is_near(pixel(composed(compositor), *centre), RED)


def test_colours_are_limited_range_bt601() -> None:
    assert to_yuv(Rgb(0, 0, 0)) == (16, 128, 128)
    assert to_yuv(Rgb(255, 255, 255)) == (235, 128, 128)
    assert to_yuv(Rgb(255, 0, 0)) == (81, 90, 240)


def test_slow_members_are_drawn_with_every_second_picture() -> None:
    compositor = room()
    compositor.set_tiles([TileSpec("ann", QUARTERS[0]), TileSpec("bob", QUARTERS[1])])
    compositor.set_slow(frozenset({"bob"}))
    drawn = []
    for colour in (RED, GREEN, BLUE, YELLOW):
        compositor.update("ann", painted(640, 360, colour))
        compositor.update("bob", painted(640, 360, colour))
        frame = composed(compositor)
        assert is_near(pixel(frame, 320, 180), colour)
        drawn.append(is_near(pixel(frame, 960, 180), colour))
    assert drawn == [False, True, False, True]
    compositor.set_slow(frozenset())
    compositor.update("bob", painted(640, 360, RED))
    assert is_near(pixel(composed(compositor), 960, 180), RED)
