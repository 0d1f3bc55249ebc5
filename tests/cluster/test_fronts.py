"""Two servers on one bus and one database."""

from pathlib import Path

import pytest

from tests.cluster.conftest import descendants, figures, is_running, until
from tests.support.caller import caller, invite, make_room
from tests.support.nats import nats_server
from tests.support.server import serving

pytestmark = pytest.mark.slow


async def test_a_session_goes_on_at_another_front_and_survives_the_death_of_the_first(tmp_path: Path) -> None:
    with nats_server() as bus:
        shared = {
            "PARLOUR_NATS_URL": bus.url,
            "PARLOUR_DATABASE_URL": f"sqlite:///{tmp_path}/shared.sqlite3",
        }
        with serving(tmp_path / "one", **shared) as one:
            to = make_room(one)
            token = invite(one, to)
            await until(lambda: figures(one))
            async with caller(one, to, token) as ana:
                before = await ana.join()
                assert ana.seat is not None
                await ana.client.event("signalwire.authorization.state")
                await ana.seat.act("meta.set", meta={"live": 1})
                with serving(tmp_path / "two", **shared) as two:
                    await until(lambda: len(figures(two)) == 2)
                    await ana.client.websocket.close()
                    again = {"protocol": ana.client.protocol, "authorization_state": ana.client.state}
                    async with caller(two, to, token, **again) as back:
                        seat = ana.seat.of(back.client)
                        assert (await seat.act("raisehand"))["code"] == "200"
                        await back.client.event("member.updated")
                        await ana.sees()

                        below = descendants(one.process.pid)
                        one.kill()
                        await back.bye()
                        after = await back.join()
                        assert after["member_id"] == before["member_id"]
                        assert after["room_session_id"] == before["room_session_id"]
                        assert back.me(after)["handraised"]
                        assert after["room_session"]["meta"] == {"live": 1}
                        await back.sees()
                        await until(lambda: not [pid for pid in below if is_running(pid)])


async def test_what_is_changed_at_one_front_is_told_to_the_room_of_another(tmp_path: Path) -> None:
    with nats_server() as bus:
        shared = {"PARLOUR_NATS_URL": bus.url, "PARLOUR_DATABASE_URL": f"sqlite:///{tmp_path}/shared.sqlite3"}
        with (
            serving(tmp_path / "one", **shared) as one,
            serving(tmp_path / "two", **shared) as two,
        ):
            to = make_room(one)
            await until(lambda: len(figures(two)) == 2)
            async with caller(one, to, invite(one, to)) as ana:
                await ana.join()
                with two.client() as api:
                    path = "/api/fabric/resources/conference_rooms"
                    room = api.get(path).json()["data"][0]["id"]
                    meta = {"a": 1}
                    assert api.put(f"{path}/{room}", json={"meta": meta}).status_code == 200
                    assert (await ana.client.event("call.updated"))["room_session"]["meta"] == meta
                    assert api.delete(f"{path}/{room}").status_code == 204
                assert (await ana.client.event("call.left"))["reason"] == "the room was deleted"
