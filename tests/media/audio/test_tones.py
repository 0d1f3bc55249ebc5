"""The chords of coming and going."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.media.audio.frame import FRAME, RATE
from parlour.media.audio.tones import Tone, Tones, synthesise
from tests.media.audio.signals import TICK, click, loudness


@pytest.mark.parametrize("tone", Tone)
def test_a_chord_has_its_frequencies_length_and_level(tone: Tone) -> None:
    frequencies, milliseconds = tone.value
    sound = synthesise(tone)
    assert sound.size % FRAME == 0
    assert RATE * milliseconds // 1000 <= sound.size < RATE * milliseconds // 1000 + FRAME
    assert 20 * np.log10(np.abs(sound).max() / 32767) == pytest.approx(-7, abs=0.1)
    for frequency in frequencies:
        assert loudness(sound, frequency) > -30
    assert loudness(sound, 2000) < -70
    assert click(np.concatenate((np.zeros(FRAME, np.float32), sound, np.zeros(FRAME, np.float32)))) < 300


def starts(tones: Tones, ticks: int) -> list[int]:
    """Ticks at which a tone begins after silence or after another."""
    begun = []
    for tick in range(ticks):
        played = tones.played
        tones.frame(tick * TICK)
        if tones.played > played:
            begun.append(tick)
    return begun


def test_the_entry_chord_waits_for_the_one_who_enters() -> None:
    tones = Tones()
    tones.ask(Tone.ENTRY, 0.0)
    assert starts(tones, 100) == [20]


def test_tones_follow_one_another() -> None:
    tones = Tones()
    tones.ask(Tone.EXIT, 0.0)
    tones.ask(Tone.ENTRY, 0.0)
    assert starts(tones, 100) == [0, 25]


def test_a_rush_is_one_tone_of_a_kind_a_second() -> None:
    tones = Tones()
    for index in range(50):
        tones.ask(Tone.ENTRY, index * 0.01)
        tones.ask(Tone.EXIT, index * 0.01)
    assert len(starts(tones, 300)) == 2
    assert tones.coalesced == 98


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 10), st.sampled_from(Tone)), max_size=100))
def test_a_tone_of_a_kind_begins_at_most_once_a_second(asked: list[tuple[float, Tone]]) -> None:
    tones = Tones()
    asked = sorted(asked, key=lambda item: item[0], reverse=True)
    waiting = len(asked)
    for tick in range(700):
        while asked and asked[-1][0] <= tick * TICK:
            tones.ask(asked.pop()[1], tick * TICK)
        tones.frame(tick * TICK)
    assert tones.played + tones.coalesced == waiting
    assert tones.played <= 2 * 11
    assert tones.frame(20.0) is None
