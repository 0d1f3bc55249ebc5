"""A wire to the server that can be cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Proxy:
    """Passes TCP connections on to a port of ``localhost`` while it is not cut."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.is_cut = False
        self.accepted = 0
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Proxy"]:
        """Listen for the length of a block."""
        server = await asyncio.start_server(self._accept, "localhost", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Break every connection, and let none in until ``mend``."""
        self.is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections in again."""
        self.is_cut = False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        self.accepted += 1
        far_reader, far_writer = await asyncio.open_connection("localhost", self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))
        self._writers -= {writer, far_writer}


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
