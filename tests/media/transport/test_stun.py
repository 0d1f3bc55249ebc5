"""STUN messages, held against another implementation."""

import pytest
from aioice import stun as reference
from hypothesis import given
from hypothesis import strategies as st

from parlour.media.transport import stun

KEY = b"the password of the leg"


def request(**attributes: object) -> reference.Message:
    return reference.Message(reference.Method.BINDING, reference.Class.REQUEST, attributes=dict(attributes))


def test_a_check_is_read_and_believed() -> None:
    made = request(**{"USERNAME": "ours:theirs", "PRIORITY": 7, "USE-CANDIDATE": None, "ICE-CONTROLLING": 9})
    made.add_message_integrity(KEY)
    message = stun.parse(bytes(made))
    assert message.kind == stun.REQUEST
    assert message.transaction == made.transaction_id
    assert message.username == "ours:theirs"
    assert message.use_candidate
    assert not message.controlled
    assert stun.is_authentic(message, bytes(made), KEY)
    assert not stun.is_authentic(message, bytes(made), KEY + b"!")


def test_a_message_without_integrity_is_not_believed() -> None:
    made = request(USERNAME="ours:theirs")
    message = stun.parse(bytes(made))
    assert not stun.is_authentic(message, bytes(made), KEY)


def test_what_follows_the_integrity_is_not_read() -> None:
    made = request(USERNAME="ours:theirs")
    made.attributes["MESSAGE-INTEGRITY"] = reference.message_integrity(bytes(made), KEY)
    made.attributes["USE-CANDIDATE"] = None
    made.add_fingerprint()
    message = stun.parse(bytes(made))
    assert stun.is_authentic(message, bytes(made), KEY)
    assert not message.use_candidate


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 32853), ("2001:db8::1", 65535), ("fe80::1%eth0", 1)])
def test_an_answer_is_understood(host: str, port: int) -> None:
    transaction = bytes(range(12))
    answer = reference.parse_message(stun.success(transaction, host, port, KEY))
    assert answer.message_class == reference.Class.RESPONSE
    assert answer.transaction_id == transaction
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == (host.partition("%")[0], port)
    assert answer.check_message_integrity(KEY)
    assert "FINGERPRINT" in answer.attributes


def test_a_refusal_is_understood() -> None:
    answer = reference.parse_message(stun.error(bytes(12), stun.ROLE_CONFLICT, "Role Conflict", KEY))
    assert answer.message_class == reference.Class.ERROR
    assert answer.attributes["ERROR-CODE"] == (487, "Role Conflict")
    assert answer.check_message_integrity(KEY)


def good() -> bytes:
    """One check, the same bytes each time: a transaction of its own would make every example another one."""
    made = request(USERNAME="ours:theirs")
    made.transaction_id = bytes(range(12))
    made.add_message_integrity(KEY)
    return bytes(made)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        good()[:19],
        good()[:-4],
        good() + bytes(4),
        good()[:4] + b"\0\0\0\0" + good()[8:],
        good()[:-1] + bytes([good()[-1] ^ 1]),
        b"\0\x01\0\x04" + good()[4:20] + b"\0\x06\0\x08",
        b"\0\x01\0\x08" + good()[4:20] + b"\0\x06\0\x02\xff\xff\0\0",
        b"\0\x01\0\x08" + good()[4:20] + b"\0\x08\0\x04" + bytes(4),
    ],
    ids=[
        "empty", "header cut off", "end cut off", "longer than it says", "no cookie", "wrong fingerprint",
        "attribute beyond the end", "user name not UTF-8", "integrity too short",
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused(data: bytes) -> None:
    with pytest.raises(stun.StunError):
        stun.parse(data)


@given(st.binary(max_size=200), st.integers(0, 200), st.binary(max_size=8))
def test_nothing_but_a_stun_error_is_raised(rubbish: bytes, at: int, splice: bytes) -> None:
    valid = good()
    for data in (rubbish, valid[:8] + rubbish, valid[:at] + splice + valid[at + len(splice) :]):
        try:
            message = stun.parse(data)
        except stun.StunError:
            continue
        assert data == valid or not stun.is_authentic(message, data, KEY) or data[:-8] == valid[:-8]
