"""What travels on the bus, as JSON: a value and the name of its type."""

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from parlour.domain.live import commands, events

MESSAGE_MAX = 512 * 1024
"""Bytes. An SDP is at most 64 KiB, a join of 300 members about 150 KiB."""

_COMMANDS = get_args(commands.Command)
_REPLIES = get_args(commands.Reply)
_EVENTS = get_args(events.Event)
_TYPES: dict[str, type] = {kind.__name__: kind for kind in (*_COMMANDS, *_REPLIES, *_EVENTS)}


class Garbled(ValueError):  # noqa: N818 - says what the message is
    """A message that is not of the bus's vocabulary."""


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    value: msgspec.Raw
    to: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()
    by: str = ""


_envelopes = msgspec.json.Decoder(_Envelope)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(kind) for name, kind in _TYPES.items()}


def plain(value: Any) -> Any:
    """A mapping that is no dictionary, such as a room's ``meta`` as the store gives it, as one."""
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} does not travel")


_encoder = msgspec.json.Encoder(enc_hook=plain)


def encode(value: commands.Command | commands.Reply) -> bytes:
    """Write a command or a reply."""
    return _write(value)


def encode_told(told: events.Told, by: str) -> bytes:
    """Write an event with whom it is for and the worker that tells it."""
    return _write(told.event, told.to, told.but, by)


def decode_command(message: bytes) -> commands.Command:
    """Read a command. Raises ``Garbled``."""
    value: commands.Command = _read(message, _COMMANDS)[0]
    return value


def decode_reply(message: bytes) -> commands.Reply:
    """Read a reply. Raises ``Garbled``."""
    value: commands.Reply = _read(message, _REPLIES)[0]
    return value


def decode_told(message: bytes) -> tuple[events.Told, str]:
    """Read an event and the worker that tells it. Raises ``Garbled``."""
    value, envelope = _read(message, _EVENTS)
    return events.Told(value, envelope.to, envelope.but), envelope.by


def _write(value: Any, to: tuple[str, ...] | None = None, but: tuple[str, ...] = (), by: str = "") -> bytes:
    return _encoder.encode(_Envelope(type(value).__name__, msgspec.Raw(_encoder.encode(value)), to, but, by))


def _read(message: bytes, kinds: tuple[type, ...]) -> tuple[Any, _Envelope]:
    try:
        envelope = _envelopes.decode(message)
        if _TYPES.get(envelope.type) not in kinds:
            raise Garbled(f"a message of type {envelope.type!r} does not belong here")
        return _decoders[envelope.type].decode(envelope.value), envelope
    except msgspec.MsgspecError as error:
        raise Garbled(str(error)) from error
