"""The jitter buffer: order, bounds, delay that follows the network."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.media.audio.frame import FRAME, RATE
from parlour.media.audio.jitter import LEAST, MOST, JitterBuffer, Kind, Take
from parlour.media.packets import RtpPacket
from tests.media.audio.signals import TICK, Arrivals, packets

BEGIN = 10.0
CELT_20_MS = 31 << 3


def payloads(count: int) -> list[bytes]:
    """Packets that say 20 ms and their own number."""
    return [bytes((CELT_20_MS,)) + index.to_bytes(2, "big") for index in range(count)]


def number(take: Take) -> int:
    return int.from_bytes(take.payload[1:], "big")


def play(buffer: JitterBuffer, arrivals: Arrivals, ticks: int, first: int = 0, phase: float = 0.005) -> list[Take]:
    """What the buffer hands out each tick when its reader skips what is in excess."""
    waiting = list(reversed(arrivals))
    takes = []
    for tick in range(first, first + ticks):
        now = BEGIN + phase + tick * TICK
        while waiting and waiting[-1][0] <= now:
            buffer.put(waiting.pop()[1])
        take = buffer.take(now)
        takes.append(take)
        if take.kind is Kind.PACKET and buffer.ready and buffer.excess(now) >= FRAME:
            takes.append(buffer.take(now))
    return takes


def numbers(takes: list[Take]) -> list[int]:
    return [number(take) for take in takes if take.kind is Kind.PACKET]


def test_a_perfect_network_costs_little_delay() -> None:
    buffer = JitterBuffer()
    takes = play(buffer, packets(payloads(300)), 300)
    assert next(index for index, take in enumerate(takes) if take.kind is Kind.PACKET) <= 3
    now = BEGIN + 0.005 + 299 * TICK
    assert buffer.delay(now, FRAME) <= 0.060 * RATE
    assert buffer.target == LEAST
    assert numbers(takes) == list(range(len(numbers(takes))))
    assert buffer.statistics().lost == 0


def test_reordered_packets_come_out_in_order() -> None:
    arrivals = packets(payloads(200), delay=lambda index: 0.03 if index % 3 == 0 else 0.0)
    buffer = JitterBuffer()
    assert numbers(play(buffer, arrivals, 220)) == list(range(200))
    assert buffer.statistics().late == 0


def test_a_silence_is_cut_where_there_is_delay_to_spare() -> None:
    pause = 6 * FRAME
    arrivals = [
        (arrived, packet._replace(sequence=1000 + number))
        for number, (arrived, packet) in enumerate(packets(payloads(60))[:: pause // FRAME])
    ]
    buffer = JitterBuffer()
    for _, packet in arrivals[:2]:
        buffer.put(packet)
    now = BEGIN + pause / RATE + 0.005
    assert buffer.begin(now) == [arrivals[0][1].payload]
    assert buffer.delay(now) > buffer.target + pause / 2, "asleep it was not ordered, and much of the pause is over"
    takes: list[Take] = []
    while not takes or takes[-1].kind is not Kind.PACKET:
        takes.append(buffer.take(now + len(takes) * TICK))
    assert takes[-1].payload == arrivals[1][1].payload
    silent = sum(take.samples for take in takes[:-1])
    assert {take.kind for take in takes[:-1]} == {Kind.GAP}
    assert silent == pytest.approx(buffer.target - 0.005 * RATE, abs=1), "what is left of it until the packet is due"


def test_duplicates_are_played_once() -> None:
    arrivals = [item for item in packets(payloads(50)) for _ in range(2)]
    buffer = JitterBuffer()
    assert numbers(play(buffer, arrivals, 60)) == list(range(50))
    assert buffer.statistics().duplicates == 50


def test_a_duplicate_of_a_played_packet_is_not_late() -> None:
    arrivals = packets(payloads(50))
    buffer = JitterBuffer()
    play(buffer, arrivals, 40)
    buffer.put(arrivals[3][1])
    assert (buffer.statistics().duplicates, buffer.statistics().late) == (1, 0)


def test_a_lost_packet_is_told_once_and_leaves_no_trace_in_the_delay() -> None:
    buffer = JitterBuffer()
    takes = play(buffer, [item for index, item in enumerate(packets(payloads(100))) if index != 40], 101)
    kinds = Counter(take.kind for take in takes[5:95])
    assert kinds[Kind.LOST] == 1
    assert kinds[Kind.STALL] == 0
    assert buffer.statistics().lost == 1


def test_a_packet_that_comes_after_its_turn_is_late() -> None:
    arrivals = packets(payloads(100), delay=lambda index: 0.5 if index == 40 else 0.0)
    buffer = JitterBuffer()
    assert 40 not in numbers(play(buffer, arrivals, 110))
    assert (buffer.statistics().late, buffer.statistics().lost) == (1, 1)


def test_delay_rises_quickly_with_jitter_and_falls_slowly() -> None:
    buffer = JitterBuffer()
    arrivals = packets(payloads(1500), delay=lambda index: 0.1 * (index % 5 == 0) if 200 <= index < 300 else 0.0)
    play(buffer, arrivals[:200], 200)
    calm = buffer.target
    play(buffer, arrivals[200:215], 22, first=200)
    assert buffer.target > calm + 2 * FRAME
    play(buffer, arrivals[215:300], 78, first=222)
    high = buffer.target
    assert high >= 0.1 * RATE
    play(buffer, arrivals[300:350], 50, first=300)
    assert buffer.target > high - FRAME
    play(buffer, arrivals[350:], 1150, first=350)
    assert buffer.target == LEAST


def test_delay_is_added_while_the_sender_is_quiet() -> None:
    buffer = JitterBuffer()
    arrivals = packets(payloads(200), delay=lambda index: 0.1 * (100 <= index < 104))
    play(buffer, arrivals[:100], 100)
    for _, packet in arrivals[100:110]:
        buffer.put(packet)
    now = BEGIN + 0.005 + 100 * TICK
    assert buffer.excess(now) < -FRAME
    assert buffer.take(now, quiet=True).kind is Kind.STALL
    assert buffer.take(now, quiet=False).kind is Kind.PACKET


def test_the_target_stays_within_its_bounds() -> None:
    buffer = JitterBuffer()
    play(buffer, packets(payloads(200), delay=lambda index: 0.9 * (index % 2)), 250)
    assert buffer.target == MOST


def test_a_muted_sender_is_empty_without_error_and_comes_back() -> None:
    buffer = JitterBuffer()
    takes = play(buffer, packets(payloads(50)), 100)
    assert all(take.kind is Kind.IDLE for take in takes[60:])
    # The sender's clock may have stood still or gone on meanwhile.
    still = packets(payloads(50), begin=BEGIN + 2.0, sequence=1050, timestamp=5000 + 50 * FRAME)
    assert numbers(play(buffer, still, 60, first=100)) == list(range(50))
    went_on = packets(payloads(50), begin=BEGIN + 4.0, sequence=1100, timestamp=5000 + 150 * FRAME)
    assert numbers(play(buffer, went_on, 60, first=200)) == list(range(50))
    assert (buffer.statistics().lost, buffer.statistics().resets) == (0, 0)
    assert buffer.target <= 2 * FRAME


class Watched(JitterBuffer):
    """Counts how often it looks at its delay, which is at least once for each packet that it looks for."""

    looks = 0

    def delay(self, now: float, held: int = 0) -> float:
        self.looks += 1
        return super().delay(now, held)


def test_a_sequence_that_runs_ahead_of_the_sender_s_clock_costs_no_more_than_another() -> None:
    short = RATE // 400  # 2.5 ms
    arrivals = packets([bytes((28 << 3, 1))] * 400, samples=short)
    buffer, takes = Watched(), []
    for index, (arrived, packet) in enumerate(arrivals):
        buffer.put(packet._replace(sequence=packet.sequence + 999 * index))
        takes.append(buffer.take(arrived + 0.02))
    played = len([take for take in takes if take.kind is Kind.PACKET])
    assert played > 300
    assert buffer.looks <= 5 * len(takes)
    assert buffer.statistics().lost == 999 * (played - 1)


def test_discontinuous_transmission_is_a_gap_and_no_loss() -> None:
    arrivals = packets(payloads(50))
    later = packets(payloads(50), begin=BEGIN + 1.06, sequence=1050, timestamp=5000 + 53 * FRAME)
    buffer = JitterBuffer()
    takes = play(buffer, [*arrivals, *later], 110)
    assert numbers(takes) == [*range(50), *range(50)]
    assert buffer.statistics().lost == 0


@pytest.mark.parametrize(
    ("sequence", "timestamp"),
    [(50_000, 5000), (1050, 77), (3, 4_000_000_000), (1050, 5000 + 900 * FRAME)],
    ids=["sequence", "timestamp back", "both", "timestamp ahead"],
)
def test_a_sender_that_restarts_goes_on(sequence: int, timestamp: int) -> None:
    again = packets(payloads(50), begin=BEGIN + 1.0, sequence=sequence, timestamp=timestamp)
    buffer = JitterBuffer()
    takes = play(buffer, [*packets(payloads(50)), *again], 110)
    assert numbers(takes)[-40:] == list(range(10, 50))
    assert buffer.statistics().resets == 1


def test_timestamps_wrap() -> None:
    buffer = JitterBuffer()
    takes = play(buffer, packets(payloads(100), timestamp=2**32 - 50 * FRAME), 110)
    assert numbers(takes) == list(range(100))
    assert buffer.statistics().resets == 0


def test_a_flood_is_bounded_and_counted() -> None:
    buffer = JitterBuffer()
    for _, packet in packets(payloads(1000)):
        buffer.put(packet._replace(arrived=BEGIN))
    assert buffer.statistics().buffered <= 64
    assert buffer.statistics().dropped == 1000 - buffer.statistics().buffered


def test_a_late_burst_does_not_stay_as_delay() -> None:
    arrivals = packets(payloads(300), delay=lambda index: max(0.0, (125 - index) * TICK) if index >= 75 else 0.0)
    buffer = JitterBuffer()
    takes = play(buffer, arrivals, 300)
    assert numbers(takes)[-100:] == list(range(numbers(takes)[-1] - 99, numbers(takes)[-1] + 1))
    assert buffer.delay(BEGIN + 0.005 + 299 * TICK, FRAME) <= MOST + 2 * FRAME
    assert buffer.statistics().dropped > 0


def test_malformed_payloads_are_counted() -> None:
    buffer = JitterBuffer()
    for payload in (b"", b"\x03", bytes((CELT_20_MS | 3, 63))):
        buffer.put(RtpPacket(payload, 1, 1, False, BEGIN))
    assert buffer.statistics().malformed == 3
    assert buffer.take(BEGIN + 1).kind is Kind.IDLE


@settings(max_examples=60, deadline=None)
@given(
    delays=st.lists(st.floats(0, 0.4), min_size=60, max_size=150),
    lost=st.sets(st.integers(0, 149), max_size=40),
    phase=st.floats(0, 0.0199),
)
def test_whatever_the_network_does_packets_come_in_order_and_once(
    delays: list[float], lost: set[int], phase: float
) -> None:
    arrivals = packets(payloads(len(delays)), delay=lambda index: delays[index])
    arrivals = [item for item in arrivals if item[1].sequence - 1000 not in lost]
    buffer = JitterBuffer()
    takes = play(buffer, arrivals, len(delays) + 60, phase=phase)
    played = numbers(takes)
    assert all(left < right for left, right in pairwise(played))
    statistics = buffer.statistics()
    assert statistics.received == len(arrivals)
    assert len(played) + statistics.late + statistics.dropped + statistics.buffered == len(arrivals)
    assert LEAST <= buffer.target <= MOST


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1 << 20), st.integers(0, 2**32 - 1), st.binary(max_size=4), st.floats(0, 100)),
        max_size=80,
    )
)
def test_nonsense_does_no_harm(nonsense: list[tuple[int, int, bytes, float]]) -> None:
    buffer = JitterBuffer()
    for index, (sequence, timestamp, payload, arrived) in enumerate(nonsense):
        buffer.put(RtpPacket(payload, sequence, timestamp, False, arrived))
        buffer.take(index * TICK)
        assert buffer.statistics().buffered <= 64
