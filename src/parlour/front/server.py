"""The HTTP server: uvicorn with its edges bounded and its end made quiet."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

DRAIN_S = 8
"""How long requests in flight may take to finish when the server ends."""
HEAD_MAX = 32 * 1024
"""Bytes of a request's line and headers."""
HEAD_WAIT_S = 10.0
"""How long a request's head may take to arrive."""
IDLE_S = 75
"""How long an idle connection is kept; longer than the usual proxy keeps its own."""
FRAME_MAX = 256 * 1024
"""Bytes of a WebSocket message. A session description with many codecs and candidates takes about 10 KiB."""
WS_PING_S = 20.0
"""How often a WebSocket is pinged, and how long the pong may take."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What uvicorn writes before an answer to somebody who waits for it."""
CONNECTIONS_MAX = 4096
"""Connections at once; more are answered 503."""


class _OneWrite:
    """What an answer is written to: sends its head along with what follows, in one system call and one packet.

    uvicorn writes each apart. ASGI lets a server hold the head back until there is something of the body.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None
        self._head_went = False

    def write(self, data: bytes) -> None:
        if self._head_went or data == CONTINUE:
            self._transport.write(data)
        elif self._head is None:
            self._head = data
        else:
            self._head_went = True
            self._transport.write(b"".join((self._head, data)))

    def close(self) -> None:
        if self._head is not None and not self._head_went:
            self.write(b"")
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a limit on the size of a request's head and on the time it takes."""

    _in_head = False
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect a head."""
        super().connection_made(transport)
        self._in_head = True
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser unless the head that it is reading has grown too large."""
        expected = self._in_head
        super().data_received(data)
        if not self._in_head:
            return
        if self._head_timer is None:  # only now: nearly all heads come in one piece, and a timer costs
            self._wait_for_head()
        if expected:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_MAX:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """A head begins, on a connection kept open or behind another request."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The head is there; what comes now is the body."""
        self._stop_waiting()
        before = self.cycle
        super().on_headers_complete()
        cycle: Any = self.cycle
        if cycle is not before and self.scope["method"] != "HEAD":  # whose answer is its head alone
            cycle.transport = _OneWrite(self.transport)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_WAIT_S, self._refuse, b"408 Request Timeout")

    def _stop_waiting(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: bytes) -> None:
        self._stop_waiting()
        owed: RequestResponseCycle | None = self.cycle
        if owed is None or owed.response_complete:  # else this would be read as the answer to the request before
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()


class Server(uvicorn.Server):
    """A server whose signals belong to whoever runs it: set ``should_exit`` to drain and end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def make_server(app: ASGIApp, tls_cert: Path | None = None, tls_key: Path | None = None) -> Server:
    """A server for sockets that listen already."""
    return Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="websockets-sansio",
            ws_max_size=FRAME_MAX,
            ws_ping_interval=WS_PING_S,
            ws_ping_timeout=WS_PING_S,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=DRAIN_S,
            limit_concurrency=CONNECTIONS_MAX,
            ssl_certfile=tls_cert,
            ssl_keyfile=tls_key,
        )
    )


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address that ``host`` has, all on one port. Raises ``OSError`` where that cannot be."""
    sockets: list[socket.socket] = []
    try:
        for family, address in _addresses(host, port):
            listener = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if port == 0 and len(sockets) > 1:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            listener.bind(address)
            listener.listen(2048)
            listener.setblocking(False)
    except OSError:
        for listener in sockets:
            listener.close()
        raise
    return sockets


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    families = {socket.AF_INET, socket.AF_INET6} if _has_ipv6() else {socket.AF_INET}
    usable = {info[4]: info[0] for info in found if info[0] in families}
    return [(family, address) for address, family in usable.items()]


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
