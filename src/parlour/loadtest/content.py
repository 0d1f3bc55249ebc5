"""What the members of a load test send, encoded before: a numbered picture that moves, voices, and silence."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from av import VideoFrame

from parlour.loadtest import timecode
from parlour.media.audio.encode import MixEncoder
from parlour.media.audio.frame import FRAME, RATE, Pcm
from parlour.media.packets import RtpPacket
from parlour.media.video.canvas import rows_of
from parlour.media.video.codec import VIDEO_CLOCK, VideoCodec
from parlour.media.video.depacketize import Depacketizer
from parlour.media.video.encode import Rendition

FPS: Final = 30
FILM: Final = timecode.NUMBERS
"""Pictures of a film, each with its number. It begins with a keyframe and starts over at its end."""
PITCHES: Final = (110.0, 170.0, 220.0)
LOUD, QUIET = 25, 127
"""Audio levels (RFC 6464) of somebody who speaks and of somebody who does not, -dBov."""

_VOICE_FRAMES = 250
_AUDIO_BITRATE = 32_000


@dataclass(frozen=True, slots=True)
class Film:
    """A camera: RTP payloads of each picture, and the pictures as a decoder takes them."""

    codec: VideoCodec
    width: int
    height: int
    payloads: list[list[bytes]]
    pictures: list[bytes]

    @property
    def bitrate(self) -> float:
        """Bits a second of payload."""
        return sum(len(part) for picture in self.payloads for part in picture) * 8 * FPS / len(self.payloads)


@dataclass(frozen=True, slots=True)
class Sounds:
    """Opus packets of 20 ms: voices of five seconds each, to be repeated, and one packet of silence."""

    voices: list[list[bytes]]
    silence: bytes


def make_film(codec: VideoCodec, width: int, height: int, bitrate: int) -> Film:
    """A film of this size in pixels and rate in bits a second. Blocks for seconds where it is large.

    Blocks move behind a little noise: about as hard to encode as a person.
    """
    random = np.random.default_rng(width)
    noise = random.integers(0, 4, (8, height, width), np.uint8)
    blocks = np.kron(
        random.integers(40, 200, (height // 15 + 1, width // 16 + 1), np.uint8), np.ones((16, 16), np.uint8)
    )
    rendition, depacketizer = Rendition(codec, width, height, bitrate, FPS), Depacketizer(codec)
    film = Film(codec, width, height, [], [])
    sequence = 0
    for index in range(FILM):
        frame = VideoFrame(width, height, "yuv420p")
        luma = rows_of(frame.planes[0])[:, :width]
        luma[:] = np.roll(blocks, index * 2, axis=1)[:height, :width] + noise[index % len(noise)]
        timecode.draw(luma, index)
        for plane in frame.planes[1:]:
            rows_of(plane)[:] = 120
        packets = rendition.encode(frame, index * VIDEO_CLOCK // FPS)
        film.payloads.append([packet.payload for packet in packets])
        for packet in packets:
            sequence += 1
            arrived = RtpPacket(packet.payload, sequence, packet.timestamp, packet.marker, 0.0)
            film.pictures.extend(picture.data for picture in depacketizer.push(arrived))
    return film


def make_sounds() -> Sounds:
    """Three voices, and silence."""
    silent = MixEncoder(bit_rate=_AUDIO_BITRATE)
    silence = [silent.encode(np.zeros(FRAME, np.int16)) for _ in range(10)][-1]
    return Sounds([spoken(pitch) for pitch in PITCHES], silence)


def spoken(pitch: float) -> list[bytes]:
    """A voice as a browser sends it."""
    encoder, samples = MixEncoder(bit_rate=_AUDIO_BITRATE), voice(pitch)
    return [encoder.encode(samples[index * FRAME : (index + 1) * FRAME]) for index in range(_VOICE_FRAMES)]


def voice(pitch: float) -> Pcm:
    """A vowel of this pitch in hertz that wanders and breathes, 5 s."""
    time = np.arange(_VOICE_FRAMES * FRAME) / RATE
    phase = np.cumsum(2 * np.pi * (pitch + 20 * np.sin(2 * np.pi * 0.7 * time)) / RATE)
    sound = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 24))
    sound *= 0.55 + 0.45 * np.sin(2 * np.pi * 3 * time)
    return np.asarray(sound / np.abs(sound).max() * 9000).astype(np.int16)
