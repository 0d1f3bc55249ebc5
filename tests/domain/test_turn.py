"""What clients are told of STUN and TURN servers."""

import base64
import hashlib
import hmac

from parlour.domain.turn import ice_servers


def test_a_turn_credential_expires_and_proves_the_secret() -> None:
    stun, turn = ice_servers(["stun:s.example"], ["turn:t.example?transport=udp"], "secret", "room", 1000.9, 600)
    assert stun == {"urls": ["stun:s.example"]}
    assert turn["urls"] == ["turn:t.example?transport=udp"]
    assert turn["username"] == "1600:room"
    expected = hmac.new(b"secret", b"1600:room", hashlib.sha1).digest()
    assert base64.b64decode(turn["credential"]) == expected


def test_nothing_configured_is_an_empty_list() -> None:
    assert ice_servers([], [], "", "room", 0) == []
    assert ice_servers([], ["turn:t.example"], "", "room", 0) == [], "a TURN server without a secret is of no use"
