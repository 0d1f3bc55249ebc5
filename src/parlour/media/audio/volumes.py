"""How loud members hear the others: the shared mix at other volumes, encoded once for all who hear it so."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from parlour.media.audio.encode import MixEncoder
from parlour.media.audio.frame import Pcm
from parlour.media.audio.mix import Mixed, to_pcm, turned

MOST: Final = 8
"""Volumes at a time, each of which costs an encoder. Who wants one more hears the nearest of those that there are, or
the shared mix."""


@dataclass(slots=True)
class OwnMix:
    """A mix that not everybody hears: the gain it has now, and until which tick it is kept."""

    encoder: MixEncoder
    gain: float
    until: int = 0

    @classmethod
    def begun(cls, encoder: MixEncoder, recent: Iterable[Pcm], gain: float) -> "OwnMix":
        """For listeners who heard ``recent`` last, at this gain."""
        encoder.prime(frame if gain == 1.0 else to_pcm(frame * np.float32(gain)) for frame in recent)
        return cls(encoder, gain)

    def encode(self, mixed: Mixed, gain: float, but: str | None = None) -> bytes:
        """The mix at ``gain``, which is reached over the frame, without the voice of ``but``."""
        before, self.gain = self.gain, gain
        samples, silent = (
            (mixed.total, mixed.silent) if but is None else (mixed.without(but), mixed.silent_without(but))
        )
        return self.encoder.encode(to_pcm(turned(samples, before, gain)), silent=silent)


class Volumes:
    """Who hears the others at a volume of their own, and the mixes at these volumes."""

    def __init__(self, encoder: Callable[[], MixEncoder]) -> None:
        self._encoder = encoder
        self._gains: dict[str, float] = {}
        self._heard: dict[str, float] = {}
        self._mixes: dict[float, OwnMix] = {}

    def __len__(self) -> int:
        """How many encoders there are."""
        return len(self._mixes)

    def set(self, member: str, gain: float) -> None:
        """How loud a member wants to hear the others; 1 is as they are."""
        if gain == 1.0:
            self._gains.pop(member, None)
        else:
            self._gains[member] = gain

    def wanted(self, member: str) -> float:
        """The gain that a member wants to have."""
        return self._gains.get(member, 1.0)

    def heard(self, member: str) -> float:
        """The gain at which a member heard the last frame."""
        return self._heard.get(member, 1.0)

    def payloads(self, mixed: Mixed, recent: Collection[Pcm], but: Collection[str]) -> tuple[dict[str, bytes], int]:
        """The Opus payload of each who hears the mix at another volume, and how many were encoded; ``but`` are those
        who have a mix of their own. ``recent`` are the last frames of the shared mix."""
        listeners = self._listeners(but)
        self._mixes = {gain: mix for gain, mix in self._mixes.items() if gain in listeners}
        for gain, members in listeners.items():
            if gain not in self._mixes:
                self._mixes[gain] = OwnMix.begun(self._encoder(), recent, self.heard(members[0]))
        encoded = {gain: mix.encode(mixed, gain) for gain, mix in self._mixes.items()}
        found = {member: gain for gain, members in listeners.items() for member in members}
        self._heard = {**{member: self.wanted(member) for member in but}, **found}
        return {member: encoded[gain] for member, gain in found.items()}, len(encoded)

    def _listeners(self, but: Collection[str]) -> Mapping[float, list[str]]:
        """Who hears which of the volumes that are made."""
        wanted: defaultdict[float, list[str]] = defaultdict(list)
        for member, gain in self._gains.items():
            if member not in but:
                wanted[gain].append(member)
        if len(wanted) <= MOST:
            return wanted
        there = [gain for gain in self._mixes if gain in wanted]
        made = [*there, *(gain for gain in wanted if gain not in self._mixes)][:MOST]
        found: defaultdict[float, list[str]] = defaultdict(list)
        for gain, members in wanted.items():
            nearest = min((1.0, *made), key=lambda one: abs(log(one / gain)))
            if nearest != 1.0:
                found[nearest].extend(members)
        return found
