"""The load: many connections that each send a request, wait for its answer, and send the next.

Runs in a process of its own: an ``Order`` as JSON on standard input, a ``Round`` as JSON on standard output. Anything
but an answer of 200 ends it with the answer on standard error.
"""

import asyncio
import itertools
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal, cast

import orjson
import uvloop

PATH = "/api/fabric/resources/conference_rooms"
WARM_UP_S = 0.3
"""How long requests are sent before they count."""
IDS_MAX = 1000
"""How many ids of made rooms are remembered."""
GIVE_UP_S = 120.0
"""How much longer than planned a round may take."""

Kind = Literal["create", "get", "list"]


@dataclass(frozen=True, slots=True)
class Order:
    """What to send. ``seconds`` of measuring after a warm-up, or exactly ``count`` requests where that is set.

    ``name`` begins the names of the rooms that are made; with a number behind it each is unique.
    """

    kind: Kind
    port: int
    authorization: str
    connections: int
    name: str = ""
    ids: tuple[str, ...] = ()
    seconds: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """What came back. ``answered`` counts the warm-up too; ``ids`` are those of the first rooms made."""

    answered: int
    per_second: float
    p50_ms: float
    p99_ms: float
    load_cpu: float
    """The share of one core that the load itself took."""
    ids: tuple[str, ...]


class LoadError(Exception):
    """The server answered with something that makes the figures worthless."""


def send(order: Order) -> Round:
    """Run an order in a process of its own and wait for it. Raises ``LoadError``."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        check=False,
        input=orjson.dumps(asdict(order)),
        capture_output=True,
        timeout=order.seconds + order.count / 50 + GIVE_UP_S,
    )
    if done.returncode != 0:
        raise LoadError(done.stderr.decode(errors="replace").strip())
    return Round(**orjson.loads(done.stdout))


def requests(order: Order) -> Iterator[bytes]:
    """The bytes of each request in turn, without end."""
    head = f"Host: localhost:{order.port}\r\nAuthorization: {order.authorization}\r\nAccept: application/json\r\n"
    match order.kind:
        case "create":
            body = (
                f'{{"name":"{order.name}-%09d",'
                '"display_name":"Room %09d","description":"Where the day begins.","max_members":30,'
                '"quality":"720p","enable_room_previews":true,"meta":{"department":"sales"}}'
            )
            length = len(body % (0, 0))
            head += f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            made = f"POST {PATH} HTTP/1.1\r\n{head}".encode() + body.encode()
            for number in itertools.count():
                yield made % (number, number)
        case "get":
            yield from itertools.cycle([f"GET {PATH}/{name} HTTP/1.1\r\n{head}\r\n".encode() for name in order.ids])
        case "list":
            yield from itertools.repeat(f"GET {PATH} HTTP/1.1\r\n{head}\r\n".encode())


class Tally:
    """What all connections share: the requests to send, the time, and the figures."""

    def __init__(self, order: Order) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._order = order
        self._requests = requests(order)
        self._open = order.connections
        self._sent = 0
        self._answered = 0
        self._ids: list[str] = []
        self._latencies: list[float] = []
        self._began = time.perf_counter() + (0.0 if order.count else WARM_UP_S)
        self._until = math.inf if order.count else self._began + order.seconds

    def next(self) -> bytes | None:
        """The next request, ``None`` when there is none to send any more."""
        if self._sent == self._order.count > 0 or time.perf_counter() >= self._until:
            self._open -= 1
            if self._open == 0 and not self.ended.done():
                self.ended.set_result(None)
            return None
        self._sent += 1
        return next(self._requests)

    def answered(self, seconds: float, body: bytes) -> None:
        """Note an answer and how long it took."""
        self._answered += 1
        if self._began <= time.perf_counter() <= self._until:
            self._latencies.append(seconds)
        if self._order.kind == "create" and len(self._ids) < IDS_MAX:
            self._ids.append(orjson.loads(body)["id"])

    def failed(self, words: str) -> None:
        """End the round."""
        if not self.ended.done():
            self.ended.set_exception(LoadError(words))

    def round(self, wall_s: float, cpu_s: float) -> Round:
        """The figures."""
        found = sorted(self._latencies)
        if not found:
            raise LoadError("no request was answered in time")
        p50, p99 = (found[math.ceil(share * len(found)) - 1] * 1000 for share in (0.5, 0.99))
        measured = wall_s if self._order.count else self._order.seconds
        return Round(self._answered, len(found) / measured, p50, p99, cpu_s / wall_s, tuple(self._ids))


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    _transport: asyncio.Transport
    _sent_at = 0.0
    _length = 0
    """Bytes of the whole answer, 0 until its head is there."""
    _head = 0

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._data = b""
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Gather an answer; when it is whole, send the next request."""
        self._data = data = self._data + data if self._data else data
        if not self._length:
            end = data.find(b"\r\n\r\n") + 4
            if end < 4:
                return
            length = data.find(b"content-length: ", 0, end) + 16
            if length < 16:
                self._tally.failed(f"an answer without its length: {data!r}")
                return
            self._head = end
            self._length = end + int(data[length : data.index(b"\r", length)])
        if len(data) < self._length:
            return
        seconds = time.perf_counter() - self._sent_at
        if not data.startswith(b"HTTP/1.1 200 ") or len(data) > self._length:
            self._tally.failed(f"not what was asked for: {data.decode(errors='replace')}")
            return
        self._tally.answered(seconds, data[self._head :])
        self._data = b""
        self._length = 0
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell when it was not ours to end."""
        if not self._ended:
            self._tally.failed(f"the server ended a connection: {exc}")

    def _send(self) -> None:
        request = self._tally.next()
        if request is None:
            self._ended = True
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


async def carry_out(order: Order) -> Round:
    """Open the connections and send until the round is over. Raises ``LoadError``."""
    tally = Tally(order)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: tally.failed(repr(context.get("exception") or context)))
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(order.connections):
        await loop.create_connection(lambda: Connection(tally), "127.0.0.1", order.port)
    await tally.ended
    return tally.round(time.perf_counter() - wall, time.process_time() - cpu)


def main() -> None:
    """Carry out the order on standard input."""
    order = Order(**orjson.loads(sys.stdin.buffer.read()))
    try:
        sys.stdout.buffer.write(orjson.dumps(asdict(uvloop.run(carry_out(order)))))
    except (LoadError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
