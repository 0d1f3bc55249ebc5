"""When a datagram came is what the kernel says, not when it was read."""

import socket
import struct
import time

import pytest

from parlour.media.transport.arrival import LONGEST, SO_TIMESTAMPNS, arrival
from parlour.media.transport.endpoint import Endpoint

AHEAD = 1_700_000_000.0
"""How far Unix time is ahead of the made-up clock."""
TOLERANCE = 0.001
"""Seconds between the two clocks, which are not read at once."""


def told(at: float, kind: int = SO_TIMESTAMPNS) -> list[tuple[int, int, bytes]]:
    """Ancillary data with this time of the made-up clock."""
    return [(socket.SOL_SOCKET, kind, struct.pack("@qq", int(AHEAD + at), round(at % 1 * 1e9)))]


def test_it_came_when_the_kernel_says() -> None:
    assert arrival(told(99.5), 100.0, AHEAD) == pytest.approx(99.5, abs=1e-6)


@pytest.mark.parametrize(
    "ancillary",
    [[], told(99.5, kind=SO_TIMESTAMPNS + 1), told(100.1), told(99.9 - LONGEST), [(1, SO_TIMESTAMPNS, b"short")]],
    ids=["nothing is told", "something else", "in the future", "too long ago", "cut off"],
)
def test_else_it_comes_now(ancillary: list[tuple[int, int, bytes]]) -> None:
    assert arrival(ancillary, 100.0, AHEAD) == 100.0


async def test_what_lay_in_the_socket_is_as_old_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    async with await Endpoint.open(["127.0.0.1"]) as endpoint:
        came: list[float] = []
        monkeypatch.setattr(endpoint, "take", lambda data, carrier, address, now: came.append(now))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", endpoint.candidates[0].port))
            sent = []
            for _ in range(2):
                before = endpoint.clock()
                sender.send(b"sound")
                sent.append((before, endpoint.clock()))
                time.sleep(0.02)  # noqa: ASYNC251 - nothing may be read meanwhile
        (port,) = endpoint._ports
        endpoint._read(port)
    assert len(came) == 2
    for (before, after), at in zip(sent, came, strict=True):
        assert before - TOLERANCE <= at <= after + TOLERANCE
