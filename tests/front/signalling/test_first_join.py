"""A whole join, frame by frame, and the end of it."""

from tests.support.signalling import House


async def test_the_frames_of_a_first_join_come_in_order(house: House) -> None:
    room_id = await house.room()
    async with house.client() as client:
        assert client.welcome["authorization"]["jti"] == client.protocol.split("_")[1]
        assert client.welcome["ice_servers"] == []
        result = await client.dial(call_id="call-1")
        assert result["code"] == "200"
        assert result["node_id"]
        created = result["result"]["result"]
        assert created["message"] == "CALL CREATED"
        assert created["callID"] == "call-1"
        joined = await client.event("call.joined")
        await client.event("layout.changed")
        kinds = [event["event_type"] for event in client.events]
        assert kinds == ["signalwire.authorization.state", "webrtc.message", "call.joined", "layout.changed"]
        answer = client.events[1]["params"]
        assert answer["method"] == "verto.answer"
        assert answer["params"]["callID"] == "call-1"
        assert joined["call_id"] == joined["origin_call_id"] == "call-1"
        assert joined["member_id"] == created["memberID"]
        assert [member["member_id"] for member in joined["room_session"]["members"]] == [created["memberID"]]
        assert joined["room_id"] == str(room_id)
        message = {"jsonrpc": "2.0", "id": answer["id"], "result": {"method": "verto.answer"}}
        assert (await client.call("webrtc.verto", {"message": message}))["result"]["code"] == "200"
