"""Who is shown where: slots handed out by rank, changed as rarely as possible.

People keep their slot while it is theirs to keep. Who is pushed out of a slot takes the slot that its new holder came
from, so that two people swap instead of everybody moving.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from parlour.domain.live.layout import OFF_CANVAS, OVERLAYS, arrange, names_of
from parlour.domain.live.member import Member, MemberKind

GROW_AFTER = 0.3
"""Seconds that a larger arrangement must be wanted before it is taken: a rush of people is one change."""
SHRINK_AFTER = 1.5
"""Seconds that a smaller one must be wanted: somebody who toggles a camera does not make the room jump."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What decides who is seen first.

    ``floor`` holds the video floor; ``speakers`` are those who had it, the latest first. While the picture is
    ``growing``, nobody is displaced by rank: there will be room for all in a moment.
    """

    floor: str | None = None
    speakers: tuple[str, ...] = ()
    hands_first: bool = False
    hide_muted: bool = False
    growing: bool = False


@dataclass(frozen=True, slots=True)
class Sizing:
    """For how many people a responsive layout is laid out (``shown``).

    ``due`` is when another size takes effect, if it is still wanted then; ``growing`` says which way.
    """

    shown: int = 0
    due: float | None = None
    growing: bool = False


def is_shown(member: Member, *, hide_muted: bool = False) -> bool:
    """Whether a member takes a slot when there is one.

    Somebody without a picture is shown as a card; who sends nothing at all only watches.
    """
    if member.requested_position == OFF_CANVAS or (hide_muted and member.video_muted):
        return False
    return member.sends_video or (member.sends_audio and member.kind is MemberKind.MEMBER)


def count(members: Iterable[Member], *, hide_muted: bool = False) -> int:
    """How many slots the members need, those on an overlay left out."""
    return sum(
        is_shown(member, hide_muted=hide_muted) and member.requested_position not in OVERLAYS for member in members
    )


def resize(sizing: Sizing, layout: str, wanted: int, now: float) -> Sizing:
    """The sizing once ``wanted`` people are to be shown; ``now`` in seconds.

    A change of arrangement waits for its delay, counted from when the picture first became too small or too large.
    """
    have, want = arrange(layout, sizing.shown), arrange(layout, wanted)
    if have.name == want.name:
        return Sizing(wanted)
    growing = want.capacity > have.capacity
    due = sizing.due
    if due is None or sizing.growing != growing:
        due = now + (GROW_AFTER if growing else SHRINK_AFTER)
    return Sizing(wanted) if now >= due else Sizing(sizing.shown, due, growing)


def place(members: Iterable[Member], layout: str, shown: int, ranking: Ranking) -> dict[str, str]:
    """Which member (by id) is in which slot (by name); who is missing is off the canvas.

    ``members`` come in the order in which they joined, each with the place that it has now. First come those who asked
    for a slot, then, by rank: shared screens, raised hands (the earliest first, where they count), the floor, earlier
    speakers, pictures before cards, the order of joining. The slot that follows the speaker goes to the first of rank.
    """
    people = {member.id: member for member in members if is_shown(member, hide_muted=ranking.hide_muted)}
    taken = _asked_for(people, names_of(layout, shown))
    arrangement = arrange(layout, shown)
    free = [slot.name for slot in arrangement.slots if slot.auto and slot.name not in taken]
    seated = set(taken.values())
    order = _by_rank([member for member in people.values() if member.id not in seated], ranking)
    chosen = order[: len(free)]
    if ranking.growing:
        kept = sorted(order, key=lambda member: member.current_position not in free)[: len(free)]
        staying = {member.id for member in kept}
        chosen = [member for member in order if member.id in staying]
    leader = None
    lead = arrangement.lead
    if lead is not None and lead in free and chosen:
        leader = _leader(lead, chosen, ranking)
        taken[lead] = leader.id
    for member in chosen:
        if member is not leader and member.current_position in free:
            taken.setdefault(member.current_position, member.id)
    _fill(chosen, free, taken, people)
    return {member_id: slot for slot, member_id in taken.items()}


def _asked_for(people: Mapping[str, Member], names: frozenset[str]) -> dict[str, str]:
    """The slots that were asked for by name, and by whom; the first to have joined wins a quarrel."""
    taken: dict[str, str] = {}
    for member in people.values():
        if member.requested_position in names:
            taken.setdefault(member.requested_position, member.id)
    return taken


def _by_rank(members: list[Member], ranking: Ranking) -> list[Member]:
    spoke = {member_id: index for index, member_id in enumerate(ranking.speakers)}
    joined = {member.id: index for index, member in enumerate(members)}

    def rank(member: Member) -> tuple[float, ...]:
        hand = _hand(member, ranking)
        return (
            -joined[member.id] if member.kind is MemberKind.SCREEN else 1,
            float("inf") if hand is None else hand,
            member.id != ranking.floor,
            spoke.get(member.id, len(spoke)),
            not member.sends_video,
            joined[member.id],
        )

    return sorted(members, key=rank)


def _hand(member: Member, ranking: Ranking) -> float | None:
    return member.hand_raised_at if ranking.hands_first else None


def _leader(lead: str, chosen: list[Member], ranking: Ranking) -> Member:
    """Who gets the slot that follows the speaker: the first of rank, unless the one who has it may stay."""
    first = chosen[0]
    if first.kind is MemberKind.SCREEN or _hand(first, ranking) is not None or first.id == ranking.floor:
        return first
    return next((member for member in chosen if member.current_position == lead), first)


def _fill(chosen: list[Member], free: list[str], taken: dict[str, str], people: Mapping[str, Member]) -> None:
    """Give those who have no slot yet the one that their displacer left, else the first that is free."""
    seated = set(taken.values())
    waiting = [member for member in chosen if member.id not in seated]
    homeless = []
    for member in waiting:
        displacer = taken.get(member.current_position)
        left = people[displacer].current_position if displacer else ""
        if left in free and left not in taken:
            taken[left] = member.id
        else:
            homeless.append(member)
    vacant = (name for name in free if name not in taken)
    for member, name in zip(homeless, list(vacant), strict=False):
        taken[name] = member.id
