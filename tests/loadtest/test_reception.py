"""What came, counted."""

import pytest

from parlour.loadtest.description import AUDIO, RTX, VIDEO
from parlour.loadtest.reception import Counts, Reception
from parlour.media.transport import rtp


def packet(kind: int, sequence: int, timestamp: int = 0, *, marker: bool = False, payload: bytes = b"xx") -> bytes:
    """An RTP packet; each kind has a source of its own."""
    second = kind | (rtp.MARKER if marker else 0)
    return rtp.HEADER.pack(rtp.VERSION, second, sequence & 0xFFFF, timestamp, kind) + payload


def again(sequence: int, original: int, timestamp: int = 0) -> bytes:
    """A retransmission."""
    return packet(RTX, sequence, timestamp, payload=(original & 0xFFFF).to_bytes(2) + b"xx")


def test_pictures_are_counted_by_their_ends() -> None:
    reception = Reception()
    for number in range(9):
        reception.take(packet(VIDEO, number, number // 3 * 3000, marker=number % 3 == 2), number / 90)
    assert (reception.counts.pictures, reception.counts.video, reception.counts.lost) == (3, 9, 0)


@pytest.mark.parametrize("first", [0, 65_533])
def test_what_does_not_come_is_lost_and_what_comes_again_is_not(first: int) -> None:
    reception = Reception()
    for number in (0, 1, 4, 5):
        assert reception.take(packet(VIDEO, first + number), number / 100) is not None
    assert (reception.counts.holes, reception.counts.lost) == (2, 2)
    found = reception.take(again(0, first + 2), 0.09)
    assert found is not None
    assert (found.sequence & 0xFFFF, found.payload) == ((first + 2) & 0xFFFF, b"xx")
    assert (reception.counts.holes, reception.counts.lost, reception.counts.resent) == (2, 1, 1)
    assert reception.healing == [pytest.approx(0.05)]
    assert reception.take(again(1, first + 2), 0.1) is None


def test_what_was_never_sent_does_not_come_again() -> None:
    reception = Reception()
    assert reception.take(again(0, 7), 0.0) is None
    reception.take(packet(VIDEO, 5), 0.1)
    assert reception.take(again(1, 9), 0.2) is None
    assert reception.counts.resent == 0


def test_sound_that_comes_late_is_not_lost() -> None:
    reception = Reception()
    for sequence in (65_534, 65_535, 2, 0, 3):
        assert reception.take(packet(AUDIO, sequence), 0.0) is None
    assert (reception.counts.audio, reception.counts.audio_lost) == (5, 1)


def test_a_picture_that_stands_still_is_noticed() -> None:
    reception = Reception()
    for number, at in enumerate((0.0, 0.03, 1.0, 1.03)):
        reception.take(packet(VIDEO, number, number * 3000, marker=True), at)
    assert reception.counts.still == 1


def test_holes_are_remembered_up_to_a_bound() -> None:
    reception = Reception()
    for number in range(0, 65_536 * 3, 2_000):
        reception.take(packet(VIDEO, number), 0.0)
    assert len(reception._holes) <= 4096
    assert reception.counts.lost == reception.counts.holes > 4096


def test_windows_are_differences() -> None:
    assert Counts(packets=5, video=3) - Counts(packets=2) == Counts(packets=3, video=3)


def test_what_is_no_rtp_is_refused() -> None:
    with pytest.raises(rtp.RtpError):
        Reception().take(b"\x80\x60\0", 0.0)
