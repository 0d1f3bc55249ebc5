"""Cuts and ramps that nobody hears."""

import numpy as np
import pytest

from parlour.media.audio.frame import FRAME
from parlour.media.audio.stretch import LEAST_CUT, cross_fade, fade_in, fade_out, lengthen, shorten
from tests.media.audio.signals import click, noise_ratio, sine, voice


@pytest.mark.parametrize("frequency", [90, 150, 440, 1000])
def test_a_cut_goes_where_the_sound_repeats(frequency: float) -> None:
    sound = sine(frequency, 6)
    shorter = shorten(sound, FRAME)
    assert LEAST_CUT <= sound.size - shorter.size <= FRAME
    assert click(shorter) < 3 * click(sound) + 5
    assert noise_ratio(shorter, frequency) > 15


def test_a_cut_in_speech_does_not_click() -> None:
    sound = voice(50)
    assert click(shorten(sound[FRAME:], FRAME)) < 1.5 * click(sound)


def test_ends_stay() -> None:
    sound = voice(6)
    shorter = shorten(sound, FRAME)
    assert shorter[0] == sound[0]
    assert (shorter[-FRAME:] == sound[-FRAME:]).all()


@pytest.mark.parametrize("most", [0, LEAST_CUT - 1])
def test_too_little_to_cut_is_left_alone(most: int) -> None:
    sound = voice(6)
    assert shorten(sound, most) is sound
    assert shorten(sound[:100], FRAME).size == 100


def test_no_more_is_cut_than_asked_for() -> None:
    assert voice(6).size - shorten(voice(6), 300).size <= 300


def test_ramps_begin_and_end_in_silence() -> None:
    level = np.full(FRAME, 1000, np.float32)
    assert fade_in(level)[0] == 0
    assert fade_in(level)[-1] == 1000
    assert fade_out(level)[0] == 1000
    assert not fade_out(level)[FRAME // 2 :].any()
    joined = cross_fade(level, -level)
    assert (joined[0], joined[-1]) == (1000, -1000)
    assert np.abs(np.diff(joined)).max() < 10


@pytest.mark.parametrize("pitch", [60, 120, 250, 440])
@pytest.mark.parametrize("most", [FRAME // 4, FRAME // 2, FRAME])
def test_a_voice_is_drawn_out_without_a_seam(pitch: int, most: int) -> None:
    samples = voice(3, pitch)
    longer = lengthen(samples, most)
    assert LEAST_CUT <= longer.size - samples.size <= most
    assert click(longer) < 2 * click(samples)
    assert (longer[0], longer[-1]) == (samples[0], samples[-1])
    assert np.array_equal(longer[-FRAME:], samples[-FRAME:])


def test_where_there_is_no_room_nothing_is_drawn_out() -> None:
    samples = voice(1)
    assert lengthen(samples, LEAST_CUT - 1) is samples
    assert lengthen(samples[: FRAME // 2], FRAME).size == FRAME // 2
