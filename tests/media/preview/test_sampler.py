"""When the canvas is copied, and what becomes of the copies. The ticks are the time."""

from av import VideoFrame

from parlour.media.preview.sampler import LENGTH, Film, Sampler
from tests.media.video.scene import BLUE, GREEN, RED, is_near, painted, pixel

SECRET = "secret"


class Taker:
    """Takes films, unless it is ``busy``."""

    def __init__(self) -> None:
        self.films: list[Film] = []
        self.busy = False

    def offer(self, film: Film) -> bool:
        """See ``Sampler``."""
        if not self.busy:
            self.films.append(film)
        return not self.busy


def sampled(sampler: Sampler, ticks: range, frame: VideoFrame | None = None) -> list[int]:
    """The ticks that the canvas was copied at."""
    taken: list[int] = []
    canvas = frame or painted(1280, 720, RED)
    for tick in ticks:

        def copied(tick: int = tick) -> VideoFrame:
            taken.append(tick)
            return canvas

        sampler.take(tick, copied)
    return taken


def test_a_film_is_three_seconds_at_five_frames_a_second_after_the_first_second() -> None:
    taker = Taker()
    sampler = Sampler(30, taker.offer)
    sampler.watch(SECRET)
    assert sampled(sampler, range(900)) == list(range(30, 30 + 15 * 6, 6))
    assert [film.secret for film in taker.films] == [SECRET]


def test_the_next_film_begins_thirty_seconds_after_the_one_before() -> None:
    taker = Taker()
    sampler = Sampler(20, taker.offer)
    sampler.watch(SECRET)
    ticks = sampled(sampler, range(20 * 95))
    assert ticks[::LENGTH] == [20, 20 + 600, 20 + 1200, 20 + 1800]
    assert ticks[1] - ticks[0] == 4


def test_frames_are_small_copies_of_the_canvas() -> None:
    taker = Taker()
    sampler = Sampler(30, taker.offer)
    sampler.watch(SECRET)
    canvas = painted(1920, 1080, GREEN)
    sampled(sampler, range(200), canvas)
    frame = taker.films[0].frames[0]
    assert (frame.width, frame.height) == (320, 180)
    for plane in canvas.planes:
        plane.update(bytes(plane.buffer_size))
    assert is_near(pixel(frame, 160, 90), GREEN), "the canvas goes on, the copy does not"


def test_without_a_secret_nothing_is_copied() -> None:
    taker = Taker()
    sampler = Sampler(30, taker.offer)
    assert not sampled(sampler, range(900))
    sampler.watch(SECRET)
    sampler.watch("")
    assert not sampled(sampler, range(900, 1800))
    assert not taker.films


def test_a_film_that_was_begun_is_not_given_away_under_another_secret() -> None:
    taker = Taker()
    sampler = Sampler(30, taker.offer)
    sampler.watch(SECRET)
    sampled(sampler, range(100), painted(1280, 720, RED))
    sampler.watch("another")
    sampled(sampler, range(100, 300), painted(1280, 720, BLUE))
    assert [film.secret for film in taker.films] == ["another"]
    assert all(is_near(pixel(frame, 0, 0), BLUE) for frame in taker.films[0].frames)


def test_a_film_that_nobody_takes_is_counted_and_made_again_in_a_moment() -> None:
    taker = Taker()
    taker.busy = True
    sampler = Sampler(30, taker.offer)
    sampler.watch(SECRET)
    sampled(sampler, range(130))
    assert sampler.statistics()["refused"] == 1
    taker.busy = False
    assert sampled(sampler, range(130, 400))[0] == 30 + 14 * 6 + 90
    assert len(taker.films) == 1


def test_ticks_that_were_let_go_make_a_film_longer_not_shorter() -> None:
    taker = Taker()
    sampler = Sampler(30, taker.offer)
    sampler.watch(SECRET)
    sampled(sampler, range(60))
    sampled(sampler, range(500, 700))
    assert len(taker.films[0].frames) == LENGTH
