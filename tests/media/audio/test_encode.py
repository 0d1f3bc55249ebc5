"""The encoder of a mix."""

import numpy as np
import pytest

from parlour.media.audio.encode import MixEncoder
from parlour.media.audio.frame import FRAME, SILENCE, Pcm, Samples, opus_packet_samples
from tests.media.audio.signals import click, decoded, noise_ratio, sine, voice


def frames_of(sound: Samples) -> list[Pcm]:
    return [sound[begin : begin + FRAME].astype(np.int16) for begin in range(0, sound.size, FRAME)]


def test_each_frame_is_one_packet_of_20_ms_at_the_bit_rate() -> None:
    encoder = MixEncoder(bit_rate=40_000)
    payloads = [encoder.encode(frame) for frame in frames_of(voice(250))]
    assert {opus_packet_samples(payload) for payload in payloads} == {FRAME}
    assert 16_000 < sum(map(len, payloads)) * 8 / 5 < 48_000
    assert encoder.statistics().encoded == 250


def test_a_tone_survives() -> None:
    encoder = MixEncoder()
    sound = decoded(encoder.encode(frame) for frame in frames_of(sine(440, 100)))
    assert noise_ratio(sound[20 * FRAME : 90 * FRAME], 440) > 30


def test_lasting_silence_is_encoded_once_and_sound_returns_unharmed() -> None:
    encoder = MixEncoder()
    silence = SILENCE.astype(np.int16)
    payloads = [encoder.encode(silence, silent=True) for _ in range(200)]
    assert encoder.statistics().repeated == 150
    payloads += [encoder.encode(frame) for frame in frames_of(sine(440, 100))]
    sound = decoded(payloads)
    assert np.abs(sound[: 195 * FRAME]).max() <= 2
    assert click(sound[205 * FRAME :]) < 60
    assert noise_ratio(sound[220 * FRAME : 290 * FRAME], 440) > 30


def test_a_primed_encoder_takes_over_without_a_cut() -> None:
    frames = frames_of(sine(440, 60))

    def heard(switch: int, primed: int) -> float:
        first, second = MixEncoder(), MixEncoder(complexity=1)
        payloads = [first.encode(frame) for frame in frames[:switch]]
        second.prime(frames[switch - primed : switch])
        payloads += [second.encode(frame) for frame in frames[switch:]]
        return click(decoded(payloads)[(switch - 2) * FRAME : (switch + 3) * FRAME])

    assert max(heard(switch, primed=3) for switch in range(40, 50)) < 80
    assert max(heard(switch, primed=0) for switch in range(40, 50)) > 400


def test_a_frame_is_960_samples() -> None:
    with pytest.raises(ValueError, match="960"):
        MixEncoder().encode(np.zeros(480, np.int16))
