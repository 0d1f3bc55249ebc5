"""CPU time of a room's picture beside the floor: the same codec and scaler calls in a bare loop.

Run it with ``python benchmarks/compose.py [seconds of film]``. For 1, 4, 9 and 16 senders at the size of their tiles it
prints milliseconds of process CPU time a frame for the whole way (RTP packets of every sender to packets of the shared
rendition) and for bare PyAV calls (decode, swscale to the tile, encode) on the same pictures, in one run, and their
ratio.
"""

import sys
from collections.abc import Callable
from fractions import Fraction
from time import process_time
from typing import NamedTuple

import av
import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from parlour.media.packets import RtpPacket
from parlour.media.video.canvas import Rect, rows_of
from parlour.media.video.codec import EncodedPicture, VideoCodec
from parlour.media.video.decode import PictureDecoder
from parlour.media.video.depacketize import Depacketizer
from parlour.media.video.encode import BUFFER_SECONDS, PRESET, Rendition
from parlour.media.video.picture import Compositor, TileSpec
from parlour.media.video.rate import kush_bitrate
from parlour.media.video.request import request_for

WIDTH, HEIGHT, FPS, FRAME = 1280, 720, 30, 3000
SIDES = (1, 2, 3, 4)


class Sender(NamedTuple):
    """A camera's film, as packets of each picture and as the pictures."""

    packets: list[list[RtpPacket]]
    pictures: list[EncodedPicture]


def film(codec: VideoCodec, width: int, height: int, bitrate: int, frames: int) -> Sender:
    """Blocks that move behind a little noise, encoded: about as hard as a person."""
    random = np.random.default_rng(width)
    blocks = np.kron(
        random.integers(40, 200, (height // 15 + 1, width // 16 + 1), np.uint8), np.ones((16, 16), np.uint8)
    )
    rendition, depacketizer = Rendition(codec, width, height, bitrate, FPS), Depacketizer(codec)
    sender, sequence = Sender([], []), 0
    for index in range(frames):
        frame = VideoFrame(width, height, "yuv420p")
        moved = np.roll(blocks, index * 2, axis=1)[:height, :width]
        rows_of(frame.planes[0])[:, :width] = moved + random.integers(0, 4, (height, width), np.uint8)
        for plane in frame.planes[1:]:
            rows_of(plane)[:] = 120
        sender.packets.append([])
        for packet in rendition.encode(frame, index * FRAME):
            sequence += 1
            arrived = RtpPacket(packet.payload, sequence, packet.timestamp, packet.marker, index / FPS)
            sender.packets[-1].append(arrived)
            sender.pictures.extend(depacketizer.push(arrived))
    return sender


def grid(side: int) -> list[Rect]:
    """Rectangles of a square grid with even edges."""
    xs = [2 * round(WIDTH * i / side / 2) for i in range(side + 1)]
    ys = [2 * round(HEIGHT * i / side / 2) for i in range(side + 1)]
    return [Rect(xs[i], ys[j], xs[i + 1] - xs[i], ys[j + 1] - ys[j]) for j in range(side) for i in range(side)]


def ours(codec: VideoCodec, senders: list[Sender], rects: list[Rect]) -> Callable[[int], None]:
    """A tick of the product's own way."""
    compositor = Compositor(WIDTH, HEIGHT)
    compositor.set_tiles([TileSpec(str(index), rect) for index, rect in enumerate(rects)])
    legs = [(str(index), sender, Depacketizer(codec), PictureDecoder(codec)) for index, sender in enumerate(senders)]
    rendition = Rendition(codec, WIDTH, HEIGHT, kush_bitrate(WIDTH, HEIGHT, FPS), FPS)

    def tick(index: int) -> None:
        for member_id, sender, depacketizer, decoder in legs:
            for packet in sender.packets[index]:
                for picture in depacketizer.push(packet):
                    decoder.feed(picture)
            frame = decoder.newest()
            if frame is not None:
                compositor.update(member_id, frame)
        canvas = compositor.compose()
        assert canvas is not None
        assert rendition.encode(canvas, index * FRAME)

    return tick


def floor(codec: VideoCodec, senders: list[Sender], rects: list[Rect]) -> Callable[[int], None]:
    """A tick of nothing but the codecs and the scaler; what is encoded is what the other way composed, near enough."""
    decoders = []
    for _ in senders:
        context = av.CodecContext.create("h264" if codec is VideoCodec.H264 else "vp8", "r")
        assert isinstance(context, av.VideoCodecContext)
        context.thread_count = 1
        decoders.append(context)
    scalers = [VideoReformatter() for _ in senders]
    encoder = av.CodecContext.create("libx264" if codec is VideoCodec.H264 else "libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    rate = str(kush_bitrate(WIDTH, HEIGHT, FPS))
    encoder.width, encoder.height, encoder.pix_fmt, encoder.bit_rate = WIDTH, HEIGHT, "yuv420p", int(rate)
    encoder.framerate, encoder.time_base, encoder.thread_count = Fraction(FPS), Fraction(1, 90_000), 1
    encoder.gop_size, encoder.max_b_frames = 600, 0
    common = {"maxrate": rate, "bufsize": str(round(int(rate) * BUFFER_SECONDS))}
    encoder.options = (
        common | {"preset": PRESET, "tune": "zerolatency", "profile": "baseline", "sc_threshold": "0"}
        if codec is VideoCodec.H264
        else common
        | {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "minrate": rate, "static-thresh": "1"}
        | {"undershoot-pct": "100", "overshoot-pct": "15", "qmin": "2", "qmax": "56"}
    )
    canvases = _composed(codec, senders, rects)

    def tick(index: int) -> None:
        for sender, decoder, scaler, rect in zip(senders, decoders, scalers, rects, strict=True):
            for frame in decoder.decode(av.Packet(sender.pictures[index].data)):
                scaler.reformat(frame, rect.width, rect.height, "yuv420p", interpolation=Interpolation.AREA, threads=1)
        canvas = canvases[index]
        canvas.pts = index * FRAME
        for packet in encoder.encode(canvas):
            bytes(packet)

    return tick


def _composed(codec: VideoCodec, senders: list[Sender], rects: list[Rect]) -> list[VideoFrame]:
    """Copies of the canvases that the product makes of the same films."""
    compositor = Compositor(WIDTH, HEIGHT)
    compositor.set_tiles([TileSpec(str(index), rect) for index, rect in enumerate(rects)])
    decoders = [PictureDecoder(codec) for _ in senders]
    canvases = []
    for index in range(len(senders[0].pictures)):
        for number, (sender, decoder) in enumerate(zip(senders, decoders, strict=True)):
            decoder.feed(sender.pictures[index])
            frame = decoder.newest()
            assert frame is not None
            compositor.update(str(number), frame)
        canvas = compositor.compose()
        assert canvas is not None
        canvases.append(VideoFrame.from_ndarray(canvas.to_ndarray(), "yuv420p"))
    return canvases


def measure(codec: VideoCodec, side: int, frames: int) -> None:
    """Both ways in turns, a few frames each, so that a change in the machine's speed meets both."""
    rects = grid(side)
    wanted = request_for((rects[0].width, rects[0].height), FPS)
    one = film(codec, wanted.width, wanted.height, wanted.bitrate, frames)
    senders = [one] * len(rects)
    ways = [ours(codec, senders, rects), floor(codec, senders, rects)]
    spent = [0.0, 0.0]
    for index in range(frames):
        for which in (0, 1) if index % 2 else (1, 0):
            started = process_time()
            ways[which](index)
            if index >= FPS:
                spent[which] += process_time() - started
    mine, bare = (seconds / (frames - FPS) * 1000 for seconds in spent)
    print(
        f"{codec:5} {len(rects):3} senders at {wanted.width}×{wanted.height}: "
        f"{mine:6.2f} ms a frame, floor {bare:6.2f} ms, ratio {mine / bare:.3f}"
    )


def main() -> None:
    """Measure every size with both codecs."""
    frames = (int(sys.argv[1]) if len(sys.argv) > 1 else 5) * FPS
    for codec in VideoCodec:
        for side in SIDES:
            measure(codec, side, frames)


if __name__ == "__main__":
    main()
