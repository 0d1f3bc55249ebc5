"""What signalling counts, for ``/metrics``."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counts:
    """Counts since the start.

    ``malformed`` events were not sent, ``forgotten`` ones came while nobody listened and did not fit, ``slow`` clients
    were let go because they did not read, ``silent`` ones because they did not answer.
    """

    sockets: int = 0
    connects: int = 0
    refused: int = 0
    resumed: int = 0
    requests: int = 0
    bad_frames: int = 0
    failures: int = 0
    malformed: int = 0
    forgotten: int = 0
    slow: int = 0
    silent: int = 0

    def statistics(self) -> dict[str, float]:
        """The figures by name."""
        return asdict(self)
