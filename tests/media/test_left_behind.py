"""What a call holds is let go with it, and does not wait for the garbage collector."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from parlour.domain.live.commands import Leave
from parlour.media.conference import Conference
from parlour.media.transport import Endpoint
from tests.media.guest import ROOM, Guest, film, live


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only reference counts free anything."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_who_leaves_takes_decoder_and_connection_along(conference: Conference, endpoint: Endpoint) -> None:
    stays = await Guest(conference, endpoint, "stays", room=ROOM).join()
    goes = await Guest(conference, endpoint, "goes", room=ROOM).join()
    await live([stays, goes], lambda: bool(goes.frames), also=lambda step: goes.send(film()[step % 15], step * 3000))
    call = conference._calls[goes.member_id]
    assert call.decoder is not None
    assert goes.leg._dtls is not None
    decoder, session = weakref.ref(call.decoder), weakref.ref(goes.leg._dtls)
    parts = [weakref.ref(part) for part in (call, goes.leg, goes.leg._feedback, goes.leg._receiving)]
    del call
    conference.ask(Leave("call-goes"))
    await live([stays], lambda: decoder() is None)
    assert session() is None
    assert goes.leg.statistics().packets_sent > 0, "which is still known"
    del goes.leg
    assert [part() for part in parts] == [None] * 4
