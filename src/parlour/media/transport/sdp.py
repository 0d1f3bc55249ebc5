"""Reading offers (RFC 8866, RFC 8829). What is taken of one is the answer's business: ``answer.py``."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from parlour.domain.errors import Refusal
from parlour.media.transport.dtls import Fingerprint

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

MAX_OFFER: Final = 64 * 1024
MAX_SECTIONS: Final = 32
_MAX_CODECS: Final = 128
_MAX_EXTENSIONS: Final = 64
_MAX_PARAMETERS: Final = 64
#: Lines of one m-section that speak of all its payload types: each costs as much as there are payload types.
MAX_WILDCARDS: Final = 16

_DIRECTIONS: Final[tuple[Direction, ...]] = ("sendrecv", "sendonly", "recvonly", "inactive")
_TOKEN = re.compile(r"[\x21\x23-\x27\x2a\x2b\x2d\x2e\x30-\x39\x41-\x5a\x5e-\x7e]{1,64}")
_MEDIA_LINE = re.compile(r"([a-z]{1,32}) ([0-9]{1,5}) ([A-Za-z0-9/]{1,32})((?: [!-~]{1,32}){1,128})")
_ICE = re.compile(r"[A-Za-z0-9+/]{4,256}")
_FINGERPRINT = re.compile(r"([A-Za-z0-9-]{1,16}) ((?:[0-9A-Fa-f]{2}:){15,63}[0-9A-Fa-f]{2})")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([!-.0-~]{1,32})/([0-9]{1,9})(?:/([0-9]{1,2}))?")
_FORMAT = re.compile(r"[0-9]{1,3}")
_EXTMAP = re.compile(r"([0-9]{1,3})(?:/[a-z]+)? ([!-~]{1,256})(?: .*)?")


class BadOffer(Refusal):
    """The offer cannot be answered; ``reason`` says why, in words for the person who made it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Codec:
    """A payload format as offered. ``name`` is in capitals, ``clock_rate`` in Hz."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: Mapping[str, str] = field(default_factory=dict)
    feedback: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """An m-section as offered, or the session's own part, from which the sections inherit.

    ``rtpmap``s of unlisted payload types are left out of ``codecs``; order is kept. ``wildcards`` counts the lines
    that are about all of them.
    """

    kind: str
    port: int
    protocol: str
    formats: list[str]
    mid: str | None = None
    direction: Direction = "sendrecv"
    ufrag: str | None = None
    password: str | None = None
    fingerprints: tuple[Fingerprint, ...] = ()
    setup: str | None = None
    rtcp_mux: bool = False
    bundle_only: bool = False
    bundle: tuple[str, ...] = ()
    codecs: dict[int, Codec] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    wildcards: int = 0


@dataclass(slots=True)
class Offer:
    """An offer: its m-sections in order, and the mids of its first BUNDLE group."""

    sections: list[Section]
    bundle: tuple[str, ...]


def parse_offer(text: str) -> Offer:
    """Read an offer; raises :class:`BadOffer` for what is too long or is no SDP."""
    if len(text) > MAX_OFFER or len(text.encode(errors="replace")) > MAX_OFFER:
        raise BadOffer("The SDP is longer than 64 KiB.")
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    if not lines or lines[0] != "v=0":
        raise BadOffer("The SDP does not begin with v=0.")
    session = current = Section("session", 0, "", [])
    sections: list[Section] = []
    for line in lines[1:]:
        kind, separator, value = line.partition("=")
        if not separator or len(kind) != 1:
            raise BadOffer("The SDP has a line that is not of the form <type>=<value>.")
        if kind == "m":
            current = _begin(value, session)
            sections.append(current)
        elif kind == "a":
            name, _, content = value.partition(":")
            take = _ATTRIBUTES.get(name)
            if take is not None:
                take(current, content)
    if len(sections) > MAX_SECTIONS:
        raise BadOffer(f"The SDP has more than {MAX_SECTIONS} media sections.")
    mids = [section.mid for section in sections if section.mid is not None]
    if len(mids) != len(set(mids)):
        raise BadOffer("Two media sections of the SDP have the same mid.")
    return Offer(sections, session.bundle)


def _begin(value: str, session: Section) -> Section:
    match = _MEDIA_LINE.fullmatch(value)
    if match is None or int(match[2]) > 65535:
        raise BadOffer("The SDP has a malformed m-line.")
    return Section(
        match[1],
        int(match[2]),
        match[3],
        match[4].split(),
        direction=session.direction,
        ufrag=session.ufrag,
        password=session.password,
        fingerprints=session.fingerprints,
        setup=session.setup,
    )


def _matching(pattern: re.Pattern[str], value: str, name: str) -> re.Match[str]:
    match = pattern.fullmatch(value)
    if match is None:
        raise BadOffer(f"The SDP has a malformed a={name}.")
    return match


def _rtpmap(section: Section, value: str) -> None:
    found = _matching(_RTPMAP, value, "rtpmap")
    payload_type = int(found[1])
    if found[1] in section.formats and payload_type < 128 and len(section.codecs) < _MAX_CODECS:
        section.codecs[payload_type] = Codec(payload_type, found[2].upper(), int(found[3]), int(found[4] or 1))


def _of_codecs(section: Section, value: str) -> tuple[Iterable[Codec], str]:
    """The codecs that a line is about, and what it says of them."""
    payload_type, _, content = value.partition(" ")
    if payload_type == "*":
        section.wildcards += 1
        if section.wildcards > MAX_WILDCARDS:
            raise BadOffer(f"A media section of the SDP has more than {MAX_WILDCARDS} lines for all payload types.")
        return section.codecs.values(), content
    codec = section.codecs.get(int(payload_type)) if _FORMAT.fullmatch(payload_type) else None
    return () if codec is None else (codec,), content


def _parameters(content: str) -> Iterator[tuple[str, str]]:
    for part in content.split(";", _MAX_PARAMETERS)[:_MAX_PARAMETERS]:
        name, _, value = part.strip().partition("=")
        if name:
            yield name.lower(), value


def _direction(direction: Direction) -> "_Take":
    def take(section: Section, _: str) -> None:
        section.direction = direction

    return take


def _group(section: Section, value: str) -> None:
    semantics, *mids = value.split(" ")
    if semantics == "BUNDLE" and not section.bundle:
        section.bundle = tuple(mids)


def _mid(section: Section, value: str) -> None:
    section.mid = _matching(_TOKEN, value, "mid")[0]


def _ufrag(section: Section, value: str) -> None:
    section.ufrag = _matching(_ICE, value, "ice-ufrag")[0]


def _password(section: Section, value: str) -> None:
    section.password = _matching(_ICE, value, "ice-pwd")[0]


def _fingerprint(section: Section, value: str) -> None:
    found = _matching(_FINGERPRINT, value, "fingerprint")
    section.fingerprints = (*section.fingerprints[-7:], Fingerprint(found[1].lower(), found[2].upper()))


def _setup(section: Section, value: str) -> None:
    section.setup = value


def _rtcp_mux(section: Section, _: str) -> None:
    section.rtcp_mux = True


def _bundle_only(section: Section, _: str) -> None:
    section.bundle_only = True


def _fmtp(section: Section, value: str) -> None:
    codecs, content = _of_codecs(section, value)
    parameters = dict(_parameters(content)) if codecs else {}
    for codec in codecs:
        codec.parameters = parameters


def _feedback(section: Section, value: str) -> None:
    codecs, content = _of_codecs(section, value)
    for codec in codecs:
        codec.feedback.append(content)


def _extmap(section: Section, value: str) -> None:
    found = _matching(_EXTMAP, value, "extmap")
    if len(section.extensions) < _MAX_EXTENSIONS:
        section.extensions.setdefault(found[2], int(found[1]))


_Take = Callable[[Section, str], None]

#: What we do not know, we do not take.
_ATTRIBUTES: Final[Mapping[str, _Take]] = {
    **{direction: _direction(direction) for direction in _DIRECTIONS},
    "group": _group,
    "mid": _mid,
    "ice-ufrag": _ufrag,
    "ice-pwd": _password,
    "fingerprint": _fingerprint,
    "setup": _setup,
    "rtcp-mux": _rtcp_mux,
    "bundle-only": _bundle_only,
    "rtpmap": _rtpmap,
    "fmtp": _fmtp,
    "rtcp-fb": _feedback,
    "extmap": _extmap,
}
