"""STUN messages as far as an ICE-lite server needs them: binding requests in, answers out (RFC 8489, RFC 8445).

Reading a message only finds where things are. Nothing in it may be believed before :func:`is_authentic` said yes.
"""

import hmac
import socket
import zlib
from struct import Struct
from typing import Final, NamedTuple

COOKIE: Final = 0x2112A442
REQUEST: Final = 0x0001
SUCCESS: Final = 0x0101
ERROR: Final = 0x0111

ROLE_CONFLICT: Final = 487

_HEADER = Struct("!HHI12s")
_ATTRIBUTE = Struct("!HH")
_HEADER_LENGTH: Final = 20
_INTEGRITY_LENGTH: Final = 24
_FINGERPRINT_LENGTH: Final = 8
_FINGERPRINT_MASK: Final = 0x5354554E
_MAX_USERNAME: Final = 513

_USERNAME: Final = 0x0006
_MESSAGE_INTEGRITY: Final = 0x0008
_ERROR_CODE: Final = 0x0009
_XOR_MAPPED_ADDRESS: Final = 0x0020
_USE_CANDIDATE: Final = 0x0025
_FINGERPRINT: Final = 0x8028
_ICE_CONTROLLED: Final = 0x8029


class StunError(ValueError):
    """The bytes are not a STUN message, or its fingerprint is wrong."""


class Message(NamedTuple):
    """What a STUN message claims.

    ``integrity_at`` is the offset of MESSAGE-INTEGRITY, ``None`` where there is none. Attributes behind it, FINGERPRINT
    apart, are unauthenticated and therefore not read.
    """

    kind: int
    transaction: bytes
    username: str | None
    integrity_at: int | None
    use_candidate: bool
    controlled: bool


def parse(data: bytes) -> Message:
    """Read a message.

    Raises :class:`StunError`: wrong cookie or length, an attribute past the end, an undecodable user name, a
    FINGERPRINT that does not match or is not last.
    """
    if len(data) < _HEADER_LENGTH:
        raise StunError("shorter than a header")
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if cookie != COOKIE:
        raise StunError("wrong magic cookie")
    end = len(data)
    if length % 4 or _HEADER_LENGTH + length != end:
        raise StunError("wrong length")
    found: dict[int, bytes] = {}
    integrity_at: int | None = None
    at = _HEADER_LENGTH
    while at < end:
        attribute, size = _ATTRIBUTE.unpack_from(data, at)
        value_at = at + _ATTRIBUTE.size
        following = value_at + (size + 3 & ~3)
        if following > end:
            raise StunError("an attribute ends behind the message")
        if attribute == _FINGERPRINT:
            _check_fingerprint(data, at, size, following)
        elif integrity_at is None:
            found.setdefault(attribute, data[value_at : value_at + size])
            if attribute == _MESSAGE_INTEGRITY:
                integrity_at = at
        at = following
    if integrity_at is not None and len(found[_MESSAGE_INTEGRITY]) != _INTEGRITY_LENGTH - _ATTRIBUTE.size:
        raise StunError("MESSAGE-INTEGRITY of a wrong size")
    username = _text(found[_USERNAME]) if _USERNAME in found else None
    return Message(kind, transaction, username, integrity_at, _USE_CANDIDATE in found, _ICE_CONTROLLED in found)


def is_authentic(message: Message, data: bytes, key: bytes) -> bool:
    """Whether ``data``, of which ``message`` was read, carries a MESSAGE-INTEGRITY made with ``key``."""
    at = message.integrity_at
    if at is None:
        return False
    value_at = at + _ATTRIBUTE.size
    return hmac.compare_digest(_integrity(data[:at], key), data[value_at : at + _INTEGRITY_LENGTH])


def success(transaction: bytes, host: str, port: int, key: bytes) -> bytes:
    """The answer to a check that came from ``host`` and ``port``, signed with ``key``."""
    pad = _HEADER.pack(0, 0, COOKIE, transaction)[4:]
    port_bytes = (port ^ COOKIE >> 16).to_bytes(2, "big")
    if ":" in host:
        family, packed = b"\0\x02", socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    else:
        family, packed = b"\0\x01", socket.inet_pton(socket.AF_INET, host)
    hidden = bytes(byte ^ mask for byte, mask in zip(packed, pad, strict=False))
    return _signed(SUCCESS, transaction, _attribute(_XOR_MAPPED_ADDRESS, family + port_bytes + hidden), key)


def error(transaction: bytes, code: int, reason: str, key: bytes) -> bytes:
    """A refusal of a check, signed with ``key``."""
    value = bytes((0, 0, code // 100, code % 100)) + reason.encode()
    return _signed(ERROR, transaction, _attribute(_ERROR_CODE, value), key)


def _text(value: bytes) -> str:
    if len(value) > _MAX_USERNAME:
        raise StunError("user name too long")
    try:
        return value.decode()
    except UnicodeDecodeError as problem:
        raise StunError("user name is not UTF-8") from problem


def _check_fingerprint(data: bytes, at: int, size: int, following: int) -> None:
    value_at = at + _ATTRIBUTE.size
    if size != _FINGERPRINT_LENGTH - _ATTRIBUTE.size or following != len(data):
        raise StunError("FINGERPRINT is misplaced")
    if zlib.crc32(data[:at]) ^ _FINGERPRINT_MASK != int.from_bytes(data[value_at:following], "big"):
        raise StunError("FINGERPRINT does not match")


def _integrity(covered: bytes, key: bytes) -> bytes:
    """RFC 8489 section 14.5: the digest counts the length as if the message ended with the attribute itself."""
    length = len(covered) - _HEADER_LENGTH + _INTEGRITY_LENGTH
    return hmac.digest(key, covered[:2] + length.to_bytes(2, "big") + covered[4:], "sha1")


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _signed(kind: int, transaction: bytes, attributes: bytes, key: bytes) -> bytes:
    length = len(attributes) + _INTEGRITY_LENGTH + _FINGERPRINT_LENGTH
    covered = _HEADER.pack(kind, length, COOKIE, transaction) + attributes
    covered += _attribute(_MESSAGE_INTEGRITY, _integrity(covered, key))
    return covered + _attribute(_FINGERPRINT, (zlib.crc32(covered) ^ _FINGERPRINT_MASK).to_bytes(4, "big"))
