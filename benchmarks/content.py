"""What people in a measured room send, encoded before: a numbered picture, voices, silence and beeps."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import msgspec
import numpy as np

from parlour.loadtest.content import FPS, LOUD, QUIET, Film, Sounds, make_film, make_sounds
from parlour.loadtest.plan import CANVAS, Plan, side_of
from parlour.media.audio.encode import MixEncoder
from parlour.media.audio.frame import FRAME, RATE, Pcm
from parlour.media.video.codec import VideoCodec

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext

__all__ = [
    "CANVAS",
    "FPS",
    "Beep",
    "Content",
    "Film",
    "decode_opus",
    "load",
    "make_content",
    "onsets",
    "save",
    "side_of",
]

_PEAK = 9000
_TONE_HZ = 1000
_BEEP = 15  # frames of tone, 300 ms
_BEFORE, _AFTER = 10, 10


@dataclass(frozen=True, slots=True)
class Beep:
    """A tone that begins with its first packet: payloads with their audio levels.

    ``onset`` is the sample of the first packet, as decoded, at which it can be heard.
    """

    payloads: list[bytes]
    levels: list[int]
    onset: int


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a crowd sends."""

    film: Film
    sounds: Sounds
    beep: Beep


def make_beep() -> Beep:
    """300 ms of a tone out of silence."""
    time = np.arange(_BEEP * FRAME) / RATE
    tone = (np.sin(2 * np.pi * _TONE_HZ * time) * _PEAK).astype(np.int16)
    sound: Pcm = np.concatenate((np.zeros(_BEFORE * FRAME, np.int16), tone, np.zeros(_AFTER * FRAME, np.int16)))
    encoder = MixEncoder(bit_rate=32_000)
    payloads = [encoder.encode(sound[at : at + FRAME]) for at in range(0, sound.size, FRAME)]
    onset = onsets(decode_opus(payloads))[0] - _BEFORE * FRAME
    levels = [LOUD if index < _BEEP else QUIET for index in range(_BEEP + _AFTER)]
    return Beep(payloads[_BEFORE:], levels, onset)


def make_content(codec: VideoCodec, people: int, size: tuple[int, int] | None = None) -> Content:
    """The sounds, and a film of ``size`` in pixels: by default what the server asks so many people for."""
    return Content(make_film(codec, *Plan(people, size=size).film), make_sounds(), make_beep())


def save(content: Content, path: Path) -> None:
    """Write for another process."""
    path.write_bytes(msgspec.msgpack.encode(content))


def load(path: Path) -> Content:
    """Read what another process wrote."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Content)


def decode_opus(payloads: list[bytes]) -> Pcm:
    """All samples of a stream of 20 ms packets without holes."""
    decoder: AudioCodecContext = av.CodecContext.create("libopus", "r")
    decoder.layout = "mono"
    decoder.sample_rate = RATE
    frames = [frame.to_ndarray()[0] for payload in payloads for frame in decoder.decode(av.Packet(payload))]
    samples = np.concatenate(frames)
    if samples.dtype != np.int16:
        samples = samples * 32767.0
    return samples.astype(np.int16)


def onsets(samples: Pcm) -> list[int]:
    """Where sound begins after at least 100 ms of none: a tenth of a beep's height is sound."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _PEAK // 10)
    if not loud.size:
        return []
    begins = np.concatenate(([True], np.diff(loud) > RATE // 10))
    return [int(at) for at in loud[begins]]
