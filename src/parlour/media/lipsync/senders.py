"""All senders of a room: each one's sound and picture are made to wait for each other, where the room wants that."""

from collections.abc import Callable, Mapping
from typing import Final

from parlour.domain.live.room import LiveRoom
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.audio.sound import TickResult
from parlour.media.call import Call
from parlour.media.lipsync.alignment import AS_IT_COMES

EVERY: Final = 5
"""Frames of sound from one look at a sender to the next, 100 ms."""


class Senders:
    """Looks at the calls of a room and does what their alignments plan.

    ``calls`` are the conference's own, by member. ``delay`` lets a member be heard so many samples later; ``started``
    is when the room's time began, in seconds of the clock that packets arrive by, and ``tick`` seconds are from one
    picture to the next, which may change.
    """

    def __init__(
        self, calls: Mapping[str, Call], delay: Callable[[str, int], None], started: float, tick: float
    ) -> None:
        self._calls = calls
        self._delay = delay
        self._started = started
        self.tick = tick
        self._aligned = False

    def follow(self, state: LiveRoom, sound: TickResult, now: float) -> None:
        """Take note of a frame of the room's sound, and act on every fifth. To be called with each."""
        wanted = bool(state.room.settings.sync_audio_video)
        if not (wanted or self._aligned) or sound.timestamp % (EVERY * FRAME):
            return
        self._aligned = wanted
        at = self._started + sound.timestamp / RATE
        for member_id, call in self._calls.items():
            said, member = sound.said.get(member_id), state.members.get(member_id)
            if said is not None:
                call.alignment.said(said, at)
            both = member is not None and member.sends_audio and member.is_heard and member.is_seen
            before, call.plan = call.plan, call.alignment.plan(now, self.tick, both=both) if wanted else AS_IT_COMES
            if call.decoder is not None:
                call.decoder.schedule = call.plan.schedule
            if call.plan.delay != before.delay:
                self._delay(member_id, round(call.plan.delay * RATE))

    def statistics(self) -> dict[str, float]:
        """How many senders' sound and picture wait for each other now, and how many are given up.

        Sums over the former: by how much their pictures' ways are longer or shorter than their sounds', and how long
        their sounds and pictures wait.
        """
        aligned = [call for call in self._calls.values() if call.plan.schedule is not None]
        offsets = [call.alignment.offset or 0.0 for call in aligned]
        sound = sum(call.plan.delay for call in aligned)
        return {
            "senders": len(aligned),
            "given_up": sum(call.alignment.given_up for call in self._calls.values()) if self._aligned else 0,
            "offset_ms": round(sum(map(abs, offsets)) * 1000),
            "sound_delay_ms": round(sound * 1000),
            "picture_delay_ms": round((sound - sum(offsets)) * 1000),
        }
