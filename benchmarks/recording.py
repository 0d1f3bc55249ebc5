"""CPU time of a recording: what the recorder's thread takes for a second of film, and what finishing a film takes.

Run it with ``python -m benchmarks.recording [minutes]``. Pictures at the full rate of a 720p room and a tone become a
film as fast as that takes them; it is finished as in a worker, in a process of its own, and put into a folder.
Meanwhile a thread looks how late it is woken: that is what a room would notice.
"""

import resource
import sys
import tempfile
import threading
import time
from pathlib import Path
from uuid import UUID

import numpy as np
from av import VideoFrame

from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.recording.archive import Archive
from parlour.media.recording.film import Film
from parlour.media.recording.spool import FilmFile, Note, Spool
from parlour.media.video.codec import VIDEO_CLOCK, VideoCodec
from parlour.media.video.encode import Rendition
from parlour.media.video.h264 import H264Assembler
from parlour.media.video.rate import kush_bitrate

SIZE, FPS = (1280, 720), 30
FILM_S = 4
STEP_S = 0.005


def pictures() -> list[list[bytes]]:
    """The payloads of some seconds of soft shapes that wander, the first picture a keyframe."""
    width, height = SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    random = np.random.default_rng(1)
    rendition = Rendition(VideoCodec.H264, width, height, kush_bitrate(width, height, FPS), FPS)
    found = []
    for number in range(FILM_S * FPS):
        turn = 2 * np.pi * number / (FILM_S * FPS)
        plane = np.full((height * 3 // 2, width), 128, np.uint8)
        plane[:height] = (
            120 + 60 * np.sin(x / width * 9 + turn) * np.cos(y / height * 7) + random.integers(0, 25, x.shape)
        )
        frame = VideoFrame.from_ndarray(plane, format="yuv420p")
        found.append([packet.payload for packet in rendition.encode(frame, number * VIDEO_CLOCK // FPS)])
    return found


def shoot(film: Film, minutes: float) -> float:
    """Make a film; the CPU time of it in seconds."""
    payloads = pictures()
    assembler = H264Assembler()
    tone = (8000 * np.sin(2 * np.pi * 500 * np.arange(FRAME) / RATE)).astype(np.int16)
    began = time.thread_time()
    number = 0
    for tick in range(round(minutes * 60 * 50)):
        while number / FPS <= tick / 50:
            for payload in payloads[number % len(payloads)]:
                assembler.add(payload)
            unit = assembler.finish()
            if unit is not None:
                film.picture(number / FPS, unit[0], keyframe=unit[1])
            number += 1
        film.sound(tick / 50, tone)
    film.close()
    return time.thread_time() - began


def main() -> None:
    """See the module."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "spool", 0)
        recording = Recording(str(UUID(int=1)), 0.0, RecordingStatus.PROCESSING, minutes * 60)
        note = Note(UUID(int=2), UUID(int=3), str(UUID(int=4)), recording)
        reel = spool.open(note)
        file = FilmFile(reel.film, 0)
        took = shoot(Film(file), minutes)
        file.close()
        size = reel.film.stat().st_size
        late: list[float] = []
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                due = time.monotonic() + STEP_S
                time.sleep(STEP_S)
                late.append(time.monotonic() - due)

        watcher = threading.Thread(target=watch)
        watcher.start()
        began, children = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        finished = Archive((Path(folder) / "objects").as_uri(), spool).finish(reel, note)
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        done.set()
        watcher.join()
        apart = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
        reel.discard()
    print(f"{minutes:g} minutes of film, {size / 1e6:.0f} MB; finished as {finished.key or finished.reason}")
    print(f"while it runs     {took / minutes / 60:.2%} of a core")
    print(f"finishing         {wall:.1f} s, of which CPU {apart:.1f} s in a process of its own")
    print(
        f"woken too late    {1000 * sorted(late)[len(late) // 2]:.1f} ms as a rule, {1000 * max(late):.1f} ms at most"
    )


if __name__ == "__main__":
    main()
