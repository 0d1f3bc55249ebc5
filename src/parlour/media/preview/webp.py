"""An animated WebP of a few small pictures."""

import io
from collections.abc import Sequence

from av import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from PIL import Image

QUALITY = 70
METHOD = 2
"""0 to 6. Two costs half of what the next one does and gives files a tenth larger (``benchmarks/preview.py``)."""


def animate(frames: Sequence[VideoFrame], fps: int) -> bytes:
    """Frames of one size, limited-range BT.601, as a film of ``fps`` frames a second that starts over at its end.

    Blocks for some 3 ms a frame. Frames that are like the one before become one that stands for longer.
    """
    reformatter = VideoReformatter()
    pictures = [_rgb(reformatter, frame) for frame in frames]
    film = io.BytesIO()
    pictures[0].save(
        film,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=1000 // fps,
        loop=0,
        quality=QUALITY,
        method=METHOD,
    )
    return film.getvalue()


def _rgb(reformatter: VideoReformatter, frame: VideoFrame) -> Image.Image:
    plain = reformatter.reformat(
        frame,
        format="rgb24",
        src_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.MPEG,
        threads=1,
    )
    return Image.fromarray(plain.to_ndarray())
