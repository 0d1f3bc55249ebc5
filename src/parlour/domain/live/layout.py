"""The geometry of the picture: which rectangles a layout has, and which of a family fits how many people.

Coordinates are exact fractions of the canvas, so that neighbours share an edge and stay neighbours in pixels. The
rectangles are those of the pictures in the service's layout guide; the fixed grids are mod_conference's as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from parlour.domain.live.events import Layer
from parlour.domain.live.member import Member
from parlour.domain.room import Layout

AUTO = "auto"
OFF_CANVAS = "off-canvas"
PLAYBACK = "playback"
FULL_SCREEN = "full-screen"
SCREEN_SHARE = "screen-share"
PRESENTER = "presenter-dual-horizontal"

_POSITION = re.compile(r"(?:standard|reserved)-[1-9][0-9]{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one picture: edges as fractions of the canvas, 0 to 1.

    A higher ``z`` lies on top. Only somebody who asks for it gets a slot that is not ``auto``.
    """

    name: str
    x: Fraction
    y: Fraction
    width: Fraction
    height: Fraction
    z: int = 0
    auto: bool = True


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One fixed set of slots, in the order in which they are filled.

    ``lead`` is the slot that follows the speaker, where there is one. With ``crop`` pictures fill their slot and lose
    their edges; otherwise they are shown whole.
    """

    name: str
    slots: tuple[Slot, ...]
    lead: str | None = None
    crop: bool = False

    @property
    def capacity(self) -> int:
        """How many people fit without asking for a place."""
        return sum(slot.auto for slot in self.slots)


class Rectangle(NamedTuple):
    """Pixels of a canvas; all four are even, so that 4:2:0 chroma stays aligned."""

    left: int
    top: int
    width: int
    height: int


def _slot(name: str, x: Fraction | int, y: Fraction | int, width: Fraction, height: Fraction) -> Slot:
    return Slot(name, Fraction(x), Fraction(y), width, height)


def _grid(name: str, columns: int, rows: int, *, crop: bool = False) -> Arrangement:
    width, height = Fraction(1, columns), Fraction(1, rows)
    return Arrangement(
        name,
        tuple(
            _slot(f"standard-{row * columns + column + 1}", column * width, row * height, width, height)
            for row in range(rows)
            for column in range(columns)
        ),
        crop=crop,
    )


def _cells(name: str, size: Fraction, *corners: tuple[Fraction | int, Fraction | int]) -> Arrangement:
    return Arrangement(
        name, tuple(_slot(f"standard-{number}", x, y, size, size) for number, (x, y) in enumerate(corners, 1))
    )


def _highlight(cells: int, big: int) -> Arrangement:
    """One big slot of ``big`` × ``big`` cells at the top left of a square grid, and the cells left over, row by row."""
    size = Fraction(1, cells)
    rest = [
        (column * size, row * size) for row in range(cells) for column in range(cells) if row >= big or column >= big
    ]
    return Arrangement(
        f"1up-top-left-{len(rest)}",
        (
            _slot("reserved-1", 0, 0, big * size, big * size),
            *(_slot(f"standard-{number}", x, y, size, size) for number, (x, y) in enumerate(rest, 1)),
        ),
        lead="reserved-1",
    )


def _screen_share() -> Arrangement:
    """The screen on the whole canvas, people in its corners: small ones, and larger ones for who asks."""
    whole = _slot("standard-1", 0, 0, Fraction(1), Fraction(1))
    slots = [whole]
    for size, first, auto in ((Fraction(1, 6), 1, True), (Fraction(1, 3), 5, False)):
        near, far = Fraction(0), 1 - size
        for number, (x, y) in enumerate(((far, near), (near, near), (far, far), (near, far)), first):
            slots.append(Slot(f"reserved-{number}", x, y, size, size, 1, auto))
    return Arrangement(SCREEN_SHARE, tuple(slots), lead="standard-1")


def _presenter() -> Arrangement:
    """The screen, and whoever presents it, side by side."""
    screen, face = _TWO.slots
    return Arrangement(PRESENTER, (screen, replace(face, name="reserved-1")), lead="standard-1")


_HALF, _QUARTER, _THIRD = Fraction(1, 2), Fraction(1, 4), Fraction(1, 3)
_WHOLE = Fraction(1)

_ONE = Arrangement("1x1", (_slot("standard-1", 0, 0, _WHOLE, _WHOLE),), lead="standard-1")
_TWO = _cells("2x1", _HALF, (0, _QUARTER), (_HALF, _QUARTER))
_THREE = _cells("1x1+2x1", _HALF, (_QUARTER, 0), (0, _HALF), (_HALF, _HALF))
_FIVE_UP = _cells("5up", _THIRD, (0, 0), (2 * _THIRD, 0), (_THIRD, _THIRD), (0, 2 * _THIRD), (2 * _THIRD, 2 * _THIRD))
_SQUARES = {side: _grid(f"{side}x{side}", side, side) for side in (2, 3, 4, 5, 6, 8, 10, 15)}

FAMILIES: Mapping[str, tuple[Arrangement, ...]] = {
    Layout.GRID_RESPONSIVE: (
        _ONE, _TWO, _THREE, _SQUARES[2], _FIVE_UP, *(_SQUARES[side] for side in (3, 4, 5, 6, 8, 10, 15)),
    ),
    Layout.HIGHLIGHT_1_RESPONSIVE: tuple(
        _highlight(cells, big) for cells, big in ((3, 2), (4, 3), (5, 4), (5, 3), (6, 3), (8, 4))
    ),
    # Our own, nothing public defines it: few and large, tall rather than wide, for small screens.
    Layout.GRID_RESPONSIVE_MOBILE: tuple(
        _grid(f"mobile-{rows}x{columns}", columns, rows, crop=True)
        for rows, columns in ((1, 1), (1, 2), (2, 2), (2, 3), (3, 3))
    ),
}  # fmt: skip
"""The arrangements behind each responsive layout, from few slots to many."""

FIXED: Mapping[str, Arrangement] = {
    Layout.ONE_BY_ONE: _ONE,
    Layout.TWO_BY_ONE: _TWO,
    Layout.TWO_BY_TWO: _SQUARES[2],
    Layout.FIVE_UP: _FIVE_UP,
    Layout.THREE_BY_THREE: _SQUARES[3],
    Layout.FOUR_BY_FOUR: _SQUARES[4],
    Layout.FIVE_BY_FIVE: _SQUARES[5],
    Layout.SIX_BY_SIX: _SQUARES[6],
    Layout.EIGHT_BY_EIGHT: _SQUARES[8],
    Layout.TEN_BY_TEN: _SQUARES[10],
    SCREEN_SHARE: _screen_share(),
    PRESENTER: _presenter(),
    FULL_SCREEN: Arrangement(FULL_SCREEN, (_slot("reserved-1", 0, 0, _WHOLE, _WHOLE),), lead="reserved-1"),
}
"""The layouts with one arrangement each."""

LAYOUTS: tuple[str, ...] = (*(layout.value for layout in Layout), SCREEN_SHARE, PRESENTER, FULL_SCREEN)
"""Every layout that a live room can be given."""

OVERLAYS = (PLAYBACK, FULL_SCREEN)
"""Places on the whole canvas, above every layout, for whoever is put there; the last lies on top."""


def is_position(text: str) -> bool:
    """Whether this is a place. Where a layout has no slot of the name, whoever asks for it is placed freely."""
    return text in {AUTO, OFF_CANVAS, *OVERLAYS} or _POSITION.fullmatch(text) is not None


def is_slot(position: str) -> bool:
    """Whether this place holds only one member."""
    return position not in {AUTO, OFF_CANVAS}


@cache
def arrange(layout: str, shown: int) -> Arrangement:
    """The arrangement that ``layout`` gives ``shown`` people, without overlays.

    Of a family it is the first with a slot for each, else the largest (mod_conference's rule for layout groups).
    Raises ``KeyError`` for a name that is not in ``LAYOUTS``.
    """
    if layout in FIXED:
        return FIXED[layout]
    family = FAMILIES[layout]
    return next((arrangement for arrangement in family if arrangement.capacity >= shown), family[-1])


@cache
def slots_of(layout: str, shown: int) -> tuple[Slot, ...]:
    """All slots of the picture, lowest first: the arrangement's, and the overlays."""
    slots = arrange(layout, shown).slots
    top = max(slot.z for slot in slots)
    whole = (
        Slot(name, Fraction(0), Fraction(0), _WHOLE, _WHOLE, top + z, auto=False) for z, name in enumerate(OVERLAYS, 1)
    )
    return (*slots, *whole)


@cache
def names_of(layout: str, shown: int) -> frozenset[str]:
    """The names of all slots of the picture."""
    return frozenset(slot.name for slot in slots_of(layout, shown))


@cache
def rectangle(slot: Slot, width: int, height: int) -> Rectangle:
    """The pixels of ``slot`` on a canvas. Edges are snapped to even pixels, not sizes, so neighbours touch.

    Raises ``ValueError`` where the canvas itself has an odd side.
    """
    if width % 2 or height % 2:
        raise ValueError(f"a canvas has even sides, not {width}×{height}")
    left, right = _snap(slot.x, width), _snap(slot.x + slot.width, width)
    top, bottom = _snap(slot.y, height), _snap(slot.y + slot.height, height)
    return Rectangle(left, top, right - left, bottom - top)


def _snap(edge: Fraction, size: int) -> int:
    return 2 * round(edge * size / 2)


def layers(layout: str, shown: int, members: Mapping[str, Member]) -> tuple[Layer, ...]:
    """What ``layout.changed`` tells: every slot in percent of the canvas, with the member who is in it.

    ``members`` maps slot names to members.
    """
    told = []
    for index, slot in enumerate(slots_of(layout, shown)):
        member = members.get(slot.name)
        told.append(
            Layer(
                index=index,
                position=slot.name,
                x=_percent(slot.x),
                y=_percent(slot.y),
                width=_percent(slot.width),
                height=_percent(slot.height),
                z_index=slot.z,
                member_id=member.id if member else None,
                visible=member is not None and member.visible,
            )
        )
    return tuple(told)


def _percent(fraction: Fraction) -> float:
    return float(fraction * 100)
