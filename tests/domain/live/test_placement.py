"""Who is shown where, and how little it changes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from parlour.domain.live.layout import LAYOUTS, arrange, slots_of
from parlour.domain.live.member import Member, MemberKind
from parlour.domain.live.placement import GROW_AFTER, SHRINK_AFTER, Ranking, Sizing, count, place, resize


def camera(name: str, position: str = "off-canvas", **given: object) -> Member:
    return replace(Member(name, f"c-{name}", name, sends_video=True, current_position=position), **given)  # type: ignore[arg-type]  # fields by name


def cameras(*names: str) -> list[Member]:
    return [camera(name) for name in names]


def test_people_fill_slots_in_the_order_of_joining() -> None:
    assert place(cameras("a", "b", "c"), "2x2", 3, Ranking()) == {
        "a": "standard-1", "b": "standard-2", "c": "standard-3",
    }  # fmt: skip


def test_people_keep_their_slots_when_somebody_leaves() -> None:
    assert place([camera("b", "standard-2"), camera("c", "standard-3")], "2x2", 2, Ranking()) == {
        "b": "standard-2", "c": "standard-3",
    }  # fmt: skip


def test_a_slot_that_is_gone_is_exchanged_for_a_free_one() -> None:
    left = [camera("b", "standard-2"), camera("d", "standard-4")]
    assert place(left, "2x1", 2, Ranking()) == {"b": "standard-2", "d": "standard-1"}


def test_who_asks_for_a_slot_gets_it_and_swaps_with_who_had_it() -> None:
    members = [camera("a", "standard-1"), camera("b", "standard-2", requested_position="standard-1")]
    assert place(members, "2x2", 2, Ranking()) == {"a": "standard-2", "b": "standard-1"}


def test_the_first_to_have_joined_wins_a_quarrel_about_a_slot() -> None:
    members = [camera(name, requested_position="standard-2") for name in "ab"]
    assert place(members, "2x2", 2, Ranking()) == {"a": "standard-2", "b": "standard-1"}


def test_a_slot_that_the_layout_does_not_have_is_as_good_as_none_asked_for() -> None:
    assert place([camera("a", requested_position="reserved-7")], "2x2", 1, Ranking()) == {"a": "standard-1"}


def test_off_canvas_is_honoured_and_full_screen_covers_the_rest() -> None:
    members = [camera("a", requested_position="off-canvas"), camera("b", requested_position="full-screen"), camera("c")]
    assert place(members, "grid-responsive", count(members), Ranking()) == {"b": "full-screen", "c": "standard-1"}
    assert count(members) == 1


def test_the_large_slot_follows_the_floor_and_two_people_swap() -> None:
    members = [camera("a", "reserved-1"), camera("b", "standard-1"), camera("c", "standard-2")]
    assert place(members, "highlight-1-responsive", 3, Ranking(floor="c")) == {
        "a": "standard-2", "b": "standard-1", "c": "reserved-1",
    }  # fmt: skip


def test_who_is_displaced_takes_the_slot_of_the_new_holder_and_not_just_any() -> None:
    members = [camera("a", "reserved-1"), camera("c", "standard-3")]
    assert place(members, "highlight-1-responsive", 2, Ranking(floor="c"))["a"] == "standard-3"


def test_the_large_slot_stays_where_it_is_when_nobody_has_the_floor() -> None:
    members = [camera("a", "standard-1"), camera("b", "reserved-1")]
    assert place(members, "highlight-1-responsive", 2, Ranking())["b"] == "reserved-1"


def test_hands_come_before_the_floor_only_where_they_count() -> None:
    members = [camera("a"), camera("b", hand_raised_at=9.0), camera("c", hand_raised_at=5.0)]
    floor = Ranking(floor="a")
    assert place(members, "highlight-1-responsive", 3, floor)["a"] == "reserved-1"
    assert place(members, "highlight-1-responsive", 3, replace(floor, hands_first=True))["c"] == "reserved-1"


def test_hands_bring_people_onto_a_full_canvas_the_earliest_first() -> None:
    members = [*cameras("a", "b"), camera("c", hand_raised_at=9.0), camera("d", hand_raised_at=5.0)]
    assert place(members, "1x1", 4, Ranking(hands_first=True)) == {"d": "standard-1"}
    assert set(place(members, "2x1", 4, Ranking(hands_first=True))) == {"c", "d"}


def test_a_speaker_from_outside_takes_the_slot_of_who_spoke_least_recently() -> None:
    members = [camera("a", "standard-1"), camera("b", "standard-2"), camera("c")]
    ranking = Ranking(floor="c", speakers=("c", "b", "a"))
    assert place(members, "2x1", 3, ranking) == {"b": "standard-2", "c": "standard-1"}


def test_a_fixed_single_slot_follows_the_speaker() -> None:
    members = [camera("a", "standard-1"), camera("b")]
    assert place(members, "1x1", 2, Ranking(floor="b", speakers=("b",))) == {"b": "standard-1"}


def test_a_screen_leads_and_pictures_come_before_cards() -> None:
    card = replace(camera("card"), sends_video=False, sends_audio=True)
    screen = camera("screen", kind=MemberKind.SCREEN)
    assert place([card, camera("a"), screen], "screen-share", 3, Ranking(floor="a")) == {
        "screen": "standard-1", "a": "reserved-1", "card": "reserved-2",
    }  # fmt: skip
    assert place([card, camera("a"), screen], "highlight-1-responsive", 3, Ranking(floor="a"))["screen"] == "reserved-1"


def test_a_new_screen_takes_the_large_slot_from_who_has_it() -> None:
    members = [camera("a", "reserved-1"), camera("screen", kind=MemberKind.SCREEN)]
    assert place(members, "highlight-1-responsive", 2, Ranking()) == {"a": "standard-1", "screen": "reserved-1"}


def test_of_two_screens_the_newer_leads() -> None:
    screens = [camera(name, kind=MemberKind.SCREEN) for name in ("old", "new")]
    assert place(screens, "screen-share", 2, Ranking())["new"] == "standard-1"


def test_a_picture_displaces_a_card() -> None:
    card = replace(camera("card", "standard-1"), sends_video=False, sends_audio=True)
    assert place([card, camera("a")], "1x1", 2, Ranking()) == {"a": "standard-1"}


def test_nobody_is_displaced_by_rank_while_the_picture_grows() -> None:
    members = [camera("a", "standard-1"), camera("screen", kind=MemberKind.SCREEN)]
    assert place(members, "grid-responsive", 1, Ranking(growing=True)) == {"a": "standard-1"}


def test_who_only_watches_takes_no_slot() -> None:
    watcher = replace(camera("w"), sends_video=False)
    assert place([watcher], "2x2", 1, Ranking()) == {}
    assert count([watcher]) == 0


def test_muted_cameras_leave_the_canvas_only_when_they_are_hidden() -> None:
    muted = camera("m", video_muted=True)
    assert place([muted], "2x2", 1, Ranking()) == {"m": "standard-1"}
    assert place([muted], "2x2", 1, Ranking(hide_muted=True)) == {}


def test_growing_waits_a_little_and_shrinking_longer() -> None:
    one = Sizing(1)
    grown = resize(one, "grid-responsive", 2, 100)
    assert grown == Sizing(1, 100 + GROW_AFTER, growing=True)
    assert resize(grown, "grid-responsive", 4, 100.2) == grown, "a rush is one change, timed from its first"
    assert resize(grown, "grid-responsive", 4, 100 + GROW_AFTER) == Sizing(4)
    shrunk = resize(Sizing(4), "grid-responsive", 3, 100)
    assert shrunk == Sizing(4, 100 + SHRINK_AFTER)
    assert resize(shrunk, "grid-responsive", 4, 101) == Sizing(4), "who comes back in time undoes it"
    assert resize(shrunk, "grid-responsive", 3, 100 + SHRINK_AFTER) == Sizing(3)


def test_a_change_of_direction_starts_the_wait_anew() -> None:
    growing = resize(Sizing(4), "grid-responsive", 5, 100)
    assert resize(growing, "grid-responsive", 3, 100.2) == Sizing(4, 100.2 + SHRINK_AFTER)


def test_nothing_is_due_where_the_arrangement_stays() -> None:
    assert resize(Sizing(6), "grid-responsive", 9, 100) == Sizing(9)
    assert resize(Sizing(1), "4x4", 16, 100) == Sizing(16)
    assert resize(Sizing(300), "grid-responsive", 226, 100) == Sizing(226)


slots = st.sampled_from(["auto", "off-canvas", "full-screen", "reserved-1", "standard-1", "standard-2", "standard-9"])
crowds = st.lists(
    st.builds(
        Member,
        id=st.uuids().map(str),
        call_id=st.just("c"),
        name=st.just("n"),
        kind=st.sampled_from([MemberKind.MEMBER, MemberKind.MEMBER, MemberKind.SCREEN]),
        sends_audio=st.booleans(),
        sends_video=st.booleans(),
        video_muted=st.booleans(),
        hand_raised_at=st.none() | st.floats(0, 100),
        requested_position=slots,
        current_position=slots.filter(lambda slot: slot != "auto"),
    ),
    max_size=30,
    unique_by=lambda member: member.id,
)
rankings = st.builds(Ranking, hands_first=st.booleans(), hide_muted=st.booleans(), growing=st.booleans())


@given(members=crowds, layout=st.sampled_from(LAYOUTS), ranking=rankings, lead=st.integers(0, 29))
def test_slots_are_real_single_as_full_as_can_be_and_stable(
    members: list[Member], layout: str, ranking: Ranking, lead: int
) -> None:
    ranking = replace(ranking, floor=members[lead].id if lead < len(members) else None)
    wanted = count(members, hide_muted=ranking.hide_muted)
    places = place(members, layout, wanted, ranking)
    names = {slot.name for slot in slots_of(layout, wanted)}
    assert set(places.values()) <= names
    assert len(set(places.values())) == len(places)
    unplaced = [m for m in members if m.id not in places and count([replace(m, requested_position="auto")])]
    hidden = [m for m in unplaced if m.requested_position == "off-canvas" or (ranking.hide_muted and m.video_muted)]
    free = [s.name for s in arrange(layout, wanted).slots if s.auto and s.name not in places.values()]
    assert len(unplaced) == len(hidden) or not free, "somebody waits although a slot is free"
    again = [replace(m, current_position=places.get(m.id, "off-canvas")) for m in members]
    assert place(again, layout, wanted, ranking) == places, "asking again moves somebody"


@given(members=crowds, layout=st.sampled_from(LAYOUTS), newcomer=st.uuids().map(str))
def test_a_newcomer_moves_nobody_who_has_a_slot_in_the_same_arrangement(
    members: list[Member], layout: str, newcomer: str
) -> None:
    members = [replace(member, sends_video=True) for member in members]
    wanted = count(members)
    places = place(members, layout, wanted, Ranking())
    settled = [replace(m, current_position=places.get(m.id, "off-canvas")) for m in members]
    assert places.items() <= place([*settled, camera(newcomer)], layout, wanted, Ranking()).items()
