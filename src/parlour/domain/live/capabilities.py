"""What a member may do in the room, from the capabilities in its token.

The names are the browser SDK's, which checks them before it asks; the server checks again. What no row of the tables
grants is denied.
"""

from collections.abc import Collection, Iterable
from typing import Literal

Scope = Literal["self", "member"]
"""Acting on oneself, or on somebody else. Acting on ``all`` counts as acting on others."""

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


_ON_MEMBERS = {
    "mute.audio": ("mute", "mute.audio", "mute.audio.off"),
    "mute.video": ("mute", "mute.video", "mute.video.off"),
    "unmute.audio": ("mute", "mute.audio", "mute.audio.on"),
    "unmute.video": ("mute", "mute.video", "mute.video.on"),
    "deaf": ("deaf", "deaf.on"),
    "undeaf": ("deaf", "deaf.off"),
    "raisehand": ("raisehand", "raisehand.on"),
    "lowerhand": ("raisehand", "raisehand.off"),
    "microphone.volume.set": ("microphone", "microphone.volume", "microphone.volume.set"),
    "microphone.sensitivity.set": ("microphone", "microphone.sensitivity", "microphone.sensitivity.set"),
    "speaker.volume.set": ("speaker", "speaker.volume", "speaker.volume.set"),
    "audioflags.set": ("audioflags.set",),
    "member.position.set": ("position", "position.set"),
    "member.remove": ("remove",),
}
"""By act on a member: the names below ``self`` or ``member`` that grant it, as these themselves do.

Media are switched, not muted: who mutes needs ``off``, who unmutes ``on``.
"""

_ON_ROOM = {
    "layout.set": ("layout", "layout.set"),
    "handraise.prioritize.set": ("layout", "layout.set"),
    "vmuted.hide.on": ("vmuted", "vmuted.hide", "vmuted.hide.on"),
    "vmuted.hide.off": ("vmuted", "vmuted.hide", "vmuted.hide.off"),
    "lock": ("lock", "lock.on"),
    "unlock": ("lock", "lock.off"),
    "end": ("end",),
    "recording": ("recording",),
    "meta.set": ("meta", "meta.set"),
    "meta.update": ("meta", "meta.update"),
    "digit": ("digit", "digit.send"),
    "screenshare": ("screenshare",),
    "device": ("device",),
}
"""By act on the room: what grants it."""

_FREE = frozenset({"layout.list", "member.list"})

CHANNELS = ("audio", "video")


def needs(act: str, scope: Scope) -> tuple[str, ...]:
    """The capabilities each of which lets one do ``act`` in ``scope``; none where nobody may.

    ``mute`` and ``unmute`` are asked about by channel: ``mute.audio``; ``vmuted.hide`` by what it becomes.
    """
    if act in _ON_ROOM:
        return _ON_ROOM[act]
    names = _ON_MEMBERS.get(act)
    return (scope, *(f"{scope}.{name}" for name in names)) if names else ()


def may(capabilities: Collection[str], act: str, scopes: Iterable[Scope] = ("self",)) -> bool:
    """Whether the capabilities allow ``act`` in every one of these scopes. Looking at lists needs none."""
    if act in _FREE:
        return True
    asked = tuple(scopes)
    return bool(asked) and all(any(name in capabilities for name in needs(act, scope)) for scope in asked)
