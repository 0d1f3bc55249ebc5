"""The finished file: what is to be known of the film in front, so that it plays before it is loaded."""

from fractions import Fraction
from pathlib import Path

import av

from parlour.media.audio.frame import RATE
from parlour.media.recording.soundtrack import BLOCK

DELAY = Fraction(BLOCK, RATE)
"""Seconds by which a fragmented film is late; here the file can say so."""


def remux(source: Path, target: Path) -> None:
    """Write the film in ``source`` to ``target`` with its index first. Nothing is encoded.

    Raises ``OSError``, ``av.FFmpegError``.
    """
    with (
        av.open(source) as film,
        av.open(target, "w", format="mp4", options={"movflags": "faststart"}) as copy,
    ):
        streams = {stream.index: copy.add_stream_from_template(stream) for stream in film.streams}
        for packet in film.demux():
            if packet.dts is None or packet.pts is None:
                continue
            late = round(DELAY / packet.time_base)
            packet.pts = packet.dts = packet.dts - late
            if packet.stream.type == "video":  # of which the first is as early in the fragments as the sound's encoder
                packet.pts = packet.dts = max(0, packet.dts)
            packet.stream = streams[packet.stream_index]
            copy.mux(packet)


def seconds(path: Path) -> float:
    """How long a film is: the longer one of its picture and its sound. Raises ``OSError``, ``av.FFmpegError``."""
    with av.open(path) as film:
        lengths = [
            stream.duration * stream.time_base for stream in film.streams if stream.duration and stream.time_base
        ]
    return float(max(lengths, default=Fraction(0)))
