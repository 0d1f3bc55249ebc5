"""ICE over TCP, the passive side: framed datagrams on connections that the peer makes (RFC 6544, RFC 4571)."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final, cast

from parlour.media.transport.burst import send_singly
from parlour.media.transport.ice import Address

if TYPE_CHECKING:
    from collections.abc import Callable

    from parlour.media.transport.leg import Leg

#: The shortest frame that is taken, in bytes: a DTLS record's header, and no other datagram is as short.
MIN_FRAME: Final = 13
#: The longest frame that is taken, in bytes, and how much may wait to be written on one connection.
MAX_FRAME: Final = 2048
MAX_WAITING: Final = 256 * 1024
#: Seconds within which a new connection must bring a valid check.
PATIENCE: Final = 10.0


class TcpPeer(asyncio.Protocol):
    """One connection, used like a socket with a single remote address.

    ``taken`` is called with each frame, ``ended`` once the connection is gone. A frame of no sensible length ends the
    connection and is counted in ``dropped``.
    """

    def __init__(
        self,
        opened: "Callable[[TcpPeer], bool]",
        taken: "Callable[[bytes, TcpPeer], None]",
        ended: "Callable[[TcpPeer], None]",
        dropped: Counter[str],
    ) -> None:
        self.peers: dict[Address, Leg] = {}
        self.address: Address = ("", 0)
        self._opened = opened
        self._taken = taken
        self._ended = ended
        self._dropped = dropped
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._impatience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.address = transport.get_extra_info("peername")
        if not self._opened(self):
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(MAX_WAITING)
        self._impatience = asyncio.get_running_loop().call_later(PATIENCE, self._close_if_idle)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at, available = 0, len(buffer)
        while available - at >= 2:
            length = buffer[at] << 8 | buffer[at + 1]
            if not MIN_FRAME <= length <= MAX_FRAME:
                self._dropped["tcp frame too short" if length < MIN_FRAME else "tcp frame too long"] += 1
                self.abort()
                return
            if available - at - 2 < length:
                break
            frame = bytes(buffer[at + 2 : at + 2 + length])
            at += 2 + length
            self._taken(frame, self)
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
        self._ended(self)

    def sendto(self, data: bytes, address: Address, /) -> None:
        """Frame and write; raises ``BlockingIOError`` when too much waits, ``OSError`` when the peer is gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        if transport.get_write_buffer_size() > MAX_WAITING:
            raise BlockingIOError
        transport.write(len(data).to_bytes(2, "big") + data)

    def send_burst(self, data: memoryview, size: int, address: Address, /) -> None:
        """See ``Carrier``."""
        send_singly(self, data, size, address)

    def close(self) -> None:
        """End the connection when what waits is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def _close_if_idle(self) -> None:
        if not self.peers:
            self.abort()
