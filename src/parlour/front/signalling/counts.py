"""What signalling counts, for ``/metrics``."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counts:
    """Counts since the start.

    ``malformed`` events were not sent, ``forgotten`` ones came while nobody listened and did not fit, ``slow`` clients
    were let go because they did not read, ``silent`` ones because they did not say who is there or did not answer.
    ``frames_too_large`` and ``frames_binary`` ended their sockets too. ``offers_malformed`` were refused, in the rooms
    or before they got there. ``crowded_out`` sessions slept when there were too many.
    """

    sockets: int = 0
    connects: int = 0
    refused: int = 0
    resumed: int = 0
    requests: int = 0
    bad_frames: int = 0
    frames_too_large: int = 0
    frames_binary: int = 0
    offers_malformed: int = 0
    failures: int = 0
    malformed: int = 0
    forgotten: int = 0
    slow: int = 0
    silent: int = 0
    crowded_out: int = 0

    def statistics(self) -> dict[str, float]:
        """The figures by name."""
        return asdict(self)
