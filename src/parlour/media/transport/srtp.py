"""SRTP and SRTCP with the keys of a DTLS session (RFC 3711, RFC 5764, RFC 7714)."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import pylibsrtp
from pylibsrtp import Policy, _binding

#: The longest plain packet in bytes, and by how many bytes protection makes one longer at most.
LONGEST: Final = 1352
TRAILER: Final = 148

#: How far back a packet may be and still be told from a replayed one.
REPLAY_WINDOW: Final = 1024

SrtpError = pylibsrtp.Error


class Keys(NamedTuple):
    """Master keys with their salts: what the peer sends with, and what we send with."""

    peer: bytes
    ours: bytes


class Profile(NamedTuple):
    """A protection profile as OpenSSL and libsrtp name it; lengths in bytes. A packet grows by ``tag_length``."""

    name: str
    openssl: bytes
    libsrtp: int
    key_length: int
    salt_length: int
    tag_length: int

    @property
    def material_length(self) -> int:
        """How many bytes to export from the DTLS session."""
        return 2 * (self.key_length + self.salt_length)

    def split(self, material: bytes) -> Keys:
        """Cut exported keying material for a DTLS server (RFC 5764 section 4.2)."""
        key, salt = self.key_length, self.salt_length
        client_key, server_key = material[:key], material[key : 2 * key]
        client_salt, server_salt = material[2 * key : 2 * key + salt], material[2 * key + salt : 2 * (key + salt)]
        return Keys(peer=client_key + client_salt, ours=server_key + server_salt)


#: In the order of preference: GCM is the cheaper one on every processor with AES instructions.
PROFILES: Final = (
    Profile("AEAD_AES_128_GCM", b"SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12, 16),
    Profile("AES128_CM_SHA1_80", b"SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14, 10),
)


class Srtp:
    """Both directions of one peer.

    ``protect`` and ``protect_rtcp`` take and return whole packets as ``bytes``, at most 1352 bytes long; ``unprotect``
    and ``unprotect_rtcp`` raise :data:`SrtpError` for packets that are forged, replayed or older than the window.
    All raise ``ValueError`` for packets that are too long. A packet may be protected twice only if it is the same in
    every byte: otherwise two messages would share a nonce.

    The library's own wrappers make an object and several calls for each packet, which costs as much as the cipher: so
    the C functions below them are called here.
    """

    def __init__(self, profile: Profile, keys: Keys) -> None:
        self._inbound = _session(profile, keys.peer, Policy.SSRC_ANY_INBOUND)
        self._outbound = _session(profile, keys.ours, Policy.SSRC_ANY_OUTBOUND)
        self.protect = _whole(_binding.lib.srtp_protect, self._outbound, LONGEST)
        self.protect_rtcp = _whole(_binding.lib.srtp_protect_rtcp, self._outbound, LONGEST)
        self.unprotect = _whole(_binding.lib.srtp_unprotect, self._inbound, LONGEST + TRAILER)
        self.unprotect_rtcp = _whole(_binding.lib.srtp_unprotect_rtcp, self._inbound, LONGEST + TRAILER)
        self.protect_places = _in_place(_binding.lib.srtp_protect, self._outbound)
        self.trailer = profile.tag_length

    def forget(self, ssrc: int) -> None:
        """Free what is kept for a source of the peer."""
        try:
            self._inbound.remove_stream(ssrc)
        except SrtpError:
            return  # it never sent anything


def _session(profile: Profile, key: bytes, direction: int) -> pylibsrtp.Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp)
    policy.window_size = REPLAY_WINDOW
    policy.allow_repeat_tx = True
    return pylibsrtp.Session(policy)


class Memory:
    """Bytes that packets are protected in: ``view`` is what Python sees of them, ``start`` what the cipher does."""

    def __init__(self, size: int) -> None:
        self.view = memoryview(bytearray(size))
        self.start = _binding.ffi.from_buffer(self.view)


def _whole(function: Callable[..., int], session: Any, longest: int) -> Callable[[bytes], bytes]:
    """``function`` from a packet to another one."""
    handle, memory, view = session._srtp[0], session._cdata, session._buffer  # noqa: SLF001 - see Srtp
    size = _binding.ffi.new("int *")

    def process(packet: bytes, _alive: Any = session) -> bytes:  # its end would free the handle
        length = len(packet)
        if length > longest:
            raise ValueError("the packet is too long")
        size[0] = length
        view[:length] = packet
        status = function(handle, memory, size)
        if status:
            raise SrtpError(pylibsrtp.ERRORS[status])
        made: bytes = view[: size[0]]
        return made

    return process


def _in_place(function: Callable[..., int], session: Any) -> Callable[[Iterable[tuple[Any, int]]], None]:
    """``function`` on packets that are in memory already, by where each begins and its length."""
    handle = session._srtp[0]  # noqa: SLF001 - see Srtp
    size = _binding.ffi.new("int *")

    def process(places: Iterable[tuple[Any, int]], _alive: Any = session) -> None:
        for start, length in places:
            size[0] = length
            status = function(handle, start, size)
            if status:
                raise SrtpError(pylibsrtp.ERRORS[status])

    return process
