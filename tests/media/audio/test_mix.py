"""The sum, the sum less one, and its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.audio.frame import FRAME, Samples
from parlour.media.audio.mix import FULL_SCALE, Mixer, soft_clip, to_pcm, volume_gain
from tests.media.audio.signals import click, loudness, noise_ratio, sine

ALL = {"a": 1.0, "b": 1.0, "c": 1.0}


def frames_of(sound: Samples) -> list[Samples]:
    return [sound[begin : begin + FRAME] for begin in range(0, sound.size, FRAME)]


@pytest.mark.parametrize(("volume", "decibels"), [(-50, -20), (-10, -4), (0, 0), (25, 10), (50, 20), (900, 20)])
def test_a_step_of_volume_is_two_fifths_of_a_decibel(volume: int, decibels: float) -> None:
    assert 20 * np.log10(volume_gain(volume)) == pytest.approx(decibels)


def test_each_hears_all_but_oneself() -> None:
    voices = {"a": sine(440, 50), "b": sine(1000, 50), "c": sine(1700, 50)}
    frames = {member: frames_of(sound) for member, sound in voices.items()}
    mixer = Mixer()
    mixes = [mixer.mix({member: frames[member][index] for member in frames}, ALL) for index in range(50)]
    total = np.concatenate([mixed.total for mixed in mixes])
    mine = np.concatenate([mixed.without("b") for mixed in mixes])
    loud = 20 * np.log10(8000 / 32767)
    assert [loudness(total, frequency) for frequency in (440, 1000, 1700)] == pytest.approx([loud] * 3, abs=0.3)
    assert [loudness(mine, frequency) for frequency in (440, 1700)] == pytest.approx([loud] * 2, abs=0.3)
    assert loudness(mine, 1000) < loud - 80


def test_whoever_is_not_in_the_mix_is_not_heard() -> None:
    frame = sine(440, 1)
    mixed = Mixer().mix({"a": frame}, {})
    assert mixed.silent
    assert not mixed.total.any()
    assert mixed.without("a") is mixed.total


def test_what_a_lone_speaker_hears_is_known_to_be_silent() -> None:
    mixer = Mixer()
    mixed = mixer.mix({"a": sine(440, 1)}, {"a": 1.0, "b": 1.0})
    assert mixed.silent_without("a")
    assert not mixed.without("a").any()
    assert not mixed.silent_without("b")


def test_coming_going_and_volume_do_not_click() -> None:
    frames = frames_of(sine(440, 60))
    mixer = Mixer()
    gains = [0.0] * 10 + [1.0] * 10 + [2.0] * 10 + [0.3] * 10 + [0.0] * 20
    mixes = [mixer.mix({"a": frame}, {"a": gain} if gain else {}) for frame, gain in zip(frames, gains, strict=True)]
    heard = np.concatenate([mixed.total for mixed in mixes])
    assert click(heard) < 4 * click(sine(440, 60))
    assert np.abs(heard[10 * FRAME : 11 * FRAME]).max() > 1000
    assert not heard[41 * FRAME :].any()


def test_a_tone_is_heard_by_all() -> None:
    mixed = Mixer().mix({"a": sine(440, 1)}, {"a": 1.0}, tone=sine(600, 1))
    assert mixed.without("a") == pytest.approx(sine(600, 1), abs=0.01)
    assert not mixed.silent_without("a")


def test_below_the_knee_nothing_changes() -> None:
    quiet = sine(440, 5, 23_000)
    assert soft_clip(quiet) is quiet


def test_the_knee_is_smooth() -> None:
    ramp = np.linspace(-100_000, 100_000, 400_001, dtype=np.float32)
    bent = soft_clip(ramp)
    assert np.abs(bent).max() <= FULL_SCALE
    assert (np.diff(bent) >= 0).all()
    slope = np.diff(bent.astype(np.float64)) / 0.5
    assert np.abs(np.diff(slope)).max() < 0.01


def test_a_little_too_loud_is_bent_rather_than_cut() -> None:
    loud = sine(440, 50, 36_000)
    assert noise_ratio(soft_clip(loud), 440) > noise_ratio(np.clip(loud, -32767, 32767), 440) - 3
    assert click(soft_clip(loud)) < click(np.clip(loud, -32767, 32767))


@given(st.lists(st.floats(-3e6, 3e6, width=32), min_size=1, max_size=50))
def test_full_scale_is_never_exceeded(values: list[float]) -> None:
    samples = to_pcm(np.array(values, np.float32)).astype(np.int64)
    assert np.abs(samples).max() <= 32767
    assert (np.sign(samples) * np.sign(np.rint(values)) >= 0).all()
