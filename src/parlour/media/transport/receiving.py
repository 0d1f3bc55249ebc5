"""A leg's inbound media: which stream a packet belongs to, and in what shape the owner gets it."""

from collections import Counter
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Final

from parlour.media.packets import RtpPacket
from parlour.media.transport import rtp
from parlour.media.transport.answer import MediaFacts
from parlour.media.transport.incoming import Incoming, Missing
from parlour.media.transport.sink import Kind, LegSink
from parlour.media.transport.srtp import Srtp, SrtpError

if TYPE_CHECKING:
    from parlour.media.transport.leg import Leg

#: How many sources one peer may use at a time: its two streams, their retransmissions, and what reports name.
MAX_SOURCES: Final = 16

_SSRC = Struct("!I")


class Receiving:
    """Unprotects, numbers and hands on. What is wrong with a packet is counted in ``dropped`` and ends there."""

    def __init__(self, leg: "Leg", sink: LegSink, dropped: Counter[str]) -> None:
        self._leg = leg
        self._sink = sink
        self._dropped = dropped
        #: By payload type; no kind means retransmissions of video.
        self._facts: dict[int, tuple[Kind | None, MediaFacts]] = {}
        self._sources: dict[int, None] = {}
        self.streams: dict[Kind, Incoming] = {}
        self.missing = Missing()
        self.packets = 0
        self.bytes = 0
        self.recovered = 0

    def expect(self, audio: MediaFacts | None, video: MediaFacts | None) -> None:
        """Take the payload types of these, and no others, from now on."""
        self._facts.clear()
        if audio is not None and audio.receives:
            self._facts[audio.payload_type] = ("audio", audio)
        if video is not None and video.receives:
            self._facts[video.payload_type] = ("video", video)
            if video.rtx_payload_type is not None:
                self._facts[video.rtx_payload_type] = (None, video)

    def reset(self) -> None:
        """The keys are new: no source is known any more."""
        self._sources.clear()

    def open_rtcp(self, data: bytes, srtp: Srtp) -> bytes | None:
        """Unprotect a compound packet; ``None`` if it is not to be used."""
        if len(data) < 8:
            self._dropped["rtcp cut off"] += 1
            return None
        return self._open(data, 4, srtp, srtp.unprotect_rtcp)

    def receive(self, data: bytes, srtp: Srtp, now: float) -> bool:
        """Take a protected RTP packet; false if it proved nothing about its sender."""
        if len(data) < rtp.HEADER.size:
            self._dropped["rtp cut off"] += 1
            return False
        plain = self._open(data, 8, srtp, srtp.unprotect)
        if plain is None:
            return False
        self.packets += 1
        self.bytes += len(data)
        try:
            header = rtp.parse(plain)
        except rtp.RtpError:
            self._dropped["rtp malformed"] += 1
            return True
        known = self._facts.get(header.payload_type)
        if known is None:
            self._dropped["rtp of another payload type"] += 1
            return True
        kind, facts = known
        if kind == "audio":
            self._audio(plain, header, facts, now)
        elif kind == "video":
            self._video(plain[header.start : header.end], header, now)
        else:
            self._retransmission(plain, header, now)
        return True

    def nacks(self, now: float, round_trip: float) -> list[int]:
        """The video packets to ask for now."""
        return self.missing.due(now, round_trip)

    def end(self, ssrc: int, srtp: Srtp) -> None:
        """The peer said that this source ends."""
        for kind, stream in list(self.streams.items()):
            if stream.ssrc == ssrc:
                self._sources.pop(ssrc, None)
                srtp.forget(ssrc)
                self.streams[kind].ssrc = 0  # stays as the count from which its successor goes on

    def _open(self, data: bytes, ssrc_at: int, srtp: Srtp, unprotect: Callable[[bytes], bytes]) -> bytes | None:
        (ssrc,) = _SSRC.unpack_from(data, ssrc_at)
        try:
            plain = unprotect(data)
        except SrtpError as problem:
            self._dropped["srtp replayed" if "replay" in str(problem) else "srtp forged"] += 1
            return None
        except ValueError:
            self._dropped["srtp too long"] += 1
            return None
        if ssrc not in self._sources:
            self._sources[ssrc] = None
            if len(self._sources) > MAX_SOURCES:
                self._evict(srtp)
        return plain

    def _evict(self, srtp: Srtp) -> None:
        """Forget the oldest source that is not a stream in use: keys and replay windows of sources cost memory."""
        used = {stream.ssrc for stream in self.streams.values()}
        for ssrc in self._sources:
            if ssrc not in used:
                del self._sources[ssrc]
                srtp.forget(ssrc)
                self._dropped["source evicted"] += 1
                return

    def _stream(self, kind: Kind, clock_rate: int, header: rtp.Header) -> Incoming:
        stream = self.streams.get(kind)
        if stream is None or stream.ssrc != header.ssrc:
            after = 0xFFFF if stream is None else stream.highest
            stream = self.streams[kind] = Incoming(header.ssrc, clock_rate, header.sequence, after)
            if kind == "video":
                self.missing.restart()
                self._leg.new_video_source()
        return stream

    def _audio(self, plain: bytes, header: rtp.Header, facts: MediaFacts, now: float) -> None:
        sequence = self._stream("audio", 48000, header).place(header.sequence, header.timestamp, now)
        level = None
        if facts.audio_level_id is not None:
            level = rtp.audio_level(plain, header, facts.audio_level_id)
        payload = plain[header.start : header.end]
        if payload:
            packet = RtpPacket(payload, sequence, header.timestamp, header.marker, now, level)
            self._sink.on_audio(self._leg, packet)

    def _video(self, payload: bytes, header: rtp.Header, now: float) -> None:
        sequence = self._stream("video", 90000, header).place(header.sequence, header.timestamp, now)
        if self.missing.arrived(sequence, now):
            self._sink.on_video(self._leg, RtpPacket(payload, sequence, header.timestamp, header.marker, now))
        else:
            self._dropped["video packet twice or too late"] += 1

    def _retransmission(self, plain: bytes, header: rtp.Header, now: float) -> None:
        stream = self.streams.get("video")
        if header.end - header.start < 2 or stream is None:
            return  # padding to probe the network with, or a retransmission of nothing
        original = int.from_bytes(plain[header.start : header.start + 2], "big")
        sequence = rtp.extend(original, stream.highest)
        if sequence > stream.highest or not self.missing.arrived(sequence, now):
            self._dropped["retransmission not wanted"] += 1
            return
        self.recovered += 1
        payload = plain[header.start + 2 : header.end]
        self._sink.on_video(self._leg, RtpPacket(payload, sequence, header.timestamp, header.marker, now))
