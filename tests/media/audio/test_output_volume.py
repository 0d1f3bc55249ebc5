"""How loud one hears the others: an own mix, turned up or down, for that one alone."""

import pytest

from parlour.media.audio.frame import FRAME
from parlour.media.audio.sound import Sound
from tests.media.audio.room import hear, run
from tests.media.audio.signals import Arrivals, click, loudness, opus, packets, sine


def tone(frequency: float, frames: int) -> Arrivals:
    return packets(opus(sine(frequency, frames)))


@pytest.mark.parametrize("listener", ["silent", "speaking"])
@pytest.mark.parametrize(("volume", "decibels"), [(-25, -10), (15, 6)])
def test_one_hears_the_others_softer_or_louder_and_nobody_else_does(
    listener: str, volume: int, decibels: float
) -> None:
    def turn(sound: Sound, tick: int) -> None:
        if tick == 100:
            sound.set_output_volume(listener, volume)
        if tick == 200:
            sound.set_output_volume(listener, 0)

    speaks = listener == "speaking"
    own = tone(1000, 500) if speaks else packets(opus(sine(440, 500, 0.0)), level=127)
    sources = {"a": tone(440, 500), "b": packets(opus(sine(440, 500, 0.0)), level=127), listener: own}
    sound, results = run(sources, lambda tick: {"a", listener} if speaks else {"a"}, 450, turn)
    for other, expected in ((listener, decibels), ("b", 0)):
        heard = hear(results, other)
        before, turned, after = (heard[at * FRAME : (at + 85) * FRAME] for at in (60, 110, 210))
        before = before[: 35 * FRAME]
        assert loudness(turned, 440) - loudness(before, 440) == pytest.approx(expected, abs=1)
        assert loudness(after, 440) - loudness(before, 440) == pytest.approx(0, abs=1)
        assert click(heard[60 * FRAME :]) < 500, "nothing is cut"
    with_own = [listener in result.own for result in results]
    assert with_own[150]
    assert with_own[-1] == speaks, "who hears all as it is gets the shared mix again"
    assert sound.statistics().encoders == 2 + speaks


def test_the_volume_of_who_left_is_forgotten() -> None:
    def turn(sound: Sound, tick: int) -> None:
        if tick == 20:
            sound.set_output_volume("b", 25)
        if tick == 40:
            sound.leave("b")
        if tick == 60:
            sound.set_output_volume("b", 25)

    sound, results = run({"a": tone(440, 100), "b": []}, lambda tick: {"a"}, 90, turn)
    assert "b" in results[30].own
    assert set(results[-1].own) == {"a"}
    assert sound.statistics().encoders == 2
