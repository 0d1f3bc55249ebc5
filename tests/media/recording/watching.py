"""What a film shows and sounds like, as FFmpeg decodes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from parlour.media.audio.frame import RATE


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture and when it is shown, in seconds of the film."""

    at: float
    frame: VideoFrame


@dataclass(frozen=True, slots=True)
class Watched:
    """A film. ``sound`` are its samples, full scale ±32767; ``video`` and ``audio`` seconds, as its streams say.

    ``keyframes`` are the times at which it can be sought in.
    """

    pictures: list[Seen]
    sound: NDArray[np.float64]
    video: float
    audio: float
    keyframes: list[float]

    def picture_at(self, at: float) -> VideoFrame:
        """The picture that is shown then."""
        return [seen.frame for seen in self.pictures if seen.at <= at][-1]

    def sound_at(self, at: float, seconds: float = 0.2) -> NDArray[np.float64]:
        """The sound from then on."""
        start = round(at * RATE)
        return self.sound[start : start + round(seconds * RATE)]


def watch(path: Path, *, small: bool = True) -> Watched:
    """Decode a film from its beginning to its end. ``small`` keeps the pictures at a quarter of their width."""
    pictures: list[Seen] = []
    blocks: list[NDArray[np.float64]] = []
    first: float | None = None
    with av.open(path) as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        lasts = [float((stream.duration or 0) * (stream.time_base or Fraction(0))) for stream in (video, audio)]
        for packet in film.demux(video, audio):
            for frame in packet.decode():
                assert isinstance(frame, (VideoFrame, av.AudioFrame))
                assert frame.time is not None
                if isinstance(frame, VideoFrame):
                    pictures.append(
                        Seen(frame.time, frame.reformat(frame.width // 4, frame.height // 4) if small else frame)
                    )
                else:
                    first = frame.time if first is None else first
                    blocks.append(frame.to_ndarray()[0].astype(np.float64) * 32767)
    assert first is not None
    lead = np.zeros(max(0, round(first * RATE)))
    return Watched(pictures, np.concatenate([lead, *blocks]), lasts[0], lasts[1], list(_keyframes(path)))


def _keyframes(path: Path) -> Iterator[float]:
    with av.open(path) as film:
        for packet in film.demux(film.streams.video[0]):
            if packet.is_keyframe and packet.pts is not None:
                yield float(packet.pts * packet.time_base)
