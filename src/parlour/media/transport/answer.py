"""Choosing what to take of an offer, and writing the answer.

Choice and text are apart, so that a leg can set itself up from the choice and tests can read it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from parlour.media.transport.dtls import Fingerprint
from parlour.media.transport.ice import Candidate, Credentials
from parlour.media.transport.sdp import BadOffer, Codec, Direction, Offer, Section

AUDIO_LEVEL: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"

#: The codecs of our renditions, best first.
VIDEO_CODECS: Final = ("H264", "VP8")

_PROTOCOLS: Final = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF")
_MIRROR: Final[Mapping[Direction, Direction]] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_FEEDBACK: Final = ("goog-remb", "ccm fir", "nack", "nack pli")
#: Transport-wide congestion control is not taken: without it browsers steer by REMB, which both sides here understand.
_EXTENSIONS: Final = {"audio": (AUDIO_LEVEL, MID), "video": (ABS_SEND_TIME, MID)}
_BASELINE_IDC: Final = 0x42
_CONSTRAINT_SET_1: Final = 0x40


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What was agreed for one kind of media, seen from here.

    ``sends`` and ``receives`` are ours: a camera that the peer sends is ``receives``. ``codec`` is ``opus``, ``H264``
    or ``VP8``; ``profile`` is H.264's profile-level-id in lower case; ``stereo`` says that the peer wants two channels.
    """

    mid: str
    codec: str
    payload_type: int
    sends: bool
    receives: bool
    rtx_payload_type: int | None = None
    profile: str | None = None
    stereo: bool = False
    nack: bool = False
    pli: bool = False
    fir: bool = False
    remb: bool = False
    audio_level_id: int | None = None
    abs_send_time_id: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is taken of an offer: at most one audio and one video section, and the transport that they share."""

    offer: Offer
    ufrag: str
    password: str
    fingerprints: tuple[Fingerprint, ...]
    audio: MediaFacts | None = None
    video: MediaFacts | None = None
    taken: Mapping[int, MediaFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Our end of the session, as the answer describes it."""

    session: int
    version: int
    credentials: Credentials
    fingerprint: Fingerprint
    candidates: Sequence[Candidate]
    stream: str
    cname: str
    audio_ssrc: int
    video_ssrc: int
    rtx_ssrc: int


def choose(offer: Offer, codecs: Sequence[str] = VIDEO_CODECS, keep: str | None = None) -> Choice:
    """Decide what to take: the first usable audio and the first usable video section of one BUNDLE group.

    ``codecs`` are the video codecs that we can make, best first; ``keep`` is the one in use, which stays when it is
    still offered. Raises :class:`BadOffer` when nothing can be taken or the transport cannot be ours.
    """
    taken: dict[int, MediaFacts] = {}
    found: dict[str, MediaFacts] = {}
    transport: Section | None = None
    order = (keep, *codecs) if keep in codecs else codecs
    for index, section in enumerate(offer.sections):
        if section.kind in found or not _is_usable(section):
            continue
        if transport is not None and not {section.mid, transport.mid} <= set(offer.bundle):
            continue
        facts = _audio(section) if section.kind == "audio" else _video(section, [name for name in order if name])
        if facts is None:
            continue
        if any(facts.payload_type in (other.payload_type, other.rtx_payload_type) for other in found.values()):
            raise BadOffer("Two media sections of the SDP use the same payload type.")
        transport = transport or section
        taken[index] = found[section.kind] = facts
    if transport is None:
        raise BadOffer("The SDP offers neither audio as Opus nor video as H.264 or VP8, over DTLS-SRTP with rtcp-mux.")
    if transport.ufrag is None or transport.password is None:
        raise BadOffer("The SDP has no ICE user name and password.")
    if not transport.fingerprints:
        raise BadOffer("The SDP has no DTLS fingerprint.")
    if transport.setup not in ("actpass", "active"):
        raise BadOffer("The SDP does not let the client be active in DTLS (a=setup:actpass).")
    return Choice(
        offer,
        transport.ufrag,
        transport.password,
        transport.fingerprints,
        found.get("audio"),
        found.get("video"),
        taken,
    )


def write_answer(choice: Choice, ours: LocalMedia, *, audio_first: bool = False) -> str:
    """The answer's text. ``audio_first`` puts audio before video even where the offer has them the other way round."""
    order = list(range(len(choice.offer.sections)))
    if audio_first:
        audio = next((index for index, facts in choice.taken.items() if facts is choice.audio), None)
        video = next((index for index, facts in choice.taken.items() if facts is choice.video), None)
        if audio is not None and video is not None and video < audio:
            order[audio], order[video] = video, audio
    mids = [facts.mid for _, facts in sorted(choice.taken.items())]
    lines = [
        "v=0",
        f"o=- {ours.session} {ours.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {' '.join(mids)}",
        "a=extmap-allow-mixed",
        f"a=msid-semantic: WMS {ours.stream}",
    ]
    for index in order:
        facts = choice.taken.get(index)
        section = choice.offer.sections[index]
        lines += _rejected(section) if facts is None else _accepted(section, facts, ours)
    return "\r\n".join(lines) + "\r\n"


def _is_usable(section: Section) -> bool:
    return (
        section.kind in ("audio", "video")
        and section.protocol in _PROTOCOLS
        and section.rtcp_mux
        and section.mid is not None
        and (section.port != 0 or section.bundle_only)
    )


def _facts(section: Section, codec: Codec, name: str) -> MediaFacts:
    direction = section.direction
    return MediaFacts(
        section.mid or "",
        name,
        codec.payload_type,
        sends=direction in ("sendrecv", "recvonly"),
        receives=direction in ("sendrecv", "sendonly"),
        rtx_payload_type=_rtx(section, codec),
        profile=codec.parameters.get("profile-level-id", "").lower() or None,
        stereo=codec.parameters.get("stereo") == "1",
        nack="nack" in codec.feedback,
        pli="nack pli" in codec.feedback,
        fir="ccm fir" in codec.feedback,
        remb="goog-remb" in codec.feedback,
        audio_level_id=_extension(section, AUDIO_LEVEL),
        abs_send_time_id=_extension(section, ABS_SEND_TIME),
    )


def _extension(section: Section, uri: str) -> int | None:
    """The id of a header extension that we take, if it fits into a one-byte header."""
    number = section.extensions.get(uri)
    return number if uri in _EXTENSIONS[section.kind] and number is not None and 1 <= number <= 14 else None


def _audio(section: Section) -> MediaFacts | None:
    for codec in section.codecs.values():
        if codec.name == "OPUS" and codec.clock_rate == 48000 and codec.channels == 2:
            return _facts(section, codec, "opus")
    return None


def _video(section: Section, names: Sequence[str]) -> MediaFacts | None:
    for name in names:
        candidates = [codec for codec in section.codecs.values() if codec.name == name and codec.clock_rate == 90000]
        if name == "H264":
            candidates = sorted((codec for codec in candidates if _h264_rank(codec) < 2), key=_h264_rank)
        if candidates:
            return _facts(section, candidates[0], name)
    return None


def _h264_rank(codec: Codec) -> int:
    """0 for constrained baseline, 1 for baseline, 2 for what we do not take (RFC 6184 section 8.1)."""
    profile = codec.parameters.get("profile-level-id", "")
    if codec.parameters.get("packetization-mode") != "1" or len(profile) != 6:
        return 2
    try:
        idc, constraints = int(profile[:2], 16), int(profile[2:4], 16)
    except ValueError:
        return 2
    if idc != _BASELINE_IDC:
        return 2
    return 0 if constraints & _CONSTRAINT_SET_1 else 1


def _rtx(section: Section, codec: Codec) -> int | None:
    for other in section.codecs.values():
        if other.name == "RTX" and other.parameters.get("apt") == str(codec.payload_type):
            return other.payload_type
    return None


def _rejected(section: Section) -> list[str]:
    lines = [f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}", "c=IN IP4 0.0.0.0"]
    if section.mid is not None:
        lines.append(f"a=mid:{section.mid}")
    return [*lines, "a=inactive"]


def _accepted(section: Section, facts: MediaFacts, ours: LocalMedia) -> list[str]:
    codec = section.codecs[facts.payload_type]
    formats = [facts.payload_type] + ([facts.rtx_payload_type] if facts.rtx_payload_type is not None else [])
    host, port = (ours.candidates[0].host, ours.candidates[0].port) if ours.candidates else ("0.0.0.0", 9)  # noqa: S104 - no address
    lines = [
        f"m={section.kind} {port} {section.protocol} {' '.join(map(str, formats))}",
        f"c=IN {'IP6' if ':' in host else 'IP4'} {host}",
        "a=rtcp:9 IN IP4 0.0.0.0",
        *(f"a=candidate:{candidate}" for candidate in ours.candidates),
        "a=end-of-candidates",
        f"a=ice-ufrag:{ours.credentials.ufrag}",
        f"a=ice-pwd:{ours.credentials.password}",
        f"a=fingerprint:{ours.fingerprint.algorithm} {ours.fingerprint.value}",
        "a=setup:passive",
        f"a=mid:{facts.mid}",
    ]
    for uri in _EXTENSIONS[section.kind]:
        number = _extension(section, uri)
        if number is not None:
            lines.append(f"a=extmap:{number} {uri}")
    lines.append(f"a={_MIRROR[section.direction]}")
    if facts.sends:
        lines.append(f"a=msid:{ours.stream} {section.kind}")
    lines += ["a=rtcp-mux", "a=rtcp-rsize", *_codec(codec, facts)]
    if facts.sends:
        lines += _sources(section.kind, facts, ours)
    return lines


def _codec(codec: Codec, facts: MediaFacts) -> list[str]:
    number = codec.payload_type
    if facts.codec == "opus":
        # Silence need not be sent (RFC 6716 section 2.1.9), which most people do most of the time; music is sent whole.
        more = "stereo=1;sprop-stereo=1" if facts.stereo else "usedtx=1"
        return [f"a=rtpmap:{number} opus/48000/2", f"a=fmtp:{number} minptime=10;useinbandfec=1;{more}"]
    lines = [f"a=rtpmap:{number} {facts.codec}/90000"]
    lines += [f"a=rtcp-fb:{number} {feedback}" for feedback in _FEEDBACK if feedback in codec.feedback]
    if facts.codec == "H264":
        profile = f"packetization-mode=1;profile-level-id={facts.profile}"
        lines.append(f"a=fmtp:{number} level-asymmetry-allowed=1;{profile}")
    if facts.rtx_payload_type is not None:
        lines += [f"a=rtpmap:{facts.rtx_payload_type} rtx/90000", f"a=fmtp:{facts.rtx_payload_type} apt={number}"]
    return lines


def _sources(kind: str, facts: MediaFacts, ours: LocalMedia) -> list[str]:
    if kind == "audio":
        sources = [ours.audio_ssrc]
    elif facts.rtx_payload_type is not None:
        sources = [ours.video_ssrc, ours.rtx_ssrc]
    else:
        sources = [ours.video_ssrc]
    lines = [f"a=ssrc-group:FID {' '.join(map(str, sources))}"] if len(sources) > 1 else []
    for ssrc in sources:
        lines += [f"a=ssrc:{ssrc} cname:{ours.cname}", f"a=ssrc:{ssrc} msid:{ours.stream} {kind}"]
    return lines
