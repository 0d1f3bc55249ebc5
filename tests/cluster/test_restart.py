"""The whole server ends and starts again: whoever was in has the same seat, as it was."""

import asyncio
import signal
from pathlib import Path
from uuid import UUID

import pytest

from tests.cluster.conftest import descendants, figures, is_running, record, until
from tests.support.caller import caller, invite, make_room
from tests.support.server import RunningServer, serving

pytestmark = pytest.mark.slow

KEPT = {"PARLOUR_SEAT_GRACE": "600"}
"""Seats are there however long the machine takes to start the next server."""


async def end(server: RunningServer, number: signal.Signals) -> None:
    """End a server with all that belongs to it."""
    below = descendants(server.process.pid)
    server.process.send_signal(number)
    await until(lambda: server.process.poll() is not None)
    await until(lambda: not [pid for pid in below if is_running(pid)])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to end"])
@pytest.mark.parametrize("reload", [False, True], ids=["the page goes on", "the page is reloaded"])
async def test_members_and_their_flags_outlive_the_server(tmp_path: Path, number: signal.Signals, reload: bool) -> None:
    with serving(tmp_path, **KEPT) as server:
        to = make_room(server)
        await until(lambda: figures(server))
        tokens = invite(server, to), invite(server, to)
        async with caller(server, to, tokens[0]) as ana, caller(server, to, tokens[1]) as bob:
            before = await ana.join()
            await bob.join()
            assert ana.seat is not None
            assert bob.seat is not None
            await ana.client.event("signalwire.authorization.state")
            await bob.client.event("signalwire.authorization.state")
            await ana.seat.act("mute", channels=["audio"])
            await ana.seat.act("microphone.volume.set", volume=20)
            await bob.seat.act("deaf")
            await bob.seat.act("raisehand")
            await ana.seat.act("layout.set", layout="3x3")
            await ana.seat.act("lock")
            past = None
            while past is None or not past.session.locked:
                await asyncio.sleep(0.1)
                past = await record(tmp_path, UUID(before["room_id"]))
            seats = ana.seat, bob.seat
            resume = [{"protocol": one.client.protocol, "authorization_state": one.client.state} for one in (ana, bob)]
            await end(server, number)

    with serving(tmp_path, **KEPT) as server:
        await until(lambda: figures(server))
        async with (
            caller(server, to, tokens[0], **resume[0]) as ana,
            caller(server, to, tokens[1], **resume[1]) as bob,
        ):
            if not reload:
                assert (await ana.client.event("call.left"))["reason"] == "the room moved; join again"
                await ana.bye()
            after = await ana.join(seats[0].call_id, attach=True, reattaching=True)
            again = await bob.join(seats[1].call_id, attach=True, reattaching=True)
            assert (after["member_id"], again["member_id"]) == (seats[0].member_id, seats[1].member_id)
            assert after["room_session_id"] == before["room_session_id"]
            room = after["room_session"]
            assert (room["locked"], room["layout_name"]) == (True, "3x3")
            me = ana.me(after)
            assert (me["audio_muted"], me["input_volume"], me["deaf"]) == (True, 20, False)
            me = bob.me(again)
            assert (me["audio_muted"], me["deaf"], me["handraised"]) == (True, True, True)
            assert bob.seat is not None
            await bob.seat.act("undeaf")
            heard = await ana.client.event("member.updated")
            assert heard["member"]["audio_muted"] is False, "deafness gives back the microphone that it took"
            await ana.sees()
            await bob.sees()
            members = (await bob.seat.act("member.list"))["members"]
            assert {member["member_id"] for member in members} == {seat.member_id for seat in seats}
