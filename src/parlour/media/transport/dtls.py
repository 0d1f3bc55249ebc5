"""DTLS 1.2 in the server role, over memory, for the keys of SRTP (RFC 5764, RFC 8842).

A session is fed datagrams and gives back datagrams; sockets and timers are its owner's. Version 1.3 is not offered: its
records hide their lengths, and the datagrams of a flight could not be told apart in OpenSSL's memory.
"""

import datetime
import enum
import hmac
import secrets
from struct import Struct
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from parlour.media.transport.srtp import PROFILES, Keys, Profile

DATAGRAM_SIZE: Final = 1200

_RECORD = Struct("!BHHIHH")  # type, version, epoch, sequence number in two parts, length
_RECORD_TYPES = range(20, 25)
_ALERT: Final = 21
_DTLS_1_2: Final = 0xFEFD
_VERSIONS = (0xFEFF, _DTLS_1_2)
_CIPHERS: Final = b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
_DIGESTS: Final = {"sha-256": hashes.SHA256(), "sha-384": hashes.SHA384(), "sha-512": hashes.SHA512()}


class Fingerprint(NamedTuple):
    """A certificate's digest as SDP writes it: the name of the hash, and hexadecimal pairs with colons."""

    algorithm: str
    value: str


class Identity:
    """A worker's self-signed ECDSA P-256 certificate, and the OpenSSL context of all its sessions."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _self_signed(self.key)
        self.fingerprint = Fingerprint("sha-256", _digest(self.certificate, "sha-256"))
        context = SSL.Context(SSL.DTLS_SERVER_METHOD)
        context.set_min_proto_version(_DTLS_1_2)
        context.set_max_proto_version(_DTLS_1_2)
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        # The chain proves nothing here: the certificate is held against the offer's fingerprint afterwards.
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.set_cipher_list(_CIPHERS)
        context.set_tlsext_use_srtp(b":".join(profile.openssl for profile in PROFILES))
        context.use_certificate(self.certificate)
        context.use_privatekey(self.key)
        self.context = context


class DtlsState(enum.Enum):
    """Where a session stands. ``FAILED`` and ``CLOSED`` are final."""

    HANDSHAKING = "handshaking"
    CONNECTED = "connected"
    CLOSED = "closed"
    FAILED = "failed"


class DtlsSession:
    """One session with one peer, which must present a certificate with one of ``fingerprints``.

    ``agreed`` is the protection and its keys once the session is connected, ``failure`` says why a session failed;
    ``discarded`` counts datagrams that were no DTLS records, and alerts that anybody could have written, ``restarts``
    handshakes that broke down.
    """

    def __init__(self, identity: Identity, fingerprints: tuple[Fingerprint, ...]) -> None:
        self._identity = identity
        self._fingerprints = fingerprints
        self._connection = self._fresh()
        self.state = DtlsState.HANDSHAKING
        self.agreed: tuple[Profile, Keys] | None = None
        self.failure = ""
        self.discarded = 0
        self.restarts = 0

    def receive(self, datagram: bytes) -> list[bytes]:
        """Take a datagram of the peer; returns the datagrams to answer with. Never raises."""
        if self.state in (DtlsState.CLOSED, DtlsState.FAILED):
            return []
        if not self._is_plausible(datagram):
            self.discarded += 1
            return []
        self._connection.bio_write(datagram)
        if self.state is DtlsState.CONNECTED:
            self._read()
        else:
            self._shake()
        return self._outgoing()

    def timeout(self) -> float | None:
        """In how many seconds :meth:`expire` is due, ``None`` when nothing waits to be retransmitted."""
        if self.state is not DtlsState.HANDSHAKING:
            return None
        return self._connection.DTLSv1_get_timeout()

    def expire(self) -> list[bytes]:
        """The retransmission timer has run out; returns the flight to send again."""
        if self.state is DtlsState.HANDSHAKING:
            try:
                self._connection.DTLSv1_handle_timeout()
            except SSL.Error:
                self._fail("the handshake's retransmissions ran out")
        return self._outgoing()

    def close(self) -> list[bytes]:
        """End the session; returns the closing alert, if one is due."""
        if self.state is DtlsState.CONNECTED:
            try:
                self._connection.shutdown()
            except SSL.Error:
                return []
            finally:
                self.state = DtlsState.CLOSED
            return self._outgoing()
        self.state = DtlsState.CLOSED
        return []

    def _fresh(self) -> SSL.Connection:
        connection = SSL.Connection(self._identity.context)
        connection.set_ciphertext_mtu(DATAGRAM_SIZE)
        connection.set_accept_state()
        return connection

    def _is_plausible(self, datagram: bytes) -> bool:
        """Whole records only, and no alert that is neither encrypted nor authentic (RFC 6347 section 4.1.2.7)."""
        at = 0
        while at + _RECORD.size <= len(datagram):
            kind, version, epoch, _, _, length = _RECORD.unpack_from(datagram, at)
            if kind not in _RECORD_TYPES or version not in _VERSIONS or (kind == _ALERT and epoch == 0):
                return False
            at += _RECORD.size + length
        return at == len(datagram) and at > 0

    def _shake(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error:
            # Until the keys are agreed anybody can write records: start again rather than end for the sake of one. A
            # peer with which there is no agreement meets the leg's time limit.
            self.restarts += 1
            self._connection = self._fresh()
            return
        self._finish()

    def _finish(self) -> None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None or not _matches(certificate, self._fingerprints):
            self._fail("the certificate is not the one of the offer")
            return
        chosen = self._connection.get_selected_srtp_profile()
        profile = next((profile for profile in PROFILES if profile.openssl == chosen), None)
        if profile is None:
            self._fail("no SRTP profile in common")
            return
        material = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", profile.material_length)
        self.agreed = profile, profile.split(material)
        self.state = DtlsState.CONNECTED

    def _read(self) -> None:
        try:
            while True:  # ends with WantReadError: there is only one datagram to read
                self._connection.recv(DATAGRAM_SIZE)
        except SSL.ZeroReturnError:
            self.state = DtlsState.CLOSED
        except SSL.WantReadError:
            pass
        except SSL.Error:
            # OpenSSL discards forged records by itself, so what gets here was said by the peer: a fatal alert.
            self._fail("the peer ended the session with an alert")

    def _fail(self, reason: str) -> None:
        self.state = DtlsState.FAILED
        self.failure = reason

    def _outgoing(self) -> list[bytes]:
        """What OpenSSL wants sent, cut between records into datagrams of at most ``DATAGRAM_SIZE`` bytes."""
        pending = b""
        try:
            while True:
                pending += self._connection.bio_read(16384)
        except SSL.WantReadError:
            pass
        datagrams: list[bytes] = []
        start = at = 0
        while at + _RECORD.size <= len(pending):
            following = at + _RECORD.size + int.from_bytes(pending[at + 11 : at + 13], "big")
            if following - start > DATAGRAM_SIZE and at > start:
                datagrams.append(pending[start:at])
                start = at
            at = following
        if start < len(pending):
            datagrams.append(pending[start:])
        return datagrams


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )


def _digest(certificate: x509.Certificate, algorithm: str) -> str:
    return certificate.fingerprint(_DIGESTS[algorithm]).hex(":").upper()


def _matches(certificate: x509.Certificate, fingerprints: tuple[Fingerprint, ...]) -> bool:
    """RFC 8122 section 6: of the fingerprints with a hash we trust, one that fits is enough."""
    return any(
        hmac.compare_digest(_digest(certificate, algorithm), value.upper())
        for algorithm, value in fingerprints
        if algorithm in _DIGESTS
    )
