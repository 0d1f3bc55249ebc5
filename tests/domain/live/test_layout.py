"""The geometry: every layout tiles the canvas as drawn, in exact fractions and in even pixels."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.live.layout import (
    FAMILIES,
    FIXED,
    LAYOUTS,
    OVERLAYS,
    Arrangement,
    Rectangle,
    Slot,
    arrange,
    is_position,
    layers,
    rectangle,
    slots_of,
)
from parlour.domain.live.member import Member
from parlour.domain.room import Layout

ARRANGEMENTS = [*FIXED.values(), *(arrangement for family in FAMILIES.values() for arrangement in family)]


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        (0, "1x1"), (1, "1x1"), (2, "2x1"), (3, "1x1+2x1"), (4, "2x2"), (5, "5up"), (6, "3x3"), (9, "3x3"),
        (10, "4x4"), (16, "4x4"), (17, "5x5"), (25, "5x5"), (26, "6x6"), (36, "6x6"), (37, "8x8"), (64, "8x8"),
        (65, "10x10"), (100, "10x10"), (101, "15x15"), (225, "15x15"), (226, "15x15"), (300, "15x15"),
    ],
)  # fmt: skip
def test_grid_takes_the_first_that_is_large_enough(shown: int, name: str) -> None:
    assert arrange("grid-responsive", shown).name == name


@pytest.mark.parametrize(
    ("shown", "others"),
    [(0, 5), (6, 5), (7, 7), (8, 7), (9, 9), (10, 9), (11, 16), (17, 16), (18, 27), (28, 27), (29, 48), (300, 48)],
)
def test_highlight_has_one_large_slot_and_the_cells_left_over(shown: int, others: int) -> None:
    arrangement = arrange("highlight-1-responsive", shown)
    names = [slot.name for slot in arrangement.slots]
    assert names == ["reserved-1", *(f"standard-{number}" for number in range(1, others + 1))]
    assert arrangement.lead == "reserved-1"


@pytest.mark.parametrize(
    ("shown", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (3, 2, 2), (5, 3, 2), (7, 3, 3), (9, 3, 3), (50, 3, 3)]
)
def test_mobile_shows_at_most_nine_and_crops_them(shown: int, columns: int, rows: int) -> None:
    arrangement = arrange("grid-responsive-mobile", shown)
    assert arrangement.crop
    assert arrangement.capacity == columns * rows
    assert arrangement.slots[0].width == Fraction(1, columns)


@pytest.mark.parametrize(
    ("layout", "slots"),
    [
        ("1x1", 1), ("2x1", 2), ("2x2", 4), ("5up", 5), ("3x3", 9), ("4x4", 16), ("5x5", 25), ("6x6", 36),
        ("8x8", 64), ("10x10", 100), ("screen-share", 9), ("full-screen", 1),
        ("presenter-dual-horizontal", 2),
    ],
)  # fmt: skip
def test_fixed_layouts_have_their_slots_whatever_the_number_of_people(layout: str, slots: int) -> None:
    assert len(slots_of(layout, 0)) == len(slots_of(layout, 300)) == slots + len(OVERLAYS)


def test_every_layout_of_the_contract_can_be_arranged() -> None:
    assert set(Layout) < set(LAYOUTS)
    assert all(arrange(layout, 1).slots for layout in LAYOUTS)


def test_unknown_layouts_are_an_error() -> None:
    with pytest.raises(KeyError):
        arrange("7x7", 1)


def test_drawn_rectangles() -> None:
    def drawn(arrangement: Arrangement) -> list[tuple[Fraction | int, ...]]:
        return [(slot.x, slot.y, slot.width, slot.height) for slot in arrangement.slots]

    half, quarter, third = Fraction(1, 2), Fraction(1, 4), Fraction(1, 3)
    assert drawn(FIXED["2x1"]) == [(0, quarter, half, half), (half, quarter, half, half)]
    assert drawn(arrange("grid-responsive", 3)) == [
        (quarter, 0, half, half), (0, half, half, half), (half, half, half, half),
    ]  # fmt: skip
    assert drawn(FIXED["5up"]) == [
        (0, 0, third, third), (2 * third, 0, third, third), (third, third, third, third),
        (0, 2 * third, third, third), (2 * third, 2 * third, third, third),
    ]  # fmt: skip
    assert drawn(arrange("highlight-1-responsive", 1))[:2] == [
        (0, 0, 2 * third, 2 * third), (2 * third, 0, third, third),
    ]  # fmt: skip
    assert drawn(arrange("highlight-1-responsive", 12))[0] == (0, 0, Fraction(3, 5), Fraction(3, 5))


@pytest.mark.parametrize("arrangement", ARRANGEMENTS, ids=lambda arrangement: arrangement.name)
def test_slots_stay_on_the_canvas_and_apart(arrangement: Arrangement) -> None:
    def overlap(one: Slot, other: Slot) -> bool:
        across = one.x < other.x + other.width and other.x < one.x + one.width
        down = one.y < other.y + other.height and other.y < one.y + one.height
        return one.z == other.z and one.auto == other.auto and across and down

    assert all(slot.x >= 0 and slot.x + slot.width <= 1 for slot in arrangement.slots)
    assert all(slot.y >= 0 and slot.y + slot.height <= 1 for slot in arrangement.slots)
    assert not any(overlap(one, other) for one, other in combinations(arrangement.slots, 2))
    assert len({slot.name for slot in arrangement.slots}) == len(arrangement.slots)
    assert all(is_position(slot.name) for slot in arrangement.slots)


def test_thirds_on_720p_touch_at_even_pixels() -> None:
    tiles = [rectangle(slot, 1280, 720) for slot in FIXED["3x3"].slots]
    assert tiles[:3] == [Rectangle(0, 0, 426, 240), Rectangle(426, 0, 428, 240), Rectangle(854, 0, 426, 240)]


@given(
    number=st.integers(0, len(ARRANGEMENTS) - 1),
    width=st.integers(160, 1920).map(lambda half: half * 2),
    height=st.integers(90, 1080).map(lambda half: half * 2),
)
def test_pixels_are_even_and_touch(number: int, width: int, height: int) -> None:
    tiles = {slot: rectangle(slot, width, height) for slot in ARRANGEMENTS[number].slots}
    lefts = {slot.x: tile.left for slot, tile in tiles.items()}
    tops = {slot.y: tile.top for slot, tile in tiles.items()}
    for slot, tile in tiles.items():
        assert not any(edge % 2 for edge in tile)
        assert tile.width > 0
        assert tile.height > 0
        assert abs(tile.left - slot.x * width) <= 1
        assert tile.left + tile.width <= width
        assert tile.top + tile.height <= height
        assert lefts.get(slot.x + slot.width, tile.left + tile.width) == tile.left + tile.width
        assert tops.get(slot.y + slot.height, tile.top + tile.height) == tile.top + tile.height


@pytest.mark.parametrize("layout", LAYOUTS)
def test_overlays_cover_every_layout_and_lie_on_top(layout: str) -> None:
    slots = slots_of(layout, 3)
    assert [slot.name for slot in slots[-2:]] == ["playback", "full-screen"]
    assert slots[-1].z > slots[-2].z > max(slot.z for slot in slots[:-2])
    assert all(rectangle(slot, 1280, 720) == (0, 0, 1280, 720) and not slot.auto for slot in slots[-2:])
    assert [slot.z for slot in slots] == sorted(slot.z for slot in slots), "drawn in this order"


def test_a_screen_has_the_whole_canvas_and_people_lie_over_its_corners() -> None:
    found = {slot.name: (slot.x, slot.y, slot.width, slot.z, slot.auto) for slot in FIXED["screen-share"].slots}
    sixth, third = Fraction(1, 6), Fraction(1, 3)
    assert found == {
        "standard-1": (0, 0, 1, 0, True),
        "reserved-1": (5 * sixth, 0, sixth, 1, True),
        "reserved-2": (0, 0, sixth, 1, True),
        "reserved-3": (5 * sixth, 5 * sixth, sixth, 1, True),
        "reserved-4": (0, 5 * sixth, sixth, 1, True),
        "reserved-5": (2 * third, 0, third, 1, False),
        "reserved-6": (0, 0, third, 1, False),
        "reserved-7": (2 * third, 2 * third, third, 1, False),
        "reserved-8": (0, 2 * third, third, 1, False),
    }


def test_a_presenter_stands_beside_the_screen() -> None:
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    slots = [(slot.name, slot.x, slot.y, slot.width) for slot in FIXED["presenter-dual-horizontal"].slots]
    assert slots == [("standard-1", 0, quarter, half), ("reserved-1", half, quarter, half)]


def test_odd_canvases_are_refused() -> None:
    with pytest.raises(ValueError, match="even"):
        rectangle(FIXED["1x1"].slots[0], 1281, 720)


def test_layers_of_a_responsive_layout_end_with_two_hidden_overlays() -> None:
    ana = Member("ana", "c", "Ana", visible=True)
    told = layers("grid-responsive", 1, {"standard-1": ana})
    assert [(layer.index, layer.position, layer.z_index) for layer in told] == [
        (0, "standard-1", 0), (1, "playback", 1), (2, "full-screen", 2),
    ]  # fmt: skip
    assert all((layer.x, layer.y, layer.width, layer.height) == (0, 0, 100, 100) for layer in told)
    assert [(layer.member_id, layer.visible) for layer in told] == [("ana", True), (None, False), (None, False)]


def test_layers_of_a_fixed_layout_are_its_slots_in_percent() -> None:
    told = layers("2x2", 1, {})
    assert [(layer.position, layer.x, layer.y, layer.width) for layer in told] == [
        ("standard-1", 0, 0, 50), ("standard-2", 50, 0, 50), ("standard-3", 0, 50, 50), ("standard-4", 50, 50, 50),
        ("playback", 0, 0, 100), ("full-screen", 0, 0, 100),
    ]  # fmt: skip


@pytest.mark.parametrize("position", ["auto", "off-canvas", "playback", "full-screen", "standard-1", "reserved-8"])
def test_places_that_one_may_ask_for(position: str) -> None:
    assert is_position(position)


@pytest.mark.parametrize("position", ["", "standard-0", "standard-", "standard-1 ", "reserved-١", "self"])
def test_places_that_one_may_not_ask_for(position: str) -> None:
    assert not is_position(position)
