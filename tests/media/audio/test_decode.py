"""The decoder, and libopus's concealment through it."""

from itertools import pairwise

import numpy as np
import pytest

from parlour.media.audio.decode import OpusDecoder
from parlour.media.audio.frame import FRAME
from tests.media.audio.signals import PROTECTED, click, opus, sine, syllables, voice


def test_concealment_carries_on_and_fades() -> None:
    decoder = OpusDecoder()
    payloads = opus(voice(60))
    before = np.concatenate([decoder.decode(payload) for payload in payloads])
    after = np.concatenate([decoder.conceal() for _ in range(10)])
    assert np.abs(after[:FRAME]).mean() > 0.4 * np.abs(before[-FRAME:]).mean()
    assert np.abs(after[-FRAME:]).mean() < 0.3 * np.abs(before[-FRAME:]).mean()
    assert click(np.concatenate((before[10 * FRAME :], after))) < 2 * click(voice(60))


def test_concealment_joins_what_comes_after() -> None:
    decoder = OpusDecoder()
    payloads = opus(sine(440, 60))
    blocks = [
        decoder.conceal() if index in {30, 40, 41} else decoder.decode(payload)
        for index, payload in enumerate(payloads)
    ]
    assert click(np.concatenate(blocks)[10 * FRAME :]) < 100
    assert decoder.statistics().concealed == 3


@pytest.mark.parametrize("milliseconds", [10, 40, 60])
def test_concealment_is_at_least_as_long_as_asked_for(milliseconds: int) -> None:
    decoder = OpusDecoder()
    for payload in opus(sine(440, 30), milliseconds):
        decoder.decode(payload)
    assert decoder.conceal(960).size in {960, 48 * milliseconds}
    assert decoder.conceal(2880).size == 2880


def test_what_the_next_packet_repeats_is_nearer_to_what_was_lost_than_concealment() -> None:
    payloads = opus(syllables(200), bit_rate=24_000, options=PROTECTED)
    whole, concealing, recovering = OpusDecoder(), OpusDecoder(), OpusDecoder()
    missed: list[tuple[float, float]] = []
    for number, (payload, following) in enumerate(pairwise(payloads)):
        meant = whole.decode(payload)
        if number % 5:
            concealing.decode(payload)
            recovering.decode(payload)
            continue
        concealed, recovered = concealing.conceal(), recovering.recover(following, FRAME)
        if recovered.size:
            missed.append((np.abs(concealed - meant).mean(), np.abs(recovered - meant).mean()))
        else:
            recovering.conceal()
    assert recovering.statistics().recovered == len(missed) > 20
    by_concealment, by_repetition = np.mean(missed, axis=0)
    assert by_repetition < 0.6 * by_concealment


def test_what_repeats_nothing_recovers_nothing() -> None:
    decoder = OpusDecoder()
    first, second, *_ = opus(voice(10))
    decoder.decode(first)
    for following in (second, b"", b"\xff", b"\x08"):
        assert decoder.recover(following, FRAME).size == 0
    assert decoder.statistics().recovered == 0


def test_before_anything_was_heard_concealment_is_silence() -> None:
    assert not OpusDecoder().conceal().any()


def test_a_damaged_packet_is_empty_and_counted() -> None:
    decoder = OpusDecoder()
    assert decoder.decode(b"\xff\x01").size >= 0
    assert decoder.decode(b"\xf9\x00").size == 0
    assert decoder.statistics().malformed == 1
