"""The room's picture: members' frames and cards, each in its tiles, drawn once a tick where something changed."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from av import VideoFrame

from parlour.media.video.canvas import Canvas, Rect
from parlour.media.video.card import Card, CardPress, card_press
from parlour.media.video.tile import Scaling, Tile


class TileSpec(NamedTuple):
    """Who is shown where. Specs are drawn in order: a later one lies on top."""

    member_id: str
    rect: Rect
    scaling: Scaling = Scaling.FIT


@dataclass(slots=True)
class CompositorStatistics:
    """Counts since the start; ``scaling`` is the CPU time of fitting frames to tiles, in seconds.

    ``updates`` are frames that came, ``superseded`` those a newer one replaced before they were drawn, ``unseen`` those
    of members without a tile or behind a card; ``scaled`` and ``painted`` count tiles, ``composed`` and ``unchanged``
    ticks.
    """

    updates: int = 0
    superseded: int = 0
    unseen: int = 0
    scaled: int = 0
    painted: int = 0
    composed: int = 0
    unchanged: int = 0
    scaling: float = 0.0


@dataclass(slots=True)
class _Changes:
    """What was told since the last tick."""

    frames: dict[str, VideoFrame] = field(default_factory=dict)
    tiles: tuple[TileSpec, ...] | None = None
    covers: set[str] = field(default_factory=set)


class Compositor:
    """Holds the canvas and who is on it. Tell it things on the event loop, `compose` in a thread, one call at a time.

    A member is shown by the last frame that came, so a new layout is drawn complete in one tick; by the card while
    there is one or no frame yet. Frames of members without a tile are let go.
    """

    def __init__(self, width: int, height: int, *, cards: CardPress | None = None) -> None:
        self.canvas = Canvas(width, height)
        self._cards = cards or card_press()
        self._lock = threading.Lock()
        self._changes = _Changes()
        self._covered: set[str] = set()
        self._shown: frozenset[str] = frozenset()
        self._talking: frozenset[str] = frozenset()
        self._slow: frozenset[str] = frozenset()
        self._rests = False
        self._counts = CompositorStatistics()
        self._tiles: list[Tile] = []
        self._below: list[list[int]] = []
        self._frames: dict[str, VideoFrame] = {}
        self._faces: dict[str, Card] = {}
        self._drawn_talking: frozenset[str] = frozenset()
        self._is_blank = True

    def update(self, member_id: str, frame: VideoFrame) -> None:
        """The member's camera has a new frame."""
        with self._lock:
            self._counts.updates += 1
            if member_id in self._covered or member_id not in self._shown:
                self._counts.unseen += 1
                return
            self._counts.superseded += member_id in self._changes.frames
            self._changes.frames[member_id] = frame

    def set_tiles(self, tiles: Sequence[TileSpec]) -> None:
        """Lay the canvas out anew. Raises `ValueError` for a rectangle that is uneven or beyond the canvas."""
        for spec in tiles:
            self.canvas.check(spec.rect)
        with self._lock:
            self._changes.tiles = tuple(tiles)
            self._shown = frozenset(spec.member_id for spec in tiles)
            self._changes.frames = {
                member_id: frame for member_id, frame in self._changes.frames.items() if member_id in self._shown
            }

    def set_slow(self, member_ids: frozenset[str]) -> None:
        """Exactly these members' cameras are drawn only with every second call of `compose`."""
        with self._lock:
            self._slow = member_ids

    def set_talking(self, member_ids: frozenset[str]) -> None:
        """Exactly these members talk: their tiles have a border."""
        with self._lock:
            self._talking = member_ids

    def set_card(self, member_id: str, card: Card | None) -> None:
        """Show a card instead of the member's camera, or the camera again, once a frame comes.

        The frame from before is dropped either way: a muted camera leaves nothing behind. The last card given is also
        what stands for a camera that has sent nothing yet.
        """
        with self._lock:
            self._changes.frames.pop(member_id, None)
            self._changes.covers.add(member_id)
            if card is None:
                self._covered.discard(member_id)
            else:
                self._covered.add(member_id)
                self._faces[member_id] = card

    def forget(self, member_id: str) -> None:
        """The member left the room. The tiles stay as they are until the next `set_tiles`."""
        with self._lock:
            self._changes.frames.pop(member_id, None)
            self._changes.covers.discard(member_id)
            self._covered.discard(member_id)
            self._faces.pop(member_id, None)

    def compose(self) -> VideoFrame | None:
        """Draw what changed and return the canvas, or ``None`` when nothing did. Blocks for the scaling.

        The frame shares the canvas's pixels, so it must have been encoded before the next call; see `frame`.
        """
        with self._lock:
            changes, self._changes = self._changes, _Changes()
            self._rests = bool(self._slow) and not self._rests
            if self._rests:
                self._changes.frames = {name: changes.frames.pop(name) for name in self._slow & changes.frames.keys()}
            talking = self._talking
        for member_id in changes.covers:
            self._frames.pop(member_id, None)
        self._frames.update(changes.frames)
        stale = set(changes.frames) | changes.covers
        laid_out = changes.tiles is not None
        if changes.tiles is not None:
            stale |= self._lay_out(changes.tiles)
        scaled, painted = self._draw(stale, talking, everything=laid_out)
        composed = bool(painted) or laid_out or self._is_blank
        self._is_blank = False
        self._counts.scaled += scaled
        self._counts.painted += painted
        self._counts.composed += composed
        self._counts.unchanged += not composed
        return self.canvas.shared if composed else None

    def frame(self) -> VideoFrame:
        """One more frame that shares the canvas's pixels: encoders that run beside each other take one each."""
        return self.canvas.frame()

    def statistics(self) -> CompositorStatistics:
        """What came and what was drawn."""
        return replace(self._counts)

    def _lay_out(self, specs: tuple[TileSpec, ...]) -> set[str]:
        """Take over the tiles that stay where they are; return the members who have new ones."""
        kept = {TileSpec(tile.member_id, tile.rect, tile.scaling): tile for tile in self._tiles}
        self._tiles = [kept.get(spec) or Tile(*spec) for spec in specs]
        self._below = [
            [index for index, lower in enumerate(specs[:upper]) if lower.rect.overlaps(spec.rect)]
            for upper, spec in enumerate(specs)
        ]
        shown = {spec.member_id for spec in specs}
        self._frames = {member_id: frame for member_id, frame in self._frames.items() if member_id in shown}
        self.canvas.fill(Rect(0, 0, self.canvas.width, self.canvas.height), self.canvas.background)
        return {spec.member_id for spec in specs if spec not in kept}

    def _draw(self, stale: set[str], talking: frozenset[str], *, everything: bool) -> tuple[int, int]:
        """Scale for the members whose picture is new, paint their tiles, and what lies on top of them again."""
        turned = talking ^ self._drawn_talking
        self._drawn_talking = talking
        scaled = 0
        painted: set[int] = set()
        for index, tile in enumerate(self._tiles):
            member_id = tile.member_id
            if member_id in stale:
                scaled += self._renew(tile)
            disturbed = everything or not painted.isdisjoint(self._below[index])
            if disturbed:
                tile.soil()
            if disturbed or member_id in stale or member_id in turned:
                tile.paint(self.canvas, talking=member_id in talking)
                painted.add(index)
        return scaled, len(painted)

    def _renew(self, tile: Tile) -> int:
        frame = self._frames.get(tile.member_id)
        if frame is not None:
            self._counts.scaling += tile.show(frame)
            return 1
        face = self._faces.get(tile.member_id) or Card(tile.member_id, "")
        tile.show_card(self._cards.frame(face, tile.rect.width, tile.rect.height))
        return 0
