"""A canvas, its sampler and the studio together: what a preview shows, and that it follows. The ticks are the time."""

from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from parlour.media.preview.sampler import Sampler
from parlour.media.preview.studio import Studio
from parlour.media.video.canvas import Rect
from parlour.media.video.card import Card
from parlour.media.video.colour import Rgb
from parlour.media.video.picture import Compositor, TileSpec
from parlour.objects import open_objects
from tests.media.preview.test_studio import made
from tests.media.preview.test_webp import is_like
from tests.media.video.scene import BLUE, GREEN, RED, painted
from tests.support.waiting import wait_until

FPS = 30


class Room:
    """A canvas that one member fills, with its preview."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self.folder = folder
        self.compositor = Compositor(*size)
        self.compositor.set_tiles([TileSpec("ana", Rect(0, 0, *size))])
        self.studio = Studio(open_objects(folder.as_uri()))
        self.sampler = Sampler(FPS, self.studio.offer)
        self.sampler.watch("secret")
        self.tick = 0

    def show(self, seconds: float, *colours: Rgb) -> None:
        """Let time pass while the member shows these colours, a second each, over and over."""
        for _ in range(round(seconds * FPS)):
            if self.tick % FPS == 0:
                self.compositor.update("ana", painted(640, 360, colours[self.tick // FPS % len(colours)]))
            self.compositor.compose()
            self.sampler.take(self.tick, self.compositor.frame)
            self.tick += 1

    def preview(self, number: int) -> Image.Image:
        """The preview, once so many were made."""
        wait_until(lambda: self.studio.statistics()["made"] == number)
        return made(self.folder, "secret")


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_a_preview_moves_and_is_another_one_after_thirty_seconds(tmp_path: Path, size: tuple[int, int]) -> None:
    room = Room(tmp_path / "objects", size)
    room.show(5, RED, GREEN)
    first = room.preview(1)
    assert first.size == (320, 180)
    assert first.n_frames == 3, "of three seconds, each of one colour"  # type: ignore[attr-defined]  # a plugin's
    shown = [is_like(frame, RED) for frame in ImageSequence.Iterator(first)]
    assert shown in ([True, False, True], [False, True, False])
    room.show(25, RED, GREEN)
    assert room.studio.statistics()["made"] == 1
    room.show(5, BLUE)
    assert is_like(room.preview(2), BLUE)
    room.studio.close()


def test_who_is_behind_a_card_is_behind_it_in_the_preview(tmp_path: Path) -> None:
    room = Room(tmp_path / "objects", (1280, 720))
    room.show(0.5, RED)
    room.compositor.set_card("ana", Card("ana", "Ana"))
    room.show(5, RED)
    assert not any(is_like(frame, RED, 60) for frame in ImageSequence.Iterator(room.preview(1)))
    room.studio.close()
