"""What a load test found. Everything here is plain data, and is what ``--json`` prints."""

from dataclasses import asdict, dataclass, field
from typing import Any

from parlour.loadtest.reception import Counts
from parlour.loadtest.server import WorkerReport


@dataclass(frozen=True, slots=True)
class Spread:
    """How values lie, in milliseconds; ``None`` where there are none."""

    count: int = 0
    median: float | None = None
    p95: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class MemberReport:
    """One member over the measured time. ``fps`` counts pictures that ended, ``sound`` is packets of it a second,
    ``loss`` is a part from 0 to 1."""

    member_id: str
    sends: bool
    signalled_ms: float
    joined_ms: float
    fps: float
    sound: float
    loss: float
    audio_jitter_ms: float
    video_jitter_ms: float
    ended: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class PictureReport:
    """The one member's picture that was decoded.

    ``fps`` counts pictures that were decoded, ``age`` is how old each sender's part of it was when it came,
    ``older`` the part of them that was older than can be measured, ``unevenness`` how far from its due time a picture
    came. ``legible`` is the part of the numbers in tiles that could be read.
    """

    member_id: str
    width: int
    height: int
    pictures: int
    errors: int
    fps: float
    age: Spread
    older: float | None
    unevenness: Spread
    still_ms: float
    legible: float | None


@dataclass(frozen=True, slots=True)
class LossReport:
    """What came of losing a part of the datagrams on purpose, at one member.

    ``healed`` is how long each hole was open until what was missing came again, ``whole_ms`` how long it took after the
    last loss until nothing was missing and a picture came, ``None`` where it did not within the time.
    """

    loss: float
    seconds: float
    dropped: int
    holes: int
    resent: int
    abandoned: int
    nacked: int
    plis: int
    healed: Spread
    pictures: int
    fps: float
    still_ms: float
    whole_ms: float | None
    sizes: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class CostReport:
    """What the load test itself took: parts of one core, and of a member; how late it sent."""

    seconds: float
    cpu: float
    cpu_per_member: float
    packets_in: float
    packets_out: float
    late: Spread


@dataclass(slots=True)
class Report:
    """All of it. ``refused`` are those who did not get in, with the reason of each."""

    asked: dict[str, Any]
    signalled: Spread = field(default_factory=Spread)
    joined: Spread = field(default_factory=Spread)
    refused: list[str] = field(default_factory=list)
    members: list[MemberReport] = field(default_factory=list)
    picture: PictureReport | None = None
    losses: list[LossReport] = field(default_factory=list)
    cost: CostReport | None = None
    server: list[WorkerReport] = field(default_factory=list)
    """The media workers with rooms, where the server tells everybody about them."""
    complaints: list[str] = field(default_factory=list)
    """What people would have noticed; empty where the server carries it all."""

    def as_json(self) -> dict[str, Any]:
        """As plain dictionaries and lists."""
        return asdict(self)
