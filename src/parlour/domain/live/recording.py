"""A recording of a session, and what can be asked of it. The file itself is the media plane's."""

from dataclasses import dataclass, replace
from enum import StrEnum


class RecordingStatus(StrEnum):
    """From the first picture to the finished file. A recording that failed is ``COMPLETED`` with a ``reason``."""

    RECORDING = "recording"
    PAUSED = "paused"
    PROCESSING = "processing"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as everybody may see it. Times are Unix seconds, ``duration`` seconds of film, ``size`` octets.

    ``reason`` says in words why it ended by itself, where it did; ``key`` is where the finished file is kept, empty
    until then and where there is none.
    """

    id: str
    started_at: float
    status: RecordingStatus = RecordingStatus.RECORDING
    finished_at: float | None = None
    duration: float | None = None
    size: int | None = None
    key: str = ""
    reason: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it can still be paused, resumed and stopped."""
        return self.status in {RecordingStatus.RECORDING, RecordingStatus.PAUSED}

    def turned(self, action: str, now: float) -> "Recording | None":
        """The recording after ``pause``, ``resume`` or ``stop``; ``None`` where that cannot be done to it now."""
        match action, self.status:
            case "pause", RecordingStatus.RECORDING:
                return replace(self, status=RecordingStatus.PAUSED)
            case "resume", RecordingStatus.PAUSED:
                return replace(self, status=RecordingStatus.RECORDING)
            case "stop", RecordingStatus.RECORDING | RecordingStatus.PAUSED:
                return replace(self, status=RecordingStatus.PROCESSING, finished_at=now)
        return None
