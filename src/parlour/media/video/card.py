"""The card of who has no camera: initials on a colour of their own, never the last picture of a face."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache

import numpy as np
from av import VideoFrame
from PIL import Image, ImageDraw, ImageFont

from parlour.media.video.colour import Rgb, hue_of, oklch
from parlour.media.video.fonts import FontBook, FontFace
from parlour.media.video.initials import MAX_NAME, graphemes, initials

NAME_FROM_HEIGHT = 140
"""Pixels of a tile from which the name is written below the initials."""

_FINE = 4
"""Shapes are drawn this much larger and averaged down: Pillow's own have jagged edges."""

KEPT = 2 << 20
"""Bytes of cards that are kept for when they are shown again: one that fills a canvas of 720p, or 24 of a room of 16.

Tiles keep what they show themselves. Much more would only look like a worker that grows, for people come with ever new
names.
"""

INK = Rgb(0xFF, 0xFF, 0xFF)


@dataclass(frozen=True, slots=True)
class Card:
    """Whose card, with the name as they gave it, and whether a crossed-out microphone is shown."""

    member_id: str
    name: str
    muted: bool = False


def disc_colour(member_id: str) -> Rgb:
    """The colour behind the initials; white on it has a contrast of more than 4.5."""
    return oklch(0.50, 0.125, hue_of(member_id))


def ground_colour(member_id: str) -> Rgb:
    """The colour of the rest of the card: the same hue, almost black."""
    return oklch(0.27, 0.04, hue_of(member_id))


class CardPress:
    """Draws cards as I420 frames and keeps the last ones, of so many bytes in all.

    Safe to use from several threads; drawing takes milliseconds.
    """

    def __init__(self, fonts: FontBook | None = None, capacity: int = KEPT) -> None:
        self._fonts = fonts or FontBook()
        self._capacity = capacity
        self._size = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Card, int, int], VideoFrame] = OrderedDict()

    def warm(self) -> None:
        """Find fonts now instead of with the first card. Blocks for up to a second."""
        self._fonts.warm()

    def frame(self, card: Card, width: int, height: int) -> VideoFrame:
        """The card as a limited-range BT.601 yuv420p frame of even size in pixels.

        Not to be written to: it is shared.
        """
        key = (card, width, height)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                image = self.image(card, width, height)
                kept = VideoFrame.from_ndarray(np.asarray(image), "rgb24").reformat(format="yuv420p", threads=1)
                self._kept[key] = kept
                self._size += _octets(width, height)
                while self._size > self._capacity and len(self._kept) > 1:
                    (_, *size), _ = self._kept.popitem(last=False)
                    self._size -= _octets(*size)
            self._kept.move_to_end(key)
            return kept

    def image(self, card: Card, width: int, height: int) -> Image.Image:
        """The card as an RGB image."""
        image = Image.new("RGB", (width, height), ground_colour(card.member_id))
        named = height >= NAME_FROM_HEIGHT and width >= NAME_FROM_HEIGHT and bool(card.name.strip())
        diameter = max(2, 2 * round(min(width * 0.5, height * (0.46 if named else 0.68)) / 2))
        left, top = (width - diameter) // 2, (height - diameter) // 2
        if named:
            top -= round(height * 0.065)
        _draw_disc(image, (left, top, diameter), disc_colour(card.member_id))
        self._draw_initials(image, card.name, (left, top, diameter))
        if named:
            self._draw_name(image, card.name, top + diameter + round(height * 0.055))
        if card.muted:
            size = round(diameter * 0.34)
            _draw_muted(image, (left + diameter - round(size * 0.86), top + diameter - round(size * 0.92), size))
        return image

    def _draw_initials(self, image: Image.Image, name: str, disc: tuple[int, int, int]) -> None:
        left, top, diameter = disc
        text = initials(name)
        face = self._fonts.face_for(text, bold=True) if text else None
        if face is None:
            _draw_silhouette(image, disc)
            return
        draw = ImageDraw.Draw(image)
        if face.is_colour:
            _draw_emoji(image, text, face, disc)
            return
        font = face.at(max(6, round(diameter * 0.40)))
        box = draw.textbbox((0, 0), text, font=font)
        widest = diameter * 0.66
        if box[2] - box[0] > widest:
            font = face.at(max(6, int(font.size * widest / (box[2] - box[0]))))
            box = draw.textbbox((0, 0), text, font=font)
        # capitals stand in the middle by their height, not by their accents
        high = draw.textbbox((0, 0), "H", font=font) if text.isupper() and face.covers("H") else box
        x, y = left + diameter / 2 - (box[0] + box[2]) / 2, top + diameter / 2 - (high[1] + high[3]) / 2
        draw.text((x, y), text, INK, font)

    def _draw_name(self, image: Image.Image, name: str, top: int) -> None:
        size = max(12, round(image.height * 0.075))
        runs = self._runs(" ".join(name[:MAX_NAME].split()), size, image.width * 0.86)
        draw = ImageDraw.Draw(image)
        x = (image.width - sum(font.getlength(text) for text, font in runs)) / 2
        for text, font in runs:
            draw.text((x, top + size), text, (0xE6, 0xE8, 0xEB), font, anchor="ls")
            x += font.getlength(text)

    def _runs(self, name: str, size: int, room: float) -> list[tuple[str, ImageFont.FreeTypeFont]]:
        """The name in pieces of one font each, without what none can draw, with an ellipsis where room ends."""
        whole = self._fonts.face_for(name, bold=False)
        pieces: list[tuple[str, FontFace]] = []
        for cluster in graphemes(name):
            face = whole or self._fonts.face_for(cluster, bold=False)
            if face is None or face.is_colour or (cluster == " " and pieces and pieces[-1][0].endswith(" ")):
                continue
            if pieces and pieces[-1][1] is face:
                pieces[-1] = (pieces[-1][0] + cluster, face)
            else:
                pieces.append((cluster, face))
        runs: list[tuple[str, ImageFont.FreeTypeFont]] = []
        for text, face in pieces:
            font = face.at(size)
            if font.getlength(text) <= room:
                runs.append((text, font))
                room -= font.getlength(text)
                continue
            ellipsis = "…" if face.covers("…") else "."
            clusters = graphemes(text)
            while clusters and font.getlength("".join(clusters).rstrip() + ellipsis) > room:
                clusters.pop()
            runs.append(("".join(clusters).rstrip() + ellipsis, font))
            break
        return runs


def _octets(width: int, height: int) -> int:
    """What a frame of I420 takes."""
    return width * height * 3 // 2


@cache
def card_press() -> CardPress:
    """The one of this process: reading fonts takes long enough to be seen as a pause in a room's picture."""
    return CardPress()


def _draw_disc(image: Image.Image, disc: tuple[int, int, int], colour: Rgb) -> None:
    left, top, diameter = disc
    mask = Image.new("L", (diameter * _FINE, diameter * _FINE), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, diameter * _FINE - 1, diameter * _FINE - 1), 255)
    image.paste(colour, (left, top), mask.reduce(_FINE))


def _draw_silhouette(image: Image.Image, disc: tuple[int, int, int]) -> None:
    """Head and shoulders, cut off by the disc: for a name that no font can draw."""
    left, top, diameter = disc
    size = diameter * _FINE
    mask = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((size * 0.35, size * 0.22, size * 0.65, size * 0.52), 235)
    draw.ellipse((size * 0.20, size * 0.59, size * 0.80, size * 1.25), 235)
    within = Image.new("L", (size, size), 0)
    ImageDraw.Draw(within).ellipse((0, 0, size - 1, size - 1), 255)
    clipped = Image.composite(mask, Image.new("L", (size, size), 0), within)
    image.paste(INK, (left, top), clipped.reduce(_FINE))


def _draw_emoji(image: Image.Image, text: str, face: FontFace, disc: tuple[int, int, int]) -> None:
    left, top, diameter = disc
    glyph = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    ImageDraw.Draw(glyph).text((80, 80), text, font=face.at(0), embedded_color=True, anchor="mm")
    bounds = glyph.getbbox()
    if bounds is None:
        _draw_silhouette(image, disc)
        return
    glyph = glyph.crop(bounds)
    scale = diameter * 0.58 / max(glyph.size)
    glyph = glyph.resize(
        (max(1, round(glyph.width * scale)), max(1, round(glyph.height * scale))), Image.Resampling.LANCZOS
    )
    image.paste(glyph, (left + (diameter - glyph.width) // 2, top + (diameter - glyph.height) // 2), glyph)


def _draw_muted(image: Image.Image, badge: tuple[int, int, int]) -> None:
    """A crossed-out microphone on a dark badge, at the edge of the disc."""
    left, top, side = badge
    size = side * _FINE
    ground = image.getpixel((0, 0))
    badge_image = Image.new("RGB", (size, size), ground if isinstance(ground, tuple) else (0, 0, 0))
    mask = Image.new("L", (size, size), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, size - 1, size - 1), 255)
    draw = ImageDraw.Draw(badge_image)
    red, stroke = (0xE5, 0x48, 0x4D), max(1, round(size * 0.065))
    draw.ellipse((size * 0.09, size * 0.09, size * 0.91, size * 0.91), red)
    draw.rounded_rectangle((size * 0.40, size * 0.22, size * 0.60, size * 0.55), size * 0.10, INK)
    draw.arc((size * 0.31, size * 0.28, size * 0.69, size * 0.66), 0, 180, INK, stroke)
    draw.line((size * 0.5, size * 0.65, size * 0.5, size * 0.78), INK, stroke)
    draw.line((size * 0.30, size * 0.21, size * 0.77, size * 0.68), red, round(stroke * 1.4))
    draw.line((size * 0.25, size * 0.25, size * 0.74, size * 0.74), INK, stroke)
    image.paste(badge_image.reduce(_FINE), (left, top), mask.reduce(_FINE))
