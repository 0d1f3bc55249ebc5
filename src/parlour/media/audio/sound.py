"""The sound plane of a room: everybody's packets in, one mix and the speakers' mix-minuses out."""

import threading
from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from parlour.media.audio.encode import MixEncoder
from parlour.media.audio.frame import FRAME, Pcm, Samples
from parlour.media.audio.member import MemberSound, PacketTally
from parlour.media.audio.mix import Mixed, Mixer, to_pcm, volume_gain
from parlour.media.audio.tones import Tone, Tones
from parlour.media.audio.volumes import OwnMix, Volumes
from parlour.media.packets import RtpPacket
from parlour.media.tally import total

_KEPT: Final = 150  # ticks that a speaker's encoder outlives the speaker's place in the mix, 3 s
_PRIMED: Final = 3  # frames of the shared mix that a new encoder is fed
_CHANGES: Final = 4096
_SHARED_COMPLEXITY: Final = 5
_OWN_COMPLEXITY: Final = 1


class TickResult(NamedTuple):
    """20 ms of the room's sound.

    ``timestamp`` counts 48 kHz samples from the room's start, the same for all payloads. ``scores`` has every member,
    0 to 32767. ``shared`` is the Opus payload for all who are not in ``own``; ``samples`` is what it encodes, for
    recorders. ``said`` has the RTP timestamps (32 bits) of what those who are awake said last, which is in this frame
    unless it is delayed.
    """

    timestamp: int
    scores: dict[str, float]
    shared: bytes
    own: dict[str, bytes]
    samples: Pcm
    said: dict[str, int]

    def payload_for(self, member: str) -> bytes:
        """What this member is to hear."""
        return self.own.get(member, self.shared)


@dataclass(frozen=True, slots=True)
class SoundStatistics:
    """The room's sound so far. ``encoded`` counts frames of all mixes, ``strays`` packets of nobody here, ``refused``
    changes beyond the bound, ``packets`` those of everybody who is or was here.
    """

    ticks: int
    members: int
    awake: int
    encoders: int
    encoders_made: int
    encoded: int
    tones_played: int
    tones_coalesced: int
    strays: int
    refused: int
    packets: PacketTally


class Sound:
    """Mixes a room. ``tick`` may run in a thread, one at a time; everything else may be called meanwhile.

    Who joins, leaves or changes volume does so with the next tick.
    """

    def __init__(self, bit_rate: int = 40_000, expected_loss: int = 10) -> None:
        self._bit_rate = bit_rate
        self._expected_loss = expected_loss
        self._members: dict[str, MemberSound] = {}
        self._former = PacketTally()
        self._lock = threading.Lock()  # who goes from the one to the other is counted once
        self._volumes: dict[str, float] = {}
        self._outputs = Volumes(lambda: self._encoder(_OWN_COMPLEXITY))
        self._awake: dict[str, MemberSound] = {}
        self._leaving: set[str] = set()
        self._heard: set[str] = set()
        self._changes: deque[Callable[[float], None]] = deque()
        self._woken: deque[str] = deque(maxlen=_CHANGES)
        self._made = self._encoded = 0
        self._mixer = Mixer()
        self._tones = Tones()
        self._shared = self._encoder(_SHARED_COMPLEXITY)
        self._own: dict[str, OwnMix] = {}
        self._recent: deque[Pcm] = deque(maxlen=_PRIMED)
        self._ticks = self._timestamp = self._strays = self._refused = 0

    def join(self, member: str) -> None:
        """Listen to a member from the next tick on; packets that come before are strays."""
        self._change(partial(self._join, member, MemberSound()))

    def leave(self, member: str) -> None:
        """Let a member fade and forget them."""
        self._change(partial(self._leave, member))

    def set_volume(self, member: str, volume: int) -> None:
        """How loud others hear a member: -50 to 50, see ``volume_gain``."""
        self._change(partial(self._set_volume, member, volume_gain(volume)))

    def set_output_volume(self, member: str, volume: int) -> None:
        """How loud a member hears the others, as ``set_volume``; see ``Volumes``."""
        self._change(partial(self._set_output_volume, member, volume_gain(volume)))

    def set_delay(self, member: str, samples: int) -> None:
        """Let others hear a member so much later, which is reached little by little where it would be noticed."""
        self._change(partial(self._set_delay, member, samples))

    def play(self, tone: Tone) -> None:
        """Let everybody hear a tone soon."""
        self._change(partial(self._tones.ask, tone))

    def receive(self, member: str, packet: RtpPacket) -> None:
        """Take in an Opus packet as it came from the network. Cheap; never raises, never blocks."""
        sound = self._members.get(member)
        if sound is None:
            self._strays += 1
        elif sound.offer(packet) and not sound.awake:
            self._woken.append(member)

    def skip(self, ticks: int) -> None:
        """Let the room's time go on without sound, for ticks that were missed."""
        self._change(partial(self._skip, ticks))

    def tick(self, now: float, in_mix: AbstractSet[str]) -> TickResult:
        """The frame due at ``now``, in seconds of the clock that stamps packets. Blocks for as long as codecs work.

        ``in_mix`` are the members who are heard; names that are not in the room are ignored. Call it once for each
        20 ms, also for those that are late.
        """
        while self._changes:
            self._changes.popleft()(now)
        while self._woken:
            self._wake(self._woken.popleft(), now)
        heard = {member for member in in_mix if member in self._members and member not in self._leaving}
        scores = dict.fromkeys(self._members, 0.0)
        frames = self._frames(now, heard, scores)
        gains = {member: self._volumes.get(member, 1.0) for member in heard}
        mixed = self._mixer.mix(frames, gains, self._tones.frame(now))
        samples = to_pcm(mixed.total)
        own = self._own_payloads(mixed, heard)
        turned, volumes = self._outputs.payloads(mixed, self._recent, own)
        shared = self._shared.encode(samples, silent=mixed.silent)
        self._encoded += 1 + len(own) + volumes
        self._recent.append(samples)
        self._heard = heard
        self._forget()
        timestamp = self._timestamp
        self._timestamp += FRAME
        self._ticks += 1
        said = {member: sound.said for member, sound in self._awake.items() if sound.said is not None}
        return TickResult(timestamp, scores, shared, own | turned, samples, said)

    def statistics(self) -> SoundStatistics:
        """Counters since the beginning and the present state."""
        with self._lock:
            packets = total([self._former, *(sound.tally() for sound in self._members.values())])
        return SoundStatistics(
            ticks=self._ticks,
            members=len(self._members),
            awake=len(self._awake),
            encoders=len(self._own) + len(self._outputs) + 1,
            encoders_made=self._made,
            encoded=self._encoded,
            tones_played=self._tones.played,
            tones_coalesced=self._tones.coalesced,
            strays=self._strays,
            refused=self._refused,
            packets=packets,
        )

    def _frames(self, now: float, heard: AbstractSet[str], scores: dict[str, float]) -> dict[str, Samples]:
        """The frames of everybody awake; fills in their scores."""
        frames: dict[str, Samples] = {}
        fading = self._mixer.sounding
        for member in heard - self._heard:
            self._members[member].rewind()
        for member, sound in list(self._awake.items()):
            frame = sound.tick(now, member in heard or member in fading)
            scores[member] = sound.score
            if frame is not None:
                frames[member] = frame
            if not sound.awake:
                del self._awake[member]
        return frames

    def _own_payloads(self, mixed: Mixed, heard: AbstractSet[str]) -> dict[str, bytes]:
        for member in heard:
            own = self._own.get(member)
            if own is None:
                encoder = self._encoder(_OWN_COMPLEXITY)
                own = self._own[member] = OwnMix.begun(encoder, self._recent, self._outputs.heard(member))
            own.until = self._ticks + _KEPT
        self._own = {member: own for member, own in self._own.items() if own.until >= self._ticks}
        return {
            member: own.encode(mixed, self._outputs.wanted(member), but=member) for member, own in self._own.items()
        }

    def _encoder(self, complexity: int) -> MixEncoder:
        self._made += 1
        return MixEncoder(self._bit_rate, complexity, self._expected_loss)

    def _wake(self, member: str, now: float) -> None:
        sound = self._members.get(member)
        if sound is not None and not sound.awake:
            sound.wake(now)
            self._awake[member] = sound

    def _forget(self) -> None:
        """Drop those who left, now that they have faded."""
        for member in self._leaving:
            self._seat(member, None)
            self._awake.pop(member, None)
            self._volumes.pop(member, None)
            self._outputs.set(member, 1.0)
            self._own.pop(member, None)
        self._leaving.clear()

    def _change(self, change: Callable[[float], None]) -> None:
        if len(self._changes) >= _CHANGES:
            self._refused += 1
        else:
            self._changes.append(change)

    def _join(self, member: str, sound: MemberSound, now: float) -> None:
        self._leaving.discard(member)
        self._awake.pop(member, None)
        self._seat(member, sound)

    def _seat(self, member: str, sound: MemberSound | None) -> None:
        """Let this one, or nobody, be the member from now on. The counts of who was before are kept."""
        with self._lock:
            before = self._members.get(member)
            if sound is not None:
                self._members[member] = sound
            elif before is not None:
                del self._members[member]
            if before is not None:
                self._former = total((self._former, before.tally()))

    def _leave(self, member: str, now: float) -> None:
        if member in self._members:
            self._leaving.add(member)

    def _set_volume(self, member: str, gain: float, now: float) -> None:
        if member in self._members:
            self._volumes[member] = gain

    def _set_delay(self, member: str, samples: int, now: float) -> None:
        sound = self._members.get(member)
        if sound is not None:
            sound.set_delay(samples)

    def _set_output_volume(self, member: str, gain: float, now: float) -> None:
        if member in self._members:
            self._outputs.set(member, gain)

    def _skip(self, ticks: int, now: float) -> None:
        self._timestamp += FRAME * max(0, ticks)
