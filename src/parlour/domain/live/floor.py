"""Who is talking and who has the floor, from one score a member for every 20 ms of sound.

The numbers are mod_conference's: a gate with hang-over against chopped words, a smoothed score against coughs, and a
second of talking before the picture follows the voice. A score is the mean absolute sample value, 0 to 32767.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

FRAME = 0.02
"""Seconds of sound behind one score."""
START_FRAMES = 5
"""Frames with an open gate that make somebody a talker, 100 ms; a closed frame takes one back."""
START_AT_ONCE = 400
"""So far above the gate, one frame is enough."""
STOP_FRAMES = 40
"""Frames with a closed gate that end the talking, 800 ms; an open frame takes one back."""
LEVEL_MAX = 25_000
CHALLENGE_ABOVE = 300
"""The smoothed score that it takes to win the floor ..."""
YIELD_BELOW = 100
"""... from somebody whose own is below this."""
VIDEO_FLOOR_FRAMES = 50
"""Open frames of one talk before the picture follows, one second."""

GATE_MAX = 1800
"""The gate of sensitivity 0, mod_conference's largest energy level: nearly deaf."""
GATE_DEFAULT = 200
"""The gate of the default sensitivity, mod_conference's energy level for composed rooms."""
SENSITIVITY_DEFAULT = 44
_CURVE: float = math.log(GATE_DEFAULT / GATE_MAX) / math.log(1 - SENSITIVITY_DEFAULT / 100)


@cache
def gate(sensitivity: int) -> int:
    """The score above which a member is heard, from its ``input_sensitivity`` of 0 to 100.

    A curve of our own through 1800 at 0, 200 at the default of 44 and 0 at 100.
    """
    return round(GATE_MAX * math.pow(1 - sensitivity / 100, _CURVE))


class Voice(NamedTuple):
    """One member's voice so far: counters in frames, ``level`` the smoothed score."""

    talking: bool = False
    open_hits: int = 0
    closed_hits: int = 0
    open_frames: int = 0
    level: float = 0.0


SILENT = Voice()


class Floor(NamedTuple):
    """Everybody's voices (silent ones left out), and who has the floor of the sound and of the picture."""

    voices: Mapping[str, Voice] = MappingProxyType({})
    audio: str | None = None
    video: str | None = None
    former_video: str | None = None


def listen(voice: Voice, score: int, gate: int) -> Voice:
    """The voice after one more frame."""
    level = min(0.2 * score + 0.8 * voice.level, LEVEL_MAX)
    if level < 1:
        level = 0.0
    talking, opened, closed, frames = voice.talking, voice.open_hits, voice.closed_hits, voice.open_frames
    if score > gate:
        opened, closed, frames = opened + 1, max(closed - 1, 0), frames + talking
        if score - gate >= START_AT_ONCE or opened >= START_FRAMES:
            opened = closed = 0
            if not talking:
                talking, frames = True, 1
    else:
        opened = max(opened - 1, 0)
        closed = closed + 1 if talking else 0
        if closed >= STOP_FRAMES:
            talking, opened, closed, frames = False, 0, 0, 0
    after = Voice(talking, opened, closed, frames, level)
    return SILENT if after == SILENT else after


def advance(
    floor: Floor, heard: Mapping[str, tuple[int, int]], seen: Callable[[], Collection[str]]
) -> tuple[Floor, dict[str, bool]]:
    """The floor after one more frame, and who began (true) or stopped (false) talking in it.

    ``heard`` maps member ids to score and gate; who is missing is silent. ``seen`` says whom the picture may follow,
    when it might follow somebody else.
    """
    voices: dict[str, Voice] = {}
    turned: dict[str, bool] = {}
    for member_id in {**floor.voices, **heard}:
        before = floor.voices.get(member_id, SILENT)
        score, threshold = heard.get(member_id, (0, 0))
        after = listen(before, score, threshold)
        if after is not SILENT:
            voices[member_id] = after
        if after.talking != before.talking:
            turned[member_id] = after.talking
    challenger = _challenger(floor, voices)
    if challenger is not None:
        # From zero for everybody: the new holder's voice rises with the others' and keeps what it won.
        voices = {member_id: voice._replace(level=0.0) for member_id, voice in voices.items()}
        floor = floor._replace(audio=challenger)
    holder = floor.audio
    talked = voices.get(holder, SILENT).open_frames if holder else 0
    if talked >= VIDEO_FLOOR_FRAMES and holder != floor.video and holder in seen():
        floor = floor._replace(video=holder, former_video=floor.video)
    return floor._replace(voices=voices), turned


def _challenger(floor: Floor, voices: Mapping[str, Voice]) -> str | None:
    if floor.audio is None:
        ready = [member_id for member_id, voice in voices.items() if voice.talking]
    elif voices.get(floor.audio, SILENT).level < YIELD_BELOW:
        ready = [
            member_id
            for member_id, voice in voices.items()
            if voice.talking and voice.level > CHALLENGE_ABOVE and member_id != floor.audio
        ]
    else:
        return None
    return max(ready, key=lambda member_id: voices[member_id].level, default=None)


def hush(floor: Floor, members: Collection[str]) -> Floor:
    """The floor once these members cannot be heard any more: their voices are forgotten, the sound's floor is free."""
    if floor.audio not in members and not any(member_id in floor.voices for member_id in members):
        return floor
    return floor._replace(
        voices={member_id: voice for member_id, voice in floor.voices.items() if member_id not in members},
        audio=None if floor.audio in members else floor.audio,
    )


def vacate(floor: Floor, members: Collection[str], seen: Sequence[str]) -> Floor:
    """The floor once these members cannot be seen any more.

    A picture's floor that falls free goes back to who had it before, else to the first of ``seen`` (in the order of
    joining, without ``members``), else to nobody.
    """
    former = None if floor.former_video in members else floor.former_video
    if floor.video not in members:
        return floor if former == floor.former_video else floor._replace(former_video=former)
    heir = former if former in seen else next(iter(seen), None)
    return floor._replace(video=heir, former_video=None)
