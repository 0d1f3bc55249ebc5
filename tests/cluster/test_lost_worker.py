"""A media worker that dies or ends: whoever is in the room is told, and has the seat back at another worker."""

import signal
from pathlib import Path

import pytest

from tests.cluster.conftest import figures, is_running, kill, owner, until
from tests.support.caller import caller, invite, make_room
from tests.support.server import serving

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to end"])
@pytest.mark.parametrize("attach", [True, False], ids=["reattach", "dial"])
async def test_a_room_goes_on_at_another_worker(tmp_path: Path, number: signal.Signals, attach: bool) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="2") as server:
        to = make_room(server, meta={"from": "rest"})
        await until(lambda: len(figures(server)) == 2)
        async with (
            caller(server, to, invite(server, to)) as ana,
            caller(server, to, invite(server, to)) as bob,
        ):
            before = await ana.join()
            await bob.join()
            assert ana.seat is not None
            assert bob.seat is not None
            await ana.sees()
            await ana.seat.act("mute", channels=["audio"])
            await bob.seat.act("raisehand")
            await bob.seat.act("deaf")
            await ana.seat.act("layout.set", layout="3x3", positions={bob.seat.member_id: "standard-5"})
            await ana.seat.act("lock")
            await ana.seat.act("meta.update", meta={"live": 1})
            await ana.seat.act("handraise.prioritize.set", enable=True)
            await until(lambda: owner(server))
            lost = owner(server)
            assert lost is not None

            kill(lost, number)
            left = await ana.client.event("call.left")
            bye = await ana.bye()
            assert left["reason"] == "the room moved; join again"
            assert bye["cause"] == "NORMAL_TEMPORARY_FAILURE"
            await bob.bye()

            after = await ana.join(attach=attach, reattaching=attach)
            await ana.sees()
            assert after["member_id"] == before["member_id"]
            assert after["room_session_id"] == before["room_session_id"]
            assert after["room_session"]["locked"]
            assert after["room_session"]["prioritize_handraise"]
            assert after["room_session"]["meta"] == {"from": "rest", "live": 1}
            assert ana.me(after)["audio_muted"]
            hands = {member["member_id"]: member["handraised"] for member in after["room_session"]["members"]}
            assert hands == {ana.seat.member_id: False, bob.seat.member_id: True}

            again = await bob.join(attach=attach, reattaching=attach)
            assert again["member_id"] in hands.keys() - {before["member_id"]}
            me = bob.me(again)
            assert (me["deaf"], me["audio_muted"], me["requested_position"]) == (True, True, "standard-5")
            assert (await bob.seat.act("undeaf"))["code"] == "200"
            members = (await ana.seat.act("member.list"))["members"]
            assert [member["audio_muted"] for member in members] == [True, False], "it took only bob's microphone"
            assert (await ana.seat.act("unlock"))["code"] == "200"
            await until(lambda: owner(server) not in {None, lost})
            await until(lambda: not is_running(lost))


async def test_the_only_worker_starts_again_and_gives_the_seat_back(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        to = make_room(server)
        await until(lambda: figures(server))
        async with caller(server, to, invite(server, to)) as ana:
            before = await ana.join()
            await until(lambda: owner(server))
            lost = owner(server)
            assert lost is not None
            kill(lost)
            await ana.bye()
            await until(lambda: set(figures(server)) - {lost})
            after = await ana.join()
            assert after["member_id"] == before["member_id"]
            await ana.sees()


async def test_a_join_under_way_finds_another_worker(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="2") as server:
        to = make_room(server)
        await until(lambda: len(figures(server)) == 2)
        async with caller(server, to, invite(server, to)) as ana, caller(server, to, invite(server, to)) as bob:
            await ana.join()
            await until(lambda: owner(server))
            lost = owner(server)
            assert lost is not None
            kill(lost, signal.SIGSTOP)  # alive for the kernel, but deaf
            try:
                joined = await bob.join()
                assert [member["member_id"] for member in joined["room_session"]["members"]].count(joined["member_id"])
                await ana.bye()
                seat = await ana.join()
                assert len(seat["room_session"]["members"]) == 2
                kill(lost, signal.SIGCONT)
                await until(lambda: figures(server).get(lost, {}).get("rooms") == 0)
                assert bob.seat is not None
                assert (await bob.seat.act("member.list"))["code"] == "200"
                assert {event["event_type"] for event in bob.client.events} & {"member.left", "call.left"} == set()
            finally:
                kill(lost, signal.SIGCONT)
