"""The member's side of SDP: an offer as a browser would cut it down to what is used here, and what an answer says."""

from dataclasses import dataclass
from typing import Final

from parlour.media.transport.dtls import Fingerprint
from parlour.media.transport.ice import Credentials
from parlour.media.transport.sdp import BadOffer, parse_offer
from parlour.media.video.codec import VideoCodec

AUDIO, VIDEO, RTX = 111, 96, 97
"""Payload types."""
LEVEL_ID, SEND_TIME_ID = 1, 2
"""Header extensions: audio levels (RFC 6464) and abs-send-time."""

_H264: Final = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


class BadAnswer(ValueError):  # noqa: N818 - the counterpart of the transport's BadOffer
    """The server's SDP cannot be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Where to go and with whom to agree on keys. ``places`` are the UDP candidates, the first the best.

    ``pauses`` says that silence need not be sent.
    """

    credentials: Credentials
    fingerprints: tuple[Fingerprint, ...]
    places: tuple[tuple[str, int], ...]
    pauses: bool = False


def write_offer(ours: Credentials, fingerprint: Fingerprint, codec: VideoCodec, *, sends: bool) -> str:
    """One audio and one video section. Who does not send offers to receive only."""
    common = [
        "c=IN IP4 0.0.0.0",
        f"a=ice-ufrag:{ours.ufrag}",
        f"a=ice-pwd:{ours.password}",
        f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
        "a=setup:actpass",
        "a=rtcp-mux",
        f"a={'sendrecv' if sends else 'recvonly'}",
    ]
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1",
        f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO}", *common, "a=mid:0",
        f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        f"a=rtpmap:{AUDIO} opus/48000/2", f"a=fmtp:{AUDIO} minptime=10;useinbandfec=1",
        f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO} {RTX}", *common, "a=mid:1",
        f"a=extmap:{SEND_TIME_ID} http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        f"a=rtpmap:{VIDEO} {codec}/90000",
        *(f"a=rtcp-fb:{VIDEO} {feedback}" for feedback in ("goog-remb", "ccm fir", "nack", "nack pli")),
        *([f"a=fmtp:{VIDEO} {_H264}"] if codec is VideoCodec.H264 else []),
        f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={VIDEO}",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def read_answer(text: str) -> Answer:
    """What an answer says. Raises :class:`BadAnswer`."""
    try:
        sections = parse_offer(text).sections
    except BadOffer as problem:
        raise BadAnswer(f"the server's SDP cannot be read: {problem.reason}") from None
    taken = [section for section in sections if section.port]
    if [section.kind for section in taken] != ["audio", "video"]:
        raise BadAnswer("the server does not take both sound and picture")
    first = taken[0]
    if first.ufrag is None or first.password is None or not first.fingerprints:
        raise BadAnswer("the server's SDP says neither where to go nor whom to trust")
    pauses = any(codec.parameters.get("usedtx") == "1" for codec in first.codecs.values())
    return Answer(Credentials(first.ufrag, first.password), first.fingerprints, tuple(_places(text)), pauses)


def _places(text: str) -> list[tuple[str, int]]:
    found: list[tuple[int, tuple[str, int]]] = []
    for line in text.splitlines():
        words = line.removeprefix("a=candidate:").split()
        if line.startswith("a=candidate:") and len(words) >= 8 and words[2].lower() == "udp" and words[5].isdigit():
            found.append((-int(words[3]) if words[3].isdigit() else 0, (words[4], int(words[5]))))
    return list(dict.fromkeys(place for _, place in sorted(found, key=lambda one: one[0])))
