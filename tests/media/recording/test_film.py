"""Films against a clock that the test moves: what is shown when, and for how long."""

from pathlib import Path

import av
import pytest

from parlour.media.audio.frame import FRAME, RATE
from parlour.media.recording.boxes import boxes, shape
from parlour.media.recording.film import DELAY, FRAGMENT_S, Film
from parlour.media.recording.remux import remux, seconds
from parlour.media.recording.spool import FilmFile
from parlour.media.video.codec import VIDEO_CLOCK
from parlour.media.video.colour import Rgb
from tests.media.audio.signals import click, loudness
from tests.media.recording.shooting import COLOURS, FPS, HERTZ, START, Camera, shoot, tone, unit
from tests.media.recording.watching import Watched, watch
from tests.media.video.scene import is_near, pixel

LOUD, QUIET = -20.0, -60.0
"""Decibels of full scale above which a tone is there, and below which it is not."""


class Set:
    """A film that is being shot: each second has the next colour and the next tone."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "film.mp4"
        self.file = FilmFile(self.path, 0)
        self.film = Film(self.file)
        self.camera = Camera()

    def picture(self, at: float) -> None:
        """The room's picture."""
        data, keyframe = unit(self.camera.take(at, COLOURS[_second(at)]))
        self.film.picture(at, data, keyframe=keyframe)

    def keyframe(self, at: float) -> None:
        """The room's picture, standing alone."""
        data, _ = unit(self.camera.take(at, COLOURS[_second(at)], keyframe=True))
        self.film.picture(at, data, keyframe=True)

    def sound(self, at: float) -> None:
        """The room's sound."""
        self.film.sound(at, tone(at, HERTZ[_second(at)]))

    def finish(self) -> Watched:
        """The finished film."""
        self.film.close()
        self.file.close()
        finished = self.path.with_name("finished.mp4")
        remux(self.path, finished)
        with finished.open("rb") as file:
            assert [box.kind for box in boxes(file)][:2] == [b"ftyp", b"moov"], "it plays before it is loaded"
        found = watch(finished)
        assert seconds(finished) == pytest.approx(max(found.video, found.audio))
        return found


def _second(at: float) -> int:
    return int(at - START + 1e-6) % len(COLOURS)


@pytest.fixture
def shot(tmp_path: Path) -> Set:
    """A film to be shot."""
    return Set(tmp_path)


def shows(film: Watched, at: float, colour: Rgb) -> bool:
    """Whether the film shows a colour then."""
    return is_near(pixel(film.picture_at(at), 20, 20), colour)


def sounds(film: Watched, at: float, hertz: float) -> bool:
    """Whether one tone alone is heard from then on."""
    heard = film.sound_at(at, 0.1)
    others = [one for one in HERTZ if one != hertz]
    return loudness(heard, hertz) > LOUD and max(loudness(heard, one) for one in others) < QUIET


def assert_in_sync(film: Watched, seconds: int) -> None:
    """Each second has its colour and its tone, from its beginning to its end."""
    for second in range(seconds):
        for part in (0.02, 0.4, 0.88):
            assert shows(film, second + part + 0.05, COLOURS[second % 4]), (second, part)
            assert sounds(film, second + part, HERTZ[second % 4]), (second, part)


def test_picture_and_sound_are_where_they_were(shot: Set) -> None:
    shoot(8, shot.picture, shot.sound)
    film = shot.finish()
    assert_in_sync(film, 8)
    assert film.video == pytest.approx(8, abs=0.001)
    assert film.audio == pytest.approx(8, abs=0.025)
    steps = {round(b.at - a.at, 4) for a, b in zip(film.pictures, film.pictures[1:], strict=False)}
    assert steps == {round(1 / FPS, 4)}
    assert click(film.sound_at(0.1, 0.8)) < 200, "the sound has no seams"


def test_idle_pictures_and_lost_sound_leave_everything_in_its_place(shot: Set) -> None:
    shoot(
        8,
        shot.picture,
        shot.sound,
        idle=lambda at: at % 1 > 0.3,
        skips=lambda at: 0.3 < at % 1 < 0.4 or 5.0 <= at < 7.0,
    )
    film = shot.finish()
    assert film.video == pytest.approx(film.audio, abs=0.025)
    for second in (0, 1, 2, 3, 4, 7):
        assert shows(film, second + 0.5, COLOURS[second % 4])
        assert sounds(film, second + 0.5, HERTZ[second % 4])
        assert abs(film.sound_at(second + 0.35, 0.03)).max() < 100, "what is missing is silence"
    assert abs(film.sound_at(5.05, 1.9)).max() < 100


def test_ten_minutes_are_ten_minutes_of_both(shot: Set) -> None:
    """With all that can happen to a clock: idle pictures, ticks and sound that were left out."""
    units = [unit(shot.camera.take(START + number, COLOURS[0])) for number in range(2)]

    def picture(at: float) -> None:
        data, keyframe = units[(at - START) % 10 > 0.5 / FPS]
        shot.film.picture(at, data, keyframe=keyframe)

    silence = tone(0, 500)
    shoot(
        600,
        picture,
        lambda at: shot.film.sound(at, silence),
        idle=lambda at: at % 60 > 30,
        skips=lambda at: at % 7 < 0.25 or 300 < at < 310,
    )
    shot.film.close()
    shot.file.close()
    for path in (shot.path, shot.path.with_name("finished.mp4")):
        if path != shot.path:
            remux(shot.path, path)
        film = _lengths(path)
        assert abs(film[0] - film[1]) < 0.1
        assert film[0] == pytest.approx(600, abs=0.1)


def _lengths(path: Path) -> tuple[float, float]:
    """Seconds of picture and of sound, by their last packets."""
    ends = {"video": 0.0, "audio": 0.0}
    with av.open(path) as film:
        for packet in film.demux():
            if packet.pts is not None and packet.time_base:
                ends[packet.stream.type] = float((packet.pts + (packet.duration or 0)) * packet.time_base)
    return ends["video"], ends["audio"]


def test_a_film_begins_with_a_keyframe_and_sound_with_it(shot: Set) -> None:
    shot.keyframe(START - 1)  # the encoder's first picture is one in any case
    shot.film.cut()
    assert shot.film.waits
    shoot(0.5, shot.picture, shot.sound)
    assert shot.film.length < 0.1, "nothing that builds on what is missing"
    shot.keyframe(START + 0.5)
    shoot(1, shot.picture, shot.sound, start=START + 0.5 + 1 / FPS)
    film = shot.finish()
    assert film.video == pytest.approx(film.audio, abs=0.025)
    assert film.video == pytest.approx(1 + 1 / FPS, abs=0.025)


@pytest.mark.parametrize("away", [0.7, 3600.0, 3600.013])
def test_a_pause_leaves_no_trace(shot: Set, away: float) -> None:
    shoot(2, shot.picture, shot.sound)
    shot.film.cut()
    later = START + 2 + away

    def picture(at: float) -> None:
        data, keyframe = unit(shot.camera.take(at, COLOURS[2], keyframe=at == later))
        shot.film.picture(at, data, keyframe=keyframe)

    shot.film.sound(later - 0.02, tone(later, HERTZ[3]))
    shoot(2, picture, lambda at: shot.film.sound(at, tone(at, HERTZ[2])), start=later)
    film = shot.finish()
    assert film.video == pytest.approx(4, abs=0.05)
    assert film.audio == pytest.approx(film.video, abs=0.025)
    assert shows(film, 1.9, COLOURS[1])
    assert shows(film, 2.1, COLOURS[2])
    assert shows(film, 3.9, COLOURS[2])
    assert sounds(film, 1.85, HERTZ[1])
    assert sounds(film, 2.05, HERTZ[2])
    assert sounds(film, 3.85, HERTZ[2])


def test_a_film_is_on_the_disk_half_a_second_after_it_was_shot(shot: Set) -> None:
    """Also between keyframes, of which there is but one here, and while hardly anything moves."""
    worst = 0.0

    def sound(at: float) -> None:
        nonlocal worst
        shot.sound(at)
        with shot.path.open("rb") as file:
            end = _end(shot.path) if shape(file).size else 0.0
        worst = max(worst, at + FRAME / RATE - START - end)

    shoot(4, shot.picture, sound, idle=lambda at: at > 2)
    assert worst < FRAGMENT_S + 0.3
    shot.film.close()
    shot.file.close()


def _end(path: Path) -> float:
    return _lengths(path)[0] - DELAY / VIDEO_CLOCK


def test_a_film_that_was_cut_off_anywhere_plays_up_to_its_last_whole_fragment(shot: Set, tmp_path: Path) -> None:
    shoot(3, shot.picture, shot.sound)
    shot.film.close()
    shot.file.close()
    whole = shot.path.read_bytes()
    with shot.path.open("rb") as file:
        ends = [box.end for box in boxes(file) if box.kind == b"mdat"]
    assert len(ends) >= 5
    torn = tmp_path / "torn.mp4"
    for cut in (*range(ends[2] - 3, ends[2] + 20), (ends[2] + ends[3]) // 2, ends[3] - 1):
        torn.write_bytes(whole[:cut])
        with torn.open("r+b") as file:
            found = shape(file)
            assert found.size == max(end for end in ends if end <= cut)
            assert found.fragmented
            file.truncate(found.size)
        remux(torn, tmp_path / "whole.mp4")
        film = watch(tmp_path / "whole.mp4")
        fragments = sum(end <= cut for end in ends)
        assert film.video == pytest.approx(fragments * FRAGMENT_S, abs=0.3)
        assert film.audio == pytest.approx(film.video, abs=0.2)


@pytest.mark.parametrize("octets", [0, 7, 100, 1000])
def test_a_file_in_which_nothing_is_to_be_played_has_no_size(shot: Set, tmp_path: Path, octets: int) -> None:
    shoot(2, shot.picture, shot.sound)
    shot.film.close()
    shot.file.close()
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(shot.path.read_bytes()[:octets])
    with torn.open("rb") as file:
        assert shape(file).size == 0
    torn.write_bytes(b"\x00\x00\x00\x01mdat" + bytes(12))
    with torn.open("rb") as file:
        assert list(boxes(file)) == []
