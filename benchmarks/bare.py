"""The floor of a room: the native calls that it cannot do without, in a loop, and nothing else.

All figures are CPU time of the calling process. The codecs have the settings of the product's own.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import cycle, islice, pairwise
from time import process_time
from typing import NamedTuple, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation, VideoReformatter

from benchmarks import mix
from benchmarks.content import CANVAS, FPS, Content, Film, side_of
from parlour.media.transport.srtp import PROFILES, Keys, Srtp
from parlour.media.video.canvas import Canvas, Rect
from parlour.media.video.codec import VideoCodec
from parlour.media.video.encode import BUFFER_SECONDS, PRESET
from parlour.media.video.rate import kush_bitrate

WARM_UP = 15
APART = 10
"""How many pictures lie between what one sender shows and the next."""
_PACKETS = 20_000


class PacketCosts(NamedTuple):
    """Microseconds of CPU a packet: protecting and sending a big and a small one, receiving and unprotecting one."""

    video_out: float
    audio_out: float
    inbound: float


class PictureCosts(NamedTuple):
    """CPU seconds a second of decoding everybody, of scaling to tiles, of pasting there, of encoding once."""

    decode: float
    scale: float
    compose: float
    encode: float


def pictures(film: Film, people: int, count: int, *, paced: bool = False) -> PictureCosts:
    """What the picture of a room costs in which so many people send, each another picture of the film, as in a room.

    ``paced`` makes a picture when it is due, as a room must, so that waking up and cold caches count; else at once.
    """
    side = side_of(people)
    width, height = CANVAS
    xs = [2 * round(width * i / side / 2) for i in range(side + 1)]
    ys = [2 * round(height * i / side / 2) for i in range(side + 1)]
    grid = [Rect(xs[i], ys[j], xs[i + 1] - xs[i], ys[j + 1] - ys[j]) for j in range(side) for i in range(side)]
    tiles = grid[:people]
    streams = [_stream(film, number * APART) for number in range(people)]
    scalers = [VideoReformatter() for _ in tiles]
    encoder, canvas = _encoder(film.codec), Canvas(width, height)
    places = [canvas.place(tile) for tile in tiles]
    spent = [0.0] * len(PictureCosts._fields)
    pace = mix.Pace(1 / FPS if paced else 0.0)
    for index in range(WARM_UP + count):
        at = [process_time()]
        pace.wait()
        frames = [frame for decoder, data in streams for frame in decoder.decode(av.Packet(next(data)))]
        at.append(process_time())
        scaled = [
            scaler.reformat(frame, wide, high, "yuv420p", interpolation=Interpolation.AREA, threads=1)
            for frame, scaler, (_, _, wide, high) in zip(frames, scalers, tiles, strict=True)
        ]
        at.append(process_time())
        for frame, place in zip(scaled, places, strict=True):
            place.paste(frame)
        at.append(process_time())
        canvas.shared.pts = index * 90_000 // FPS
        for encoded in encoder.encode(canvas.shared):
            bytes(encoded)
        at.append(process_time())
        if index >= WARM_UP:
            spent = [sum(pair) for pair in zip(spent, (b - a for a, b in pairwise(at)), strict=True)]
    return PictureCosts(*(seconds / count * FPS for seconds in spent))


def _stream(film: Film, ahead: int) -> tuple[VideoCodecContext, Iterator[bytes]]:
    """A decoder of somebody who came so many pictures before, and what it is to decode next."""
    decoder, data = _decoder(film.codec), cycle(film.pictures)
    for picture in islice(data, ahead % len(film.pictures)):
        decoder.decode(av.Packet(picture))
    return decoder, data


def sound(content: Content, speakers: int, ticks: int, *, paced: bool = False) -> float:
    """CPU seconds a second of decoding who speaks and encoding for each of them and for all others."""
    return mix.floor(content.sounds.voices[:speakers], ticks, mix.TICK if paced else 0.0) / mix.TICK


def packets(video: int, audio: int, inbound: int) -> PacketCosts:
    """What it costs to protect and send packets of so many bytes, and to receive and unprotect."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        address = receiver.getsockname()
        profile = PROFILES[0]
        keys = Keys(*(os.urandom(profile.key_length + profile.salt_length) for _ in range(2)))
        ours, theirs = Srtp(profile, keys), Srtp(profile, Keys(keys.ours, keys.peer))

        def out(size: int) -> float:
            body = os.urandom(max(0, size - 28))  # without a header and GCM's tag
            began = process_time()
            for number in range(_PACKETS):
                header = b"\x80\x60" + (number & 0xFFFF).to_bytes(2, "big") + bytes(4) + size.to_bytes(4, "big")
                sender.sendto(ours.protect(header + body), address)
            return (process_time() - began) / _PACKETS * 1e6

        def take(size: int) -> float:
            body = os.urandom(max(0, size - 28))
            spent = 0.0
            for batch in range(_PACKETS // 50):
                for number in range(50):
                    sequence = (batch * 50 + number) & 0xFFFF
                    header = b"\x80\x60" + sequence.to_bytes(2, "big") + bytes(4) + b"\1\0\0\7"
                    sender.sendto(ours.protect(header + body), address)
                began = process_time()
                for _ in range(50):
                    theirs.unprotect(receiver.recvfrom(2048)[0])
                spent += process_time() - began
            return spent / _PACKETS * 1e6

        drained = out(video), out(audio)  # sources of their own, so that no number comes twice
        receiver.setblocking(False)
        _drain(receiver)
        receiver.setblocking(True)
        return PacketCosts(*drained, take(inbound))


def speed() -> float:
    """Milliseconds of CPU for a fixed piece of work: how fast the machine is just now."""
    began = process_time()
    _work()
    return (process_time() - began) * 1000


def _work() -> None:
    values = np.arange(200_000, dtype=np.float64)
    for _ in range(20):
        values = np.sqrt(values + 1.0)


def _drain(receiver: socket.socket) -> None:
    with suppress(BlockingIOError):
        while True:
            receiver.recv(2048)


def _decoder(codec: VideoCodec) -> VideoCodecContext:
    context = av.CodecContext.create("h264" if codec is VideoCodec.H264 else "vp8", "r")
    context.thread_count = 1
    return context


def _encoder(codec: VideoCodec) -> VideoCodecContext:
    name = "libx264" if codec is VideoCodec.H264 else "libvpx"
    encoder = cast("VideoCodecContext", av.CodecContext.create(name, "w"))
    bitrate = kush_bitrate(*CANVAS, FPS)
    encoder.width, encoder.height = CANVAS
    encoder.pix_fmt, encoder.bit_rate = "yuv420p", bitrate
    encoder.framerate, encoder.time_base, encoder.thread_count = Fraction(FPS), Fraction(1, 90_000), 1
    encoder.gop_size, encoder.max_b_frames = 600, 0
    common = {"maxrate": str(bitrate), "bufsize": str(round(bitrate * BUFFER_SECONDS))}
    encoder.options = common | (
        {"preset": PRESET, "tune": "zerolatency", "profile": "baseline", "sc_threshold": "0"}
        if codec is VideoCodec.H264
        else {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "minrate": str(bitrate)}
        | {"static-thresh": "1", "undershoot-pct": "100", "overshoot-pct": "15", "qmin": "2", "qmax": "56"}
    )
    return encoder
