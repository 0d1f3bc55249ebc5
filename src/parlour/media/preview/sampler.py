"""Takes small copies of a room's canvas in the thread that draws it, and gives a few seconds of them away as a film."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import thread_time

from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

WIDTH, HEIGHT = 320, 180
FPS = 5
LENGTH = 15
"""Frames of a film."""
PERIOD_S = 30.0
"""From the beginning of one film to that of the next."""
FIRST_S = 1.0
"""How long the first film waits: until then cameras may have sent nothing yet."""
AGAIN_S = 3.0
"""How long the next one waits after one that nobody took."""


@dataclass(frozen=True, slots=True)
class Film:
    """Frames of `WIDTH` by `HEIGHT` pixels, limited-range BT.601, of the session whose preview has this secret."""

    secret: str
    frames: tuple[VideoFrame, ...]


class Sampler:
    """One room's. ``watch`` is called on the event loop, ``take`` in the picture's thread with each tick.

    A film is not offered once ``watch`` was told of another secret, or of none.
    """

    def __init__(self, fps: int, offer: Callable[[Film], bool]) -> None:
        """``fps`` is the room's; ``offer`` takes a film away at once, or says that it cannot."""
        self._fps = fps
        self._step = fps // FPS
        self._offer = offer
        self._lock = threading.Lock()
        self._secret = ""
        self._frames: list[VideoFrame] = []
        self._due: int | None = None
        self._began = 0
        self._reformatter = VideoReformatter()
        self._sampled = self._films = self._refused = 0
        self._seconds = 0.0

    def watch(self, secret: str) -> None:
        """Make films from now on for the preview with this secret, the first one soon; none where it is empty."""
        if secret == self._secret:  # only written here
            return
        with self._lock:
            self._secret = secret
            self._frames = []
            self._due = None

    def take(self, tick: int, canvas: Callable[[], VideoFrame]) -> None:
        """Copy the canvas if this tick is to have a frame. ``tick`` never falls, and may leap."""
        if not self._secret:
            return
        began = thread_time()
        with self._lock:
            self._take(tick, canvas)
        self._seconds += thread_time() - began

    def statistics(self) -> dict[str, float]:
        """Counts since the start: frames copied, films given away, films that nobody took; CPU seconds of ``take``."""
        return {
            "sampled": self._sampled,
            "films": self._films,
            "refused": self._refused,
            "seconds": self._seconds,
        }

    def _take(self, tick: int, canvas: Callable[[], VideoFrame]) -> None:
        if not self._secret:
            return
        if self._due is None:
            self._due = tick + round(FIRST_S * self._fps)
        if tick < self._due:
            return
        if not self._frames:
            self._began = tick
        self._frames.append(self._copy(canvas()))
        self._sampled += 1
        self._due = tick + self._step
        if len(self._frames) == LENGTH:
            self._give_away(tick)

    def _give_away(self, tick: int) -> None:
        frames, self._frames = tuple(self._frames), []
        taken = self._offer(Film(self._secret, frames))
        self._films += taken
        self._refused += not taken
        self._due = self._began + round(PERIOD_S * self._fps) if taken else tick + round(AGAIN_S * self._fps)

    def _copy(self, frame: VideoFrame) -> VideoFrame:
        return self._reformatter.reformat(
            frame,
            WIDTH,
            HEIGHT,
            "yuv420p",
            interpolation=Interpolation.AREA,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
