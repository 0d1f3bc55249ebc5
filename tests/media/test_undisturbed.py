"""Two talk in a room of a running server. Whatever a third one sends, they notice nothing, and it is counted."""

import asyncio
import contextlib
import json
import random
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from uuid import uuid4

import pylibsrtp
import pytest
import pytest_asyncio
from aioice import stun as reference
from aiortc.rtp import RtcpByePacket, RtcpReceiverInfo
from OpenSSL import SSL
from websockets.exceptions import ConnectionClosed

from parlour.loadtest.description import AUDIO, RTX, VIDEO
from parlour.media.transport import rtcp, rtp
from parlour.media.transport.srtp import Srtp
from parlour.media.transport.tcp import MAX_FRAME
from parlour.media.video import h264
from parlour.media.video.codec import VideoCodec
from tests.cluster.conftest import figures, until
from tests.support.caller import invite, make_room
from tests.support.conversation import Conversation, Scene, conversation
from tests.support.lean import Lean, connected, content, lean
from tests.support.media import Content
from tests.support.server import RunningServer, serving

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

HOSTILE = Path(__file__).parent / "hostile"
JOINS = 50
SEED = 20_260


@dataclass(frozen=True)
class Place:
    """A server with a room in which two talk."""

    server: RunningServer
    talk: Conversation
    to: str
    token: str

    @contextlib.asynccontextmanager
    async def third(self, codec: VideoCodec = VideoCodec.H264, **dialog: object) -> AsyncIterator[Lean]:
        """Somebody else in the room, who is gone afterwards."""
        async with lean(self.server.port, self.to, self.token, codec) as someone:
            await someone.enter(**dialog)
            try:
                yield someone
            finally:
                with contextlib.suppress(ConnectionClosed):
                    await someone.leave()

    @contextlib.asynccontextmanager
    async def counts(self, *names: str, by: float = 1) -> AsyncIterator[None]:
        """Each of these figures of the worker's grows during the block or is told soon after it."""
        before = self.figures()
        yield
        now: dict[str, float] = {}

        def grown() -> bool:
            now.update(self.figures())
            return all(now.get(name, 0) >= before.get(name, 0) + by for name in names)

        with contextlib.suppress(TimeoutError):
            await until(grown)
        assert {name for name in names if now.get(name, 0) < before.get(name, 0) + by} == set(), now
        assert now.get("dropped_internal_error", 0) == 0

    def figures(self) -> dict[str, float]:
        """What the worker says of itself."""
        (found,) = figures(self.server).values()
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """The place of all of these tests."""
    settings = {"PARLOUR_MEDIA_HOST": "127.0.0.1", "PARLOUR_ICE_TCP_PORT": str(free_port())}
    with serving(tmp_path_factory.mktemp("live"), **settings) as server:
        to = make_room(server, max_members=100)
        token = invite(server, to)
        async with conversation(Scene(server.port, to, token)) as talk:
            yield Place(server, talk, to, token)
        assert "Traceback" not in server.log.read_text(), "nothing failed inside"


def free_port() -> int:
    """A TCP port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@cache
def film(codec: VideoCodec, people: int = 4) -> Content:
    """A camera; it starts over with a keyframe when it is asked for one."""
    return content(codec, people)


def shown(codec: VideoCodec, *pictures: list[bytes]) -> Content:
    """A camera that sends nothing but these pictures, each a list of payloads."""
    whole = film(codec)
    return replace(whole, film=replace(whole.film, payloads=list(pictures)))


# -- from nowhere


def check(of: Lean, *, password: str | None = None, username: str | None = None) -> bytes:
    """A connectivity check with which somebody claims the address that it comes from."""
    theirs, ours = of.media._theirs, of.media._ours
    assert theirs is not None
    message = reference.Message(reference.Method.BINDING, reference.Class.REQUEST)
    message.attributes["USERNAME"] = username or f"{theirs.credentials.ufrag}:{ours.ufrag}"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = secrets.randbits(64)
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity((password or theirs.credentials.password).encode())
    message.add_fingerprint()
    return bytes(message)


def cut(datagram: bytes) -> Iterator[bytes]:
    """Every beginning of a datagram."""
    return (datagram[:length] for length in range(len(datagram)))


def flipped(datagram: bytes, every: int = 3) -> Iterator[bytes]:
    """The datagram with one byte wrong."""
    for at in range(0, len(datagram), every):
        yield datagram[:at] + bytes([datagram[at] ^ 0x55]) + datagram[at + 1 :]


def noise(count: int) -> Iterator[bytes]:
    """Random bytes behind each first byte that means something."""
    chance = random.Random(SEED)  # noqa: S311 - made up on purpose
    firsts = [0, 1, 3, 4, 19, 20, 22, 23, 63, 64, 127, 128, 129, 144, 160, 176, 191, 192, 255]
    for number in range(count):
        yield bytes([firsts[number % len(firsts)]]) + chance.randbytes(chance.randrange(1500))


def forged() -> Iterator[bytes]:
    """RTP, RTCP and DTLS as anybody can write them who has no keys."""
    for kind in (AUDIO, VIDEO, VIDEO | rtp.MARKER, RTX, 200, 201, 205, 206, 203):
        for ssrc in (0, 1, 0xFFFFFFFF):
            yield rtp.HEADER.pack(rtp.VERSION, kind & 0xFF, 1, 1, ssrc) + bytes(80)
    for kind, epoch, body in (
        (21, 0, b"\x02\x28"), (21, 0, b"\x01\x00"), (21, 1, bytes(26)), (22, 0, b"\x01" + bytes(80)),
        (22, 1, bytes(60)), (20, 0, b"\x01"), (23, 1, bytes(60)), (24, 1, bytes(19)), (22, 0, b""),
    ):  # fmt: skip
        for version in (0xFEFD, 0xFEFF, 0x0303):
            record = bytes([kind]) + version.to_bytes(2) + epoch.to_bytes(2) + (7).to_bytes(6)
            yield record + len(body).to_bytes(2) + body
            yield record + (len(body) + 1).to_bytes(2) + body


async def sent_by(peer: Lean, datagrams: Iterable[bytes]) -> None:
    """Send from the peer's own address, a few at a time so that none is lost in the sockets."""
    for number, datagram in enumerate(datagrams):
        if datagram:
            with contextlib.suppress(OSError):
                peer.media.put(datagram)
        if number % 50 == 49:
            await asyncio.sleep(0.01)


async def test_strangers_are_not_heard(place: Place) -> None:
    names = [
        "too_short", "unknown_protocol", "stun_malformed", "stun_for_nobody", "stun_not_authentic",
        "dtls_from_a_stranger", "media_from_a_stranger",
    ]  # fmt: skip
    async with place.third() as third, place.counts(*(f"dropped_{name}" for name in names)), place.talk.undisturbed():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            assert third.media.socket is not None
            stranger.connect(third.media.socket.getpeername())
            valid = check(third)
            wrong = check(third, password="guessed")
            nobody = check(third, username="nobody:here")
            for number, datagram in enumerate([*noise(1000), *forged(), *cut(valid), *flipped(valid), wrong, nobody]):
                stranger.send(datagram)
                if number % 50 == 49:
                    await asyncio.sleep(0.01)


async def test_rubbish_on_tcp_is_not_heard(place: Place) -> None:
    async with place.third() as third, place.counts("dropped_stun_malformed"), place.talk.undisturbed():
        port = next(int(line.split()[5]) for line in third.answer.split("\r\n") if line.startswith("a=candidate:tcp"))
        valid = check(third)
        for text in (
            b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff", (MAX_FRAME + 1).to_bytes(2), b"\x00", bytes(4000),
            len(valid).to_bytes(2) + valid[:-1] + b"\0", len(valid).to_bytes(2) + valid + b"\xff\xff\xff\xff",
            *(len(one).to_bytes(2) + one for one in forged()),
        ):  # fmt: skip
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(text)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            writer.close()


async def test_nobody_speaks_in_the_name_of_one_of_the_two(place: Place) -> None:
    names = ["calls_dropped_srtp_forged", "calls_dropped_dtls_malformed", "dropped_stun_not_authentic"]
    async with place.third() as third, place.counts(*names), place.talk.undisturbed():
        await place.talk.spoof(*noise(400), *forged(), *flipped(check(third)), check(third, password="guessed"))


async def test_nobody_takes_the_address_of_one_of_the_two(place: Place) -> None:
    async with place.third() as third, place.counts("dropped_address_in_use", by=20), place.talk.undisturbed():
        for _ in range(20):
            await place.talk.spoof(check(third))
            await asyncio.sleep(0.1)


# -- from within


def malformed() -> Iterator[bytes]:
    """RTP packets that are not what they say."""
    for number, (first, rest) in enumerate((
        (0x8F, b""),  # fifteen sources that are not there
        (0xBF, bytes(40)),  # and padding and an extension
        (0x90, b""),  # an extension that is not there
        (0x90, b"\xbe\xde\xff\xff" + bytes(40)),  # one longer than the packet
        (0x90, b"\xbe\xde\x00\x01\x3f\x00\x00\x00"),  # an element longer than the extension
        (0xA0, b"\xff"),  # more padding than packet
        (0xA0, b"\x00"),  # padding of no length
        (0x40, bytes(40)),  # version 1
        (0x80, b""),  # nothing
    )):  # fmt: skip
        yield bytes([first]) + rtp.HEADER.pack(0, VIDEO, number, 7, 76)[1:] + rest
    for kind in (AUDIO, VIDEO, VIDEO | rtp.MARKER, RTX, 0, 72, 96, 127):
        for body in (b"\x00", b"\xff" * 3, bytes(1100), b"\x7c\x85", b"\x7c\x45" + bytes(300), b"\x18\xff\xff\x00"):
            yield rtp.HEADER.pack(rtp.VERSION, kind, secrets.randbits(16), secrets.randbits(32), 77) + body
    for number in range(200):  # a source each
        yield rtp.HEADER.pack(rtp.VERSION, VIDEO if number % 2 else AUDIO, number, number, number + 1000) + bytes(30)
    for number in (0, 40_000, 10, 60_000, 30_000, 5, 65_535, 1):  # numbers that jump
        yield rtp.HEADER.pack(rtp.VERSION, VIDEO | rtp.MARKER, number, number * 9_000, 77) + b"\x61" + bytes(50)


def malformed_reports(theirs: int) -> Iterator[bytes]:
    """RTCP that says too little, too much or nonsense."""
    report = rtcp.compound([], [RtcpReceiverInfo(theirs, 255, -1, 0xFFFFFFFF, 0xFFFFFFFF, 1, 1)], "x", 1.0, 77)
    yield from (report[:length] for length in range(8, len(report)))
    yield from flipped(report)
    for kind in range(192, 224):
        for words in (0, 1, 50, 0xFFFF):
            yield bytes([0x9F, kind]) + words.to_bytes(2) + (77).to_bytes(4) + bytes(16)
    for bps in (0, 1, 2**40):
        yield rtcp.remb(77, theirs, bps)
    yield bytes(RtcpByePacket([theirs, 77]))
    for _ in range(200):
        yield rtcp.pli(77, theirs)
        yield rtcp.nack(77, theirs, [secrets.randbits(16) for _ in range(100)])


def protected(out: Srtp, packets: Iterable[bytes]) -> Iterator[bytes]:
    """The packets with a valid signature, those apart that cannot have one."""
    for packet in packets:
        with contextlib.suppress(pylibsrtp.Error, ValueError):
            yield out.protect(packet)


async def test_malformed_packets_end_where_they_arrive(place: Place) -> None:
    names = [
        "calls_dropped_rtp_malformed", "calls_dropped_rtcp_malformed", "calls_dropped_srtp_forged",
        "calls_dropped_rtp_of_another_payload_type", "calls_dropped_source_evicted", "calls_camera_malformed",
    ]  # fmt: skip
    async with place.third() as third, place.counts(*names), place.talk.undisturbed():
        out, theirs = third.media._srtp, third.media.reception.video
        assert out is not None
        assert theirs is not None
        await sent_by(third, protected(out, malformed()))
        await sent_by(third, map(out.protect_rtcp, malformed_reports(theirs.ssrc)))
        await sent_by(third, [*cut(out.protect(rtp.HEADER.pack(rtp.VERSION, AUDIO, 9, 9, 78) + bytes(30)))])
        await sent_by(third, [*noise(300), *forged()])


async def test_a_handshake_may_go_wrong_in_every_way(place: Place) -> None:
    async with (
        lean(place.server.port, place.to, place.token) as third,
        place.counts("calls_dropped_dtls_malformed", "calls_dropped_media_before_keys"),
        place.talk.undisturbed(),
    ):
        answer, media = await third.dial(), third.media
        media._shake = lambda now: None  # type: ignore[method-assign]  # what the server answers stays unread
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await media.connect(answer)
        with contextlib.suppress(SSL.WantReadError):
            media._ssl.do_handshake()
        hello = media._ssl.bio_read(4096)
        await sent_by(third, [hello[::-1], *forged()])  # first: of what comes next, much finds no room in the queue
        await sent_by(third, [*[hello] * 100, *cut(hello), *flipped(hello, 1)])
        await third.leave()


async def test_repeated_and_mixed_up_packets_do_no_harm(place: Place) -> None:
    names = ["calls_dropped_srtp_replayed", "calls_camera_decoded"]
    async with place.third() as third, place.counts(*names), place.talk.undisturbed():
        media, chance = third.media, random.Random(SEED)  # noqa: S311 - made up on purpose
        send, held = media._send, list[bytes]()

        def mix_up(packet: bytes) -> None:
            held.append(packet)
            if len(held) == 20:
                chance.shuffle(held)
                for one in held:
                    send(one)
                held.clear()

        media._send = mix_up  # the network's doing
        media.start(film(VideoCodec.H264), None)
        assert media._srtp is not None
        again = media._srtp.protect(rtp.HEADER.pack(rtp.VERSION, AUDIO, 1, 1, 99) + b"\xf8\xff\xfe")
        for _ in range(60):
            await sent_by(third, [again] * 20)
            await asyncio.sleep(0.05)


async def test_a_fifth_lost_on_the_way(place: Place) -> None:
    names = ["calls_nacks_sent", "calls_camera_packets_lost", "calls_keyframes_requested"]
    async with place.third(VideoCodec.VP8) as third, place.counts(*names), place.talk.undisturbed():
        send, number = third.media._send, 0

        def lose(packet: bytes) -> None:
            nonlocal number
            number += 1
            if number % 5:
                send(packet)

        third.media._send = lose  # the network's doing
        third.media.start(film(VideoCodec.VP8), None)
        await asyncio.sleep(3)


# -- cameras


def eight_k() -> list[bytes]:
    """A keyframe of 7680×4320, without its end."""
    return h264.packetize((HOSTILE / "8k-keyframe-cut.h264").read_bytes(), 1200)


@pytest.mark.parametrize(
    ("pictures", "names"),
    [
        (lambda: film(VideoCodec.H264).film.payloads[1:], ["calls_camera_dropped", "calls_keyframes_requested"]),
        (lambda: [eight_k()], ["calls_camera_refused", "calls_keyframes_requested"]),
        (lambda: [*film(VideoCodec.H264).film.payloads[:9], *film(VideoCodec.H264, 16).film.payloads[:9]],
         ["calls_camera_decoded"]),
        (lambda: [eight_k(), *film(VideoCodec.H264).film.payloads[:5]], ["calls_camera_refused"]),
    ],
    ids=["no keyframe", "8K", "another size every third of a second", "8K now and then"],
)  # fmt: skip
async def test_an_odd_camera_is_only_its_senders_trouble(
    place: Place, pictures: Callable[[], list[list[bytes]]], names: list[str]
) -> None:
    async with place.third() as third, place.counts(*names), place.talk.undisturbed():
        third.media.start(shown(VideoCodec.H264, *pictures()), None)
        await asyncio.sleep(3)


async def test_another_codec_in_the_middle_of_a_call(place: Place) -> None:
    async with place.third() as third, place.counts("calls_camera_decoded", by=20), place.talk.undisturbed():
        third.media.start(film(VideoCodec.H264), None)
        for codec in (VideoCodec.VP8, VideoCodec.H264, VideoCodec.VP8):
            await asyncio.sleep(0.7)
            third.media._codec = codec
            changed = await third.verto("verto.modify", action="updateMedia", sdp=third.media.offer())
            assert changed["result"]["result"]["action"] == "updateMedia", changed
            third.media.show(film(codec).film.payloads)
        await asyncio.sleep(0.7)


async def test_a_codec_that_was_not_agreed_on(place: Place) -> None:
    async with place.third() as third, place.counts("calls_camera_malformed"), place.talk.undisturbed():
        third.media.start(film(VideoCodec.VP8), None)
        await asyncio.sleep(1.5)


# -- words


def offers(valid: str) -> Iterator[str]:
    """Session descriptions that are nearly, or not at all, what they should be."""
    lines = valid.split("\r\n")
    for at in range(len(lines) - 1):
        yield "\r\n".join([*lines[:at], *lines[at + 1 :]])
        yield "\r\n".join([*lines[: at + 1], lines[at], *lines[at + 1 :]])
        yield "\r\n".join([*lines[:at], lines[at][: len(lines[at]) // 2], *lines[at + 1 :]])
        yield "\r\n".join([*lines[:at], f"{lines[at]} \x00\N{SNOWMAN}" + "9" * 300, *lines[at + 1 :]])
    yield from ("", "v=0", "\x00", "v=0\r\n" * 1000, "v=0\r\nm=audio\r\n", valid[::-1], valid.replace(":", ""))
    yield valid + valid.partition("m=")[1] + valid.partition("m=")[2]
    yield valid + "".join(f"a=extmap:{number} urn:x:{number}\r\n" for number in range(2000))
    yield valid + "".join(f"a=rtpmap:{number} x{number}/90000\r\n" for number in range(2000))
    yield valid + "a=" + "x" * 60_000
    yield valid + "a=" + "x" * 70_000


async def test_nonsense_is_offered(place: Place) -> None:
    async with place.talk.undisturbed(), connected(place.server.port, place.token) as client:
        of = Lean(client, place.to, VideoCodec.H264)
        codes: set[str] = set()
        for offer in offers(of.media.offer()):
            call_id = str(uuid4())
            answer = await client.dial(place.to, call_id, offer)
            codes.add(answer["code"])
            if answer["code"] == "200":
                await client.verto("verto.bye", {"dialogParams": {"callID": call_id}})
        assert codes == {"200", "422"}
        await of.close()


async def test_a_megabyte_is_offered(place: Place) -> None:
    async with place.talk.undisturbed():
        for text in ("v=0\r\n" + "a=x\r\n" * 200_000, "m" * 1_000_000):
            async with connected(place.server.port, place.token) as client:
                with pytest.raises(ConnectionClosed):
                    await client.dial(place.to, sdp=text)


async def test_words_come_in_the_wrong_order(place: Place) -> None:
    async with place.talk.undisturbed(), connected(place.server.port, place.token) as client:
        of = Lean(client, place.to, VideoCodec.H264)
        offer, call = of.media.offer(), {"dialogParams": {"callID": of.call_id}}
        me = {"member_id": of.call_id, "call_id": of.call_id, "node_id": "parlour"}
        early = [
            await client.verto("verto.bye", call),
            await client.verto("verto.modify", {**call, "action": "updateMedia", "sdp": offer}),
            await client.verto("verto.modify", {**call, "action": "hold"}),
            await client.verto("verto.answer", {**call, "sdp": offer}),
            await client.verto("verto.info", {**call, "dtmf": "1"}),
            await client.call("call.mute", {"self": me, "target": me, "channels": ["audio"]}),
            await client.call("call.layout.set", {"self": me, "layout": "2x2"}),
        ]
        assert all("result" in answer or "error" in answer or "code" in answer for answer in early)
        dial = {"dialogParams": {**call["dialogParams"], "destination_number": place.to}, "sdp": offer}
        for number in range(10):  # the same call, all at once, and taken back before it is there
            message = {"jsonrpc": "2.0", "id": str(uuid4()), "method": "verto.invite", "params": dial}
            await client.send({"jsonrpc": "2.0", "id": f"i{number}", "method": "webrtc.verto",
                               "params": {"message": message}})  # fmt: skip
            message = {**message, "id": str(uuid4()), "method": "verto.bye", "params": call}
            await client.send(json.dumps({"jsonrpc": "2.0", "id": f"b{number}", "method": "webrtc.verto",
                                          "params": {"message": message}}))  # fmt: skip
        for number in range(10):
            await client.answer(f"b{number}")
        await client.verto("verto.bye", call)
        await of.close()
    await until(lambda: place.figures()["members"] == 2)


# -- coming and going


async def test_one_vanishes(place: Place) -> None:
    async with place.talk.undisturbed():
        async with lean(place.server.port, place.to, place.token) as third:
            await third.enter()
            third.media.start(film(VideoCodec.H264), None)
            await asyncio.sleep(1)
            third.client.websocket.transport.abort()
        await place.talk.until(6.0)


async def test_fifty_come_in_a_second(place: Place) -> None:
    async with contextlib.AsyncExitStack() as stack:
        crowd = [
            await stack.enter_async_context(lean(place.server.port, place.to, place.token, sends=False))
            for _ in range(JOINS)
        ]
        async with place.counts("members", by=JOINS), place.talk.undisturbed():
            await asyncio.gather(*(someone.enter() for someone in crowd))
        for someone in crowd:
            await someone.leave()
