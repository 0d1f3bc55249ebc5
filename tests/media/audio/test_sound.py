"""A room's sound: what each hears, from packets to packets."""

import time
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from parlour.media.audio.frame import FRAME, RATE
from parlour.media.audio.member import PacketTally
from parlour.media.audio.plane import SoundPlane
from parlour.media.audio.sound import Sound
from parlour.media.audio.tones import Tone
from parlour.media.packets import RtpPacket
from tests.media.audio.room import BEGIN, hear, run
from tests.media.audio.signals import TICK, Arrivals, click, decoded, loudness, noise_ratio, opus, packets, sine, voice

LOUD = 20 * np.log10(8000 / 32767)


def tone(frequency: float, frames: int = 400) -> Arrivals:
    return packets(opus(sine(frequency, frames)))


def silence(frames: int = 400) -> Arrivals:
    return packets(opus(sine(440, frames, 0.0)), level=127)


def test_everybody_hears_everybody_but_themselves() -> None:
    pitches = {"a": 440, "b": 1000, "c": 1700}
    sources = {member: tone(pitch, 200) for member, pitch in pitches.items()}
    _, results = run({**sources, "listener": silence(200)}, lambda tick: {"a", "b", "c"}, 180)
    for listener in (*pitches, "listener"):
        heard = hear(results, listener)[60 * FRAME :]
        for member, pitch in pitches.items():
            if member == listener:
                assert loudness(heard, pitch) < LOUD - 40
            else:
                assert loudness(heard, pitch) == pytest.approx(LOUD, abs=1.0)


def test_only_speakers_have_a_mix_of_their_own() -> None:
    sound, results = run({"a": tone(440, 100), "b": silence(100)}, lambda tick: {"a", "gone"}, 100)
    assert set(results[-1].own) == {"a"}
    assert results[-1].payload_for("b") is results[-1].shared
    assert sound.statistics().encoders == 2


def test_timestamps_go_on_by_a_frame_and_over_skipped_ticks() -> None:
    _, results = run(
        {"a": tone(440, 50)}, lambda tick: {"a"}, 50, lambda sound, tick: sound.skip(3) if tick == 20 else None
    )
    steps = np.diff([result.timestamp for result in results])
    assert steps[19] == 4 * FRAME
    assert set(np.delete(steps, 19)) == {FRAME}


@pytest.mark.parametrize("begin", range(100, 105))
def test_a_listener_who_speaks_hears_no_cut_when_mixes_are_swapped(begin: int) -> None:
    sources = {"a": tone(440, 500), "b": packets(opus(sine(440, 500, 0.0)))}
    sound, results = run(sources, lambda tick: {"a", "b"} if begin <= tick < 200 else {"a"}, 450)
    switched = ["b" in result.own for result in results]
    assert switched.index(True) == begin
    assert switched[begin:].index(False) > 200
    assert click(hear(results, "b")[60 * FRAME : 395 * FRAME]) < 90
    assert sound.statistics().encoders == 2


def test_flapping_does_not_rebuild_the_encoder() -> None:
    sound, _ = run({"a": tone(440)}, lambda tick: {"a"} if tick // 20 % 2 else set(), 400)
    assert sound.statistics().encoders_made == 2


def test_coming_into_the_mix_and_leaving_it_do_not_click() -> None:
    _, results = run({"a": tone(440), "b": tone(150)}, lambda tick: {"a", "b"} if 100 <= tick < 200 else {"b"}, 300)
    heard = hear(results, "listener")[60 * FRAME :]
    assert click(heard) < 100


def test_leaving_the_room_fades() -> None:
    def leave(sound: Sound, tick: int) -> None:
        if tick == 100:
            sound.leave("a")

    sound, results = run({"a": tone(440), "b": silence()}, lambda tick: {"a"}, 200, leave)
    assert click(hear(results, "b")[60 * FRAME :]) < 100
    assert not results[-1].samples.any()
    assert set(results[-1].scores) == {"b"}
    assert sound.statistics().members == 1
    assert sound.statistics().strays > 0
    assert sound.statistics().encoders == 1


def test_volume_changes_what_others_hear() -> None:
    def turn(sound: Sound, tick: int) -> None:
        if tick == 100:
            sound.set_volume("a", -25)

    _, results = run({"a": tone(440)}, lambda tick: {"a"}, 200, turn)
    heard = decoded(result.shared for result in results)
    before, after = heard[60 * FRAME : 95 * FRAME], heard[110 * FRAME : 195 * FRAME]
    assert loudness(after, 440) - loudness(before, 440) == pytest.approx(-10, abs=1)


def test_many_loud_voices_stay_within_full_scale() -> None:
    sources = {str(index): packets(opus(sine(300 + 110 * index, 100, 20_000))) for index in range(6)}
    _, results = run(sources, lambda tick: set(sources), 90)
    assert max(np.abs(result.samples.astype(int)).max() for result in results) > 30_000
    assert max(np.abs(result.samples.astype(int)).max() for result in results) <= 32_767


def test_scores_tell_who_speaks() -> None:
    _, results = run({"a": tone(440, 100), "b": silence(100)}, lambda tick: set(), 90)
    assert results[-1].scores["a"] == pytest.approx(8000 * 2 / np.pi, rel=0.05)
    assert results[-1].scores["b"] == 0.0


def test_the_silent_are_neither_decoded_nor_ordered() -> None:
    sources = {f"quiet {index}": silence(100) for index in range(20)}
    sound, _ = run({**sources, "a": tone(440, 100)}, lambda tick: {"a"}, 90)
    assert sound.statistics().awake == 1
    decoded_packets = [member.statistics().decoder.decoded for name, member in sound._members.items() if name != "a"]
    assert sum(decoded_packets) == 0


def test_the_beginning_of_speech_is_heard_though_the_floor_takes_100_ms() -> None:
    payloads = opus(np.concatenate((sine(440, 60, 1.0), sine(2000, 4), sine(440, 100))))
    arrivals = [
        (arrived, packet._replace(level=90 if index < 60 else 20))
        for index, (arrived, packet) in enumerate(packets(payloads))
    ]
    spoke: list[int] = []

    def in_mix(tick: int) -> set[str]:
        return {"a"} if len(spoke) >= 5 else set()

    def watch(sound: Sound, tick: int) -> None:
        if sound._members["a"].score > 200:
            spoke.append(tick)

    _, results = run({"a": arrivals, "b": silence(160)}, in_mix, 150, watch)
    heard = hear(results, "b")
    onset = int(np.argmax(np.abs(heard) > 1000))
    assert loudness(heard[onset : onset + 2 * FRAME], 2000) > -20
    assert click(heard[onset + 6 * FRAME :]) < 100


def test_tones_are_heard_by_all_once() -> None:
    def ring(sound: Sound, tick: int) -> None:
        if tick == 50:
            for _ in range(10):
                sound.play(Tone.ENTRY)

    sound, results = run({"a": tone(1700, 150)}, lambda tick: {"a"}, 150, ring)
    for listener in ("a", "b"):
        heard = hear(results, listener)
        assert loudness(heard[71 * FRAME : 80 * FRAME], 600) > -25
        assert loudness(heard[85 * FRAME :], 600) < -50
    assert (sound.statistics().tones_played, sound.statistics().tones_coalesced) == (1, 9)


def test_a_room_of_the_silent_repeats_one_packet() -> None:
    _, results = run({"a": silence(300)}, lambda tick: set(), 300)
    assert len({result.shared for result in results[100:]}) == 1


def test_loss_and_jitter_for_many_speakers() -> None:
    chance = np.random.default_rng(5)
    sources = {}
    for index in range(4):
        arrivals = packets(opus(voice(300, 90 + 40 * index, 5000)), delay=lambda index: float(chance.uniform(0, 0.06)))
        sources[str(index)] = [item for item in arrivals if chance.random() > 0.05]
    sound, results = run(sources, lambda tick: set(sources), 300)
    assert click(hear(results, "listener")[60 * FRAME :]) < 4 * click(voice(300, 210, 5000))
    assert len(results) == 300
    assert all(member.statistics().jitter.lost < 40 for member in sound._members.values())


def test_what_was_not_played_stays_counted_when_its_sender_leaves() -> None:
    arrivals = [item for index, item in enumerate(tone(440, 60)) if index != 20 for _ in range(1 + (index < 10))]
    arrivals += [(BEGIN + 0.1, arrivals[0][1]._replace(payload=b"", sequence=2000))]
    seen: list[PacketTally] = []

    def leave(sound: Sound, tick: int) -> None:
        seen.append(sound.statistics().packets)
        if tick in (30, 45):
            sound.leave("a")
        if tick in (40, 45):
            sound.join("a")

    run({"a": arrivals}, lambda tick: {"a"}, 60, leave)
    last = seen[-1]
    assert (last.packets_duplicate, last.packets_lost, last.packets_malformed) == (10, 1, 1)
    for before, after in pairwise(seen):
        assert all(earlier <= later for earlier, later in zip(before, after, strict=True))


def test_the_plane_tells_what_was_not_played() -> None:
    plane = SoundPlane(lambda result: None, time.monotonic())
    plane.sound.receive("nobody", RtpPacket(b"\xf8", 1, 1, False, BEGIN))
    figures = plane.statistics()
    plane.end()
    assert figures["packets_stray"] == 1
    assert figures["changes_refused"] == 0
    assert figures.keys() >= set(PacketTally._fields)


def test_changes_and_packets_for_nobody_are_counted() -> None:
    sound = Sound()
    sound.receive("nobody", RtpPacket(b"\xf8", 1, 1, False, BEGIN))
    for _ in range(5000):
        sound.set_volume("nobody", 5)
    assert (sound.statistics().strays, sound.statistics().refused) == (1, 5000 - 4096)
    result = sound.tick(BEGIN, {"nobody"})
    assert (result.own, result.scores) == ({}, {})


def test_rejoining_under_the_same_name_starts_anew() -> None:
    def rejoin(sound: Sound, tick: int) -> None:
        if tick == 50:
            sound.leave("a")
            sound.join("a")

    arrivals = [*tone(440, 50), *packets(opus(sine(440, 100)), begin=BEGIN + 50 * TICK, sequence=9, timestamp=9)]
    sound, results = run({"a": arrivals}, lambda tick: {"a"}, 140, rejoin)
    assert sound.statistics().packets.resets == 0
    assert noise_ratio(hear(results, "b")[70 * FRAME : 130 * FRAME], 440) > 20
    assert results[-1].timestamp == 140 * FRAME
    assert RATE * TICK == FRAME


def test_one_is_heard_later_and_the_others_as_before() -> None:
    def burst(frequency: float) -> Arrivals:
        sounds = (sine(frequency, 60, 0.0), sine(frequency, 20), sine(frequency, 120, 0.0))
        return packets(opus(np.concatenate(sounds)))

    def begins(heard: NDArray[np.float64], frequency: float) -> int:
        step = FRAME // 4
        windows = (heard[at : at + FRAME] for at in range(0, heard.size - FRAME, step))
        return step * [loudness(window, frequency) > LOUD - 6 for window in windows].index(True)

    found = {}
    for late in (0, 10 * FRAME):

        def delay(sound: Sound, tick: int, late: int = late) -> None:
            for member in ("a", "nobody") if tick == 0 else ():
                sound.set_delay(member, late)

        _, results = run({"a": burst(440), "b": burst(1900)}, lambda tick: {"a", "b"}, 190, delay)
        heard = hear(results, "listener")
        found[late] = begins(heard, 440), begins(heard, 1900)
        assert results[100].said["a"] == results[100].said["b"] == results[99].said["a"] + FRAME
    (usual, other), (later, same) = found.values()
    assert later - usual == pytest.approx(10 * FRAME, abs=FRAME // 2)
    assert same == other
