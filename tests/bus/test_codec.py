"""What travels on the bus comes out as it went in, or is refused."""

from types import MappingProxyType
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlour.bus import codec
from parlour.domain.live import commands, events
from parlour.domain.live.member import Member
from parlour.domain.room import Room
from tests.domain.live.people import a_room

VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
JSON = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)

st.register_type_strategy(float, FLOATS)
st.register_type_strategy(Room, st.just(a_room(name="Café", meta={"a": [1, {"b": None}]})))
OBJECTS = st.dictionaries(st.text(max_size=6), JSON, max_size=3)


def anything(kind: type) -> st.SearchStrategy[object]:
    """Values of a type, its open fields filled with JSON."""
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]  # a dataclass, every one of them
    given_fields = {name: OBJECTS for name in ("params", "result", "user_variables", "meta") if name in fields}
    return st.builds(kind, **given_fields)


for _kind in (Member, events.Session, commands.Past):
    st.register_type_strategy(_kind, anything(_kind))


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("kind", get_args(commands.Command), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_command_comes_out_as_it_went_in(kind: type, data: st.DataObject) -> None:
    command = data.draw(anything(kind))
    assert codec.decode_command(codec.encode(command)) == command  # type: ignore[arg-type]  # a command of some kind


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("kind", get_args(commands.Reply), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_reply_comes_out_as_it_went_in(kind: type, data: st.DataObject) -> None:
    reply = data.draw(anything(kind))
    assert codec.decode_reply(codec.encode(reply)) == reply  # type: ignore[arg-type]  # a reply of some kind


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("kind", get_args(events.Event), ids=lambda kind: kind.__name__)
@given(data=st.data(), to=st.none() | st.tuples(st.text()), but=st.tuples() | st.tuples(st.text()), by=st.text())
def test_every_event_comes_out_as_it_went_in(
    kind: type, data: st.DataObject, to: tuple[str, ...] | None, but: tuple[str, ...], by: str
) -> None:
    told = events.Told(data.draw(anything(kind)), to, but)  # type: ignore[arg-type]  # an event of some kind
    assert codec.decode_told(codec.encode_told(told, by)) == (told, by)


@given(st.binary(max_size=200))
def test_noise_is_garbled(noise: bytes) -> None:
    for decode in (codec.decode_command, codec.decode_reply, codec.decode_told):
        with pytest.raises(codec.Garbled):
            decode(noise)


@given(st.data())
def test_a_message_cut_short_is_garbled(data: st.DataObject) -> None:
    whole = codec.encode(commands.Act("ana", "mute", ("bob",), {"channels": ["audio"]}))
    with pytest.raises(codec.Garbled):
        codec.decode_command(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(
    "message",
    [
        b'{"type":"Exec","value":{}}',
        b'{"type":"Done","value":{}}',  # a reply is no command
        b'{"type":"Leave","value":{"call_id":7}}',
        b'{"type":"Leave","value":{"call_id":"c"},"more":1}',
        b'{"type":"Leave"}',
    ],
)
def test_what_is_no_command_is_garbled(message: bytes) -> None:
    with pytest.raises(codec.Garbled):
        codec.decode_command(message)


def test_a_mapping_that_is_no_dictionary_travels_as_one() -> None:
    room = a_room(meta=MappingProxyType({"topic": "tea"}))
    read = codec.decode_command(codec.encode(commands.Join(room, "call", "sdp", "Ada", ())))
    assert isinstance(read, commands.Join)
    assert read.room.settings.meta == {"topic": "tea"}
