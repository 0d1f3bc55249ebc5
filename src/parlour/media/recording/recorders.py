"""The recordings of a live room, made to follow its state."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from parlour.domain.live.recording import Recording, RecordingStatus
from parlour.domain.live.room import LiveRoom
from parlour.media.audio.frame import Pcm
from parlour.media.packets import MediaPacket
from parlour.media.recording.archive import Archive, is_settled
from parlour.media.recording.aside import aside
from parlour.media.recording.recorder import Recorder
from parlour.media.recording.spool import Note, Reel
from parlour.media.video.codec import VideoCodec
from parlour.media.video.rendition import RenditionId, RenditionSize

FILMED = RenditionId(VideoCodec.H264, RenditionSize.FULL)
"""The rendition that is recorded: made for recordings where nobody watches it."""

log = logging.getLogger("parlour.media")


class RecordedRoom(Protocol):
    """Who hears of recordings, on the event loop."""

    def recording_broke(self, recording_id: str, reason: str) -> None:
        """A recording has ended by itself; ``reason`` in words."""

    def recording_done(self, recording: Recording) -> None:
        """A recording is finished."""

    def recording_needs_keyframe(self) -> None:
        """The film cannot go on without one. Called in any thread."""


class Recorders:
    """A recorder for each recording that is not finished. ``picture`` and ``sound`` are called by the planes' threads,
    everything else on the event loop.
    """

    def __init__(self, room: RecordedRoom, archive: Archive, written: Callable[[], Awaitable[bool]]) -> None:
        """``written`` waits until what the room has told of itself is kept, and says whether it is."""
        self._room = room
        self._archive = archive
        self._written = written
        self._loop = asyncio.get_running_loop()
        self._recorders: dict[str, Recorder] = {}
        self._filming: Recorder | None = None
        self._finishing: set[str] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def renditions(self) -> frozenset[RenditionId]:
        """What must be made of the picture."""
        return frozenset((FILMED,)) if self._filming is not None and self._filming.rolling else frozenset()

    def follow(self, state: LiveRoom) -> None:
        """Record what the state says. While nobody is in, films stand still."""
        for recording in state.recordings.values():
            recorder = self._recorders.get(recording.id)
            if recording.is_live and recorder is None:
                recorder = self._begin(state, recording)
            if recorder is None or recording.id in self._finishing:
                continue
            if recording.is_live:
                on = recording.status is RecordingStatus.RECORDING and bool(state.members)
                if on and not recorder.rolling:
                    self._room.recording_needs_keyframe()
                recorder.roll(on)
            elif recording.status is RecordingStatus.PROCESSING:
                self._finishing.add(recording.id)
                if self._filming is recorder:
                    self._filming = None
                recorder.stop(recording)

    def picture(self, rendition: RenditionId, at: float, packets: list[MediaPacket]) -> None:
        """See ``Recorder.picture``."""
        recorder = self._filming
        if recorder is not None and rendition == FILMED:
            recorder.picture(at, packets)

    def sound(self, at: float, samples: Pcm) -> None:
        """See ``Recorder.sound``."""
        recorder = self._filming
        if recorder is not None:
            recorder.sound(at, samples)

    async def end(self, seconds: float) -> None:
        """Wait until all is finished and kept, but no longer than this. What is not then stays in the spool."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
                await asyncio.gather(*self._settling)
                return
        log.warning("%d recordings are finished later", len(self._recorders))

    def statistics(self) -> dict[str, float]:
        """What is recorded now, what is being finished, and what waits for the disk."""
        return {
            "recordings_live": len(self._recorders) - len(self._finishing),
            "recordings_finishing": len(self._finishing),
            "recordings_queue": sum(recorder.waiting for recorder in tuple(self._recorders.values())),
        }

    def _begin(self, state: LiveRoom, recording: Recording) -> Recorder:
        note = Note(state.room.project_id, state.room.room_id, state.session.id, recording)
        recorder = self._recorders[recording.id] = self._filming = Recorder(
            note,
            self._archive,
            self._room.recording_needs_keyframe,
            lambda reason: self._hand_over(lambda: self._room.recording_broke(recording.id, reason)),
            lambda done, reel: self._hand_over(lambda: self._finished(done, reel)),
        )
        self._idle.clear()
        return recorder

    def _finished(self, recording: Recording, reel: Reel | None) -> None:
        self._recorders.pop(recording.id, None)
        self._finishing.discard(recording.id)
        self._room.recording_done(recording)
        if reel is not None:
            task = self._loop.create_task(settle(reel, recording, self._written))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        if not self._recorders:
            self._idle.set()

    def _hand_over(self, act: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends, and another one finishes
            self._loop.call_soon_threadsafe(act)


async def settle(reel: Reel, recording: Recording, written: Callable[[], Awaitable[bool]]) -> None:
    """Remove a finished recording's files once it is written down where it is kept now; else leave them to others."""
    if not is_settled(recording) or not await written():
        reel.let_go()
        return
    try:
        await aside(reel.discard)
    except OSError as error:
        log.warning("recording %s: its files stay: %s", recording.id, error)
