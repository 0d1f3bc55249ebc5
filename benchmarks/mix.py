"""What a tick of a room's sound costs, beside the bare Opus calls that it cannot do without.

    python benchmarks/mix.py

CPU time of one core per 20 ms tick, packets' reception included. The floor of a row is the same number of decodes and
encodes with the same settings and nothing else; both are measured in turns in one run, so that the ratio stands where
the microseconds depend on the machine.
"""

import argparse
from time import monotonic, process_time, sleep

import av
import numpy as np

from parlour.loadtest.content import spoken, voice
from parlour.media.audio.encode import MixEncoder
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.audio.sound import Sound
from parlour.media.packets import RtpPacket

TICK = FRAME / RATE
LOOP = 250


class Pace:
    """Waits for the next of a series of moments ``seconds`` apart; with 0 there is nothing to wait for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due = monotonic()

    def wait(self) -> None:
        """Sleep until the next moment."""
        if self._seconds:
            self._due += self._seconds
            sleep(max(0.0, self._due - monotonic()))


def floor(payloads: list[list[bytes]], ticks: int, every: float = 0.0) -> float:
    """Seconds of CPU time per tick of bare codec calls: a decode per speaker, an encode per speaker and one for all.

    ``every`` is the seconds from tick to tick, 0 for no pause in between.
    """
    decoders = [av.CodecContext.create("libopus", "r") for _ in payloads]
    for decoder in decoders:
        decoder.layout = "mono"
    shared = MixEncoder(complexity=5)
    own = [MixEncoder(complexity=1) for _ in payloads]
    samples = voice(130)
    frames = [samples[index * FRAME : (index + 1) * FRAME] for index in range(LOOP)]
    silence = np.zeros(FRAME, np.int16)
    alone = len(payloads) == 1
    pace = Pace(every)
    begin = process_time()
    for tick in range(ticks):
        pace.wait()
        for decoder, stream in zip(decoders, payloads, strict=True):
            decoder.decode(av.Packet(stream[tick % LOOP]))
        shared.encode(frames[tick % LOOP])
        for encoder in own:
            encoder.encode(silence if alone else frames[tick % LOOP], silent=alone)
    return (process_time() - begin) / ticks


def room(members: int, payloads: list[list[bytes]], ticks: int, levels: bool) -> float:
    """Seconds of CPU time per tick of a room; ``levels`` says that the silent give RFC 6464 levels."""
    sound = Sound()
    names = [f"member {index}" for index in range(members)]
    for name in names:
        sound.join(name)
    sound.tick(0.0, set())
    speakers = names[: len(payloads)]
    quiet = MixEncoder().encode(np.zeros(FRAME, np.int16))
    in_mix = set(speakers)
    begin = 0.0
    for tick in range(ticks + 100):
        if tick == 100:  # everything is open and warm
            begin = process_time()
        now = 10.0 + tick * TICK
        for index, name in enumerate(names):
            loud = index < len(speakers)
            payload = payloads[index][tick % LOOP] if loud else quiet
            level = 25 if loud else (127 if levels else None)
            sound.receive(name, RtpPacket(payload, tick, tick * FRAME & 0xFFFFFFFF, False, now, level))
        sound.tick(now + 0.004, in_mix)
    return (process_time() - begin) / ticks


def main() -> None:
    """Print a row per room."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--ticks", type=int, default=1000)
    ticks: int = arguments.parse_args().ticks
    voices = [spoken(pitch) for pitch in (110.0, 170.0, 220.0)]
    print(f"{'members':>8} {'speakers':>9} {'levels':>7} {'floor µs':>9} {'tick µs':>8} {'ratio':>6} {'core':>7}")
    for members, speakers, levels in [
        (4, 1, True),
        (4, 3, True),
        (16, 1, True),
        (16, 3, True),
        (100, 1, True),
        (100, 3, True),
        (16, 3, False),
    ]:
        payloads = voices[:speakers]
        bare = [floor(payloads, ticks // 4) for _ in range(4)]
        whole = [room(members, payloads, ticks // 4, levels) for _ in range(4)]
        least, cost = min(bare), min(whole)
        print(
            f"{members:>8} {speakers:>9} {'yes' if levels else 'no':>7} {least * 1e6:>9.0f} {cost * 1e6:>8.0f} "
            f"{cost / least:>6.2f} {cost / TICK:>7.2%}"
        )


if __name__ == "__main__":
    main()
