"""Whoever may record a room learns from its page which recording goes on; nobody else does."""

from uuid import UUID, uuid4

import httpx

from parlour.domain.live.recording import RecordingStatus
from parlour.front.front import utc_now
from parlour.front.tickets import Tickets
from parlour.store.database import Database
from tests.front.test_join_tokens import bearer
from tests.front.test_recordings import ticket
from tests.front.test_rooms import create
from tests.store.entries import Story, an_id
from tests.store.test_sessions import keep


async def test_the_recording_that_goes_on_is_told_to_whoever_may_record(
    api: httpx.AsyncClient, database: Database
) -> None:
    room = await create(api)
    (address,) = (await api.get(f"/api/fabric/resources/conference_rooms/{room['id']}/addresses")).json()["data"]
    story = Story()
    story.room_id = UUID(room["conference_room"]["id"])
    path = f"/rooms/{address['name']}/sessions/{story.id}/recording"
    tickets = Tickets(database, utc_now)
    opened = frozenset({UUID(address["id"])})
    auth = bearer(await tickets.mint(ticket(moderator=True, addresses=opened)))

    async def told() -> tuple[int, bytes]:
        answer = await api.get(path, auth=auth)
        assert answer.headers["cache-control"] == "no-store"
        return answer.status_code, answer.content

    assert await told() == (204, b""), "the session is on its way to the database"
    await keep(database, story.started())
    assert await told() == (204, b"")
    for number, status, end in ((5, RecordingStatus.RECORDING, 2.0), (6, RecordingStatus.PAUSED, 4.0)):
        live = story.recording(number, end - 1, status=status)
        await keep(database, story.recorded(live, end - 1))
        assert (await api.get(path, auth=auth)).json() == {"id": str(an_id(number)), "status": status.value}
        done = story.recording(number, end - 1, status=RecordingStatus.PROCESSING)
        await keep(database, story.recorded(done, end))
        assert await told() == (204, b"")

    guest, stray = ticket(addresses=opened), ticket(moderator=True, addresses=frozenset({uuid4()}))
    for token, status_code in (("nonsense", 401), (await tickets.mint(guest), 401), (await tickets.mint(stray), 404)):
        assert (await api.get(path, auth=bearer(token))).status_code == status_code


async def test_a_session_of_another_room_is_none_of_this_one(api: httpx.AsyncClient, database: Database) -> None:
    room = await create(api)
    name = (await api.get(f"/api/fabric/resources/conference_rooms/{room['id']}/addresses")).json()["data"][0]["name"]
    story = Story()
    await keep(database, story.started(), story.recorded(story.recording(5), 1.0))
    auth = bearer(await Tickets(database, utc_now).mint(ticket(moderator=True)))
    for session in (story.id, "me"):
        assert (await api.get(f"/rooms/{name}/sessions/{session}/recording", auth=auth)).status_code == 404
