"""A leg from the first check to the last report, against a peer in memory."""

import asyncio
import itertools
import struct

import pytest
from aiortc import rtp as reference
from aiortc.rtp import RtcpPacket, RtpPacket

from parlour.media.packets import MediaPacket
from parlour.media.transport import rtcp
from parlour.media.transport.feedback import KEYFRAME_INTERVAL
from parlour.media.transport.history import History
from parlour.media.transport.leg import CONSENT, HANDSHAKE
from parlour.media.transport.outgoing import RESEND_BURST
from parlour.media.transport.srtp import PROFILES, Profile
from tests.media.transport.peer import CHROMIUM, HOME, Peer, World, picture, settle

AUDIO = 111
VIDEO = 108
RTX = 109


@pytest.fixture
def world() -> World:
    return World()


def packet(sequence: int, payload: bytes = b"media", *, kind: int = VIDEO, ssrc: int = 77, timestamp: int = 0) -> bytes:
    made = RtpPacket(payload_type=kind, sequence_number=sequence, timestamp=timestamp, ssrc=ssrc, payload=payload)
    return made.serialize()


def parsed(packets: list[bytes]) -> list[RtpPacket]:
    return [RtpPacket.parse(data) for data in packets]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
async def test_keys_are_agreed_and_media_goes_both_ways(world: World, profile: Profile) -> None:
    peer = await Peer(world, profiles=[profile]).connect()
    assert peer.sink.told("connected") == [profile.name]

    peer.rtp(packet(7, b"opus", kind=AUDIO, ssrc=5, timestamp=960))
    assert [(one.payload, one.timestamp, one.sequence & 0xFFFF) for one in peer.sink.audio] == [(b"opus", 960, 7)]

    peer.leg.send_audio(b"mix", 960)
    peer.leg.send_video(picture(3000, keyframe=True))
    audio, *video = parsed(peer.received()[0])
    assert (audio.payload_type, audio.payload, audio.ssrc) == (AUDIO, b"mix", peer.leg.outgoing_audio.ssrc)
    assert [one.payload for one in video] == [b"3000/0", b"3000/1", b"3000/2"]
    assert [one.marker for one in video] == [0, 0, 1]
    assert {one.payload_type for one in video} == {VIDEO}


async def test_the_better_profile_wins_whatever_the_order_of_the_offer(world: World) -> None:
    peer = await Peer(world, profiles=PROFILES[::-1]).connect()
    assert peer.leg.profile == "AEAD_AES_128_GCM"


async def test_another_certificate_than_the_offered_one_is_refused(world: World) -> None:
    peer = Peer(world)
    stranger = Peer(world)
    peer.ssl = stranger.ssl
    peer.validate()
    await peer.handshake()
    assert peer.leg.closed == "DTLS: the certificate is not the one of the offer"
    assert peer.sink.told("connected") == []


async def test_a_peer_without_a_common_profile_is_refused(world: World) -> None:
    foreign = Profile("foreign", b"SRTP_AEAD_AES_256_GCM", 0, 32, 12, 16)
    peer = Peer(world, profiles=[foreign])
    peer.validate()
    await peer.handshake()
    assert peer.leg.closed == "DTLS: no SRTP profile in common"


async def test_the_handshake_survives_rubbish_and_lost_datagrams(world: World) -> None:
    peer = Peer(world)
    peer.validate()
    [hello] = peer.hello()
    forged = (
        b"\x16\xfe\xfd" + bytes(8) + b"\x00\x10" + bytes(16),  # a handshake record of zeros
        b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28",  # a fatal alert that anybody could write
        hello[:40],
        b"\x16" * 60,
    )
    for datagram in forged:
        world.deliver(datagram)
    await settle()
    assert peer.leg.closed is None
    malformed = 3  # the alert, the cut one, the one that is no record
    assert peer.leg.dropped == {"dtls malformed": malformed, "dtls handshake broken": 1}
    world.carrier.take()
    world.deliver(hello)
    await settle()
    assert world.carrier.take(), "the flight that gets lost"
    world.carrier.used.clear()
    async with asyncio.timeout(5):  # OpenSSL's own timer, of one second
        await world.carrier.used.wait()
    for datagram in world.carrier.take():
        peer.ssl.bio_write(datagram)
    await peer.handshake()
    assert peer.leg.connected


async def test_a_forged_record_does_not_end_a_session(world: World) -> None:
    peer = await Peer(world).connect()
    for kind in (20, 21, 22, 23):
        world.deliver(bytes((kind, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 1, 0, 0, 32)) + bytes(32))
        world.deliver(bytes((kind, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2)) + b"\x02\x28")
    await settle()
    peer.rtp(packet(1))
    assert peer.leg.closed is None
    assert len(peer.sink.video) == 1


async def test_the_closing_alert_ends_the_leg(world: World) -> None:
    peer = await Peer(world).connect()
    peer.ssl.shutdown()
    [alert] = peer.flight()
    world.deliver(alert)
    await settle()
    assert peer.sink.told("closed") == ["the peer closed the connection"]
    assert world.endpoint.statistics().legs == 0
    assert world.carrier.peers == {}


async def test_closing_says_goodbye_once(world: World) -> None:
    peer = await Peer(world).connect()
    peer.leg.send_audio(b"mix", 0)
    peer.received()
    peer.leg.close("the room ended")
    peer.leg.close("again")
    assert peer.sink.told("closed") == ["the room ended"]
    goodbye, alert = world.carrier.take()
    [bye] = RtcpPacket.parse(peer.inbound.unprotect_rtcp(goodbye))
    assert isinstance(bye, reference.RtcpByePacket)
    assert bye.sources == [peer.leg.outgoing_audio.ssrc]
    assert alert[0] == 21
    world.deliver(peer.outbound.protect(packet(1)))
    assert world.dropped == {"media from a stranger": 1}


async def test_checks_alone_keep_a_silent_peer_and_silence_ends_it(world: World) -> None:
    peer = await Peer(world).connect()
    for _ in range(4):
        world.pass_time(CONSENT - 1, step=1)
        peer.validate()
    assert peer.sink.told("closed") == []
    world.pass_time(CONSENT + 1, step=1)
    assert peer.leg.closed == "no sign of life for 30 s"


async def test_media_alone_keeps_a_peer_but_forged_media_does_not(world: World) -> None:
    peer = await Peer(world).connect()
    for sequence in range(4):
        world.pass_time(CONSENT - 1, step=1)
        peer.rtp(packet(sequence))
    assert peer.sink.told("closed") == []
    world.pass_time(CONSENT - 1, step=1)
    world.deliver(b"\x80\x6c" + bytes(60))
    world.pass_time(2, step=1)
    assert peer.leg.closed == "no sign of life for 30 s"
    assert peer.leg.dropped == {"srtp forged": 1}


def test_a_handshake_that_never_ends_is_ended(world: World) -> None:
    peer = Peer(world)
    peer.validate()
    world.pass_time(HANDSHAKE - 1, step=1)
    peer.validate()
    assert peer.sink.told("closed") == []
    world.pass_time(2, step=1)
    assert peer.leg.closed == "DTLS: no agreement within 15 s"


async def test_replayed_forged_and_cut_packets_are_dropped_and_counted(world: World) -> None:
    peer = await Peer(world).connect()
    good = peer.rtp(packet(1))
    control = peer.rtcp(bytes(reference.RtcpRrPacket(1)))
    world.deliver(good)
    world.deliver(control)
    fresh = peer.outbound.protect(packet(9))
    world.deliver(fresh[:-1] + bytes([fresh[-1] ^ 1]))
    world.deliver(good[:11])
    world.deliver(control[:7])
    world.deliver(b"\x80" + bytes(1600))
    peer.rtp(packet(2, kind=33))
    peer.rtp(b"\xa0" + packet(3, b"\xff")[1:])
    assert len(peer.sink.video) == 1
    assert peer.leg.dropped == {
        "srtp replayed": 2,
        "srtp forged": 1,
        "rtp cut off": 1,
        "rtcp cut off": 1,
        "srtp too long": 1,
        "rtp of another payload type": 1,
        "rtp malformed": 1,
    }


async def test_sequence_numbers_count_on_and_reordering_is_handed_on(world: World) -> None:
    peer = await Peer(world).connect()
    for sequence in (65534, 0, 65535, 1):
        peer.rtp(packet(sequence))
    first, *others = [one.sequence for one in peer.sink.video]
    assert [number - first for number in others] == [2, 1, 3]
    assert first & 0xFFFF == 65534


async def test_a_packet_long_delayed_is_no_replay(world: World) -> None:
    peer = await Peer(world).connect()
    for sequence in (600, 1):
        peer.rtp(packet(sequence, kind=AUDIO, ssrc=5))
    assert [one.sequence & 0xFFFF for one in peer.sink.audio] == [600, 1]


async def test_the_audio_level_is_read(world: World) -> None:
    peer = await Peer(world).connect()
    header = struct.pack("!BBHIIHHBBxx", 0x90, AUDIO, 1, 960, 5, 0xBEDE, 1, 0x10, 0x80 | 30)
    peer.rtp(header + b"opus")
    [heard] = peer.sink.audio
    assert heard.level == 30
    assert heard.payload == b"opus"


async def test_lost_video_is_asked_for_and_recovered_from_the_retransmission(world: World) -> None:
    peer = await Peer(world).connect()
    peer.rtp(packet(10))
    peer.rtp(packet(13))
    assert peer.received() == ([], []), "a gap may be reordering"
    world.pass_time(0.02, step=0.02)
    [control] = peer.received()[1]
    [nack] = RtcpPacket.parse(control)
    assert isinstance(nack, reference.RtcpRtpfbPacket)
    assert (nack.media_ssrc, nack.lost) == (77, [11, 12])

    peer.rtp(packet(1, struct.pack("!H", 11) + b"again", kind=RTX, ssrc=78))
    peer.rtp(packet(11))
    peer.rtp(packet(2, struct.pack("!H", 11) + b"again", kind=RTX, ssrc=78))
    peer.rtp(packet(3, b"", kind=RTX, ssrc=78))
    peer.rtp(packet(4, struct.pack("!H", 200) + b"of nothing sent", kind=RTX, ssrc=78))
    assert [(one.sequence & 0xFFFF, one.payload) for one in peer.sink.video] == [
        (10, b"media"),
        (13, b"media"),
        (11, b"again"),
    ]
    assert peer.leg.statistics().recovered == 1
    world.pass_time(3)
    asked = sum(
        isinstance(one, reference.RtcpRtpfbPacket) for data in peer.received()[1] for one in RtcpPacket.parse(data)
    )
    assert 1 <= asked <= 5, "what never comes is given up"
    assert peer.leg.statistics().abandoned == 1


async def test_a_gap_too_wide_for_nacks_asks_for_a_keyframe(world: World) -> None:
    peer = await Peer(world).connect()
    peer.rtp(packet(1))
    peer.rtp(packet(500))
    [control] = peer.received()[1]
    [pli] = RtcpPacket.parse(control)
    assert isinstance(pli, reference.RtcpPsfbPacket)
    assert pli.fmt == reference.RTCP_PSFB_PLI


async def test_a_keyframe_is_asked_for_once_a_second_and_never_forgotten(world: World) -> None:
    peer = await Peer(world).connect()
    peer.leg.request_keyframe()
    assert peer.received() == ([], []), "nobody to ask yet"
    peer.rtp(packet(1))
    times = []
    for _ in range(40):
        world.pass_time(0.1)
        peer.leg.request_keyframe()
        for data in peer.received()[1]:
            for one in RtcpPacket.parse(data):
                if isinstance(one, reference.RtcpPsfbPacket):
                    assert (one.fmt, one.media_ssrc) == (reference.RTCP_PSFB_PLI, 77)
                    times.append(world.clock.now)
    assert len(times) == 4
    assert all(after - before > 0.99 for before, after in itertools.pairwise(times))


async def test_a_keyframe_asked_for_too_soon_is_asked_for_later(world: World) -> None:
    peer = await Peer(world).connect()
    peer.rtp(packet(1))
    peer.leg.request_keyframe()
    peer.leg.request_keyframe()
    assert peer.leg.statistics().keyframes_requested == 1
    world.pass_time(3)
    assert peer.leg.statistics().keyframes_requested == 2


async def test_a_keyframe_is_demanded_of_who_does_not_take_requests(world: World) -> None:
    offer = "\r\n".join(line for line in CHROMIUM.split("\r\n") if not line.endswith("nack pli"))
    peer = await Peer(world, offer).connect()
    peer.rtp(packet(1))
    demands = []
    for _ in range(2):
        peer.leg.request_keyframe()
        [control] = peer.received()[1]
        [fir] = RtcpPacket.parse(control)
        assert isinstance(fir, reference.RtcpPsfbPacket)
        assert fir.fmt == reference.RTCP_PSFB_FIR
        demands += rtcp.fir_targets(fir)
        world.clock.now += KEYFRAME_INTERVAL
    assert demands == [(77, 1), (77, 2)]


async def test_the_limit_is_told_at_once_and_with_every_report(world: World) -> None:
    peer = await Peer(world).connect()
    peer.leg.limit_sender(640_000)
    peer.rtp(packet(1))
    world.pass_time(6)
    limits = [
        reference.unpack_remb_fci(one.fci)
        for data in peer.received()[1]
        for one in RtcpPacket.parse(data)
        if isinstance(one, reference.RtcpPsfbPacket)
    ]
    assert len(limits) >= 3
    assert set(map(repr, limits)) == {repr((640_000, [77]))}


async def test_reports_say_what_was_sent_and_received(world: World) -> None:
    peer = await Peer(world).connect()
    peer.leg.send_audio(b"1234", 0)
    peer.leg.send_video(picture(0, keyframe=True))
    for sequence in (1, 2, 4):
        peer.rtp(packet(sequence))
    sender = reference.RtcpSenderInfo(rtcp.ntp_time(1_700_001_000), 5555, 3, 15)
    peer.rtcp(bytes(reference.RtcpSrPacket(77, sender)))
    assert peer.sink.told("sender report") == [("video", pytest.approx(1_700_001_000 + rtcp.NTP_OFFSET), 5555)]
    [audio, *_] = parsed(peer.received()[0])
    world.pass_time(1)
    reports = [one for data in peer.received()[1] for one in RtcpPacket.parse(data)]
    senders = [one for one in reports if isinstance(one, reference.RtcpSrPacket)]
    assert [one.sender_info.packet_count for one in senders] == [1, 3]
    assert senders[0].sender_info.octet_count == 4
    assert senders[0].ssrc == audio.ssrc
    elapsed = (senders[0].sender_info.rtp_timestamp - audio.timestamp) & 0xFFFFFFFF
    assert elapsed == pytest.approx(0.5 * 48000, abs=0.2 * 48000)
    seconds = [
        ((one.sender_info.rtp_timestamp - stream.offset) & 0xFFFFFFFF) / stream.clock_rate
        for one, stream in zip(senders, (peer.leg.outgoing_audio, peer.leg.outgoing_video), strict=True)
    ]
    assert seconds[0] == pytest.approx(seconds[1], abs=0.0001), "both are tied to one moment"
    assert len({one.sender_info.ntp_timestamp for one in senders}) == 1
    [block] = senders[0].reports
    assert (block.ssrc, block.packets_lost, block.fraction_lost) == (77, 1, 64)
    assert block.lsr != 0
    descriptions = [one for one in reports if isinstance(one, reference.RtcpSdesPacket)]
    assert {chunk.items[0] for one in descriptions for chunk in one.chunks} == {(1, peer.leg.cname.encode())}


async def test_reports_of_the_peer_reach_the_owner(world: World) -> None:
    peer = await Peer(world).connect()
    video, audio = peer.leg.outgoing_video.ssrc, peer.leg.outgoing_audio.ssrc
    middle = rtcp.ntp_time(world.endpoint.wall() - 0.25) >> 16 & 0xFFFFFFFF
    blocks = [reference.RtcpReceiverInfo(ssrc, 64, 9, 1, 0, middle, int(0.05 * 65536)) for ssrc in (video, audio, 9)]
    fir = struct.pack("!IBxxx", video, 1)
    peer.rtcp(bytes(reference.RtcpRrPacket(1, blocks)))
    peer.rtcp(bytes(reference.RtcpPsfbPacket(reference.RTCP_PSFB_PLI, 1, video)))
    peer.rtcp(bytes(reference.RtcpPsfbPacket(reference.RTCP_PSFB_PLI, 1, 4242)))
    peer.rtcp(bytes(reference.RtcpPsfbPacket(reference.RTCP_PSFB_FIR, 1, 0, fir)))
    peer.rtcp(bytes(reference.RtcpPsfbPacket(reference.RTCP_PSFB_FIR, 1, 0, fir)))
    peer.rtcp(bytes(reference.RtcpPsfbPacket(reference.RTCP_PSFB_APP, 1, 0, reference.pack_remb_fci(512_000, [video]))))
    peer.rtcp(bytes(reference.RtcpPsfbPacket(reference.RTCP_PSFB_APP, 1, 0, b"XXXX" + bytes(4))))
    assert peer.sink.told("loss") == [0.25]
    assert peer.sink.told("keyframe wanted") == [None, None]
    assert peer.sink.told("estimate") == [512_000]
    assert peer.leg.statistics().round_trip == pytest.approx(0.2, abs=0.001)


@pytest.mark.parametrize(
    "compound",
    [
        b"\x81\xc8\x00\x01" + bytes(4),
        b"\x80\xc9\x00\x09" + bytes(4),
        bytes(reference.RtcpRrPacket(1)) + b"\x00\xc9\x00\x01" + bytes(4),
        b"\x81\xca\x00\x02" + bytes(4) + b"\x01\xff\x00\x00",
        bytes(reference.RtcpRrPacket(1)) + b"\x80",
        b"\xa0\xc9\x00\x01" + bytes(3) + b"\x09",
        b"\x82\xcb\x00\x01" + bytes(4),
    ],
)
async def test_malformed_compounds_are_dropped_whole(world: World, compound: bytes) -> None:
    peer = await Peer(world).connect()
    peer.rtcp(compound)
    assert peer.leg.dropped == {"rtcp malformed": 1}
    assert peer.sink.calls == [("connected", "AEAD_AES_128_GCM")]


async def test_nothing_is_sent_before_a_keyframe_and_the_owner_is_told(world: World) -> None:
    peer = await Peer(world).connect()
    peer.leg.send_video(picture(0))
    peer.leg.send_video(picture(3000))
    assert peer.received()[0] == []
    assert peer.sink.told("keyframe wanted") == [None]
    peer.leg.send_video([*picture(6000), *picture(9000, keyframe=True)])
    assert [one.payload for one in parsed(peer.received()[0])] == [b"9000/0", b"9000/1", b"9000/2"]
    assert peer.leg.statistics().skipped_before_keyframe == 9


async def test_reports_do_not_depend_on_how_late_something_was_sent(world: World) -> None:
    peer = await Peer(world).connect()
    ties: set[tuple[float, float]] = set()
    for step in range(40):
        world.clock.now = 1000 + step * 0.5 + 0.037 * (step * 7 % 5)
        peer.leg.send_audio(b"1234", step * 24_000)
        world.clock.now += 0.011 * (step * 3 % 4)
        peer.leg.send_video(picture(step * 45_000, keyframe=True))
        world.endpoint.tick()
        for compound in peer.received()[1]:
            audio, video = (one for one in RtcpPacket.parse(compound) if isinstance(one, reference.RtcpSrPacket))
            ntp = rtcp.ntp_seconds(audio.sender_info.ntp_timestamp)
            zero = [
                ntp - ((one.sender_info.rtp_timestamp - stream.offset) & 0xFFFFFFFF) / stream.clock_rate
                for one, stream in ((audio, peer.leg.outgoing_audio), (video, peer.leg.outgoing_video))
            ]
            ties.add((round(zero[0], 3), round(zero[1], 3)))
    began = round(1_700_001_000 + rtcp.NTP_OFFSET, 3)
    assert ties == {(began, began)}, "the wall's time at which both streams' time was zero"


async def test_another_rendition_goes_on_where_the_last_one_was(world: World) -> None:
    peer = await Peer(world).connect()
    peer.leg.use_rendition("720p")
    peer.leg.send_video(picture(0, keyframe=True))
    before = parsed(peer.received()[0])[-1]
    peer.leg.use_rendition("720p")
    peer.leg.use_rendition("360p")
    peer.leg.send_video(picture(42_000))
    peer.leg.send_video(picture(45_000, keyframe=True))
    after = parsed(peer.received()[0])
    assert [one.payload for one in after] == [b"45000/0", b"45000/1", b"45000/2"]
    assert (after[0].sequence_number - before.sequence_number) & 0xFFFF == 1
    assert (after[0].timestamp - before.timestamp) & 0xFFFFFFFF == 45_000
    assert after[0].ssrc == before.ssrc
    peer.leg.use_rendition("720p")
    peer.leg.send_video(picture(45_000, keyframe=True, size=1))
    [same] = parsed(peer.received()[0])
    assert (same.timestamp - after[0].timestamp) & 0xFFFFFFFF == 1, "the same moment is another picture"


async def test_a_nack_is_answered_on_the_retransmission_stream(world: World) -> None:
    peer = await Peer(world).connect()
    peer.leg.send_video(picture(0, keyframe=True))
    original = parsed(peer.received()[0])[1]
    lost = [original.sequence_number, (original.sequence_number - 100) & 0xFFFF]
    peer.rtcp(rtcp.nack(1, original.ssrc, lost))
    [again] = parsed(peer.received()[0])
    assert again.ssrc == peer.leg.outgoing_video.rtx_ssrc
    assert again.payload_type == RTX
    recovered = reference.unwrap_rtx(again, VIDEO, original.ssrc)
    assert recovered.payload == original.payload
    assert (recovered.sequence_number, recovered.timestamp) == (original.sequence_number, original.timestamp)
    statistics = peer.leg.statistics()
    assert (statistics.retransmitted, statistics.retransmissions_refused) == (1, 1)


async def test_without_a_retransmission_stream_the_same_bytes_go_again(world: World) -> None:
    offer = "\r\n".join(line for line in CHROMIUM.split("\r\n") if "rtx" not in line and "apt=" not in line)
    peer = await Peer(world, offer).connect()
    assert peer.leg.video is not None
    assert peer.leg.video.rtx_payload_type is None
    peer.leg.send_video(picture(0, keyframe=True))
    sent = world.carrier.take()
    original = RtpPacket.parse(peer.inbound.unprotect(sent[1]))
    world.clock.now += 1
    peer.rtcp(rtcp.nack(1, original.ssrc, [original.sequence_number]))
    assert world.carrier.take() == [sent[1]], "another ciphertext would have reused a nonce"


async def a_film_later(world: World) -> tuple[Peer, list[RtpPacket]]:
    """A peer, and the packets of a hundred pictures that it was sent."""
    peer = await Peer(world).connect()
    for number in range(100):
        peer.leg.send_video(picture(number * 3000, keyframe=True))
    return peer, parsed(peer.received()[0])


async def test_a_storm_of_nacks_is_bounded(world: World) -> None:
    peer, sent = await a_film_later(world)
    for _ in range(10):
        peer.rtcp(rtcp.nack(1, sent[0].ssrc, [one.sequence_number for one in sent[-200:]]))
    assert len(peer.received()[0]) == 250
    world.clock.now += 0.1
    peer.rtcp(rtcp.nack(1, sent[0].ssrc, [one.sequence_number for one in sent[-200:]]))
    assert len(peer.received()[0]) == 100


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sequence numbers that were looked for in what was sent."""
    numbers: list[int] = []
    find = History.find

    def noted(history: History, sequence: int) -> tuple[MediaPacket, int] | None:
        numbers.append(sequence)
        return find(history, sequence)

    monkeypatch.setattr(History, "find", noted)
    return numbers


async def test_a_nack_costs_no_more_than_what_may_be_sent_again(world: World, looked: list[int]) -> None:
    peer, sent = await a_film_later(world)
    for _ in range(3):
        peer.rtcp(rtcp.nack(1, sent[0].ssrc, [one.sequence_number for one in sent[-200:]]))
    assert len(looked) == RESEND_BURST
    statistics = peer.leg.statistics()
    assert (statistics.retransmitted, statistics.retransmissions_refused) == (RESEND_BURST, 600 - RESEND_BURST)


async def test_a_report_that_asks_for_more_than_any_receiver_is_dropped(world: World, looked: list[int]) -> None:
    peer = await Peer(world).connect()
    ssrc = peer.leg.outgoing_video.ssrc
    peer.rtcp(rtcp.nack(1, ssrc, list(range(rtcp.MAX_NAMED))))
    assert len(looked) == rtcp.MAX_NAMED
    peer.rtcp(rtcp.nack(1, ssrc, list(range(rtcp.MAX_NAMED // 2))) + rtcp.nack(1, ssrc, list(range(2000, 2600))))
    assert len(looked) == rtcp.MAX_NAMED
    assert peer.leg.dropped == {"rtcp asks for too much": 1}


async def test_a_nack_may_count_on_beyond_the_largest_number(world: World) -> None:
    peer = await Peer(world).connect()
    video = peer.leg.outgoing_video
    video.sequence = video._history.end = 0xFFFF
    peer.leg.send_video(picture(0, keyframe=True))
    sent = [one.sequence_number for one in parsed(peer.received()[0])]
    assert sent == [0xFFFF, 0, 1]
    peer.rtcp(rtcp.nack(1, video.ssrc, sent))
    again = [reference.unwrap_rtx(one, VIDEO, video.ssrc) for one in parsed(peer.received()[0])]
    assert [one.sequence_number for one in again] == sent
    assert world.dropped == {}


async def test_a_full_socket_loses_packets_but_nothing_else(world: World) -> None:
    peer = await Peer(world).connect()
    world.carrier.full = True
    peer.leg.send_video(picture(0, keyframe=True))
    peer.leg.send_audio(b"mix", 0)
    world.carrier.full = False
    peer.leg.send_video(picture(3000))
    first, *_ = parsed(peer.received()[0])
    assert peer.leg.statistics().send_blocked == 4
    lost = [(first.sequence_number - back) & 0xFFFF for back in (3, 2, 1)]
    peer.rtcp(rtcp.nack(1, first.ssrc, lost))
    assert [one.payload[2:] for one in parsed(peer.received()[0])] == [b"0/0", b"0/1", b"0/2"]


async def test_sources_are_bounded(world: World) -> None:
    peer = await Peer(world).connect()
    for ssrc in range(1, 200):
        peer.rtp(packet(1, ssrc=ssrc))
    assert len(peer.leg._receiving._sources) == 16
    assert len(peer.sink.video) == 199
    numbers = [one.sequence for one in peer.sink.video]
    assert numbers == sorted(numbers), "a source that replaces another counts up"


async def test_the_path_follows_checks_and_nothing_else(world: World) -> None:
    peer = await Peer(world).connect()
    elsewhere = ("198.51.100.9", 1234)
    world.deliver(peer.outbound.protect(packet(1)), elsewhere)
    peer.leg.send_audio(b"mix", 0)
    assert world.carrier.sent[-1][1] == HOME
    world.deliver(peer.check(nominate=False), elsewhere)
    peer.leg.send_audio(b"mix", 960)
    assert world.carrier.sent[-1][1] == HOME
    world.deliver(peer.check(nominate=True), elsewhere)
    peer.leg.send_audio(b"mix", 1920)
    assert world.carrier.sent[-1][1] == elsewhere
    assert world.dropped == {"media from a stranger": 1}


async def test_a_later_offer_keeps_the_connection(world: World) -> None:
    peer = await Peer(world).connect()
    offer = peer.offer.replace("a=sendrecv", "a=recvonly")
    before = [line for line in peer.answer.split("\r\n") if line.startswith(("a=ice", "a=ssrc"))]
    answer = peer.leg.answer(offer)
    assert [line for line in answer.split("\r\n") if line.startswith(("a=ice", "a=ssrc"))] == before
    assert answer.count("a=sendonly") == 2
    assert peer.leg.connected
    peer.rtp(packet(1))
    assert peer.sink.video == []
    peer.leg.send_video(picture(0, keyframe=True))
    assert len(peer.received()[0]) == 3


async def test_a_later_offer_with_another_codec_starts_at_a_keyframe_and_repeats_nothing(world: World) -> None:
    peer = await Peer(world).connect()
    peer.leg.send_video(picture(0, keyframe=True))
    sent = parsed(peer.received()[0])
    peer.leg.answer(peer.offer, codecs=["VP8"])
    peer.rtcp(rtcp.nack(1, sent[0].ssrc, [sent[0].sequence_number]))
    peer.leg.send_video(picture(3000))
    assert peer.received()[0] == []
    peer.leg.send_video(picture(6000, keyframe=True))
    after = parsed(peer.received()[0])
    assert {one.payload_type for one in after} == {96}
    assert (after[0].sequence_number - sent[-1].sequence_number) & 0xFFFF == 1


async def test_a_later_offer_with_another_ice_user_restarts_ice_and_keeps_the_keys(world: World) -> None:
    peer = await Peer(world).connect()
    old = peer.check()
    peer.leg.answer(peer.offer.replace("a=ice-ufrag:JGgV", "a=ice-ufrag:NEWU"))
    world.deliver(old)
    assert world.dropped == {"stun for nobody": 1}
    assert not peer.leg.connected
    peer.validate()
    peer.leg.send_audio(b"mix", 0)
    assert len(peer.received()[0]) == 1


async def test_a_later_offer_with_another_fingerprint_agrees_on_new_keys(world: World) -> None:
    peer = await Peer(world).connect()
    again = Peer(world)
    peer.leg.answer(again.offer)
    assert not peer.leg.statistics().connected
    peer.ssl = again.ssl
    peer.sink.calls.clear()
    for _ in range(4):
        for datagram in peer.hello():
            world.deliver(datagram)
        await settle()
        for datagram in world.carrier.take():
            peer.ssl.bio_write(datagram)
    assert peer.leg.connected
    assert peer.sink.told("connected") == [], "the owner was told before"
