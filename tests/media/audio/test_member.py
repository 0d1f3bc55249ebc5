"""One member's sound, from packets with real Opus in them to frames."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from parlour.media.audio.frame import FRAME, RATE, SILENCE, opus_packet_samples
from parlour.media.audio.member import MemberSound
from parlour.media.audio.stretch import LEAST_CUT
from tests.media.audio.room import BEGIN, listen
from tests.media.audio.signals import (
    PROTECTED,
    TICK,
    Arrivals,
    click,
    loudness,
    noise_ratio,
    opus,
    packets,
    sine,
    syllables,
    voice,
)

TONE = opus(np.concatenate((SILENCE, sine(440, 250))))
STEADY = slice(30 * FRAME, 230 * FRAME)
SMOOTH = 120.0  # a sine of 440 Hz and 8000 has a second difference of 27, a cut through it up to 8000


def without(arrivals: Arrivals, share: float, seed: int = 4) -> Arrivals:
    chance = np.random.default_rng(seed)
    return [item for item in arrivals if chance.random() >= share]


def test_a_tone_comes_out_as_it_went_in() -> None:
    heard = listen(packets(TONE), 240)
    assert noise_ratio(heard.samples[120 * FRAME : 220 * FRAME], 440) > 45
    assert click(heard.samples[STEADY]) < 40


def test_the_way_through_takes_60_ms_at_most() -> None:
    heard = listen(packets(TONE), 240)
    codec = 312  # libopus's own look-ahead
    begin = int(np.argmax(np.abs(heard.samples) > 1000)) - FRAME  # the tone began a frame into the stream
    assert begin - codec <= 0.060 * RATE


@pytest.mark.parametrize(("loss", "least"), [(0.05, 20.0), (0.2, 8.0)])
def test_loss_is_concealed_without_clicks(loss: float, least: float) -> None:
    heard = listen(without(packets(TONE), loss), 240)
    assert heard.sound.statistics().jitter.lost >= 100 * loss
    assert click(heard.samples[STEADY]) < SMOOTH
    assert noise_ratio(heard.samples[STEADY], 440) > least


def test_what_senders_repeat_stands_for_what_is_lost() -> None:
    sound = syllables(250)
    heard = listen(without(packets(opus(sound, bit_rate=24_000, options=PROTECTED)), 0.1), 240)
    tally = heard.sound.tally()
    assert tally.packets_recovered > 0.5 * tally.packets_lost > 5
    assert heard.sound.statistics().decoder.concealed < 0.5 * tally.packets_lost
    assert click(heard.samples[STEADY]) < 2 * click(sound)


def test_speech_through_loss_has_no_clicks() -> None:
    sound = voice(250)
    heard = listen(without(packets(opus(sound)), 0.2), 240)
    assert click(heard.samples[STEADY]) < 2 * click(sound)


@pytest.mark.parametrize("jitter", [0.02, 0.06, 0.12])
def test_jitter_becomes_delay_and_not_loss(jitter: float) -> None:
    chance = np.random.default_rng(7)
    heard = listen(packets(TONE, delay=lambda index: jitter * float(chance.random())), 250)
    statistics = heard.sound.statistics().jitter
    assert statistics.lost <= 5
    assert click(heard.samples[STEADY]) < SMOOTH
    assert noise_ratio(heard.samples[130 * FRAME : 230 * FRAME], 440) > 30


@settings(max_examples=15, deadline=None)
@given(delays=st.lists(st.floats(0, 0.25), min_size=251, max_size=251), phase=st.floats(0, 0.0199))
def test_no_network_makes_it_click(delays: list[float], phase: float) -> None:
    heard = listen(packets(TONE, delay=lambda index: delays[index]), 260, phase=phase)
    assert click(heard.samples) < 500
    assert len(heard.samples) == 260 * FRAME


def test_a_late_burst_is_caught_up_without_a_click() -> None:
    arrivals = packets(TONE, delay=lambda index: max(0.0, (115 - index) * TICK) if 100 <= index < 115 else 0.0)
    heard = listen(arrivals, 240)
    assert click(heard.samples[STEADY]) < 300
    assert noise_ratio(heard.samples[220 * FRAME : 235 * FRAME], 440) > 25


@pytest.mark.parametrize("milliseconds", [10, 40, 60])
def test_packets_of_other_lengths_are_cut_into_frames(milliseconds: int) -> None:
    samples = 48 * milliseconds
    payloads = opus(sine(440, 250), milliseconds)
    assert {opus_packet_samples(payload) for payload in payloads} == {samples}
    heard = listen(packets(payloads, samples=samples), 240)
    assert click(heard.samples[STEADY]) < SMOOTH
    assert noise_ratio(heard.samples[130 * FRAME : 230 * FRAME], 440) > 30
    assert heard.sound.statistics().jitter.lost == 0


def test_stereo_is_mixed_down() -> None:
    heard = listen(packets(opus(sine(440, 250), layout="stereo", bit_rate=96_000)), 240)
    assert loudness(heard.samples[STEADY], 440) == pytest.approx(20 * np.log10(8000 / 32767), abs=0.5)


def test_a_sender_that_stops_fades_and_costs_nothing_more() -> None:
    heard = listen(packets(TONE[:100]), 300, heard=lambda tick: tick < 150)
    assert click(heard.samples[30 * FRAME :]) < SMOOTH
    assert heard.frames[-1] is None
    assert not heard.sound.awake
    assert heard.sound.statistics().decoder.concealed <= 8


def test_a_sender_that_comes_back_does_so_smoothly() -> None:
    again = packets(TONE[100:], begin=BEGIN + 4.0, sequence=1100, timestamp=5000 + 100 * FRAME)
    heard = listen([*packets(TONE[:100]), *again], 330)
    assert click(heard.samples[30 * FRAME : 320 * FRAME]) < 300
    assert noise_ratio(heard.samples[260 * FRAME : 320 * FRAME], 440) > 25


def test_discontinuous_transmission_is_silence_with_soft_edges() -> None:
    pause = sine(440, 60, 0.0)
    payloads = opus(np.concatenate((sine(440, 60), pause, sine(440, 60))))
    sent = [*range(63), 90, *range(119, 180)]  # the sender's timestamps go on, its sequence numbers do not
    arrivals = [
        (arrived, packet._replace(sequence=sent.index(index)))
        for index, (arrived, packet) in enumerate(packets(payloads))
        if index in sent
    ]
    heard = listen(arrivals, 179)
    statistics = heard.sound.statistics().jitter
    assert (statistics.lost, statistics.late, statistics.resets) == (0, 0, 0)
    assert not heard.samples[75 * FRAME : 90 * FRAME].any()
    assert noise_ratio(heard.samples[150 * FRAME : 175 * FRAME], 440) > 30
    # Nothing is harder than the hard edges that were sent.
    assert click(heard.samples) <= 1.2 * click(listen(packets(payloads), 179).samples)


@pytest.mark.parametrize("drift", [-500e-6, 500e-6])
def test_clocks_that_drift_apart_neither_click_nor_gather_delay(drift: float) -> None:
    payloads = TONE[20:] * 8
    heard = listen(packets(payloads, delay=lambda index: index * TICK * drift + (0.02 if drift < 0 else 0.0)), 1800)
    statistics = heard.sound.statistics().jitter
    assert statistics.delay_target <= 2 * FRAME
    assert statistics.buffered <= 4
    assert statistics.lost == 0
    assert statistics.stalls + heard.sound.statistics().shortened <= 20


def test_damaged_packets_are_concealed() -> None:
    payloads = list(TONE)
    payloads[100] = bytes((payloads[100][0] | 1, 0))  # two frames of half an octet each
    heard = listen(packets(payloads), 240)
    tally = heard.sound.tally()
    assert tally.packets_unreadable + tally.packets_malformed == 1
    assert click(heard.samples[STEADY]) < SMOOTH


def test_silent_packets_are_not_decoded() -> None:
    heard = listen(packets(TONE, level=127), 260)
    statistics = heard.sound.statistics()
    assert statistics.decoder.decoded == 0
    assert statistics.skipped == len(TONE)
    assert set(heard.scores) == {0.0}


def test_a_loud_packet_wakes_a_warm_decoder_and_nothing_is_clipped() -> None:
    quiet, loud = 100, 60
    payloads = opus(np.concatenate((sine(300, quiet, 5.0), sine(2000, 3), sine(440, loud))))
    arrivals = packets(payloads[:quiet], level=90)
    arrivals += packets(
        payloads[quiet:],
        level=20,
        begin=BEGIN + quiet * TICK,
        sequence=1000 + quiet,
        timestamp=5000 + quiet * FRAME,
    )
    heard = listen(arrivals, 170, heard=lambda tick: tick >= quiet)
    onset = int(np.argmax(np.abs(heard.samples) > 1000))
    assert loudness(heard.samples[onset : onset + 3 * FRAME - 480], 2000) > -14
    assert heard.sound.statistics().decoder.decoded <= loud + 10


def test_after_a_pause_speech_is_heard_as_soon_as_out_of_silence_that_was_sent() -> None:
    silent, loud = 100, 60
    payloads = opus(np.concatenate((sine(300, silent, 0.0), sine(440, loud))))
    arrivals = packets(payloads[:silent], level=127)
    talk = packets(
        payloads[silent:],
        level=20,
        begin=BEGIN + silent * TICK,
        sequence=1000 + silent,
        timestamp=5000 + silent * FRAME,
    )
    refreshed = [arrivals[at] for at in range(4, silent, 10)]  # discontinuous transmission sends a frame now and then

    def onset(quiet: Arrivals) -> int:
        sent = [*quiet, *talk]
        numbered = [(arrived, packet._replace(sequence=number)) for number, (arrived, packet) in enumerate(sent)]
        heard = listen(numbered, 170, heard=lambda tick: tick > silent + 2)
        return int(np.argmax(np.abs(heard.samples) > 1000))

    assert onset(refreshed) <= onset(arrivals)


def test_a_pause_in_speech_does_not_put_the_member_to_sleep() -> None:
    heard = listen(
        [
            (arrived, packet._replace(level=20 if index % 20 == 0 else 80))
            for index, (arrived, packet) in enumerate(packets(TONE))
        ],
        240,
        heard=lambda tick: False,
    )
    assert heard.sound.statistics().skipped == 1


def test_the_beginning_of_speech_can_be_played_again() -> None:
    payloads = opus(np.concatenate((sine(300, 50, 1.0), sine(2000, 4), sine(440, 100))))
    arrivals = packets(payloads)
    silent = listen(arrivals, 57, heard=lambda tick: False)
    assert silent.scores[-1] > 1000
    silent.sound.rewind()
    frames = [silent.sound.tick(BEGIN + 0.005 + tick * TICK, heard=True) for tick in range(57, 62)]
    told = np.concatenate([frame for frame in frames if frame is not None])
    assert loudness(told[: 2 * FRAME], 2000) > -16


def test_what_was_heard_is_not_played_again() -> None:
    sound = listen(packets(TONE), 100).sound
    before = sound.behind
    sound.rewind()
    assert sound.behind == before


def test_what_was_played_again_is_caught_up() -> None:
    waiting = list(reversed(packets(opus(voice(250)))))
    heard = listen([], 0)
    sound, delays, frames = heard.sound, [], []
    for tick in range(240):
        now = BEGIN + 0.005 + tick * TICK
        while waiting and waiting[-1][0] <= now:
            if sound.offer(waiting.pop()[1]):
                sound.wake(now)
        if tick == 100:
            sound.rewind()
        if (frame := sound.tick(now, heard=tick >= 100)) is not None:
            frames.append(frame)
        delays.append(sound.behind)
    assert delays[99] == 0
    assert delays[100] >= 3 * FRAME
    assert all(left >= right for left, right in pairwise(delays[100:]))
    assert delays[160] < LEAST_CUT
    assert click(np.concatenate(frames[99:])) < 2 * click(voice(250))


def test_the_score_is_the_mean_absolute_sample() -> None:
    heard = listen(packets(TONE), 200)
    assert heard.scores[150] == pytest.approx(8000 * 2 / np.pi, rel=0.02)


def beeps(at: int, frames: int) -> list[bytes]:
    """Silence, and a beep from frame ``at`` on."""
    return opus(np.concatenate((sine(1000, at, 0.0), sine(1000, 5), sine(1000, frames - at - 5, 0.0))))


def onset(samples: NDArray[np.float32]) -> int:
    """The sample at which a beep begins."""
    return int(np.argmax(np.abs(samples) > 2000))


@pytest.mark.parametrize("delay", [0, 700, 1920, 4800, 19_200])
@pytest.mark.parametrize("level", [None, 20])
@pytest.mark.parametrize("always", [True, False])
def test_what_is_delayed_is_heard_so_much_later(delay: int, level: int | None, always: bool) -> None:
    arrivals = [
        (arrived, packet._replace(level=20 if level and 99 <= index < 107 else level and 90))
        for index, (arrived, packet) in enumerate(packets(beeps(100, 200)))
    ]
    usual = listen(arrivals, 200)
    member = MemberSound()
    member.set_delay(delay)
    loud: list[int] = []

    def listening(tick: int) -> bool:
        if member.score > 2000:
            if not loud and not always:
                member.rewind()
            loud.append(tick)
        return always or bool(loud)

    delayed = listen(arrivals, 200, listening, sound=member)
    begin = 0 if always else loud[0] * FRAME  # what came before was heard by nobody
    late = begin + onset(delayed.samples[begin:]) - onset(usual.samples) - delay
    if always or delay >= 2 * FRAME:
        assert abs(late) <= 2
    else:
        assert 0 < late <= 2 * FRAME, "its beginning was played again, for it came before it was known"


@pytest.mark.parametrize(("before", "after"), [(0, 9600), (9600, 0), (0, 2880), (19_200, 480)])
@pytest.mark.parametrize("audience", [True, False])
def test_a_delay_changes_without_a_click_and_then_stays(before: int, after: int, audience: bool) -> None:
    sound = voice(500)
    member = MemberSound()
    member.set_delay(before)
    behinds: list[int] = []

    def listening(tick: int) -> bool:
        if tick == 100:
            member.set_delay(after)
        behinds.append(member.behind)
        return audience or tick > 300

    heard = listen(packets(opus(sound)), 490, listening, sound=member)
    assert abs(behinds[99] - before) < LEAST_CUT
    assert all(abs(behind - after) < LEAST_CUT for behind in behinds[350:])
    begun = 30 * FRAME + before if audience else 302 * FRAME
    assert click(heard.samples[begun:]) < 2 * click(sound)
    changes = heard.sound.statistics().lengthened + heard.sound.statistics().shortened
    assert changes <= 2 if not audience else changes > 2
    if not audience:
        assert abs(behinds[102] - after) < LEAST_CUT, "at once where nobody listens"


def test_it_is_known_what_was_said_last() -> None:
    member, said = MemberSound(), list[int | None]()
    member.set_delay(4800)

    def listening(tick: int) -> bool:
        said.append(member.said)
        return True

    heard = listen(packets(beeps(100, 200), timestamp=0xFFFF0000), 200, listening, sound=member)
    usual = onset(listen(packets(beeps(100, 200)), 200).samples)
    at = usual // FRAME + 1  # ``said`` is of the tick before
    expected = (0xFFFF0000 + 100 * FRAME) & 0xFFFFFFFF
    now = said[at]
    assert now is not None
    assert (expected - now) & 0xFFFFFFFF == pytest.approx(usual % FRAME - 312, abs=24), "312 is libopus's look-ahead"
    assert heard.sound.said == said[-1] or said[-1] is not None


def test_the_end_of_what_is_delayed_is_heard_too() -> None:
    member = MemberSound()
    member.set_delay(19_200)
    heard = listen(packets(TONE[:100]), 300, heard=lambda tick: tick < 200, sound=member)
    usual = listen(packets(TONE[:100]), 300, heard=lambda tick: tick < 200)
    ends = [int(np.flatnonzero(np.abs(each.samples) > 500)[-1]) for each in (heard, usual)]
    assert ends[0] - ends[1] == pytest.approx(19_200, abs=100)
    assert click(heard.samples[60 * FRAME :]) < SMOOTH
    assert heard.frames[-1] is None
    assert not member.awake


def test_loss_and_pauses_leave_a_delay_as_it_is() -> None:
    member = MemberSound()
    member.set_delay(9600)
    behinds: list[int] = []

    def listening(tick: int) -> bool:
        behinds.append(member.behind)
        return True

    again = packets(TONE[100:], begin=BEGIN + 4.0, sequence=1100, timestamp=5000 + 100 * FRAME)
    heard = listen(without([*packets(TONE[:100]), *again], 0.1), 345, listening, sound=member)
    assert click(heard.samples[40 * FRAME : 320 * FRAME]) < 300
    assert all(abs(behind - 9600) < FRAME for behind in (*behinds[30:95], *behinds[225:330]))
