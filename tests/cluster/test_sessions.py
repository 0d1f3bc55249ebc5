"""Sessions of real people with real processes: nothing of them is lost, whatever ends in between."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.cluster.conftest import descendants, figures, is_running, kill, owner, until
from tests.support.caller import Caller, caller, invite, make_room
from tests.support.nats import nats_server
from tests.support.server import RunningServer, serving
from tests.support.signalling import Json

pytestmark = pytest.mark.slow

SESSIONS = "/api/video/room_sessions"
REDELIVERED_S = 40
"""How long an entry may take that a front had in hand when it was killed."""
ENDED_S = 120
"""How long a session may take to be ended of which nothing is left, with seats that are kept for 5 seconds."""


def listed(server: RunningServer, path: str = SESSIONS, **query: str) -> list[Json]:
    """What a list of the API holds."""
    with server.client() as api:
        found: list[Json] = api.get(path, params={"page_size": "1000", **query}).raise_for_status().json()["data"]
    return found


def happened(server: RunningServer, session: str) -> Counter[tuple[str, str]]:
    """How often what happened in a session, with the member it was about."""
    events = listed(server, f"{SESSIONS}/{session}/events")
    return Counter((event["name"], event.get("room_participant_id", "")) for event in events)


def stays(server: RunningServer, session: str) -> dict[str, bool]:
    """Whose stay in a session is over, by member."""
    members = listed(server, f"{SESSIONS}/{session}/members")
    assert len({member["id"] for member in members}) == len(members)
    return {member["id"]: member["leave_time"] is not None for member in members}


def told(server: RunningServer, figure: str) -> float:
    """A figure that the server gives of what it does."""
    with server.client() as api:
        lines = api.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(figure))


async def state_of(one: Caller) -> Json:
    """With what somebody who has just joined takes up the session again elsewhere."""
    await one.client.event("signalwire.authorization.state")
    return {"protocol": one.client.protocol, "authorization_state": one.client.state}


async def test_a_session_from_its_first_to_its_last(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        to = make_room(server, enable_room_previews=True, max_members=5)
        await until(lambda: figures(server))
        async with caller(server, to, invite(server, to)) as ana:
            joined = await ana.join()
            assert ana.seat is not None
            await until(lambda: listed(server))
            (session,) = listed(server)
            assert session["id"] == joined["room_session_id"]
            assert session["room_id"] == joined["room_id"]
            assert (session["status"], session["max_members"], session["name"]) == ("in-progress", 5, "coffee")
            url = f"{server.origin}{SESSIONS}/{session['id']}/preview/"
            assert session["preview_url"].startswith(url)
            assert joined["room_session"]["preview_url"] == session["preview_url"]
            await ana.seat.act("lock")
            await ana.seat.act("mute", channels=["audio"])
            await until(lambda: listed(server)[0]["locked"])
            await ana.seat.act("member.remove")
        await until(lambda: listed(server, status="completed"))
        (session,) = listed(server)
        assert session["end_time"]
        assert session["preview_url"] is None
        (member,) = listed(server, f"{SESSIONS}/{session['id']}/members")
        assert member["id"] == joined["member_id"]
        assert member["leave_time"] == session["end_time"]
        me = joined["member_id"]
        assert happened(server, session["id"]) == Counter(
            [("room.started", ""), ("room.updated", ""), ("room.ended", "")]
            + [(f"member.{what}", me) for what in ("joined", "updated", "left")]
        )
        assert told(server, 'parlour_keeper{figure="kept"}') == 6
        assert told(server, 'parlour_bus{figure="journal_kept"}') == 6
        for figure in ('parlour_keeper{figure="lost"}', 'parlour_reaper{figure="missing"}'):
            assert told(server, figure) == 0


async def test_a_session_whose_worker_is_killed_goes_on_as_the_same_one(tmp_path: Path) -> None:
    with serving(tmp_path, PARLOUR_WORKERS="2") as server:
        to = make_room(server)
        await until(lambda: len(figures(server)) == 2)
        async with caller(server, to, invite(server, to)) as ana, caller(server, to, invite(server, to)) as bob:
            joined = await ana.join()
            await until(lambda: owner(server))
            lost = owner(server)
            assert lost is not None
            seat = await bob.join()
            kill(lost)  # just after bob has been told that he is in
            await ana.bye()
            await bob.bye()
            assert (await ana.join())["room_session_id"] == joined["room_session_id"]
            assert (await bob.join())["member_id"] == seat["member_id"]
            assert ana.seat is not None
            assert bob.seat is not None
            await bob.seat.act("mute", channels=["audio"])
            await bob.seat.act("member.remove")
            await ana.seat.act("member.remove")
        await until(lambda: listed(server, status="completed"))
        (session,) = listed(server)
        assert session["id"] == joined["room_session_id"]
        people = joined["member_id"], seat["member_id"]
        assert stays(server, session["id"]) == dict.fromkeys(people, True)
        assert happened(server, session["id"]) == Counter(
            [("room.started", ""), ("room.ended", ""), ("member.updated", people[1])]
            + [(f"member.{what}", who) for who in people for what in ("joined", "left")]
        )


async def test_a_session_whose_front_is_killed_is_written_down_by_another(tmp_path: Path) -> None:
    with nats_server() as bus:
        shared = {
            "PARLOUR_NATS_URL": bus.url,
            "PARLOUR_DATABASE_URL": f"sqlite:///{tmp_path}/shared.sqlite3",
        }
        with serving(tmp_path / "one", **shared) as one, serving(tmp_path / "two", **shared) as two:
            to = make_room(one)
            token = invite(one, to)
            await until(lambda: len(figures(one)) == 2)
            below = descendants(one.process.pid)
            (beside,) = below.keys() & figures(one).keys()
            kill(beside, signal.SIGSTOP)  # so that the room lives at the other one's
            await until(lambda: len(figures(one)) == 1)
            async with caller(one, to, token) as ana:
                joined = await ana.join()
                session = joined["room_session_id"]
                again = await state_of(ana)
                assert ana.seat is not None
                await ana.seat.act("raisehand")
                await ana.seat.act("lock")
                one.kill()
                kill(beside)  # it would end by itself, were it not stopped
                async with caller(two, to, token, **again) as back:
                    seat = ana.seat.of(back.client)
                    await seat.act("lowerhand")
                    await seat.act("unlock")
                    await seat.act("member.remove")
            await until(lambda: not [pid for pid in below if is_running(pid)])
            me = joined["member_id"]
            expected = Counter(
                [("room.started", ""), ("room.ended", "")]
                + [("room.updated", ""), ("member.updated", me)] * 2
                + [(f"member.{what}", me) for what in ("joined", "left")]
            )
            await until(lambda: happened(two, session) >= expected, REDELIVERED_S)
            assert happened(two, session) == expected
            assert stays(two, session) == {me: True}
            assert [(one["id"], one["status"]) for one in listed(two)] == [(session, "completed")]


async def test_a_session_whose_server_is_killed_ends_with_those_who_come_back(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        to = make_room(server)
        token = invite(server, to)
        await until(lambda: figures(server))
        async with caller(server, to, token) as ana:
            joined = await ana.join()
            again = await state_of(ana)
            assert ana.seat is not None
            await ana.seat.act("raisehand")
            await until(lambda: ("member.updated", joined["member_id"]) in happened(server, joined["room_session_id"]))
            below = descendants(server.process.pid)
            server.kill()
            await until(lambda: not [pid for pid in below if is_running(pid)])
    with serving(tmp_path) as server:
        await until(lambda: figures(server))
        async with caller(server, to, token, **again) as ana:
            await ana.bye()
            after = await ana.join()
            assert (after["room_session_id"], after["member_id"]) == (joined["room_session_id"], joined["member_id"])
            assert ana.seat is not None
            await ana.seat.act("member.remove")
        await until(lambda: listed(server, status="completed"))
        me = joined["member_id"]
        assert happened(server, joined["room_session_id"]) == Counter(
            [("room.started", ""), ("room.ended", "")]
            + [(f"member.{what}", me) for what in ("joined", "updated", "left")]
        )
        assert stays(server, joined["room_session_id"]) == {me: True}


async def test_a_session_whose_server_is_killed_ends_though_nobody_comes_back(tmp_path: Path) -> None:
    settings = {"PARLOUR_SEAT_GRACE": "5"}
    with serving(tmp_path, **settings) as server:
        to = make_room(server)
        await until(lambda: figures(server))
        async with caller(server, to, invite(server, to)) as ana, caller(server, to, invite(server, to)) as bob:
            joined = await ana.join()
            seat = await bob.join()
            session = joined["room_session_id"]
            server.kill()  # just after bob has been told that he is in
    with serving(tmp_path, **settings) as server:
        await until(lambda: listed(server, status="completed"), ENDED_S)
        people = joined["member_id"], seat["member_id"]
        assert [one["id"] for one in listed(server)] == [session]
        assert stays(server, session) == dict.fromkeys(people, True)
        found = happened(server, session)
        assert found["room.started", ""] == 1
        assert all(found["member.joined", who] == 1 for who in people)
        assert set(found.values()) == {1}
        (ended,) = listed(server)
        last = max(event["created_at"] for event in listed(server, f"{SESSIONS}/{session}/events"))
        assert ended["end_time"] == last, "it ended when it was last heard of"
        assert told(server, 'parlour_reaper{figure="ended"}') == 1
