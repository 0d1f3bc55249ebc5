"""What an Opus packet says about its length."""

import pytest

from parlour.media.audio.frame import FRAME, opus_packet_samples
from tests.media.audio.signals import opus, sine


@pytest.mark.parametrize("milliseconds", [10, 20, 40, 60])
@pytest.mark.parametrize("bit_rate", [12_000, 32_000, 128_000])
def test_the_length_of_what_libopus_makes(milliseconds: int, bit_rate: int) -> None:
    payloads = opus(sine(440, 30), milliseconds, bit_rate=bit_rate)
    assert {opus_packet_samples(payload) for payload in payloads} == {48 * milliseconds}


@pytest.mark.parametrize(
    ("payload", "samples"),
    [(b"", 0), (b"\xfb", 0), (b"\xfb\x03", 3 * FRAME), (b"\xfb\x3f", 0), (b"\xf9\x00\x00", 2 * FRAME), (b"\x00", 480)],
    ids=["empty", "no count", "three frames", "too long", "two frames", "first octet only"],
)
def test_counted_by_the_first_octets(payload: bytes, samples: int) -> None:
    assert opus_packet_samples(payload) == samples
