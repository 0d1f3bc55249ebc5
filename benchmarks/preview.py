"""CPU time of a room's preview: the copies of the canvas and the making of the film, as the threads count it.

Run it with ``python -m benchmarks.preview [periods]``. A room's real picture thread draws nine cameras that move, in
real time; for each size of the canvas it prints milliseconds of CPU in a period of 30 seconds, the part of a core that
this is, and the size of the file. Then it makes films of the last frames with other settings, to compare.
"""

import io
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from av import VideoFrame
from PIL import Image

from parlour.domain.live.layout import rectangle, slots_of
from parlour.media.preview.sampler import PERIOD_S, Film, Sampler
from parlour.media.preview.studio import Studio
from parlour.media.preview.webp import METHOD, QUALITY, animate
from parlour.media.video.canvas import Rect, rows_of
from parlour.media.video.picture import TileSpec
from parlour.media.video.plane import PicturePlane
from parlour.objects import open_objects

FPS, PEOPLE = 30, 9
SIZES = ((1280, 720), (1920, 1080))


def moving(width: int, height: int, count: int, seed: int) -> list[VideoFrame]:
    """Soft coloured shapes that wander behind a little noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    frames = []
    for index in range(count):
        frame, turn = VideoFrame(width, height, "yuv420p"), 2 * np.pi * index / count
        luma = 120 + 60 * np.sin(x / width * 9 + turn) * np.cos(y / height * 7 - turn + seed)
        rows_of(frame.planes[0])[:, :width] = luma + random.integers(0, 6, (height, width))
        for plane, shift in zip(frame.planes[1:], (0, 2), strict=True):
            rows_of(plane)[:, : width // 2] = 128 + 40 * np.sin(x[::2, ::2] / width * 5 + turn + shift)
        frames.append(frame)
    return frames


def fed(plane: PicturePlane, films: Sequence[list[VideoFrame]], stop: threading.Event) -> None:
    """Give the plane a new frame of everybody, 30 times a second."""
    number, started = 0, time.monotonic()
    while not stop.wait(max(0.0, started + number / FPS - time.monotonic())):
        for member, film in enumerate(films):
            plane.compositor.update(f"m{member}", film[number % len(film)])
        number += 1


def measure(size: tuple[int, int], periods: int) -> Film:
    """Run a room for so many films; print what they cost; return the last one."""
    last: list[Film] = []
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(open_objects(Path(folder).as_uri()))

        def offer(film: Film) -> bool:
            last[:] = [film]
            return studio.offer(film)

        sampler = Sampler(FPS, offer)
        plane = PicturePlane(
            *size, FPS, 1_000_000, lambda rendition, packets: None, time.monotonic(), look=sampler.take
        )
        rects = [Rect(*rectangle(slot, *size)) for slot in slots_of("3x3", PEOPLE)]
        plane.compositor.set_tiles([TileSpec(f"m{number}", rect) for number, rect in enumerate(rects)])
        films = [moving(rects[0].width, rects[0].height, 90, number) for number in range(PEOPLE)]
        stop = threading.Event()
        feeder = threading.Thread(target=fed, args=(plane, films, stop))
        feeder.start()
        sampler.watch("preview")
        while studio.statistics()["made"] < periods:
            time.sleep(0.5)
        stop.set()
        feeder.join()
        plane.end()
        studio.close()
        copies, films_made = sampler.statistics()["seconds"] / periods, studio.statistics()["seconds"] / periods
        octets = studio.statistics()["octets"] / periods
    total = copies + films_made
    print(
        f"| {size[0]}×{size[1]} | {copies * 1000:.1f} | {films_made * 1000:.1f} | {total / PERIOD_S:.2%} |"
        f" {octets / 1024:.0f} |"
    )
    return last[0]


def others(film: Film) -> Iterator[str]:
    """Lines of what other settings would give."""
    animate(film.frames, 5)
    pictures = [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in film.frames]
    for method in range(7):
        for quality in (50, 60, 70, 80):
            made = io.BytesIO()
            began = time.thread_time()
            pictures[0].save(
                made, "WEBP", save_all=True, append_images=pictures[1:], duration=200, quality=quality, method=method
            )
            took = time.thread_time() - began
            chosen = " (chosen)" if (method, quality) == (METHOD, QUALITY) else ""
            yield f"| {method} | {quality}{chosen} | {took * 1000:.0f} | {len(made.getvalue()) / 1024:.0f} |"


def main() -> None:
    """See the module."""
    periods = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("| Canvas | Copies, ms | Film, ms | Of a core | KiB |\n| --- | ---: | ---: | ---: | ---: |")
    films = [measure(size, periods) for size in SIZES]
    print("\n| Method | Quality | ms | KiB |\n| --- | --- | ---: | ---: |")
    print("\n".join(others(films[0])))


if __name__ == "__main__":
    main()
