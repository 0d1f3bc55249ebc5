"""Where a load test may go."""

import pytest

from parlour.loadtest.places import choose, is_loopback, own_addresses


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::1"])
def test_another_machine(host: str) -> None:
    assert not is_loopback(host)


def test_media_go_where_they_may_and_to_loopback_first() -> None:
    places = [("198.51.100.9", 1), ("192.0.2.7", 2), ("127.0.0.1", 3), ("rooms.example.com", 4)]
    assert choose(places, frozenset({"192.0.2.7"})) == ("127.0.0.1", 3)
    assert choose(places[:2], frozenset({"192.0.2.7"})) == ("192.0.2.7", 2)
    assert choose(places[:2], frozenset()) is None
    assert choose(places[:2], None) == ("198.51.100.9", 1)
    assert choose(places[3:], None) is None


def test_this_machine_has_its_loopback_address() -> None:
    assert "127.0.0.1" in own_addresses()
