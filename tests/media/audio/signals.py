"""Test sounds, their way over a network that is made up, and what is measured on the other side."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from parlour.media.audio.frame import FRAME, RATE, Samples
from parlour.media.packets import RtpPacket

TICK = FRAME / RATE
Arrivals: TypeAlias = list[tuple[float, RtpPacket]]


def sine(frequency: float, frames: int, amplitude: float = 8000.0) -> Samples:
    time = np.arange(frames * FRAME) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def voice(frames: int, pitch: float = 120.0, amplitude: float = 9000.0) -> Samples:
    """A vowel with a wandering pitch."""
    time = np.arange(frames * FRAME) / RATE
    phase = np.cumsum(2 * np.pi * (pitch + 20 * np.sin(2 * np.pi * 0.7 * time)) / RATE)
    sound = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 20))
    return np.asarray(sound / np.abs(sound).max() * amplitude).astype(np.float32)


def syllables(frames: int) -> Samples:
    """Four vowels a second; what goes on and on libopus takes for noise, and does not repeat."""
    time = np.arange(frames * FRAME) / RATE
    return voice(frames) * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * time)).astype(np.float32)


PROTECTED = {"application": "voip", "fec": "1", "packet_loss": "20"}
"""How a browser encodes a voice that gets lost on the way: packets repeat the one before, in short."""


def opus(
    samples: Samples,
    milliseconds: int = 20,
    layout: str = "mono",
    bit_rate: int = 48_000,
    options: Mapping[str, str] = MappingProxyType({"application": "audio"}),
) -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.bit_rate = bit_rate
    codec.format = "s16"
    codec.layout = layout
    codec.sample_rate = RATE
    codec.time_base = Fraction(1, RATE)
    codec.options = {**options, "frame_duration": str(milliseconds)}
    channels = 2 if layout == "stereo" else 1
    size = RATE * milliseconds // 1000
    payloads = []
    for begin in range(0, samples.size - size + 1, size):
        block = np.repeat(samples[begin : begin + size], channels).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(block[None], format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = RATE, begin, Fraction(1, RATE)
        payloads += [bytes(packet) for packet in codec.encode(frame)]
    return payloads


def decoded(payloads: Iterable[bytes]) -> NDArray[np.float64]:
    """What a listener's decoder makes of the payloads."""
    codec = av.CodecContext.create("libopus", "r")
    codec.layout = "mono"
    blocks = [frame.to_ndarray()[0] for payload in payloads for frame in codec.decode(av.Packet(payload))]
    return np.concatenate(blocks).astype(np.float64)


def packets(
    payloads: Sequence[bytes],
    *,
    samples: int = FRAME,
    begin: float = 10.0,
    sequence: int = 1000,
    timestamp: int = 5000,
    level: int | None = None,
    delay: Callable[[int], float] = lambda index: 0.0,
) -> Arrivals:
    """Packets sent at an even pace, each arriving after its ``delay`` in seconds; in order of arrival."""
    arrivals = []
    for index, payload in enumerate(payloads):
        arrived = begin + index * samples / RATE + delay(index)
        packet = RtpPacket(payload, sequence + index, (timestamp + index * samples) & 0xFFFFFFFF, False, arrived, level)
        arrivals.append((arrived, packet))
    return sorted(arrivals, key=lambda item: item[0])


def click(samples: NDArray[np.float64] | Samples) -> float:
    """The largest second difference: small for smooth sound, large where it is cut."""
    return float(np.abs(np.diff(samples.astype(np.float64), n=2)).max())


def loudness(samples: NDArray[np.float64] | Samples, frequency: float) -> float:
    """Amplitude of a frequency in dB of full scale, by a windowed FFT."""
    window = np.hanning(samples.size)
    spectrum = np.abs(np.fft.rfft(samples * window)) / window.sum() * 2 / 32767
    bin_ = round(frequency * samples.size / RATE)
    return float(20 * np.log10(spectrum[max(0, bin_ - 2) : bin_ + 3].max() + 1e-12))


def noise_ratio(samples: NDArray[np.float64] | Samples, frequency: float) -> float:
    """Power of a sine over the power of everything else (THD+N, inverted), in dB."""
    time = np.arange(samples.size) / RATE
    basis = np.stack([np.sin(2 * np.pi * frequency * time), np.cos(2 * np.pi * frequency * time)])
    weights, *_ = np.linalg.lstsq(basis.T, samples.astype(np.float64), rcond=None)
    tone = weights @ basis
    return float(10 * np.log10((tone**2).sum() / ((samples - tone) ** 2).sum()))
