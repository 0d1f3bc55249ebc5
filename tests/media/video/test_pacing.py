from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.live.relief import Relief
from parlour.media.video.keyframes import SENDER_PERIOD, KeyframeRequests
from parlour.media.video.pace import IDLE_EVERY, SETTLING, Pace, timestamp_of
from parlour.media.video.request import (
    DECREASE_DELAY,
    UNSEEN,
    SenderRequest,
    SenderRequests,
    eased,
    is_small,
    request_for,
    request_for_screen,
)


def test_the_first_picture_is_a_keyframe_and_only_that() -> None:
    requests = KeyframeRequests()
    assert requests.take(0.0)
    assert not requests.take(10.0)


def test_many_requests_make_one_keyframe() -> None:
    requests = KeyframeRequests()
    requests.take(0.0)
    for _ in range(50):
        requests.ask()
    assert requests.take(1.0)
    assert not requests.take(2.0)
    assert requests.statistics().asked == 50
    assert requests.statistics().granted == 2


def test_a_request_too_soon_waits_and_is_not_forgotten() -> None:
    requests = KeyframeRequests()
    requests.take(1.0)
    requests.ask()
    assert not requests.take(1.1)
    assert not requests.take(1.24)
    assert requests.take(1.25)


def test_a_keyframe_made_for_another_reason_serves_who_waits() -> None:
    requests = KeyframeRequests()
    requests.take(0.0)
    requests.ask()
    requests.made(0.1)
    assert not requests.take(5.0)


def test_senders_are_asked_at_most_once_a_second() -> None:
    requests = KeyframeRequests(SENDER_PERIOD, wanted=False)
    assert not requests.take(0.0)
    asked = 0
    for tick in range(300):
        requests.ask()
        asked += requests.take(tick / 30)
    assert asked == 10


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 0.2)), max_size=60))
def test_keyframes_keep_their_distance(steps: list[tuple[bool, float]]) -> None:
    requests, now, last = KeyframeRequests(), 0.0, -1.0
    for ask, wait in steps:
        now += wait
        if ask:
            requests.ask()
        if requests.take(now):
            assert now - last >= 0.25
            last = now


def test_a_moving_room_is_encoded_each_tick() -> None:
    pace = Pace()
    assert all(pace.is_due(changed=True) for _ in range(100))


def test_a_still_room_is_encoded_now_and_then_after_settling() -> None:
    pace = Pace()
    pace.is_due(changed=True)
    due = [pace.is_due(changed=False) for _ in range(SETTLING + 20)]
    assert all(due[:SETTLING])
    assert sum(due[SETTLING:]) == 20 // IDLE_EVERY
    assert pace.is_due(changed=False, keyframe=True)
    assert pace.is_due(changed=True)


def test_timestamps_stay_on_the_clock() -> None:
    assert [timestamp_of(tick, 30) for tick in (0, 1, 2, 30)] == [0, 3000, 6000, 90_000]
    assert timestamp_of(20, 20) == 90_000


def test_a_sender_is_asked_for_what_its_tile_shows() -> None:
    assert request_for((640, 360), 30)[:3] == (640, 360, 30)
    assert request_for((426, 240), 30)[:2] == (480, 270)
    assert request_for((320, 180), 20)[:3] == (320, 180, 20)
    assert request_for((1280, 720), 30)[:2] == (1280, 720)
    assert request_for((3000, 2000), 30)[:2] == (1920, 1080)
    assert request_for(None, 30) == UNSEEN
    assert request_for((640, 360), 30).bitrate > request_for((320, 180), 30).bitrate > UNSEEN.bitrate


def test_a_screen_is_never_asked_for_fewer_pixels_but_for_fewer_frames() -> None:
    tiles: list[tuple[int, int] | None] = [(1280, 720), (640, 360), (426, 240), (214, 120), None]
    wanted = [request_for_screen(tile, 30) for tile in tiles]
    assert {(one.width, one.height) for one in wanted} == {(0, 0)}
    assert [one.fps for one in wanted] == [30, 30, 10, 10, 5]
    assert [one.bitrate for one in wanted] == sorted((one.bitrate for one in wanted), reverse=True)
    requests = SenderRequests(30, (1280, 720))
    assert requests.update("screen", (1280, 720), 0.0, screen=True) == wanted[0]
    assert requests.update("screen", (214, 120), 1.0, screen=True) is None
    assert requests.update("screen", (214, 120), 1.0 + DECREASE_DELAY, screen=True) == wanted[3]
    requests.relieve(Relief.SLOWER_PICTURE)
    assert requests.update("screen", (1280, 720), 9.0, screen=True) == SenderRequest(0, 0, 15, wanted[0].bitrate)


def test_more_is_asked_for_at_once_and_less_after_a_while() -> None:
    requests = SenderRequests(30, (1280, 720))
    assert requests.update("ann", (320, 180), 0.0) == request_for((320, 180), 30)
    assert requests.update("ann", (320, 180), 1.0) is None
    assert requests.update("ann", (1280, 720), 1.0) == request_for((1280, 720), 30)
    assert requests.update("ann", None, 2.0) is None
    assert requests.update("ann", None, 2.0 + DECREASE_DELAY - 0.1) is None
    assert requests.update("ann", None, 2.0 + DECREASE_DELAY) == UNSEEN


def test_less_for_a_moment_changes_nothing() -> None:
    requests = SenderRequests(30, (1280, 720))
    requests.update("ann", (1280, 720), 0.0)
    requests.update("ann", None, 1.0)
    assert requests.update("ann", (1280, 720), 3.0) is None
    assert requests.update("ann", None, 7.0) is None
    assert requests.update("ann", None, 12.0) == UNSEEN
    requests.forget("ann")
    assert requests.update("ann", None, 12.0) == UNSEEN


CANVAS = (1280, 720)


def test_a_ninth_of_the_canvas_is_small() -> None:
    assert is_small((428, 240), CANVAS)
    assert not is_small((640, 360), CANVAS)
    assert not is_small((854, 480), CANVAS)
    assert is_small((640, 360), (1920, 1080))


def test_senders_are_asked_for_less_step_by_step_where_the_worker_has_too_much_to_do() -> None:
    small, large = (426, 240), (640, 360)
    assert eased(small, CANVAS, 30, Relief.NONE) == (small, 30)
    assert eased(small, CANVAS, 30, Relief.SLOWER_SMALL_TILES) == (small, 15)
    assert eased(large, CANVAS, 30, Relief.SLOWER_SMALL_TILES) == (large, 30)
    assert eased(large, CANVAS, 30, Relief.SMALLER_CAMERAS) == ((320, 180), 30)
    assert eased(large, CANVAS, 30, Relief.SLOWER_PICTURE) == ((320, 180), 15)
    assert eased(None, CANVAS, 30, Relief.NO_MORE_MEMBERS) == (None, 30)


def test_less_is_asked_for_without_delay_then() -> None:
    requests = SenderRequests(30, CANVAS)
    requests.update("ann", (640, 360), 0.0)
    requests.relieve(Relief.SMALLER_CAMERAS)
    assert requests.update("ann", (640, 360), 0.1) == request_for((320, 180), 30)
    requests.relieve(Relief.NONE)
    assert requests.update("ann", (640, 360), 0.2) == request_for((640, 360), 30)
