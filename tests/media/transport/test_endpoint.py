"""One port for everybody: strangers, forgers, rubbish, and the sockets themselves."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

import pytest
from aioice import stun as reference
from aiortc.rtp import RtpPacket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parlour.media.transport.addresses import local_addresses, to_bind, udp_sockets
from parlour.media.transport.endpoint import BATCH, MAX_LEG_BACKLOG, Endpoint
from parlour.media.transport.ice import MAX_ROUTES, STALE, Address
from parlour.media.transport.leg import Leg
from parlour.media.transport.rhythm import LEAD, Beat
from parlour.media.transport.tcp import MAX_FRAME, MIN_FRAME, PATIENCE
from tests.media.transport.peer import CHROMIUM, HOME, Peer, Sink, World, settle

STRANGER = ("203.0.113.66", 6666)


def test_a_check_is_answered_with_the_address_it_came_from() -> None:
    world = World()
    peer = Peer(world)
    assert peer.leg.ice is not None
    check = peer.check()
    world.deliver(check)
    [(data, address)] = world.carrier.sent
    answer = reference.parse_message(data)
    assert address == HOME
    assert answer.message_class == reference.Class.RESPONSE
    assert answer.transaction_id == reference.parse_message(check).transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == HOME
    assert answer.check_message_integrity(peer.leg.ice.local.password.encode())
    assert world.carrier.peers == {HOME: peer.leg}


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (lambda peer: peer.check(password="guessed"), "stun not authentic"),
        (lambda peer: peer.check(username="nobody:JGgV"), "stun for nobody"),
        (lambda peer: peer.check(username=f"{peer.leg.ice.local.ufrag}:else"), "stun for nobody"),
        (lambda peer: altered(peer.check()), "stun malformed"),
        (lambda peer: unsigned(peer), "stun not authentic"),
        (lambda peer: b"\x01\x01" + peer.check()[2:], "stun malformed"),
        (lambda peer: peer.hello()[0], "dtls from a stranger"),
        (lambda peer: b"\x80\x6f" + bytes(40), "media from a stranger"),
        (lambda peer: b"\x80\xc8" + bytes(40), "media from a stranger"),
        (lambda peer: b"\x40\x00" + bytes(40), "unknown protocol"),
        (lambda peer: b"\x10\x00" + bytes(40), "unknown protocol"),
        (lambda peer: b"\xff\xff" + bytes(40), "unknown protocol"),
        (lambda peer: b"\x80", "too short"),
        (lambda peer: b"", "too short"),
    ],
)
def test_what_proves_nothing_is_dropped_and_counted(forge: Callable[[Peer], bytes], reason: str) -> None:
    world = World()
    peer = Peer(world)
    world.deliver(forge(peer), STRANGER)
    assert world.dropped == {reason: 1}
    assert world.carrier.sent == []
    assert world.carrier.peers == {}


def altered(datagram: bytes) -> bytes:
    """The datagram with another last byte, whichever it had."""
    return datagram[:-1] + bytes([datagram[-1] ^ 1])


def unsigned(peer: Peer) -> bytes:
    assert peer.leg.ice is not None
    message = reference.Message(reference.Method.BINDING, reference.Class.REQUEST)
    message.attributes["USERNAME"] = peer.leg.ice.username
    message.add_fingerprint()
    return bytes(message)


def test_a_peer_that_thinks_it_is_controlled_is_told_otherwise() -> None:
    world = World()
    peer = Peer(world)

    def turn_round(message: reference.Message) -> None:
        del message.attributes["ICE-CONTROLLING"]
        message.attributes["ICE-CONTROLLED"] = 1

    world.deliver(peer.check(change=turn_round))
    answer = reference.parse_message(world.carrier.take()[0])
    assert answer.attributes["ERROR-CODE"] == (487, "Role Conflict")
    assert world.carrier.peers == {}


async def test_an_address_is_not_taken_from_who_lives_there() -> None:
    world = World()
    first = await Peer(world).connect()
    second = Peer(world)
    world.deliver(second.check())
    assert world.dropped == {"address in use": 1}
    assert world.carrier.take() == []
    assert world.carrier.peers == {HOME: first.leg}
    assert first.leg.connected


async def test_a_check_that_was_overheard_does_not_lead_media_away() -> None:
    world = World()
    peer = await Peer(world).connect()
    check = peer.check(nominate=True)
    world.deliver(check)
    world.deliver(check, STRANGER)
    assert world.dropped == {"stun repeated": 1}
    assert world.carrier.peers == {HOME: peer.leg}
    world.deliver(check)
    world.carrier.take()
    peer.leg.send_audio(b"mix", 0)
    assert [address for _, address in world.carrier.sent] == [HOME]


async def test_one_peer_does_not_fill_the_queue_of_handshakes() -> None:
    world = World()
    greedy, other = Peer(world), Peer(world)
    greedy.validate()
    other.validate(STRANGER)
    [hello] = greedy.hello()
    for _ in range(MAX_LEG_BACKLOG):
        world.deliver(hello)
        world.deliver(b"\x16" * 60)
    assert len(world.endpoint._handshakes) == MAX_LEG_BACKLOG
    assert greedy.leg.dropped == {"dtls backlog full": MAX_LEG_BACKLOG}
    for datagram in other.hello():
        world.deliver(datagram, STRANGER)
    for _ in range(MAX_LEG_BACKLOG + 1):
        await asyncio.sleep(0)
    assert STRANGER in {address for _, address in world.carrier.sent}
    assert world.dropped == {}
    assert not world.endpoint._shaking


async def test_the_queue_of_handshakes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.media.transport.endpoint.MAX_HANDSHAKE_BACKLOG", 3)
    world = World()
    homes: list[Address] = [("192.0.2.7", port) for port in range(1, 6)]
    for home in homes:
        peer = Peer(world)
        peer.validate(home)
        [hello] = peer.hello()
        world.deliver(hello, home)
    assert world.dropped == {"dtls backlog full": 2}
    assert len(world.endpoint._handshakes) == 3
    await settle()
    assert not world.endpoint._handshakes


async def test_an_address_goes_from_who_is_silent_to_who_proves_it() -> None:
    world = World()
    first = await Peer(world).connect()
    world.pass_time(STALE + 1)
    second = await Peer(world).connect()
    assert world.carrier.peers == {HOME: second.leg}
    assert not first.leg.connected
    assert second.leg.connected


def test_addresses_of_a_peer_are_bounded() -> None:
    world = World()
    peer = Peer(world)
    for port in range(1, 100):
        world.deliver(peer.check(), ("198.51.100.1", port))
    assert len(world.carrier.peers) == MAX_ROUTES


async def test_an_owner_that_fails_does_not_stop_the_endpoint() -> None:
    world = World()
    peer = await Peer(world).connect()

    def fail(*_: object) -> None:
        raise RuntimeError("the owner's mistake")

    peer.sink.on_audio = fail  # type: ignore[assignment,method-assign]  # that is the point
    peer.rtp(RtpPacket(111, 0, 1, 0, 5, b"x").serialize())
    assert world.dropped == {"internal error": 1}
    assert peer.leg.closed is None


def test_a_refused_offer_changes_nothing() -> None:
    world = World()
    peer = Peer(world)
    before = peer.leg.audio, peer.leg.video, peer.leg.ice
    with pytest.raises(Exception, match="neither"):
        peer.leg.answer("v=0\r\n")
    assert (peer.leg.audio, peer.leg.video, peer.leg.ice) == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.binary(max_size=120), st.integers(0, 255), st.booleans()), max_size=20), st.booleans())
async def test_arbitrary_datagrams_raise_nothing_and_leave_nothing(
    datagrams: list[tuple[bytes, int, bool]], connected: bool
) -> None:
    world = World()
    peer = Peer(world)
    if connected:
        await peer.connect()
    else:
        peer.validate()
    for data, first, known in datagrams:
        world.deliver(data, HOME if known else STRANGER)
        world.deliver(bytes([first]) + data, HOME if known else STRANGER)
        await settle()
    world.pass_time(1)
    dropped = world.endpoint.statistics().dropped
    assert "internal error" not in dropped
    assert world.carrier.peers == {HOME: peer.leg}
    assert peer.leg.closed is None
    assert len(peer.leg._receiving._sources) == 0
    assert len(world.endpoint._handshakes) == 0
    assert not peer.sink.video
    assert not peer.sink.audio


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=80)), max_size=30))
async def test_arbitrary_packets_of_a_real_peer_raise_nothing(packets: list[tuple[bool, bytes]]) -> None:
    world = World()
    peer = await Peer(world).connect()
    for number, (control, data) in enumerate(packets):
        if control:
            peer.rtcp((b"\x81" + bytes([200 + number % 8]) + data).ljust(8, b"\0"))
        else:
            head = (b"\x90", b"\xb0", b"\x80", b"\x9f")[number % 4] + (b"\x6c", b"\x6f", b"\x6d")[number % 3]
            try:
                peer.rtp((head + data).ljust(16, b"\0"))
            except Exception:  # noqa: BLE001, S112 - the client's libsrtp refuses headers that reach beyond the packet
                continue
    world.pass_time(6)
    assert "internal error" not in world.dropped
    assert peer.leg.closed is None


# -- sockets


async def udp_check(endpoint: Endpoint, host: str) -> reference.Message:
    """Check one address over a real socket."""
    leg = endpoint.open_leg(Sink())
    leg.answer(CHROMIUM)
    message = signed(leg)
    [sock] = udp_sockets([host], 0)
    loop = asyncio.get_running_loop()
    try:
        port = next(one.port for one in endpoint.candidates if not one.tcp and one.host == host)
        await loop.sock_sendto(sock, message, (host, port))
        async with asyncio.timeout(5):
            data = await loop.sock_recv(sock, 2048)
        answer = reference.parse_message(data)
        assert answer.attributes["XOR-MAPPED-ADDRESS"] == sock.getsockname()[:2]
    finally:
        sock.close()
    leg.close("done")
    return answer


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_checks_over_udp(host: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("no IPv6 here")
    async with await Endpoint.open([host]) as endpoint:
        answer = await udp_check(endpoint, host)
        assert answer.message_class == reference.Class.RESPONSE


async def test_a_busy_port_is_read_before_each_beat_and_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.media.transport.endpoint.BUSY", 60.0)  # however slow this machine is
    async with await Endpoint.open(["127.0.0.1"]) as endpoint:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", endpoint.candidates[0].port))

            async def read(count: int) -> None:
                async with asyncio.timeout(PATIENCE):
                    while endpoint.statistics().datagrams < count:  # noqa: ASYNC110 - the socket tells nobody else
                        await asyncio.sleep(0)

            beat = Beat(endpoint.clock() + 2.0, 3600.0)
            endpoint.rhythm.follow("room", beat)
            for count in (1, 2):  # the second one so soon after the first makes the port a busy one
                sender.send(b"rubbish")
                await read(count)
            for _ in range(BATCH + 2):
                sender.send(b"rubbish")
            await asyncio.sleep(0)
            assert endpoint.statistics().datagrams == 2, "nobody needs it yet"
            await read(3)
            assert endpoint.clock() >= beat.started - LEAD - 0.002
            assert endpoint.statistics().datagrams == 2 + BATCH, "everybody else gets their turn"
            await read(2 + BATCH + 2)  # what is left does not wait for the next beat


async def test_public_addresses_are_announced_in_place_of_local_ones() -> None:
    async with await Endpoint.open(["127.0.0.1"], public=["203.0.113.5", "2001:db8::5"], tcp_port=0) as endpoint:
        assert [one.host for one in endpoint.candidates] == ["203.0.113.5", "2001:db8::5"] * 2
        assert len({one.port for one in endpoint.candidates}) == 2


async def test_a_taken_port_is_an_error_and_leaves_nothing_open() -> None:
    async with await Endpoint.open(["127.0.0.1"]) as endpoint:
        port = endpoint.candidates[0].port
        with pytest.raises(OSError, match="in use"):
            await Endpoint.open(["127.0.0.1"], udp_port=port)


def test_a_wildcard_becomes_every_address_unless_others_are_announced() -> None:
    assert to_bind(["::"], announced=False) == [host for host in local_addresses() if ":" in host]
    assert to_bind(["::"], announced=True) == ["::"]
    assert to_bind(["127.0.0.1"], announced=False) == ["127.0.0.1"]


def framed(*datagrams: bytes) -> bytes:
    return b"".join(len(data).to_bytes(2, "big") + data for data in datagrams)


async def test_checks_over_tcp_in_whatever_pieces() -> None:
    async with await Endpoint.open(["127.0.0.1"], tcp_port=0) as endpoint:
        sink = Sink()
        leg = endpoint.open_leg(sink)
        leg.answer(CHROMIUM)
        check = framed(signed(leg))
        reader, writer = await asyncio.open_connection("127.0.0.1", tcp_port(endpoint))
        stream = framed(b"\xff" * MIN_FRAME) + check + check
        for at in range(0, len(stream), 7):
            writer.write(stream[at : at + 7])
            await writer.drain()
        for _ in range(2):
            length = int.from_bytes(await reader.readexactly(2), "big")
            answer = reference.parse_message(await reader.readexactly(length))
            assert answer.attributes["XOR-MAPPED-ADDRESS"] == writer.get_extra_info("sockname")
        assert leg.statistics().tcp
        leg.close("done")
        assert await reader.read() == b"", "a leg takes its connection with it"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("length", "reason"),
    [(0, "tcp frame too short"), (MIN_FRAME - 1, "tcp frame too short"), (MAX_FRAME + 1, "tcp frame too long")],
)
async def test_a_frame_of_no_sensible_length_ends_the_connection(length: int, reason: str) -> None:
    async with await Endpoint.open(["127.0.0.1"], tcp_port=0) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", tcp_port(endpoint))
        writer.write((length.to_bytes(2, "big") + bytes(length)) * 20)
        assert await rest(reader) == b""
        writer.close()
        statistics = endpoint.statistics()
        assert (statistics.connections, statistics.datagrams) == (0, 0)
        assert statistics.dropped == {reason: 1}


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlour.media.transport.endpoint.MAX_CONNECTIONS", 1)
    async with await Endpoint.open(["127.0.0.1"], tcp_port=0) as endpoint:
        _, first = await asyncio.open_connection("127.0.0.1", tcp_port(endpoint))
        reader, second = await asyncio.open_connection("127.0.0.1", tcp_port(endpoint))
        assert await rest(reader) == b""
        assert endpoint.statistics().connections == 1
        assert endpoint.statistics().dropped == {"too many connections": 1}
        first.close()
        second.close()


async def test_a_connection_that_gives_way_to_others_is_closed() -> None:
    async with await Endpoint.open(["127.0.0.1"], tcp_port=0) as endpoint:
        leg = endpoint.open_leg(Sink())
        leg.answer(CHROMIUM)
        streams = []
        for _ in range(MAX_ROUTES + 1):
            reader, writer = await asyncio.open_connection("127.0.0.1", tcp_port(endpoint))
            writer.write(framed(signed(leg)))
            await reader.readexactly(2)
            streams.append((reader, writer))
        await rest(streams[0][0])
        assert endpoint.statistics().connections == MAX_ROUTES
        for _, writer in streams:
            writer.close()


def tcp_port(endpoint: Endpoint) -> int:
    return next(one.port for one in endpoint.candidates if one.tcp)


def signed(leg: Leg) -> bytes:
    """A check that nominates nothing."""
    assert leg.ice is not None
    message = reference.Message(reference.Method.BINDING, reference.Class.REQUEST)
    message.attributes["USERNAME"] = leg.ice.username
    message.add_message_integrity(leg.ice.local.password.encode())
    return bytes(message)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side ends the connection, which it does sooner than one that is idle."""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(PATIENCE / 2):
            return await reader.read()
    return b""
