"""The animated WebP, as others read it."""

import io

from PIL import Image, ImageSequence

from parlour.media.preview.webp import animate
from parlour.media.video.colour import Rgb
from tests.media.video.scene import BLUE, GREEN, RED, noisy, painted


def is_like(image: Image.Image, colour: Rgb, tolerance: int = 10) -> bool:
    """Whether the middle of a picture has this colour."""
    found = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(found, colour, strict=True))


def test_a_film_has_the_size_the_colours_and_the_times_of_its_frames_and_loops() -> None:
    colours = (RED, GREEN, BLUE, RED)
    film = animate([painted(320, 180, colour) for colour in colours], 5)
    image = Image.open(io.BytesIO(film))
    assert (image.format, image.size) == ("WEBP", (320, 180))
    assert (image.is_animated, image.n_frames) == (True, 4)  # type: ignore[attr-defined]  # a plugin's
    assert image.info["loop"] == 0, "for ever"
    for frame, colour in zip(ImageSequence.Iterator(image), colours, strict=True):
        frame.load()
        assert frame.info["duration"] == 200
        assert is_like(frame, colour)


def test_frames_that_are_alike_are_one() -> None:
    still = animate([painted(320, 180, RED)] * 15, 5)
    assert len(still) < 1000
    assert is_like(Image.open(io.BytesIO(still)), RED)


def test_the_worst_picture_is_not_large() -> None:
    assert len(animate([noisy(320, 180, seed) for seed in range(15)], 5)) < 1_000_000
