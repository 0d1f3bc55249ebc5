"""How loud one hears the others: an own mix, turned up or down, for that one alone."""

import pytest

from parlour.media.audio.frame import FRAME
from parlour.media.audio.sound import Sound
from parlour.media.audio.volumes import MOST
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


def test_who_hears_equally_loud_hears_one_mix() -> None:
    people = [f"p{number}" for number in range(40)]

    def turn(sound: Sound, tick: int) -> None:
        if tick == 20:
            for person in people:
                sound.set_output_volume(person, 25)

    sound, results = run({"a": tone(440, 100), **{person: [] for person in people}}, lambda tick: {"a"}, 90, turn)
    assert {results[-1].payload_for(person) for person in people} == {results[-1].payload_for(people[0])}
    assert results[-1].payload_for(people[0]) not in {results[-1].shared, results[-1].payload_for("a")}
    found = sound.statistics()
    assert (found.encoders, found.encoders_made) == (3, 3), "all, who speaks, and they"


def test_there_are_only_so_many_volumes_at_a_time() -> None:
    """Others hear the nearest of those that are made, or the shared mix, and their own as soon as there is room."""
    people = {f"p{number}": number - 20 for number in range(40) if number != 20}

    def turn(sound: Sound, tick: int) -> None:
        for person, volume in people.items():
            if tick == 20:
                sound.set_output_volume(person, volume)
            if tick == 60 and volume < 18:
                sound.set_output_volume(person, 0)

    sound, results = run({"a": tone(440, 120), **{person: [] for person in people}}, lambda tick: {"a"}, 120, turn)
    crowded = {person: results[50].payload_for(person) for person in people}
    assert len(set(crowded.values())) == MOST + 1
    assert crowded["p39"] == results[50].shared, "the first ones were soft"
    assert crowded["p9"] == crowded["p7"] != results[50].shared
    loud = loudness(hear(results, "p39")[80 * FRAME : 115 * FRAME], 440)
    assert loud - loudness(hear(results, "p0")[80 * FRAME : 115 * FRAME], 440) == pytest.approx(19 * 0.4, abs=1)
    assert sound.statistics().encoders == 2 + 2


def test_who_begins_to_speak_hears_the_others_as_before() -> None:
    def turn(sound: Sound, tick: int) -> None:
        if tick == 20:
            sound.set_output_volume("b", -25)

    sources = {"a": tone(440, 300), "b": tone(1000, 300)}
    _, results = run(sources, lambda tick: {"a", "b"} if 100 <= tick < 120 else {"a"}, 290, turn)
    heard = hear(results, "b")
    listening, speaking, again = (heard[at * FRAME : (at + 15) * FRAME] for at in (60, 103, 275))
    assert loudness(speaking, 440) == pytest.approx(loudness(listening, 440), abs=1)
    assert loudness(again, 440) == pytest.approx(loudness(listening, 440), abs=1), "and when that mix is given up"
    assert click(heard[60 * FRAME :]) < 500, "nothing is cut"
