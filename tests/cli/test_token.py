"""``parlour token`` against a real server."""

import pytest

from tests.cli.conftest import Parlour


def test_a_new_token_works_until_it_is_revoked(parlour: Parlour) -> None:
    made = parlour.ok("token", "create", "Booking", "--permission", "video", "--permission", "calling")
    assert made.pairs["May"] == "calling, video"
    assert "keep it" in made.err
    token, token_id = made.pairs["Token"], made.pairs["ID"]
    assert parlour.ok("room", "list", "--token", token).code == 0

    listed = parlour.ok("token", "list")
    assert token not in listed.out
    assert f"{token_id}  PT…{token[-4:]}  Booking" in listed.out

    assert parlour("token", "revoke", token_id).code == 2
    assert parlour.ok("token", "revoke", token_id, "--yes").out == f"Revoked {token_id}.\n"
    assert "does not accept" in parlour.trouble("room", "list", "--token", token)
    assert parlour.trouble("token", "revoke", token_id, "--yes") == f"There is no token {token_id} in this project.\n"


def test_json(parlour: Parlour) -> None:
    made = parlour.ok("token", "create", "Booking", "--permission", "fax", "--json").json
    assert made["permissions"] == ["fax"]
    first, *_ = parlour.ok("token", "list", "--json", "--limit", "1").json
    assert first == made | {"token": f"PT…{made['token'][-4:]}"}


def test_a_token_without_the_permission_is_told_which(parlour: Parlour) -> None:
    token = parlour.ok("token", "create", "Booking", "--permission", "video").pairs["Token"]
    said = parlour.trouble("token", "list", "--token", token)
    assert "management" in said
    assert token not in said


@pytest.mark.parametrize("words", [[], ["--permission", "flying"]])
def test_permissions_are_those_there_are(parlour: Parlour, words: list[str]) -> None:
    done = parlour("token", "create", "Booking", *words)
    assert done.code == 2
    assert "messaging" in done.err
