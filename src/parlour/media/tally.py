"""What is counted of calls, one row a call: cheap, as it is asked for twice a second of everybody in a large room."""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

Row = TypeVar("Row", bound=NamedTuple)


class Tally(NamedTuple):
    """Counts since the start: of a camera's pictures and packets, of moves between renditions, of the sender's clocks,
    and of the connection.
    """

    camera_pictures: int = 0
    camera_keyframes: int = 0
    camera_dropped: int = 0
    camera_malformed: int = 0
    camera_packets_lost: int = 0
    camera_packets_late: int = 0
    camera_decoded: int = 0
    camera_superseded: int = 0
    camera_skipped: int = 0
    camera_refused: int = 0
    camera_errors: int = 0
    camera_overflows: int = 0
    camera_hurried: int = 0
    moved_down: int = 0
    moved_up: int = 0
    sender_reports: int = 0
    sender_reports_odd: int = 0
    sender_clock_jumps: int = 0
    sync_given_up: int = 0
    packets_sent: int = 0
    packets_received: int = 0
    send_blocked: int = 0
    send_failed: int = 0
    retransmitted: int = 0
    retransmissions_refused: int = 0
    nacks_sent: int = 0
    recovered: int = 0
    abandoned: int = 0
    keyframes_requested: int = 0
    keyframes_wanted: int = 0


def total(rows: Iterable[Row]) -> Row:
    """The sums of all columns, of one row or more."""
    first, *others = rows
    return first._make(map(sum, zip(first, *others, strict=True)))
