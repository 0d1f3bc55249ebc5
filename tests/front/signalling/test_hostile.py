"""What is not meant well, or not meant at all, is answered or cut off, and hurts nobody else."""

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from parlour.domain.live.commands import Act, Join, Refused
from parlour.front.signalling import dispatch, socket
from parlour.front.signalling.frames import Request
from parlour.front.signalling.session import Dialogue
from parlour.front.signalling.socket import BAD_FRAMES_MAX, BAD_TOKENS_MAX
from parlour.front.signalling.switchboard import Switchboard
from parlour.front.signalling.verto import Answer
from parlour.store import sessions
from parlour.store.database import Database
from parlour.store.paging import Position
from tests.store.entries import Story
from tests.support.fake_rooms import SDP
from tests.support.signalling import Client, House, open_socket
from tests.support.waiting import until

NOTHINGS: list[Any] = [None, [], "", "text", 7, 1.5, True, {}, {"a": []}]


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "7", "{", '{"a":1}', "null", "[" * 5000])
async def test_what_is_no_request_is_answered_with_an_error(house: House, text: str) -> None:
    async with house.client() as client:
        await client.send(text)
        assert (await client.receive())["error"]["code"] in {-32700, -32600}
        assert (await client.call("subscriber.online", {}))["result"]["code"] == "200"


@pytest.mark.parametrize("id_", [None, {}, [], True, 1.5, "", "x" * 200])
async def test_an_id_that_is_none_is_refused(house: House, id_: Any) -> None:
    async with house.client() as client:
        await client.send({"jsonrpc": "2.0", "id": id_, "method": "subscriber.online", "params": {}})
        assert (await client.receive())["error"]["code"] == -32600


async def test_unknown_methods_are_answered(house: House) -> None:
    async with house.client() as client:
        assert (await client.call("no.such.method", {}))["error"]["code"] == -32601
        assert (await client.call("call.no.such", {}))["result"]["code"] == "422"
        assert (await client.verto("verto.nonsense", {}))["code"] == "404"


@pytest.mark.parametrize("nothing", NOTHINGS)
async def test_parameters_of_wrong_types_never_fail_inside(house: House, nothing: Any) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        for field in ("callID", "destination_number", "userVariables", "attach", "screenShare"):
            await client.dial(**{field: nothing})
        await client.dial(sdp=nothing)
        for method in ("verto.invite", "verto.modify", "verto.bye", "verto.info", "verto.attach"):
            await client.verto(method, nothing)
            await client.verto(method, {"dialogParams": nothing})
            await client.verto(method, {"dialogParams": {"callID": seat.call_id}, "action": nothing, "sdp": nothing})
        for method in ("call.member.list", "call.layout.list"):
            for name in ("self", "target", "targets", "positions"):
                await client.call(method, {"self": seat.me(), name: nothing})
        await client.call("webrtc.verto", {"message": nothing})
        await client.call("webrtc.verto", nothing)
        await client.call("signalwire.reauthenticate", {"authentication": nothing})
        await client.call("video.member.audio_mute", {"member_id": nothing})
    assert house.board.counts.failures == 0


async def test_requests_before_the_connect_are_refused(house: House) -> None:
    async with connect(house.url) as websocket:
        client = Client(websocket)
        assert (await client.verto("verto.invite", {}))["error"]["code"] == -32002
    assert not house.rooms.asked


@pytest.mark.parametrize("token", ["", "x", "a.b.c.d.e", "x" * 20_000, None, 7])
async def test_a_bad_token_is_refused(house: House, token: Any) -> None:
    async with connect(house.url) as websocket:
        client = Client(websocket)
        answer = await client.call("signalwire.connect", {"authentication": {"jwt_token": token}})
        assert answer["error"]["code"] == -32002


async def test_an_expired_token_is_refused(house: House) -> None:
    token = await house.token(expires_at=1)
    async with connect(house.url) as websocket:
        answer = await Client(websocket).call("signalwire.connect", {"authentication": {"jwt_token": token}})
        assert answer["error"]["code"] == -32002
        assert "expired" in answer["error"]["message"]


async def test_whoever_guesses_tokens_is_cut_off(house: House) -> None:
    async with connect(house.url) as websocket:
        client = Client(websocket)
        for _ in range(BAD_TOKENS_MAX):
            await client.call("signalwire.connect", {"authentication": {"jwt_token": "guess"}})
        await websocket.wait_closed()
        assert websocket.close_code == 1008


async def test_whoever_sends_nonsense_only_is_cut_off(house: House) -> None:
    async with house.client() as client:
        for _ in range(BAD_FRAMES_MAX):
            await client.send("nonsense")
        for _ in range(BAD_FRAMES_MAX):
            await client.receive()
        await client.websocket.wait_closed()
        assert client.websocket.close_code == 1008


async def test_a_frame_of_a_megabyte_ends_the_connection(house: House) -> None:
    async with house.client() as client:
        with pytest.raises(ConnectionClosed):
            await client.dial(sdp="v=0\r\n" + "a" * 1_000_000)
        assert client.websocket.close_code == 1009
    await until(lambda: house.board.counts.frames_too_large == 1)


async def test_a_description_that_is_too_long_is_refused(house: House) -> None:
    await house.room()
    async with house.client() as client:
        assert (await client.dial(sdp="v=0\r\n" + "a" * 70_000))["code"] == "422"
        assert (await client.dial(userVariables={"x": "a" * 10_000}))["code"] == "422"


async def test_binary_frames_end_the_connection(house: House) -> None:
    async with house.client() as client:
        await client.send(b"\x00")
        await client.websocket.wait_closed()
        assert client.websocket.close_code == 1003
    assert house.board.counts.frames_binary == 1


async def test_whoever_does_not_say_who_is_there_is_cut_off(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "HELLO_S", 0.05)
    async with open_socket(house.url) as websocket:
        await websocket.wait_closed()
        assert websocket.close_code == 1008
    assert house.board.counts.silent == 1


async def test_a_socket_has_one_session(house: House) -> None:
    async with house.client() as client:
        again = {"authentication": {"jwt_token": await house.token()}}
        assert (await client.call("signalwire.connect", again))["error"]["code"] == -32600
        assert (await client.call("subscriber.online", {}))["result"]["code"] == "200"
    assert house.board.statistics()["sessions"] == 1


@pytest.mark.parametrize("sdp", ["nonsense", "v=0\r\nnonsense"], ids=["here", "in the room"])
async def test_a_description_that_is_none_is_counted(house: House, sdp: str) -> None:
    await house.room()
    async with house.client() as client:
        house.rooms.refusal = Refused(422, "bad_offer", "The offer cannot be taken: no media")
        refused = await client.dial(sdp=sdp)
        assert (refused["code"], refused["reason"]) == ("422", "bad_offer")
    assert house.board.counts.offers_malformed == 1
    figures = (await house.api.get("/metrics")).text
    for name in ("frames_too_large", "frames_binary", "silent", "offers_malformed"):
        assert f'parlour_signalling{{figure="{name}"}}' in figures


@pytest.mark.parametrize("levels", [300, 1000])
async def test_deep_parameters_are_answered(house: House, levels: int) -> None:
    async with house.client() as client:
        deep = '{"a":' * levels + "1" + "}" * levels
        await client.send(f'{{"jsonrpc":"2.0","id":"d","method":"signalwire.ping","params":{{"timestamp":{deep}}}}}')
        answer = await client.answer("d")
        assert answer["error"] == {"code": -32600, "message": "Invalid Request: the params nest too deep"}
        assert (await client.call("signalwire.ping", {"timestamp": 1.5}))["result"] == {"timestamp": 1.5}
        await client.send(deep * 3)
        assert (await client.receive())["error"]["code"] == -32700


@pytest.mark.parametrize("levels", [250, 252])
async def test_parameters_as_deep_as_may_be_are_said_back(house: House, levels: int) -> None:
    async with house.client() as client:
        deep: Any = 1
        for _ in range(levels):
            deep = {"a": deep}
        assert (await client.call("signalwire.ping", {"timestamp": deep}))["result"] == {"timestamp": deep}


async def test_an_answer_that_cannot_be_written_is_answered_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.client() as client:
        with monkeypatch.context() as patch:
            patch.setattr(dispatch, "_METHODS", {"subscriber.online": unwritable})
            for _ in range(2):  # nobody waits for the first one
                assert (await client.call("subscriber.online", {}, "same"))["error"]["code"] == -32603
        assert (await client.call("subscriber.online", {}, "same"))["result"]["code"] == "200"


async def unwritable(_board: Switchboard, _dialogue: Dialogue, _request: Request) -> Answer:
    """Answer with what JSON has no words for."""
    return Answer({"what": object()})


async def test_what_is_answered_at_length_is_not_all_remembered(house: House) -> None:
    async with house.client() as client:
        (dialogue,) = house.board._dialogues.values()
        for number in range(40):
            await client.call("signalwire.ping", {"timestamp": "x" * 100_000}, str(number))
        kept = [found for number in range(40) if (found := await dialogue.answers.find(str(number)))]
        assert len(kept) == 2
        assert (await client.call("signalwire.ping", {}, "39"))["result"]["timestamp"], "it is said again"


@pytest.mark.parametrize("name", ["a\0b", "a\x1b\x9fb", " a \n\0 b "])
async def test_a_name_has_no_control_characters(house: House, name: str) -> None:
    await house.room()
    async with house.client(await house.token("")) as client:
        assert (await client.dial(userVariables={"display_name": name}))["code"] == "200"
    assert [command.name for command in house.rooms.asked if isinstance(command, Join)] == ["a b"]


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_whoever_has_a_nul_in_the_name_is_written_down(house: House, database: Database) -> None:
    await house.room()
    async with house.client(await house.token("")) as client:
        assert (await client.dial(userVariables={"display_name": "a\0b"}))["code"] == "200"
    (name,) = [command.name for command in house.rooms.asked if isinstance(command, Join)]
    story = Story()
    entries = (story.started(), story.joined(2, 0.0, name))
    await database.transact(lambda connection: sessions.keep(connection, entries))
    members = await database.run(lambda connection: sessions.members(connection, story.id, Position(), 10))
    assert [member.name for member in members.items] == ["a b"]


@pytest.mark.parametrize(
    "parameters",
    [{"layout": "\0"}, {"positions": {"self": "\0"}}, {"positions": {"\0": "off-canvas"}}],
    ids=["layout", "position", "member"],
)
async def test_an_invite_with_nul_is_refused(house: House, parameters: Any) -> None:
    await house.room()
    async with house.client() as client:
        dialog = {"dialogParams": {"callID": "c1", "destination_number": "/public/coffee_cafe"}, "sdp": SDP}
        assert (await client.verto("verto.invite", {**dialog, **parameters}))["code"] == "422"
    assert not house.rooms.asked


async def test_acts_with_nul_are_refused(house: House) -> None:
    await house.room()
    async with house.client() as client:
        seat = await client.join()
        where = [{"target": seat.me(), "position": "\0"}]
        moved = await client.call("call.member.position.set", {"self": seat.me(), "targets": where})
        louder = await client.call("video.member.set_input_volume", {"member_id": seat.member_id, "volume": "\0"})
        assert (moved["result"]["code"], louder["result"]["code"]) == ("422", "422")
    assert not any(isinstance(command, Act) for command in house.rooms.asked)


async def test_a_client_that_does_not_read_is_let_go(house: House) -> None:
    room_id = await house.room()
    async with house.client() as reader, house.client() as sloth:
        seat = await reader.join()
        await sloth.join()
        sloth.websocket.transport.pause_reading()
        big = {"x": "y" * 60_000}
        for _ in range(300):
            house.rooms._change(room_id, seat.member_id, "meta", big)
            await reader.event("member.updated")
            if house.board.counts.slow:
                break
        assert house.board.counts.slow == 1
        assert (await seat.act("raisehand"))["code"] == "200"
        sloth.websocket.transport.abort()


async def test_one_session_has_so_many_calls_and_no_more(house: House) -> None:
    await house.room()
    async with house.client() as client:
        codes = [(await client.dial())["code"] for _ in range(9)]
        assert codes == ["200"] * 8 + ["409"]
