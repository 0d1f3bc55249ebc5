"""The moving picture of a live room, as whoever knows its URL gets it."""

import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from parlour.domain.live.commands import Act, Change, Leave
from parlour.domain.room import Room
from parlour.media.conference import Conference
from parlour.media.packets import MediaPacket
from parlour.media.preview.studio import Studio
from parlour.media.video.codec import VideoCodec
from parlour.objects import open_objects, preview_key
from tests.domain.live.people import a_room
from tests.media.guest import Guest, live, while_filming
from tests.media.preview.test_webp import is_like
from tests.media.rooms import House
from tests.media.video.scene import BLUE, RED, painted, sent


def a_room_with(*, previews: bool, updated: float = 0) -> Room:
    """A room with previews or without."""
    return a_room(enable_room_previews=previews, tone_on_entry_and_exit=False, updated=updated)


@lru_cache
def red_and_blue() -> list[list[MediaPacket]]:
    """A second of a camera: red, then blue."""
    return sent((painted(640, 360, RED if number < 15 else BLUE) for number in range(30)), VideoCodec.H264)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where objects are kept."""
    return tmp_path / "objects"


@pytest.fixture
def studio(folder: Path) -> Iterator[Studio]:
    """A worker's studio over a folder."""
    studio = Studio(open_objects(folder.as_uri()))
    yield studio
    studio.close()


@pytest.fixture
def previewed(house: House, studio: Studio) -> House:
    """Where rooms with a studio are opened."""
    house.studio = studio
    return house


def secret_of(conference: Conference) -> str:
    """The secret in the URL of the preview."""
    return conference._state.session.preview


def kept(folder: Path) -> list[str]:
    """The previews that there are."""
    previews = folder / "previews"
    return [path.stem for path in previews.iterdir()] if previews.exists() else []


def shown(folder: Path, secret: str) -> Image.Image:
    """A preview."""
    return Image.open(io.BytesIO((folder / preview_key(secret)).read_bytes()))


async def until_made(studio: Studio, number: int, *guests: Guest) -> None:
    """Let the room go on until so many previews were made."""
    await live(guests, lambda: studio.statistics()["made"] >= number)


async def test_a_room_has_a_small_moving_picture_a_few_seconds_after_it_began(
    previewed: House, studio: Studio, folder: Path
) -> None:
    room = a_room_with(previews=True)
    conference = previewed.open(room).conference
    ana = await Guest(conference, previewed.endpoint, "ana", room=room).join()
    await while_filming(ana, red_and_blue(), lambda: until_made(studio, 1, ana))
    picture = shown(folder, secret_of(conference))
    assert (picture.format, picture.size, picture.info["loop"]) == ("WEBP", (320, 180), 0)
    frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(picture)]
    assert len(frames) >= 3
    assert any(is_like(frame, RED) for frame in frames)
    assert any(is_like(frame, BLUE) for frame in frames)
    assert conference.statistics()["preview_films"] == 1


async def test_who_has_the_camera_muted_is_a_card_in_it(previewed: House, studio: Studio, folder: Path) -> None:
    room = a_room_with(previews=True)
    conference = previewed.open(room).conference
    ana = await Guest(conference, previewed.endpoint, "ana", room=room, capabilities=("self",)).join()
    conference.ask(Act(ana.member_id, "mute", (), {"channels": ["video"]}))
    await while_filming(ana, red_and_blue(), lambda: until_made(studio, 1, ana))
    picture = shown(folder, secret_of(conference))
    assert picture.n_frames == 1, "the card stands still, whatever the camera sends"  # type: ignore[attr-defined]  # a plugin's
    assert not is_like(picture, RED)
    assert not is_like(picture, BLUE)


async def test_it_is_switched_off_and_on_live(previewed: House, studio: Studio, folder: Path) -> None:
    room = a_room_with(previews=True)
    conference = previewed.open(room).conference
    ana = await Guest(conference, previewed.endpoint, "ana", room=room).join()
    await until_made(studio, 1, ana)
    secret = secret_of(conference)
    conference.ask(Change(a_room_with(previews=False, updated=1)))
    assert secret_of(conference) == ""
    await live([ana], lambda: kept(folder) == [])
    conference.ask(Change(a_room_with(previews=True, updated=2)))
    assert secret_of(conference) == secret, "whoever has the URL has it still"
    await until_made(studio, 2, ana)
    assert kept(folder) == [secret]


async def test_a_room_without_previews_makes_none(previewed: House, studio: Studio) -> None:
    room = a_room_with(previews=False)
    conference = previewed.open(room).conference
    ana = await Guest(conference, previewed.endpoint, "ana", room=room).join()
    await live([ana], lambda: conference.statistics()["picture_ticks"] > 150)
    assert conference.statistics()["preview_sampled"] == 0
    assert studio.statistics()["made"] == 0


async def test_nothing_is_left_of_it_when_the_session_is_over(
    previewed: House, studio: Studio, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parlour.media.conference.LINGER_S", 0.1)
    room = a_room_with(previews=True)
    conference = previewed.open(room).conference
    ana = await Guest(conference, previewed.endpoint, "ana", room=room).join()
    await until_made(studio, 1, ana)
    assert kept(folder)
    conference.ask(Leave("call-ana"))
    await live([], lambda: conference.is_over and kept(folder) == [])


async def test_a_room_that_goes_on_elsewhere_keeps_its_url(previewed: House, studio: Studio, folder: Path) -> None:
    room = a_room_with(previews=True)
    conference = previewed.open(room).conference
    ana = await Guest(conference, previewed.endpoint, "ana", room=room).join()
    await until_made(studio, 1, ana)
    secret, past = secret_of(conference), conference.past
    await conference.close(silent=True)
    assert kept(folder) == [secret], "there is something to see until the other worker has made the next one"
    after = previewed.open(room, past).conference
    assert secret_of(after) == secret
    ana = await Guest(after, previewed.endpoint, "ana", room=room).join()
    await while_filming(ana, red_and_blue(), lambda: until_made(studio, 2, ana))
    assert kept(folder) == [secret]
    frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(shown(folder, secret))]
    assert any(is_like(frame, RED) for frame in frames)


async def test_an_empty_room_makes_none(previewed: House) -> None:
    room = a_room_with(previews=True)
    conference = previewed.open(room).conference
    Guest(conference, previewed.endpoint, "ana", room=room)
    conference.ask(Leave("call-ana"))
    before = conference.statistics()["picture_ticks"]
    await live([], lambda: conference.statistics()["picture_ticks"] > before + 90)
    assert conference.statistics()["preview_sampled"] == 0
