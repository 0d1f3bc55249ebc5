"""Every word for a place, in every layout, means something."""

import pytest

from parlour.domain.live import acts
from parlour.domain.live.commands import Done
from parlour.domain.live.layout import LAYOUTS, OFF_CANVAS, OVERLAYS, names_of, slots_of
from parlour.domain.live.room import LiveRoom
from tests.domain.live.people import CAMERA, SCREEN, T0, do, opened, places, rest, with_people

PEOPLE = ("ana", "bob", "cem", "dan")
WORDS = ("auto", "off-canvas", "playback", "full-screen", *(f"standard-{n}" for n in (1, 2, 4, 9, 225)), "reserved-1",
         "reserved-2", "reserved-5", "reserved-8")  # fmt: skip


def a_room_in(layout: str) -> LiveRoom:
    room = with_people(opened(), *PEOPLE, media=CAMERA)
    return rest(acts.act(room, do("ana", "layout.set", layout=layout), T0).room)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_place(layout: str, word: str) -> None:
    before = a_room_in(layout)
    room, _, reply = acts.act(before, do("ana", "member.position.set", positions={"dan": word}), T0)
    assert reply == Done()
    room = rest(room)
    place = places(room)["dan"]
    names = names_of(layout, room.sizing.shown)
    if word == "auto":
        assert places(room) == places(before)
    elif word == "off-canvas" or word in names:
        assert place == word
        assert room.members["dan"].visible == (word != "off-canvas")
    else:
        assert place == places(before)["dan"], "a slot that the layout has not got leaves one where one is"
    automatic = {slot.name for slot in slots_of(layout, room.sizing.shown) if slot.auto}
    others = [placed for name, placed in places(room).items() if name != "dan" and placed != OFF_CANVAS]
    assert len(set(others)) == len(others)
    assert set(others) <= automatic
    assert len(others) == min(3, len(automatic - {place})), "nobody is left out while there is room"
    back = rest(acts.act(room, do("ana", "member.position.set", positions={"dan": "auto"}), T0).room)
    shown = [placed for placed in places(back).values() if placed != OFF_CANVAS]
    automatic = {slot.name for slot in slots_of(layout, back.sizing.shown) if slot.auto}
    assert len(shown) == min(4, len(automatic))
    assert set(shown) <= automatic


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_slot_that_comes_with_another_layout_is_taken_then(layout: str) -> None:
    room = a_room_in("1x1" if layout != "1x1" else "2x2")
    last = next(slot.name for slot in reversed(slots_of(layout, 4)) if slot.name not in OVERLAYS)
    room = acts.act(room, do("ana", "member.position.set", positions={"dan": last}), T0).room
    room = rest(acts.act(room, do("ana", "layout.set", layout=layout), T0).room)
    assert places(room)["dan"] == last


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_shared_screen_is_seen_in_every_layout_and_the_largest_slot_goes_to_it(layout: str) -> None:
    room = with_people(a_room_in(layout), "screen", media=SCREEN, screen_of="ana", subscriber_id="ana", layout=layout)
    slots = {slot.name: slot for slot in slots_of(layout, room.sizing.shown)}
    place = places(room)["screen"]
    assert slots[place].auto
    if room.arrangement.lead:
        assert place == room.arrangement.lead
        assert slots[place].width == max(slot.width for slot in slots.values() if slot.auto)


def test_playback_lies_over_the_layout_and_full_screen_over_that() -> None:
    room = a_room_in("3x3")
    positions = {"bob": "playback", "cem": "full-screen"}
    room = acts.act(room, do("ana", "member.position.set", positions=positions), T0).room
    on_top = [(layer.member_id, layer.z_index) for layer in room.picture.layers if layer.width == 100]
    assert on_top == [("bob", 1), ("cem", 2)]


def test_whoever_asked_for_a_slot_that_is_not_there_is_followed_like_the_others() -> None:
    room = a_room_in("1x1")
    room = acts.act(room, do("ana", "member.position.set", positions={"dan": "standard-7"}), T0).room
    assert places(room)["ana"] == "standard-1"
    for frame in range(120):
        room = room.hear({"dan": 5000}, T0 + frame * 0.02).room
    assert places(room)["dan"] == "standard-1"
