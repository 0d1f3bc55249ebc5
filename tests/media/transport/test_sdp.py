"""Offers read and answers written."""

from collections.abc import Iterator

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.media.transport import BadOffer, MediaFacts, sdp
from parlour.media.transport.answer import Choice, LocalMedia, choose, write_answer
from parlour.media.transport.dtls import Fingerprint
from parlour.media.transport.ice import Credentials, candidates
from parlour.media.transport.sdp import MAX_OFFER, MAX_WILDCARDS, parse_offer
from tests.media.transport.peer import CHROMIUM, WATCH_ONLY

OURS = LocalMedia(
    session=1,
    version=1,
    credentials=Credentials("ourufrag", "ourpasswordourpassword"),
    fingerprint=Fingerprint("sha-256", ":".join(["AB"] * 32)),
    candidates=tuple(candidates(["192.0.2.1", "2001:db8::1"], 5000, 5001)),
    stream="parlour",
    cname="cname",
    audio_ssrc=1,
    video_ssrc=2,
    rtx_ssrc=3,
)

HEAD, AUDIO, VIDEO = (
    CHROMIUM.partition("m=audio")[0],
    *(
        "m=audio" + part if number == 0 else "m=video" + part
        for number, part in enumerate(CHROMIUM.partition("m=audio")[2].split("m=video"))
    ),
)


def chosen(offer: str) -> Choice:
    return choose(parse_offer(offer))


def answer(offer: str, *, audio_first: bool = False) -> str:
    return write_answer(chosen(offer), OURS, audio_first=audio_first)


def sections(text: str) -> list[list[str]]:
    return [("m=" + part).splitlines() for part in text.split("m=")[1:]] if "\r\nm=" in text else []


def test_what_is_taken_of_a_browsers_offer() -> None:
    taken = chosen(CHROMIUM)
    assert taken.ufrag == "JGgV"
    assert taken.audio == MediaFacts("0", "opus", 111, sends=True, receives=True, audio_level_id=1)
    assert taken.video == MediaFacts(
        "1", "H264", 108, sends=True, receives=True, rtx_payload_type=109, profile="42e01f",
        nack=True, pli=True, fir=True, remb=True, abs_send_time_id=2,
    )  # fmt: skip


def test_the_answer_as_another_implementation_reads_it() -> None:
    read = SessionDescription.parse(answer(CHROMIUM))
    assert [(one.kind, one.rtp.muxId, one.direction) for one in read.media] == [
        ("audio", "0", "sendrecv"),
        ("video", "1", "sendrecv"),
    ]
    assert read.group[0].items == ["0", "1"]
    for media in read.media:
        assert media.ice is not None
        assert media.ice.iceLite
        assert media.ice.usernameFragment == "ourufrag"
        assert media.ice_candidates_complete
        assert media.rtcp_mux
        assert media.dtls is not None
        assert media.dtls.fingerprints[0].value == OURS.fingerprint.value
        found = [(one.protocol, one.ip, one.port, one.tcpType) for one in media.ice_candidates]
        assert found == [
            ("udp", "192.0.2.1", 5000, None),
            ("udp", "2001:db8::1", 5000, None),
            ("tcp", "192.0.2.1", 5001, "passive"),
            ("tcp", "2001:db8::1", 5001, "passive"),
        ]
        priorities = [one.priority for one in media.ice_candidates]
        assert priorities == sorted(set(priorities), reverse=True)
    audio, video = read.media
    assert [codec.mimeType for codec in audio.rtp.codecs] == ["audio/opus"]
    assert audio.rtp.codecs[0].parameters["useinbandfec"] == 1
    assert [codec.mimeType for codec in video.rtp.codecs] == ["video/H264", "video/rtx"]
    assert [f"{one.type} {one.parameter or ''}".strip() for one in video.rtp.codecs[0].rtcpFeedback] == [
        "goog-remb", "ccm fir", "nack", "nack pli",
    ]  # fmt: skip
    assert video.rtp.codecs[1].parameters["apt"] == 108
    assert [ssrc.ssrc for ssrc in video.ssrc] == [2, 3]
    assert audio.msid is not None
    assert video.msid is not None
    assert audio.msid.split()[0] == video.msid.split()[0]


def test_a_watcher_without_candidates() -> None:
    [video] = sections(answer(WATCH_ONLY))
    assert "a=sendonly" in video
    assert not any(line.startswith("a=recv") for line in video)


@pytest.mark.parametrize(
    ("offered", "mirrored"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_directions_are_mirrored_on_every_section(offered: str, mirrored: str) -> None:
    text = answer(CHROMIUM.replace("a=sendrecv", f"a={offered}"))
    for section in sections(text):
        assert [line for line in section if line[2:] in ("sendrecv", "sendonly", "recvonly", "inactive")] == [
            f"a={mirrored}"
        ]
        assert ("a=msid:" in "\n".join(section)) == (mirrored in ("sendrecv", "sendonly"))


def test_an_implicit_direction_gets_an_explicit_answer() -> None:
    assert answer(CHROMIUM.replace("a=sendrecv\r\n", "")).count("a=sendrecv") == 2


@pytest.mark.parametrize(("audio_first", "kinds"), [(False, ["m=video", "m=audio"]), (True, ["m=audio", "m=video"])])
def test_audio_can_come_first_although_the_offer_has_video_first(audio_first: bool, kinds: list[str]) -> None:
    text = answer(HEAD + VIDEO + AUDIO, audio_first=audio_first)
    found = sections(text)
    assert [section[0].split()[0] for section in found] == kinds
    assert {section[0].split()[0]: next(line for line in section if line.startswith("a=mid")) for section in found} == {
        "m=audio": "a=mid:0",
        "m=video": "a=mid:1",
    }


def test_what_is_not_taken_is_rejected_in_its_place() -> None:
    data = (
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n"
        "a=ice-ufrag:JGgV\r\na=ice-pwd:06+IxRXjIj4UOaKYeRMqtHaK\r\na=sctp-port:5000\r\n"
    )
    offer = HEAD.replace("0 1", "0 2 1 3") + AUDIO + data + VIDEO + VIDEO.replace("a=mid:1", "a=mid:3")
    text = answer(offer)
    assert text.count("a=setup:passive") == 2
    found = sections(text)
    assert [section[0].split()[1] for section in found] == ["5000", "0", "5000", "0"]
    assert "a=mid:2" in found[1]
    assert "a=group:BUNDLE 0 1\r\n" in text


def test_a_disabled_section_is_rejected_and_a_bundle_only_one_is_not() -> None:
    disabled = VIDEO.replace("video 57233", "video 0")
    assert chosen(HEAD + AUDIO + disabled).video is None
    assert chosen(HEAD + AUDIO + disabled + "a=bundle-only\r\n").video is not None


def test_vp8_is_taken_where_there_is_no_baseline_h264() -> None:
    offer = CHROMIUM.replace("profile-level-id=42", "profile-level-id=64")
    facts = chosen(offer).video
    assert facts is not None
    assert (facts.codec, facts.payload_type, facts.rtx_payload_type) == ("VP8", 96, 97)
    assert "a=rtpmap:96 VP8/90000" in answer(offer)


def test_plain_baseline_is_taken_before_vp8() -> None:
    facts = chosen(CHROMIUM.replace("profile-level-id=42e01f", "profile-level-id=640c1f")).video
    assert facts is not None
    assert (facts.codec, facts.payload_type) == ("H264", 102)


def test_the_codec_in_use_stays_while_it_is_offered() -> None:
    facts = choose(parse_offer(CHROMIUM), keep="VP8").video
    assert facts is not None
    assert facts.codec == "VP8"
    facts = choose(parse_offer(CHROMIUM), ["VP8"], keep="H264").video
    assert facts is not None
    assert facts.codec == "VP8"


def test_stereo_is_answered_as_offered() -> None:
    offer = CHROMIUM.replace("useinbandfec=1", "useinbandfec=1;stereo=1")
    facts = chosen(offer).audio
    assert facts is not None
    assert facts.stereo
    assert "useinbandfec=1;stereo=1" in answer(offer)
    assert "stereo" not in answer(CHROMIUM)


def test_silence_need_not_be_sent_but_in_music() -> None:
    assert "useinbandfec=1;usedtx=1" in answer(CHROMIUM)
    assert "usedtx" not in answer(CHROMIUM.replace("useinbandfec=1", "useinbandfec=1;stereo=1"))


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        ("", "v=0"),
        ("hello", "v=0"),
        (CHROMIUM + "a=x\r\n" * MAX_OFFER, "64 KiB"),
        (CHROMIUM + "é" * (MAX_OFFER // 2), "64 KiB"),
        (HEAD, "neither"),
        (HEAD + "nonsense\r\n", "<type>=<value>"),
        (HEAD + "m=audio x y z\r\n", "m-line"),
        (HEAD + "m=audio 99999 UDP/TLS/RTP/SAVPF 0\r\n", "m-line"),
        (CHROMIUM + "m=audio 9 RTP/AVP 0\r\n" * 33, "more than 32"),
        (CHROMIUM.replace("a=mid:1", "a=mid:0"), "same mid"),
        (CHROMIUM.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "neither"),
        (CHROMIUM.replace("a=rtcp-mux\r\n", ""), "neither"),
        (CHROMIUM.replace("opus", "speex").replace("H264", "H261").replace("VP8", "VP7"), "neither"),
        (CHROMIUM.replace("a=ice-ufrag:JGgV\r\n", ""), "ICE"),
        (CHROMIUM.replace("a=ice-ufrag:JGgV", "a=ice-ufrag:???"), "a=ice-ufrag"),
        (CHROMIUM.replace("a=fingerprint", "a=footprint"), "fingerprint"),
        (CHROMIUM.replace("sha-256 44", "sha-256 4"), "a=fingerprint"),
        (CHROMIUM.replace("setup:actpass", "setup:passive"), "setup"),
        (CHROMIUM.replace("a=extmap:1 ", "a=extmap:one "), "extmap"),
        (CHROMIUM.replace("rtpmap:111 opus", "rtpmap:x opus"), "rtpmap"),
        (CHROMIUM + "a=fmtp:* a;a;a;a\r\n" * (MAX_WILDCARDS + 1), "for all payload types"),
        (CHROMIUM + "a=rtcp-fb:* nack\r\n" * (MAX_WILDCARDS + 1), "for all payload types"),
        (CHROMIUM.replace("AVPF 111", "AVPF 108").replace(":111 ", ":108 "), "same payload type"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_a_reason(offer: str, words: str) -> None:
    with pytest.raises(BadOffer) as refusal:
        chosen(offer)
    assert words in refusal.value.reason


def a_full_section(lines: str) -> str:
    """A video section with as many payload types as are taken, and ``lines`` about them."""
    types = [str(number) for number in range(128)]
    maps = "".join(f"a=rtpmap:{number} H264/90000\r\n" for number in types)
    return f"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF {' '.join(types)}\r\n{maps}{lines}"


def test_what_is_said_of_all_payload_types_is_read_once_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    parameters = sdp._parameters

    def counted(content: str) -> Iterator[tuple[str, str]]:
        read.append(content)
        return parameters(content)

    monkeypatch.setattr(sdp, "_parameters", counted)
    [section] = parse_offer(a_full_section("a=fmtp:* a=1;b=2\r\n" * MAX_WILDCARDS)).sections
    assert len(read) == MAX_WILDCARDS
    assert len(section.codecs) == 128
    assert all(codec.parameters == {"a": "1", "b": "2"} for codec in section.codecs.values())


def test_what_is_said_of_each_payload_type_is_taken_however_much_it_is() -> None:
    feedback = ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc")
    lines = [f"a=rtcp-fb:{number} {kind}" for number in range(128) for kind in feedback]
    lines += [f"a=fmtp:{number} a={number}" for number in range(128)]
    [section] = parse_offer(a_full_section("\r\n".join([*lines, "a=rtcp-fb:* last", "a=fmtp:999 a=1"]))).sections
    for number, codec in section.codecs.items():
        assert codec.parameters == {"a": str(number)}
        assert codec.feedback == [*feedback, "last"]


@settings(max_examples=200)
@given(st.data())
def test_mangled_offers_are_answered_or_refused(data: st.DataObject) -> None:
    lines = CHROMIUM.split("\r\n")
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = data.draw(st.integers(0, len(line)))
        lines[at] = line[:cut] + data.draw(st.text(max_size=6)) + line[cut + data.draw(st.integers(0, 4)) :]
    try:
        text = answer("\r\n".join(lines))
    except BadOffer:
        return
    assert text.startswith("v=0\r\n")
    assert all(line[1:2] == "=" for line in text.split("\r\n")[:-1]), "nothing of the offer can add a line"
