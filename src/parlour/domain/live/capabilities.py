"""What a member may do in the room, from the capabilities in its token.

The names and the way they match are the browser SDK's, which checks them before it asks; the server checks again. What
no row of the tables grants is denied.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

Scope = Literal["self", "member"]
"""Acting on oneself, or on somebody else. Acting on ``all`` counts as acting on others."""
Switch = Literal["on", "off"]

MODERATOR: tuple[str, ...] = (
    "self", "member", "layout", "digit", "vmuted", "lock", "device", "screenshare", "end",
    "recording", "meta",
)  # fmt: skip
"""Everything, on everybody."""
GUEST: tuple[str, ...] = (
    "self.mute", "self.deaf", "self.microphone", "self.speaker", "self.raisehand", "self.audioflags.set",
    "digit", "device", "screenshare",
)  # fmt: skip
"""What concerns only oneself, without choosing one's place."""


@dataclass(frozen=True, slots=True)
class Need:
    """What an act takes: one capability that is in ``whole`` or begins with ``stem``.

    A ``switch`` rules out a capability that ends in the opposite one. Media are switched, not muted: who mutes needs
    ``off``, who unmutes ``on``.
    """

    whole: tuple[str, ...] = ()
    stem: str | None = None
    switch: Switch | None = None

    def met_by(self, capabilities: Iterable[str]) -> bool:
        """Whether any of the capabilities grants this."""
        return any(self._granted_by(capability) for capability in capabilities)

    def _granted_by(self, capability: str) -> bool:
        if self.switch and capability.endswith(".off" if self.switch == "on" else ".on"):
            return False
        return capability in self.whole or (self.stem is not None and capability.startswith(self.stem))


@dataclass(frozen=True, slots=True)
class _OnMember:
    """A row of the table of acts on members: names below ``self`` or ``member``."""

    stem: str
    whole: tuple[str, ...] = ()
    switch: Switch | None = None

    def need(self, scope: Scope) -> Need:
        return Need((scope, *(f"{scope}.{name}" for name in self.whole)), f"{scope}.{self.stem}", self.switch)


_ON_MEMBERS = {
    "mute.audio": _OnMember("mute.audio", ("mute",), "off"),
    "mute.video": _OnMember("mute.video", ("mute",), "off"),
    "unmute.audio": _OnMember("mute.audio", ("mute",), "on"),
    "unmute.video": _OnMember("mute.video", ("mute",), "on"),
    "deaf": _OnMember("deaf", switch="on"),
    "undeaf": _OnMember("deaf", switch="off"),
    "raisehand": _OnMember("raisehand", switch="on"),
    "lowerhand": _OnMember("raisehand", switch="off"),
    "microphone.volume.set": _OnMember("microphone.volume", ("microphone",)),
    "microphone.sensitivity.set": _OnMember("microphone.sensitivity", ("microphone",)),
    "speaker.volume.set": _OnMember("speaker.volume", ("speaker",)),
    "audioflags.set": _OnMember("audioflags.set"),
    "member.position.set": _OnMember("position"),
    "member.remove": _OnMember("remove"),
}

_ON_ROOM = {
    "layout.set": Need(stem="layout"),
    "lock": Need(stem="lock", switch="on"),
    "unlock": Need(stem="lock", switch="off"),
    "end": Need(whole=("end",)),
    "recording": Need(whole=("recording",)),
    "meta.set": Need(stem="meta"),
    "meta.update": Need(stem="meta"),
    "digit": Need(stem="digit"),
    "screenshare": Need(whole=("screenshare",)),
    "device": Need(whole=("device",)),
}

_FREE = frozenset({"layout.list", "member.list"})

CHANNELS = ("audio", "video")


def need(act: str, scope: Scope) -> Need | None:
    """What it takes to do ``act`` in ``scope``; ``None`` where nobody may.

    ``mute`` and ``unmute`` are asked about by channel: ``mute.audio``.
    """
    if act in _ON_ROOM:
        return _ON_ROOM[act]
    row = _ON_MEMBERS.get(act)
    return row.need(scope) if row else None


def may(capabilities: Collection[str], act: str, scopes: Iterable[Scope] = ("self",)) -> bool:
    """Whether the capabilities allow ``act`` in every one of these scopes. Looking at lists needs none."""
    if act in _FREE:
        return True
    needs = [need(act, scope) for scope in scopes]
    return bool(needs) and all(needed is not None and needed.met_by(capabilities) for needed in needs)
