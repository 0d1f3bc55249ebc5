"""What the owner of a leg is told, and what it can ask."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from parlour.media.packets import RtpPacket

if TYPE_CHECKING:
    from parlour.media.transport.leg import Leg

Kind = Literal["audio", "video"]


class LegSink(Protocol):
    """The owner's side of a leg. Everything is called on the event loop and must return soon."""

    def on_connected(self, leg: "Leg") -> None:
        """Keys are agreed: from now on media goes both ways."""
        ...

    def on_audio(self, leg: "Leg", packet: RtpPacket) -> None:
        """An Opus packet came, in the order of arrival."""
        ...

    def on_video(self, leg: "Leg", packet: RtpPacket) -> None:
        """A packet of the agreed codec came, in the order of arrival and never twice, retransmitted ones included.

        An empty payload is padding: it only fills its sequence number.
        """
        ...

    def on_keyframe_wanted(self, leg: "Leg") -> None:
        """The receiver asked for a keyframe, or can show nothing before one. May come often: merge."""
        ...

    def on_estimate(self, leg: "Leg", bps: int) -> None:
        """The receiver estimates that it can take ``bps`` bits per second."""
        ...

    def on_loss(self, leg: "Leg", fraction: float) -> None:
        """The receiver lost this fraction (0 to 1) in the last second or more, of the video if any is sent."""
        ...

    def on_sender_report(self, leg: "Leg", kind: Kind, ntp_time: float, rtp_timestamp: int) -> None:
        """The sender's clock: ``rtp_timestamp`` of its stream of ``kind`` is ``ntp_time`` seconds of NTP's era."""
        ...

    def on_closed(self, leg: "Leg", reason: str) -> None:
        """The leg is no more. Called once, whoever ended it."""
        ...


class LegStatistics(NamedTuple):
    """Counts since the leg was opened.

    ``dropped`` counts received datagrams by reason. ``round_trip`` and ``jitter`` are in seconds, ``loss`` is the last
    fraction that the peer reported; ``None`` where nothing was reported yet.
    """

    connected: bool
    profile: str | None
    tcp: bool
    packets_sent: int
    bytes_sent: int
    send_blocked: int
    send_failed: int
    packets_received: int
    bytes_received: int
    retransmitted: int
    retransmissions_refused: int
    skipped_before_keyframe: int
    nacks_sent: int
    recovered: int
    abandoned: int
    keyframes_requested: int
    keyframes_wanted: int
    checks: int
    round_trip: float | None
    loss: float | None
    estimate: int | None
    dropped: Mapping[str, int]
