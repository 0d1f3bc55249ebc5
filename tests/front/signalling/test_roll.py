"""What a front hears of a room is enough to bring it back as it was."""

from collections.abc import Iterable
from dataclasses import replace

from parlour.domain.live import acts, seats
from parlour.domain.live.commands import Act
from parlour.domain.live.events import Told
from parlour.domain.live.room import LiveRoom
from parlour.front.signalling.roll import Roll
from tests.domain.live.people import SCREEN, T0, a_room, do, join, opened, rest


class Heard:
    """A live room, and the roll of a front that hears it."""

    def __init__(self, room: LiveRoom) -> None:
        self.room = room
        self.roll = Roll()

    def join(self, name: str, **given: object) -> None:
        self._take(join(self.room, name, **given))  # type: ignore[arg-type]  # a test's words

    def act(self, *commands: Act) -> None:
        for command in commands:
            self._take(acts.act(self.room, command, T0))

    def settle(self) -> None:
        self._take(seats.expire(self.room, self.room.sizing.due or T0))

    def revived(self, room: LiveRoom | None = None) -> LiveRoom:
        past = self.roll.past()
        assert past is not None
        return rest(seats.revive(room or LiveRoom.opened(a_room(), "another session"), past, T0 + 5), T0 + 5)

    def _take(self, outcome: tuple[LiveRoom, Iterable[Told], object]) -> None:
        self.room, told, _ = outcome
        for each in told:
            self.roll.note(each.event)


def cafe(**settings: object) -> Heard:
    heard = Heard(opened(**settings))
    for name in ("ana", "bob", "eve"):
        heard.join(name)
    heard.settle()
    return heard


def test_everything_about_people_comes_back() -> None:
    heard = cafe(room_join_video_off=True)
    heard.act(
        do("ana", "deaf", "eve"),
        do("ana", "mute", "ana", channels=["audio", "video"]),
        do("bob", "raisehand", "bob"),
        do("bob", "microphone.volume.set", "bob", volume=20),
        do("bob", "speaker.volume.set", "bob", volume=-20),
        do("bob", "microphone.sensitivity.set", "bob", sensitivity=70),
        do("bob", "audioflags.set", "bob", auto_gain=False),
        do("ana", "member.position.set", positions={"eve": "standard-1", "ana": "off-canvas"}),
        do("ana", "lock"),
        do("ana", "layout.set", layout="3x3"),
    )
    revived = heard.revived()
    before = {id_: replace(member, talking=False) for id_, member in heard.room.members.items()}
    assert revived.members == before
    assert revived.session == heard.room.session
    assert revived.members["eve"].hushed
    assert revived.members["eve"].withheld
    assert revived.members["eve"].requested_position == "standard-1"


def test_what_deafness_took_is_given_back_in_the_room_that_goes_on() -> None:
    heard = cafe()
    heard.act(do("ana", "deaf", "bob"), do("ana", "mute", "eve", channels=["audio"]), do("ana", "deaf", "eve"))
    revived = heard.revived()
    for name, muted in (("bob", False), ("eve", True)):
        after = acts.act(revived, do("ana", "undeaf", name), T0 + 6).room
        assert after.members[name].audio_muted is muted


def test_a_picture_that_was_withheld_stays_so_until_it_is_asked_for() -> None:
    heard = cafe(room_join_video_off=True)
    heard.act(do("bob", "unmute", "bob", channels=["video"]))
    revived = heard.revived()
    assert [member.receives_video for member in revived.members.values()] == [False, True, False]
    after = acts.act(revived, do("ana", "unmute", "ana", channels=["video"]), T0 + 6).room
    assert after.members["ana"].receives_video


def test_the_layout_that_a_screen_brought_ends_with_it() -> None:
    heard = cafe()
    heard.act(do("ana", "layout.set", layout="5up"))
    heard.join("screen", media=SCREEN, subscriber_id="bob", screen_of="bob", layout="highlight-1-responsive")
    heard.act(do("ana", "lock"))
    assert heard.room.session.layout == "highlight-1-responsive"
    revived = heard.revived()
    assert revived.session.layout == "5up"
    assert set(revived.members) == {"ana", "bob", "eve"}


def test_nobody_has_moved() -> None:
    heard = cafe()
    heard.act(
        do("ana", "layout.set", layout="3x3", positions={"eve": "standard-5"}), do("ana", "layout.set", layout="2x2")
    )
    places = {name: member.current_position for name, member in heard.room.members.items()}
    assert {name: member.current_position for name, member in heard.revived().members.items()} == places
