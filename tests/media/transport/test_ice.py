"""Which route a lite agent follows."""

from parlour.media.transport.ice import MAX_REMEMBERED, MAX_ROUTES, STALE, IceLite, Route
from tests.media.transport.peer import Memory

CARRIER = Memory()
A, B, C = (Route(CARRIER, ("192.0.2.1", port)) for port in (1, 2, 3))


def test_before_a_nomination_the_latest_check_leads() -> None:
    ice = IceLite("them", 0)
    ice.validate(A, 1, nominated=False)
    ice.validate(B, 2, nominated=False)
    assert ice.selected == B


def test_a_nomination_holds_until_the_next() -> None:
    ice = IceLite("them", 0)
    ice.validate(A, 1, nominated=True)
    ice.validate(B, 2, nominated=False)
    assert ice.selected == A
    ice.validate(B, 3, nominated=True)
    assert ice.selected == B


def test_a_path_without_checks_gives_way() -> None:
    ice = IceLite("them", 0)
    ice.validate(A, 1, nominated=True)
    ice.validate(B, 1 + STALE, nominated=False)
    assert ice.selected == A
    ice.validate(B, 2 + STALE, nominated=False)
    assert ice.selected == B


def test_a_lost_route_gives_way_to_the_latest_checked() -> None:
    ice = IceLite("them", 0)
    for route, now in ((A, 1), (C, 2), (B, 3)):
        ice.validate(route, now, nominated=route == B)
    ice.forget(B)
    assert ice.selected == C
    ice.forget(C)
    ice.forget(A)
    assert ice.selected is None


def test_routes_are_bounded_and_the_one_in_use_stays() -> None:
    ice = IceLite("them", 0)
    ice.validate(A, 0, nominated=True)
    others = [Route(CARRIER, ("198.51.100.1", port)) for port in range(MAX_ROUTES + 4)]
    gone = [ice.validate(route, 1, nominated=False) for route in others]
    assert len(ice.routes) == MAX_ROUTES
    assert ice.selected == A
    assert [route for route in gone if route is not None] == others[:5]


def test_a_check_over_another_route_is_a_repeated_one_and_few_are_remembered() -> None:
    ice = IceLite("them", 0)
    checks = [number.to_bytes(12) for number in range(MAX_REMEMBERED)]
    assert not any(ice.is_repeated(check, A) for check in checks + checks)
    assert all(ice.is_repeated(check, B) for check in checks)
    assert not ice.is_repeated(b"another one", B)
    assert len(ice._transactions) == MAX_REMEMBERED


def test_credentials_are_random_and_long() -> None:
    first, second = IceLite("a", 0).local, IceLite("a", 0).local
    assert first != second
    assert len(first.ufrag) >= 16
    assert len(first.password) >= 22
