"""What goes out in one piece."""

from typing import TYPE_CHECKING, cast

import pytest

from parlour.front.server import CONTINUE, _OneWrite

if TYPE_CHECKING:
    import asyncio


class Wire:
    """Notes what is written, and how it is closed."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def wire() -> Wire:
    """Nothing is written yet."""
    return Wire()


@pytest.fixture
def answer(wire: Wire) -> _OneWrite:
    """An answer that goes there."""
    return _OneWrite(cast("asyncio.Transport", wire))


def test_head_and_body_go_together(wire: Wire, answer: _OneWrite) -> None:
    answer.write(b"head ")
    assert wire.writes == []
    answer.write(b"body")
    assert wire.writes == [b"head body"]


def test_more_of_the_body_goes_as_it_comes(wire: Wire, answer: _OneWrite) -> None:
    for part in (b"head ", b"", b"body", b"more"):
        answer.write(part)
    assert wire.writes == [b"head ", b"body", b"more"]


def test_go_on_is_not_held_back(wire: Wire, answer: _OneWrite) -> None:
    answer.write(CONTINUE)
    assert wire.writes == [CONTINUE]
    answer.write(b"head ")
    answer.write(b"body")
    assert wire.writes == [CONTINUE, b"head body"]


def test_closing_lets_the_head_go(wire: Wire, answer: _OneWrite) -> None:
    answer.write(b"head")
    assert not answer.is_closing()
    answer.close()
    assert wire.writes == [b"head"]
    assert wire.closed
    assert answer.is_closing()
