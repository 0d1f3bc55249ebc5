"""What is not meant well, or not meant at all, is answered or cut off, and hurts nobody else."""

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from parlour.front.signalling.socket import BAD_FRAMES_MAX, BAD_TOKENS_MAX
from tests.support.signalling import Client, House

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


async def test_deep_parameters_do_no_harm(house: House) -> None:
    await house.room()
    async with house.client() as client:
        deep: Any = 1
        for _ in range(300):
            deep = {"a": deep}
        assert (await client.dial(userVariables=deep))["code"] == "422"
        text = '{"jsonrpc":"2.0","id":"d","method":"subscriber.online","params":' + '{"a":' * 3000 + "1" + "}" * 3001
        await client.send(text)
        while (await client.receive()).get("error", {}).get("code") != -32700:
            pass


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
