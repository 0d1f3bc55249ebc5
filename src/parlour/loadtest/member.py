"""One member: a connection, what it sends when, and what of its sending others have to know."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from parlour.loadtest.content import FILM, FPS, LOUD, QUIET, Film, Sounds
from parlour.loadtest.engine import TEND_S, Engine
from parlour.loadtest.eye import Eye, Opening
from parlour.loadtest.peer import Certificate, Peer
from parlour.media.audio.frame import FRAME, RATE
from parlour.media.video.codec import VIDEO_CLOCK, VideoCodec

if TYPE_CHECKING:
    import socket

FRAME_S: Final = FRAME / RATE
PICTURE_S: Final = 1 / FPS

PAUSE_AFTER: Final = 10
"""Silent frames that are sent before a browser pauses."""
REFRESH: Final = 10
"""In a pause it sends one of so many, as Chromium does."""

Sound = Iterator[tuple[bytes, int]]
"""Opus packets with their levels, without end."""


def speech(sounds: Sounds, voice: int | None) -> Sound:
    """One of the voices over and over from some point on, or silence for ``None``."""
    if voice is None:
        while True:
            yield sounds.silence, QUIET
    payloads = sounds.voices[voice % len(sounds.voices)]
    at = secrets.randbelow(len(payloads))
    while True:
        yield payloads[at], LOUD
        at = (at + 1) % len(payloads)


class Member:
    """Somebody in the room. ``film`` is the camera, ``None`` for who only receives.

    ``sent_at`` is the Unix time at which each picture of the film left last.
    """

    def __init__(self, engine: Engine, certificate: Certificate, codec: VideoCodec, film: Film | None) -> None:
        self.id = ""
        self.sent_at = [0.0] * FILM
        self.eye: Eye | None = None
        self.peer = Peer(certificate, codec, self._send, sends=film is not None)
        self.peer.sight = self._first = Opening(codec)
        self._engine, self._codec, self._film = engine, codec, film
        self._socket: socket.socket | None = None
        self._index = self._silent = 0
        self._picture_due = self._sound_due = 0.0

    @property
    def sends(self) -> bool:
        """Whether it has a camera and a microphone."""
        return self._film is not None

    @property
    def seen_at(self) -> float | None:
        """The Unix time at which the last packet of the first picture came, that can be shown."""
        return self._first.seen_at if self.eye is None else self.eye.seen_at

    def go(self, place: tuple[str, int]) -> None:
        """Begin to talk to ``place``, once the answer is taken. Raises ``OSError``."""
        self._socket = self._engine.open(place, self)

    def watch(self, sent: Mapping[str, Sequence[float]]) -> Eye:
        """Look at the picture closely. Say so before the member goes in."""
        self.peer.sight = self.eye = Eye(self._codec, sent)
        return self.eye

    def start(self, sound: Sound) -> None:
        """Begin to send, at some point of a picture's and of a frame's time."""
        film = self._film
        if film is None:
            return
        now = time.monotonic()
        early, soon = (secrets.randbelow(1000) / 1000 for _ in range(2))
        self._picture_due, self._sound_due = now + early * PICTURE_S, now + soon * FRAME_S
        works = (
            (early * PICTURE_S, partial(self._send_picture, film)),
            (soon * FRAME_S, partial(self._send_sound, sound)),
        )
        self._engine.add(self, works)

    def close(self) -> None:
        """Leave without a word but the connection's own."""
        if self._socket is not None:
            self.peer.close()
            self._engine.close(self._socket)
            self._socket = None

    def vanish(self) -> None:
        """Be gone without a word."""
        if self._socket is not None:
            self._engine.close(self._socket)
            self._socket = None

    def take(self, data: bytes, now: float, arrived: float) -> None:
        """See ``engine.Member``."""
        self.peer.take(data, now, arrived)

    def tend(self, now: float) -> float:
        """See ``engine.Member``."""
        self.peer.tick(now, time.time())
        if self.peer.sight is self._first and self._first.seen_at is not None:
            self.peer.sight = None
        return now + TEND_S

    def _send(self, datagram: bytes) -> None:
        if self._socket is None:
            raise OSError("no socket")
        self._socket.send(datagram)

    def _send_picture(self, film: Film, now: float) -> float:
        if self.peer.keyframe_wanted:
            self.peer.keyframe_wanted, self._index = False, 0
        self.peer.send_picture(film.payloads[self._index], VIDEO_CLOCK // FPS, now)
        self.sent_at[self._index] = time.time()
        self._index = (self._index + 1) % len(film.payloads)
        self._picture_due += PICTURE_S
        return self._picture_due

    def _send_sound(self, sound: Sound, now: float) -> float:
        payload, level = next(sound)
        self._silent = self._silent + 1 if level == QUIET else 0
        if self.peer.may_pause and self._silent > PAUSE_AFTER and self._silent % REFRESH:
            self.peer.pause(FRAME)
        else:
            self.peer.send_sound(payload, level, FRAME)
        self._sound_due += FRAME_S
        return self._sound_due
