"""What people in a measured room send, encoded before: a moving picture with a flashing patch, voices, and beeps."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import msgspec
import numpy as np
from av import VideoFrame

from benchmarks.mix import spoken
from parlour.media.audio.encode import MixEncoder
from parlour.media.audio.frame import FRAME, RATE, Pcm
from parlour.media.packets import RtpPacket
from parlour.media.video.canvas import rows_of
from parlour.media.video.codec import VideoCodec
from parlour.media.video.depacketize import Depacketizer
from parlour.media.video.encode import Rendition
from parlour.media.video.request import request_for

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext

FPS: Final = 30
FILM: Final = 120
"""Pictures of a film, which begins with a keyframe and starts over at its end."""
HOLD: Final = 15
"""Pictures for which the patch stays dark or light; an even number of times in a film."""
PATCH: Final = (1 / 8, 1 / 4, 3 / 8, 3 / 4)
"""Left, top, right and bottom of the patch as parts of the picture."""
DARK, LIGHT = 24, 220
CANVAS: Final = (1280, 720)
PITCHES: Final = (110.0, 170.0, 220.0)
LOUD, QUIET = 25, 127
"""Audio levels (RFC 6464) of somebody who speaks and of somebody who does not, -dBov."""

_PEAK = 9000
_TONE_HZ = 1000
_BEEP = 15  # frames of tone, 300 ms
_BEFORE, _AFTER = 10, 10


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
    voices: list[list[bytes]]
    silence: bytes
    beep: Beep


def is_light(index: int) -> bool:
    """Whether the patch is light in a picture of a film."""
    return index // HOLD % 2 == 1


def side_of(people: int) -> int:
    """Columns and rows of the grid for so many people; exact for squares."""
    return math.ceil(math.sqrt(people))


def make_film(codec: VideoCodec, people: int) -> Film:
    """A film at the size and rate that the server asks each of so many people for.

    Blocks move behind a little noise: about as hard to encode as a person.
    """
    side = side_of(people)
    asked = request_for((CANVAS[0] // side, CANVAS[1] // side), FPS)
    width, height = asked.width, asked.height
    random = np.random.default_rng(width)
    noise = random.integers(0, 4, (8, height, width), np.uint8)
    blocks = np.kron(
        random.integers(40, 200, (height // 15 + 1, width // 16 + 1), np.uint8), np.ones((16, 16), np.uint8)
    )
    rendition, depacketizer = Rendition(codec, width, height, asked.bitrate, FPS), Depacketizer(codec)
    film = Film(codec, width, height, [], [])
    left, top, right, bottom = (round(part * edge) for part, edge in zip(PATCH, (width, height) * 2, strict=True))
    sequence = 0
    for index in range(FILM):
        frame = VideoFrame(width, height, "yuv420p")
        luma = rows_of(frame.planes[0])[:, :width]
        luma[:] = np.roll(blocks, index * 2, axis=1)[:height, :width] + noise[index % len(noise)]
        luma[top:bottom, left:right] = LIGHT if is_light(index) else DARK
        for plane in frame.planes[1:]:
            rows_of(plane)[:] = 120
        packets = rendition.encode(frame, index * 90_000 // FPS)
        film.payloads.append([packet.payload for packet in packets])
        for packet in packets:
            sequence += 1
            arrived = RtpPacket(packet.payload, sequence, packet.timestamp, packet.marker, 0.0)
            film.pictures.extend(picture.data for picture in depacketizer.push(arrived))
    assert len(film.pictures) == FILM
    return film


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


def make_content(codec: VideoCodec, people: int) -> Content:
    """A film for so many people, and the sounds."""
    silent = MixEncoder(bit_rate=32_000)
    silence = [silent.encode(np.zeros(FRAME, np.int16)) for _ in range(10)][-1]
    return Content(make_film(codec, people), [spoken(pitch) for pitch in PITCHES], silence, make_beep())


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
